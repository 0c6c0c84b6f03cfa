"""One small layer worked out by hand: cycles, all counts, energy, leakage, footprint, causes."""

from fractions import Fraction
from math import log

import pytest
from networks import make_trace

from dataflows.actions import ActionCounts
from simulator.batch.footprint import peak_dram_bytes
from simulator.energy.energy import energy_table_of
from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.run.results import LayerRow, RunResult
from simulator.run.simulation import Simulation, compare
from simulator.studies.explain import explain
from workloads.trace import Trace, load_trace


def one_layer(batch_size: int = 2) -> Trace:
    """3 x 3 convolution, 4 -> 20 channels, on 6 x 6 images without padding."""
    layer = {
        "id": "conv", "kind": "conv2d", "inputs": ("input",), "C": 4, "H": 6, "W": 6, "K": 20, "R": 3, "S": 3,
        "P": 4, "Q": 4,
    }  # fmt: skip
    return make_trace([layer], batch_size)


def forward() -> tuple[LayerRow, RunResult]:
    """Run the baseline with a DRAM so slow to answer that one tile is best; return the forward op and the run."""
    spec = load_accelerator(design="baseline", overrides=["dram.latency_ns=100000"])
    run = Simulation(one_layer(), spec).run()
    return next(row for row in run.rows if row.pass_ == "forward" and row.phase == "bp"), run


def test_forward_by_hand() -> None:
    row, _ = forward()
    # 36 x 20 weights on 12 x 15 PEs: 3 x 2 folds of 2 * 16 = 32 vectors, longer than the 16 cycles to load a fold.
    assert row.compute_cycles == 16 + 5 * 32 + 32 + 4 + 2
    macs = 32 * 36 * 20
    image_reads, filter_reads = 32 * 36 * 2, 36 * 20  # the image once for each of two column blocks
    finished, sums = 32 * 20, 32 * 20 * 3  # three blocks of the reduction, so two of three sums come back
    loaded, stored = 2 * (2 * 4 * 36 + 720), 2 * finished
    assert row.counts == ActionCounts(
        macs=macs,
        stationary_register_reads=macs,
        # in each of 6 folds every weight goes into `shadow` and `weight`; in each of 6 x 32 cycles 12 words into `in`,
        # 180 products, and in each column 6 + 3 + 2 + 1 sums of the tree and one of `sum`
        stationary_register_writes=6 * 2 * 180,
        operand_register_writes=192 * 12,
        product_register_writes=192 * 180,
        passing_sum_register_writes=192 * 15 * (12 + 1),
        # an image word goes along a row, a weight along the rows and a row (the port takes 12 words, no row of 15)
        array_network_word_pitches=image_reads * 15 + filter_reads * (12 + 15),
        # in each column 6 links of a pitch, 3 of 2, one of 4 and one of 8; psums stay in the accumulators beside it
        array_network_sum_pitches=3 * 32 * 20 * (6 + 6 + 4 + 8),
        array_network_bytes=2 * (image_reads + filter_reads + finished),
        buffer_read_bytes=2 * (image_reads + filter_reads) + stored,
        buffer_write_bytes=2 * finished + loaded,
        accumulator_read_bytes=4 * (sums - finished),
        accumulator_write_bytes=4 * (sums - finished),
        dram_read_bytes=loaded,
        dram_write_bytes=stored,
        dram_activates=3,  # a row each for the images, the weights and the result
        dram_active_rank_cycles=40_000 + Fraction(2016, 64).__ceil__() + 1280 // 64,
    )


def test_time_of_one_tile_by_hand() -> None:
    # The first load and the last store are exposed: 2016 and 1280 bytes at 64 bytes a cycle, 20,000 cycles of latency.
    row, _ = forward()
    load, store = 20_000 + Fraction(2016, 64).__ceil__(), 20_000 + 1280 // 64
    assert row.cycles == load + row.compute_cycles + store
    assert (row.stall_load_cycles, row.stall_store_cycles) == (load, store)


def test_energy_by_hand() -> None:
    row, _ = forward()
    c = row.counts
    bit = 0.01042  # of a register: 9.0 fJ at 40 nm, 1.158 times as much at 45 nm
    assert row.energy.pe_array == pytest.approx(23040 * 2.0 + bit * (16 * (2160 + 2304) + 32 * (34_560 + 37_440)))
    # A PE: fp16 multiplier, fp32 adder, and of registers shadow and weight, a 15th of `in`, product, a node of the
    # tree and a 12th of `sum`: 80.1 um wide. The buffer is 9.9 mm wide, and a bank half of that away.
    bits = 16 * (2 + 1 / 15) + 32 * (2 + 1 / 12)
    pitch_mm = (1640 + 4184 + 5.98 * bits) ** 0.5 / 1000
    assert pitch_mm == pytest.approx(0.0801, abs=5e-5)
    bank = 0.37148 * (0.87209 / 0.37148) ** (log(33 / 32) / log(64 / 27))  # mm2, between 110,592 and 262,144 B
    network = 8 * 7328 * (64 * bank) ** 0.5 / 2 + (16 * 54_000 + 32 * 46_080) * pitch_mm
    assert row.energy.array_network == pytest.approx(0.121 * network)
    # A bank of 114,048 B lies between CACTI's 110,592 (33/32 of it) and 262,144 B (64/27 of it): a power law of both.
    share = log(33 / 32) / log(64 / 27)
    read, write = 29.4494 * (44.7157 / 29.4494) ** share, 24.1554 * (38.4949 / 24.1554) ** share
    assert (read, write) == (pytest.approx(29.8912, abs=1e-4), pytest.approx(24.5601, abs=1e-4))
    assert row.energy.global_buffer == pytest.approx(c.buffer_read_bytes / 8 * read + c.buffer_write_bytes / 8 * write)
    # 1,280 sums that come back, 32 bits from a bank of 4,096 B: halfway between CACTI's 2,048 and 8,192 B on a power
    # law, and a third of the way from 16 to 64 bits
    narrow = ((1.8601 * 6.4857) ** 0.5, (2.4259 * 4.4639) ** 0.5)
    wide = ((2.7557 * 6.137) ** 0.5, (4.2392 * 7.8781) ** 0.5)
    each = [a + (b - a) / 3 for a, b in zip(narrow, wide, strict=True)]
    assert row.energy.accumulator == pytest.approx(1280 * sum(each))
    # DDR3-1600: 74 mA above standby, 1.35 V, 8 devices, 5 ns for 64 bytes; and 51 mA while a bank is open
    held_ns = c.dram_active_rank_cycles * 5
    assert row.energy.dram_access == pytest.approx((2016 + 1280) / 64 * 74 * 10.8 * 5 + c.dram_activates * 789 * 13.5)
    assert row.energy.dram_background == pytest.approx(51 * 10.8 * held_ns)
    assert row.energy.dram_refresh == row.energy.predictor_sram == row.energy.leakage == 0
    assert row.energy.total == pytest.approx(
        row.energy.pe_array
        + row.energy.array_network
        + row.energy.accumulator
        + row.energy.global_buffer
        + row.energy.dram
    )


def test_leakage_by_hand() -> None:
    # 64 banks of 114,048 B, between CACTI's 0.0028 mW at 110,592 and 0.0067 mW at 262,144 B, for a second at 200 MHz
    power_mw = 64 * (0.0028 + (0.0067 - 0.0028) * (114_048 - 110_592) / (262_144 - 110_592))
    table = energy_table_of(load_accelerator(design="baseline"))
    assert table.leakage_pj(200_000_000, 200_000_000) == pytest.approx(power_mw * 1e9)
    _, run = forward()
    leaked = next(row for row in run.rows if row.layer == "(batch)" and row.phase == "bp")
    cycles = run.phase("bp").cycles_per_batch
    assert leaked.energy.leakage == pytest.approx(power_mw * 1e9 * cycles / 200e6)
    assert leaked.energy.total == pytest.approx(leaked.energy.leakage + leaked.energy.dram)


def test_footprint_by_hand() -> None:
    trace = one_layer()
    weights, inputs, outputs = 720, 2 * 4 * 36, 2 * 20 * 16
    backward = 2 * weights + inputs + outputs + (inputs + outputs) + weights
    assert peak_dram_bytes(trace, load_accelerator(design="baseline"), "gp") == 2 * backward
    predictor = 4 * 9 + 64 * 36
    kept = weights + 20 * 16 + 20 * 64  # the prediction, the pooled means, the features
    assert peak_dram_bytes(trace, load_accelerator(design="low"), "bp") == 2 * (backward + 3 * predictor + kept)
    assert peak_dram_bytes(trace, load_accelerator(design="efficient"), "bp") == 2 * (backward + kept)
    assert peak_dram_bytes(trace, load_accelerator(design="max"), "bp") == 2 * (backward + kept + weights)
    assert peak_dram_bytes(trace, load_accelerator(design="max"), "gp") == 2 * (
        2 * weights + inputs + outputs + weights
    )


def test_batch_mean_that_is_read_again() -> None:
    trace = one_layer()
    found = {}
    for setting in ("drain", "reread"):
        run = Simulation(trace, load_accelerator(design="efficient", overrides=[f"batch_mean={setting}"])).run()
        found[setting] = next(row for row in run.rows if row.pass_ == "predictor_forward" and row.phase == "gp")
    outputs = 2 * 20 * 16
    for row in found.values():
        assert row.counts.adds == outputs
    assert found["reread"].counts.dram_read_bytes - found["drain"].counts.dram_read_bytes == 2 * outputs
    assert found["reread"].cycles > found["drain"].cycles


def test_low_moves_the_predictor_by_hand() -> None:
    run = Simulation(one_layer(), load_accelerator(design="low")).run()
    predictor, gradient = 4 * 9 + 64 * 36, 720
    moved = {
        (row.phase, row.pass_, row.index): (row.counts.dram_read_bytes, row.counts.dram_write_bytes)
        for row in run.rows
        if row.pass_ in ("predictor_load", "predictor_store") and row.phase != "warm_up"
    }
    gp = [bytes_ for (phase, _, _), bytes_ in moved.items() if phase == "gp"]
    bp = [bytes_ for (phase, _, _), bytes_ in moved.items() if phase == "bp"]
    assert gp == [(2 * predictor, 0), (0, 2 * gradient)]
    assert bp == [(2 * predictor, 0), (0, 2 * gradient), (6 * predictor, 0), (0, 6 * predictor)]


def test_causes_by_hand() -> None:
    """With ideal memory and one array, causes are ratios of sums over the rows."""
    # ports so wide that a plain transfer takes a single cycle of them
    ideal = ["dram.model=ideal", "global_buffer.bank_port_bytes=114048"]
    results = compare(load_trace("digits-cnn"), load_designs(overrides=ideal))
    baseline, efficient = results.runs[0], results.runs[2]
    causes = {cause.name: cause for cause in explain(results, efficient)}
    assert causes["memory"].change == pytest.approx(0, abs=1e-4)

    def cycles(run: RunResult, *wanted: str) -> int:
        return sum(row.count * row.cycles for row in run.rows if not wanted or row.pass_ in wanted)

    layers, updates = ("forward", "dgrad", "wgrad"), ("update",)
    assert causes["backward is not twice forward"].speedup == cycles(baseline, *layers) / cycles(efficient, *layers)
    assert causes["weight updates"].speedup == cycles(baseline, *layers, *updates) / cycles(
        efficient, *layers, *updates
    )
    assert causes["predictor"].speedup == pytest.approx(cycles(baseline) / cycles(efficient), rel=1e-3)


def test_low_loses_to_efficient_in_memory_alone() -> None:
    """Both compute the same on one array; what LOW loses are its transfers."""
    results = compare(load_trace("vgg13-cifar10"))
    low, efficient = ({c.name: c for c in explain(results, run)} for run in results.runs[1:3])
    for phase in ("warm_up", "bp"):
        assert results.runs[1].phase(phase).compute_cycles_per_batch == (
            results.runs[2].phase(phase).compute_cycles_per_batch
        )
    # GP's updates are cut into other pieces, whose cycles are rounded up: 53 of 178 million cycles
    assert low["predictor"].speedup == pytest.approx(efficient["predictor"].speedup, rel=1e-6)
    assert low["memory"].change < efficient["memory"].change < 0


def test_a_precision_without_arithmetic_is_refused() -> None:
    from workloads.foundation.errors import InputError

    with pytest.raises(InputError, match=r"precision\.partial_sum_bits"):
        compare(one_layer(), load_designs(overrides=["precision.partial_sum_bits=64"]))


def test_one_port_of_the_predictor_sram() -> None:
    from dataclasses import replace

    from dataflows.plans.budget import BufferBudget
    from dataflows.plans.planning import plan_transfer
    from simulator.engine.work import StepWork

    plan = plan_transfer(0, 0, BufferBudget(1000, 2, 4))
    user = replace(plan, counts=ActionCounts(predictor_sram_read_bytes=2))
    StepWork((plan, user), (plan,)).check_ports()
    with pytest.raises(ValueError, match="one port"):
        StepWork((plan, user), (user,)).check_ports()
