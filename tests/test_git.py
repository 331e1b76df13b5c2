"""git by real git, in repositories made for the test."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from slo_compiler.external import git
from slo_compiler.external.git import GitFailed, GitMissing, Repository, find_repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """One commit, tagged `first`: a file in a folder, one with an odd name, a link; then the file changes."""
    root = tmp_path / "work"
    (root / "specs").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(root)], check=True)
    (root / "specs" / "chat.yaml").write_bytes(b"one\n\0two")
    (root / "specs" / 'odd "näme"\n.yaml').write_bytes(b"")
    (root / "link.yaml").symlink_to("specs/chat.yaml")
    found = Repository(root)
    found.run("add", ".")
    found.run("commit", "-q", "-m", "first")
    found.run("tag", "first")
    (root / "specs" / "chat.yaml").write_bytes(b"later")
    return found


def test_a_revision_holds_what_was_committed_whatever_the_work_tree_has(repository: Repository) -> None:
    commit = repository.commit("first")
    assert commit == repository.commit("trunk") and len(commit) == 40
    found = {file.path: (file.is_link, content) for file, content in repository.contents(repository.files(commit))}
    assert found == {
        "link.yaml": (True, b"specs/chat.yaml"),
        "specs/chat.yaml": (False, b"one\n\0two"),
        'specs/odd "näme"\n.yaml': (False, b""),
    }
    assert (repository.root / "specs" / "chat.yaml").read_bytes() == b"later"


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["specs/chat.yaml"], ["specs/chat.yaml"]),
        (["link.yaml"], ["link.yaml"]),
        (["spec"], []),
        (["spec*"], []),
        ([":(glob)specs/*"], []),
    ],
    ids=["a file", "a link", "a part of a name", "a pattern is a name", "magic is a name"],
)
def test_paths_are_taken_as_they_are_written(repository: Repository, paths: list[str], expected: list[str]) -> None:
    assert [file.path for file in repository.files(repository.commit("first"), paths)] == expected


@pytest.mark.parametrize("revision", ["second", "--all", "first:specs/chat.yaml", "", "HEAD~7"])
def test_what_is_no_commit_is_refused(repository: Repository, revision: str) -> None:
    with pytest.raises(GitFailed):
        repository.commit(revision)


def test_a_folder_within_finds_its_repository(repository: Repository) -> None:
    assert find_repository(repository.root / "specs").root.samefile(repository.root)


def test_a_folder_outside_is_in_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(GitFailed, match=r"^not a git repository"):
        find_repository(tmp_path)


def test_a_hook_of_another_repository_does_not_lead_astray(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert find_repository(repository.root).root.samefile(repository.root)
    assert len(repository.commit("first")) == 40


def test_without_git_the_message_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissing, match="apt-get install git"):
        git.run(["--version"], tmp_path)


def test_what_git_says_is_one_line_without_its_prefix(repository: Repository) -> None:
    with pytest.raises(GitFailed) as fault:
        repository.run("rev-list", "second", "--")
    assert str(fault.value).startswith("bad revision 'second'")
