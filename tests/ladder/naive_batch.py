"""A whole batch, from docs/machine.md and nothing else: stages, designs, where operands lie, steps, rows of layers.csv.

A network is a list of layers in the order of the forward pass, as in a trace, with `kind`, `id`, `inputs` and sizes,
and `out`, the shape of one sample's output. `naive_op` says what a machine is; a design has one for each array.
"""

from itertools import product
from math import prod

import naive_op
from naive_predictor import Predictor
from naive_step import run_step
from naive_time import nothing
from naive_vector import vector_row

ONE = {"H": 1, "W": 1, "R": 1, "S": 1, "P": 1, "Q": 1, "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}


def has_macs(layer):
    return layer["kind"] in ("conv2d", "linear", "matmul")


def shape_of(layer, batch):
    """Return a layer's products as those of a convolution of a whole batch."""
    if layer["kind"] == "conv2d":
        return dict(layer, N=batch)
    if layer["kind"] == "linear":
        return ONE | {"N": batch * layer.get("L", 1), "C": layer["C"], "K": layer["K"], "groups": 1}
    groups = batch * layer["G"]
    return ONE | {"N": layer["M"], "C": layer["C"] * groups, "K": layer["K"] * groups, "groups": groups}


class Network:
    """The layers, who reads whom, and what belongs to whom."""

    def __init__(self, layers, batch, predictor, costed):
        self.layers, self.batch, self.predictor, self.costed = layers, batch, predictor, costed
        self.by_name = {layer["id"]: layer for layer in layers}
        self.working = [layer for layer in layers if has_macs(layer)]
        self.readers = {
            layer["id"]: [r for r in layers for name in r["inputs"] if name == layer["id"]] for layer in layers
        }

    def behind(self, layer):
        """Return the layers without MACs behind one with; those before the first belong to it."""
        found, at = [], self.working[0]
        for one in self.layers:
            if has_macs(one):
                at = one
            elif at is layer:
                found.append(one)
        return found

    def costed_behind(self, layer):
        return [one for one in self.behind(layer) if one["kind"] in self.costed]

    def words(self, name, inputs):
        shape = self.by_name[name]["out"] if name in self.by_name else inputs[name]
        return self.batch * prod(shape)

    def has_dgrad(self, layer):
        """Return whether something that is trained comes before a layer."""
        waiting, seen = list(layer["inputs"]), set()
        while waiting:
            name = waiting.pop()
            if name not in self.by_name or name in seen:
                continue
            seen.add(name)
            one = self.by_name[name]
            if one["kind"] in ("conv2d", "linear") or one.get("parameters", 0) or one.get("wants_gradient"):
                return True
            waiting += one["inputs"]
        return False

    def handed_on(self, layer):
        """Return the next layer with MACs if it alone reads what this one gives, all along the way; else None."""
        if self.costed_behind(layer):
            return None
        at = layer
        while True:
            readers = self.readers[at["id"]]
            if len(readers) != 1:
                return None
            (after,) = readers
            if has_macs(after):
                following = self.working[self.working.index(layer) + 1]
                return None if after["kind"] == "matmul" or after is not following else after
            grows = prod(after["out"]) > prod(at["out"])
            if len(after["inputs"]) != 1 or after["kind"] == "other" or grows:
                return None
            at = after


class Batch:
    """A batch of a phase under a design on one or two machines."""

    def __init__(self, network, design, machines, flow, phase, inputs, outputs_stay):
        self.net, self.design, self.machines, self.flow = network, design, machines, flow
        self.phase = phase = "bp" if design == "baseline" else phase
        self.inputs, self.stay = inputs, outputs_stay and phase == "gp"

    # --- stages and steps ---

    def stages(self):
        """Return the stages: for each its layer, the own passes and the predictor's."""
        predicts, goes_back = self.phase in ("gp", "dni"), self.phase != "gp"
        found = []
        for layer in self.net.working:
            predicted = layer.get("predicted", layer["kind"] != "matmul") and self.design != "baseline"
            own = ["forward"] + ["vector_forward"] * bool(self.net.costed_behind(layer))
            theirs = ["predictor_forward"] * predicted + ["update"] * (predicted and predicts)
            found.append((layer, own, theirs, "forward"))
        for layer in reversed(self.net.working) if goes_back else ():
            predicted = layer.get("predicted", layer["kind"] != "matmul") and self.design != "baseline"
            weights = layer["kind"] != "matmul"
            own = ["vector_backward"] * bool(self.net.costed_behind(layer)) + ["dgrad"] * self.net.has_dgrad(layer)
            own += ["wgrad"] * weights + ["update"] * (weights and not (predicted and predicts))
            theirs = ["predictor_backward", "predictor_update"] * predicted
            found.append((layer, own, theirs, "backward"))
        return found

    def steps(self):
        """Return the steps: for each array its tasks, each (layer, task, direction)."""
        stages = self.stages()
        if self.design == "max":
            found = []
            for number in range(len(stages) + 1):
                first = [(s[0], task, s[3]) for s in stages[number : number + 1] for task in s[1]]
                second = [(s[0], task, s[3]) for s in stages[number - 1 : number] if number for task in s[2]]
                if first or second:
                    found.append([first, second])
            return found
        found = []
        for layer, own, theirs, direction in stages:
            tasks = list(theirs)
            if self.design == "low" and theirs:
                update = [task for task in theirs if task == "update"]
                tasks = ["predictor_load", *(t for t in theirs if t != "update"), "predictor_store", *update]
            found.append([[(layer, task, direction) for task in own + tasks]])
        return found

    # --- ops ---

    def staying(self, layer):
        """Return the bytes of a layer's output that stay in the first array's share for the next layer; else 0."""
        if not self.stay or self.net.handed_on(layer) is None:
            return 0
        size = self.net.batch * prod(layer["out"]) * self.machines[0]["word"]
        return size * (size <= self.machines[0]["share"] // (16 if self.design == "low" else 4))

    def maker(self, layer):
        """Return the layer whose output stays for this one, if there is one."""
        number = self.net.working.index(layer)
        before = self.net.working[number - 1] if number else None
        return before if before is not None and self.staying(before) else None

    def op(self, array, layer, task, direction):
        """Return the possible rows of a task."""
        machine, flow = self.machines[array], self.flow
        shape = shape_of(layer, self.net.batch)
        if task.startswith("vector"):
            return self.vector(machine, layer, task == "vector_backward")
        if task in ("forward", "dgrad", "wgrad") or (task == "update" and direction == "backward"):
            if layer["kind"] == "matmul" and task == "dgrad":
                parts = [
                    part for role in ("dgrad", "wgrad") for part in naive_op.products(shape, role, machine["dense"])
                ]
            elif task == "update":
                return naive_op.op_rows(shape, machine, flow, "update")
            else:
                parts = naive_op.products(shape, task, machine["dense"])
            places, room = dict(naive_op.IN_DRAM), machine["share"]
            if task == "forward":
                before = self.maker(layer)
                if before is not None:
                    places["image"] = ("buffer", 1)
                    room -= self.staying(before)
                if self.staying(layer):
                    places["result"] = "buffer"
                    room -= self.staying(layer)
            if not parts:
                return [nothing()]
            return naive_op.sequences([naive_op.choose(machine, flow, part, places, room) for part in parts])
        held = self.staying(layer) if array == 0 else 0
        predictor = Predictor(shape, machine, flow, self.net.predictor, self.staying(layer), held)
        trains = self.phase != "gp"
        return {
            "predictor_forward": lambda: predictor.forward(trains),
            "predictor_backward": predictor.backward,
            "predictor_update": predictor.update,
            "predictor_load": lambda: predictor.load(direction == "backward"),
            "predictor_store": lambda: predictor.store(direction == "backward"),
            "update": lambda: predictor.gp_update(trains),
        }[task]()

    def vector(self, machine, layer, backward):
        layers = self.net.costed_behind(layer)
        plans = []
        for one in reversed(layers) if backward else layers:
            inputs = sum(self.net.words(name, self.inputs) for name in one["inputs"])
            row = vector_row(machine, one["kind"], backward, inputs, self.net.batch * prod(one["out"]))
            plans.append([row] if row else [])
        return naive_op.sequences(plans)

    def run(self, most=200):
        """Yield each step as a list of alternatives, each the rows of its ops; the simulator is to have one of them.

        Send the cycle at which the step ended.
        """
        start = 0
        for tasks in self.steps():
            rows = [[self.op(array, *task) for task in some] for array, some in enumerate(tasks)]
            flat = [one for some in rows for one in some]
            if not all(flat):
                yield None
                return
            alternatives = []
            for chosen in product(*(distinct(one) for one in flat)):
                if len(alternatives) >= most:
                    break
                left = iter(chosen)
                taken = [[next(left) for _ in some] for some in rows]
                times = run_step(self.machines, [[row["plans"] for row in some] for some in taken], start)
                step = []
                for array, some in enumerate(tasks):
                    for (layer, task, _), row, (begins, ends, time) in zip(
                        some, taken[array], times[array], strict=True
                    ):
                        counts = {key: row[key] for key in naive_op.SUMS}
                        step.append({"layer": layer["id"], "pass": task, "array": array, "start_cycle": begins,
                                     "end_cycle": ends, **time, **counts})  # fmt: skip
                alternatives.append(step)
            end = yield alternatives
            start = end


def distinct(rows):
    """Return the rows that differ in anything."""
    found = []
    for row in rows:
        if row not in found:
            found.append(row)
    return found
