"""What the engine shows once: a hang, a queue, a source that is gone, scrapes that are missing, from raw series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from slo_compiler.emit import alerts, engine_alerts
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.alert_states import (
    FIRING,
    AlertCourse,
    course,
    of_group,
    state_checks,
    text_checks,
)
from slo_compiler.emit.promtool_tests.batches import source_batches
from slo_compiler.emit.promtool_tests.delays import delay_of
from slo_compiler.emit.promtool_tests.exemptions import Masks, condition_series, quiet_from
from slo_compiler.emit.promtool_tests.groups import free_name, groups_of, placed
from slo_compiler.emit.promtool_tests.labels import drawable, matching, near_misses, variants
from slo_compiler.emit.promtool_tests.notation import GAP, STALE, Slot, at, group, ramp, raw_input, series_name, values
from slo_compiler.emit.promtool_tests.scrapes import (
    DOWN,
    MINUTES,
    Scrapes,
    last_slot,
    samples_of,
    scrapes_missing,
    slot_of,
    up_text,
)
from slo_compiler.ir import Deadline, Exemption, Gauges, Matcher, Slo, Source, Spec
from slo_compiler.units import Duration

# The source: hardly an event at minute 1, gone from 5 to 40, and again with its targets.
_EVENT, _GONE, _BACK = 1, 5, 40
# A replica produces no tokens from minute 10 to 30; the queue is exactly at its limit from 15, over it from 20 to 40.
_STOPS, _RESUMES = 10, 30
_QUEUE_AT, _QUEUE_OVER, _QUEUE_DOWN = 15, 20, 40
_TOKENS_FROM = 1000.0


@dataclass(frozen=True, slots=True)
class _Replica:
    """An engine's gauges: running, waiting, and tokens per slot; powers of two add up exactly."""

    name: str
    running: float
    waiting: float
    tokens: float
    stops: bool = False
    hangs: bool = False


_REPLICAS = (
    _Replica("idle", 0, 0, 0),
    _Replica("busy", 3, 0, 2**-17),
    _Replica("stuck", 1, 0, 2**-17, stops=True, hangs=True),
    _Replica("queued", 0, 1, 0, hangs=True),
)
# A second rank of every replica holds nothing, and one request of the busy one's queue.
_RANKS = ("0", "1")


def engine_tests(spec: Spec) -> list[Document]:
    """All alerts of the spec's own group, and those of its deadlines."""
    if spec.mode == "none":
        return []
    spec = _drawable(spec)
    batches = source_batches(spec.sources) or [[]]
    if spec.gauges is not None and any(_is_gauge(spec.gauges, source) for source in batches[0]):
        batches.insert(0, [])
    found = [_batch(spec, index, sources) for index, sources in enumerate(batches)]
    return [batch for batch in found if batch is not None]


# An exemption holds for these minutes, in which something is wrong with the engine and with every source.
_EXEMPT = (18, 20)


def _exempt(spec: Spec) -> tuple[Slo, Exemption] | None:
    """The exemption that is drawn, and an SLO that records it; None where nothing masks whole tiles."""
    return next(((slo, item) for slo in spec.slos for item in slo.exemptions if item.masks_all), None)


def _exempt_times(spec: Spec) -> list[float]:
    begin, end = (minute * 60 // spec.steps.fast for minute in _EXEMPT)
    return [index * spec.steps.fast + 2 * slot_of(spec) for index in range(begin, end)]


def _course(spec: Spec, rule: Document, active: Sequence[bool], value: Sequence[float]) -> AlertCourse:
    """An alert of the spec, which is inactive where the spec is exempt."""
    exempt = _exempt(spec)
    if exempt is not None:
        slo, exemption = exempt
        begin = delay_of(Duration.of(slot_of(spec)), quiet_from(spec), spec.steps.fast)
        masks = Masks(slo, len(active), {exemption.name: _exempt_times(spec)}, begin=begin)
        active = [now and not masks.all_masked(index * spec.steps.fast) for index, now in enumerate(active)]
    return course(rule, active, value, spec.steps.fast)


def _drawable(spec: Spec) -> Spec:
    """The spec without what reads no series that could be drawn: what else it has is proven all the same."""

    def without_age(slo: Slo) -> Slo:
        return (
            slo if slo.deadline is None or drawable(slo.deadline.pending_age.matchers) else replace(slo, deadline=None)
        )

    return replace(
        spec,
        gauges=spec.gauges if spec.gauges is not None and drawable(spec.gauges.running[0].matchers) else None,
        sources=tuple(item for item in spec.sources if drawable(item.selectors[0].matchers, item.target_matchers)),
        slos=tuple(without_age(slo) for slo in spec.slos),
    )


def _is_gauge(gauges: Gauges, source: Source) -> bool:
    """Whether a source watches one of the engine's gauges, which have a course of their own."""
    taken = {item.name for item in (*gauges.running, *gauges.waiting, *gauges.tokens)}
    return any(item.name in taken for item in source.selectors)


def _batch(spec: Spec, index: int, sources: list[Source]) -> Document | None:
    """Some of the sources; with the first of them the gauges and the deadlines."""
    step, slot = spec.steps.fast, slot_of(spec)
    length = MINUTES * 60 // step
    series: list[Document] = []
    courses: list[AlertCourse] = []
    if spec.gauges is not None and index == 0:
        series += _gauge_series(spec, spec.gauges)
        courses += _gauge_courses(spec, spec.gauges, length, step)
    watched = _first_watchers(spec)
    drawn: set[tuple[Matcher, ...]] = set()
    scrapes = Scrapes(float(spec.steps.scrape), slot, step)
    for source in sources:
        series += _source_series(source, slot)
        courses += _source_courses(spec, source, scrapes, length)
        if source.target_matchers and source.target_matchers not in drawn:
            drawn.add(source.target_matchers)
            series += _up_series(source, scrapes)
        if source in watched:
            rule = engine_alerts.scrapes_missing(spec, source)
            courses.append(_course(spec, rule, *scrapes_missing(scrapes, length)))
    if not courses:
        return None
    exempt = _exempt(spec)
    if exempt is not None:
        series.append(condition_series(*exempt, _exempt_times(spec), slot, MINUTES * 60))
    series = list({item["series"]: item for item in series}.values())
    by = [
        "severity",
        *map(spec.own_label, ("source", "tier")),
        *([spec.gauges.replica_label] if spec.gauges is not None else []),
    ]
    looks = sorted(set[int]().union(*(item.changes() for item in courses)) | {2, length - 1})
    labels = [item.label for item in sources]
    if any(slo.slo_id == spec.engine_id for slo in spec.slos):
        checks = _checks_beside_an_slo(spec, courses, looks, step, by, labels)
    else:
        checks = state_checks(
            courses, looks, step, spec.engine_id, by, sources=(spec.own_label("source"), ["", *labels])
        )
    texts = _texts(courses, length, step) if not sources or len(sources) == len(spec.sources) else []
    if index == 0:
        deadline_checks, deadline_texts = _deadlines(spec, series, length, step)
        checks += deadline_checks
        texts += deadline_texts
    title = "what the engine shows once"
    if sources and len(sources) < len(spec.sources):
        title += f": {', '.join(item.label for item in sources)}"
    return group(title, at(slot), series, checks, texts)


def _first_watchers(spec: Spec) -> list[Source]:
    """The sources whose targets' scrapes are watched: the first of each set of targets, as the rules have it."""
    found: dict[tuple[Matcher, ...], Source] = {}
    for source in spec.sources:
        if source.target_matchers:
            found.setdefault(source.target_matchers, source)
    return list(found.values())


def _texts(courses: list[AlertCourse], length: int, step: int) -> list[Document]:
    """Each alert's labels and texts once, at its first firing evaluation but one."""
    checks = []
    told: set[int] = set()
    for look in sorted({item.states.index(FIRING) + 1 for item in courses if FIRING in item.states[: length - 1]}):
        for name in sorted({item.name for item in courses}):
            alive = [item for item in courses if item.name == name and item.states[look] == FIRING]
            if any(id(item) not in told for item in alive):
                checks.append(text_checks(courses, name, look, step))
                told |= {id(item) for item in alive}
    return checks


def _minute_slots(value: Callable[[float], Slot], slot: int) -> list[Slot]:
    """A value per slot, as a function of the minute."""
    return [value(index * slot / 60) for index in range(last_slot(slot) + 1)]


def _gauge_series(spec: Spec, gauges: Gauges) -> list[Document]:
    found = []
    matchers = gauges.running[0].matchers
    alternatives = variants(matchers)
    limit = float(spec.queue_limit) if spec.queue_limit is not None else None
    slot = slot_of(spec)
    for number, replica in enumerate(_REPLICAS):
        labels = {**alternatives[number % len(alternatives)], gauges.replica_label: replica.name}
        for rank in _RANKS:
            found += _gauges_of(gauges, {**labels, "rank": rank}, replica if rank == "0" else None, rank, limit, slot)
        for index, miss in enumerate(near_misses(matchers, matching(matchers))):
            # A stranger on the same replica contradicts it: it hangs where the replica works, and works where it hangs.
            other = {**miss, gauges.replica_label: replica.name, "rank": "0", "stranger": str(index)}
            stranger = _Replica("stranger", 0 if replica.hangs else 5, 7, 3 if replica.hangs else 0)
            found += _gauges_of(gauges, other, stranger, "0", None, slot)
    return found


def _gauges_of(
    gauges: Gauges, labels: dict[str, str], replica: _Replica | None, rank: str, limit: float | None, slot: int
) -> list[Document]:
    running, waiting, tokens = _gauge_texts(replica or _Replica(f"rank {rank}", 0, 0, 0), limit, slot)
    if replica is None and limit is not None and labels[gauges.replica_label] == "busy":
        waiting = ramp(1, 0, last_slot(slot))
    return [
        raw_input(series_name(selectors[0].name, labels), text)
        for selectors, text in ((gauges.running, running), (gauges.waiting, waiting), (gauges.tokens, tokens))
    ]


@lru_cache(maxsize=256)
def _gauge_texts(replica: _Replica, limit: float | None, slot: int) -> tuple[str, str, str]:
    waiting = values(_minute_slots(lambda minute: _waiting(replica, limit, minute), slot))
    return ramp(replica.running, 0, last_slot(slot)), waiting, _tokens_text(replica, slot)


def _tokens_text(replica: _Replica, slot: int) -> str:
    if not replica.stops:
        return ramp(_TOKENS_FROM, replica.tokens, last_slot(slot))
    stop, resume = _STOPS * 60 // slot, _RESUMES * 60 // slot
    at_stop = _TOKENS_FROM + replica.tokens * stop
    return (
        f"{ramp(_TOKENS_FROM, replica.tokens, stop)} {ramp(at_stop, 0, resume - stop - 1)} "
        f"{ramp(at_stop + replica.tokens, replica.tokens, last_slot(slot) - resume - 1)}"
    )


def _waiting(replica: _Replica, limit: float | None, minute: float) -> float:
    """Waiting requests; the busy replica's bring the mean under the limit, exactly to it, over it, and back.

    One of the busy replica's requests waits in its second rank.
    """
    if limit is None or replica.name != "busy":
        return replica.waiting
    others = sum(item.waiting for item in _REPLICAS if item.name != "busy")
    return limit * len(_REPLICAS) - others - 1 + _beyond_limit(minute)


def _beyond_limit(minute: float) -> float:
    if minute < _QUEUE_AT:
        return -1.0
    # A mean that is no tie where alerts print it to one digit: promtool sums replicas in any order.
    return 1.2 if _QUEUE_OVER <= minute < _QUEUE_DOWN else 0.0


@lru_cache(maxsize=64)
def _stalled(replica: _Replica, length: int, step: int, slot: int) -> tuple[bool, ...]:
    """Whether requests are in the replica while no token left it for 5m."""
    samples = []
    for index in range(last_slot(slot) + 1):
        minute = index * slot / 60
        if replica.stops:
            minute -= min(max(minute - _STOPS, 0.0), float(_RESUMES - _STOPS))
        samples.append((float(index * slot), _TOKENS_FROM + replica.tokens * minute * 60 / slot))
    inside = replica.running + replica.waiting > 0
    return tuple(inside and not (model.increase(samples, index * step, 300) or 0) > 0 for index in range(length))


def _gauge_courses(spec: Spec, gauges: Gauges, length: int, step: int) -> list[AlertCourse]:
    found = []
    rule = engine_alerts.engine_stalled(spec, gauges)
    alternatives = variants(gauges.running[0].matchers)
    limit = float(spec.queue_limit) if spec.queue_limit is not None else None
    for number, replica in enumerate(_REPLICAS):
        labels = alternatives[number % len(alternatives)]
        job = {"job": labels["job"]} if "job" in labels else {}
        own = {**rule, "series_labels": {**job, gauges.replica_label: replica.name}}
        value = tuple(replica.running + _waiting(replica, limit, index * step / 60) for index in range(length))
        found.append(_course(spec, own, _stalled(replica, length, step, slot_of(spec)), value))
    if spec.queue_limit is not None and limit is not None:
        mean = tuple(limit + _beyond_limit(index * step / 60) / len(_REPLICAS) for index in range(length))
        rule = engine_alerts.queue_depth(spec, gauges, spec.queue_limit)
        found.append(_course(spec, rule, tuple(value > limit for value in mean), mean))
    return found


@lru_cache(maxsize=2)
def _source_slots(slot: int) -> tuple[Slot, ...]:
    def value(minute: float) -> Slot:
        if _GONE <= minute < _BACK or minute >= DOWN:
            return STALE if minute in (_GONE, DOWN) else GAP
        return 100.0 + 2**-11 if minute >= _EVENT else 100.0

    return tuple(_minute_slots(value, slot))


@lru_cache(maxsize=2)
def _source_text(slot: int) -> str:
    return values(_source_slots(slot))


def _source_series(source: Source, slot: int) -> list[Document]:
    selector = source.selectors[0]
    alternatives = variants(selector.matchers)
    labels = alternatives[-1]
    found = [raw_input(series_name(selector.name, labels), _source_text(slot))]
    # Strangers are there when the source is gone, and their traffic comes when it has none.
    strangers = ramp(50, 2.5, last_slot(slot))
    misses = near_misses(selector.matchers, labels)
    return found + [raw_input(series_name(selector.name, miss), strangers) for miss in misses]


@lru_cache(maxsize=16)
def _absence(scrapes: Scrapes, length: int) -> tuple[tuple[bool, ...], tuple[bool, ...], tuple[float, ...]]:
    """Per evaluation: the source is gone while targets are up; it is gone and had traffic; how many targets are up."""
    step, slot = scrapes.step, scrapes.slot
    minutes = [index * step / 60 for index in range(length)]
    gone = [_GONE <= minute < _BACK or minute >= DOWN for minute in minutes]
    targets = [samples_of(scrapes, second=second) for second in (False, True)]
    # A target counts as up until a scrape says otherwise.
    up = [float(sum(model.latest(samples, index * step) == 1 for samples in targets)) for index in range(length)]
    samples = [(index * slot, value) for index, value in enumerate(_source_slots(slot)) if not isinstance(value, str)]
    traffic = [(model.increase(samples, index * step - 1800, 1800) or 0) > 0 for index in range(length)]
    unexposed = tuple(absent and count > 0 for absent, count in zip(gone, up, strict=True))
    return unexposed, tuple(absent and had for absent, had in zip(gone, traffic, strict=True)), tuple(up)


def _source_courses(spec: Spec, source: Source, scrapes: Scrapes, length: int) -> list[AlertCourse]:
    rules = engine_alerts.source_absent(spec, source)
    unexposed, lost, up = _absence(scrapes, length)
    ones = (1.0,) * length
    if not source.target_matchers:
        return [_course(spec, rules[0], lost, ones)]
    return [_course(spec, rules[0], unexposed, up), _course(spec, rules[1], lost, ones)]


def _up_series(source: Source, scrapes: Scrapes) -> list[Document]:
    alternatives = variants(source.target_matchers)
    first = series_name("up", {**alternatives[-1], "target": "first"})
    second = series_name("up", {**alternatives[0], "target": "second"})
    found = [raw_input(first, up_text(scrapes, second=False)), raw_input(second, up_text(scrapes, second=True))]
    # Strangers stay up when the targets go down.
    strangers = ramp(1, 0, last_slot(scrapes.slot))
    misses = near_misses(source.target_matchers, alternatives[0])
    return found + [raw_input(series_name("up", miss), strangers) for miss in misses]


def _deadlines(spec: Spec, series: list[Document], length: int, step: int) -> tuple[list[Document], list[Document]]:
    """The age of the oldest pending document: under its limit, exactly at it, over it, and back."""
    checks: list[Document] = []
    texts: list[Document] = []
    for slo in spec.slos:
        if slo.deadline is None or slo.mode == "none":
            continue
        limit = float(slo.deadline.limit.seconds) * 0.8
        series += _age_series(slo, slo.deadline, limit, slot_of(spec))
        age = tuple(limit + 0.5 * _beyond_limit(index * step / 60) for index in range(length))
        rule = of_group(alerts.deadline_at_risk(spec, slo), groups_of(slo)[0])
        own = course(rule, tuple(value > limit for value in age), age, step)
        looks = sorted(own.changes() | {2, length - 1})
        checks += state_checks([own], looks, step, slo.slo_id, ["severity", *slo.groups.labels], only=own.name)
        texts.append(text_checks([own], own.name, own.states.index(FIRING) + 1, step))
    return checks, texts


def _checks_beside_an_slo(
    spec: Spec, courses: list[AlertCourse], looks: list[int], step: int, by: list[str], labels: list[str]
) -> list[Document]:
    """The checks where an SLO has the spec's own identity: its alerts, which have no source, are passed over."""
    checks = []
    watching = [item for item in courses if spec.own_label("source") in item.rule["labels"]]
    if labels:
        checks += state_checks(watching, looks, step, spec.engine_id, by, sources=(spec.own_label("source"), labels))
    for name in sorted({item.name for item in courses if item not in watching}):
        own = [item for item in courses if item.name == name and item not in watching]
        checks += state_checks(
            own, looks, step, spec.engine_id, by, only=name, sources=(spec.own_label("source"), [""])
        )
    return checks


def _age_series(slo: Slo, deadline: Deadline, limit: float, slot: int) -> list[Document]:
    selector = deadline.pending_age
    first, *others = groups_of(slo)
    labels = placed(variants(selector.matchers)[-1], slo, first)
    oldest = values(_minute_slots(lambda minute: limit + 0.5 * _beyond_limit(minute), slot))
    queue = free_name("queue", slo)
    found = [
        raw_input(series_name(selector.name, {**labels, queue: "oldest"}), oldest),
        raw_input(series_name(selector.name, {**labels, queue: "younger"}), ramp(1, 0, last_slot(slot))),
    ]
    found += [
        raw_input(series_name(selector.name, placed(labels, slo, other)), ramp(2, 0, last_slot(slot)))
        for other in others
    ]
    # A stranger is over the limit where the own queue is not.
    older = ramp(limit * 9, 0, last_slot(slot))
    misses = near_misses(selector.matchers, labels)
    return found + [raw_input(series_name(selector.name, miss), older) for miss in misses]
