"""What a revision of a repository held, as files in a folder of its own: no work tree is touched, no link is followed out."""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slo_compiler.external.git import GitFailed, Repository, TreeFile
from slo_compiler.load.discover import SUFFIXES

# After a revision: not it, but where the present one left it.
_SINCE = "..."
# Systems follow no more than some forty.
_MOST_LINKS = 40


class OutsideRepository(Exception):
    """A path that does not lie in the repository; the message names it."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of a repository."""

    repository: Repository
    commit: str

    def inside(self, path: str) -> str:
        """A path as seen from the root of the repository, empty for the root itself.

        Args:
            path: as seen from here; links in it are followed, what is not there any more is taken as it is written.

        Raises:
            OutsideRepository: it lies elsewhere.
        """
        found = Path(os.path.realpath(path))
        root = Path(os.path.realpath(self.repository.root))
        if not found.is_relative_to(root):
            raise OutsideRepository(f"{path} is not in the repository {root}")
        return "" if found == root else found.relative_to(root).as_posix()

    def content(self, path: str) -> bytes | None:
        """The bytes of a file; None where the revision has none.

        Args:
            path: from the root.
        """
        files = [file for file in self.repository.files(self.commit, [path]) if file.path == path and not file.is_link]
        return next((content for _, content in self.repository.contents(files)), None)

    def export(self, paths: Sequence[str], folder: Path) -> None:
        """Writes the files under paths that may hold documents into a folder, by their paths from the root.

        A link becomes the file that it leads to within the revision; one that leads elsewhere is left out. Of a
        submodule that is checked out, the files of the commit that the revision has of it are written.

        Raises:
            GitFailed: git cannot read them, or has not fetched that commit.
            OSError: the folder cannot be written.
        """
        everything = "" in paths
        listed = self.repository.files(self.commit, () if everything else paths) if paths else []
        wanted = [file for file in listed if file.path in paths or file.path.endswith(SUFFIXES)]
        plain = [file for file in wanted if not file.is_link]
        for path, content in [*self._read(plain), *self._links([file for file in wanted if file.is_link])]:
            if _is_safe(path):
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        for path, commit in self.repository.submodules(self.commit).items() if paths else ():
            within = sorted({part for given in paths if (part := _within(given, path)) is not None})
            if within and _is_safe(path) and self._is_checked_out(path):
                held = Revision(Repository(self.repository.root / path), commit)
                try:
                    held.export(within, folder / path)
                except GitFailed as fault:
                    hint = f"git -C {shlex.quote(path)} fetch origin {commit}"
                    raise GitFailed(f"submodule {path} at {commit[:12]}: {fault}; {hint}") from None

    def _is_checked_out(self, submodule: str) -> bool:
        root = Path(os.path.realpath(self.repository.root))
        place = root / submodule
        return Path(os.path.realpath(place)) == place and (place / ".git").exists()

    def _read(self, files: Sequence[TreeFile]) -> list[tuple[str, bytes]]:
        return [(file.path, content) for file, content in self.repository.contents(files)]

    def _links(self, links: Sequence[TreeFile]) -> list[tuple[str, bytes]]:
        """The content behind each link, through further links."""
        found: list[tuple[str, bytes]] = []
        waiting = {path: _lead(path, content) for path, content in self._read(links)}
        for _ in range(_MOST_LINKS):
            inside = sorted({lead for lead in waiting.values() if _is_safe(lead)})
            listed = {file.path: file for file in self.repository.files(self.commit, inside)} if inside else {}
            contents = dict(self._read([listed[lead] for lead in inside if lead in listed]))
            behind = {path: lead for path, lead in waiting.items() if lead in contents}
            found += [(path, contents[lead]) for path, lead in behind.items() if not listed[lead].is_link]
            waiting = {path: _lead(lead, contents[lead]) for path, lead in behind.items() if listed[lead].is_link}
        return found


def find_revision(repository: Repository, text: str) -> Revision:
    """The commit that is meant: a branch, a tag, an object id; with `...` behind it, where HEAD left it.

    Raises:
        GitFailed: there is none.
    """
    if not text.endswith(_SINCE):
        return Revision(repository, repository.commit(text))
    start = repository.commit(text.removesuffix(_SINCE))
    try:
        found = repository.run("merge-base", start, repository.commit("HEAD"))
    except GitFailed:
        raise GitFailed(f"{text.removesuffix(_SINCE)} and HEAD have no common commit here") from None
    return Revision(repository, found.decode("ascii").strip())


def _lead(link: str, content: bytes) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(link), os.fsdecode(content)))


def _within(path: str, folder: str) -> str | None:
    """Which part of a folder a path means: empty for all of it, None for nothing of it."""
    if path in ("", folder) or folder.startswith(f"{path}/"):
        return ""
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None


def _is_safe(path: str) -> bool:
    """Whether a path stays below the folder that it is joined to."""
    return bool(path) and not path.startswith("/") and not {"", ".", ".."} & set(path.split("/"))
