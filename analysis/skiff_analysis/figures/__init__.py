"""One module a figure. Each has `draw(runs, folder)` and writes SVG, PNG and the CSV behind."""

from skiff_analysis.figures import convergence, outcomes, timeline

# What `draw` makes of one run, in this order.
STANDARD = {
    "accuracy_rounds": lambda runs, folder: convergence.draw(runs, folder, "rounds"),
    "accuracy_bytes": lambda runs, folder: convergence.draw(runs, folder, "bytes"),
    "accuracy_time": lambda runs, folder: convergence.draw(runs, folder, "time"),
    "accuracy_energy": lambda runs, folder: convergence.draw(runs, folder, "energy"),
    "outcomes": outcomes.draw,
    "timeline": timeline.draw,
}
