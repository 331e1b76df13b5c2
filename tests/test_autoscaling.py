"""ScaledObjects of KEDA: their schema, their numbers, and what their queries say on the rules of the same spec."""

from __future__ import annotations

import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import click.testing
import promql_parser
import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from slo_compiler.cli import cli
from slo_compiler.external.promtool import find_promtool
from tests.promtool_case import reads

CRD = Path(__file__).parent / "crds" / "keda.sh_scaledobjects.yaml"
SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: odd}
spec:
  service: lab
  model: acme/odd
  engine: {name: ENGINE}
  selector: {job: odd, namespace: prod}
  objectives: [OBJECTIVES]
  alerting: {ALERTING}
  variants: [{name: spot, selector: {pool: spot}, objectives: [{sli: ttft, threshold: 1s, target: 93%}]}]
  autoscaling: {target: odd-vllm, minReplicas: 3, maxReplicas: 17, triggers: [ON]}
"""
ALL = "ttft, burn-rate, queue-depth, ttft-and-burn-rate"
LATE = "{sli: ttft, threshold: 250ms, target: 99%}"
VLLM = 'vllm, version: "0.11"'
ASKED = 'outputs: {autoscaling: {serverAddress: "http://prom.example:9090/", labels: {team: red}}}\n'
OUTPUT = Path("out/autoscaling/lab/odd.yaml")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(
    *arguments: str,
    on: str = ALL,
    objectives: str = LATE,
    alerting: str = "queueWaitingPerReplica: 23.5",
    engine: str = VLLM,
    config: str = ASKED,
    replace: tuple[str, str] = ("", ""),
) -> click.testing.Result:
    text = SPEC.replace("ENGINE", engine).replace("OBJECTIVES", objectives).replace("ALERTING", alerting)
    Path("odd.yaml").write_text(text.replace("ON]", f"{on}]").replace(*replace), "utf-8")
    Path("slo-compiler.yaml").write_text(config, "utf-8")
    return CliRunner().invoke(cli, [*(arguments or ("compile", "odd.yaml", "-o", "out"))])


def compiled(**said: Any) -> Any:
    result = run("compile", "odd.yaml", "-o", "out", "--only", "rules,autoscaling", **said)
    assert result.exit_code == 0, result.output
    return yaml.safe_load(OUTPUT.read_text("utf-8"))


def trigger(found: Any, kind: str) -> Any:
    return next(item for item in found["spec"]["triggers"] if item["name"] in (kind, f"{kind}-odd-ttft"))


def faults(found: Any) -> list[str]:
    """What the official schema says; as a server that prunes nothing: an unknown field is a fault too."""
    return [error.message for error in Draft202012Validator(closed(schema())).iter_errors(found)]


def schema() -> Any:
    return yaml.safe_load(CRD.read_text("utf-8"))


def closed(part: Any) -> Any:
    if isinstance(part, list):
        return [closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = {key: closed(value) for key, value in part.items()}
    if isinstance(part.get("properties"), dict) and part.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def test_nothing_is_written_where_the_configuration_or_the_spec_does_not_ask() -> None:
    result = run(config="{}\n")
    assert result.exit_code == 0
    assert "no ScaledObject is written" in result.stderr
    assert not Path("out/autoscaling").exists()
    assert run().exit_code == 0
    assert OUTPUT.is_file()
    assert run(replace=(SPEC.splitlines()[-1].replace("ON]", f"{ALL}]"), "")).exit_code == 0
    assert not Path("out/autoscaling").exists()


def test_which_server_is_asked_must_be_known() -> None:
    result = run("compile", "odd.yaml", "-o", "out", "--only", "autoscaling", config="{}\n")
    assert (result.exit_code, "serverAddress: http" in result.stderr) == (2, True)


def test_the_rules_are_the_same_with_and_without_it() -> None:
    compiled()
    rules = Path("out/rules/lab/odd.yaml").read_bytes()
    assert run(replace=(SPEC.splitlines()[-1].replace("ON]", f"{ALL}]"), "")).exit_code == 0
    assert Path("out/rules/lab/odd.yaml").read_bytes() == rules


@pytest.mark.parametrize(
    "config", [ASKED, ASKED.replace("labels", "namespace: llm, authentication: prom-token, labels")]
)
def test_the_official_schema_takes_it(config: str) -> None:
    found = compiled(config=config)
    assert faults(found) == []
    assert all(isinstance(value, str) for item in found["spec"]["triggers"] for value in item["metadata"].values())


FAULTS = {
    "no target": ("scaleTargetRef", {"kind": "Deployment"}),
    "no trigger": ("triggers", []),
    "a number for a text": ("triggers", [{"type": "prometheus", "metadata": {"threshold": 1}}]),
    "a field that is not known": ("maxReplicas", 3),
    "a text for a number": ("minReplicaCount", "3"),
    "no replica at most": ("maxReplicaCount", 0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_official_schema_refuses(name: str) -> None:
    found = deepcopy(compiled())
    field, value = FAULTS[name]
    found["spec"][field] = value
    assert len(faults(found)) == 1


def test_every_number_is_the_spec_s() -> None:
    found = compiled(objectives="{sli: ttft, threshold: 500ms, target: 98.7%}")
    assert (found["spec"]["minReplicaCount"], found["spec"]["maxReplicaCount"]) == (3, 17)
    assert found["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "odd-vllm"}
    assert found["metadata"]["namespace"] == "prod"
    assert {item["metadata"]["serverAddress"] for item in found["spec"]["triggers"]} == {"http://prom.example:9090"}
    assert trigger(found, "ttft")["metadata"]["threshold"] == "0.5"
    assert "histogram_quantile(0.987, " in trigger(found, "ttft")["metadata"]["query"]
    assert trigger(found, "queue-depth")["metadata"]["threshold"] == "23.5"
    assert trigger(found, "burn-rate")["metadata"]["threshold"] == "1"
    assert "slo:burn_rate:5m{" in trigger(found, "burn-rate")["metadata"]["query"]
    both = trigger(found, "ttft-and-burn-rate")["metadata"]
    assert both["threshold"] == "1"
    assert "/ 0.5\n" in both["query"]
    assert "slo:burn_rate:1h{" in both["query"] and "/ 6, 1)" in both["query"]
    kinds = {item["name"]: item["metricType"] for item in found["spec"]["triggers"]}
    assert kinds.pop("queue-depth") == "AverageValue"
    assert set(kinds.values()) == {"Value"}, "a latency by the replica would mean nothing"


def test_variants_are_other_replicas_and_each_objective_has_a_trigger() -> None:
    found = compiled(objectives=LATE + ", {name: tail, sli: ttft, threshold: 1s, target: 99.9%}", on="ttft")
    assert [item["name"] for item in found["spec"]["triggers"]] == ["ttft-odd-ttft", "ttft-odd-tail"]


def test_the_longest_names_are_names_of_kubernetes() -> None:
    result = run(replace=("lab", "l" * 63))
    assert result.exit_code == 0, result.output
    (path,) = Path("out/autoscaling").rglob("*.yaml")
    assert len("keda-hpa-" + yaml.safe_load(path.read_text("utf-8"))["metadata"]["name"]) <= 63


@pytest.mark.parametrize("histograms", ["", ", histograms: custom-buckets"], ids=["classic", "native"])
def test_queries_read_what_the_rules_record_and_the_engine_shows(histograms: str) -> None:
    config = ASKED + 'prometheus: {version: "3.5"}\n'
    found = compiled(engine=VLLM + histograms, config=config)
    groups = yaml.safe_load(Path("out/rules/lab/odd.yaml").read_text("utf-8"))["groups"]
    recorded = {
        (rule["record"], rule["labels"]["slo_id"]) for group in groups for rule in group["rules"] if "record" in rule
    }
    for item in found["spec"]["triggers"]:
        query = item["metadata"]["query"]
        promql_parser.parse(query)
        for read in reads(query):
            if read.recorded:
                assert (read.metric, "lab/odd-ttft") in recorded
            else:
                assert read.metric.startswith("vllm:")
                assert read.metric.endswith("_bucket") == (not histograms and "queue" not in item["name"])
        assert query.count("slo_id") == query.count('slo_id="lab/odd-ttft"')
    assert "gpu" not in OUTPUT.read_text("utf-8").lower()


MISTAKES = {
    "bounds the wrong way round": ({"replace": ("maxReplicas: 17", "maxReplicas: 2")}, "SLO203", "over maxReplicas 2"),
    "an engine without a queue": ({"engine": "litellm", "on": "queue-depth", "alerting": ""}, "SLO402", "no queue"),
    "no number for the queue": ({"alerting": ""}, "SLO202", "queueWaitingPerReplica: 24"),
    "no objective": (
        {"objectives": "{sli: itl, threshold: 25ms, target: 95%}", "on": "ttft"},
        "SLO202",
        "no objective of sli ttft",
    ),
    "no latency": (
        {"objectives": "{sli: availability, target: 99%, source: {bad: b, total: t}}", "on": "burn-rate"},
        "SLO202",
        "no objective of a latency",
    ),
    "no tier": (
        {"objectives": LATE.replace("}", ", mode: none}"), "on": "burn-rate"},
        "SLO202",
        "odd-ttft has no tier",
    ),
    "another trigger": ({"on": "gpu-utilization"}, "SLO203", "gpu-utilization"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_once_with_its_mend(name: str) -> None:
    said, code, words = MISTAKES[name]
    result = run("validate", "odd.yaml", **said)  # type: ignore[arg-type]
    assert result.exit_code == 1
    assert "odd.yaml:12:" in result.stderr
    assert result.stderr.count("error[") == 1
    assert f"error[{code}]" in result.stderr
    assert words in " ".join(result.stderr.split())


SERIES = 'model_name="acme/odd",job="odd",namespace="prod",instance="a"'
# Name -> per second: all requests, those within the bound, those in the next bucket; whether anything is scraped.
TRAFFIC: dict[str, tuple[int, int, dict[str, float | None]]] = {
    "all on time": (60, 60, {"ttft": 0.2485, "burn-rate": 0, "ttft-and-burn-rate": 0.994}),
    "half of them late": (60, 30, {"ttft": 0.495, "burn-rate": 50, "ttft-and-burn-rate": 1.98}),
    "two in a hundred late": (600, 588, {"ttft": 0.375, "burn-rate": 2, "ttft-and-burn-rate": 1}),
    "nothing served": (0, 0, {"ttft": 0, "burn-rate": 0, "ttft-and-burn-rate": 0}),
    "nothing scraped": (-1, -1, {"ttft": None, "burn-rate": None, "ttft-and-burn-rate": None}),
}


@pytest.mark.promtool
def test_a_query_gives_one_number_or_none() -> None:
    found = compiled()
    queries = {kind: trigger(found, kind)["metadata"]["query"] for kind in TRAFFIC["nothing served"][2]}
    tests = []
    for total, good, expected in TRAFFIC.values():
        base = "vllm:time_to_first_token_seconds"
        shown = {
            f'{base}_bucket{{{SERIES},le="{le}"}}': good if le == "0.25" else total for le in ("0.25", "0.5", "+Inf")
        }
        shown |= {f'{base}_bucket{{{SERIES},le="0.1"}}': 0, f"{base}_count{{{SERIES}}}": total}
        series = [{"series": name, "values": f"0+{count}x480"} for name, count in shown.items()] if total >= 0 else []
        checks = [
            {
                "expr": f"round({queries[kind]}, 0.0001)" if value is not None else queries[kind],
                "eval_time": "2h",
                "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
            }
            for kind, value in expected.items()
        ]
        tests.append({"interval": "15s", "input_series": series, "promql_expr_test": checks})
    # Queries read what the fast group records; all else takes most of the time.
    groups = yaml.safe_load(Path("out/rules/lab/odd.yaml").read_text("utf-8"))["groups"]
    fast = [
        {**group, "rules": [rule for rule in group["rules"] if "record" in rule]}
        for group in groups
        if group["name"].endswith(" fast")
    ]
    Path("fast.yaml").write_text(yaml.safe_dump({"groups": fast}), "utf-8")
    file = {"rule_files": ["fast.yaml"], "evaluation_interval": "30s", "tests": tests}
    Path("t.yaml").write_text(yaml.safe_dump(file), "utf-8")
    done = subprocess.run([find_promtool(), "test", "rules", "t.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
