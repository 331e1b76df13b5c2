"""Outputs that a commit would leave behind."""

from __future__ import annotations

from pathlib import Path


def untracked(folder: Path) -> list[str]:
    """The files of a folder, from there, that git neither tracks nor ignores; none outside of a repository."""
    from slo_compiler.external.git import GitFailed, GitMissing, run

    if not folder.is_dir():
        return []
    try:
        listed = run(("ls-files", "--others", "--exclude-standard", "-z"), folder)
    except (GitMissing, GitFailed):
        return []
    return [name.decode("utf-8", "replace") for name in listed.split(b"\0") if name]
