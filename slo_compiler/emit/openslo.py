"""The portable form: an InferenceSLO as OpenSLO v1 documents, which say the same to tools that do not know us.

Per objective one SLI and one SLO, a Service, and the burn-rate tiers as alert policies that all SLOs share. What v1 has
no field for stands in annotations, from which a compilation of these documents gives the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from slo_compiler.documents import facts as keys
from slo_compiler.emit.base import Artifact, Context, Document
from slo_compiler.emit.rules import one_line
from slo_compiler.emit.serialize import to_yaml
from slo_compiler.ir import Portable, Slo, Spec, Tier
from slo_compiler.promql.portable import ratio_queries, slice_query
from slo_compiler.units import decimal_text

NAME = "openslo"
API_VERSION = "openslo/v1"
DATA_SOURCE = "prometheus"
_TARGET = "alertmanager"
HEADER = "# Expanded by slo-compiler from {path}. Edits here are lost: change the spec.\n"
_LONGEST_TITLE = 63


def documents_of(spec: Spec, *, with_datasource: bool = False) -> Iterator[Document]:
    """The documents of one spec in the order of their references: what is referred to comes first.

    Args:
        with_datasource: include a DataSource, and let the queries name it.
    """
    portable = spec.portable
    if portable is None:
        return
    yield _document("Service", {"name": spec.service}, {})
    if with_datasource:
        yield data_source()
    tiers = {_policy_name(spec, tier): (slo, tier) for slo in spec.slos for tier in slo.tiers}
    if tiers:
        yield _document("AlertNotificationTarget", {"name": _TARGET}, {"target": _TARGET})
    for name, (slo, tier) in sorted(tiers.items()):
        yield from _policy(name, slo, tier)
    for slo in spec.slos:
        yield _sli(slo, DATA_SOURCE if with_datasource else None)
        yield _slo(spec, portable, slo)


def data_source(name: str = DATA_SOURCE, kind: str = "Prometheus") -> Document:
    """The DataSource that the queries name, or one of the repository's; how to reach it is not said."""
    return _document("DataSource", {"name": name}, {"type": kind, "connectionDetails": {}})


def _document(kind: str, metadata: Document, spec: Document) -> Document:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _policy(name: str, slo: Slo, tier: Tier) -> Iterator[Document]:
    own = {
        f"{keys.PREFIX}short-window": str(tier.short.length),
        f"{keys.PREFIX}min-bad-events": str(tier.guard),
    }
    if tier.keep_firing_for.seconds:
        own[f"{keys.PREFIX}keep-firing-for"] = str(tier.keep_firing_for)
    condition: Document = {
        "kind": "burnrate",
        "op": "gt",
        "threshold": _number(tier.factor),
        "lookbackWindow": _shorthand(int(tier.long.length.seconds)),
    }
    if tier.hold.seconds:
        condition["alertAfter"] = _shorthand(int(tier.hold.seconds))
    about = f"Burn rate over {decimal_text(tier.factor)} in {tier.long.name} and in {tier.short.name}"
    yield _document(
        "AlertCondition",
        {"name": name, "annotations": own},
        {"description": about, "severity": tier.severity, "condition": condition},
    )
    yield _document(
        "AlertPolicy",
        {"name": name},
        {
            "description": about,
            "alertWhenBreaching": True,
            "conditions": [{"conditionRef": name}],
            "notificationTargets": [{"targetRef": _TARGET}],
        },
    )


def _policy_name(spec: Spec, tier: Tier) -> str:
    """A name that says all of a tier, so that equal names are equal tiers."""
    parts = [tier.name, tier.severity, f"{decimal_text(tier.factor)}x", tier.long.name, tier.short.name]
    parts += [f"min-{tier.guard}", f"for-{tier.hold}" if tier.hold.seconds else ""]
    parts += [f"keep-{tier.keep_firing_for}" if tier.keep_firing_for.seconds else ""]
    return re.sub(r"[^a-z0-9]+", "-", "-".join(dict.fromkeys(part for part in parts if part)).lower()).strip("-")


def _sli(slo: Slo, source: str | None) -> Document:
    own = {f"{keys.PREFIX}promised-threshold": str(slo.promised)} if slo.promised is not None else {}
    if slo.measured is not None:
        own[f"{keys.PREFIX}measured-threshold"] = str(slo.measured)
    metadata: Document = {"name": slo.name, "displayName": _title(slo.title)}
    if own:
        metadata["annotations"] = own
    return _document("SLI", metadata, {"description": slo.promise, **_indicator(slo, source)})


def _indicator(slo: Slo, source: str | None) -> Document:
    """The metrics of the SLI.

    Raises:
        ValueError: an InferenceSLO gives no such measurement.
    """
    queries, sliced = ratio_queries(slo.measurement), slice_query(slo.measurement)
    if queries is not None:
        sides = {queries.part_is: _metric(queries.part, source), "total": _metric(queries.total, source)}
        return {"ratioMetric": {"counter": True, **sides}}
    if sliced is not None:
        return {"thresholdMetric": _metric(sliced.query, source)}
    raise ValueError(f"{slo.slo_id} has no portable form")


def _objective(slo: Slo) -> Document:
    objective: Document = {"displayName": _title(slo.promise), "target": _number(slo.target)}
    sliced = slice_query(slo.measurement)
    if sliced is not None:
        objective |= {"op": "gte", "value": _number(sliced.bound)}
        objective |= {"timeSliceTarget": 1, "timeSliceWindow": _shorthand(int(sliced.window.seconds))}
    return objective


def _metric(query: str, source: str | None) -> Document:
    """A query of Prometheus; `source` is the DataSource that it names, if it names one."""
    named: Document = {"metricSourceRef": source} if source is not None else {}
    return {"metricSource": {**named, "type": "Prometheus", "spec": {"query": query}}}


def _slo(spec: Spec, portable: Portable, slo: Slo) -> Document:
    facts = {
        keys.NAME: spec.name,
        **dict(portable.annotations),
        **dict(slo.portable),
        **_origins(slo),
    }
    metadata: Document = {"name": slo.name}
    if portable.display_name:
        metadata["displayName"] = _title(f"{portable.display_name} - {slo.sli}")
    metadata["labels"] = _labels(spec, portable, slo)
    metadata["annotations"] = {
        **dict(portable.foreign),
        **{f"{keys.PREFIX}{key}": value for key, value in facts.items()},
    }
    body: Document = {"description": portable.description} if portable.description else {}
    body |= {
        "service": spec.service,
        "indicatorRef": slo.name,
        "budgetingMethod": "Timeslices" if slice_query(slo.measurement) else "Occurrences",
        "timeWindow": [{"duration": _shorthand(int(slo.period.length.seconds)), "isRolling": True}],
        "objectives": [_objective(slo)],
    }
    policies = list(dict.fromkeys(_policy_name(spec, tier) for tier in slo.tiers))
    if policies:
        body["alertPolicies"] = [{"alertPolicyRef": name} for name in policies]
    return _document("SLO", metadata, body)


def _origins(slo: Slo) -> dict[str, str]:
    """Where each number came from; of several of one kind, such as exemptions, all."""
    found: dict[str, str] = {}
    for item in slo.provenance:
        key = f"provenance.{item.field}"
        found[key] = f"{found[key]}; {item.origin}" if key in found else item.origin
    return found


def _labels(spec: Spec, portable: Portable, slo: Slo) -> Document:
    known = dict(slo.info)
    facts = {
        "model": spec.model.rpartition("/")[2],
        "engine": known.get("engine", "").partition(" ")[0],
        "experienceClass": known.get("class", ""),
        "useCase": spec.use_case,
        "sli": slo.sli,
    }
    grouping = {key: _label_value(value) for key, value in facts.items() if _label_value(value)}
    return {**grouping, **dict(portable.labels)}


def _label_value(text: str) -> str:
    """Lower case, digits, dots, dashes and underscores, as later versions of OpenSLO and Kubernetes take it."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:63].rstrip("-._")


def _title(text: str) -> str:
    """A display name, which may have 63 characters."""
    return text if len(text) <= _LONGEST_TITLE else text[: _LONGEST_TITLE - 3].rstrip() + "..."


def _number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)


def _shorthand(seconds: int) -> str:
    """A duration as OpenSLO writes it: a whole number and one unit."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{-(-seconds // 60)}m"


def to_text(documents: Iterable[Document]) -> str:
    """Documents as one YAML text."""
    return "---\n".join(to_yaml(document) for document in documents)


def paths(spec: Spec) -> list[str]:
    """The file of a spec; none for a spec that is OpenSLO already."""
    return [f"{NAME}/{spec.service}/{spec.name}.yaml"] if spec.portable is not None else []


def emit(spec: Spec, context: Context) -> Iterable[Artifact]:
    """The portable form of a spec."""
    del context
    for path in paths(spec):
        yield Artifact(path, text_of(spec))


def text_of(spec: Spec, *, with_datasource: bool = False) -> str:
    """The file of a spec."""
    documents = documents_of(spec, with_datasource=with_datasource)
    return HEADER.format(path=one_line(spec.path)) + to_text(documents)
