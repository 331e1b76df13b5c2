"""Addresses of queries in Grafana's Explore.

The form is that of `schemaVersion=1`, which Grafana reads since release 10: `panes` is JSON, an object of panes by an id of
three characters, each with `datasource` (a uid; without one Grafana takes the last one used, else its default), `queries`
and `range` (grafana/grafana, public/app/features/explore/hooks/useStateSync/migrators/v1.ts).
"""

from __future__ import annotations

import json
from typing import Any

from slo_compiler.plain_text import percent_encoded

_PANE = "slo"


def explore_url(base: str, promql: str, datasource: str = "", start: str = "now-1h") -> str:
    """The address that opens a query over the time since `start`.

    Args:
        base: of Grafana.
        datasource: the uid of a Prometheus data source.
    """
    query: dict[str, Any] = {"refId": "A", "expr": promql, "range": True, "instant": False}
    pane: dict[str, Any] = {"queries": [query], "range": {"from": start, "to": "now"}}
    if datasource:
        pane["datasource"] = datasource
        query["datasource"] = {"type": "prometheus", "uid": datasource}
    return f"{base.rstrip('/')}{address_of(pane)}"


def address_of(pane: dict[str, Any]) -> str:
    """The address of a pane within a Grafana."""
    panes = json.dumps({_PANE: pane}, separators=(",", ":"), ensure_ascii=False)
    return f"/explore?schemaVersion=1&panes={percent_encoded(panes)}"
