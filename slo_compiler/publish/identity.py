"""Who commits: as git has it where the specs are, since a repository of our own knows nothing of those settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from slo_compiler.external import git
from slo_compiler.external.git import GitFailed


class Identity(NamedTuple):
    """Author and committer.

    Attributes:
        variables: of git's environment.
        signs: whether commits are signed.
    """

    variables: Mapping[str, str]
    signs: bool


def find_identity(folder: Path) -> Identity:
    """What git has in a folder.

    Raises:
        GitFailed: it knows of nobody.
        GitMissing: there is no git.
    """
    found: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        name, _, rest = git.run(("var", f"GIT_{role}_IDENT"), folder).decode("utf-8", "surrogateescape").partition(" <")
        found |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": rest.partition(">")[0]}
    return Identity(found, _signs(folder))


def _signs(folder: Path) -> bool:
    try:
        return git.run(("config", "--type=bool", "--get", "commit.gpgSign"), folder).strip() == b"true"
    except GitFailed:  # it is not set
        return False
