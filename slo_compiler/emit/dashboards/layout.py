"""Rows of panels to places on Grafana's grid of 24 columns: from left to right, and on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from slo_compiler.emit.dashboards.parts import Json

COLUMNS = 24


class Row(NamedTuple):
    """A heading and what stands under it; folded away where `collapsed`."""

    number: int
    title: str
    panels: list[Json]
    collapsed: bool = False


def place(rows: Iterable[Row]) -> list[Json]:
    """All rows with their panels, each at its place; rows without panels are left out."""
    found: list[Json] = []
    top = 0
    for row in rows:
        if not row.panels:
            continue
        heading: Json = {
            "type": "row",
            "id": row.number,
            "title": row.title,
            "collapsed": row.collapsed,
            "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top},
            "panels": [],
        }
        placed = list(_flow(row.panels, top + 1))
        if row.collapsed:
            heading["panels"] = placed
            found.append(heading)
            top += 1
        else:
            found += [heading, *placed]
            top = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in placed)
    return found


def _flow(panels: Iterable[Json], top: int) -> Iterator[Json]:
    left = line = 0
    for panel in panels:
        size = panel["gridPos"]
        if left + size["w"] > COLUMNS:
            left, top, line = 0, top + line, 0
        yield {**panel, "gridPos": {**size, "x": left, "y": top}}
        left += size["w"]
        line = max(line, size["h"])
