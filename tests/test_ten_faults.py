"""Ten faults in one file are ten findings of one run, and nothing is written."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from slo_compiler.cli import cli

HERE = Path(__file__).parent
GOOD = HERE.parent / "specs" / "vllm" / "chatbot.yaml"

RATIO = (
    "{sli: ratio, name: grounded, "
    "good: 'rag_answers_grounded_total{app=\"search\"}', total: 'rag_answers_total{app=\"search\"}'}"
)
# Line, column, code, what the caret underlines, and a part of the message and of the hint.
EXPECTED = [
    (10, 3, "SLO102", "selector", "selector is given twice (first on line 9)", "keep one of the two"),
    (11, 3, "SLO201", "usecase", "spec has no field usecase", "did you mean useCase?"),
    (12, 10, "SLO203", "prodution", "'prodution' is not one of", "did you mean production?"),
    (14, 30, "SLO203", "250", "'250' is no duration", "write a unit: 250ms, 250s or 250d"),
    (15, 43, "SLO203", "0.95", "'0.95' is no percentage", "write 95%"),
    (21, 26, "SLO203", "severity", "the label severity is written by the compiler", "choose another name"),
    (27, 12, "SLO204", "rag-chatt", "unknown use case rag-chatt", "did you mean rag-chat?"),
    (30, 29, "SLO303", "300ms", "e2e of 300ms is at or under the ttft of 500ms", "raise e2e over 500ms"),
    (31, 13, "SLO402", "tpot", "vLLM 0.10 exposes no metric for tpot", "is in vLLM >=0.11.0"),
    (32, 7, "SLO202", RATIO, "sli ratio needs a target", "target: 95%"),
]


def hashes(folder: Path) -> dict[str, str]:
    """The hash and the time of change of every file."""
    return {
        path.relative_to(
            folder
        ).as_posix(): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `specs/ten.yaml` and an output folder of an earlier, good compilation."""
    monkeypatch.chdir(tmp_path)
    good = tmp_path / "specs" / "good.yaml"
    good.parent.mkdir()
    shutil.copy(GOOD, good)
    assert CliRunner().invoke(cli, ["compile", "specs", "-o", "out", "-q"]).exit_code == 0
    shutil.copy(HERE / "faults" / "ten.yaml", tmp_path / "specs" / "ten.yaml")
    return tmp_path


def compile_ten(*options: str) -> Result:
    return CliRunner().invoke(cli, ["compile", "specs/ten.yaml", "-o", "out", "--color", "never", *options])


def blocks(text: str) -> list[list[str]]:
    """The findings of a report, each with its source line and its caret."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("specs/ten.yaml:"):
            found.append([])
        if found:
            found[-1].append(line)
    return found


def test_ten_faults_are_ten_findings_of_one_run(workplace: Path) -> None:
    result = compile_ten()
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(blocks(result.stderr)) == 10
    assert result.stderr.splitlines()[-2:] == ["10 errors in 1 file", "nothing was written"]


@pytest.mark.parametrize("number", range(10), ids=[f"{case[2]} on line {case[0]}" for case in EXPECTED])
def test_a_finding_has_its_place_its_caret_and_a_hint(workplace: Path, number: int) -> None:
    line, column, code, underlined, message, hint = EXPECTED[number]
    head, source, caret, *rest = blocks(compile_ten().stderr)[number]
    margin = f"{line} | "
    assert head.startswith(f"specs/ten.yaml:{line}:{column}: error[{code}]: ")
    assert message in head
    assert source == margin + Path("specs/ten.yaml").read_text(encoding="utf-8").splitlines()[line - 1]
    marks, _, help_text = "\n".join([caret, *rest]).partition(" help: ")
    marks = marks.partition("\n")[0]
    start = marks.index("^")
    assert start == len(margin) + column - 1
    assert source[start : len(marks)] == underlined
    assert hint in help_text


@pytest.mark.parametrize("options", [(), ("--check",), ("--diff",), ("--no-cache",)], ids=" ".join)
def test_no_byte_of_the_earlier_output_changes(workplace: Path, options: tuple[str, ...]) -> None:
    before = hashes(workplace / "out")
    assert before
    assert compile_ten(*options).exit_code == 1
    assert hashes(workplace / "out") == before


def test_one_bad_file_stops_the_good_one_beside_it(workplace: Path) -> None:
    before = hashes(workplace / "out")
    good = workplace / "specs" / "good.yaml"
    good.write_text(good.read_text(encoding="utf-8").replace("99.9%", "99.7%"), encoding="utf-8")
    assert CliRunner().invoke(cli, ["compile", "specs", "-o", "out"]).exit_code == 1
    assert hashes(workplace / "out") == before


def test_a_folder_that_did_not_exist_still_does_not(workplace: Path) -> None:
    assert CliRunner().invoke(cli, ["compile", "specs/ten.yaml", "-o", "fresh"]).exit_code == 1
    assert not (workplace / "fresh").exists()


def test_validate_as_json_gives_the_same_places(workplace: Path) -> None:
    result = CliRunner().invoke(cli, ["validate", "specs/ten.yaml", "--format", "json"])
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["summary"] == {"files": 1, "errors": 10, "warnings": 0, "hidden": 0, "hiddenByCode": {}}
    found = [(item["line"], item["column"], item["code"]) for item in document["diagnostics"]]
    assert found == [case[:3] for case in EXPECTED]
