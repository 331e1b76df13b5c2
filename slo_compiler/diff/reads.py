"""Changes of what is measured: other series, or the same ones by another selector."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from slo_compiler.diff.change import Cause, Change, Effect, Kind
from slo_compiler.diff.pair_changes import Compared

_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?", re.DOTALL)
_MATCHER = re.compile(r'[a-zA-Z_][a-zA-Z0-9_]*(?:=~|!~|!=|=)"(?:[^"\\]|\\.)*"')


def compare_reads(pair: Compared) -> Iterator[Change]:
    """Of the same metrics the matchers that differ, once for all of them; else the series."""
    old, new = pair.old.get("reads"), pair.new.get("reads")
    if old is None or new is None or old == new:  # one was compiled before documents said it
        return
    selectors = {
        words
        for part in old
        if old[part] != new.get(part)
        for words in _matchers_that_differ(old[part], new.get(part, []))
    }
    if len(selectors) == 1 and old.keys() == new.keys() and selectors != {("", "")}:
        yield _change(pair, "selector", (old, new), *selectors)
        return
    for part in dict.fromkeys((*old, *new)):
        before, after = old.get(part, []), new.get(part, [])
        if before != after:
            gone = [text for text in before if text not in after] or before
            come = [text for text in after if text not in before] or after
            both = (", ".join(gone if after else before), ", ".join(come if before else after))
            yield _change(pair, f"{part} read from", (before or None, after or None), both)


def _change(pair: Compared, field: str, values: tuple[object, object], words: tuple[str, str]) -> Change:
    return pair.change(
        field,
        values,
        words,
        likely=Cause.ENGINE,
        effect=Effect.FROM_NOW_ON,
        kind=Kind.CHANGED,
        note="counts other events",
    )


def _matchers_that_differ(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    """For each selector the matchers that one side lacks; both empty where the metrics are others."""
    if len(old) != len(new):
        yield "", ""
        return
    for before, after in zip(old, new, strict=True):
        was, now = _SELECTOR.fullmatch(before), _SELECTOR.fullmatch(after)
        if was is None or now is None or was[1] != now[1]:
            yield "", ""
            continue
        gone, come = _MATCHER.findall(was[2] or ""), _MATCHER.findall(now[2] or "")
        yield (
            ", ".join(item for item in gone if item not in come),
            ", ".join(item for item in come if item not in gone),
        )
