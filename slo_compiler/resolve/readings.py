"""How an objective of an `InferenceSLO` is measured: by a histogram of its engine, or by counters that it names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.inference_slo import InferenceSLOSpec, Objective, Selector
from slo_compiler.documents.inference_slo import Source as SourceDocument
from slo_compiler.engine_versions import UnknownVersion, known_versions
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import Deadline, Judged, Matcher, Measurement, Source
from slo_compiler.load.source_map import Path
from slo_compiler.promql.selectors import NotASelector, parse_selector
from slo_compiler.resolve import measure
from slo_compiler.resolve.degradation import read_degradation
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.grouping import Grouping
from slo_compiler.resolve.histogram_forms import native_of
from slo_compiler.resolve.promises import Number, Promises
from slo_compiler.resolve.selector_labels import say_unknown_labels
from slo_compiler.resolve.slices import read_throughput
from slo_compiler.resolve.unseen import say_misleading, say_unseen
from slo_compiler.slis import Sli
from slo_compiler.units import Duration

if TYPE_CHECKING:
    from slo_compiler.ir import Degradation


class Reading(NamedTuple):
    """How one objective is measured, and what belongs to that.

    Attributes:
        of_replicas: each replica of the engine counts its own events, so that they can be told apart.
        highest: over which the engine's buckets tell no latency from another.
    """

    measurement: Measurement
    source: Source | None
    threshold: Number | None = None
    measured: Duration | None = None
    judged: Judged | None = None
    deadline: Deadline | None = None
    at_boundary: bool = False
    of_replicas: bool = False
    highest: Duration | None = None
    degradation: Degradation | None = None


class Readings:
    """Finds the measurements of objectives that share a selector."""

    def __init__(
        self,
        spec: InferenceSLOSpec,
        selector: Selector,
        environment: Environment,
        promises: Promises,
        grouping: Grouping,
        findings: Findings,
    ) -> None:
        self.spec = spec
        self.selector = selector
        self.environment = environment
        self.native = native_of(spec.engine, environment.config)
        self.promises = promises
        self.grouping = grouping
        self.findings = findings

    def read(
        self,
        objective: Objective,
        sli: Sli,
        target: tuple[Decimal, str] | None,
        engine: ResolvedEngine | None,
        path: Path,
    ) -> Reading | None:
        """How an objective is measured; None where it cannot be, which is a finding."""
        if sli.kind == "histogram":
            return self._histogram(objective, sli, target, engine, path)
        if sli.kind == "slices":
            return self._throughput(objective, sli, engine, path)
        if sli.name == "completion":
            return self._completion(sli, engine, path)
        if sli.name == "availability":
            return self._availability(objective, sli, engine, path)
        if sli.name == "job_completion":
            return self._job_completion(objective, path)
        return self._ratio(objective, engine, path)

    def _histogram(
        self,
        objective: Objective,
        sli: Sli,
        target: tuple[Decimal, str] | None,
        engine: ResolvedEngine | None,
        path: Path,
    ) -> Reading | None:
        promised = self.promises.threshold(objective)
        where: Path = (*path, "threshold") if objective.threshold is not None else (*path, "sli")
        if promised is None:
            message = f"sli {sli.name} needs a threshold"
            hint = "threshold: 150ms"
            if sli.name in ("ttft", "itl", "e2e"):
                hint += ", or a useCase (or experienceClass with traffic.outputTokens for e2e) that gives one"
            self.findings.error(Code.SLO202, path, message, hint)
            return None
        if engine is None:
            return None
        threshold = self.promises.less_budget(sli.name, promised, engine.sees)
        if threshold.value.seconds <= 0:
            message = f"the latency budget leaves nothing of {promised.value}"
            self.findings.error(
                Code.SLO203, ("spec", "latencyBudget"), message, "its parts must stay under the promise"
            )
            return None
        matchers = self.matchers(engine, sli.roles)
        read = measure.read_histogram(
            engine,
            sli,
            threshold.value,
            self.spec.bucket_policy,
            matchers,
            self.native,
            self.findings,
            where,
            (*path, "sli"),
        )
        if read is None:
            return None
        self.grouping.require(read.histogram.names[0], engine, engine.labels_of(sli.roles))
        self._judge_labels(engine, read.histogram.names[0], sli.roles)
        judged = self.promises.judged(objective, promised, target[0]) if target is not None else None
        source = measure.engine_source(read.histogram, engine, sli.roles)
        return Reading(
            read.histogram,
            source,
            threshold,
            read.at,
            judged,
            of_replicas=not engine.is_gateway,
            highest=read.highest,
            degradation=read_degradation(
                self.spec, self.environment.config, engine, sli, threshold.value, self.native, self.findings, where
            ),
        )

    def _throughput(self, objective: Objective, sli: Sli, engine: ResolvedEngine | None, path: Path) -> Reading | None:
        if self.grouping.groups.labels:
            message = f"sli {sli.name} with groupBy cannot be compiled: the queue knows no groups"
            self.findings.error(Code.SLO206, (*path, "sli"), message, "move it to a spec without groupBy")
            return None
        if engine is None:
            return None
        found = read_throughput(objective, sli, engine, self.matchers(engine, sli.roles), self.findings, path)
        return Reading(*found) if found is not None else None

    def _judge_labels(self, engine: ResolvedEngine, metric: str, roles: Sequence[str]) -> None:
        carried = frozenset().union(*(engine.labels(role) for role in roles if engine.has(role)))
        known = self.environment.config.prometheus.target_labels
        say_unknown_labels(self.spec, self.selector, engine, metric, carried, known, self.findings)

    def matchers(self, engine: ResolvedEngine, roles: Sequence[str]) -> tuple[Matcher, ...]:
        """The matchers of those series of the engine with these roles that the spec is about."""
        return self._carried(engine, engine.labels_of(tuple(roles)), engine.streaming_label(tuple(roles)))

    def _carried(
        self, engine: ResolvedEngine, carried: Collection[str], streaming: str | None = None
    ) -> tuple[Matcher, ...]:
        """The matchers of series of the engine that carry these labels."""
        found = measure.engine_matchers(engine, self.selector, self._model, carried)
        if streaming is not None and "streaming" in self.spec.traffic.model_fields_set:
            found = measure.narrowed(found, {streaming: "true" if self.spec.traffic.streaming else "false"}, {})
        return self.grouping.narrowed(found, carried)

    @property
    def _model(self) -> str:
        """The model's name in labels."""
        return self.spec.served_model_name or self.spec.model

    def _availability(
        self, objective: Objective, sli: Sli, engine: ResolvedEngine | None, path: Path
    ) -> Reading | None:
        source = objective.source
        if source is None:
            message = "availability needs a source: an engine cannot report the requests that never reached it"
            hint = "source: {bad: 'gw_requests_total{code=~\"5..\"}', total: gw_requests_total}, or {engine: vllm}"
            self.findings.error(Code.SLO202, path, message, hint)
            return None
        if source.engine is not None:
            return self._engine_availability(source, sli, engine, (*path, "source"))
        return self._counted(source.good, source.bad, source.total, engine, (*path, "source"), at_boundary=True)

    def _engine_availability(
        self, source: SourceDocument, sli: Sli, engine: ResolvedEngine | None, path: Path
    ) -> Reading | None:
        name, _, version = str(source.engine).partition("@")
        known = self.environment.engines.get(name)
        if known is None:
            measure.unknown_engine(name, sorted(self.environment.engines), (*path, "engine"), self.findings)
            return None
        own = name == self.spec.engine.name
        try:
            viewed = engine if own and not version else self.environment.engine_in(name, version or None)
        except UnknownVersion as fault:
            hint = f"known versions: {', '.join(known_versions(known))}"
            self.findings.error(Code.SLO401, (*path, "engine"), str(fault), hint)
            return None
        if viewed is None:
            return None
        selector = source.selector if source.selector is not None else self.selector
        counters = measure.engine_view(viewed, selector, self._model, self.findings, (*path, "engine"))
        if counters is None:
            return None
        say_unseen(viewed, sli, self.findings, (*path, "engine"))
        self.grouping.require(counters.total.name, viewed, viewed.labels_named(counters.total.name))
        counters = self.grouping.counters(counters)
        return Reading(
            counters,
            measure.counter_source(counters.total, self.environment),
            at_boundary=viewed.is_gateway,
            of_replicas=not viewed.is_gateway,
        )

    def _completion(self, sli: Sli, engine: ResolvedEngine | None, path: Path) -> Reading | None:
        if engine is None:
            return None
        counters = measure.engine_completion(
            engine, sli, lambda carried: self._carried(engine, carried), self.findings, (*path, "sli")
        )
        if counters is None or engine.completion is None:
            return None
        began, ended = engine.completion.began, engine.completion.ended
        histogram = next((name for name in (began, ended) if engine.counter(name) != name), None)
        if histogram is not None and self.native is not None:
            message = f"sli {sli.name} counts by {histogram}_count, which a native histogram does not have"
            hint = "always_scrape_classic_histograms: true, and histograms: classic for it in a spec of its own"
            self.findings.error(Code.SLO206, (*path, "sli"), message, hint)
            return None
        say_unseen(engine, sli, self.findings, (*path, "sli"))
        self.grouping.require(counters.total.name, engine, engine.labels_named(began))
        return Reading(counters, measure.view_source(counters.total, began, engine))

    def _ratio(self, objective: Objective, engine: ResolvedEngine | None, path: Path) -> Reading | None:
        return self._counted(objective.good, objective.bad, objective.total, engine, path)

    def _counted(
        self,
        good: str | None,
        bad: str | None,
        total: str | None,
        engine: ResolvedEngine | None,
        path: Path,
        *,
        at_boundary: bool = False,
    ) -> Reading | None:
        if total is None or (good is None) == (bad is None):
            message = "give total, and one of good and bad"
            hint = 'total: \'requests_total{app="x"}\', bad: \'requests_total{app="x",code=~"5.."}\''
            self.findings.error(Code.SLO202, path, message, hint)
            return None
        part_is = "bad" if good is None else "good"
        part = bad if good is None else good
        counters = measure.read_counters(total, part, part_is, ((*path, "total"), (*path, part_is)), self.findings)
        if counters is None:
            return None
        if engine is not None:
            say_misleading(engine, counters.part, self.findings, (*path, part_is))
        counters = self.grouping.counters(counters)
        return Reading(counters, measure.counter_source(counters.total, self.environment), at_boundary=at_boundary)

    def _job_completion(self, objective: Objective, path: Path) -> Reading | None:
        source, limit = objective.source, objective.threshold
        if source is None or source.due is None or source.on_time is None:
            message = "job_completion needs a source with due and onTime"
            self.findings.error(Code.SLO202, path, message, "source: {due: docs_due_total, onTime: docs_on_time_total}")
            return None
        if limit is None:
            self.findings.error(Code.SLO202, path, "job_completion needs a threshold", "threshold: 4h")
            return None
        paths: tuple[Path, Path] = ((*path, "source", "due"), (*path, "source", "onTime"))
        counters = measure.read_counters(source.due, source.on_time, "good", paths, self.findings)
        deadline = None
        if source.pending_age is not None:
            try:
                deadline = Deadline(self.grouping.selector(parse_selector(source.pending_age)), limit)
            except NotASelector as fault:
                where: Path = (*path, "source", "pendingAge")
                self.findings.error(Code.SLO203, where, f"pendingAge: {fault}", "pendingAge: oldest_pending_seconds")
        if counters is None:
            return None
        counters = self.grouping.counters(counters)
        found = measure.counter_source(counters.total, self.environment)
        return Reading(counters, found, Number(limit, "the objective", own=True), deadline=deadline)
