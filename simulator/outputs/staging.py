"""The output folder of a run, written whole or not at all."""

from contextlib import AbstractContextManager
from pathlib import Path

from workloads.foundation.atomic import atomic_folder

# Every file that a run may write: what an earlier run with other options may have left in the folder.
OUTPUT_NAMES = (
    "summary.json", "layers.csv", "config.resolved.yaml", "timeline.json", "comparison.png", "layers.png",
    "stages.csv", "operations.csv", "pipeline.png", "provenance.json",
)  # fmt: skip


def staged_output(folder: Path) -> AbstractContextManager[Path]:
    """Give a hidden folder to write into; what is there at the end replaces `folder`'s outputs (`atomic_folder`)."""
    return atomic_folder(folder, OUTPUT_NAMES)
