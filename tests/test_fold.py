"""Files about all specs: made of what this run and earlier ones wrote, pruned, checked and killed like any other."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from slo_compiler.emit import FOLDS
from slo_compiler.resources import schema_path
from slo_compiler.write import session
from slo_compiler.write.apply import apply_action
from slo_compiler.write.fold import Texts
from tests.test_compile_command import (
    CATALOGUE,
    CHAT,
    CODE,
    PAGE,
    SPEC,
    change_one_character,
    contents,
    edit,
    files_below,
    killed_after,
    run,
    snapshot,
    write_specs,
)
from tests.test_schemas import output_faults

THIRD = "specs/voice.yaml"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with two specs."""
    monkeypatch.chdir(tmp_path)
    write_specs(tmp_path)
    return tmp_path


@pytest.fixture
def compiled(repository: Path) -> Path:
    """The same, compiled to `out`."""
    assert run("compile").exit_code == 0
    return repository


def whole() -> dict[str, bytes]:
    """What all specs give in an empty folder."""
    assert run("compile", "-o", "whole").exit_code == 0
    return contents(Path("whole"))


def entry(path: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(Path("out/manifest.json").read_text("utf-8"))["files"][path]
    return found


class TestWhatIsFolded:
    def test_the_page_names_the_slos_of_all_specs(self, compiled: Path) -> None:
        page = Path(PAGE).read_text("utf-8")
        assert "assistant/chat-ttft" in page and "editor/code-availability" in page

    def test_the_manifest_names_its_kind_and_no_spec(self, compiled: Path) -> None:
        found = entry("index.html")
        assert (found["from"], found["foldedFrom"]) == ([], "catalogue")
        assert "foldedFrom" not in entry("catalogue/assistant/chat.json")

    @pytest.mark.parametrize("spec", [CHAT, CODE])
    def test_a_part_of_the_specs_gives_what_all_give(self, compiled: Path, spec: str) -> None:
        edit(spec, "99.7%", "99.8%")
        assert run("compile", spec).exit_code == 0
        found, expected = contents(Path("out")), whole()
        assert found["index.html"] == expected["index.html"]
        assert found == expected

    def test_a_new_spec_is_added_to_those_of_earlier_runs(self, compiled: Path) -> None:
        Path(THIRD).write_text(SPEC.format(name="voice", service="calls"), encoding="utf-8")
        assert run("compile", THIRD).exit_code == 0
        assert contents(Path("out"))["index.html"] == whole()["index.html"]

    def test_two_orders_give_the_same_bytes(self, repository: Path) -> None:
        for folder, steps in (("one", (CHAT, CODE)), ("two", (CODE, CHAT))):
            for spec in steps:
                assert run("compile", spec, "-o", folder).exit_code == 0
        assert contents(Path("one")) == contents(Path("two")) == whole()

    def test_a_spec_that_is_gone_leaves_the_page(self, compiled: Path) -> None:
        Path(CODE).unlink()
        assert run("compile", CHAT).exit_code == 0
        assert "editor" not in Path(PAGE).read_text("utf-8")
        assert not Path(CATALOGUE[CODE]).exists()

    def test_compiling_from_another_folder_keeps_the_others(
        self, compiled: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (compiled / "sub").mkdir()
        monkeypatch.chdir(compiled / "sub")
        assert run("compile", "../specs/chat.yaml", "-o", "../out").exit_code == 0
        page = (compiled / PAGE).read_text("utf-8")
        assert "assistant/chat-ttft" in page and "editor/code-availability" in page

    def test_definitions_alone_give_no_page(self, repository: Path) -> None:
        for spec in (CHAT, CODE):
            Path(spec).unlink()
        Path("specs/service.yaml").write_text(
            "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: calls}\nspec: {}\n", encoding="utf-8"
        )
        assert run("compile").exit_code == 0
        assert files_below("out") == {"out/manifest.json"}


class TestOnly:
    def test_only_rules_never_prunes_it(self, compiled: Path) -> None:
        before = {path: content for path, content in snapshot(Path("out")).items() if not path.startswith("rules/")}
        Path(CODE).unlink()
        edit(CHAT, "99.7%", "99.8%")
        assert run("compile", "--only", "rules").exit_code == 0
        after = snapshot(Path("out"))
        assert {path: after[path] for path in before if path != "manifest.json"} == {
            path: before[path] for path in before if path != "manifest.json"
        }

    def test_only_the_catalogue_writes_the_page_and_what_it_is_made_of(self, repository: Path) -> None:
        assert run("compile", "--only", "catalogue").exit_code == 0
        assert files_below("out") == {*CATALOGUE.values(), PAGE, "out/manifest.json"}
        assert contents(Path("out"))["index.html"] == whole()["index.html"]


class TestCheck:
    @pytest.mark.parametrize("options", [[], ["--no-cache"], [CHAT]], ids=["all", "without the cache", "one spec"])
    def test_one_changed_character_names_it(self, compiled: Path, options: list[str]) -> None:
        change_one_character(PAGE)
        before = snapshot(compiled)
        result = run("compile", "--check", *options)
        assert (result.exit_code, result.stdout) == (1, "replace index.html\n")
        assert snapshot(compiled) == before
        assert run("compile", *options).exit_code == 0
        assert contents(Path("out")) == whole()

    def test_a_current_folder_passes_for_one_spec_of_it(self, compiled: Path) -> None:
        assert run("compile", "--check", CHAT).exit_code == 0
        assert run("compile", "--diff", CHAT).stdout == ""

    def test_a_page_that_is_missing_is_named(self, compiled: Path) -> None:
        Path(PAGE).unlink()
        assert run("compile", "--check").stdout == "create index.html\n"

    def test_a_changed_spec_names_it_before_it_is_written(self, compiled: Path) -> None:
        edit(CHAT, "99.7%", "99.8%")
        before = snapshot(compiled)
        assert "replace index.html" in run("compile", "--check", CHAT).stdout.splitlines()
        lines = run("compile", "--diff", CHAT).stdout.splitlines()
        assert "+++ b/index.html" in lines
        after = lines[lines.index("+++ b/index.html") + 1 :]
        own = itertools.takewhile(lambda line: not line.startswith("--- a/"), after)
        changed = [line for line in own if line.startswith("+")]
        assert any("99.8%" in line for line in changed)
        assert not any("editor" in line for line in changed)
        assert snapshot(compiled) == before

    def test_nothing_is_needed_on_disk_to_say_what_would_be_written(self, repository: Path) -> None:
        result = run("compile", "--check")
        assert "create index.html" in result.stdout.splitlines()
        assert not Path("out").exists()


class TestWhatWasEdited:
    """The page lists what others wrote: only where it is what they wrote."""

    @pytest.mark.parametrize("damage", [change_one_character, lambda path: Path(path).unlink()], ids=["edited", "gone"])
    def test_a_document_that_is_not_compiled_anew_is_refused(self, compiled: Path, damage: object) -> None:
        assert callable(damage)
        damage(CATALOGUE[CODE])
        before = snapshot(compiled)
        result = run("compile", CHAT)
        assert result.exit_code == 1
        assert f"{CATALOGUE[CODE]}: error[SLO602]" in result.stderr.replace(":1:1", "")
        assert f"compile {CODE} too" in result.stderr
        assert snapshot(compiled) == before

    def test_all_specs_together_mend_it(self, compiled: Path) -> None:
        before = contents(Path("out"))
        change_one_character(CATALOGUE[CODE])
        assert run("compile").exit_code == 0
        assert contents(Path("out")) == before

    def test_a_run_without_its_kind_does_not_care(self, compiled: Path) -> None:
        change_one_character(CATALOGUE[CODE])
        assert run("compile", CHAT, "--only", "rules,tests").exit_code == 0

    def test_a_dashboard_stands_in_nobodys_way(self, compiled: Path) -> None:
        """The dashboard of all specs is made of none of theirs."""
        before = contents(Path("out"))
        (path,) = Path("out/dashboards/editor").iterdir()
        change_one_character(path.as_posix())
        assert run("compile", CHAT).exit_code == 0
        assert contents(Path("out")) != before
        assert run("compile").exit_code == 0
        assert contents(Path("out")) == before

    def test_a_page_of_somebody_else_is_refused(self, repository: Path) -> None:
        Path("out").mkdir()
        Path(PAGE).write_text("mine\n", encoding="utf-8")
        result = run("compile")
        assert (result.exit_code, "SLO602" in result.stderr) == (1, True)
        assert files_below("out") == {PAGE}


class TestKilled:
    @pytest.mark.parametrize("after", [0, 4, 5, 9, 10])
    def test_the_next_run_on_one_spec_goes_on(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch, after: int
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(session, "apply_action", killed_after(after, apply_action))
            assert run("compile").exit_code != 0
        assert run("compile", CODE).exit_code == 0
        assert "editor/code-ttft" in Path(PAGE).read_text("utf-8")
        assert run("compile").exit_code == 0
        assert contents(Path("out")) == whole()

    @pytest.mark.parametrize("after", range(7))
    def test_the_page_is_old_or_new(self, compiled: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        old = contents(Path("out"))
        edit(CHAT, "99.7%", "99.8%")
        with monkeypatch.context() as patched:
            patched.setattr(session, "apply_action", killed_after(after, apply_action))
            run("compile")
        new = whole()
        assert Path(PAGE).read_bytes() == (new if after > 6 else old)["index.html"]
        assert run("compile", "--check").exit_code == 1
        assert run("compile").exit_code == 0
        assert contents(Path("out")) == new


class TestTexts:
    def test_they_are_read_when_they_are_asked_for(self, tmp_path: Path) -> None:
        texts = Texts(["b", "a", "b"], tmp_path)
        assert (list(texts), len(texts)) == (["a", "b"], 2)
        (tmp_path / "a").write_text("Löwe\n", encoding="utf-8")
        texts.hold("b", "not written")
        assert dict(texts) == {"a": "Löwe\n", "b": "not written"}
        with pytest.raises(KeyError):
            texts["c"]

    def test_no_fold_writes_where_a_spec_may(self) -> None:
        """A spec's file lies in a folder of its service."""
        assert all(path.count("/") < 2 for fold in FOLDS.values() for path in fold.FOLDED)


def test_documents_of_the_catalogue_follow_their_schema(compiled: Path) -> None:
    edit(CHAT, "  objectives:\n", "  waivers: [{code: SLO301, reason: agreed, until: 2030-03-01}]\n  objectives:\n")
    assert run("compile").exit_code == 0
    for path in CATALOGUE.values():
        assert output_faults("catalogue", json.loads(Path(path).read_text("utf-8"))) == []
    assert json.loads(Path(CATALOGUE[CHAT]).read_text("utf-8"))["waivers"] == [
        {"code": "SLO301", "reason": "agreed", "until": "2030-03-01"}
    ]
    assert output_faults("manifest", json.loads(Path("out/manifest.json").read_text("utf-8"))) == []


def test_documents_of_all_examples_follow_their_schema(specs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    config = tmp_path / "slo-compiler.yaml"
    config.write_text("{}\n", encoding="utf-8")
    arguments = ["compile", str(specs), "-o", str(out), "--only", "catalogue", "-q", "--config", str(config)]
    assert run(*arguments).exit_code == 0
    documents = [json.loads(path.read_text("utf-8")) for path in (out / "catalogue").rglob("*.json")]
    assert len(documents) > 40
    assert [fault for document in documents for fault in output_faults("catalogue", document)] == []
    said = {key for document in documents for slo in document["slos"] for key in slo}
    schema = json.loads(schema_path("output", "catalogue.schema.json").read_text("utf-8"))
    known = set(schema["properties"]["slos"]["items"]["properties"])
    assert known - said <= {"team"}
