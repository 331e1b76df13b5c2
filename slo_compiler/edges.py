"""Bucket edges as metrics write them: in which unit, and in which text of the label `le`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from slo_compiler.documents.engine import LeFormat, Unit
from slo_compiler.units import decimal_text

UNIT_SECONDS = {
    Unit.SECONDS: Decimal(1),
    Unit.MILLISECONDS: Decimal("0.001"),
    Unit.MICROSECONDS: Decimal("0.000001"),
}
# Exporters, and Prometheus itself, write numbers outside of these with an exponent.
_PLAIN_FROM = Decimal("0.0001")
_PLAIN_BELOW = Decimal(1_000_000)


def native_edge(edge: Decimal, unit: Unit) -> Decimal:
    """A bucket edge, given in seconds, in the unit that the metric writes it in."""
    return edge / UNIT_SECONDS[unit]


def le_pattern(edge: Decimal, le_format: LeFormat) -> str:
    """The regular expression of `le` for an edge in the metric's own unit, in every spelling that is stored."""
    text = decimal_text(edge)
    plain = re.escape(text) if "." in text else rf"{text}(\.0)?"
    if not edge or _PLAIN_FROM <= edge < _PLAIN_BELOW:
        return plain
    if le_format in (LeFormat.PLAIN, LeFormat.ANY):  # Prometheus 3 stores an exponent whatever it was given
        return f"{plain}|{_exponent_pattern(edge, le_format)}"
    return _exponent_pattern(edge, le_format)


def le_text(edge: str, patterns: Iterable[str], *, whole: bool = False) -> str:
    """A spelling of `le` for an edge: the plain one where it is in range or some pattern knows it, else an exponent.

    Args:
        edge: in the metric's own unit, without an exponent.
        patterns: regular expressions of the edges that a rule reads.
        whole: as Go, Rust and C++ write the edge 1 (`1`), rather than as the Python client and Prometheus 3 do (`1.0`).
    """
    plain = edge if whole or "." in edge else f"{edge}.0"
    number = Decimal(edge)
    if not number or _PLAIN_FROM <= number < _PLAIN_BELOW or any(re.fullmatch(one, plain) for one in patterns):
        return plain
    return f"{decimal_text(number.scaleb(-number.adjusted()))}e{number.adjusted():+03d}"


def _exponent_pattern(edge: Decimal, le_format: LeFormat) -> str:
    exponent = edge.adjusted()
    mantissa = re.escape(decimal_text(edge.scaleb(-exponent)))
    sign, digits = ("-" if exponent < 0 else r"\+"), f"{abs(exponent):02}"
    # prometheus_client for Python puts a zero before the exponent whatever its length: 1e+010.
    if le_format in (LeFormat.PYTHON_FLOAT, LeFormat.ANY) and exponent >= 10:
        digits = f"0?{digits}"
    return f"{mantissa}e{sign}{digits}"


def native_text(edge: Decimal, le_format: LeFormat) -> str:
    """The text of `le` as the exporter itself writes an edge, given in the metric's own unit: one of `le_pattern`'s.

    Exporters on Python's client write `1.0`, by a function of that client.
    """
    if le_format is LeFormat.PLAIN or _PLAIN_FROM <= edge < _PLAIN_BELOW:
        return decimal_text(edge)
    exponent = edge.adjusted()
    return f"{decimal_text(edge.scaleb(-exponent))}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"
