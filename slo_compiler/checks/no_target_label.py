"""SLO408: an engine selector that names no target, so that `up` cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, warning
from slo_compiler.ir import Histogram, Spec


def check(spec: Spec) -> Iterator[Diagnostic]:
    """Without a target label, targets that are down cannot be told from targets that never were."""
    read = {slo.measurement.names[0] for slo in spec.slos if isinstance(slo.measurement, Histogram)}
    if not read or any(source.target_matchers for source in spec.sources if source.label in read):
        return
    yield warning(
        Code.SLO408,
        spec.where["selector"],
        "the selector names no target: the rules cannot tell a target that is down from one that never was",
        "selector: {job: ...}",
    )
