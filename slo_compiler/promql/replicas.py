"""The worst replica of a fleet in PromQL, by its own counters: tiles are sums over all replicas and cannot tell."""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.ir import Counters, Histogram, Slo, WorstReplica
from slo_compiler.promql import names
from slo_compiler.promql.build import aggregate, either, recorded, selector
from slo_compiler.promql.exemptions import grown_replicas
from slo_compiler.promql.histograms import goods, judged
from slo_compiler.units import Duration, decimal_text


def worst_replica(slo: Slo, worst: WorstReplica) -> str:
    """The share of bad events of the replica where it is greatest, among those with more bad events than the guard.

    Where no replica has that many, there is no series. With groups, a replica's events are those of all groups.

    Raises:
        ValueError: the SLO reads no counters of replicas, or good events instead of bad ones.
    """
    measurement, span, by = slo.measurement, worst.window.promql, (worst.label,)
    if isinstance(measurement, Histogram):
        young = [grown_replicas(item, worst.window.whole_seconds) for item in slo.exemptions if item.young is not None]
        # A replica that does not expose the bucket now is not judged, nor is one that is gone.
        counted = [" ".join((count, *young)) for count in judged(measurement, "increase", span, now=True)]
        total = aggregate("sum", either(counted), by)
        good = aggregate("sum", either(goods(measurement, measurement.measured, "increase", span)), by)
        bad = f"{total}\n- {good}"
    elif isinstance(measurement, Counters) and measurement.part_is == "bad":
        total = aggregate("sum", f"increase({selector(measurement.total)}[{span}])", by)
        bad = aggregate("sum", f"increase({selector(measurement.part)}[{span}])", by)
    else:
        raise ValueError(f"{slo.slo_id} reads no replicas")
    share = f"({bad} > {worst.guard})\n/ {total}"
    if worst.label != names.REPLICA_LABEL:
        named = f'label_replace(\n{share}, "{names.REPLICA_LABEL}", "$1", "{worst.label}", "(.*)")'
        share = aggregate("sum", named, (names.REPLICA_LABEL,))
    return f"topk(1, {share})"


def alone_too_bad(slo: Slo, worst: WorstReplica) -> str:
    """The worst replica is over its limit, and all replicas together are not.

    It holds whichever replica is the worst one: two that take turns are one condition.
    """
    limit = decimal_text(worst.limit)
    series = recorded(names.WORST_REPLICA, slo.slo_id)
    bad, total = (_sum(slo, worst, name["fast"]) for name in (names.BAD_EVENTS, names.EVENTS))
    return f"max by (slo_id) ({series}) > {limit}\nunless {bad}\n> {limit} * {total}"


def _sum(slo: Slo, worst: WorstReplica, tiles: str) -> str:
    """Events of all replicas over the window, of all groups."""
    # Half a step short, as windows are.
    span = Duration(worst.window.seconds - Decimal(slo.steps.fast) / 2).promql
    text = f"sum_over_time({recorded(tiles, slo.slo_id, span)})"
    return aggregate("sum", text, ("slo_id",)) if slo.groups.labels else text
