"""SLO408: labels of a selector that neither the engine's metric nor scraping is known to have."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.nearest import near_miss
from slo_compiler.documents.inference_slo import InferenceSLOSpec
from slo_compiler.engines import ResolvedEngine
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.findings import Findings


def say_unknown_labels(
    spec: InferenceSLOSpec,
    labels: Iterable[str],
    engine: ResolvedEngine,
    metric: str,
    carried: Collection[str],
    target_labels: Collection[str],
    findings: Findings,
) -> None:
    """Says of each label of a selector whether it is a misspelt one, one of another metric, or taken on trust.

    Args:
        metric: that the selector selects.
        carried: the labels that the engine puts on it.
        target_labels: those that scraping is known to add.
    """
    for label in sorted({*labels} - {*carried} - {*target_labels}):
        path = _place(spec, label)
        close = near_miss(label, (*carried, *target_labels))
        elsewhere = _metric_labelled(engine, label)
        if close is not None:
            message = f"{label} is no label of {metric}, and prometheus.targetLabels has none of the name"
            findings.warning(Code.SLO408, path, message, f"did you mean {close}?")
        elif elsewhere is not None:
            message = f"{label} is a label of {elsewhere}, not of {metric}: the selector finds nothing"
            findings.warning(Code.SLO408, path, message, f"{metric} has {', '.join(sorted(carried)) or 'no labels'}")
        else:
            message = f"{label} is taken for a label that scraping adds, as {metric} has none of the name"
            hint = f"prometheus: {{targetLabels: [{', '.join([*target_labels, label])}]}}"
            findings.info(Code.SLO408, path, message, hint)


def _metric_labelled(engine: ResolvedEngine, label: str) -> str | None:
    """A metric of the engine that carries a label."""
    names = (metric.name for metric in engine.document.spec.metrics)
    return next((name for name in names if label in engine.labels_named(name)), None)


def _place(spec: InferenceSLOSpec, label: str) -> Path:
    """Where a label is written: in the spec's selector, or in that of a variant."""
    for index, variant in enumerate(spec.variants):
        if label in variant.selector and label not in spec.selector:
            return ("spec", "variants", index, "selector", label)
    return ("spec", "selector", label)
