"""What all tests need before they start, in whichever process they run."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from property_depth import pytest_collection_modifyitems as pytest_collection_modifyitems
from torchvision_operators import prepare_torchvision

ROOT = Path(__file__).parents[1]

# Processes of pytest-xdist have a core each. More threads would wait for each other, and sum in another order.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# numba keeps compiled kernels beside their files, where processes share them, if it can write there.
if not os.access(ROOT / "simulator", os.W_OK):
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"adagp-sim-kernels-{os.getuid()}"))

# A machine that is slow, or has other work, fails no test: examples have no deadline.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

prepare_torchvision()


def pytest_configure(config: pytest.Config) -> None:
    """Compile the kernels of a run before processes start that would each compile them."""
    if not hasattr(config, "workerinput") and getattr(config.option, "numprocesses", None):
        if config.option.collectonly:
            return
        from simulator.cli.two_compilers import compile_kernels

        compile_kernels(compile_transfers)


def compile_transfers() -> None:
    """Compile the kernel of transfers, which both processes need early and would compile at once, in ten seconds."""
    from simulator.dram.part import load_part
    from simulator.dram.transfer_time import transfer_times
    from workloads.foundation.shipped import shipped_names

    transfer_times(load_part(next(iter(shipped_names("configs/dram")))), [1], [64], [64], [0])
