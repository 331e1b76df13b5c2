"""PromQL in and out: what is written is read back as meant, and what users write is no more than it may be."""

from __future__ import annotations

import promql_parser
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slo_compiler.ir import Matcher, Selector
from slo_compiler.promql import build
from slo_compiler.promql.selectors import (
    NotASelector,
    has_placeholder,
    normalise_query,
    parse_selector,
    query_yields,
    rate_of_selector,
)

# A label value is any UTF-8 text; YAML admits no NUL.
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,12}", fullmatch=True).filter(lambda name: name != "__name__")
METRICS = st.sampled_from(["up", "vllm:e2e_request_latency_seconds_bucket", "_x", "a:b:c", "sum_total", "by_total"])
HOSTILE = (
    '"',
    "\\",
    '\\"',
    "\\\\",
    '"}) or vector(1',
    "a\nb",
    "a\rb",
    "a\tb",
    "{{.window}}",
    "`",
    "'",
    "\x00\x01",
    "\\n",
    "é😀",
)


def value_of(text: str) -> str:
    """The value of the one matcher in `up{job=...}`, as the grammar reads it."""
    parsed = promql_parser.parse(text)
    assert isinstance(parsed, promql_parser.VectorSelector)
    (matcher,) = parsed.matchers.matchers
    value = matcher.value
    assert isinstance(value, str)
    return value


@given(VALUES)
@example('"}) or vector(1) or up{job="')
@example("ends in a backslash\\")
@example("\x01\x1b\x7f\x85\u2028\ufeff\U0010ffff")
def test_any_label_value_survives_escaping(value: str) -> None:
    assert value_of(build.selector(Selector("up", (Matcher("job", "=", value),)))) == value


@given(VALUES)
def test_a_string_is_on_one_line(value: str) -> None:
    assert not set(build.string(value)) & set("\n\r\t")


@given(METRICS, st.dictionaries(NAMES, st.tuples(st.sampled_from(["=", "!="]), VALUES), max_size=4))
def test_a_written_selector_is_read_as_the_same_selector(name: str, labels: dict[str, tuple[str, str]]) -> None:
    selector = Selector(name, tuple(Matcher(label, op, value) for label, (op, value) in labels.items()))
    read = parse_selector(build.selector(selector))
    assert read.name == selector.name
    assert sorted(read.matchers, key=lambda item: item.label) == sorted(selector.matchers, key=lambda item: item.label)


@given(VALUES)
def test_a_recorded_series_holds_its_id_and_nothing_else(slo_id: str) -> None:
    parsed = promql_parser.parse(build.recorded("slo:events:fast", slo_id, "4m45s"))
    assert isinstance(parsed, promql_parser.MatrixSelector)
    (matcher,) = parsed.vector_selector.matchers.matchers
    assert (parsed.vector_selector.name, matcher.name, matcher.value) == ("slo:events:fast", "slo_id", slo_id)


def test_parts_are_joined_as_promql() -> None:
    selector = Selector("x_total", (Matcher("job", "=", "a"),))
    assert build.selector(selector, Matcher("le", "=~", r"0\.25")) == 'x_total{job="a",le=~"0\\\\.25"}'
    assert build.selector(Selector("up", ())) == "up"
    assert build.recorded("slo:info", "a/b") == 'slo:info{slo_id="a/b"}'
    assert build.rate("up", "5m") == "rate(up[5m])"
    assert build.either(["a", "b"]) == "a or b"


@pytest.mark.parametrize(
    ("text", "name", "matchers"),
    [
        pytest.param("up", "up", (), id="a bare metric"),
        pytest.param(" up ", "up", (), id="blanks around it"),
        pytest.param("up{}", "up", (), id="empty braces"),
        pytest.param("a:b:c", "a:b:c", (), id="colons"),
        pytest.param('x{a="b"}', "x", (Matcher("a", "=", "b"),), id="equality"),
        pytest.param("x{a='b'}", "x", (Matcher("a", "=", "b"),), id="single quotes"),
        pytest.param('x{a=`b "c"`}', "x", (Matcher("a", "=", 'b "c"'),), id="a raw string"),
        pytest.param('x{a="b",}', "x", (Matcher("a", "=", "b"),), id="a comma at the end"),
        pytest.param(
            'x{a!="b", c=~"5..", d!~"e|f"}',
            "x",
            (Matcher("a", "!=", "b"), Matcher("c", "=~", "5.."), Matcher("d", "!~", "e|f")),
            id="all operators",
        ),
        pytest.param('x{a="}) or vector(1"}', "x", (Matcher("a", "=", "}) or vector(1"),), id="PromQL inside a value"),
    ],
)
def test_a_plain_selector_is_read(text: str, name: str, matchers: tuple[Matcher, ...]) -> None:
    assert parse_selector(text) == Selector(name, matchers)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("   ", id="blanks"),
        pytest.param("1", id="a number"),
        pytest.param('"text"', id="a string"),
        pytest.param("rate(x[5m])", id="a function"),
        pytest.param("vector(1)", id="a function without a metric"),
        pytest.param("sum(x)", id="an aggregation"),
        pytest.param("sum by (a) (x)", id="an aggregation by labels"),
        pytest.param("x[5m]", id="a range"),
        pytest.param("x[5m:1m]", id="a subquery"),
        pytest.param("x offset 5m", id="an offset"),
        pytest.param("x offset -5m", id="a negative offset"),
        pytest.param("x @ 1", id="a moment"),
        pytest.param("x @ end()", id="the end of the query"),
        pytest.param("(x)", id="parentheses"),
        pytest.param("-x", id="a sign"),
        pytest.param("x or y", id="two metrics"),
        pytest.param("x * 0", id="arithmetic"),
        pytest.param("x > 0", id="a comparison"),
        pytest.param("x == bool 1", id="a comparison that gives 0 or 1"),
        pytest.param('{job="a"}', id="no metric"),
        pytest.param('{__name__="x"}', id="the metric only in braces"),
        pytest.param('{__name__=~".+"}', id="any metric"),
        pytest.param('x{a="b" or c="d"}', id="or between matchers"),
        pytest.param("x{a=b}", id="a value without quotes"),
        pytest.param('x{a="b"', id="open braces"),
        pytest.param('x{a="b}', id="an open string"),
        pytest.param("x y", id="two words"),
        pytest.param("x[5m]) or vector(1", id="an end of the range and another metric"),
        pytest.param('x{a="b"}) or vector(1', id="an end of the call and another metric"),
        pytest.param('x{a="b"}[5m]) or rate(y', id="an end of the range and another call"),
        pytest.param("x{}[5m])) # ", id="a comment that hides the rest"),
    ],
)
def test_anything_else_is_no_selector(text: str) -> None:
    with pytest.raises(NotASelector):
        parse_selector(text)


def test_a_comment_behind_a_selector_does_not_reach_the_output() -> None:
    assert build.rate(build.selector(parse_selector("x # ")), "5m") == "rate(x[5m])"


@given(st.text(max_size=40))
@example('x{a="\\xff"}')
@example("x" * 5000)
@example("(" * 300)
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        parse_selector(text)
    except NotASelector as refused:
        assert "\n" not in str(refused)


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_hostile_value_stays_a_value(value: str) -> None:
    assert value_of(build.selector(Selector("up", (Matcher("job", "=", value),)))) == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("sum(rate(x[{{.window}}]))", "x", id="a sum of a rate"),
        pytest.param("rate(x[{{.window}}])", "x", id="a rate"),
        pytest.param("sum(increase(x[{{.window}}]))", "x", id="a sum of an increase"),
        pytest.param("increase(x[{{.window}}])", "x", id="an increase"),
        pytest.param("(sum((rate(x[{{.window}}]))))", "x", id="parentheses around each"),
        pytest.param("sum by (a) (rate(x[{{.window}}]))", None, id="a sum by labels"),
        pytest.param("sum without (a) (rate(x[{{.window}}]))", None, id="a sum without labels"),
        pytest.param("max(rate(x[{{.window}}]))", None, id="another aggregation"),
        pytest.param("irate(x[{{.window}}])", None, id="irate reads two samples"),
        pytest.param("delta(x[{{.window}}])", None, id="delta is for gauges"),
        pytest.param("sum(rate(x[{{.window}}])) * 2", None, id="arithmetic behind it"),
        pytest.param("sum(rate(x[{{.window}}])) or vector(0)", None, id="a default behind it"),
        pytest.param("sum(rate(x[{{.window}}] offset 1h))", None, id="an offset"),
        pytest.param('sum(rate({__name__=~"x.*"}[{{.window}}]))', None, id="no metric's name"),
        pytest.param("sum(x)", None, id="no rate"),
        pytest.param("rate(x[{{.window}}:1m])", None, id="a subquery"),
    ],
)
def test_the_selector_of_a_plain_rate_is_found(text: str, name: str | None) -> None:
    found = rate_of_selector(text)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("text", "yields"),
    [
        pytest.param("sum(rate(x[{{.window}}]))", "rate", id="a rate"),
        pytest.param("sum(irate(x[{{.window}}]))", "rate", id="irate is per second too"),
        pytest.param("sum(increase(x[{{.window}}]))", "increase", id="an increase"),
        pytest.param("sum(rate(x[{{.window}}])) - sum(rate(y[{{.window}}]))", "rate", id="two rates"),
        pytest.param("(sum(increase(x[{{.window}}])))", "increase", id="in parentheses"),
        pytest.param("-sum(rate(x[{{.window}}]))", "rate", id="behind a sign"),
        pytest.param("clamp_min(sum(rate(x[{{.window}}])), 0)", "rate", id="inside a function"),
        pytest.param("sum(rate(x[{{.window}}])) + sum(increase(y[{{.window}}]))", None, id="both"),
        pytest.param("sum(x)", None, id="neither"),
        pytest.param("sum(delta(x[{{.window}}]))", None, id="delta"),
    ],
)
def test_what_a_query_yields_is_told_from_its_functions(text: str, yields: str | None) -> None:
    assert query_yields(text) == yields


@pytest.mark.parametrize("text", ["rate(x[{{.window}}]", "rate(x[{{.window}}]))", "rate(x)", "", "a b"])
def test_a_query_that_is_no_promql_is_refused(text: str) -> None:
    for function in (rate_of_selector, query_yields):
        with pytest.raises(NotASelector, match="no PromQL"):
            function(text)


@pytest.mark.parametrize("placeholder", ["{{.window}}", "{{ .window }}", "{{.window }}", "{{  .window}}"])
def test_the_placeholder_has_one_spelling_afterwards(placeholder: str) -> None:
    text = normalise_query(f"sum(\n  rate(x[{placeholder}])\n)\n")
    assert text == "sum( rate(x[{{.window}}]) )"
    assert has_placeholder(text)


@pytest.mark.parametrize("text", ["rate(x[5m])", "rate(x[{{.Window}}])", "rate(x[{{window}}])", "rate(x[$window])"])
def test_another_window_is_no_placeholder(text: str) -> None:
    assert not has_placeholder(normalise_query(text))
