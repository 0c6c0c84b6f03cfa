"""How many examples a run draws of each property: the default run a quarter, the long run the others.

An example that a test names (`@example`) runs in the default run, so what needs it is found there. A mutation run
draws all examples.
"""

import os

import pytest
from hypothesis import Phase, is_hypothesis_test, settings

WHOLE = "WHOLE_PROPERTIES"  # the environment variable with which a run draws all examples: a mutation run sets it
PART = 4  # the default run draws one in so many
FEWEST = 2  # but no fewer than these


def in_the_default_run(examples: int) -> int:
    """Return how many of a property's examples the default run draws."""
    return min(examples, max(FEWEST, examples // PART))


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Change the settings of every property that is not long itself."""
    chosen = config.option.markexpr
    if chosen not in ("not long", "long") or os.environ.get(WHOLE):
        return
    changed: dict[object, settings] = {}  # a function is the test of each of its parameters
    for item in items:
        test = getattr(item, "obj", None)
        if not is_hypothesis_test(test) or item.get_closest_marker("long"):
            continue
        test = getattr(test, "__func__", test)
        own = changed.setdefault(test, test._hypothesis_internal_use_settings)
        few = in_the_default_run(own.max_examples)
        if chosen == "not long":
            test._hypothesis_internal_use_settings = settings(own, max_examples=few)
        elif few < own.max_examples:
            item.add_marker(pytest.mark.long)
            # where hypothesis draws the same in each run, the first ones are those of the default run
            rest = own.max_examples - (0 if own.derandomize else few)
            phases = [phase for phase in own.phases if phase is not Phase.explicit]
            test._hypothesis_internal_use_settings = settings(own, max_examples=rest, phases=phases)
