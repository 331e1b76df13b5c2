"""`InferenceSLO` to the resolved form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Span
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.documents import facts as keys
from slo_compiler.documents.inference_slo import InferenceSLO, Objective, Selector
from slo_compiler.documents.policy import BurnRatePolicy
from slo_compiler.ir import Matcher, Slo, Source, Spec, Waived, Window
from slo_compiler.load.source_map import Path
from slo_compiler.load.source_map import SourceDocument as LoadedDocument
from slo_compiler.resolve import degradation, identity, measure, objectives, unfiltered, words
from slo_compiler.resolve.engine_reference import find_engine
from slo_compiler.resolve.engine_signals import engine_in_use
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.grouping import Grouping
from slo_compiler.resolve.histogram_forms import check_form
from slo_compiler.resolve.pairs import refuse_pair_label
from slo_compiler.resolve.promises import Promises
from slo_compiler.resolve.readings import Reading, Readings
from slo_compiler.resolve.replicas import Replicas
from slo_compiler.resolve.slices import judgeable, without_short_windows
from slo_compiler.resolve.windows import resolve_tiers, window_of, windows_of
from slo_compiler.slis import Sli
from slo_compiler.units import percent_text

if TYPE_CHECKING:
    from slo_compiler.ir import Adjustment, Autoscaling, Scraping
    from slo_compiler.resolve.exemptions import Exemptions

ANNOTATIONS = frozenset(("runbook", "id", "review-by"))


def resolve_inference(
    document: InferenceSLO,
    source: LoadedDocument,
    environment: Environment,
    given: Mapping[tuple[str, int], Identity] = MappingProxyType({}),
) -> tuple[Spec | None, list[Diagnostic]]:
    """The spec resolved, or None where nothing of it can be; and every finding on the way.

    Args:
        given: names and identities of SLOs that have some already, by variant and number of the objective.
    """
    return _Resolver(document, source, environment, given).run()


class Identity(NamedTuple):
    """The name of an SLO, and its `slo_id` where that is pinned."""

    name: str
    slo_id: str | None = None


class _Scope(NamedTuple):
    """Objectives that are read from the same series: those of the spec, or of one of its variants.

    Attributes:
        variant: its name; empty for the spec's own objectives.
        path: of the mapping that holds them.
    """

    variant: str
    objectives: Sequence[Objective]
    readings: Readings
    path: Path


class _Resolver:
    def __init__(
        self,
        document: InferenceSLO,
        source: LoadedDocument,
        environment: Environment,
        given: Mapping[tuple[str, int], Identity],
    ) -> None:
        self.document = document
        self.spec = document.spec
        self.environment = environment
        self.findings = Findings(source)
        self.promises = Promises(document.spec, environment.catalog)
        self.grouping = Grouping(document.spec.group_by, environment.config, self.findings)
        self.readings = self._readings(document.spec.selector)
        self.own = identity.read_annotations(document.metadata, ANNOTATIONS, self.findings)
        self.runbook_url = identity.runbook(environment.config, self.own, document.spec.service, document.metadata.name)
        self.dashboard_url = identity.dashboard(environment.config, document.spec.service, document.metadata.name)
        self._check_names()
        refuse_pair_label(document.spec, environment.config.prometheus.ha_label, self.findings)
        self.policy = self._policy()
        self.replicas = Replicas(document.spec, environment.config, self.policy)
        self.steps = environment.steps(self.policy)
        self.period = self._period()
        self.engine = find_engine(document.spec.engine, environment, self.findings)
        check_form(document.spec.engine, environment.config, self.findings)
        self.labels = self._labels()
        self.given = given
        self.names: set[str] = set()
        self.sources: list[Source] = []

    def run(self) -> tuple[Spec | None, list[Diagnostic]]:
        if self.period is None:
            return None, self.findings.diagnostics
        self.exemptions = self._exemptions(self.period)
        self.adjustments = self._adjustments(self.period)
        slos: list[Slo] = []
        for scope in self._scopes():
            for index, objective in enumerate(scope.objectives):
                slo = self._objective(objective, scope, (*scope.path, "objectives", index), self.period)
                if slo is not None:
                    slos.append(slo)
        return self._spec(tuple(slos), measure.told_apart(self.sources)), self.findings.diagnostics

    def _scopes(self) -> Iterator[_Scope]:
        yield _Scope("", self.spec.objectives, self.readings, ("spec",))
        names: set[str] = set()
        for index, variant in enumerate(self.spec.variants):
            path: Path = ("spec", "variants", index)
            if variant.name in names:
                message = f"two variants are named {variant.name}"
                self.findings.error(Code.SLO205, (*path, "name"), message, f"name: {variant.name}-2")
                continue
            names.add(variant.name)
            selector = {**self.spec.selector, **variant.selector}
            yield _Scope(variant.name, variant.objectives, self._readings(selector), path)

    def _readings(self, selector: Selector) -> Readings:
        return Readings(self.spec, selector, self.environment, self.promises, self.grouping, self.findings)

    def _check_names(self) -> None:
        catalog, spec = self.environment.catalog, self.spec
        if spec.use_case is not None and spec.use_case not in catalog.use_cases:
            hint = did_you_mean(spec.use_case, catalog.use_cases)
            self.findings.error(Code.SLO204, ("spec", "useCase"), f"unknown use case {spec.use_case}", hint)
        if spec.experience_class is not None and spec.experience_class not in catalog.experience_classes:
            hint = did_you_mean(spec.experience_class, catalog.experience_classes)
            message = f"unknown experience class {spec.experience_class}"
            self.findings.error(Code.SLO204, ("spec", "experienceClass"), message, hint)

    def _policy(self) -> BurnRatePolicy:
        """The policy that the spec names; the default where that one is not known, so that the rest is judged."""
        path: Path = ("spec", "alerting", "policy")
        return self.environment.find_policy(self.spec.alerting.policy, path, self.findings)

    def _period(self) -> Window | None:
        length = self.environment.config.defaults.period
        if self.spec.time_window is not None:
            length = self.spec.time_window[0].duration
            if not self.spec.time_window[0].is_rolling:
                message = "a calendar window cannot be compiled: its budget would jump at each turn"
                where: Path = ("spec", "timeWindow", 0, "isRolling")
                self.findings.error(Code.SLO206, where, message, "isRolling: true")
                return None
        return window_of(length, self.steps, period=True)

    def _targets(self) -> tuple[Matcher, ...]:
        """The matchers of the spec's selector that any series of the engine's targets has."""
        own = self.engine.labels_of(self.engine.roles()) if self.engine is not None else frozenset[str]()
        return tuple(matcher for matcher in measure.matchers_of(self.spec.selector) if matcher.label not in own)

    def _exemptions(self, period: Window) -> Exemptions | None:
        if not self.spec.exemptions:
            return None
        from slo_compiler.resolve.exemptions import Exemptions  # few specs have any, and need cron and time zones

        return Exemptions(self.spec.exemptions, period, self._targets(), self.replicas.label, self.findings)

    def _adjustments(self, period: Window) -> tuple[Adjustment, ...]:
        if not self.spec.budget_adjustments:
            return ()
        from slo_compiler.resolve.adjustments import read_adjustments  # few specs have any

        return read_adjustments(self.spec.budget_adjustments, period, self.findings)

    def _autoscaling(self, slos: Sequence[Slo]) -> Autoscaling | None:
        if self.spec.autoscaling is None:
            return None
        from slo_compiler.resolve.autoscaling import resolve_autoscaling  # few specs ask for it

        return resolve_autoscaling(self.spec, slos, self.engine, self.findings)

    def _scraping(self, slos: Sequence[Slo]) -> Scraping | None:
        if self.spec.scraping is None:
            return None
        from slo_compiler.resolve.scraping import resolve_scraping  # few specs say it

        return resolve_scraping(self.spec, slos, self.engine, self.steps, self.environment.config, self.findings)

    def _labels(self) -> tuple[tuple[str, str], ...]:
        found: dict[str, str] = {}
        own: Path = ("metadata", "labels")
        alerting: Path = ("spec", "alerting", "labels")
        for path, labels in ((own, self.document.metadata.labels), (alerting, self.spec.alerting.labels)):
            found |= identity.alert_labels(labels, path, self.findings, self.environment.config.labels.prefix)
            self.grouping.refuse(labels, path)
        return tuple(sorted(found.items()))

    def _objective(self, objective: Objective, scope: _Scope, path: Path, period: Window) -> Slo | None:
        sli = objectives.sli_of(objective, self.environment.slis, path, self.findings)
        if sli is None:
            return None
        short = objective.name or sli.name.replace("_", "-")
        own = self.given.get((scope.variant, int(path[-1])))
        parts = [part for part in (self.document.metadata.name, scope.variant) if part]
        name = own.name if own else identity.slo_name("-".join(parts), short, (*path, "name"), self.findings)
        if name is None:
            return None
        if name in self.names:
            message = f"two objectives are named {name.removeprefix(self.document.metadata.name + '-')}"
            self.findings.error(Code.SLO205, (*path, "sli"), message, f"name: {short}-2")
            return None
        self.names.add(name)
        target = objectives.target_of(objective, sli, self.promises, path, self.findings)
        reading = scope.readings.read(objective, sli, target, self.engine, path)
        if target is None or reading is None:
            return None
        where: Path = (*path, "slice") if objective.slice is not None else (*path, "sli")
        if not judgeable(reading.measurement, self.steps, self.findings, where, field="slice"):
            return None
        if reading.source is not None and reading.source not in self.sources:
            self.sources.append(reading.source)
        return self._slo(objective, sli, name, scope, target, reading, period, path)

    def _slo(
        self,
        objective: Objective,
        sli: Sli,
        name: str,
        scope: _Scope,
        target: tuple[Decimal, str],
        reading: Reading,
        period: Window,
        path: Path,
    ) -> Slo:
        where: Path = (*path, "target") if objective.target is not None else (*path, "sli")
        mode = objectives.mode_of(objective, sli, self.spec, self.promises)
        events_per_request = objectives.events_per_request(sli, self.promises, path, self.findings)
        tiers = resolve_tiers(
            self.policy,
            target[0],
            period.length,
            self.steps,
            mode="ticket" if mode == "none" else mode,
            long_from=sli.long_windows_from,
            short_from=sli.short_windows_from,
            guard_scale=events_per_request,
            min_bad_events=self.spec.alerting.min_bad_events or 0,
            requests_per_hour=_decimal(self.spec.traffic.requests_per_hour),
            findings=self.findings,
            path=where,
            period_path=("spec", "timeWindow", 0, "duration") if self.spec.time_window is not None else None,
        )
        tiers = without_short_windows(tiers, reading.measurement, self.findings, (*path, "slice"))
        own_period = self.spec.time_window is not None
        left_out = self._left_out(reading, name)
        return Slo(
            slo_id=self._slo_id(name, scope, sli, target[0], reading, period, path),
            service=self.spec.service,
            name=name,
            sli=sli.name,
            title=sli.title,
            counts=sli.counts,
            promise=words.promise_of(sli, target[0], reading, self.grouping.groups, left_out.exemptions),
            target=target[0],
            period=period,
            measurement=reading.measurement,
            steps=self.steps,
            tiers=() if mode == "none" else tiers,
            windows=windows_of(tiers),
            mode=mode,
            info=words.info_of(
                self.document, self.promises, sli, name, scope.variant, reading, period, left_out, self.runbook_url
            ),
            labels=self.labels,
            runbook_url=self.runbook_url,
            dashboard_url=self.dashboard_url,
            deadline=reading.deadline,
            promised=reading.threshold.value if reading.threshold is not None else None,
            measured=reading.measured,
            highest=reading.highest,
            provenance=words.provenance_of(target, reading, period, left_out, own_period=own_period),
            judged=reading.judged,
            at_boundary=reading.at_boundary,
            groups=self.grouping.groups,
            worst_replica=self.replicas.worst(reading, target[0], events_per_request),
            degradation=degradation.guarded(reading.degradation, tiers, self.spec),
            events_per_request=events_per_request,
            portable=self._portable(int(path[-1]), scope, name, path),
            exemptions=left_out.exemptions,
            adjustments=left_out.adjustments,
            where=self._places(objective, path),
        )

    def _left_out(self, reading: Reading, name: str) -> words.LeftOut:
        if self.exemptions is None:
            return words.LeftOut((), self.adjustments)
        exempt = self.exemptions.of(reading.measurement, name, bool(self.grouping.groups.labels))
        return words.LeftOut(exempt, self.adjustments)

    def _places(self, objective: Objective, path: Path) -> dict[str, Span]:
        threshold: Path = (*path, "threshold") if objective.threshold is not None else (*path, "sli")
        target: Path = (*path, "target") if objective.target is not None else (*path, "sli")
        return {
            "self": self.findings.span((*path, "sli")),
            "threshold": self.findings.span(threshold),
            "target": self.findings.span(target),
            "period": self.findings.span(
                ("spec", "timeWindow") if self.spec.time_window is not None else (*path, "sli")
            ),
        }

    def _slo_id(
        self, name: str, scope: _Scope, sli: Sli, target: Decimal, reading: Reading, period: Window, path: Path
    ) -> str:
        slo_id = self._pinned_id(name, scope, path) or f"{self.spec.service}/{name}"
        if not self.spec.reset_on_change:
            return slo_id
        promised = reading.threshold.value if reading.threshold is not None else None
        facts = (sli.name, percent_text(target), promised, reading.measured, period.name, *self.grouping.groups.labels)
        return f"{slo_id}@{identity.digest(*facts, *identity.selectors_of(reading.measurement))}"

    def _pinned_id(self, name: str, scope: _Scope, path: Path) -> str | None:
        own = self.given.get((scope.variant, int(path[-1])))
        if own is not None:
            return own.slo_id
        pinned = self.own.get("id")
        return f"{pinned}-{name.removeprefix(self.document.metadata.name + '-')}" if pinned is not None else None

    def _portable(self, objective: int, scope: _Scope, name: str, path: Path) -> tuple[tuple[str, str], ...]:
        """What the document says of one objective, as annotations."""
        body = self.findings.source.data["spec"]
        facts: dict[str, str] = {}
        if scope.variant:
            variant = next(item for item in body["variants"] if item["name"] == scope.variant)
            facts = {
                keys.VARIANT: scope.variant,
                keys.VARIANT_SELECTOR: keys.matchers_text(variant["selector"]),
            }
            body = variant
        facts |= keys.annotations_of_objective(body["objectives"][objective])
        pinned = self._pinned_id(name, scope, path)
        return tuple({**facts, **({"id": pinned} if pinned is not None else {})}.items())

    def _spec(self, slos: tuple[Slo, ...], sources: tuple[Source, ...]) -> Spec:
        spec, config, engine = self.spec, self.environment.config, self.engine
        gauges = None
        if engine is not None and any(measure.reads_engine(slo) for slo in slos):
            read = self.readings.matchers(engine, measure.GAUGE_ROLES)
            gauges = measure.gauges_of(engine, read, self.replicas.label)
            unfiltered.say_unfiltered(engine, slos, spec.model, self.environment.slis, self.findings)
        if spec.alerting.queue_waiting_per_replica is not None and engine is not None and gauges is None:
            message = f"{engine.title} exposes no queue"
            hint = "remove queueWaitingPerReplica"
            self.findings.error(Code.SLO402, ("spec", "alerting", "queueWaitingPerReplica"), message, hint)
        degradation.refuse_without_promise(spec, self.findings)
        places = ("name", "engine", "selector", "useCase", "experienceClass", "endpoint", "objectives")
        where = {place: self.findings.span(("spec", place)) for place in places[1:]}
        where["name"] = self.findings.span(("metadata", "name"))
        where["review"] = self.findings.span(("metadata", "annotations", f"{identity.PREFIX}review-by"))
        where["scraping"] = self.findings.span(("spec", "scraping"))
        if not spec.selector:
            where["selector"] = where["engine"]
        return Spec(
            name=self.document.metadata.name,
            service=spec.service,
            path=self.findings.source.path,
            slos=slos,
            sources=sources,
            labels=self.labels,
            severities=self.environment.severities,
            mode=objectives.default_mode(spec),
            expect_idle=spec.alerting.expect_idle,
            steps=self.steps,
            engine=engine_in_use(engine, self.readings, self.replicas.label) if engine is not None else None,
            gauges=gauges,
            queue_limit=_decimal(spec.alerting.queue_waiting_per_replica),
            runbook_url=self.runbook_url,
            runbook_is_compiled="runbook" not in self.own,
            dashboard_url=self.dashboard_url,
            dashboard_uid=identity.dashboard_uid(spec.service, self.document.metadata.name),
            spec_url=identity.spec_url(self.environment.config, self.findings.source.path),
            evaluation=self.environment.config.prometheus.evaluation_interval,
            autoscaling=self._autoscaling(slos),
            scraping=self._scraping(slos),
            label_prefix=self.environment.config.labels.prefix,
            model=spec.model,
            endpoint=spec.endpoint or "",
            stage=spec.stage,
            experience_class=spec.experience_class or "",
            use_case=spec.use_case or "",
            use_case_class=self.promises.use_case_class,
            output_tokens=self.promises.traffic.output_tokens or 0,
            requests_per_hour=_decimal(spec.traffic.requests_per_hour),
            filters_endpoint=spec.endpoint is None,
            retention=config.prometheus.retention if not spec.long_term else None,
            waivers=tuple(
                Waived(waiver.code, waiver.reason, waiver.until, self.findings.span(("spec", "waivers", index)))
                for index, waiver in enumerate(spec.waivers)
            ),
            portable=words.portable_of(self.document, self.findings.source.data["spec"]),
            review_by=identity.read_date(self.own.get("review-by")),
            where=where,
        )


def _decimal(value: float | None) -> Decimal | None:
    return Decimal(str(value)) if value is not None else None
