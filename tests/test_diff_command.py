"""`diff` as people start it, on real git repositories."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from slo_compiler.cli import cli, diff_sides
from slo_compiler.external.git import Repository
from slo_compiler.load.yaml import LoadedFile
from slo_compiler.pipeline import Checked, check_loaded
from slo_compiler.resolve.environment import Environment
from tests.test_schemas import output_faults

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat}
spec:
  service: assistant
  model: acme/chat
  engine: {name: vllm, version: "0.11"}
  useCase: chatbot
  objectives:
    - {sli: ttft, threshold: 300ms, target: 97%}
    - {sli: ratio, name: grounded, target: 99.9%, good: 'rag_grounded_total{app="x"}', total: 'rag_answers_total{app="x"}'}
"""
OTHER = SPEC.replace("name: chat}", "name: write}")
POLICY = """\
apiVersion: slo-compiler/v1
kind: BurnRatePolicy
metadata: {name: own}
spec:
  tiers:
    - {factor: 13, longWindow: 1h, shortWindow: 5m, severity: page}
"""
CATALOG = """\
apiVersion: slo-compiler/v1
kind: ExperienceCatalog
metadata: {name: acme}
spec:
  sources: {ACME: Interviews with support}
  useCases:
    support:
      title: {value: Support chat, source: ACME}
      experienceClass: {value: conversational, source: ACME}
      trafficProfile: {value: p512_o256, source: ACME}
      target: {value: 96%, source: ACME}
      ttft: {value: 300ms, source: ACME}
      itl: {value: 25ms, source: ACME}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, tagged `old`, and the folder that the tests are in."""
    root = tmp_path / "home"
    (root / "specs").mkdir(parents=True)
    (root / "specs" / "chat.yaml").write_text(SPEC, encoding="utf-8")
    (root / "slo-compiler.yaml").write_text("{}\n", encoding="utf-8")
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(root)], check=True)
    commit(root, "old")
    monkeypatch.chdir(root)
    return root


def commit(root: Path, tag: str) -> None:
    repository = Repository(root)
    repository.run("add", "-A")
    repository.run("commit", "-q", "--allow-empty", "-m", tag)
    repository.run("tag", tag)


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(cli, ["diff", *arguments])


def found(*arguments: str) -> dict[str, Any]:
    """The JSON document of a run that ends well."""
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    assert output_faults("diff", document) == []
    return document


def told(document: dict[str, Any]) -> list[tuple[str, str | None, str, str]]:
    return [(item["kind"], item["sloId"], item["field"], item["cause"]) for item in document["changes"]]


class TestAgainst:
    def test_what_lies_here_as_it_was_is_no_change(self, home: Path) -> None:
        result = run("--against", "old")
        assert (result.exit_code, result.output) == (0, "no change for users\n")

    def test_a_change_that_is_not_committed_is_seen_and_nothing_is_touched(self, home: Path) -> None:
        write("specs/chat.yaml", SPEC.replace("99.9%", "99.5%"))
        before = Repository(home).run("status", "--porcelain")
        document = found("--against", "old")
        assert told(document) == [
            ("changed", "assistant/chat-grounded", "target", "spec"),
            ("changed", "assistant/chat-grounded", "alerts", "spec"),
        ]
        assert document["changes"][0]["budget"] == {"oldMinutes": 40.32, "newMinutes": 201.6}
        assert Repository(home).run("status", "--porcelain") == before

    @pytest.mark.parametrize("given", ["specs", "./specs", "specs/chat.yaml", "."])
    def test_paths_are_named_as_they_are_given(self, home: Path, given: str) -> None:
        write("specs/chat.yaml", SPEC.replace("97%", "96%"))
        document = found("--against", "old", given)
        assert {item["path"] for item in document["changes"]} == {"specs/chat.yaml"}
        assert [item["field"] for item in document["changes"]][:1] == ["target"]

    def test_from_a_folder_within(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write("specs/chat.yaml", SPEC.replace("97%", "96%"))
        monkeypatch.chdir(home / "specs")
        document = found("--against", "old")
        assert document["changes"][0]["field"] == "target"
        assert {item["cause"] for item in document["changes"]} == {"spec"}

    def test_a_removed_file_can_be_asked_for(self, home: Path) -> None:
        Path("specs/chat.yaml").unlink()
        assert {item["kind"] for item in found("--against", "old", "specs/chat.yaml")["changes"]} == {"removed"}
        assert {item["kind"] for item in found("--against", "old")["changes"]} == {"removed"}

    def test_a_new_file_is_added(self, home: Path) -> None:
        write("specs/more/write.yaml", OTHER)
        assert told(found("--against", "old")) == [
            ("added", "assistant/write-grounded", "SLO", "spec"),
            ("added", "assistant/write-ttft", "SLO", "spec"),
        ]

    def test_three_dots_compare_with_where_the_branch_began(self, home: Path) -> None:
        repository = Repository(home)
        repository.run("checkout", "-q", "-b", "work")
        write("specs/chat.yaml", SPEC.replace("97%", "96%"))
        commit(home, "mine")
        repository.run("checkout", "-q", "trunk")
        write("specs/chat.yaml", SPEC.replace("99.9%", "99%"))
        commit(home, "theirs")
        repository.run("checkout", "-q", "work")
        assert {item["slo"] for item in found("--against", "trunk...")["changes"]} == {"chat-ttft"}
        assert {item["slo"] for item in found("--against", "trunk")["changes"]} == {"chat-ttft", "chat-grounded"}

    def test_a_catalog_that_changed_is_the_cause(self, home: Path) -> None:
        write("slo-compiler.yaml", "catalogs: [catalogs]\n")
        write("catalogs/acme.yaml", CATALOG)
        write(
            "specs/chat.yaml",
            SPEC.replace("chatbot", "support").replace("threshold: 300ms, target: 97%", "target: 97%"),
        )
        commit(home, "catalog")
        write("catalogs/acme.yaml", CATALOG.replace("300ms", "240ms"))
        document = found("--against", "catalog")
        assert told(document) == [("changed", "assistant/chat-ttft", "threshold", "catalog")]
        assert "moved by the catalog, not by the spec" in document["changes"][0]["text"]

    def test_a_policy_that_changed_is_the_cause(self, home: Path) -> None:
        write("specs/policy.yaml", POLICY)
        write("specs/chat.yaml", SPEC.replace("  objectives", "  alerting: {policy: own}\n  objectives"))
        commit(home, "policy")
        write("specs/policy.yaml", POLICY.replace("factor: 13", "factor: 11"))
        document = found("--against", "policy")
        assert {item["cause"] for item in document["changes"]} == {"policy"}
        assert [item["text"].partition(";")[0] for item in document["changes"] if item["slo"] == "chat-grounded"] == [
            "alert 13x over 1.3% bad -> 11x over 1.1% bad, tighter: moved by the policy, not by the spec"
        ]

    @pytest.mark.parametrize(
        ("edits", "expected"),
        [
            (
                [("99.9%", "99.8%")],
                {(spec, field, "spec") for spec in ("chat", "plain") for field in ("target", "alerts")},
            ),
            (
                [("factor: 13", "factor: 11")],
                {("chat", "alert", "policy"), ("write", "alert", "policy")},
            ),
            (
                [("97%", "96%"), ("factor: 13", "factor: 11")],
                {("chat", "alert", "policy"), ("write", "target", "spec"), ("write", "alert", "spec policy")},
            ),
            (
                [("acme/write", "acme/wrote"), ("factor: 13", "factor: 11")],
                {
                    ("chat", "alert", "policy"),
                    ("write", "alert", "spec policy"),
                    ("write", "model", "spec"),
                    ("write", "selector", "spec"),
                },
            ),
            (
                [("97%", "96%"), ("factor: 17", "factor: 19")],
                {("write", "target", "spec"), ("write", "alerts", "spec")},
            ),
            (
                [("minBadEvents: 29", "minBadEvents: 31"), ("factor: 17", "factor: 19")],
                {("plain", f"alert {tier}", "spec") for tier in ("14.4x", "6x", "1x")},
            ),
            (
                [("minBadEvents: 23", "minBadEvents: 31"), ("factor: 17", "factor: 19")],
                {("chat", "alert 13x", "spec")},
            ),
            ([("# first", "# a comment")], set()),
        ],
        ids=[
            "two specs of a file",
            "the policy in it",
            "a spec and its policy",
            "a spec, in another matter, and its policy",
            "a spec and a policy that it does not name",
            "a spec that names no policy, and a policy that is not the default",
            "a spec's alerts, and a policy that it does not name",
            "a comment",
        ],
    )
    def test_a_cause_is_a_document_of_a_file(
        self, home: Path, edits: list[tuple[str, str]], expected: set[tuple[str, str, str]]
    ) -> None:
        own = "  alerting: {policy: own, minBadEvents: %d}\n  objectives"
        chat = SPEC.replace("    - {sli: ttft, threshold: 300ms, target: 97%}\n", "").replace("  objectives", own % 23)
        write_ = (
            OTHER.replace("acme/chat", "acme/write").replace("  objectives", own % 27).split("    - {sli: ratio")[0]
        )
        plain = chat.replace("name: chat}", "name: plain}").replace(
            own % 23, "  alerting: {minBadEvents: 29}\n  objectives"
        )
        other = POLICY.replace("name: own", "name: more").replace("13", "17")
        text = "---\n".join(["# first\n", chat, write_, plain, POLICY, other])
        write("specs/chat.yaml", text)
        commit(home, "several")
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        write("specs/chat.yaml", text)
        found_ = found("--against", "several")["changes"]
        assert {(item["spec"], item["field"], " ".join(item["causes"])) for item in found_} == expected
        for item in found_:
            assert item["cause"] == item["causes"][0]
            assert ("moved by the spec and the policy" in item["text"]) == (item["causes"] == ["spec", "policy"])

    def test_the_configuration_of_then_is_the_old_one(self, home: Path) -> None:
        write("slo-compiler.yaml", "defaults: {period: 7d}\n")
        document = found("--against", "old")
        assert {item["cause"] for item in document["changes"]} == {"configuration"}
        assert {(item["old"], item["new"]) for item in document["changes"] if item["field"] == "period"} == {
            (28 * 86400, 7 * 86400)
        }

    def test_specs_lay_elsewhere_by_the_configuration_of_then(self, home: Path) -> None:
        Repository(home).run("mv", "specs", "slos")
        write("slo-compiler.yaml", "paths: [slos]\n")
        document = found("--against", "old")
        assert [(item["field"], item["old"], item["new"], item["cause"]) for item in document["changes"]] == [
            ("file", "specs/chat.yaml", "slos/chat.yaml", "spec")
        ]

    def test_a_broken_old_configuration_is_said(self, home: Path) -> None:
        write("slo-compiler.yaml", "pathes: [specs]\n")
        commit(home, "broken")
        write("slo-compiler.yaml", "{}\n")
        result = run("--against", "broken")
        assert result.exit_code == 0
        assert "slo-compiler.yaml has errors in broken" in result.stderr
        assert result.stdout == "no change for users\n"

    def test_an_old_file_that_does_not_compile_is_named_and_not_compared(self, home: Path) -> None:
        write("specs/write.yaml", OTHER.replace("97%", "197%"))
        commit(home, "broken")
        write("specs/write.yaml", OTHER)
        write("specs/chat.yaml", SPEC.replace("97%", "96%"))
        result = run("--against", "broken", "--format", "json")
        document = json.loads(result.stdout)
        assert {item["spec"] for item in document["changes"]} == {"chat"}
        assert document["summary"]["notCompared"] == ["specs/write.yaml"]
        assert "specs/write.yaml has 1 error in broken, such as line 10:" in result.stderr
        assert "do not compile: specs/write.yaml" in run("--against", "broken").stdout

    def test_new_errors_are_shown_as_compile_shows_them(self, home: Path) -> None:
        write("specs/chat.yaml", SPEC.replace("97%", "197%"))
        compiled = CliRunner().invoke(cli, ["compile", "specs", "-o", "out"])
        result = run("--against", "old")
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.replace("compared", "written") == compiled.stderr

    def test_files_that_are_as_they_were_are_left_out_without_a_difference(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("specs/write.yaml", OTHER)
        commit(home, "two")
        write("specs/chat.yaml", SPEC.replace("97%", "96%").replace("name: chat}", "name: talk}"))
        read: list[str] = []

        def spy(files: list[LoadedFile], environment: Environment) -> Checked:
            read.extend(file.path for file in files)
            return check_loaded(files, environment)

        monkeypatch.setattr("slo_compiler.cli.diff_sides.check_loaded", spy)
        quick = found("--against", "two")
        assert read == ["specs/chat.yaml"]
        monkeypatch.setattr(diff_sides, "_settled", lambda old, new: frozenset())
        assert found("--against", "two") == quick
        assert read[1:] == ["specs/chat.yaml", "specs/write.yaml"]

    @pytest.mark.parametrize(
        ("old", "new", "settled"),
        [
            ({"a": "x", "b": "y"}, {"a": "x", "b": "z"}, {"a"}),
            ({"a": "x", "b": "y"}, {"a": "x"}, {"a"}),
            ({"a": "kind: SLO, apiVersion: openslo/v1", "b": "y"}, {"a": "kind: SLO, apiVersion: openslo/v1"}, set()),
            ({"a": "x", "b": "kind: Engine"}, {"a": "x"}, set()),
            ({"a": "x"}, {"a": "x", "b": "kind: BurnRatePolicy"}, set()),
            ({"a": "x"}, {"a": "x", "b": 'kind: "\\x45ngine"'}, set()),
        ],
        ids=[
            "another file changed",
            "another file went",
            "one that names objects",
            "an engine went",
            "a policy came",
            "a spelling that hides a kind",
        ],
    )
    def test_which_files_are_settled(self, old: dict[str, str], new: dict[str, str], settled: set[str]) -> None:
        sides = ({path: text.encode() for path, text in side.items()} for side in (old, new))
        assert diff_sides._settled(*sides) == settled

    def test_a_link_within_is_its_file_and_one_that_leads_out_is_none(self, home: Path, tmp_path: Path) -> None:
        write("kept/write.yaml", OTHER)
        (tmp_path / "outside.yaml").write_text(OTHER.replace("write", "outside"), encoding="utf-8")
        Path("specs/write.yaml").symlink_to("../kept/write.yaml")
        Path("specs/outside.yaml").symlink_to("../../outside.yaml")
        Path("specs/absolute.yaml").symlink_to(tmp_path / "outside.yaml")
        commit(home, "linked")
        for name in ("write", "outside", "absolute"):
            Path(f"specs/{name}.yaml").unlink()
        assert {item["spec"] for item in found("--against", "linked")["changes"]} == {"write"}

    def test_a_link_to_a_link_is_its_file(self, home: Path) -> None:
        write("kept/write.yaml", OTHER)
        Path("kept/again.yaml").symlink_to("write.yaml")
        Path("specs/write.yaml").symlink_to("../kept/again.yaml")
        Path("specs/round.yaml").symlink_to("round.yaml")
        commit(home, "links")
        Path("specs/round.yaml").unlink()
        assert found("--against", "links")["changes"] == []
        write("kept/write.yaml", OTHER.replace("97%", "96%"))
        assert {item["spec"] for item in found("--against", "links")["changes"]} == {"write"}

    def test_a_submodule_is_read_at_the_commit_that_the_revision_had(self, home: Path, tmp_path: Path) -> None:
        shared = tmp_path / "shared"
        write(str(shared / "of/write.yaml"), OTHER)
        subprocess.run(["git", "init", "-q", "-b", "trunk", str(shared)], check=True)
        commit(shared, "first")
        Repository(home).run(
            "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(shared), "specs/a team"
        )
        commit(home, "with")
        assert found("--against", "with")["changes"] == []
        write("specs/a team/of/write.yaml", OTHER.replace("97%", "96%"))
        for given in ([], ["specs/a team"], ["specs/a team/of"], ["specs/a team/of/write.yaml"]):
            changes = found("--against", "with", *given)["changes"]
            assert {(item["path"], item["kind"]) for item in changes} == {("specs/a team/of/write.yaml", "changed")}
        commit(home / "specs" / "a team", "second")
        commit(home, "moved")
        assert found("--against", "moved")["changes"] == []
        shutil.rmtree(home / ".git/modules/specs/a team/objects")
        (home / ".git/modules/specs/a team/objects").mkdir()
        result = run("--against", "with")
        assert result.exit_code == 3
        assert "submodule specs/a team at " in result.stderr and "git -C 'specs/a team' fetch" in result.stderr

    def test_what_a_compilation_wrote_is_no_spec(self, home: Path) -> None:
        assert CliRunner().invoke(cli, ["compile", "specs", "-o", "out", "-q"]).exit_code == 0
        commit(home, "output")
        assert found("--against", "output", ".")["changes"] == []

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--against", "nowhere"], "'nowhere' names no commit here"),
            (["--against", "--all"], "'--all' names no commit here"),
            (["--against", "nowhere..."], "names no commit here"),
            (["--against", "old", "specs/gone.yaml"], "no such file or folder, here and in old: specs/gone.yaml"),
            (["--against", "old", "/"], "is not in the repository"),
            (["old"], "say OLD and NEW"),
            ([], "say OLD and NEW"),
            (["specs", "specs", "specs"], "say OLD and NEW"),
            (["specs/none.yaml", "specs"], "no such file or folder"),
        ],
        ids=" ".join,
    )
    def test_usage(self, home: Path, arguments: list[str], said: str) -> None:
        result = run(*arguments)
        assert result.exit_code == 2
        assert said in " ".join(result.stderr.split())

    def test_outside_of_a_repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
        (tmp_path / "bare").mkdir()
        monkeypatch.chdir(tmp_path / "bare")
        result = run("--against", "HEAD")
        assert result.exit_code == 2
        assert "not a git repository" in result.stderr

    def test_without_git(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(home))
        result = run("--against", "old")
        assert result.exit_code == 3
        assert "apt-get install git" in result.stderr


@pytest.fixture(scope="module")
def both_sides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `TestTwoSides.sides` lays out, compiled once."""
    root = tmp_path_factory.mktemp("sides")
    with contextlib.chdir(root):
        write("specs/chat.yaml", SPEC)
        write("changed/chat.yaml", SPEC.replace("97%", "96%"))
        write("slo-compiler.yaml", "{}\n")
        for specs, out in (("specs", "out-old"), ("changed", "out-new")):
            assert CliRunner().invoke(cli, ["compile", specs, "-o", out, "-q"]).exit_code == 0
    return root


class TestTwoSides:
    @pytest.fixture(autouse=True)
    def sides(self, home: Path, both_sides: Path) -> None:
        """`specs` and `changed`, and what both compile to, `out-old` and `out-new`."""
        shutil.copytree(both_sides, home, dirs_exist_ok=True)

    @pytest.mark.parametrize("new", ["changed", "out-new", "changed/chat.yaml"])
    @pytest.mark.parametrize("old", ["specs", "out-old", "specs/chat.yaml"])
    def test_folders_and_specs_say_the_same(self, old: str, new: str) -> None:
        fields = [item["field"] for item in found(old, new)["changes"] if item["field"] != "file"]
        assert fields == ["target", "alerts"]

    def test_two_folders_of_specs_compare_by_what_is_in_them(self) -> None:
        assert [item["field"] for item in found("specs", "changed")["changes"]] == ["target", "alerts"]
        assert [item["path"] for item in found("specs", "changed")["changes"]] == ["changed/chat.yaml"] * 2

    @pytest.mark.parametrize(
        ("old", "new"),
        [(".", "../new"), ("../new", "."), ("./chat.yaml", "../new/chat.yaml"), ("../new/", "./")],
    )
    def test_a_folder_of_specs_may_be_this_one(self, old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
        write("here/chat.yaml", SPEC)
        write("new/chat.yaml", SPEC.replace("97%", "96%"))
        monkeypatch.chdir("here")
        assert {item["field"] for item in found(old, new)["changes"]} == {"target", "alerts"}

    def test_exit_code(self) -> None:
        assert run("specs", "changed").exit_code == 0
        assert run("specs", "changed", "--exit-code").exit_code == 1
        assert run("specs", "specs", "--exit-code").exit_code == 0

    def test_files_that_differ_without_a_change_are_told(self, home: Path) -> None:
        write("specs/chat.yaml", f"# a remark\n{SPEC}")
        assert CliRunner().invoke(cli, ["compile", "specs", "-o", "out-same", "-q"]).exit_code == 0
        manifest = json.loads(Path("out-same/manifest.json").read_text("utf-8"))
        assert run("out-old", "out-same").stdout == "no change for users\n"
        manifest["compiler"] = "0.0.1"
        manifest["files"]["rules/assistant/chat.yaml"]["sha256"] = "0" * 64
        write("out-same/manifest.json", json.dumps(manifest))
        text = run("out-same", "out-old").stdout
        assert text.startswith(
            "no change for users\n1 file of the output differ all the same: the compiler went from 0.0.1"
        )

    def test_a_folder_that_was_edited_is_refused(self) -> None:
        write("out-new/catalogue/assistant/chat.json", "{}")
        result = run("out-old", "out-new")
        assert result.exit_code == 3
        assert "changed since it was written; compile it again" in result.stderr

    def test_a_folder_without_the_catalogue_is_refused(self) -> None:
        assert CliRunner().invoke(cli, ["compile", "specs", "-o", "rules", "--only", "rules", "-q"]).exit_code == 0
        result = run("rules", "out-new")
        assert result.exit_code == 2
        assert "--only catalogue" in result.stderr

    def test_colour_only_where_it_is_wanted(self) -> None:
        assert "\033[" not in run("specs", "changed").stdout
        assert "\033[1;33m  target 97% -> 96%" in run("specs", "changed", "--color", "always").stdout

    def test_markdown_begins_with_the_mark_that_ci_looks_for(self) -> None:
        lines = run("specs", "changed", "--format", "markdown").stdout.splitlines()
        assert lines[0] == "<!-- slo-compiler diff -->"
        assert lines[2] == "### SLOs: 2 changes: 2 looser"
        assert lines[6].startswith(
            "| assistant/chat-ttft | target 97% -\\> 96% | **looser** | budget 1,209 -\\> 1,612 "
        )
