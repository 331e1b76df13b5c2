"""SLO409: a latency that is read of every model, since its metric carries none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slo_compiler.diagnostics.codes import Code
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import Histogram, Slo
from slo_compiler.resolve.findings import Findings
from slo_compiler.slis import Sli


def say_unfiltered(
    engine: ResolvedEngine, slos: Sequence[Slo], model: str, slis: Mapping[str, Sli], findings: Findings
) -> None:
    """Says once that a latency is read of every model: its metric carries none."""
    for slo in slos:
        measured = slo.measurement
        if not isinstance(measured, Histogram):
            continue
        selected = {matcher.label for matcher in measured.matchers}
        if engine.model_label in selected:
            continue
        message = f"{measured.names[0]} carries no model: all that the selector selects is read"
        message += f", not only {model}"
        if engine.model_label is None:
            hint = "nothing is to be done where an instance serves one model; else give each its own selector"
            findings.info(Code.SLO409, ("spec", "model"), message, hint)
            return
        own = engine.labels_of(slis[slo.sli].roles)
        if not own & selected:
            hint = f"select by one of its labels: {', '.join(sorted(own))}"
            findings.warning(Code.SLO409, ("spec", "model"), message, hint)
            return
