"""How a metric is spread over clients: what an average hides."""

import numpy as np
import pandas as pd

from .. import style, units
from ..runs import NotARun
from ..sweep import rises
from .legend import legend_below


def values(sweep, metric):
    """{case: values of the clients at their last evaluation, all seeds}."""
    evaluations = sweep.evaluations
    found = {}
    if not len(evaluations) or "scope" not in evaluations:
        raise NotARun(f"{sweep.runs[0].path}: no client was evaluated (evaluation.models: [clients])")
    mine = evaluations[(evaluations["scope"] == "client") & (evaluations["metric"] == metric)]
    for case, names in sweep.groups:
        last = mine[mine["run"].isin(names)].sort_values("round", kind="stable")
        last = last.drop_duplicates(["run", "entity"], keep="last")["value"].dropna()
        if len(last):
            found[case] = np.sort(last.to_numpy(float))
    if not found:
        raise NotARun(f"{sweep.runs[0].path}: {metric} was measured on no client (evaluation.models: [clients])")
    return found


def data(sweep, metric):
    """Columns case, clients, share, value, worst_tenth: each client's place among the others."""
    parts = []
    for case, sorted_values in values(sweep, metric).items():
        n = len(sorted_values)
        ends = sorted_values if rises(metric) else sorted_values[::-1]
        parts.append(pd.DataFrame({
            "case": case, "clients": n, "share": np.arange(1, n + 1) / n, "value": sorted_values,
            "worst_tenth": ends[:max(1, n // 10)].mean(),
        }))
    return pd.concat(parts, ignore_index=True)


@style.styled
def draw(sweep, metric):
    """The figure and the frame behind it."""
    frame = data(sweep, metric)
    figure, axes = style.new_figure()
    for number, (case, line) in enumerate(frame.groupby("case", sort=False)):
        label = f"{case}, worst tenth {line['worst_tenth'].iloc[0]:.3g}"
        axes.plot(line["value"], line["share"], drawstyle="steps-post", label=label,
                  markevery=style.markers(len(line)), **style.line_style(number))
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(f"{units.label_of(metric)} of a client")
    axes.set_ylabel("share of clients not above")
    style.set_title(axes, sweep, f"{units.name_of(metric).capitalize()} over clients")
    legend_below(axes)
    return figure, frame
