"""The description on an index page: README's text without its links, which lead to files of a checkout."""

import re
from pathlib import Path

from setuptools import setup

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?://)[^)]*\)")
README = Path(__file__).with_name("README.md").read_text(encoding="utf-8")

setup(long_description=_LINK.sub(r"\1", README), long_description_content_type="text/markdown")
