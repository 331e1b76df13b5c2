"""`publish` with real git: what reaches a repository, what is left alone, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.publish.workspace import workspace
from tests.publishing import bare, compiled, edited, git, on_disk, publish, pushed, tree
from tests.test_schemas import output_faults

RULES = "rules/assistant/chat.yaml"
OWN = {"published.json"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path


@pytest.fixture
def out() -> Path:
    """A compiled folder, as people name it."""
    return compiled(Path())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return bare(tmp_path / "monitoring.git")


@pytest.fixture
def published(out: Path, target: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The commit of a first publication of the compiled folder; made once, and copied."""
    first = tmp_path_factory.getbasetemp() / "first.git"
    if not first.exists():
        result = publish(out, bare(first))
        assert result.exit_code == 0, result.output
    shutil.copytree(first, target, dirs_exist_ok=True)
    return git(target, "rev-parse", "main")


def commits(target: Path, branch: str = "main") -> list[str]:
    return git(target, "rev-list", branch).splitlines()


def nothing_left(folder: Path) -> bool:
    return not list((folder / "tmp").iterdir())


class TestWhatIsPublished:
    def test_an_empty_repository_holds_exactly_what_was_compiled(self, out: Path, target: Path, here: Path) -> None:
        result = publish(out, target, "--path", "slos/production")
        assert (result.exit_code, result.stdout) == (0, "")
        assert "main:slos/production/chat: 5 created; pushed as " in result.stderr
        found = tree(target)
        assert {path.removeprefix("slos/production/chat/"): text for path, text in found.items()} == {
            **on_disk(out),
            "published.json": found["slos/production/chat/published.json"],
        }
        assert len(commits(target)) == 1
        assert nothing_left(here)

    def test_the_branch_of_an_empty_repository_is_the_one_that_it_shows(self, out: Path, here: Path) -> None:
        target = bare(here / "trunk.git", "trunk")
        assert publish(out, target).exit_code == 0
        assert git(target, "symbolic-ref", "HEAD") == "refs/heads/trunk"
        assert len(commits(target, "trunk")) == 1

    def test_nothing_to_do_is_no_commit(self, out: Path, target: Path, published: str) -> None:
        result = publish(out, target)
        assert result.exit_code == 0
        assert "chat: up to date (4 files)" in result.stderr
        assert commits(target) == [published]

    def test_what_others_have_is_left_alone(self, out: Path, target: Path, here: Path) -> None:
        others = {"rules/node.yaml": "groups: []\n", "chat/notes.md": "Mine.\n", "chat/rules/mine.yaml": "groups: []\n"}
        before = edited(target, here / "work", others)
        assert publish(out, target).exit_code == 0
        found = tree(target)
        assert all(found[path] == text.encode() for path, text in others.items())
        assert set(found) == set(others) | {f"chat/{path}" for path in on_disk(out)} | {"chat/published.json"}
        assert commits(target)[1:] == [before]

    def test_a_change_replaces_and_prunes_on_top_of_what_is_there(
        self, target: Path, here: Path, published: str
    ) -> None:
        by_hand = edited(target, here / "work", {"README.md": "Ours.\n"})
        Path("specs/chat.yaml").unlink()
        out = compiled(Path(), "voice", "97.5%")
        assert publish(out, target).exit_code == 0
        assert set(tree(target, "chat")) == set(on_disk(out)) | OWN
        assert "rules/assistant/chat.yaml" not in tree(target, "chat")
        assert commits(target)[1:] == [by_hand, published]

    def test_every_name_of_a_file_arrives_as_it_is(self, out: Path, target: Path) -> None:
        names = [f"rules/{name}.yaml" for name in ('a "b"', "c\\d", "\\", "e f ", "é→", "'", "$(id)", "-x", "*")]
        for name in names:
            (out / name).write_text(name, encoding="utf-8")
        manifest = json.loads((out / "manifest.json").read_text("utf-8"))
        entries = {name: {"sha256": sha256(name.encode()).hexdigest(), "from": []} for name in names}
        amend(out, files={**manifest["files"], **entries})
        assert publish(out, target).exit_code == 0
        assert all(git(target, "cat-file", "blob", f"main:chat/{name}") == name for name in names)
        assert "up to date" in publish(out, target).stderr

    def test_words_of_the_team_go_along(self, target: Path) -> None:
        out = compiled(Path(), kinds="")
        page = out / "runbooks" / "assistant" / "chat.md"
        page.write_text(page.read_text("utf-8").replace("own summary begin -->", "own summary begin -->\nAsk Ada."))
        assert publish(out, target).exit_code == 0
        assert b"Ask Ada." in tree(target, "chat")["runbooks/assistant/chat.md"]

    def test_a_review_branch_begins_where_the_repository_stands(self, target: Path, published: str) -> None:
        out = compiled(Path(), target="97.5%")
        assert publish(out, target, "--branch", "review/chat").exit_code == 0
        assert commits(target) == [published]
        assert commits(target, "review/chat")[1:] == [published]
        again = publish(out, target, "--branch", "review/chat")
        assert "up to date" in again.stderr
        assert len(commits(target, "review/chat")) == 2

    def test_a_repository_of_sha256_is_spoken_to_in_its_own_ids(self, out: Path, here: Path) -> None:
        target = here / "long.git"
        for folder in (["--bare", str(target)], [str(here / "work")]):
            git(here, "init", "-q", "--initial-branch=main", "--object-format=sha256", *folder)
        git(here / "work", "remote", "add", "origin", str(target))
        pushed(here / "work")
        for expected in ("pushed as", "up to date"):
            assert expected in publish(out, target).stderr
        record = json.loads(tree(target, "chat")["published.json"])
        assert {len(identity) for identity in record["files"].values()} == {64}

    def test_owners_stand_side_by_side(self, out: Path, target: Path, here: Path, published: str) -> None:
        other = compiled(Path("other"), "voice")
        assert publish(other, target, owner="voice").exit_code == 0
        assert set(tree(target, "chat")) == set(on_disk(out)) | OWN
        assert set(tree(target, "voice")) == set(on_disk(other)) | OWN

    def test_the_record_is_as_its_schema_says(self, target: Path, published: str) -> None:
        assert output_faults("published", json.loads(tree(target, "chat")["published.json"])) == []


class TestDryRun:
    def test_it_shows_and_pushes_nothing(self, target: Path, published: str, here: Path) -> None:
        out = compiled(Path(), target="97.5%")
        result = publish(out, target, "--dry-run")
        assert result.exit_code == 0
        assert "assistant/chat-ttft" in result.stdout.splitlines()[0]
        assert f"replace chat/{RULES}" in result.stdout.splitlines()
        assert "nothing was pushed (--dry-run)" in result.stderr
        assert commits(target) == [published]
        assert nothing_left(here)

    def test_it_tells_of_conflicts(self, out: Path, target: Path, here: Path) -> None:
        edited(target, here / "work", {f"chat/{RULES}": "groups: []\n"})
        result = publish(out, target, "--dry-run")
        assert (result.exit_code, result.stderr.count("error[SLO603]")) == (1, 1)


class TestMessage:
    def test_it_says_what_changes_and_where_it_comes_from(self, target: Path, here: Path, published: str) -> None:
        git(here, "init", "-q", "--initial-branch=main", "specs")
        git(here / "specs", "add", "-A")
        git(here / "specs", "commit", "-q", "-m", "Specs")
        git(here / "specs", "remote", "add", "origin", "https://bot:hunter2@git.example.com/slos.git")
        out = compiled(Path(), target="97.5%")
        git(here / "specs", "commit", "-q", "-a", "-m", "Stricter")
        assert publish(out, target).exit_code == 0
        message = git(target, "log", "-1", "--format=%B", "main")
        head = git(here / "specs", "rev-parse", "HEAD")
        assert f"Source: https://***@git.example.com/slos.git {head}\n" in message
        assert "assistant/chat-ttft" in message
        assert "hunter2" not in message + tree(target, "chat")["published.json"].decode()

    def test_it_says_that_specs_are_not_committed(self, target: Path, here: Path) -> None:
        git(here, "init", "-q", "--initial-branch=main", "specs")
        git(here / "specs", "commit", "-q", "--allow-empty", "-m", "Empty")
        assert publish(compiled(Path()), target).exit_code == 0
        assert " + uncommitted changes\n" in git(target, "log", "-1", "--format=%B", "main")

    def test_words_of_the_user_come_first(self, out: Path, target: Path) -> None:
        assert publish(out, target, "--message", "Chat promises more").exit_code == 0
        lines = git(target, "log", "-1", "--format=%B", "main").splitlines()
        assert lines[0] == "Chat promises more"
        assert any("assistant/chat-ttft" in line for line in lines[1:])

    def test_author_and_committer_are_git_s(self, out: Path, target: Path) -> None:
        assert publish(out, target).exit_code == 0
        assert git(target, "log", "-1", "--format=%an <%ae> %cn", "main") == "A Tester <tester@example.com> A Tester"

    def test_it_is_signed_where_git_signs_for_the_specs(self, target: Path, here: Path) -> None:
        git(here, "init", "-q", "--initial-branch=main", "specs")
        signer = here / "gpg"
        said = "printf '\\n[GNUPG:] SIG_CREATED \\n' >&2; printf -- '-----BEGIN PGP SIGNATURE-----\\nby %s\\n' \"$3\""
        signer.write_text(f"#!/bin/sh\ncat > /dev/null; {said}\n", encoding="utf-8")
        signer.chmod(0o755)
        for key, value in (("commit.gpgSign", "true"), ("gpg.program", str(signer)), ("user.signingKey", "ours")):
            git(here / "specs", "config", key, value)
        assert publish(compiled(Path()), target).exit_code == 0
        assert "-----BEGIN PGP SIGNATURE-----\n by ours" in git(target, "cat-file", "commit", "main")


Edit = dict[str, str | None]


class TestConflicts:
    @pytest.mark.parametrize(
        ("files", "path", "reason"),
        [
            ({f"chat/{RULES}": "groups: []\n"}, f"chat/{RULES}", "was changed since it was published"),
            ({f"chat/{RULES}": None}, f"chat/{RULES}", "was removed since it was published"),
            ({"chat/published.json": "{}"}, "chat/published.json", "it is damaged"),
            ({"chat/published.json": '{"schema": "other/v1"}'}, "chat/published.json", "its schema is 'other/v1'"),
        ],
        ids=["an edited file", "a removed file", "a damaged record", "a record of something else"],
    )  # fmt: skip
    def test_what_others_edit_is_reported_and_kept(
        self, target: Path, here: Path, published: str, files: Edit, path: str, reason: str
    ) -> None:
        by_hand = edited(target, here / "work", files)
        out = compiled(Path(), target="97.5%")
        refused = publish(out, target)
        assert refused.exit_code == 1
        assert f"{path}:1:1: error[SLO603]" in refused.stderr
        assert reason in refused.stderr
        assert refused.stderr.endswith("nothing was published\n")
        assert commits(target) == [by_hand, published]

        assert publish(out, target, "--force").exit_code == 0
        assert {**tree(target, "chat"), "published.json": b""} == {**on_disk(out), "published.json": b""}
        assert commits(target)[1:] == [by_hand, published]

    def test_what_others_edit_is_not_removed_either(self, target: Path, here: Path, published: str) -> None:
        edited(target, here / "work", {f"chat/{RULES}": "groups: []\n"})
        Path("specs/chat.yaml").unlink()
        refused = publish(compiled(Path(), "voice"), target)
        assert (refused.exit_code, refused.stderr.count("error[SLO603]")) == (1, 1)

    def test_a_foreign_file_is_not_overwritten(self, out: Path, target: Path, here: Path) -> None:
        edited(target, here / "work", {f"chat/{RULES}": "groups: []\n"})
        refused = publish(out, target)
        assert refused.exit_code == 1
        assert (
            f"chat/{RULES}:1:1: error[SLO603]: a file that chat did not publish stands in its place" in refused.stderr
        )
        assert publish(out, target, "--force").exit_code == 0

    def test_the_same_bytes_are_nobody_s_loss(self, out: Path, target: Path, here: Path) -> None:
        edited(target, here / "work", {f"chat/{RULES}": (out / RULES).read_text("utf-8")})
        assert publish(out, target).exit_code == 0

    @pytest.mark.parametrize("force", [(), ("--force",)], ids=["without force", "with force"])
    def test_an_slo_has_one_owner(self, out: Path, target: Path, published: str, force: tuple[str, ...]) -> None:
        refused = publish(out, target, *force, owner="voice")
        assert refused.exit_code == 1
        assert "chat/published.json:1:1: error[SLO603]: chat publishes assistant/chat-ttft too" in refused.stderr
        assert commits(target) == [published]
        assert publish(out, target, "--path", "staging", owner="voice").exit_code == 0

    def test_what_an_owner_has_cannot_be_told_by_half_a_record(self, target: Path, here: Path, published: str) -> None:
        edited(target, here / "work", {"chat/published.json": '{"schema": "slo-compiler/published/v1"'})
        out = compiled(Path("other"), "voice")
        refused = publish(out, target, owner="voice")
        assert refused.exit_code == 1
        assert "which SLOs it publishes cannot be told" in refused.stderr
        assert publish(out, target, "--force", owner="voice").exit_code == 0

    def test_a_file_of_that_name_may_be_anybody_s(self, out: Path, target: Path, here: Path) -> None:
        edited(target, here / "work", {"blog/published.json": "[]", ".github/published.json": "{"})
        assert publish(out, target).exit_code == 0

    def test_an_slo_has_one_owner_without_a_catalogue(self, target: Path) -> None:
        out = compiled(Path(), kinds="rules")
        assert publish(out, target).exit_code == 0
        assert publish(out, target, owner="voice").exit_code == 1

    def test_an_owner_is_one_repository_of_specs(self, target: Path, here: Path) -> None:
        git(here, "init", "-q", "--initial-branch=main", "specs")
        for address, code in (("git@git.example.com:a/b.git", 0), ("https://x@git.example.com/a/b", 0), ("/else", 1)):
            git(here / "specs", "config", "remote.origin.url", address)
            assert publish(compiled(Path(), target=f"9{5 + code}.5%"), target).exit_code == code
        assert publish(Path("out"), target, "--force").exit_code == 0

    def test_an_older_commit_does_not_take_a_newer_one_back(self, target: Path, here: Path) -> None:
        git(here, "init", "-q", "--initial-branch=main", "specs")
        for share in ("95.5%", "97.5%"):
            out = compiled(Path(), target=share)
            git(here / "specs", "add", "-A")
            git(here / "specs", "commit", "-q", "-m", share)
        assert publish(out, target).exit_code == 0
        newer = git(here / "specs", "rev-parse", "HEAD")
        git(here / "specs", "checkout", "-q", "HEAD~1")
        out = compiled(Path(), target="95.5%")
        refused = publish(out, target)
        assert (refused.exit_code, f"comes from {newer}, a later commit" in refused.stderr) == (1, True)
        assert publish(out, target, "--force").exit_code == 0


class TestLinks:
    """No path of ours goes through a link or a submodule; `test_publish_plan.py` has all places where one may stand."""

    @pytest.mark.parametrize("at", ["slos", f"slos/chat/{RULES}"])
    def test_a_symbolic_link(self, out: Path, target: Path, here: Path, at: str) -> None:
        outside = here / "outside"
        outside.mkdir()
        edited(target, here / "work", {"README.md": "Ours.\n"})
        link = here / "work" / at
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(outside)
        git(here / "work", "add", "--", at)
        before = pushed(here / "work")
        refused = publish(out, target, "--path", "slos", "--force")
        assert refused.exit_code == 1
        assert refused.stderr.startswith(f"{at}:1:1: error[SLO603]: a symbolic link stands in ")
        assert refused.stderr.count("error[SLO603]") == 1
        assert (commits(target)[0], list(outside.iterdir())) == (before, [])

    def test_a_submodule(self, out: Path, target: Path, here: Path) -> None:
        edited(target, here / "work", {"README.md": "Ours.\n"})
        head = git(here / "work", "rev-parse", "HEAD")
        git(here / "work", "update-index", "--add", "--cacheinfo", f"160000,{head},slos/chat")
        before = pushed(here / "work")
        refused = publish(out, target, "--path", "slos", "--force")
        assert refused.exit_code == 1
        assert refused.stderr.startswith("slos/chat:1:1: error[SLO603]: a submodule stands in place of a folder")
        assert commits(target)[0] == before


class TestTheCompiledFolder:
    """Only what is as `compile` left it is published."""

    @pytest.mark.parametrize(
        ("damage", "said"),
        [
            (lambda out: (out / RULES).write_text("groups: []\n"), f"out/{RULES}:1:1: error[SLO602]: it was changed"),
            (lambda out: (out / RULES).unlink(), f"out/{RULES}:1:1: error[SLO602]: it is gone"),
            (lambda out: (out / "manifest.json").unlink(), "manifest.json:1:1: error[SLO602]: there is none: out is no"),
            (lambda out: (out / "manifest.json").write_text("{"), "manifest.json:1:1: error[SLO602]: it is damaged"),
            (lambda out: amend(out, pending=["rules/a.yaml"]), "out/rules/a.yaml:1:1: error[SLO602]: a compilation"),
            (lambda out: amend(out, files={}), "out/manifest.json:1:1: error[SLO602]: it lists no file"),
            (lambda out: amend(out, files=listed("../../a")), "error[SLO602]: it lists '../../a'"),
            (lambda out: amend(out, files=listed(".git/hooks/a")), "error[SLO602]: it lists '.git/hooks/a'"),
            (lambda out: link(out / RULES), f"out/{RULES}:1:1: error[SLO602]: a link stands in its place"),
            (lambda out: link(out / "rules"), f"out/{RULES}:1:1: error[SLO602]: a link leads out"),
            (lambda out: Path("specs/chat.yaml").write_text("a: 1\n"), "specs/chat.yaml:1:1: error[SLO602]: it was changed"),
        ],
        ids=[
            "an edited file", "a missing file", "no manifest", "half a manifest", "an interrupted compilation",
            "an empty manifest", "a path out of it", "a path into git", "a link", "a folder that is a link",
            "a spec that was changed since",
        ],
    )  # fmt: skip
    def test_it_is_refused_where_it_is_not_whole(self, out: Path, target: Path, damage: object, said: str) -> None:
        assert callable(damage)
        damage(out)
        refused = publish(out, target, "--force")
        assert refused.exit_code == 1
        assert said in refused.stderr
        assert refused.stderr.endswith("nothing was published\n")
        assert not git(target, "for-each-ref")

    def test_a_file_of_somebody_else_stays_at_home(self, out: Path, target: Path) -> None:
        (out / "rules" / "mine.yaml").write_text("groups: []\n")
        assert publish(out, target).exit_code == 0
        assert "rules/mine.yaml" not in tree(target, "chat")


def amend(out: Path, **fields: object) -> None:
    """Writes other fields into the manifest."""
    path = out / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **fields}), encoding="utf-8")


def listed(path: str) -> dict[str, object]:
    return {path: {"sha256": "0" * 64, "from": []}}


def link(path: Path) -> None:
    """Moves a file or folder out, and leaves a link."""
    outside = Path("outside").absolute()
    path.rename(outside)
    path.symlink_to(outside)


class TestUsage:
    @pytest.mark.parametrize(
        ("flags", "said"),
        [
            ((), "--repo and --owner are missing"),
            (("--repo", "x"), "--owner is missing"),
            (("--repo", "x", "--owner", "A"), "--owner: 'A' is no name of an owner"),
            (("--repo", "x", "--owner", "a", "--path", "../b"), "--path: '../b' is no folder of a repository"),
            (("--repo", "x", "--owner", "a", "--path", "/b"), "--path: '/b' is no folder of a repository"),
            (("--repo", "x", "--owner", "a", "--path", "a/.git"), "--path: 'a/.git' is no folder of a repository"),
            (("--repo", "--upload-pack=x", "--owner", "a"), "--repo: '--upload-pack=x' is no address"),
            (("--repo", "x", "--owner", "a", "--branch", "a..b"), "--branch: 'a..b' is no name of a branch"),
            (("--repo", "x", "--owner", "a", "--branch", "-f"), "--branch: '-f' is no name of a branch"),
        ],
    )  # fmt: skip
    def test_what_is_missing_or_unusable_is_named(self, out: Path, flags: tuple[str, ...], said: str) -> None:
        result = CliRunner().invoke(cli, ["publish", str(out), *flags])
        assert (result.exit_code, said in result.stderr) == (2, True), result.stderr

    def test_settings_stand_in_for_flags(self, target: Path) -> None:
        Path("slo-compiler.yaml").write_text(
            "publish: {repository: monitoring.git, path: slos/b, branch: review, owner: voice}\n", encoding="utf-8"
        )
        out = compiled(Path())
        Path("inner").mkdir()
        os.chdir("inner")
        assert CliRunner().invoke(cli, ["publish", f"../{out}"]).exit_code == 0
        assert set(tree(target, "slos/b/voice", "review")) >= {RULES}

    def test_a_path_may_have_blanks(self, out: Path, here: Path) -> None:
        assert publish(out, bare(here / "the monitoring.git")).exit_code == 0

    def test_settings_hold_no_password(self) -> None:
        Path("slo-compiler.yaml").write_text("publish: {repository: 'https://a:hunter2@b.example/c'}\n", "utf-8")
        result = CliRunner().invoke(cli, ["validate", "specs"])
        assert result.exit_code == 1
        assert "credentials do not belong" in result.stderr


class TestWorkspace:
    def test_the_folder_of_a_dead_run_is_removed_and_of_a_living_one_kept(self, here: Path) -> None:
        program = (
            "import sys, time; from slo_compiler.publish.workspace import workspace\n"
            "with workspace() as folder: print(folder, flush=True); time.sleep(100)"
        )
        environment = {**os.environ, "TMPDIR": str(here / "tmp")}
        with subprocess.Popen(
            [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
        ) as run:
            assert run.stdout is not None
            theirs = Path(run.stdout.readline().strip())
            with workspace() as ours:
                assert ours.is_dir() and theirs.is_dir() and ours != theirs
            assert not ours.parent.exists()
            run.kill()
        with workspace():
            assert not theirs.parent.exists()
        assert nothing_left(here)

    def test_what_only_looks_like_one_is_kept(self, here: Path) -> None:
        (here / "mine").mkdir()
        (here / "mine" / "file").touch()
        (here / "tmp" / "slo-compiler-publish-link").symlink_to(here / "mine")
        with workspace():
            pass
        assert (here / "mine" / "file").exists()
