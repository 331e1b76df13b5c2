"""Text for terminals and Markdown: what comes from a spec shown as it is, and rows in aligned columns."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence

NARROWEST = 80
GAP = "  "
# Codes of ANSI: of headings, of what stands beside a value, and of alerts that somebody is woken by or reads later.
HEADING, ASIDE = "1", "2"
SEVERITY_COLOURS = {"page": "1;31", "ticket": "1;33"}
GOOD, BAD = "32", "1;31"
_MARKDOWN_SPECIAL = r"([\\`*_\[\]<>|#~])"


def visible(text: str) -> str:
    """Control characters as escapes: a spec must not be able to paint the reader's terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def columns(text: str) -> int:
    """How many columns of a terminal the text takes as it is shown: an East Asian one two, an accent none."""
    shown = visible(text)
    if shown.isascii():
        return len(shown)
    return sum(
        0
        if unicodedata.category(character) in ("Mn", "Me")
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in shown
    )


def painted(text: str, colour: str) -> str:
    """The text in a colour, a code of ANSI; as it is where that is empty."""
    return f"\033[{colour}m{text}\033[0m" if colour else text


def escape_markdown(value: object) -> str:
    """Text that Markdown shows as it is, on one line: safe in a paragraph, a heading and a table cell."""
    return re.sub(_MARKDOWN_SPECIAL, r"\\\1", " ".join(str(value).split()))


def percent_encoded(text: str, safe: str = "") -> str:
    """Text as a part of an address: percent signs for all but unreserved characters (RFC 3986, 2.3) and those of `safe`."""
    kept = f"-._~{safe}"
    return "".join(
        chr(byte) if byte < 128 and (chr(byte).isalnum() or chr(byte) in kept) else f"%{byte:02X}"
        for byte in text.encode()
    )


def indented(rows: Sequence[Sequence[str]], width: int, colours: Sequence[str] = ()) -> Iterator[str]:
    """Rows in aligned columns; a last column that is too wide continues under itself.

    Args:
        colours: of each row as a code of ANSI, empty for none; nothing is coloured without them.
    """
    widths = [max(columns(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row, colour in zip(rows, colours or [""] * len(rows), strict=True):
        cells = zip(row, widths, strict=False)
        head = GAP + "".join(cell + " " * (size - columns(cell)) + GAP for cell, size in cells)
        room = max(width - columns(head), 20)
        first, *rest = textwrap.wrap(row[-1], room, break_long_words=False) or [""]
        for line in (f"{head}{first}".rstrip(), *(" " * columns(head) + line for line in rest)):
            yield painted(line, colour)
