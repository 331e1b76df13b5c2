"""Alertmanager's configuration: what inhibits what, by labels that alerts have, and amtool takes it."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click.testing
import pytest
import yaml
from click.testing import CliRunner

from slo_compiler.cli import cli

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: NAME}
spec:
  service: lab
  model: acme/odd
  endpoint: /v1/odd
  engine: {name: litellm, version: "1.106"}
  experienceClass: interactive
  selector: {job: odd}
  GROUPS
  objectives: [OBJECTIVES]
"""
ALL = (
    "{sli: ttft, threshold: 500ms, target: 97%}, {sli: e2e, threshold: 10s, target: 97%, mode: page}, "
    "{sli: availability, target: 99.7%, source: {engine: litellm}}"
)
CONFIGURATION = "out/alertmanager/alertmanager.yml"
ASKED = "outputs: {alertmanager: {}}\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    write_spec("odd")
    Path("slo-compiler.yaml").write_text(ASKED, "utf-8")
    return tmp_path


def write_spec(name: str, objectives: str = ALL, groups: str = "") -> None:
    text = SPEC.replace("NAME", name).replace("OBJECTIVES", objectives).replace("GROUPS", groups or "stage: production")
    Path(f"specs/{name}.yaml").write_text(text, "utf-8")


def compiled(*arguments: str) -> click.testing.Result:
    return CliRunner().invoke(cli, ["compile", "specs", "-o", "out", *arguments])


def configuration() -> Any:
    return yaml.safe_load(Path(CONFIGURATION).read_text("utf-8"))


def alerts(path: str = "out/rules/lab/odd.yaml") -> list[dict[str, str]]:
    """The labels of every alert of a rule file, its name among them."""
    groups = yaml.safe_load(Path(path).read_text("utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    return [{"alertname": rule["alert"], **rule["labels"]} for rule in rules]


def matches(matcher: str, labels: dict[str, str]) -> bool:
    """What Alertmanager makes of one matcher; regular expressions here are choices of plain words."""
    operator = next(item for item in ("=~", "!=", "=") if item in matcher)
    name, _, quoted = matcher.partition(operator)
    value: str = yaml.safe_load(quoted)
    found = labels.get(name, "")
    return bool({"=": found == value, "!=": found != value, "=~": found in value.split("|")}[operator])


def inhibited(source: dict[str, str], target: dict[str, str]) -> bool:
    return any(
        all(matches(item, source) for item in rule["source_matchers"])
        and all(matches(item, target) for item in rule["target_matchers"])
        and all(source.get(label, "") == target.get(label, "") for label in rule["equal"])
        for rule in configuration()["inhibit_rules"]
    )


def one(name: str, sli: str, found: list[dict[str, str]] | None = None, prefix: str = "") -> dict[str, str]:
    return next(item for item in found or alerts() if item["alertname"] == name and item.get(f"{prefix}sli") == sli)


def test_nothing_is_written_where_nobody_asks(repository: Path) -> None:
    Path("slo-compiler.yaml").write_text("{}\n", "utf-8")
    assert compiled("--only", "rules").exit_code == 0
    assert compiled().exit_code == 0
    assert not Path("out/alertmanager").exists()
    Path("slo-compiler.yaml").write_text(ASKED, "utf-8")
    assert compiled().exit_code == 0
    assert Path(CONFIGURATION).is_file()
    Path("slo-compiler.yaml").write_text("{}\n", "utf-8")
    assert compiled("--check").exit_code == 1
    assert compiled().exit_code == 0
    assert not Path("out/alertmanager").exists(), "what nobody asks for any more is removed"


def test_one_incident_is_one_page(repository: Path) -> None:
    assert compiled("--only", "rules,alertmanager").exit_code == 0
    page, ticket = "SLOBurnRatePage", "SLOBurnRateTicket"
    assert inhibited(one(page, "availability"), one(page, "ttft"))
    assert inhibited(one(page, "availability"), one(ticket, "e2e"))
    assert inhibited(one(page, "ttft"), one(page, "e2e"))
    assert inhibited(one(page, "ttft"), one(ticket, "ttft"))
    assert not inhibited(one(page, "ttft"), one(page, "availability"))
    assert not inhibited(one(page, "e2e"), one(page, "ttft"))
    assert not inhibited(one(ticket, "availability"), one(page, "ttft"))
    assert not inhibited(one(page, "availability"), one("SLOBudgetExhausted", "ttft"))
    route = configuration()["route"]
    assert route["group_by"] == ["alertname", "slo_id"]
    tiers = [item for item in alerts() if item["alertname"] == page and item["sli"] == "availability"]
    assert len(tiers) > 1
    assert len({tuple(item[label] for label in route["group_by"]) for item in tiers}) == 1


def test_nothing_inhibits_itself_or_what_it_is_inhibited_by(repository: Path) -> None:
    assert compiled("--only", "rules,alertmanager").exit_code == 0
    found = alerts()
    assert not any(inhibited(item, item) for item in found)
    assert not any(inhibited(a, b) and inhibited(b, a) for a, b in itertools.combinations(found, 2))


def test_an_alert_of_another_spec_or_group_is_not_inhibited(repository: Path) -> None:
    write_spec("teams", groups="groupBy: {labels: [team]}")
    assert compiled("--only", "rules,alertmanager").exit_code == 0
    page, ticket = one("SLOBurnRatePage", "ttft"), one("SLOBurnRateTicket", "ttft")
    assert inhibited(page, ticket)
    assert not inhibited({**page, "slo_id": "lab/else"}, ticket)
    assert not inhibited(page, {**ticket, "team": "a"})
    assert inhibited({**page, "team": "a"}, {**ticket, "team": "a"})
    failing = one("SLOBurnRatePage", "availability")
    assert not inhibited({**failing, "model": "acme/else"}, page)
    assert not inhibited({**failing, "team": "a"}, {**page, "team": "b"})


def test_labels_and_severities_are_those_that_alerts_have(repository: Path) -> None:
    settings = (
        "labels: {prefix: slo_}\nseverities: {page: critical, ticket: warning}\n"
        "outputs: {alertmanager: {receivers: {page: on-call}}}\n"
    )
    Path("slo-compiler.yaml").write_text(settings, "utf-8")
    assert compiled("--only", "rules,alertmanager").exit_code == 0
    found = alerts()
    assert inhibited(
        one("SLOBurnRatePage", "availability", found, "slo_"), one("SLOBurnRatePage", "ttft", found, "slo_")
    )
    received = {
        item["severity"]: next(
            route["receiver"]
            for route in configuration()["route"]["routes"]
            if all(matches(matcher, item) for matcher in route["matchers"])
        )
        for item in found
    }
    assert received["critical"] == "on-call"
    assert received["warning"] == "slo-ticket"


def test_a_run_on_one_spec_keeps_what_the_others_need(repository: Path) -> None:
    write_spec("teams", groups="groupBy: {labels: [team]}")
    assert compiled("--only", "alertmanager").exit_code == 0
    before = Path(CONFIGURATION).read_bytes()
    assert b"- team" in before
    write_spec("odd", "{sli: ttft, threshold: 500ms, target: 97%}")
    done = CliRunner().invoke(cli, ["compile", "specs/odd.yaml", "-o", "out", "--only", "alertmanager"])
    assert done.exit_code == 0
    assert Path(CONFIGURATION).read_bytes() == before


@pytest.mark.promtool
def test_amtool_takes_the_configuration_of_all_examples(specs: Path, tmp_path: Path) -> None:
    amtool = shutil.which("amtool")
    if amtool is None:
        pytest.fail("amtool is not on the PATH; scripts/ensure_alertmanager.sh installs it", pytrace=False)
    settings = tmp_path / "slo-compiler.yaml"
    settings.write_text('severities: {page: "a\\"b\\\\"}\n' + ASKED, "utf-8")
    out = tmp_path / "out"
    arguments = ["compile", str(specs), "-o", str(out), "--config", str(settings), "--only", "alertmanager", "-q"]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    path = out / "alertmanager" / "alertmanager.yml"
    done = subprocess.run([amtool, "check-config", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 inhibit rules" in done.stdout
    broken = path.with_name("broken.yml")
    broken.write_text(path.read_text("utf-8").replace("source_matchers", "sauce_matchers"), "utf-8")
    assert subprocess.run([amtool, "check-config", str(broken)], capture_output=True, check=False).returncode != 0
