"""The resolved form of a latency that is read from a histogram, classic or native."""

from decimal import Decimal
from typing import NamedTuple

from slo_compiler.ir_series import Matcher


class Bound(NamedTuple):
    """A bucket edge in the histogram's own unit, and the regular expression of its `le` in every spelling."""

    edge: Decimal
    le_pattern: str


class Native(NamedTuple):
    """One series with all of its buckets, which Prometheus calls a native histogram.

    Attributes:
        schema: of buckets that grow by powers of two, the coarsest that may arrive; None where they have the edges of the
            classic histogram that they were converted from.
    """

    schema: int | None = None


class Histogram(NamedTuple):
    """Good events are observations at or under a bucket edge.

    Attributes:
        names: base names that carry the same data, newest first; joined per series.
        matchers: of every series read.
        measured: the edge that decides good and bad.
        other: the edge on the other side of the promised threshold; None where the promise is an edge.
        other_is: `possible` (the stricter edge, under ceil) or `certain` (the looser one, under floor).
        other_is_all: the promise lies below every edge, so every event is possibly bad.
        native: how its series arrive; None where there are classic ones, a counter for each bucket.
    """

    names: tuple[str, ...]
    matchers: tuple[Matcher, ...]
    measured: Bound
    other: Bound | None = None
    other_is: str = "possible"
    other_is_all: bool = False
    native: Native | None = None
