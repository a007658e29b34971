"""The same networks a second time, as plain formulas over a checkpoint's tensors: what the modules are held against.

`w` maps the checkpoint's keys to tensors in double precision, `c` is the config file as it stands."""
import math

import torch
from torch.nn.functional import conv2d


def part(w, prefix): return {key[len(prefix) + 1:]: value for key, value in w.items() if key.startswith(prefix + '.')}


def linear(w, x): return x @ w['weight'].T + w.get('bias', 0)


def silu(x): return x / (1 + torch.exp(-x))


def gelu(x): return x / 2 * (1 + torch.erf(x / math.sqrt(2)))


def group_norm(w, x, groups, eps):
    b, channels, height, width = x.shape
    grouped = x.reshape(b, groups, -1)
    mean = grouped.mean(-1, keepdim=True)
    variance = ((grouped - mean) ** 2).mean(-1, keepdim=True)
    normal = ((grouped - mean) / torch.sqrt(variance + eps)).reshape(b, channels, height, width)
    return normal * w['weight'].reshape(1, -1, 1, 1) + w['bias'].reshape(1, -1, 1, 1)


def layer_norm(w, x):
    mean = x.mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(((x - mean) ** 2).mean(-1, keepdim=True) + 1e-5) * w['weight'] + w['bias']


def conv(w, x, stride=1): return conv2d(x, w['weight'], w['bias'], stride, w['weight'].shape[-1] // 2)


def timestep_embedding(t, width):
    """Cosines of t / 10000^(i / half), then the sines."""
    half = width // 2
    angles = torch.tensor([[float(one) / 10000 ** (i / half) for i in range(half)] for one in t], dtype=torch.float64)
    return torch.cat([torch.cos(angles), torch.sin(angles)], 1)


def mlp(w, x): return linear(part(w, 'linear_2'), silu(linear(part(w, 'linear_1'), x)))


def resnet(w, x, time, groups, eps):
    h = conv(part(w, 'conv1'), silu(group_norm(part(w, 'norm1'), x, groups, eps)))
    if time is not None:
        h = h + linear(part(w, 'time_emb_proj'), silu(time))[:, :, None, None]
    h = conv(part(w, 'conv2'), silu(group_norm(part(w, 'norm2'), h, groups, eps)))
    return h + (conv(part(w, 'conv_shortcut'), x) if 'conv_shortcut.weight' in w else x)


def attention(w, x, context, heads, mask=None):
    """Head by head: head i has the i-th slice of the channels. Where `mask` (B, N) is 0 the score falls by 10000."""
    q, k, v = linear(part(w, 'to_q'), x), linear(part(w, 'to_k'), context), linear(part(w, 'to_v'), context)
    size, outputs = q.shape[-1] // heads, []
    for head in range(heads):
        a = slice(head * size, (head + 1) * size)
        scores = q[..., a] @ k[..., a].transpose(1, 2) / math.sqrt(size)
        if mask is not None:
            scores = scores - 10000 * (1 - mask[:, None, :])
        e = torch.exp(scores - scores.max(-1, keepdim=True).values)
        outputs.append(e / e.sum(-1, keepdim=True) @ v[..., a])
    return linear(part(w, 'to_out.0'), torch.cat(outputs, -1))


def rows_of(x): return x.reshape(x.shape[0], x.shape[1], -1).permute(0, 2, 1)


def transformer(w, x, heads, depth, c, condition, mask):
    h = group_norm(part(w, 'norm'), x, c['norm_num_groups'], 1e-6)
    h = rows_of(h) @ w['proj_in.weight'].reshape(x.shape[1], x.shape[1]).T + w['proj_in.bias']
    for i in range(depth):
        b = part(w, f'transformer_blocks.{i}')
        own = layer_norm(part(b, 'norm1'), h)
        h = h + attention(part(b, 'attn1'), own, own, heads)
        h = h + attention(part(b, 'attn2'), layer_norm(part(b, 'norm2'), h), condition, heads, mask)
        wide = linear(part(b, 'ff.net.0.proj'), layer_norm(part(b, 'norm3'), h))
        value, gate = wide[..., :wide.shape[-1] // 2], wide[..., wide.shape[-1] // 2:]
        h = h + linear(part(b, 'ff.net.2'), value * gelu(gate))
    h = h @ w['proj_out.weight'].reshape(x.shape[1], x.shape[1]).T + w['proj_out.bias']
    return x + h.permute(0, 2, 1).reshape(x.shape)


def nearest(x, height, width):
    """Place i of the new side comes from place floor(i * old / new)."""
    down, across = ([i * old // new for i in range(new)] for old, new in zip(x.shape[-2:], (height, width)))
    return x[:, :, down][:, :, :, across]


def unet(w, c, latents, timestep, condition, mask=None, pooled=None, time_ids=None):
    levels, groups, eps = len(c['block_out_channels']), c['norm_num_groups'], c.get('norm_eps', 1e-5)
    heads, depth = (value if isinstance(value, list) else [value] * levels
                    for value in (c['attention_head_dim'], c.get('transformer_layers_per_block', 1)))
    time = mlp(part(w, 'time_embedding'), timestep_embedding(timestep, c['block_out_channels'][0]))
    if pooled is not None:
        ids = timestep_embedding(time_ids, c['addition_time_embed_dim']).reshape(1, -1).repeat(len(pooled), 1)
        time = time + mlp(part(w, 'add_embedding'), torch.cat([pooled, ids], 1))

    def layer(block, i, x, level):
        x = resnet(part(block, f'resnets.{i}'), x, time, groups, eps)
        attending = part(block, f'attentions.{i}')
        return transformer(attending, x, heads[level], depth[level], c, condition, mask) if attending else x

    x = conv(part(w, 'conv_in'), latents)
    skips = [x]
    for level in range(levels):
        block = part(w, f'down_blocks.{level}')
        for i in range(c['layers_per_block']):
            x = layer(block, i, x, level)
            skips.append(x)
        if level < levels - 1:
            x = conv(part(block, 'downsamplers.0.conv'), x, stride=2)
            skips.append(x)
    x = layer(part(w, 'mid_block'), 0, x, levels - 1)
    x = resnet(part(w, 'mid_block.resnets.1'), x, time, groups, eps)
    for step in range(levels):
        block = part(w, f'up_blocks.{step}')
        for i in range(c['layers_per_block'] + 1):
            x = layer(block, i, torch.cat([x, skips.pop()], 1), levels - 1 - step)
        if step < levels - 1:
            x = conv(part(block, 'upsamplers.0.conv'), nearest(x, *skips[-1].shape[-2:]))
    assert not skips
    return conv(part(w, 'conv_out'), silu(group_norm(part(w, 'conv_norm_out'), x, groups, eps)))


def autoencoder_decoder(w, c, latents):
    groups, levels, w, first = c['norm_num_groups'], len(c['block_out_channels']), part(w, 'decoder'), w
    x = conv(part(w, 'conv_in'), conv(part(first, 'post_quant_conv'), latents))
    x = resnet(part(w, 'mid_block.resnets.0'), x, None, groups, 1e-6)
    middle = part(w, 'mid_block.attentions.0')
    rows = rows_of(group_norm(part(middle, 'group_norm'), x, groups, 1e-6))
    x = x + attention(middle, rows, rows, 1).permute(0, 2, 1).reshape(x.shape)
    x = resnet(part(w, 'mid_block.resnets.1'), x, None, groups, 1e-6)
    for step in range(levels):
        for i in range(c['layers_per_block'] + 1):
            x = resnet(part(w, f'up_blocks.{step}.resnets.{i}'), x, None, groups, 1e-6)
        if step < levels - 1:
            x = conv(part(w, f'up_blocks.{step}.upsamplers.0.conv'), nearest(x, 2 * x.shape[2], 2 * x.shape[3]))
    return conv(part(w, 'conv_out'), silu(group_norm(part(w, 'conv_norm_out'), x, groups, 1e-6)))
