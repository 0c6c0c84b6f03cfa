"""Which models there are, and how each is built and called."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import NamedTuple

import torch
from torch import nn

from model_table import transformers_models
from model_table.count import BATCH

Inputs = Mapping[str, torch.Tensor]
# In a name of timm: these models come first.
SMALL = ("test", "atto", "femto", "pico", "nano", "xxs", "tiny", "_t", "mini", "xs", "small", "_s", "18", "b0")


class Source(NamedTuple):
    """A package: the names of its models, small ones first, and how one is made.

    `load` returns the model, and yields what inputs it may take, the likeliest first. `builds_with_values` tells
    whether its models are small enough to be built where tensors have values.
    """

    names: Callable[[], Iterator[str]]
    load: Callable[[str], tuple[nn.Module, Iterator[Inputs]]]
    builds_with_values: bool


def timm_names() -> Iterator[str]:
    """Yield a small model of every family, then the next of every family."""
    import timm

    families = defaultdict(list)
    for name in timm.list_models():
        families[timm.models.model_entrypoint(name).__module__].append(name)
    for names in families.values():
        names.sort(key=lambda name: next((rank for rank, word in enumerate(SMALL) if word in name), len(SMALL)))
    for row in zip_longest(*(families[key] for key in sorted(families))):
        yield from filter(None, row)


def timm_model(name: str) -> tuple[nn.Module, Iterator[Inputs]]:
    import timm

    model = timm.create_model(name)
    return model, ({"x": torch.zeros(BATCH, *size)} for size in (model.default_cfg["input_size"],))


def torchvision_names() -> Iterator[str]:
    """Yield all but quantized networks and detectors, which take lists of images and targets."""
    from torchvision import models

    for part in (models, models.segmentation, models.video, models.optical_flow):
        yield from models.list_models(module=part)


def torchvision_model(name: str) -> tuple[nn.Module, Iterator[Inputs]]:
    from torchvision import models

    options = {"weights_backbone": None} if name in models.list_models(module=models.segmentation) else {}
    model = models.get_model(name, weights=None, **options)
    shapes = [
        {"x": (224, 224)},
        {"x": (299, 299)},
        {"x": (16, 224, 224)},
        dict.fromkeys(("image1", "image2"), (128, 128)),
    ]
    return model, ({key: torch.zeros(BATCH, 3, *size) for key, size in one.items()} for one in shapes)


def transformers_model(name: str) -> tuple[nn.Module, Iterator[Inputs]]:
    model = transformers_models.build(name)
    return transformers_models.Outputs(model), transformers_models.candidates(model)


SOURCES = {
    "torchvision": Source(torchvision_names, torchvision_model, True),
    "timm": Source(timm_names, timm_model, True),
    "transformers": Source(transformers_models.names, transformers_model, False),
}
