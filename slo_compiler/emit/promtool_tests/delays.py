"""Test groups that begin later, so that a schedule's window does not lie in them: promtool's clock begins in 1970."""

from __future__ import annotations

import math

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.notation import at
from slo_compiler.units import Duration


def delay_of(interval: Duration, seconds: int, step: int) -> int:
    """At least so many seconds, in whole slots of a group and whole evaluations."""
    if seconds == 0:
        return 0
    unit = math.lcm(int(interval.seconds * 1000), step * 1000, 1000) // 1000
    return math.ceil(seconds / unit) * unit


def delayed(group: Document, seconds: int, step: int) -> Document:
    """The group with everything at least so many seconds later, but for what the rules make of the calendar."""
    interval = Duration.parse(group["interval"])
    delay = delay_of(interval, seconds, step)
    if delay == 0:
        return group
    slots = int(delay / interval.seconds)
    found = {**group}
    found["input_series"] = [{**item, "values": f"_x{slots} {item['values']}"} for item in group["input_series"]]
    for kind in ("alert_rule_test", "promql_expr_test"):
        if kind in group:
            found[kind] = [{**check, "eval_time": _later(check["eval_time"], delay)} for check in group[kind]]
    return found


def _later(time: str, delay: int) -> str:
    return at((Duration.parse(time).whole_seconds if time != "0s" else 0) + delay)
