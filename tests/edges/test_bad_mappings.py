"""A mapping that cannot be is refused in one line: file, key, problem, remedy."""

from pathlib import Path

import pytest
from command_line import run_here


def refused(*arguments: str, cwd: Path) -> str:
    """Return the one line of a command that ends with exit code 2."""
    said = run_here(*arguments, cwd=cwd)
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 1
    return said.err


LAYER = "features.10"  # 128 images, 128 channels of 16 x 16, 128 filters of 3 x 3


@pytest.mark.parametrize(("text", "told"), [
    ("layers: {featurs.10: {}}", "layers.featurs.10: VGG13 has no layer of this name with multiply-accumulates; "
     "did you mean features.10?"),
    ("layers: {features.10: {forwrad: {}}}", "layers.features.10.forwrad: unknown key; did you mean forward?"),
    ("layers: {features.10: {forward: {tile: {rows: 17}}}}",
     "layers.features.10.forward.tile.rows: is 17, and the forward product has 16 rows; give no more than there are"),
    # Of 128 channels and 9 taps for 64 filters, 32 images of 18 x 16 words, a psum of 4 bytes: by hand
    ("layers: {features.10: {forward: {tile: {images: 32, rows: 16, channels: 128, filters: 64}}}}",
     "layers.features.10.forward.tile.images: is 32, with which a tile needs "
     f"{2 * (32 * 16 * 16 * 128 * 2 + 128 * 9 * 64 * 2 + 32 * 256 * 64 * 4)} bytes of buffer, 7299072 are there; "
     "at most 26 fit beside the other sizes"),
    ("layers: {features.10: {forward: {loop_order: [rows, vectors]}}}",
     "layers.features.10.forward.loop_order: has rows twice, in rows and in vectors; name each loop once"),
    ("layers: {features.10: {forward: {tile: {images: 1, rows: 1, channels: 8, filters: 8}, loop_order: [filters]}}}",
     "loop_order: leaves out images, which the tile cuts; say where the loop over images goes"),
    ("layers: {features.10: {forward: {tile: {images: 64, rows: 16, channels: 1, filters: 1}, "
     "loop_order: [filters, channels, images]}}}",
     "loop_order: brings psums back 2 tiles after they leave, before they are stored; "
     "at least 4 tiles must lie between, or put inside channels, kernel_rows, kernel_columns"),
    ("layers: {features.10: {forward: {spatial: {pe_rows: {reduction: 11}}}}}",
     "layers.features.10.forward.spatial: has pe_rows.reduction 11, and ws lays the forward product so: "
     "pe_rows.reduction 12, pe_columns.columns 15, time vectors; leave it out, or give what the array does"),
    ("default: {predictor_forward: [{}, {}, {}]}",
     "default.predictor_forward[0]"),
    ("layers: {features.10: {forward: {tile: {positions: 4}}}}", "to try, by images, rows, channels, filters; "
     "give more of the sizes, so that at most 2000 are left"),
    ("dataflow: os", "dataflow: is os, and what is simulated has ws; give the mapping of this one, or drop the key"),
    ("array: {kind: broadcast, rows: 16, columns: 15}", "array.rows: is 16, and what is simulated has 12"),
    ("batch_size: 1", "batch_size: is 1, and what is simulated has 128"),
])  # fmt: skip
def test_one_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(f"version: 1\n{text}\n")
    said = refused(
        "explain", "vgg13-cifar10", "--layer", LAYER, "--design", "efficient", "--mapping", "m.yaml", cwd=tmp_path
    )
    assert told in said
    assert "m.yaml" in said


@pytest.mark.parametrize(("text", "told"), [
    ("{chain: {h: 2}}", "has h 2, as no mapping of the search has; w, q, p, r, e, t, d are left out"),
    ("{chain: {h: 3, r: 5}, sets: {e: 1, t: 1, d: 1}, pe: {w: 3, q: 1, p: 1}}",
     "needs 15 PEs in a chain (h r), and the array has 12"),
    ("{chain: {h: 3, r: 1}, sets: {e: 9, t: 7, d: 1}, pe: {w: 3, q: 1, p: 1}}",
     "needs 63 chains (e t d), and the array has 60"),
    ("{chain: {h: 3, r: 1}, sets: {e: 1, t: 1, d: 1}, pe: {w: 3, q: 5, p: 1}}",
     "needs 15 input words (q w), and the array has 12"),
    ("{chain: {h: 3, r: 1}, sets: {e: 1, t: 1, d: 1}, pe: {w: 3, q: 4, p: 20}}",
     "needs 240 filter words (p q w), and the array has 224"),
    ("{chain: {h: 3, r: 1}, sets: {e: 1, t: 1, d: 1}, pe: {w: 3, q: 1, p: 25}}",
     "needs 25 psums (p), and the array has 24"),
    ("{fold_vectors: 4}", "has fold_vectors, which rs does not know"),
])  # fmt: skip
def test_row_stationary(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(f"version: 1\ndefault: {{forward: {{spatial: {text}}}}}\n")
    arguments = ("explain", "vgg13-cifar10", "--layer", LAYER, "--dataflow", "rs", "--pass", "forward")
    assert told in refused(*arguments, "--mapping", "m.yaml", cwd=tmp_path)


def test_two_mappings_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("version: 1\n")
    said = refused("simulate", "digits-cnn", "--mapping", "m.yaml", "--set", "mapping=n.yaml", cwd=tmp_path)
    assert "mapping: is given twice" in said
    assert "n.yaml: no such file" in refused("simulate", "digits-cnn", "--mapping", "n.yaml", cwd=tmp_path)


def test_explain_tells_what_is_loaded_anew(tmp_path: Path) -> None:
    """Of 128 filters in two halves, an image is loaded for each half; without `reload_operands` once: by hand."""
    loaded = {}
    for reload in ("true", "false"):
        tile = "tile: {images: 16, rows: 16, channels: 128, filters: 64}, loop_order: [vectors, filters, channels]"
        (tmp_path / "m.yaml").write_text(
            f"version: 1\nlayers: {{{LAYER}: {{forward: {{{tile}, reload_operands: {reload}}}}}}}\n"
        )
        arguments = ("explain", "vgg13-cifar10", "--layer", LAYER, "--pass", "forward", "--mapping", "m.yaml")
        said = run_here(*arguments, cwd=tmp_path).out
        assert ("both operands are loaded for every tile" in said) == (reload == "true")
        loaded[reload] = run_here(*arguments, "--json", cwd=tmp_path).json["passes"][0]["dram_read_bytes"]
    image, weights = 128 * 128 * 256 * 2, 128 * 128 * 9 * 2
    assert loaded == {"true": 2 * image + 8 * weights, "false": image + 8 * weights}
