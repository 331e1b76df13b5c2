"""Every small mistake that could be made in a rule, one at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from slo_compiler.units import Duration, decimal_text
from tests.mutation.promql_spans import Node, parse

_OTHERS = {
    **{operator: [o for o in ("==", "!=", "<", "<=", ">", ">=") if o != operator] for operator in (">", "<", "==")},
    "and": ["or", "unless"],
    "or": ["and", "unless"],
    "unless": ["and", "or"],
    "+": ["-"],
    "-": ["+"],
    "*": ["/"],
    "/": ["*"],
}
_FUNCTIONS = {
    "rate": ["increase", "irate"],
    "increase": ["rate"],
    "sum": ["avg", "max"],
    "avg": ["sum", "max", "min"],
    "max": ["min", "avg"],
    "count": ["sum", "max"],
    "sum_over_time": ["avg_over_time", "max_over_time"],
    "avg_over_time": ["sum_over_time", "max_over_time"],
    "count_over_time": ["sum_over_time"],
    "min_over_time": ["max_over_time"],
    "clamp_min": ["clamp_max"],
    "clamp_max": ["clamp_min"],
    "absent": ["count"],
}
_FLIPPED = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule with one mistake.

    Attributes:
        rule: the rule's name and, for alerts, its tier or severity.
        kind: what was changed, such as `number` or `matcher dropped`.
        change: the text before and after.
        document: the rule file with the mistake in it.
    """

    rule: str
    kind: str
    change: str
    document: dict[str, Any]


def mutants(document: dict[str, Any]) -> Iterator[Mutant]:
    """All mutants of a rule file."""
    for group_index, group in enumerate(document["groups"]):
        for rule_index, rule in enumerate(group["rules"]):
            for kind, change, mutated in _of_rule(rule):
                found = copy.copy(document)
                found["groups"] = list(document["groups"])
                found["groups"][group_index] = {**group, "rules": list(group["rules"])}
                found["groups"][group_index]["rules"][rule_index] = mutated
                yield Mutant(name_of(rule), kind, change, found)


def name_of(rule: dict[str, Any]) -> str:
    """`slo:burn_rate:1h`, `SLOBurnRatePage 14.4x`, `SLOSourceAbsent page`."""
    if "record" in rule:
        return str(rule["record"])
    labels = rule["labels"]
    return f"{rule['alert']} {labels.get('tier') or labels['severity']}"


def _of_rule(rule: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for kind, change, expression in _of_expression(rule["expr"]):
        yield kind, change, {**rule, "expr": expression}
    named = "record" if "record" in rule else "alert"
    yield "name", rule[named], {**rule, named: rule[named] + "x"}
    for label, value in rule.get("labels", {}).items():
        yield "rule label", label, {**rule, "labels": {**rule["labels"], label: f"{value}x"}}
        rest = {key: item for key, item in rule["labels"].items() if key != label}
        yield "rule label dropped", label, {**rule, "labels": rest}
    for text, value in rule.get("annotations", {}).items():
        yield "annotation", text, {**rule, "annotations": {**rule["annotations"], text: f"{value}x"}}
    for clock in ("for", "keep_firing_for"):
        if clock in rule:
            seconds = Duration.parse(rule[clock]).seconds
            for changed in (seconds - 30, seconds + 30):
                yield clock, rule[clock], {**rule, clock: Duration(changed).promql}
            yield f"{clock} dropped", rule[clock], {key: item for key, item in rule.items() if key != clock}
        elif "alert" in rule:
            yield f"{clock} added", "30s", {**rule, clock: "30s"}


def _of_expression(text: str) -> Iterator[tuple[str, str, str]]:
    for node, where in parse(text).walk():
        for kind, start, end, replacement in _of_node(text, node):
            changed = text[:start] + replacement + text[end:]
            yield kind, f"{text[start:end]} -> {replacement or 'nothing'} at {where}", changed


def _of_node(text: str, node: Node) -> Iterator[tuple[str, int, int, str]]:
    start, end = node.name_at
    if node.kind == "number":
        for changed in _numbers(node.name):
            yield "number", start, end, changed
    elif node.kind in ("range", "offset"):
        for changed in _durations(text[start:end]):
            yield "window" if node.kind == "range" else "offset", start, end, changed
        if node.kind == "offset":
            yield "offset dropped", node.start, node.end, ""
    elif node.kind == "binary":
        yield from _of_binary(text, node)
    elif node.kind == "call":
        yield from _of_call(text, node)
    elif node.kind == "selector":
        yield "metric", start, end, f"{node.name}_x"
        yield from _of_matchers(text, node)
    elif node.kind == "modifier":
        yield from _of_modifier(text, node)


def _of_binary(text: str, node: Node) -> Iterator[tuple[str, int, int, str]]:
    kind = {"and": "set operator", "or": "set operator", "unless": "set operator"}.get(node.name, "arithmetic")
    if node.name in (">", "<", "=="):
        kind = "comparison"
    for other in _OTHERS[node.name]:
        yield kind, *node.name_at, other
    left, right = node.children[0], node.children[-1]
    yield f"{kind} left only", node.start, node.end, text[left.start : left.end]
    if right.kind != "number" or kind == "arithmetic":
        yield f"{kind} right only", node.start, node.end, text[right.start : right.end]


def _of_call(text: str, node: Node) -> Iterator[tuple[str, int, int, str]]:
    for other in _FUNCTIONS.get(node.name, ()):
        yield "function", *node.name_at, other
    if node.name in ("clamp_min", "clamp_max"):
        inner = node.children[0]
        yield "clamp dropped", node.start, node.end, f"({text[inner.start : inner.end]})"


def _of_matchers(text: str, node: Node) -> Iterator[tuple[str, int, int, str]]:
    found = [child for child in node.children if child.kind == "matcher"]
    for index, matcher in enumerate(found):
        start, end = matcher.name_at
        yield "matcher flipped", start, end, _FLIPPED[text[start:end]]
        yield "matcher value", matcher.end - 1, matcher.end, 'x"'
        if index + 1 < len(found):
            yield "matcher dropped", matcher.start, found[index + 1].start, ""
        else:
            before = found[index - 1].end if index else matcher.start
            yield "matcher dropped", before, matcher.end, ""


def _of_modifier(text: str, node: Node) -> Iterator[tuple[str, int, int, str]]:
    if node.name == "bool":
        yield "bool dropped", node.start, node.end, ""
        return
    if node.name == "group_left":  # without it, and with any label, the rule fails as soon as there are two groups
        yield "group_left dropped", node.start, node.end, ""
        return
    yield f"{node.name} dropped", node.start, node.end, ""
    for label in node.children:
        rest = ", ".join(item.name for item in node.children if item is not label)
        yield f"{node.name} label", node.start, node.end, f"{node.name} ({rest})"
    if not node.children:
        yield f"{node.name} label", node.start, node.end, f"{node.name} (slo_id)"


def _numbers(text: str) -> list[str]:
    value = Decimal(text)
    if value == value.to_integral_value():
        return [decimal_text(value + 1), decimal_text(value - 1) if value else "0.001"]
    return [decimal_text(value * Decimal("1.01")), decimal_text(value * Decimal("0.99"))]


def _durations(text: str) -> list[str]:
    """About one step or scrape more and less: the smallest mistakes that change which samples are read."""
    seconds = Duration.parse(text).seconds
    if seconds <= 60:
        by = Decimal(15)
    elif seconds <= 3600 and seconds not in (1800,):
        by = Decimal(30)
    elif seconds == 1800:
        by = Decimal(180)
    else:
        by = Decimal(240)
    return [Duration(seconds + by).promql, Duration(seconds - by).promql]
