"""Pages link to files of the repository that are no pages, such as ``../configs/dram``: let these links stand."""

from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]


def _repository_file(app: Sphinx, env: object, node: pending_xref, content: nodes.Element) -> nodes.Element | None:
    """Return the words of a link to a file of the repository, which must exist."""
    target = str(node.get("reftarget", "")).partition("#")[0]
    here = Path(str(app.srcdir)) / Path(str(node.get("refdoc", ""))).parent
    if target and (here / target).resolve().exists():
        return nodes.literal("", content.astext())
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the rule to Sphinx."""
    app.connect("missing-reference", _repository_file)
    return {"parallel_read_safe": True}
