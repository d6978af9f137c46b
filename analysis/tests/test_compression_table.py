"""The table of compressors and the linearity figure, with a program that answers from a table instead of skiff."""
import random
import types

import pandas as pd
import pytest

from skiff_analysis import compression_table, linearity


class FakeTrial:
    """Loss 2 + 1 / bits; channels are cut at twice the speed."""

    def __init__(self):
        self.asked = []

    def compress(self, chosen, folder, samples, *more):
        self.asked.append(compression_table.written({family: step for family, step in chosen}))
        bits = [step.get("bits", 16) for _, step in chosen]
        layers = [{"layer": f"{i}.weight", "bits": b, "rows": 8, "cols": 2, "error": 0.1} for i, b in enumerate(bits)]
        mean = sum(bits) / len(bits)
        return {"loss": 2 + 1 / mean, "loss_before": 2, "bits_per_weight": mean, "bytes": 100, "seconds": 1, "layers": layers}

    def speed_up(self, folder, repeats):
        return 2.0


LISTED = {"samples": 4, "methods": [
    {"label": "a", "quantization": {"name": "rtn", "bits": 4}},
    {"label": "b", "pruning": {"name": "wanda", "sparsity": 0.5, "structure": "channel", "x": True}},
]}


def test_a_row_a_method_and_what_is_known_is_not_measured_again(tmp_path):
    trial = FakeTrial()
    frame = compression_table.table(trial, LISTED, tmp_path, only="b", say=lambda *_, **__: None)
    assert trial.asked == ["wanda, sparsity=0.5, structure=channel, x=true"]
    frame = compression_table.table(trial, LISTED, tmp_path, say=lambda *_, **__: None)
    assert trial.asked[1:] == ["rtn, bits=4"]
    assert list(frame["label"]) == ["a", "b"]  # in the order of the list
    assert frame["loss"].iloc[0] == pytest.approx(2.25)
    assert frame["layer_bytes"].iloc[0] == 8
    assert pd.isna(frame["speed_up"].iloc[0]) and frame["speed_up"].iloc[1] == 2
    lines = (tmp_path / "table.md").read_text(encoding="utf-8").splitlines()
    assert lines[2].startswith("| a | 2.2500 | 4.000 | 8 |")


def test_only_the_first_texts_are_kept_when_asked(tmp_path):
    data = tmp_path / "data.txt"
    data.write_text("one<|endoftext|>two<|endoftext|>three", encoding="utf-8")
    options = types.SimpleNamespace(program="p", checkpoint="c", calibration="t", data=data, tokenizer=None, texts=2,
                                    sequence_length=None, seed=0, out=tmp_path / "out")
    trial = compression_table.trial_of(options)
    assert open(trial.reading[2], encoding="utf-8").read() == "one<|endoftext|>two"


def test_every_layer_gets_its_bits_once():
    layers = [f"{i}.weight" for i in range(20)]
    chosen = linearity.by_bits(layers, 3, 8, random.Random(1))
    assert sorted(name for names in chosen.values() for name in names) == sorted(str(i) for i in range(20))
    assert set(chosen) <= set(range(3, 9))


def test_the_prediction_is_the_sum_of_slopes_times_errors():
    row = linearity.allocation(FakeTrial(), "higgs", {4: ["0"], 8: ["1"]}, {"0.weight": 2.0, "1.weight": 5.0}, 1)
    assert row["predicted"] == pytest.approx(0.7)
    assert row["measured"] == pytest.approx(1 / 6)
