"""What all tests need before they start, in whichever process they run."""

import os
import tempfile
from pathlib import Path

from torchvision_operators import prepare_torchvision

ROOT = Path(__file__).parents[1]

# Processes of pytest-xdist have a core each. More threads would wait for each other, and sum in another order.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# numba keeps compiled kernels beside their files, where processes share them, if it can write there.
if not os.access(ROOT / "simulator", os.W_OK):
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"adagp-sim-kernels-{os.getuid()}"))

prepare_torchvision()
