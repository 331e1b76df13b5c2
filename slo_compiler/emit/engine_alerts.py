"""Alerts of a spec's engine and sources, once for all of its SLOs: stalled, queueing, gone, scraped too rarely."""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.emit.alert_parts import alert, annotations_of, runbook_url_of
from slo_compiler.emit.base import Document
from slo_compiler.emit.texts import template_text
from slo_compiler.ir import Gauges, Histogram, Selector, Source, Spec
from slo_compiler.promql import names
from slo_compiler.promql.build import either, matchers, selector
from slo_compiler.promql.exemptions import any_masks
from slo_compiler.units import Duration, decimal_text

# Under this share of the declared scrapes, tiles go missing and burn rates read low.
_SCRAPED_SHARE = Decimal("0.75")


def engine_stalled(spec: Spec, gauges: Gauges) -> Document:
    """Requests are in the engine and no token leaves it: no event is written, so no burn rate can show it."""
    by = f"by (job, {gauges.replica_label})"
    inside = f"({_join(gauges.running)}) + ({_join(gauges.waiting)})"
    if len(gauges.running) == len(gauges.waiting) == 1:
        inside = f"{selector(gauges.running[0])} + {selector(gauges.waiting[0])}"
    tokens = either([f"increase({selector(item)}[5m])" for item in gauges.tokens])
    return _engine_alert(
        spec,
        names.ALERT_ENGINE_STALLED,
        f"sum {by} ({inside}) > 0\nunless sum {by} ({tokens}) > 0",
        "page",
        2,
        f"{spec.name}: an engine holds requests and produces no token",
        "{{ $labels."
        + gauges.replica_label
        + " }} has {{ $value }} requests running or waiting and produced no token for "
        "5m. Its latency SLOs cannot see this: requests that never get a token are counted nowhere.",
        f"sum {by} ({inside})",
    )


def queue_depth(spec: Spec, gauges: Gauges, limit: Decimal) -> Document:
    """The early warning: requests waiting per replica."""
    waiting = f"avg(sum by (job, {gauges.replica_label}) ({_join(gauges.waiting)}))"
    return _engine_alert(
        spec,
        names.ALERT_QUEUE_DEPTH,
        f"{waiting} > {decimal_text(limit)}",
        "ticket",
        5,
        f"{spec.name}: requests queue up",
        f'{{{{ $value | printf "%.1f" }}}} requests wait per replica; the limit of this spec is {decimal_text(limit)}. '
        "Time to first token follows the queue.",
        waiting,
    )


def source_absent(spec: Spec, source: Source) -> list[Document]:
    """The series that an SLO reads are gone: as a ticket while its targets are up, as a page where traffic was lost."""
    label = template_text(source.label)
    series = f"count({_join(source.selectors)})"
    gained = [f"increase({selector(item)}[30m] offset 30m)" for item in source.selectors]
    traffic = either([f"histogram_count({item})" for item in gained] if source.native else gained)
    had_traffic = f"and sum({traffic}) > 0"
    title = f"{spec.name}: {label} is gone"
    ticket, page = ("info", "info") if spec.expect_idle else ("ticket", "page")
    lost = (
        f"No series {label} although there was traffic half an hour ago: the SLO is blind, and its users "
        "may be without service."
    )
    # A target that is down takes its series with it, so that no word on `up` is needed here.
    gone = f"vector(1)\nunless {series}\n{had_traffic}"
    after = _absent(spec, source, gone, page, "lost", 5, title, lost)
    if not source.target_matchers:
        return [after]
    targets = f"up{matchers(source.target_matchers)}"
    exposed = f"count({targets} == 1)"
    return [
        _absent(
            spec,
            source,
            f"{exposed}\nunless {series}",
            ticket,
            "unexposed",
            10,
            title,
            f"Targets that are up: {{{{ $value }}}}. None of them exposes {label}: the SLO is blind. "
            f"Look for a renamed metric or {_hiding(spec, source)}.",
        ),
        after,
    ]


def _hiding(spec: Spec, source: Source) -> str:
    """What beside a new name hides a source: of an engine's latencies, that the model is called otherwise."""
    latencies = {slo.measurement.names[0] for slo in spec.slos if isinstance(slo.measurement, Histogram)}
    return "another served model name" if source.label in latencies else "labels that changed"


def scrapes_missing(spec: Spec, source: Source) -> Document:
    """Fewer scrapes arrive than declared: tiles go missing."""
    limit = _SCRAPED_SHARE * 300 / spec.steps.scrape
    count = f"avg(count_over_time(up{matchers(source.target_matchers)}[5m]))"
    return _engine_alert(
        spec,
        names.ALERT_COVERAGE_LOW,
        f"{count} < {decimal_text(round(limit, 3))}",
        "ticket",
        30,
        f"{spec.name}: scrapes are missing",
        f'{{{{ $value | printf "%.1f" }}}} scrapes of a target arrive in 5m where '
        f"{decimal_text(round(300 / spec.steps.scrape, 1))} are declared: burn rates read low. Set prometheus.scrapeInterval to "
        "what the server really does.",
        count,
        source=source,
    )


def _join(selectors: tuple[Selector, ...]) -> str:
    return either([selector(item) for item in selectors])


def _absent(
    spec: Spec,
    source: Source,
    expression: str,
    severity: str,
    tier: str,
    minutes: int,
    summary: str,
    description: str,
) -> Document:
    query = f"count({_join(source.selectors)})"
    return _engine_alert(
        spec, names.ALERT_SOURCE_ABSENT, expression, severity, minutes, summary, description, query, source, tier
    )


def _engine_alert(
    spec: Spec,
    name: str,
    expression: str,
    severity: str,
    minutes: int,
    summary: str,
    description: str,
    query: str,
    source: Source | None = None,
    tier: str = "",
) -> Document:
    if severity == "page" and spec.mode == "ticket":
        severity = "ticket"
    facts = {
        "service": spec.service,
        "model": spec.model,
        "endpoint": spec.endpoint,
        "source": source.label if source else "",
        "tier": tier,
    }
    labels = {"severity": spec.severities.of(severity), "slo_id": spec.engine_id}
    labels |= {spec.own_label(key): value for key, value in facts.items() if value}
    labels.update(spec.labels)
    labels = {key: template_text(value) for key, value in labels.items()}
    runbook_url = runbook_url_of(spec, spec.runbook_url, name)
    annotations = annotations_of(
        summary, description, template_text(query), runbook_url, spec.dashboard_url, spec.spec_url
    )
    exempt = next((slo for slo in spec.slos if any(item.masks_all for item in slo.exemptions)), None)
    if exempt is not None:
        # All SLOs of a spec have the same: what is exempt is not alerted on either.
        expression += f"\nunless on () {any_masks(exempt.slo_id, exempt.exemptions)}"
    return alert(name, expression, labels, annotations, hold=Duration.of(minutes * 60))
