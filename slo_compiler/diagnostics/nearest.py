"""The known name that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to `name`, or None where nothing is close. Case and dashes count little."""
    from difflib import get_close_matches  # only where something is misspelt

    table = {_plain(candidate): candidate for candidate in sorted(known)}
    found = get_close_matches(_plain(name), table, n=1, cutoff=0.6)
    return table[found[0]] if found else None


def near_miss(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` is but for a letter or two, where it is not known itself: a name of its own is none."""
    names = set(known)
    if name in names:
        return None
    from difflib import get_close_matches

    table = {_plain(candidate): candidate for candidate in sorted(names)}
    found = get_close_matches(_plain(name), table, n=1, cutoff=0.8)
    return table[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str], *, otherwise: str = "known") -> str:
    """A hint that names the nearest known name, or lists what is known."""
    names = sorted(known)
    close = nearest(name, names)
    if close is not None:
        return f"did you mean {close}?"
    return f"{otherwise}: {', '.join(names)}" if names else ""


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
