"""`simulate`: what it prints in each format, and what it says to wrong flags and specs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from slo_compiler.cli import cli

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: assistant
  model: acme/chat
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm-chat}
  experienceClass: conversational
  traffic: {outputTokens: 37%s}
  objectives:
    - {sli: ttft, threshold: 250ms, target: 99%%}
    - {sli: itl, threshold: 50ms, target: 98%%}
    - {sli: availability, target: 99.9%%, mode: none, source: {bad: 'gw_total{code=~"5.."}', total: gw_total}}
"""


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("chat.yaml").write_text(SPEC % "", encoding="utf-8")


def simulate(*arguments: str, spec: str = "chat.yaml", columns: int = 100) -> Result:
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(cli, ["simulate", spec, *arguments])


def outcome(*arguments: str) -> dict[str, Any]:
    result = simulate(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each alert of the first table, by tier."""
    table = text.split("\n\n")[3].splitlines()
    return {(cells := re.split(r" {2,}", line.strip()))[0]: cells[1:] for line in table}


def test_table_says_when_each_alert_fires_and_clears() -> None:
    result = simulate("--bad", "31%", "--for", "47m", "--rate", "5/s", "--slo", "chat-ttft")
    assert result.exit_code == 0
    found = rows(result.stdout)
    # D = 1h x 14.4 x 1% / 31% = 27m52s, R = 5m x (1 - 14.4% / 31%) = 2m41s, and 5m more that it is kept.
    assert found["14.4x"] == ["1h/5m", "page", "28m", "55m", "8m", "2.15%"]
    # 47m x 31% is 14m34s of total failure: of 6h only 4%, and the tier fires over 6%.
    assert found["6x"][2] == "never"
    assert "too short: 4.04% of 6h bad, fires over 6%, after 1h9m40.6s" in " ".join(result.stdout.split())
    assert "The budget of 28d is 6h43m12s of total failure, or 120960 requests; at the end 3.61% of it is spent." in (
        " ".join(result.stdout.split())
    )


def test_lines_fit_the_terminal() -> None:
    wide = simulate("--bad", "31%", "--for", "47m", "--rate", "90/h", columns=160).stdout.splitlines()
    narrow = simulate("--bad", "31%", "--for", "47m", "--rate", "90/h", columns=84).stdout.splitlines()
    assert 84 < max(map(len, wide)) <= 160
    assert max(map(len, narrow)) <= 84


@pytest.mark.parametrize(
    ("arguments", "coloured"),
    [(["--color", "always"], True), (["--color", "never"], False), ([], False)],
    ids=["always", "never", "no terminal"],
)
def test_alerts_that_fire_are_coloured_where_colour_is_wanted(arguments: list[str], coloured: bool) -> None:
    lines = simulate("--bad", "31%", "--for", "3h", "--slo", "chat-ttft", *arguments).stdout.splitlines()
    assert [line.split()[0] for line in lines if "\033" in line] == (
        ["\033[1;31m", "\033[1;31m", "\033[1;33m"] if coloured else []
    )


@pytest.mark.parametrize(
    ("flag", "traffic", "origin", "per_second"),
    [
        ("36/h", ", requestsPerHour: 7200", "option", 0.01),
        (None, ", requestsPerHour: 7200", "spec", 2),
        (None, "", "unlimited", None),
    ],
    ids=["the flag wins", "else the spec says it", "else no guard matters"],
)
def test_traffic_comes_from(flag: str | None, traffic: str, origin: str, per_second: float | None) -> None:
    Path("chat.yaml").write_text(SPEC % traffic, encoding="utf-8")
    rate = ["--rate", flag] if flag else []
    ttft, itl, _ = outcome("--bad", "50%", "--for", "1h", *rate)["slos"]
    assert ttft["traffic"] == {"from": origin, "eventsPerSecond": per_second, "counts": "requests"}
    # A request has 37 tokens.
    assert itl["traffic"]["eventsPerSecond"] == (None if per_second is None else pytest.approx(37 * per_second))
    words = {"option": "36/h (--rate)", "spec": "2/s (traffic.requestsPerHour)", "unlimited": "no guard of bad events"}
    assert words[origin] in " ".join(simulate("--bad", "50%", "--for", "1h", *rate).stdout.split())


def test_guards_of_tokens_count_requests() -> None:
    """At 6 requests per hour, all bad, the fourth comes after 40 minutes, whatever the SLO counts."""
    for slo in outcome("--bad", "100%", "--for", "3h", "--rate", "5.9/h")["slos"][:2]:
        tier = slo["alerts"][0]
        assert tier["heldBackBy"] == ["guard"]
        assert tier["episodes"][0]["fires"] == 31 * 60  # more than 3 / 5.9 h = 30.5 min


def test_an_slo_without_alerts_says_so() -> None:
    recorded = outcome("--bad", "2%", "--for", "1h", "--slo", "assistant/chat-availability")["slos"]
    assert [(slo["slo"], slo["alerts"]) for slo in recorded] == [("chat-availability", [])]
    # 2% of an hour are 72 s of 40m19.2s.
    assert recorded[0]["budget"]["spentAtEnd"] == pytest.approx(72 / 2419.2)
    text = simulate("--bad", "2%", "--for", "1h", "--slo", "chat-availability").stdout
    assert "Recorded only (mode none): there are no alerts." in " ".join(text.split())


def test_each_group_has_the_traffic_and_a_slice_is_an_event() -> None:
    text = (SPEC % ", requestsPerHour: 90").replace(
        "objectives:", "groupBy: {labels: [job], maxGroups: 7}\n  objectives:"
    )
    Path("chat.yaml").write_text(text, encoding="utf-8")
    table = simulate("--bad", "31%", "--for", "47m").stdout
    assert "traffic of 90/h (traffic.requestsPerHour), for each job" in " ".join(table.split())
    text = (SPEC % "").replace("{sli: ttft, threshold: 250ms,", "{sli: throughput, rate: 900, slice: 3m,")
    Path("chat.yaml").write_text(text, encoding="utf-8")
    arguments = ("--bad", "31%", "--for", "47m", "--slo", "chat-throughput", "--rate", "5/s")
    assert outcome(*arguments)["slos"][0]["traffic"] == {
        "from": "slices",
        "eventsPerSecond": pytest.approx(1 / 180),
        "counts": "slices",
    }
    assert "a slice of time up to 3m" in " ".join(simulate(*arguments).stdout.split())


def test_phases_follow_each_other() -> None:
    found = outcome("--bad", "60%", "--for", "13m", "--bad", "0%", "--for", "50m", "--bad", "45%", "--for", "30m")
    assert found["scenario"] == {
        "phases": [
            {"badRatio": 0.6, "duration": 780},
            {"badRatio": 0, "duration": 3000},
            {"badRatio": 0.45, "duration": 1800},
        ],
        "duration": 5580,
        "alreadySpent": 0,
    }
    tier = found["slos"][0]["alerts"][0]
    # 60% reach 7.8 min only; 8.64 are over the first hour's budget, and the first phase has left by then: 19.2 min on.
    assert [episode["fires"] for episode in tier["episodes"]] == [5580 - 1800 + 1170]
    assert tier["theory"] is None


def test_what_was_spent_before_counts() -> None:
    budget = outcome("--bad", "100%", "--for", "5h", "--already-spent", "41.5%")["slos"][0]
    # 5h of 6h43m12s are 74.4%; the rest of the budget is spent after 58.5% of it, which is 3h55m52s.
    assert budget["budget"]["spentBefore"] == 0.415
    assert budget["budget"]["spentAtEnd"] == pytest.approx(0.415 + 5 / 6.72)
    exhausted = budget["alerts"][-1]
    assert exhausted["alert"] == "SLOBudgetExhausted"
    assert [episode["fires"] for episode in exhausted["episodes"]] == [3 * 3600 + 56 * 60 + 16 * 60]


def test_markdown_is_a_table_per_slo() -> None:
    result = simulate("--bad", "31%", "--for", "47m", "--format", "markdown")
    table = [line for line in result.stdout.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {9}
    assert table[2] == "| 14.4x | 1h/5m | page | 28m | 55m | 8m | 2.15% |  |"
    assert result.stdout.count("| tier |") == 2  # the third SLO is recorded only
    assert "\n### assistant/chat\n" in result.stdout


OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: answers}
spec:
  service: cache
  indicator:
    metadata: {name: fresh, displayName: "a|b <c> *d*\\n# e \\e[31m"}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: hits_total}}}
        total: {metricSource: {type: Prometheus, spec: {query: lookups_total}}}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{target: 0.95}]
"""


def test_names_of_a_spec_cannot_break_out() -> None:
    Path("answers.yaml").write_text(OPENSLO, encoding="utf-8")
    arguments = ("--bad", "31%", "--for", "47m")
    markdown = simulate(*arguments, "--format", "markdown", spec="answers.yaml").stdout
    assert r"a\|b \<c\> \*d\* \# e" in markdown
    assert "\033" not in markdown + simulate(*arguments, spec="answers.yaml").stdout
    assert (
        json.loads(simulate(*arguments, "--format", "json", spec="answers.yaml").stdout)["slos"][0]["slo"] == "answers"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bad", "130%", "--for", "20m"], "--bad: '130%' is over 100%"),
        (["--bad", "-5%", "--for", "20m"], "--bad: '-5%' is no percentage; write a share from 0% to 100%, such as 30%"),
        (["--bad", "0.3", "--for", "20m"], "--bad: '0.3' is no percentage"),
        (["--bad", "30%", "--for", "-20m"], "--for: '-20m' is no duration; write it as 20m or 1h30m"),
        (["--bad", "30%", "--for", "0m"], "--for: '0m' is zero"),
        (["--bad", "30%", "--for", "99d", "--bad", "1%", "--for", "2d"], "--for: 101d in all is over 100d"),
        (["--bad", "30%", "--bad", "3%", "--for", "2m"], "--bad is given 2 times and --for 1 time: they come in pairs"),
        (["--bad", "30%"], "Missing option '--for'"),
        (
            ["--bad", "30%", "--for", "2m", "--rate", "5"],
            "--rate: '5' is no rate; write it as 5/s, 300/m, 20/h or 500/d",
        ),
        (["--bad", "30%", "--for", "2m", "--rate", "0/h"], "--rate: '0/h' is zero"),
        (["--bad", "30%", "--for", "2m", "--already-spent", "x"], "--already-spent: 'x' is no percentage"),
        (
            ["--bad", "30%", "--for", "2m", "--slo", "chat-tftt"],
            "--slo: there is no chat-tftt; did you mean chat-ttft?",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_told(arguments: list[str], message: str) -> None:
    result = simulate(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_specs_of_a_catalog_are_not_those_of_the_file() -> None:
    Path("slo-compiler.yaml").write_text("catalogs: [more]\n", encoding="utf-8")
    Path("more").mkdir()
    Path("more", "other.yaml").write_text((SPEC % "").replace("name: chat", "name: other"), encoding="utf-8")
    assert {slo["path"] for slo in outcome("--bad", "31%", "--for", "47m")["slos"]} == {"chat.yaml"}


@pytest.mark.parametrize(
    ("spec", "message"), [("none.yaml", "no such file"), (".", ". is a folder; name a file of it")]
)
def test_spec_must_be_a_file(spec: str, message: str) -> None:
    result = simulate("--bad", "30%", "--for", "2m", spec=spec)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_faults_of_the_spec_are_shown_and_nothing_else() -> None:
    Path("chat.yaml").write_text((SPEC % "").replace("target: 99%", "target: 100%"), encoding="utf-8")
    result = simulate("--bad", "30%", "--for", "2m")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "chat.yaml:12:45: error[SLO203]" in result.stderr
