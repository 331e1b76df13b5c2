"""The resolved form of what is said about single replicas."""

from decimal import Decimal
from typing import NamedTuple

from slo_compiler.units import Duration


class WorstReplica(NamedTuple):
    """One replica far worse than promised, while all of them together may be well.

    Attributes:
        label: tells the replicas apart.
        limit: the share of bad events over which a replica is a ticket.
        window: over which its events are counted.
        hold: how long it must last.
        guard: more bad events than this must lie in the window.
    """

    label: str
    limit: Decimal
    window: Duration
    hold: Duration
    guard: int
