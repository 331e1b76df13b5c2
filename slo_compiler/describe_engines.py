"""Engines for people and scripts: what a release exposes, and what an upgrade changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from slo_compiler.analysis.engine_changes import Change
from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.documents.engine import Engine
from slo_compiler.engines import ResolvedEngine
from slo_compiler.plain_text import NARROWEST, indented
from slo_compiler.units import Duration

LIST_SCHEMA = "slo-compiler/engines/v1"
SHOW_SCHEMA = "slo-compiler/engine/v1"
DIFF_SCHEMA = "slo-compiler/engine-diff/v1"


def list_text(engines: Iterable[Engine]) -> str:
    """Name, title and releases of each, a line each."""
    rows = [
        ("name", "engine", "releases"),
        *((name, title, f"{old} to {new}" if old else "all alike") for name, title, old, new in map(_line, engines)),
    ]
    return "\n".join(indented(rows, NARROWEST))


def list_json(engines: Iterable[Engine]) -> str:
    """The same as JSON."""
    keys = ("name", "title", "oldest", "newest")
    found = [dict(zip(keys, _line(engine), strict=True)) for engine in engines]
    return _json({"schema": LIST_SCHEMA, "engines": found})


def _line(engine: Engine) -> tuple[str, str, str | None, str | None]:
    """Name, title, first and last release; none where releases are not told apart."""
    name, versions = engine.metadata.name, engine.spec.versions
    old, new = (versions.oldest, versions.newest) if versions is not None else (None, None)
    return name, engine.metadata.display_name or name, old, new


def show_text(engine: ResolvedEngine) -> str:
    """What a release exposes: role, metric, type and edges, then what it cannot tell."""
    rows = [("role", "metric", "type", "edges")]
    for metric in _metrics(engine):
        edges = ", ".join(metric["edges"]) if metric["edges"] else "-"
        rows.append((metric["role"], metric["name"], metric["type"], edges))
    lines = [engine.title, "", *indented(rows, 120)]
    if engine.availability is not None:
        bad = ",".join(f'{label}=~"{pattern}"' for label, pattern in sorted(engine.availability.bad.items()))
        view = engine.availability
        lines += ["", f"availability: {view.total}, bad where {f'{view.part} has ' if view.part else ''}{bad}"]
    if engine.completion is not None:
        ends = engine.completion
        without = ",".join(f'{label}!~"{pattern}"' for label, pattern in sorted(ends.without.items()))
        lines += ["", f"completion: {ends.ended}{f'{{{without}}}' if without else ''} of {ends.began}"]
    if engine.document.spec.lacks:
        lines += ["", "it cannot answer for, in this release or in others:"]
        lines += [f"  - {sli}: {why}" for sli, why in engine.document.spec.lacks.items()]
    if engine.blind_spots:
        lines += ["", "it cannot tell:", *(f"  - {text}" for text in engine.blind_spots)]
    return "\n".join(lines)


def show_json(engine: ResolvedEngine) -> str:
    """The same as JSON; edges are in seconds."""
    document = {
        "schema": SHOW_SCHEMA,
        "name": engine.name,
        "version": engine.version,
        "metrics": [{**metric, "edges": metric["seconds"]} for metric in _metrics(engine)],
        "blindSpots": list(engine.blind_spots),
    }
    for metric in document["metrics"]:
        assert isinstance(metric, dict)
        del metric["seconds"]
    return _json(document)


def _metrics(engine: ResolvedEngine) -> list[dict[str, Any]]:
    found = []
    for role in dict.fromkeys(metric.role.value for metric in engine.document.spec.metrics):
        metric = engine.metric(role)
        if metric is None:
            continue
        found.append(
            {
                "role": role,
                "name": metric.name,
                "type": metric.type.value,
                "unit": metric.unit.value,
                "labels": sorted(metric.labels),
                "edges": [str(Duration.of(edge)) for edge in metric.edges],
                "seconds": [float(edge) for edge in metric.edges],
                "notes": metric.notes,
            }
        )
    return found


def diff_text(old: ResolvedEngine, new: ResolvedEngine, changes: Sequence[Change]) -> str:
    """A line for each change: what goes, and what comes for it."""
    lines = [f"{old.title} to {new.version}"]
    if not changes:
        return f"{lines[0]}: nothing that an SLI reads changes"
    rows = [(change.role or "-", change.field, _change_text(change)) for change in changes]
    return "\n".join([*lines, *indented(rows, NARROWEST)])


def _change_text(change: Change) -> str:
    gone, come = ", ".join(change.gone), ", ".join(change.come)
    if gone and come:
        return f"{gone} becomes {come}"
    return f"{gone} is gone" if gone else f"{come} is new"


def diff_json(old: ResolvedEngine, new: ResolvedEngine, changes: Sequence[Change], broken: Sequence[Diagnostic]) -> str:
    """The changes, and what the specs would be told, as JSON."""
    return _json(
        {
            "schema": DIFF_SCHEMA,
            "engine": old.name,
            "old": old.version,
            "new": new.version,
            "changes": [
                {
                    "role": change.role or None,
                    "field": change.field,
                    "gone": list(change.gone),
                    "come": list(change.come),
                    "text": _change_text(change),
                }
                for change in changes
            ],
            "specs": [
                {
                    "path": finding.span.path,
                    "line": finding.span.line,
                    "column": finding.span.column,
                    "code": finding.code.name,
                    "severity": finding.severity.value,
                    "message": finding.message,
                    "hint": finding.hint,
                }
                for finding in broken
            ],
        }
    )


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
