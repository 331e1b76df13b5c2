"""`engines`: lists, shows, and says what an upgrade changes, for everybody and for given specs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from slo_compiler.cli import cli
from slo_compiler.engines import load_builtin_engines
from tests.test_schemas import output_faults

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: desk
  model: acme/chat
  engine: {name: vllm, version: "0.19"}
  experienceClass: batch
  objectives:
    - {sli: ttft, threshold: 40s, target: 95%}
    - {sli: tpot, threshold: 150ms, target: 95%}
  waivers: [{code: SLO301, reason: agreed with support, until: 2099-01-01}]
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["engines", *arguments])


def diff(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = run("diff", *arguments, "--format", "json")
    document = json.loads(done.stdout)
    assert output_faults("engine-diff", document) == []
    return done.exit_code, document


def test_every_engine_is_listed() -> None:
    done = run("list", "--format", "json")
    document = json.loads(done.stdout)
    assert output_faults("engines", document) == []
    assert [engine["name"] for engine in document["engines"]] == list(load_builtin_engines())
    assert "vLLM" in run("list").output


def test_a_release_is_shown_with_its_edges() -> None:
    document = json.loads(run("show", "vllm@0.8", "--format", "json").stdout)
    assert output_faults("engine", document) == []
    metrics = {metric["role"]: metric for metric in document["metrics"]}
    assert metrics["ttft"]["edges"][-3:] == [5, 7.5, 10]
    assert metrics["queue_depth"]["edges"] == []
    text = run("show", "vllm@0.8").output
    assert "vllm:time_to_first_token_seconds" in text
    assert "it cannot tell:" in text


CHANGES = {
    "a rename": ("0.9", "0.12", ("itl", "metric"), [], ["vllm:inter_token_latency_seconds"]),
    "the old name goes": ("0.9", "0.12", ("tpot", "metric"), ["vllm:time_per_output_token_seconds"], []),
    "longer tails of buckets": ("0.8.3", "0.8.4", ("itl", "edges"), [], ["5s", "7.5s", "10s", "20s", "40s", "1m20s"]),
    "a new label": ("0.8.2", "0.8.3", ("ttft", "labels"), [], ["engine"]),
    "a counter of requests": ("0.8.4", "0.8.5", (None, "availability"), [], ["http_requests_total"]),
}


@pytest.mark.parametrize(("old", "new", "what", "gone", "come"), CHANGES.values(), ids=CHANGES)
def test_an_upgrade_changes(old: str, new: str, what: tuple[str, str], gone: list[str], come: list[str]) -> None:
    # Before inter_token_latency_seconds its data had the role tpot.
    asked = ("tpot", what[1]) if what == ("itl", "edges") else what
    code, document = diff("vllm", old, new)
    found = {(change["role"], change["field"]): change for change in document["changes"]}
    assert code == 0
    assert (found[asked]["gone"], found[asked]["come"]) == (gone, come)
    back = {(change["role"], change["field"]): change for change in diff("vllm", new, old)[1]["changes"]}
    assert (back[asked]["come"], back[asked]["gone"]) == (gone, come)


def test_releases_that_are_alike_change_nothing() -> None:
    assert diff("vllm", "0.12", "0.13")[1]["changes"] == []
    assert "nothing that an SLI reads changes" in run("diff", "vllm", "0.12", "0.13").output


def test_specs_are_told_what_only_the_new_release_brings(tmp_path: Path) -> None:
    spec = tmp_path / "chat.yaml"
    spec.write_text(SPEC, "utf-8")
    code, document = diff("vllm", "0.19", "0.20", str(spec))
    assert (code, document["specs"]) == (0, [])
    code, document = diff("vllm", "0.19", "0.9", str(spec))
    assert code == 1
    assert [(told["code"], told["line"], told["severity"]) for told in document["specs"]] == [("SLO402", 11, "error")]
    done = run("diff", "vllm", "0.19", "0.8", str(spec))
    assert done.exit_code == 1
    assert "error[SLO404]" in done.output  # 0.8 has no bucket at 40s in all its releases
    assert "vLLM 0.19 to 0.8" in done.output


def test_specs_that_cannot_be_judged_are_no_clean_upgrade(tmp_path: Path) -> None:
    spec = tmp_path / "chat.yaml"
    spec.write_text(SPEC.replace("sli: ttft", "sli: tfft"), "utf-8")
    done = run("diff", "vllm", "0.19", "0.20", str(spec))
    assert done.exit_code == 1
    assert "error[SLO203]: unknown sli tfft" in done.output
    assert "mend them first" in done.output


WRONG = {
    "an unknown engine": (["show", "vlm"], "unknown engine vlm; did you mean vllm?"),
    "a release that is too old": (["show", "vllm@0.3"], "older than 0.8"),
    "no release": (["diff", "vllm", "new", "0.9"], "no version of vLLM"),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_a_release_between_two_known_ones_is_told() -> None:
    done = run("show", "vllm@0.99")
    assert done.exit_code == 0
    assert "note: vLLM 0.99 is not known; the nearest lower release 0.33 is read" in done.output
