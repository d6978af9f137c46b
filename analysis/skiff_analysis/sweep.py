"""A whole sweep as tidy frames: every run of a folder, with what was varied as columns.

    sweep = load_sweep("results/methods")
    sweep.keys          # ["training.method.name"]: what differs between the runs' configurations
    sweep.points        # one row a run, round and metric
    sweep.dataset()     # the same as xarray, (case, seed, round)

A Sweep is a Runs: every figure takes it.
"""

from __future__ import annotations

import csv
import os
from functools import cached_property

import numpy as np
import pandas as pd
import yaml

from .groups import groups_of
from .runs import NotARun, Run, Runs, find_runs

COSTS = ["virtual_time", "bytes_up", "bytes_down", "bytes", "energy"]  # s, B, B, B, J; so far, whole fleet
LOWER_IS_BETTER = ("loss", "perplexity", "suboptimality", "gradient_norm")
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def rises(metric):
    """Whether more of a metric is better."""
    return not any(word in metric for word in LOWER_IS_BETTER)


def load_sweep(source):
    """A folder of runs (at any depth), run.h5 files, or a list of those.

    Runs that did not end well, or cannot be read, are left out and named in `left_out`; if none
    ended well, the interrupted ones are kept. Cases come in the order of index.csv, which also
    decides where a folder holds several configurations of one case.
    """
    paths = find_runs(source)
    if not paths:
        raise NotARun(f"{source}: no run.h5 there")
    runs, left_out = [], []
    for path in paths:
        try:
            runs.append(Run(path))
        except NotARun as problem:
            left_out.append((path, str(problem)))
    if not runs:
        raise NotARun(left_out[0][1])
    if any(run.attributes["status"] == "ok" for run in runs):
        left_out += [(r.path, r.attributes["status"]) for r in runs if r.attributes["status"] != "ok"]
        runs = [run for run in runs if run.attributes["status"] == "ok"]
    runs, stale = _in_order(runs, _indexed(source))
    left_out += [(run.path, "not in index.csv: another configuration of its case") for run in stale]
    return Sweep(runs, sorted(left_out))


def _indexed(source):
    """{absolute path of a run: its place} of every index.csv among the sources."""
    places = {}
    for one in source if isinstance(source, (list, tuple)) else [source]:
        folders = [folder for folder, _, files in os.walk(one) if "index.csv" in files]
        for folder in sorted(folders):
            with open(os.path.join(folder, "index.csv"), newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    if row.get("file"):
                        places.setdefault(os.path.abspath(os.path.join(folder, row["file"])), len(places))
    return places


def _in_order(runs, places):
    """The runs by case (that of the index; others by name, behind), then seed; and the stale ones."""
    def place(run):
        return places.get(os.path.abspath(run.path), len(places))

    first, listed = {}, set()
    for run in runs:
        key = (run.name, run.case)
        first[key] = min(first.get(key, place(run)), place(run))
        if place(run) < len(places):
            listed.add((*key, run.seed))
    stale = [run for run in runs if place(run) == len(places) and (run.name, run.case, run.seed) in listed]
    kept = [run for run in runs if run not in stale]
    kept.sort(key=lambda run: (first[(run.name, run.case)], run.name, run.case, run.seed, run.path))
    return kept, stale


def flat(tree, prefix=""):
    """{"training.batch": 20, ...} of a nested map; lists become text."""
    result = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            result.update(flat(value, f"{prefix}{key}."))
        else:
            result[prefix + key] = str(value) if isinstance(value, list) else value
    return result


class Sweep(Runs):
    """Runs with what was varied between them, and cases as the lines of figures and tables."""

    def __init__(self, runs, left_out=()):
        super().__init__(runs)
        self.left_out = list(left_out)

    @cached_property
    def groups(self):
        """[(label, [names of runs])]: one a case, repetitions together."""
        return groups_of(self)

    cases = property(lambda self: [label for label, _ in self.groups])

    @cached_property
    def configurations(self):
        """A flat {key: value} a run, defaults included."""
        return [flat(yaml.load(run.provenance["config_yaml"], Loader)) for run in self.runs]

    @cached_property
    def keys(self):
        """The keys whose values differ, in the order of the configuration; neither seed nor name."""
        known = list(dict.fromkeys(key for one in self.configurations for key in one))
        return [
            key for key in known
            if key not in ("seed", "name") and len({repr(one.get(key)) for one in self.configurations}) > 1
        ]

    @cached_property
    def settings(self):
        """One row a run: run, case, the swept keys, seed."""
        label = {name: line for line, names in self.groups for name in names}
        rows = []
        for name, run, configuration in zip(self.names, self.runs, self.configurations):
            values = {key: configuration.get(key) for key in self.keys}
            rows.append({"run": name, "case": label[name], **values, "seed": run.seed})
        return pd.DataFrame(rows)

    @cached_property
    def metric_names(self):
        """All metrics that some run measured; those of every run first."""
        names = dict.fromkeys(name for run in self.runs for name in run.metrics)
        return sorted(names, key=lambda name: sum(name not in run.metrics for run in self.runs))

    @cached_property
    def points(self):
        """Long: run, case, the swept keys, seed, round, the costs so far, metric, value."""
        return self._long(self.metric_names)

    def _long(self, metrics):
        rounds = self.rounds.drop(columns=["case", "seed"]).sort_values(["run", "round"], kind="stable")
        so_far = rounds[["run", "round", "virtual_time"]].copy()
        by_run = rounds.groupby("run", sort=False)
        so_far["bytes_up"] = by_run["bytes_up"].cumsum()
        so_far["bytes_down"] = by_run["bytes_down"].cumsum()
        so_far["bytes"] = so_far["bytes_up"] + so_far["bytes_down"]
        so_far["energy"] = by_run["energy"].cumsum()
        measured = [metric for metric in metrics if metric in rounds]
        wide = pd.concat([so_far, rounds[measured]], axis=1)
        long = wide.melt(["run", "round", *COSTS], measured, "metric", "value").dropna(subset=["value"])
        long = self.settings.merge(long, on="run", how="right")
        place = {name: i for i, name in enumerate(self.names)}
        metric_place = {name: i for i, name in enumerate(metrics)}
        order = long["run"].map(place), long["metric"].map(metric_place), long["round"]
        return long.iloc[np.lexsort(order[::-1])].reset_index(drop=True)

    def of(self, metric):
        """The points of one metric; complains if no run has it."""
        if metric not in self.metric_names:
            known = ", ".join(self.metric_names) or "none"
            raise NotARun(f"{self.runs[0].path}: no metric {metric}; there are {known}")
        points = self.points
        return points[points["metric"] == metric].reset_index(drop=True)

    def dataset(self):
        """Each metric and each cost as (case, seed, round), NaN where nothing was measured."""
        import xarray

        keys = ["case", "seed", "round"]
        repeated = self.settings.duplicated(["case", "seed"])
        if repeated.any():
            raise NotARun(f"{self.settings['run'][repeated].iloc[0]}: its case and seed stand twice")
        seeds = sorted(self.settings["seed"].unique())
        rounds = sorted(self.points["round"].unique())
        index = pd.MultiIndex.from_product([self.cases, seeds, rounds], names=keys)
        shape = (len(self.cases), len(seeds), len(rounds))
        variables = {}
        for metric in self.metric_names:
            values = self.of(metric).set_index(keys)["value"].reindex(index)
            variables[metric] = (keys, values.to_numpy().reshape(shape))
        costs = self.points.drop_duplicates(["run", "round"]).set_index(keys)[COSTS].reindex(index)
        units = {"virtual_time": "s", "energy": "J"}
        for cost in COSTS:
            values = costs[cost].to_numpy(float).reshape(shape)
            variables[cost] = (keys, values, {"units": units.get(cost, "B")})
        swept = self.settings.drop_duplicates("case").set_index("case").loc[self.cases]
        coordinates = {key: ("case", swept[key].to_numpy()) for key in self.keys}
        return xarray.Dataset(variables, {"case": self.cases, "seed": seeds, "round": rounds, **coordinates})
