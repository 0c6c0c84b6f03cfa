"""Where tensors lie on the chip, and what room is left for tiles.

docs/machine.md has the rules: "The predictor's operands" and "Outputs that stay". They leave at least a sixteenth of an
array's share of the buffer for tiles.
"""

from dataclasses import dataclass, replace

from dataflows.plans.budget import BufferBudget
from dataflows.plans.placement import Place
from simulator.machine.spec import Accelerator
from simulator.phases.stages import PHASE_RULES
from workloads.graph import handed_on
from workloads.layers import Conv2d, Linear, MacLayer
from workloads.optimizers import OPTIMIZERS
from workloads.schedule import Phase
from workloads.trace import Trace
from workloads.vectors import vectors_behind


@dataclass(frozen=True, slots=True)
class PredictorPlaces:
    """Where the predictor's weights, their gradient and the optimizer's moments lie during an op."""

    weights: Place
    gradient: Place
    moments: Place


class Residency:
    """Places and room on one array; outputs of the layers `leaving` go to another device and never stay."""

    def __init__(
        self, trace: Trace, spec: Accelerator, array_index: int, leaving: frozenset[str] = frozenset()
    ) -> None:
        self.trace, self.spec = trace, spec
        self.budget = spec.budget(array_index)
        self.word = self.budget.word_bytes
        self.moments = OPTIMIZERS[trace.predictor.optimizer].state_words
        self.array_index = array_index
        costed = spec.vector_unit.costed  # what the vector unit works on comes from DRAM
        self._handed_on = {
            maker: reader
            for maker, reader in (handed_on(trace.layers) if spec.gp_outputs_stay else {}).items()
            if maker not in leaving
            and (not costed or all(one.kind not in costed for one in vectors_behind(trace.layers, maker)))
        }
        by_id = {one.id: one for one in trace.mac_layers}
        self._maker_of = {reader: by_id[maker] for maker, reader in self._handed_on.items()}
        share = spec.budget(0).capacity_bytes
        self.stores_predictions = spec.design_rules.predictor_home == "dram"
        self._output_bytes = share // (16 if self.stores_predictions else 4)

    def predictor(self, layer: Conv2d | Linear) -> PredictorPlaces:
        """Return where the predictor lies while it works on a layer."""
        if self.spec.predictor_sram is not None:
            home: Place = "predictor_sram"
            words, room = self.trace.predictor.total_weight_words, self.spec.predictor_sram.capacity_bytes
        else:
            home = "buffer"
            words, room = self.trace.predictor.weight_words(layer), self.budget.capacity_bytes // 2
        places: list[Place] = []
        for tensors in (1, 1, self.moments):
            needed = tensors * words * self.word
            fits = needed <= room
            room -= needed * fits
            places.append(home if fits else "dram")
        return PredictorPlaces(*places)

    def predictor_bytes(self, layer: Conv2d | Linear, training: bool) -> int:
        """Return the bytes of the predictor that lie in the buffer: its weights, and in training all the rest."""
        places = self.predictor(layer)
        tensors = int(places.weights == "buffer")
        if training:
            tensors += (places.gradient == "buffer") + self.moments * (places.moments == "buffer")
        return tensors * self.trace.predictor.weight_words(layer) * self.word

    def intermediate(self, words: int) -> Place:
        """Return where the pooled means, the features or their gradient lie between two products."""
        return "buffer" if self._fits(words, 16) else "dram"

    def error(self, words: int) -> Place:
        """Return where the error of the predictor's training lies between the products that read it."""
        return "buffer" if self._fits(words, 4) else "dram"

    def prediction(self, layer: MacLayer, phase: Phase) -> Place:
        """Return where a prediction lies when its op ends.

        Where the predictor is trained later in the batch it is kept in DRAM; a design whose predictor lives
        in DRAM gathers it in the buffer first and stores it in a pass of its own.
        """
        if PHASE_RULES[phase].trains_predictor and not self.stores_predictions:
            return "dram"
        return "buffer" if self._fits(layer.product_shape(1).weight_words, 4) else "dram"

    def prediction_at_update(self, layer: MacLayer, phase: Phase) -> Place:
        """Return where the layer's update finds the prediction."""
        return "dram" if self.stores_predictions else self.prediction(layer, phase)

    def input(self, layer: MacLayer, phase: Phase) -> Place:
        """Return where a layer's forward pass finds its input."""
        maker = self._maker_of.get(layer.id)
        return "dram" if maker is None else self.output(maker, phase)

    def output(self, layer: MacLayer, phase: Phase) -> Place:
        """Return where a layer's forward pass leaves its output."""
        if PHASE_RULES[phase].goes_backward or layer.id not in self._handed_on:
            return "dram"
        words = layer.product_shape(self.trace.batch_size).output_words
        return "buffer" if words * self.word <= self._output_bytes else "dram"

    def handed_words(self, layer: MacLayer, phase: Phase) -> int:
        """Return the words of a layer's output that lie in this array's share while the predictor works on it."""
        kept = self.array_index == 0 and self.output(layer, phase) == "buffer"
        return layer.product_shape(self.trace.batch_size).output_words * kept

    def left(self, *resident: tuple[Place, int]) -> BufferBudget:
        """Return the room that is left beside tensors, given as (place, words)."""
        taken = sum(words * self.word for place, words in resident if place == "buffer")
        return replace(self.budget, capacity_bytes=self.budget.capacity_bytes - taken)

    def _fits(self, words: int, share: int) -> bool:
        return words * self.word <= self.budget.capacity_bytes // share
