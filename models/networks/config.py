"""Sizes of the eight parts: MINI is trained from scratch by this recipe, FULL is the official LaVIT-7B."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class EncoderConfig:
    image_size: int = 96
    patch_size: int = 12
    width: int = 192
    depth: int = 4
    heads: int = 4
    mlp_hidden: int = 768
    stem: str = 'conv'        # 'patch': one convolution, as in EVA ViT-g; 'conv': small convolutional stem
    final_norm: bool = True   # the official encoder hands on the raw stream; a small one trains better with its norm
    mean: tuple = (0.5, 0.5, 0.5)
    std: tuple = (0.28, 0.28, 0.28)

    @property
    def grid(self): return self.image_size // self.patch_size

    @property
    def patches(self): return self.grid ** 2


@dataclass(frozen=True)
class TokenizerConfig:
    merger_depth: int = 2
    decoder_depth: int = 3
    heads: int = 4
    mlp_hidden: int = 768
    codebook_size: int = 65536
    code_dim: int = 32
    keep_ratio: float = .36
    min_visual_tokens: int = 4
    merger_leaks: bool = False  # whether kept rows take a trace of dropped rows, as the official ones do
    place_codes: bool = True  # half of each code tells its place, see `place_table`; the official one has no such part

    @property
    def place_dim(self): return self.code_dim // 2 if self.place_codes else 0

    def contents(self, places): return self.codebook_size // places


@dataclass(frozen=True)
class LanguageModelConfig:
    hidden: int = 192
    layers: int = 6
    heads: int = 4
    queries_per_key: int = 1  # heads of queries that share keys and values
    mlp_hidden: int = 512
    text_vocabulary: int = 3072
    max_length: int = 256
    norm_eps: float = 1e-5
    rotary_base: float = 10000.0
    tied_head: bool = True

    @property
    def kv_heads(self): return self.heads // self.queries_per_key

    @property
    def head_dim(self): return self.hidden // self.heads

    def cache(self, places):
        """Shapes of the cached keys and values of a row, in turn, layer by layer."""
        return [(self.kv_heads, self.head_dim, places), (self.kv_heads, places, self.head_dim)] * self.layers


@dataclass(frozen=True)
class PixelDecoderConfig:
    picture_size: int = 96
    width: int = 256
    depth: int = 3
    channels: tuple = (96, 48, 24)
    recalled_size: int = 32
    denoiser_width: int = 64


@dataclass(frozen=True)
class ModelConfig:
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    language_model: LanguageModelConfig = field(default_factory=LanguageModelConfig)
    pixel_decoder: PixelDecoderConfig = field(default_factory=PixelDecoderConfig)

    @property
    def image_start(self): return self.language_model.text_vocabulary

    @property
    def image_end(self): return self.image_start + 1

    @property
    def visual_offset(self): return self.image_start + 2

    @property
    def vocabulary(self): return self.visual_offset + self.tokenizer.codebook_size


MINI = ModelConfig()
CONCEPTS = 600  # what MINI knows by name

FULL = ModelConfig(
    encoder=EncoderConfig(image_size=224, patch_size=14, width=1408, depth=40, heads=16, mlp_hidden=6144, stem='patch',
                          final_norm=False, mean=(0.48145466, 0.4578275, 0.40821073),
                          std=(0.26862954, 0.26130258, 0.27577711)),
    tokenizer=TokenizerConfig(merger_depth=12, decoder_depth=12, heads=16, mlp_hidden=6144, codebook_size=16384,
                              min_visual_tokens=0, merger_leaks=True, place_codes=False),
    language_model=LanguageModelConfig(hidden=4096, layers=32, heads=32, mlp_hidden=11008, text_vocabulary=32000,
                                       max_length=4096, tied_head=False))
