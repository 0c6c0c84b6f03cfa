"""From a task to plans: where a pass finds its operands, and what it does with its results.

The rules, stated once:

- The layer's own passes read their operands from DRAM and store their results there.
- A predicted gradient stays in the global buffer until the update, if it fills at most a quarter of what the array
  may use; else, and wherever it is kept for the backward pass, it goes to DRAM. The error of the predictor's
  training stays between the two products that read it by the same rule. Pooled means, features and their gradient
  stay if each fills at most a sixteenth. With the half below, an eighth is always left for tiles.
- The predictor's weights, their gradient and the optimizer's moments lie in the predictor SRAM as far as each of
  them fits (in this order). Without one they are loaded into the buffer, if they fill at
  most half of it; else they are streamed from DRAM.
- In Phase BP and Warm Up the pooled means and the features of a prediction are kept in DRAM for the predictor's
  training, whose error is the difference of the true and the predicted gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from dataflows.actions import ActionCounts
from dataflows.array import PEArray
from dataflows.dataflow import find_dataflow
from dataflows.placement import ALL_IN_DRAM, Operand, Place, Placement
from dataflows.plan import BufferBudget, Plan, TileTooLargeError
from dataflows.planning import plan_elementwise, plan_product, plan_transfer
from simulator.design import Task
from simulator.spec import Accelerator
from workloads.errors import InputError
from workloads.layers import Conv2d, Linear, MacLayer, Matmul
from workloads.optimizers import OPTIMIZERS
from workloads.passes import Pass, Product, Role, layer_products
from workloads.schedule import Phase
from workloads.trace import Trace


@dataclass(frozen=True, slots=True)
class PredictorPlaces:
    """Where the predictor's weights, their gradient and the optimizer's moments lie during an op."""

    weights: Place
    gradient: Place
    moments: Place


class Operations:
    """Plans the tasks of one trace on one accelerator."""

    def __init__(self, trace: Trace, spec: Accelerator) -> None:
        self.trace, self.spec = trace, spec
        self.dataflow = find_dataflow(spec.dataflow)
        self._passes: dict[Pass, Callable[[MacLayer, Task, Phase, int], list[Plan]]] = {
            "forward": self._forward,
            "dgrad": self._dgrad,
            "wgrad": self._wgrad,
            "update": self._update,
            "predictor_load": self._predictor_load,
            "predictor_forward": self._predictor_forward,
            "predictor_backward": self._predictor_backward,
            "predictor_update": self._predictor_update,
            "predictor_store": self._predictor_store,
        }

    def plans(self, task: Task, phase: Phase, array_index: int) -> list[Plan]:
        """Return the plans of a task, to be run one after the other on an array.

        Raises
        ------
        InputError
            If the array's part of the global buffer cannot hold a tile of it.
        """
        layer = self.trace.mac_layers[task.layer]
        try:
            return self._passes[task.pass_](layer, task, phase, array_index)
        except TileTooLargeError as error:
            banks = "second_array.buffer_banks" if array_index else "global_buffer.bank_bytes"
            raise InputError("the accelerator", banks, f"too small for {task.pass_} of layer {layer.id}: {error}",
                             "give the buffer more bytes") from None  # fmt: skip

    # The layer's own passes.

    def _forward(self, layer: MacLayer, task: Task, phase: Phase, on: int) -> list[Plan]:
        return self._layer_products(layer, "forward", on)

    def _dgrad(self, layer: MacLayer, task: Task, phase: Phase, on: int) -> list[Plan]:
        return self._layer_products(layer, "dgrad", on)

    def _wgrad(self, layer: MacLayer, task: Task, phase: Phase, on: int) -> list[Plan]:
        return self._layer_products(layer, "wgrad", on)

    def _layer_products(self, layer: MacLayer, role: Role, on: int) -> list[Plan]:
        products = layer_products(layer, role, self.trace.batch_size)
        return [self._product(product, ALL_IN_DRAM, on) for product in products]

    def _update(self, layer: MacLayer, task: Task, phase: Phase, on: int) -> list[Plan]:
        optimizer = OPTIMIZERS[self.trace.optimizer]
        words = layer.product_shape(1).weight_words
        kept = not task.backward and self._prediction_stays(layer, phase, on)
        gradient: Place = "buffer" if kept else "dram"
        state = (Operand("dram", optimizer.state_words),) if optimizer.state_words else ()
        reads = (Operand("dram"), Operand(gradient), *state)
        return [
            plan_elementwise(words, optimizer.macs, reads, (Operand("dram"), *state), self._array(on), self._budget(on))
        ]

    # The predictor's passes.

    def _predictor_forward(self, layer: MacLayer, task: Task, phase: Phase, on: int) -> list[Plan]:
        layer = _weighted(layer)
        conv, linear = self.trace.predictor.forward_products(layer)
        weights = Operand(self._places(layer, on).weights)
        means, features = (self._near(words, on) for words in (conv.shape.input_words, conv.shape.output_words))
        result: Place = "buffer" if self._prediction_is_held(layer, phase, on) else "dram"
        plans = [
            *self._batch_mean(layer, conv.shape.input_words, means, on),
            self._product(conv, Placement(Operand(means), weights, features), on),
            self._product(linear, Placement(Operand(features), weights, result), on),
        ]
        if _trains_predictor(phase):
            kept = conv.shape.input_words * (means == "buffer") + conv.shape.output_words * (features == "buffer")
            plans.append(plan_transfer(0, self._word * kept, self._budget(on)))
        return plans

    def _batch_mean(self, layer: Conv2d | Linear, means: int, place: Place, on: int) -> list[Plan]:
        """Sum the outputs over the batch and each pooling window, while they drain or from DRAM again."""
        words = layer.product_shape(self.trace.batch_size).output_words
        if self.spec.batch_mean == "reread":
            sums = plan_elementwise(
                words, 0, (Operand("dram"),), (), self._array(on), self._budget(on), adds_per_word=1
            )
        else:
            sums = replace(plan_transfer(0, 0, self._budget(on)), counts=ActionCounts(adds=words))
        written = ActionCounts(buffer_write_bytes=means * self._word)
        sums = replace(sums, counts=sums.counts + written)
        return [sums] if place == "buffer" else [sums, plan_transfer(0, means * self._word, self._budget(on))]

    def _predictor_backward(self, layer: MacLayer, task: Task, phase: Phase, on: int) -> list[Plan]:
        layer = _weighted(layer)
        linear_weights, features, conv_weights = self.trace.predictor.backward_products(layer)
        places = self._places(layer, on)
        error_bytes = linear_weights.shape.output_words * self._word
        held = self._is_small(error_bytes, on)
        budget = self._budget(on)
        if places.moments == "buffer":  # loaded with the weights, and there until the store
            moments = OPTIMIZERS[self.trace.predictor.optimizer].state_words
            moments_bytes = self._word * moments * self.trace.predictor.weight_words(layer)
            budget = replace(budget, capacity_bytes=budget.capacity_bytes - moments_bytes)
        gradient = self._near(features.shape.input_words, on)
        while_held = replace(budget, capacity_bytes=budget.capacity_bytes - error_bytes) if held else budget
        both_gradients = Operand("dram", tensors=2)
        return [
            self._product(linear_weights, Placement(Operand("dram"), both_gradients, places.gradient), on, while_held),
            self._product(
                features,
                Placement(Operand("buffer") if held else both_gradients, Operand(places.weights), gradient),
                on,
                budget,
            ),
            self._product(conv_weights, Placement(Operand("dram"), Operand(gradient), places.gradient), on, budget),
        ]

    def _predictor_update(self, layer: MacLayer, task: Task, phase: Phase, on: int) -> list[Plan]:
        layer = _weighted(layer)
        optimizer = OPTIMIZERS[self.trace.predictor.optimizer]
        places = self._places(layer, on)
        moments = (Operand(places.moments, optimizer.state_words),) if optimizer.state_words else ()
        words = self.trace.predictor.weight_words(layer)
        reads = (Operand(places.weights), Operand(places.gradient), *moments)
        return [
            plan_elementwise(
                words, optimizer.macs, reads, (Operand(places.weights), *moments), self._array(on), self._budget(on)
            )
        ]

    def _predictor_load(self, layer: MacLayer, task: Task, phase: Phase, on: int) -> list[Plan]:
        return [plan_transfer(self._moved_bytes(_weighted(layer), task, on), 0, self._budget(on))]

    def _predictor_store(self, layer: MacLayer, task: Task, phase: Phase, on: int) -> list[Plan]:
        layer = _weighted(layer)
        if task.backward:
            stored = self._moved_bytes(layer, task, on)
        else:
            stored = self._prediction_bytes(layer) if self._prediction_is_held(layer, phase, on) else 0
        return [plan_transfer(0, stored, self._budget(on))]

    def _moved_bytes(self, layer: Conv2d | Linear, task: Task, on: int) -> int:
        """Bytes that come before the predictor runs on a layer, and go back after its training."""
        places = self._places(layer, on)
        words = self.trace.predictor.weight_words(layer)
        moments = OPTIMIZERS[self.trace.predictor.optimizer].state_words if task.backward else 0
        return self._word * words * ((places.weights == "buffer") + moments * (places.moments == "buffer"))

    # Where things lie.

    def _places(self, layer: Conv2d | Linear, on: int) -> PredictorPlaces:
        states = OPTIMIZERS[self.trace.predictor.optimizer].state_words
        if self.spec.predictor_sram is not None:
            home: Place = "predictor_sram"
            words, room = self.trace.predictor.total_weight_words, self.spec.predictor_sram.capacity_bytes
        else:
            home = "buffer"
            words, room = self.trace.predictor.weight_words(layer), self._budget(on).capacity_bytes // 2
        fitting = []
        for tensors in (1, 1, states):
            needed = tensors * words * self._word
            fits = needed <= room
            room -= needed * fits
            fitting.append(home if fits else "dram")
        return PredictorPlaces(*fitting)

    def _prediction_bytes(self, layer: MacLayer) -> int:
        return layer.product_shape(1).weight_words * self._word

    def _is_small(self, needed_bytes: int, on: int, share: int = 4) -> bool:
        return needed_bytes <= self._budget(on).capacity_bytes // share

    def _near(self, words: int, on: int) -> Place:
        """Where the pooled means, the features or their gradient lie between two products."""
        return "buffer" if self._is_small(words * self._word, on, share=16) else "dram"

    def _prediction_is_held(self, layer: MacLayer, phase: Phase, on: int) -> bool:
        """Whether the prediction lies in the buffer when its op ends."""
        stored_by_a_pass = self.spec.design_rules.predictor_home == "dram"
        return self._is_small(self._prediction_bytes(layer), on) and (stored_by_a_pass or not _trains_predictor(phase))

    def _prediction_stays(self, layer: MacLayer, phase: Phase, on: int) -> bool:
        """Whether the update still finds the prediction in the buffer."""
        return self._prediction_is_held(layer, phase, on) and self.spec.design_rules.predictor_home != "dram"

    def _product(self, product: Product, placement: Placement, on: int, budget: BufferBudget | None = None) -> Plan:
        return plan_product(product, placement, self.dataflow, self._array(on), budget or self._budget(on))

    def _array(self, on: int) -> PEArray:
        return self.spec.arrays[on]

    def _budget(self, on: int) -> BufferBudget:
        return self.spec.budget(on)

    @property
    def _word(self) -> int:
        return self.spec.precision.word_bits // 8


def _trains_predictor(phase: Phase) -> bool:
    """Whether a batch keeps its predictions to compare them with the true gradients."""
    return phase != "gp"


def _weighted(layer: MacLayer) -> Conv2d | Linear:
    assert not isinstance(layer, Matmul)  # stages give no predictor task to a product of two activations
    return layer
