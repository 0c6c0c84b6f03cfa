"""Networks that a trace can be exported of: one file a family, each with its `RECIPES`.

A new network is one new module here; nothing has to be registered. Importing this package
or its modules does not import torch.
"""

from functools import cache

from workloads.foundation.errors import InputError, nearest
from workloads.foundation.registry import parts, with_extensions
from workloads.networks.recipe import Recipe


@cache
def _recipes() -> dict[str, Recipe]:
    families = parts(__name__, "RECIPES", beside=("recipe", "image_classes"))
    own = [("RECIPES", module, recipe) for module, recipes in families for recipe in recipes]
    return with_extensions(own, "networks", Recipe)


def recipe_names() -> tuple[str, ...]:
    """Return the names of all recipes, sorted."""
    return tuple(sorted(_recipes()))


def find_recipe(name: str) -> Recipe:
    """Return the recipe of a name.

    Raises
    ------
    InputError
        If there is none.
    """
    recipes = _recipes()
    if name not in recipes:
        raise InputError(name, "", "no such network", nearest(name, recipes))
    return recipes[name]
