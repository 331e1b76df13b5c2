"""Pairs of servers: each evaluates the rules for itself, and tells itself apart by a label only when it sends."""

from __future__ import annotations

from collections.abc import Mapping

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.inference_slo import InferenceSLOSpec
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.findings import Findings


def refuse_pair_label(spec: InferenceSLOSpec, label: str | None, findings: Findings) -> None:
    """Finds matchers of a pair's label, with which rules would read nothing.

    Args:
        label: the configured `haLabel`; None finds nothing.
    """
    if label is None:
        return
    selectors: list[tuple[Path, Mapping[str, object]]] = [(("spec", "selector"), spec.selector)]
    for index, variant in enumerate(spec.variants):
        selectors.append((("spec", "variants", index, "selector"), variant.selector))
    for path, selector in selectors:
        if label in selector:
            message = f"no series that rules read has {label}: it is the haLabel, which a server adds when it sends"
            findings.error_at_key(Code.SLO402, (*path, label), message, f"remove {label}")
