"""What it cost to reach a target: rounds, virtual time, bytes and energy.

A run reaches a target at its first evaluation that is at least (accuracy) or at most (loss) as good;
nothing is interpolated. Costs are those of the whole fleet up to then, wasted ones included.
"""

from __future__ import annotations

import pandas as pd

from .statistics import interval
from .sweep import COSTS, rises

SHARE = 0.95


def default_target(sweep, metric, baseline=None, share=SHARE):
    """The target that all runs stopped at; else `share` of what the baseline case reached with every
    seed: of the least of its runs' bests. For a loss it is the largest of their bests / share.
    """
    baseline = baseline or sweep.cases[0]
    prefix = f"server.stop.target.{metric}"
    stops = {one.get(prefix) for one in sweep.configurations}
    if len(stops) == 1 and None not in stops:
        return number(stops.pop())
    points = sweep.of(metric)
    by_run = points[points["case"] == baseline].groupby("run", sort=False)["value"]
    return float(by_run.max().min() * share if rises(metric) else by_run.min().max() / share)


def number(value):
    """0.97 of "97%"."""
    text = str(value)
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def to_target(sweep, metric, target):
    """One row a run: run, case, the swept keys, seed, reached, round, the costs (NaN if not reached)."""
    points = sweep.of(metric)
    good = points["value"] >= target if rises(metric) else points["value"] <= target
    first = points[good].drop_duplicates("run").set_index("run")[["round", *COSTS]]
    result = sweep.settings.copy()
    result["reached"] = result["run"].isin(first.index)
    return result.join(first.astype(float), on="run")


def target_table(sweep, metric, target):
    """One row a case: seeds, share that reached it, and mean and half-width of each cost of those."""
    reached = to_target(sweep, metric, target)
    rows = []
    for case in sweep.cases:
        runs = reached[reached["case"] == case]
        row = {"case": case, "seeds": len(runs), "reached": runs["reached"].mean()}
        for cost in ("round", *COSTS):
            _, row[f"{cost}_mean"], row[f"{cost}_half_width"] = interval(runs[cost])
        rows.append(row)
    return pd.DataFrame(rows)
