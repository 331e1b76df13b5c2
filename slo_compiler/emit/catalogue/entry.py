"""A spec as one JSON document: each SLO's promise, numbers, origins, budget, alerts and links, a line per SLO."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from slo_compiler.emit import alerts
from slo_compiler.emit.catalogue.reads import reads_of
from slo_compiler.emit.numbers import budget_seconds, events_per_second, numbers_of
from slo_compiler.emit.promtool_tests.alert_states import clocks
from slo_compiler.emit.serialize import to_json_line
from slo_compiler.ir import Autoscaling, Level, Slices, Slo, Spec, Tier, Waived

SCHEMA = "slo-compiler/catalogue/v1"
# Of what `slo:info` says, what the numbers do not say already: its label, and the field here.
_FACTS = {
    "breach": "breach",
    "model": "model",
    "endpoint": "endpoint",
    "engine": "engine",
    "class": "experienceClass",
    "use_case": "useCase",
    "team": "team",
    "stage": "stage",
}


def entry_text(spec: Spec) -> str:
    """The document of a spec, its head first; one line per SLO, so that a change shows as the line that changed."""
    head = to_json_line(_head(spec))
    slos = ",\n".join(to_json_line(_slo(spec, slo)) for slo in spec.slos)
    return f'{head[:-1]}, "slos": [\n{slos}\n]}}\n'


def _head(spec: Spec) -> dict[str, Any]:
    portable = spec.portable
    words = {"displayName": portable.display_name, "description": portable.description} if portable is not None else {}
    return {
        "schema": SCHEMA,
        "path": spec.path,
        "service": spec.service,
        "spec": spec.name,
        **{key: text for key, text in words.items() if text},
        **({"url": spec.spec_url} if spec.spec_url else {}),
        "labels": dict(spec.labels),
        "waivers": [_waiver(waiver) for waiver in spec.waivers],
        **({"labelPrefix": spec.label_prefix} if spec.label_prefix else {}),
        **({"expectIdle": True} if spec.expect_idle else {}),
        **({} if spec.queue_limit is None else {"queueWaitingPerReplica": _number(spec.queue_limit)}),
        **({} if spec.autoscaling is None else {"autoscaling": _autoscaling(spec.autoscaling)}),
    }


def _autoscaling(follows: Autoscaling) -> dict[str, Any]:
    return {
        "workload": f"{follows.kind}/{follows.target}",
        **({"namespace": follows.namespace} if follows.namespace else {}),
        "minReplicas": follows.min_replicas,
        "maxReplicas": follows.max_replicas,
        "triggers": [{"kind": trigger.kind, "threshold": _number(trigger.threshold)} for trigger in follows.triggers],
    }


def _waiver(waiver: Waived) -> dict[str, str]:
    """What the owner accepts, until when; whether that day is over is for `validate` to say."""
    return {"code": waiver.code, "reason": waiver.reason, "until": waiver.until.isoformat()}


def _slo(spec: Spec, slo: Slo) -> dict[str, Any]:
    known = dict(slo.info)
    numbers = numbers_of(spec, slo)
    facts = {field: known[label] for label, field in _FACTS.items() if known.get(label)}
    links = {"runbook": slo.runbook_url, "dashboard": slo.dashboard_url}
    return {
        **{key: numbers[key] for key in ("slo", "sloId", "sli")},
        "title": slo.title,
        "counts": slo.counts,
        "reads": reads_of(slo),
        **facts,
        **{key: value for key, value in numbers.items() if key not in _ELSEWHERE},
        "provenance": [
            {**found, "text": item.value} for found, item in zip(numbers["provenance"], slo.provenance, strict=True)
        ],
        "budget": _budget(spec, slo),
        **({"slice": _number(slo.measurement.window.seconds)} if isinstance(slo.measurement, Slices) else {}),
        "steps": {"fast": slo.steps.fast, "slow": slo.steps.slow},
        "tiers": [
            {**found, **_alert(spec, slo, tier)} for found, tier in zip(numbers["tiers"], slo.tiers, strict=True)
        ],
        **({"exhausted": _exhausted(spec, slo)} if slo.mode != "none" else {}),
        "links": {key: url for key, url in links.items() if url},
    }


# Of an SLO's numbers, what the head of the document says, and what is written with more beside it.
_ELSEWHERE = frozenset(("path", "service", "spec", "slo", "sloId", "sli", "provenance", "tiers"))


def _budget(spec: Spec, slo: Slo) -> dict[str, Any]:
    """The period's budget as a share, as time of total failure, and in events where their number is known."""
    requests = None if spec.requests_per_hour is None else Fraction(spec.requests_per_hour) / 3600
    rate, seconds = events_per_second(slo, requests), budget_seconds(slo)
    return {
        "ratio": float(slo.budget),
        "seconds": _number(seconds),
        "events": None if rate is None else _number(seconds * rate),
        "eventsPerHour": None if rate is None else _number(rate * 3600),
        "eventsPerRequest": _number(slo.events_per_request),
    }


def _alert(spec: Spec, slo: Slo, tier: Tier) -> dict[str, Any]:
    return {
        "alert": alerts.burn_rate_alert_name(tier),
        "severity": spec.severities.of(tier.severity),
        "evaluationStep": slo.steps.of(tier.long.level),
        "levels": {"long": tier.long.level.value, "short": tier.short.level.value},
        **({"labels": dict(tier.labels)} if tier.labels else {}),
    }


def _exhausted(spec: Spec, slo: Slo) -> dict[str, Any]:
    rule = alerts.budget_exhausted(spec, slo)
    hold, keep = clocks(rule)
    return {
        "alert": rule["alert"],
        "severity": spec.severities.ticket,
        "for": int(hold),
        "keepFiringFor": int(keep),
        "evaluationStep": slo.steps.of(Level.SLOW),
    }


def _number(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)
