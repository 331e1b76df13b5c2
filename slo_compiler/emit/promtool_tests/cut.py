"""More groups than are recorded: which ones are, from raw series, and the ticket that says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from slo_compiler.edges import le_text
from slo_compiler.emit import alerts
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.alert_states import FIRING, AlertCourse, course, state_checks, text_checks
from slo_compiler.emit.promtool_tests.burn import DECOY, labels
from slo_compiler.emit.promtool_tests.groups import free_name, groups_of, placed, values_of
from slo_compiler.emit.promtool_tests.labels import NoExample, matching, near_misses
from slo_compiler.emit.promtool_tests.notation import (
    GAP,
    Labels,
    Slot,
    at,
    expect,
    group,
    raw_input,
    series_name,
    values,
)
from slo_compiler.emit.promtool_tests.raw_histogram import SLOTS_PER_SCRAPE, slot_of
from slo_compiler.ir import Counters, Histogram, Selector, Slo, Spec
from slo_compiler.promql import names
from slo_compiler.promql.build import any_of, string
from slo_compiler.promql.histograms import counts_of
from slo_compiler.units import decimal_text

# The course of the choice: slots of 35 s, which meet neither the evaluations nor, before an hour is over, the edge of the
# hour. A counter is scraped at every ninth, too rarely for any tile, so that only the choice costs time.
_SLOT, _SLOTS, _SCRAPED = 35, 104, 9
_SMALL = 20.0
# Twice that and 1: half an event less, and half an event more. `increase` stretches all alike, and at the looks by less
# than a third, so that an event more or less in the rule would show.
_TOO_FEW, _ENOUGH = 40.5, 41.5
_SLOT_TOO_FEW, _SLOT_ENOUGH, _SLOT_RETURN = 18, 27, 101
# Hardly an event; it makes a group one that has traffic.
_HARDLY = 2**-11
# At 59m the choices of the last 58m are those after 1m: that at 70 s is one of them, that at 35 s is not.
_CHOSEN_WITHIN, _CHOSEN_BEFORE = 2, 1
_RETURNS, _RETURNS_LATE = 60.0, 90.0
_STRANGER = 1_000_000.0
# A choice among more groups than these is not drawn: every test of it would hold a series or two for each of them.
_MOST_DRAWN = 100


def cut_groups(spec: Spec) -> list[Document]:
    """All tests of which groups are recorded, for every SLO that records the largest ones."""
    found: list[Document] = []
    for slo in spec.slos:
        cast = _cast(slo)
        if cast is None:
            continue
        try:
            if cast.undrawn:
                found.append(_some_of_many(spec, cast))
                continue
            found += [_choice(spec, cast), _hour(spec, cast), _room(spec, cast), _before_the_choice(spec, cast)]
        except NoExample:
            continue
    return found


@dataclass(frozen=True, slots=True)
class _Cast:
    """The groups of a test: those that are always among the largest, one fewer than are recorded, and others.

    Attributes:
        label: what they differ in.
        undrawn: so many groups fewer are drawn than are recorded; 0 where a choice can be seen.
    """

    slo: Slo
    label: str
    large: Sequence[Labels]
    others: Sequence[Labels]
    undrawn: int = 0

    def query(self, name: str) -> str:
        """A recorded series of the other groups."""
        any_other = any_of([dict(other)[self.label] for other in self.others])
        return f"{name}{{slo_id={string(self.slo.slo_id)},{self.label}=~{string(any_other)}}}"

    def all_of(self, name: str) -> str:
        """How many groups have a recorded series."""
        return f"count({name}{{slo_id={string(self.slo.slo_id)}}})"

    def checks(self, seconds: float, name: str, wanted: Sequence[Labels]) -> list[Document]:
        """At a time, of the other groups these have a recorded series, and all large ones do."""
        samples = [(labels(self.slo.slo_id, own), 1.0) for own in wanted]
        by = ", ".join(["slo_id", *self.slo.groups.labels])
        return [
            expect(seconds, f"group by ({by}) ({self.query(name)})", samples),
            expect(seconds, self.all_of(name), [("{}", float(len(self.large) + len(wanted)))]),
        ]


def _cast(slo: Slo) -> _Cast | None:
    most = min(slo.groups.most, _MOST_DRAWN)
    found = values_of(slo, most + 6) if most else None
    if found is None:
        return None
    label, all_values = found
    base = {key: value for key, value in groups_of(slo)[0] if key != label}
    others = [value for value in all_values if value][:5]
    large = [value for value in all_values if value not in others][: most - 1]

    def own(value: str) -> Labels:
        return tuple({**base, **({label: value} if value else {})}.items())

    undrawn = slo.groups.most - most
    return _Cast(slo, label, [own(value) for value in large], [own(value) for value in others], undrawn)


def _choice(spec: Spec, cast: _Cast) -> Document:
    """The largest of the last hour are chosen, and stay until another has more than twice their events."""
    slo, step = cast.slo, spec.steps.fast
    small, rival, returns, late, idle = cast.others
    large = _course_text([(slot, 2.0 * slot) for slot in range(0, _SLOTS, _SCRAPED)])
    series = [item for own in cast.large for item in _counted(slo, own, large)]
    for own, rises in (
        (small, ((_SCRAPED, _SMALL),)),
        (rival, ((_SCRAPED, _HARDLY), (_SLOT_TOO_FEW, _TOO_FEW), (_SLOT_ENOUGH, _ENOUGH))),
        (returns, ((_SLOT_RETURN, _RETURNS),)),
        (late, ((_SLOT_RETURN, _RETURNS_LATE),)),
        (idle, ()),
    ):
        for replica in (0, 1):
            share = 0.5 + 0.25 * replica if replica else 0.25
            series += _counted(slo, own, _steps_text(rises, share), replica=replica)
    for own in (idle, small):
        series += _strangers(slo, own, _steps_text([(_SCRAPED, _STRANGER)], 1))
    for slot, own, slo_id in (
        (_CHOSEN_WITHIN, returns, slo.slo_id),
        (_CHOSEN_BEFORE, late, slo.slo_id),
        (0, rival, DECOY),
    ):
        chosen = {"slo_id": slo_id, **dict(own)}
        slots: list[Slot] = [GAP] * slot + [1.0] * (_SLOTS if slo_id == DECOY else 1)
        series.append(raw_input(series_name(names.RECORDED_GROUP, chosen), values(slots)))
    checks = []
    for seconds, wanted in ((720, small), (1020, rival), (3480, rival), (3540, returns)):
        checks += cast.checks(seconds, names.RECORDED_GROUP, [wanted])
    texts: list[Document] = []
    if slo.mode != "none":
        ticket = _ticket(spec, cast, (_SCRAPED * _SLOT, _NEVER), slo.groups.most + 1)
        looks = ticket.changes() | {300 // step, 2700 // step - 1}
        checks += state_checks([ticket], sorted(looks), step, slo.slo_id, [spec.own_label("tier")], only=ticket.name)
        if _is_told_alone(spec, slo):
            texts.append(text_checks([ticket], ticket.name, ticket.states.index(FIRING) + 1, step))
    return group(f"the largest groups of {slo.name} are chosen", at(_SLOT), series, checks, texts)


def _is_told_alone(spec: Spec, slo: Slo) -> bool:
    """Whether no other SLO of the spec counts the same metric: promtool compares the texts of all alerts of a name."""
    own = _counted_metrics(slo)
    others = (other for other in spec.slos if other is not slo and other.groups.most and other.mode != "none")
    return not any(own & _counted_metrics(other) for other in others)


def _counted_metrics(slo: Slo) -> frozenset[str]:
    if isinstance(slo.measurement, Histogram):
        return frozenset(slo.measurement.names)
    return frozenset((slo.measurement.total.name,)) if isinstance(slo.measurement, Counters) else frozenset()


# Longer than any of these tests.
_NEVER = 7200


def _ticket(spec: Spec, cast: _Cast, active: tuple[int, int], groups: int) -> AlertCourse:
    """The ticket where so many groups have traffic, more than are recorded, from a time on and up to another."""
    step = spec.steps.fast
    holds = [active[0] <= index * step < active[1] for index in range(_NEVER // step)]
    return course(alerts.groups_cut(spec, cast.slo), holds, [float(groups)] * len(holds), step)


# When the hour of traffic is over: at 62m it begins at 120 s, after the scrape at 105 s and before that at 140 s.
_HOUR_OVER, _LEFT_SLOT, _KEPT_SLOT = 3720, 3, 4


def _hour(spec: Spec, cast: _Cast) -> Document:
    """What was counted more than an hour ago keeps no place, and what was counted within it does."""
    slo, step = cast.slo, spec.steps.fast
    small, rival, returns, late, idle = cast.others
    slots = range(0, _SLOTS + _SCRAPED, _SCRAPED)
    large = _course_text([(slot, 100.0 * slot) for slot in slots])
    series = [item for own in cast.large for item in _counted(slo, own, large)]
    for own, counted in (
        (small, [(_LEFT_SLOT, 0.0), *((slot, 50.0) for slot in slots[1:])]),
        (late, [(_LEFT_SLOT, 0.0), *((slot, 40.0) for slot in slots[1:])]),
        (returns, [(_KEPT_SLOT, 0.0), *((slot, 30.0) for slot in slots[1:])]),
        (rival, [(slot, 20.0 * (slot > 40)) for slot in slots]),
        (idle, [(slot, 0.0) for slot in slots]),
    ):
        series += _counted(slo, own, _course_text(counted))
    checks = [
        *cast.checks(_HOUR_OVER - step, names.RECORDED_GROUP, [small]),
        *cast.checks(_HOUR_OVER, names.RECORDED_GROUP, [returns]),
    ]
    texts: list[Document] = []
    if slo.mode != "none":
        # Small and late have left by then, and returns leaves with the next scrape: one group more than are recorded.
        ticket = _ticket(spec, cast, (_SCRAPED * _SLOT, _HOUR_OVER + step), slo.groups.most + 1)
        looks = [_HOUR_OVER // step, _HOUR_OVER // step + 1]
        checks += state_checks([ticket], looks, step, slo.slo_id, [spec.own_label("tier")], only=ticket.name)
        if _is_told_alone(spec, slo):
            texts.append(text_checks([ticket], ticket.name, looks[0], step))
    return group(f"the traffic of an hour chooses the groups of {slo.name}", at(_SLOT), series, checks, texts)


def _course_text(counted: Sequence[tuple[int, float]]) -> str:
    """A counter that is scraped at some slots only."""
    slots: list[Slot] = [GAP] * (counted[-1][0] + 1)
    for slot, events in counted:
        slots[slot] = 1000.0 + events
    return values(slots)


def _steps_text(rises: Sequence[tuple[int, float]], share: float) -> str:
    """A counter that stands still but for some slots at which it has counted a share of so many events in all."""
    slots: list[Slot] = [GAP] * _SLOTS
    scraped = {*range(0, _SLOT_RETURN - _SCRAPED, _SCRAPED), *(when for when, _ in rises)}
    for slot in scraped:
        counted = [events for when, events in rises if when <= slot]
        slots[slot] = 1000.0 + (counted[-1] * share if counted else 0.0)
    return values(slots)


def _room(spec: Spec, cast: _Cast) -> Document:
    """While there is room, a group is recorded from its first tile on; when there is none, not even a larger one."""
    slo, step = cast.slo, spec.steps.fast
    scrape = _Scrapes(spec)
    first, late, *_ = cast.others
    born = scrape.last_before(5 * step)
    after = scrape.last_before(7 * step)
    last = 10 * step
    series = [item for own in cast.large for item in _counted(slo, own, scrape.text(last, 0, 1000, 3))]
    series += _counted(slo, first, scrape.text(last, born, 7, 2), up=scrape.up_text(last))
    series += _counted(slo, late, scrape.text(last, after, _STRANGER, 2))
    series += _strangers(slo, late, scrape.text(last, 0, _STRANGER, 50))
    series.append(raw_input(series_name(names.RECORDED_GROUP, {"slo_id": DECOY, **dict(late)}), scrape.up_text(last)))
    checks = []
    at_birth = [first] if isinstance(slo.measurement, Counters) else []  # of a histogram, two scrapes are needed
    if cast.large or at_birth:
        checks += cast.checks(5 * step, names.EVENTS["fast"], at_birth)
    if at_birth:
        checks.append(
            expect(5 * step, cast.query(names.EVENTS["fast"]), [(_named(slo, first, names.EVENTS["fast"]), 7)])
        )
    recorded = [names.EVENTS["fast"], names.BAD_EVENTS["fast"], names.EVENTS["slow"], names.BAD_EVENTS["slow"]]
    if isinstance(slo.measurement, Histogram):
        recorded.append(names.COVERED)
    for look in (7 * step, last):
        for name in recorded:
            checks += cast.checks(look, name, [first])
    if slo.mode != "none":
        silent = _ticket(spec, cast, (_NEVER, _NEVER), 0)
        checks += state_checks([silent], [4], step, slo.slo_id, [spec.own_label("tier")], only=silent.name)
    return group(f"groups of {slo.name} while there is room", scrape.slot.promql, series, checks)


def _some_of_many(spec: Spec, cast: _Cast) -> Document:
    """Where very many groups are recorded: as many as can be drawn have room, the smallest too, and no ticket asks why."""
    slo, step = cast.slo, spec.steps.fast
    scrape = _Scrapes(spec)
    smallest, last = cast.others[0], 10 * step
    series = [item for own in cast.large for item in _counted(slo, own, scrape.text(last, 0, 1000, 3))]
    series += _counted(slo, smallest, scrape.text(last, 0, 7, 2))
    checks = []
    for look in (7 * step, last):
        for name in (names.EVENTS["fast"], names.BAD_EVENTS["fast"], names.EVENTS["slow"], names.RECORDED_GROUP):
            checks += cast.checks(look, name, [smallest])
    if slo.mode != "none":
        silent = _ticket(spec, cast, (_NEVER, _NEVER), 0)
        checks += state_checks([silent], [4], step, slo.slo_id, [spec.own_label("tier")], only=silent.name)
    title = (
        f"{len(cast.large) + 1} of up to {slo.groups.most} groups of {slo.name}, which are too many to draw a choice"
    )
    return group(title, scrape.slot.promql, series, checks)


def _before_the_choice(spec: Spec, cast: _Cast) -> Document:
    """Before anything is chosen the highest counters are recorded, and then what is chosen by traffic."""
    slo, step = cast.slo, spec.steps.fast
    scrape = _Scrapes(spec)
    high, busy, *_ = cast.others
    look = scrape.first_tile
    last = look + 2 * step
    series = [item for own in cast.large for item in _counted(slo, own, scrape.text(last, 0, 5000, 30))]
    for replica in (0, 1):
        series += _counted(slo, high, scrape.text(last, 0, 600 + replica, 1), replica=replica)
    series += _counted(slo, busy, scrape.text(last, 0, 900, 9))
    series += _strangers(slo, busy, scrape.text(last, 0, _STRANGER, 0))
    checks = [
        *cast.checks(look, names.EVENTS["fast"], [high]),
        *cast.checks(look, names.EVENTS["slow"], [busy]),
        *cast.checks(look, names.RECORDED_GROUP, [busy]),
        *cast.checks(last, names.EVENTS["fast"], [busy]),
        *cast.checks(last, names.EVENTS["slow"], [busy]),
    ]
    return group(f"groups of {slo.name} before the first choice", scrape.slot.promql, series, checks)


class _Scrapes:
    """Scrapes between the evaluations, as the raw series of the tiles have them."""

    def __init__(self, spec: Spec) -> None:
        self.slot = slot_of(spec.steps)
        self._seconds = float(self.slot.seconds)
        self.step = spec.steps.fast

    @property
    def first_tile(self) -> int:
        """The first evaluation that sees two scrapes."""
        return math.ceil(self._seconds * (1 + SLOTS_PER_SCRAPE) / self.step) * self.step

    def last_before(self, seconds: float) -> int:
        """The slot of the last scrape before a time."""
        return max(slot for slot in self._slots(seconds) if slot * self._seconds < seconds)

    def text(self, last: float, born: int, start: float, rise: float) -> str:
        """A counter from the slot of its birth on."""
        slots: list[Slot] = [GAP] * (int(last / self._seconds) + 1)
        for index, slot in enumerate(slot for slot in self._slots(last) if slot >= born):
            slots[slot] = start + rise * index
        return values(slots)

    def up_text(self, last: float) -> str:
        """1 at every scrape."""
        return self.text(last, 0, 1, 0)

    def _slots(self, last: float) -> range:
        return range(1, int(last / self._seconds) + 1, SLOTS_PER_SCRAPE)


def _counted(slo: Slo, own: Labels, text: str, *, replica: int = 0, up: str = "") -> list[Document]:
    """A counter of events of a group in one replica, all of them good.

    Args:
        up: of the replica, where it matters.

    Raises:
        NoExample: no series is as the events of such a group are.
    """
    measurement = slo.measurement
    target, apart = {"job": "gw", "instance": "g0"}, {free_name("replica", slo): f"r{replica}"}
    if isinstance(measurement, Histogram):
        # The second replica has an older name, where there is one.
        index = -1 if replica else 0
        found = placed({**target, **matching(measurement.matchers), **apart}, slo, own)
        edge = decimal_text(measurement.measured.edge)
        bucket = {**found, "le": le_text(edge, [measurement.measured.le_pattern])}
        return [
            raw_input(series_name(counts_of(measurement)[index].name, found), text),
            raw_input(series_name(f"{measurement.names[index]}_bucket", bucket), text),
        ]
    assert isinstance(measurement, Counters)
    series = []
    for name, of_name in _good_series(measurement).items():
        found = placed({**target, **of_name, **apart}, slo, own)
        series.append(raw_input(series_name(name, found), text))
        if up:
            series.append(raw_input(series_name("up", {key: found[key] for key in target if key in found}), up))
    return series


def _good_series(counters: Counters) -> dict[str, dict[str, str]]:
    """The labels of a good event's series by the name of the metric: of all events, and of good ones where these are counted."""
    total, part = counters.total, counters.part
    shared = total.name == part.name
    if counters.part_is == "bad":
        return {total.name: matching(total.matchers, part.matchers if shared else ())}
    if shared:
        return {total.name: matching((*part.matchers, *total.matchers))}
    return {total.name: matching(total.matchers), part.name: matching(part.matchers)}


def _total(slo: Slo) -> Selector:
    assert isinstance(slo.measurement, Histogram | Counters)
    return counts_of(slo.measurement)[0] if isinstance(slo.measurement, Histogram) else slo.measurement.total


def _strangers(slo: Slo, own: Labels, text: str) -> list[Document]:
    """Series of a group that are none of the SLO's, each by one matcher."""
    total = _total(slo)
    base = placed(matching(total.matchers), slo, own)
    selectors = counts_of(slo.measurement) if isinstance(slo.measurement, Histogram) else (total,)
    misses = list(near_misses(total.matchers, base))
    return [raw_input(series_name(item.name, miss), text) for item in selectors for miss in misses]


def _named(slo: Slo, own: Labels, name: str) -> str:
    return series_name(name, {"slo_id": slo.slo_id, **dict(own)})
