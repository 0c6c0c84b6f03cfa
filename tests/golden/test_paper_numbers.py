"""The project's copy of the paper's numbers holds every number of the original, where that is at hand."""

import json
from pathlib import Path

import pytest
import yaml

from simulator.reproduce.paper import NETWORKS, targets

ORIGINAL = Path(__file__).resolve().parents[3] / "shared" / "paper" / "targets.yaml"


@pytest.mark.skipif(not ORIGINAL.exists(), reason="the original lies beside the project's folder only where it is made")
def test_copy_holds_the_original() -> None:
    original = yaml.safe_load(ORIGINAL.read_text(encoding="utf-8"))
    ours = json.loads(json.dumps(targets()))
    for section, numbers in json.loads(json.dumps(original)).items():
        assert ours[section] == numbers, section


def test_networks_are_the_papers() -> None:
    assert list(NETWORKS) == list(targets()["vision_models"])
    assert len(NETWORKS) == 13
