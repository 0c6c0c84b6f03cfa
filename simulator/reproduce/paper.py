"""The paper's numbers, as `configs/paper/` holds them."""

from functools import cache
from typing import Any

from workloads.foundation.shipped import shipped_folder
from workloads.foundation.strict_yaml import read_yaml

# The paper's names of networks and data sets, and those of the shipped traces.
NETWORKS = {
    "ResNet50": "resnet50", "ResNet101": "resnet101", "ResNet152": "resnet152", "Inception-V4": "inception-v4",
    "Inception-V3": "inception-v3", "VGG13": "vgg13", "VGG16": "vgg16", "VGG19": "vgg19",
    "DenseNet121": "densenet121", "DenseNet161": "densenet161", "DenseNet169": "densenet169",
    "DenseNet201": "densenet201", "MobileNet-V2": "mobilenet-v2",
}  # fmt: skip
DATASETS = {"CIFAR10": "cifar10", "CIFAR100": "cifar100", "ImageNet": "imagenet"}
DESIGNS = {"low": "ADA-GP-LOW", "efficient": "ADA-GP-Efficient", "max": "ADA-GP-MAX"}


@cache
def targets() -> dict[str, Any]:
    """Return every number that the paper states; `configs/paper/ada-gp-micro23.yaml` says where each stands."""
    found: dict[str, Any] = read_yaml(shipped_folder("configs/paper") / "ada-gp-micro23.yaml")
    return found


def trace_name(network: str, dataset: str) -> str:
    """Return the shipped trace of a network and a data set by the paper's names."""
    return f"{NETWORKS[network]}-{DATASETS[dataset]}"
