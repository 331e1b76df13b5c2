"""`compile` through the command line: what is written, what is left alone, and what every fault does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from slo_compiler.cli import COMMANDS, cli
from slo_compiler.write import session
from slo_compiler.write.apply import apply_action
from slo_compiler.write.plan import Action

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {{name: {name}}}
spec:
  service: {service}
  model: acme/{name}
  endpoint: /v1/chat/completions
  engine: {{name: vllm, version: "0.11"}}
  selector: {{namespace: prod, job: {name}}}
  experienceClass: conversational
  traffic: {{promptTokens: 512, outputTokens: 256, streaming: true}}
  objectives:
    - {{sli: ttft, threshold: 250ms, target: 95%}}
    - {{sli: availability, target: 99.7%, source: {{bad: 'gw_bad_total{{app="{name}"}}', total: 'gw_total{{app="{name}"}}'}}}}
"""
CHAT, CODE = "specs/chat.yaml", "specs/code.yaml"
RULES = {CHAT: "out/rules/assistant/chat.yaml", CODE: "out/rules/editor/code.yaml"}
TESTS = {
    "out/tests/assistant/chat.fast.test.yaml",
    "out/tests/assistant/chat.slow.test.yaml",
    "out/tests/editor/code.fast.test.yaml",
    "out/tests/editor/code.slow.test.yaml",
}
PORTABLE = {"out/openslo/assistant/chat.yaml", "out/openslo/editor/code.yaml"}
CATALOGUE = {CHAT: "out/catalogue/assistant/chat.json", CODE: "out/catalogue/editor/code.json"}
PAGE = "out/index.html"
DASHBOARDS = {"out/dashboards/assistant/chat.json", "out/dashboards/editor/code.json"}
OF_ALL = {PAGE, "out/dashboards/overview.json", "out/dashboards/.lint"}
RUNBOOKS = {"out/runbooks/assistant/chat.md", "out/runbooks/editor/code.md"}
OUTPUTS = {
    *RULES.values(),
    *TESTS,
    *PORTABLE,
    *DASHBOARDS,
    *RUNBOOKS,
    *CATALOGUE.values(),
    *OF_ALL,
    "out/manifest.json",
}
KUBERNETES = """\
outputs:
  flavour: prometheus-operator
  prometheusRule: {namespace: monitoring, labels: {release: kube-prometheus-stack}}
"""

Snapshot = dict[str, tuple[bytes, int]]


def write_specs(folder: Path) -> None:
    specs = folder / "specs"
    specs.mkdir(parents=True)
    (specs / "chat.yaml").write_text(SPEC.format(name="chat", service="assistant"), encoding="utf-8")
    (specs / "code.yaml").write_text(SPEC.format(name="code", service="editor"), encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with two specs."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    write_specs(tmp_path)
    return tmp_path


@pytest.fixture
def compiled(repository: Path) -> Path:
    """The same, compiled to `out`."""
    assert run("compile").exit_code == 0
    return repository


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="slo-compiler")


def run_process(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "CLICOLOR_FORCE")}
    return subprocess.run(
        [sys.executable, "-m", "slo_compiler", *arguments],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def snapshot(folder: Path) -> Snapshot:
    """Content and time of change of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {name: content for name, (content, _) in snapshot(folder).items()}


def edit(path: str, old: str, new: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    assert text.count(old) >= 1
    Path(path).write_text(text.replace(old, new, 1), encoding="utf-8")


def change_one_character(path: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    middle = len(text) // 2
    Path(path).write_text(text[:middle] + ("x" if text[middle] != "x" else "y") + text[middle + 1 :], encoding="utf-8")


def files_below(*folders: str) -> set[str]:
    return {path.as_posix() for folder in folders for path in Path(folder).rglob("*") if path.is_file()}


class TestWriting:
    def test_the_first_compilation_writes_rules_tests_and_the_manifest(self, repository: Path) -> None:
        result = run("compile")
        assert result.exit_code == 0, result.output
        assert files_below("out") == OUTPUTS
        assert result.stdout == ""

    def test_the_manifest_lists_every_file_with_its_spec(self, compiled: Path) -> None:
        manifest = json.loads(Path("out/manifest.json").read_text(encoding="utf-8"))
        assert next(iter(manifest)) == "schema"
        assert {f"out/{path}" for path in manifest["files"]} == OUTPUTS - {"out/manifest.json"}
        assert manifest["files"]["rules/assistant/chat.yaml"]["from"] == [CHAT]
        assert set(manifest["inputs"]) == {CHAT, CODE}
        assert "pending" not in manifest

    @pytest.mark.parametrize("options", [[], ["--no-cache"]], ids=["by hashes", "by compiling again"])
    def test_the_second_compilation_changes_no_byte_and_no_time(self, compiled: Path, options: list[str]) -> None:
        before = snapshot(compiled)
        result = run("compile", *options)
        assert result.exit_code == 0, result.output
        assert snapshot(compiled) == before

    def test_only_what_differs_is_replaced(self, compiled: Path) -> None:
        before = snapshot(compiled)
        edit(CHAT, "99.7%", "99.8%")
        assert run("compile").exit_code == 0
        after = snapshot(compiled)
        changed = {name for name in after if after[name] != before[name]}
        assert changed == {CHAT, PAGE, "out/manifest.json", *(name for name in OUTPUTS if "/assistant/" in name)}

    def test_an_edited_output_is_mended(self, compiled: Path) -> None:
        before = contents(compiled)
        change_one_character(RULES[CHAT])
        assert run("compile").exit_code == 0
        assert contents(compiled) == before

    def test_stats_are_counted(self, repository: Path) -> None:
        result = run("compile", "--stats")
        assert result.exit_code == 0
        assert "2 specs, 4 SLOs, 17 files" in result.stderr

    def test_quiet_says_nothing(self, repository: Path) -> None:
        result = run("compile", "-q")
        assert (result.exit_code, result.output) == (0, "")


class TestSameBytes:
    def test_the_bytes_depend_neither_on_the_folder_nor_on_the_hash_seed(self, tmp_path: Path) -> None:
        found = []
        for number, seed in enumerate(("0", "1", "random")):
            folder = tmp_path / f"copy-{number}" / ("deeper" * number)
            write_specs(folder)
            done = run_process(folder, "compile", "-q", PYTHONHASHSEED=seed, LC_ALL="C", TZ=f"UTC{number}")
            assert done.returncode == 0, done.stderr
            found.append(contents(folder / "out"))
        assert found[0] == found[1] == found[2]

    def test_the_bytes_do_not_depend_on_the_order_of_the_paths(self, repository: Path) -> None:
        for folder, paths in (
            ("one", [CHAT, CODE]),
            ("two", [CODE, CHAT]),
            ("three", ["specs"]),
            ("four", [CODE, "specs"]),
        ):
            result = run("compile", *paths, "-o", folder)
            assert result.exit_code == 0, result.output
        assert contents(Path("one")) == contents(Path("two")) == contents(Path("three")) == contents(Path("four"))

    def test_absolute_paths_below_the_folder_give_the_same_bytes(self, repository: Path) -> None:
        run("compile", "-o", "relative")
        run("compile", str(repository / "specs"), "-o", str(repository / "absolute"))
        assert contents(Path("relative")) == contents(Path("absolute"))

    def test_no_output_names_the_machine(self, compiled: Path) -> None:
        assert not [name for name, content in contents(Path("out")).items() if str(compiled).encode() in content]


class TestCheck:
    @pytest.mark.parametrize("options", [[], ["--no-cache"]], ids=["by hashes", "by compiling again"])
    def test_a_current_folder_passes(self, compiled: Path, options: list[str]) -> None:
        result = run("compile", "--check", *options)
        assert result.exit_code == 0, result.output

    @pytest.mark.parametrize("path", sorted(OUTPUTS - {"out/manifest.json"}))
    def test_one_changed_character_of_an_output_is_named(self, compiled: Path, path: str) -> None:
        change_one_character(path)
        before = snapshot(compiled)
        result = run("compile", "--check")
        assert result.exit_code == 1
        assert f"replace {path.removeprefix('out/')}" in result.stdout.splitlines()
        assert snapshot(compiled) == before

    def test_one_changed_character_of_a_spec_names_its_outputs_alone(self, compiled: Path) -> None:
        edit(CHAT, "99.7%", "99.8%")
        before = snapshot(compiled)
        result = run("compile", "--check")
        assert result.exit_code == 1
        assert "replace rules/assistant/chat.yaml" in result.stdout.splitlines()
        assert "editor" not in result.stdout
        assert snapshot(compiled) == before

    def test_a_missing_output_is_named(self, compiled: Path) -> None:
        Path(RULES[CODE]).unlink()
        result = run("compile", "--check")
        assert result.exit_code == 1
        assert "create rules/editor/code.yaml" in result.stdout.splitlines()
        assert not Path(RULES[CODE]).exists()

    def test_an_output_whose_spec_is_gone_is_named(self, compiled: Path) -> None:
        Path(CODE).unlink()
        result = run("compile", "--check")
        assert result.exit_code == 1
        assert "remove rules/editor/code.yaml" in result.stdout.splitlines()
        assert Path(RULES[CODE]).exists()

    def test_a_folder_that_is_not_there_is_not_made(self, repository: Path) -> None:
        result = run("compile", "--check")
        assert result.exit_code == 1
        assert not Path("out").exists()


class TestDiff:
    def test_a_unified_diff_is_printed_and_nothing_written(self, compiled: Path) -> None:
        edit(CHAT, "99.7%", "99.8%")
        before = snapshot(compiled)
        result = run("compile", "--diff")
        assert result.exit_code == 0
        lines = result.stdout.splitlines()
        assert "--- a/rules/assistant/chat.yaml" in lines
        assert "+++ b/rules/assistant/chat.yaml" in lines
        assert any(line.startswith("@@ ") for line in lines)
        assert "-    expr: |-" not in lines
        assert any(line.startswith("+") and "0.998" in line for line in lines)
        assert any(line.startswith("-") and "0.997" in line for line in lines)
        assert not [line for line in lines if line.startswith(("--- ", "+++ ")) and "/editor/" in line]
        assert snapshot(compiled) == before

    def test_new_and_removed_files_stand_against_dev_null(self, compiled: Path) -> None:
        Path(CODE).rename("specs/new.yaml")
        edit("specs/new.yaml", "name: code", "name: new")
        lines = run("compile", "--diff").stdout.splitlines()
        assert lines[lines.index("+++ b/rules/editor/new.yaml") - 1] == "--- /dev/null"
        assert lines[lines.index("--- a/rules/editor/code.yaml") + 1] == "+++ /dev/null"

    def test_a_current_folder_has_no_diff(self, compiled: Path) -> None:
        result = run("compile", "--diff", "--no-cache")
        assert (result.exit_code, result.stdout) == (0, "")


class TestErrors:
    def test_an_error_in_any_spec_writes_nothing_of_any(self, repository: Path) -> None:
        edit(CODE, "sli: ttft", "sli: tfft")
        result = run("compile")
        assert result.exit_code == 1
        assert "nothing was written" in result.stderr
        assert not Path("out").exists()

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            pytest.param("sli: ttft", "sli: tfft", id="a misspelt SLI"),
            pytest.param("kind: InferenceSLO", "kind: [", id="broken YAML"),
            pytest.param("target: 95%", "target: 105%", id="a target over 100%"),
        ],
    )
    def test_an_error_changes_no_byte_of_earlier_outputs(self, compiled: Path, old: str, new: str) -> None:
        edit(CHAT, "99.7%", "99.8%")
        edit(CODE, old, new)
        before = snapshot(Path("out"))
        result = run("compile")
        assert result.exit_code == 1
        assert f"{CODE}:" in result.stderr
        assert snapshot(Path("out")) == before

    @pytest.mark.parametrize("flag", ["--check", "--diff"])
    def test_an_error_is_a_finding_in_every_mode(self, compiled: Path, flag: str) -> None:
        edit(CODE, "sli: ttft", "sli: tfft")
        assert run("compile", flag).exit_code == 1

    @pytest.mark.parametrize(
        "arguments",
        [
            pytest.param(["compile", "missing"], id="a path that is not there"),
            pytest.param(["compile", "empty"], id="a folder without specs"),
            pytest.param(["compile", "--only", "rule"], id="an unknown kind"),
            pytest.param(["compile", "--flavour", "nagios"], id="an unknown flavour"),
            pytest.param(["compile", "--config", "missing.yaml"], id="a configuration that is not there"),
            pytest.param(["compile", "-o", "file"], id="a file as the folder"),
            pytest.param(["compile", "--chekc"], id="an unknown flag"),
            pytest.param(["comple"], id="an unknown command"),
        ],
    )
    def test_wrong_usage_exits_with_2(self, repository: Path, arguments: list[str]) -> None:
        Path("empty").mkdir()
        Path("file").touch()
        result = run(*arguments)
        assert result.exit_code == 2, result.output
        assert not Path("out").exists()

    def test_a_fault_in_the_configuration_exits_with_1(self, repository: Path) -> None:
        Path("slo-compiler.yaml").write_text("outputs: {flavor: prometheus}\n", encoding="utf-8")
        result = run("compile")
        assert result.exit_code == 1
        assert "slo-compiler.yaml:1:" in result.stderr
        assert not Path("out").exists()


class TestForeignFiles:
    def test_a_foreign_file_in_the_way_is_refused(self, repository: Path) -> None:
        foreign = Path(RULES[CODE])
        foreign.parent.mkdir(parents=True)
        foreign.write_text("groups: []\n", encoding="utf-8")
        before = snapshot(repository)
        result = run("compile")
        assert result.exit_code == 1
        assert "SLO602" in result.stderr and RULES[CODE] in result.stderr
        assert snapshot(repository) == before

    def test_a_folder_in_the_place_of_a_file_is_refused(self, repository: Path) -> None:
        Path(RULES[CODE]).mkdir(parents=True)
        result = run("compile")
        assert (result.exit_code, "SLO602" in result.stderr) == (1, True)
        assert files_below("out") == set()

    @pytest.mark.parametrize("link", ["out/rules", "out/rules/editor"])
    def test_a_link_out_of_the_folder_is_refused(self, repository: Path, link: str) -> None:
        Path("elsewhere").mkdir()
        Path(link).parent.mkdir(parents=True)
        Path(link).symlink_to(repository / "elsewhere")
        result = run("compile")
        assert (result.exit_code, "SLO602" in result.stderr) == (1, True)
        assert files_below("out", "elsewhere") == set()

    @pytest.mark.parametrize("link", [RULES[CODE], "out/manifest.json"])
    def test_a_link_in_the_place_of_a_file_is_refused(self, repository: Path, link: str) -> None:
        outside = Path("outside.yaml")
        outside.write_text("precious\n", encoding="utf-8")
        Path(link).parent.mkdir(parents=True)
        Path(link).symlink_to(repository / outside)
        result = run("compile")
        assert result.exit_code in (1, 3)
        assert outside.read_text(encoding="utf-8") == "precious\n"
        assert files_below("out") == {link}

    def test_a_link_that_replaced_a_file_of_ours_is_refused(self, compiled: Path) -> None:
        outside = Path("outside.yaml")
        outside.write_text("precious\n", encoding="utf-8")
        Path(RULES[CODE]).unlink()
        Path(RULES[CODE]).symlink_to(compiled / outside)
        result = run("compile")
        assert (result.exit_code, "SLO602" in result.stderr) == (1, True)
        assert outside.read_text(encoding="utf-8") == "precious\n"

    def test_a_folder_that_became_a_link_is_not_pruned_through(self, compiled: Path) -> None:
        """The spec is gone, and where its outputs were a link leads to files of somebody else."""
        elsewhere = Path("elsewhere")
        elsewhere.mkdir()
        (elsewhere / "code.yaml").write_text("precious\n", encoding="utf-8")
        shutil.rmtree("out/rules/editor")
        Path("out/rules/editor").symlink_to(compiled / elsewhere)
        Path(CODE).unlink()
        run("compile")
        assert (elsewhere / "code.yaml").read_text(encoding="utf-8") == "precious\n"

    def test_the_output_folder_itself_may_be_a_link(self, repository: Path) -> None:
        Path("real").mkdir()
        Path("out").symlink_to("real")
        assert run("compile").exit_code == 0
        assert Path("real/manifest.json").is_file()


class TestPruning:
    def test_files_of_a_spec_that_is_gone_are_removed_with_their_folder(self, compiled: Path) -> None:
        Path(CODE).unlink()
        result = run("compile")
        assert result.exit_code == 0, result.output
        assert files_below("out") == {name for name in OUTPUTS if "/editor/" not in name}
        assert not Path("out/rules/editor").exists()

    def test_foreign_files_beside_them_stay(self, compiled: Path) -> None:
        foreign = {"out/rules/editor/mine.yaml", "out/README.md", "out/dashboards/mine.json"}
        for path in foreign:
            Path(path).parent.mkdir(exist_ok=True)
            Path(path).write_text("mine\n", encoding="utf-8")
        Path(CODE).unlink()
        assert run("compile").exit_code == 0
        assert files_below("out") == {name for name in OUTPUTS if "/editor/" not in name} | foreign
        assert all(Path(path).read_text(encoding="utf-8") == "mine\n" for path in foreign)

    def test_compiling_one_spec_leaves_the_files_of_others(self, compiled: Path) -> None:
        edit(CHAT, "99.7%", "99.8%")
        edit(CODE, "99.7%", "99.8%")
        before = contents(Path("out"))
        assert run("compile", CHAT).exit_code == 0
        after = contents(Path("out"))
        assert set(after) == set(before)
        assert {name for name in after if after[name] != before[name]} == {
            "index.html",
            "manifest.json",
            *(path.removeprefix("out/") for path in OUTPUTS if "/assistant/" in path),
        }
        assert run("compile", "--check").exit_code == 1

    def test_compiling_from_another_folder_leaves_the_files_of_others(
        self, compiled: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Specs whose paths mean nothing from here are not gone."""
        (compiled / "sub").mkdir()
        monkeypatch.chdir(compiled / "sub")
        assert run("compile", "../specs/chat.yaml", "-o", "../out").exit_code == 0
        monkeypatch.chdir(compiled)
        assert files_below("out") == OUTPUTS

    def test_a_spec_that_moved_keeps_its_outputs(self, compiled: Path) -> None:
        Path("specs/deep").mkdir()
        Path(CODE).rename("specs/deep/code.yaml")
        assert run("compile").exit_code == 0
        assert files_below("out") == OUTPUTS
        assert b"specs/deep/code.yaml" in Path(RULES[CODE]).read_bytes()

    def test_only_rules_leaves_tests_alone(self, compiled: Path) -> None:
        before = snapshot(Path("out/tests"))
        edit(CHAT, "99.7%", "99.8%")
        old = Path(RULES[CHAT]).read_bytes()
        assert run("compile", "--only", "rules").exit_code == 0
        assert Path(RULES[CHAT]).read_bytes() != old
        assert snapshot(Path("out/tests")) == before

    def test_only_rules_writes_no_tests(self, repository: Path) -> None:
        assert run("compile", "--only", "rules").exit_code == 0
        assert files_below("out") == {*RULES.values(), "out/manifest.json"}
        assert run("compile").exit_code == 0
        assert files_below("out") == OUTPUTS


class TestOperator:
    def test_rules_are_wrapped_with_the_configured_metadata(self, repository: Path) -> None:
        run("compile", "-o", "plain")
        Path("slo-compiler.yaml").write_text(KUBERNETES, encoding="utf-8")
        result = run("compile")
        assert result.exit_code == 0, result.output
        document = yaml.safe_load(Path(RULES[CHAT]).read_bytes())
        assert (document["apiVersion"], document["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
        assert document["metadata"] == {
            "name": "assistant.chat",
            "namespace": "monitoring",
            "labels": {"release": "kube-prometheus-stack"},
        }
        assert document["spec"] == yaml.safe_load(Path("plain/rules/assistant/chat.yaml").read_bytes())

    def test_the_flag_wins_over_the_configuration(self, repository: Path) -> None:
        Path("slo-compiler.yaml").write_text(KUBERNETES, encoding="utf-8")
        assert run("compile", "--flavour", "prometheus").exit_code == 0
        assert set(yaml.safe_load(Path(RULES[CHAT]).read_bytes())) == {"groups"}

    def test_another_flavour_is_a_change(self, compiled: Path) -> None:
        result = run("compile", "--check", "--flavour", "prometheus-operator")
        assert result.exit_code == 1
        assert "replace rules/assistant/chat.yaml" in result.stdout.splitlines()

    def test_empty_labels_warn(self, repository: Path) -> None:
        result = run("compile", "--flavour", "prometheus-operator")
        assert result.exit_code == 0
        assert "prometheusRule.labels is empty" in result.stderr


class TestEnvironment:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="empty"),
            pytest.param("{", id="cut off"),
            pytest.param("[]", id="a list"),
            pytest.param("{}", id="without a schema"),
            pytest.param('{"schema": "slo-compiler/manifest/v9"}', id="of another version"),
            pytest.param(
                '{"schema": "slo-compiler/manifest/v1", "files": {"a": 1}}', id="with a file that is no entry"
            ),
            pytest.param('{"schema": "slo-compiler/manifest/v1", "files": []}', id="with a list of files"),
        ],
    )
    def test_a_broken_manifest_exits_with_3(self, repository: Path, text: str) -> None:
        Path("out").mkdir()
        Path("out/manifest.json").write_text(text, encoding="utf-8")
        result = run("compile")
        assert result.exit_code == 3, result.output
        assert "out/manifest.json" in result.stderr
        assert files_below("out") == {"out/manifest.json"}

    def test_a_manifest_that_is_no_text_exits_with_3(self, repository: Path) -> None:
        Path("out").mkdir()
        Path("out/manifest.json").write_bytes(b"\xff\xfe")
        assert run("compile").exit_code == 3

    @pytest.mark.parametrize("path", ["../precious", "rules/../../precious", "/precious", "rules/a/../../../precious"])
    @pytest.mark.parametrize("place", ["files", "pending"])
    def test_a_manifest_that_lists_files_outside_is_refused(self, compiled: Path, path: str, place: str) -> None:
        Path("precious").write_text("precious\n", encoding="utf-8")
        manifest = json.loads(Path("out/manifest.json").read_text(encoding="utf-8"))
        if place == "files":
            manifest["files"][path] = {"sha256": "0" * 64, "from": ["specs/gone.yaml"]}
        else:
            manifest["pending"] = [path]
        Path("out/manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        before = snapshot(compiled)
        result = run("compile")
        assert result.exit_code == 3
        assert "outside the folder" in result.stderr
        assert snapshot(compiled) == before

    def test_a_file_in_the_place_of_a_folder_exits_with_3(self, repository: Path) -> None:
        Path("out").mkdir()
        Path("out/rules").write_text("mine\n", encoding="utf-8")
        result = run("compile")
        assert result.exit_code in (1, 3), result.output
        assert "out/rules" in result.stderr
        assert Path("out/rules").read_text(encoding="utf-8") == "mine\n"

    def test_a_disk_that_refuses_exits_with_3(self, compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(action: Action, folder: Path) -> None:
            raise PermissionError(13, "Permission denied", str(folder / action.path))

        monkeypatch.setattr(session, "apply_action", refuse)
        edit(CHAT, "99.7%", "99.8%")
        before = snapshot(Path("out"))
        result = run("compile")
        assert result.exit_code == 3
        assert "Permission denied" in result.stderr and "out/" in result.stderr
        assert snapshot(Path("out")) == before

    def test_a_folder_that_cannot_be_made_exits_with_3(self, repository: Path) -> None:
        """/proc takes no folders, not even from root."""
        result = run("compile", "-o", "/proc/slo-compiler-out")
        assert result.exit_code == 3, result.output
        assert "/proc/" in result.stderr

    def test_a_missing_promtool_exits_with_3(self, compiled: Path) -> None:
        result = run("test", "out", "--promtool", "/nowhere/promtool")
        assert result.exit_code == 3


class TestKilled:
    @pytest.mark.parametrize("after", range(len(OUTPUTS)))
    def test_every_file_is_whole_and_the_next_run_goes_on(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch, after: int
    ) -> None:
        run("compile", "-o", "reference")
        with monkeypatch.context() as patched:
            patched.setattr(session, "apply_action", killed_after(after, apply_action))
            result = run("compile")
        assert (result.exit_code == 0) == (after >= len(OUTPUTS) - 1)
        whole = contents(Path("reference"))
        for name, content in contents(Path("out")).items():
            assert name == "manifest.json" or content == whole[name]
        assert run("compile").exit_code == 0
        assert contents(Path("out")) == whole

    @pytest.mark.parametrize("after", range(3))
    def test_a_changed_file_is_old_or_new(self, compiled: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        edit(CHAT, "99.7%", "99.8%")
        old = contents(Path("out"))
        run("compile", "-o", "reference")
        new = contents(Path("reference"))
        with monkeypatch.context() as patched:
            patched.setattr(session, "apply_action", killed_after(after, apply_action))
            assert run("compile").exit_code != 0
        assert set(contents(Path("out"))) == set(old)
        assert all(content in (old[name], new[name]) for name, content in contents(Path("out")).items())
        assert run("compile", "--check").exit_code == 1
        assert run("compile").exit_code == 0
        assert contents(Path("out")) == new

    def test_a_rename_that_is_interrupted_leaves_nothing_behind(
        self, compiled: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(self: Path, target: Path) -> Path:
            raise KeyboardInterrupt

        edit(CHAT, "99.7%", "99.8%")
        before = snapshot(Path("out"))
        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", interrupted)
            assert run("compile").exit_code != 0
        assert snapshot(Path("out")) == before

    def test_what_was_announced_and_never_written_is_no_foreign_file(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Killed, then the spec goes away: what the first run wrote is still known as ours."""
        with monkeypatch.context() as patched:
            patched.setattr(session, "apply_action", killed_after(8, apply_action))
            run("compile")
        assert Path(RULES[CODE]).exists()
        Path(CODE).unlink()
        assert run("compile").exit_code == 0
        assert files_below("out") == {name for name in OUTPUTS if "/editor/" not in name}

    def test_another_compilation_in_between_still_prunes(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(session, "apply_action", killed_after(8, apply_action))
            run("compile")
        assert run("compile", CHAT).exit_code == 0
        assert run("compile").exit_code == 0
        assert files_below("out") == OUTPUTS


def killed_after(count: int, real: Callable[[Action, Path], None]) -> Callable[[Action, Path], None]:
    """`apply_action` for so many files, then an interrupt."""
    left = [count]

    def counted(action: Action, folder: Path) -> None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        real(action, folder)

    return counted


class TestCommandLine:
    @pytest.mark.parametrize("name", ["", *COMMANDS])
    def test_every_help_has_an_example(self, name: str) -> None:
        result = run(*([name] if name else []), "--help")
        assert result.exit_code == 0
        assert re.search(r"\bExamples?: slo-compiler ", result.stdout)

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_is_named_as_in_the_table(self, name: str) -> None:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None and command.name == name

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [(["compile"], 0), (["compile", "--check"], 1), (["compile", "missing"], 2), (["test", "--promtool", "/x"], 3)],
        ids=lambda value: str(value) if isinstance(value, int) else " ".join(value),
    )
    def test_a_process_exits_as_documented(self, repository: Path, arguments: list[str], code: int) -> None:
        if code == 3:
            Path("out").mkdir()
        done = run_process(repository, *arguments)
        assert done.returncode == code, done.stderr

    @pytest.mark.parametrize(
        ("environment", "arguments", "coloured"),
        [
            pytest.param({}, [], False, id="no terminal"),
            pytest.param({"CLICOLOR_FORCE": "1"}, [], True, id="CLICOLOR_FORCE"),
            pytest.param({"CLICOLOR_FORCE": "0"}, [], False, id="CLICOLOR_FORCE of 0"),
            pytest.param({"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, [], False, id="NO_COLOR wins"),
            pytest.param({"NO_COLOR": "1"}, ["--color", "always"], True, id="the flag wins over NO_COLOR"),
            pytest.param({"CLICOLOR_FORCE": "1"}, ["--color", "never"], False, id="the flag wins over CLICOLOR_FORCE"),
        ],
    )
    def test_colour(self, repository: Path, environment: dict[str, str], arguments: list[str], coloured: bool) -> None:
        edit(CODE, "sli: ttft", "sli: tfft")
        done = run_process(repository, "compile", *arguments, **environment)
        assert done.returncode == 1
        assert ("\x1b[" in done.stderr) == coloured


def test_check_says_how_to_compile_what_was_given(repository: Path) -> None:
    done = run("compile", CHAT, "-o", "my out", "--check")
    assert done.exit_code == 1
    assert done.stderr.endswith(f"my out is not up to date; run slo-compiler compile {CHAT} -o 'my out'\n")


@pytest.mark.parametrize(
    ("paths", "folder"), [(("specs",), "specs"), (("specs",), "specs/../specs"), ((".",), "."), ((), "specs")]
)
def test_an_output_that_the_next_run_would_read_is_refused(
    repository: Path, paths: tuple[str, ...], folder: str
) -> None:
    done = run("compile", *paths, "-o", folder)
    assert done.exit_code == 2
    assert f"-o {folder} is {(*paths, 'specs')[0]}, which is read" in done.output
    assert not (repository / folder / "manifest.json").exists()


@pytest.mark.parametrize(("paths", "folder"), [(("specs",), "specs/out"), ((".",), "out"), ((".",), "a/b/out")])
def test_an_output_within_what_is_read_is_no_spec(repository: Path, paths: tuple[str, ...], folder: str) -> None:
    assert run("compile", *paths, "-o", folder).exit_code == 0
    again = run("compile", *paths, "-o", folder, "--check")
    assert again.exit_code == 0, again.output
    assert f"{folder}/rules" not in again.output


@pytest.mark.parametrize("options", [(), ("--check",), ("--diff",)])
def test_specs_that_are_all_emptied_do_not_take_the_rules_with_them(compiled: Path, options: tuple[str, ...]) -> None:
    for spec in (CHAT, CODE):
        (compiled / spec).write_text("")
    done = run("compile", *options)
    assert done.exit_code == 1
    assert "no spec in specs, and out holds 17 files of earlier specs" in done.stderr
    assert all((compiled / path).exists() for path in OUTPUTS)


def test_one_spec_of_several_may_be_emptied(compiled: Path) -> None:
    (compiled / CHAT).write_text("")
    assert run("compile").exit_code == 0
    assert [(compiled / RULES[spec]).exists() for spec in (CHAT, CODE)] == [False, True]


class TestInAHook:
    """`--exit-non-zero-on-change`: what was written must be looked at, and be part of the commit."""

    FLAG = "--exit-non-zero-on-change"

    def test_what_is_written_fails_once(self, compiled: Path) -> None:
        assert run("compile", self.FLAG).exit_code == 0
        edit(CHAT, "99.7%", "99.8%")
        result = run("compile", self.FLAG)
        assert result.exit_code == 1
        assert "replace rules/assistant/chat.yaml" in result.stdout.splitlines()
        assert run("compile", self.FLAG, "--no-cache").exit_code == 0

    @pytest.mark.parametrize("options", [[], ["--no-cache"]], ids=["by hashes", "by compiling again"])
    def test_outputs_must_be_in_git_unless_it_ignores_them(self, compiled: Path, options: list[str]) -> None:
        subprocess.run(["git", "init", "-q"], check=True)
        result = run("compile", self.FLAG, *options)
        assert result.exit_code == 1
        assert f"{len(OUTPUTS)} files of out not in git" in result.stderr
        subprocess.run(["git", "add", "out"], check=True)
        assert run("compile", self.FLAG, *options).exit_code == 0
        subprocess.run(["git", "rm", "-rq", "--cached", "out"], check=True)
        Path(".gitignore").write_text("/out/\n", encoding="utf-8")
        assert run("compile", self.FLAG, *options).exit_code == 0
