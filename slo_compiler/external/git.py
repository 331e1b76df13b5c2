"""git, started without a shell: which repository a path lies in, and what a revision of it held.

Nothing here writes to a work tree, an index or a reference; whoever does starts git by `Repository.run`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from slo_compiler.plain_text import visible

INSTALL_HINT = "git is not on the PATH; on Debian and Ubuntu: apt-get install git"
# What git sets for hooks (git rev-parse --local-env-vars): it would speak of another repository than the one asked for.
_OF_A_REPOSITORY = frozenset(
    (
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    )
)
# Messages in one language, no question to a terminal, and no lock taken only to speed up a later run.
_SETTINGS = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
# What stands before the host of an address: a user name alone may be a token.
_CREDENTIALS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s'\"]*@")
_FILE_MODES = ("100644", "100755")
_LINK_MODE = "120000"
_SUBMODULE_MODE = "160000"


class GitMissing(Exception):
    """There is no git; the message says how to get it."""


class GitFailed(Exception):
    """git refuses; the message is what it says, without the words `fatal:` and `error:`, and without credentials.

    Attributes:
        output: what it printed before, without credentials.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class TreeFile(NamedTuple):
    """A file of a revision.

    Attributes:
        path: from the root of the repository, with `/` between folders.
        is_link: its content is the path that it leads to.
    """

    path: str
    object_id: str
    is_link: bool


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository by the root of its work tree, or by its own folder where it is bare."""

    root: Path

    def run(
        self, *arguments: str, content: bytes | Path = b"", environment: Mapping[str, str] = MappingProxyType({})
    ) -> bytes:
        """What git prints, started in the repository.

        Args:
            content: what it reads on its standard input, or the file that it reads it from.
            environment: set beside that of this process.

        Raises:
            GitMissing: there is no git.
            GitFailed: it exits with another code than 0.
        """
        return run(arguments, self.root, content=content, environment=environment)

    def commit(self, revision: str) -> str:
        """The object id of the commit that a branch, tag or other revision stands for.

        Raises:
            GitFailed: there is none.
        """
        found = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return found.decode("ascii").strip()

    def files(self, commit: str, paths: Sequence[str] = ()) -> list[TreeFile]:
        """The files of a commit under paths from the root, taken as they are written; of all of it without paths.

        Submodules are left out.
        """
        return [
            TreeFile(path, object_id, mode == _LINK_MODE)
            for mode, object_id, path in self._listed(commit, paths)
            if mode in _FILE_MODES or mode == _LINK_MODE
        ]

    def submodules(self, commit: str) -> dict[str, str]:
        """The commit of each submodule of a commit by the path where it lies."""
        if not self.files(commit, [".gitmodules"]):
            return {}  # most have none, and need not list all that they hold
        return {path: object_id for mode, object_id, path in self._listed(commit) if mode == _SUBMODULE_MODE}

    def _listed(self, commit: str, paths: Sequence[str] = ()) -> Iterator[tuple[str, str, str]]:
        """Mode, object id and path of what a commit holds."""
        for line in self.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths).split(b"\0"):
            head, tab, name = line.partition(b"\t")
            if tab:
                mode, _, object_id = head.decode("ascii").split()
                yield mode, object_id, os.fsdecode(name)

    def contents(self, files: Sequence[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
        """The bytes of files, by one git for all of them."""
        asked = "".join(f"{file.object_id}\n" for file in files).encode("ascii")
        answer = self.run("cat-file", "--batch", content=asked) if files else b""
        position = 0
        for file in files:
            end = answer.index(b"\n", position)
            words = answer[position:end].split()
            if len(words) != 3:
                raise GitFailed(f"{file.path}: {answer[position:end].decode('utf-8', 'replace')}")
            size = int(words[2])
            yield file, answer[end + 1 : end + 1 + size]
            position = end + 1 + size + 1


def find_repository(path: Path) -> Repository:
    """The repository in whose work tree a folder lies.

    Raises:
        GitMissing: there is no git.
        GitFailed: it lies in none, or in one that git does not trust.
    """
    found = run(("rev-parse", "--show-toplevel"), path)
    return Repository(Path(os.fsdecode(found.removesuffix(b"\n"))))


def run(
    arguments: Sequence[str],
    folder: Path,
    *,
    content: bytes | Path = b"",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """What git prints, started in a folder; see `Repository.run`."""
    program = shutil.which("git")
    if program is None:
        raise GitMissing(INSTALL_HINT)
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_A_REPOSITORY}
    with content.open("rb") if isinstance(content, Path) else nullcontext() as stream:
        done = subprocess.run(
            [program, "--no-pager", "--literal-pathspecs", *arguments],
            cwd=folder,
            env={**inherited, **_SETTINGS, **environment},
            stdin=stream,
            input=None if isinstance(content, Path) else content,
            capture_output=True,
            check=False,
        )
    if done.returncode:
        printed = without_credentials(done.stdout.decode("utf-8", "replace"))
        raise GitFailed(_said(done.stderr) or f"git {arguments[0]} exits with {done.returncode}", printed)
    return done.stdout


def is_branch_name(name: str) -> bool:
    """Whether a branch may be called so.

    Raises:
        GitMissing: there is no git.
    """
    try:
        run(("check-ref-format", f"refs/heads/{name}"), Path.cwd())
    except GitFailed:
        return False
    return True


def without_credentials(text: str) -> str:
    """A text in which no address shows a user or a password: `https://***@git.example.com/slos`."""
    return _CREDENTIALS.sub(r"\1***@", text)


def _said(text: bytes) -> str:
    """What git says of a failure, on one line, and the server through it."""
    said = without_credentials(text.decode("utf-8", "replace"))
    lines = [visible(line.strip()) for line in said.splitlines()]
    return "; ".join(line.removeprefix("fatal: ").removeprefix("error: ") for line in lines if line)
