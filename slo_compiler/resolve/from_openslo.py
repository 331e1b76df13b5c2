"""`openslo/v1` SLO to the resolved form: one SLO for each of its objectives, one spec for the document."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Span
from slo_compiler.documents.metadata import slug
from slo_compiler.documents.openslo.sli import IndicatorSpec
from slo_compiler.documents.openslo.slo import Objective, OpenSLO
from slo_compiler.documents.policy import BurnRatePolicy
from slo_compiler.ir import Counters, Measurement, Slices, Slo, Source, Spec, Tier, Window
from slo_compiler.load.source_map import Path, SourceDocument
from slo_compiler.resolve import identity, measure, words
from slo_compiler.resolve.alert_policies import AlertPlan, PolicyReader
from slo_compiler.resolve.annotations import check_annotations, read_annotations
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.indicators import IndicatorReader
from slo_compiler.resolve.references import Located, check_references, find_indicator, find_policy, hint_at_service
from slo_compiler.resolve.slices import judgeable, without_short_windows
from slo_compiler.resolve.windows import resolve_tiers, window_of, windows_of

_LONGEST_PERIOD_DAYS = 366
_LONGEST_NAME = 63
# What every indicator of OpenSLO is to the rest of the compiler: good of all events, or of all slices of time.
_SLI = "ratio"
_OBJECTIVES: Path = ("spec", "objectives")


def resolve_openslo(
    document: OpenSLO, source: SourceDocument, environment: Environment
) -> tuple[Spec | None, list[Diagnostic]]:
    """The spec resolved, or None where nothing of it can be compiled; and every finding on the way."""
    return _Resolver(document, source, environment).run()


class _Promise(NamedTuple):
    """An objective that can be compiled.

    Attributes:
        suffix: what tells its SLO from those of the other objectives; empty where there is one.
        title: of its indicator.
    """

    objective: Objective
    path: Path
    suffix: str
    target: Decimal
    measurement: Measurement
    title: str


class _Resolver:
    def __init__(self, document: OpenSLO, source: SourceDocument, environment: Environment) -> None:
        self.document = document
        self.spec = document.spec
        self.environment = environment
        self.known = environment.definitions
        self.findings = Findings(source)
        check_references(document, self.findings, self.known)
        check_annotations(document, "SLO", self.findings)
        hint_at_service(self.spec.service, ("spec", "service"), self.findings, self.known)
        self.own = read_annotations(document.metadata, "SLO", ("metadata",), Findings(source))
        self.base = environment.find_policy(None, ("spec",), self.findings)
        self.steps = environment.steps(self.base)
        labels = document.metadata.joined_labels
        own = identity.alert_labels(labels, ("metadata", "labels"), self.findings, environment.config.labels.prefix)
        self.labels = tuple(sorted(own.items()))
        self.runbook_url = identity.runbook(environment.config, self.own, document.spec.service, document.metadata.name)
        self.dashboard_url = identity.dashboard(environment.config, document.spec.service, document.metadata.name)

    def run(self) -> tuple[Spec | None, list[Diagnostic]]:
        period = self._period()
        plan = self._plan()
        promises = self._promises()
        if period is None or not promises:
            return None, self.findings.diagnostics
        slos = tuple(slo for promise in promises if (slo := self._slo(promise, period, plan)) is not None)
        return self._spec(slos, plan) if slos else None, self.findings.diagnostics

    def _period(self) -> Window | None:
        path: Path = ("spec", "timeWindow", 0)
        if self.spec.time_window is None:
            length = self.environment.config.defaults.period
            message = f"timeWindow is missing: the period is the configuration's {length}; other readers ask for it"
            hint = f"timeWindow: [{{duration: {length}, isRolling: true}}]"
            self.findings.info(Code.SLO202, ("spec",), message, hint)
            return window_of(length, self.steps, period=True)
        window = self.spec.time_window[0]
        if not window.is_rolling:
            message = "a calendar window cannot be compiled: its budget would jump at each turn"
            self.findings.error(Code.SLO206, (*path, "calendar"), message, "isRolling: true, without calendar")
            return None
        days = window.duration.length.seconds / 86400
        if days != int(days) or days > _LONGEST_PERIOD_DAYS:
            message = f"a period of {window.duration} cannot be compiled: it is no whole number of 1 to 366 days"
            self.findings.error(Code.SLO206, (*path, "duration"), message, "duration: 28d")
            return None
        return window_of(window.duration.length, self.steps, period=True)

    def _plan(self) -> AlertPlan | None:
        """What the SLO's alert policies ask for; None where it names none."""
        if not self.spec.alert_policies:
            return None
        reader = PolicyReader(self.base, self.steps, self.environment.severities, self.known, self.findings)
        found, named = [], set()
        for index, item in enumerate(self.spec.alert_policies):
            path: Path = ("spec", "alertPolicies", index)
            if item.alert_policy_ref is not None and item.alert_policy_ref in named:
                message = f"AlertPolicy {item.alert_policy_ref} is named twice"
                self.findings.error(Code.SLO205, (*path, "alertPolicyRef"), message, "remove one of the two")
                continue
            named.add(item.alert_policy_ref)
            policy = find_policy(item, path, self.findings, self.known)
            if policy is not None:
                found.append(policy)
        return reader.plan(found)

    def _promises(self) -> list[_Promise]:
        objectives = self.spec.objectives
        if self.spec.is_composite and len(objectives) > 1:
            first = objectives[0]
            field = "indicator" if first.indicator is not None else "indicatorRef"
            message = "a composite cannot be compiled: the budget of an SLO is that of one indicator"
            hint = "write an SLO for each indicator"
            self.findings.error(Code.SLO206, (*_OBJECTIVES, 0, field), message, hint)
            return []
        found = []
        suffixes = self._suffixes()
        for index, objective in enumerate(objectives):
            path: Path = (*_OBJECTIVES, index)
            holder = objective if self.spec.is_composite else self.spec
            indicator = find_indicator(holder, path if self.spec.is_composite else ("spec",), self.findings, self.known)
            target = self._target(objective, path)
            measurement = self._measured(indicator, objective, path)
            if indicator is not None and target is not None and measurement is not None:
                title = indicator.metadata.display_name or indicator.metadata.name
                found.append(_Promise(objective, path, suffixes[index], target, measurement, title))
        return found

    def _measured(
        self, indicator: Located[IndicatorSpec] | None, objective: Objective, path: Path
    ) -> Measurement | None:
        if indicator is None:
            return None
        reader = IndicatorReader(
            indicator, self.spec.budgeting_method, self.own.get("query-yields"), self.findings, self.known
        )
        measurement = reader.read(objective, path)
        where: Path = (*path, "timeSliceWindow")
        if measurement is None or not judgeable(measurement, self.steps, self.findings, where):
            return None
        return measurement

    def _suffixes(self) -> list[str]:
        """What tells the SLOs of several objectives apart: their display names, else their numbers from 0."""
        if len(self.spec.objectives) == 1:
            return [""]
        found: list[str] = []
        for index, objective in enumerate(self.spec.objectives):
            name = slug(objective.display_name or "") or str(index)
            if name in found:
                message = f"a second objective is called {objective.display_name}: its SLO is numbered"
                hint = "give each objective a displayName of its own"
                self.findings.warning(Code.SLO205, (*_OBJECTIVES, index, "displayName"), message, hint)
                name = f"{name}-{index}"
            found.append(name)
        return found

    def _target(self, objective: Objective, path: Path) -> Decimal | None:
        field, target = "target", objective.target
        if target is None:
            assert objective.target_percent is not None  # the model has one of the two
            field, target = "targetPercent", objective.target_percent / 100
        if target == 0:
            message = "a target of 0 promises nothing: it cannot be compiled"
            self.findings.error(Code.SLO206, (*path, field), message, f"{field}: {95 if field != 'target' else 0.95}")
            return None
        return target

    def _name(self, promise: _Promise) -> str | None:
        name = "-".join(part for part in (self.document.metadata.name, promise.suffix) if part)
        if len(name) <= _LONGEST_NAME or not promise.suffix:
            return name
        message = f"the SLO's name {name} has {len(name)} characters, {_LONGEST_NAME} are allowed"
        hint = "shorten metadata.name or the objective's displayName"
        self.findings.not_compilable(Code.SLO601, (*promise.path, "displayName"), message, hint)
        return None

    def _tiers(self, policy: BurnRatePolicy, promise: _Promise, period: Window, findings: Findings) -> tuple[Tier, ...]:
        tiers = resolve_tiers(
            policy,
            promise.target,
            period.length,
            self.steps,
            mode="page",
            long_from=None,
            short_from=None,
            guard_scale=Decimal(1),
            min_bad_events=0,
            requests_per_hour=None,
            findings=findings,
            path=self._target_path(promise),
            period_path=("spec", "timeWindow", 0, "duration") if self.spec.time_window is not None else None,
        )
        return without_short_windows(tiers, promise.measurement, findings, (*promise.path, "timeSliceWindow"))

    def _target_path(self, promise: _Promise) -> Path:
        return (*promise.path, "target" if promise.objective.target is not None else "targetPercent")

    def _slo(self, promise: _Promise, period: Window, plan: AlertPlan | None) -> Slo | None:
        name, service = self._name(promise), self.spec.service
        if name is None:
            return None
        if plan is None:
            tiers = self._tiers(self.base, promise, period, self.findings)
        else:
            tiers = self._tiers(plan.policy, promise, period, self.findings)
        # Where nothing alerts on the burn rate, it is still recorded over the usual windows.
        shown = tiers or self._tiers(self.base, promise, period, Findings(self.findings.source))
        pinned = self.own.get("id")
        return Slo(
            slo_id=f"{pinned}-{promise.suffix}".rstrip("-") if pinned is not None else f"{service}/{name}",
            service=service,
            name=name,
            sli=_SLI,
            title=promise.title,
            counts="slices" if isinstance(promise.measurement, Slices) else "events",
            promise=words.promise_of_openslo(promise.target, promise.measurement, promise.title),
            target=promise.target,
            period=period,
            measurement=promise.measurement,
            steps=self.steps,
            tiers=tiers,
            windows=windows_of(shown),
            mode="page",
            info=self._info(name, promise, period),
            labels=self.labels,
            runbook_url=self.runbook_url,
            dashboard_url=self.dashboard_url,
            provenance=words.provenance_of_openslo(
                promise.target, promise.measurement, period, own_period=self.spec.time_window is not None
            ),
            at_boundary=True,
            where=self._places(promise),
        )

    def _info(self, name: str, promise: _Promise, period: Window) -> tuple[tuple[str, str], ...]:
        facts = {
            "service": self.spec.service,
            "slo": name,
            "sli": _SLI,
            "model": self.own.get("model", ""),
            "endpoint": self.own.get("endpoint", ""),
            "team": self.document.metadata.joined_labels.get("team", ""),
            "period": period.name,
            "promised": words.bound_of(promise.measurement),
            "runbook": self.runbook_url,
            "dashboard_uid": identity.dashboard_uid(self.spec.service, self.document.metadata.name),
        }
        return tuple((key, value) for key, value in facts.items() if value)

    def _places(self, promise: _Promise) -> dict[str, Span]:
        return {
            "self": self.findings.span(("metadata", "name") if not promise.suffix else promise.path),
            "target": self.findings.span(self._target_path(promise)),
            "period": self.findings.span(
                ("spec", "timeWindow") if self.spec.time_window is not None else ("metadata", "name")
            ),
        }

    def _spec(self, slos: Sequence[Slo], plan: AlertPlan | None) -> Spec:
        watched = plan is None or plan.no_data
        return Spec(
            name=self.document.metadata.name,
            service=self.spec.service,
            path=self.findings.source.path,
            slos=tuple(slos),
            sources=measure.told_apart(self._sources(slos)) if watched else (),
            labels=self.labels,
            severities=self.environment.severities,
            mode="page",
            expect_idle=False,
            steps=self.steps,
            runbook_url=self.runbook_url,
            runbook_is_compiled="runbook" not in self.own,
            dashboard_url=self.dashboard_url,
            dashboard_uid=identity.dashboard_uid(self.spec.service, self.document.metadata.name),
            spec_url=identity.spec_url(self.environment.config, self.findings.source.path),
            evaluation=self.environment.config.prometheus.evaluation_interval,
            label_prefix=self.environment.config.labels.prefix,
            model=self.own.get("model", ""),
            endpoint=self.own.get("endpoint", ""),
            filters_endpoint=True,
            retention=self.environment.config.prometheus.retention,
            where={"name": self.findings.span(("metadata", "name"))},
        )

    def _sources(self, slos: Sequence[Slo]) -> list[Source]:
        """What must be there: the counters of all events, each once."""
        totals = [slo.counted.total for slo in slos if isinstance(slo.counted, Counters)]
        return [measure.counter_source(total, self.environment) for total in dict.fromkeys(totals)]
