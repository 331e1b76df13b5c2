"""Values with a source, as catalogs hold them: what documents and the values read from them have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class HasSource(Protocol):
    """A value that says where it came from."""

    @property
    def value(self) -> Any:
        """The value itself."""

    @property
    def cited(self) -> tuple[str, ...]:
        """Every source key that it mentions."""


@runtime_checkable
class HasParts(Protocol):
    """A part of a catalog that consists of others."""

    def parts(self) -> Iterable[tuple[str, Any]]:
        """Its parts with their names, as the document writes them."""


def sourced_values(part: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with a source inside a part of a catalog, in the order of the document.

    Args:
        part: a part of a catalog, or a mapping or sequence of them.
        path: what to put before the paths.

    Yields:
        The path in the document's own words (`useCases.chatbot.ttft`) and the value.
    """
    if isinstance(part, HasSource):
        yield path, part
    elif isinstance(part, HasParts):
        for name, entry in part.parts():
            yield from sourced_values(entry, _joined(path, name))
    elif isinstance(part, Mapping):
        for key, entry in part.items():
            yield from sourced_values(entry, _joined(path, str(key)))
    elif isinstance(part, tuple):
        for index, entry in enumerate(part):
            yield from sourced_values(entry, f"{path}[{index}]")


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
