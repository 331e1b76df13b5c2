"""The catalog for people and scripts: every value with its source, as text, JSON or Markdown."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import jinja2

from slo_compiler.catalog import Catalog, FactorStep, LongOutputLatency, Sourced
from slo_compiler.documents.inference_slo import InferenceSLOSpec
from slo_compiler.documents.sourced import sourced_values
from slo_compiler.plain_text import ASIDE, HEADING, escape_markdown, painted
from slo_compiler.resources import template_path
from slo_compiler.units import Duration, decimal_text, percent_text

SCHEMA = "slo-compiler/catalog/v1"
CLASS, USE_CASE, PROFILE, ADJUSTMENT = "experience class", "use case", "traffic profile", "adjustment"
# The kinds in the order in which they are shown, with their headings.
HEADINGS = {
    CLASS: "Experience classes",
    USE_CASE: "Use cases",
    PROFILE: "Traffic profiles",
    ADJUSTMENT: "Adjustments",
}
# What stands in the short table of each kind: heading and path of the value.
_COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    CLASS: (
        ("target", "target"),
        ("TTFT", "base.ttft"),
        ("ITL", "base.itl"),
        ("TTFT ceiling", "ceilings.ttft"),
        ("ITL ceiling", "ceilings.itl"),
    ),
    USE_CASE: (
        ("class", "experienceClass"),
        ("target", "target"),
        ("TTFT", "ttft"),
        ("ITL", "itl"),
        ("E2E", "e2e"),
    ),
    PROFILE: (("prompt tokens", "promptTokens"), ("output tokens", "outputTokens")),
    ADJUSTMENT: (),
}
_WIDTH = 80


class UnknownEntry(Exception):
    """The catalog has no entry of that name."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """What another source says instead."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an entry.

    Attributes:
        path: within the entry, `base.ttft`.
        text: as specs write it, `150ms`.
        value: for scripts: durations in seconds, shares 0 to 1, token counts and factors as numbers.
        unit: of `value`: `seconds`, `ratio`, `tokens`, `factor` or, for words, empty.
        condition: when it holds, where an entry has several: `below 100`.
        source: key of the source.
        also_in: keys of sources that state the same.
        reason: why this value; empty where sources agree.
    """

    path: str
    text: str
    value: float | int | str | list[str]
    unit: str
    condition: str
    source: str
    also_in: tuple[str, ...]
    reason: str
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A class, use case, profile or adjustment, with all of its values in the order of the document."""

    kind: str
    name: str
    values: tuple[Value, ...]

    def text(self, path: str) -> str:
        """The value at `path` as text; a dash where there is none."""
        return next((value.text for value in self.values if value.path == path), "-")

    @property
    def sources(self) -> tuple[str, ...]:
        """The keys of the sources that its values were taken from, sorted."""
        return tuple(sorted({value.source for value in self.values}))


def entries_of(catalog: Catalog) -> tuple[Entry, ...]:
    """Everything that the catalog holds, by kind and then in its own order."""
    kinds: tuple[tuple[str, Mapping[str, object]], ...] = (
        (CLASS, catalog.experience_classes),
        (USE_CASE, catalog.use_cases),
        (PROFILE, catalog.traffic_profiles),
        (ADJUSTMENT, dict(catalog.adjustments.parts())),
    )
    return tuple(
        Entry(kind, name, tuple(_value(path, sourced) for path, sourced in sourced_values(part)))
        for kind, parts in kinds
        for name, part in parts.items()
    )


def find_entries(entries: Iterable[Entry], name: str) -> tuple[Entry, ...]:
    """The entries of that name; a name is unique within its kind only.

    Raises:
        UnknownEntry: there is none.
    """
    found = tuple(entry for entry in entries if entry.name == name)
    if not found:
        raise UnknownEntry(name)
    return found


def to_json(entries: Sequence[Entry], sources: Mapping[str, str]) -> str:
    """The entries as one JSON document, schema `slo-compiler/catalog/v1`."""
    document = {
        "schema": SCHEMA,
        "sources": _cited(entries, sources),
        "entries": [
            {"kind": entry.kind, "name": entry.name, "values": [_value_document(value) for value in entry.values]}
            for entry in entries
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def to_table(entries: Sequence[Entry], sources: Mapping[str, str], *, colour: bool = False) -> str:
    """The short tables of every kind, and what the keys of the sources stand for; lines of at most 80 columns."""
    heading_of, head_of = (HEADING, ASIDE) if colour else ("", "")
    parts = []
    for kind, heading in HEADINGS.items():
        rows = [entry for entry in entries if entry.kind == kind]
        if rows:
            title, head, *lines = _table(heading, kind, rows)
            parts.append("\n".join([painted(title, heading_of), painted(head, head_of), *lines]))
    legend = [painted("Sources (slo-compiler catalog show NAME says which value is from which)", heading_of)]
    legend += _wrapped_pairs(_cited(entries, sources).items(), "  ")
    return "\n\n".join([*parts, "\n".join(legend)])


def to_text(entries: Sequence[Entry], sources: Mapping[str, str], *, colour: bool = False) -> str:
    """Every value of the entries with source, reason and alternatives; lines of at most 80 columns."""
    parts = []
    for entry in entries:
        title, *lines = _text_of(entry, sources)
        parts.append("\n".join([painted(title, HEADING if colour else ""), *lines]))
    return "\n\n".join(parts)


def to_markdown(entries: Sequence[Entry], sources: Mapping[str, str]) -> str:
    """The entries as Markdown: a short table per kind, then every value with its source."""
    template = markdown_environment().get_template("catalog.md.j2")
    return template.render(markdown_context(entries, sources)).rstrip("\n")


def markdown_context(entries: Sequence[Entry], sources: Mapping[str, str]) -> dict[str, Any]:
    """What `catalog.md.j2` is rendered with."""
    kinds = [
        {"heading": heading, "columns": _COLUMNS[kind], "entries": [entry for entry in entries if entry.kind == kind]}
        for kind, heading in HEADINGS.items()
    ]
    return {"kinds": [kind for kind in kinds if kind["entries"]], "sources": _cited(entries, sources)}


def markdown_environment() -> jinja2.Environment:
    """Jinja for Markdown: undefined names are errors, and `| md` escapes text, in table cells too."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_path()),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = escape_markdown
    return environment


def _value(path: str, sourced: Sourced[Any]) -> Value:
    value, text, unit = _shown(path, sourced.value)
    return Value(
        path=path,
        text=text,
        value=value,
        unit=unit,
        condition=_condition(sourced),
        source=sourced.source,
        also_in=sourced.also_in,
        reason=sourced.reason,
        alternatives=tuple(Alternative(_plain(other.value), other.source) for other in sourced.alternatives),
    )


def _shown(path: str, value: object) -> tuple[float | int | str | list[str], str, str]:
    """A value for scripts, for people, and its unit."""
    if isinstance(value, Duration):
        return _number(value.seconds), str(value), "seconds"
    if isinstance(value, Decimal) and path.rpartition(".")[2] == "target":
        return _number(value), percent_text(value), "ratio"
    if isinstance(value, Decimal):
        return _number(value), decimal_text(value), "factor"
    if isinstance(value, int):
        return value, str(value), "tokens"
    if isinstance(value, tuple):
        return [str(item) for item in value], _plain(value), ""
    return str(value), str(value), ""


def _number(value: Decimal) -> float | int:
    return int(value) if value == value.to_integral_value() else float(value)


def _plain(value: object) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _condition(sourced: Sourced[Any]) -> str:
    if isinstance(sourced, FactorStep):
        return f"below {decimal_text(sourced.below)}" if sourced.below is not None else "above that"
    if isinstance(sourced, LongOutputLatency):
        return f"from {sourced.from_output_tokens} output tokens on"
    return ""


def _value_document(value: Value) -> dict[str, Any]:
    return {
        "path": value.path,
        "value": value.value,
        "text": value.text,
        "unit": value.unit,
        "condition": value.condition,
        "source": value.source,
        "alsoIn": list(value.also_in),
        "reason": value.reason,
        "alternatives": [{"value": other.text, "source": other.source} for other in value.alternatives],
    }


def _cited(entries: Iterable[Entry], sources: Mapping[str, str]) -> dict[str, str]:
    """The sources that the entries mention, sorted by key."""
    keys = {
        key
        for entry in entries
        for value in entry.values
        for key in (value.source, *value.also_in, *(other.source for other in value.alternatives))
    }
    return {key: sources[key] for key in sorted(keys)}


def _table(heading: str, kind: str, entries: Sequence[Entry]) -> Iterator[str]:
    columns = _COLUMNS[kind]
    rows = [("name", *(title for title, _ in columns), "from")]
    rows += [(entry.name, *(entry.text(path) for _, path in columns), " ".join(entry.sources)) for entry in entries]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    yield heading
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield ("  " + "  ".join(cells)).rstrip()


def _text_of(entry: Entry, sources: Mapping[str, str]) -> Iterator[str]:
    yield f"{entry.name} ({entry.kind})"
    if entry.kind == ADJUSTMENT and entry.name not in _asked_for():
        yield "  part of other formulas, not of `adjust`"
    for value in entry.values:
        yield ""
        shown = f"{value.text} ({value.condition})" if value.condition else value.text
        yield from _hanging(f"  {value.path}: ", shown)
        yield from _hanging("    source: ", _titles((value.source, *value.also_in), sources))
        if value.reason:
            yield from _hanging("    reason: ", value.reason)
        for other in value.alternatives:
            yield from _hanging("    instead: ", f"{other.text} ({sources[other.source]})")


def _asked_for() -> tuple[str, ...]:
    """The names that a spec's `adjust` takes."""
    annotation = InferenceSLOSpec.model_fields["adjust"].annotation
    names: tuple[str, ...] = annotation.__args__[0].__args__  # type: ignore[union-attr]
    return names


def _titles(keys: Iterable[str], sources: Mapping[str, str]) -> str:
    return "; ".join(sources[key] for key in keys)


def _wrapped_pairs(pairs: Iterable[tuple[str, str]], indent: str) -> Iterator[str]:
    for key, title in pairs:
        yield from _hanging(f"{indent}{key}  ", title)


def _hanging(start: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=start, subsequent_indent=" " * min(len(start), 12), break_on_hyphens=False
    )
