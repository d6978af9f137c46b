"""The figures of sweeps: the numbers behind them by hand, the same bytes twice, mistakes said plainly."""
import math

import numpy as np
import pytest

from skiff_analysis import cli
from skiff_analysis.figures import batteries, client_spread, heat_map, memory_parts, pareto_front, rate, round_times
from skiff_analysis.runs import NotARun
from skiff_analysis.sweep import load_sweep
from sweep_runs import write_run, write_sweep


@pytest.fixture(name="folder")
def sweep_folder(tmp_path):
    return write_sweep(tmp_path / "sweep")


@pytest.fixture(name="sweep")
def loaded_sweep(folder):
    return load_sweep(folder)


def test_pareto_by_hand(sweep):
    frame = pareto_front.data(sweep, "test_accuracy", "bytes_up").set_index("case")
    assert list(frame["cost"]) == [300, 300] and list(frame["value"]) == pytest.approx([0.5, 0.7])
    assert list(frame["front"]) == [False, True]
    # the box is 330 wide and 1 high, the front covers from 300 on, up to 0.7
    assert frame["dominated_share"].iloc[0] == pytest.approx(30 * 0.7 / 330)


def test_pareto_of_a_loss(sweep):
    frame = pareto_front.data(sweep, "test_loss", "energy")
    # both at (6 J, 1.0): the box goes to (6.6, 1.1); covered 0.6 x 0.1
    assert frame["front"].all() and frame["dominated_share"].iloc[0] == pytest.approx(0.6 * 0.1 / (6.6 * 1.1))


def test_round_times_by_hand(sweep):
    frame = round_times.data(sweep)
    device = frame[(frame["case"] == "fast") & (frame["of"] == "device")].set_index("share")["seconds"]
    assert [device.loc[s] for s in (0, 0.25, 0.26, 0.5, 0.75, 0.76, 1)] == [2, 2, 4, 4, 6, 8, 8]
    length = frame[(frame["case"] == "fast") & (frame["of"] == "round")]
    assert set(length["seconds"]) == {10.0} and set(length["count"]) == {9}


def test_memory_by_hand(sweep):
    frame = memory_parts.data(sweep).set_index(["class", "part"])
    assert len(frame) == 2 * 7  # the cases need the same: one bar a class
    assert frame.loc[("phone", "weights"), "bytes"] == 40
    # peaks of 160 and 140 less 120 for the plan
    assert frame.loc[("phone", "runtime"), "bytes"] == 40 and frame.loc[("sensor", "runtime"), "bytes"] == 20
    assert frame.loc[("sensor", "weights"), "share"] == pytest.approx(40 / 300)


def test_a_heat_map_by_hand(tmp_path):
    for batch in (10, 20):
        for deadline in ("none", "5 s"):
            for seed in (1, 2):
                config = f"server:\n  deadline: {deadline}\ntraining:\n  batch: {batch}\n"
                end = batch / 100 + (0.1 if deadline == "none" else 0) + seed / 10
                write_run(tmp_path / f"{batch}{deadline}" / f"s{seed}" / "run.h5", f"{batch}-{deadline}", seed,
                          {"test_accuracy": [0, end]}, config=config)
    sweep = load_sweep(tmp_path)
    frame = heat_map.data(sweep, "test_accuracy", x="batch", y="deadline")
    cells = frame.set_index(["training.batch", "server.deadline"])["mean"]
    assert cells.loc[(10, "none")] == pytest.approx(0.35) and cells.loc[(20, "5 s")] == pytest.approx(0.35)
    assert cells.loc[(20, "none")] == pytest.approx(0.45)
    heat_map.draw(sweep, "test_accuracy")
    with pytest.raises(NotARun, match="no swept key bach; there are server.deadline, training.batch"):
        heat_map.data(sweep, "test_accuracy", x="bach")


def test_a_heat_map_needs_two_keys(sweep):
    with pytest.raises(NotARun, match="needs two swept keys"):
        heat_map.data(sweep, "test_accuracy")


def test_clients_by_hand(tmp_path):
    values = np.arange(1, 21) / 20
    evaluations = dict(round=np.repeat([1, 3], 20).astype("u4"), scope=np.full(40, 2, "u1"), metric=np.zeros(40, "u1"),
                       split=np.full(40, 2, "u1"), entity=np.tile(np.arange(20), 2).astype("u4"),
                       value=np.concatenate([np.zeros(20), values]))
    write_run(tmp_path / "run.h5", evaluations=evaluations)
    frame = client_spread.data(load_sweep(tmp_path), "test_accuracy")
    assert len(frame) == 20 and frame["value"].min() == 0.05  # round 1 is past
    assert frame["worst_tenth"].iloc[0] == pytest.approx((0.05 + 0.1) / 2)
    client_spread.draw(load_sweep(tmp_path), "test_accuracy")


def test_no_clients_is_said(sweep):
    with pytest.raises(NotARun, match="no client was evaluated"):
        client_spread.data(sweep, "test_accuracy")


def test_devices_at_work_add_up(sweep):
    frame = batteries.data(sweep)
    mine = frame[frame["case"] == "slow"]
    width = 28 / batteries.BINS  # the last word is heard 8 s after 20 s
    # 2 + 4 + 6 + 8 device seconds in each of three rounds
    assert np.nansum(mine["at_work"]) * width == pytest.approx(60)
    assert mine["median"].iloc[0] == pytest.approx(np.median(np.linspace(0.9, 0.5, 12)[:4]))


def test_the_rate_by_hand(tmp_path):
    rounds = np.arange(1, 65)
    write_run(tmp_path / "run.h5", metrics={"suboptimality": 3.0 / rounds**1.5})
    frame = rate.data(load_sweep(tmp_path), "suboptimality")
    assert frame["slope"].iloc[0] == pytest.approx(-1.5)
    assert frame["fitted"].sum() == 57  # from round 8 = sqrt(64) on
    assert rate.slope_of([1, 2, 4], [5, 10, 20])[0] == pytest.approx(1)
    assert math.isnan(rate.slope_of([3], [1])[0])


VERBS = {"curves": 12, "pareto": 12, "round-times": 3, "outcomes": 3, "memory": 3, "battery": 3, "rate": 3, "table": 4}


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_write_the_same_bytes_twice(folder, tmp_path, verb, capsys):
    outs = [tmp_path / "one", tmp_path / "two"]
    for out in outs:
        assert cli.main([verb, str(folder), "-o", str(out)]) == 0
    assert capsys.readouterr().err == ""
    names = sorted(path.name for path in outs[0].iterdir())
    assert len(names) == VERBS[verb]
    for name in names:
        assert (outs[0] / name).read_bytes() == (outs[1] / name).read_bytes(), name


def test_all_figures_of_one_run(folder, tmp_path):
    assert cli.main(["figures", str(folder / "fast" / "aaaa-s1"), "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "round-timeline.svg").exists() and (tmp_path / "out" / "summary.md").exists()


def test_mistakes_end_with_two(folder, tmp_path, capsys):
    assert cli.main(["curves", str(folder), "-o", str(tmp_path), "--metric", "acuracy"]) == 2
    assert "no metric acuracy; there are" in capsys.readouterr().err
    assert cli.main(["pareto", str(folder), "-o", str(tmp_path), "--cost", "money"]) == 2
    assert "no cost money; there are bytes_up" in capsys.readouterr().err
    assert cli.main(["timeline", str(folder), "-o", str(tmp_path)]) == 2
    assert "a timeline shows one run; there are 6" in capsys.readouterr().err
    assert cli.main(["memory", str(tmp_path / "nowhere"), "-o", str(tmp_path)]) == 2
