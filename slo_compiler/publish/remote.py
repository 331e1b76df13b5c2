"""The monitoring repository through a bare one of our own: read a branch's tip, build a commit on it, push that."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from slo_compiler.external.git import GitFailed, Repository, TreeFile
from slo_compiler.publish.identity import Identity
from slo_compiler.publish.plan import Standing
from slo_compiler.publish.stream import BASE, NEXT

_REMOTE = "publication"  # the user's own settings speak of origin
_QUIET = {
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.writeCommitGraph": "false",
    "i18n.commitEncoding": "UTF-8",
}
_FETCH = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
_PUSH = ("--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
_LONG = 64  # of an object id by SHA-256; a repository without a commit tells nobody which one it has
_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# What git says where another push was faster: of a tip that has moved, and of one that may be just moving.
_MOVED = ("fetch first", "non-fast-forward", "stale info", "incorrect old value")
_LOCKED = ("cannot lock ref", "failed to update ref")


class Refused(Exception):
    """The server refuses a push; the message is its reason."""


class Locked(Refused):
    """The server cannot move the branch, perhaps because somebody else is just moving it; the message is its reason."""


class Raced(Exception):
    """Another push was faster; the message is what git says."""


class Tip(NamedTuple):
    """Where a branch stands.

    Attributes:
        branch: its name, without refs/heads/.
        commit: its last commit; empty where there is none yet.
        base: the branch that a new one begins at: the same, else the repository's own; empty where nothing is.
        algorithm: by which the repository names its objects.
    """

    branch: str
    commit: str
    base: str
    algorithm: str


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository somewhere, by its address and a bare repository in a private folder.

    The address is handed to git by the environment, so that neither a list of processes nor a file shows what is in it.
    """

    url: str
    local: Repository

    def run(
        self,
        *arguments: str,
        content: bytes | Path = b"",
        more: Mapping[str, str] = MappingProxyType({}),
        identity: Mapping[str, str] = MappingProxyType({}),
    ) -> bytes:
        """What git prints in our repository; see `external.git.run`.

        Args:
            more: settings beside ours.
            identity: of author and committer, as variables of git's environment.
        """
        return self.local.run(*arguments, content=content, environment={**self._environment(more), **identity})

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        settings = {**_QUIET, f"remote.{_REMOTE}.url": self.url, **more}
        given = os.environ.get("GIT_CONFIG_COUNT", "")
        first = int(given) if given.isdecimal() else 0
        environment = {"GIT_CONFIG_COUNT": str(first + len(settings)), "GIT_DIR": str(self.local.root)}
        for number, (key, value) in enumerate(settings.items(), first):
            environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        # Somebody at a terminal may be asked for a password; a pipeline would wait for ever.
        asks = sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")
        return environment | {"GIT_TERMINAL_PROMPT": os.environ.get("GIT_TERMINAL_PROMPT", "1" if asks else "0")}

    def tip(self, branch: str | None) -> Tip:
        """Where a branch stands; by default the one that the repository itself shows, else main.

        Raises:
            GitFailed: it cannot be reached.
        """
        wanted = [] if branch is None else [f"refs/heads/{branch}"]
        listed = self.run("ls-remote", "--symref", _REMOTE, "HEAD", "refs/heads/main", *wanted)
        own, commits = "", dict[str, str]()
        for line in listed.decode("utf-8", "replace").splitlines():
            value, _, name = line.partition("\t")
            if value.startswith("ref: refs/heads/") and name == "HEAD":
                own = value.removeprefix("ref: refs/heads/")
            elif _OBJECT_ID.fullmatch(value):
                commits[name] = value
        default = own or ("main" if "refs/heads/main" in commits else "")
        algorithm = "sha256" if any(len(identity) == _LONG for identity in commits.values()) else "sha1"
        chosen = branch or default or self._unborn() or "main"
        commit = commits.get(f"refs/heads/{chosen}", commits.get("HEAD", "") if chosen == own else "")
        return Tip(chosen, commit, chosen if commit else default, algorithm)

    def _unborn(self) -> str:
        """The branch that a repository without a commit shows; it tells only those who clone it."""
        copy = self.local.root / "unborn"
        try:
            address = os.fsdecode(self.run("ls-remote", "--get-url", _REMOTE)).removesuffix("\n")
            named = {f"url.{address}.insteadOf": f"{_REMOTE}:"}  # the address stays out of the list of processes
            self.run("clone", "--quiet", "--bare", "--template=", f"{_REMOTE}:", str(copy), more=named)
            own = os.fsdecode(self.run("--git-dir", str(copy), "symbolic-ref", "HEAD"))
        except GitFailed:
            return ""
        finally:
            shutil.rmtree(copy, ignore_errors=True)
        return own.strip().removeprefix("refs/heads/")

    def begin(self, branch: str | None) -> Tip:
        """Finds a branch, as `tip` does, and brings its last commit, and nothing of its history.

        Raises:
            GitFailed: it cannot be reached.
        """
        tip = self.tip(branch)
        if not (self.local.root / "HEAD").exists():
            form = f"--object-format={tip.algorithm}"
            self.run("init", "--quiet", "--bare", "--template=", form, str(self.local.root))
        if tip.base:
            self._fetch(tip.base)
        return tip

    def again(self, tip: Tip) -> Tip:
        """Brings what the branch has become.

        Raises:
            GitFailed: it cannot be reached.
        """
        try:
            self._fetch(tip.branch)
        except GitFailed:  # nobody has made it yet
            return self.begin(tip.branch)
        commit = self.run("rev-parse", "--verify", BASE).decode("ascii").strip()
        return tip._replace(commit=commit, base=tip.branch)

    def _fetch(self, branch: str) -> None:
        self.run("fetch", *_FETCH, _REMOTE, f"+refs/heads/{branch}:{BASE}")

    def standing(self) -> dict[str, Standing]:
        """Everything in the commit that was fetched, folders included, by path."""
        listed = self.run("ls-tree", "-r", "-t", "-z", "--full-tree", BASE)
        found = {}
        for line in listed.split(b"\0"):
            head, tab, name = line.partition(b"\t")
            if tab:
                mode, kind, identity = head.decode("ascii").split()
                found[os.fsdecode(name)] = Standing(mode, kind, identity)
        return found

    def contents(self, files: Iterable[tuple[str, str]]) -> dict[str, bytes]:
        """The content of files by path, given as path and object id."""
        wanted = [TreeFile(path, identity, False) for path, identity in files]
        return {file.path: content for file, content in self.local.contents(wanted)}

    def commit(self, stream: Path, message: str, identity: Identity, *, on_base: bool) -> str:
        """The object id of a new commit.

        Args:
            stream: files in the format of git fast-import, as `stream` writes it.
            on_base: whether it follows the commit that was fetched; else it is the first.
        """
        self.run("fast-import", "--quiet", "--force", "--date-format=now", content=stream)
        parent = ("-p", BASE) if on_base else ()
        sign = ("-S",) if identity.signs else ()
        words = ("commit-tree", *sign, *parent, "-F", "-", f"{NEXT}^{{tree}}")
        made = self.run(*words, content=message.encode(), more=identity.signing, identity=identity.variables)
        return made.decode("ascii").strip()

    def push(self, commit: str, tip: Tip) -> None:
        """Moves the branch from the commit that was fetched to the new one, or leaves it as it is.

        Raises:
            Raced: it has moved meanwhile.
            Locked: it may be moving.
            Refused: the server says no.
            GitFailed: it cannot be reached.
        """
        try:
            self.run("push", *_PUSH, _REMOTE, f"{commit}:refs/heads/{tip.branch}")
        except GitFailed as fault:
            # `!`, what was pushed where, and `[remote rejected] (pre-receive hook declined)`; hooks speak elsewhere.
            told = "; ".join(line.rpartition("\t")[2] for line in fault.output.splitlines() if line.startswith("!\t"))
            if not told:
                raise
            kind = Raced if _holds(told, _MOVED) else Locked if _holds(told, _LOCKED) else Refused
            heard = [part for part in str(fault).split("; ") if part.startswith("remote:")]
            raise kind("; ".join([told, *heard])) from None


def _holds(text: str, words: Iterable[str]) -> bool:
    return any(word in text for word in words)
