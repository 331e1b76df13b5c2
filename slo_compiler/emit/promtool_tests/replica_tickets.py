"""The ticket on the worst replica, from recorded series: its limit, its wait, and its end when all replicas are bad."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property, lru_cache

from slo_compiler.emit import alerts
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.alert_states import FIRING, AlertCourse, course, state_checks, text_checks
from slo_compiler.emit.promtool_tests.burn import DECOY
from slo_compiler.emit.promtool_tests.delays import delay_of
from slo_compiler.emit.promtool_tests.exemptions import Masks, condition_series, quiet_from
from slo_compiler.emit.promtool_tests.groups import groups_of
from slo_compiler.emit.promtool_tests.notation import GAP, STALE, Slot, group, input_series, slot_of, slots_of
from slo_compiler.ir import Slo, Spec, WorstReplica
from slo_compiler.promql import names

# Tiles and what is recorded of replicas stand two slots before their evaluation, and event tiles are stale one slot before
# it: the rules then make nothing of them, and tiles of 0 that a mask writes at it stand beside them.
_BEFORE = 2
# Under the limit until the first of these minutes, at it until the second, then over it; from the third on another replica is
# the worst one; an exemption.
_UNDER, _OVER, _TURNS, _EXEMPT = 1, 3, 8, (5, 6)
# Minutes after the wait is over: the texts are looked at, and all replicas become bad.
_TOLD, _ALL_BAD, _REST = 2, 3, 3
_FIRST, _OTHER = "first:8000", "other:8000"


def worst_replica_alerts(spec: Spec) -> list[Document]:
    """The ticket on the worst replica, from recorded series: its limit, its wait, its end when all replicas are bad."""
    slos = [slo for slo in spec.slos if slo.worst_replica is not None and slo.mode != "none"]
    return [_alerts(spec, slos)] if slos else []


def _alerts(spec: Spec, slos: Sequence[Slo]) -> Document:
    step = spec.steps.fast
    series: dict[str, Document] = {}
    courses: list[AlertCourse] = []
    checks: list[Document] = []
    for slo in slos:
        assert slo.worst_replica is not None
        drawn = _Course(spec, slo, slo.worst_replica)
        series |= {item["series"]: item for item in drawn.series()}
        rule = {**alerts.worst_replica(spec, slo, slo.worst_replica), "queried": _OTHER}
        own = course(rule, *drawn.activity(), step)
        looks = sorted(own.changes() | {1, drawn.length - 1})
        checks += state_checks([own], looks, step, slo.slo_id, ["severity", spec.own_label("sli")], only=own.name)
        courses.append(own)
    # All SLOs of a spec have one policy, and so one wait; where exemptions differ, the last to fire still fires then.
    told = max(item.states.index(FIRING) for item in courses) + 1
    texts = [text_checks(courses, courses[0].name, told, step)]
    return group(
        "the ticket on the worst replica",
        slot_of(step).promql,
        list(series.values()),
        checks,
        texts,
    )


class _Events:
    """The worst replica's share and the tiles of all replicas at every evaluation: the same for SLOs of one policy.

    Attributes:
        step: seconds between evaluations.
        all_bad: second from which all replicas are bad.
        length: number of evaluations.
        total: events of a tile.
        bad: bad ones among them, so that a window of them is exactly at the limit, bit by bit.
    """

    def __init__(self, worst: WorstReplica, step: int, over: int) -> None:
        self.worst, self.step = worst, step
        self.all_bad = (over + _ALL_BAD) * 60 + self._rounded(max(worst.hold.seconds, worst.window.seconds))
        self.length = (self.all_bad + _REST * 60) // step + 1
        self.total, self.bad = self._tile()

    def _rounded(self, seconds: Decimal) -> int:
        return int(-(-seconds // self.step) * self.step)

    def _tile(self) -> tuple[float, float]:
        limit = self.worst.limit
        tiles = len(self._tiles_at(self._rounded(self.worst.window.seconds) // self.step * 2))
        digits = max(0, -int(limit.as_tuple().exponent)) if isinstance(limit.as_tuple().exponent, int) else 0
        unit = 10 ** max(digits, 3)
        for factor in range(1, 400):
            events = unit * factor
            bad = limit * events
            if bad >= 200 and float(limit) * (events * tiles) == float(bad) * tiles:
                return float(events), float(bad)
        return float(unit * 400), float(limit * unit * 400)

    def _tiles_at(self, index: int) -> list[int]:
        """The tiles in the window at an evaluation."""
        window = float(self.worst.window.seconds) - self.step / 2
        before = self.step * _BEFORE / slots_of(self.step)
        return [tile for tile in range(1, index + 1) if (index - tile) * self.step + before < window]

    def bad_of(self, index: int) -> float:
        """Under the limit by one event as long as the first tile is in the window; then at it; at last over it."""
        if index == 1:
            return self.bad - 1
        return self.bad + 1 if index * self.step > self.all_bad else self.bad

    def share(self, index: int) -> float:
        """The worst replica's share of bad events at an evaluation."""
        limit = float(self.worst.limit)
        if index * self.step <= _UNDER * 60:
            return round(limit * 0.9, 12)
        return limit if index * self.step < _OVER * 60 else round(limit * 1.005, 12)

    @cached_property
    def alone_bad(self) -> list[bool]:
        """At each evaluation, whether the worst replica is over the limit, and all of them are not."""
        limit, found = float(self.worst.limit), []
        for index in range(self.length):
            tiles = self._tiles_at(index)
            all_bad = sum(self.bad_of(tile) for tile in tiles) > limit * (self.total * len(tiles))
            found.append(index > 0 and self.share(index) > limit and not all_bad)
        return found


_events = lru_cache(maxsize=256)(_Events)


class _Course:
    """The recorded series of one SLO, and when its ticket is active."""

    def __init__(self, spec: Spec, slo: Slo, worst: WorstReplica) -> None:
        self.spec, self.slo = spec, slo
        self.step = spec.steps.fast
        self.exemption = next((item for item in slo.exemptions if item.masks_all), None)
        self.events = _events(worst, self.step, _OVER if self.exemption is None else _EXEMPT[1] + 2)
        self.length = self.events.length

    def _exempt_times(self) -> list[float]:
        begin, end = (minute * 60 // self.step for minute in _EXEMPT)
        return [index * self.step + self.step / slots_of(self.step) for index in range(begin, end)]

    def activity(self) -> tuple[list[bool], list[float]]:
        """Whether the ticket's condition holds at each evaluation, and the share that its texts show."""
        active = list(self.events.alone_bad)
        if self.exemption is not None:
            begin = delay_of(slot_of(self.step), quiet_from(self.spec), self.step)
            masks = Masks(self.slo, self.length, {self.exemption.name: self._exempt_times()}, begin=begin)
            active = [holds and not masks.all_masked(index * self.step) for index, holds in enumerate(active)]
        return active, [self.events.share(index) for index in range(self.length)]

    def series(self) -> Iterator[Document]:
        """Recorded series as input; of another SLO too, which is worse and whose replicas are all bad."""
        groups = groups_of(self.slo)
        last = self.length - 1
        turn = _TURNS * 60 // self.step
        shares = [self.events.share(index) for index in range(1, last + 1)]
        own = self.slo.slo_id
        yield self._series(names.WORST_REPLICA, {"slo_id": own, "replica": _FIRST}, [*shares[:turn], STALE])
        yield self._series(names.WORST_REPLICA, {"slo_id": own, "replica": _OTHER}, [*[GAP] * (turn), *shares[turn:]])
        parts = [1 / len(groups)] * len(groups) if len(groups) in (1, 2, 4) else [1.0, *[0.0] * (len(groups) - 1)]
        for labels, part in zip(groups, parts, strict=True):
            both = {"slo_id": own, **dict(labels)}
            events = [self.events.total * part] * last
            yield self._series(names.EVENTS["fast"], both, events, stale=True)
            yield self._series(
                names.BAD_EVENTS["fast"], both, [self.events.bad_of(index) * part for index in range(1, last + 1)]
            )
        yield self._series(names.WORST_REPLICA, {"slo_id": DECOY, "replica": _FIRST}, [0.999] * last)
        yield self._series(names.EVENTS["fast"], {"slo_id": DECOY}, [1.0] * last, stale=True)
        yield self._series(names.BAD_EVENTS["fast"], {"slo_id": DECOY}, [9e9] * last)
        if self.exemption is not None:
            slot = self.step / slots_of(self.step)
            yield condition_series(self.slo, self.exemption, self._exempt_times(), slot, self.length * self.step)

    def _series(self, name: str, labels: dict[str, str], tiles: Sequence[Slot], *, stale: bool = False) -> Document:
        """A value before each evaluation; gone at it where the rules would make series of their own of it."""
        slots: list[Slot] = [GAP]
        before = [GAP] * (slots_of(self.step) - _BEFORE - 1)
        for tile in tiles:
            slots += [*before, tile, STALE if stale else GAP, GAP]
        return input_series(name, labels, slots)
