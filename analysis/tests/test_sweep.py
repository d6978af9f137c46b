"""A sweep's folder as tidy frames, targets and tables, against numbers by hand."""
import math

import pytest

from skiff_analysis import comparison, targets
from skiff_analysis.runs import NotARun
from skiff_analysis.sweep import load_sweep
from sweep_runs import write_run, write_sweep


@pytest.fixture(name="sweep")
def made_sweep(tmp_path):
    return load_sweep(write_sweep(tmp_path))


def test_swept_keys_are_columns(sweep):
    assert sweep.keys == ["training.batch"]
    assert list(sweep.settings.columns) == ["run", "case", "training.batch", "seed"]
    assert list(sweep.settings["training.batch"]) == [10, 10, 10, 20, 20, 20]


def test_the_order_is_that_of_the_index(tmp_path):
    assert load_sweep(write_sweep(tmp_path / "a")).cases == ["slow", "fast"]
    assert load_sweep(write_sweep(tmp_path / "b", index=False)).cases == ["fast", "slow"]


def test_points_are_tidy_and_costs_add_up(sweep):
    points = sweep.points
    assert list(points.columns) == ["run", "case", "training.batch", "seed", "round", "virtual_time", "bytes_up",
                                    "bytes_down", "bytes", "energy", "metric", "value"]
    assert len(points) == 2 * 3 * 3 * 2
    last = points[(points["case"] == "fast") & (points["seed"] == 2) & (points["round"] == 3)
                  & (points["metric"] == "test_accuracy")].iloc[0]
    assert (last["value"], last["bytes_up"], last["bytes_down"], last["bytes"], last["energy"]) == (0.8, 300, 600, 900, 6)
    assert last["virtual_time"] == 30


def test_xarray_holds_the_same(sweep):
    pytest.importorskip("xarray")
    data = sweep.dataset()
    assert data["test_accuracy"].dims == ("case", "seed", "round")
    assert float(data["test_accuracy"].sel(case="fast", seed=2, round=3)) == 0.8
    assert float(data["bytes"].sel(case="slow", seed=1, round=2)) == 600
    assert list(data["training.batch"].values) == [10, 20]


def test_to_target_by_hand(sweep):
    reached = targets.to_target(sweep, "test_accuracy", 0.4).set_index(["case", "seed"])
    # slow 1 reaches 0.4 exactly at its end; fast 2 has 0.4 already at its middle
    assert reached.loc[("slow", 1), "round"] == 3 and reached.loc[("fast", 2), "round"] == 2
    assert reached.loc[("fast", 2), "virtual_time"] == 20
    assert reached.loc[("fast", 2), "bytes_up"] == 200 and reached.loc[("fast", 2), "energy"] == 4
    table = targets.target_table(sweep, "test_accuracy", 0.6).set_index("case")
    assert table.loc["slow", "reached"] == pytest.approx(1 / 3) and table.loc["fast", "reached"] == 1
    assert table.loc["slow", "round_mean"] == 3 and math.isnan(table.loc["slow", "round_half_width"])


def test_a_loss_falls_to_its_target(sweep):
    reached = targets.to_target(sweep, "test_loss", 1.5)
    assert list(reached["round"]) == [2] * 6
    assert not targets.to_target(sweep, "test_loss", 0.9)["reached"].any()


def test_default_targets(sweep, tmp_path):
    assert targets.default_target(sweep, "test_accuracy") == pytest.approx(0.95 * 0.4)  # of 0.4, 0.5, 0.6
    assert targets.default_target(sweep, "test_accuracy", "fast") == pytest.approx(0.95 * 0.6)
    assert targets.default_target(sweep, "test_loss") == pytest.approx(1 / 0.95)
    config = "server:\n  stop:\n    target:\n      test_accuracy: 97%\n"
    for seed in (1, 2):
        write_run(tmp_path / "stop" / f"s{seed}" / "run.h5", seed=seed, config=config)
    assert targets.default_target(load_sweep(tmp_path / "stop"), "test_accuracy") == pytest.approx(0.97)


def test_the_summary_by_hand(sweep):
    table = comparison.summary(sweep).set_index("case")
    assert table.loc["slow", "final_mean"] == pytest.approx(0.5)
    assert table.loc["slow", "final_half_width"] == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-6)
    assert table.loc["fast", "upload_factor"] == pytest.approx(4)
    assert table.loc["fast", "lost_mean"] == 3 and table.loc["fast", "accepted_mean"] == 9
    assert table.loc["fast", "peak_memory_mean"] == 160
    assert table.loc["fast", "to_target_reached"] == 1 and table.loc["slow", "target"] == pytest.approx(0.38)


def test_differences_are_paired_by_seed(sweep):
    row = comparison.differences(sweep).iloc[0]
    # fast - slow of seeds 1, 2, 3: 0.2, 0.3, 0.1
    assert (row["case"], row["baseline"], row["n"]) == ("fast", "slow", 3)
    assert row["difference"] == pytest.approx(0.2)
    assert row["half_width"] == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-6)
    assert row["p"] == row["p_holm"]


def test_aggregate_over_scenarios(sweep):
    table = comparison.aggregate([sweep, sweep]).set_index("case")
    # 0.4 0.4 0.5 0.5 0.6 0.6 without one at either end
    assert table.loc["slow", "interquartile_mean"] == pytest.approx(0.5)
    assert table.loc["slow", "low"] < 0.5 < table.loc["slow", "high"]
    assert table.loc["slow", "runs"] == 6


def test_broken_stale_and_unfinished_runs_are_left_out(tmp_path):
    folder = write_sweep(tmp_path)
    (folder / "slow" / "bbbb-s1").mkdir()
    (folder / "slow" / "bbbb-s1" / "run.h5").write_bytes(b"not HDF5")
    write_run(folder / "fast" / "cccc-s1" / "run.h5", "fast", 1)
    write_run(folder / "other" / "dddd-s1" / "run.h5", "other", 1, status="interrupted")
    sweep = load_sweep(folder)
    assert len(sweep) == 6 and sweep.cases == ["slow", "fast"]
    why = [text for _, text in sweep.left_out]
    assert len(why) == 3 and any("index.csv" in t for t in why) and "interrupted" in why


def test_a_case_that_index_does_not_know_yet_is_kept(tmp_path):
    folder = write_sweep(tmp_path)
    write_run(folder / "new" / "eeee-s1" / "run.h5", "new", 1)
    assert load_sweep(folder).cases == ["slow", "fast", "new"]


def test_mistakes_are_said_plainly(sweep, tmp_path):
    with pytest.raises(NotARun, match="no metric test_acuracy; there are"):
        sweep.of("test_acuracy")
    with pytest.raises(NotARun, match="no case fsat; there are slow, fast"):
        comparison.summary(sweep, baseline="fsat")
    with pytest.raises(NotARun, match="no run.h5 there"):
        load_sweep(tmp_path / "nothing" if (tmp_path / "nothing").mkdir() is None else None)


def test_markdown():
    import pandas as pd

    text = comparison.markdown(pd.DataFrame({"case": ["a"], "x": [0.123456], "n": [3], "y": [math.nan]}))
    assert text.splitlines()[2] == "| a | 0.1235 | 3 | – |"
