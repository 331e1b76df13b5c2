"""Splits the query of a ratio into its two sides, with the text of each as it was written."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from slo_compiler.promql.selectors import has_placeholder, normalise_query, parse_query, unwrapped

_OPEN, _CLOSE, _QUOTES = "([{", ")]}", "\"'`"


def split_ratio(query: str) -> tuple[str, str, str] | None:
    """The sides of `PART / TOTAL`, or of `1 - PART / TOTAL`: which one the quotient is, the part, and the total.

    The first is `quotient` or `complement`. None for any other query, for one that matches its sides by labels, and
    where a side has no window.

    Raises:
        NotASelector: the text is no PromQL.
    """
    import promql_parser as promql

    node, text, kind = parse_query(query), query, "quotient"
    node, text = unwrapped(node), _unwrapped_text(text)
    if _is_binary(node, "-") and isinstance(node.lhs, promql.NumberLiteral) and node.lhs.val == 1:
        rest = _side_after("-", node.rhs, text)
        if rest is None:
            return None
        kind, node, text = "complement", unwrapped(node.rhs), _unwrapped_text(rest)
    if not _is_binary(node, "/"):
        return None
    for position in _top_level("/", text):
        part, total = text[:position], text[position + 1 :]
        if _says(part, node.lhs) and _says(total, node.rhs):
            sides = [textwrap.dedent(_unwrapped_text(side)) for side in (part, total)]
            if all(has_placeholder(normalise_query(side)) for side in sides):
                return kind, sides[0], sides[1]
    return None


def _is_binary(node: Any, operator: str) -> bool:
    import promql_parser as promql

    return isinstance(node, promql.BinaryExpr) and str(node.op) == operator and node.modifier is None


def _side_after(operator: str, node: Any, text: str) -> str | None:
    return next(
        (text[at + 1 :] for at in _top_level(operator, text) if _says(text[at + 1 :], node)),
        None,
    )


def _says(text: str, node: Any) -> bool:
    """Whether a text alone is the expression of a node."""
    try:
        return str(unwrapped(parse_query(text))) == str(unwrapped(node))
    except ValueError:
        return False


def _unwrapped_text(text: str) -> str:
    """Without the parentheses around all of it; the indentation of its first line is kept."""
    stripped = text.strip()
    while stripped.startswith("(") and next(_top_level(")", stripped), None) == len(stripped) - 1:
        text = stripped[1:-1]
        stripped = text.strip()
    return text.strip("\n").rstrip() if "\n" in stripped else stripped


def _top_level(character: str, text: str) -> Iterator[int]:
    """Where a character stands outside of quotes and brackets; a closing bracket counts as outside of its own."""
    depth, quote, escaped = 0, "", False
    for position, found in enumerate(text):
        if quote:
            if escaped:
                escaped = False
            elif found == "\\" and quote != "`":
                escaped = True
            elif found == quote:
                quote = ""
            continue
        if found in _QUOTES:
            quote = found
        elif found in _CLOSE:
            depth -= 1
        if found == character and depth == 0:
            yield position
        if found in _OPEN:
            depth += 1
