"""Loads the runs of skiff into tidy frames and draws their figures.

    from skiff_analysis import load
    runs = load("results/quickstart")      # one run.h5, or a folder with any number of them
    runs.rounds                            # pandas: run, case, seed, round, virtual_time, ...
"""

from skiff_analysis.load import Runs, find_runs, load, open_dataset

__all__ = ["Runs", "find_runs", "load", "open_dataset"]
