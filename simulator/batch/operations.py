"""From a task to plans: which products, updates and transfers a pass consists of.

The layer's own passes read their operands from DRAM and store their results there. `simulator/batch/residency.py` says
where the predictor's operands lie. A batch that trains the predictor keeps predictions, pooled means and features in
DRAM until then. The error of the training is the difference of the true and the predicted gradient.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from itertools import pairwise

from dataflows.actions import ActionCounts
from dataflows.dataflow import find_dataflow
from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.given import MappingError
from dataflows.plans.given_plan import plan_given
from dataflows.plans.placement import ALL_IN_DRAM, Operand, Place, Placement
from dataflows.plans.plan import Plan
from dataflows.plans.planning import plan_elementwise, plan_product, plan_transfer, plan_vector
from simulator.batch.mapping_file import GivenMappings, mappings_for
from simulator.batch.residency import Residency
from simulator.engine.work import StepWork
from simulator.machine.spec import Accelerator
from simulator.phases.design import Task
from simulator.phases.stages import PHASE_RULES
from workloads.foundation.errors import InputError
from workloads.graph import input_gradients
from workloads.layers import Conv2d, Linear, MacLayer, Matmul
from workloads.optimizers import OPTIMIZERS
from workloads.passes import Pass, Product, Role, layer_products
from workloads.schedule import Phase
from workloads.trace import Trace
from workloads.vectors import Direction, vector_work, vectors_behind


class Operations:
    """Plans the tasks of one trace on one accelerator."""

    def __init__(
        self, trace: Trace, spec: Accelerator, leaving: frozenset[str] = frozenset(),
        mappings: GivenMappings | None = None,
    ) -> None:  # fmt: skip
        self._mappings = mappings_for(trace, spec) if mappings is None else mappings
        self._arrays = [
            _ArrayOperations(trace, spec, index, leaving, self._mappings) for index in range(len(spec.arrays))
        ]
        self._layers = trace.mac_layers
        self._shapes = [layer.product_shape(trace.batch_size) for layer in trace.mac_layers]
        self._works: dict[Hashable, StepWork] = {}

    def work(self, task: Task, phase: Phase, array_index: int) -> StepWork:
        """Return a task's plans as an array's work, planned once for all tasks whose plans are equal.

        The key has all that plans depend on: the pass and its direction, whether the batch trains the predictor, the
        array, and what they read of the layer.

        Raises
        ------
        InputError
            If the array's part of the global buffer cannot hold a tile of it.
        """
        key = (task.pass_, task.backward, PHASE_RULES[phase].trains_predictor, array_index, self._reads(task, phase))
        if key not in self._works:
            plans = tuple(self.plans(task, phase, array_index))
            self._works[key] = StepWork((), plans) if array_index else StepWork(plans)
        return self._works[key]

    def _reads(self, task: Task, phase: Phase) -> Hashable:
        """Return what the plans of a task read of its layer: type, shape, given mapping, where input and output lie.

        Of a product of two activations also which of them has a gradient. Tasks of two layers that are equal in these
        have equal plans. Vector work depends on the layers behind this one, so there each layer has plans of its own.
        """
        if task.pass_.startswith("vector"):
            return task.layer
        layer, residency = self._layers[task.layer], self._arrays[0].residency
        places = (residency.input(layer, phase), residency.output(layer, phase))
        gradients = self._arrays[0].gradients[layer.id] if isinstance(layer, Matmul) else ()
        given = self._mappings.of(layer.id, task.pass_)
        return type(layer), self._shapes[task.layer], places, gradients, given

    def stays(self, layer: MacLayer, phase: Phase) -> bool:
        """Whether a layer's output stays in the buffer for the next layer."""
        return self._arrays[0].residency.output(layer, phase) == "buffer"

    def plans(self, task: Task, phase: Phase, array_index: int) -> list[Plan]:
        """Return the plans of a task, to be run one after the other on an array.

        Raises
        ------
        InputError
            If the array's part of the global buffer cannot hold a tile of it.
        """
        layer = self._layers[task.layer]
        try:
            array = self._arrays[array_index]
            # A task has at least one plan: a dgrad that no tap reaches is one of no cycles and no bytes.
            return array.passes[task.pass_](layer, task, phase) or [plan_transfer(0, 0, array.residency.budget)]
        except TileTooLargeError as error:
            key = "second_array.buffer_banks" if array_index else "global_buffer.bank_bytes"
            problem = f"too small for {task.pass_} of layer {layer.id}: {error}"
            raise InputError("the accelerator", key, problem, "give the buffer more bytes") from None


class _ArrayOperations:
    """Plans tasks on one of the arrays."""

    def __init__(
        self, trace: Trace, spec: Accelerator, array_index: int, leaving: frozenset[str], mappings: GivenMappings
    ) -> None:
        self.trace, self.spec, self.predictor = trace, spec, trace.predictor
        self.array = spec.arrays[array_index]
        self.dataflow = find_dataflow(spec.dataflow, self.array.kind, "", "dataflow")
        self.residency = Residency(trace, spec, array_index, leaving)
        self.mappings = mappings
        self.gradients = input_gradients(trace.layers)
        self.word = self.residency.word
        self.passes: dict[Pass, Callable[[MacLayer, Task, Phase], list[Plan]]] = {
            "forward": self._forward,
            "vector_forward": self._vector_forward,
            "vector_backward": self._vector_backward,
            "dgrad": self._dgrad,
            "wgrad": self._wgrad,
            "update": self._update,
            "predictor_load": self._predictor_load,
            "predictor_forward": self._predictor_forward,
            "predictor_backward": self._predictor_backward,
            "predictor_update": self._predictor_update,
            "predictor_store": self._predictor_store,
        }

    # The layer's own passes.

    def _forward(self, layer: MacLayer, task: Task, phase: Phase) -> list[Plan]:
        found, left = self.residency.input(layer, phase), self.residency.output(layer, phase)
        shape = layer.product_shape(self.trace.batch_size)
        budget = self.residency.left((found, shape.input_words), (left, shape.output_words))
        products = layer_products(layer, "forward", self.trace.batch_size, self.spec.dgrad)
        where = Placement(Operand(found), result=left)
        return self._products(layer, task, [(product, where) for product in products], budget)

    def _dgrad(self, layer: MacLayer, task: Task, phase: Phase) -> list[Plan]:
        return self._layer_products(layer, task, "dgrad")

    def _wgrad(self, layer: MacLayer, task: Task, phase: Phase) -> list[Plan]:
        return self._layer_products(layer, task, "wgrad")

    def _vector_forward(self, layer: MacLayer, task: Task, phase: Phase) -> list[Plan]:
        return self._vectors(layer, "forward")

    def _vector_backward(self, layer: MacLayer, task: Task, phase: Phase) -> list[Plan]:
        return self._vectors(layer, "backward")

    def _vectors(self, layer: MacLayer, direction: Direction) -> list[Plan]:
        unit = self.spec.vector_unit
        layers = vectors_behind(self.trace.layers, layer.id)
        works = [
            vector_work(one, direction, self.trace)
            for one in (layers if direction == "forward" else reversed(layers))
            if one.kind in unit.costed
        ]
        return [
            plan_vector(work.operations, work.read_words, work.written_words, unit.lanes, self.residency.budget)
            for work in works
            if work.operations
        ]

    def _layer_products(self, layer: MacLayer, task: Task, role: Role) -> list[Plan]:
        gradients = self.gradients[layer.id]
        products = layer_products(layer, role, self.trace.batch_size, self.spec.dgrad, gradients)
        return self._products(layer, task, [(product, ALL_IN_DRAM) for product in products], self.residency.budget)

    def _update(self, layer: MacLayer, task: Task, phase: Phase) -> list[Plan]:
        optimizer = OPTIMIZERS[self.trace.optimizer]
        words = layer.product_shape(1).weight_words
        gradient: Place = "dram" if task.backward else self.residency.prediction_at_update(layer, phase)
        wide = self.spec.precision.master_words
        state = (Operand("dram", optimizer.state_words * wide),) if optimizer.state_words else ()
        master, words_for_passes = Operand("dram", wide), (Operand("dram"),) if wide > 1 else ()
        reads = (master, Operand(gradient), *state)
        handed = 0 if task.backward else self.residency.handed_words(layer, phase)
        budget = self.residency.left((gradient, words), ("buffer", handed))
        return [plan_elementwise(words, optimizer.macs, reads, (master, *words_for_passes, *state), self.array, budget)]

    # The predictor's passes.

    def _predictor_forward(self, layer: MacLayer, task: Task, phase: Phase) -> list[Plan]:
        layer = _weighted(layer)
        conv, linear = self.predictor.forward_products(layer)
        mean_words, feature_words = conv.shape.input_words, conv.shape.output_words
        means, features = self.residency.intermediate(mean_words), self.residency.intermediate(feature_words)
        result = self.residency.prediction(layer, phase)
        weights = Operand(self.residency.predictor(layer).weights)
        budget = self.residency.left(
            ("buffer", self.residency.predictor_bytes(layer, training=False) // self.word),
            (means, mean_words),
            (features, feature_words),
            (result, linear.shape.output_words),
            ("buffer", self.residency.handed_words(layer, phase)),
        )
        plans = [
            *self._batch_mean(layer, phase, budget),
            *self._products(layer, task, [
                (conv, Placement(Operand(means), weights, features)),
                (linear, Placement(Operand(features), weights, result)),
            ], budget),
        ]  # fmt: skip
        if PHASE_RULES[phase].trains_predictor:
            kept = mean_words * (means == "buffer") + feature_words * (features == "buffer")
            plans.append(plan_transfer(0, self.word * kept, budget))
        return plans

    def _batch_mean(self, layer: Conv2d | Linear, phase: Phase, budget: BufferBudget) -> list[Plan]:
        """Sum the outputs over the batch while they drain or from DRAM again, then pool what the sums do not."""
        words = layer.product_shape(self.trace.batch_size).output_words
        images = [(each, self.residency.intermediate(each)) for each in self.predictor.image_words(layer)]
        held = self.word * sum(each for each, place in images[:-1] if place == "buffer")
        budget, (first, place) = replace(budget, capacity_bytes=budget.capacity_bytes - held), images[0]
        if self.spec.batch_mean == "reread":
            outputs = self.residency.output(layer, phase)
            sums = plan_elementwise(words, 0, (Operand(outputs),), (), self.array, budget, adds_per_word=1)
            plans = self._images(sums, 0, first, place, budget)
        else:
            sums = replace(plan_transfer(0, 0, budget), counts=ActionCounts(adds=words))
            # a batch drains image by image: sums of windows stay where they are added, those of a whole image do not
            running = words if self.predictor.pooling == "max" else first
            plans = self._images(sums, running - first, running, place, budget)
        for (before, where), (after, there) in pairwise(images):
            pooling = plan_elementwise(before, 0, (Operand(where),), (), self.array, budget, adds_per_word=1)
            plans += self._images(pooling, 0, after, there, budget)
        return plans

    def _images(self, plan: Plan, read: int, written: int, place: Place, budget: BufferBudget) -> list[Plan]:
        """Return a plan that makes the predictor's images with the words of them that it reads and writes."""
        read, written = read * self.word, written * self.word
        moved = replace(plan, counts=plan.counts + ActionCounts(buffer_read_bytes=read, buffer_write_bytes=written))
        return [moved] if place == "buffer" else [moved, plan_transfer(read, written, budget)]

    def _predictor_backward(self, layer: MacLayer, task: Task, phase: Phase) -> list[Plan]:
        layer = _weighted(layer)
        linear_weights, features, conv_weights = self.predictor.backward_products(layer)
        places = self.residency.predictor(layer)
        error_words, feature_words = linear_weights.shape.output_words, features.shape.input_words
        error, gradient = self.residency.error(error_words), self.residency.intermediate(feature_words)
        budget = self.residency.left(
            ("buffer", self.residency.predictor_bytes(layer, training=True) // self.word),
            (error, error_words),
            (gradient, feature_words),
        )
        both_gradients = Operand("dram", tensors=2)
        once = Operand("buffer") if error == "buffer" else both_gradients
        weights = Operand(places.weights)
        first, *others = self._products(layer, task, [
            (linear_weights, Placement(Operand("dram"), both_gradients, places.gradient)),
            (features, Placement(once, weights, gradient)),
            (conv_weights, Placement(Operand("dram"), Operand(gradient), places.gradient)),
        ], budget)  # fmt: skip
        # The difference is taken where both gradients are read, and written down where it stays.
        differences = ActionCounts(adds=error_words if error == "buffer" else 2 * error_words)
        written = ActionCounts(buffer_write_bytes=error_words * self.word * (error == "buffer"))
        return [replace(first, counts=first.counts + differences + written), *others]

    def _predictor_update(self, layer: MacLayer, task: Task, phase: Phase) -> list[Plan]:
        layer = _weighted(layer)
        optimizer = OPTIMIZERS[self.predictor.optimizer]
        places = self.residency.predictor(layer)
        moments = (Operand(places.moments, optimizer.state_words),) if optimizer.state_words else ()
        words = self.predictor.weight_words(layer)
        reads = (Operand(places.weights), Operand(places.gradient), *moments)
        writes = (Operand(places.weights), *moments)
        budget = self.residency.left(("buffer", self.residency.predictor_bytes(layer, training=True) // self.word))
        return [plan_elementwise(words, optimizer.macs, reads, writes, self.array, budget)]

    def _predictor_load(self, layer: MacLayer, task: Task, phase: Phase) -> list[Plan]:
        return [plan_transfer(self._moved_bytes(_weighted(layer), task), 0, self.residency.budget)]

    def _predictor_store(self, layer: MacLayer, task: Task, phase: Phase) -> list[Plan]:
        layer = _weighted(layer)
        if task.backward:
            stored = self._moved_bytes(layer, task)
        else:
            held = self.residency.prediction(layer, phase) == "buffer"
            stored = layer.product_shape(1).weight_words * self.word * held
        return [plan_transfer(0, stored, self.residency.budget)]

    def _moved_bytes(self, layer: Conv2d | Linear, task: Task) -> int:
        """Bytes that come before the predictor runs on a layer, and go back after its training."""
        places = self.residency.predictor(layer)
        moments = self.residency.moments * (places.moments == "buffer") if task.backward else 0
        return self.word * self.predictor.weight_words(layer) * ((places.weights == "buffer") + moments)

    def _products(
        self, layer: MacLayer, task: Task, products: Sequence[tuple[Product, Placement]], budget: BufferBudget
    ) -> list[Plan]:
        """Plan the products of a pass, by the mapping that is given for it or by the search."""
        given = self.mappings.of(layer.id, task.pass_)
        if len(given) not in (0, 1, len(products)):
            key = self.mappings.place(layer.id, task.pass_, 0, "").rstrip(".")
            problem = f"lists {len(given)} mappings, and this pass has {len(products)} products"
            raise InputError(self.mappings.path, key, problem, "give one for each, or one for all")
        plans = []
        for index, (product, placement) in enumerate(products):
            ports = budget.ports
            there = budget
            if ports.predictor_sram_bytes is not None and not placement.uses_predictor_sram:
                # then designs with and without one share plans
                there = replace(budget, ports=replace(ports, predictor_sram_bytes=None))
            if not given:
                plans.append(plan_product(product, placement, self.dataflow, self.array, there))
                continue
            one = min(index, len(given) - 1)
            try:
                plans.append(plan_given(product, placement, self.dataflow, self.array, there, given[one]))
            except MappingError as error:
                key = self.mappings.place(layer.id, task.pass_, one, error.key)
                raise InputError(self.mappings.path, key, error.problem, error.remedy) from None
        return plans


def _weighted(layer: MacLayer) -> Conv2d | Linear:
    assert not isinstance(layer, Matmul)  # stages give no predictor task to a product of two activations
    return layer
