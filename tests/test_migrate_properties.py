"""Whatever valid documents of Sloth and OpenSLO v1alpha say, they migrate, are valid then, and stay as they are."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.diagnostics.report import Report
from slo_compiler.diagnostics.reporters import REPORTERS, render
from slo_compiler.migrate.files import migrate_bytes
from tests.test_migrate import TEXTS, judge

NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9._-]{0,30}[a-zA-Z0-9]", fullmatch=True)
LABEL_NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_.]{0,12}", fullmatch=True) | st.sampled_from(
    ["tier", "service", "a.b", "a_b"]
)
TEXT = st.text(st.characters(categories=("L", "N", "P", "S", "Z"), include_characters="\n"), min_size=1, max_size=40)
LABELS = st.dictionaries(LABEL_NAMES, TEXT | st.integers() | st.booleans(), max_size=4)
METRICS = st.sampled_from(["http_requests_total", "gw:answers_total", "x_count"])
RATES = st.sampled_from(
    ["sum(rate({}[{{{{.window}}}}]))", "sum(increase({}[{{{{ .window }}}}]))", "sum_over_time({}[{{{{.window}}}}])"]
)
PART, TOTAL = '{code=~"5..",path="/a"}', ""


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, str]:
    metric, form = draw(METRICS), draw(RATES)
    return form.format(metric + PART), draw(st.just(form) | RATES).format(metric + TOTAL)


@st.composite
def optional(draw: st.DrawFn, fields: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    """Some of the fields, in any order."""
    chosen = draw(st.permutations(sorted(fields)))[: draw(st.integers(0, len(fields)))]
    return {name: draw(fields[name]) for name in chosen}


def alert(camel: bool) -> st.SearchStrategy[dict[str, Any]]:
    del camel
    return optional({"disable": st.booleans(), "labels": LABELS, "annotations": LABELS})


@st.composite
def sloth(draw: st.DrawFn) -> dict[str, Any]:
    camel = draw(st.booleans())

    def spell(name: str) -> str:
        return re.sub(r"_([a-z])", lambda match: match[1].upper(), name) if camel else name

    alerting = optional(
        {
            "name": NAMES,
            "labels": LABELS,
            "annotations": LABELS | st.just({"runbook": "https://r.example.com/x"}),
            spell("page_alert"): alert(camel),
            spell("ticket_alert"): alert(camel),
        }
    )
    slos = []
    for _ in range(draw(st.integers(1, 3))):
        part, total = draw(queries())
        sli = draw(
            st.sampled_from(
                [
                    {"events": {spell("error_query"): part, spell("total_query"): total}},
                    {"raw": {spell("error_ratio_query"): f"{part}\n/\n({total})"}},
                    {"raw": {spell("error_ratio_query"): f"1 - (({part}) / {total})"}},
                    {"raw": {spell("error_ratio_query"): "avg_over_time(ratio[{{.window}}])"}},
                ]
            )
        )
        objective = draw(st.decimals("0.01", "99.999", places=3))
        slo = {"name": draw(NAMES), "objective": float(objective), "sli": sli, "alerting": draw(alerting)}
        slos.append({**slo, **draw(optional({"description": TEXT, "labels": LABELS}))})
    group = {"service": draw(NAMES), **draw(optional({"labels": LABELS})), "slos": slos}
    if not camel:
        return {"version": "prometheus/v1", **group}
    metadata = {"name": draw(NAMES), **draw(optional({"namespace": NAMES, "labels": LABELS}))}
    return {"apiVersion": "sloth.slok.dev/v1", "kind": "PrometheusServiceLevel", "metadata": metadata, "spec": group}


@st.composite
def metric(draw: st.DrawFn, query: str) -> dict[str, Any]:
    return {
        "source": draw(st.sampled_from(["prometheus", "Prometheus", "sloth"])),
        "queryType": "promql",
        "query": query,
    }


@st.composite
def v1alpha(draw: st.DrawFn) -> dict[str, Any]:
    objectives = []
    for _ in range(draw(st.integers(1, 3))):
        part, total = draw(queries())
        bare = draw(st.booleans())
        if bare:
            part, total = f"a_total{PART}", "a_total"
        ratio = {
            draw(st.sampled_from(["incremental", "counter"])): bare,
            draw(st.sampled_from(["good", "bad"])): draw(metric(part)),
            "total": draw(metric(total)),
        }
        target = float(draw(st.decimals("0.001", "0.999", places=3)))
        objective = {"target": target, draw(st.sampled_from(["ratioMetrics", "ratioMetric"])): ratio}
        objectives.append({**objective, **draw(optional({"displayName": TEXT, "value": st.integers(0, 9)}))})
    unit, counts = draw(st.sampled_from([("Day", (3, 90)), ("Week", (1, 9)), ("Month", (1, 6)), ("Quarter", (1, 3))]))
    window = {"unit": unit, "count": draw(st.integers(*counts)), **draw(optional({"isRolling": st.just(True)}))}
    spec = {"service": draw(NAMES), "budgetingMethod": "Occurrences", "objectives": objectives, "timeWindows": [window]}
    spec.update(draw(optional({"description": TEXT})))
    metadata = {"name": draw(NAMES), **draw(optional({"displayName": TEXT, "labels": LABELS}))}
    return {"apiVersion": "openslo/v1alpha", "kind": "SLO", "metadata": metadata, "spec": spec}


def shuffled(draw: st.DrawFn, value: Any) -> Any:
    """The same with its keys in any order."""
    if isinstance(value, dict):
        return {key: shuffled(draw, value[key]) for key in draw(st.permutations(list(value)))}
    return [shuffled(draw, item) for item in value] if isinstance(value, list) else value


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str]:
    """A file's name and text: documents in block style, flow style or as JSON."""
    documents = [shuffled(draw, draw(sloth() | v1alpha())) for _ in range(draw(st.integers(1, 2)))]
    form = draw(st.sampled_from(["block", "flow", "json"]))
    if form == "json":
        listed = documents if len(documents) > 1 else documents[0]
        return "spec.json", json.dumps(listed, indent=draw(st.sampled_from([None, 4])), ensure_ascii=False)
    flow = form == "flow"
    width = draw(st.sampled_from([40, 4096]))
    return "spec.yaml", yaml.safe_dump_all(
        documents, default_flow_style=flow, sort_keys=False, width=width, allow_unicode=True
    )


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(files())
def test_valid_documents_become_valid_documents_that_stay(file: tuple[str, str]) -> None:
    path, text = file
    done = migrate_bytes(text.encode(), path)
    assert [item for item in done.diagnostics if item.severity is Severity.ERROR] == []
    assert all(item.hint for item in done.diagnostics)
    found = judge(done.after, path)
    # A stored ratio is valid and is not compiled; at some targets and periods a tier of the default policy is left out.
    assert {code for code, _ in found} <= {Code.SLO206, Code.SLO501, Code.SLO503}, found
    if path.endswith(".json"):
        json.loads(done.after)
    again = migrate_bytes(done.after, path)
    assert (again.after, again.diagnostics) == (done.after, [])


@settings(max_examples=150)
@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_comments_anywhere_are_kept_once(name: str, data: st.DataObject) -> None:
    """Above any line at any depth, beside any line, with blank lines between them."""
    lines = []
    for number, line in enumerate(TEXTS[name].splitlines()):
        depth = len(line) - len(line.lstrip())
        where = data.draw(st.sampled_from(["none", "above", "deeper", "flush", "beside", "blank"]))
        if where in ("above", "deeper", "flush"):
            lines.append(" " * {"above": depth, "deeper": depth + 2, "flush": 0}[where] + f"# comment {number}.")
        if where == "blank":
            lines += ["", f"{' ' * depth}# comment {number}.", ""]
        lines.append(f"{line}  # comment {number}." if where == "beside" else line)
    text = "\n".join(lines) + "\n"
    plain, done = migrate_bytes(TEXTS[name].encode(), "a.yaml"), migrate_bytes(text.encode(), "a.yaml")
    assert sorted(re.findall(r"# comment \d+\.$", done.after.decode(), re.MULTILINE)) == sorted(
        re.findall(r"# comment \d+\.$", text, re.MULTILINE)
    )
    assert list(yaml.safe_load_all(done.after)) == list(yaml.safe_load_all(plain.after))


@settings(max_examples=200)
@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_no_damage_to_a_document_is_a_traceback(name: str, data: st.DataObject) -> None:
    """A value of another type anywhere, or a field left out, gives findings."""
    document = yaml.safe_load(TEXTS[name])
    places = list(_places(document, ()))
    path = data.draw(st.sampled_from(places))
    value: Any = data.draw(
        st.sampled_from([None, "", "x", 3, -1, True, [], [3], [[]], {}, {"a": 1}, {"a": {"b": []}}, "DROP"])
    )
    holder = document
    for part in path[:-1]:
        holder = holder[part]
    if value == "DROP":
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    text = yaml.safe_dump(document, sort_keys=False)
    done = migrate_bytes(text.encode(), "a.yaml")
    assert done.failed or Code.SLO101 not in {code for code, _ in judge(done.after)}
    for name in REPORTERS:
        assert render(name, Report(done.diagnostics, {done.path: done.lines}, files=1))


def _places(value: Any, path: tuple[Any, ...]) -> Any:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in parts:
        yield (*path, key)
        yield from _places(inner, (*path, key))
