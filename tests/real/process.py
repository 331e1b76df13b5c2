"""A program on loopback: started, waited for until its metrics page answers, and stopped with all its children."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


def folder_of(variable: str, name: str) -> Path:
    """Where a script installs a program: as the variable says, else in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get(variable) or cache / "slo-compiler" / name)


# Where the scripts install programs. Fixed when tests are collected: each test has a home of its own.
ENGINES = folder_of("ENGINES_DIR", "engines")
LITELLM = folder_of("LITELLM_DIR", "litellm")
VLLM = folder_of("VLLM_DIR", "vllm")
_STOPS_WITHIN = 5.0  # seconds


def free_port() -> int:
    """A port of the loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fetched(address: str) -> str:
    """What an address of this machine answers.

    Raises:
        OSError: nobody listens, or it is no 200.
    """
    with urllib.request.urlopen(address, timeout=10) as answer:
        body: bytes = answer.read()
    return body.decode()


def wait_until(true: Callable[[], bool], what: str, seconds: float) -> None:
    """Looks until it is true; fails the test where it does not become true in time."""
    ends = time.monotonic() + seconds
    while not true():
        if time.monotonic() > ends:
            pytest.fail(f"after {seconds:g}s: {what}", pytrace=False)
        time.sleep(0.05)


@contextmanager
def running(
    command: Sequence[str | Path],
    page: str,
    folder: Path,
    *,
    within: float,
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """The program, from the first answer of its metrics page on.

    Args:
        folder: where it runs and writes its log.
        within: seconds that it may take to start.
    """
    if not Path(command[0]).exists():
        pytest.fail(f"{command[0]} is missing; one of scripts/ensure_*.sh installs it", pytrace=False)
    log = folder / "log.txt"
    with log.open("wb") as output:
        # A session of its own is a group of its own, with all children.
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def answers() -> bool:
        if process.poll() is not None:
            pytest.fail(f"{command[0]} ended with {process.returncode}:\n{_end_of(log)}", pytrace=False)
        try:
            fetched(page)
        except OSError:
            return False
        return True

    try:
        wait_until(answers, f"{page} does not answer", within)
        yield
    finally:
        _stop(process)


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-3000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and whoever it started; the group is empty then."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        ends = time.monotonic() + _STOPS_WITHIN
        while time.monotonic() < ends:
            process.poll()
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                process.wait()
                return
            time.sleep(0.05)
    raise AssertionError(f"the group of {process.args!r} does not end")
