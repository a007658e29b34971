"""The pixel decoder of a checkpoint: its two graphs, with weights that stay on disk, and its part of the manifest."""
from .checkpoint import open_single, read_json
from .errors import CheckpointError
from .module import attach
from .stable_diffusion.autoencoder import decoder_state
from .stable_diffusion.config import autoencoder_config, noise_schedule, unet_config
from .stable_diffusion.graphs import autoencoder_decoder_of, denoiser_of, manifest_part

UNET_WEIGHTS = 'diffusion_pytorch_model'


def open_pixel_decoder(folder, patches):
    """Folder `pixel_decoding` or `highres_pixel_decoding` -> (definitions as in `graphs.definitions`, parameter ->
    Stored, states, the manifest's `pixel_decoder`). Raises CheckpointError."""
    for part in ('unet', 'vae', 'scheduler'):
        if not (folder / part).is_dir():
            raise CheckpointError(f'{folder.name}/{part}: missing; '
                                  '--pixel-decoder none makes a package that does not paint')
    try:
        unet = unet_config(read_json(folder / 'unet/config.json'))
        vae = autoencoder_config(read_json(folder / 'vae/config.json'))
        schedule = noise_schedule(read_json(folder / 'scheduler/scheduler_config.json'))
        weights = open_single(folder / 'unet', UNET_WEIGHTS)
        state = {f'unet.{key}': stored for key, stored in weights.items()}
        if not unet.pooled_width:
            rows = open_single(folder, 'uncond_embeddings')
            if list(rows) != ['tensor']:
                raise CheckpointError(f'{folder.name}/uncond_embeddings: not a single tensor')
            state['unconditional'] = rows['tensor']
        denoiser = denoiser_of(unet, vae, patches, state['unconditional'].shape if not unet.pooled_width else None)
    except ValueError as error:
        raise CheckpointError(f'{folder.name}: {error}') from error
    autoencoder = autoencoder_decoder_of(vae)
    autoencoder_state = decoder_state(open_single(folder / 'vae', UNET_WEIGHTS))
    stored = attach(denoiser[0], state) | attach(autoencoder[0], autoencoder_state)
    return ({'denoiser': denoiser, 'autoencoder_decoder': autoencoder}, stored, [state, autoencoder_state],
            manifest_part(unet, vae, schedule))
