"""Draw fewer examples of each property, as a plugin of pytest (`-p tests.mutation.examples`)."""

import os

import pytest
from hypothesis import is_hypothesis_test, settings

EXAMPLES = "MUTATION_EXAMPLES"  # the environment variable that says how many at most


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Change the settings of every property."""
    most = int(os.environ[EXAMPLES])
    for item in items:
        test = getattr(item, "obj", None)
        if is_hypothesis_test(test):
            test = getattr(test, "__func__", test)
            own = test._hypothesis_internal_use_settings
            test._hypothesis_internal_use_settings = settings(own, max_examples=min(most, own.max_examples))
