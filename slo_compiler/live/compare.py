"""Specs against what is scraped: whether each SLI's metric, type, labels and bucket are there, and whether they move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slo_compiler.engine_versions import UnknownVersion, resolve_engine
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import Counters, Histogram, Native, Queries, Selector, Slices, Slo, Spec, Throughput
from slo_compiler.live.native import classic_alone, edge_there, seen_as_classic
from slo_compiler.live.pages import all_pass
from slo_compiler.live.presence import judged_matchers, matched_series, presence
from slo_compiler.live.results import Check, Live, Read, Result, Teller
from slo_compiler.live.samples import bounds_of_promise, bucket_there, counting
from slo_compiler.live.versions import version_of_page
from slo_compiler.promql.build import matchers as matchers_text


def compare(spec: Spec, live: Live) -> Iterator[Result]:
    """What is and what is not as a spec's rules need it, SLO by SLO."""
    engine = _engine_of(spec, live)
    for slo in spec.slos:
        tell = Teller(spec.service, slo.name, slo.sli)
        yield from dict.fromkeys(_compare_slo(slo, engine, live, tell))
    tell = Teller(spec.service, spec.name, "engine")
    if engine is not None:
        yield from version_of_page(engine, live, tell)
    if spec.gauges is not None:
        for selectors in (spec.gauges.running, spec.gauges.waiting):
            yield from presence(_gauges(selectors, engine), engine, live, tell)


def _engine_of(spec: Spec, live: Live) -> ResolvedEngine | None:
    if spec.engine is None or spec.engine.name not in live.engines:
        return None
    try:
        return resolve_engine(live.engines[spec.engine.name], spec.engine.version, generation=spec.engine.generation)
    except UnknownVersion:
        return None


def _compare_slo(slo: Slo, engine: ResolvedEngine | None, live: Live, tell: Teller) -> Iterator[Result]:
    measurement = slo.measurement.inner if isinstance(slo.measurement, Slices) else slo.measurement
    if isinstance(measurement, Histogram):
        roles = tuple(str(role) for role in live.slis[slo.sli].roles)
        yield from _compare_histogram(slo, measurement, roles, engine, live, tell)
    elif isinstance(measurement, Counters):
        for selector in (measurement.total, measurement.part):
            is_part = selector is measurement.part
            yield from _compare_counter(_counter(selector, engine), engine, live, tell, may_be_absent=is_part)
    elif isinstance(measurement, Throughput):
        names = tuple(selector.name for selector in measurement.tokens)
        own = engine.labels("generation_tokens") if engine is not None else None
        yield from _compare_counter(
            Read(names, "counter", measurement.tokens[0].matchers, own), engine, live, tell, may_be_absent=False
        )
        yield from presence(_gauges(measurement.waiting, engine), engine, live, tell)
    else:
        what = measurement.total if isinstance(measurement, Queries) else measurement.query
        yield tell(Check.METRIC, None, "", f"measured by a query of the spec's own, which is not taken apart: {what}")
    if slo.deadline is not None:
        age = slo.deadline.pending_age
        yield from presence(Read((age.name,), "gauge", age.matchers), engine, live, tell)


def _counter(selector: Selector, engine: ResolvedEngine | None) -> Read:
    own = engine.labels_named(selector.name) if engine is not None else frozenset[str]()
    return Read((selector.name,), "counter", selector.matchers, own or None)


def _gauges(selectors: Sequence[Selector], engine: ResolvedEngine | None) -> Read:
    names = tuple(selector.name for selector in selectors)
    own = frozenset().union(*(engine.labels_named(name) for name in names)) if engine is not None else frozenset[str]()
    return Read(names, "gauge", selectors[0].matchers, own or None)


def _compare_histogram(
    slo: Slo, histogram: Histogram, roles: tuple[str, ...], engine: ResolvedEngine | None, live: Live, tell: Teller
) -> Iterator[Result]:
    expected = tuple(name for role in roles for name in engine.names_in_version(role)) if engine is not None else ()
    own = engine.labels_of(roles) if engine is not None else None
    read = Read(histogram.names, "histogram", histogram.matchers, own, expected)
    if histogram.native is not None and live.page.has_target_labels:
        yield from _compare_native(slo, histogram, histogram.native, read, engine, live, tell)
        return
    results = list(presence(read, engine, live, tell))
    yield from results
    if any(result.ok is False and result.check in (Check.METRIC, Check.TYPE, Check.LABELS) for result in results):
        return
    for name in histogram.names:
        buckets = matched_series(live.page, f"{name}_bucket", read, live)
        if not buckets:
            continue
        if histogram.native is not None and histogram.native.schema is not None:
            yield tell(Check.BUCKET, None, name, "its buckets are native ones, which only a server shows")
            yield counting(matched_series(live.page, f"{name}_count", read, live), f"{name}_count", read, live, tell)
            continue
        yield from bucket_there(slo, histogram, name, buckets, engine, tell)
        yield counting(matched_series(live.page, f"{name}_count", read, live), f"{name}_count", read, live, tell)
        yield from bounds_of_promise(slo, histogram, name, buckets, tell)


def _compare_native(
    slo: Slo,
    histogram: Histogram,
    native: Native,
    read: Read,
    engine: ResolvedEngine | None,
    live: Live,
    tell: Teller,
) -> Iterator[Result]:
    """A histogram that the server has as a native one."""
    alone = classic_alone(histogram, native, live)
    yield from (tell(Check.TYPE, False, name, message) for name, message in alone.items())
    if not any(name in live.page.native for name in histogram.names) and alone:
        return
    counted = seen_as_classic(live, histogram)
    results = list(presence(read, engine, counted, tell))
    yield from (result for result in results if result.check is not Check.TYPE or result.metric not in alone)
    if any(result.ok is False and result.check in (Check.METRIC, Check.TYPE, Check.LABELS) for result in results):
        return
    for name in histogram.names:
        matched = matched_series(counted.page, f"{name}_count", read, counted)
        if matched:
            yield from edge_there(slo, histogram, name, live, tell)
            yield counting(matched, f"{name}_count", read, counted, tell)._replace(metric=name)


def _compare_counter(
    read: Read, engine: ResolvedEngine | None, live: Live, tell: Teller, *, may_be_absent: bool
) -> Iterator[Result]:
    """A counter; one of the good or the bad events alone may be absent until the first of them."""
    series = [one for name in read.names for one in live.page.series.get(name, [])]
    judged, _ = judged_matchers(read, series, live)
    if may_be_absent and series and not any(all_pass(one, judged) for one in series):
        missing = [matcher for matcher in judged if not any(matcher.label in one.labels for one in series)]
        if not missing:
            yield tell(
                Check.LABELS, None, read.names[0], f"no series matches {matchers_text(judged)} yet, which reads as 0"
            )
            return
    results = list(presence(read, engine, live, tell))
    yield from results
    if any(result.ok is False for result in results):
        return
    for name in read.names:
        matched = matched_series(live.page, name, read, live)
        if matched and not may_be_absent:
            yield counting(matched, name, read, live, tell)
