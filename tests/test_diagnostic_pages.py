"""The pages of the diagnostics are true: the wrong example yields the code, the mended one does not."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.diagnostics import Code, Diagnostic, Severity
from slo_compiler.diagnostics.report import Report
from slo_compiler.diagnostics.report_text import render_text
from slo_compiler.documents.config import Config
from slo_compiler.documents.read import read_model
from slo_compiler.load.yaml import LoadedFile, load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.resources import builtin_path

GOLDEN = Path(__file__).parent.parent / "golden" / "diagnostics"
HEADINGS = ["What", "Why it matters", "How to mend", "Wrong", "Right"]
TODAY = datetime.date(2027, 3, 1)
# An expired waiver lifts nothing any more, so the finding that it lifted is always beside it.
COMPANIONS = {Code.SLO306: {Code.SLO407}}
CONSOLE = {Code.SLO207, Code.SLO602, Code.SLO603, Code.SLO604, Code.SLO605}
WITH_SPEC = [code for code in Code if code not in CONSOLE]

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """A page in its parts; the text of each section by heading."""

    title: str
    severity: Severity
    sections: dict[str, str]

    def example(self, heading: str) -> tuple[str, str | None]:
        """The spec of a section, and the configuration beside it."""
        fences = [match[2] for match in _FENCE.finditer(self.sections[heading])]
        return fences[0], fences[1] if len(fences) > 1 else None


def read_page(code: Code) -> Page:
    text = builtin_path("diagnostics", f"{code.name}.md").read_text(encoding="utf-8")
    head, *rest = _SECTION.split(text)
    title, _, severity = head.strip().partition("\n\nSeverity: ")
    word = re.match(r"error|warning|info", severity)
    assert word is not None, f"{code.name}: no severity line"
    return Page(title, Severity(word[0]), dict(zip(rest[::2], rest[1::2], strict=True)))


def find(example: tuple[str, str | None]) -> tuple[list[Diagnostic], LoadedFile]:
    """What `validate` finds in an example."""
    text, settings = example
    config = Config()
    if settings is not None:
        model, faults = read_model(Config, load_bytes(settings.encode(), "slo-compiler.yaml").documents[0])
        assert isinstance(model, Config), faults
        config = model
    loaded = load_bytes(text.encode(), "chat.yaml")
    return check_loaded(iter([loaded]), Environment(config), TODAY).diagnostics, loaded


def judged(found: list[Diagnostic], code: Code, severity: Severity) -> list[Diagnostic]:
    """Errors and warnings; of the information only what the page is about."""
    return [d for d in found if d.severity is not Severity.INFO or (severity is Severity.INFO and d.code is code)]


def compare(code: Code, text: str) -> None:
    """Compares with `golden/diagnostics/`, or rewrites it."""
    path = GOLDEN / f"{code.name}.txt"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "UPDATE_GOLDEN=1 pytest tests/test_diagnostic_pages.py rewrites it"


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    pages = {path.name for path in builtin_path("diagnostics").iterdir()}
    assert pages == {f"{code.name}.md" for code in Code}


def test_every_code_has_a_golden_text_and_every_golden_text_a_code() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{code.name}.txt" for code in Code}


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_pages_have_the_same_shape(code: Code) -> None:
    page = read_page(code)
    assert page.title == f"# {code.name}: {code.value}"
    assert list(page.sections) == HEADINGS
    assert all(text.strip() for text in page.sections.values())


@pytest.mark.parametrize("code", WITH_SPEC, ids=lambda code: code.name)
def test_wrong_example_yields_exactly_its_code(code: Code) -> None:
    page = read_page(code)
    diagnostics, loaded = find(page.example("Wrong"))
    found = judged(diagnostics, code, page.severity)
    assert {d.code for d in found} == {code} | COMPANIONS.get(code, set())
    assert {d.severity for d in found if d.code is code} == {page.severity}
    assert all(d.hint for d in found), "an error or a warning says how to mend it"
    compare(code, render_text(Report(found, {loaded.path: loaded.lines}, files=1)) + "\n")


@pytest.mark.parametrize("code", WITH_SPEC, ids=lambda code: code.name)
def test_right_example_yields_none_of_its_code_and_no_error(code: Code) -> None:
    page = read_page(code)
    found, _ = find(page.example("Right"))
    assert code not in {d.code for d in found}
    assert not judged(found, code, page.severity)


def test_the_session_of_a_foreign_file_runs_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = read_page(Code.SLO602)
    commands, _ = page.example("Wrong")
    expected = "".join(line for line in commands.splitlines(keepends=True) if not line.startswith("$ "))
    monkeypatch.chdir(tmp_path)
    Path("chat.yaml").write_text(read_page(Code.SLO203).example("Right")[0], encoding="utf-8")
    foreign = Path("out/rules/assistant/chat.yaml")
    foreign.parent.mkdir(parents=True)
    foreign.write_text("groups: []\n", encoding="utf-8")

    refused = CliRunner().invoke(cli, ["compile", "chat.yaml", "-o", "out", "-q"])
    assert (refused.exit_code, refused.stdout, refused.stderr) == (1, "", expected)
    assert foreign.read_text(encoding="utf-8") == "groups: []\n"
    compare(Code.SLO602, refused.stderr)

    foreign.rename("by-hand.yaml")
    assert CliRunner().invoke(cli, ["compile", "chat.yaml", "-o", "out", "-q"]).exit_code == 0


def test_the_session_of_a_migration_runs_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = read_page(Code.SLO207)
    old, session = page.example("Wrong")
    new, _ = page.example("Right")
    assert session is not None
    expected = "".join(line for line in session.splitlines(keepends=True) if not line.startswith("$ "))
    monkeypatch.chdir(tmp_path)
    Path("chat.yaml").write_text(old, encoding="utf-8")

    done = CliRunner().invoke(cli, ["migrate", "chat.yaml"])
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", expected)
    assert Path("chat.yaml").read_text(encoding="utf-8") == new
    compare(Code.SLO207, done.stderr)

    again = CliRunner().invoke(cli, ["migrate", "chat.yaml", "-q"])
    assert (again.exit_code, again.output) == (0, "")
    assert CliRunner().invoke(cli, ["validate", "chat.yaml", "-q"]).exit_code == 0


def session(code: Code) -> tuple[list[str], str]:
    """The commands of a page's wrong example, and all that they print."""
    shown, _ = read_page(code).example("Wrong")
    lines = shown.splitlines(keepends=True)
    commands = [line.removeprefix("$ ").rstrip("\n") for line in lines if line.startswith("$ ")]
    return commands, "".join(line for line in lines if not line.startswith("$ "))


def compiled(code: Code, commands: list[str]) -> str:
    """What the last of the commands says, which fails; the shell runs those between."""
    shell = [command for command in commands if not command.startswith("slo-compiler ")]
    if commands[0].startswith("slo-compiler "):
        assert CliRunner().invoke(cli, commands[0].split()[1:]).exit_code == 0
    for command in shell:
        subprocess.run(["bash", "-c", command], check=True)
    refused = CliRunner().invoke(cli, commands[-1].split()[1:])
    assert (refused.exit_code, refused.stdout) == (1, "")
    compare(code, refused.stderr)
    return refused.stderr


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spec, and settings that name a folder of templates which may be made."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/chat.yaml").write_text(read_page(Code.SLO203).example("Right")[0], encoding="utf-8")


@pytest.mark.usefixtures("repository")
def test_the_session_of_lost_words_runs_as_shown() -> None:
    commands, expected = session(Code.SLO604)
    assert compiled(Code.SLO604, commands) == expected
    assert "Restart the router first." in Path("out/runbooks/assistant/chat.md").read_text(encoding="utf-8")
    assert not Path("out/rules/helpdesk").exists()
    Path("out/runbooks/assistant/chat.md").unlink()
    assert CliRunner().invoke(cli, commands[-1].split()[1:]).exit_code == 0


@pytest.mark.usefixtures("repository")
def test_the_session_of_a_broken_template_runs_as_shown() -> None:
    Path("slo-compiler.yaml").write_text("outputs: {runbooks: {templates: own}}\n", encoding="utf-8")
    commands, expected = session(Code.SLO605)
    assert compiled(Code.SLO605, commands) == expected
    assert not Path("out").exists()
    mended = read_page(Code.SLO605).example("Right")[0].splitlines()[0].removeprefix("$ ")
    subprocess.run(["bash", "-c", mended], check=True)
    assert CliRunner().invoke(cli, commands[-1].split()[1:]).exit_code == 0


@pytest.mark.usefixtures("repository")
def test_the_session_of_a_publish_conflict_runs_as_shown() -> None:
    assert CliRunner().invoke(cli, ["compile", "specs", "-o", "out", "-q"]).exit_code == 0
    subprocess.run(["git", "init", "-q", "--bare", "monitoring.git"], check=True)
    commands, expected = session(Code.SLO603)
    assert compiled(Code.SLO603, commands) == expected
    mended = read_page(Code.SLO603).example("Right")[0].splitlines()[0].removeprefix("$ ")
    subprocess.run(["bash", "-c", mended], check=True, capture_output=True)
    again = CliRunner().invoke(cli, [*commands[-1].split()[1:-1]])
    assert (again.exit_code, again.stdout) == (0, "")
    assert "up to date" in again.stderr
