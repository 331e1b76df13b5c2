"""Paths that hold no spec: too large, no files, unreadable, gone, endless, or very many. One finding or usage error each."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from io import FileIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from slo_compiler import pipeline
from slo_compiler.cli import cli
from slo_compiler.load.discover import discover
from slo_compiler.load.limits import MAX_BYTES
from slo_compiler.load.yaml import LoadedFile, read_content

SPEC = (Path(__file__).parent.parent / "specs" / "vllm" / "chatbot.yaml").read_text("utf-8")
HUGE = 100_000_000


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one good spec."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "good.yaml").write_text(SPEC, "utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, [*arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def errors(result: Result) -> list[str]:
    return [line for line in result.stderr.splitlines() if " error[" in line]


class _Counting:
    """A file that tells how much was asked of it."""

    def __init__(self, handle: FileIO, asked: list[int]) -> None:
        self._handle = handle
        self._asked = asked

    def __enter__(self) -> _Counting:
        return self

    def __exit__(self, *fault: object) -> None:
        self._handle.close()

    def fileno(self) -> int:
        return self._handle.fileno()

    def read(self, size: int) -> bytes:
        self._asked.append(size)
        return self._handle.read(size)

    def readall(self) -> bytes:
        return self._handle.readall()


@pytest.mark.parametrize("command", ["validate", "compile", "expand", "explain"])
def test_a_file_of_100_mb_is_refused_without_being_read(
    here: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (here / "specs" / "huge.yaml").open("wb") as handle:
        handle.truncate(HUGE)
    asked: list[int] = []
    fdopen = os.fdopen

    def counting(descriptor: int, mode: str, buffering: int) -> _Counting:
        handle = fdopen(descriptor, mode, buffering)
        assert isinstance(handle, FileIO)
        return _Counting(handle, asked)

    monkeypatch.setattr(os, "fdopen", counting)
    started = time.process_time()
    result = run(command, "specs")
    assert time.process_time() - started < 5
    assert errors(result) == ["specs/huge.yaml:1:1: error[SLO103]: the file is over 2 MB"]
    assert result.exit_code == 1
    assert set(asked) == {MAX_BYTES + 1}, "no more is asked of the disk than a spec may hold"


def test_what_is_no_file_is_one_finding_each(here: Path) -> None:
    folder = here / "specs"
    os.mkfifo(folder / "pipe.yaml")
    (folder / "device.yaml").symlink_to("/dev/zero")
    (folder / "gone.yaml").symlink_to("nowhere")
    (folder / "self.yaml").symlink_to("self.yaml")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket.yaml"))
        for command in ("validate", "compile"):
            # A process of its own: whoever opens the pipe for good waits for ever.
            done = subprocess.run(
                [sys.executable, "-m", "slo_compiler", command, "specs"],
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            found = [line for line in done.stderr.splitlines() if " error[" in line]
            assert found == [
                "specs/device.yaml:1:1: error[SLO601]: cannot be read: it is a device",
                "specs/gone.yaml:1:1: error[SLO601]: cannot be read: No such file or directory",
                "specs/pipe.yaml:1:1: error[SLO601]: cannot be read: it is a pipe",
                "specs/self.yaml:1:1: error[SLO601]: cannot be read: Too many levels of symbolic links",
                "specs/socket.yaml:1:1: error[SLO601]: cannot be read: No such device or address",
            ]
            assert done.returncode == 1, done.stderr
    assert not (here / "out").exists()


def test_a_folder_in_place_of_a_file_is_told(here: Path) -> None:
    found = read_content("specs")
    assert isinstance(found, LoadedFile)
    assert [item.message for item in found.diagnostics] == ["cannot be read: Is a directory"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.yaml", "no such file or folder: nowhere.yaml"),
        ("x" * 5_000, "no such file or folder: xxx"),
        ("specs/good.yaml/inside", "no such file or folder: specs/good.yaml/inside"),
        ("nul\0", "no such file or folder: nul"),
        ("empty", "no spec (.yaml, .yml, .json) under empty"),
    ],
    ids=lambda text: text[:24].replace("\0", "0"),
)
@pytest.mark.parametrize("command", ["validate", "compile"])
def test_a_path_without_a_spec_is_a_usage_error(here: Path, command: str, path: str, message: str) -> None:
    (here / "empty").mkdir()
    result = run(command, path)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize("config", ["specs", "nowhere.yaml", "x" * 5_000, "/dev/zero"], ids=lambda text: text[:12])
def test_a_configuration_that_is_no_file_is_a_usage_error(here: Path, config: str) -> None:
    result = run("validate", "specs", "--config", config)
    assert result.exit_code == 2
    assert "is no file that can be read" in result.stderr


def test_a_huge_configuration_is_refused(here: Path) -> None:
    with (here / "slo-compiler.yaml").open("wb") as handle:
        handle.truncate(HUGE)
    result = run("compile", "specs")
    assert errors(result) == ["slo-compiler.yaml:1:1: error[SLO103]: the file is over 2 MB"]
    assert result.exit_code == 1


def test_links_in_a_circle_are_not_followed(here: Path) -> None:
    (here / "specs" / "loop").symlink_to(".")
    (here / "specs" / "up").symlink_to("..")
    assert discover(["specs"]) == (["specs/good.yaml"], [])


def test_an_output_folder_with_too_long_a_name_is_the_environment(here: Path) -> None:
    result = run("compile", "specs", "-o", "x" * 5_000)
    assert result.exit_code == 3
    assert "File name too long" in result.stderr


def test_a_file_that_nobody_may_read_is_one_finding(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: str, *rest: int) -> int:
        if str(path).endswith("good.yaml"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *rest)

    monkeypatch.setattr(os, "open", refuse)
    result = run("validate", "specs")
    assert errors(result) == ["specs/good.yaml:1:1: error[SLO601]: cannot be read: Permission denied"]


def test_a_folder_that_nobody_may_list_is_told(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "specs" / "closed").mkdir()
    real = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    result = run("validate", "specs")
    (found,) = errors(result)
    assert found.startswith("specs/closed:1:1: error[SLO601]: cannot be read: ")


@pytest.mark.parametrize("again", ["read", "loaded"])
def test_a_file_that_vanishes_after_it_was_listed_is_one_finding(
    here: Path, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    doomed = here / "specs" / "doomed.yaml"
    # The larger one is looked at first and read when its turn comes.
    doomed.write_text(SPEC + "# " + "x" * (100 if again == "read" else pipeline._KEPT_BYTES), "utf-8")
    real = read_content

    def vanish(path: str) -> bytes | LoadedFile:
        if again == "read":
            doomed.unlink(missing_ok=True)
        content = real(path)
        if again == "loaded" and path.endswith("good.yaml"):
            doomed.unlink()
        return content

    monkeypatch.setattr(pipeline, "read_content", vanish)
    result = run("validate", "specs")
    assert errors(result) == ["specs/doomed.yaml:1:1: error[SLO601]: cannot be read: No such file or directory"]
    assert result.exit_code == 1


def test_ten_thousand_files_in_a_folder_are_all_read(here: Path) -> None:
    for number in range(10_000):
        (here / "specs" / f"note-{number:05}.yaml").write_text("# nothing yet\n", "utf-8")
    (here / "specs" / "note-07777.yaml").write_text("a: 1\n", "utf-8")
    started = time.process_time()
    result = run("validate", "specs")
    assert time.process_time() - started < 20
    assert len(errors(result)) == 1
    assert "in 10,001 files" in result.stderr
