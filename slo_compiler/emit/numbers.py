"""An SLO's numbers as JSON data: what was promised and is measured, where it came from, and what its alerts take."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

from slo_compiler.emit import texts
from slo_compiler.ir import Groups, Provenance, Slices, Slo, Spec, Tier, WorstReplica
from slo_compiler.units import Duration, parse_percent

# A threshold is shown as what it is beside the measured one.
_FIELDS = {"threshold": "promised"}


def numbers_of(spec: Spec, slo: Slo) -> dict[str, Any]:
    """An SLO's numbers as JSON: durations in seconds, ratios 0 to 1; absent facts are null or left out."""
    return {
        "path": spec.path,
        "service": slo.service,
        "spec": spec.name,
        "slo": slo.name,
        "sloId": slo.slo_id,
        "sli": slo.sli,
        "promise": slo.promise,
        "target": float(slo.target),
        "promised": seconds(slo.promised),
        "measured": seconds(slo.measured),
        "period": seconds(slo.period.length),
        **_groups_json(slo.groups),
        "mode": slo.mode,
        **_worst_replica_json(slo.worst_replica),
        **_degradation_json(slo),
        **_adjustments_json(slo),
        "provenance": [
            {"field": field_name(item), "value": _number(item), "origin": item.origin} for item in slo.provenance
        ],
        "tiers": [_tier_json(slo, tier) for tier in slo.tiers],
    }


def _groups_json(groups: Groups) -> dict[str, Any]:
    if not groups.labels:
        return {}
    which = {"maxGroups": groups.most} if groups.most else {"allow": groups.allow}
    return {"groupBy": {"labels": groups.labels, **which}}


def _worst_replica_json(worst: WorstReplica | None) -> dict[str, Any]:
    if worst is None:
        return {}
    found = {
        "label": worst.label,
        "errorRatio": float(worst.limit),
        "window": seconds(worst.window),
        "for": seconds(worst.hold),
        "minBadEvents": worst.guard,
    }
    return {"worstReplica": found}


def _degradation_json(slo: Slo) -> dict[str, Any]:
    if slo.degradation is None:
        return {}
    found = {
        "limit": seconds(slo.degradation.limit),
        "measured": seconds(slo.degradation.measured),
        "errorRatio": float(slo.budget),
        "minBadEvents": slo.degradation.guard,
        "step": slo.steps.fast,
    }
    return {"degradation": found}


def _adjustments_json(slo: Slo) -> dict[str, Any]:
    if not slo.adjustments:
        return {}
    found = [{"from": item.begin_text, "to": item.end_text, "reason": item.reason} for item in slo.adjustments]
    return {"budgetAdjustments": found}


def _tier_json(slo: Slo, tier: Tier) -> dict[str, Any]:
    return {
        "name": tier.name,
        "factor": float(tier.factor),
        "longWindow": seconds(tier.long.length),
        "shortWindow": seconds(tier.short.length),
        "severity": tier.severity,
        "errorRatio": float(error_ratio(slo, tier)),
        "for": seconds(tier.hold),
        "keepFiringFor": seconds(tier.keep_firing_for),
        "minBadEvents": tier.guard,
        "blindAtEventsPerHour": float(round(tier.blind_at_events_per_hour, 4)),
        "detection": seconds(Duration(round(texts.detection_seconds(slo, tier), 3))),
        "budgetSpent": _ratio(texts.budget_spent(slo, tier)),
    }


def _number(item: Provenance) -> float | int | str:
    """The value behind a line of provenance: a share, seconds, a number, or the words where it is none of them."""
    text = item.value
    if text.endswith("%"):
        return float(parse_percent(text))
    if re.fullmatch(r"([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+", text):
        return seconds(Duration.parse(text)) or text
    number = re.match(r"-?[0-9]+(\.[0-9]+)?(?=$| tokens/s$)", text)
    return float(number[0]) if number else text


def seconds(duration: Duration | None) -> float | int | None:
    """A duration as JSON has it."""
    if duration is None:
        return None
    whole = duration.seconds == duration.seconds.to_integral_value()
    return int(duration.seconds) if whole else float(duration.seconds)


def _ratio(percent: str) -> float:
    return float(Decimal(percent.removesuffix("%")) / 100)


def field_name(item: Provenance) -> str:
    """What a number is called where it stands beside others."""
    return _FIELDS.get(item.field, item.field)


def error_ratio(slo: Slo, tier: Tier) -> Decimal:
    """The share of bad events at which a tier fires: to a millionth, or exact where that would be nothing."""
    exact = tier.factor * slo.budget
    return round(exact, 6) or exact


def events_per_second(slo: Slo, requests_per_second: Fraction | None) -> Fraction | None:
    """How many events the SLO counts at a traffic: slices come at their own pace; None where nobody says the traffic."""
    if isinstance(slo.measurement, Slices):
        return 1 / Fraction(slo.measurement.window.seconds)
    return None if requests_per_second is None else requests_per_second * Fraction(slo.events_per_request)


def budget_seconds(slo: Slo) -> Fraction:
    """The period's error budget as time of total failure."""
    return Fraction(slo.period.length.seconds) * Fraction(slo.budget)
