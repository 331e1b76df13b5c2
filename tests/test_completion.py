"""`completion`: answers that ended, of those that began; the two are counted at different moments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from slo_compiler.emit import promtool_tests, rules
from slo_compiler.emit.base import Context
from slo_compiler.emit.serialize import to_yaml
from slo_compiler.external import promtool
from slo_compiler.ir import Spec
from tests.promtool_case import HOUR, MINUTE, Case, Compiled, Course, compile_text, reads

ID = '{slo_id="demo/chat-completion"}'
SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: demo
  model: m
  engine: %s
  selector: {job: engines}
  objectives: [{sli: completion, target: 97%%%s}]
%s"""
VLLM = '{name: vllm, version: "0.15"}'


def compiled(folder: Path, engine: str = VLLM, objective: str = "", rest: str = "") -> Compiled:
    return compile_text(folder, SPEC % (engine, objective, rest))


@pytest.mark.parametrize(
    ("engine", "began", "ended"),
    [
        pytest.param(
            VLLM,
            'vllm:time_to_first_token_seconds_count{job="engines",model_name="m"}',
            'vllm:request_success_total{finished_reason!~"abort|error",job="engines",model_name="m"}',
            id="a histogram counts what began, and failures are in the counter of what ended",
        ),
        pytest.param(
            '{name: vllm, version: "0.8", generation: v0}',
            'vllm:time_to_first_token_seconds_count{job="engines",model_name="m"}',
            'vllm:request_success_total{finished_reason!~"abort|error",job="engines",model_name="m"}',
            id="the older generation of the engine",
        ),
        pytest.param(
            "{name: dynamo}",
            'dynamo_frontend_requests_started_total{job="engines",model="m"}',
            'dynamo_frontend_requests_total{error_type!~"cancelled|internal|not_implemented|overload|response_timeout|unavailable",'
            'job="engines",model="m"}',
            id="two counters of a gateway",
        ),
    ],
)
def test_what_began_and_what_ended_come_from_the_engine(engine: str, began: str, ended: str, tmp_path: Path) -> None:
    found = compiled(tmp_path, engine)
    for level in ("fast", "slow"):
        assert f"rate({began}[" in found.only(f"slo:events:{level}").expr
        assert f"rate({ended}[" in found.only(f"slo:bad_events:{level}").expr


@pytest.mark.parametrize(
    ("engine", "hint"),
    [
        pytest.param("{name: kserve}", "promise availability, measured at the gateway", id="no word in the document"),
        pytest.param("{name: tgi}", "counts a chat and a completion twice", id="the document's own reason"),
    ],
)
def test_an_engine_that_does_not_count_both_is_refused(engine: str, hint: str, tmp_path: Path) -> None:
    found = compiled(tmp_path, engine)
    assert not found.rules
    (error,) = [item for item in found.diagnostics if item.code.name == "SLO402"]
    assert "does not count which of the answers that began came to their end" in error.message
    assert hint in error.hint
    assert (error.span.line, error.span.column) == (9, 22)


def test_a_threshold_does_not_belong_to_it(tmp_path: Path) -> None:
    found = compiled(tmp_path, objective=", threshold: 30s")
    assert "threshold does not belong to sli completion" in found.message("SLO201")


def test_it_says_what_it_cannot_see(tmp_path: Path) -> None:
    assert "while it is queued neither begins nor ends" in compiled(tmp_path).message("SLO410")


@pytest.mark.parametrize("rest", ["", "  groupBy: {labels: [namespace]}\n"], ids=["one SLO", "one per namespace"])
def test_tiles_may_fall_below_zero_and_windows_do_not(rest: str, tmp_path: Path) -> None:
    found = compiled(tmp_path, rest=rest)
    for level in ("fast", "slow"):
        assert "clamp" not in found.only(f"slo:bad_events:{level}").expr
    summed = [rule for rule in found.records() if any("bad_events" in read.metric for read in reads(rule.expr))]
    summed = [rule for rule in summed if rule.name != "slo:period_attainment:ratio"]
    assert {rule.name for rule in summed} == {
        *(f"slo:burn_rate:{span}" for span in ("1h", "6h", "3d")),
        "slo:period_bad_events:sum",
    }
    assert all(rule.expr.startswith("clamp_min(sum_over_time(slo:bad_events:") for rule in summed)


def test_no_tier_looks_at_less_than_an_hour(tmp_path: Path) -> None:
    found = compiled(tmp_path)
    assert found.spec is not None
    windows = {tier.name: (tier.long.name, tier.short.name) for tier in found.spec.slos[0].tiers}
    assert windows == {"6x": ("6h", "1h"), "1x": ("3d", "6h")}


def test_more_ends_than_beginnings_are_no_contradiction(tmp_path: Path) -> None:
    names = {rule.name for rule in compiled(tmp_path).rules}
    assert "SLOImpossibleData" not in names
    assert {"SLOEngineStalled", "SLOSourceAbsent", "SLOBudgetExhausted"} <= names


def test_with_an_exemption_the_mask_lies_on_what_began(tmp_path: Path) -> None:
    rest = "  exemptions: [{kind: rollout, when: 'max(rolling)', maxPerPeriod: 3h}]\n"
    bad = compiled(tmp_path, rest=rest).only("slo:bad_events:fast").expr
    assert "clamp" not in bad
    assert f"slo:events:fast{ID}" in bad


def _bursts(each: float, every: int, delay: int) -> Course:
    """A counter that rises at once, so many seconds after every burst begins."""
    return lambda time: 1000 + each * max(0, (time - delay) // every)


@pytest.mark.promtool
@pytest.mark.parametrize(
    ("ended", "burn"),
    [pytest.param(60, 0, id="all come to their end"), pytest.param(51, 0.15 / 0.03, id="15% break off")],
)
def test_answers_that_take_minutes_are_not_bad_while_they_are_written(ended: int, burn: float, tmp_path: Path) -> None:
    """60 answers begin at once every ten minutes and end 4 min 10 s later; tile by tile all of them would be bad."""
    found = compiled(tmp_path)
    case = Case(found, 2 * HOUR)
    case.scraped('up{job="engines",instance="a"}', lambda time: 1.0)
    labels = 'job="engines",instance="a",model_name="m",engine="0"'
    case.scraped(f"vllm:time_to_first_token_seconds_count{{{labels}}}", _bursts(60, 10 * MINUTE, 0))
    case.scraped(f'vllm:request_success_total{{{labels},finished_reason="stop"}}', _bursts(ended, 10 * MINUTE, 250))
    case.scraped(f'vllm:request_success_total{{{labels},finished_reason="abort"}}', _bursts(7, 10 * MINUTE, 250))
    case.scraped(
        f'vllm:request_success_total{{{labels},finished_reason="error"}}', _bursts(60 - ended, 10 * MINUTE, 250)
    )
    # Seven minutes into a burst, six began and six ended within the hour; rates see each of them to 5%.
    look = HOUR + 37 * MINUTE
    case.between(look, f"slo:burn_rate:1h{ID}", max(burn - 0.4, 0), burn + 0.4)
    # Two minutes into one, its answers are still being written: one of seven bursts, at most.
    case.between(look + 5 * MINUTE, f"slo:burn_rate:1h{ID}", burn * 0.9, burn + 1.3 / 6 / 0.03)
    case.never_nan(2 * HOUR)
    case.prove()


def _proofs(spec: Spec, folder: Path, document: dict[str, Any], level: str = "") -> list[Path]:
    """The generated tests of a level, or of both, of rules that may have been changed."""
    (folder / "rules.yaml").write_text(to_yaml(document), encoding="utf-8")
    found = []
    for artifact in promtool_tests.emit(spec, Context()):
        if level in artifact.path:
            test = yaml.load(artifact.text, Loader=yaml.CSafeLoader)
            found.append(folder / Path(artifact.path).name)
            found[-1].write_text(yaml.safe_dump({**test, "rule_files": ["rules.yaml"]}), encoding="utf-8")
    return found


TTFT = "}, {sli: ttft, threshold: 250ms, target: 96%"


@pytest.mark.promtool
@pytest.mark.parametrize(
    ("objective", "rest"),
    [
        pytest.param(TTFT, "", id="beside the latency whose count it reads"),
        pytest.param("", "  groupBy: {labels: [namespace]}\n", marks=pytest.mark.thorough, id="one per namespace"),
    ],
)
def test_the_generated_tests_hold(objective: str, rest: str, tmp_path: Path) -> None:
    spec = compiled(tmp_path, objective=objective, rest=rest).spec
    assert spec is not None
    outcome = promtool.test_rules(promtool.find_promtool(), _proofs(spec, tmp_path, {"groups": rules.groups(spec)}))
    assert outcome.ok, outcome.output


@pytest.mark.promtool
@pytest.mark.parametrize(
    ("name", "level"),
    [
        pytest.param("slo:bad_events:fast", "fast", id="a fast tile is clamped"),
        pytest.param("slo:bad_events:slow", "fast", id="a slow tile is clamped"),
        pytest.param("slo:burn_rate:1h", "slow", id="the fast window is not"),
        pytest.param("slo:burn_rate:6h", "slow", id="a slow window is not"),
        pytest.param("slo:burn_rate:3d", "slow", id="a window of days is not"),
        pytest.param("slo:period_bad_events:sum", "slow", id="the period is not"),
    ],
)
def test_the_generated_tests_notice_where_the_clamp_lies(name: str, level: str, tmp_path: Path) -> None:
    spec = compiled(tmp_path).spec
    assert spec is not None
    groups = rules.groups(spec)
    for rule in (rule for group in groups for rule in group["rules"]):
        if rule.get("record") == name:
            clamped = rule["expr"].startswith("clamp_min(")
            unclamped = rule["expr"].removeprefix("clamp_min(").replace(", 0)", "", 1)
            rule["expr"] = unclamped if clamped else f"clamp_min({rule['expr']}, 0)"
    tests = _proofs(spec, tmp_path, {"groups": groups}, level)
    assert not promtool.test_rules(promtool.find_promtool(), tests, twice=False).ok
