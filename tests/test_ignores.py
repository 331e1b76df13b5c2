"""`# slo-compiler: ignore CODE reason`: what it silences, what it does not, and what is no comment at all."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.cli import cli
from slo_compiler.diagnostics import Code, Diagnostic, Severity
from slo_compiler.documents.config import Config
from slo_compiler.load.directives import read_directives
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.resolve.environment import Environment

TODAY = datetime.date(2027, 3, 1)
WHY = "agreed with support"
# Line 10 has a warning SLO403; without line 11 there would be SLO407 on line 10, too.
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
TTFT, AVAILABILITY = SPEC.splitlines()[9:11]


def check(*texts: str, today: datetime.date | None = TODAY, suffix: str = "yaml") -> list[Diagnostic]:
    names = [f"{name}.{suffix}" for name in ("a", "b", "c")]
    files = [load_bytes(text.encode(), name) for name, text in zip(names, texts, strict=False)]
    return check_loaded(iter(files), Environment(Config()), today).diagnostics


def shown(found: list[Diagnostic]) -> list[tuple[str, int]]:
    return [(d.code.name, d.span.line) for d in found if d.severity is not Severity.INFO]


def at_line_10(comment: str, spec: str = SPEC) -> str:
    return spec.replace(TTFT, f"{TTFT} {comment}")


def above_line_10(*lines: str, spec: str = SPEC) -> str:
    return spec.replace(TTFT, "\n".join([*lines, TTFT]))


def test_the_spec_has_one_warning() -> None:
    assert shown(check(SPEC)) == [("SLO403", 10)]
    assert shown(check(SPEC.replace(AVAILABILITY + "\n", ""))) == [("SLO407", 10), ("SLO403", 10)]


SILENCED = {
    "at the end of the line": at_line_10(f"# slo-compiler: ignore SLO403 {WHY}"),
    "without the space": at_line_10(f"#slo-compiler: ignore SLO403 {WHY}"),
    "with more spaces": at_line_10(f"#   slo-compiler:   ignore   SLO403   {WHY}"),
    "with a colon before the reason": at_line_10(f"# slo-compiler: ignore SLO403: {WHY}"),
    "in lower case": at_line_10(f"# slo-compiler: ignore slo403 {WHY}"),
    "on a line of its own": above_line_10(f"    # slo-compiler: ignore SLO403 {WHY}"),
    "with another indentation": above_line_10(f"# slo-compiler: ignore SLO403 {WHY}"),
    "above an empty line": above_line_10(f"# slo-compiler: ignore SLO403 {WHY}", "", ""),
    "above another comment": above_line_10(f"# slo-compiler: ignore SLO403 {WHY}", "# the target is new"),
    "below another comment": above_line_10("# the target is new", f"# slo-compiler: ignore SLO403 {WHY}"),
    "with Windows line ends": at_line_10(f"# slo-compiler: ignore SLO403 {WHY}").replace("\n", "\r\n"),
    "behind a byte order mark": "\ufeff" + at_line_10(f"# slo-compiler: ignore SLO403 {WHY}"),
    "behind text of two columns": at_line_10(f"# slo-compiler: ignore SLO403 {WHY}").replace(
        "spec:", "spec:\n  description: '日本語 # 日本語' # é", 1
    ),
}


@pytest.mark.parametrize("case", SILENCED)
def test_silenced(case: str) -> None:
    assert check(SILENCED[case]) == []


def test_each_of_several_codes_is_silenced() -> None:
    spec = SPEC.replace(AVAILABILITY + "\n", "")
    assert shown(check(at_line_10(f"# slo-compiler: ignore SLO403 {WHY}", spec))) == [("SLO407", 10)]
    for codes in ("SLO403,SLO407", "SLO407, SLO403", "SLO403 ,  SLO407"):
        assert check(at_line_10(f"# slo-compiler: ignore {codes} {WHY}", spec)) == [], codes
    stacked = (f"# slo-compiler: ignore SLO403 {WHY}", f"# slo-compiler: ignore SLO407 {WHY}")
    assert check(above_line_10(*stacked, spec=spec)) == []
    both = at_line_10(f"# slo-compiler: ignore SLO407 {WHY}", above_line_10(stacked[0], spec=spec))
    assert check(both) == []


def test_information_is_silenced() -> None:
    spec = SPEC.replace("  selector", "  endpoint: /v1/chat/completions\n  selector")
    assert [d.code for d in check(spec)] == [Code.SLO406, Code.SLO403]
    silent = spec.replace("completions\n", f"completions # slo-compiler: ignore SLO406 {WHY}\n")
    assert [d.code for d in check(silent)] == [Code.SLO403]


def test_a_comment_in_the_header_of_a_block_is_one() -> None:
    header = f"  description: | # slo-compiler: ignore SLO403 {WHY}\n    text\n  objectives"
    assert ("SLO208", 9) in shown(check(SPEC.replace("  objectives", header)))


# What looks like an ignore and is text, or somewhere else.
UNTOUCHED = {
    "in double quotes": f'  description: "# slo-compiler: ignore SLO403 {WHY}"',
    "in single quotes": f"  description: 'x # slo-compiler: ignore SLO403 {WHY}'",
    "in quotes over two lines": f"  description: 'x\n    # slo-compiler: ignore SLO403 {WHY}'",
    "in a literal block": f"  description: |\n    # slo-compiler: ignore SLO403 {WHY}",
    "in a folded block": f"  description: >-\n    x\n\n    # slo-compiler: ignore SLO403 {WHY}",
    "in a plain word": f"  description: x#slo-compiler:ignore SLO403 {WHY}",
    "with words before it": f"  # TODO slo-compiler: ignore SLO403 {WHY}",
    "without the colon": f"  # slo-compiler ignore SLO403 {WHY}",
    "prose about the tool": "  # slo-compiler: see the README",
    "the name of the API": "  # slo-compiler/v1: ignore SLO403 is a comment of ours",
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_no_ignore_at_all(case: str) -> None:
    text = above_line_10().replace("  objectives:", f"{UNTOUCHED[case]}\n  objectives:")
    line = text.splitlines().index(TTFT) + 1
    assert shown(check(text)) == [("SLO403", line)]


# Comment at the end of line 10; message; hint; what the caret marks.
USELESS = {
    "no reason": (
        "# slo-compiler: ignore SLO403",
        "the ignore of SLO403 gives no reason, so it silences nothing",
        "# slo-compiler: ignore SLO403 agreed with support",
        "# slo-compiler: ignore SLO403",
    ),
    "only marks for a reason": (
        "# slo-compiler: ignore SLO403 -- ",
        "the ignore of SLO403 gives no reason, so it silences nothing",
        "# slo-compiler: ignore SLO403 agreed with support",
        "# slo-compiler: ignore SLO403 --",
    ),
    "no code": (
        f"# slo-compiler: ignore {WHY}",
        "the ignore names no code, so it silences nothing",
        "# slo-compiler: ignore SLO403 agreed with support",
        f"# slo-compiler: ignore {WHY}",
    ),
    "no comma": (
        f"# slo-compiler: ignore SLO403 SLO407 {WHY}",
        "SLO407 is read as the reason, so that nothing is silenced: commas part codes",
        "# slo-compiler: ignore SLO403, SLO407 agreed with support",
        f"# slo-compiler: ignore SLO403 SLO407 {WHY}",
    ),
    "an unknown code": (
        f"# slo-compiler: ignore SLO493 {WHY}",
        "no diagnostic has the code SLO493",
        "did you mean SLO409?",
        "SLO493",
    ),
    "a code without its letters": (
        f"# slo-compiler: ignore 403 {WHY}",
        "no diagnostic has the code 403",
        "did you mean SLO403?",
        "403",
    ),
    "a misspelt ignore": (
        f"# slo-compiler: ignroe SLO403 {WHY}",
        "ignroe is no word of slo-compiler",
        "did you mean ignore?",
        "ignroe",
    ),
    "another code": (
        f"# slo-compiler: ignore SLO407 {WHY}",
        "the ignore of SLO407 silences nothing: line 10 has no such finding",
        "remove SLO407",
        "SLO407",
    ),
}


@pytest.mark.parametrize("case", USELESS)
def test_an_ignore_that_silences_nothing_is_told(case: str) -> None:
    comment, message, hint, marked = USELESS[case]
    text = at_line_10(comment)
    found = check(text)
    assert sorted(shown(found)) == [("SLO208", 10), ("SLO403", 10)]
    (told,) = [d for d in found if d.code is Code.SLO208]
    assert (told.severity, told.message, told.hint) == (Severity.WARNING, message, hint)
    assert text.splitlines()[9][told.span.column - 1 : told.span.end_column - 1] == marked


def test_the_line_that_has_the_finding_is_named() -> None:
    text = SPEC.replace("  objectives:", f"  objectives: # slo-compiler: ignore SLO403 {WHY}")
    (told,) = [d for d in check(text) if d.code is Code.SLO208]
    assert told.hint == "put it on line 10, which has one"


def test_the_other_codes_of_a_comment_still_count() -> None:
    assert shown(check(at_line_10(f"# slo-compiler: ignore SLO403, SLO404 {WHY}"))) == [("SLO208", 10)]
    assert shown(check(at_line_10(f"# slo-compiler: ignore SLO493, SLO403 {WHY}"))) == [("SLO208", 10)]


@pytest.mark.parametrize("lines", ["", "\n\n", "# the end\n", "---\n", "...\n"])
def test_an_ignore_at_the_end_is_for_nothing(lines: str) -> None:
    (told,) = [d for d in check(f"{SPEC}# slo-compiler: ignore SLO403 {WHY}\n{lines}") if d.code is Code.SLO208]
    assert told.message == "the ignore of SLO403 silences nothing: no YAML follows it"


def test_a_comment_above_a_document_is_for_its_first_line() -> None:
    text = f"# slo-compiler: ignore SLO201 {WHY}\n---\n\n{SPEC}"
    (told,) = [d for d in check(text) if d.code is Code.SLO208]
    assert told.message.endswith("line 4 has no such finding")


def test_an_error_is_never_silenced() -> None:
    for comment in ("# slo-compiler: ignore SLO203 soon", "# slo-compiler: ignore SLO203, SLO403 soon"):
        found = check(at_line_10(comment, SPEC).replace("150ms", "150"))
        assert [d.code.name for d in found if d.severity is Severity.ERROR] == ["SLO203"]
        (told,) = [d for d in found if d.code is Code.SLO208]
        assert told.message == "SLO203 on line 10 is an error, and an ignore silences warnings and information only"


def test_a_warning_that_became_an_error_is_one() -> None:
    text = at_line_10(f"# slo-compiler: ignore SLO403 {WHY}").replace(
        "  objectives", "  bucketPolicy: exact\n  objectives"
    )
    found = check(text)
    assert [d.code.name for d in found if d.severity is Severity.ERROR] == ["SLO403"]
    assert ("SLO208", 11) in shown(found)


def test_an_error_that_can_be_waived_says_so() -> None:
    text = at_line_10(f"# slo-compiler: ignore SLO301 {WHY}").replace("150ms", "9s")
    text = text.replace("  objectives", "  experienceClass: instant\n  objectives")
    (told,) = [d for d in check(text) if d.code is Code.SLO208]
    assert told.hint.startswith("waivers: [{code: SLO301, reason: agreed with support, until: ")


def test_a_broken_file_does_not_say_what_is_unused() -> None:
    text = at_line_10(f"# slo-compiler: ignore SLO407 {WHY}").replace("99.9%", "99.9")
    assert shown(check(text)) == [("SLO203", 11)]


def test_an_ignore_cannot_silence_what_is_said_of_it() -> None:
    found = check(at_line_10(f"# slo-compiler: ignore SLO208, SLO407 {WHY}"))
    assert [d.message.split(" silences")[0] for d in found if d.code is Code.SLO208] == [
        "the ignore of SLO208",
        "the ignore of SLO407",
    ]


def test_findings_that_need_other_specs_are_silenced_and_not_missed() -> None:
    second = SPEC.replace("name: chat", "name: search").replace("150ms", "250ms")
    first = SPEC.replace("150ms", "250ms")
    (overlap,) = check(first, second)
    assert (overlap.code, overlap.span.path) == (Code.SLO405, "b.yaml")
    line = second.splitlines()[overlap.span.line - 1]
    ignoring = second.replace(line, f"{line} # slo-compiler: ignore SLO405 one gateway, two pages")
    assert check(first, ignoring) == []
    assert check(ignoring) == []


def test_an_expired_waiver_is_judged_only_by_a_day() -> None:
    spec = SPEC.replace(AVAILABILITY + "\n", "").replace("150ms", "250ms")
    waiver = "  waivers: [{code: SLO407, reason: no gateway yet, until: 2020-01-31}]"
    text = spec.replace("  objectives", f"{waiver} # slo-compiler: ignore SLO306 {WHY}\n  objectives")
    assert shown(check(text)) == [("SLO407", 11)]
    assert shown(check(text, today=None)) == []


def test_waived_findings_are_information_that_an_ignore_may_silence() -> None:
    spec = SPEC.replace(AVAILABILITY + "\n", "").replace("150ms", "250ms")
    waiver = "  waivers: [{code: SLO407, reason: no gateway yet, until: 2030-01-31}]\n  objectives"
    (waived,) = check(spec.replace("  objectives", waiver))
    assert waived.severity is Severity.INFO
    assert waived.hint == "nothing to do before 2030-01-31"


def test_json_has_no_comments() -> None:
    document = {"apiVersion": "slo-compiler/v1", "kind": "InferenceSLO", "x": f"# slo-compiler: ignore SLO201 {WHY}"}
    loaded = load_bytes(json.dumps(document).encode(), "a.json")
    assert loaded.directives == []
    assert load_bytes(at_line_10(f"# slo-compiler: ignore SLO403 {WHY}").encode(), "a.json").directives == []


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    return tmp_path / "specs" / "chat.yaml"


def test_commands_respect_them_alike(workplace: Path) -> None:
    workplace.write_text(SPEC, encoding="utf-8")
    strict = ["validate", "--warnings-as-errors"]
    assert CliRunner().invoke(cli, strict).exit_code == 1
    workplace.write_text(at_line_10(f"# slo-compiler: ignore SLO403 {WHY}"), encoding="utf-8")
    assert CliRunner().invoke(cli, strict).exit_code == 0
    compiled = CliRunner().invoke(cli, ["compile"])
    assert compiled.exit_code == 0
    assert "SLO403" not in compiled.output
    workplace.write_text(at_line_10("# slo-compiler: ignore SLO403"), encoding="utf-8")
    assert "SLO208" in CliRunner().invoke(cli, ["compile"]).stderr
    assert CliRunner().invoke(cli, strict).exit_code == 1


@given(
    st.lists(
        st.sampled_from(["# slo-compiler: ignore SLO403 x", "a: 'b # c'", "- |", "  # x", "", "'", "é: #", "]", "---"])
    )
)
def test_any_lines_are_read_without_a_fault(lines: list[str]) -> None:
    loaded = load_bytes("\n".join(lines).encode(), "a.yaml")
    for directive in loaded.directives:
        assert (
            loaded.lines[directive.span.line - 1][directive.span.column - 1 : directive.span.end_column - 1]
            == directive.text
        )
        assert directive.line is None or directive.line >= directive.span.line


def test_ten_thousand_comments_are_read_in_linear_time() -> None:
    text = "".join(f"k{number}: v # slo-compiler: ignore SLO403 x\n" for number in range(10_000))
    found = read_directives(text, "a.yaml")
    assert [directive.line for directive in found] == list(range(1, 10_001))
