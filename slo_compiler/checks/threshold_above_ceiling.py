"""SLO301: a promise slower than its experience class allows."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, error
from slo_compiler.ir import Spec


def check(spec: Spec) -> Iterator[Diagnostic]:
    """Judges the promised threshold, before the latency budget, by the class's p95 ceiling."""
    for slo in spec.slos:
        judged = slo.judged
        if judged is None or judged.ceiling is None or judged.threshold <= judged.ceiling:
            continue
        class_name = dict(slo.info).get("class", "")
        yield error(
            Code.SLO301,
            slo.where["threshold"],
            f"{slo.sli} of {judged.threshold} is over the {judged.ceiling} that class {class_name} allows",
            f"promise {judged.ceiling} or less, choose a slower experienceClass, or add "
            "waivers: [{code: SLO301, reason: ..., until: YYYY-MM-DD}]",
        )
