"""The figure of layers, and curves against one direction's bytes: the numbers behind them by hand."""
import h5py
import numpy as np
import pytest
from sweep_runs import write_run

from skiff_analysis import cli, load_sweep
from skiff_analysis.figures import layer_errors, metric_curve
from skiff_analysis.runs import NotARun


def with_layers(path, case, bits, errors, accuracy):
    """Two layers by two rounds; errors: [[first round], [second round]]."""
    write_run(path, case, metrics={"test_accuracy": [0.1, accuracy]})
    with h5py.File(path, "a") as file:
        group = file.create_group("layers")
        rounds = group.create_dataset("round", data=np.array([1, 2], "u4"))
        layers = group.create_dataset("layer", data=np.array(["in", "out"], dtype=object), dtype=h5py.string_dtype())
        rounds.make_scale("round")
        layers.make_scale("layer")
        for name, values in (("error", errors), ("bits", np.full((2, 2), bits)), ("sparsity", np.zeros((2, 2))),
                             ("rank", np.zeros((2, 2)))):
            node = group.create_dataset(name, data=np.array(values, float))
            node.dims[0].attach_scale(rounds)
            node.dims[1].attach_scale(layers)


@pytest.fixture
def folder(tmp_path):
    with_layers(tmp_path / "a" / "run.h5", "4-bit", 4, [[0.5, 0.5], [0.01, 0.03]], 0.9)
    with_layers(tmp_path / "b" / "run.h5", "2-bit", 2, [[0.5, 0.5], [0.10, np.nan]], 0.66)
    return tmp_path


def test_a_layer_counts_as_it_was_compressed_last(folder):
    frame = layer_errors.data(load_sweep(folder), "test_accuracy")
    rows = [(row.case, row.layer, row.bits, row.error, row.test_accuracy) for row in frame.itertuples()]
    assert rows == [("2-bit", "in", 2, 0.10, 0.66), ("2-bit", "out", 2, 0.5, 0.66),
                    ("4-bit", "in", 4, 0.01, 0.9), ("4-bit", "out", 4, 0.03, 0.9)]


def test_the_line_is_that_of_least_squares():
    assert layer_errors.line_of([0.0, 1.0, 2.0, np.nan], [3.0, 1.0, -1.0, 7.0]) == pytest.approx((-2.0, 3.0))
    assert np.isnan(layer_errors.line_of([1.0, 1.0], [2.0, 3.0])).all()


def test_the_figure_is_drawn_and_stays_the_same(folder, tmp_path):
    for place in ("one", "two"):
        assert cli.main(["layers", str(folder / "a"), str(folder / "b"), "-o", str(tmp_path / place)]) == 0
    for name in ("layers.svg", "layers.png", "layers.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_runs_without_layers_say_so(tmp_path, capsys):
    write_run(tmp_path / "run.h5")
    with pytest.raises(NotARun, match="record.layers"):
        layer_errors.data(load_sweep(tmp_path), "test_accuracy")
    assert cli.main(["layers", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert "record.layers" in capsys.readouterr().err


def test_one_direction_of_bytes_alone(tmp_path):
    write_run(tmp_path / "run.h5")
    sweep = load_sweep(tmp_path)
    assert metric_curve.data(sweep, "test_accuracy", "bytes-up")["x"].tolist() == [100, 200, 300]
    assert metric_curve.data(sweep, "test_accuracy", "bytes-down")["x"].tolist() == [200, 400, 600]
    assert cli.main(["compare", str(tmp_path / "run.h5"), "--x", "bytes-up", "-o", str(tmp_path / "out")]) == 0
    drawn = sorted(path.name for path in (tmp_path / "out").glob("*.svg"))
    assert drawn == ["accuracy-by-bytes-up.svg", "outcomes-by-run.svg"]


def test_the_command_line_knows_every_axis():
    from skiff_analysis import figure_verbs

    assert sorted(figure_verbs.AXES) == sorted(metric_curve.AXES + metric_curve.EXTRA_AXES)
