"""Releases as documents name them: numbers with dots, or builds; and ranges of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator

from slo_compiler.documents.base import JsonSchema, Written

Version = tuple[int, ...]
"""A release as numbers: 0.10.2 is (0, 10, 2), and build b10434 is (10434,)."""

# A leading v and what a packager appends (.post1, rc1, +cpu, -slim, a fourth number, .x) do not change what is exposed.
_RELEASE = re.compile(
    r"v?([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.[0-9]{1,9})*(?:\.x)?"
    r"(?:[._-]?(?:a|b|c|rc|alpha|beta|pre|preview|post|rev|dev)[._-]?[0-9]{0,9}){0,3}"
    r"(?:[+-][0-9a-zA-Z][0-9a-zA-Z._-]{0,63})?"
)
_BUILD = re.compile(r"b([0-9]{1,9})")
_BOUND = re.compile(r"(>=|<)(?:([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})|b([0-9]{1,9}))")
_EVERY = "*"


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Releases from `low` on and below `high`; None is no bound."""

    low: Version | None = None
    high: Version | None = None

    @staticmethod
    def parse(text: str) -> "VersionRange":
        """Reads `>=0.8.4`, `<0.10.0`, `>=0.8.0,<0.11.1`, `>=b10434`, and `*`, which is every release.

        Raises:
            ValueError: the text is no such range, or holds no version.
        """
        if text == _EVERY:
            return VersionRange()
        bounds: dict[str, Version] = {}
        for part in text.split(","):
            match = _BOUND.fullmatch(part.strip())
            if match is None or match[1] in bounds:
                raise ValueError(f"{text!r} is no version range")
            bounds[match[1]] = tuple(int(number) for number in match.groups()[1:] if number is not None)
        low, high = bounds.get(">="), bounds.get("<")
        if low is not None and high is not None and low >= high:
            raise ValueError(f"{text!r} holds no version")
        return VersionRange(low, high)

    @staticmethod
    def of_release(text: str) -> "VersionRange | None":
        """The releases that a version names: `0.10` is every 0.10.z, `v0.10.2.post1` is 0.10.2, `b10434` is a build.

        None for no version.
        """
        build = _BUILD.fullmatch(text)
        if build is not None:
            return VersionRange((int(build[1]),), (int(build[1]) + 1,))
        match = _RELEASE.fullmatch(text)
        if match is None:
            return None
        major, minor = int(match[1]), int(match[2])
        if match[3] is None:
            return VersionRange((major, minor, 0), (major, minor + 1, 0))
        patch = int(match[3])
        return VersionRange((major, minor, patch), (major, minor, patch + 1))

    def overlaps(self, other: "VersionRange") -> bool:
        """Whether a version may lie in both."""
        return _below(self.low, other.high) and _below(other.low, self.high)

    def covered_by(self, ranges: Iterable["VersionRange"]) -> bool:
        """Whether every release of it lies in one of the ranges."""
        reached = self.low or ()
        for part in sorted(ranges, key=lambda part: part.low or ()):
            if (part.low or ()) > reached:
                return False
            if part.high is None or (self.high is not None and part.high >= self.high):
                return True
            reached = max(reached, part.high)
        return False

    def __str__(self) -> str:
        bounds = ((">=", self.low), ("<", self.high))
        return ",".join(f"{sign}{version_text(bound)}" for sign, bound in bounds if bound is not None) or _EVERY


def version_text(version: Version) -> str:
    """`0.10.2`, or `b10434` of a build."""
    return f"b{version[0]}" if len(version) == 1 else ".".join(str(part) for part in version)


def _below(low: Version | None, high: Version | None) -> bool:
    return low is None or high is None or low < high


def _read_range(value: Any) -> VersionRange:
    if isinstance(value, VersionRange):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a version range such as >=0.8.4,<0.11.0")
    try:
        return VersionRange.parse(value)
    except ValueError as fault:
        raise ValueError(f"{fault}; write bounds of three numbers, such as >=0.8.4,<0.11.0") from None


def _read_minor(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]+\.[0-9]+|b[0-9]+", value):
        raise ValueError(f"{value!r} is no minor release; write it quoted, such as '0.10', or a build such as b10434")
    return value


def _read_release(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+|b[0-9]+", value):
        raise ValueError(f"{value!r} is no release; write three numbers, such as 0.10.2, or a build such as b10434")
    return value


_BOUND_PATTERN = r"([0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}|b[0-9]{1,9})\s*"
_RANGE_PATTERN = rf"^(\*|\s*(>={_BOUND_PATTERN}(,\s*<{_BOUND_PATTERN})?|<{_BOUND_PATTERN}(,\s*>={_BOUND_PATTERN})?))$"
RangeText = Annotated[
    VersionRange,
    BeforeValidator(_read_range),
    Written(str),
    JsonSchema({"type": "string", "pattern": _RANGE_PATTERN, "examples": [">=0.8.4", ">=0.8.0,<0.11.0"]}),
]
# To an editor an unquoted minor release is a number.
_MINOR_SCHEMA = {"anyOf": [{"type": "string", "pattern": r"^([0-9]+\.[0-9]+|b[0-9]+)$"}, {"type": "number"}]}
MinorText = Annotated[str, BeforeValidator(_read_minor), JsonSchema(_MINOR_SCHEMA)]
_RELEASE_SCHEMA = {"type": "string", "pattern": r"^([0-9]+\.[0-9]+\.[0-9]+|b[0-9]+)$", "examples": ["0.10.2"]}
ReleaseText = Annotated[str, BeforeValidator(_read_release), JsonSchema(_RELEASE_SCHEMA)]
