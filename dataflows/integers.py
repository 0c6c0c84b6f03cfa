"""Arrays of whole numbers: an entry a tile, a kind of tile or a transfer."""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
