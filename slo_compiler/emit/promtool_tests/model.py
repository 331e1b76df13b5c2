"""What Prometheus computes from samples, stated a second time: the oracle of the tests on raw series.

Sources: Prometheus, `promql/functions.go`, `extrapolatedRate` of 2.42. Releases from 2.51.1 on agree where no sample lies on
the edge of a range and where no counter begins nearer to zero than 1.1 times what it gains from scrape to scrape.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

# A time in seconds and a value; NaN is a staleness marker.
Sample = tuple[float, float]
LOOKBACK_SECONDS = 300


def in_range(samples: Sequence[Sample], time: float, window: float) -> list[Sample]:
    """The samples in (time - window, time], ascending, without staleness markers."""
    return [sample for sample in samples if time - window < sample[0] <= time and not math.isnan(sample[1])]


def increase(samples: Sequence[Sample], time: float, window: float) -> float | None:
    """`increase(x[window])` at a time; None where fewer than two samples lie in the window."""
    found = in_range(samples, time, window)
    if len(found) < 2:
        return None
    gained = found[-1][1] - found[0][1]
    for before, after in itertools.pairwise(found):
        if after[1] < before[1]:
            gained += before[1]
    sampled = found[-1][0] - found[0][0]
    spacing = sampled / (len(found) - 1)
    start, end = found[0][0] - (time - window), time - found[-1][0]
    if gained > 0 and found[0][1] >= 0:
        start = min(start, sampled * found[0][1] / gained)
    reach = sampled
    reach += start if start < spacing * 1.1 else spacing / 2
    reach += end if end < spacing * 1.1 else spacing / 2
    return gained * reach / sampled


def rate(samples: Sequence[Sample], time: float, window: float) -> float | None:
    """`rate(x[window])` at a time, per second."""
    gained = increase(samples, time, window)
    return None if gained is None else gained / window


def latest(samples: Sequence[Sample], time: float) -> float | None:
    """The value of an instant selector: the newest sample within the lookback."""
    found = [value for moment, value in samples if time - LOOKBACK_SECONDS < moment <= time]
    return None if not found or math.isnan(found[-1]) else found[-1]


def born(samples: Sequence[Sample], up: Sequence[Sample], time: float, step: float) -> float:
    """What a counter held when it was first seen within this step, in a target that was up a step ago."""
    fresh = in_range(samples, time, step)
    if not fresh or latest(samples, time - step) is not None or latest(up, time - step) != 1:
        return 0.0
    return min(value for _, value in fresh)
