"""The PromQL of the dashboard of all specs: what is recorded for every SLO, whatever its windows and its policy."""

from __future__ import annotations

from slo_compiler.ir import Matcher, Selector
from slo_compiler.promql import names
from slo_compiler.promql.build import aggregate, selector

# The labels of `slo:info` that one may choose by, each a variable of the same name, and what they are called.
FILTERS = {"service": "Service", "team": "Team", "class": "Experience class"}


def info(*labels: str) -> str:
    """1 for each SLO that the filters leave, with these of its facts as labels."""
    return aggregate("max", _filtered(), ("slo_id", *labels))


def _filtered() -> str:
    return selector(Selector(names.INFO, tuple(Matcher(name, "=~", f"${name}") for name in FILTERS)))


def of_each(expression: str, *labels: str) -> str:
    """One value for each SLO that the filters leave, with these of its facts as labels."""
    if not labels:
        return f"({expression} and on (slo_id) {_filtered()})"
    return f"({expression}) * on (slo_id) group_left ({', '.join(labels)}) {info(*labels)}"


def least_of(name: str) -> str:
    """A recorded series, of several groups the least."""
    return aggregate("min", name, ("slo_id",))


def burn() -> str:
    """The burn rate of the last hour, by tiles: policies differ in their windows."""
    bad, total = (
        aggregate("sum", f"sum_over_time({tiles['slow']}[1h])", ("slo_id",))
        for tiles in (names.BAD_EVENTS, names.EVENTS)
    )
    target = aggregate("max", names.TARGET, ("slo_id",))
    return f"clamp_min({bad}, 0) / ({total} * (1 - {target}) > 0)"


def left(*labels: str) -> str:
    return of_each(least_of(names.PERIOD_BUDGET_REMAINING), *labels)


def counted(expression: str) -> str:
    """How many; 0 where there are SLOs and it is none of them."""
    return f"count({expression}) or 0 * count({info()})"


def firing() -> str:
    """Alerts that fire, of the chosen severities; those of engines have no SLO to be chosen by."""
    wanted = (Matcher("alertname", "=~", "SLO[A-Z].*"), Matcher("alertstate", "=", "firing"))
    return selector(Selector("ALERTS", wanted), Matcher("severity", "=~", "$severity"))
