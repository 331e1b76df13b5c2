"""Our own annotations on OpenSLO's objects: which keys each kind knows."""

from __future__ import annotations

from slo_compiler.documents.base import Model
from slo_compiler.documents.judged import parts_of
from slo_compiler.documents.openslo.metadata import Metadata
from slo_compiler.load.source_map import Path
from slo_compiler.resolve import identity
from slo_compiler.resolve.findings import Findings

# Kind -> keys without their prefix.
KNOWN: dict[str, frozenset[str]] = {
    "SLO": frozenset(("runbook", "id", "query-yields", "model", "endpoint")),
    "SLI": frozenset(("query-yields", "promised-threshold", "measured-threshold")),
    "AlertPolicy": frozenset(),
    "AlertCondition": frozenset(("short-window", "tier", "keep-firing-for", "min-bad-events")),
    "AlertNotificationTarget": frozenset(),
    "DataSource": frozenset(),
    "Service": frozenset(),
}
# A field that holds objects written out -> their kind.
_HELD = {
    "indicator": "SLI",
    "alertPolicies": "AlertPolicy",
    "conditions": "AlertCondition",
    "notificationTargets": "AlertNotificationTarget",
}


def check_annotations(document: Model, kind: str, findings: Findings) -> None:
    """One finding per annotation of ours that its object does not know, those written into others included."""
    for path, part in parts_of(document):
        if isinstance(part, Metadata):
            read_annotations(part, _kind_at(path, kind), path, findings)


def read_annotations(metadata: Metadata, kind: str, path: Path, findings: Findings) -> dict[str, str]:
    """Our own annotations of an object without their prefix.

    Args:
        path: where the metadata stands.
    """
    return identity.read_annotations(metadata, KNOWN[kind], findings, path)


def _kind_at(path: Path, kind: str) -> str:
    """The kind of the object whose metadata stand at a path, in a document of a kind."""
    holders = [part for part in path[:-1] if isinstance(part, str) and part in _HELD]
    return _HELD[holders[-1]] if holders else kind
