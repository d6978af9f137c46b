"""The verbs that take runs or whole sweeps: python3 -m skiff_analysis FIGURE PATH... -o OUT.

What is needed to parse stands here without any heavy import; the figures are loaded when one is drawn.
"""

import os

HELP = {
    "curves": "a metric against rounds, bytes, virtual time and energy, with 95 %% bands over seeds",
    "pareto": "a metric against a cost, one point a case, and the front",
    "round-times": "distributions of device and round times, with their tails",
    "outcomes": "what became of the attempts, losses by cause",
    "memory": "memory by part against the limit of each device class",
    "heat-map": "a measure over two swept keys",
    "clients": "a metric's spread over clients",
    "layers": "error of each compressed layer against its bits, and what the mean error did to the metric",
    "battery": "state of charge and devices at work",
    "timeline": "one round of one run as it happened",
    "rate": "log-log convergence and its slope",
    "table": "the summary of the cases and the differences to a baseline: CSV and Markdown",
    "figures": "all of these that the runs can feed",
    "report": "one HTML page of everything, which works from disk without a network",
}
AXES = ("rounds", "bytes", "bytes-up", "bytes-down", "time", "energy")
COSTS = ("bytes_up", "virtual_time", "energy", "peak_memory")


def add_axes(parser):
    parser.add_argument("--x", action="append", choices=AXES, help="default: rounds, bytes, time and energy, a figure each")


def add(verbs):
    for verb, text in HELP.items():
        parser = verbs.add_parser(verb, help=text)
        parser.add_argument("paths", nargs="+", help="run.h5 files, or folders that hold some")
        parser.add_argument("-o", "--out", required=True, help="the page" if verb == "report" else "folder for the figures")
        parser.add_argument("--metric", help="default: the first that all runs share, accuracy before loss")
        parser.add_argument("--baseline", help="the case to compare with; default: the first")
        parser.add_argument("--target", type=float, help="of the metric; default: 95 %% of what the baseline reached with every seed")
        if verb == "pareto":
            parser.add_argument("--cost", action="append", help=f"default: {', '.join(COSTS)}")
        if verb in ("pareto", "heat-map", "table"):
            parser.add_argument("--measure", default="final", help="final, best, virtual_time, bytes_up, ...")
        if verb == "curves":
            add_axes(parser)
        if verb == "heat-map":
            parser.add_argument("--x", help="the swept key across")
            parser.add_argument("--y", help="the swept key upwards")
        if verb == "timeline":
            parser.add_argument("--round", type=int, help="default: one of typical length")
        if verb == "rate":
            parser.add_argument("--slope", type=float, action="append", help="of theory; default: -1")


def run(options):
    """Draws, and returns the paths of what was written."""
    from . import comparison
    from .sweep import load_sweep

    sweep = load_sweep(options.paths)
    if options.verb == "report":
        from .report.write import write

        return [write(sweep, options.out, metric=options.metric, baseline=options.baseline, target=options.target)]
    metric = comparison.chosen_metric(sweep, options.metric)
    comparison.chosen_baseline(sweep, options.baseline)
    if options.verb == "figures":
        return everything(sweep, metric, options)
    return DRAW[options.verb](sweep, metric, options)


def everything(sweep, metric, options):
    """Every verb; what the runs cannot feed is left out."""
    from .runs import NotARun

    paths = []
    for verb, draw in DRAW.items():
        if verb == "timeline" and len(sweep) > 1:
            continue
        try:
            paths += draw(sweep, metric, options)
        except NotARun:
            continue
    return paths


def _need(metric, sweep):
    from .runs import NotARun

    if metric is None:
        raise NotARun(f"{sweep.runs[0].path}: no metric was measured")
    return metric


def _need_attempts(sweep):
    from .runs import NotARun

    if not len(sweep.attempts):
        raise NotARun(f"{sweep.runs[0].path}: no attempts were recorded (record.attempts)")


def _curves(sweep, metric, options):
    from .draw import draw_curves

    return draw_curves(sweep, options.out, _need(metric, sweep), getattr(options, "x", None))


def _pareto(sweep, metric, options):
    from . import style
    from .figures import pareto_front

    paths = []
    for cost in getattr(options, "cost", None) or COSTS:
        drawn = pareto_front.draw(sweep, _need(metric, sweep), cost, getattr(options, "measure", "final"))
        paths += style.save(*drawn, options.out, f"pareto-{cost.replace('_', '-')}")
    return paths


def _round_times(sweep, metric, options):
    from . import style
    from .figures import round_times

    return style.save(*round_times.draw(sweep), options.out, "round-times")


def _outcomes(sweep, metric, options):
    from . import style
    from .figures import outcomes

    _need_attempts(sweep)
    name = "outcomes-by-class" if len(sweep) == 1 else "outcomes-by-run"
    return style.save(*outcomes.draw(sweep), options.out, name)


def _memory(sweep, metric, options):
    from . import style
    from .figures import memory_parts
    from .runs import NotARun

    if not len(memory_parts.data(sweep)):
        raise NotARun(f"{sweep.runs[0].path}: the memory of no plan was recorded")
    return style.save(*memory_parts.draw(sweep), options.out, "memory")


def _heat_map(sweep, metric, options):
    from . import style
    from .figures import heat_map

    measure = getattr(options, "measure", "final")
    keys = {axis: getattr(options, axis, None) for axis in ("x", "y")}
    return style.save(*heat_map.draw(sweep, _need(metric, sweep), measure, **keys), options.out, f"heat-map-{measure}")


def _clients(sweep, metric, options):
    from . import style
    from .figures import client_spread

    return style.save(*client_spread.draw(sweep, _need(metric, sweep)), options.out, "clients")


def _layers(sweep, metric, options):
    from . import style
    from .figures import layer_errors

    return style.save(*layer_errors.draw(sweep, _need(metric, sweep)), options.out, "layers")


def _battery(sweep, metric, options):
    from . import style
    from .figures import batteries

    return style.save(*batteries.draw(sweep), options.out, "battery")


def _timeline(sweep, metric, options):
    from . import style
    from .figures import timeline
    from .runs import NotARun

    _need_attempts(sweep)
    if len(sweep) > 1:
        raise NotARun(f"a timeline shows one run; there are {len(sweep)}")
    number = getattr(options, "round", None)
    if number is not None and not (sweep.attempts["round"] == number).any():
        raise NotARun(f"{sweep.runs[0].path}: no attempts in round {number}")
    return style.save(*timeline.draw(sweep, number), options.out, "round-timeline")


def _rate(sweep, metric, options):
    from . import style
    from .figures import rate
    from .sweep import rises

    falling = [name for name in ("suboptimality", "gradient_norm", "test_loss", "train_loss") if name in sweep.metric_names]
    if options.metric is None and (metric is None or rises(metric)):
        metric = next(iter(falling), metric)
    drawn = rate.draw(sweep, _need(metric, sweep), getattr(options, "slope", None) or (-1.0,))
    return style.save(*drawn, options.out, "rate")


def _table(sweep, metric, options):
    from . import comparison

    os.makedirs(options.out, exist_ok=True)
    measure = getattr(options, "measure", "final" if metric else "virtual_time")
    tables = {
        "summary": comparison.summary(sweep, metric, options.target, options.baseline),
        "differences": comparison.differences(sweep, metric, measure, options.baseline),
    }
    paths = []
    for name, frame in tables.items():
        paths.append(os.path.join(options.out, f"{name}.csv"))
        frame.to_csv(paths[-1], index=False, lineterminator="\n")
        paths.append(os.path.join(options.out, f"{name}.md"))
        shown = comparison.readable(frame) if name == "summary" else frame
        with open(paths[-1], "w", encoding="utf-8", newline="\n") as file:
            file.write(comparison.markdown(shown))
    return paths


DRAW = {
    "curves": _curves, "pareto": _pareto, "round-times": _round_times, "outcomes": _outcomes, "memory": _memory,
    "heat-map": _heat_map, "clients": _clients, "layers": _layers, "battery": _battery, "timeline": _timeline, "rate": _rate,
    "table": _table,
}
