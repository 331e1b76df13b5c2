"""Sections of a generated page that belong to the team: where they are, what stands in them, and putting it back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

SECTION_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# Kinds of output whose pages have such sections.
_KINDS = ("runbooks",)
_LEAD = "<!-- slo-compiler:own "
_MARKER = re.compile(rf"{re.escape(_LEAD)}({SECTION_NAME.pattern}) (begin|end) -->")


class Damaged(Exception):
    """Markers that do not pair: where the team's words begin and end cannot be told."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class Section(NamedTuple):
    """What stands between two markers.

    Attributes:
        words: verbatim, with their line ends.
        line: of the marker that opens it, from 1.
    """

    name: str
    words: str
    line: int

    @property
    def has_words(self) -> bool:
        """Whether somebody wrote something into it."""
        return bool(self.words.strip())


def may_have_sections(path: str) -> bool:
    """Whether an output file is of a kind that has sections of the team's own."""
    return path.split("/", 1)[0] in _KINDS


def empty_section(name: str) -> str:
    """The two markers of a section, one above the other.

    Raises:
        ValueError: the name is none that a marker may have.
    """
    if not SECTION_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a section: lower-case letters, digits and dashes")
    return f"{_LEAD}{name} begin -->\n{_LEAD}{name} end -->"


def sections(text: str) -> dict[str, Section]:
    """The sections of a page by name, in its order.

    Raises:
        Damaged: a marker is misspelt, has no partner, or occurs twice.
    """
    found: dict[str, Section] = {}
    for name, begin, end, lines in _pairs(text):
        if name in found:
            raise Damaged(begin + 1, f"the section {name} begins a second time")
        found[name] = Section(name, "".join(lines[begin + 1 : end]), begin + 1)
    return found


def filled(text: str, words: Mapping[str, str]) -> str:
    """The page with these words in its sections, by name; those of other names are left as they are.

    Raises:
        Damaged: see `sections`.
    """
    parts: list[str] = []
    done = 0
    lines = text.splitlines(keepends=True)
    for name, begin, end, _ in _pairs(text):
        parts += lines[done : begin + 1]
        parts.append(words[name] if name in words else "".join(lines[begin + 1 : end]))
        done = end
    return "".join([*parts, *lines[done:]])


def emptied(content: bytes) -> bytes:
    """A page as it was generated: without what the team wrote into it. As it is where its markers do not pair."""
    try:
        text = content.decode("utf-8")
        return filled(text, dict.fromkeys(sections(text), "")).encode()
    except (UnicodeDecodeError, Damaged):
        return content


def _pairs(text: str) -> Iterator[tuple[str, int, int, list[str]]]:
    """Name, lines of both markers from 0, and all lines."""
    lines = text.splitlines(keepends=True)
    opened: tuple[str, int] | None = None
    for index, line in enumerate(lines):
        stripped = line.strip()
        if not stripped.startswith(_LEAD):
            continue
        marker = _MARKER.fullmatch(stripped)
        if marker is None:
            raise Damaged(index + 1, f"{stripped} is no marker")
        name, which = marker[1], marker[3]
        if which == "begin":
            if opened is not None:
                raise Damaged(opened[1] + 1, f"the section {opened[0]} has no end before {name} begins")
            opened = (name, index)
        elif opened is None or opened[0] != name:
            raise Damaged(index + 1, f"the section {name} ends and did not begin")
        else:
            yield name, opened[1], index, lines
            opened = None
    if opened is not None:
        raise Damaged(opened[1] + 1, f"the section {opened[0]} has no end")
