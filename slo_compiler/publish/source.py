"""Which commit the specs of a compiled folder come from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from slo_compiler.external.git import GitFailed, Repository, find_repository, without_credentials
from slo_compiler.plain_text import visible
from slo_compiler.publish.record import Source


def find_source(inputs: Iterable[str], folder: Path) -> tuple[Repository | None, Source]:
    """The repository of the specs, else of the compiled folder, and its state; neither outside of git.

    Args:
        inputs: paths of specs, settings and the like, as seen from here; those that are not there are passed over.

    Raises:
        GitMissing: there is no git.
    """
    files = [Path(path).absolute() for path in inputs if Path(path).is_file()]
    beside = files[0].parent if files else folder
    try:
        repository = find_repository(beside)
    except GitFailed:
        return None, Source()
    return repository, Source(_address(repository), _commit(repository), _is_dirty(repository, files))


def is_older(repository: Repository | None, commit: str, published: str) -> bool:
    """Whether what is published comes from a later commit of the same history."""
    if repository is None or not commit or not published or commit == published:
        return False
    try:
        repository.run("merge-base", "--is-ancestor", commit, published)
    except GitFailed:  # it is not, or its commit is not there
        return False
    return True


def _address(repository: Repository) -> str:
    try:
        found = repository.run("config", "--get", "remote.origin.url")
    except GitFailed:
        return ""
    return visible(without_credentials(os.fsdecode(found).strip()))


def _commit(repository: Repository) -> str:
    try:
        return repository.commit("HEAD")
    except GitFailed:
        return ""


def _is_dirty(repository: Repository, files: list[Path]) -> bool:
    """Whether one of the files is not as in the commit."""
    try:
        listed = repository.run("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")
    except GitFailed:
        return False
    changed = {repository.root / os.fsdecode(line[3:]) for line in listed.split(b"\0") if line}
    return any(path in changed or path.resolve() in changed for path in files)
