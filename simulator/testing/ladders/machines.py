"""A machine's file: it is a whole spec, and every key comes back from what `adagp-sim show` prints."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from simulator.energy.energy import energy_table_of
from simulator.machine.spec_layers import FOLDER
from simulator.machine.spec_loading import load_accelerator
from simulator.outputs.resolved import spec_data, to_yaml
from simulator.testing.ladder import Ladder, hold
from workloads.foundation.shipped import shipped_names


def check(name: str) -> None:
    """Check that a machine is read, priced and written."""
    spec = load_accelerator(name)
    energy_table_of(spec)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "shown.yaml"
        file.write_text(to_yaml(spec_data(spec)), encoding="utf-8")
        hold(load_accelerator(file) == spec, "what is shown of it is another machine")


LADDER = Ladder(
    "machines", "a whole spec, priced, and the same when it is read again", partial(shipped_names, FOLDER), check
)
