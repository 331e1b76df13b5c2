"""What each setting of `slo-compiler.yaml` about the server and the addresses does, and how its faults are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from slo_compiler.cli import cli

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: assistant
  model: acme/m
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm, SELECTED}
  objectives: [{sli: ttft, threshold: 250ms, target: 95.5%}]
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def compiled(config: str, *, path: str = "specs/a b/é~1.yaml", selected: str = "pool: a") -> dict[str, Any]:
    """The rule file of a spec under a configuration."""
    result = run("compile", config, path, selected, "-o", "out")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = yaml.safe_load(Path("out/rules/assistant/chat.yaml").read_text("utf-8"))
    return document


def run(command: str, config: str, path: str = "chat.yaml", selected: str = "pool: a", *flags: str) -> Any:
    Path("slo-compiler.yaml").write_text(config, encoding="utf-8")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(SPEC.replace("SELECTED", selected), encoding="utf-8")
    return CliRunner().invoke(cli, [command, path, *flags])


def alerts(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for group in document["groups"] for rule in group["rules"] if "alert" in rule]


class TestRepository:
    def test_every_alert_links_to_its_spec(self) -> None:
        found = alerts(compiled("urls: {repository: 'https://git.example.com/slos/blob/main/'}"))
        links = {rule["annotations"]["spec_url"] for rule in found}
        assert links == {"https://git.example.com/slos/blob/main/specs/a%20b/%C3%A9~1.yaml"}
        assert len(found) > 5

    def test_without_one_there_is_no_link(self) -> None:
        assert not any("spec_url" in rule["annotations"] for rule in alerts(compiled("{}")))

    def test_a_spec_outside_has_no_link(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "inner").mkdir()
        monkeypatch.chdir(tmp_path / "inner")
        found = alerts(compiled("urls: {repository: 'https://git.example.com'}", path="../chat.yaml"))
        assert not any("spec_url" in rule["annotations"] for rule in found)


class TestEvaluationInterval:
    def test_it_is_that_of_rules_without_tiles(self) -> None:
        groups = compiled("prometheus: {evaluationInterval: 17s}")["groups"]
        assert [group["interval"] for group in groups] == ["30s", "4m", "17s"]

    def test_without_it_they_follow_the_fast_tiles(self) -> None:
        groups = compiled("prometheus: {scrapeInterval: 31s}")["groups"]
        assert [group["interval"] for group in groups] == ["1m", "4m", "1m"]


@pytest.mark.parametrize("version", ["2.42", "2.53.1", "v3.5.0", '"3.10"', "10.0"])
def test_a_server_that_reads_the_rules_is_fine(version: str) -> None:
    assert run("validate", f"prometheus: {{version: {version}}}").exit_code == 0


@pytest.mark.parametrize(
    ("settings", "column", "words"),
    [
        ("version: 2.41.3", 23, "keep_firing_for"),
        ("version: 1.8", 23, "keep_firing_for"),
        ("version: latest", 23, "no release of Prometheus"),
        ("scrapeInterval: 61s", 30, "tiles of events would go missing"),
        ("scrapeInterval: 1ms", 30, "under 1s"),
        ("evaluationInterval: 61s", 34, "warn too late"),
        ("evaluationInterval: 500ms", 34, "1s to 60s"),
        ("haLabel: not-a-label", 23, "no label name"),
        ("haLabel: instance, replicaLabel: instance, targetLabels: [job]", 47, "is the haLabel"),
        ("haLabel: slo_id", 23, "cannot be the haLabel"),
        ("haLabel: severity", 23, "haLabel: prometheus_replica"),
        ("haLabel: model_name", 23, "engines tell models apart by it"),
        ("haLabel: instance", 23, "help: haLabel: prometheus_replica"),
        ("haLabel: cluster, targetLabels: [job, cluster]", 52, "is the haLabel"),
    ],
)
def test_a_fault_is_told_at_its_place(settings: str, column: int, words: str) -> None:
    result = run("validate", f"prometheus: {{{settings}}}\n")
    assert result.exit_code == 1
    assert f"slo-compiler.yaml:1:{column}: error[SLO203]" in result.stderr
    assert words in " ".join(result.stderr.split())
    assert "Found 1 error" in result.stderr or result.stderr.count("error[") == 1


def test_all_faults_are_told_in_one_run() -> None:
    result = run(
        "validate",
        "prometheus: {version: 2.1, scrapeInterval: 2m, evaluationInterval: 3m}\nurls: {repository: git.example}\n",
    )
    assert result.stderr.count("error[SLO203]") == 4


@pytest.mark.parametrize("address", ["git.example.com/slos", "ssh://git@example.com/x", "https://a b", "https://"])
def test_a_repository_is_an_address_of_the_web(address: str) -> None:
    result = run("validate", f"urls:\n  repository: '{address}'\n")
    assert (result.exit_code, "slo-compiler.yaml:2:15: error[SLO203]" in result.stderr) == (1, True)


class TestHaLabel:
    CONFIG = "prometheus: {haLabel: prometheus_replica}"

    def test_a_selector_of_it_would_read_nothing(self) -> None:
        result = run("validate", self.CONFIG, selected="prometheus_replica: a")
        assert "chat.yaml:8:25: error[SLO402]" in result.stderr
        assert "it is the haLabel" in result.stderr

    def test_a_variant_is_told_too(self) -> None:
        objective = "{sli: itl, threshold: 25ms, target: 95%}"
        variant = f"{{name: b, selector: {{prometheus_replica: b}}, objectives: [{objective}]}}"
        selected = f"pool: a}}\n  variants: [{variant}]\n  traffic: {{"
        result = run("validate", self.CONFIG, selected=selected)
        assert "chat.yaml:9:35: error[SLO402]" in result.stderr

    def test_other_labels_are_fine(self) -> None:
        assert run("validate", self.CONFIG).exit_code == 0
        assert run("validate", "{}", selected="prometheus_replica: a").exit_code == 0


OWN = ("service", "slo", "sli", "model", "tier", "long_window", "short_window", "source")


class TestLabelPrefix:
    def test_it_stands_before_every_label_that_others_may_use(self) -> None:
        found = alerts(compiled("labels: {prefix: llm_}"))
        keys = {key for rule in found for key in rule["labels"]}
        assert keys == {"severity", "slo_id", *(f"llm_{name}" for name in OWN)}

    def test_without_one_they_are_plain(self) -> None:
        keys = {key for rule in alerts(compiled("{}")) for key in rule["labels"]}
        assert keys == {"severity", "slo_id", *OWN}

    def test_recorded_series_keep_their_labels(self) -> None:
        recorded = [
            [rule for group in compiled(config)["groups"] for rule in group["rules"] if "record" in rule]
            for config in ("{}", "labels: {prefix: llm_}")
        ]
        assert recorded[0] == recorded[1]

    def test_the_plain_name_is_free_for_a_label_of_the_spec(self) -> None:
        alerting = "pool: a}\n  alerting: {labels: {service: shop, tier: gold}}\n  traffic: {"
        assert "error[SLO203]" in run("validate", "{}", "chat.yaml", alerting).stderr
        found = alerts(compiled("labels: {prefix: llm_}", selected=alerting))
        assert {(rule["labels"]["service"], rule["labels"]["tier"]) for rule in found} == {("shop", "gold")}
        assert {rule["labels"]["llm_service"] for rule in found} == {"assistant"}

    def test_the_prefixed_name_is_taken_then(self) -> None:
        config = "labels: {prefix: llm_}"
        for taken in ("alerting: {labels: {llm_tier: gold}}", "groupBy: {labels: [llm_tier]}"):
            result = run("validate", config, "chat.yaml", f"pool: a}}\n  {taken}\n  traffic: {{")
            assert "llm_tier is written by the compiler" in " ".join(result.stderr.split())

    @pytest.mark.parametrize("prefix", ["__", "1a", "a-b", "'a b'", "x" * 33])
    def test_a_prefix_begins_a_name(self, prefix: str) -> None:
        result = run("validate", f"labels: {{prefix: {prefix}}}\n")
        assert "slo-compiler.yaml:1:18: error[SLO203]" in result.stderr

    @pytest.mark.promtool
    def test_its_rules_are_proven_too(self) -> None:
        alerting = "pool: a}\n  alerting: {labels: {tier: gold}}\n  traffic: {"
        compiled(
            "labels: {prefix: llm_}\nprometheus: {evaluationInterval: 17s}\n"
            "urls: {repository: 'https://git.example.com'}\n",
            path="chat.yaml",
            selected=alerting,
        )
        result = CliRunner().invoke(cli, ["test", "out"])
        assert result.exit_code == 0, result.output


class TestRulers:
    @pytest.mark.parametrize(
        ("settings", "column", "words"),
        [
            ("mimir: {queryOffset: 11m}", 32, "page too late"),
            ("mimir: {queryOffset: 1500ms}", 32, "no whole number of seconds"),
            ("mimir: {namespacePrefix: a/b}", 36, "namespacePrefix"),
            ("mimir: {sourceTenants: [a, b]}", 19, "has no field sourceTenants"),
            ("thanos: {partialResponse: retry}", 37, "abort"),
            ("thanos: {queryOffset: 1h}", 33, "queryOffset: 1m"),
        ],
    )
    def test_a_fault_is_told_at_its_place(self, settings: str, column: int, words: str) -> None:
        result = run("validate", f"outputs: {{{settings}}}\n")
        assert (result.exit_code, result.stderr.count("error[")) == (1, 1)
        assert f"slo-compiler.yaml:1:{column}: error" in result.stderr
        assert words in " ".join(result.stderr.split())

    def test_each_flavour_takes_what_is_said_of_its_server(self) -> None:
        said = "mimir: {queryOffset: 90s}, thanos: {queryOffset: 7s, partialResponse: warn}"
        mimir, thanos = (compiled(f"outputs: {{flavour: {name}, {said}}}") for name in ("mimir", "thanos"))
        assert [group["query_offset"] for group in mimir["groups"]] == ["1m30s"] * 3
        assert [group["query_offset"] for group in thanos["groups"]] == ["7s"] * 3
        assert {group["partial_response_strategy"] for group in thanos["groups"]} == {"warn"}
        assert not any("partial_response_strategy" in group for group in mimir["groups"])
