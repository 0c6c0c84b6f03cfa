"""A network that a trace can be exported of; it needs PyTorch."""

from math import prod

from simulator.testing.ladder import Ladder, hold
from workloads.networks import find_recipe, recipe_names


def check(name: str) -> None:
    """Check that a network is built and its shapes are those of one batch."""
    recipe = find_recipe(name)
    hold(recipe.training_samples > 0 and recipe.batch_size > 0, "it has no samples")
    hold(recipe.input_shapes and all(prod(shape) > 0 for shape in recipe.input_shapes), "it has no input")
    hold(len(recipe.input_dtypes) in (0, len(recipe.input_shapes)), "types are given for some inputs only")
    hold(sum(weights.numel() for weights in recipe.build().parameters()) > 0, "it has no weights")


LADDER = Ladder("networks", "it is built, and has inputs, weights and samples", recipe_names, check)
