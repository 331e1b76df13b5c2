"""From a panel to its queries in Explore, where they can be changed: over the same time, of the same data source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from slo_compiler.emit.dashboards.parts import Query
from slo_compiler.emit.explore import address_of

# Variables of a dashboard, which Explore does not have; those of Grafana itself, such as `$__rate_interval`, it fills in.
# A link cannot carry the values that are chosen: several of them must become a regular expression, in a string of PromQL,
# in one of JSON, in an address, and a variable has one format at a time (https://github.com/grafana/grafana/issues/69051,
# https://github.com/grafana/grafana/issues/92438). With `${service:regex}` all of them, `.+`, would arrive as `. `.
_OF_DASHBOARD = re.compile(r"\$\{?(?!__)[a-z]")
_VARIABLES = {"DATASOURCE": "datasource", "FROM": "__from", "TO": "__to"}


def explore_panel(queries: Sequence[Query]) -> str:
    """The address within the Grafana that shows the panel; empty where a query has variables of the dashboard."""
    if any(_OF_DASHBOARD.search(query.expression) for query in queries):
        return ""
    found = []
    for index, query in enumerate(queries):
        own: dict[str, Any] = {"refId": chr(ord("A") + index), "expr": query.expression}
        if query.legend:
            own["legendFormat"] = query.legend
        if query.step:
            own["interval"] = query.step
        found.append(own)
    address = address_of({"datasource": "DATASOURCE", "queries": found, "range": {"from": "FROM", "to": "TO"}})
    # The colon before them stands outside of quotes only here: those within a query are escaped.
    for place, variable in _VARIABLES.items():
        address = address.replace(f"%22%3A%22{place}%22", f"%22%3A%22${{{variable}}}%22")
    return address
