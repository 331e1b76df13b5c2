"""New files into a folder that may hold others: all of them, or none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from slo_compiler.emit.base import Artifact
from slo_compiler.write.apply import replace_file
from slo_compiler.write.plan import Foreign, refuse_foreign


class InTheWay(Exception):
    """Something stands where a file would go; nothing was written."""

    def __init__(self, found: list[Foreign]) -> None:
        super().__init__("; ".join(str(item) for item in found))
        self.found = found


@contextmanager
def placed(artifacts: Sequence[Artifact], folder: Path, *, overwrite: bool) -> Iterator[None]:
    """Holds the files in the folder while the body runs; where it or a write fails, all is as it was before.

    Each file appears by one rename. What cannot be undone is a process that is killed: then some files are there, whole.

    Args:
        overwrite: files may be replaced; links and folders never are.

    Raises:
        InTheWay: before anything is written.
        OSError: the disk refuses.
    """
    paths = [artifact.path for artifact in artifacts]
    found = refuse_foreign(paths, paths if overwrite else (), folder)
    if found:
        raise InTheWay(found)
    undo = _Undo()
    try:
        for artifact in artifacts:
            target = folder / artifact.path
            undo.remember(target)
            replace_file(target, artifact.text.encode())
        yield
    except BaseException:
        undo.carry_out()
        raise


class _Undo:
    """What a folder held before: contents of files, None where there was none, and folders that did not exist."""

    def __init__(self) -> None:
        self._files: dict[Path, bytes | None] = {}
        self._folders: list[Path] = []

    def remember(self, target: Path) -> None:
        self._files[target] = target.read_bytes() if target.exists() else None
        for folder in _missing(target.parents):
            if folder not in self._folders:
                self._folders.append(folder)

    def carry_out(self) -> None:
        for target, content in self._files.items():
            with contextlib.suppress(OSError):
                if content is None:
                    target.unlink(missing_ok=True)
                else:
                    replace_file(target, content)
        for folder in sorted(self._folders, key=lambda folder: len(folder.parts), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _missing(folders: Iterable[Path]) -> Iterator[Path]:
    """The folders, innermost first, up to one that exists."""
    for folder in folders:
        if folder.exists():
            return
        yield folder
