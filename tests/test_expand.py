"""`expand` and back: the portable form says the same, and what contradicts itself is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.cli import cli
from slo_compiler.diagnostics import Severity
from slo_compiler.documents import facts
from slo_compiler.documents.inference_slo import InferenceSLOSpec, Objective
from slo_compiler.emit import openslo, promtool_tests, rules
from slo_compiler.emit.base import Context
from slo_compiler.ir import Spec
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import Checked, check_files, check_loaded
from slo_compiler.resolve.environment import Environment

ROOT = Path(__file__).parent.parent
SPECS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "specs").rglob("*.yaml"))
EVERYTHING = r"""
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata:
  name: chat
  displayName: 'Chat, "the" one'
  labels: {team: ml-platform, engine: ours, cost.center: "42"}
  annotations:
    slo-compiler/runbook: https://runbooks.example.com/chat
    slo-compiler/id: assistant/llama
    slo-compiler/review-by: "2099-01-31"
    example.com/owner: someone
spec:
  description: Customer-facing assistant
  service: assistant
  model: meta-llama/Llama-3.1-70B-Instruct
  servedModelName: chat-70b
  endpoint: /v1/chat/completions
  engine: {name: vllm, version: "0.10", generation: v1}
  selector: {namespace: 'a "quoted\ one', job: {re: 'vllm-.*\d'}, canary: {not: "true"}}
  experienceClass: conversational
  useCase: chatbot
  traffic: {promptTokens: 731, outputTokens: 311, streaming: false, requestsPerHour: 1130}
  hardware: {tier: premium, gpuCount: 3, modelParametersB: 70}
  load: 0.7
  adjust: [promptLength, hardware]
  stage: preproduction
  timeWindow: [{duration: 21d, isRolling: true}]
  bucketPolicy: floor
  objectives:
    - sli: ttft
    - {name: ttft-p99, sli: ttft, threshold: 500ms, target: 99%}
    - {sli: itl, mode: ticket}
    - sli: availability
      target: 99.9%
      source: {bad: 'gw_total{app="chat",code=~"5.."}', total: 'gw_total{app="chat"}'}
    - {name: own, sli: availability, target: 99.5%, source: {engine: vllm@0.11, selector: {job: vllm-chat}}}
    - {sli: ratio, name: grounded, target: 97.25%, good: 'rag_grounded_total{app="x"}', total: 'rag_total{app="x"}'}
    - {sli: job_completion, threshold: 4h, target: 95%, source: {due: d_total, onTime: o_total, pendingAge: age_seconds}}
  alerting: {policy: sloth, mode: page, expectIdle: true, queueWaitingPerReplica: 23, minBadEvents: 9, labels: {tier_of: "{a}"}}
  latencyBudget: {network: 11ms, safety: 7ms}
  waivers: [{code: SLO407, reason: 'agreed: with "support"', until: 2099-03-01}]
  longTerm: true
  variants:
    - {name: spot, selector: {pool: {re: "spot|preemptible"}}, objectives: [{sli: ttft, threshold: 1s, target: 99%}]}
    - {name: far, selector: {region: eu}, objectives: [{sli: itl}, {name: slow, sli: e2e, threshold: 30s, target: 92%}]}
  budgetAdjustments:
    - {from: 2027-03-01T10:00:00Z, to: "2027-03-01T14:30:00+02:00", reason: 'a "region": lost, {{ $labels.x }}'}
    - {from: 2026-11-03T22:59:07Z, to: 2026-11-04T01:00:00Z, reason: "a cable"}
  resetOnChange: true
  replicaLabel: pod
  autoscaling: {target: chat, kind: LeaderWorkerSet, minReplicas: 3, maxReplicas: 17, triggers: [ttft, queue-depth, burn-rate]}
  scraping: {select: "app.kubernetes.io/name=vllm,tier=gpu", port: http, path: /stats, labels: {job: vllm-7}}
  capacity:
    load: {requestsPerHour: 90, arrivals: {batch: {mean: 31}}, promptTokens: {quantiles: {p50: 512, p99: 8000}}}
    service: {prefill: {secondsPerToken: 7.8125e-5}, decode: {secondsPerToken: 0.02}, kvCacheTokens: 31000}
"""


def check(*texts: str) -> Checked:
    files = [load_bytes(text.encode(), f"file{number}.yaml") for number, text in enumerate(texts)]
    return check_loaded(files, Environment())


def errors(checked: Checked) -> list[tuple[str, str, int, int, str]]:
    return [
        (d.span.path, d.code.name, d.span.line, d.span.column, d.message)
        for d in checked.diagnostics
        if d.severity is Severity.ERROR
    ]


def compiled(spec: Spec) -> dict[str, str]:
    """Rules and tests of a spec, but for the line that says where they came from."""
    found = [*rules.emit(spec, Context()), *promtool_tests.emit(spec, Context())]
    return {artifact.path: artifact.text.partition("\n")[2] for artifact in found}


def expanded(checked: Checked) -> list[str]:
    return [
        openslo.to_text([item]) for spec in checked.specs for item in openslo.documents_of(spec, with_datasource=True)
    ]


@pytest.mark.parametrize("path", [path for path in SPECS if "/openslo/" not in path])
def test_expanded_specs_compile_to_the_same(path: str) -> None:
    direct = check_files([str(ROOT / path)], Environment())
    assert not direct.failed
    again = check("---\n".join(expanded(direct)))
    assert not errors(again)
    assert [compiled(spec) for spec in again.specs] == [compiled(spec) for spec in direct.specs]


@pytest.mark.parametrize("apart", [False, True], ids=["in one file", "a file per document"])
def test_a_spec_with_every_field_compiles_to_the_same(apart: bool) -> None:
    direct = check(EVERYTHING)
    assert not errors(direct)
    texts = expanded(direct)
    again = check(*texts) if apart else check("---\n".join(texts))
    assert not errors(again)
    (before,), (after,) = direct.specs, again.specs
    assert compiled(after) == compiled(before)
    assert [slo.slo_id for slo in after.slos] == [slo.slo_id for slo in before.slos]
    assert after.waivers and after.waivers[0][:3] == before.waivers[0][:3]
    assert after.review_by == before.review_by
    assert [_without_origins(text) for text in expanded(again)] == [_without_origins(text) for text in texts]


def _without_origins(text: str) -> str:
    """What an expansion says but for the origins of numbers: a target of OpenSLO is the objective's own."""
    return "\n".join(line for line in text.splitlines() if "/provenance." not in line and "/target:" not in line)


def _slo_of(texts: list[str], name: str) -> dict[str, Any]:
    documents = [yaml.safe_load(text) for text in texts]
    return next(item for item in documents if item["kind"] == "SLO" and item["metadata"]["name"] == name)


def test_an_expansion_is_openslo_that_people_can_read() -> None:
    slo = _slo_of(expanded(check(EVERYTHING)), "chat-spot-ttft")
    assert slo["apiVersion"] == "openslo/v1"
    assert slo["spec"]["objectives"][0]["target"] == 0.99
    assert slo["spec"]["timeWindow"] == [{"duration": "21d", "isRolling": True}]
    own = slo["metadata"]["annotations"]
    assert own["slo-compiler/variant-selector"] == '{pool=~"spot|preemptible"}'
    assert own["slo-compiler/selector"] == r'{canary!="true",job=~"vllm-.*\\d",namespace="a \"quoted\\ one"}'
    assert own["example.com/owner"] == "someone"
    assert slo["metadata"]["labels"]["model"] == "llama-3.1-70b-instruct"
    assert slo["metadata"]["labels"]["engine"] == "ours", "a label of the spec's own wins"
    assert len(slo["metadata"]["displayName"]) <= 63


HAND_WRITTEN = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: chat-ttft
  annotations:
    slo-compiler/sli: ttft
    slo-compiler/model: acme/chat
    slo-compiler/engine: vllm
    slo-compiler/engine-version: "0.11"
    slo-compiler/selector: '{job="vllm"}'
    %s
spec:
  service: assistant
  indicator:
    metadata: {name: ttft}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: '%s'}}}
        total: {metricSource: {type: Prometheus, spec: {query: '%s'}}}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 4w, isRolling: true}]
  objectives: [{target: 0.95}]
"""
BUCKET = r'vllm:time_to_first_token_seconds_bucket{job="vllm",model_name="acme/chat",le=~"0\\.25"}[{{.window}}]'
COUNT = 'vllm:time_to_first_token_seconds_count{job="vllm",model_name="acme/chat"}[{{.window}}]'
GOOD, TOTAL = f"sum(rate({BUCKET}))", f"sum(rate({COUNT}) and ignoring (le) rate({BUCKET}))"


def test_annotations_on_openslo_of_ones_own_get_the_engine_checks() -> None:
    checked = check(HAND_WRITTEN % ("slo-compiler/threshold: 150ms", GOOD, TOTAL))
    assert not errors(checked)
    (slo,) = checked.specs[0].slos
    assert (slo.slo_id, slo.sli, str(slo.promised), str(slo.measured)) == (
        "assistant/chat-ttft",
        "ttft",
        "150ms",
        "250ms",
    )
    (found,) = [d for d in checked.diagnostics if d.code.name == "SLO403"]
    assert (found.span.line, found.span.column) == (11, 29)


# The last annotation, good and total queries, and code, line, column and a part of the message of the one error.
CONTRADICTIONS = {
    "a misspelt annotation": (
        "slo-compiler/treshold: 150ms",
        GOOD,
        TOTAL,
        ("SLO201", 11, 5, "unknown annotation slo-compiler/treshold"),
    ),
    "a bad value": ("slo-compiler/threshold: fast", GOOD, TOTAL, ("SLO203", 11, 29, "fast")),
    "a bad selector": (
        "slo-compiler/source.selector: job=vllm",
        GOOD,
        TOTAL,
        ("SLO203", 11, 35, "no set of label matchers"),
    ),
    "a query of another bucket": (
        "slo-compiler/threshold: 250ms",
        GOOD.replace("0", "9"),
        TOTAL,
        ("SLO203", 19, 63, "the query of good is not what sli ttft of chat-ttft reads"),
    ),
    "a target that differs": (
        "slo-compiler/threshold: 250ms\n    slo-compiler/target: 99%",
        GOOD,
        TOTAL,
        ("SLO203", 24, 25, "not the 99% of the annotation"),
    ),
    "a bucket that the engine lacks": (
        "slo-compiler/threshold: 150ms\n    slo-compiler/bucket-policy: exact",
        GOOD,
        TOTAL,
        ("SLO403", 11, 29, "no bucket boundary"),
    ),
}


@pytest.mark.parametrize(("extra", "good", "total", "expected"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_what_contradicts_itself_is_told_once(
    extra: str, good: str, total: str, expected: tuple[str, int, int, str]
) -> None:
    found = errors(check(HAND_WRITTEN % (extra, good, total)))
    assert [(code, line, column) for _, code, line, column, _ in found] == [expected[:3]]
    assert expected[3] in found[0][4]


@pytest.mark.parametrize("spelt", ["95%", "095.0 %"])
def test_the_annotation_of_a_target_may_be_spelt_as_a_spec_may(spelt: str) -> None:
    extra = f"slo-compiler/threshold: 250ms\n    slo-compiler/target: {spelt}"
    assert not errors(check(HAND_WRITTEN % (extra, GOOD, TOTAL)))


def test_documents_of_one_spec_that_differ_in_it_are_told_at_the_later_one() -> None:
    slos = [text for text in expanded(check(EVERYTHING)) if "\nkind: SLO\n" in text]
    slos[2] = slos[2].replace("slo-compiler/stage: preproduction", "slo-compiler/stage: dev")
    ((path, code, _, _, message),) = errors(check(*slos))
    assert (path, code) == ("file2.yaml", "SLO203")
    assert message.startswith("slo-compiler/stage differs from chat-ttft (file0.yaml:")


def test_every_annotation_key_has_its_place_and_every_place_its_key() -> None:
    keys = [key.replace(".N", ".0") for key in facts.known_keys()]
    special = {facts.NAME, facts.OBJECTIVE, facts.VARIANT, facts.VARIANT_SELECTOR}
    for key in set(keys) - special:
        path = facts.path_of(key, Objective) or facts.path_of(key, InferenceSLOSpec)
        assert path is not None, key
        assert facts.key_of(path) == key
    assert {"traffic.prompt-tokens", "engine-version", "waivers.0.reason", "selector"} <= set(keys)


LABELS = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,12}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.dictionaries(LABELS, VALUES | VALUES.map(lambda v: {"re": v}) | VALUES.map(lambda v: {"not": v}), max_size=4))
def test_selector_survives_its_text(selector: dict[str, Any]) -> None:
    assert facts.selector_of(facts.matchers_text(selector)) == selector


@pytest.mark.parametrize("text", ['{a="b"', 'a="b"', '{a="b" c="d"}', '{a="b",a="c"}', "{a=b}", '{a!~"b"}', "{1a='b'}"])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no set of label matchers"):
        facts.selector_of(text)


def test_expand_writes_files_and_leaves_those_of_others(tmp_path: Path) -> None:
    spec, out = tmp_path / "chat.yaml", tmp_path / "out"
    spec.write_text(EVERYTHING)
    arguments = ["expand", str(spec), "-o", str(out), "--with-datasource"]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    written = out / "assistant" / "chat.yaml"
    kinds = {document["kind"] for document in yaml.safe_load_all(written.read_text())}
    assert kinds == {"Service", "DataSource", "AlertNotificationTarget", "AlertCondition", "AlertPolicy", "SLI", "SLO"}
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    written.write_text("mine: yes\n")
    refused = CliRunner().invoke(cli, arguments)
    assert refused.exit_code == 1
    assert "SLO602" in refused.output
    assert written.read_text() == "mine: yes\n"


def test_expand_prints_nothing_where_a_spec_is_broken(tmp_path: Path) -> None:
    spec = tmp_path / "chat.yaml"
    spec.write_text(EVERYTHING.replace("useCase: chatbot", "useCase: chatbat"))
    done = CliRunner().invoke(cli, ["expand", str(spec)])
    assert done.exit_code == 1
    assert done.stdout == ""


@pytest.mark.parametrize("flags", [[], ["--with-datasource"]], ids=["without a data source", "with one"])
def test_what_is_printed_can_be_compiled_as_it_is(flags: list[str]) -> None:
    done = CliRunner().invoke(cli, ["expand", str(ROOT / "specs" / "vllm" / "chatbot.yaml"), *flags])
    assert done.exit_code == 0
    assert ("metricSourceRef: prometheus" in done.stdout) is bool(flags)
    again = check(done.stdout)
    assert not errors(again)
    assert [slo.name for spec in again.specs for slo in spec.slos][:1] == ["llama-70b-chat-ttft"]


def test_data_sources_are_printed_without_what_may_be_secret(tmp_path: Path) -> None:
    source = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: main}\n"
    (tmp_path / "source.yaml").write_text(
        f"{source}spec: {{type: Prometheus, connectionDetails: {{token: hunter2}}}}\n"
    )
    done = CliRunner().invoke(cli, ["expand", str(tmp_path)])
    assert done.exit_code == 0
    assert "hunter2" not in done.stdout
    assert yaml.safe_load(done.stdout)["spec"] == {"type": "Prometheus", "connectionDetails": {}}


def test_the_whole_repository_expanded_compiles_to_the_same_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(cli, ["expand", "specs", "-q"])
    assert done.exit_code == 0
    (tmp_path / "all.yaml").write_text(done.stdout)
    found = []
    for name, source in (("direct", "specs"), ("again", str(tmp_path / "all.yaml"))):
        compiled_to = tmp_path / name
        result = CliRunner().invoke(cli, ["compile", source, "-o", str(compiled_to), "--only", "rules", "-q"])
        assert result.exit_code == 0, result.output
        files = sorted((compiled_to / "rules").rglob("*.yaml"))
        found.append({str(p.relative_to(compiled_to)): p.read_text().partition("\n")[2] for p in files})
    assert found[0] == found[1]
    assert len(found[0]) > 20
