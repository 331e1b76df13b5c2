"""What a spec says of its replicas, to triggers whose numbers are those of its SLOs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents import facts
from slo_compiler.documents.inference_slo import InferenceSLOSpec
from slo_compiler.documents.metadata import DNS_LABEL
from slo_compiler.engines import ResolvedEngine
from slo_compiler.ir import Autoscaling, Histogram, Slo, Trigger
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.findings import Findings
from slo_compiler.slis import load_slis
from slo_compiler.units import Duration

if TYPE_CHECKING:
    from slo_compiler.documents.autoscaling import Autoscaling as AutoscalingDocument

_TTFT, _QUEUE = "ttft", "queue_depth"
# Where a policy leaves an SLO no window of its own.
_RECENT = Duration(Decimal(300))
_WHERE: Path = ("spec", "autoscaling", "triggers")


def resolve_autoscaling(
    spec: InferenceSLOSpec,
    slos: Sequence[Slo],
    engine: ResolvedEngine | None,
    findings: Findings,
) -> Autoscaling | None:
    """The workload and its triggers; None where the spec names none.

    The SLOs of variants are about other replicas than those of the workload.
    """
    asked: AutoscalingDocument | None = spec.autoscaling
    if asked is None:
        return None
    own = [slo for slo in slos if facts.VARIANT not in dict(slo.portable)]
    triggers: list[Trigger] = []
    for index, kind in enumerate(asked.triggers):
        where: Path = (*_WHERE, index)
        if kind == "queue-depth":
            found = list(_queue(spec, engine, where, findings))
        else:
            found = list(_of_slos(kind, spec, own, where, findings))
        triggers += [trigger for trigger in found if trigger not in triggers]
    namespace = spec.selector.get("namespace")
    named = isinstance(namespace, str) and len(namespace) <= 63 and DNS_LABEL.fullmatch(namespace)
    return Autoscaling(
        asked.target,
        asked.kind,
        str(namespace) if named else "",
        asked.min_replicas,
        asked.max_replicas,
        tuple(triggers),
    )


def _queue(spec: InferenceSLOSpec, engine: ResolvedEngine | None, where: Path, findings: Findings) -> Iterator[Trigger]:
    if engine is None:
        return  # which is a finding already
    limit = spec.alerting.queue_waiting_per_replica
    if not engine.has(_QUEUE):
        findings.error(Code.SLO402, where, f"{engine.title} exposes no queue to scale on", "remove queue-depth")
    elif limit is None:
        message = "queue-depth has no number: nothing says how many requests may wait for each replica"
        findings.error(Code.SLO202, where, message, "alerting: {queueWaitingPerReplica: 24}")
    else:
        yield Trigger(kind="queue-depth", threshold=Decimal(str(limit)))


def _of_slos(
    kind: str, spec: InferenceSLOSpec, slos: Sequence[Slo], where: Path, findings: Findings
) -> Iterator[Trigger]:
    slis = [name for name, sli in load_slis().items() if sli.kind == "histogram"] if kind == "burn-rate" else [_TTFT]
    if not any(objective.sli in slis for objective in spec.objectives):
        which = "of a latency" if kind == "burn-rate" else "of sli ttft"
        message = f"{kind} has nothing to follow: the spec has no objective {which} of its own"
        findings.error(Code.SLO202, where, message, "{sli: ttft, threshold: 250ms, target: 95%}")
        return
    for slo in slos:
        # One whose number is missing has a finding of its own.
        if slo.sli not in slis or not isinstance(slo.measurement, Histogram) or slo.measured is None:
            continue
        if kind != "ttft" and not slo.tiers:
            message = f"{kind} has no number: {slo.name} has no tier of burn rates"
            hint = "mode: ticket, or scale on ttft alone"
            findings.error(Code.SLO202, where, message, hint)
            continue
        yield _trigger(kind, slo)


def _trigger(kind: str, slo: Slo) -> Trigger:
    """A trigger of an SLO that has what it needs.

    A burn rate over the lowest factor is a budget that does not last, told before the first alert. The composite asks for
    late first tokens now, and that they are late for long enough for the first page to be near.
    """
    shortest = min(slo.windows, key=lambda window: window.length.seconds, default=None)
    recent = shortest.length if shortest is not None else _RECENT
    assert slo.measured is not None  # a histogram is read at an edge
    if kind == "ttft":
        return Trigger(kind, slo.measured.seconds, slo.slo_id, recent)
    if kind == "burn-rate":
        assert shortest is not None  # tiers have windows
        return Trigger(kind, min(tier.factor for tier in slo.tiers), slo.slo_id, recent, shortest.name)
    paging = [tier for tier in slo.tiers if tier.severity == "page"] or list(slo.tiers)
    long = min((tier.long for tier in paging), key=lambda window: window.length.seconds)
    factor = min(tier.factor for tier in paging)
    return Trigger(kind, slo.measured.seconds, slo.slo_id, recent, long.name, factor)
