"""Loads the runs of skiff into tidy frames and draws their figures."""
from importlib import import_module

__version__ = "0.1.0"
__all__ = ["load", "datasets", "results_sha256", "Runs", "NotARun"]
SWEEPS = ["load_sweep", "Sweep"]
__all__ += SWEEPS


def __getattr__(name):
    # Imported on first use, so that a missing package can be reported in one line.
    if name in __all__:
        module = import_module(".sweep" if name in SWEEPS else ".runs", __name__)
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
