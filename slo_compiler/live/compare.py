"""Specs against what is scraped: whether each SLI's metric, type, labels and bucket are there, and whether they move."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from slo_compiler.documents.engine import Engine, MetricType
from slo_compiler.engines import ResolvedEngine, UnknownVersion, resolve_engine
from slo_compiler.ir import Counters, Histogram, Matcher, Queries, Selector, Slices, Slo, Spec, Throughput
from slo_compiler.live.pages import Page, Series, passes
from slo_compiler.promql.build import matchers as matchers_text
from slo_compiler.slis import Sli
from slo_compiler.units import decimal_text, percent_text

_FEW = 5


class Check(StrEnum):
    """What is looked at, in the order in which it is told."""

    METRIC = "metric"
    VERSION = "version"
    TYPE = "type"
    LABELS = "labels"
    BUCKET = "bucket"
    SAMPLES = "samples"


class Result(NamedTuple):
    """One thing that was looked at.

    Attributes:
        slo: name of the SLO; of the spec, for what all its SLOs share.
        ok: None where what is there does not tell.
        fix: a line of the spec that would work, where one is known.
    """

    service: str
    slo: str
    sli: str
    check: Check
    ok: bool | None
    metric: str
    message: str
    fix: str = ""


class Live(NamedTuple):
    """What was seen, and what is needed to judge it.

    Attributes:
        earlier: the same some time before; None where it was looked at once.
        target_labels: labels that come from scraping, not from the program.
    """

    page: Page
    earlier: Page | None
    engines: Mapping[str, Engine]
    slis: Mapping[str, Sli]
    target_labels: frozenset[str]


class _Read(NamedTuple):
    """Metrics of which any one is to be there, under the same matchers.

    Attributes:
        kind: `histogram`, `counter` or `gauge`.
        own_labels: labels that the program is known to give them; None where nothing is known.
        expected: those names that the engine's version exposes; empty where nothing is known.
    """

    names: tuple[str, ...]
    kind: str
    matchers: tuple[Matcher, ...]
    own_labels: frozenset[str] | None = None
    expected: tuple[str, ...] = ()


def compare(spec: Spec, live: Live) -> Iterator[Result]:
    """What is and what is not as a spec's rules need it, SLO by SLO."""
    engine = _engine_of(spec, live)
    for slo in spec.slos:
        tell = _Teller(spec.service, slo.name, slo.sli)
        yield from dict.fromkeys(_compare_slo(slo, engine, live, tell))
    tell = _Teller(spec.service, spec.name, "engine")
    if engine is not None:
        yield from _version_of_page(engine, live, tell)
    if spec.gauges is not None:
        for selectors in (spec.gauges.running, spec.gauges.waiting):
            yield from _present(_gauges(selectors, engine), engine, live, tell)


class _Teller(NamedTuple):
    """Makes results of one SLO."""

    service: str
    slo: str
    sli: str

    def __call__(self, check: Check, ok: bool | None, metric: str, message: str, fix: str = "") -> Result:
        return Result(self.service, self.slo, self.sli, check, ok, metric, message, fix)


def _engine_of(spec: Spec, live: Live) -> ResolvedEngine | None:
    if spec.engine is None or spec.engine.name not in live.engines:
        return None
    try:
        return resolve_engine(live.engines[spec.engine.name], spec.engine.version, generation=spec.engine.generation)
    except UnknownVersion:
        return None


def _compare_slo(slo: Slo, engine: ResolvedEngine | None, live: Live, tell: _Teller) -> Iterator[Result]:
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
            _Read(names, "counter", measurement.tokens[0].matchers, own), engine, live, tell, may_be_absent=False
        )
        yield from _present(_gauges(measurement.waiting, engine), engine, live, tell)
    else:
        what = measurement.total if isinstance(measurement, Queries) else measurement.query
        yield tell(Check.METRIC, None, "", f"measured by a query of the spec's own, which is not taken apart: {what}")
    if slo.deadline is not None:
        age = slo.deadline.pending_age
        yield from _present(_Read((age.name,), "gauge", age.matchers), engine, live, tell)


def _counter(selector: Selector, engine: ResolvedEngine | None) -> _Read:
    own = engine.labels_named(selector.name) if engine is not None else frozenset[str]()
    return _Read((selector.name,), "counter", selector.matchers, own or None)


def _gauges(selectors: Sequence[Selector], engine: ResolvedEngine | None) -> _Read:
    names = tuple(selector.name for selector in selectors)
    own = frozenset().union(*(engine.labels_named(name) for name in names)) if engine is not None else frozenset[str]()
    return _Read(names, "gauge", selectors[0].matchers, own or None)


# ---- the metric, its version and its type ----


def _present(read: _Read, engine: ResolvedEngine | None, live: Live, tell: _Teller) -> Iterator[Result]:
    """Metric, version, type and labels; what follows from them is left to the caller."""
    found = [name for name in read.names if _series_name(name, read.kind) in live.page.series]
    if not found:
        yield tell(Check.METRIC, False, read.names[0], _missing(read.names, live.page))
        return
    yield tell(Check.METRIC, True, found[0], "is exposed")
    if read.expected and engine is not None:
        yield from _version(read, found, engine, tell)
    for name in found:
        declared = live.page.type_of(name)
        if declared == "unknown":
            declared = live.page.type_of(_series_name(name, read.kind))
        if declared not in (read.kind, "unknown", "untyped"):
            yield tell(Check.TYPE, False, name, f"is a {declared}; the rules read a {read.kind}")
        else:
            known = declared == read.kind
            yield tell(Check.TYPE, True if known else None, name, f"is a {read.kind}" if known else "has no type")
    yield from _labels(read, found, live, tell)


def _series_name(name: str, kind: str) -> str:
    return f"{name}_count" if kind == "histogram" else name


def _missing(names: Sequence[str], page: Page) -> str:
    known = page.metrics()
    near = [close for name in names for close in difflib.get_close_matches(name, known, n=2, cutoff=0.7)]
    seen = list(dict.fromkeys(near))[:_FEW]
    others = f"; near it are {', '.join(seen)}" if seen else ""
    also = f", nor {', '.join(names[1:])}" if len(names) > 1 else ""
    return f"is not there{also}{others}"


def _version(read: _Read, found: Sequence[str], engine: ResolvedEngine, tell: _Teller) -> Iterator[Result]:
    if any(name in read.expected for name in found):
        yield tell(Check.VERSION, True, found[0], f"is what {engine.title} exposes")
        return
    fitting = fitting_versions(engine, lambda other: any(name in found for name in _names_of(other, read, engine)))
    fix = _version_line(engine, fitting)
    known = f"; {found[0]} is in {_list_versions(fitting)}" if fitting else ""
    yield tell(Check.VERSION, False, found[0], f"{engine.title} exposes {' or '.join(read.expected)}{known}", fix)


def _version_of_page(engine: ResolvedEngine, live: Live, tell: _Teller) -> Iterator[Result]:
    """Whether all metrics of the engine that the page has are those of the version, and its histograms all there."""
    document = engine.document.spec
    exposed = {name for name in live.page.metrics() if any(name == metric.name for metric in document.metrics)}
    if not exposed:
        return
    fitting = fitting_versions(engine, lambda other: _is_page_of(other, exposed))
    title = f"{engine.title} exposes"
    if not fitting:
        yield tell(
            Check.VERSION, None, engine.name, "the metrics are those of no one known release: several, or settings"
        )
    elif _is_page_of(engine, exposed):
        yield tell(Check.VERSION, True, engine.name, f"the page has what {title}")
    else:
        own = {name for role in engine.roles() for name in engine.names_in_version(role)}
        odd = sorted(exposed - own) or sorted(_histograms(engine) - exposed)
        what = "is on the page" if exposed - own else "is not on the page"
        message = f"the page is that of {_list_versions(fitting)}: {odd[0]} {what}"
        yield tell(Check.VERSION, False, engine.name, message, _version_line(engine, fitting))


def _is_page_of(engine: ResolvedEngine, exposed: set[str]) -> bool:
    own = {
        name
        for role in dict.fromkeys(metric.role.value for metric in engine.document.spec.metrics)
        for name in engine.names_in_version(role)
    }
    return exposed <= own and _histograms(engine) <= exposed


def _histograms(engine: ResolvedEngine) -> set[str]:
    """The histograms that every release of the version exposes; other metrics may hang on settings."""
    found: set[str] = set()
    for role in engine.roles():
        metric = engine.metric(role)
        if metric is not None and metric.type is MetricType.HISTOGRAM:
            found.update(engine.names_in_version(role))
    return found


def _names_of(other: ResolvedEngine, read: _Read, engine: ResolvedEngine) -> tuple[str, ...]:
    roles = dict.fromkeys(metric.role.value for metric in engine.document.spec.metrics if metric.name in read.names)
    return tuple(name for role in roles for name in other.names_in_version(role))


def fitting_versions(engine: ResolvedEngine, fits: Callable[[ResolvedEngine], bool]) -> list[str]:
    """The known releases of an engine that fit, oldest first."""
    found = []
    for version in engine.document.spec.versions.known:
        try:
            other = resolve_engine(engine.document, version, generation=engine.generation)
        except UnknownVersion:
            continue
        if fits(other):
            found.append(version)
    return found


def _list_versions(versions: Sequence[str]) -> str:
    return versions[0] if len(versions) == 1 else f"{versions[0]} to {versions[-1]}"


def _version_line(engine: ResolvedEngine, versions: Sequence[str]) -> str:
    """The line of a spec with that version which is nearest to its own."""
    if not versions:
        return ""
    known = engine.document.spec.versions.known
    own = next((place for place, version in enumerate(known) if f"{engine.version}.".startswith(f"{version}.")), 0)
    nearest = min(versions, key=lambda version: abs(known.index(version) - own))
    return f'engine: {{name: {engine.name}, version: "{nearest}"}}'


# ---- labels ----


def _labels(read: _Read, found: Sequence[str], live: Live, tell: _Teller) -> Iterator[Result]:
    for name in found:
        series = live.page.series[_series_name(name, read.kind)]
        judged, untold = _judged(read, series, live)
        if not [one for one in series if _all_pass(one, judged)]:
            yield tell(Check.LABELS, False, name, _mismatch(judged, series))
            continue
        if untold:
            labels = ", ".join(sorted({matcher.label for matcher in untold}))
            yield tell(
                Check.LABELS, None, name, f"{labels}: added by scraping, which a page of the program cannot show"
            )
        elif judged:
            yield tell(Check.LABELS, True, name, f"series match {matchers_text(judged)}")


def _judged(read: _Read, series: Sequence[Series], live: Live) -> tuple[tuple[Matcher, ...], list[Matcher]]:
    """The matchers that the page can answer, and those that only a server can."""
    if live.page.has_target_labels:
        return read.matchers, []
    present = {label for one in series for label in one.labels}
    untold = [
        matcher
        for matcher in read.matchers
        if matcher.label not in present
        and (
            matcher.label in live.target_labels
            or (read.own_labels is not None and matcher.label not in read.own_labels)
        )
    ]
    return tuple(matcher for matcher in read.matchers if matcher not in untold), untold


def _all_pass(one: Series, judged: Iterable[Matcher]) -> bool:
    return all(passes(matcher)(one.labels.get(matcher.label, "")) for matcher in judged)


def _mismatch(judged: Sequence[Matcher], series: Sequence[Series]) -> str:
    """Which matcher lets no series through, with the values that there are."""
    for matcher in judged:
        test = passes(matcher)
        if any(test(one.labels.get(matcher.label, "")) for one in series):
            continue
        text = matchers_text((matcher,))
        values = sorted({one.labels[matcher.label] for one in series if matcher.label in one.labels})
        if values:
            more = f" and {len(values) - _FEW} more" if len(values) > _FEW else ""
            return f"no series matches {text}; {matcher.label} is {', '.join(map(repr, values[:_FEW]))}{more}"
        labels = sorted({label for one in series for label in one.labels} - {"le"})
        return f"no series has the label {matcher.label} of {text}; its labels are {', '.join(labels) or 'none'}"
    return f"no series matches all of {matchers_text(judged)}"


# ---- histograms ----


def _compare_histogram(
    slo: Slo, histogram: Histogram, roles: tuple[str, ...], engine: ResolvedEngine | None, live: Live, tell: _Teller
) -> Iterator[Result]:
    expected = tuple(name for role in roles for name in engine.names_in_version(role)) if engine is not None else ()
    own = engine.labels_of(roles) if engine is not None else None
    read = _Read(histogram.names, "histogram", histogram.matchers, own, expected)
    results = list(_present(read, engine, live, tell))
    yield from results
    if any(result.ok is False and result.check in (Check.METRIC, Check.TYPE, Check.LABELS) for result in results):
        return
    for name in histogram.names:
        buckets = _matched(live.page, f"{name}_bucket", read, live)
        if not buckets:
            continue
        yield from _bucket(slo, histogram, name, buckets, engine, tell)
        yield _samples(_matched(live.page, f"{name}_count", read, live), f"{name}_count", read, live, tell)
        yield from _bounds(slo, histogram, name, buckets, tell)


def _matched(page: Page, name: str, read: _Read, live: Live) -> list[Series]:
    series = page.series.get(name, [])
    judged, _ = _judged(read, series, live)
    return page.matching(name, judged)


def _bucket(
    slo: Slo, histogram: Histogram, name: str, buckets: Sequence[Series], engine: ResolvedEngine | None, tell: _Teller
) -> Iterator[Result]:
    test = passes(Matcher("le", "=~", histogram.measured.le_pattern))
    have = {one.labels.get("le", "") for one in buckets}
    promised = f"{slo.promised} is promised and " if slo.promised != slo.measured and slo.promised is not None else ""
    if any(map(test, have)):
        yield tell(Check.BUCKET, True, name, f"{promised}{slo.measured} is read, which is a bucket")
        return
    edges = sorted(edge for edge in (_edge(text) for text in have) if edge is not None)
    edge = histogram.measured.edge
    near = [e for e in edges if e < edge][-1:] + [e for e in edges if e > edge][:1]
    around = ", ".join(decimal_text(e) for e in near) or "none"
    message = f"{promised}le={decimal_text(edge)!r} is read and is no bucket; around it are {around}"
    scaled = [factor for factor in (1000, 1_000_000) if edge * factor in edges and edge not in edges]
    if scaled and len(edges) > 1:
        unit = "milliseconds" if scaled[0] == 1000 else "microseconds"
        message += f"; the page seems to be in {unit}"
    fix = ""
    if engine is not None:
        fitting = fitting_versions(engine, lambda other: _edges_fit(other, name, edges))
        fix = _version_line(engine, [version for version in fitting if version != engine.version])
    yield tell(Check.BUCKET, False, name, message, fix)


def _edges_fit(other: ResolvedEngine, name: str, edges: Sequence[Decimal]) -> bool:
    for metric in other.document.spec.metrics:
        if metric.name == name and name in other.names_in_version(metric.role):
            return list(other.edges(metric.role)) == list(edges)
    return False


def _edge(text: str) -> Decimal | None:
    try:
        edge = Decimal(text)
    except ArithmeticError:
        return None
    return edge if edge.is_finite() else None


def _bounds(slo: Slo, histogram: Histogram, name: str, buckets: Sequence[Series], tell: _Teller) -> Iterator[Result]:
    """The share of good events between which the promise lies, where no bucket is at the promised threshold."""
    if histogram.other is None or slo.promised is None:
        return
    total = _sum(one for one in buckets if one.labels.get("le") == "+Inf")
    if not total:
        return
    sides = []
    for bound in (histogram.measured, histogram.other):
        test = passes(Matcher("le", "=~", bound.le_pattern))
        sides.append(_sum(one for one in buckets if test(one.labels.get("le", ""))) / total)
    low, high = sorted(sides)
    shares = _percent(low) if low == high else f"between {_percent(low)} and {_percent(high)}"
    said = f"{shares} of {total:,.0f} were within {slo.promised}"
    if low < slo.target <= high:
        yield tell(Check.SAMPLES, None, name, f"{said}: undecidable at {percent_text(slo.target)}")
    else:
        kept = "kept" if low >= slo.target else "not kept"
        yield tell(Check.SAMPLES, True, name, f"{said}: {percent_text(slo.target)} is {kept}, whichever is true")


def _sum(series: Iterable[Series]) -> float:
    return sum(one.value for one in series if one.value == one.value)


def _percent(share: float) -> str:
    return percent_text(Decimal(str(round(share, 4))))


# ---- counters ----


def _compare_counter(
    read: _Read, engine: ResolvedEngine | None, live: Live, tell: _Teller, *, may_be_absent: bool
) -> Iterator[Result]:
    """A counter; one of the good or the bad events alone may be absent until the first of them."""
    series = [one for name in read.names for one in live.page.series.get(name, [])]
    judged, _ = _judged(read, series, live)
    if may_be_absent and series and not any(_all_pass(one, judged) for one in series):
        missing = [matcher for matcher in judged if not any(matcher.label in one.labels for one in series)]
        if not missing:
            yield tell(
                Check.LABELS, None, read.names[0], f"no series matches {matchers_text(judged)} yet, which reads as 0"
            )
            return
    results = list(_present(read, engine, live, tell))
    yield from results
    if any(result.ok is False for result in results):
        return
    for name in read.names:
        matched = _matched(live.page, name, read, live)
        if matched and not may_be_absent:
            yield _samples(matched, name, read, live, tell)


def _samples(matched: Sequence[Series], name: str, read: _Read, live: Live, tell: _Teller) -> Result:
    """Whether anything is counted: between two looks, or beside other counters of the page."""
    now = _sum(matched)
    if live.earlier is not None:
        judged, _ = _judged(read, live.page.series.get(name, []), live)
        before = _sum(live.earlier.matching(name, judged))
        if now > before:
            return tell(Check.SAMPLES, True, name, f"has counted {now - before:,.0f} in the meantime")
        others = _moved(live.page, live.earlier)
        if others:
            return tell(Check.SAMPLES, False, name, f"did not move, while {others[0]} did")
        return tell(Check.SAMPLES, None, name, "did not move, and nothing else did")
    if now > 0:
        return tell(Check.SAMPLES, True, name, f"has counted {now:,.0f}")
    busy = _busy(live.page, name)
    if busy:
        return tell(Check.SAMPLES, False, name, f"is 0, while {busy[0]} is not: it does not count these requests")
    return tell(Check.SAMPLES, None, name, "is 0: nothing has been served yet")


def _moved(page: Page, earlier: Page) -> list[str]:
    """Counters of requests that grew, by name."""
    return sorted(name for name in _counters(page, "") if _sum(page.series[name]) > _sum(earlier.series.get(name, [])))


def _busy(page: Page, name: str) -> list[str]:
    """Counters of the same program, by the beginning of their names, that are not 0."""
    prefix = name.split(":")[0] + ":" if ":" in name else name.split("_")[0] + "_"
    return sorted(other for other in _counters(page, prefix) if other != name and _sum(page.series[other]) > 0)


def _counters(page: Page, prefix: str) -> list[str]:
    return [
        name
        for name in page.series
        if name.startswith(prefix)
        and not name.startswith(("process_", "python_", "go_"))
        and (name.endswith("_count") or page.type_of(name) == "counter")
    ]
