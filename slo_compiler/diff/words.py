"""Numbers of the catalogue's documents as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Any

from slo_compiler.units import Duration, decimal_text, percent_text

_LEAST_MINUTES = Decimal("1e-9")


def percent(ratio: float) -> str:
    """0.999 is `99.9%`."""
    return percent_text(Decimal(str(ratio)))


def duration(seconds: float | None) -> str:
    """0.25 is `250ms`; nothing for none."""
    return "" if seconds is None else str(Duration(Decimal(str(seconds))))


def number(value: float | None) -> str:
    """Without trailing zeros; nothing for none."""
    return "" if value is None else decimal_text(Decimal(str(value)))


def minutes_of(seconds: float) -> Fraction:
    """Seconds as exact minutes."""
    return Fraction(Decimal(str(seconds))) / 60


def minutes(amount: Fraction) -> str:
    """A budget is not rounded up: whole minutes from ten on, else a tenth, and of less than that two digits."""
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    if exact >= 10:
        return f"{int(exact):,}"
    place = Decimal("0.1") if exact >= Decimal("0.1") or not exact else Decimal(1).scaleb(exact.adjusted() - 1)
    return decimal_text(exact.quantize(place, ROUND_FLOOR))


def minutes_apart(old: Fraction, new: Fraction) -> tuple[str, str]:
    """Two budgets that differ, with as many digits as it takes to see that they do."""
    both = minutes(old), minutes(new)
    place = Decimal(1)
    while both[0] == both[1] and old != new and place > _LEAST_MINUTES:
        place /= 10
        exact = [Decimal(amount.numerator) / Decimal(amount.denominator) for amount in (old, new)]
        both = tuple(f"{amount.quantize(place, ROUND_FLOOR):,f}" for amount in exact)  # type: ignore[assignment]
    return both


def pairs(values: Mapping[str, Any]) -> str:
    """Labels in order, `tier=fast, team=platform`."""
    return ", ".join(f"{key}={value}" for key, value in sorted(values.items()))
