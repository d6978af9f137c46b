"""Cases beside each other: the summary of a sweep, and its differences to a baseline."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from . import units
from .runs import NotARun
from .statistics import bootstrap_interval, holm, interval, paired_difference
from .sweep import rises
from .targets import default_target, target_table

MEASURES = ("final", "best", "virtual_time", "bytes_up", "bytes_down", "energy", "accepted", "lost",
            "peak_memory", "bytes_an_upload")


def chosen_metric(sweep, metric=None):
    """The metric asked for, or the headline among those that every run has; None if there is none."""
    if metric is not None:
        sweep.of(metric)
        return metric
    return units.headline([name for name in sweep.metric_names if all(name in r.metrics for r in sweep.runs)])


def chosen_baseline(sweep, baseline=None):
    if baseline is not None and baseline not in sweep.cases:
        raise NotARun(f"no case {baseline}; there are {', '.join(sweep.cases)}")
    return baseline or sweep.cases[0]


def measures(sweep, metric):
    """One row a run: what it reached and what it cost in all.

    final and best of the metric; virtual_time s; bytes B; energy J; attempts accepted and lost;
    peak_memory B, the largest of any device; bytes_an_upload B, the mean of what those accepted sent: the
    factor by which a codec shrinks uploads is the quotient of two of these, measured, not nominal.
    """
    result = sweep.settings[["run", "case", "seed"]].copy().set_index("run")
    if metric is not None:
        values = sweep.of(metric).groupby("run", sort=False)["value"]
        result["final"] = values.last()
        result["best"] = values.max() if rises(metric) else values.min()
    rounds = sweep.rounds.groupby("run", sort=False)
    result["virtual_time"] = rounds["virtual_time"].max()
    for name in ("bytes_up", "bytes_down", "energy", "accepted"):
        result[name] = rounds[name].sum()
    result["lost"] = rounds[["late", "refused", "aborted"]].sum().sum(axis=1)
    result["peak_memory"] = sweep.devices.groupby("run", sort=False)["peak_memory"].max()
    if len(sweep.attempts):
        accepted = sweep.attempts[sweep.attempts["outcome"] == "accepted"]
        result["bytes_an_upload"] = accepted.groupby("run", sort=False)["bytes_up"].mean()
    return result.reset_index()


def summary(sweep, metric=None, target=None, baseline=None):
    """One row a case: seeds, mean and half-width of each measure, what the target took, what it saves.

    `upload_factor`: how many times smaller an upload is than the baseline's.
    """
    metric, baseline = chosen_metric(sweep, metric), chosen_baseline(sweep, baseline)
    table = measures(sweep, metric)
    rows = []
    for case in sweep.cases:
        runs = table[table["case"] == case]
        row = {"case": case, "seeds": len(runs)}
        for name in MEASURES:
            if name in runs:
                _, row[f"{name}_mean"], row[f"{name}_half_width"] = interval(runs[name])
        rows.append(row)
    result = pd.DataFrame(rows)
    if "bytes_an_upload_mean" in result:
        base = result.loc[result["case"] == baseline, "bytes_an_upload_mean"].iloc[0]
        result["upload_factor"] = base / result["bytes_an_upload_mean"]
    if metric is not None:
        target = default_target(sweep, metric, baseline) if target is None else target
        reached = target_table(sweep, metric, target).drop(columns="seeds").add_prefix("to_target_")
        result = result.join(reached.drop(columns="to_target_case"))
        result.insert(2, "target", target)
    return result


def differences(sweep, metric=None, measure="final", baseline=None):
    """One row a case but the baseline: its paired difference, interval, p, and p after Holm."""
    metric, baseline = chosen_metric(sweep, metric), chosen_baseline(sweep, baseline)
    table = measures(sweep, metric)
    if measure not in table:
        raise NotARun(f"no measure {measure}; there are {', '.join(m for m in MEASURES if m in table)}")
    values = {case: runs.set_index("seed")[measure].to_dict() for case, runs in table.groupby("case", sort=False)}
    rows = [
        {"case": case, "baseline": baseline, "measure": measure,
         **paired_difference(values[case], values[baseline])._asdict()}
        for case in sweep.cases if case != baseline
    ]
    result = pd.DataFrame(rows, columns=["case", "baseline", "measure", "n", "difference", "half_width", "p"])
    result["p_holm"] = holm(result["p"])
    return result


def aggregate(sweeps, metric=None, measure="final"):
    """Interquartile mean and its bootstrap interval of each case over several sweeps (the scenarios).

    Only cases that every sweep has are compared; seeds are resampled within their scenario.
    """
    tables = [measures(sweep, chosen_metric(sweep, metric)) for sweep in sweeps]
    shared = [case for case in sweeps[0].cases if all(case in sweep.cases for sweep in sweeps)]
    rows = []
    for case in shared:
        strata = [table.loc[table["case"] == case, measure].to_numpy(float) for table in tables]
        value, low, high = bootstrap_interval(strata)
        rows.append({"case": case, "scenarios": len(strata), "runs": int(sum(map(len, strata))),
                     "interquartile_mean": value, "low": low, "high": high})
    return pd.DataFrame(rows)


def readable(table):
    """A summary for people: the measures that papers print, in units that fit, as text."""
    def with_spread(row, name, digits, size=1.0):
        mean, half = row.get(f"{name}_mean", math.nan), row.get(f"{name}_half_width", math.nan)
        if not math.isfinite(mean):
            return "–"
        digits = 3 if digits == 1 and mean < size else digits
        spread = f" ± {half / size:.{digits}f}" if math.isfinite(half) else ""
        return f"{mean / size:.{digits}f}{spread}"

    def column(name):
        return table[f"{name}_mean"] if f"{name}_mean" in table else pd.Series(dtype=float)

    scales = {name: units.scale(unit, column(name).max() if len(column(name).dropna()) else 1)
              for name, unit in (("bytes_up", "B"), ("virtual_time", "s"), ("energy", "J"))}
    rows = []
    for _, row in table.iterrows():
        shown = {"case": row["case"], "seeds": str(row["seeds"])}
        if "final_mean" in row:
            shown |= {"final": with_spread(row, "final", 3), "best": with_spread(row, "best", 3)}
        for name, (symbol, size) in scales.items():
            shown[f"{name.replace('_', ' ')} ({symbol})"] = with_spread(row, name, 1, size)
        if "upload_factor" in row:
            shown["uploads smaller by"] = f"{row['upload_factor']:.3g}x" if math.isfinite(row["upload_factor"]) else "–"
        shown["lost"] = f"{100 * row['lost_mean'] / max(1, row['lost_mean'] + row['accepted_mean']):.1f} %"
        if "to_target_reached" in row:
            prefix = "to_target_"
            shown[f"reach {row['target']:.3g}"] = f"{100 * row[prefix + 'reached']:.0f} %"
            shown["at round"] = with_spread(row, prefix + "round", 0)
            for name, (symbol, size) in scales.items():
                mean = row[f"{prefix}{name}_mean"] / size
                shown[f"{name.replace('_', ' ')} to it ({symbol})"] = f"{mean:.{1 if mean >= 1 else 3}f}" if math.isfinite(mean) else "–"
        rows.append(shown)
    return pd.DataFrame(rows)


def markdown(frame, digits=4):
    """A frame as a table for a README: numbers to so many digits, unknown ones as a dash."""
    def cell(value):
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return "–"
        if isinstance(value, (float, np.floating)):
            return f"{value:.{digits}g}"
        return str(value)

    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|" + "---|" * len(frame.columns)]
    lines += ["| " + " | ".join(cell(v) for v in row) + " |" for row in frame.itertuples(index=False)]
    return "\n".join(lines) + "\n"
