"""What `diff` says of two sets of SLOs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.diff import Change, NothingToCompare, compare_folders, render_text
from slo_compiler.write.manifest import BrokenManifest, sha256

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: chat, labels: {team: talk}}
spec:
  service: assistant
  model: acme/chat
  engine: {name: vllm, version: "0.11"}
  selector: {namespace: prod}
  useCase: chatbot
  objectives:
    - {sli: ttft, threshold: 300ms, target: 97%}
    - {sli: ratio, name: grounded, target: 99.9%, good: 'rag_grounded_total{app="x"}', total: 'rag_answers_total{app="x"}'}
"""
Compile = Callable[..., Path]


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    """Compiles a spec into a folder of that name, as `specs/chat.yaml` of a repository of its own."""

    def make(name: str, text: str, *more: str) -> Path:
        home = tmp_path / f"{name}-repository"
        (home / "specs").mkdir(parents=True)
        (home / "specs" / "chat.yaml").write_text(text, encoding="utf-8")
        (home / "slo-compiler.yaml").write_text("{}\n", encoding="utf-8")
        with contextlib.chdir(home):
            result = CliRunner().invoke(
                cli, ["compile", "-q", "-o", str(tmp_path / name), "--only", "catalogue", *more]
            )
        assert result.exit_code == 0, result.output
        return tmp_path / name

    return make


def one(changes: tuple[Change, ...], field: str) -> Change:
    found = [change for change in changes if change.field == field]
    assert len(found) == 1, [change.text for change in changes]
    return found[0]


class TestFolders:
    def test_the_same_specs_differ_in_nothing(self, compiled: Compile) -> None:
        changes = compare_folders(compiled("old", SPEC), compiled("new", SPEC))
        assert changes == ()
        assert render_text(changes) == "no change for users"

    def test_against_nothing_every_slo_is_added(self, compiled: Compile) -> None:
        changes = compare_folders(None, compiled("new", SPEC))
        assert [(change.kind.value, change.slo_id) for change in changes] == [
            ("added", "assistant/chat-grounded"),
            ("added", "assistant/chat-ttft"),
        ]
        assert "97% of requests: time to first token within 300ms" in " ".join(render_text(changes).split())

    def test_a_changed_target_says_what_it_costs(self, compiled: Compile) -> None:
        old = compiled("old", SPEC)
        changes = compare_folders(old, compiled("new", SPEC.replace("99.9%", "99.5%")))
        target = one(changes, "target")
        assert (target.old, target.new, target.direction.value, target.causes[0].value) == (
            0.999,
            0.995,
            "looser",
            "spec",
        )
        assert target.text == (
            "target 99.9% -> 99.5%, looser: budget 40 -> 201 minutes of total failure in 28d "
            "(retroactive: attainment of the last 28d is judged by the new target at once)"
        )

    def test_an_edited_document_is_not_believed(self, compiled: Compile) -> None:
        old, new = compiled("old", SPEC), compiled("new", SPEC)
        document = new / "catalogue" / "assistant" / "chat.json"
        document.write_text(document.read_text("utf-8").replace("0.999", "0.5"), encoding="utf-8")
        with pytest.raises(BrokenManifest, match="changed since it was written"):
            compare_folders(old, new)
        document.unlink()
        with pytest.raises(BrokenManifest, match="No such file"):
            compare_folders(old, new)

    def test_a_folder_without_the_catalogue_says_how_to_get_it(self, compiled: Compile) -> None:
        new = compiled("new", SPEC, "--only", "rules")
        with pytest.raises(NothingToCompare, match="--only catalogue"):
            compare_folders(None, new)

    def test_a_folder_of_another_version_says_what_to_do(self, compiled: Compile) -> None:
        new = compiled("new", SPEC)
        path = new / "catalogue" / "assistant" / "chat.json"
        content = path.read_bytes()
        path.write_bytes(content.replace(b'"counts": ', b'"events": '))
        manifest = (new / "manifest.json").read_text("utf-8")
        edited = manifest.replace(sha256(content), sha256(path.read_bytes()))
        (new / "manifest.json").write_text(edited, encoding="utf-8")
        with pytest.raises(NothingToCompare, match=r"another version of slo-compiler; compile .* again"):
            compare_folders(None, new)
