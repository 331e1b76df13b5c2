"""Names, identities, labels and links of SLOs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.documents.config import Config
from slo_compiler.documents.metadata import Metadata
from slo_compiler.load.source_map import Path
from slo_compiler.promql.names import RESERVED_LABELS
from slo_compiler.resolve.findings import Findings

PREFIX = "slo-compiler/"
_MAX_NAME = 63


def read_annotations(metadata: Metadata, known: frozenset[str], findings: Findings) -> dict[str, str]:
    """Our own annotations without their prefix; an unknown one is an error with the nearest name."""
    found = {}
    for key, value in metadata.annotations.items():
        if not key.startswith(PREFIX):
            continue
        name = key.removeprefix(PREFIX)
        if name in known:
            found[name] = value
        else:
            hint = did_you_mean(name, known)
            findings.error(Code.SLO201, ("metadata", "annotations", key), f"unknown annotation {key}", hint)
    return found


def slo_name(spec_name: str, objective: str, path: Path, findings: Findings) -> str | None:
    """`<spec>-<objective>`; None where that is too long for a name."""
    name = f"{spec_name}-{objective}"
    if len(name) <= _MAX_NAME:
        return name
    message = f"the SLO's name {name} has {len(name)} characters, {_MAX_NAME} are allowed"
    findings.error(Code.SLO601, path, message, "shorten metadata.name or give the objective a short name")
    return None


def alert_labels(given: Mapping[str, str], path: Path, findings: Findings) -> tuple[tuple[str, str], ...]:
    """A spec's own labels as they stand on its alerts, sorted; those that the compiler writes itself are refused."""
    labels = {}
    for key, value in given.items():
        name = re.sub(r"[^a-zA-Z0-9_]", "_", key)
        if name in RESERVED_LABELS:
            message = f"the label {key} is written by the compiler"
            findings.error(Code.SLO203, (*path, key), message, "choose another name")
        else:
            labels[name] = value
    return tuple(sorted(labels.items()))


def link(base: str | None, service: str, name: str, suffix: str = "") -> str:
    """`<base>/<service>/<name><suffix>`; empty without a base."""
    return f"{base.rstrip('/')}/{service}/{name}{suffix}" if base else ""


def runbook(config: Config, annotations: Mapping[str, str], service: str, name: str) -> str:
    """The spec's own runbook, or its page under the configured address."""
    return annotations.get("runbook") or link(config.urls.runbooks, service, name)
