"""`explain`: pages of codes, and a spec's numbers with their origin, as text and as JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from slo_compiler.cli import cli
from slo_compiler.diagnostics import Code

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {{name: chat}}
spec:
  service: assistant
  model: acme/chat
  engine: {{name: vllm, version: "0.11"}}
  selector: {{job: vllm-chat}}
  useCase: chatbot
  objectives:
    - {{sli: ttft}}
    - {{sli: availability, target: {target}, source: {{bad: 'gw_total{{code=~"5.."}}', total: gw_total}}}}
"""


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write()


def write(target: str = "99.9%") -> None:
    Path("chat.yaml").write_text(SPEC.format(target=target), encoding="utf-8")


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["explain", *arguments])


def numbers() -> list[dict[str, Any]]:
    result = explain("chat.yaml", "--format", "json")
    assert result.exit_code == 0
    slos: list[dict[str, Any]] = json.loads(result.stdout)["slos"]
    return slos


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_every_code_has_its_page(code: Code) -> None:
    result = explain(code.name.lower())
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, f"# {code.name}: {code.value}")
    page = json.loads(explain(code.name, "--format", "json").stdout)
    assert (page["code"], page["title"]) == (code.name, code.value)
    assert page["page"].startswith(f"# {code.name}: ")


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ("SLO499", "known: SLO401 (unknown engine or version)"),
        ("SL0403", "did you mean SLO403?"),
        ("SLO999", "did you mean SLO"),
        ("slo-403", "did you mean SLO403?"),
        ("403", "did you mean SLO403?"),
        ("nowhere.yaml", "is no code such as SLO403, and no file or folder"),
    ],
)
def test_an_unknown_subject_is_a_fault_of_usage(subject: str, message: str) -> None:
    result = explain(subject)
    assert result.exit_code == 2
    assert message in result.stderr


def test_numbers_stand_beside_their_origin() -> None:
    lines = [line.split() for line in explain("chat.yaml").stdout.splitlines()]
    assert ["promised", "150ms", "use", "case", "chatbot,", "built-in", "catalog"] in lines
    assert ["target", "95%", "use", "case", "chatbot,", "built-in", "catalog"] in lines
    assert ["target", "99.9%", "the", "objective"] in lines
    assert ["period", "28d", "the", "configuration's", "default"] in lines
    promised = next(index for index, line in enumerate(lines) if line[:1] == ["promised"])
    assert lines[promised + 1][:2] == ["measured", "250ms"]


def test_tiers_show_what_they_need_and_how_soon_they_fire() -> None:
    text = explain("chat.yaml").stdout
    row = next(line for line in text.splitlines() if line.strip().startswith("14.4x") and "1.44%" in line)
    assert row.split() == ["14.4x", "14.4", "1h/5m", "page", "1.44%", "-", "3/h", "52s", "2.14%"]


def test_json_gives_seconds_and_ratios() -> None:
    ttft, availability = numbers()
    assert (ttft["promised"], ttft["measured"], ttft["target"], ttft["period"]) == (0.15, 0.25, 0.95, 28 * 86400)
    assert ttft["provenance"][0] == {"field": "target", "value": 0.95, "origin": "use case chatbot, built-in catalog"}
    assert availability["promised"] is None
    tier = availability["tiers"][0]
    assert (tier["factor"], tier["longWindow"], tier["errorRatio"], tier["minBadEvents"]) == (14.4, 3600, 0.0144, 3)
    assert tier["blindAtEventsPerHour"] == 3
    assert (tier["detection"], tier["budgetSpent"]) == (51.84, 0.0214)


@pytest.mark.parametrize("target", ["99.9999%", "99.9999999%"])
def test_no_tier_of_a_very_high_target_is_said_to_need_nothing(target: str) -> None:
    write(target)
    tiers = [tier for slo in numbers() if slo["sli"] == "availability" for tier in slo["tiers"]]
    assert all(tier["errorRatio"] > 0 for tier in tiers)
    cells = explain("chat.yaml").stdout.split()
    assert "0s" not in cells
    assert "0%" not in cells
    assert "within 1s" in explain("chat.yaml").stdout


def test_what_could_be_resolved_is_shown_beside_the_errors() -> None:
    write("lots")
    broken = explain("chat.yaml")
    assert (broken.exit_code, broken.stdout) == (1, "")
    assert "SLO203" in broken.stderr
    write("100%")
    half = explain("chat.yaml")
    assert half.exit_code == 1
    assert "assistant/chat-ttft" in half.stdout
    assert "availability" not in half.stdout


def test_no_line_is_wider_than_the_terminal() -> None:
    assert max(map(len, explain("chat.yaml").stdout.splitlines())) <= 80


def test_alerts_are_coloured_by_their_severity_and_the_words_stay_the_same() -> None:
    plain, coloured = (explain("chat.yaml", "--color", choice).stdout for choice in ("never", "always"))
    assert "\033" not in plain
    lines = coloured.splitlines()
    assert [line for line in lines if line.startswith("\033[1;31m  14.4x ")]
    assert [line for line in lines if line.startswith("\033[1;33m  1x ")]
    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == plain


def test_what_a_spec_says_paints_no_terminal() -> None:
    text = (
        Path("chat.yaml").read_text(encoding="utf-8").replace("name: chat}", 'name: chat, displayName: "\\e[31mred"}')
    )
    Path("chat.yaml").write_text(text, encoding="utf-8")
    assert "\033[31mred" not in explain("chat.yaml", "--color", "always").stdout
