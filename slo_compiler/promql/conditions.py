"""Conditions that users write as PromQL: judged by a real grammar, and made a yes or no."""

from __future__ import annotations

from typing import Any, NamedTuple

from slo_compiler.promql.selectors import NotASelector, children_of, parse, unwrapped

# They give a result where there is nothing: a source that is gone would exempt itself.
_OF_NOTHING = frozenset(("absent", "absent_over_time", "vector", "scalar", "time"))
_OF_NOW = frozenset(("minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year"))
_COMPARISONS = frozenset(("==", "!=", ">", "<", ">=", "<="))
_SETS = frozenset(("and", "or", "unless"))


class Condition(NamedTuple):
    """A condition as PromQL that gives one number over 0 where it holds, and nothing otherwise; and what it reads."""

    expression: str
    metrics: frozenset[str]


def read_condition(text: str) -> Condition:
    """Reads an expression over series: a comparison holds where it gives a result, a number where it is not 0.

    Raises:
        NotASelector: it is no PromQL or no instant vector, or it would hold without any series.
    """
    import promql_parser as promql

    node = parse(text)
    metrics: set[str] = set()

    def visit(part: Any) -> None:
        if isinstance(part, promql.VectorSelector):
            if not part.name:
                raise NotASelector("each selector must begin with the metric's name")
            metrics.add(part.name)
        if isinstance(part, promql.MatrixSelector):
            visit(part.vector_selector)
        if isinstance(part, promql.Call):
            name = part.func.name
            if name in _OF_NOTHING or (name in _OF_NOW and not part.args):
                raise NotASelector(f"{name}() holds without any series, so that an outage could exempt itself")
        for child in children_of(part):
            visit(child)

    visit(node)
    outer = unwrapped(node)
    if not metrics or isinstance(outer, promql.MatrixSelector | promql.SubqueryExpr):
        raise NotASelector("a comparison of series is needed, such as kube_deployment_spec_replicas{...} == 0")
    tested = f"({text}\n)" if _is_filter(outer) else f"(({text}\n) != 0)"
    return Condition(f"count{tested}", frozenset(metrics))


def _is_filter(node: Any) -> bool:
    """Whether the expression drops what does not hold, so that a result of 0 means yes."""
    import promql_parser as promql

    node = unwrapped(node)
    if not isinstance(node, promql.BinaryExpr):
        return False
    operator = str(node.op).split()[0]
    if operator in _SETS:
        return _is_filter(node.lhs) and (operator != "or" or _is_filter(node.rhs))
    return operator in _COMPARISONS and not (node.modifier is not None and node.modifier.return_bool)
