"""Which groups of an SLO are recorded where the spec does not name them: those with the most traffic.

The obvious `and on (team) topk(50, traffic of the last hour)` on every tile has two faults. Two groups of about the same
size around the last place swap it at every evaluation, and a window over tiles that come and go reads a fraction of its
burn. And a group that has just appeared has no traffic of an hour, so that its first tiles, with what it was born with,
are lost even where there is room for it. So the choice is recorded once, by the slow group, and holds: a group
that was recorded within the last hour counts double against one that was not, and gives way only to one with more than
twice its traffic. Between two choices every tile takes the chosen, and into the places that they leave whatever else
is there.
"""

from __future__ import annotations

from collections.abc import Sequence

from slo_compiler.ir import Counted, Groups, Histogram, Queries, Steps
from slo_compiler.promql import names
from slo_compiler.promql.build import aggregate, either, on, recorded, selector
from slo_compiler.promql.histograms import counts, standing
from slo_compiler.promql.measurements import per_second
from slo_compiler.units import Duration

_HOUR = Duration.of(3600)
# Over whatever a counter can stand at, so that the chosen come first.
_CHOSEN = "1e15"


def chosen(measurement: Counted, groups: Groups, steps: Steps, slo_id: str) -> str:
    """1 for each group that is recorded: the largest of the last hour, with a start for those that were chosen before."""
    traffic, joined = hour_traffic(measurement, groups.labels), on(groups.labels)
    before = recorded(names.RECORDED_GROUP, slo_id, Duration(_HOUR.seconds - steps.slow // 2).promql)
    # One event more than double: of two idle groups, too, the one that is there stays.
    score = f"2 * {traffic} + 1\nand {joined} last_over_time({before})\nor {joined} {traffic}"
    return aggregate("group", f"topk({groups.most}, {score})", groups.labels)


def among_chosen(expression: str, measurement: Counted, groups: Groups, slo_id: str) -> str:
    """An expression of all groups, cut to those that are recorded; itself where the spec names the groups or has none."""
    if not groups.most:
        return expression
    joined = on(groups.labels)
    places = f"{_CHOSEN} * {recorded(names.RECORDED_GROUP, slo_id)} or {joined} {_standing(measurement, groups.labels)}"
    return f"{expression}\nand {joined} topk({groups.most}, {places})"


def too_many(measurement: Counted, groups: Groups) -> str:
    """How many groups had traffic in the last hour, where these are more than are recorded."""
    return f"count({hour_traffic(measurement, groups.labels)} > 0) > {groups.most}"


def hour_traffic(measurement: Counted, by: Sequence[str]) -> str:
    """The events of the last hour per group."""
    if isinstance(measurement, Queries):
        per_group = per_second(measurement.total, measurement.total_yields, _HOUR, by)
        return f"{per_group} * {_HOUR.whole_seconds}"
    if isinstance(measurement, Histogram):
        return aggregate("sum", either(counts(measurement, "increase", "1h")), by)
    return aggregate("sum", f"increase({selector(measurement.total)}[1h])", by)


def _standing(measurement: Counted, by: Sequence[str]) -> str:
    """What the counters of each group stand at: known from the first scrape on, and in an order that hardly changes."""
    if isinstance(measurement, Queries):
        return hour_traffic(measurement, by)
    if isinstance(measurement, Histogram):
        return aggregate("sum", either(standing(measurement)), by)
    return aggregate("sum", selector(measurement.total), by)
