"""Time slices: each side of what makes a slice bad, from what it is judged by; and a fleet's tokens and queues."""

from __future__ import annotations

from collections.abc import Callable

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.burn import DECOY, labels
from slo_compiler.emit.promtool_tests.labels import drawable, near_misses, variants
from slo_compiler.emit.promtool_tests.notation import (
    GAP,
    STALE,
    Slot,
    at,
    expect_scaled,
    group,
    input_series,
    raw_input,
    series_name,
    values,
)
from slo_compiler.emit.promtool_tests.raw_histogram import SLOTS_PER_SCRAPE
from slo_compiler.ir import Counters, Queries, Selector, Slices, Slo, Spec, Steps, Throughput, Value
from slo_compiler.promql import names
from slo_compiler.units import Duration

# A tile's value at a time; None where there is none.
Tile = Callable[[float], float | None]

# A tile, or what it is made of, at each look.
_Course = list[float | None]
# Far over the noise of floating point, and far under anything that is meant.
_HAIR = 1e-6


def share(slices: Slices, steps: Steps) -> float:
    """What a fast tile counts of a slice."""
    return steps.fast / float(slices.window.seconds)


def bad_share(slices: Slices, events: float, bad: float) -> float:
    """How bad a slice of so many events is: 0 or 1 by the target, or its ratio; without events it is none."""
    if events <= 0:
        return 0.0
    if slices.target is None:
        return bad / events
    return float(bad / events > 1 - float(slices.target) + _HAIR / 100)


def handed_over(fast: Tile, steps: Steps) -> Tile:
    """Slow tiles as sums of the fast ones of a slow step, a fast step late; nothing is recorded at the very begin."""

    def tile(time: float) -> float | None:
        times = [time - steps.fast * (index + 1) for index in range(steps.slow // steps.fast)]
        found = [value for moment in times if moment > 0 and (value := fast(moment)) is not None]
        return sum(found) if found else None

    return tile


def verdicts(spec: Spec) -> Document | None:
    """Recorded slices to tiles: at the edge, just over it, idle, gone; None where the spec has none."""
    members = [slo for slo in spec.slos if isinstance(slo.measurement, Slices)]
    if not members:
        return None
    step = spec.steps.fast
    series: list[Document] = []
    expected: dict[str, list[tuple[Slo, Tile]]] = {}
    for slo in members:
        inputs, tiles = _judged(slo, spec.steps)
        series += [input_series(name, {"slo_id": slo.slo_id}, _slots(given)) for name, given in inputs.items()]
        for record, course in tiles.items():
            expected.setdefault(record, []).append((slo, _at_steps(course, step)))
    for name in (names.SLICE_EVENTS, names.SLICE_ERROR, names.SLICE_VALUE):
        series.append(input_series(name, {"slo_id": DECOY}, [77.0] * _LOOKS))
    checks = [
        expect_scaled(look * step, f'{record}{{slo_id!="{DECOY}"}}', _samples(courses, look * step))
        for look in range(_LOOKS)
        for record, courses in sorted(expected.items())
    ]
    return group("slices are judged", at(step), series, checks)


_LOOKS = 9
# Slices with events and without, and those whose share of bad events is given by `_ratios` instead: the rule that makes
# it of the events then writes nothing of its own.
_COUNTED: _Course = [None, 0.0, 640.0, 0.5, *[None] * (_LOOKS - 4)]


def _ratios(slices: Slices) -> _Course:
    """Error ratios at the edge of what a slice may have, just over it, and on either side."""
    edge = 1 - float(slices.target) if slices.target is not None else 0.25
    return [None, None, None, None, 0.0, edge, edge * (1 + 10 * _HAIR), edge / 2, 1.0]


def _judged(slo: Slo, steps: Steps) -> tuple[dict[str, _Course], dict[str, _Course]]:
    """What is recorded of an SLO's slices, and the tiles that it must give."""
    slices = slo.measurement
    assert isinstance(slices, Slices)  # picked by the caller
    part = share(slices, steps)
    if isinstance(slices.inner, Value | Throughput):
        given = _values(slices.inner)
        inputs = {names.SLICE_VALUE: given}
        events = _map(given, lambda _: part)
        # In this group nothing waits, so that no throughput can be too low.
        bad = _map(given, lambda value: part * (isinstance(slices.inner, Value) and _fails(slices.inner, value)))
    else:
        ratios = _ratios(slices)
        counted = [None if value is None else part for value in ratios]
        inputs = {names.SLICE_EVENTS: _COUNTED, names.SLICE_ERROR: ratios, names.EVENTS["fast"]: counted}
        events = _map(_COUNTED, lambda value: part * (value > 0))
        events = [given if given is not None else made for given, made in zip(counted, events, strict=True)]
        bad = _map(ratios, lambda ratio: part * bad_share(slices, 1.0, ratio))
    if names.SLICE_EVENTS in inputs:
        # Without counters, no event is bad or all are, by which of the two is counted.
        part_is = slices.inner.part_is if isinstance(slices.inner, Counters | Queries) else ""
        bad[1:4] = [0.0, *(part * (part_is == "good"),) * 2]
    tiles = {names.EVENTS["fast"]: events, names.BAD_EVENTS["fast"]: bad}
    for fast, slow in (
        (names.EVENTS["fast"], names.EVENTS["slow"]),
        (names.BAD_EVENTS["fast"], names.BAD_EVENTS["slow"]),
    ):
        late = handed_over(_at_steps(tiles[fast], steps.fast), steps)
        tiles[slow] = [late(index * steps.fast) for index in range(_LOOKS)]
    return inputs, tiles


def _values(inner: Value | Throughput) -> _Course:
    edge = float(inner.rate if isinstance(inner, Throughput) else inner.bound)
    hair = max(abs(edge), 1.0) * _HAIR
    return [None, edge, edge + hair, edge - hair, edge * 2 + 1, None, edge - abs(edge) - 1, edge, None]


def _fails(inner: Value, value: float) -> bool:
    bound = float(inner.bound)
    return {"<=": value > bound, "<": value >= bound, ">=": value < bound, ">": value <= bound}[inner.op]


def _map(course: _Course, change: Callable[[float], float]) -> _Course:
    return [None if value is None else change(value) for value in course]


def _slots(given: _Course) -> list[Slot]:
    """The course as a series: what is gone is stale, what has not begun is not there."""
    begun = next(index for index, value in enumerate(given) if value is not None)
    return [value if value is not None else GAP if index < begun else STALE for index, value in enumerate(given)]


def _at_steps(course: _Course, step: int) -> Tile:
    def tile(time: float) -> float | None:
        index = round(time / step)
        return course[index] if 0 <= index < len(course) else None

    return tile


def _samples(courses: list[tuple[Slo, Tile]], time: float) -> list[tuple[str, float]]:
    return [(labels(slo.slo_id), value) for slo, tile in courses if (value := tile(time)) is not None]


# Phases of twice a slice: fast enough with a queue, too slow without, too slow with, too slow with one that was empty
# for a moment, gone. The second replica makes the larger part of the tokens and holds the queue.
_FAST, _NO_QUEUE, _SLOW, _MOMENT, _GONE = range(5)
_PHASES = 5
_RATES = {_FAST: 1.25, _NO_QUEUE: 0.75, _SLOW: 0.75, _MOMENT: 0.75}
_SHARES = (0.375, 0.625)


def throughputs(spec: Spec) -> list[Document]:
    """Raw tokens and queues to slices, a group for each objective."""
    return [
        _throughput(spec, slo, slo.measurement, slo.measurement.inner)
        for slo in spec.slos
        if isinstance(slo.measurement, Slices)
        and isinstance(slo.measurement.inner, Throughput)
        and drawable(slo.measurement.inner.tokens[0].matchers)
    ]


def _throughput(spec: Spec, slo: Slo, slices: Slices, inner: Throughput) -> Document:
    fleet = _Fleet(inner, slices.window, spec.steps)
    step = spec.steps.fast
    looks = range(2, int(fleet.length / step) + 1)
    part = share(slices, spec.steps)
    tiles: dict[str, Tile] = {
        names.SLICE_VALUE: fleet.rate,
        names.EVENTS["fast"]: lambda time: None if fleet.rate(time) is None else part,
        names.BAD_EVENTS["fast"]: lambda time: None if fleet.rate(time) is None else part * fleet.is_bad(time),
    }
    checks = [
        expect_scaled(look * step, f"{record}{labels(slo.slo_id)}", _samples([(slo, tile)], look * step))
        for look in looks
        for record, tile in tiles.items()
    ]
    return group(f"tokens and queues give slices of {slo.name}", at(fleet.slot), fleet.series(), checks)


class _Fleet:
    """Two replicas and strangers, scraped between the evaluations."""

    def __init__(self, inner: Throughput, window: Duration, steps: Steps) -> None:
        self.inner = inner
        self.window = float(window.seconds)
        self.scrape = float(steps.scrape)
        self.slot = max(1, int(steps.scrape) // SLOTS_PER_SCRAPE)
        self.phase_seconds = 2 * self.window + 4 * self.scrape
        self.length = self.phase_seconds * _PHASES
        self._tokens = [self._scraped(lambda time, share=share: self._count(time) * share) for share in _SHARES]  # type: ignore[misc]
        self._queues = [self._scraped(lambda time: 0.0), self._scraped(self._queue)]

    def rate(self, time: float) -> float | None:
        """Tokens per second over the slice; None where the tokens are gone."""
        found = [model.rate(samples, time, self.window + self.scrape) for samples in self._tokens]
        seen = [value for value in found if value is not None]
        return sum(seen) if seen else None

    def is_bad(self, time: float) -> bool:
        """Whether the slice is too slow while a replica's queue is never empty."""
        rate = self.rate(time)
        queues = [model.in_range(samples, time, self.window) for samples in self._queues]
        waiting = sum(min(value for _, value in queue) for queue in queues if queue)
        return rate is not None and rate < float(self.inner.rate) and waiting > 0

    def series(self) -> list[Document]:
        """All series, in the engine's own names and labels, under every name once."""
        matchers = self.inner.tokens[0].matchers
        alternatives = variants(matchers)
        found = []
        for index, (tokens, queue) in enumerate(zip(self._tokens, self._queues, strict=True)):
            own = {**alternatives[index % len(alternatives)], "replica": f"r{index}"}
            found.append(self._input(self.inner.tokens[index % len(self.inner.tokens)], own, tokens))
            found.append(self._input(self.inner.waiting[index % len(self.inner.waiting)], own, queue))
        for miss in near_misses(matchers, alternatives[0]):
            own = {**miss, "replica": "r0"}
            many = [(time, value * 7) for time, value in self._tokens[1]]
            found.append(self._input(self.inner.tokens[0], own, many))
            found.append(self._input(self.inner.waiting[0], own, [(time, 9.0) for time, _ in self._queues[0]]))
        return found

    def _input(self, selector: Selector, own: dict[str, str], samples: list[model.Sample]) -> Document:
        slots: list[Slot] = [GAP] * (int(self.length / self.slot) + 1)
        for time, value in samples:
            slots[round(time / self.slot)] = value
        return raw_input(series_name(selector.name, own), values(slots))

    def _scraped(self, course: Callable[[float], float]) -> list[model.Sample]:
        count = int(self.length / self.slot) + 1
        times = [slot * self.slot for slot in range(count) if slot % SLOTS_PER_SCRAPE == 1]
        return [(float(time), course(time)) for time in times if self._phase(time) < _GONE]

    def _phase(self, time: float) -> int:
        return min(int(time / self.phase_seconds), _GONE)

    def _count(self, time: float) -> float:
        full, rest = divmod(time, self.phase_seconds)
        seconds = [self.phase_seconds] * int(full) + [rest]
        made = sum(_RATES[phase] * part for phase, part in enumerate(seconds))
        return 100_000 + round(float(self.inner.rate) * made, 3)

    def _queue(self, time: float) -> float:
        phase = self._phase(time)
        if phase == _MOMENT:
            return 0.0 if int(time / self.scrape) % 2 else 3.0
        return 0.0 if phase == _NO_QUEUE else 2.0
