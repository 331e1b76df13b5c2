"""What is around the panels of every dashboard: variables, annotations, links, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slo_compiler.emit.dashboards.parts import DATASOURCE, Json
from slo_compiler.emit.dashboards.text import address, is_address

# The oldest that holds what is used here; later versions of Grafana bring it up to date on load.
SCHEMA_VERSION = 39
_OWN_ANNOTATIONS = {
    "name": "Annotations & Alerts",
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
    "type": "dashboard",
    "builtIn": 1,
}


def datasource_variable() -> Json:
    """The one choice that every dashboard leaves: which Prometheus."""
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "refresh": 1,
        "regex": "",
    }


def query_variable(name: str, label: str, series: str) -> Json:
    """A filter by the values of a label; all of them includes series that lack it."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": dict(DATASOURCE),
        "query": {"query": f"label_values({series}, {name})", "refId": name},
        "hide": 0,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"], "selected": True},
        "refresh": 2,
        "regex": "",
        "sort": 1,
    }


def annotation(name: str, expression: str, *, colour: str, title: str, text: str, tags: str = "") -> Json:
    """A query of which each result is a mark on all panels."""
    return {
        "name": name,
        "datasource": dict(DATASOURCE),
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "target": {"refId": "Anno", "datasource": dict(DATASOURCE), "expr": expression, "interval": "60s"},
        "titleFormat": title,
        "textFormat": text,
        **({"tagKeys": tags} if tags else {}),
    }


def link(title: str, url: str) -> Iterator[Json]:
    """A link at the top, to a page of the web; none to anything else."""
    if is_address(url):
        yield {
            "title": title,
            "type": "link",
            "url": address(url),
            "icon": "external link",
            "tooltip": "",
            "tags": [],
            "asDropdown": False,
            "targetBlank": True,
            "includeVars": False,
            "keepTime": False,
        }


def to_overview(uid: str) -> Json:
    """A link to the dashboard of all specs; the time and the data source go with it."""
    return {
        "title": "All services",
        "type": "link",
        "url": f"/d/{uid}",
        "icon": "dashboard",
        "tooltip": "",
        "tags": [],
        "asDropdown": False,
        "targetBlank": False,
        "includeVars": True,
        "keepTime": True,
    }


def others() -> Json:
    """A list of all dashboards of SLOs; the time and the data source go with it."""
    return {
        "title": "SLOs",
        "type": "dashboards",
        "url": "",
        "icon": "external link",
        "tooltip": "",
        "tags": ["slo"],
        "asDropdown": True,
        "targetBlank": False,
        "includeVars": True,
        "keepTime": True,
    }


def frame(
    *,
    uid: str,
    title: str,
    description: str,
    tags: Sequence[str],
    panels: Sequence[Json],
    annotations: Sequence[Json],
    links: Sequence[Json],
    variables: Sequence[Json] = (),
) -> Json:
    """A whole dashboard."""
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": list(tags),
        "timezone": "browser",
        "editable": False,
        "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "schemaVersion": SCHEMA_VERSION,
        "templating": {"list": [datasource_variable(), *variables]},
        "annotations": {"list": [dict(_OWN_ANNOTATIONS), *annotations]},
        "links": [*links, others()],
        "panels": list(panels),
    }
