"""Durations and shares: what is read, what is refused, and that printing and reading are inverse."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo_compiler.units import Duration, decimal_text, parse_decimal, parse_percent, percent_text

MILLISECONDS = st.integers(1, 10**13)
RATIOS = st.decimals(0, 1, places=11)


@pytest.mark.parametrize(
    ("text", "seconds", "printed", "promql"),
    [
        ("150ms", "0.15", "150ms", "150ms"),
        ("1ms", "0.001", "1ms", "1ms"),
        ("1.5s", "1.5", "1.5s", "1s500ms"),
        ("1s500ms", "1.5", "1.5s", "1s500ms"),
        ("2500ms", "2.5", "2.5s", "2s500ms"),
        ("1000ms", "1", "1s", "1s"),
        ("59s", "59", "59s", "59s"),
        ("90s", "90", "1m30s", "1m30s"),
        ("4m45s", "285", "4m45s", "4m45s"),
        ("0.5m", "30", "30s", "30s"),
        ("1h30m", "5400", "1h30m", "1h30m"),
        ("1.5h", "5400", "1h30m", "1h30m"),
        ("24h", "86400", "1d", "1d"),
        ("28d", "2419200", "28d", "28d"),
        ("4w", "2419200", "28d", "28d"),
        ("1w1d1h1m1s1ms", "694861.001", "8d1h1m1.001s", "8d1h1m1s1ms"),
        ("007s", "7", "7s", "7s"),
    ],
)
def test_durations_are_read_and_printed(text: str, seconds: str, printed: str, promql: str) -> None:
    duration = Duration.parse(text)
    assert duration.seconds == Decimal(seconds)
    assert str(duration) == printed
    assert duration.promql == promql


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("0s", id="zero"),
        pytest.param("0h0m", id="zero in parts"),
        pytest.param("-5m", id="negative"),
        pytest.param("+5m", id="a sign"),
        pytest.param("5", id="no unit"),
        pytest.param("5 m", id="a blank inside"),
        pytest.param(" 5m", id="a blank before"),
        pytest.param("5m ", id="a blank after"),
        pytest.param("5m\n", id="a newline after"),
        pytest.param("5M", id="an upper-case unit"),
        pytest.param("5min", id="a word as unit"),
        pytest.param("1y", id="years"),
        pytest.param("5us", id="microseconds"),
        pytest.param("30m1h", id="units that grow"),
        pytest.param("1m1m", id="a unit twice"),
        pytest.param("1.s", id="no digit after the point"),
        pytest.param(".5s", id="no digit before the point"),
        pytest.param("1e3s", id="an exponent"),
        pytest.param("1_000s", id="an underscore"),
        pytest.param("٣s", id="digits of another script"),
        pytest.param("1234567890123s", id="more digits than a time has"),
        pytest.param("5m]) or vector(1", id="PromQL behind it"),
    ],
)
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no duration|is zero"):
        Duration.parse(text)


@given(MILLISECONDS)
def test_reading_what_was_printed_gives_the_same_duration(milliseconds: int) -> None:
    duration = Duration.of(Decimal(milliseconds) / 1000)
    assert Duration.parse(str(duration)) == duration


@given(MILLISECONDS)
def test_the_promql_text_is_the_same_duration_in_whole_units(milliseconds: int) -> None:
    duration = Duration.of(Decimal(milliseconds) / 1000)
    assert "." not in duration.promql
    assert Duration.parse(duration.promql) == duration


@given(st.decimals("0.000000001", 10**9, places=9))
def test_no_digit_is_lost_down_to_nanoseconds(seconds: Decimal) -> None:
    duration = Duration.of(seconds)
    assert Duration.parse(f"{decimal_text(seconds)}s") == duration


@given(MILLISECONDS, MILLISECONDS)
def test_durations_compare_as_their_seconds(one: int, other: int) -> None:
    assert (Duration.of(one) < Duration.of(other)) == (one < other)


def test_promql_has_no_fractions_of_a_millisecond() -> None:
    with pytest.raises(ValueError, match="no whole number of milliseconds"):
        _ = Duration.parse("0.5ms").promql


def test_whole_seconds_refuses_parts_of_a_second() -> None:
    assert Duration.parse("1h").whole_seconds == 3600
    with pytest.raises(ValueError, match=r"1\.5s is no whole number of seconds"):
        _ = Duration.parse("1500ms").whole_seconds


@pytest.mark.parametrize(
    ("text", "ratio", "printed"),
    [
        ("99.9%", "0.999", "99.9%"),
        ("99.95 %", "0.9995", "99.95%"),
        ("95%", "0.95", "95%"),
        ("95.00%", "0.95", "95%"),
        ("100%", "1", "100%"),
        ("0%", "0", "0%"),
        ("0.001%", "0.00001", "0.001%"),
        ("99.999999999%", "0.99999999999", "99.999999999%"),
    ],
)
def test_percentages_are_exact(text: str, ratio: str, printed: str) -> None:
    assert parse_percent(text) == Decimal(ratio)
    assert percent_text(parse_percent(text)) == printed


@pytest.mark.parametrize(
    "text",
    ["", "%", "99.9", "0.999", "100.1%", "-1%", "99,9%", "1e1%", "99.%", " 99%", "99%\n", "99  %", "٩٩%", "9999%"],
)
def test_other_texts_are_no_percentages(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no percentage|is over 100%"):
        parse_percent(text)


@given(RATIOS)
def test_reading_a_printed_ratio_gives_the_same_ratio(ratio: Decimal) -> None:
    assert parse_percent(percent_text(ratio)) == ratio


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1E+3", "1000"),
        ("1E-7", "0.0000001"),
        ("0.9990", "0.999"),
        ("14.40", "14.4"),
        ("10080", "10080"),
        ("-2.50", "-2.5"),
        ("100", "100"),
        ("0.000", "0"),
        ("-0.0", "0"),
        ("-0", "0"),
    ],
)
def test_decimals_print_without_exponent_or_idle_zeros(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


@given(st.decimals(-(10**12), 10**12, allow_nan=False))
def test_a_decimal_reads_back_equal(value: Decimal) -> None:
    text = decimal_text(value)
    assert Decimal(text) == value
    assert "e" not in text.lower()


@pytest.mark.parametrize(
    ("text", "value"),
    [("14.4", "14.4"), (".5", "0.5"), ("7.", "7"), ("1e3", "1000"), ("+2.5E-2", "0.025"), ("-3", "-3"), ("007", "7")],
)
def test_decimals_are_read_as_they_are_written(text: str, value: str) -> None:
    assert parse_decimal(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", ".", "1_000", " 1", "1\n", "٣", "1,5", "1e1000", "0x1f", "true", "e3"])
def test_what_is_no_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        parse_decimal(text)


@pytest.mark.parametrize("text", ["inf", "-Infinity", "NaN", ".inf"])
def test_decimals_are_finite(text: str) -> None:
    with pytest.raises(ValueError, match="is not finite"):
        parse_decimal(text)
