"""An objective to what is measured: buckets of an engine, or counters that the spec names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.documents.engine import Unit
from slo_compiler.documents.inference_slo import Selector as SelectorDocument
from slo_compiler.edges import UNIT_SECONDS, native_edge
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import (
    Bound,
    Counters,
    Gauges,
    Histogram,
    Matcher,
    Native,
    Selector,
    Slices,
    Slo,
    Source,
    Throughput,
)
from slo_compiler.load.source_map import Path
from slo_compiler.promql.build import selector as selector_text
from slo_compiler.promql.histograms import series_of
from slo_compiler.promql.selectors import NotASelector, parse_selector
from slo_compiler.resolve.buckets import Reading, Unmeasurable, exponential_edges, neighbours, read_threshold
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.findings import Findings
from slo_compiler.slis import Sli
from slo_compiler.units import Duration


class Measured(NamedTuple):
    """A histogram measurement with the threshold as it is read.

    Attributes:
        highest: the last edge, over which nothing is told apart; None where buckets go on for ever.
    """

    histogram: Histogram
    at: Duration
    exact: bool
    highest: Duration | None


def matchers_of(selector: SelectorDocument) -> tuple[Matcher, ...]:
    """A spec's selector as matchers, sorted by label."""
    found = []
    for label, wanted in sorted(selector.items()):
        if isinstance(wanted, str):
            found.append(Matcher(label, "=", wanted))
        elif wanted.re is not None:
            found.append(Matcher(label, "=~", wanted.re))
        elif wanted.not_ is not None:
            found.append(Matcher(label, "!=", wanted.not_))
    return tuple(found)


def engine_matchers(
    engine: ResolvedEngine, selector: SelectorDocument, model: str, carried: Collection[str]
) -> tuple[Matcher, ...]:
    """The spec's selector and the engine's model label where the metric carries it, sorted by label."""
    found = {matcher.label: matcher for matcher in matchers_of(selector)}
    if engine.model_label is not None and engine.model_label in carried:
        found.setdefault(engine.model_label, Matcher(engine.model_label, "=", model))
    return tuple(found[label] for label in sorted(found))


def narrowed(matchers: Iterable[Matcher], only: Mapping[str, str], without: Mapping[str, str]) -> tuple[Matcher, ...]:
    """Matchers with those of the engine's document among them, sorted by label; what the spec says of a label holds.

    Args:
        only: label to the one value that is read.
        without: label to a regular expression of what is not.
    """
    given = tuple(matchers)
    taken = {matcher.label for matcher in given}
    own = [Matcher(label, "=", value) for label, value in only.items() if label not in taken]
    own += [
        Matcher(label, "!=" if _is_literal(text) else "!~", text)
        for label, text in without.items()
        if label not in taken
    ]
    return tuple(sorted((*given, *own), key=lambda matcher: matcher.label))


def _is_literal(pattern: str) -> bool:
    return re.escape(pattern) == pattern


def read_histogram(
    engine: ResolvedEngine,
    sli: Sli,
    threshold: Duration,
    policy: str,
    matchers: tuple[Matcher, ...],
    native: Native | None,
    findings: Findings,
    path: Path,
    sli_path: Path,
) -> Measured | None:
    """The engine's histogram for an SLI, read at the edge that stands for the threshold; None with a diagnostic.

    Args:
        native: how its series arrive; None where there are classic ones.
        path: where the threshold stands.
        sli_path: where the SLI is named.
    """
    roles = [role for role in sli.roles if engine.has(role)]
    if not roles:
        message = f"{engine.title} exposes no metric for {sli.name} ({sli.title})"
        findings.error(Code.SLO402, sli_path, message, engine.alternatives(sli.roles, sli.name))
        return None
    unit = engine.unit(sli.roles)
    edges = Edges(engine, sli, unit, native, threshold)
    try:
        reading = read_threshold(threshold.seconds, edges.all, policy)
    except Unmeasurable as fault:
        _refuse(edges, fault, findings, path)
        return None
    measured = edges.shown(reading.measured)
    if not reading.exact:
        _say_reading(edges, measured, policy, findings, path)
    histogram = Histogram(
        names=engine.names_of(sli.roles),
        matchers=narrowed(matchers, *engine.narrowing(sli.roles)),
        measured=edges.bound(reading.measured),
        other=edges.bound(reading.other) if reading.other is not None else None,
        other_is=reading.other_is,
        other_is_all=reading.other_is_all,
        native=native,
    )
    endless = native is not None and native.schema is not None
    return Measured(histogram, measured, reading.exact, None if endless else Duration(edges.all[-1]))


class Edges:
    """The edges that an SLI's threshold may be read at, and how they are told.

    Attributes:
        all: in seconds, ascending; of exponential buckets those around the threshold.
    """

    def __init__(
        self, engine: ResolvedEngine, sli: Sli, unit: Unit, native: Native | None, threshold: Duration
    ) -> None:
        self.engine, self.sli, self.unit, self.threshold = engine, sli, unit, threshold
        self.schema = native.schema if native is not None else None
        self.all = engine.edges_of(sli.roles) if self.schema is None else self._exponential(self.schema)

    def bound(self, edge: Decimal) -> Bound:
        """An edge as the histogram writes it; exponential buckets have no text of it."""
        pattern = self.engine.le_pattern(edge, self.unit) if self.schema is None else ""
        return Bound(native_edge(edge, self.unit), pattern)

    def shown(self, edge: Decimal) -> Duration:
        """An edge as people read it: of one that is no short number, four digits."""
        return Duration(edge if self.schema is None else _four_digits(edge))

    def around(self) -> list[Decimal]:
        """The edges around the threshold, one or two."""
        return neighbours(self.threshold.seconds, self.all)

    def promises(self) -> list[Decimal]:
        """Thresholds near it that are measured as they are promised."""
        if self.schema is None:
            return self.around()
        return neighbours(self.threshold.seconds, self._exponential(min(self.schema, 0)))

    def listed(self, edges: Sequence[Decimal]) -> str:
        """Some edges in words."""
        return ", ".join(str(self.shown(edge)) for edge in edges)

    @property
    def configurable(self) -> str:
        """How to come by other edges; empty where there is no way."""
        if self.schema is not None:
            return "; a higher coarsestSchema has more edges, where all series have it"
        return f"; {self.engine.buckets_configurable}" if self.engine.buckets_configurable else ""

    def _exponential(self, schema: int) -> tuple[Decimal, ...]:
        edges = exponential_edges(native_edge(self.threshold.seconds, self.unit), schema)
        return tuple(edge * UNIT_SECONDS[self.unit] for edge in edges)


def _four_digits(edge: Decimal) -> Decimal:
    return edge.quantize(Decimal(1).scaleb(min(edge.adjusted() - 3, 0)))


def _refuse(edges: Edges, fault: Unmeasurable, findings: Findings, path: Path) -> None:
    code = Code.SLO403 if fault.between else Code.SLO404
    message = (
        f"{edges.engine.title} cannot measure {edges.sli.name} at {edges.threshold}: it {fault} "
        f"(nearest: {edges.listed(edges.around())})"
    )
    near = edges.promises()
    hint = f"promise {edges.listed(near)}" if len(near) == 1 else f"promise one of {edges.listed(near)}"
    if fault.between:
        hint += ", or bucketPolicy: ceil"
    findings.error(code, path, message, hint + edges.configurable)


def _say_reading(edges: Edges, measured: Duration, policy: str, findings: Findings, path: Path) -> None:
    around = edges.around()
    message = (
        f"{edges.engine.title} cannot measure {edges.sli.name} at {edges.threshold}; the rules read {measured} "
        f"(buckets around it: {edges.listed(around)})"
    )
    other = ""
    if policy == "ceil" and around[0] < edges.threshold.seconds:
        other = f", or bucketPolicy: floor to be judged at {edges.shown(around[0])}"
    if policy == "floor":
        other = f", or bucketPolicy: ceil to be judged at {edges.shown(around[-1])}"
    wanted = str(measured) if edges.schema is None else f"one of {edges.listed(edges.promises())}"
    findings.warning(Code.SLO403, path, message, f"promise {wanted}{other}{edges.configurable}")


def read_selector(text: str | None, path: Path, findings: Findings) -> Selector | None:
    """A selector of a counter that the spec names; None with a diagnostic where it is none."""
    if text is None:
        return None
    try:
        return parse_selector(text)
    except NotASelector as fault:
        findings.error(Code.SLO203, path, f"{path[-1]!s}: {fault}", f"{path[-1]}: 'requests_total{{app=\"x\"}}'")
        return None


def read_counters(
    total: str | None, part: str | None, part_is: str, paths: tuple[Path, Path], findings: Findings
) -> Counters | None:
    """Two selectors as a measurement."""
    all_events = read_selector(total, paths[0], findings)
    some_events = read_selector(part, paths[1], findings)
    if all_events is None or some_events is None:
        return None
    if all_events == some_events:
        message = f"{part_is} and total are the same series"
        findings.error(Code.SLO203, paths[1], message, f"{part_is} must select a part of total")
        return None
    return Counters(all_events, some_events, part_is)


def engine_view(
    engine: ResolvedEngine, selector: SelectorDocument, model: str, findings: Findings, path: Path
) -> Counters | None:
    """Availability as the engine itself sees it, of the model where its counters know models."""
    view = engine.availability
    if view is None:
        message = f"{engine.title} counts no failed requests that could be told from the others"
        hint = "measure at the gateway: source: {bad: ..., total: ...}"
        reason = engine.lacks("availability")
        findings.error(Code.SLO402, path, message, f"{reason}; {hint}" if reason else hint)
        return None
    part = view.part or view.total
    total_labels, part_labels = engine.labels_named(view.total), engine.labels_named(part)
    matchers = narrowed(
        engine_matchers(engine, selector, model, total_labels & part_labels), view.matchers, view.without
    )
    bad = tuple(Matcher(label, "=" if _is_literal(text) else "=~", text) for label, text in sorted(view.bad.items()))
    return Counters(Selector(view.total, matchers), Selector(part, (*matchers, *bad)), "bad")


def engine_completion(
    engine: ResolvedEngine,
    sli: Sli,
    matchers: Callable[[Collection[str]], tuple[Matcher, ...]],
    findings: Findings,
    path: Path,
) -> Counters | None:
    """Answers that ended, of those that began, as the engine counts them; None with a diagnostic.

    Args:
        matchers: of series that carry some labels.
    """
    view = engine.completion
    if view is None:
        message = f"{engine.title} does not count which of the answers that began came to their end ({sli.name})"
        hint = engine.lacks(sli.name) or "promise availability, measured at the gateway"
        findings.error(Code.SLO402, path, message, hint)
        return None
    read = matchers(engine.labels_named(view.began) & engine.labels_named(view.ended))
    began, ended = (Selector(engine.counter(name), read) for name in (view.began, view.ended))
    return Counters(began, ended._replace(matchers=narrowed(read, {}, view.without)), "good", part_later=True)


def engine_source(histogram: Histogram, engine: ResolvedEngine, roles: tuple[str, ...]) -> Source:
    """What must be there for an engine SLI: the counts of its histogram, from targets that are up."""
    own = frozenset().union(*(engine.labels(role) for role in roles if engine.has(role)))
    targets = _of_targets(histogram.matchers, own)
    return Source(histogram.names[0], series_of(histogram), targets, native=histogram.native is not None)


def view_source(selector: Selector, name: str, engine: ResolvedEngine) -> Source:
    """What must be there for a counter of the engine, of the metric of that name."""
    return Source(name, (selector,), _of_targets(selector.matchers, engine.labels_named(name)))


def _of_targets(matchers: Iterable[Matcher], own: Collection[str]) -> tuple[Matcher, ...]:
    """Those that are not about the engine's own labels, so that `up` has them too."""
    return tuple(matcher for matcher in matchers if matcher.label not in own)


def counter_source(selector: Selector, environment: Environment) -> Source:
    """What must be there for counters: the counter of all events."""
    known = frozenset(environment.config.prometheus.target_labels)
    targets = tuple(matcher for matcher in selector.matchers if matcher.label in known)
    return Source(selector.name, (selector,), targets)


def told_apart(sources: list[Source]) -> tuple[Source, ...]:
    """The sources with a label each: the metric's name, or its whole selector where another has the same name."""
    found: list[Source] = []
    for source in sources:
        taken = any(source.label == other.label for other in found)
        found.append(source._replace(label=selector_text(source.selectors[0])) if taken else source)
    return tuple(found)


# What shows a hang: requests in the engine, and tokens out of it.
GAUGE_ROLES = ("running", "queue_depth", "generation_tokens")


def gauges_of(engine: ResolvedEngine, matchers: tuple[Matcher, ...], replica_label: str) -> Gauges | None:
    """The gauges that show a hang; None where the engine lacks one of them."""
    if not all(engine.has(role) for role in GAUGE_ROLES):
        return None
    running, waiting, tokens = (tuple(Selector(name, matchers) for name in engine.names(role)) for role in GAUGE_ROLES)
    return Gauges(running, waiting, tokens, replica_label)


def unknown_engine(name: str, known: list[str], path: Path, findings: Findings) -> None:
    """Says that there is no such engine."""
    findings.error(Code.SLO401, path, f"unknown engine {name}", did_you_mean(name, known, otherwise="engines"))


__all__ = ["Measured", "Reading", "engine_matchers", "matchers_of", "read_histogram"]


def reads_engine(slo: Slo) -> bool:
    """Whether the spec's own engine is what the SLO is about, so that its hangs are, too."""
    if isinstance(slo.measurement, Slices):
        return isinstance(slo.measurement.inner, Throughput)
    return slo.part_later or (slo.promised is not None and slo.measured is not None)
