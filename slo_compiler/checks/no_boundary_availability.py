"""SLO407: a production spec that nobody measures at the boundary."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, warning
from slo_compiler.ir import Spec


def check(spec: Spec) -> Iterator[Diagnostic]:
    """An engine cannot report the requests that never reached it."""
    if spec.stage != "production" or any(slo.at_boundary or slo.sli == "job_completion" for slo in spec.slos):
        return
    yield warning(
        Code.SLO407,
        spec.where["objectives"],
        "no availability objective at the boundary: requests that never reach the engine are seen by nobody",
        "{sli: availability, target: 99.9%, source: {bad: 'gw_requests_total{code=~\"5..\"}', total: gw_requests_total}}",
    )
