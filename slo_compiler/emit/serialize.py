"""YAML, block style, and JSON from plain data: the one writer for rules, tests and dashboards.

Libyaml's emitter costs ten times as much on these files. What this writer knows is small: dicts, lists, text, numbers
and booleans. Each text goes through one function that quotes whatever any YAML reader, 1.1 or 1.2, could take for
something else.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

# Plain scalars: start with a letter, hold nothing with a meaning in YAML, and are not a word that some reader converts.
_PLAIN = re.compile(r"[A-Za-z_/](?:[A-Za-z0-9_./ ()\-+%,]|:(?=[A-Za-z0-9/_]))*[A-Za-z0-9_./()%]|[A-Za-z_/]")
_DURATION = re.compile(r"([0-9]+(ms|[smhdw]))+")
# Beside what JSON itself escapes: further controls, ends of lines and of directions, and blanks that look like nothing.
_UNPRINTED = re.compile(
    r"[\x7f-\xa0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb]"
)
# Words that some reader, YAML 1.1 or 1.2, converts.
WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"))


class Block(str):
    """Text that is always written as a literal block, such as PromQL: no quote in it needs escaping."""

    __slots__ = ()


def to_yaml(document: Any) -> str:
    """The document as YAML text, ending in a newline; the same data gives the same bytes.

    Raises:
        TypeError: the data holds something other than dict, list, str, int, float, bool.
    """
    lines: list[str] = []
    _write(document, "", "", lines)
    return "\n".join(lines) + "\n"


def to_json(document: Any) -> str:
    """The document as JSON, ending in a newline: containers that hold none stand on one line, so that lines compare."""
    parts: list[str] = []
    _write_json(document, "\n", parts)
    return "".join(parts) + "\n"


def _write_json(value: Any, line: str, parts: list[str]) -> None:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not any(isinstance(item, dict | list) and item for item in items):
        parts.append(to_json_line(value))
        return
    inner, before = f"{line}  ", "{" if isinstance(value, dict) else "["
    for key, item in value.items() if isinstance(value, dict) else ((None, item) for item in value):
        parts.append(f"{before}{inner}" if key is None else f"{before}{inner}{to_json_line(key)}: ")
        _write_json(item, inner, parts)
        before = ","
    parts.append(f"{line}}}" if isinstance(value, dict) else f"{line}]")


def _write(value: Any, lead: str, indent: str, lines: list[str]) -> None:
    """Writes a value after `lead` (`  key:` or `  -`); what does not fit on that line goes under `indent`."""
    if isinstance(value, str):
        if lead and (isinstance(value, Block) or "\n" in value) and _is_block(value):
            lines.append(f"{lead} |-")
            lines.extend([f"{indent}{line}" for line in value.split("\n")])
        else:
            lines.append(f"{lead} {scalar(value)}".lstrip() if not lead else f"{lead} {scalar(value)}")
    elif isinstance(value, dict):
        _write_mapping(value, lead, indent, lines)
    elif isinstance(value, list):
        _write_sequence(value, lead, indent, lines)
    elif isinstance(value, bool):
        lines.append(f"{lead} {'true' if value else 'false'}")
    elif isinstance(value, int | float):
        lines.append(f"{lead} {value!r}")
    else:
        raise TypeError(f"{type(value).__name__} cannot be written as YAML")


def _write_mapping(value: dict[str, Any], lead: str, indent: str, lines: list[str]) -> None:
    if not value:
        lines.append(f"{lead} {{}}")
        return
    before = f"{lead} " if lead.endswith("-") else indent
    if lead and not lead.endswith("-"):
        lines.append(lead)
    for key, item in value.items():
        _write(item, f"{before}{scalar(key)}:", f"{indent}  ", lines)
        before = indent


def _write_sequence(value: list[Any], lead: str, indent: str, lines: list[str]) -> None:
    if not value:
        lines.append(f"{lead} []")
        return
    if lead and not lead.endswith("-"):
        lines.append(lead)
        indent = indent[:-2]  # items stand under their key, as promtool and Sloth write them
    before = f"{lead} " if lead.endswith("-") else indent
    for item in value:
        _write(item, f"{before}-", f"{indent}  ", lines)
        before = indent


def _is_block(text: str) -> bool:
    """Whether a literal block keeps the text: printable lines, none blank, indented or with blanks at its end."""
    return all(line and line[0] != " " and line[-1] != " " and line.isprintable() for line in text.split("\n"))


@lru_cache(maxsize=65536)
def scalar(text: str) -> str:
    """A text as a YAML scalar: plain where no reader can mistake it, else in quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in WORDS:
        return text
    if _DURATION.fullmatch(text):
        return text
    if "'" not in text and text.isprintable():
        return f"'{text}'"
    # A JSON string is a YAML double-quoted scalar, once what YAML does not print is escaped.
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if quoted.isprintable() else "".join(map(_printable, quoted))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    point = ord(character)
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def to_json_line(value: Any) -> str:
    """Data as JSON on one line, whatever a reader takes for the end of one: what does not print is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else _UNPRINTED.sub(lambda found: json.dumps(found[0])[1:-1], text)
