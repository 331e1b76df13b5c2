"""What panels are made of: queries, words and sizes, colours by value, and what holds for single series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from slo_compiler.emit.dashboards.text import number

Json = dict[str, Any]

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, ORANGE, RED, GREY, BLUE, PURPLE = "green", "yellow", "orange", "red", "#808080", "blue", "purple"
CLEAR = "transparent"
NO_TRAFFIC = "no traffic"


class Query(NamedTuple):
    """A target.

    Attributes:
        expression: PromQL, variables of Grafana's in it.
        legend: of its series.
        step: the least distance of two points, as Grafana reads it.
        shape: `time_series`, `table` or `heatmap`.
        instant: only the last moment is asked for.
    """

    expression: str
    legend: str = ""
    step: str = ""
    shape: str = "time_series"
    instant: bool = False


class About(NamedTuple):
    """What every panel has: its number, its words, its width and height in Grafana's columns and rows."""

    number: int
    title: str
    description: str
    width: int
    height: int


class Steps(NamedTuple):
    """Colours from below: that of everything, then those from a value on."""

    base: str
    above: tuple[tuple[int | float, str], ...] = ()

    def json(self) -> Json:
        """As `thresholds` holds them."""
        steps = [{"color": self.base, "value": None}, *({"color": colour, "value": at} for at, colour in self.above)]
        return {"mode": "absolute", "steps": steps}


def lines(limits: Sequence[tuple[Decimal, str]]) -> Steps:
    """Lines at values, each in its colour; nothing is coloured below the first. Of equal ones the first stands."""
    found: dict[Decimal, str] = {}
    for value, colour in limits:
        found.setdefault(value, colour)
    return Steps(CLEAR, tuple((number(value), found[value]) for value in sorted(found)))


def mapped(values: Mapping[str, tuple[str, str]]) -> list[Json]:
    """Values as words in a colour; an empty colour keeps the field's."""
    options = {
        value: {"text": text, "index": index, **({"color": colour} if colour else {})}
        for index, (value, (text, colour)) in enumerate(values.items())
    }
    return [{"type": "value", "options": options}]


def override(name: str, **properties: Any) -> Json:
    """What holds for the field or series of that name alone; `custom__x` is the property `custom.x`."""
    found = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": found}


def coloured(name: str, colour: str, **properties: Any) -> Json:
    """A series in a fixed colour."""
    return override(name, color={"mode": "fixed", "fixedColor": colour}, **properties)
