"""Durations and shares as people write them, in exact decimals, and back to text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

_UNIT_SECONDS: dict[str, Decimal] = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
    "w": Decimal(604800),
}
_WHOLE_UNITS = ("d", "h", "m")
# Bucket edges that are doubles have up to 15 decimals.
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,15})?)(ms|[smhdw])")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%")


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in seconds, exact: `Duration.parse("150ms").seconds == Decimal("0.15")`."""

    seconds: Decimal

    @staticmethod
    def parse(text: str) -> Duration:
        """Reads `150ms`, `1.5s`, `1h30m`, `28d`, `4w`.

        Raises:
            ValueError: the text is no such duration, or is zero.
        """
        return _parse_duration(text)

    @staticmethod
    def of(seconds: int | Decimal) -> Duration:
        """A duration of so many seconds."""
        return Duration(Decimal(seconds))

    def __str__(self) -> str:
        return _print_duration(self.seconds)

    @property
    def promql(self) -> str:
        """The duration as Prometheus reads it: whole numbers of units, down to milliseconds.

        Raises:
            ValueError: the duration is not a whole number of milliseconds.
        """
        return _promql(self.seconds)

    @property
    def whole_seconds(self) -> int:
        """The duration in seconds.

        Raises:
            ValueError: it is no whole number of seconds.
        """
        if self.seconds != self.seconds.to_integral_value():
            raise ValueError(f"{self} is no whole number of seconds")
        return int(self.seconds)


@lru_cache(maxsize=4096)
def _parse_duration(text: str) -> Duration:
    total = Decimal(0)
    position = 0
    last = len(_UNIT_SECONDS)
    order = ["ms", "s", "m", "h", "d", "w"]
    while position < len(text):
        part = _PART.match(text, position)
        if part is None or order.index(part[2]) >= last:
            raise ValueError(f"{text!r} is no duration")
        last = order.index(part[2])
        total += Decimal(part[1]) * _UNIT_SECONDS[part[2]]
        position = part.end()
    if total <= 0:
        raise ValueError(f"{text!r} is no duration" if not text else f"{text!r} is zero")
    return Duration(total)


@lru_cache(maxsize=4096)
def _promql(seconds: Decimal) -> str:
    milliseconds = seconds * 1000
    if milliseconds != milliseconds.to_integral_value():
        raise ValueError(f"{seconds}s is no whole number of milliseconds")
    parts = []
    rest = int(milliseconds)
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


@lru_cache(maxsize=4096)
def _print_duration(seconds: Decimal) -> str:
    """Days to minutes in whole parts (`1h30m`, `28d`), below a minute one number (`1.5s`, `250ms`)."""
    parts = []
    for unit in _WHOLE_UNITS:
        count = seconds // _UNIT_SECONDS[unit]
        if count:
            parts.append(f"{int(count)}{unit}")
            seconds -= count * _UNIT_SECONDS[unit]
    if seconds >= 1:
        parts.append(f"{decimal_text(seconds)}s")
    elif seconds > 0:
        parts.append(f"{decimal_text(seconds * 1000)}ms")
    return "".join(parts) or "0s"


def parse_decimal(text: str) -> Decimal:
    """Reads `14.4`, `.5`, `1e3`, exactly.

    Raises:
        ValueError: the text is no number as JSON and YAML write decimals, or is not finite.
    """
    if not _DECIMAL.fullmatch(text):
        unbounded = text.lower().lstrip("+-.") in ("inf", "infinity", "nan")
        raise ValueError(f"{text!r} is {'not finite' if unbounded else 'no number'}")
    return Decimal(text)


def decimal_text(value: Decimal) -> str:
    """A decimal without exponent and without trailing zeros: `0.999`, `14.4`, `10080`."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


@lru_cache(maxsize=4096)
def parse_percent(text: str) -> Decimal:
    """Reads `99.9%` as the ratio 0.999, exactly.

    Raises:
        ValueError: the text is no percentage, or lies outside 0 to 100.
    """
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no percentage")
    ratio = Decimal(match[1]) / 100
    if ratio > 1:
        raise ValueError(f"{text!r} is over 100%")
    return ratio


def percent_text(ratio: Decimal) -> str:
    """A ratio as a percentage: 0.999 is `99.9%`."""
    return f"{decimal_text(ratio * 100)}%"
