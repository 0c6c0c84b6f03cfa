"""What jobs run: designs of the shipped machine on a shipped trace, and what may differ from the shipped ones."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_designs
from workloads.foundation.shipped import resolve
from workloads.layers import Linear
from workloads.resized import with_image, with_tokens
from workloads.trace import Trace, load_trace

DESIGNS = ("baseline", "low", "efficient", "max")


@dataclass(frozen=True, slots=True)
class Workload:
    """Designs on a trace.

    Attributes
    ----------
    trace, dataflow : str
        Names of shipped ones.
    designs : tuple of str
        Which designs.
    settings : tuple of str
        ``key=value`` of the spec, as `--set` takes them; every design gets those that it has.
    batch_size : int, optional
        In place of the trace's own; its number of batches stays.
    predictor : (int, int), optional
        Side of the pooled image and channels of the predictor's convolution, in place of the trace's.
    classifiers_predicted : bool
        Whether linear layers get predictions, as the trace has them.
    tokens, image : int, optional
        Length of the sentences of `transformer-multi30k`, side of the images of `yolo-v3-voc`.
    """

    trace: str
    dataflow: str = "ws"
    designs: tuple[str, ...] = DESIGNS
    settings: tuple[str, ...] = ()
    batch_size: int | None = None
    predictor: tuple[int, int] | None = None
    classifiers_predicted: bool = True
    tokens: int | None = None
    image: int | None = None

    @property
    def family(self) -> str:
        """The network under the dataflow: data sets and settings share most tiles."""
        return f"{self.trace.rpartition('-')[0]}, {self.dataflow}"

    @property
    def weight(self) -> int:
        """Layers of all designs, twice where other tiles must be found."""
        shipped = type(self)(self.trace, self.dataflow, self.designs)
        layers = len(shipped_trace(self.trace).mac_layers) * len(self.designs)
        return layers if self == shipped else 2 * layers

    def specs(self) -> list[Accelerator]:
        """Return the designs' specs."""
        return [spec for spec in load_designs(None, self.dataflow, self.settings) if spec.design in self.designs]

    def workload(self) -> Trace:
        """Return the trace with what is changed."""
        trace = shipped_trace(self.trace)
        if self.tokens is not None:
            trace = with_tokens(trace, self.tokens)
        if self.image is not None:
            trace = with_image(trace, self.image)
        if self.batch_size is not None:
            trace = trace.with_batch_size(self.batch_size)
        if self.predictor is not None:
            side, channels = self.predictor
            sizes = trace.predictor.model_copy(update={"pool": (side, side), "channels": channels})
            trace = trace.model_copy(update={"predictor": sizes})
        if not self.classifiers_predicted:
            unpredicted = {"predicted": False}
            layers = (one.model_copy(update=unpredicted) if isinstance(one, Linear) else one for one in trace.layers)
            trace = trace.model_copy(update={"layers": tuple(layers)})
        return trace


@lru_cache(maxsize=64)
def _loaded(name: str, digest: str) -> Trace:
    return load_trace(name)


def shipped_trace(name: str) -> Trace:
    """Return a shipped trace, read once as long as its file stays the same."""
    return _loaded(name, sha256(resolve(name, "traces", "trace").read_bytes()).hexdigest())
