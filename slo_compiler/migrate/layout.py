"""Writes new documents as YAML, with scalars as the source wrote them and its comments beside what they spoke of."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import yaml
import yaml.resolver

from slo_compiler.emit.serialize import WORDS, scalar
from slo_compiler.load.source_map import Plain
from slo_compiler.migrate.comments import settle
from slo_compiler.migrate.source import Comments, Source
from slo_compiler.migrate.tree import Field, Item, Items, Kept, Mapping, Value

_JSON_BARE = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false|null")
_FOLDED = re.compile(r">(-?)[ \t]*(?:#.*)?")
# What most YAML readers take a plain scalar for.
_READER = yaml.resolver.Resolver()
_TEXT = "tag:yaml.org,2002:str"
# What some YAML reader takes for a number or a date although PyYAML's resolver does not.
_NUMBER_LIKE = re.compile(r"[-+.0-9].*")


class Layout:
    """Lays out the new documents that one document of the source became."""

    def __init__(self, source: Source, documents: Sequence[Mapping]) -> None:
        self._source = source
        self._documents = documents
        self._comments = settle(source, documents)

    def yaml(self) -> list[str]:
        """The lines of the documents, with `---` between them."""
        lines: list[str] = []
        for number, document in enumerate(self._documents):
            lines += ["---"] if number else self._source.loose
            self._mapping(document, "", "", lines)
        return lines

    def yaml_items(self, indent: str) -> list[str]:
        """The lines of the documents as items of a list whose dashes stand after `indent`."""
        lines = [f"{indent}{line}" for line in self._source.loose]
        for document in self._documents:
            self._mapping(document, f"{indent}-", f"{indent}  ", lines)
        return lines

    def json(self) -> list[str]:
        """The text of each document as JSON."""
        return [_json(document, "") for document in self._documents]

    def _mapping(self, value: Mapping, lead: str, indent: str, lines: list[str]) -> None:
        before = f"{lead} " if lead else indent
        if not value:
            lines.append(f"{before}{{}}")
        for number, field_ in enumerate(value.fields):
            self._entry(field_, f"{before}{scalar(field_.key)}:", indent, lines, is_first=number == 0)
            before = indent

    def _entry(self, entry: Field | Item, head: str, indent: str, lines: list[str], *, is_first: bool) -> None:
        """One field (`head` ends in its colon) or item (in its dash), with what is said about it.

        The first in a mapping or list has no blank lines above it.
        """
        comments = self._comments.get(id(entry), Comments())
        # Above the dash, too, where the field is the first of an item.
        above = head[: len(head) - len(head.lstrip(" "))]
        before = _without_blank_start(comments.before) if is_first else comments.before
        lines += [f"{above}{line}" if line else "" for line in before]
        beside = f"  {comments.beside}" if comments.beside else ""
        value = entry.value
        if isinstance(value, Mapping) and isinstance(entry, Item):
            lines += [f"{above}{line}" for line in ([comments.beside] if comments.beside else [])]
            self._mapping(value, head, f"{indent}  ", lines)
        elif isinstance(value, Mapping) and value:
            lines.append(head + beside)
            self._mapping(value, "", f"{indent}  ", lines)
        elif isinstance(value, Items) and value:
            lines.append(head + beside)
            for number, item in enumerate(value.items):
                self._entry(item, f"{indent}  -", f"{indent}  ", lines, is_first=number == 0)
        elif isinstance(value, Mapping | Items):
            lines.append(f"{head} {'{}' if isinstance(value, Mapping) else '[]'}{beside}")
        else:
            first, *rest = self._scalar(value)
            lines.append(f"{head} {first}{beside}")
            lines += [f"{indent}  {line}" if line else "" for line in rest]
        lines += [f"{indent}{line}" if line else "" for line in comments.after]

    def _scalar(self, value: str | Kept) -> list[str]:
        """A scalar's lines: the first goes behind its key, the others under it."""
        if isinstance(value, Plain):
            return [str(value)]
        if isinstance(value, str):
            return _literal(value) if "\n" in value and _is_literal(value) else [scalar(value)]
        node, text = value.node, str(value.node.value)
        written = self._source.text_of(node)
        if value.style == ">" and (folded := _refolded(written)) is not None:
            return folded
        if value.style == "|" and _is_literal(text):
            return _literal(text)
        if value.style in ("'", '"') and "\n" not in written and written[:1] == value.style:
            return [written]
        if not value.style and not value.as_text and "\n" not in text:
            return [text or "null"]
        if not value.style and "\n" not in written and written == text and is_safe_plain(node):
            return [text]
        return [scalar(text)]


def is_safe_plain(node: yaml.Node) -> bool:
    """Whether every YAML reader takes an unquoted scalar for text."""
    text = str(node.value)
    return (
        node.tag == _TEXT
        and _READER.resolve(yaml.ScalarNode, text, (True, False)) == _TEXT  # type: ignore[no-untyped-call]
        and bool(text)
        and not _NUMBER_LIKE.fullmatch(text)
        and text.lower() not in WORDS
        and text.isprintable()
    )


def _without_blank_start(lines: list[str]) -> list[str]:
    start = next((number for number, line in enumerate(lines) if line), len(lines))
    return lines[start:]


def _literal(text: str) -> list[str]:
    return ["|" if text.endswith("\n") else "|-", *text.removesuffix("\n").split("\n")]


def _is_literal(text: str) -> bool:
    """Whether a literal block of one trailing newline at most keeps the text."""
    lines = text.removesuffix("\n").split("\n")
    return (
        bool(lines[0])
        and lines[0][0] not in " \t"
        and bool(lines[-1].strip())
        and all(line.replace("\t", " ").isprintable() for line in lines)
    )


def _refolded(written: str) -> list[str] | None:
    """A folded block with its own line breaks, without its indentation; None where that could change its value."""
    head, *lines = written.splitlines()
    match = _FOLDED.fullmatch(head)
    if match is None or not lines or not lines[0].strip():
        return None
    depth = len(lines[0]) - len(lines[0].lstrip(" "))
    return [f">{match[1]}", *(line[depth:] if line.strip() else "" for line in lines)]


def _json(value: Value, indent: str) -> str:
    deeper = f"{indent}  "
    if isinstance(value, Mapping):
        parts = [
            f"{deeper}{json.dumps(part.key, ensure_ascii=False)}: {_json(part.value, deeper)}" for part in value.fields
        ]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}" if parts else "{}"
    if isinstance(value, Items):
        listed = [f"{deeper}{_json(part.value, deeper)}" for part in value.items]
        return "[\n" + ",\n".join(listed) + f"\n{indent}]" if listed else "[]"
    if isinstance(value, Kept):
        text, bare = str(value.node.value), not value.style and not value.as_text
        return _json_scalar(text or "null") if bare else json.dumps(text, ensure_ascii=False)
    return _json_scalar(value) if isinstance(value, Plain) else json.dumps(value, ensure_ascii=False)


def _json_scalar(text: str) -> str:
    """A number, a boolean or null as it stands; anything else is text."""
    return text if _JSON_BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
