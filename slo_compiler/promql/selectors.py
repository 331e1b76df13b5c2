"""Selectors and queries that users write: judged by a real PromQL grammar, and read into parts."""

from __future__ import annotations

import re
from typing import Any

from slo_compiler.ir import Matcher, Selector
from slo_compiler.promql.build import rate
from slo_compiler.promql.build import selector as selector_text

# The placeholder of a window, as Sloth and the OpenSLO SDK's examples write it; blanks inside the braces are allowed.
_PLACEHOLDER = re.compile(r"\{\{\s*\.window\s*\}\}")
_CANONICAL = "{{.window}}"
# Rules and their tests hold an expression dozens of times.
LONGEST = 10_000


class NotASelector(ValueError):
    """The text is no plain selector of one metric; the message says why."""


class NotPromql(NotASelector):
    """The text is no PromQL at all."""


def parse_selector(text: str) -> Selector:
    """Reads `gw_requests_total{app="chat",code=~"5.."}`.

    Raises:
        NotASelector: it is another expression, names no metric, or is no PromQL.
    """
    return _selector(parse(text))


def parse_counter(text: str) -> Selector:
    """Reads a selector, or the plain sum of one: `sum(gw_requests_total{app="chat"})`.

    Raises:
        NotASelector: it is another expression, names no metric, or is no PromQL.
    """
    return _selector(_summed(parse(text)))


def check_query(text: str) -> None:
    """Judges a query in which the placeholder may stand for a window.

    Raises:
        NotPromql: the text is no PromQL.
    """
    parse(text.replace(_CANONICAL, "5m"))


def bucket_of_quantile(text: str) -> Selector | None:
    """The buckets whose quantile a query is: those of `histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))`.

    Raises:
        NotPromql: the text is no PromQL.
    """
    import promql_parser as promql

    nodes = [parse(text.replace(_CANONICAL, "5m"))]
    inside = False
    while nodes:
        node = nodes.pop()
        inside = inside or (isinstance(node, promql.Call) and node.func.name == "histogram_quantile")
        if inside and isinstance(node, promql.MatrixSelector):
            try:
                return _selector(node.vector_selector)
            except NotASelector:
                return None
        nodes += children_of(node)
    return None


def normalise_query(text: str) -> str:
    """The query with the placeholder in its one spelling, on one line."""
    return " ".join(_PLACEHOLDER.sub(_CANONICAL, text).split())


def has_placeholder(text: str) -> bool:
    """Whether the query says where the window goes."""
    return _CANONICAL in text


def rate_of_selector(text: str) -> Selector | None:
    """The selector of `sum(rate(SELECTOR[{{.window}}]))`, with or without the sum; None for any other query.

    Raises:
        NotASelector: the text is no PromQL.
    """
    import promql_parser as promql

    node = _summed(parse(text.replace(_CANONICAL, "5m")))
    if not isinstance(node, promql.Call) or node.func.name not in ("rate", "increase"):
        return None
    argument = node.args[0]
    if not isinstance(argument, promql.MatrixSelector):
        return None
    try:
        return _selector(argument.vector_selector)
    except NotASelector:
        return None


def rate_template(item: Selector) -> str:
    """The query that counts a counter's events per second, with the placeholder for its window."""
    return rate(selector_text(item), _CANONICAL)


def query_yields(text: str) -> str | None:
    """`rate` where a query gives events per second, `increase` where it gives events; None where it cannot be told.

    Raises:
        NotASelector: the text is no PromQL.
    """
    import promql_parser as promql

    found: set[str] = set()

    def visit(node: Any) -> None:
        if isinstance(node, promql.Call) and node.func.name in ("rate", "irate", "increase"):
            found.add("increase" if node.func.name == "increase" else "rate")
        for child in children_of(node):
            visit(child)

    visit(parse(text.replace(_CANONICAL, "5m")))
    return found.pop() if len(found) == 1 else None


def children_of(node: Any) -> list[Any]:
    """The parts of an expression that are expressions."""
    children = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "param")]
    return [child for child in (*children, *getattr(node, "args", ())) if child is not None]


def unwrapped(node: Any) -> Any:
    """An expression without the parentheses around it."""
    import promql_parser as promql

    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node


def parse_query(text: str) -> Any:
    """The syntax tree of a query in which a placeholder may stand for the window.

    Raises:
        NotASelector: the text is no PromQL.
    """
    return parse(normalise_query(text).replace(_CANONICAL, "5m"))


def _summed(node: Any) -> Any:
    """What a plain sum sums; what is none stays as it is."""
    import promql_parser as promql

    node = unwrapped(node)
    if isinstance(node, promql.AggregateExpr) and str(node.op) == "sum" and node.modifier is None:
        return unwrapped(node.expr)
    return node


def parse(text: str) -> Any:
    """The syntax tree of an expression.

    Raises:
        NotASelector: the text is no PromQL.
    """
    import promql_parser as promql

    if len(text) > LONGEST:
        raise NotPromql(
            f"it has {len(text):,} characters, and at most {LONGEST:,} are read: rules repeat it many times"
        )
    try:
        return promql.parse(text)
    except ValueError as fault:
        reason = str(fault).splitlines()[0] if str(fault) else "it cannot be parsed"
        raise NotPromql(f"no PromQL: {reason}") from None


def _selector(node: Any) -> Selector:
    import promql_parser as promql

    if not isinstance(node, promql.VectorSelector):
        raise NotASelector('a selector such as requests_total{app="chat"} is needed, without functions or ranges')
    if node.offset is not None or node.at is not None:
        raise NotASelector("a selector without offset and @ is needed")
    if node.matchers.or_matchers:
        raise NotASelector("a selector without `or` between its matchers is needed")
    if not node.name:
        raise NotASelector("the metric's name must stand before the braces")
    matchers = tuple(Matcher(item.name, _OPERATORS[str(item.op)], item.value) for item in node.matchers.matchers)
    return Selector(node.name, matchers)


_OPERATORS = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
