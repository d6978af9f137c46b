"""The figures of one run, and those of several runs side by side."""

from . import style, units
from .figures import metric_curve, outcomes, timeline
from .runs import NotARun


def chosen_metric(runs, metric):
    shared = [m for m in runs.runs[0].metrics if all(m in run.metrics for run in runs.runs)]
    if metric is None:
        return units.headline(shared)
    if metric not in shared:
        raise NotARun(f"{runs.runs[0].path}: no metric {metric}; there are {', '.join(shared) or 'none'}")
    return metric


def draw_curves(runs, folder, metric, axes=None):
    paths = []
    for axis in axes or metric_curve.AXES:
        figure, frame = metric_curve.draw(runs, metric, axis)
        paths += style.save(figure, frame, folder, f"{units.short_name(metric)}-by-{axis}")
    return paths


def draw(runs, folder, metric=None, round=None):
    """The six figures of a run; those for which nothing was recorded are left out. Returns the paths."""
    paths = []
    metric = chosen_metric(runs, metric)
    if metric is not None:
        paths += draw_curves(runs, folder, metric)
    if len(runs.attempts):
        paths += style.save(*outcomes.draw(runs), folder, "outcomes-by-class")
        if round is not None and not (runs.attempts["round"] == round).any():
            raise NotARun(f"{runs.runs[0].path}: no attempts in round {round}")
        paths += style.save(*timeline.draw(runs, round), folder, "round-timeline")
    return paths


def compare(runs, folder, metric=None, axes=None):
    """Several runs on the same axes (default: metric_curve.AXES). Returns the paths."""
    paths = []
    metric = chosen_metric(runs, metric)
    if metric is not None:
        paths += draw_curves(runs, folder, metric, axes)
    if len(runs.attempts):
        paths += style.save(*outcomes.draw(runs), folder, "outcomes-by-run")
    return paths
