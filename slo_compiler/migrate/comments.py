"""Which comments of the source go to which part of the new documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slo_compiler.migrate.source import Comments, Entry, Source
from slo_compiler.migrate.tree import Field, Item, Items, Mapping, Value


def settle(source: Source, documents: Sequence[Mapping]) -> dict[int, Comments]:
    """Which comments go to which new field or item, by its id.

    An entry's comments follow the first thing that it became. Those of an entry that became nothing go to the nearest
    entry around it that became something: the one that shares more of its surroundings, the next one if both do.
    """
    heirs: dict[int, int] = {}
    for document in documents:
        for target in _targets(document):
            for origin in target.origins:
                heirs.setdefault(origin.mark, id(target))
    places = source.places
    numbers = [number for number, place in enumerate(places) if place.entry.mark in heirs]
    settled: dict[int, Comments] = {}
    for number, place in enumerate(places):
        own = source.comments.get(place.entry.mark)
        if own is None:
            continue
        heir = heirs.get(place.entry.mark)
        if heir is not None:
            _hand_over(own, settled.setdefault(heir, Comments()))
            continue
        lost = [places[other].entry.name for other in source.ancestors(number) if places[other].entry.mark not in heirs]
        lines = _orphaned(source, place.entry, own, [name for name in reversed(lost) if name])
        if not any(lines) or not numbers:
            continue
        around = set(source.ancestors(number))
        later = next((other for other in numbers if other > number), None)
        earlier = next((other for other in reversed(numbers) if other < number), None)
        later_depth = -1 if later is None else len(around.intersection(source.ancestors(later)))
        earlier_depth = -1 if earlier is None else len(around.intersection(source.ancestors(earlier)))
        if later is not None and later_depth >= earlier_depth:
            settled.setdefault(heirs[places[later].entry.mark], Comments()).before += lines
        elif earlier is not None:
            settled.setdefault(heirs[places[earlier].entry.mark], Comments()).after += lines
    return settled


def _orphaned(source: Source, entry: Entry, comments: Comments, names: Sequence[str]) -> list[str]:
    """The comments of an entry that became nothing; one beside a value keeps the field that it speaks of.

    Args:
        names: of the entry, and of those around it that became nothing either.
    """
    lines = [line for line in comments.before if line]
    if comments.beside:
        value = source.value_of(entry)
        lines.append(f"# {'.'.join(names)}: {value}  {comments.beside}" if value else comments.beside)
    return [*lines, *(line for line in comments.after if line)]


def _hand_over(own: Comments, heir: Comments) -> None:
    heir.before += own.before
    heir.after += own.after
    if own.beside and heir.beside:
        heir.before.append(own.beside)
    elif own.beside:
        heir.beside = own.beside


def _targets(value: Value) -> Iterator[Field | Item]:
    parts: Sequence[Field | Item] = ()
    if isinstance(value, Mapping):
        parts = value.fields
    elif isinstance(value, Items):
        parts = value.items
    for part in parts:
        yield part
        yield from _targets(part.value)
