"""Ends a process at its Nth call of those that matter to what is left behind: rename, link, fsync, the start of a program.

A filter in the kernel (seccomp) stops the process and all that it starts at exactly these calls, and this one (ptrace)
counts them. Linux only; on two kinds of processors.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple

# Numbers of system calls by name (the kernel's include/uapi/asm-generic/unistd.h, and x86's own table).
_CALLS = {
    "x86_64": {
        "rename": 82, "renameat": 264, "renameat2": 316, "link": 86, "linkat": 265, "fsync": 74, "fdatasync": 75,
        "execve": 59, "execveat": 322,
    },
    "aarch64": {"renameat": 38, "renameat2": 276, "linkat": 37, "fsync": 82, "fdatasync": 83, "execve": 221, "execveat": 281},
}  # fmt: skip
_TRACEME, _CONT, _SETOPTIONS, _GETEVENTMSG = 0, 7, 0x4200, 0x4201
_FORKS, _SECCOMP_STOP = (1, 2, 3), 7
# PTRACE_O_TRACEFORK, VFORK, CLONE, EXEC, SECCOMP and EXITKILL.
_OPTIONS = 0x02 | 0x04 | 0x08 | 0x10 | 0x80 | 0x100000
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000
_WALL = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


class Victims(Enum):
    """Who is killed."""

    ALONE = "the publisher alone: what it started goes on"
    CLIENT = "the publisher and its git: the server goes on"
    ALL = "everything, the server's git too"


class Call(NamedTuple):
    """A call that was stopped at."""

    name: str
    program: str


@dataclass(slots=True)
class Trace:
    """What a process and all that it started did, up to the end of the last of them.

    Attributes:
        calls: in their order.
        killed: whether the call was reached at which it was to be killed.
    """

    calls: list[Call] = field(default_factory=list)
    killed: bool = False
    exit_code: int = 0


def trace(body: Callable[[], int], kill_at: int = 0, victims: Victims = Victims.CLIENT) -> Trace:
    """Runs a function in a process of its own, whose exit code it gives.

    Args:
        kill_at: the number of the call, from 1, at which the victims are killed before it is made; 0 only counts.
    """
    names = list(_CALLS[platform.machine()])
    main = os.fork()
    if not main:
        _live(body, [_CALLS[platform.machine()][name] for name in names])
    os.waitpid(main, _WALL)
    _ptrace(_SETOPTIONS, main, _OPTIONS)
    _ptrace(_CONT, main)
    found, parents = Trace(), {main: 0}
    while True:
        try:
            pid, status = os.waitpid(-1, _WALL)
        except ChildProcessError:
            return found
        if not os.WIFSTOPPED(status):
            if pid == main:
                found.exit_code = os.waitstatus_to_exitcode(status)
            continue
        event, sent = status >> 16, os.WSTOPSIG(status)
        if event in _FORKS:
            parents[_message(pid)] = pid
        elif event == _SECCOMP_STOP and not found.killed:
            found.calls.append(Call(names[_message(pid)], _program(pid)))
            if len(found.calls) == kill_at:
                found.killed = True
                _kill(main, parents, victims)
        # A new child begins with a stop, which is nobody's signal.
        passed = 0 if event or sent in (signal.SIGSTOP, signal.SIGTRAP) else sent
        _ptrace(_CONT, pid, passed)


def _live(body: Callable[[], int], numbers: list[int]) -> None:
    """The life of the traced process."""
    code = 70
    try:
        _ptrace(_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        lines = [struct.pack("HBBI", 0x20, 0, 0, 0)]  # load the number of the call
        for index, number in enumerate(numbers):
            lines += [struct.pack("HBBI", 0x15, 0, 1, number), struct.pack("HBBI", 0x06, 0, 0, _TRACE | index)]
        lines.append(struct.pack("HBBI", 0x06, 0, 0, _ALLOW))
        text = ctypes.create_string_buffer(b"".join(lines))
        program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(lines), ctypes.addressof(text)))
        if _libc.prctl(38, 1, 0, 0, 0) or _libc.prctl(22, 2, ctypes.byref(program), 0, 0):
            raise OSError(ctypes.get_errno(), "the kernel takes no filter of calls")
        code = body()
    except BaseException as fault:
        print(f"{type(fault).__name__}: {fault}", file=sys.stderr)
    finally:
        os._exit(code)


def _ptrace(request: int, pid: int, data: int = 0) -> None:
    """A request; a process that is gone meanwhile needs none."""
    _libc.ptrace(request, pid, None, data)


def _message(pid: int) -> int:
    value = ctypes.c_ulong()
    _libc.ptrace(_GETEVENTMSG, pid, None, ctypes.addressof(value))
    return value.value


def _kill(main: int, parents: dict[int, int], victims: Victims) -> None:
    for pid in [main] if victims is Victims.ALONE else list(parents):
        if victims is not Victims.CLIENT or not _is_server(pid, parents):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _is_server(pid: int, parents: dict[int, int]) -> bool:
    while pid:
        if b"-pack\0" in _command(pid).split(b"git-", 1)[-1] or b"-pack '" in _command(pid):
            return True
        pid = parents.get(pid, 0)
    return False


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _program(pid: int) -> str:
    words = [Path(word.decode("utf-8", "replace")).name for word in _command(pid).split(b"\0")[:9] if word]
    if words[:1] == ["git"]:
        verbs = [word for word in words[1:] if not word.startswith("-") and word not in ("shallow", "")]
        return f"git {verbs[0]}" if verbs else "git"
    return words[0] if words else "?"
