"""SLO302: a promise of the spec's own that is tighter than its use case needs."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, warning
from slo_compiler.ir import Spec


def check(spec: Spec) -> Iterator[Diagnostic]:
    """A tighter promise costs capacity that the users of this use case do not feel."""
    for slo in spec.slos:
        judged = slo.judged
        if judged is None or not judged.own or judged.use_case is None or judged.threshold >= judged.use_case:
            continue
        yield warning(
            Code.SLO302,
            slo.where["threshold"],
            f"{slo.sli} of {judged.threshold} is tighter than the {judged.use_case} of use case {spec.use_case}",
            f"promise {judged.use_case}, or keep it if these users do feel the difference",
        )
