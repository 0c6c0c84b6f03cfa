"""What the paper leaves open, each with other values that it could have had; one changed at a time."""

from dataclasses import dataclass

from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.paper import trace_name

# One network of each family; the study of all thirteen would take four times as long and rank no assumption otherwise.
STUDIED = ("ResNet50", "Inception-V3", "VGG13", "DenseNet121", "MobileNet-V2")
STUDIED_DATASETS = ("CIFAR10", "ImageNet")
DATAFLOW = "ws"
PES_20 = ("second_array.rows=4", "second_array.columns=5", "second_array.input_port_words_per_cycle=4",
          "second_array.output_port_words_per_cycle=5")  # fmt: skip
PES_180 = ("second_array.rows=12", "second_array.input_port_words_per_cycle=12")


@dataclass(frozen=True, slots=True)
class Variant:
    """Another value of one assumption.

    Attributes
    ----------
    assumption, value : str
        What is changed, and to what.
    """

    assumption: str
    value: str
    settings: tuple[str, ...] = ()
    batch_size: int | None = None
    predictor: tuple[int, int] | None = None
    classifiers_predicted: bool = True

    def job(self, network: str, dataset: str) -> DesignComparison:
        """Return the baseline and MAX of a network under it."""
        return DesignComparison(
            trace_name(network, dataset), DATAFLOW, ("baseline", "max"), self.settings, self.batch_size,
            predictor=self.predictor, classifiers_predicted=self.classifiers_predicted,
        )  # fmt: skip


DEFAULT = Variant("", "as shipped")


def array(rows: int, columns: int) -> tuple[str, ...]:
    """Return the settings of a first array of another size, its ports grown with it, and a second of half its rows."""
    half = max(1, rows // 2)
    return (
        f"array.rows={rows}", f"array.columns={columns}", f"array.weight_port_words_per_cycle={rows}",
        f"array.input_port_words_per_cycle={rows}", f"array.output_port_words_per_cycle={columns}",
        f"second_array.rows={half}", f"second_array.columns={columns}",
        f"second_array.weight_port_words_per_cycle={rows}", f"second_array.input_port_words_per_cycle={half}",
        f"second_array.output_port_words_per_cycle={columns}",
    )  # fmt: skip


DENSE = Variant("dgrad of strided layers", "dense", ("dgrad=dense",))
SYSTOLIC = Variant("interconnect", "systolic", ("array.interconnect=systolic", "second_array.interconnect=systolic"))
SHAPES = tuple(
    Variant("shape of the 180 PEs", f"{rows} x {columns}", array(rows, columns))
    for rows, columns in ((6, 30), (9, 20), (10, 18), (15, 12), (18, 10), (20, 9))
)
ROOMY = ("dram.capacity_bytes=68719476736",)  # VGG's ImageNet activations of 256 images, or of 32 bits, need more
BATCHES = {size: Variant("batch size", f"{size}", ROOMY, batch_size=size) for size in (16, 32, 64, 256)}
PREDICTORS = {
    features: Variant("features of the predictor", f"{features}", predictor=sizes)
    for features, sizes in {16: (4, 1), 256: (8, 4), 540: (6, 15)}.items()
}
BANDWIDTHS = {
    gigabytes: Variant(
        "DRAM bandwidth", f"{gigabytes:g} GB/s", (f"dram.peak_bytes_per_second={int(gigabytes * 10**9)}",)
    )
    for gigabytes in (1.6, 6.4, 25.6)
}
OTHERS = (
    SYSTOLIC,
    Variant("layers without MACs", "costed, on 15 lanes", ("vector_unit.costed=[batch_norm, activation, pool, add]",)),
    Variant("global buffer", "456 kB instead of 7.3 MB", ("global_buffer.bank_bytes=7128",)),
    Variant("DRAM", "no memory model", ("dram.model=ideal",)),
    Variant("DRAM", "by its commands (DDR3-1600)", ("dram.model=commands",)),
    Variant("second array", "180 PEs instead of 90", PES_180),
    Variant("second array", "20 PEs instead of 90", PES_20),
    Variant("outputs of a GP batch", "always to DRAM", ("gp_outputs_stay=false",)),
    Variant("batch mean", "outputs read again", ("batch_mean=reread",)),
    Variant("partial sums", "to the global buffer", ("array.accumulator_sums=0", "second_array.accumulator_sums=0")),
    Variant("word width", "32 bits", (*ROOMY, "precision.word_bits=32",
                                      "precision.master_weight_bits=32")),
    Variant("classifiers", "not predicted", classifiers_predicted=False),
)  # fmt: skip
VARIANTS = (DENSE, *SHAPES, *BATCHES.values(), *PREDICTORS.values(), *BANDWIDTHS.values(), *OTHERS)
EPOCHS = (30, 60, 120, 180, 300)  # of the run; 90 as shipped
