"""The paper's numbers are as they were read, and what the paper derives from its own tables follows from them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.reproduce.paper import NETWORKS, targets

FIRST = Path(__file__).resolve().parents[1] / "data" / "paper_targets.yaml"
PAPER: Any = json.loads(json.dumps(targets()))


def test_every_number_is_as_it_was_first_read() -> None:
    first = json.loads(json.dumps(yaml.safe_load(FIRST.read_text(encoding="utf-8"))))
    for section, numbers in first.items():
        assert PAPER[section] == numbers, section


def test_networks_are_the_papers() -> None:
    assert list(NETWORKS) == list(targets()["vision_models"])
    assert len(NETWORKS) == 13


@pytest.mark.parametrize("dataset", ["CIFAR10", "CIFAR100"])
def test_gains_of_table_1_follow_from_its_rows(dataset: str) -> None:
    gains = [adagp - bp for bp, adagp in (row[dataset] for row in PAPER["accuracy_table_1"].values())]
    stated = PAPER["accuracy_gain_from_table_1"][dataset]
    assert len(gains) == 13
    assert sum(gains) / len(gains) == pytest.approx(stated["average"], abs=0.0051)
    assert max(gains) == pytest.approx(stated["max"], abs=0.0051)


def test_increases_of_tables_4_and_5_follow_from_their_totals() -> None:
    """The text gives them with one digit behind the point."""
    power = {name: row[-1] for name, row in PAPER["fpga_table_4"]["power"].items()}
    area = {name: row[-1] for name, row in PAPER["asic_table_5"]["area"].items()}
    for totals, stated in ((power, PAPER["fpga_table_4"]["power_increase_percent"]),
                           (area, PAPER["asic_table_5"]["area_increase_percent"])):  # fmt: skip
        for design, percent in stated.items():
            assert 100 * (totals[design] / totals["Baseline"] - 1) == pytest.approx(percent, abs=0.11), design


def test_sums_of_table_5() -> None:
    """Total area is cells and interconnect; power is internal, switching and leakage, with three digits."""
    for _, _, interconnect, cells, total in PAPER["asic_table_5"]["area"].values():
        assert cells + interconnect == pytest.approx(total, abs=1)
    for internal, switching, leakage, total in PAPER["asic_table_5"]["power_microwatt"].values():
        assert internal + switching + leakage == pytest.approx(total, rel=0.01)


def test_speedups_of_tables_2_and_3_follow_from_their_cycles() -> None:
    two, three = PAPER["transformer_multi30k"], PAPER["yolov3_pascalvoc"]
    assert two["baseline"]["cycles_e9"] / two["adagp"]["cycles_e9"] == pytest.approx(two["speedup"], abs=0.0051)
    for design in ("efficient", "max"):
        found = three["baseline"]["cycles_e9"] / three[design]["cycles_e9"]
        assert found == pytest.approx(three[design]["speedup"], abs=0.0051)
