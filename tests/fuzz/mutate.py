"""One fault or several in a document that was valid: in its data, or in its text."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Path = tuple[Any, ...]
_NUMBERS = (0, -1, 1, 10**9, 10**18, 10**400, 1e308, 1e-320, 0.1 + 0.2, float("inf"), float("nan"), 2**63, -(2**31))
_TEXTS = (
    "150 ms",
    "1.5.2s",
    "-5m",
    "5 parsecs",
    "1y",
    "0s",
    "999999999999d",
    "1e400",
    "101%",
    "0%",
    "100%",
    "-1%",
    "99.9999999999999999%",
    "Ünïcode",
    "\u0661\u0662\u0663ms",
    "Not A Label",
    "a" * 300,
    "",
    "9" * 5000,
    "true",
    "2027-02-30",
    "2027-W01",
    "0.10.2.3.4",
    "vllm@",
    "a/b/c",
    "__name__",
    "le",
)


def mutated(data: Any, random: Random) -> Any:
    """A copy of the data with one to three faults."""
    data = copy.deepcopy(data)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        paths = list(_paths(data))
        if not paths:
            break
        path = random.choice(paths)
        holder = data
        for part in path[:-1]:
            holder = holder[part]
        random.choice(_FAULTS)(holder, path[-1], random, data)
    return data


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    entries: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield (*path, key)
        yield from _paths(item, (*path, key))


def _wrong_type(holder: Any, key: Any, random: Random, whole: Any) -> None:
    holder[key] = random.choice(([], {}, [holder[key]], {"a": holder[key]}, None, True, 17, "text", [[]], {"": None}))


def _remove(holder: Any, key: Any, random: Random, whole: Any) -> None:
    del holder[key]


def _add(holder: Any, key: Any, random: Random, whole: Any) -> None:
    if isinstance(holder, dict):
        holder[random.choice(("extra", "thresold", "", "api_version", "long_term", "x" * 2000, "é", "__class__"))] = 1
    else:
        holder.append(copy.deepcopy(random.choice(holder)))


def _misspell(holder: Any, key: Any, random: Random, whole: Any) -> None:
    target = key if isinstance(key, str) else holder[key]
    if not isinstance(target, str) or not target:
        return
    at = random.randrange(len(target))
    wrong = random.choice(
        (target[:at] + target[at + 1 :], target[:at] + "x" + target[at:], target.upper(), target + " ")
    )
    if isinstance(key, str) and random.random() < 0.6:
        holder[wrong] = holder.pop(key)
    elif isinstance(holder[key], str):
        holder[key] = wrong


def _number(holder: Any, key: Any, random: Random, whole: Any) -> None:
    holder[key] = random.choice(_NUMBERS)


def _text(holder: Any, key: Any, random: Random, whole: Any) -> None:
    holder[key] = random.choice(_TEXTS)


def _swap(holder: Any, key: Any, random: Random, whole: Any) -> None:
    others = list(_paths(whole))
    path = random.choice(others)
    other = whole
    for part in path:
        other = other[part]
    holder[key] = copy.deepcopy(other)


def _repeat(holder: Any, key: Any, random: Random, whole: Any) -> None:
    value = holder[key]
    if isinstance(value, list) and value:
        holder[key] = value * random.choice((2, 3, 30))
    elif isinstance(value, str) and value:
        holder[key] = value * random.choice((2, 50))


_FAULTS: tuple[Callable[[Any, Any, Random, Any], None], ...] = (
    _wrong_type,
    _remove,
    _add,
    _misspell,
    _number,
    _text,
    _swap,
    _repeat,
)


def mutated_text(content: bytes, random: Random) -> bytes:
    """The bytes of a file with a fault of YAML itself, or with something that YAML allows and nobody expects."""
    return random.choice(_TEXT_FAULTS)(content, random)


def _line(content: bytes, random: Random) -> tuple[list[bytes], int]:
    lines = content.split(b"\n")
    return lines, random.randrange(len(lines))


def _duplicate_line(content: bytes, random: Random) -> bytes:
    lines, at = _line(content, random)
    return b"\n".join([*lines[: at + 1], *lines[at:]])


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _flip(content: bytes, random: Random) -> bytes:
    if not content:
        return b"\xff"
    at = random.randrange(len(content))
    return content[:at] + bytes([random.randrange(256)]) + content[at + 1 :]


def _insert(content: bytes, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + random.choice(_PIECES) + content[at:]


def _insert_line(content: bytes, random: Random) -> bytes:
    lines, at = _line(content, random)
    return b"\n".join([*lines[:at], random.choice(_LINES), *lines[at:]])


def _tag_value(content: bytes, random: Random) -> bytes:
    return content.replace(
        b": ",
        b": " + random.choice((b"!!python/name:os.system ", b"!x ", b"!!binary ", b"&a ", b"*a ", b"!!str ")),
        random.choice((1, 3)),
    )


def _bomb(content: bytes, random: Random) -> bytes:
    lines = [b"a0: &a0 [x, x]"]
    lines += [
        b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, random.choice((3, 9, 30)))
    ]
    return content + (b"\n---\n" if random.random() < 0.5 else b"\n") + b"\n".join(lines)


def _deep(content: bytes, random: Random) -> bytes:
    levels = random.choice((30, 41, 500, 60_000))
    opening, closing = random.choice(((b"[", b"]"), (b"{a: ", b"}"), (b"[", b""), (b"- ", b"")))
    return content + b"\n---\n" + opening * levels + b"x" + closing * levels


def _encoded(content: bytes, random: Random) -> bytes:
    text = content.decode("utf-8", "replace")
    how = random.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "utf-7"))
    return text.encode(how, "replace")


def _line_ends(content: bytes, random: Random) -> bytes:
    return content.replace(b"\n", random.choice((b"\r\n", b"\r", b"\n\n", b"\xc2\x85", b"\xe2\x80\xa8")))


def _tabs(content: bytes, random: Random) -> bytes:
    return content.replace(b"  ", b"\t", random.choice((1, 100)))


def _many(content: bytes, random: Random) -> bytes:
    return random.choice((b"\n---\n", b"\n...\n", b"\n--- # x\n", b"\n")).join([content] * random.choice((2, 3)))


_PIECES = (
    b"\0",
    b"\x1b[31m",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"'",
    b'"',
    b"{",
    b"]",
    b": ",
    b" #",
    b"\t",
    b"\n",
    b"\\",
    b"&a ",
    b"*a",
    b"|",
    b"%",
    b'"\\ud800"',
    b'"\\x00"',
    b"x" * 70_000,
)
_LINES = (
    b"---",
    b"...",
    b"%YAML 1.1",
    b"%TAG ! tag:x,2000:",
    b"<<: *a",
    b"? [a, b]",
    b": x",
    b"- x",
    b"# slo-compiler: ignore SLO403 because it is so",
    b"# slo-compiler: ignore",
    b"#slo-compiler: \xe2\x80\xae ignore SLO999 x",
    b"x: 1 # slo-compiler: ignore SLO201 a reason",
    b"null",
    b"kind: SLO",
    b"apiVersion: openslo/v1",
    b"\t",
    b"\xc2\xa0",
)
_TEXT_FAULTS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _duplicate_line,
    _duplicate_line,
    _cut,
    _flip,
    _insert,
    _insert,
    _insert_line,
    _insert_line,
    _tag_value,
    _bomb,
    _deep,
    _encoded,
    _line_ends,
    _tabs,
    _many,
)
