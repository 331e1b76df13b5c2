"""Where a degradation level is recorded, and at which edge late first tokens are read for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.config import Config
from slo_compiler.documents.inference_slo import InferenceSLOSpec
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import Native, Tier
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.buckets import Unmeasurable, read_threshold
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.measure import Edges
from slo_compiler.slis import Sli
from slo_compiler.units import Duration, decimal_text

if TYPE_CHECKING:
    from slo_compiler.ir import Degradation

_TTFT = "ttft"
# The guard where a spec has no tier: the default policy's for its shortest windows.
_LEAST_LATE = 3


def read_degradation(
    spec: InferenceSLOSpec,
    config: Config,
    engine: ResolvedEngine,
    sli: Sli,
    threshold: Duration,
    native: Native | None,
    findings: Findings,
    path: Path,
) -> Degradation | None:
    """The edge at or over so many times the threshold; None where nobody asks, and with a diagnostic where there is none."""
    said = spec.alerting.degradation
    if sli.name != _TTFT or not (config.defaults.degradation if said is None else said):
        return None
    from slo_compiler.ir import Degradation  # which few specs ask for
    from slo_compiler.runbook_texts import load_runbook_texts

    times = load_runbook_texts().degradation.times
    limit = Duration(threshold.seconds * times)
    edges = Edges(engine, sli, engine.unit(sli.roles), native, limit)
    try:
        reading = read_threshold(limit.seconds, edges.all, "ceil")
    except Unmeasurable as fault:
        message = (
            f"{engine.title} cannot measure {sli.name} at {limit}, {decimal_text(times)} times the promise, for the "
            f"degradation level: it {fault} (nearest: {edges.listed(edges.around())})"
        )
        most = Duration(edges.all[-1] / times)
        hint = f"alerting: {{degradation: false}}, or promise at most {most}{edges.configurable}"
        findings.error(Code.SLO404, path, message, hint)
        return None
    return Degradation(limit, edges.shown(reading.measured), edges.bound(reading.measured))


def guarded(degradation: Degradation | None, tiers: Sequence[Tier], spec: InferenceSLOSpec) -> Degradation | None:
    """With as many late events in a step as an alert asks for in its whole window: a few of a few are no load."""
    if degradation is None:
        return None
    least = max(spec.alerting.min_bad_events or 0, _LEAST_LATE)
    return degradation._replace(guard=min((tier.guard for tier in tiers), default=least))


def refuse_without_promise(spec: InferenceSLOSpec, findings: Findings) -> None:
    """A spec that asks for the level and promises no time to first token."""
    objectives = [*spec.objectives, *(one for variant in spec.variants for one in variant.objectives)]
    if spec.alerting.degradation and all(objective.sli != _TTFT for objective in objectives):
        message = "degradation has nothing to follow: the spec has no objective of sli ttft"
        hint = "{sli: ttft, threshold: 250ms, target: 95%}"
        findings.error(Code.SLO202, ("spec", "alerting", "degradation"), message, hint)
