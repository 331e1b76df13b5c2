"""`init`: what it writes is valid, compiles and is green as it stands; what is in its way stays."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from slo_compiler import scaffold
from slo_compiler.cli import cli
from slo_compiler.cli import init as init_module
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.engine_versions import known_versions
from slo_compiler.engines import load_builtin_engines
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import Checked, check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.resources import template_path
from slo_compiler.shipped_catalog import load_builtin_catalog
from slo_compiler.write import place
from slo_compiler.write.apply import replace_file

USE_CASES = list(load_builtin_catalog().use_cases)
VERSIONS = [(name, version) for name, engine in load_builtin_engines().items() for version in known_versions(engine)]
ANSWERS = {
    "--engine": "vllm@0.11",
    "--use-case": "chatbot",
    "--service": "helpdesk",
    "--model": "acme/Writer-7B",
    "--endpoint": "/v1/completions",
}
SCAFFOLD = {
    ".github/workflows/slo.yaml",
    ".gitignore",
    ".gitlab-ci.yml",
    ".pre-commit-config.yaml",
    "README.md",
    "schemas/Config.schema.json",
    "schemas/InferenceSLO.schema.json",
    "schemas/SLO.schema.json",
    "slo-compiler.yaml",
    "specs/helpdesk/chatbot.yaml",
}
SPEC = "specs/helpdesk/chatbot.yaml"
HOSTILE = {
    "double quotes": 'say "hello"',
    "single quotes": "it's",
    "both quotes": "\"'\"'",
    "a template": "{{ 7 * 7 }}{% raw %}",
    "a comment": "model # not a comment",
    "a key": "kind: ExperienceCatalog",
    "a line break": "one\n  team: two\nkind: SLO",
    "a tab and a carriage return": "one\ttwo\rthree",
    "a terminal escape": "\x1b[31mred\x07",
    "unicode": "modèle-模型-🦙",
    "a line separator": "one\u2028two\x85three",
    "a word that YAML converts": "yes",
    "a number": "0x1F",
    "an anchor": "&anchor *alias !tag",
    "a document end": "...",
    "a backslash": "a\\nb\\",
    "a placeholder of Go": '{{ "{{" }} $value',
}


def flags(**changes: str | list[str] | None) -> list[str]:
    """Arguments that ask nothing, with some of them changed; None leaves a flag out, a list repeats it."""
    answers: dict[str, str | list[str] | None] = {**ANSWERS}
    answers.update({f"--{name.replace('_', '-')}": value for name, value in changes.items()})
    found = []
    for flag, value in answers.items():
        for text in value if isinstance(value, list) else [value]:
            found += [flag, text] if text is not None else []
    return found


def run(*arguments: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(cli, list(arguments), input=answers)


def init(*arguments: str, **changes: str | list[str] | None) -> Result:
    return run("init", *arguments, *flags(**changes))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def without_out(folder: Path) -> set[str]:
    return {path for path in contents(folder) if not path.startswith("out/")}


def request(engine: str, use_cases: list[str]) -> scaffold.Request:
    resolved, version = scaffold.read_engine(engine)
    return scaffold.Request(resolved, version, tuple(use_cases), "helpdesk", "acme/Writer-7B", "/v1/completions")


def specs_of(engine: str, use_cases: list[str]) -> dict[str, str]:
    files = scaffold.scaffold(request(engine, use_cases))
    return {file.path: file.text for file in files if file.path.startswith("specs/")}


def judged(specs: dict[str, str]) -> Checked:
    return check_loaded(iter([load_bytes(text.encode(), path) for path, text in specs.items()]), Environment())


def loud(checked: Checked) -> list[tuple[str, str]]:
    """The file and code of each warning and error."""
    return [
        (diagnostic.span.path, diagnostic.code.name)
        for diagnostic in checked.diagnostics
        if diagnostic.severity is not Severity.INFO
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody can be asked."""
    monkeypatch.setattr(init_module, "on_terminal", lambda: True)


class TestWhatIsWritten:
    def test_files_and_report_agree(self, folder: Path) -> None:
        result = init()
        assert result.exit_code == 0, result.output
        assert without_out(folder) == SCAFFOLD
        assert {line.strip() for line in result.stdout.splitlines()} >= SCAFFOLD
        assert result.stderr == ""

    def test_every_template_is_used(self) -> None:
        assert {path.name for path in template_path("init").iterdir()} == {*scaffold.FILES.values(), scaffold.SPEC}

    def test_a_folder_that_does_not_exist_is_made(self, folder: Path) -> None:
        assert init("deep/down/slos").exit_code == 0
        assert without_out(folder / "deep/down/slos") == SCAFFOLD

    def test_quiet_says_nothing(self, folder: Path) -> None:
        result = init("-q")
        assert (result.exit_code, result.output) == (0, "")

    def test_the_next_commands_work_verbatim(self, folder: Path) -> None:
        printed = [line.strip() for line in init().stdout.splitlines() if line.startswith("  slo-compiler ")]
        assert printed == list(scaffold.NEXT)
        for line in printed[:-1]:  # promtool is asked elsewhere
            result = run(*shlex.split(line)[1:])
            assert result.exit_code == 0, result.output
        assert "up to date" in result.stderr

    def test_the_spec_says_what_was_asked_for(self, folder: Path) -> None:
        init()
        spec = yaml.safe_load(Path(SPEC).read_text("utf-8"))["spec"]
        assert spec["service"] == "helpdesk"
        assert spec["model"] == "acme/Writer-7B"
        assert spec["endpoint"] == "/v1/completions"
        assert spec["engine"] == {"name": "vllm", "version": "0.11"}
        assert spec["useCase"] == "chatbot"
        assert [objective["sli"] for objective in spec["objectives"]] == ["ttft", "itl", "e2e", "availability"]

    @pytest.mark.parametrize("part", ["team: change-me", "job: vllm-chatbot", "source:"])
    def test_every_placeholder_has_its_mark_above(self, folder: Path, part: str) -> None:
        init()
        lines = Path(SPEC).read_text("utf-8").splitlines()
        (at,) = [number for number, line in enumerate(lines) if line.strip() == part]
        above = []
        for line in reversed(lines[:at]):
            if not line.strip().startswith("#") and not line.strip().endswith(":"):
                break
            above.append(line)
        assert any("# EDIT: " in line for line in above)

    def test_editors_find_the_schema_and_agree(self, folder: Path) -> None:
        init()
        for path in (Path(SPEC), Path("slo-compiler.yaml")):
            text = path.read_text("utf-8")
            found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
            assert found is not None
            schema = json.loads((path.parent / found[1]).read_text("utf-8"))
            assert list(Draft202012Validator(schema).iter_errors(yaml.safe_load(text))) == []

    def test_hooks_download_nothing(self, folder: Path) -> None:
        init()
        (repository,) = yaml.safe_load(Path(".pre-commit-config.yaml").read_text("utf-8"))["repos"]
        assert repository["repo"] == "local"
        assert {hook["language"] for hook in repository["hooks"]} == {"system"}
        assert [hook["entry"] for hook in repository["hooks"]] == [
            "slo-compiler validate",
            "slo-compiler compile specs -o out --check",
        ]

    @pytest.mark.parametrize("path", [".github/workflows/slo.yaml", ".gitlab-ci.yml"])
    def test_ci_checks_compiles_and_proves(self, folder: Path, path: str) -> None:
        init()
        lines = [
            line for line in steps(yaml.safe_load(Path(path).read_text("utf-8"))) if line.startswith("slo-compiler")
        ]
        assert list(dict.fromkeys(line.split()[1] for line in lines)) == ["validate", "compile", "test"]
        assert [line for line in lines if "--check" in line] == ["slo-compiler compile specs -o out --check"]
        for line in lines[:-1]:
            result = run(*shlex.split(line.partition(" > ")[0])[1:])
            assert result.exit_code == 0, result.output

    @pytest.mark.parametrize(("path", "form"), [(".github/workflows/slo.yaml", "github"), (".gitlab-ci.yml", "gitlab")])
    def test_ci_annotates_the_change(self, folder: Path, path: str, form: str) -> None:
        init()
        lines = steps(yaml.safe_load(Path(path).read_text("utf-8")))
        assert any(f"validate specs --format {form}" in line for line in lines)

    def test_every_command_of_the_readme_works(self, folder: Path) -> None:
        init()
        text = Path("README.md").read_text("utf-8")
        commands = re.findall(r"^ *(slo-compiler .*)$", text, re.MULTILINE) + re.findall(
            r"`(slo-compiler [^`]+)`", text
        )
        assert len(commands) > 8
        for line in commands:
            words = shlex.split(line.partition(" > ")[0])[1:]
            if words[0] != "test":
                result = run(*words)
                assert result.exit_code == 0, result.output
                if " > " in line:
                    assert Path(line.partition(" > ")[2]).read_text("utf-8") == result.stdout

    def test_links_of_the_readme_lead_somewhere(self, folder: Path) -> None:
        init()
        links = re.findall(r"\]\(([^)]+)\)", Path("README.md").read_text("utf-8"))
        assert links
        assert all(Path(link).exists() for link in links)

    def test_same_flags_same_bytes_whatever_their_order_and_the_folder(self, folder: Path) -> None:
        assert init("one", use_case=["voice-agent", "chatbot"]).exit_code == 0
        assert init("two/deeper", use_case=["chatbot", "voice-agent", "chatbot"]).exit_code == 0
        assert contents(folder / "one") == contents(folder / "two/deeper")


def steps(document: dict[str, Any]) -> Iterator[str]:
    """The shell commands of a pipeline of GitHub or GitLab."""
    if "jobs" in document:
        yield from (step["run"] for step in document["jobs"]["slo"]["steps"] if "run" in step)
    else:
        yield from (*document["slo"]["before_script"], *document["slo"]["script"])


class TestNumbers:
    """What the spec promises where the engine has no bucket at the catalog's threshold."""

    def objectives(self, engine: str, use_case: str) -> dict[str, dict[str, Any]]:
        (text,) = specs_of(engine, [use_case]).values()
        return {objective["sli"]: objective for objective in yaml.safe_load(text)["spec"]["objectives"]}

    def test_a_bucket_is_left_to_the_catalog(self) -> None:
        assert self.objectives("vllm@0.11", "code-completion")["ttft"] == {"sli": "ttft"}

    def test_the_next_bucket_is_promised_where_the_class_allows_it(self) -> None:
        assert self.objectives("vllm@0.11", "chatbot")["ttft"] == {"sli": "ttft", "threshold": "250ms"}

    def test_over_the_ceiling_the_catalog_stands_and_a_comment_says_why_it_warns(self) -> None:
        assert self.objectives("vllm@0.11", "translation")["itl"] == {"sli": "itl"}
        (text,) = specs_of("vllm@0.11", ["translation"]).values()
        assert "class deferred allows 40ms" in text.replace("\n    # ", " ")

    def test_what_no_bucket_reaches_is_left_out_with_the_reason(self) -> None:
        assert "e2e" not in self.objectives("vllm@0.8.0", "research-legal")
        (text,) = specs_of("vllm@0.8.0", ["research-legal"]).values()
        assert "No objective for the end-to-end latency: vLLM 0.8.0 cannot measure e2e at 1m20s" in text.replace(
            "\n    # ", " "
        )

    def test_a_batch_job_promises_a_time(self) -> None:
        assert self.objectives("vllm", "batch-agent")["job_completion"]["threshold"] == "4h"
        assert "job_completion" not in self.objectives("vllm", "chatbot")


@pytest.mark.parametrize("use_case", USE_CASES)
def test_every_use_case_alone_is_valid_and_compiles(folder: Path, use_case: str) -> None:
    result = init(use_case=use_case)  # compiles
    assert result.exit_code == 0, result.output
    assert [path for path in contents(folder) if path.startswith("specs/")] == [f"specs/helpdesk/{use_case}.yaml"]
    assert run("validate", "--warnings-as-errors").exit_code == 0
    assert (folder / f"out/rules/helpdesk/{use_case}.yaml").is_file()
    assert run("compile", "--check").exit_code == 0


def test_all_use_cases_at_once_are_valid_and_compile(folder: Path) -> None:
    result = init(use_case=USE_CASES)
    assert result.exit_code == 0, result.output
    assert len(list(Path("specs/helpdesk").iterdir())) == len(USE_CASES)
    assert run("validate", "--warnings-as-errors").exit_code == 0
    assert run("compile", "--check").exit_code == 0


@pytest.mark.parametrize(("engine", "version"), VERSIONS)
def test_every_engine_version_gives_valid_specs(engine: str, version: str) -> None:
    assert loud(judged(specs_of(f"{engine}@{version}", ["chatbot", "research-legal"]))) == []


def test_without_a_version_the_newest_is_written() -> None:
    (text,) = specs_of("vllm", ["chatbot"]).values()
    assert yaml.safe_load(text)["spec"]["engine"]["version"] == known_versions(load_builtin_engines()["vllm"])[-1]


def test_a_version_that_is_not_known_is_kept_and_the_warning_explained() -> None:
    specs = specs_of("vllm@77.3", ["code-completion"])
    (text,) = specs.values()
    assert yaml.safe_load(text)["spec"]["engine"]["version"] == "77.3"
    assert loud(judged(specs)) == [("specs/helpdesk/code-completion.yaml", "SLO401")]
    assert "# validate warns (SLO401): vLLM 77.3 is not known" in text


@pytest.mark.promtool
@pytest.mark.parametrize(
    ("use_case", "model"),
    [
        pytest.param("code-completion", ANSWERS["--model"], marks=pytest.mark.thorough),
        ("voice-agent", "\"q\" 'q' {{ x }}\n# 模型\\"),
    ],
)
def test_the_generated_tests_are_green(folder: Path, use_case: str, model: str) -> None:
    assert init(use_case=use_case, model=model).exit_code == 0
    result = run("test", "out")
    assert result.exit_code == 0, result.output


class TestHostileValues:
    @pytest.mark.parametrize("flag", ["model", "endpoint"])
    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
    def test_free_text_is_kept_and_means_nothing(self, folder: Path, flag: str, text: str) -> None:
        result = init(**{flag: text})
        assert result.exit_code == 0, result.output
        (document,) = load_bytes(Path(SPEC).read_bytes(), SPEC).documents
        assert document.data["spec"][flag] == text
        assert list(document.data["spec"]) == [
            "service", "model", "endpoint", "engine", "selector", "useCase", "stage", "timeWindow", "objectives",
        ]  # fmt: skip

    @pytest.mark.parametrize("name", [name for name in HOSTILE if name != "a word that YAML converts"])
    @pytest.mark.parametrize("flag", ["engine", "use_case", "service"])
    def test_names_are_checked(self, folder: Path, flag: str, name: str) -> None:
        text = HOSTILE[name]
        result = init(**{flag: text})
        assert result.exit_code == 2
        assert f"--{flag.replace('_', '-')}: " in result.stderr
        assert contents(folder) == {}

    @pytest.mark.parametrize("service", ["yes", "null", "12", "1e3", "2027-03-01", "0x1f"])
    def test_a_service_that_yaml_would_convert_is_a_name(self, folder: Path, service: str) -> None:
        assert init(service=service).exit_code == 0
        assert yaml.safe_load(Path(f"specs/{service}/chatbot.yaml").read_text("utf-8"))["spec"]["service"] == service

    @pytest.mark.parametrize(
        ("service", "offer"),
        [("../x", "use x"), ("/etc/cron.d", "use etc-cron-d"), ("Help Desk", "use help-desk"), ("..", "no DNS label")],
    )
    def test_no_service_leads_out_of_the_folder(self, folder: Path, service: str, offer: str) -> None:
        result = init("inside", service=service)
        assert result.exit_code == 2
        assert offer in result.stderr
        assert contents(folder) == {}

    @pytest.mark.parametrize("name", ["with space", "it's", '{{ x }} "q"', "-dash", "模型", "a\nb", "#"])
    def test_any_folder_will_do(self, folder: Path, name: str) -> None:
        result = run("init", *flags(), "--", name)
        assert result.exit_code == 0, result.output
        assert without_out(folder / name) == SCAFFOLD

    @pytest.mark.parametrize("flag", ["--model", "--endpoint"])
    @pytest.mark.parametrize(("text", "why"), [("", "empty"), (" \n", "empty"), ("a\udcffb", "UTF-8")])
    def test_what_is_no_text_is_refused(self, folder: Path, flag: str, text: str, why: str) -> None:
        result = init(**{flag.strip("-"): text})
        assert result.exit_code == 2
        assert why in result.stderr

    @pytest.mark.parametrize(
        ("flag", "text", "hint"),
        [
            ("engine", "vlm", "did you mean vllm?"),
            ("engine", "vllm@0.1", "oldest release"),
            ("engine", "vllm@", "no version"),
            ("engine", "vllm@new", "known versions"),
            ("use_case", "chat-bot", "did you mean chatbot?"),
            ("use_case", "chatbot,translation", "unknown use case"),
        ],
    )
    def test_the_nearest_name_is_offered(self, folder: Path, flag: str, text: str, hint: str) -> None:
        result = init(**{flag: text})
        assert result.exit_code == 2
        assert hint in result.stderr

    def test_all_faults_are_told_at_once(self, folder: Path) -> None:
        result = init(
            engine="vlm", use_case=["chatbot", "chatbt", "tranlation"], service="A B", model="", endpoint=None
        )
        assert result.exit_code == 2
        for part in ("vllm?", "chatbot?", "translation?", "a-b", "--model: ", "missing", "--endpoint"):
            assert part in result.stderr

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_templates_escape_whatever_they_are_given(self, text: str) -> None:
        rendered = scaffold._templates().from_string("before: 1\nvalue: {{ text }}\nafter: 2\n").render(text=text)
        loaded = load_bytes(rendered.encode(), "x.yaml")
        assert loaded.diagnostics == []
        assert loaded.documents[0].data == {"before": "1", "value": text, "after": "2"}

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_a_comment_stays_one(self, text: str) -> None:
        lines = scaffold._comment(f"x {text}", 4).splitlines()
        assert all(line.strip().startswith("# ") for line in lines)


class TestQuestions:
    def test_only_what_is_missing_is_asked(self, folder: Path, terminal: None) -> None:
        result = run("init", *flags(model=None), answers="acme/Asked-3B\n")
        assert result.exit_code == 0, result.output
        assert "Model [" in result.stderr
        assert "Endpoint" not in result.stderr
        assert yaml.safe_load(Path(SPEC).read_text("utf-8"))["spec"]["model"] == "acme/Asked-3B"

    def test_nothing_is_asked_where_flags_say_it_all(self, folder: Path, terminal: None) -> None:
        assert init().stderr == ""

    def test_answers_are_taken_in_order(self, folder: Path, terminal: None) -> None:
        answers = "vllm@0.12\nchatbot, voice-agent,\nfront-desk\nacme/M\n/v1/x\n"
        result = run("init", answers=answers)
        assert result.exit_code == 0, result.output
        specs = sorted(path.name for path in Path("specs/front-desk").iterdir())
        assert specs == ["chatbot.yaml", "voice-agent.yaml"]

    def test_enter_takes_what_is_proposed(self, folder: Path, terminal: None) -> None:
        result = run("init", answers="\n" * 5)
        assert result.exit_code == 0, result.output
        assert Path("specs/assistant/chatbot.yaml").is_file()

    def test_a_wrong_answer_is_asked_for_again(self, folder: Path, terminal: None) -> None:
        answers = "vlm\nvllm\n,\nchatbt\nchatbot\n../x\nx\nacme/M\n/v1/x\n"
        result = run("init", answers=answers)
        assert result.exit_code == 0, result.output
        for hint in ("did you mean vllm?", "did you mean chatbot?", "use x"):
            assert hint in result.stderr
        assert Path("specs/x/chatbot.yaml").is_file()

    def test_choices_are_shown(self, folder: Path, terminal: None) -> None:
        result = run("init", answers="\n" * 5)
        assert all(name in result.stderr for name in (*load_builtin_engines(), *USE_CASES))

    def test_a_wrong_flag_is_told_before_anything_is_asked(self, folder: Path, terminal: None) -> None:
        result = run("init", "--service", "A", answers="\n" * 5)
        assert result.exit_code == 2
        assert "Engine" not in result.stderr

    def test_the_end_of_input_writes_nothing(self, folder: Path, terminal: None) -> None:
        result = run("init", answers="vllm\n")
        assert result.exit_code == 1
        assert contents(folder) == {}

    def test_without_a_terminal_the_missing_flags_are_named(self, folder: Path) -> None:
        result = run("init", "--engine", "vllm", "--model", "m", answers="\n" * 9)
        assert result.exit_code == 2
        assert "--use-case, --service, --endpoint" in result.stderr
        assert "--model" not in result.stderr.partition("missing")[2]
        assert contents(folder) == {}

    def test_without_any_stdin_nothing_is_asked(self, folder: Path) -> None:
        done = subprocess.run(
            ["sh", "-c", f"exec {shlex.quote(sys.executable)} -m slo_compiler init <&-"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert "--engine, --use-case" in done.stderr

    def test_a_real_terminal_is_asked(self, folder: Path) -> None:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "slo_compiler", "init"], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        os.close(theirs)
        try:
            os.write(ours, b"vllm@0.12\nchatbot\nfront-desk\nacme/M\n/v1/x\n")
            output, asked = process.communicate(timeout=120)
        finally:
            process.kill()
            os.close(ours)
        assert process.returncode == 0, asked
        assert b"Engine (" in asked
        assert b"specs/front-desk/chatbot.yaml" in output


class TestWhatIsInTheWay:
    def test_everything_in_the_way_is_listed_and_stays(self, folder: Path) -> None:
        Path("README.md").write_text("mine\n", encoding="utf-8")
        Path(SPEC).parent.mkdir(parents=True)
        Path(SPEC).write_text("mine: too\n", encoding="utf-8")
        before = contents(folder)
        result = init()
        assert result.exit_code == 1
        assert "README.md:1:1: error[SLO602]" in result.stderr
        assert f"{SPEC}:1:1: error[SLO602]" in result.stderr
        assert "--force" in result.stderr
        assert "nothing was written" in result.stderr
        assert contents(folder) == before

    def test_a_second_run_is_refused(self, folder: Path) -> None:
        init()
        before = contents(folder)
        result = init(model="acme/Other")
        assert result.exit_code == 1
        assert result.stderr.count("error[SLO602]") == len(SCAFFOLD)
        assert contents(folder) == before

    def test_force_overwrites_and_leaves_the_rest(self, folder: Path) -> None:
        Path("README.md").write_text("mine\n", encoding="utf-8")
        Path("notes.md").write_text("mine\n", encoding="utf-8")
        assert init("--force").exit_code == 0
        assert Path("README.md").read_text("utf-8").startswith("# SLOs of helpdesk\n")
        assert Path("notes.md").read_text("utf-8") == "mine\n"

    def test_force_with_another_use_case_keeps_the_old_spec_and_compiles_both(self, folder: Path) -> None:
        init()
        assert init("--force", use_case="voice-agent").exit_code == 0
        assert Path(SPEC).is_file()
        assert run("compile", "--check").exit_code == 0
        assert len(list(Path("out/rules/helpdesk").iterdir())) == 2

    def test_other_files_are_no_obstacle(self, folder: Path) -> None:
        Path("notes.md").write_text("mine\n", encoding="utf-8")
        Path(".git").mkdir()
        assert init().exit_code == 0

    @pytest.mark.parametrize("force", [[], ["--force"]], ids=["without force", "with force"])
    def test_links_are_never_followed(self, folder: Path, force: list[str]) -> None:
        outside = folder / "outside"
        (outside / "inner").mkdir(parents=True)
        (outside / "file").write_text("theirs\n", encoding="utf-8")
        here = folder / "here"
        here.mkdir()
        (here / "specs").symlink_to(outside / "inner")
        (here / "README.md").symlink_to(outside / "file")
        (here / ".gitignore").symlink_to(outside / "nothing")
        result = init("here", *force)
        assert result.exit_code == 1
        assert "a link leads out" in result.stderr
        assert "here/README.md" in result.stderr
        assert "here/.gitignore" in result.stderr
        assert (outside / "file").read_text("utf-8") == "theirs\n"
        assert contents(outside) == {"file": b"theirs\n"}

    @pytest.mark.parametrize("force", [[], ["--force"]], ids=["without force", "with force"])
    def test_folders_and_files_in_each_others_place_stay(self, folder: Path, force: list[str]) -> None:
        Path("README.md").mkdir()
        Path("schemas").write_text("mine\n", encoding="utf-8")
        result = init(*force)
        assert result.exit_code == 1
        assert "README.md:1:1: error[SLO602]: a folder stands in its place" in result.stderr
        assert "the file schemas stands in place of its folder" in result.stderr
        assert contents(folder) == {"schemas": b"mine\n"}

    def test_a_file_is_no_folder_to_write_into(self, folder: Path) -> None:
        Path("taken").write_text("mine\n", encoding="utf-8")
        assert init("taken").exit_code == 2
        assert init("taken/deeper").exit_code == 1
        assert contents(folder) == {"taken": b"mine\n"}

    def test_foreign_outputs_undo_it_all(self, folder: Path) -> None:
        foreign = Path("out/rules/helpdesk/chatbot.yaml")
        foreign.parent.mkdir(parents=True)
        foreign.write_text("groups: []\n", encoding="utf-8")
        result = init()
        assert result.exit_code == 1
        assert f"{foreign}:1:1: error[SLO602]" in result.stderr
        assert set(contents(folder)) == {foreign.as_posix()}
        assert not Path("specs").exists()

    def test_a_broken_spec_beside_them_undoes_it_all(self, folder: Path) -> None:
        Path("specs").mkdir()
        Path("specs/broken.yaml").write_text("kind: [\n", encoding="utf-8")
        result = init()
        assert result.exit_code == 1
        assert "specs/broken.yaml:1:8: error[SLO101]" in result.stderr
        assert set(contents(folder)) == {"specs/broken.yaml"}

    @pytest.mark.parametrize(("name", "code"), [("x" * 300, 2), ("/proc/slos", 3)], ids=["too long", "no disk"])
    def test_a_folder_that_cannot_be_made_is_told(self, folder: Path, name: str, code: int) -> None:
        result = init(name)
        assert result.exit_code == code
        assert isinstance(result.exception, SystemExit)
        assert name in result.stderr


Write = Callable[[Path, bytes], None]


@pytest.mark.parametrize("fails_at", range(1, len(SCAFFOLD) + 1))
@pytest.mark.parametrize(
    "fault", [OSError(28, "No space left on device", "x"), KeyboardInterrupt()], ids=["disk", "key"]
)
def test_a_write_that_fails_leaves_everything_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int, fault: BaseException
) -> None:
    Path("README.md").write_text("mine\n", encoding="utf-8")
    Path("schemas").mkdir()
    before, folders = contents(folder), sorted(folder.rglob("*"))
    write: Write = replace_file
    count = 0

    def failing(target: Path, content: bytes) -> None:
        nonlocal count
        count += 1
        if count == fails_at:
            raise fault
        write(target, content)

    monkeypatch.setattr(place, "replace_file", failing)
    result = init("--force")
    assert result.exit_code == (3 if isinstance(fault, OSError) else 1)
    assert contents(folder) == before
    assert sorted(folder.rglob("*")) == folders


def test_a_new_folder_is_taken_away_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(target: Path, content: bytes) -> None:
        if target.name == "chatbot.yaml":
            raise OSError(28, "No space left on device", str(target))
        replace_file(target, content)

    monkeypatch.setattr(place, "replace_file", failing)
    result = init("deep/slos")
    assert result.exit_code == 3
    assert "chatbot.yaml: No space left on device; nothing was written" in result.stderr
    assert list(folder.iterdir()) == []
