"""A small convolutional network for scikit-learn's digits, which trains on one core in half a minute."""

from typing import TYPE_CHECKING

from workloads.networks.recipe import Recipe, Training

if TYPE_CHECKING:
    from torch import nn

    from workloads.pytorch.split import Split


# What a run whose learning rates follow a schedule leaves out of its trace.
CONSTANT_RATES = "Learning rates stay constant; the paper's plateau and step schedules are left out."


def build() -> "nn.Module":
    """Return the network: three convolutions with batch norm, two poolings, one linear layer."""
    from collections import OrderedDict

    from torch import nn

    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv1=nn.Conv2d(1, 16, 3, padding=1, bias=False),
            bn1=nn.BatchNorm2d(16),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(16, 32, 3, padding=1, bias=False),
            bn2=nn.BatchNorm2d(32),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            conv3=nn.Conv2d(32, 64, 3, padding=1, bias=False),
            bn3=nn.BatchNorm2d(64),
            relu3=nn.ReLU(),
            pool3=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=nn.Linear(64, 10),
        )
    )


def _load() -> "Split":
    from workloads.pytorch.digits import digits

    return digits()


RECIPES = (
    Recipe(
        name="digits-cnn",
        network="digits-cnn",
        dataset="scikit-learn digits",
        training_samples=1437,
        input_shapes=((1, 8, 8),),
        batch_size=32,
        build=build,
        # The network's learning rate is the paper's (section 5.2), which names no momentum; 0.9 is the customary one.
        # The predictor's is a hundred times the paper's, which is for runs of far more batches: docs/predictor.md.
        training=Training(load_data=_load, learning_rate=0.001, momentum=0.9, predictor_learning_rate=0.01),
        notes=(
            "The last batch of an epoch, 29 samples of 1437, is left out: 44 batches of 32.",
            "Tested on 360 samples that the training never sees.",
            "The accuracy is no evidence of prediction. Under the paper's schedule with seed 0 it ends at 0.9889. It "
            "does so too where Phase GP batches step with zero gradients (momentum alone) or are left out.",
            "Digits are easy. Such runs show that the training does what it should; they say nothing about the paper's "
            "networks.",
            CONSTANT_RATES,
        ),
    ),
)
