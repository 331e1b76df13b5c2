"""Raw series of counters: births, resets, targets that come and go, and the tiles that they must give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.groups import as_matchers, free_name, placed
from slo_compiler.emit.promtool_tests.labels import NoExample, matching, near_misses, variants
from slo_compiler.emit.promtool_tests.notation import GAP, STALE, Labels, Slot, raw_input, series_name, values
from slo_compiler.emit.promtool_tests.raw_histogram import DRAWN_SCRAPE, SLOTS_PER_SCRAPE
from slo_compiler.ir import Counters, Matcher, Slo

_LENGTH = 910
_IMPOSSIBLE = range(580, 630)
_RESET = 540
# Idle until after the first look, and again from here.
_BEGIN, _IDLE = 35, 720
LOOKS = (30, 60, 90, 120, 150, 210, 240, 270, 330, 360, 480, 510, 570, 600, 660, 780)


@dataclass(frozen=True, slots=True)
class _Life:
    """A counter of one target.

    Attributes:
        counts: `total`, `part` or `rest` (events that are in the total and not in the part).
        from_: when it is first exposed; a target that is up before that has given birth to it.
        gap: not exposed in between, with a staleness marker.
        first: the value at its first scrape.
    """

    name: str
    target: str
    counts: str
    first: float
    rate: int
    from_: int = 0
    gap: tuple[int, int] = (0, 0)
    resets: bool = False
    impossible: bool = False


@dataclass(frozen=True, slots=True)
class _Target:
    """A scraped target: its phase in slots, and when it is up."""

    name: str
    phase: int
    from_: int = 0
    down: tuple[int, int] = (0, 0)


_TARGETS = (
    _Target("g0", 1),
    _Target("g1", 2),
    _Target("new", 1, from_=260),
    _Target("back", 2, down=(310, 460)),
    _Target("quiet", 1, from_=80),
)
# At the first look there is no `part` at all; then its series are born above zero in targets that are up. Those of `new`
# and `back` stood so before anyone looked; `quiet` gives birth 30 s after it came up. What is born stands above what it gains
# in 1.1 scrapes: below, releases before 2.51 extrapolate further back than later ones.
_LIVES = (
    _Life("all", "g0", "rest", 1000, 9),
    _Life("all", "g1", "rest", 2000, 7, resets=True),
    _Life("part", "g0", "part", 6, 2, from_=123),
    _Life("part", "g1", "part", 7, 3, from_=75, impossible=True),
    _Life("late", "g1", "rest", 8, 4, from_=305),
    _Life("late", "g0", "rest", 8, 3, from_=316),
    _Life("all", "new", "rest", 4000, 6, from_=260),
    _Life("part", "new", "part", 400, 1, from_=260),
    _Life("all", "back", "rest", 5000, 5, gap=(310, 460)),
    _Life("part", "back", "part", 7, 2, from_=80, gap=(310, 460)),
    _Life("all", "quiet", "rest", 600, 3, from_=80),
    _Life("late", "quiet", "rest", 9, 2, from_=110),
    _Life("part", "quiet", "part", 11, 1, from_=110),
)


@dataclass(frozen=True, slots=True)
class CounterTiles:
    """What must be recorded at a time."""

    events: float
    bad: float


class Fleet:
    """The samples of every counter; the same for all SLOs whose total contains the part, or does not."""

    def __init__(self, part_in_total: bool, slot_seconds: float) -> None:
        self.part_in_total = part_in_total
        self.slot = slot_seconds
        self.ups = {target.name: self._up(target) for target in _TARGETS}
        self.up_samples = {name: self._samples(slots) for name, slots in self.ups.items()}
        self.slots = [self._counter(life, index) for index, life in enumerate(_LIVES)]
        self.samples = [self._samples(slots) for slots in self.slots]
        self.texts = [values(slots) for slots in self.slots]
        self.up_texts = {name: values(slots) for name, slots in self.ups.items()}

    def tiles(
        self, counters: CountersKind, step: int, scrape: float, time: float, *, rest_only: bool = False
    ) -> CounterTiles:
        """The oracle for the last `step` seconds: what rate sees, and what was born in targets that were up.

        Args:
            rest_only: without the counters of the part, as in a group where none was ever born.
        """
        window = step + scrape
        total = part = 0.0
        for life, samples in zip(_LIVES, self.samples, strict=True):
            if rest_only and life.counts == "part":
                continue
            seen = (model.rate(samples, time, window) or 0.0) * step
            seen += model.born(samples, self.up_samples[life.target], time, step)
            if life.counts == "part":
                part += seen
            if life.counts != "part" or self.part_in_total:
                total += seen
        if counters.part_is == "bad":
            return CounterTiles(total, min(part, total))
        return CounterTiles(total, total - part if counters.part_later else max(total - part, 0.0))

    def _samples(self, slots: Sequence[Slot]) -> list[model.Sample]:
        found = []
        for index, value in enumerate(slots):
            if value == STALE:  # what lies before a staleness marker is no longer the newest sample
                found.append((index * self.slot, float("nan")))
            elif not isinstance(value, str):
                found.append((index * self.slot, value))
        return found

    def _scrapes(self, target: _Target) -> list[tuple[int, float]]:
        drawn_slot = DRAWN_SCRAPE / SLOTS_PER_SCRAPE
        slots = range(int(_LENGTH / drawn_slot) + 1)
        return [(slot, slot * drawn_slot) for slot in slots if slot % SLOTS_PER_SCRAPE == target.phase]

    def _empty(self) -> list[Slot]:
        return [GAP] * (int(_LENGTH * SLOTS_PER_SCRAPE / DRAWN_SCRAPE) + 1)

    def _up(self, target: _Target) -> list[Slot]:
        slots = self._empty()
        for slot, time in self._scrapes(target):
            if time >= target.from_:
                slots[slot] = 0.0 if target.down[0] <= time < target.down[1] else 1.0
        return slots

    def _counter(self, life: _Life, index: int) -> list[Slot]:
        target = next(target for target in _TARGETS if target.name == life.target)
        slots = self._empty()
        value, last, stale = life.first, -1.0, False
        for number, (slot, time) in enumerate(self._scrapes(target)):
            if time < life.from_:
                continue
            if last >= 0 and _BEGIN <= time < _IDLE:
                value += life.rate + (number * 5 + index) % 4
                if life.impossible and int(time) in _IMPOSSIBLE and not self.part_in_total:
                    value += 700
            if life.resets and last < _RESET <= time:
                value = 80.0
            last = time
            if life.gap[0] <= time < life.gap[1]:
                slots[slot] = GAP if stale else STALE
                stale = True
                continue
            slots[slot] = value
        return slots


@lru_cache(maxsize=16)
def fleet(part_in_total: bool, slot_seconds: float) -> Fleet:
    """The fleet of targets."""
    return Fleet(part_in_total, slot_seconds)


class CountersKind(NamedTuple):
    """All that the oracle need know of counters; the same for many SLOs."""

    shared: bool
    part_is: str
    part_later: bool


def kind_of(counters: Counters) -> CountersKind:
    """What the oracle need know of these counters."""
    return CountersKind(part_in_total(counters), counters.part_is, counters.part_later)


@lru_cache(maxsize=4096)
def expected(
    counters: CountersKind,
    slot_seconds: float,
    step: int,
    scrape: float,
    time: float,
    *,
    rest_only: bool = False,
) -> CounterTiles:
    """The oracle's answer; the same for every SLO of one shape."""
    return fleet(counters.shared, slot_seconds).tiles(counters, step, scrape, time, rest_only=rest_only)


def part_in_total(counters: Counters) -> bool:
    """Whether an event of the part is counted in the same series that the total reads."""
    return counters.total.name == counters.part.name


def series(slo: Slo, group: Labels, slot_seconds: float, *, rest_only: bool) -> list[Document]:
    """The fleet in the spec's own names and labels, with near misses of every matcher beside it.

    Args:
        group: of the SLO, whose fleet this is.

    Raises:
        NoExample: no label values fit the selectors, or the groups are what the fleet itself is told apart by.
        TypeError: the SLO reads no counters.
    """
    counters = slo.counted
    if not isinstance(counters, Counters):
        raise TypeError(f"{slo.slo_id} reads no counters")
    if "instance" in slo.groups.labels:
        raise NoExample("a fleet of several targets is in no one group")
    total, part = counters.total, counters.part
    shared = part_in_total(counters)
    parts = variants((*part.matchers, *total.matchers) if shared else part.matchers)
    rests = variants(total.matchers, part.matchers if shared else ())
    parts, rests = ([placed(labels, slo, group) for labels in found] for found in (parts, rests))
    part_labels, rest_labels = parts[0], rests[0]
    grouped = as_matchers(slo, group)
    shard = free_name("shard", slo)
    drawn = fleet(shared, slot_seconds)
    found = []
    for index, (life, text) in enumerate(zip(_LIVES, drawn.texts, strict=True)):
        if rest_only and life.counts == "part":
            continue
        selector, alternatives = (part, parts) if life.counts == "part" else (total, rests)
        labels = alternatives[index % len(alternatives)]
        own = _labels(labels, (*selector.matchers, *grouped), life.target)
        found.append(raw_input(series_name(selector.name, {**own, shard: life.name}), text))
    for selector, labels in ((total, rest_labels), (part, part_labels)):
        # A near miss of the part is a part of the total where both are one metric: there, only the total's count.
        matchers = total.matchers if shared else selector.matchers
        for miss in near_misses(matchers, labels):
            own = _labels(miss, (*matchers, *grouped), "g0")
            found.append(raw_input(series_name(selector.name, {**own, shard: "all"}), drawn.texts[0]))
    return [*found, *_up_series(slo, group, counters, drawn)]


def _up_series(slo: Slo, group: Labels, counters: Counters, drawn: Fleet) -> list[Document]:
    """`up` of every target: what born events are judged by, with the job that the counters have."""
    found: dict[str, Document] = {}
    grouped = as_matchers(slo, group)
    for selector in (counters.total, counters.part):
        labels = placed(matching(selector.matchers), slo, group)
        for target, text in drawn.up_texts.items():
            all_labels = _labels(labels, (*selector.matchers, *grouped), target)
            own = {key: value for key, value in all_labels.items() if key in _UP_LABELS}
            name = series_name("up", own)
            found[name] = raw_input(name, text)
            # Another job on the same instance is up all the time.
            stranger = series_name("up", {**own, "job": f"not-{own.get('job', '')}"})
            found[stranger] = raw_input(stranger, _ALWAYS_UP)
    return list(found.values())


_ALWAYS_UP = f"1x{_LENGTH * SLOTS_PER_SCRAPE // DRAWN_SCRAPE}"
_UP_LABELS = ("job", "instance")


def _labels(labels: dict[str, str], matchers: Sequence[Matcher], target: str) -> dict[str, str]:
    matched = {matcher.label for matcher in matchers}
    own = {label: value for label, value in (("job", "gw"), ("instance", f"{target}:9090")) if label not in matched}
    return {**labels, **own}
