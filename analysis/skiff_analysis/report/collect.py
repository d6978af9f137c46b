"""The numbers of the page, as plain lists: one entry a run, so that the page itself can filter and average.

Nothing in it depends on when, where or in which order the runs were made. Numbers keep six digits.
"""

import os

import numpy as np

from .. import comparison, units
from ..figures import memory_parts
from ..figures.round_times import TIMES
from ..sweep import rises
from ..statistics import student_quantile
from ..targets import default_target

BINS_A_DECADE = 60
PROVENANCE = ("skiff_version", "git_commit", "compiler", "library_versions", "config_sha256", "overrides")
IDENTITY = ("run_id", "status", "model", "parameters", "protocol", "heuristics", "fingerprint", "results_sha256")


def collect(sweep, metric=None, baseline=None, target=None):
    metric = comparison.chosen_metric(sweep, metric)
    baseline = comparison.chosen_baseline(sweep, baseline)
    if target is None and metric is not None:
        target = default_target(sweep, metric, baseline)
    edges = time_edges(sweep)
    table = comparison.measures(sweep, metric)
    runs = [_run(sweep, i, edges, table.iloc[i]) for i in range(len(sweep))]
    most = max(len(names) for _, names in sweep.groups)
    return {
        "title": " and ".join(dict.fromkeys(run.name for run in sweep.runs)),
        "metrics": [{"name": m, "label": units.label_of(m), "rises": rises(m)} for m in sweep.metric_names],
        "metric": metric,
        "baseline": baseline,
        "target": rounded(target),
        "cases": sweep.cases,
        "keys": sweep.keys,
        "configurations": {case: _configuration(sweep, names[0]) for case, names in sweep.groups},
        "student": [rounded(student_quantile(0.95, n)) for n in range(1, max(2, most))],
        "edges": [rounded(edge) for edge in edges],
        "runs": runs,
        "memory": [
            [row[0], row[1], row[2], row[3], int(row[4]), int(row[5])]
            for row in memory_parts.data(sweep)[["class", "case", "plan", "part", "bytes", "limit"]].itertuples(index=False)
        ],
        "left_out": [[os.path.join(*path.split(os.sep)[-4:]), why] for path, why in sweep.left_out],
    }


def rounded(value):
    """Six digits; None for what is not a finite number."""
    if value is None or not np.isfinite(value):
        return None
    value = float(f"{float(value):.6g}")
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def column(values):
    return [rounded(value) for value in values]


def time_edges(sweep):
    """Logarithmic bins for the times of devices, the same for all runs, so that runs can be added up."""
    took = _durations(sweep.attempts)
    took = took[took > 0]
    if not len(took):
        return np.array([])
    low, high = np.floor(np.log10(took.min()) * BINS_A_DECADE), np.ceil(np.log10(took.max()) * BINS_A_DECADE)
    return 10.0 ** (np.arange(low, high + 1) / BINS_A_DECADE)


def _durations(attempts):
    if not len(attempts):
        return np.array([])
    took = attempts[TIMES].max(axis=1) - attempts["selected"]
    return took.dropna().to_numpy()


def _run(sweep, i, edges, measured):
    run, name = sweep.runs[i], sweep.names[i]
    rounds = sweep.rounds[sweep.rounds["run"] == name].sort_values("round")
    curves = {
        "round": column(rounds["round"]), "time": column(rounds["virtual_time"]), "up": column(rounds["bytes_up"].cumsum()),
        "down": column(rounds["bytes_down"].cumsum()), "energy": column(rounds["energy"].cumsum()),
        **{metric: column(rounds[metric]) for metric in sweep.metric_names if metric in rounds},
    }
    attempts = sweep.attempts
    mine = attempts[attempts["run"] == name] if len(attempts) else attempts
    outcomes = [[key[0], key[1], int(count)] for key, count in
                (mine.groupby(["outcome", "cause"], observed=True).size().items() if len(mine) else ())]
    if not outcomes:
        outcomes = [[key, "", int(rounds[key].sum())] for key in ("accepted", "late", "refused", "aborted") if rounds[key].sum()]
    place = np.searchsorted(edges, _durations(mine), side="left").clip(0, max(0, len(edges) - 1))
    bins, counts = np.unique(place, return_counts=True)
    setting, configuration = sweep.settings.iloc[i], sweep.configurations[i]
    return {
        "case": setting["case"], "seed": int(run.seed), "curves": curves, "outcomes": outcomes,
        "settings": {key: None if configuration.get(key) is None else str(configuration[key]) for key in sweep.keys},
        "times": [[int(b), int(c)] for b, c in zip(bins, counts)],
        "totals": {key: rounded(measured[key]) for key in ("virtual_time", "bytes_up", "bytes_down", "energy", "accepted", "lost",
                                                           "peak_memory", "bytes_an_upload") if key in measured},
        "about": {**{key: str(run.attributes.get(key, "")) for key in IDENTITY},
                  **{key: str(run.provenance.get(key, "")) for key in PROVENANCE}},
    }


def _configuration(sweep, name):
    """The merged configuration of a case, but for the seed, which differs from run to run."""
    text = sweep.runs[sweep.names.index(name)].provenance["config_yaml"]
    return "\n".join(line for line in text.splitlines() if not line.startswith("seed:"))
