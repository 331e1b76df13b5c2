"""Raw series of a histogram: replicas with every trouble of a real fleet, and the tiles that they must give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from slo_compiler.edges import le_text
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.groups import as_matchers, placed
from slo_compiler.emit.promtool_tests.labels import near_misses, variants
from slo_compiler.emit.promtool_tests.notation import GAP, Labels, Slot, raw_input, series_name, values
from slo_compiler.ir import Histogram, Level, Matcher, Slo, Steps
from slo_compiler.units import Duration, decimal_text

# The scenario is drawn for scrapes 15 s apart, in slots of a third of that, and stretches with the scrape interval.
DRAWN_SCRAPE = 15
SLOTS_PER_SCRAPE = 3
LENGTH = 910
_IMPOSSIBLE = range(180, 230)
_RESET = 540
_STEP_UP = 600
_IDLE = 690
_HARDLY = 790
_ALL_LOST = 815
_BUCKETS_LOST = 420
# When the tiles are looked at, and what is special then: a missed scrape, impossible data, a lost bucket, a long gap,
# a lost bucket that has left the slow window, idle, hardly an event, no bucket anywhere.
LOOKS = (60, 150, 210, 240, 300, 450, 510, 570, 660, 780, 810, 900)


@lru_cache(maxsize=64)
def slot_of(steps: Steps) -> Duration:
    """A third of a scrape, or up to some ms less, so that no scrape lies on the edge of what an evaluation reads."""
    scrape, step = int(steps.scrape * 1000), steps.fast * 1000
    slot = scrape // SLOTS_PER_SCRAPE
    scrapes = [index for index in range(LENGTH * SLOTS_PER_SCRAPE // DRAWN_SCRAPE) if index % SLOTS_PER_SCRAPE]
    while any((index * slot + back) % step == 0 for index in scrapes for back in (0, scrape)):
        slot -= 1
    return Duration(Decimal(slot) / 1000)


@dataclass(frozen=True, slots=True)
class _Pod:
    """A replica: the phase of its scrapes in slots, which of the names it exposes, and its trouble."""

    name: str
    phase: int
    exposes: str = "newest"  # newest | oldest | all
    buckets: bool = True
    loses_buckets: bool = False
    resets: bool = False
    impossible: bool = False
    misses: tuple[tuple[int, int], ...] = ()
    whole_le_text: bool = False


_PODS = (
    _Pod("p0", 1, impossible=True, misses=((50, 51),)),
    _Pod("p1", 2, exposes="oldest", resets=True, whole_le_text=True),
    _Pod("p2", 1, exposes="all"),
    _Pod("no-bucket", 2, buckets=False),
    _Pod("loses-bucket", 1, loses_buckets=True),
    _Pod("long-gap", 2, misses=((280, 500),)),
)


@dataclass(frozen=True, slots=True)
class Tiles:
    """What must be recorded at a time; None where there must be nothing."""

    events: float | None
    bad: float | None
    other: float | None
    covered: float | None


class Fleet:
    """The samples of every replica, the same for all histograms with as many names and edges.

    Args:
        good: nothing is late; a fleet of another group than one in trouble.
        native: a replica's samples hold its count and its buckets at once, so that these contradict each other nowhere, and
            while it has lost them it has a classic count alone.
    """

    def __init__(
        self, names: int, edges: int, slot_seconds: float, *, good: bool = False, native: bool = False
    ) -> None:
        self.good = good
        self.native = native
        self.names = names
        self.edges = edges
        self.slot = slot_seconds
        self.stretch = slot_seconds * SLOTS_PER_SCRAPE / DRAWN_SCRAPE
        self.counts = [self._counter(pod, index, None) for index, pod in enumerate(_PODS)]
        self.buckets = [[self._counter(pod, index, edge) for edge in range(edges)] for index, pod in enumerate(_PODS)]
        self.count_samples = [self._samples(slots) for slots in self.counts]
        self.classic_samples: list[list[model.Sample]] = [[] for _ in _PODS]
        if native:
            for index, pod in enumerate(_PODS):
                shown = {time for time, _ in self._samples(self.buckets[index][0])} if pod.buckets else frozenset()
                counted = self.count_samples[index]
                self.classic_samples[index] = [sample for sample in counted if sample[0] not in shown]
                self.count_samples[index] = [sample for sample in counted if sample[0] in shown]
        self.bucket_samples = [[self._samples(slots) for slots in pod] for pod in self.buckets]
        self.count_texts = [values(slots) for slots in self.counts]
        self.bucket_texts = [[values(slots) for slots in pod] for pod in self.buckets]

    def names_of(self, pod: _Pod) -> range:
        """Indices of the names that a replica exposes; the newest is 0."""
        if pod.exposes == "all":
            return range(self.names)
        # Beside native histograms the classic counts of all names are read, and of this replica there are no others.
        oldest = pod.exposes == "oldest" or (self.native and not pod.buckets)
        return range(self.names - 1, self.names) if oldest else range(1)

    def tiles(
        self, measured: int, other: int | None, level: Level, steps: Steps, time: float, young: frozenset[str]
    ) -> Tiles:
        """The oracle: sums over those replicas that expose the measured bucket, less what young ones count."""
        step = steps.of(level)
        window = step + float(steps.scrape)
        counts = [model.rate(samples, time, window) for samples in self.count_samples]
        goods = self._rates(measured, time, window)
        judged = [count for count, good in zip(counts, goods, strict=True) if count is not None and good is not None]
        seen = zip(counts, self.classic_samples, strict=True)
        every = [count if count is not None else model.rate(classic, time, window) for count, classic in seen]
        all_counts = sum(count for count in every if count is not None)
        covered = sum(judged) / all_counts if all_counts > 0 else None
        if not judged:
            return Tiles(None, None, None, covered)
        grown = [pod.name not in young for pod in _PODS]
        pairs = zip(counts, goods, grown, strict=True)
        events = sum(count for count, good, old in pairs if old and count is not None and good is not None) * step
        goods = [good if old else None for good, old in zip(goods, grown, strict=True)]
        others = self._rates(other, time, window) if other is not None else []
        others = [good if old else None for good, old in zip(others, grown, strict=False)]
        return Tiles(
            events,
            max(events - sum(good for good in goods if good is not None) * step, 0.0),
            max(events - sum(good for good in others if good is not None) * step, 0.0) if others else None,
            covered,
        )

    def _rates(self, edge: int, time: float, window: float) -> list[float | None]:
        return [
            model.rate(self.bucket_samples[index][edge], time, window) if pod.buckets else None
            for index, pod in enumerate(_PODS)
        ]

    def _samples(self, slots: Sequence[Slot]) -> list[model.Sample]:
        return [(index * self.slot, value) for index, value in enumerate(slots) if not isinstance(value, str)]

    def _counter(self, pod: _Pod, index: int, edge: int | None) -> list[Slot]:
        slots: list[Slot] = []
        value, scrape, last = 1000.0 + 100 * index, 0, -1.0
        drawn_slot = DRAWN_SCRAPE / SLOTS_PER_SCRAPE
        for slot in range(int(LENGTH / drawn_slot) + 1):
            time = slot * drawn_slot
            if slot % SLOTS_PER_SCRAPE != pod.phase:
                slots.append(GAP)
                continue
            scrape += 1
            value += self._increment(pod, index, edge, scrape, time)
            if pod.resets and last < _RESET <= time:
                value = 60.0 + 10 * (edge if edge is not None else self.edges)
            last = time
            lost = edge is not None and time >= (_BUCKETS_LOST if pod.loses_buckets else _ALL_LOST)
            missed = any(start <= time < end for start, end in pod.misses)
            slots.append(GAP if lost or missed else value)
        return slots

    def _increment(self, pod: _Pod, index: int, edge: int | None, scrape: int, time: float) -> float:
        if time >= _IDLE:
            hardly = 2**-11 if time >= _HARDLY else 0
            return hardly if edge is None else hardly * (edge + 1) / (self.edges + 2)
        requests = 6 + (scrape * 7 + index * 5) % 9
        if time >= _STEP_UP:
            requests *= 2
        if edge is None or self.good:
            return requests
        if pod.impossible and int(time) in _IMPOSSIBLE and not self.native:
            return requests + 500

        def at_or_under(edge: int) -> float:
            return min(requests, requests * (2 * edge + 2) // (2 * self.edges + 2) + (scrape + edge + index) % 2)

        return max(map(at_or_under, range(edge + 1))) if self.native else at_or_under(edge)


@lru_cache(maxsize=256)
def fleet(names: int, edges: int, slot_seconds: float, *, good: bool, native: bool) -> Fleet:
    """The fleet for a histogram with so many names and read edges."""
    return Fleet(names, edges, slot_seconds, good=good, native=native)


@lru_cache(maxsize=4096)
def expected(
    names: int,
    edges: int,
    slot_seconds: float,
    measured: int,
    other: int | None,
    level: Level,
    steps: Steps,
    time: float,
    young: frozenset[str],
    *,
    good: bool,
    native: bool,
) -> Tiles:
    """The oracle's answer; the same for every SLO of one shape."""
    drawn = fleet(names, edges, slot_seconds, good=good, native=native)
    return drawn.tiles(measured, other, level, steps, time, young)


def young_pods(slot_seconds: float, limit: float, time: float) -> frozenset[str]:
    """The replicas whose last start that is known at a time is less than `limit` seconds ago."""
    found = set()
    for pod in _PODS:
        start = model.latest([item for item in _starts(pod, slot_seconds) if item[0] <= time], time)
        if start is not None and start > time - limit:
            found.add(pod.name)
    return frozenset(found)


def start_series(histogram: Histogram, targets: Sequence[Matcher], slot_seconds: float, begin: float) -> list[Document]:
    """When each replica's process started, as it says itself, in a test that begins so many seconds after 1970."""
    alternatives = variants(histogram.matchers)
    own = {matcher.label for matcher in targets} | {"job", "instance"}
    found = []
    for index, pod in enumerate(_PODS):
        every = _pod_labels(alternatives[index % len(alternatives)], histogram.matchers, pod.name)
        slots: list[Slot] = [GAP] * (int(LENGTH * SLOTS_PER_SCRAPE / DRAWN_SCRAPE) + 1)
        for time, start in _starts(pod, slot_seconds):
            slots[round(time / slot_seconds)] = begin + start
        name = series_name("process_start_time_seconds", {key: value for key, value in every.items() if key in own})
        found.append(raw_input(name, values(slots)))
    return found


@lru_cache(maxsize=64)
def _starts(pod: _Pod, slot_seconds: float) -> tuple[model.Sample, ...]:
    """What the replica says of its start at each scrape: long ago, and after a restart then."""
    drawn = slot_seconds * SLOTS_PER_SCRAPE / DRAWN_SCRAPE
    found = []
    for slot in range(int(LENGTH * SLOTS_PER_SCRAPE / DRAWN_SCRAPE) + 1):
        if slot % SLOTS_PER_SCRAPE != pod.phase:
            continue
        time = slot * slot_seconds
        restarted = pod.resets and time >= _RESET * drawn
        found.append((time, _RESET * drawn if restarted else -1_000_000.0))
    return tuple(found)


def series(slo: Slo, group: Labels, edges: Sequence[str], slot_seconds: float, *, good: bool) -> list[Document]:
    """The fleet in the engine's own names and labels, with near misses of every matcher beside it.

    Args:
        group: of the SLO, whose fleet this is.
        edges: the edges that are read, ascending, as decimal texts.

    Raises:
        TypeError: the SLO reads no histogram.
    """
    histogram = slo.measurement
    if not isinstance(histogram, Histogram):
        raise TypeError(f"{slo.slo_id} reads no histogram")
    drawn = fleet(len(histogram.names), len(edges), slot_seconds, good=good, native=histogram.native is not None)
    patterns = [bound.le_pattern for bound in (histogram.measured, histogram.other) if bound is not None]
    alternatives = [placed(labels, slo, group) for labels in variants(histogram.matchers)]
    labels = alternatives[0]
    grouped = as_matchers(slo, group)
    found = []
    for index, pod in enumerate(_PODS):
        own = _pod_labels(alternatives[index % len(alternatives)], (*histogram.matchers, *grouped), pod.name)
        for name in (histogram.names[position] for position in drawn.names_of(pod)):
            found.append(raw_input(series_name(f"{name}_count", own), drawn.count_texts[index]))
            if pod.buckets:
                for edge, text in zip(edges, drawn.bucket_texts[index], strict=True):
                    le = {"le": le_text(edge, patterns, whole=pod.whole_le_text)}
                    found.append(raw_input(series_name(f"{name}_bucket", {**own, **le}), text))
            else:
                le = {"le": "+Inf"}
                found.append(raw_input(series_name(f"{name}_bucket", {**own, **le}), drawn.count_texts[index]))
    if drawn.native:
        found += _classic_strangers(histogram, labels, grouped, drawn.count_texts[2])
    for miss in near_misses(histogram.matchers, labels):
        for name in histogram.names:
            own = _pod_labels(miss, (*histogram.matchers, *grouped), "p0")
            found.append(raw_input(series_name(f"{name}_count", own), drawn.count_texts[2]))
            found += [
                raw_input(series_name(f"{name}_bucket", {**own, "le": le_text(edge, patterns, whole=False)}), text)
                for edge, text in zip(edges, drawn.bucket_texts[2], strict=True)
            ]
    return found


def _classic_strangers(
    histogram: Histogram, labels: dict[str, str], grouped: Sequence[Matcher], text: str
) -> list[Document]:
    """Near misses that stay classic series, since no edge of theirs is drawn."""
    found = []
    for miss in near_misses(histogram.matchers, labels):
        own = _pod_labels(miss, (*histogram.matchers, *grouped), "classic")
        for name in histogram.names:
            found.append(raw_input(series_name(f"{name}_count", own), text))
            found.append(raw_input(series_name(f"{name}_bucket", {**own, "le": "+Inf"}), text))
    return found


def _pod_labels(labels: dict[str, str], matchers: Sequence[Matcher], pod: str) -> dict[str, str]:
    matched = {matcher.label for matcher in matchers}
    own = {label: value for label, value in (("instance", f"{pod}:8000"), ("pod", pod)) if label not in matched}
    return {**labels, **own}


def edge_texts(histograms: Sequence[Histogram]) -> list[str]:
    """All edges that some SLO of a family reads, ascending."""
    edges = {histogram.measured.edge for histogram in histograms}
    edges |= {histogram.other.edge for histogram in histograms if histogram.other is not None}
    return [decimal_text(edge) for edge in sorted(edges)]
