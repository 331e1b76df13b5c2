"""Every dashboard keeps the rules of `dashboard_rules`, is what Grafana's own SDK reads, and asks for what there is."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
import urllib.parse
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from slo_compiler.cli import cli
from slo_compiler.documents.config import Config
from slo_compiler.emit import dashboards, rules
from slo_compiler.emit.base import Context
from slo_compiler.emit.dashboards import ids, text
from slo_compiler.engines import load_builtin_engines
from slo_compiler.ir import Histogram, Matcher, Selector, Signal, Slo, Spec
from slo_compiler.load.discover import discover
from slo_compiler.pipeline import check_files
from slo_compiler.resolve.environment import Environment
from slo_compiler.slis import load_slis
from tests.dashboard_rules import RULES, Json, expanded, faults, panels, queries, selectors
from tests.grafana_sdk import round_trip

ROOT = Path(__file__).resolve().parent.parent
INVISIBLE = "\u200b"
# What the SDK writes that was not there: its own defaults, some of which Grafana's types do not even know.
SDK_DEFAULTS = {
    "fiscalYearStartMonth": 0,
    "transparent": False,
    "repeatDirection": "h",
    "placement": "inControlsMenu",
    "builtIn": 0,
    "selectionMode": "x",
    "footer": {"show": False, "reducer": [], "countRows": False},
    "showTypeIcons": False,
    "perPage": 20,
    "auto": False,
    "auto_count": 30,
    "auto_min": "10s",
    "allowCustomValue": True,
    "skipUrlSync": False,
}


@cache
def specs() -> dict[str, Spec]:
    """The example specs, resolved."""
    checked = check_files(discover([str(ROOT / "specs")])[0], Environment(Config()))
    assert not checked.failed
    return {spec.engine_id: spec for spec in checked.specs}


@cache
def compiled(name: str) -> Json:
    return _compiled(specs()[name])


def _compiled(spec: Spec, context: Context | None = None) -> Json:
    (artifact,) = dashboards.emit(spec, context or Context())
    found: Json = json.loads(artifact.text)
    return found


EVERY = sorted(
    path.relative_to(ROOT / "golden" / "out" / "rules").with_suffix("").as_posix()
    for path in (ROOT / "golden" / "out" / "rules").rglob("*.yaml")
)
# One of each kind of measurement is enough where a rule is tried out.
CHAT, GATEWAY = "assistant/llama-70b-chat", "gateway/gateway-availability"


def test_every_spec_has_a_dashboard() -> None:
    assert sorted(specs()) == EVERY


@pytest.mark.parametrize("name", EVERY)
def test_it_keeps_every_rule(name: str) -> None:
    assert faults(compiled(name)) == []


def folded() -> dict[str, str]:
    return {artifact.path: artifact.text for artifact in dashboards.fold({}, Context())}


def fleet() -> Json:
    found: Json = json.loads(folded()[dashboards.OVERVIEW])
    return found


class TestOverview:
    def test_it_keeps_every_rule(self) -> None:
        assert faults(fleet()) == []

    def test_the_sdk_reads_and_writes_the_same(self) -> None:
        assert list(differences(fleet(), round_trip(fleet()))) == []

    def test_it_reads_what_every_spec_records(self) -> None:
        asked = {metric for _, expression in queries(fleet()) for metric, _ in selectors(expression)} - {"ALERTS"}
        assert {"slo:info", "slo:period_budget_remaining:ratio"} < asked
        for spec in specs().values():
            for slo in spec.slos:
                own = [rule for group in rules.groups(spec) for rule in group["rules"]]
                recorded = {rule.get("record") for rule in own if rule["labels"]["slo_id"] == slo.slo_id}
                assert asked <= recorded, slo.slo_id

    def test_it_shows_facts_that_specs_have(self) -> None:
        known = {key for spec in specs().values() for slo in spec.slos for key, _ in slo.info}
        (asked,) = [expression for where, expression in queries(fleet()) if where == "Objectives A"]
        by = re.search(r"max by \(slo_id, ([^)]*)\)", asked)
        assert by is not None and set(by[1].split(", ")) <= known

    def test_its_lines_lead_to_dashboards(self) -> None:
        for spec in specs().values():
            assert {dict(slo.info)["dashboard_uid"] for slo in spec.slos} == {compiled(spec.engine_id)["uid"]}
            (link,) = [item for item in compiled(spec.engine_id)["links"] if item["title"] == "All services"]
            assert link["url"] == f"/d/{fleet()['uid']}"

    def test_every_filter_is_applied(self) -> None:
        filters = {"service", "team", "class"}
        found = [matchers for _, query in queries(fleet()) for name, matchers in selectors(query) if name == "slo:info"]
        assert [set(matchers) for matchers in found if matchers] and all(
            set(matchers) in (filters, set()) for matchers in found
        )

    def test_the_linter_is_told_why_four_rules_do_not_apply(self) -> None:
        found = yaml.safe_load(folded()[dashboards.LINT])["exclusions"]
        assert set(found) == {
            f"{where}-{what}-rule" for where in ("template", "target") for what in ("job", "instance")
        }
        assert all(item["reason"] for item in found.values())


@pytest.mark.parametrize("name", EVERY)
def test_recorded_series_are_those_of_the_rule_file(name: str) -> None:
    spec = specs()[name]
    recorded = {
        (rule["record"], rule["labels"]["slo_id"])
        for group in rules.groups(spec)
        for rule in group["rules"]
        if "record" in rule
    }
    slo_ids = {slo.slo_id for slo in spec.slos}
    for where, expression in queries(compiled(name)):
        for metric, matchers in selectors(expression):
            if not metric.startswith("slo:"):
                continue
            operator, value = matchers.pop("slo_id")
            asked = {value} if operator == "MatchOp.Equal" else {one for one in slo_ids if re_matches(value, one)}
            assert not matchers, where
            assert {(metric, one) for one in asked} <= recorded, where
            assert asked, where


def re_matches(pattern: str, value: str) -> bool:
    return value in [one.replace("\\", "") for one in pattern.split("|")]


@pytest.mark.parametrize("name", EVERY)
def test_raw_series_are_those_of_the_engine(name: str) -> None:
    spec = specs()[name]
    known = {"up", "process_start_time_seconds", "ALERTS"}
    if spec.engine is not None:
        known |= {
            f"{metric.name}{suffix}"
            for metric in load_builtin_engines()[spec.engine.name].spec.metrics
            for suffix in ("", "_bucket", "_count")
        }
    for where, expression in queries(compiled(name)):
        asked = {metric for metric, _ in selectors(expression) if not metric.startswith("slo:")}
        assert asked <= known, where


@pytest.mark.parametrize("name", EVERY)
def test_the_sdk_reads_and_writes_the_same(name: str) -> None:
    given = compiled(name)
    assert list(differences(given, round_trip(given))) == []


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """What the SDK lost, changed or added beside its defaults."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            if key not in ours:
                if theirs[key] != SDK_DEFAULTS.get(key, "unknown"):
                    yield f"{path}.{key} is added: {theirs[key]!r}"
            elif key not in theirs:
                yield f"{path}.{key} is lost"
            else:
                yield from differences(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif ours != theirs:
        yield f"{path} is {ours!r}, and becomes {theirs!r}"


def _panel(dashboard: Json, number: int) -> Json:
    (found,) = [panel for panel in panels(dashboard) if panel["id"] == number]
    return found


def _set(number: int, path: str, value: Any) -> Callable[[Json], None]:
    """A change of one value of a panel; a value of `...` takes the key away."""

    def change(dashboard: Json) -> None:
        found: Any = _panel(dashboard, number)
        *parts, last = path.split(".")
        for part in parts:
            found = found[int(part) if part.isdigit() else part]
        if value is ...:
            del found[last]
        else:
            found[last] = value

    return change


def _top(key: str, value: Any) -> Callable[[Json], None]:
    return lambda dashboard: dashboard.update({key: value})


PLANTED: dict[str, tuple[Callable[[Json], None], str]] = {
    "another tooltip mode": (_top("graphTooltip", 7), "frame"),
    "an unknown top-level key": (_top("weekStartsOn", "monday"), "sdk"),
    "an id of one server": (_top("id", 12), "frame"),
    "inputs to be asked for": (_top("__inputs", []), "frame"),
    "a uid that is too long": (_top("uid", "slo-" + "x" * 37), "frame"),
    "a uid with capitals": (_top("uid", "slo-Chat"), "frame"),
    "editable": (_top("editable", True), "not_editable"),
    "a width that is text": (_set(11, "gridPos.w", "12"), "broken"),
    "a width over the edge": (_set(11, "gridPos.w", 25), "grid"),
    "a panel on another": (_set(1002, "gridPos.x", 0), "grid"),
    "a misspelt option": (_set(11, "options.legend.placment", "bottom"), "sdk"),
    "an unknown unit": (_set(11, "fieldConfig.defaults.unit", "seconds"), "units"),
    "no unit": (_set(11, "fieldConfig.defaults.unit", ...), "units"),
    "no description": (_set(11, "description", ""), "words"),
    "no title": (_set(11, "title", " "), "words"),
    "no targets": (_set(11, "targets", []), "targets"),
    "a range for a number": (_set(1001, "targets.0.range", True), "targets"),
    "no least step": (_set(11, "targets.0.interval", ...), "targets"),
    "a second target A": (_set(11, "targets.1.refId", "A"), "targets"),
    "a fixed data source": (_set(11, "datasource.uid", "P1809F7CD0C75ACF3"), "datasources"),
    "no data source of a target": (_set(11, "targets.0.datasource", ...), "datasources"),
    "broken PromQL": (_set(11, "targets.0.expr", "sum(x[5m]"), "promql"),
    "a matrix given to sum": (_set(11, "targets.0.expr", "sum(x[5m])"), "promql"),
    "a fixed range of a rate": (_set(11, "targets.0.expr", "rate(x_total[5m])"), "rate_intervals"),
    "a bare counter": (_set(11, "targets.0.expr", "sum(x_total)"), "counters"),
    "an undefined variable": (_set(11, "title", "of $namespace"), "variables"),
    "a number twice": (_set(11, "id", 1001), "numbers"),
    "nothing said where nothing is": (_set(11, "fieldConfig.defaults.noValue", ""), "no_value"),
    "an override of nothing": (_set(11, "targets.4.legendFormat", "even"), "overrides"),
    "thresholds that fall": (
        _set(1001, "fieldConfig.defaults.thresholds.steps", [{"color": "red", "value": v} for v in (None, 1, 0)]),
        "thresholds",
    ),
    "an empty row": (lambda dashboard: dashboard["panels"].insert(0, {**dashboard["panels"][0], "id": 99}), "rows"),
    "two variables": (
        lambda dashboard: dashboard["templating"]["list"].append(dashboard["templating"]["list"][0]),
        "datasource_variable",
    ),
    "a query variable that is never read again": (
        lambda dashboard: dashboard["templating"]["list"].append(
            {
                "name": "service",
                "type": "query",
                "refresh": 0,
                "multi": True,
                "includeAll": True,
                "allValue": ".*",
                "datasource": {"type": "prometheus", "uid": "${datasource}"},
                "query": {"query": "label_values(slo:info, service)", "refId": "V"},
            }
        ),
        "query_variables",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(fault: str) -> None:
    change, finder = PLANTED[fault]
    dashboard = copy.deepcopy(compiled(CHAT))
    change(dashboard)
    if finder == "sdk":
        assert list(differences(dashboard, round_trip(dashboard)))
    elif finder == "broken":
        with pytest.raises(TypeError):
            faults(dashboard)
    else:
        assert list(RULES[finder](dashboard))


def test_every_rule_has_a_planted_fault() -> None:
    assert set(RULES) <= {finder for _, finder in PLANTED.values()}


def _steps(panel: Json) -> list[float]:
    return [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1:]]


@pytest.mark.parametrize("name", EVERY)
def test_every_line_stands_at_a_number_of_the_spec(name: str) -> None:
    spec, dashboard = specs()[name], compiled(name)
    for slo, base in zip(spec.slos, ids.bases(spec.slos), strict=True):
        factors = sorted({float(tier.factor) for tier in slo.tiers})
        assert _steps(_panel(dashboard, base + ids.OF_SLO["burn rates"])) == factors or not factors
        assert _steps(_panel(dashboard, base + ids.OF_SLO["burn rate"])) == factors
        assert _steps(_panel(dashboard, base + ids.OF_SLO["good share"])) == [float(slo.target)]
        if isinstance(slo.measurement, Histogram):
            assert slo.measured is not None and slo.highest is not None
            wanted = sorted({float(slo.measured.seconds), float(slo.highest.seconds)})
            assert _steps(_panel(dashboard, base + ids.OF_SLO["quantiles"])) == wanted
    if spec.queue_limit is not None:
        assert _steps(_panel(dashboard, ids.SHARED["waiting per replica"])) == [float(spec.queue_limit)]
    assert _panel(dashboard, ids.SHARED["budget over the period"])["timeFrom"] == spec.slos[0].period.name


def test_numbers_of_panels_are_told_apart() -> None:
    assert set(ids.SLIS) == set(load_slis())
    assert len(set(ids.SLIS.values())) == len(ids.SLIS) and max(ids.SLIS.values()) < 20
    assert len(set(ids.OF_SLO.values())) == len(ids.OF_SLO) and max(ids.OF_SLO.values()) < 50
    for table in (ids.SHARED, ids.OVERVIEW):
        assert len(set(table.values())) == len(table) and max(table.values()) < 1000


def test_an_objective_more_renumbers_nothing() -> None:
    spec = specs()[CHAT]
    before = dict(zip((slo.name for slo in spec.slos), ids.bases(spec.slos), strict=True))
    more = (*reversed(spec.slos), dataclasses.replace(spec.slos[0], name="second"))
    after = dict(zip((slo.name for slo in more), ids.bases(more), strict=True))
    assert after == {**before, "second": 2000}


def test_without_a_window_an_hour_of_tiles_is_the_burn_rate() -> None:
    spec = specs()[CHAT]
    slo = dataclasses.replace(spec.slos[0], windows=(), tiers=())
    found = _compiled(dataclasses.replace(spec, slos=(slo, spec.slos[1])))
    assert faults(found) == []
    assert not any(panel["id"] == 1005 for panel in panels(found))
    asked = [query for _, query in queries(found) if slo.slo_id in query]
    assert not any("slo:burn_rate" in query and spec.slos[1].slo_id not in query for query in asked)
    (share,) = [
        query for where, query in queries(found) if where.startswith("TTFT: good share") and where.endswith("A")
    ]
    assert "sum_over_time(slo:bad_events:slow" in share and "[58m]" in share


def test_native_histograms_are_asked_without_buckets() -> None:
    """The examples that the rules of native histograms are kept for."""
    folder = ROOT / "examples" / "native-histograms"
    config = Config.model_validate(yaml.safe_load((folder / "slo-compiler.yaml").read_text("utf-8")))
    checked = check_files(discover([str(folder / "specs")])[0], Environment(config))
    assert len(checked.specs) > 1 and not checked.failed
    for spec in checked.specs:
        found = _compiled(spec)
        assert faults(found) == []
        assert list(differences(found, round_trip(found))) == []
        quantiles = [query for where, query in queries(found) if ": quantiles" in where]
        assert quantiles and not any("_bucket" in query or "by (le)" in query for query in quantiles)


def test_scrapes_of_half_a_second_are_milliseconds_to_grafana() -> None:
    spec = specs()[CHAT]
    steps = spec.steps._replace(scrape=Decimal("0.5"))
    slos = tuple(dataclasses.replace(slo, steps=steps) for slo in spec.slos)
    found = _compiled(dataclasses.replace(spec, steps=steps, slos=slos))
    assert faults(found) == []
    assert _panel(found, ids.SHARED["tokens"])["targets"][0]["interval"] == "500ms"


def test_units_of_the_histogram_become_seconds() -> None:
    spec = specs()[CHAT]
    slo = spec.slos[0]
    assert isinstance(slo.measurement, Histogram)
    measured = slo.measurement.measured._replace(edge=Decimal(250))
    own = dataclasses.replace(slo, measurement=slo.measurement._replace(measured=measured))
    found = _compiled(dataclasses.replace(spec, slos=(own,)))
    quantiles, heatmap = _panel(found, 1006), _panel(found, 1008)
    assert all(target["expr"].endswith(" * 0.001") for target in quantiles["targets"])
    assert heatmap["options"]["yAxis"]["unit"] == "ms"


# What a spec may say and Grafana, Markdown or PromQL could take for something of their own.
_CHARACTERS = st.sampled_from("ab1$\"'`{}[]()<>|*_#&\\~!.^+?-:%@/é\u2028\n\t ")
_WORDS = st.sampled_from(("${datasource}", "$__range", "[[service]]", "{{slo_id}}", "<script>", "](http://x)"))
HOSTILE = st.lists(_CHARACTERS | _WORDS, min_size=1, max_size=200).map("".join).filter(str.strip)


@settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # one example costs 0.1 s
@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_words_stay_words(title: str, value: str, slo_id: str) -> None:
    spec = specs()[CHAT]
    slos = tuple(_hostile(slo, title, value, f"{slo_id}{number}") for number, slo in enumerate(spec.slos))
    assert spec.engine is not None
    one = Selector("vllm:num_requests_running", (Matcher("pool", "=", value),))
    running = Signal("running", "gauge", Decimal(0), (one,))
    waiting = running._replace(role="queue_depth")
    found = _compiled(
        dataclasses.replace(
            spec,
            slos=slos,
            path=title,
            model=title,
            service=value,
            engine=spec.engine._replace(signals=(running, waiting)),
            runbook_url=f"https://r.example/{title}",
        )
    )
    assert faults(found) == []
    (shown,) = (
        item for where, query in queries(found) if where == "Requests in the engine B" for item in selectors(query)
    )
    assert shown[1]["pool"] == ("MatchOp.Equal", value)
    (asked,) = [
        item for where, query in queries(found) if where.endswith("budget left A") for item in selectors(query)
    ][:1]
    assert asked[1]["slo_id"][1] == f"{slo_id}0"
    rows = [panel["title"] for panel in found["panels"] if panel["type"] == "row"]
    said = [expanded(row, {"datasource": "CHANGED", "service": "CHANGED"}).replace(INVISIBLE, "") for row in rows]
    assert any(row.endswith(" ".join(title.split())) for row in said)
    assert "<script" not in _panel(found, 2)["options"]["content"]


def _hostile(slo: Slo, title: str, value: str, slo_id: str) -> Slo:
    measurement = slo.measurement
    if isinstance(measurement, Histogram):
        measurement = measurement._replace(matchers=(Matcher("pool", "!=", value), *measurement.matchers))
    return dataclasses.replace(slo, promise=title, title=title, slo_id=slo_id, measurement=measurement)


@given(HOSTILE)
def test_markdown_shows_the_words(given: str) -> None:
    found = text.markdown(given)
    shown = re.sub(r"&#([0-9]+);", lambda one: chr(int(one[1])), found)
    assert shown == " ".join(given.split())
    assert expanded(found, {"datasource": "CHANGED", "__range": "CHANGED"}) == found
    assert not re.search(r"[<>\[\]`*_|\\$]|&(?!#[0-9]+;)", found)


class TestFormats:
    """As files, as ConfigMaps and as objects of the operator."""

    @pytest.fixture(autouse=True)
    def here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    def written(self, config: str) -> Json:
        Path("slo-compiler.yaml").write_text(config, encoding="utf-8")
        spec = str(ROOT / "specs" / "vllm" / "chatbot.yaml")
        result = CliRunner().invoke(cli, ["compile", spec, "-o", "out", "--only", "dashboards", "-q"])
        assert result.exit_code == 0, result.output
        found: Json = yaml.safe_load(Path("out/dashboards/assistant/llama-70b-chat.json").read_text("utf-8"))
        return found

    def test_a_config_map_has_what_the_sidecar_looks_for(self) -> None:
        found = self.written(
            "outputs: {dashboards: {format: configmap, namespace: grafana, folder: LLM SLOs, labels: {team: a}, "
            "annotations: {note: b}}}"
        )
        assert (found["apiVersion"], found["kind"]) == ("v1", "ConfigMap")
        assert found["metadata"] == {
            "name": "assistant.llama-70b-chat",
            "namespace": "grafana",
            "labels": {"grafana_dashboard": "1", "team": "a"},
            "annotations": {"grafana_folder": "LLM SLOs", "note": "b"},
        }
        ((name, content),) = found["data"].items()
        inner = json.loads(content)
        assert name == f"{inner['uid']}.json"
        assert faults(inner) == []
        assert len(content) < 1024 * 1024

    def test_without_settings_a_config_map_is_whole_too(self) -> None:
        found = self.written("outputs: {dashboards: {format: configmap}}")
        assert found["metadata"] == {"name": "assistant.llama-70b-chat", "labels": {"grafana_dashboard": "1"}}

    def test_the_operator_is_told_which_grafana(self) -> None:
        found = self.written(
            "outputs: {dashboards: {format: grafana-operator, folder: SLOs, instanceSelector: {grafana: main}}}"
        )
        assert (found["apiVersion"], found["kind"]) == ("grafana.integreatly.org/v1beta1", "GrafanaDashboard")
        assert found["metadata"] == {"name": "assistant.llama-70b-chat"}
        spec = found["spec"]
        assert spec.pop("json") and spec == {"instanceSelector": {"matchLabels": {"grafana": "main"}}, "folder": "SLOs"}

    def test_the_one_of_all_specs_is_wrapped_too(self) -> None:
        self.written("outputs: {dashboards: {format: grafana-operator, fleet: all-slos}}")
        found = json.loads(Path("out/dashboards/overview.json").read_text("utf-8"))
        assert (found["kind"], found["metadata"]["name"]) == ("GrafanaDashboard", "all-slos")
        assert json.loads(found["spec"]["json"])["uid"] == "all-slos"

    def test_links_lead_to_what_is_configured(self) -> None:
        found = self.written(
            "urls: {traces: 'https://t.example/${x}', prometheus: 'https://p.example/', repository: 'https://git.example'}"
        )
        links = {link["title"]: link["url"] for link in found["links"]}
        assert links["Traces"] == "https://t.example/%24%7Bx%7D"
        assert links["Alerts in Prometheus"] == "https://p.example/alerts?search=assistant/llama-70b-chat"
        assert links["Runbook"] == "https://runbooks.example.com/chat"

    def test_every_panel_leads_to_its_queries_in_explore(self) -> None:
        """All that the address leaves to Grafana are the data source and the time; what the queries leave is theirs."""
        for panel in panels(self.written("{}")):
            if not panel.get("targets"):
                assert "links" not in panel
                continue
            (link,) = panel["links"]
            path, _, panes = link["url"].partition("&panes=")
            assert (link["title"], path) == ("Explore", "/explore?schemaVersion=1")
            assert re.findall(r"\$\{?\w*", panes) == ["${datasource", "${__from", "${__to"]
            (pane,) = json.loads(urllib.parse.unquote(panes)).values()
            assert (pane["datasource"], pane["range"]) == ("${datasource}", {"from": "${__from}", "to": "${__to}"})
            assert [query["expr"] for query in pane["queries"]] == [target["expr"] for target in panel["targets"]]

    def test_without_addresses_there_are_no_such_links(self) -> None:
        assert {link["title"] for link in self.written("{}")["links"]} == {"Runbook", "SLOs", "All services"}

    def test_alerts_lead_to_the_dashboard(self) -> None:
        wanted = {
            "urls: {grafana: 'https://g.example/'}": f"https://g.example/d/{specs()[CHAT].dashboard_uid}",
            "urls: {grafana: 'https://g.example', dashboards: 'https://d.example'}": f"https://d.example/{CHAT}",
            "{}": None,
        }
        for config, url in wanted.items():
            Path("slo-compiler.yaml").write_text(config, encoding="utf-8")
            spec = str(ROOT / "specs" / "vllm" / "chatbot.yaml")
            assert CliRunner().invoke(cli, ["compile", spec, "-o", "out", "--only", "rules", "-q"]).exit_code == 0
            document = yaml.safe_load(Path(f"out/rules/{CHAT}.yaml").read_text("utf-8"))
            found = [
                rule["annotations"].get("dashboard_url")
                for group in document["groups"]
                for rule in group["rules"]
                if "alert" in rule
            ]
            assert set(found) == {url}


@given(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True))
def test_a_uid_is_one_for_grafana_and_kubernetes(name: str) -> None:
    from slo_compiler.resolve.identity import dashboard_uid

    found = dashboard_uid("a", name)
    assert len(found) <= 40 and re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", found)
    assert found != dashboard_uid("b", name)
