"""The directive ``spec-keys``: tables of every key of a machine, made from the code and the shipped files."""

from collections.abc import Iterable

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from simulator.machine.reference import SpecKey, spec_keys


def _table(keys: Iterable[SpecKey]) -> list[str]:
    """Return the keys of one part as lines of Markdown."""
    lines = ["| key | takes | shipped | meaning |", "|---|---|---|---|"]
    for one in keys:
        only = f" *({one.only_of})*" if one.only_of else ""
        unit = f" {one.unit}" if one.unit else ""
        shipped = "; ".join(f"`{value}` ({name})" for name, value in one.defaults.items())
        sources = " ".join(f"*{name}: {why}.*" for name, why in one.sources.items())
        cells = (f"`{one.key}`{only}", f"{one.values}{unit}", shipped, f"{one.meaning} {sources}")
        lines.append("| " + " | ".join(cell.replace("|", "\\|").strip() for cell in cells) + " |")
    return lines


class SpecKeys(Directive):
    """Write a section for each part of a machine."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        parts: dict[str, list[SpecKey]] = {}
        for one in spec_keys():
            parts.setdefault(one.key.partition(".")[0] if "." in one.key else "", []).append(one)
        lines: list[str] = []
        for part, keys in parts.items():
            lines += [f"**{part or 'The machine'}**", "", *_table(keys), ""]
        box = nodes.container()
        self.state.nested_parse(StringList(lines, source="spec-keys"), self.content_offset, box)
        return list(box.children)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive to Sphinx."""
    app.add_directive("spec-keys", SpecKeys)
    return {"parallel_read_safe": True}
