"""The files of some kinds as a fold sees them: those of this run, and those of an earlier run that stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from slo_compiler.emit.base import Fold
from slo_compiler.write.manifest import Entry, sha256
from slo_compiler.write.plan import Foreign


class Texts(Mapping[str, str]):
    """Texts by path, sorted; each is read from the folder when it is asked for, so that memory holds one of them.

    Args:
        paths: of all files that are or will be in the folder.
    """

    def __init__(self, paths: Iterable[str], folder: Path) -> None:
        self._paths = dict.fromkeys(sorted(paths))
        self._folder = folder
        self._unwritten: dict[str, str] = {}

    def hold(self, path: str, text: str) -> None:
        """Keeps a text that is not written, or not yet."""
        self._unwritten[path] = text

    def __getitem__(self, path: str) -> str:
        if path not in self._paths:
            raise KeyError(path)
        found = self._unwritten.get(path)
        return (self._folder / path).read_bytes().decode() if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def texts_of(fold: Fold, planned: Iterable[str], kept: Mapping[str, Entry], folder: Path) -> Texts:
    """The files of a fold's kinds, planned and kept."""
    return Texts((path for path in (*planned, *kept) if _is_read(fold, path)), folder)


def _is_read(fold: Fold, path: str) -> bool:
    return path.partition("/")[0] in fold.OF and path not in fold.FOLDED


def refuse_changed(fold: Fold, planned: Iterable[str], kept: Mapping[str, Entry], folder: Path) -> Iterator[Foreign]:
    """Files that a fold would read although they are not what an earlier run wrote."""
    new = set(planned)
    for path, entry in kept.items() if fold.READS else ():
        if path in new or not _is_read(fold, path):
            continue
        try:
            changed = "changed" if sha256((folder / path).read_bytes()) != entry.sha256 else ""
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            changed = "is gone"
        if changed:
            specs = ", ".join(entry.origins)
            yield Foreign(
                path,
                f"it {changed} since it was written, and {', '.join(fold.FOLDED)} is made of it",
                f"compile {specs} too, or all specs together",
            )
