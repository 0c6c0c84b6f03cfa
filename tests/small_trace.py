"""A trace that takes milliseconds to simulate, as the document that tests damage."""

from typing import Any

Document = dict[str, Any]

TRACE: Document = {
    "version": 1,
    "network": "tiny",
    "dataset": {"name": "none", "training_samples": 8},
    "batch_size": 4,
    "inputs": {"input": [3, 8, 8]},
    "optimizer": "sgd_momentum",
    "predictor": {"pool": [4, 4], "channels": 4, "kernel": [3, 3], "outputs": 72, "optimizer": "adam"},
    "layers": [
        {"id": "first", "kind": "conv2d", "inputs": ["input"], "C": 3, "H": 8, "W": 8, "K": 8}
        | {"R": 3, "S": 3, "P": 8, "Q": 8, "padding": [1, 1]},
        {"id": "relu", "kind": "activation", "inputs": ["first"], "op": "relu", "shape": [8, 8, 8]},
        {"id": "second", "kind": "conv2d", "inputs": ["relu"], "C": 8, "H": 8, "W": 8, "K": 8}
        | {"R": 3, "S": 3, "P": 8, "Q": 8, "padding": [1, 1]},
        {"id": "mean", "kind": "pool", "inputs": ["second"], "op": "mean", "shape": [8, 1, 1]},
        {"id": "head", "kind": "linear", "inputs": ["mean"], "C": 8, "K": 10},
    ],
    "schedule": {
        "name": "by-hand",
        "epochs": [
            {"repeat": 1, "batches": [{"phase": "warm_up", "count": 2}]},
            {"batches": [{"repeat": 1, "batches": [{"phase": "gp"}, {"phase": "bp", "count": 1}]}]},
        ],
    },
    "metrics": [
        {"epoch": 1, "train_loss": 2.0, "test_accuracy": 0.5}
        | {"predictor_cosine": 0.1, "predictor_relative_l2": 0.9, "predictor_mape": 1.5},
        {"epoch": 2, "train_loss": 1.0, "test_accuracy": 0.75}
        | {"predictor_cosine": 0.2, "predictor_relative_l2": 0.8, "predictor_mape": 1.25},
    ],
    "provenance": {"origin": "recorded", "command": "written by hand"},
}
