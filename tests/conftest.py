"""What all tests need before they start."""

from torchvision_operators import prepare_torchvision

prepare_torchvision()
