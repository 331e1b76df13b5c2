"""SLO303 and SLO304: an end-to-end promise against the first token and the tokens after it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, error, info
from slo_compiler.formulas import mean_itl_needed
from slo_compiler.ir import Slo, Spec
from slo_compiler.units import Duration


def check(spec: Spec) -> Iterator[Diagnostic]:
    """Compares promises of the same target; a p99 and a p95 say nothing about each other."""
    for e2e in spec.slos:
        if e2e.sli != "e2e" or e2e.judged is None:
            continue
        ttft = _same_target(spec, e2e, "ttft")
        if ttft is None or ttft.judged is None:
            continue
        if e2e.judged.threshold <= ttft.judged.threshold:
            yield error(
                Code.SLO303,
                e2e.where["threshold"],
                f"e2e of {e2e.judged.threshold} is at or under the ttft of {ttft.judged.threshold}",
                f"an answer cannot end before it begins: raise e2e over {ttft.judged.threshold}",
            )
            continue
        itl = _same_target(spec, e2e, "itl")
        if itl is None or itl.judged is None or not spec.output_tokens:
            continue
        needed = mean_itl_needed(e2e.judged.threshold.seconds, ttft.judged.threshold.seconds, spec.output_tokens)
        if needed < itl.judged.threshold.seconds:
            start = ttft.judged.threshold.seconds
            longer = start + (e2e.judged.threshold.seconds - start) * itl.judged.threshold.seconds / needed
            longer = longer.quantize(Decimal("0.001"), ROUND_CEILING)
            yield info(
                Code.SLO304,
                e2e.where["threshold"],
                f"e2e of {e2e.judged.threshold} with {spec.output_tokens} output tokens needs a mean ITL of "
                f"{Duration(round(needed, 4))}, under the promised {itl.judged.threshold}",
                f"promise an e2e of {Duration(longer)}, or an itl of {Duration(round(needed, 4))}",
            )


def _same_target(spec: Spec, like: Slo, sli: str) -> Slo | None:
    return next((slo for slo in spec.slos if slo.sli == sli and slo.target == like.target), None)
