"""SLO308: a batch spec that promises tokens and no completion."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, warning
from slo_compiler.ir import Spec


def check(spec: Spec) -> Iterator[Diagnostic]:
    """A batch job's promise is a time, not a token."""
    if (spec.experience_class or spec.use_case_class) != "batch" or any(
        slo.sli == "job_completion" for slo in spec.slos
    ):
        return
    yield warning(
        Code.SLO308,
        spec.where["objectives"],
        "class batch without a job_completion objective: its users wait for the job, not for tokens",
        "{sli: job_completion, threshold: 4h, target: 95%, source: {due: docs_due_total, onTime: docs_on_time_total}}",
    )
