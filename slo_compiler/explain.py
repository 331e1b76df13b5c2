"""Resolved specs to a table or JSON of their numbers and where each came from; a code to its page."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.diagnostics.pages import read_page
from slo_compiler.diagnostics.report_json import json_text
from slo_compiler.emit import texts
from slo_compiler.ir import Groups, Provenance, Slo, Spec, Tier, WorstReplica
from slo_compiler.plain_text import GAP, NARROWEST, indented, visible
from slo_compiler.units import Duration, decimal_text, parse_percent, percent_text

SCHEMA = "slo-compiler/explain/v1"
PAGE_SCHEMA = "slo-compiler/explain-code/v1"
# A threshold is shown as what it is beside the measured one.
_FIELDS = {"threshold": "promised"}
# blind at: the events per hour at which not even a total failure is enough; detected: a total failure, after so long.
_TIER_HEADS = ("tier", "factor", "windows", "severity", "bad over", "for", "blind at", "detected", "spent")


def find_code(text: str) -> Code | None:
    """The code of that name, whatever its case; None where there is none."""
    return Code.__members__.get(text.upper())


def page_json(code: Code) -> str:
    """The page of a code as one JSON document."""
    page = read_page(code)
    document = {
        "schema": PAGE_SCHEMA,
        "code": code.name,
        "title": code.value,
        "severity": page.severity.value,
        "page": page.text,
    }
    return json_text(document)


def suggest_codes(text: str) -> str:
    """A hint for a code that does not exist: those with the same first digit, else the nearest one."""
    stem = text.upper()[:4]
    near = [f"{code.name} ({code.value})" for code in Code if len(stem) == 4 and code.name.startswith(stem)]
    return f"known: {', '.join(near)}" if near else did_you_mean(text, Code.__members__)


def render_numbers(specs: Sequence[Spec], width: int = NARROWEST) -> str:
    """Every SLO's numbers with their origin, and its alert tiers, as text.

    Args:
        width: of the terminal in columns; under 80 it is taken as 80.
    """
    lines = (visible(line) for spec in specs for line in _spec_lines(spec, max(width, NARROWEST)))
    return "\n".join(lines).rstrip("\n")


def numbers_json(specs: Sequence[Spec]) -> str:
    """The same as one JSON document: durations in seconds, ratios 0 to 1."""
    slos = [_slo_json(spec, slo) for spec in specs for slo in spec.slos]
    return json_text({"schema": SCHEMA, "slos": slos})


def _spec_lines(spec: Spec, width: int) -> Iterator[str]:
    yield f"{spec.engine_id} ({spec.path})"
    for slo in spec.slos:
        yield ""
        yield from textwrap.wrap(f"{slo.slo_id}: {slo.promise}", width, subsequent_indent=GAP * 2)
        yield from indented(_number_rows(slo), width)
        if slo.tiers:
            yield ""
            yield from indented([_TIER_HEADS, *(_tier_row(slo, tier) for tier in slo.tiers)], width)
        else:
            yield f"{GAP}no burn-rate alerts (mode {slo.mode})"
    yield ""


def _number_rows(slo: Slo) -> list[tuple[str, ...]]:
    """Field, value, origin; the promised threshold stands directly above the measured one."""
    rows: list[tuple[str, ...]] = [
        (_FIELDS.get(item.field, item.field), item.value, item.origin) for item in slo.provenance
    ]
    if slo.groups.labels:
        kept = ", ".join(slo.groups.allow) if slo.groups.allow else f"the {slo.groups.most} with the most traffic"
        rows.append(("groups", ", ".join(slo.groups.labels), kept))
    rows.append(("mode", slo.mode, ""))
    if slo.worst_replica is not None:
        rows.append(("worst replica", *_worst_replica(slo, slo.worst_replica)))
    return rows


def _worst_replica(slo: Slo, worst: WorstReplica) -> tuple[str, str]:
    """From which share of bad events on one replica is a ticket, and what else that takes."""
    counts = f"more than {worst.guard} bad {slo.counts} in {worst.window} by label {worst.label}"
    ticket = f"a ticket after {worst.hold}" if slo.mode != "none" else "recorded only"
    return f"over {percent_text(worst.limit)}", f"{counts}; {ticket}"


def _error_ratio(slo: Slo, tier: Tier) -> Decimal:
    """The share of bad events at which a tier fires: to a millionth, or exact where that would be nothing."""
    exact = tier.factor * slo.budget
    return round(exact, 6) or exact


def _tier_row(slo: Slo, tier: Tier) -> tuple[str, ...]:
    detected = texts.detection(slo, tier)
    return (
        tier.name,
        decimal_text(tier.factor),
        f"{tier.long.name}/{tier.short.name}",
        tier.severity,
        percent_text(_error_ratio(slo, tier)),
        str(tier.hold) if tier.hold.seconds else "-",
        f"{texts.rounded(tier.blind_at_events_per_hour, 2)}/h",
        detected.removeprefix("after "),
        texts.budget_spent(slo, tier),
    )


def _slo_json(spec: Spec, slo: Slo) -> dict[str, Any]:
    return {
        "path": spec.path,
        "service": slo.service,
        "spec": spec.name,
        "slo": slo.name,
        "sloId": slo.slo_id,
        "sli": slo.sli,
        "promise": slo.promise,
        "target": float(slo.target),
        "promised": _seconds(slo.promised),
        "measured": _seconds(slo.measured),
        "period": _seconds(slo.period.length),
        **_groups_json(slo.groups),
        "mode": slo.mode,
        **_worst_replica_json(slo.worst_replica),
        **_adjustments_json(slo),
        "provenance": [
            {"field": _FIELDS.get(item.field, item.field), "value": _number(item), "origin": item.origin}
            for item in slo.provenance
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
        "window": _seconds(worst.window),
        "for": _seconds(worst.hold),
        "minBadEvents": worst.guard,
    }
    return {"worstReplica": found}


def _adjustments_json(slo: Slo) -> dict[str, Any]:
    if not slo.adjustments:
        return {}
    found = [{"from": item.begin_text, "to": item.end_text, "reason": item.reason} for item in slo.adjustments]
    return {"budgetAdjustments": found}


def _tier_json(slo: Slo, tier: Tier) -> dict[str, Any]:
    return {
        "name": tier.name,
        "factor": float(tier.factor),
        "longWindow": _seconds(tier.long.length),
        "shortWindow": _seconds(tier.short.length),
        "severity": tier.severity,
        "errorRatio": float(_error_ratio(slo, tier)),
        "for": _seconds(tier.hold),
        "keepFiringFor": _seconds(tier.keep_firing_for),
        "minBadEvents": tier.guard,
        "blindAtEventsPerHour": float(round(tier.blind_at_events_per_hour, 4)),
        "detection": _seconds(Duration(round(texts.detection_seconds(slo, tier), 3))),
        "budgetSpent": _ratio(texts.budget_spent(slo, tier)),
    }


def _number(item: Provenance) -> float | int | str:
    """The value behind a line of provenance: a share, seconds, a number, or the words where it is none of them."""
    text = item.value
    if text.endswith("%"):
        return float(parse_percent(text))
    if re.fullmatch(r"([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+", text):
        seconds = _seconds(Duration.parse(text))
        return text if seconds is None else seconds
    number = re.match(r"-?[0-9]+(\.[0-9]+)?(?=$| tokens/s$)", text)
    return float(number[0]) if number else text


def _seconds(duration: Duration | None) -> float | int | None:
    if duration is None:
        return None
    whole = duration.seconds == duration.seconds.to_integral_value()
    return int(duration.seconds) if whole else float(duration.seconds)


def _ratio(percent: str) -> float:
    return float(Decimal(percent.removesuffix("%")) / 100)
