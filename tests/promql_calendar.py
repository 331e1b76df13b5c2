"""Evaluates the PromQL of schedules: numbers, comparisons with `bool`, and the functions of the calendar.

A second statement of what Prometheus does, for many moments at once; real promtool is asked at a few of them.
"""

from __future__ import annotations

import calendar
import datetime
import math
import operator
from collections.abc import Callable
from typing import Any

import promql_parser as promql

_EPOCH = datetime.datetime(1970, 1, 1)
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "%": math.fmod,
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
}


def evaluator(expression: str) -> Callable[[float], float]:
    """The expression as a function of the evaluation time.

    Raises:
        ValueError: it holds what no schedule needs.
    """
    return _compiled(promql.parse(expression))


def _date(seconds: float) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(seconds=seconds)


_CALENDAR: dict[str, Callable[[float], float]] = {
    "month": lambda seconds: _date(seconds).month,
    "day_of_month": lambda seconds: _date(seconds).day,
    "day_of_week": lambda seconds: _date(seconds).isoweekday() % 7,
    "days_in_month": lambda seconds: calendar.monthrange(_date(seconds).year, _date(seconds).month)[1],
}


def _compiled(node: Any) -> Callable[[float], float]:
    if isinstance(node, promql.ParenExpr):
        return _compiled(node.expr)
    if isinstance(node, promql.NumberLiteral):
        value = float(node.val)
        return lambda _: value
    if isinstance(node, promql.Call):
        if node.func.name == "time":
            return lambda now: now
        inner = _compiled(node.args[0])
        if node.func.name == "vector":
            return inner
        if node.func.name == "clamp_max":
            limit = _compiled(node.args[1])
            return lambda now: min(inner(now), limit(now))
        function = _CALENDAR[node.func.name]
        return lambda now: function(inner(now))
    if isinstance(node, promql.BinaryExpr):
        left, right = _compiled(node.lhs), _compiled(node.rhs)
        if str(node.op) in _ARITHMETIC:
            act = _ARITHMETIC[str(node.op)]
            return lambda now: act(left(now), right(now))
        assert node.modifier is not None, "a comparison without bool drops what does not hold"
        compare = _COMPARISONS[str(node.op)]
        return lambda now: float(compare(left(now), right(now)))
    raise ValueError(f"no part of a schedule: {type(node).__name__}")
