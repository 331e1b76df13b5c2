"""The YAML writer: whatever it is given, any YAML reader, 1.1 or 1.2, reads the same back."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from slo_compiler.emit.serialize import Block, scalar, to_json_line, to_yaml

# Lone surrogates are no text: they cannot be encoded, so no YAML file can hold them.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
WORDS = (
    *("y", "Y", "n", "N", "yes", "Yes", "no", "NO", "on", "On", "off", "OFF", "true", "True", "false", "FALSE"),
    *("null", "Null", "~", "none", "nan", ".nan", "NaN", ".inf", "-.inf", "inf", "=", "<<", "---", "...", "--- a"),
)
NUMBERS = (
    *("0", "-1", "+1", "1.5", "1e3", "1E3", "1_000", "0x1f", "0o17", "017", "0b101", "12:30:45", "1:30", "190:20:30"),
    *(".5", "5.", "2027-03-01", "2027-03-01T10:00:00Z", "2027-03-01 10:00:00", "5m", "1h30m", "1e5m", "0s"),
)
SHAPES = (
    *("", " ", "  a", "a ", "\t", "a\tb", "a\t", "\n", "a\n", "\na", "a\n\nb", "a\n b", "a\nb ", "a\r\nb", "a\rb"),
    *("-", "- a", "?", "? a", ":", "a:", "a: b", "a:b", ":a", "#", "a #b", "a#b", "&a", "*a", "!a", "!!str a", "%a"),
    *("@a", "`a", "|", "|-", ">", "{", "}", "{a}", "[", "]", "[a]", ",", "a,", "a, b", "'", "''", '"', "it's", "\\"),
    *(
        "\\n",
        'a "quoted" word',
        "both ' and \"",
        "{{ $value }}",
        "rate(x[5m])",
        'x{a="b"} > 0',
        "99.9%",
        "a/b:c",
        "a:/",
    ),
    *("\x00", "\x07", "\x1b[31m", "\x7f", "\x80", "\x85", "\xa0", "\xad", "\u200b", "\u2028", "\u2029", "\ufeff"),
    *("\ue000", "\ufffd", "\ufffe", "\uffff", "😀", "a 😀", "\U000e0001", "\U0010ffff", "é", "ß", "日本語", "e\u0301"),
    *(
        "a\u2028b\nc",
        "a\x85b\nc",
        "# a\nb",
        "- a\n- b",
        "a: b\nc: d",
        "---\na",
        "a\n---\nb",
        "a\n...\nb",
        "%YAML 1.2\na",
    ),
)
TEXT = st.one_of(ANY_TEXT, st.sampled_from((*WORDS, *NUMBERS, *SHAPES)), st.text("ab \n\t:#-'\"\\{}", max_size=12))
ITEMS = st.one_of(TEXT, TEXT.map(Block), st.booleans(), st.integers(-(10**12), 10**12))
NESTED = st.recursive(
    ITEMS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)), max_leaves=12
)


def read_1_1(text: str) -> Any:
    return yaml.load(text.encode(), Loader=yaml.CSafeLoader)


def read_1_2(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(io.BytesIO(text.encode()))


READERS = [pytest.param(read_1_1, id="as PyYAML reads YAML 1.1"), pytest.param(read_1_2, id="as ruamel reads YAML 1.2")]
each_reader = pytest.mark.parametrize("read", READERS)


@each_reader
@pytest.mark.parametrize("text", (*WORDS, *NUMBERS, *SHAPES), ids=ascii)
def test_a_text_stays_that_text(read: Any, text: str) -> None:
    document = {"value": text, "list": [text, {"in it": text}], text: "key", "block": Block(text)}
    assert read(to_yaml(document)) == document


@each_reader
@settings(deadline=None)  # ruamel's first document takes longer than the next hundred
@given(document=st.dictionaries(TEXT, NESTED, max_size=4))
@example(document={"a": {}, "b": [], "c": [[], {}, [[]], [{}], [["x"]]]})
@example(document={"": {"": [""]}})
def test_any_nesting_reads_back_equal(read: Any, document: dict[str, Any]) -> None:
    assert read(to_yaml(document)) == document


@each_reader
@settings(deadline=None)  # ruamel's first document takes longer than the next hundred
@given(document=st.one_of(st.lists(NESTED, max_size=4), TEXT))
def test_any_list_or_text_reads_back_equal_as_the_whole_document(read: Any, document: Any) -> None:
    assert read(to_yaml(document)) == document


@given(TEXT)
def test_a_scalar_is_one_line_without_tabs(text: str) -> None:
    written = scalar(text)
    assert not set(written) & set("\t\n\r\x85\u2028\u2029")
    assert written.isprintable()


@given(st.dictionaries(TEXT, NESTED, max_size=4))
def test_the_same_data_gives_the_same_text(document: dict[str, Any]) -> None:
    assert to_yaml(document) == to_yaml(dict(document))


@given(st.dictionaries(TEXT, NESTED, max_size=4))
def test_a_document_has_no_tab_no_blank_at_the_end_of_a_line_and_one_newline_at_its_end(
    document: dict[str, Any],
) -> None:
    text = to_yaml(document)
    assert "\t" not in text
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert not any(line.endswith(" ") for line in text.split("\n"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("vllm-chat", "vllm-chat", id="a name stays plain"),
        pytest.param("slo:burn_rate:1h", "slo:burn_rate:1h", id="a recorded name stays plain"),
        pytest.param("1h30m", "1h30m", id="a duration stays plain"),
        pytest.param("no", "'no'", id="a word that YAML 1.1 converts is quoted"),
        pytest.param("5", "'5'", id="a number as text is quoted"),
        pytest.param("12:30:45", "'12:30:45'", id="a sexagesimal number is quoted"),
        pytest.param("it's", '"it\'s"', id="an apostrophe takes double quotes"),
        pytest.param("a\nb", '"a\\nb"', id="a newline is escaped"),
        pytest.param("\U000e0001", '"\\U000e0001"', id="an astral character that does not print is escaped"),
    ],
)
def test_scalars_are_quoted_where_they_must_be(text: str, expected: str) -> None:
    assert scalar(text) == expected


def test_promql_is_a_literal_block() -> None:
    rule = {"record": "slo:x", "expr": Block('sum(x{a="b"})\n/ sum(y)')}
    assert to_yaml([rule]) == '- record: slo:x\n  expr: |-\n    sum(x{a="b"})\n    / sum(y)\n'


def test_items_of_a_list_stand_under_their_key() -> None:
    assert to_yaml({"groups": [{"name": "a", "rules": []}]}) == "groups:\n- name: a\n  rules: []\n"


@pytest.mark.parametrize(
    "value", [None, b"bytes", ("tuple",), {1, 2}, object()], ids=lambda value: type(value).__name__
)
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be written as YAML"):
        to_yaml({"key": value})


@given(
    st.recursive(
        ANY_TEXT | st.integers() | st.booleans() | st.none(),
        lambda item: st.lists(item) | st.dictionaries(ANY_TEXT, item),
    )
)
def test_json_on_one_line_is_one_line_and_reads_the_same(data: object) -> None:
    line = to_json_line(data)
    assert len(line.splitlines()) == 1
    assert json.loads(line) == data


@pytest.mark.parametrize("mark", ["\x7f", "\x85", "\u2028", "\u202e", "\ufeff"], ids=ascii)
def test_json_on_one_line_shows_no_character_that_hides(mark: str) -> None:
    assert to_json_line(f"a{mark}ä") == f'"a\\u{ord(mark):04x}ä"'
