"""The machine with every value, and where the numbers come from."""

import json
from collections.abc import Sequence

from simulator.pages.page import Code, Part, Text
from simulator.pages.result import ResultFolder
from simulator.pages.run_report import ReportSection


def parts(result: ResultFolder) -> Sequence[Part]:
    """Return the configuration and the provenance as texts."""
    return [
        Text("docs/machine.md says what is modelled and what is left out; docs/results.md describes the columns."),
        Code("Trace, machines, energy tables and DRAM parts, with every value", result.config_text),
        Code("Versions, command and hashes", json.dumps(result.provenance, indent=2)),
    ]


SECTION = ReportSection("configuration", "Configuration and provenance", 70, parts)
