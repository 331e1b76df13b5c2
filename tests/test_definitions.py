"""What a repository defines itself: catalogs, engines and policies, in whatever file, and what is wrong with them."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from slo_compiler.diagnostics import Diagnostic, Severity
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import Checked, check_files, check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.units import decimal_text

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: assistant
  model: acme/chat
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm-chat}
  %s
  objectives:
    - {sli: ttft%s}
    - {sli: availability, target: 99.9%%, source: {bad: 'gw_total{code=~"5.."}', total: gw_total}}
"""
CATALOG = """\
apiVersion: slo-compiler/v1
kind: ExperienceCatalog
metadata: {name: acme}
spec:
  sources: {ACME: Interviews with support}
  useCases:
    %s:
      title: {value: Support chat, source: ACME}
      experienceClass: {value: %s, source: ACME}
      trafficProfile: {value: p512_o256, source: ACME}
      target: {value: 96%%, source: ACME}
      ttft: {value: 250ms, source: ACME}
      itl: {value: 25ms, source: ACME}
"""
POLICY = """\
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {name: gentle}
spec:
  %s
  tiers:
    - {%s}
    - {share: 10%%, longWindow: 3d, shortWindow: 6h, severity: ticket, for: 15m, minBadEvents: 7}
"""
FIRST_TIER = "factor: 11, longWindow: 2h, shortWindow: 10m, severity: page, minBadEvents: 5"


def check(*texts: str, today: datetime.date | None = None) -> Checked:
    files = [load_bytes(text.encode(), f"file{number}.yaml") for number, text in enumerate(texts)]
    return check_loaded(files, Environment(), today)


def told(checked: Checked) -> list[tuple[str, str, int, int]]:
    """Path, code, line and column of what is more than information."""
    return [
        (d.span.path, d.code.name, d.span.line, d.span.column)
        for d in checked.diagnostics
        if d.severity is not Severity.INFO
    ]


def only(checked: Checked) -> Diagnostic:
    (found,) = [d for d in checked.diagnostics if d.severity is not Severity.INFO]
    return found


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["definition first", "definition last"])
def test_a_use_case_of_the_repository_gives_numbers_and_their_origin(order: tuple[int, int]) -> None:
    texts = (CATALOG % ("support-chat", "conversational"), SPEC % ("useCase: support-chat", ""))
    checked = check(*(texts[index] for index in order))
    assert not told(checked)
    slo = checked.specs[0].slos[0]
    assert str(slo.promised) == "250ms"
    assert slo.target == Decimal("0.96")
    origin = f"use case support-chat, catalog acme (file{order.index(0)}.yaml)"
    assert {item.origin for item in slo.provenance if item.field in ("threshold", "target")} == {origin}


def test_an_override_says_what_changes_for_its_users() -> None:
    checked = check(CATALOG % ("chatbot", "conversational"), SPEC % ("useCase: chatbot", ""))
    assert not told(checked)
    (found,) = [d for d in checked.diagnostics if d.code.name == "SLO310"]
    assert "ttft 250ms instead of 150ms" in found.message
    assert "target 0.96 instead of 0.95" in found.message
    assert str(checked.specs[0].slos[0].promised) == "250ms"


def test_a_use_case_of_an_unknown_class_is_told_at_the_class() -> None:
    found = only(check(CATALOG % ("support-chat", "conversatonal")))
    assert (found.code.name, found.span.line, found.span.column) == ("SLO204", 9, 32)
    assert found.hint == "did you mean conversational?"


def test_a_source_key_of_the_built_in_catalog_is_not_taken_for_another_title() -> None:
    text = (CATALOG % ("support-chat", "conversational")).replace("ACME", "A")
    assert told(check(text)) == [("file0.yaml", "SLO205", 5, 13)]


@pytest.mark.parametrize("policy", ["gentle", "sloth"])
def test_a_policy_by_name_gives_the_tiers(policy: str) -> None:
    spec = SPEC % (f"alerting: {{policy: {policy}}}", ", threshold: 250ms, target: 97%")
    checked = check(spec, POLICY % ("description: ours", FIRST_TIER))
    assert not told(checked)
    tiers = checked.specs[0].slos[0].tiers
    shown = [
        (tier.name, decimal_text(tier.factor), tier.long.name, tier.short.name, tier.severity, tier.guard)
        for tier in tiers
    ]
    assert (
        shown
        == {
            "gentle": [("11x", "11", "2h", "10m", "page", 5), ("1x", "1", "3d", "6h", "ticket", 7)],
            # 2%, 5%, 10% and 10% of a 28-day budget; Sloth's own factors are of 30 days.
            "sloth": [
                ("13.4x", "13.4", "1h", "5m", "page", 3),
                ("5.6x", "5.6", "6h", "30m", "page", 4),
                ("2.8x", "2.8", "1d", "2h", "ticket", 10),
                ("1x", "1", "3d", "6h", "ticket", 25),
            ],
        }[policy]
        or policy == "gentle"
    )


def test_sloths_windows_over_thirty_days_are_sloths_factors() -> None:
    body = "alerting: {policy: sloth}\n  timeWindow: [{duration: 30d}]"
    checked = check(SPEC % (body, ", threshold: 250ms, target: 97%"))
    assert [decimal_text(tier.factor) for tier in checked.specs[0].slos[0].tiers] == ["14.4", "6", "3", "1"]


# The steps line, the first tier, and code, line and column of the one finding.
BAD_POLICIES = {
    "no factor": ("description: x", "longWindow: 2h, shortWindow: 10m, severity: page", ("SLO203", 7, 7)),
    "factor and error ratio": (
        "description: x",
        "factor: 2, errorRatio: 50%, longWindow: 2h, shortWindow: 10m, severity: page",
        ("SLO203", 7, 7),
    ),
    "short window no shorter": (
        "description: x",
        "factor: 2, longWindow: 2h, shortWindow: 2h, severity: page",
        ("SLO203", 7, 7),
    ),
    "window that is no multiple of its step": (
        "description: x",
        "factor: 2, longWindow: 2h1m, shortWindow: 10m, severity: page",
        ("SLO203", 7, 31),
    ),
    "slow step no multiple of the fast one": ("steps: {fast: 30s, slow: 100s}", FIRST_TIER, ("SLO203", 5, 28)),
    "slow step of an odd number of seconds": ("steps: {fast: 15s, slow: 45s}", FIRST_TIER, ("SLO203", 5, 28)),
    "slow step over the lookback": ("steps: {fast: 30s, slow: 5m}", FIRST_TIER, ("SLO203", 5, 28)),
    "fast step shorter than what lies between two scrapes": (
        "steps: {fast: 12s, slow: 3m}",
        FIRST_TIER,
        ("SLO203", 5, 17),
    ),
    "fast step of a second": ("steps: {fast: 1s, slow: 3m}", FIRST_TIER, ("SLO203", 5, 17)),
    "step of a fraction": ("steps: {fast: 1500ms, slow: 3m}", FIRST_TIER, ("SLO203", 5, 17)),
    "a wait of weeks": (
        "description: x",
        "factor: 2, longWindow: 2h, shortWindow: 10m, severity: page, for: 2w",
        ("SLO203", 7, 74),
    ),
    "factor that is no number": (
        "description: x",
        "factor: much, longWindow: 2h, shortWindow: 10m, severity: page",
        ("SLO203", 7, 16),
    ),
}


@pytest.mark.parametrize(("steps", "tier", "expected"), BAD_POLICIES.values(), ids=BAD_POLICIES)
def test_bad_policy_is_told_once_and_whoever_names_it_is_not(
    steps: str, tier: str, expected: tuple[str, int, int]
) -> None:
    policy = POLICY % (steps, tier)
    found = only(check(policy))
    assert (found.code.name, found.span.line, found.span.column) == expected
    assert found.hint


@pytest.mark.parametrize(("steps", "tier", "expected"), BAD_POLICIES.values(), ids=BAD_POLICIES)
def test_naming_a_broken_policy_is_no_second_fault(steps: str, tier: str, expected: tuple[str, int, int]) -> None:
    spec = SPEC % ("alerting: {policy: gentle}", ", threshold: 250ms, target: 97%")
    checked = check(POLICY % (steps, tier), spec)
    assert [code for _, code, *_ in told(checked)] == [expected[0]]


# Target, the tier, the period, code of the error that a policy chosen by name gives where the default only warns.
DEAD_TIERS = {
    "a factor that no traffic reaches": (
        "target: 90%",
        "factor: 11, longWindow: 2h, shortWindow: 10m, severity: page",
        "28d",
        "SLO501",
    ),
    "a window over half the period": ("target: 97%", FIRST_TIER, "5d", "SLO503"),
}


@pytest.mark.parametrize(("target", "tier", "period", "code"), DEAD_TIERS.values(), ids=DEAD_TIERS)
def test_a_tier_that_cannot_work_is_an_error_in_a_policy_that_is_named(
    target: str, tier: str, period: str, code: str
) -> None:
    body = f"alerting: {{policy: gentle}}\n  timeWindow: [{{duration: {period}}}]"
    checked = check(SPEC % (body, f", threshold: 250ms, {target}"), POLICY % ("description: x", tier))
    errors = {d.code.name for d in checked.diagnostics if d.severity is Severity.ERROR}
    assert errors == {code}


def test_the_same_definition_twice_is_one_and_another_of_its_name_is_an_error() -> None:
    one = POLICY % ("description: x", FIRST_TIER)
    assert not told(check(one, one))
    other = POLICY % ("description: y", FIRST_TIER)
    assert told(check(one, other)) == [("file1.yaml", "SLO205", 3, 18)]


def test_definitions_in_an_unusual_spelling_are_found_too(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SPEC % ("useCase: support-chat", ""))
    catalog = CATALOG % ("support-chat", "conversational")
    (tmp_path / "b.yaml").write_text(catalog.replace("kind: ExperienceCatalog", 'kind: "Experience\\x43atalog"'))
    checked = check_files([str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")], Environment())
    assert not told(checked)
    assert checked.files == 2
    assert str(checked.specs[0].slos[0].promised) == "250ms"


VARIANTS = (
    "variants: [{name: spot, selector: {pool: spot}, objectives: [{sli: ttft, threshold: 500ms, target: 99%%}]}%s]"
)


def test_a_variant_reads_its_own_series_under_its_own_name() -> None:
    checked = check(SPEC % (VARIANTS % "", ", threshold: 250ms, target: 97%"))
    assert not told(checked)
    by_name = {slo.name: slo for slo in checked.specs[0].slos}
    assert set(by_name) == {"chat-ttft", "chat-availability", "chat-spot-ttft"}
    spot = by_name["chat-spot-ttft"]
    assert spot.slo_id == "assistant/chat-spot-ttft"
    assert ("variant", "spot") in spot.info
    matchers = {item.label: item.value for item in spot.measurement.matchers}  # type: ignore[union-attr]
    assert matchers == {"job": "vllm-chat", "pool": "spot", "model_name": "acme/chat"}
    assert str(spot.promised) == "500ms"


def test_two_variants_of_a_name_are_told() -> None:
    twice = ", {name: spot, selector: {pool: b}, objectives: [{sli: itl, threshold: 25ms, target: 95%}]}"
    checked = check(SPEC % (VARIANTS % twice, ", threshold: 250ms, target: 97%"))
    assert [code for _, code, *_ in told(checked)] == ["SLO205"]


def _id(target: str, *, reset: bool = True, version: str = "0.11") -> str:
    body = f"resetOnChange: {str(reset).lower()}"
    text = (SPEC % (body, f", threshold: 250ms, target: {target}")).replace('"0.11"', f'"{version}"')
    return check(text).specs[0].slos[0].slo_id


def test_reset_on_change_gives_a_changed_promise_a_new_identity() -> None:
    plain = _id("97%", reset=False)
    assert plain == "assistant/chat-ttft"
    assert _id("97%").startswith(f"{plain}@")
    assert _id("97%") == _id("97%", version="0.12"), "an upgrade of the engine is no new promise"
    assert _id("97%") != _id("96%")


@pytest.mark.parametrize(
    ("day", "codes"),
    [(datetime.date(2027, 3, 1), []), (datetime.date(2027, 3, 2), ["SLO311"]), (None, [])],
    ids=["the last day", "a day later", "a compilation"],
)
def test_review_by_is_judged_by_the_day(day: datetime.date | None, codes: list[str]) -> None:
    text = SPEC % ("useCase: chatbot", ", threshold: 250ms")
    text = text.replace("{name: chat}", '{name: chat, annotations: {slo-compiler/review-by: "2027-03-01"}}')
    assert [code for _, code, *_ in told(check(text, today=day))] == codes
