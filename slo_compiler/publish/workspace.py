"""A private folder for one run, which goes with it; what a killed run left is removed by the next one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "slo-compiler-publish-"
_LOCK = "lock"


@contextmanager
def workspace() -> Iterator[Path]:
    """An empty folder that only this user may enter, inside of TMPDIR.

    The lock on a file in it lasts as long as the process and no child inherits it, so that it tells the folders of the
    living from those of the dead, whatever the numbers of processes in other containers are.

    Raises:
        OSError: there is no room.
    """
    _remove_stale()
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # another run took it for a dead one's
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / _LOCK).exists():  # the same, a moment later
                continue
            inside = folder / "work"
            inside.mkdir()
            yield inside
            return
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _remove_stale() -> None:
    """Removes the folders of this user whose run is over."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)
