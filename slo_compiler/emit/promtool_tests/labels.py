"""Label sets that a selector matches, or just misses: made from the matchers alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from slo_compiler.ir import Matcher

# Values that people's matchers are usually about, tried before anything is made up.
_USUAL = ("200", "500", "ok", "error", "other", "404", "true", "false", "GET", "1", "0", "x", "")


# So many replicas of a scenario differ in a label at most.
_MOST_VARIANTS = 4


class NoExample(Exception):
    """No label value was found that fits the matchers."""


def matching(matchers: Sequence[Matcher], violate: Sequence[Matcher] = ()) -> dict[str, str]:
    """Labels that satisfy all `matchers` and, where given, not all of `violate`.

    Raises:
        NoExample: none was found.
    """
    labels = {matcher.label: "" for matcher in matchers}
    for label in labels:
        labels[label] = _value(label, matchers, ())
    if violate and all(_holds(matcher, labels.get(matcher.label, "")) for matcher in violate):
        for matcher in violate:
            try:
                return {**labels, matcher.label: _value(matcher.label, matchers, (matcher,))}
            except NoExample:
                continue
        raise NoExample("every series that the first selector matches is matched by the second")
    return labels


def variants(matchers: Sequence[Matcher], violate: Sequence[Matcher] = ()) -> list[dict[str, str]]:
    """Labels as `matching` gives them, once per alternative of the longest regular expression: `prod|live` gives two.

    Raises:
        NoExample: none was found.
    """
    base = matching(matchers, violate)
    found = [base]
    for matcher in matchers:
        if matcher.op != "=~":
            continue
        others = [item for item in matchers if item.label == matcher.label]
        for index, value in enumerate(dict.fromkeys(_examples(matcher.value))):
            if value == base[matcher.label] or not value or not all(_holds(item, value) for item in others):
                continue
            labels = {**found[min(index, len(found) - 1)], matcher.label: value}
            if not (violate and all(_holds(item, labels.get(item.label, "")) for item in violate)):
                found.append(labels)
    return found[:_MOST_VARIANTS]


def choices(label: str, matchers: Sequence[Matcher], count: int, known: Sequence[str] = ()) -> list[str]:
    """Up to so many values of a label that satisfy its matchers; the second is none at all where they let it be.

    Args:
        known: values to choose from; made up where there are none.

    Raises:
        NoExample: none was found.
    """
    own = [matcher for matcher in matchers if matcher.label == label]
    made = iter(known or [f"{label}-{index}" for index in range(2 * count)])
    for matcher in own if not known else ():
        if matcher.op == "=":
            made = iter([matcher.value])
            break
        if matcher.op == "=~":
            made = _numbered(matcher.value, 2 * count)
    fitting = list(dict.fromkeys(value for value in made if all(_holds(matcher, value) for matcher in own)))
    if not known and all(_holds(matcher, "") for matcher in own):
        fitting.insert(1, "")
    if not fitting:
        raise NoExample(f"no value of {label} was found")
    return fitting[:count]


def _numbered(pattern: str, count: int) -> Iterator[str]:
    """Texts that a pattern is likely to match, more of them where something in it may be anything."""
    yield from (value for value in _examples(pattern) if value)
    for alternative in _alternatives(pattern):
        if ".*" in alternative or ".+" in alternative:
            for index in range(count):
                yield from (value for value in _examples(re.sub(r"\.[*+]", str(index), alternative)) if value)


def drawable(*selectors: Sequence[Matcher]) -> bool:
    """Whether there are labels for each of the selectors: a pattern may match nothing, or nothing that is found."""
    try:
        for matchers in selectors:
            matching(matchers)
    except NoExample:
        return False
    return True


def near_misses(matchers: Sequence[Matcher], labels: dict[str, str]) -> Iterator[dict[str, str]]:
    """For each matcher, labels that satisfy all of them but this one; for each of several values that it leaves out."""
    for matcher in matchers:
        others = tuple(item for item in matchers if item is not matcher and item.label == matcher.label)
        try:
            first = _find(others, (matcher,))
        except NoExample:
            continue
        further = _examples(matcher.value) if matcher.op == "!~" else ()
        values = [
            value for value in further if all(_holds(item, value) for item in others) and not _holds(matcher, value)
        ]
        for value in dict.fromkeys((first, *values)):
            yield {**labels, matcher.label: value}


def _value(label: str, matchers: Sequence[Matcher], violated: Sequence[Matcher]) -> str:
    own = tuple(matcher for matcher in matchers if matcher.label == label)
    return _find(own, tuple(violated))


@lru_cache(maxsize=4096)
def _find(own: tuple[Matcher, ...], violated: tuple[Matcher, ...]) -> str:
    for candidate in _candidates(own + violated, positive=not violated):
        if all(_holds(matcher, candidate) for matcher in own) and not any(
            _holds(matcher, candidate) for matcher in violated
        ):
            return candidate
    raise NoExample(f"no value found for {', '.join(f'{m.label}{m.op}{m.value!r}' for m in own + violated)}")


def _candidates(matchers: Sequence[Matcher], *, positive: bool) -> Iterator[str]:
    for matcher in matchers:
        if matcher.op == "=" and positive:
            yield matcher.value
    for matcher in matchers:
        if matcher.op in ("=~", "!~"):
            yield from _examples(matcher.value)
        elif not (matcher.op == "=" and positive):
            yield matcher.value
    for matcher in matchers:
        if matcher.op == "!~":
            # What a pattern just leaves alone: read as a part of a text, or with one more letter, it would not.
            yield f"{list(_examples(matcher.value))[-1]}x"
        yield f"not-{matcher.value}"
    yield from _USUAL


def _examples(pattern: str) -> Iterator[str]:
    """A few texts that an anchored RE2 pattern is likely to match: alternatives taken, classes replaced."""
    for alternative in _alternatives(_ESCAPED.sub(_hidden, pattern)):
        text = re.sub(r"\[\^?([^\]])[^\]]*\]", r"\1", alternative)
        for any_text in ("", "a", "0"):
            made = text.replace(".*", any_text).replace(".+", any_text or "a").replace("\\d+", "0").replace("\\d", "0")
            yield _HIDDEN.sub(_shown, re.sub(r"[?*+]", "", made.replace(".", "0")))
            yield _HIDDEN.sub(_shown, re.sub(r"[?*+]", "", made))


# Escaped punctuation is text: it waits among the private characters until the operators are gone.
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~ \t\n])")
_HIDDEN = re.compile("[\ue000-\ue07f]")


def _hidden(escape: re.Match[str]) -> str:
    return chr(0xE000 + ord(escape[1]))


def _shown(character: re.Match[str]) -> str:
    return chr(ord(character[0]) - 0xE000)


def _alternatives(pattern: str) -> Iterator[str]:
    """The pattern once per alternative, groups unfolded from the inside out."""
    inner = re.search(r"\((?:\?:)?([^()]*)\)", pattern)
    if inner is not None:
        for part in inner[1].split("|"):
            yield from _alternatives(pattern[: inner.start()] + part + pattern[inner.end() :])
        return
    yield from pattern.split("|")


def _holds(matcher: Matcher, value: str) -> bool:
    """Whether a value satisfies a matcher; regular expressions are anchored, as in Prometheus."""
    if matcher.op == "=":
        return value == matcher.value
    if matcher.op == "!=":
        return value != matcher.value
    try:
        found = re.fullmatch(matcher.value, value) is not None
    except re.error as fault:
        raise NoExample(f"{matcher.value!r} is no pattern that Python reads: {fault}") from None
    return found if matcher.op == "=~" else not found
