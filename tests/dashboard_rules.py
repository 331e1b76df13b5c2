"""What a dashboard must be: the rules of Grafana's dashboard-linter that apply, and those of our own.

Each rule takes a dashboard and gives a sentence for each fault. Of the linter's rules four are left out: variables `job`
and `instance` in every selector. Selectors come from specs here, and recorded series have no instance. All of a filter
is `.*`, not `.+`: an SLO without a team is one of all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import promql_parser

from slo_compiler.promql.selectors import children_of

Json = dict[str, Any]
Rule = Callable[[Json], Iterator[str]]

VARIABLE = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.[^:^}]+)?(?::[^}]+)?\}")
# What Grafana itself gives; in queries with what stands for it.
BUILT_IN = {"__rate_interval": "5m", "__range": "6h", "__range_s": "21600", "__interval": "30s", "__all": ".*"}
IN_LINKS = {"__from", "__to", "__data", "__url_time_range", "__field", "__value"}
# Of Grafana's 272 units.
UNITS = {"none", "short", "s", "ms", "µs", "percentunit", "reqps", "cps", "dtdurations"}
UID = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
WITH_QUERIES = {"stat", "gauge", "bargauge", "timeseries", "table", "heatmap", "state-timeline"}


def panels(dashboard: Json) -> list[Json]:
    """All panels but rows, those in collapsed rows among them."""
    inner = [panel for row in dashboard["panels"] for panel in row.get("panels", ())]
    return [panel for panel in (*dashboard["panels"], *inner) if panel["type"] != "row"]


def queries(dashboard: Json) -> Iterator[tuple[str, str]]:
    """Where each query stands, and its text."""
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        if "target" in annotation:
            yield f"annotation {annotation['name']}", annotation["target"]["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield (
                f"variable {variable['name']}",
                re.sub(r"^label_values\((.*), ?\w+\)$", r"\1", variable["query"]["query"]),
            )


def expanded(expression: str, variables: Json | None = None) -> str:
    """A query as Grafana sends it."""
    values = {**BUILT_IN, **(variables or {})}

    def value(found: re.Match[str]) -> str:
        name = next(filter(None, (found[1], found[2], found[4])))
        return str(values.get(name, found[0]))

    return VARIABLE.sub(value, expression)


def selectors(expression: str) -> Iterator[tuple[str, dict[str, tuple[str, str]]]]:
    """The metrics that a query reads, with the operator and value of each matcher."""
    nodes = [promql_parser.parse(expanded(expression, _any(expression)))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            yield node.name or "", {item.name: (str(item.op), item.value) for item in node.matchers.matchers}
        nodes += children_of(node)


def _any(expression: str) -> Json:
    """Something for every variable of the dashboard's own."""
    names = {next(filter(None, (found[1], found[2], found[4]))) for found in VARIABLE.finditer(expression)}
    return {name: ".+" for name in names if not name.startswith("__")}


def datasource_variable(dashboard: Json) -> Iterator[str]:
    found = [item for item in dashboard["templating"]["list"] if item["type"] == "datasource"]
    if [(item["name"], item["label"], item["query"]) for item in found] != [
        ("datasource", "Data source", "prometheus")
    ]:
        yield "there is not one variable for the data source"


def query_variables(dashboard: Json) -> Iterator[str]:
    for item in dashboard["templating"]["list"]:
        if item["type"] == "query":
            if item["refresh"] != 2:
                yield f"{item['name']} is not read again when the time changes"
            if item["datasource"] != {"type": "prometheus", "uid": "${datasource}"}:
                yield f"{item['name']} asks another data source"
            if not (item["multi"] and item["includeAll"] and item["allValue"] == ".*"):
                yield f"{item['name']} cannot be all"


def datasources(dashboard: Json) -> Iterator[str]:
    wanted = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels(dashboard):
        for part in (panel, *panel.get("targets", ())):
            if part.get("datasource") != wanted:
                yield f"{panel['title']} has another data source"
    for annotation in dashboard["annotations"]["list"]:
        if not annotation.get("builtIn") and annotation["datasource"] != wanted:
            yield f"annotation {annotation['name']} has another data source"


def words(dashboard: Json) -> Iterator[str]:
    for panel in panels(dashboard):
        if not panel["title"].strip():
            yield f"panel {panel['id']} has no title"
        said = panel.get("description", "").split("\n\n")
        if len(said) != 3 or not said[1].startswith("**Normal:** ") or not said[2].startswith("**What to do:** "):
            yield f"{panel['title']} does not say what it means, what is normal and what to do"
        elif any(not part.endswith(".") or ".." in part for part in said):
            yield f"{panel['title']} says no sentences"


def units(dashboard: Json) -> Iterator[str]:
    for panel in panels(dashboard):
        if panel["type"] == "text":
            continue
        field = panel["fieldConfig"]
        given = [field["defaults"].get("unit"), *(item["value"] for item in _properties(panel) if item["id"] == "unit")]
        if set(given) - UNITS:
            yield f"{panel['title']} has an unknown unit: {given}"


def targets(dashboard: Json) -> Iterator[str]:
    for panel in panels(dashboard):
        found = panel.get("targets", [])
        if panel["type"] in WITH_QUERIES and not found:
            yield f"{panel['title']} asks nothing"
        refs = [target["refId"] for target in found]
        if len(refs) != len(set(refs)):
            yield f"{panel['title']} has two targets of one name"
        for target in found:
            if target["instant"] == target["range"]:
                yield f"{panel['title']} {target['refId']} asks for a moment and for a range"
            if panel["type"] in ("stat", "gauge", "bargauge", "table") and not target["instant"]:
                yield f"{panel['title']} {target['refId']} asks for more than it shows"
            if target["range"] and not re.fullmatch(r"[0-9]+(ms|s)", target.get("interval", "")):
                yield f"{panel['title']} {target['refId']} has no least step"


def promql(dashboard: Json) -> Iterator[str]:
    for where, expression in queries(dashboard):
        try:
            promql_parser.parse(expanded(expression, _any(expression)))
        except ValueError as fault:
            yield f"{where}: {fault}"


def rate_intervals(dashboard: Json) -> Iterator[str]:
    for where, expression in queries(dashboard):
        yield from (
            f"{where}: {found[0]}"
            for found in re.finditer(r"\bi?rate\([^()]*\[([^\[\]]+)\]\)", expression)
            if found[1] != "$__rate_interval"
        )


def counters(dashboard: Json) -> Iterator[str]:
    for where, expression in queries(dashboard):
        nodes = [(promql_parser.parse(expanded(expression, _any(expression))), "")]
        while nodes:
            node, inside = nodes.pop()
            if isinstance(node, promql_parser.MatrixSelector):
                node = node.vector_selector
            name = node.name or "" if isinstance(node, promql_parser.VectorSelector) else ""
            if re.search(r"_(total|bucket|seconds_count)$", name) and inside not in ("rate", "irate", "increase"):
                yield f"{where}: {name} is a counter"
            called = node.func.name if isinstance(node, promql_parser.Call) else ""
            nodes += [(child, called) for child in children_of(node)]


def not_editable(dashboard: Json) -> Iterator[str]:
    if dashboard["editable"] is not False:
        yield "it can be edited"


def frame(dashboard: Json) -> Iterator[str]:
    if len(dashboard["uid"]) > 40 or not UID.fullmatch(dashboard["uid"]):
        yield f"the uid {dashboard['uid']} is none"
    for key in ("id", "version", "__inputs", "__requires"):
        if key in dashboard:
            yield f"it says {key}"
    wanted = {"schemaVersion": 39, "graphTooltip": 1, "refresh": "1m", "timezone": "browser"}
    yield from (f"{key} is {dashboard.get(key)}" for key, value in wanted.items() if dashboard.get(key) != value)
    link_keys = {
        "title",
        "type",
        "url",
        "icon",
        "tooltip",
        "tags",
        "asDropdown",
        "targetBlank",
        "includeVars",
        "keepTime",
    }
    yield from (f"link {link['title']} is not whole" for link in dashboard["links"] if set(link) != link_keys)


def numbers(dashboard: Json) -> Iterator[str]:
    rows = [panel for panel in dashboard["panels"] if panel["type"] == "row"]
    found = [panel["id"] for panel in (*rows, *panels(dashboard))]
    yield from (f"two panels have the number {number}" for number in {one for one in found if found.count(one) > 1})


def grid(dashboard: Json) -> Iterator[str]:
    for group in (dashboard["panels"], *(row.get("panels", []) for row in dashboard["panels"])):
        cells: dict[tuple[int, int], str] = {}
        for panel in group:
            place = panel["gridPos"]
            if place["x"] < 0 or place["y"] < 0 or place["x"] + place["w"] > 24 or min(place["w"], place["h"]) < 1:
                yield f"{panel['title']} does not fit on the grid"
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    if cells.setdefault((x, y), panel["title"]) != panel["title"]:
                        yield f"{panel['title']} lies on {cells[x, y]}"


def rows(dashboard: Json) -> Iterator[str]:
    """A collapsed row holds its panels, an open one none; and there is something in each."""
    after = [*dashboard["panels"][1:], {"type": "row"}]
    for panel, following in zip(dashboard["panels"], after, strict=True):
        if panel["type"] == "row" and panel["collapsed"] != bool(panel["panels"]):
            yield f"row {panel['title']} is collapsed and empty, or open and full"
        if panel["type"] == "row" and not panel["collapsed"] and following["type"] == "row":
            yield f"row {panel['title']} is empty"


def variables(dashboard: Json) -> Iterator[str]:
    defined = {item["name"] for item in dashboard["templating"]["list"]}
    used = set()
    for text in _texts({key: value for key, value in dashboard.items() if key != "templating"}):
        used |= {next(filter(None, (found[1], found[2], found[4]))) for found in VARIABLE.finditer(text)}
    used |= {name for item in dashboard["templating"]["list"] for text in _texts(item) for name in _names(text)}
    yield from (f"${name} is not defined" for name in used - defined - set(BUILT_IN) - IN_LINKS)
    yield from (f"${name} is not used" for name in defined - used)


def no_value(dashboard: Json) -> Iterator[str]:
    for panel in panels(dashboard):
        if panel["type"] != "text" and not panel["fieldConfig"]["defaults"].get("noValue"):
            yield f"{panel['title']} says nothing where there is nothing"


def overrides(dashboard: Json) -> Iterator[str]:
    """Each override is of a series or column that the panel has."""
    for panel in panels(dashboard):
        shown = {target.get("legendFormat", "") for target in panel.get("targets", ())}
        for step in panel.get("transformations", ()):
            shown |= set(step["options"].get("renameByName", {}).values())
        for item in panel.get("fieldConfig", {}).get("overrides", ()):
            if item["matcher"] != {"id": "byName", "options": item["matcher"]["options"]}:
                yield f"{panel['title']} overrides by {item['matcher']}"
            elif item["matcher"]["options"] not in shown:
                yield f"{panel['title']} overrides {item['matcher']['options']}, which it does not show"


def thresholds(dashboard: Json) -> Iterator[str]:
    for panel in panels(dashboard):
        for found in [
            panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds"),
            *(item["value"] for item in _properties(panel) if item["id"] == "thresholds"),
        ]:
            values: list[Any] = [step["value"] for step in found["steps"]] if found is not None else [None]
            if values[0] is not None or values[1:] != sorted(set(values[1:])):
                yield f"{panel['title']} has thresholds that do not ascend: {values}"


def _properties(panel: Json) -> list[Json]:
    return [item for found in panel.get("fieldConfig", {}).get("overrides", ()) for item in found["properties"]]


def _names(text: str) -> Iterator[str]:
    yield from (next(filter(None, (found[1], found[2], found[4]))) for found in VARIABLE.finditer(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        datasource_variable,
        query_variables,
        datasources,
        words,
        units,
        targets,
        promql,
        rate_intervals,
        counters,
        not_editable,
        frame,
        numbers,
        grid,
        rows,
        variables,
        no_value,
        overrides,
        thresholds,
    )
}


def faults(dashboard: Json) -> list[str]:
    """All faults of a dashboard, each with the rule that it breaks."""
    return [f"{name}: {fault}" for name, rule in RULES.items() for fault in rule(dashboard)]
