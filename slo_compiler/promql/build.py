"""PromQL text from parts. The only place where a selector or a label value becomes PromQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from slo_compiler.ir import Matcher, Selector


@lru_cache(maxsize=65536)
def string(value: str) -> str:
    """A PromQL string literal: quotes, backslashes and control characters escaped."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    escaped = escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return f'"{escaped}"'


def matchers(items: Sequence[Matcher]) -> str:
    """`{job="vllm",le=~"0\\\\.25"}`, or nothing where there are none."""
    if not items:
        return ""
    return "{" + ",".join(f"{item.label}{item.op}{string(item.value)}" for item in items) + "}"


def selector(item: Selector, *more: Matcher) -> str:
    """A metric with its matchers."""
    return item.name + matchers((*item.matchers, *more))


def recorded(name: str, slo_id: str, window: str = "") -> str:
    """A series of one SLO, or a range of it: `slo:events:fast{slo_id="a/b"}[4m45s]`."""
    return f"{name}{{slo_id={string(slo_id)}}}" + (f"[{window}]" if window else "")


def any_of(values: Sequence[str]) -> str:
    """A regular expression that matches exactly these texts: RE2, anchored by Prometheus."""
    return "|".join(_META.sub(r"\\\g<0>", value) for value in values)


_META = re.compile(r"[\\.+*?()|\[\]{}^$]")


def aggregate(operator: str, inner: str, by: Sequence[str]) -> str:
    """`sum(x)`, or per group `sum by (team) (x)`."""
    return f"{operator} by ({', '.join(by)}) ({inner})" if by else f"{operator}({inner})"


def on(labels: Sequence[str]) -> str:
    """`on ()`: two single series meet; or `on (team)`: those of one group do."""
    return f"on ({', '.join(labels)})"


def rate(selector_text: str, window: str) -> str:
    """Events per second over a range."""
    return f"rate({selector_text}[{window}])"


def either(parts: Sequence[str]) -> str:
    """The first that exists, per series."""
    return " or ".join(parts)
