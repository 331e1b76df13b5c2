"""What the engine shows once: a hang, a queue, a source that is gone, scrapes that are missing, from raw series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from slo_compiler.emit import alerts
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.alert_states import FIRING, AlertCourse, course, state_checks, text_checks
from slo_compiler.emit.promtool_tests.batches import source_batches
from slo_compiler.emit.promtool_tests.labels import matching, near_misses, variants
from slo_compiler.emit.promtool_tests.notation import (
    GAP,
    STALE,
    Slot,
    at,
    group,
    input_series,
    ramp,
    raw_input,
    series_name,
    values,
)
from slo_compiler.ir import Deadline, Gauges, Matcher, Selector, Slo, Source, Spec

# Slots of 5 s, so that scrapes of `up` can lie between the evaluations; the rest changes at whole minutes.
_SLOT = 5
_TOKENS_FROM = 1000.0
_MINUTES = 63
_SLOTS = _MINUTES * 60 // _SLOT
# The source: half an event at minute 1, gone from 5 to 40, its targets down from 45.
_EVENT, _GONE, _BACK, _DOWN = 1, 5, 40, 45
# A replica stops producing tokens at minute 10; the queue passes its limit at minute 20.
_STOPS, _QUEUE = 10, 20
# One target in two is scraped too rarely from minute 8.
_SPARSE = 8


@dataclass(frozen=True, slots=True)
class _Replica:
    """An engine's gauges: running, waiting, and tokens per slot until it stops; powers of two add up exactly."""

    name: str
    running: float
    waiting: float
    tokens: float
    stops: bool = False
    hangs: bool = False


_REPLICAS = (
    _Replica("busy", 3, 0, 0.0078125),
    _Replica("idle", 0, 0, 0),
    _Replica("stuck", 1, 0, 0.0078125, stops=True, hangs=True),
    _Replica("queued", 0, 1, 0, hangs=True),
)


def engine_alerts(spec: Spec) -> list[Document]:
    """All alerts of the spec's own group, and those of its deadlines."""
    if spec.mode == "none":
        return []
    found = [_batch(spec, index, sources) for index, sources in enumerate(source_batches(spec.sources) or [[]])]
    return [batch for batch in found if batch is not None]


def _batch(spec: Spec, index: int, sources: list[Source]) -> Document | None:
    """Some of the sources; with the first of them the gauges and the deadlines."""
    step = spec.steps.fast
    length = _MINUTES * 60 // step
    series: list[Document] = []
    courses: list[AlertCourse] = []
    if spec.gauges is not None and index == 0:
        series += _gauge_series(spec, spec.gauges)
        courses += _gauge_courses(spec, spec.gauges, length, step)
    watched = _first_watchers(spec)
    drawn: set[tuple[Matcher, ...]] = set()
    for source in sources:
        series += _source_series(source)
        courses += _source_courses(spec, source, length, step)
        if source.target_matchers and source.target_matchers not in drawn:
            drawn.add(source.target_matchers)
            series += _up_series(source, float(spec.steps.scrape))
        if source in watched:
            courses.append(_scrapes_course(spec, source, length, step))
    if not courses:
        return None
    series = list({item["series"]: item for item in series}.values())
    by = ["severity", "source", "tier", *([spec.gauges.replica_label] if spec.gauges is not None else [])]
    looks = sorted(set[int]().union(*(item.changes() for item in courses)) | {2, length - 1})
    checks = state_checks(courses, looks, step, spec.engine_id, by, sources=["", *(item.label for item in sources)])
    texts = _texts(courses, length, step) if len(sources) == len(spec.sources) else []
    if index == 0:
        deadline_checks, deadline_texts = _deadlines(spec, series, length, step)
        checks += deadline_checks
        texts += deadline_texts
    title = "what the engine shows once"
    if len(sources) < len(spec.sources):
        title += f": {', '.join(item.label for item in sources)}"
    return group(title, at(_SLOT), series, checks, texts)


def _first_watchers(spec: Spec) -> list[Source]:
    """The sources whose targets' scrapes are watched: the first of each set of targets, as the rules have it."""
    found: dict[tuple[Matcher, ...], Source] = {}
    for source in spec.sources:
        if source.target_matchers:
            found.setdefault(source.target_matchers, source)
    return list(found.values())


def _texts(courses: list[AlertCourse], length: int, step: int) -> list[Document]:
    checks = []
    told: set[int] = set()
    for look in range(length):
        for name in sorted({item.name for item in courses}):
            alive = [item for item in courses if item.name == name and item.states[look] == FIRING]
            if any(id(item) not in told for item in alive):
                checks.append(text_checks(courses, name, look, step))
                told |= {id(item) for item in alive}
    return checks


def _minute_slots(value: Callable[[float], Slot]) -> list[Slot]:
    """A value per slot, as a function of the minute."""
    return [value(slot * _SLOT / 60) for slot in range(_SLOTS + 1)]


def _gauge_series(spec: Spec, gauges: Gauges) -> list[Document]:
    found = []
    matchers = gauges.running[0].matchers
    alternatives = variants(matchers)
    for number, replica in enumerate(_REPLICAS):
        own = {**alternatives[number % len(alternatives)], gauges.replica_label: replica.name}
        found += _gauges_of(gauges, own, replica, spec)
        for index, miss in enumerate(near_misses(matchers, matching(matchers))):
            # A stranger on the same replica contradicts it: it hangs where the replica works, and works where it hangs.
            other = {**miss, gauges.replica_label: replica.name}
            stranger = _Replica(replica.name, 5 if not replica.hangs else 0, 0, 3 if replica.hangs else 0)
            found += _gauges_of(gauges, {**other, "stranger": str(index)}, stranger, None)
    return found


def _gauges_of(gauges: Gauges, labels: dict[str, str], replica: _Replica, spec: Spec | None) -> list[Document]:
    running = values(_minute_slots(lambda _: replica.running))
    waiting = values(_minute_slots(lambda minute: _waiting(replica, spec, minute)))
    return [
        raw_input(series_name(selectors[0].name, labels), text)
        for selectors, text in (
            (gauges.running, running),
            (gauges.waiting, waiting),
            (gauges.tokens, _tokens_text(replica)),
        )
    ]


def _tokens_text(replica: _Replica) -> str:
    if not replica.stops:
        return ramp(_TOKENS_FROM, replica.tokens, _SLOTS)
    stop = _STOPS * 60 // _SLOT
    at_stop = round(_TOKENS_FROM + replica.tokens * stop, 6)
    return f"{ramp(_TOKENS_FROM, replica.tokens, stop)} {ramp(at_stop, 0, _SLOTS - stop - 1)}"


def _waiting(replica: _Replica, spec: Spec | None, minute: float) -> float:
    """Waiting requests; the busy replica brings the mean exactly to the limit, and past it."""
    if spec is None or spec.queue_limit is None or replica.name != "busy":
        return replica.waiting
    others = sum(item.waiting for item in _REPLICAS if item.name != "busy")
    return float(spec.queue_limit) * len(_REPLICAS) - others + (1 if minute >= _QUEUE else 0)


def _tokens(replica: _Replica, minute: float) -> float:
    minute = min(minute, float(_STOPS)) if replica.stops else minute
    return _TOKENS_FROM + replica.tokens * minute * 60 / _SLOT


def _gauge_courses(spec: Spec, gauges: Gauges, length: int, step: int) -> list[AlertCourse]:
    found = []
    rule = alerts.engine_stalled(spec, gauges)
    alternatives = variants(gauges.running[0].matchers)
    for number, replica in enumerate(_REPLICAS):
        labels = alternatives[number % len(alternatives)]
        tokens = [
            (slot * _SLOT, float(value))
            for slot, value in enumerate(_minute_slots(lambda minute, item=replica: _tokens(item, minute)))  # type: ignore[misc]
        ]
        active = []
        for index in range(length):
            gained = model.increase(tokens, index * step, 300)
            active.append(replica.running + replica.waiting > 0 and not (gained is not None and gained > 0))
        if replica.name == "busy":
            active = [False] * length
        # The first look has no two samples yet: nothing moves, so what holds requests is pending.
        if replica.running + replica.waiting > 0:
            active[0] = True
        job = {"job": labels["job"]} if "job" in labels else {}
        own = {**rule, "series_labels": {**job, gauges.replica_label: replica.name}}
        value = [replica.running + _waiting(replica, spec, index * step / 60) for index in range(length)]
        found.append(course(own, active, value, step))
    if spec.queue_limit is not None:
        limit = float(spec.queue_limit)
        mean = [limit + (1 / len(_REPLICAS) if index * step / 60 >= _QUEUE else 0) for index in range(length)]
        rule = alerts.queue_depth(spec, gauges, spec.queue_limit)
        found.append(course(rule, [value > limit for value in mean], mean, step))
    return found


def _source_slots() -> list[Slot]:
    def value(minute: float) -> Slot:
        if _GONE <= minute < _BACK or minute >= _DOWN:
            return STALE if minute in (_GONE, _DOWN) else GAP
        return 100.5 if minute >= _EVENT else 100.0

    return _minute_slots(value)


def _source_series(source: Source) -> list[Document]:
    found = []
    selector = source.selectors[0]
    alternatives = variants(selector.matchers)
    labels = alternatives[-1]
    found.append(input_series(selector.name, labels, _source_slots()))
    # Strangers are there when the source is gone, and their traffic comes when it has none.
    strangers = ramp(50, 2.5, _SLOTS)
    misses = near_misses(selector.matchers, labels)
    return found + [raw_input(series_name(selector.name, miss), strangers) for miss in misses]


def _source_courses(spec: Spec, source: Source, length: int, step: int) -> list[AlertCourse]:
    rules = alerts.source_absent(spec, source)
    minutes = [index * step / 60 for index in range(length)]
    gone = [_GONE <= minute < _BACK or minute >= _DOWN for minute in minutes]
    scrapes = [
        (slot * _SLOT, float(value))
        for slot, value in enumerate(_up_slots(float(spec.steps.scrape), sparse=False, down_from=_DOWN))
        if not isinstance(value, str)
    ]
    # A target counts as up until a scrape says otherwise.
    up = [model.latest(scrapes, index * step) == 1 for index in range(length)]
    samples = [(slot * _SLOT, float(value)) for slot, value in enumerate(_source_slots()) if not isinstance(value, str)]
    traffic = [(model.increase(samples, index * step - 1800, 1800) or 0) > 0 for index in range(length)]
    lost = [absent and had for absent, had in zip(gone, traffic, strict=True)]
    ones = [1.0] * length
    if not source.target_matchers:
        return [course(rules[0], lost, ones, step)]
    exposed = [absent and is_up for absent, is_up in zip(gone, up, strict=True)]
    return [course(rules[0], exposed, ones, step), course(rules[1], lost, ones, step)]


def _up_slots(scrape: float, *, sparse: bool, down_from: int | None) -> list[Slot]:
    """`up` at every scrape between the evaluations; `sparse` at every second one, and at fewer still later on."""
    slots: list[Slot] = [GAP] * (_SLOTS + 1)
    scrapes = 0
    for slot in range(1, _SLOTS + 1, max(1, int(scrape) // _SLOT)):
        scrapes += 1
        minute = slot * _SLOT / 60
        if sparse and (scrapes % 2 == 0 or (minute >= _SPARSE and scrapes % 20 == 1)):
            continue
        slots[slot] = 0.0 if down_from is not None and minute >= down_from else 1.0
    return slots


def _up_series(source: Source, scrape: float) -> list[Document]:
    alternatives = variants(source.target_matchers)
    labels = alternatives[0]
    first = {**alternatives[-1], "replica_of_up": "first"}
    second = {**labels, "replica_of_up": "second"}
    # The second target is up in no scrape: only its scrapes are counted.
    never = [0.0 if value == 1.0 else value for value in _up_slots(scrape, sparse=True, down_from=None)]
    found = [
        input_series("up", first, _up_slots(scrape, sparse=False, down_from=_DOWN)),
        input_series("up", second, never),
    ]
    strangers = _up_slots(scrape, sparse=False, down_from=None)
    return found + [input_series("up", miss, strangers) for miss in near_misses(source.target_matchers, labels)]


def _scrapes_course(spec: Spec, source: Source, length: int, step: int) -> AlertCourse:
    rule = alerts.scrapes_missing(spec, source)
    scrape = float(spec.steps.scrape)
    limit = round(0.75 * 300 / scrape, 3)
    counted = []
    for index in range(length):
        now = index * step
        counts = [
            sum(1 for slot, value in enumerate(slots) if value != GAP and now - 300 < slot * _SLOT <= now)
            for slots in (
                _up_slots(scrape, sparse=False, down_from=None),
                _up_slots(scrape, sparse=True, down_from=None),
            )
        ]
        present = [count for count in counts if count]
        counted.append(sum(present) / len(present) if present else limit)
    return course(rule, [value < limit for value in counted], counted, step)


def _deadlines(spec: Spec, series: list[Document], length: int, step: int) -> tuple[list[Document], list[Document]]:
    """The age of the oldest pending document, exactly at its limit and then over it."""
    checks: list[Document] = []
    texts: list[Document] = []
    for slo in spec.slos:
        if slo.deadline is None or slo.mode == "none":
            continue
        limit = float(slo.deadline.limit.seconds) * 0.8
        series += _age_series(slo, slo.deadline, limit)
        over = [index * step / 60 >= _QUEUE for index in range(length)]
        rule = alerts.deadline_at_risk(spec, slo)
        own = course(rule, over, [limit + 60 if is_over else limit for is_over in over], step)
        looks = sorted(own.changes() | {2, length - 1})
        checks += state_checks([own], looks, step, slo.slo_id, ["severity"], only=own.name)
        texts.append(text_checks([own], own.name, length - 1, step))
    return checks, texts


def _age_series(slo: Slo, deadline: Deadline, limit: float) -> list[Document]:
    selector: Selector = deadline.pending_age
    labels = variants(selector.matchers)[-1]
    oldest = _minute_slots(lambda minute: limit + (60 if minute >= _QUEUE else 0))
    found = [
        input_series(selector.name, {**labels, "queue": "oldest"}, oldest),
        input_series(selector.name, {**labels, "queue": "younger"}, _minute_slots(lambda _: 1.0)),
    ]
    older = _minute_slots(lambda _: limit * 9)
    return found + [input_series(selector.name, miss, older) for miss in near_misses(selector.matchers, labels)]
