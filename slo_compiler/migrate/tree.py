"""New documents as plain values: mappings, lists and scalars, each with the entries of the source that it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from slo_compiler.migrate.fields import entries_of
from slo_compiler.migrate.source import Entry


@dataclass(frozen=True, slots=True)
class Kept:
    """A scalar of the source, in its own quotes. `as_text`: the field takes text only, so `2` becomes `'2'`."""

    node: yaml.Node
    as_text: bool = True

    @property
    def style(self) -> str:
        """How it is quoted: `'`, `"`, `|`, `>`, or not at all."""
        return getattr(self.node, "style", None) or ""


@dataclass(slots=True, eq=False)
class Field:
    """A key of a new document; comments of its origins go with it."""

    key: str
    value: Value
    origins: tuple[Entry, ...] = ()


@dataclass(slots=True, eq=False)
class Item:
    """An item of a list in a new document; comments of its origins go with it."""

    value: Value
    origins: tuple[Entry, ...] = ()


@dataclass(slots=True, eq=False)
class Mapping:
    """A mapping of a new document, in its order."""

    fields: list[Field] = field(default_factory=list)

    def put(self, key: str, value: Value | None, *origins: Entry) -> None:
        """Adds a field; None and empty mappings and lists add nothing."""
        if value is not None and not (isinstance(value, Mapping | Items) and not value):
            self.fields.append(Field(key, value, origins))

    def __bool__(self) -> bool:
        return bool(self.fields)


@dataclass(slots=True, eq=False)
class Items:
    """A list of a new document."""

    items: list[Item] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.items)


# Text is quoted where it needs to be; `Plain` is written as it stands: numbers, booleans.
Value = str | Kept | Mapping | Items


def copy(node: yaml.Node) -> Value:
    """A part of the source as it is, aliases and merges written out; keys and items keep their comments."""
    if isinstance(node, yaml.MappingNode):
        return Mapping([Field(entry.name, copy(entry.value), (entry,)) for entry in entries_of(node)])
    if isinstance(node, yaml.SequenceNode):
        return Items([Item(copy(item), (Entry(None, item),)) for item in node.value])
    return Kept(node, as_text=False)
