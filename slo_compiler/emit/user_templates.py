"""A repository's own templates as values, and what is said where one of them is broken."""

from __future__ import annotations

from typing import NamedTuple


class UserTemplates(NamedTuple):
    """A folder of a repository's own templates: names within it to their texts."""

    folder: str
    texts: tuple[tuple[str, str], ...] = ()


NO_TEMPLATES = UserTemplates("")


class TemplateFault(Exception):
    """A user's template cannot be used."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path = path
        self.line = line
        self.message = message
