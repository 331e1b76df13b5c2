"""Panels as Grafana's classic dashboards hold them: one function for each type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slo_compiler.emit.dashboards.explore_links import explore_panel
from slo_compiler.emit.dashboards.parts import DATASOURCE, GREEN, NO_TRAFFIC, About, Json, Query, Steps


def panel(
    kind: str,
    about: About,
    queries: Sequence[Query],
    *,
    options: Json,
    unit: str = "none",
    steps: Steps | None = None,
    no_value: str = NO_TRAFFIC,
    custom: Json | None = None,
    overrides: Sequence[Json] = (),
    **defaults: Any,
) -> Json:
    """A panel of any type that shows queries; `defaults` are of its fields."""
    field: Json = {"unit": unit, "noValue": no_value, **defaults}
    if steps is not None:
        field["thresholds"] = steps.json()
    if custom is not None:
        field["custom"] = custom
    address = explore_panel(queries)
    return {
        **_frame(kind, about),
        "datasource": dict(DATASOURCE),
        **({"links": [{"title": "Explore", "url": address, "targetBlank": True}]} if address else {}),
        "targets": [_target(chr(ord("A") + index), query) for index, query in enumerate(queries)],
        "fieldConfig": {"defaults": field, "overrides": list(overrides)},
        "options": options,
    }


def _frame(kind: str, about: About) -> Json:
    return {
        "type": kind,
        "id": about.number,
        "title": about.title,
        "description": about.description,
        "gridPos": {"h": about.height, "w": about.width, "x": 0, "y": 0},
    }


def _target(ref: str, query: Query) -> Json:
    found: Json = {
        "refId": ref,
        "datasource": dict(DATASOURCE),
        "expr": query.expression,
        "instant": query.instant,
        "range": not query.instant,
        "format": query.shape,
        "editorMode": "code",
    }
    if query.legend:
        found["legendFormat"] = query.legend
    if query.step:
        found["interval"] = query.step
    return found


def timeseries(
    about: About,
    queries: Sequence[Query],
    *,
    unit: str,
    steps: Steps | None = None,
    log: bool = False,
    stacked: bool = False,
    time_from: str = "",
    custom: Json | None = None,
    overrides: Sequence[Json] = (),
    **defaults: Any,
) -> Json:
    """Lines over time, or stacked bars; `steps` are dashed lines."""
    drawn: Json = {
        "drawStyle": "bars" if stacked else "line",
        "lineWidth": 1,
        "fillOpacity": 70 if stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "scaleDistribution": {"type": "log", "log": 2} if log else {"type": "linear"},
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if steps is not None else "off"},
        **(custom or {}),
    }
    options = {
        "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    found = panel(
        "timeseries",
        about,
        queries,
        options=options,
        unit=unit,
        steps=steps if steps is not None else Steps(GREEN),
        custom=drawn,
        overrides=overrides,
        **defaults,
    )
    return {**found, "timeFrom": time_from} if time_from else found


def _reduced(**more: Any) -> Json:
    return {"reduceOptions": {"values": False, "calcs": ["lastNotNull"], "fields": ""}, **more}


def one_number(about: About, query: Query, *, unit: str, steps: Steps, **defaults: Any) -> Json:
    """One number."""
    options = _reduced(
        orientation="auto",
        textMode="auto",
        wideLayout=True,
        colorMode="value",
        graphMode="none",
        justifyMode="auto",
        showPercentChange=False,
        percentChangeColorMode="standard",
    )
    return panel("stat", about, [query], options=options, unit=unit, steps=steps, **defaults)


def gauge(about: About, query: Query, *, unit: str, steps: Steps, **defaults: Any) -> Json:
    """One number on a dial."""
    options = _reduced(
        orientation="auto",
        showThresholdLabels=False,
        showThresholdMarkers=True,
        sizing="auto",
        minVizWidth=75,
        minVizHeight=75,
    )
    return panel("gauge", about, [query], options=options, unit=unit, steps=steps, **defaults)


def bar_gauge(about: About, queries: Sequence[Query], *, unit: str, steps: Steps, **defaults: Any) -> Json:
    """A bar for each number."""
    options = _reduced(
        orientation="horizontal",
        displayMode="basic",
        valueMode="color",
        namePlacement="auto",
        showUnfilled=True,
        sizing="auto",
        minVizWidth=8,
        minVizHeight=16,
        maxVizHeight=300,
        legend={"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []},
    )
    return panel("bargauge", about, queries, options=options, unit=unit, steps=steps, **defaults)


def heatmap(about: About, query: Query, *, unit: str, calculated: bool = False) -> Json:
    """A histogram's buckets over time, or the values of many series put into buckets."""
    options: Json = {
        "calculate": calculated,
        "color": {
            "mode": "scheme",
            "scheme": "Oranges",
            "exponent": 0.5,
            "steps": 64,
            "reverse": False,
            "fill": "dark-orange",
        },
        "cellGap": 1,
        "cellValues": {"unit": "short"},
        "filterValues": {"le": 1e-9},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": False},
        "legend": {"show": True},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "yAxis": {"unit": unit, "axisPlacement": "left", "reverse": False},
    }
    if calculated:
        options["calculation"] = {"yBuckets": {"mode": "count", "value": "16"}}
    custom = {"scaleDistribution": {"type": "linear"}}
    return panel("heatmap", about, [query], options=options, unit=unit, custom=custom)


def table(
    about: About, queries: Sequence[Query], *, transformations: Sequence[Json], overrides: Sequence[Json]
) -> Json:
    """Rows, by instant queries."""
    options: Json = {"frameIndex": 0, "showHeader": True, "cellHeight": "sm"}
    custom = {"align": "auto", "filterable": False, "inspect": False}
    found = panel("table", about, queries, options=options, custom=custom, overrides=overrides)
    return {**found, "transformations": list(transformations)}


def organized(
    names: Mapping[str, str], *, dropped: Sequence[str] = ("Time",), sort_by: str = "", descending: bool = False
) -> list[Json]:
    """Several instant queries as one table: columns in this order, renamed from the key to the value."""
    found = [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": dict.fromkeys(dropped, True),
                "indexByName": {name: index for index, name in enumerate(names)},
                "renameByName": dict(names),
            },
        },
    ]
    if sort_by:
        found.append({"id": "sortBy", "options": {"sort": [{"field": sort_by, "desc": descending}]}})
    return found


def state_timeline(about: About, queries: Sequence[Query], *, mappings: list[Json], no_value: str) -> Json:
    """States over time, a line for each series."""
    options: Json = {
        "showValue": "never",
        "rowHeight": 0.9,
        "mergeValues": True,
        "alignValue": "left",
        "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    custom = {"lineWidth": 0, "fillOpacity": 80}
    return panel(
        "state-timeline",
        about,
        queries,
        options=options,
        steps=Steps(GREEN),
        no_value=no_value,
        custom=custom,
        mappings=mappings,
    )


def text(about: About, content: str) -> Json:
    """Words, in Markdown."""
    options = {
        "mode": "markdown",
        "content": content,
        "code": {"language": "markdown", "showLineNumbers": False, "showMiniMap": False},
    }
    return {**_frame("text", about), "datasource": dict(DATASOURCE), "options": options}
