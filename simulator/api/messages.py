"""Errors in Python's words: `overrides` and `batch_size` in the place of ``--set`` and ``--batch-size``."""

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from simulator.api.arguments import check_arguments
from workloads.foundation.errors import InputError

Given = ParamSpec("Given")
Found = TypeVar("Found")
_NAMES = {"--config": "machine", "--milestone": "milestones", "--pipeline-schedule": "pipeline_schedules",
          "--set": "overrides"}  # fmt: skip
_OPTION = re.compile(r"adagp-sim [^;]*|--[a-z][a-z-]*")  # a whole command stays as it is


def pythonic(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """Return a function whose input errors name arguments, and not options of the command line."""

    @wraps(function)
    def called(*args: Given.args, **kwargs: Given.kwargs) -> Found:
        try:
            check_arguments(function, args, kwargs)
            return function(*args, **kwargs)
        except InputError as error:
            parts = (_in_python(text) for text in (error.where, error.key, error.problem, error.remedy))
            raise InputError(*parts) from None

    return called


def _in_python(text: str) -> str:
    return _OPTION.sub(lambda found: _argument(found[0]), text)


def _argument(option: str) -> str:
    return _NAMES.get(option, option[2:].replace("-", "_")) if option.startswith("--") else option
