"""Units in which an axis reads well, and names for people."""

SCALES = {
    "B": (("B", 1), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12)),
    "s": (("s", 1), ("min", 60), ("h", 3600), ("d", 86400)),
    "J": (("J", 1), ("kJ", 1e3), ("MJ", 1e6), ("GJ", 1e9)),
}
# From how many of the next unit on that one is used: 90 s stay seconds, 3 min do not.
ENOUGH = {"B": 1, "s": 3, "J": 1}

NAMES = {
    "test_accuracy": "test accuracy",
    "next_token_accuracy": "next-token accuracy",
    "macro_f1": "macro F1",
}
# The first of these that a run has stands for its success.
HEADLINES = (
    "test_accuracy", "next_token_accuracy", "masked_accuracy", "macro_f1", "perplexity", "suboptimality",
    "gradient_norm", "test_loss", "train_loss",
)


def scale(unit, largest):
    """(symbol, size) of the unit for values up to `largest`."""
    steps = SCALES[unit]
    chosen = steps[0]
    for step in steps[1:]:
        if largest >= ENOUGH[unit] * step[1]:
            chosen = step
    return chosen


def name_of(metric):
    return NAMES.get(metric, metric.replace("_", " "))


def label_of(metric):
    """For an axis: the loss is in nats, everything else a pure number."""
    return f"{name_of(metric)} (nat)" if "loss" in metric else name_of(metric)


def short_name(metric):
    """For a file: "accuracy" of "test_accuracy"."""
    return metric[5:] if metric.startswith("test_") else metric.replace("_", "-")


def headline(metrics):
    return next((metric for metric in HEADLINES if metric in metrics), metrics[0] if metrics else None)
