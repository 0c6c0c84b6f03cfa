"""The predictor's passes, alone on their array, from docs/machine.md ("The predictor's operands") and nothing else."""

from naive_op import ADAM, choose, products, sequences, weight_update, weights_of
from naive_time import elementwise_row, nothing, transfer_row


def convolution(images, predictor):
    """Return the predictor's convolution of `images` pooled means."""
    (H, W), (R, S) = predictor["pool"], predictor["kernel"]
    return {
        "N": images,
        "C": 1,
        "H": H,
        "W": W,
        "K": predictor["channels"],
        "R": R,
        "S": S,
        "P": H,
        "Q": W,
        "stride": (1, 1),
        "padding": (R // 2, S // 2),
        "dilation": (1, 1),
        "groups": 1,
    }


def linear(vectors, inputs, outputs):
    """Return a linear layer as a convolution of 1 x 1 images."""
    return {
        "N": vectors,
        "C": inputs,
        "H": 1,
        "W": 1,
        "K": outputs,
        "R": 1,
        "S": 1,
        "P": 1,
        "Q": 1,
        "stride": (1, 1),
        "padding": (0, 0),
        "dilation": (1, 1),
        "groups": 1,
    }


class Predictor:
    """The passes of a predictor (pool, channels, kernel, outputs) for one layer, and where everything lies.

    `stays` says whether the layer's output stays in the buffer, and `taken` how many bytes of this array's share it and
    others take.
    """

    def __init__(self, layer, machine, flow, predictor, stays=False, taken=0):
        self.output, self.taken = "buffer" if stays else "dram", taken
        self.layer, self.machine, self.flow, self.word = layer, machine, flow, machine["word"]
        self.samples, self.outputs = layer["K"], weights_of(layer) // layer["K"]
        self.conv = convolution(self.samples, predictor)
        self.pooled = self.conv["H"] * self.conv["W"]
        self.features = self.pooled * predictor["channels"]
        kernels = weights_of(self.conv)
        self.words = kernels + self.features * self.outputs
        self.low = "sram" not in machine
        share = machine["share"]
        # Weights, their gradient, the two moments: each if all of it still fits.
        room = share // 2 if self.low else machine["sram"]
        each = (self.words if self.low else kernels + self.features * predictor["outputs"]) * self.word
        self.places = []
        for tensors in (1, 1, ADAM["state"]):
            fits = tensors * each <= room
            room -= tensors * each * fits
            self.places.append(("buffer" if self.low else "sram") if fits else "dram")
        self.prediction_stays = self.within(self.samples * self.outputs, 4)
        self.means = "buffer" if self.within(self.samples * self.pooled, 16) else "dram"
        self.between = "buffer" if self.within(self.samples * self.features, 16) else "dram"

    def within(self, words, part):
        return words * self.word <= self.machine["share"] // part

    def held(self, training):
        """Return the bytes of the buffer that the predictor itself takes (in `low`)."""
        weights, gradient, moments = (place == "buffer" for place in self.places)
        count = weights + (gradient + ADAM["state"] * moments if training else 0)
        return count * self.words * self.word

    def product(self, layer, task, places, room, written_beside=0):
        (part,) = products(layer, task)
        return choose(self.machine, self.flow, part, places, room, written_beside)

    def forward(self, trains):
        """Return the rows of predictor_forward."""
        result = "dram" if trains and not self.low else "buffer" if self.prediction_stays else "dram"
        means, features = self.samples * self.pooled * self.word, self.samples * self.features * self.word
        room = self.machine["share"] - self.taken - self.held(False)
        room -= means * (self.means == "buffer") + features * (self.between == "buffer")
        room -= self.samples * self.outputs * self.word * (result == "buffer")
        weights = (self.places[0], 1)
        outputs = self.layer["N"] * self.layer["P"] * self.layer["Q"] * self.layer["K"]
        mean = {**nothing(), "adds": outputs, "buffer_write_bytes": means}
        if self.machine["reread"]:
            mean = elementwise_row(self.machine, outputs, 0, [(self.output, 1)], [], room, adds=1, written_beside=means)
            if mean is None:
                return None
        plans = [[mean]]
        if self.means == "dram":
            plans.append([transfer_row(self.machine, 0, means, room)])
        conv = {"image": (self.means, 1), "filter": weights, "result": self.between}
        plans.append(self.product(self.conv, "forward", conv, room))
        full = {"image": (self.between, 1), "filter": weights, "result": result}
        plans.append(self.product(linear(self.samples, self.features, self.outputs), "forward", full, room))
        if trains:
            kept = means * (self.means == "buffer") + features * (self.between == "buffer")
            plans.append([transfer_row(self.machine, 0, kept, room)])
        return sequences(plans)

    def backward(self):
        """Return the rows of predictor_backward."""
        error = self.samples * self.outputs
        stays = self.prediction_stays  # the error is as large as a prediction, and the rule is the same
        room = self.machine["share"] - self.held(True) - error * self.word * stays
        room -= self.samples * self.features * self.word * (self.between == "buffer")
        weights, gradient, _ = self.places
        full = linear(self.samples, self.features, self.outputs)
        both = ("dram", 2)
        makes = {"image": ("dram", 1), "filter": both, "result": gradient}
        first = self.product(full, "wgrad", makes, room, error * self.word * stays)
        for row in first:
            row["adds"] += error if stays else 2 * error
        once = ("buffer", 1) if stays else both
        second = self.product(full, "dgrad", {"image": once, "filter": (weights, 1), "result": self.between}, room)
        last = {"image": ("dram", 1), "filter": (self.between, 1), "result": gradient}
        return sequences([first, second, self.product(self.conv, "wgrad", last, room)])

    def update(self):
        """Return the rows of predictor_update."""
        weights, gradient, moments = self.places
        state = (moments, ADAM["state"])
        reads, writes = [(weights, 1), (gradient, 1), state], [(weights, 1), state]
        room = self.machine["share"] - self.held(True)
        row = elementwise_row(self.machine, self.words, ADAM["macs"], reads, writes, room)
        return sequences([[row] if row else []])

    def moved(self, backward):
        """Return the bytes of the weights, and in training of the moments, that low keeps in the buffer."""
        tensors = (self.places[0] == "buffer") + ADAM["state"] * (self.places[2] == "buffer") * backward
        return tensors * self.words * self.word

    def load(self, backward):
        """Return the rows of predictor_load."""
        return sequences([[transfer_row(self.machine, self.moved(backward), 0, self.machine["share"] - self.taken)]])

    def store(self, backward):
        """Return the rows of predictor_store."""
        prediction = self.samples * self.outputs * self.word * self.prediction_stays
        size = self.moved(True) if backward else prediction
        return sequences([[transfer_row(self.machine, 0, size, self.machine["share"] - self.taken)]])

    def gp_update(self, trains=False):
        """Return the rows of the layer's update in Phase GP."""
        place = "buffer" if self.prediction_stays and not self.low and not trains else "dram"
        room = self.machine["share"] - self.taken - self.samples * self.outputs * self.word * (place == "buffer")
        row = weight_update(self.layer, self.machine, place, room)
        return sequences([[row] if row else []])
