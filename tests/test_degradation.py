"""The degradation level: where it is recorded, at which edge, with which guard, and that its proof holds and can fail."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.emit import promtool_tests, rules
from slo_compiler.emit.base import Context
from slo_compiler.emit.dashboards.detail import dashboard
from slo_compiler.emit.runbooks.page import page
from slo_compiler.external import promtool
from slo_compiler.ir import Degradation, Spec
from tests.promtool_case import Compiled, compile_text

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: demo
  model: m
  engine: {name: ENGINE}
  selector: {job: chat}
  objectives: [OBJECTIVES]
REST"""
TTFT = "{sli: ttft, threshold: 300ms, target: 97%}"
ASKED = "  alerting: {degradation: true}\n"
LEVEL = "slo:degradation:level"


def compiled(folder: Path, objectives: str = TTFT, rest: str = ASKED, engine: str = "vllm") -> Compiled:
    text = SPEC.replace("ENGINE", engine).replace("OBJECTIVES", objectives).replace("REST", rest)
    folder.mkdir(exist_ok=True)
    return compile_text(folder, text, version="3.5")


def spec_of(found: Compiled) -> Spec:
    assert found.spec is not None, found.diagnostics
    return found.spec


def levels_of(found: Compiled) -> list[Degradation | None]:
    return [slo.degradation for slo in spec_of(found).slos]


@pytest.mark.parametrize(
    ("objectives", "rest", "engine", "recorded"),
    [
        pytest.param(TTFT, ASKED, "vllm", [True], id="a promise of first tokens"),
        pytest.param(TTFT, ASKED, "litellm", [True], id="one that a gateway measures"),
        pytest.param(TTFT, "", "vllm", [False], id="not where nobody asks"),
        pytest.param(
            f"{TTFT}, {{sli: itl, threshold: 50ms, target: 97%}}, {{name: p99, sli: ttft, threshold: 1s, target: 99%}}",
            ASKED,
            "vllm",
            [True, False, True],
            id="each of them, and no other latency",
        ),
        pytest.param(TTFT, "  alerting: {degradation: true, mode: none}\n", "vllm", [True], id="without alerts too"),
    ],
)
def test_where_it_is_recorded(objectives: str, rest: str, engine: str, recorded: list[bool], tmp_path: Path) -> None:
    found = compiled(tmp_path, objectives, rest, engine)
    assert [level is not None for level in levels_of(found)] == recorded
    names = [rule.get("record") for group in rules.groups(spec_of(found)) for rule in group["rules"]]
    assert names.count(LEVEL) == sum(recorded)


@pytest.mark.parametrize(
    ("objective", "rest", "limit", "measured", "guard"),
    [
        pytest.param(TTFT, ASKED, "600ms", "750ms", 3, id="the edge over twice the promise"),
        pytest.param("{sli: ttft, threshold: 250ms, target: 97%}", ASKED, "500ms", "500ms", 3, id="an edge itself"),
        pytest.param(
            TTFT,
            ASKED + "  latencyBudget: {network: 60ms}\n",
            "480ms",
            "500ms",
            3,
            id="less what the engine cannot see",
        ),
        pytest.param(
            TTFT, "  alerting: {degradation: true, minBadEvents: 17}\n", "600ms", "750ms", 17, id="a raised guard"
        ),
        pytest.param(TTFT, ASKED + "  bucketPolicy: floor\n", "600ms", "750ms", 3, id="never below it"),
    ],
)
def test_its_numbers(objective: str, rest: str, limit: str, measured: str, guard: int, tmp_path: Path) -> None:
    (level,) = levels_of(compiled(tmp_path, objective, rest))
    assert level is not None
    assert (str(level.limit), str(level.measured), level.guard) == (limit, measured, guard)
    assert level.bound.edge == level.measured.seconds


@pytest.mark.parametrize(("form", "edge"), [("custom-buckets", "0.75"), ("exponential", "0.65")])
def test_native_histograms_are_read_at_their_own_edge(form: str, edge: str, tmp_path: Path) -> None:
    (level,) = levels_of(compiled(tmp_path, engine=f"vllm, histograms: {form}"))
    assert level is not None
    assert round(level.bound.edge, 2) == Decimal(edge)


def test_no_edge_at_twice_the_promise_is_refused_with_the_edges(tmp_path: Path) -> None:
    found = compiled(tmp_path, "{sli: ttft, threshold: 2000s, target: 97%}")
    (error,) = [one for one in found.diagnostics if one.severity.name == "ERROR"]
    assert error.code.name == "SLO404"
    assert "ttft at 4000s, 2 times the promise" in error.message.replace("1h6m40s", "4000s")
    assert "nearest: 42m40s" in error.message
    assert error.hint.startswith("alerting: {degradation: false}, or promise at most 21m20s")
    assert compiled(tmp_path / "less", "{sli: ttft, threshold: 1280s, target: 97%}").spec is not None


def test_a_spec_without_first_tokens_is_told(tmp_path: Path) -> None:
    found = compiled(tmp_path, "{sli: itl, threshold: 50ms, target: 97%}")
    assert "SLO202" in found.codes()
    assert "no objective of sli ttft" in found.message("SLO202")


def test_the_configuration_asks_for_all_specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    itl = "{sli: itl, threshold: 50ms, target: 97%}"
    texts = []
    for name, objective, rest in (("a", TTFT, ""), ("b", TTFT, ASKED.replace("true", "false")), ("c", itl, "")):
        text = SPEC.replace("ENGINE", "vllm").replace("OBJECTIVES", objective).replace("REST", rest)
        texts.append(text.replace("name: chat}", f"name: {name}}}"))
    Path("all.yaml").write_text("---\n".join(texts), encoding="utf-8")
    Path("slo-compiler.yaml").write_text("defaults: {degradation: true}\n", encoding="utf-8")
    result = CliRunner().invoke(cli, ["explain", "all.yaml", "--format", "json", "-q"])
    assert result.exit_code == 0, result.output
    found = {slo["spec"]: slo.get("degradation") for slo in json.loads(result.stdout)["slos"]}
    level = {"limit": 0.6, "measured": 0.75, "errorRatio": 0.03, "minBadEvents": 3, "step": 30}
    assert found == {"a": level, "b": None, "c": None}


def test_a_gateway_is_told_how_to_read_it_and_what_it_is_too_slow_for(tmp_path: Path) -> None:
    text = page(spec_of(compiled(tmp_path)), Context())
    query = f'{LEVEL}{{slo_id="demo/chat-ttft"}}'
    assert f"{query}\nand time() - timestamp({query}) < 75" in text
    assert "1 after 30 to 60 s" in re.sub(r"\s+", " ", text)
    assert LEVEL not in page(spec_of(compiled(tmp_path / "unasked", rest="")), Context())


def test_a_dashboard_shows_in_words_what_a_gateway_is_told(tmp_path: Path) -> None:
    """Of each promise that has a level, under a number that stays; the query is that of the gateway."""
    objectives = (
        f"{TTFT}, {{sli: itl, threshold: 50ms, target: 97%}}, {{name: p99, sli: ttft, threshold: 1s, target: 99%}}"
    )

    def shown(rest: str) -> dict[int, Any]:
        found = dashboard(spec_of(compiled(tmp_path, objectives, rest)), Context())["panels"]
        every = [part for item in found for part in (item, *item.get("panels", ()))]
        return {item["id"]: item for item in every if LEVEL in json.dumps(item.get("targets", ()))}

    assert shown("") == {}
    panels = shown(ASKED)
    assert list(panels) == [1013, 2013]
    first = panels[1013]
    query = f'{LEVEL}{{slo_id="demo/chat-ttft"}}'
    assert first["type"] == "state-timeline"
    assert [target["expr"] for target in first["targets"]] == [f"{query}\nand time() - timestamp({query}) < 75"]
    (mapping,) = first["fieldConfig"]["defaults"]["mappings"]
    assert {value: option["color"] for value, option in mapping["options"].items()} == {
        "0": "green",
        "1": "orange",
        "2": "red",
    }
    assert mapping["options"]["2"]["text"] == "fewer: new requests get 429"
    assert "took over 600ms, read at 750ms, in the last 30 s" in first["description"]
    assert "took over 2s, read at 2.5s," in panels[2013]["description"]
    assert first["links"][0]["title"] == "Explore"


def proof_of(found: Compiled, text: str, folder: Path) -> promtool.Result:
    """What the generated tests of the level say of a rule file."""
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    fast = next(iter(promtool_tests.emit(spec_of(found), Context())))
    document = yaml.load(fast.text, Loader=yaml.CSafeLoader)
    groups = [group for group in document["tests"] if "degradation" in group["name"]]
    assert len(groups) == sum(level is not None for level in levels_of(found))
    values = [
        sample["value"] for group in groups for look in group["promql_expr_test"] for sample in look["exp_samples"]
    ]
    assert set(values) == {0, 1, 2}
    assert any(not look["exp_samples"] for group in groups for look in group["promql_expr_test"][1:])
    test = folder / "test.yaml"
    test.write_text(yaml.safe_dump({**document, "rule_files": ["rules.yaml"], "tests": groups}), encoding="utf-8")
    return promtool.test_rules(promtool.find_promtool(), [test], twice=False)


@pytest.mark.promtool
@pytest.mark.parametrize(
    ("objectives", "rest"),
    [
        pytest.param(f"{TTFT}, {{name: p, sli: ttft, threshold: 1s, target: 99.9%}}", ASKED, id="two promises"),
        pytest.param("{sli: ttft, threshold: 1s, target: 40%}", ASKED, id="most may be late"),
        pytest.param(TTFT, ASKED + "  groupBy: {labels: [namespace], maxGroups: 2}\n", id="groups count together"),
        pytest.param(
            TTFT, ASKED + '  exemptions: [{kind: rollout, when: "max(rolling)", maxPerPeriod: 3h}]\n', id="exemptions"
        ),
    ],
)
def test_the_proof_holds(objectives: str, rest: str, tmp_path: Path) -> None:
    found = compiled(tmp_path, objectives, rest)
    outcome = proof_of(found, found.rule_file.read_text("utf-8"), tmp_path)
    assert outcome.ok, outcome.output


# What is replaced in the rule, and by what.
FAULTS = {
    "one slow request of a few is a load": (", 3))", ", 0))"),
    "the edge of the promise": (r"0\\.75", r"0\\.5"),
    "a level that lasts for ever": ("[45s]), 1)", "[5m]), 1)"),
    "a load where nothing is known": ("* on ()", "or on () vector(2)\n      * on ()"),
}


@pytest.mark.promtool
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_proof_notices_a_fault(fault: str, tmp_path: Path) -> None:
    found = compiled(tmp_path)
    text, (before, after) = found.rule_file.read_text("utf-8"), FAULTS[fault]
    head, rule, rest = re.split(r"(?ms)^(  - record: slo:degradation:level\n.*?)(?=^  - |^- )", text, maxsplit=1)
    assert before in rule
    assert not proof_of(found, head + rule.replace(before, after) + rest, tmp_path).ok


@pytest.mark.promtool3
@pytest.mark.usefixtures("promtool3")
@pytest.mark.parametrize("form", ["custom-buckets", "exponential"])
def test_the_proof_holds_on_native_histograms(form: str, tmp_path: Path) -> None:
    found = compiled(tmp_path, engine=f"vllm, histograms: {form}")
    text = found.rule_file.read_text("utf-8")
    outcome = proof_of(found, text, tmp_path)
    assert outcome.ok, outcome.output
    # An idle histogram has no share: without its zero there would be no level.
    idle = re.sub(r"\n\s+or on \(\) 0 \* sum\([^\n]* \* 30\)", ")", text)
    assert idle != text
    assert not proof_of(found, idle, tmp_path).ok
