"""The resolved form of what a gateway reads to reduce its load."""

from typing import NamedTuple

from slo_compiler.ir_histograms import Bound
from slo_compiler.units import Duration


class Degradation(NamedTuple):
    """First tokens take far longer than promised.

    Attributes:
        limit: so many times the promised threshold.
        measured: the edge at or over it that is read.
        bound: that edge in the histogram's own unit.
        guard: more events than that must lie beyond it within a step, so that a few late ones are no load.
    """

    limit: Duration
    measured: Duration
    bound: Bound
    guard: int = 0
