"""The report for people: carets under what is wrong in any line and terminal, colour by request, ten thousand faults."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.cli import cli
from slo_compiler.diagnostics import Code, Diagnostic, Severity, Span
from slo_compiler.diagnostics.report import Report
from slo_compiler.diagnostics.report_text import render_text
from slo_compiler.plain_text import columns, visible

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: assistant
  model: acme/chat
  engine: {name: vllm, version: "0.11"}
  selector: {job: vllm-chat}
  objectives:
    - {sli: ttft, threshold: 150ms, target: 95%}
    - {sli: availability, target: 99.9%, source: {bad: 'gw_total{code=~"5.."}', total: gw_total}}
"""
LONGEST_SECONDS = 10.0

# What a terminal shows in one or two columns, and only as an escape. Accents, which take none, have a test of their own.
characters = st.one_of(
    st.sampled_from("ab {}:日本語한ü\t\u202e\x1b\U0001f600"), st.characters(exclude_categories=["Cs", "Mn", "Me"])
)
lines = st.text(characters.filter(lambda c: c not in "\n\r"), min_size=1, max_size=300)


def shown(line: str, start: int, end: int, width: int, hint: str = "mend it") -> list[str]:
    span = Span("chat.yaml", 7, start + 1, 7, end + 1)
    finding = Diagnostic(Code.SLO203, Severity.ERROR, span, "wrong", hint)
    head, *rest = render_text(Report([finding], {"chat.yaml": [""] * 6 + [line]}, files=1, width=width)).splitlines()
    assert head == f"chat.yaml:7:{start + 1}: error[SLO203]: wrong"
    assert rest[-1] == "1 error in 1 file"
    return rest[:-1]


def under(source: str, caret: str) -> str:
    """What stands above the carets, by columns of a terminal."""
    first = len(caret) - len(caret.lstrip(" |"))
    last = first + caret.count("^")
    place, found = 0, ""
    for character in source:
        if first <= place < last:
            found += character
        place += columns(character)
    return found


def test_carets_go_on_under_the_sign_of_a_cut() -> None:
    assert shown("aaaa\u202e\x1f\x08\U0001342f\U0001342f", 0, 9, 20) == [
        r"7 | aaaa\u202e\x1f\x08\U0001342f\U00013…",
        "  | " + 36 * "^",
        "  = help: mend it",
    ]


@given(lines, st.data(), st.integers(20, 200))
def test_carets_stand_under_what_is_wrong(line: str, data: st.DataObject, width: int) -> None:
    start = data.draw(st.integers(0, len(line) - 1))
    end = data.draw(st.integers(start + 1, min(len(line), start + 20)))
    source, caret, *_ = shown(line, start, end, width)
    assert columns(source) <= max(width, 40)
    marked = visible(line[start:end].expandtabs(1))
    above = under(source, caret.partition(" help: ")[0])
    if above.endswith("…") and source.endswith("…"):  # the mark goes on where the line is cut
        assert marked.startswith(above.removesuffix("…").rstrip())
        assert above.strip()
    else:
        assert above.rstrip() == marked.rstrip()


def test_a_short_line_is_shown_whole() -> None:
    assert shown("    threshold: 250", 15, 18, 60) == [
        "7 |     threshold: 250",
        "  |                ^^^ help: mend it",
    ]


def test_a_line_that_is_too_wide_is_cut_around_the_caret() -> None:
    line = f"    {{a: {'x' * 50}, threshold: 250, b: {'y' * 50}}}"
    start = line.index("250")
    source, caret = shown(line, start, start + 3, 48)
    assert source == "7 | …, threshold: 250, b: yyyyyyyyyyyyyyyyyyyyy…"
    assert caret == "  |               ^^^ help: mend it"


def test_accents_take_no_column() -> None:
    line = "    na\u0308me: cafe\u0301, threshold: 250"
    _, caret = shown(line, line.index("250"), line.index("250") + 3, 80)
    assert caret == f"  | {' ' * (len(line) - 5)}^^^ help: mend it"


def test_wide_characters_count_twice() -> None:
    line = "    名前: 日本語の説明, threshold: 250"
    source, caret = shown(line, line.index("250"), line.index("250") + 3, 80)
    assert source == f"7 | {line}"
    assert caret == f"  | {' ' * (columns(line) - 3)}^^^ help: mend it"


def test_a_hint_that_does_not_fit_has_a_line_of_its_own_and_stays_whole() -> None:
    hint = "write it as one of many things: " + ", ".join(f"thing-{number}" for number in range(20))
    assert shown("    threshold: 250", 15, 18, 60, hint) == [
        "7 |     threshold: 250",
        "  |                ^^^",
        f"  = help: {hint}",
    ]


def test_a_megabyte_on_one_line_is_shown_in_no_time() -> None:
    line = "x" * 1_000_000 + "250" + "y" * 1_000_000
    started = time.process_time()
    for _ in range(1_000):
        source, caret = shown(line, 1_000_000, 1_000_003, 100)
    assert time.process_time() - started < LONGEST_SECONDS
    assert under(source, caret.partition(" help: ")[0]) == "250"


def test_the_terminal_cannot_be_painted() -> None:
    line = "name: \x1b[31m\u202eabc"
    source, caret = shown(line, 6, len(line), 80)
    assert source == r"7 | name: \x1b[31m\u202eabc"
    assert caret.count("^") == len(r"\x1b[31m\u202eabc")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "chat.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def validate(*arguments: str, **variables: str | None) -> str:
    return CliRunner(env=variables).invoke(cli, ["validate", "chat.yaml", *arguments]).stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "coloured"),
    [
        ((), {}, False),
        ((), {"CLICOLOR_FORCE": "1"}, True),
        ((), {"CLICOLOR_FORCE": "0"}, False),
        ((), {"CLICOLOR_FORCE": ""}, False),
        ((), {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, False),
        ((), {"NO_COLOR": "", "CLICOLOR_FORCE": "1"}, True),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"CLICOLOR_FORCE": "1"}, False),
    ],
    ids=str,
)
def test_colour_is_as_asked(
    workplace: Path, arguments: tuple[str, ...], variables: dict[str, str], coloured: bool
) -> None:
    text = validate(*arguments, **variables)
    assert "SLO403" in text
    assert ("\033[" in text) == coloured


def test_the_width_is_that_of_the_terminal(workplace: Path) -> None:
    assert "\n   = help: promise 250ms" in validate(COLUMNS="60")
    assert "^^^^^ help: promise 250ms" in validate(COLUMNS="120")
    assert validate(COLUMNS="nonsense") == validate(COLUMNS="0") == validate()
    assert all(len(line) <= 50 for line in validate(COLUMNS="50").splitlines() if line.startswith("10 | "))


def test_ten_thousand_faults_in_one_file_stay_readable(workplace: Path) -> None:
    faults = [f"    - {{sli: ttft, name: n{number}, threshold: 250, target: 95%}}\n" for number in range(8_000)]
    unknown = [f"  field-{number}: 1\n" for number in range(2_000)]
    workplace.write_text(SPEC + "".join(faults + unknown), encoding="utf-8")
    started = time.process_time()
    text = validate()
    assert time.process_time() - started < LONGEST_SECONDS
    assert len(text.splitlines()) == 100 * 3 + 2
    assert text.splitlines()[-2:] == [
        "... and 9,900 more: 7,900 SLO203 wrong type or value, 2,000 SLO201 unknown field"
        " (validate --max-diagnostics 0 shows all)",
        "10,000 errors in 1 file",
    ]


@pytest.mark.parametrize("limit", [1, 3, 4, 0])
def test_a_limit_shows_as_many_as_it_says(limit: int) -> None:
    finding = Diagnostic(Code.SLO203, Severity.ERROR, Span("chat.yaml", 1, 1, 1, 2), "wrong")
    many = [replace(finding, span=Span("chat.yaml", number, 1, number, 2)) for number in range(1, 4)]
    text = render_text(Report(many, {}, files=1, limit=limit))
    expected = limit or 3
    assert text.count("error[SLO203]") == min(expected, 3)
    assert ("more" in text) == (expected < 3)
