"""Alert rules: burn rates, exhaustion, impossible data, coverage, deadline, and what the engine shows once."""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.emit.base import Document
from slo_compiler.emit.serialize import Block
from slo_compiler.emit.texts import anchor, burn_description, burn_summary, own_series, queried, subject, template_text
from slo_compiler.ir import Counters, Gauges, Histogram, Selector, Slices, Slo, Source, Spec, Tier, WorstReplica
from slo_compiler.promql import names
from slo_compiler.promql.build import aggregate, either, matchers, recorded, selector
from slo_compiler.promql.exemptions import any_masks
from slo_compiler.promql.groups import too_many
from slo_compiler.promql.measurements import impossible, is_narrower
from slo_compiler.promql.replicas import alone_too_bad
from slo_compiler.units import Duration, decimal_text, percent_text

_COVERED_SHARE = "0.9"
# Under this share of the declared scrapes, tiles go missing and burn rates read low.
_SCRAPED_SHARE = Decimal("0.75")
_DEADLINE_SHARE = Decimal("0.8")


def burn_rate_alert(spec: Spec, slo: Slo, tier: Tier) -> Document:
    """A tier: the burn rate over both windows, and more bad events than chance gives."""
    factor = decimal_text(tier.factor)
    bad = recorded(names.BAD_EVENTS[tier.long.level.value], slo.slo_id, tier.long.range.promql)
    expression = (
        f"{recorded(names.burn_rate(tier.long.name), slo.slo_id)} > {factor}\n"
        f"and {recorded(names.burn_rate(tier.short.name), slo.slo_id)} > {factor}\n"
        f"and sum_over_time({bad}) > {tier.guard}"
    )
    labels = {
        "severity": template_text(spec.severities.of(tier.severity)),
        **slo_labels(spec, slo),
        spec.own_label("tier"): template_text(tier.name),
        spec.own_label("long_window"): tier.long.name,
        spec.own_label("short_window"): tier.short.name,
        **{key: template_text(value) for key, value in tier.labels},
    }
    return _alert(
        burn_rate_alert_name(tier),
        expression,
        labels,
        _slo_annotations(
            spec,
            slo,
            names.ALERT_PAGE if tier.severity == "page" else names.ALERT_TICKET,
            burn_summary(slo, tier),
            burn_description(slo, tier),
            own_series(slo, names.burn_rate(tier.long.name)),
        ),
        hold=tier.hold,
        keep=tier.keep_firing_for,
    )


def burn_rate_alert_name(tier: Tier) -> str:
    """What the alert of a tier is called."""
    return names.ALERT_PAGE if tier.severity == "page" else names.ALERT_TICKET


def budget_exhausted(spec: Spec, slo: Slo) -> Document:
    """The period's budget is spent."""
    remaining = recorded(names.PERIOD_BUDGET_REMAINING, slo.slo_id)
    return _ticket(
        spec,
        slo,
        names.ALERT_BUDGET_EXHAUSTED,
        f"{remaining} < 0",
        15,
        f"{subject(slo)}: the error budget of {slo.period.name} is spent",
        f"Promise: {template_text(slo.promise)}, over {slo.period.name}. "
        "Remaining budget: {{ $value | humanizePercentage }}. Spend changes on reliability until it is positive again."
        f"{template_text(_left_out(slo))}",
        own_series(slo, names.PERIOD_BUDGET_REMAINING),
    )


def _left_out(slo: Slo) -> str:
    """What the period's sums leave out, and why; empty where they leave out nothing."""
    found = ", ".join(f"{item} ({item.reason})" for item in slo.adjustments)
    return f" Left out of the period: {found}." if found else ""


def coverage_low(spec: Spec, slo: Slo) -> Document:
    """A part of the fleet does not expose the bucket that is read, or no native histogram."""
    covered = recorded(names.COVERED, slo.slo_id)
    shown, look = "that expose the bucket which this SLO reads", "of another engine version or with other buckets"
    if isinstance(slo.measurement, Histogram) and slo.measurement.native is not None:
        shown, look = "whose native histograms arrive", "that are scraped as classic histograms alone"
    return _ticket(
        spec,
        slo,
        names.ALERT_COVERAGE_LOW,
        f"{covered} < {_COVERED_SHARE}",
        30,
        f"{subject(slo)}: part of the fleet cannot be judged",
        "Only {{ $value | humanizePercentage }} of the "
        f"{slo.counts} come from replicas {shown}; the others are left out of it. Look for replicas {look}.",
        own_series(slo, names.COVERED),
    )


def groups_cut(spec: Spec, slo: Slo) -> Document:
    """More groups have traffic than are recorded.

    Raises:
        ValueError: the SLO counts no events that could be told apart by group.
    """
    if slo.counted is None:
        raise ValueError(f"{slo.slo_id} counts no events")
    expression = too_many(slo.counted, slo.groups)
    what = " and ".join(slo.groups.labels)
    return _ticket(
        spec,
        slo,
        names.ALERT_COVERAGE_LOW,
        expression,
        30,
        f"{slo.name}: some groups are not recorded",
        f"{{{{ $value }}}} groups by {what} had traffic in the last hour, and the {slo.groups.most} largest are recorded: "
        f"the others have no SLO. Raise groupBy.maxGroups, or name those that matter in groupBy.allow.",
        template_text(" ".join(expression.split("\n"))),
        tier="groups",
    )


def impossible_data(spec: Spec, slo: Slo) -> Document:
    """The counters contradict each other.

    Raises:
        ValueError: the SLO reads no counters that could be compared.
    """
    counted = slo.counted
    if not isinstance(counted, Histogram | Counters):
        raise ValueError(f"{slo.slo_id} reads no counters")
    part = counted.part_is if isinstance(counted, Counters) else "good"
    counts = "events" if isinstance(slo.measurement, Slices) else slo.counts
    expression = impossible(counted, slo.groups.labels)
    return _ticket(
        spec,
        slo,
        names.ALERT_IMPOSSIBLE_DATA,
        expression,
        15,
        f"{subject(slo)}: the counters contradict each other",
        f"There are more {part} {counts} than there are {counts}. Bad events are clamped to what is possible, so this "
        "SLO reads wrong: look for two series counted as one, or a selector that is too wide.",
        template_text(" ".join(expression.split("\n"))),
    )


def deadline_at_risk(spec: Spec, slo: Slo) -> Document:
    """The oldest pending document is close to its deadline.

    Raises:
        ValueError: the SLO has no deadline.
    """
    if slo.deadline is None:
        raise ValueError(f"{slo.slo_id} has no deadline")
    age = aggregate("max", selector(slo.deadline.pending_age), slo.groups.labels)
    limit = slo.deadline.limit.seconds * _DEADLINE_SHARE
    return _ticket(
        spec,
        slo,
        names.ALERT_DEADLINE_AT_RISK,
        f"{age} > {decimal_text(limit)}",
        10,
        f"{subject(slo)}: the oldest pending document nears its deadline",
        f"It has waited {{{{ $value | humanizeDuration }}}} of {slo.deadline.limit}. Promise: {template_text(slo.promise)}.",
        template_text(age),
    )


def worst_replica(spec: Spec, slo: Slo, worst: WorstReplica) -> Document:
    """One replica is far over budget, and all of them together are not."""
    series = recorded(names.WORST_REPLICA, slo.slo_id)
    expression = alone_too_bad(slo, worst)
    if any(item.masks_all for item in slo.exemptions):
        expression += f"\nunless on () {any_masks(slo.slo_id, slo.exemptions)}"
    hold = worst.hold.seconds / 60
    return _ticket(
        spec,
        slo,
        names.ALERT_WORST_REPLICA,
        expression,
        hold,
        f"{slo.name}: replica {queried(series, names.REPLICA_LABEL)} is far worse than the others",
        f"Promise: {template_text(slo.promise)}. Of this replica's {slo.counts} over {worst.window} "
        f"{{{{ $value | humanizePercentage }}}} were bad; alert over {percent_text(worst.limit)} while all replicas "
        f"together are under it. Look at its node and its log before it is replaced.",
        template_text(series),
    )


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


def slo_labels(spec: Spec, slo: Slo) -> dict[str, str]:
    """What every alert of an SLO carries; absent facts are left out."""
    known = dict(slo.info)
    facts: dict[str, str] = {key: known[key] for key in ("model", "endpoint") if key in known}
    own = {"service": slo.service, "slo": slo.name, "sli": slo.sli, **facts}
    labels = {"slo_id": slo.slo_id, **{spec.own_label(name): value for name, value in own.items()}, **dict(slo.labels)}
    return {key: template_text(value) for key, value in labels.items()}


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
    runbook_url = _runbook_url(spec, spec.runbook_url, name)
    annotations = _annotations(
        summary, description, template_text(query), runbook_url, spec.dashboard_url, spec.spec_url
    )
    exempt = next((slo for slo in spec.slos if any(item.masks_all for item in slo.exemptions)), None)
    if exempt is not None:
        # All SLOs of a spec have the same: what is exempt is not alerted on either.
        expression += f"\nunless on () {any_masks(exempt.slo_id, exempt.exemptions)}"
    return _alert(name, expression, labels, annotations, hold=Duration.of(minutes * 60))


def _ticket(
    spec: Spec,
    slo: Slo,
    name: str,
    expression: str,
    minutes: Decimal | int,
    summary: str,
    description: str,
    query: str,
    tier: str = "",
) -> Document:
    labels = {
        "severity": template_text(spec.severities.of("ticket")),
        **slo_labels(spec, slo),
        **({spec.own_label("tier"): tier} if tier else {}),
    }
    annotations = _slo_annotations(spec, slo, name, summary, description, query)
    return _alert(name, expression, labels, annotations, hold=Duration(Decimal(minutes * 60)))


def _slo_annotations(spec: Spec, slo: Slo, name: str, summary: str, description: str, query: str) -> dict[str, str]:
    runbook_url = _runbook_url(spec, slo.runbook_url, name)
    return _annotations(summary, description, query, runbook_url, slo.dashboard_url, spec.spec_url)


def _runbook_url(spec: Spec, page: str, name: str) -> str:
    """The alert's own part of the runbook where that is one of ours; a page of the team's own as it is."""
    return f"{page}#{anchor(name)}" if page and spec.runbook_is_compiled else page


def _annotations(
    summary: str, description: str, query: str, runbook_url: str, dashboard_url: str, spec_url: str
) -> dict[str, str]:
    annotations = {"summary": summary, "description": description, "query": query}
    links = {"runbook_url": runbook_url, "dashboard_url": dashboard_url, "spec_url": spec_url}
    annotations.update({name: template_text(address) for name, address in links.items() if address})
    return annotations


def _alert(
    name: str,
    expression: str,
    labels: dict[str, str],
    annotations: dict[str, str],
    *,
    hold: Duration,
    keep: Duration | None = None,
) -> Document:
    rule: Document = {"alert": name, "expr": Block(expression)}
    if hold.seconds:
        rule["for"] = hold.promql
    if keep is not None and keep.seconds:
        rule["keep_firing_for"] = keep.promql
    return {**rule, "labels": labels, "annotations": annotations}


def can_contradict(slo: Slo) -> bool:
    """Whether more good (or bad) events than events are a contradiction that can be seen.

    Not where the part's selector narrows the total's or both are one series, and not where the part is counted later.
    """
    counted = slo.counted
    if slo.mode == "none" or slo.part_later or not isinstance(counted, Histogram | Counters):
        return False
    if isinstance(counted, Histogram):
        return counted.native is None
    return not is_narrower(counted.part, counted.total)


def has_coverage(slo: Slo) -> bool:
    """Only a bucket can be missing in part of a fleet."""
    return isinstance(slo.measurement, Histogram)
