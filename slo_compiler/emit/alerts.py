"""Alerts of an SLO: burn rates, exhaustion, impossible data, coverage, deadline, its worst replica."""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.emit.alert_parts import alert, annotations_of, runbook_url_of
from slo_compiler.emit.base import Document
from slo_compiler.emit.texts import burn_description, burn_summary, own_series, queried, subject, template_text
from slo_compiler.ir import Counters, Histogram, Slices, Slo, Spec, Tier, WorstReplica
from slo_compiler.promql import names
from slo_compiler.promql.build import aggregate, recorded, selector
from slo_compiler.promql.exemptions import any_masks
from slo_compiler.promql.groups import too_many
from slo_compiler.promql.measurements import impossible, is_narrower
from slo_compiler.promql.replicas import alone_too_bad
from slo_compiler.units import Duration, decimal_text, percent_text

_COVERED_SHARE = "0.9"
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
    return alert(
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


def slo_labels(spec: Spec, slo: Slo) -> dict[str, str]:
    """What every alert of an SLO carries; absent facts are left out."""
    known = dict(slo.info)
    facts: dict[str, str] = {key: known[key] for key in ("model", "endpoint") if key in known}
    own = {"service": slo.service, "slo": slo.name, "sli": slo.sli, **facts}
    labels = {"slo_id": slo.slo_id, **{spec.own_label(name): value for name, value in own.items()}, **dict(slo.labels)}
    return {key: template_text(value) for key, value in labels.items()}


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
    return alert(name, expression, labels, annotations, hold=Duration(Decimal(minutes * 60)))


def _slo_annotations(spec: Spec, slo: Slo, name: str, summary: str, description: str, query: str) -> dict[str, str]:
    runbook_url = runbook_url_of(spec, slo.runbook_url, name)
    return annotations_of(summary, description, query, runbook_url, slo.dashboard_url, spec.spec_url)


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
