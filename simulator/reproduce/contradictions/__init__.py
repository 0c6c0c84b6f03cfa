"""Arithmetic of the paper's contradictions: a module a subject, and a function a page, by the same names.

The pages are in `configs/reproduce/contradictions/`. A function returns the figures, which also make a table, and
words: lists and numbers that only the text has.
"""

from collections.abc import Mapping
from typing import Any

Arithmetic = tuple[Mapping[str, float], Mapping[str, Any]]
