"""The worst replica, from every replica's own counters: just under its guard, at it and over it; gone, renamed, blind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from slo_compiler.edges import le_text
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.batches import slo_batches
from slo_compiler.emit.promtool_tests.delays import delay_of
from slo_compiler.emit.promtool_tests.exemptions import quiet_from
from slo_compiler.emit.promtool_tests.groups import free_name, groups_of, placed
from slo_compiler.emit.promtool_tests.labels import NoExample, choices, matching, near_misses, variants
from slo_compiler.emit.promtool_tests.notation import (
    GAP,
    STALE,
    Slot,
    expect_scaled,
    group,
    input_series,
    series_name,
)
from slo_compiler.ir import Counters, Histogram, Matcher, Slo, Spec, WorstReplica
from slo_compiler.promql import names
from slo_compiler.promql.build import string
from slo_compiler.units import Duration, decimal_text

# The scenario is drawn for a window of 30 minutes, in slots of 25 s, and stretches with the window.
_DRAWN_MINUTES, _SLOTS_PER_WINDOW = 30, 72
_MINUTES = 37.5
_LOOKS = (3, 5, 7, 9, 21, 33, 34.5, 37)
# The replica that is sampled so rarely that its events in a window are a whole number: every quarter of it.
_RARE_FROM, _RARE_EVERY = 9, 18


class _Burst(NamedTuple):
    """Events at once: `events` and `bad` of them, in guards, in multiples of a busy replica's, or of the limit."""

    minute: float
    events: float
    bad: float


@dataclass(frozen=True, slots=True)
class _Replica:
    """A replica and what happens to it.

    Attributes:
        bursts: events in multiples of the guard where `small`, else of `_busy`; bad ones as their share, in multiples
            of the limit where `by_limit`.
        exposes: which of the names, `newest`, `oldest`, or `all` with only bad events under the older ones.
        bucket_until: minute at which its bucket is gone.
        shares: of its ranks, each a series of its own.
        blind_rank: another rank has many events and no bucket.
        young: its process has just started.
    """

    name: str
    bursts: tuple[_Burst, ...]
    small: bool = False
    by_limit: bool = False
    exposes: str = "newest"
    bucket_until: float = 1e9
    buckets: bool = True
    shares: tuple[float, ...] = (1.0,)
    blind_rank: bool = False
    rare: bool = False
    young: bool = False


_REPLICAS = (
    _Replica("few", (_Burst(22, 0.96, 1),), small=True),
    _Replica("second", (_Burst(2, 1, 0.5),), by_limit=True, exposes="oldest"),
    _Replica("worst", (_Burst(4, 1, 2), _Burst(20, 1, 1.5)), by_limit=True, shares=(0.75, 0.25), blind_rank=True),
    _Replica("good", (_Burst(2, 2, 0), _Burst(22, 2, 0)), exposes="all", blind_rank=True),
    _Replica("no-bucket", (_Burst(2, 1, 1),), buckets=False),
    _Replica("loses-bucket", (_Burst(6, 1, 1),), bucket_until=8),
    _Replica("exact", (), rare=True),
    _Replica("just", (_Burst(36, 1.04, 1),), small=True),
    _Replica("young", (_Burst(1, 1, 1), _Burst(30, 1, 1)), young=True),
)


def worst_replicas(spec: Spec) -> list[Document]:
    """What is recorded of the worst replica of every SLO, from raw series."""
    found = []
    for slos in slo_batches(slo for slo in spec.slos if slo.worst_replica is not None):
        drawings = [drawing for slo in slos if (drawing := _drawing(spec, slo, slos)) is not None]
        if drawings:
            found.append(_recorded(spec, drawings))
    return found


def _recorded(spec: Spec, drawings: Sequence[_Drawing]) -> Document:
    series = {item["series"]: item for drawing in drawings for item in drawing.series()}
    asked = "|".join(drawing.slo.slo_id for drawing in drawings)
    checks = []
    for minute in _LOOKS:
        samples = []
        for drawing in drawings:
            time = drawing.look(minute)
            found = drawing.worst_at(time)
            if found is not None:
                labels = {"slo_id": drawing.slo.slo_id, names.REPLICA_LABEL: found[0]}
                samples.append((series_name("", labels), found[1]))
        query = f"{names.WORST_REPLICA}{{slo_id=~{string(asked)}}}"
        checks.append(expect_scaled(drawings[0].look(minute), query, samples))
    title = f"raw series give the worst replica of {', '.join(drawing.slo.name for drawing in drawings)}"
    return group(title, drawings[0].slot.promql, list(series.values()), checks)


def _drawing(spec: Spec, slo: Slo, slos: Sequence[Slo]) -> _Drawing | None:
    """How an SLO is drawn; None where its selectors leave no replicas, or no series at all."""
    assert slo.worst_replica is not None
    try:
        return _Drawing(spec, slo, slo.worst_replica, _scale(slo, slos))
    except NoExample:
        return None


class _Scale(NamedTuple):
    """Events of a busy replica and the share of them that `by_limit` is about: the same for all SLOs of a bucket."""

    busy: float
    limit: float


def _scale(slo: Slo, slos: Sequence[Slo]) -> _Scale:
    """Beyond a higher edge of a histogram lie fewer events."""
    others = [other.worst_replica for other in slos if other.worst_replica is not None]
    least, guard = min(float(other.limit) for other in others), max(other.guard for other in others)
    edges = sorted({other.measurement.measured.edge for other in slos if isinstance(other.measurement, Histogram)})
    number = edges.index(slo.measurement.measured.edge) if isinstance(slo.measurement, Histogram) else 0
    return _Scale(4 * max(guard, 1) / least, least / (1 + 0.15 * number))


class _Shape(NamedTuple):
    """All that the courses of counters depend on: the same for many SLOs, so that each is drawn once a run."""

    busy: float
    limit: float
    guard: int
    window: Decimal
    slot: Decimal
    slots: int

    @property
    def minute(self) -> float:
        """Seconds that stand for a drawn minute."""
        return float(self.window) / _DRAWN_MINUTES


@lru_cache(maxsize=4096)
def _course(shape: _Shape, replica: _Replica, share: float, bad: bool) -> tuple[Slot, ...]:
    """A counter of all events, or of the bad ones, slot by slot."""
    start, guard = 100 * shape.busy, float(shape.guard)
    if replica.rare:
        # Whole only where the slots divide the window.
        whole = shape.slot * _SLOTS_PER_WINDOW == shape.window
        quarter = guard / 4 * (1 if whole else 0.99)
        return tuple(
            start + quarter * ((index - _RARE_FROM) // _RARE_EVERY)
            if index % _RARE_EVERY == _RARE_FROM % _RARE_EVERY
            else GAP
            for index in range(shape.slots)
        )
    unit = guard if replica.small else shape.busy
    slots: list[Slot] = []
    for index in range(shape.slots):
        minute = index * float(shape.slot) / shape.minute
        value = start
        for burst in replica.bursts:
            if minute >= burst.minute:
                part = burst.bad * (shape.limit if replica.by_limit else 1) if bad else 1
                value += unit * burst.events * part * share
        slots.append(round(value, 6))
    return tuple(slots)


@lru_cache(maxsize=4096)
def _good(shape: _Shape, replica: _Replica, share: float) -> tuple[Slot, ...]:
    pairs = zip(_course(shape, replica, share, False), _course(shape, replica, share, True), strict=True)
    start = 100 * shape.busy
    return tuple(
        GAP if isinstance(count, str) or isinstance(bad, str) else round(start + count - bad, 6) for count, bad in pairs
    )


@lru_cache(maxsize=4096)
def _growth(shape: _Shape, replica: _Replica, share: float, time: float) -> tuple[float, float]:
    """The events of a replica's rank in the window up to a time, and the bad ones."""
    window = float(shape.window)
    total, good = (
        model.increase(
            [(index * float(shape.slot), value) for index, value in enumerate(slots) if not isinstance(value, str)],
            time,
            window,
        )
        or 0
        for slots in (_course(shape, replica, share, False), _good(shape, replica, share))
    )
    return total, total - good


class _Drawing:
    """The replicas of one SLO: their series, and which of them is the worst.

    Raises:
        NoExample: the selector names a single replica, or matches nothing that is found.
    """

    def __init__(self, spec: Spec, slo: Slo, worst: WorstReplica, scale: _Scale) -> None:
        self.spec, self.slo, self.worst = spec, slo, worst
        self.slot = Duration(worst.window.seconds * 1000 // _SLOTS_PER_WINDOW / 1000)
        self.minute = float(worst.window.seconds) / _DRAWN_MINUTES
        slots = int(_MINUTES * self.minute / float(self.slot.seconds)) + 1
        self.shape = _Shape(*scale, worst.guard, worst.window.seconds, self.slot.seconds, slots)
        self.replicas = [item for item in _REPLICAS if self._has(item)]
        measurement = slo.measurement
        self.matchers: tuple[Matcher, ...] = ()
        if isinstance(measurement, Histogram):
            self.matchers = measurement.matchers
        elif isinstance(measurement, Counters):
            self.matchers = measurement.total.matchers
            # Where the bad events are a part of the total's own series, the others are the good ones.
            self.shared = measurement.part.name == measurement.total.name
            self.bad_labels = matching(measurement.part.matchers)
            without = measurement.part.matchers if self.shared else ()
            self.other_labels = matching(measurement.total.matchers, without)
            self._of_part = [item for item in measurement.part.matchers if item not in self.matchers]
        self.alternatives = variants(self.matchers)
        self.names = self._names()

    def _has(self, replica: _Replica) -> bool:
        if replica.young:
            return any(item.young is not None for item in self.slo.exemptions)
        histogram = isinstance(self.slo.measurement, Histogram)
        return histogram or (replica.buckets and replica.bucket_until > _MINUTES)

    def _names(self) -> dict[str, str]:
        """Values of the label that tells replicas apart.

        Raises:
            NoExample: the selector leaves it too few.
        """
        label = self.worst.label
        if all(matcher.label != label for matcher in self.matchers):
            return {item.name: f"{item.name}:8000" for item in self.replicas}
        found = [value for value in choices(label, self.matchers, len(self.replicas) + 1) if value]
        if len(found) < len(self.replicas):
            raise NoExample(f"{label} has too few values")
        return {item.name: value for item, value in zip(self.replicas, found, strict=False)}

    def look(self, minute: float) -> float:
        """A time of the drawing at the next evaluation."""
        step = self.spec.steps.fast
        return -(-minute * self.minute // step) * step

    def worst_at(self, time: float) -> tuple[str, float] | None:
        """The oracle: the replica with the greatest share of bad events, among those over the guard."""
        shares = []
        for replica in self.replicas:
            if not replica.buckets or replica.bucket_until * self.minute <= time or replica.young:
                continue
            events = bad = 0.0
            for share in replica.shares:
                grown, grown_bad = _growth(self.shape, replica, share, time)
                events, bad = events + grown, bad + grown_bad
            if bad > self.worst.guard + 1e-6:
                shares.append((bad / events, self.names[replica.name]))
        return max(shares)[::-1] if shares else None

    def series(self) -> Iterator[Document]:
        """All series of the replicas, and of strangers that are worse than each of them."""
        for number, replica in enumerate(self.replicas):
            labels = self.alternatives[number % len(self.alternatives)]
            for rank, share in enumerate(replica.shares):
                # Where there are older names, the later ranks of a replica still have the oldest one.
                own = replace(replica, exposes="oldest") if rank else replica
                yield from self._of(own, self._placed(labels, replica, rank), share)
            if replica.blind_rank and isinstance(self.slo.measurement, Histogram):
                for rank, name in enumerate(self._ends_of_names(self.slo.measurement), start=len(replica.shares)):
                    own_labels, count = self._placed(labels, replica, rank), _course(self.shape, replica, 9, False)
                    yield input_series(f"{name}_count", own_labels, count)
                    yield input_series(f"{name}_bucket", {**own_labels, "le": "+Inf"}, count)
            if replica.young:
                yield from self._starts(labels, replica)
        # They seem to be ranks of the worst replica and are well, so that its share of bad events would be less.
        measurement = self.slo.measurement
        older = isinstance(measurement, Histogram) and len(self._ends_of_names(measurement)) > 1
        for exposes in ("newest", "oldest") if older else ("newest",):
            # Of counters they are bad, since good events are none of what is counted.
            bad = 0 if isinstance(measurement, Histogram) else 1
            stranger = _Replica("stranger", (_Burst(1, 9, bad), _Burst(30, 9, bad)), exposes=exposes)
            for miss in near_misses(self.matchers, self.alternatives[0]):
                fixed = any(item.label == self.worst.label for item in self.matchers)
                yield from self._of(stranger, miss if fixed else {**miss, **self._named("worst")}, 1)

    @staticmethod
    def _ends_of_names(measurement: Histogram) -> tuple[str, ...]:
        """The newest and the oldest name, or the only one."""
        return tuple(dict.fromkeys((measurement.names[0], measurement.names[-1])))

    def _named(self, replica: str) -> dict[str, str]:
        return {self.worst.label: self.names[replica]}

    def _placed(self, labels: dict[str, str], replica: _Replica, rank: int) -> dict[str, str]:
        """A rank's labels; the ranks of a replica may lie in different groups."""
        groups = groups_of(self.slo)
        own = {**labels, self.worst.label: self.names[replica.name], free_name("rank", self.slo): str(rank)}
        return placed(own, self.slo, groups[rank % len(groups)])

    def _of(self, replica: _Replica, labels: dict[str, str], share: float) -> Iterator[Document]:
        measurement = self.slo.measurement
        counts = _course(self.shape, replica, share, False)
        if isinstance(measurement, Histogram):
            yield from self._histogram(measurement, replica, labels, counts, _good(self.shape, replica, share))
        elif isinstance(measurement, Counters):
            bad, good = _course(self.shape, replica, share, True), _good(self.shape, replica, share)
            for name, part, slots in (
                (measurement.part.name, self.bad_labels, bad),
                (measurement.total.name, self.other_labels, good if self.shared else counts),
            ):
                own = {label: value for label, value in part.items() if label not in labels}
                own |= {item.label: part[item.label] for item in self._of_part if item.label in part}
                yield input_series(name, {**labels, **own}, slots)

    def _histogram(
        self,
        measurement: Histogram,
        replica: _Replica,
        labels: dict[str, str],
        counts: Sequence[Slot],
        goods: Sequence[Slot],
    ) -> Iterator[Document]:
        edge = decimal_text(measurement.measured.edge)
        le = le_text(edge, [measurement.measured.le_pattern])
        newest, oldest = measurement.names[0], measurement.names[-1]
        name = oldest if replica.exposes == "oldest" else newest
        yield input_series(f"{name}_count", labels, counts)
        yield input_series(f"{name}_bucket", {**labels, "le": "+Inf"}, counts)
        if replica.buckets:
            until = int(replica.bucket_until * self.minute / float(self.slot.seconds)) + 1
            left = goods if until >= len(goods) else [*goods[:until], STALE]
            yield input_series(f"{name}_bucket", {**labels, "le": le}, left)
        if replica.exposes == "all" and oldest != newest:
            # The same events under the older name, and none of them good: whoever joins by the older one sees that.
            yield input_series(f"{oldest}_count", labels, counts)
            yield input_series(f"{oldest}_bucket", {**labels, "le": le}, [100 * self.shape.busy] * self.shape.slots)

    def _starts(self, labels: dict[str, str], replica: _Replica) -> Iterator[Document]:
        begin = delay_of(self.slot, quiet_from(self.spec), self.spec.steps.fast)
        for young in (item.young for item in self.slo.exemptions if item.young is not None):
            own = {matcher.label for matcher in young.targets} | {"job"}
            found = {label: value for label, value in labels.items() if label in own}
            found[young.replica_label] = self.names[replica.name]
            yield input_series("process_start_time_seconds", found, [begin + 10 * self.minute] * self.shape.slots)
