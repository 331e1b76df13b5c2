"""Who commits: as git has it where the specs are, since a repository of our own knows nothing of those settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from slo_compiler.external import git
from slo_compiler.external.git import GitFailed

_SIGNS = "commit.gpgsign"
_TRUE = ("true", "yes", "on", "1")


class Identity(NamedTuple):
    """Author and committer.

    Attributes:
        variables: of git's environment.
        signing: settings of git, all that it needs to sign a commit.
        signs: whether commits are signed.
    """

    variables: Mapping[str, str]
    signing: Mapping[str, str]
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
    signing = _signing(folder)
    return Identity(found, signing, signing.get(_SIGNS, "false").lower() in _TRUE)


def _signing(folder: Path) -> dict[str, str]:
    try:
        listed = git.run(("config", "--null", "--get-regexp", r"^(commit\.gpgsign|user\.signingkey|gpg\..*)$"), folder)
    except GitFailed:  # none is set
        return {}
    pairs = (line.partition("\n") for line in listed.decode("utf-8", "surrogateescape").split("\0") if line)
    return {key: value if newline else "true" for key, newline, value in pairs}
