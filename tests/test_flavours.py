"""Rules for servers other than Prometheus: the same rules, as each of them takes groups."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.emit.flavours import FLAVOURS, rule_groups
from slo_compiler.units import Duration

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: assistant
  model: acme/m
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm}
  objectives:
    - {sli: ttft, threshold: 300ms, target: 95.5%}
    - {sli: availability, target: 99%, source: {bad: 'http_errors_total{job="edge"}', total: 'http_requests_total{job="edge"}'}}
"""
EXEMPT = SPEC + "  exemptions: [{kind: cold-start, for: 5m, maxPerPeriod: 1h}]\n"
Compiled = Callable[..., dict[str, Any]]


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compiled:
    """The rule file of the spec in a flavour."""
    monkeypatch.chdir(tmp_path)
    Path("slo-compiler.yaml").write_text("{}\n", encoding="utf-8")
    Path("chat.yaml").write_text(SPEC, encoding="utf-8")

    def compile_to(flavour: str) -> dict[str, Any]:
        result = CliRunner().invoke(cli, ["compile", "chat.yaml", "-o", flavour, "--flavour", flavour, "-q"])
        assert result.exit_code == 0, result.output
        document: dict[str, Any] = yaml.safe_load(Path(flavour, "rules/assistant/chat.yaml").read_text("utf-8"))
        return document

    return compile_to


def rules(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for group in document["groups"] for rule in group["rules"]]


def seconds(text: str) -> int:
    return 0 if text == "0s" else Duration.parse(text).whole_seconds


@pytest.mark.parametrize("flavour", [name for name in FLAVOURS if name != "vmalert"])
def test_the_groups_are_those_of_prometheus(flavour: str, compiled: Compiled) -> None:
    assert rule_groups(compiled(flavour)) == compiled("prometheus")["groups"]


def test_mimir_has_a_namespace_for_each_file(compiled: Compiled) -> None:
    document = compiled("mimir")
    assert list(document) == ["namespace", "groups"]
    assert document["namespace"] == "assistant.chat"
    assert not any("query_offset" in group for group in document["groups"])


def test_thanos_aborts_where_a_store_is_silent(compiled: Compiled) -> None:
    document = compiled("thanos")
    assert [list(group) for group in document["groups"]] == [
        ["name", "interval", "partial_response_strategy", "rules"] for _ in document["groups"]
    ]
    assert {group["partial_response_strategy"] for group in document["groups"]} == {"abort"}


@pytest.mark.promtool
@pytest.mark.parametrize(("flavour", "outputs"), [("mimir", "{mimir: {queryOffset: 90s}}"), ("vmalert", "{}")])
def test_its_rules_are_proven_too(flavour: str, outputs: str, compiled: Compiled) -> None:
    Path("slo-compiler.yaml").write_text(f"outputs: {outputs}\n", encoding="utf-8")
    Path("chat.yaml").write_text(SPEC.partition("    - {sli: availability")[0], encoding="utf-8")
    compiled(flavour)
    result = CliRunner().invoke(cli, ["test", flavour, "--jobs", "1"])
    assert result.exit_code == 0, result.output


class TestVmalert:
    def test_its_groups_are_one_again_for_promtool(self, compiled: Compiled) -> None:
        groups, plain = rule_groups(compiled("vmalert")), compiled("prometheus")["groups"]
        assert [group["name"] for group in groups] == [group["name"] for group in plain]
        for found, wanted in zip(groups, plain, strict=True):
            assert sorted(map(_title, found["rules"])) == sorted(map(_title, wanted["rules"]))

    def test_what_reads_a_result_of_its_moment_is_evaluated_later(self, compiled: Compiled) -> None:
        groups, read = compiled("vmalert")["groups"], 0
        for base in {_base(group) for group in groups}:
            parts = [group for group in groups if _base(group) == base]
            offsets = [seconds(group["eval_offset"]) for group in parts]
            assert all(later - earlier >= 7 for earlier, later in pairwise(offsets))
            assert offsets[-1] < seconds(parts[0]["interval"])
            written: dict[str, int] = {}
            for group in parts:
                at = seconds(group["eval_offset"])
                for rule in group["rules"]:
                    for name, since in written.items():
                        if f"{name}{{" in rule["expr"]:
                            read += 1
                            assert at >= since + 7, (rule, name)
                written.update({rule["record"]: at for rule in group["rules"] if "record" in rule})
                for rule in group["rules"]:
                    for other in group["rules"]:
                        assert f"{other.get('record', 'none')}{{" not in rule["expr"], (rule, other)
        assert read > 30

    def test_windows_and_their_guards_hold_the_tiles_of_one_evaluation(self, compiled: Compiled) -> None:
        for group in compiled("vmalert")["groups"]:
            if group["name"].split(" ")[1] == "fast" and any(
                "over_time(slo:" in rule["expr"] for rule in group["rules"]
            ):
                first = next(item for item in compiled("vmalert")["groups"] if item["name"] == _base(group))
                assert seconds(group["eval_offset"]) - seconds(first["eval_offset"]) < 15

    def test_bad_events_read_no_tile_that_is_not_there_yet(self, compiled: Compiled) -> None:
        bad = [rule for rule in rules(compiled("vmalert")) if rule.get("record", "").startswith("slo:bad_events:")]
        assert len(bad) == 4
        assert not any("slo:" in rule["expr"] for rule in bad)

    def test_it_answers_for_the_moment_that_is_asked_for(self, compiled: Compiled) -> None:
        assert all(group["params"] == {"nocache": ["1"]} for group in compiled("vmalert")["groups"])

    def test_exemptions_are_refused(self, compiled: Compiled) -> None:
        Path("chat.yaml").write_text(EXEMPT, encoding="utf-8")
        result = CliRunner().invoke(cli, ["compile", "chat.yaml", "-o", "out", "--flavour", "vmalert"])
        assert result.exit_code == 1, result.output
        assert "chat.yaml:3:18: error[SLO206]: chat cannot be compiled for vmalert: exemptions" in result.stderr
        assert not Path("out").exists()
        assert CliRunner().invoke(cli, ["compile", "chat.yaml", "-o", "out", "--flavour", "thanos"]).exit_code == 0


def _title(rule: dict[str, Any]) -> str:
    return str({key: value for key, value in rule.items() if key != "expr"})


def _base(group: dict[str, Any]) -> str:
    return " ".join(group["name"].split(" ")[:2])
