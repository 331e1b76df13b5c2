"""Documents that just miss being valid: whole ones of each kind, and all that may go wrong in one place of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

Place = tuple[str | int, ...]
_WHOLE = Path(__file__).parent / "whole"


@cache
def whole_documents(kind: str) -> list[Any]:
    """Documents that hold every field of a kind, as editors read them; nobody writes into them."""
    text = (_WHOLE / f"{kind}.yaml").read_text("utf-8")
    return [_with_dates_as_text(document) for document in yaml.safe_load_all(text)]


def _with_dates_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_dates_as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_dates_as_text(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every value in a document, the document itself first."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*at, key))


def value_at(document: Any, place: Place) -> Any:
    """The value at a place."""
    for step in place:
        document = document[step]
    return document


def near_misses(document: Any, place: Place) -> Iterator[tuple[str, Place, Any]]:
    """One thing changed at a place: what is done, and which value stands where then. Some of them are valid still."""
    value = value_at(document, place)
    for what, other in _others(value):
        yield what, place, other
    if place and isinstance(place[-1], str):
        parent = value_at(document, place[:-1])
        key = place[-1]
        less = {name: item for name, item in parent.items() if name != key}
        yield "key dropped", place[:-1], less
        for name in (f"{key}s", key.upper(), key[:-1], "", "a b", "a/b", "1a"):
            if name not in parent:
                yield f"key renamed to {name!r}", place[:-1], {**less, name: value}


def _others(value: Any) -> Iterator[tuple[str, Any]]:
    """What may stand there instead of a value."""
    for what, other in (("text", "seven"), ("number", 7), ("boolean", True), ("list", ["a"]), ("mapping", {"a": "b"})):
        yield f"became a {what}", other
    yield "became nothing", None
    if isinstance(value, dict):
        yield "emptied", {}
        yield "unknown key", {**value, "unknwon": 1}
        yield "unknown key", {**value, "re": "a", "not": "b"}
    elif isinstance(value, list):
        yield "emptied", []
        yield "item twice", [*value, *value[:1]]
        yield "in reverse", value[::-1]
        yield "too many", (value * 25)[:25]
    elif isinstance(value, bool):
        yield "other word", "yes"
        yield "turned", not value
    elif isinstance(value, int | float):
        for number in (0, -1, 1, 0.5, 1.5, value * 1000, -value, 10**9, 10**9 + 1, 10**13, 1e-9, 100001):
            yield f"{number}", number
    elif isinstance(value, str):
        for text in TEXTS:
            yield f"{text!r}", text


# Texts that some field takes and most do not; among them durations, percentages, versions, names and dates.
TEXTS = (
    *(
        "",
        " ",
        "x" * 64,
        "x" * 1051,
        "no such word",
        "Chat",
        "chat",
        "a-b",
        "a_b",
        "-a",
        "a-",
        "A1",
        "a.b",
        "é",
        "/",
        "le",
    ),
    *(
        "0s",
        "0ms",
        "0.0s",
        "5",
        "5S",
        "1m1h",
        "1h1h",
        "1h 5m",
        "1.5h",
        "13w",
        "366d",
        "367d",
        "36h",
        "4w",
        "1500ms",
        "1w2d3h4m5s6ms",
    ),
    *(
        "1234567890123s",
        "1.0000000001s",
        "5m5",
        "m",
        "0%",
        "100%",
        "100.0%",
        "100.1%",
        "101%",
        "999%",
        "99.9 %",
        "99.9  %",
        "05%",
    ),
    *(
        "50",
        ".5%",
        "5.%",
        "-5%",
        "99.1234567891%",
        "0.00%",
        "0.10",
        "0.10.2",
        "v0.9",
        "0",
        "-1",
        "1e3",
        "1.5",
        "1e99",
        "+1",
        "inf",
        "nan",
    ),
    *(
        ">=0.9.1",
        "<0.10.0",
        ">=0.9.1,<0.10.0",
        "<0.10.0,>=0.9.1",
        ">=0.10.0,<0.9.0",
        ">=0.9",
        ">= 0.9.1",
        ">=0.9.1, <0.10.0",
        ">=0.9.1,>=0.9.2",
    ),
    *(
        "2027-03-01",
        "20270301",
        "2027-02-30",
        "2027-13-01",
        "2027-W01-1",
        "0000-01-01",
        "2027-3-1",
        "2027-03-01T10:00:00Z",
        "1969-03-01T10:00:00Z",
        "__name__",
        "a(",
        "SLO999",
    ),
    *("https://x.example/a", "ftp://x", "x.example", "{{ x }}", "__a", "metric:name", "a\nb"),
)


@st.composite
def one_near_miss(draw: st.DrawFn, document: Any) -> tuple[Any, str]:
    """The document with one thing changed somewhere, and what was changed."""
    place = draw(st.sampled_from(list(places(document))))
    what, where, value = draw(st.sampled_from(list(near_misses(document, place))))
    return _replaced(document, where, value), f"{place}: {what}"


def _replaced(document: Any, place: Place, value: Any) -> Any:
    if not place:
        return copy.deepcopy(value)
    changed = copy.deepcopy(document)
    value_at(changed, place[:-1])[place[-1]] = value
    return changed
