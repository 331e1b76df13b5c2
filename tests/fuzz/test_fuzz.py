"""Documents by a generator through the whole compiler; another seed by the environment variable FUZZ_SEED."""

from __future__ import annotations

import os

import pytest

from tests.fuzz.generate import HOSTILE, NEARLY, VALID, case
from tests.fuzz.judge import actions
from tests.fuzz.run import Tally, check_by_promtool, run_cases, summary
from tests.fuzz.sense import DOCUMENTS

SEED = os.environ.get("FUZZ_SEED", "1")
COUNT = int(os.environ.get("FUZZ_COUNT", "1200"))
# So that workers can share them.
PARTS = 6


@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=[pytest.mark.thorough] * (part >= PARTS // 2)) for part in range(PARTS)]
)
def test_whatever_a_document_holds_it_is_refused_or_stays_text(part: int, capsys: pytest.CaptureFixture[str]) -> None:
    tally = run_cases(SEED, range(part, COUNT, PARTS))
    with capsys.disabled():
        print(f"\nseed {SEED}, part {part}: {tally.cases} cases, {tally.compiled} compiled")
    assert not tally.violations, "\n".join([*tally.violations[:10], summary(tally, SEED, 0)])
    assert_reaches_everything(tally)


def assert_reaches_everything(tally: Tally) -> None:
    """A run that refuses everything would prove little."""
    assert set(tally.sorts) == {VALID, NEARLY, HOSTILE}
    assert tally.compiled > tally.cases * 0.2
    assert tally.compared > tally.cases * 0.04
    assert tally.expanded > tally.cases * 0.1
    assert {"SLO101", "SLO102", "SLO103", "SLO201", "SLO202", "SLO203"} <= set(tally.codes)


@pytest.mark.promtool
def test_promtool_reads_the_rules_of_a_sample(promtool: str) -> None:
    tally = Tally()
    for number in range(0, 40_000, 200):
        found = run_cases(SEED, [number])
        assert not found.violations, found.violations
        tally.join(found)
    assert len(tally.rules) > 20
    assert check_by_promtool(tally.rules, promtool) == []


def test_a_case_is_the_same_each_time() -> None:
    assert [case("7", number) for number in range(20)] == [case("7", number) for number in range(20)]
    assert case("7", 3) != case("8", 3)


def test_every_kind_of_document_is_drawn() -> None:
    drawn = {kind for number in range(400) for kind, _ in case(SEED, number).documents}
    assert drawn == set(DOCUMENTS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain { text }", []),
        ('{{ "{{" }} $labels.x }}', []),
        ("{{ $value }} and {{ $labels.x }}", ["{{ $value }}", "{{ $labels.x }}"]),
        ('{{ "{{" }}{ $value }}', []),
        ("{{{ $value }}", ["{{{ $value }}"]),
        ("open {{ end", ["{{ end"]),
    ],
)
def test_actions_are_told_from_braces(text: str, found: list[str]) -> None:
    assert actions(text) == found
