"""`openslo/v1` SLO with an inline ratio of counters or queries to the resolved form."""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.documents.openslo.sli import Metric, RatioMetric
from slo_compiler.documents.openslo.slo import OpenSLO
from slo_compiler.ir import Counters, Measurement, Provenance, Queries, Selector, Slo, Source, Spec, Window
from slo_compiler.load.source_map import Path, SourceDocument
from slo_compiler.promql.selectors import (
    NotASelector,
    has_placeholder,
    normalise_query,
    parse_selector,
    query_yields,
    rate_of_selector,
    rate_template,
)
from slo_compiler.resolve import identity, measure
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.windows import resolve_tiers, window_of, windows_of
from slo_compiler.units import percent_text

ANNOTATIONS = frozenset(("runbook", "id", "query-yields", "model", "endpoint"))
_LONGEST_PERIOD_DAYS = 366
_RATIO: Path = ("spec", "indicator", "spec", "ratioMetric")
_FORMS = (
    'query: sum(rate(requests_total[{{.window}}])), or a selector such as requests_total{app="x"} with counter: true'
)


def resolve_openslo(
    document: OpenSLO, source: SourceDocument, environment: Environment
) -> tuple[Spec | None, list[Diagnostic]]:
    """The spec resolved, or None where it cannot be compiled; and every finding on the way."""
    findings = Findings(source)
    own = identity.read_annotations(document.metadata, ANNOTATIONS, findings)
    refused = _refuse_what_has_no_rules(document, findings)
    period = _period(document, environment, findings)
    labels = identity.alert_labels(document.metadata.joined_labels, ("metadata", "labels"), findings)
    indicator = document.spec.indicator
    measurement = None
    if indicator is not None and indicator.spec.ratio_metric is not None:
        measurement = _measurement(indicator.spec.ratio_metric, own.get("query-yields"), findings)
    if refused or period is None or measurement is None:
        return None, findings.diagnostics
    target = _target(document, findings)
    if target is None:
        return None, findings.diagnostics
    slo = _slo(document, own, target, period, measurement, labels, environment, findings)
    return _spec(document, slo, environment, findings), findings.diagnostics


def _refuse_what_has_no_rules(document: OpenSLO, findings: Findings) -> bool:
    """One finding per field that no rule can express; whether there was any."""
    spec = document.spec
    objectives: Path = ("spec", "objectives")
    refused: list[tuple[Path, str, str]] = []
    if spec.budgeting_method != "Occurrences":
        refused.append((("spec", "budgetingMethod"), f"budgetingMethod {spec.budgeting_method}", "Occurrences"))
    if spec.indicator_ref is not None:
        refused.append((("spec", "indicatorRef"), "indicatorRef", "write the indicator into the SLO"))
    if spec.indicator is not None and spec.indicator.spec.threshold_metric is not None:
        path: Path = ("spec", "indicator", "spec", "thresholdMetric")
        refused.append((path, "thresholdMetric: a value is no event", "write a ratioMetric of good and total events"))
    if spec.indicator is None and spec.indicator_ref is None:
        refused.append((objectives, "an SLO without an indicator of its own", "indicator: {metadata: ..., spec: ...}"))
    if len(spec.objectives) > 1:
        refused.append(((*objectives, 1), "a second objective", "write an SLO per objective"))
    if spec.alert_policies:
        hint = "remove them: the default burn-rate policy alerts"
        refused.append((("spec", "alertPolicies"), "alertPolicies", hint))
    for field, value in (
        ("indicator", spec.objectives[0].indicator),
        ("indicatorRef", spec.objectives[0].indicator_ref),
    ):
        if value is not None:
            refused.append(
                ((*objectives, 0, field), f"{field} in an objective of a ratio of events", f"remove {field}")
            )
    for path, what, hint in refused:
        findings.error(Code.SLO206, path, f"{what} cannot be compiled", hint)
    return bool(refused)


def _period(document: OpenSLO, environment: Environment, findings: Findings) -> Window | None:
    path: Path = ("spec", "timeWindow", 0)
    policy = environment.find_policy(None, path, findings)
    if document.spec.time_window is None:
        length = environment.config.defaults.period
        hint = f"timeWindow: [{{duration: {length}, isRolling: true}}]"
        findings.info(Code.SLO202, ("spec",), f"timeWindow is missing: the period is {length}", hint)
        return window_of(length, environment.steps(policy), period=True)
    window = document.spec.time_window[0]
    if not window.is_rolling:
        message = "a calendar window cannot be compiled: its budget would jump at each turn"
        findings.error(Code.SLO206, path, message, "isRolling: true")
        return None
    days = window.duration.length.seconds / 86400
    if days != int(days) or days > _LONGEST_PERIOD_DAYS:
        message = f"a period of {window.duration} cannot be compiled: it is no whole number of 1 to 366 days"
        findings.error(Code.SLO206, (*path, "duration"), message, "duration: 28d")
        return None
    return window_of(window.duration.length, environment.steps(policy), period=True)


def _target(document: OpenSLO, findings: Findings) -> Decimal | None:
    objective = document.spec.objectives[0]
    field, target = "target", objective.target
    if target is None:
        assert objective.target_percent is not None  # the model has one of the two
        field, target = "targetPercent", objective.target_percent / 100
    if target == 0:
        message = "a target of 0 promises nothing: it cannot be compiled"
        hint = f"{field}: {'0.999' if field == 'target' else '99.9'}"
        findings.error(Code.SLO206, ("spec", "objectives", 0, field), message, hint)
        return None
    return target


def _measurement(ratio: RatioMetric, yields: str | None, findings: Findings) -> Measurement | None:
    if ratio.raw is not None:
        message = "raw (a stored ratio has no events to count) cannot be compiled"
        findings.error(Code.SLO206, (*_RATIO, "raw"), message, "give good and total")
        return None
    if yields not in (None, "rate", "increase"):
        path: Path = ("metadata", "annotations", "slo-compiler/query-yields")
        findings.error(
            Code.SLO203, path, f"{yields!r} is not one of rate and increase", "slo-compiler/query-yields: rate"
        )
        return None
    part_is = "good" if ratio.good is not None else "bad"
    part = ratio.good if ratio.good is not None else ratio.bad
    assert part is not None and ratio.total is not None  # the model has both
    total_side = _side(ratio.total, ratio.counter, yields, (*_RATIO, "total"), findings)
    part_side = _side(part, ratio.counter, yields, (*_RATIO, part_is), findings)
    if total_side is None or part_side is None:
        return None
    if isinstance(total_side, Selector) and isinstance(part_side, Selector):
        if total_side == part_side:
            findings.error(
                Code.SLO203,
                (*_RATIO, part_is),
                f"{part_is} and total are the same series",
                f"{part_is} must select a part of total",
            )
            return None
        return Counters(total_side, part_side, part_is)
    message = (
        "the queries are no plain counters: an error series that is born above zero loses its first events, "
        "since rate cannot see them"
    )
    findings.info(Code.SLO505, _RATIO, message, _FORMS)
    total, total_yields = _as_query(total_side)
    text, part_yields = _as_query(part_side)
    return Queries(total, text, part_is, total_yields, part_yields)


def _side(
    metric: Metric, counter: bool, yields: str | None, path: Path, findings: Findings
) -> Selector | tuple[str, str] | None:
    """One side of the ratio: a counter's selector, or a query and what it yields."""
    source = metric.metric_source
    where: Path = (*path, "metricSource")
    if source.type is not None and source.type.lower() != "prometheus":
        message = f"a source of type {source.type} cannot be compiled"
        findings.error(Code.SLO206, (*where, "type"), message, "only Prometheus is compiled")
        return None
    if source.type is None and source.metric_source_ref is not None:
        message = f"the data source {source.metric_source_ref} is not known"
        findings.error(Code.SLO204, (*where, "metricSourceRef"), message, "type: Prometheus")
        return None
    given = [key for key in ("query", "promql") if source.spec.get(key) is not None]
    if len(given) != 1 or not isinstance(source.spec[given[0]], str):
        message = "give one query" if len(given) != 1 else f"{given[0]} must be text"
        findings.error(Code.SLO202, (*where, "spec"), message, _FORMS)
        return None
    where = (*where, "spec", given[0])
    query = normalise_query(source.spec[given[0]])
    try:
        if has_placeholder(query):
            return rate_of_selector(query) or _query(query, yields, where, findings)
        if not counter:
            message = "the query has no [{{.window}}], and counter is not true"
            findings.error(Code.SLO203, where, message, _FORMS)
            return None
        return parse_selector(query)
    except NotASelector as fault:
        findings.error(Code.SLO203, where, str(fault), _FORMS)
        return None


def _query(query: str, yields: str | None, path: Path, findings: Findings) -> tuple[str, str] | None:
    found = yields or query_yields(query)
    if found is None:
        message = "it cannot be told whether the query yields events per second or events"
        hint = "annotations: {slo-compiler/query-yields: rate}, or increase"
        findings.error(Code.SLO203, path, message, hint)
        return None
    return query, found


def _as_query(side: Selector | tuple[str, str]) -> tuple[str, str]:
    if isinstance(side, Selector):
        return rate_template(side), "rate"
    return side


def _slo(
    document: OpenSLO,
    own: dict[str, str],
    target: Decimal,
    period: Window,
    measurement: Measurement,
    labels: tuple[tuple[str, str], ...],
    environment: Environment,
    findings: Findings,
) -> Slo:
    name, service = document.metadata.name, document.spec.service
    field = "target" if document.spec.objectives[0].target is not None else "targetPercent"
    target_path: Path = ("spec", "objectives", 0, field)
    policy = environment.find_policy(None, target_path, findings)
    steps = environment.steps(policy)
    tiers = resolve_tiers(
        policy,
        target,
        period.length,
        steps,
        mode="page",
        long_from=None,
        guard_scale=Decimal(1),
        min_bad_events=0,
        requests_per_hour=None,
        findings=findings,
        path=target_path,
        period_path=("spec", "timeWindow", 0, "duration") if document.spec.time_window is not None else None,
    )
    runbook_url = identity.runbook(environment.config, own, service, name)
    facts = {
        "service": service,
        "slo": name,
        "sli": "ratio",
        "model": own.get("model", ""),
        "endpoint": own.get("endpoint", ""),
        "team": document.metadata.joined_labels.get("team", ""),
        "period": period.name,
        "runbook": runbook_url,
    }
    indicator = document.spec.indicator
    title = (indicator.metadata.display_name or indicator.metadata.name) if indicator is not None else name
    return Slo(
        slo_id=own.get("id") or f"{service}/{name}",
        service=service,
        name=name,
        sli="ratio",
        title=title,
        counts="events",
        promise=f"{percent_text(target)} of events: {title}",
        target=target,
        period=period,
        measurement=measurement,
        steps=steps,
        tiers=tiers,
        windows=windows_of(tiers),
        mode="page",
        info=tuple((key, value) for key, value in facts.items() if value),
        labels=labels,
        runbook_url=runbook_url,
        dashboard_url=identity.link(environment.config.urls.dashboards, service, name),
        provenance=(
            Provenance("target", percent_text(target), "the objective"),
            Provenance("period", period.name, "the spec"),
        ),
        at_boundary=True,
        where={
            "self": findings.span(("metadata", "name")),
            "target": findings.span(target_path),
            "period": findings.span(("spec", "timeWindow")),
        },
    )


def _spec(document: OpenSLO, slo: Slo, environment: Environment, findings: Findings) -> Spec:
    sources: tuple[Source, ...] = ()
    if isinstance(slo.measurement, Counters):
        sources = (measure.counter_source(slo.measurement.total, environment),)
    known = dict(slo.info)
    return Spec(
        name=slo.name,
        service=slo.service,
        path=findings.source.path,
        slos=(slo,),
        sources=sources,
        labels=slo.labels,
        severities=environment.severities,
        mode="page",
        expect_idle=False,
        steps=slo.steps,
        runbook_url=slo.runbook_url,
        dashboard_url=slo.dashboard_url,
        model=known.get("model", ""),
        endpoint=known.get("endpoint", ""),
        filters_endpoint=True,
        retention=environment.config.prometheus.retention,
        where={"name": findings.span(("metadata", "name"))},
    )
