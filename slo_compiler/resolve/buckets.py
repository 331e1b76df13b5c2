"""A promised threshold against the boundaries of a histogram."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple


class Reading(NamedTuple):
    """Which edges the rules read for a threshold; all in the histogram's unit.

    Attributes:
        measured: decides good and bad.
        other: on the other side of the threshold; None where it is an edge, or where there is none.
        other_is: `possible` or `certain` bad events.
        other_is_all: every event is possibly bad, since the threshold lies below all edges.
    """

    measured: Decimal
    other: Decimal | None = None
    other_is: str = "possible"
    other_is_all: bool = False

    @property
    def exact(self) -> bool:
        """Whether the threshold is measured as it was promised."""
        return self.other is None and not self.other_is_all


class Unmeasurable(Exception):
    """The threshold cannot be read from these buckets under this policy; the message says why."""

    def __init__(self, message: str, *, between: bool) -> None:
        super().__init__(message)
        self.between = between


def read_threshold(threshold: Decimal, edges: Sequence[Decimal], policy: str) -> Reading:
    """The edges that stand for a threshold.

    `ceil` reads the next edge: what lies beyond it is certainly bad. `floor` reads the edge below and counts some good
    events as bad. Linear interpolation is no choice: it reads an error ratio that nobody measured.

    Args:
        edges: ascending, finite.
        policy: `ceil`, `floor` or `exact`.

    Raises:
        Unmeasurable: no edge can stand for the threshold.
    """
    index = bisect_left(edges, threshold)
    if index < len(edges) and edges[index] == threshold:
        return Reading(threshold)
    if index == len(edges):
        raise Unmeasurable("lies above the highest bucket", between=False)
    if policy == "ceil":
        if index == 0:
            return Reading(edges[0], other_is_all=True)
        return Reading(edges[index], edges[index - 1])
    if index == 0:
        raise Unmeasurable("lies below the lowest bucket", between=False)
    if policy == "floor":
        return Reading(edges[index - 1], edges[index], "certain")
    raise Unmeasurable("is no bucket boundary", between=True)


def exponential_edges(threshold: Decimal, schema: int) -> tuple[Decimal, ...]:
    """The edges of exponential buckets around a threshold, ascending: each is 2^(2^-schema) times the one before.

    They are the doubles that Prometheus computes (`getBoundExponential` in its model/histogram), so that at an edge no
    bucket is cut. The edges of a schema are edges of every finer one too.
    """
    at = math.floor(math.log2(threshold) * 2.0**schema)
    return tuple(_exponential_edge(at + offset, schema) for offset in range(-1, 3))


def _exponential_edge(index: int, schema: int) -> Decimal:
    if schema <= 0:
        return Decimal(repr(math.ldexp(1.0, index << -schema)))
    exponent, step = divmod(index, 1 << schema)
    with localcontext() as context:
        context.prec = 40
        mantissa = float(Decimal(2) ** (Decimal(step) / (1 << schema)))
    return Decimal(repr(math.ldexp(mantissa, exponent)))


def neighbours(threshold: Decimal, edges: Sequence[Decimal]) -> list[Decimal]:
    """The edges around a threshold, one or two."""
    index = bisect_left(edges, threshold)
    return list(edges[max(0, index - 1) : index + 1])
