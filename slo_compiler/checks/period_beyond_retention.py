"""SLO504: a period that the server forgets before it ends."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, error
from slo_compiler.ir import Spec


def check(spec: Spec) -> Iterator[Diagnostic]:
    """A range beyond the retention is silently shorter."""
    if spec.retention is None:
        return
    for slo in spec.slos[:1]:
        if slo.period.length > spec.retention:
            yield error(
                Code.SLO504,
                slo.where["period"],
                f"the period of {slo.period.name} is longer than the server's retention of {spec.retention}",
                "shorten timeWindow, raise the retention, or say longTerm: true where a long-term store answers",
            )
