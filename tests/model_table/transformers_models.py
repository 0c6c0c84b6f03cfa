"""Models of transformers, of their default configurations with few layers; on the meta device width costs nothing."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from model_table.count import BATCH

LAYERS = 2
LENGTH = 64  # so that every expert of a mixture gets some


def names() -> Iterator[str]:
    """Yield ``type:class``, one class of every type first, then those with heads."""
    from transformers.models.auto import modeling_auto

    tables = [vars(modeling_auto)[name] for name in dir(modeling_auto) if name.endswith("_MAPPING_NAMES")]
    first = modeling_auto.MODEL_MAPPING_NAMES
    seen = set()
    for table in (first, *tables):
        for kind, classes in sorted(table.items()):
            one = classes if isinstance(classes, str) else classes[0]
            if one not in seen:
                seen.add(one)
                yield f"{kind}:{one}"


def build(name: str) -> torch.nn.Module:
    """Return the model, shallow."""
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    kind, _, one = name.partition(":")
    config = CONFIG_MAPPING[kind]()
    make_shallow(config)
    config._attn_implementation = "eager"  # which asks no mask for its values
    found = getattr(transformers, one)
    model = found._from_config(config) if hasattr(found, "_from_config") else found(config)
    for module in model.modules():
        if hasattr(module, "_requires_grad"):  # speech models ask for the gradient of the sound, for checkpointing
            module._requires_grad = False
    return model


def make_shallow(config: Any) -> None:
    """Take few layers, also of the configurations inside; lists with an entry a layer become as short."""
    for key in ("use_cache", "use_timm_backbone", "use_pretrained_backbone"):
        if hasattr(config, key):
            setattr(config, key, False)
    for key, value in list(vars(config).items()):
        if hasattr(value, "model_type"):
            make_shallow(value)
        elif key in DEPTHS and isinstance(value, int) and value > LAYERS:
            for other, entries in list(vars(config).items()):
                if isinstance(entries, list) and len(entries) == value:
                    setattr(config, other, entries[:LAYERS])
            setattr(config, key, LAYERS)
        elif key in ("depths", "layers") and isinstance(value, list) and all(isinstance(one, int) for one in value):
            setattr(config, key, [min(one, LAYERS) for one in value])
        elif key in DROPS and isinstance(value, float):  # layers that are left out at random
            setattr(config, key, 0.0)


DEPTHS = {
    "num_hidden_layers", "encoder_layers", "decoder_layers", "num_layers", "n_layer", "n_layers", "depth",
    "num_encoder_layers", "num_decoder_layers", "num_block_layers", "num_blocks",
}  # fmt: skip
DROPS = {
    "layerdrop", "encoder_layerdrop", "decoder_layerdrop", "mask_time_prob", "mask_feature_prob", "activation_dropout",
    "speech_encoder_layerdrop", "encoder_layer_drop", "decoder_layer_drop",
}  # fmt: skip


class Outputs(torch.nn.Module):
    """A model whose outputs are tensors in a tuple, and whose inputs have names."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: torch.Tensor) -> tuple[Any, ...]:
        out = self.model(**inputs)
        return out.to_tuple() if hasattr(out, "to_tuple") else out


def candidates(model: Any) -> Iterator[Mapping[str, torch.Tensor]]:
    """Yield what the model's forward pass may take, the likeliest first."""
    taken = inspect.signature(model.forward).parameters
    configs = list(_configs(model.config))
    ids = torch.zeros(BATCH, LENGTH, dtype=torch.int64)
    words = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    decoder = {f"decoder_{key}": torch.zeros_like(one) for key, one in words.items() if f"decoder_{key}" in taken}
    words = {key: one for key, one in words.items() if key in taken}

    def first(*keys: str, default: int) -> int:
        for config in configs:
            for key in keys:
                value = getattr(config, key, None)
                if isinstance(value, list | tuple) and value and isinstance(value[0], int):
                    return value[0]
                if isinstance(value, int) and not isinstance(value, bool):
                    return value
        return default

    channels = first("num_channels", "in_channels", "in_chans", default=3)
    sizes = dict.fromkeys((first("image_size", "img_size", "input_size", default=224), 224, 384))
    frames = first("num_frames", "frames_per_clip", default=8)
    images = [torch.zeros(BATCH, channels, size, size) for size in sizes]
    bands = first("num_mel_bins", "feature_size", "input_feat_per_channel", "input_dim", default=80)
    shapes = {
        "pixel_values": [*images, torch.zeros(BATCH, frames, *images[0].shape[1:])],
        "pixel_values_videos": [torch.zeros(BATCH, frames, *images[0].shape[1:])],
        "input_values": [torch.zeros(BATCH, 16000), torch.zeros(BATCH, 1, 16000), torch.zeros(BATCH, 1024, bands),
                         torch.zeros(BATCH, 64, bands)],
        "input_features": [torch.zeros(BATCH, bands, 3000), torch.zeros(BATCH, 128, bands),
                           torch.zeros(BATCH, 1, 1001, 64)],
        "past_values": [torch.zeros(BATCH, first("context_length", default=32),
                                    first("num_input_channels", default=1))],
        "inputs_embeds": [torch.zeros(BATCH, LENGTH, first("hidden_size", default=768))],
    }  # fmt: skip
    main = model.main_input_name
    for key in dict.fromkeys((main, "input_ids", *shapes)):
        if key == "input_ids" and key in taken:
            yield words | decoder
            yield {key: ids}
        for one in shapes.get(key, []) if key in taken else ():
            yield {key: one} | decoder
            yield {key: one} | words


def _configs(config: Any) -> Iterator[Any]:
    yield config
    for value in vars(config).values():
        if hasattr(value, "model_type"):
            yield from _configs(value)
