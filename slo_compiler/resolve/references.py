"""Names that OpenSLO's documents give each other: whether there is such an object, and the object itself."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.diagnostics.nearest import did_you_mean, nearest
from slo_compiler.documents.base import Model
from slo_compiler.documents.judged import parts_of
from slo_compiler.documents.openslo.alerts import (
    AlertCondition,
    AlertConditionSpec,
    AlertNotificationTarget,
    AlertPolicy,
    AlertPolicyItem,
    AlertPolicySpec,
    ConditionItem,
    TargetItem,
)
from slo_compiler.documents.openslo.data_source import DataSource
from slo_compiler.documents.openslo.metadata import Metadata, is_dns_label
from slo_compiler.documents.openslo.sli import SLI, IndicatorSpec
from slo_compiler.documents.openslo.slo import Objective, OpenSLOSpec
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.annotations import KNOWN, check_annotations
from slo_compiler.resolve.definitions import KIND_OF_REFERENCE, Definition, Definitions
from slo_compiler.resolve.findings import Findings

T = TypeVar("T")


class Located(NamedTuple, Generic[T]):
    """An object that another one names or holds, with its place.

    Attributes:
        findings: collects what is wrong with it, by places in its own document.
        path: of `value` in that document.
    """

    metadata: Metadata
    value: T
    findings: Findings
    path: Path


def check_references(document: Model, findings: Findings, definitions: Definitions) -> None:
    """One finding per name in a document that names nothing. What is defined but broken is a finding already."""
    for path, part in parts_of(document):
        for attribute, field in type(part).model_fields.items():
            name = field.alias or attribute
            value = getattr(part, attribute)
            if name in KIND_OF_REFERENCE and value is not None:
                check_reference(KIND_OF_REFERENCE[name], value, (*path, name), findings, definitions)


def check_reference(kind: str, name: str, path: Path, findings: Findings, definitions: Definitions) -> None:
    """A finding where there is no object of that kind and name.

    Args:
        path: where the name stands.
    """
    if definitions.find(kind, name) is not None or definitions.is_broken(kind, name):
        return
    if not is_dns_label(name):
        message = f"{name!r} names no {kind}: it is no DNS label (lower-case letters, digits and dashes, at most 63)"
        findings.error(Code.SLO203, path, message, _other_name(kind, name, definitions))
        return
    message = f"there is no {kind} named {name} in the files that were read"
    findings.error(Code.SLO204, path, message, _other_name(kind, name, definitions))


def _other_name(kind: str, name: str, definitions: Definitions) -> str:
    known = definitions.names(kind)
    return did_you_mean(name, known) if known else f"define it, or name the file that does: kind: {kind}"


def hint_at_service(service: str, path: Path, findings: Findings, definitions: Definitions) -> None:
    """Services need no definition; a name that is nearly a defined one is worth a word."""
    known = definitions.names("Service")
    if service in known:
        return
    close = nearest(service, known)
    if close is not None:
        message = f"there is no Service named {service}, which is allowed, but one named {close}"
        findings.info(Code.SLO204, path, message, f"service: {close}")


def find_indicator(
    holder: OpenSLOSpec | Objective, path: Path, findings: Findings, definitions: Definitions
) -> Located[IndicatorSpec] | None:
    """The indicator of an SLO or of one of its objectives; None where there is none that can be read.

    Args:
        path: where the holder stands.
    """
    if holder.indicator is not None:
        where: Path = (*path, "indicator", "spec")
        return Located(holder.indicator.metadata, holder.indicator.spec, findings, where)
    found = definitions.find("SLI", holder.indicator_ref) if holder.indicator_ref is not None else None
    if found is None:
        return None
    assert isinstance(found.document, SLI)
    return Located(found.document.metadata, found.document.spec, _findings_of(found, findings), ("spec",))


def find_policy(
    item: AlertPolicyItem, path: Path, findings: Findings, definitions: Definitions
) -> Located[AlertPolicySpec] | None:
    """An alert policy by reference or written out; None where it cannot be read."""
    if item.metadata is not None and item.spec is not None:
        return Located(item.metadata, item.spec, findings, (*path, "spec"))
    return named_policy(item.alert_policy_ref or "", findings, definitions)


def named_policy(name: str, findings: Findings, definitions: Definitions) -> Located[AlertPolicySpec] | None:
    """The alert policy of that name; None where it cannot be read."""
    found = definitions.find("AlertPolicy", name)
    if found is None:
        return None
    assert isinstance(found.document, AlertPolicy)
    return Located(found.document.metadata, found.document.spec, _findings_of(found, findings), ("spec",))


def find_condition(
    item: ConditionItem, path: Path, findings: Findings, definitions: Definitions
) -> Located[AlertConditionSpec] | None:
    """An alert condition by reference or written out; None where it cannot be read."""
    if item.metadata is not None and item.spec is not None:
        return Located(item.metadata, item.spec, findings, (*path, "spec"))
    found = definitions.find("AlertCondition", item.condition_ref or "")
    if found is None:
        return None
    assert isinstance(found.document, AlertCondition)
    return Located(found.document.metadata, found.document.spec, _findings_of(found, findings), ("spec",))


def name_of_target(item: TargetItem, definitions: Definitions) -> str | None:
    """The name of a notification target; None where it cannot be read."""
    if item.metadata is not None:
        return item.metadata.name
    found = definitions.find("AlertNotificationTarget", item.target_ref or "")
    return found.document.metadata.name if found and isinstance(found.document, AlertNotificationTarget) else None


def find_data_source(name: str, definitions: Definitions) -> DataSource | None:
    """The data source of that name; None where it cannot be read."""
    found = definitions.find("DataSource", name)
    return found.document if found is not None and isinstance(found.document, DataSource) else None


def _findings_of(definition: Definition, findings: Findings) -> Findings:
    """Findings in the document of a definition, collected where those of the SLO are."""
    return Findings(definition.source, findings.diagnostics)


def check_definitions(definitions: Definitions) -> list[Diagnostic]:
    """What is wrong with the names and annotations in OpenSLO's definitions, whether or not an SLO uses them."""
    found: list[Diagnostic] = []
    for kind in KNOWN:
        for definition in definitions.of_kind(kind):
            findings = Findings(definition.source, found)
            check_references(definition.document, findings, definitions)
            check_annotations(definition.document, kind, findings)
    return found
