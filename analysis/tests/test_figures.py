"""What the figures say: who is cut off, and in which unit bytes stand."""
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from skiff_analysis.figures import metric_curve, timeline


def one_round():
    nan = np.nan
    attempts = pd.DataFrame(
        [(0, "phone", "accepted", "none", 10.0, 11.0, 12.0, 13.0),
         (1, "phone", "late", "deadline", 10.0, nan, nan, nan),
         (2, "phone", "late", "deadline", 10.0, 12.0, 12.5, nan),
         (3, "phone", "refused", "ram", 10.0, nan, nan, nan)],
        columns=["device", "class", "outcome", "cause", "selected", "download_end", "train_end", "upload_end"])
    attempts.insert(0, "round", 1)
    rounds = pd.DataFrame({"round": [1], "virtual_time": [14.0], "accepted": [1]})
    return SimpleNamespace(attempts=attempts, rounds=rounds)


def test_who_is_late_lasts_until_the_round_is_closed():
    frame, number, closed = timeline.data(one_round())
    assert (number, closed) == (1, 4.0)
    assert frame.set_index("device")["end"].to_dict() == {0: 3.0, 1: 4.0, 2: 4.0, 3: 0.0}


@pytest.mark.parametrize("value, text", [(1e2, "100 B"), (1e4, "10 kB"), (1e8, "100 MB"), (1e9, "1 GB")])
def test_ticks_of_bytes_say_their_unit(value, text):
    assert metric_curve._bytes_tick(value, None) == text
