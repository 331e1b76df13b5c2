"""The resolved form of a series: a metric and the matchers of its labels."""

from typing import NamedTuple


class Matcher(NamedTuple):
    """A label matcher; `op` is one of `=`, `!=`, `=~`, `!~`."""

    label: str
    op: str
    value: str


class Selector(NamedTuple):
    """An instant vector selector: a metric and its matchers."""

    name: str
    matchers: tuple[Matcher, ...] = ()
