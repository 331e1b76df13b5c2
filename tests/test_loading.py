"""Bytes to documents: every fault has its place, scalars stay text, and nothing raises or takes long."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo_compiler.diagnostics import Code, Severity, Span
from slo_compiler.load.discover import discover
from slo_compiler.load.limits import MAX_ALIASES, MAX_BYTES, MAX_DEPTH, MAX_DIRECTIVES, MAX_NODES
from slo_compiler.load.source_map import Plain
from slo_compiler.load.yaml import LoadedFile, load_bytes, load_file

LONGEST_SECONDS = 1.0


def load(text: str) -> LoadedFile:
    return load_bytes(text.encode(), "spec.yaml")


def places(loaded: LoadedFile) -> list[tuple[str, int, int]]:
    return [(d.code.name, d.span.line, d.span.column) for d in loaded.diagnostics]


def alias_bomb(levels: int = 9, width: int = 9) -> str:
    """Nine levels of nine aliases are 387 million values."""
    rows = (f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]" for level in range(1, levels + 1))
    return "\n".join(["a0: &a0 [x]", *rows])


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


# Content, code, line, column, and a part of the message.
REFUSED: dict[str, tuple[bytes, str, int, int, str]] = {
    "a NUL byte": (b"name: a\x00b\n", "SLO101", 1, 8, "'\\x00' is a control character"),
    "a control character behind other letters": ("é: ü\n  \x07".encode(), "SLO101", 2, 3, "'\\x07'"),
    "a NUL byte alone": (b"\x00", "SLO101", 1, 1, ""),
    "no UTF-8": (b"kind: x\nname: \xff\xfe\n", "SLO103", 2, 1, "byte 14 is not UTF-8"),
    "UTF-16": ("kind: x\n".encode("utf-16"), "SLO103", 1, 1, "byte 0 is not UTF-8"),
    "half a character": (b"name: caf\xc3", "SLO103", 1, 1, "byte 9 is not UTF-8"),
    "41 levels": (b"a: " + nested(40).encode(), "SLO103", 1, 43, "nested deeper than 40 levels"),
    "100,000 opened brackets": (b"[" * 100_000, "SLO103", 1, 41, "nested deeper than 40 levels"),
    "100,000 opened braces": (b"{a: " * 100_000, "SLO103", 1, 161, "nested deeper than 40 levels"),
    "100,000 nested lists of dashes": (b"- " * 100_000, "SLO103", 1, 81, "nested deeper than 40 levels"),
    "8,000 opened brackets": (b"[" * 8_000, "SLO103", 1, 41, "nested deeper than 40 levels"),
    "40 opened brackets": (b"[" * 40, "SLO101", 1, 41, "did not find expected node content"),
    "an alias bomb": (alias_bomb().encode(), "SLO103", 4, 10, "aliases repeat more than 100 lists and mappings"),
    "an alias of itself": (b"a: &a [*a]\n", "SLO103", 1, 8, "an alias of itself"),
    "an alias of what holds it": (b"a: &a\n  b: {c: [*a]}\n", "SLO103", 2, 11, "an alias of itself"),
    "an alias of much, often": (
        f"a: &a [{'[x], ' * 50}]\nb: [*a, *a, *a]\n".encode(),
        "SLO103",
        2,
        9,
        "aliases repeat more than 100 lists and mappings",
    ),
    "1.8 MB of small values": (b"[" + b"1," * 900_000 + b"]", "SLO103", 1, 200_000, "more than 100000 values"),
    "an alias of nothing": (b"a: *nowhere\n", "SLO101", 1, 4, "found undefined alias"),
    "3 MB of text": (b"a: " + b"x" * 3_000_000, "SLO103", 1, 1, "the file is over 2 MB"),
    "3 MB of brackets": (b"[" * 3_000_000, "SLO103", 1, 1, "the file is over 2 MB"),
    "a Python object": (b"a: !!python/object/apply:os.system [ls]\n", "SLO101", 1, 4, "YAML tag"),
    "a tag of somebody's own": (b"a:\n  b: !secret x\n", "SLO101", 2, 6, "YAML tag '!secret' is not read"),
    "a set": (b"a: !!set {x, y}\n", "SLO101", 1, 4, "YAML tag"),
    "a duplicate key": (b"a: 1\nb: 2\na: 3\n", "SLO102", 3, 1, "a is given twice (first on line 1)"),
    "a duplicate key in flow style": (
        b"x: {key: 1, key: 2}\n",
        "SLO102",
        1,
        13,
        "key is given twice (first on line 1)",
    ),
    "a duplicate key in other quotes": (b"a: 1\n'a': 2\n", "SLO102", 2, 1, "a is given twice (first on line 1)"),
    "a duplicate key in JSON": (b'{"a": 1,\n "a": 2}\n', "SLO102", 2, 2, "a is given twice (first on line 1)"),
    "a list as a key": (b"? [a, b]\n: 1\n", "SLO101", 1, 3, "a key must be text"),
    "a tab for indentation": (b"a:\n\tb: 1\n", "SLO101", 2, 1, "found character that cannot start any token"),
    "an open bracket": (b"a: [1, 2\nb: 3\n", "SLO101", 2, 2, ""),
    "an open quote": (b'a: "b\n', "SLO101", 1, 6, ""),
    "an open quote above empty lines": (b'a: "b\n\n\n', "SLO101", 1, 6, ""),
    "half of a pair of escapes": (b'{"a": "\\ud83d\\ude00"}', "SLO101", 1, 10, "invalid Unicode character escape"),
    "text with a colon": (b"title: Chat: customers\n", "SLO101", 1, 12, "mapping values are not allowed"),
    "a directive of another version": (b"%YAML 3.0\n---\na: 1\n", "SLO101", 1, 1, ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_its_place_within_a_second(case: str) -> None:
    content, code, line, column, message = REFUSED[case]
    seconds = LONGEST_SECONDS
    for _ in range(3):  # a busy process pays for others now and then
        started = time.process_time()
        loaded = load_bytes(content, "spec.yaml")
        seconds = min(seconds, time.process_time() - started)
    assert places(loaded) == [(code, line, column)]
    assert message in loaded.diagnostics[0].message
    assert loaded.diagnostics[0].severity is Severity.ERROR
    assert seconds < LONGEST_SECONDS


def test_one_comment_for_the_compiler_too_many_is_told() -> None:
    loaded = load("# slo-compiler: ignore SLO403 agreed\n" * (MAX_DIRECTIVES + 1) + "a: b")
    assert places(loaded) == [("SLO103", MAX_DIRECTIVES + 1, 1)]


def test_one_value_too_many_is_told() -> None:
    loaded = load(f"[{'1,' * (MAX_NODES + 1)}]")
    assert places(loaded) == [("SLO103", 1, 2 * MAX_NODES)]
    assert loaded.diagnostics[0].hint
    assert loaded.diagnostics[0].message == "more than 100000 values"


NEAR_MISSES: dict[str, tuple[str, object]] = {
    "40 levels": ("a: " + nested(39), None),
    "as many aliases as are allowed": ("a: &a [x]\nb: [" + "*a, " * MAX_ALIASES + "]", None),
    "the same key in two mappings": ("a: {key: 1}\nb: {key: 2}", {"a": {"key": "1"}, "b": {"key": "2"}}),
    "keys that differ in case": ("a: 1\nA: 2", {"a": "1", "A": "2"}),
    "a standard tag": ("a: !!str 12", {"a": "12"}),
    "a quoted colon": ("title: 'Chat: customers'", {"title": "Chat: customers"}),
    "Windows line ends": ("a: 1\r\nb: 2\r\n", {"a": "1", "b": "2"}),
    "no line end": ("a: 1", {"a": "1"}),
}


@pytest.mark.parametrize("case", NEAR_MISSES)
def test_near_misses_are_read(case: str) -> None:
    text, data = NEAR_MISSES[case]
    loaded = load(text)
    assert loaded.diagnostics == []
    assert len(loaded.documents) == 1
    if data is not None:
        assert loaded.documents[0].data == data


@pytest.mark.parametrize(
    "text", ["on", "off", "yes", "no", "true", "0.10", "1e3", "0x1f", "012", "12:30:45", "2027-03-01"]
)
def test_plain_scalars_stay_the_text_that_was_written(text: str) -> None:
    value = load(f"a: {text}\n").documents[0].data["a"]
    assert value == text
    assert isinstance(value, Plain)


@pytest.mark.parametrize("text", ["'0.10'", '"on"', "'null'", '""', "'~'", "|\n  0.10"])
def test_quoted_scalars_are_told_from_plain_ones(text: str) -> None:
    value = load(f"a: {text}\n").documents[0].data["a"]
    assert type(value) is str


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_plain_nothing_is_nothing(text: str) -> None:
    assert load(f"a: {text}\n").documents[0].data == {"a": None}


def test_a_merge_key_is_a_key_like_any_other() -> None:
    assert load("<<: x\n").documents[0].data == {"<<": "x"}


@pytest.mark.parametrize("text", ["", "\n", "---\n", "# nothing\n", "---\n---\n...\n", "null\n", "~\n"])
def test_empty_files_hold_no_document(text: str) -> None:
    loaded = load(text)
    assert (loaded.documents, loaded.diagnostics) == ([], [])


def test_documents_of_one_file_have_their_numbers_and_places() -> None:
    loaded = load("a: 1\n---\n# empty\n---\na: 2\n---\na: 3\n")
    assert [document.data for document in loaded.documents] == [{"a": "1"}, {"a": "2"}, {"a": "3"}]
    assert [document.index for document in loaded.documents] == [0, 2, 3]
    assert [document.value_span(("a",)).line for document in loaded.documents] == [1, 5, 7]


def test_a_fault_in_one_document_keeps_those_before_it() -> None:
    loaded = load("a: 1\n---\nb: [\n---\nc: 3\n")
    assert [document.data for document in loaded.documents] == [{"a": "1"}]
    assert [d.code for d in loaded.diagnostics] == [Code.SLO101]


def test_duplicate_keys_of_several_documents_are_all_found() -> None:
    loaded = load("a: 1\na: 2\n---\nb: 1\nc:\n  - d: 1\n    d: 2\n")
    assert places(loaded) == [("SLO102", 2, 1), ("SLO102", 7, 5)]
    assert [document.data for document in loaded.documents] == [{"a": "1"}, {"b": "1", "c": [{"d": "1"}]}]


def test_a_list_of_objects_is_a_document_each() -> None:
    loaded = load("- kind: SLO\n- kind: Service\n")
    assert [document.data for document in loaded.documents] == [{"kind": "SLO"}, {"kind": "Service"}]
    assert loaded.documents[1].value_span(("kind",)).line == 2


def test_json_is_read_like_yaml() -> None:
    data = {"kind": "SLO", "spec": {"objectives": [{"target": 0.999}], "service": 'chat "x" é \U0001f600'}}
    loaded = load(json.dumps(data, ensure_ascii=False, indent=1))
    assert loaded.diagnostics == []
    read = loaded.documents[0].data
    assert read["spec"] == {"objectives": [{"target": "0.999"}], "service": 'chat "x" é \U0001f600'}
    assert isinstance(read["spec"]["objectives"][0]["target"], Plain)


def test_a_byte_order_mark_is_passed_over() -> None:
    loaded = load_bytes(b"\xef\xbb\xbfa: 1\n", "spec.yaml")
    assert loaded.documents[0].data == {"a": "1"}
    assert loaded.documents[0].key_span(("a",)).column == 1


def test_places_of_keys_and_values() -> None:
    document = load("a:\n  - {b: 1, c: [x, y]}\n").documents[0]
    key, value = document.key_span(("a", 0, "c")), document.value_span(("a", 0, "c", 1))
    assert (key.line, key.column, key.end_column) == (2, 12, 13)
    assert (value.line, value.column, value.end_column) == (2, 19, 20)


def test_a_place_that_does_not_exist_is_the_nearest_around_it() -> None:
    document = load("a: {b: 1}\n").documents[0]
    assert document.value_span(("a", "missing")) == document.value_span(("a",))
    assert document.value_span(("a", 7)) == document.value_span(("a",))


def test_files_that_cannot_be_read_are_findings(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.yaml"):
        loaded = load_file(str(path))
        assert [d.code for d in loaded.diagnostics] == [Code.SLO601]
        assert loaded.documents == []


def test_a_large_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as handle:
        handle.truncate(50 * MAX_BYTES)
    assert [d.code for d in load_file(str(path)).diagnostics] == [Code.SLO103]


def test_discovery_skips_what_is_hidden_and_takes_given_files(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "c.json", "notes.txt", ".hidden.yaml", ".git/d.yaml", "deep/er/e.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"apiVersion": "slo-compiler/v1"}' if name.endswith(".json") else "")
    (tmp_path / "schema.json").write_text('{"properties": {"apiVersion": {"type": "string"}}}')
    (tmp_path / "package.json").write_text('{"version": "1.2.0"}')
    found, missing = discover([str(tmp_path), str(tmp_path / "notes.txt"), "nowhere"])
    names = [Path(path).relative_to(tmp_path).as_posix() for path in found]
    assert names == ["a.yml", "b.yaml", "c.json", "deep/er/e.yaml", "notes.txt"]
    assert missing == ["nowhere"]


@pytest.mark.parametrize("small", [True, False], ids=["small", "large"])
@pytest.mark.parametrize("listed", [True, False], ids=["a list of objects", "one object"])
def test_the_depth_is_limited_alike_in_files_of_any_size(small: bool, listed: bool) -> None:
    padding = "" if small else "# " + "x" * 10_000 + "\n"
    before, levels = ("- a: ", MAX_DEPTH - 2) if listed else ("a: ", MAX_DEPTH - 1)
    assert load(f"{padding}{before}{nested(levels)}\n").diagnostics == []
    refused = load(f"{padding}{before}{nested(levels + 1)}\n")
    assert [d.message for d in refused.diagnostics] == ["nested deeper than 40 levels"]


@pytest.mark.parametrize("case", REFUSED)
def test_every_refusal_says_how_to_mend_it(case: str) -> None:
    assert all(d.hint for d in load_bytes(REFUSED[case][0], "spec.yaml").diagnostics)


YAML_TOKENS = st.sampled_from(
    [
        *("- ", ": ", "? ", "[", "]", "{", "}", "&a ", "*a", "!!str ", "!x ", "|\n", ">-\n", "'", '"', "#", "@", "`"),
        *("\n", "  ", "\t", "\r", "\0", "\u2028", "\x85", "---\n", "...\n", "%YAML 1.1\n"),
        *("a", "kind", "0.10", "on", "\\x", "<<"),
    ]
)
# libyaml reads \uXXXX escapes one by one, so pairs of surrogates are left out.
JSON_TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=8)


def check_whole(content: bytes) -> None:
    """The promise of `load_bytes`: documents, findings with sane places, and never an exception."""
    loaded = load_bytes(content, "spec.yaml")
    for diagnostic in loaded.diagnostics:
        span = diagnostic.span
        assert span.line >= 1
        assert span.column >= 1
        assert (span.end_line, span.end_column) >= (span.line, span.column)
        assert diagnostic.message
    for document in loaded.documents:
        assert_plain_data(document.data, 0)


def test_a_byte_that_is_no_text_is_found_on_its_line() -> None:
    check_whole(b"a: 1\nb: \xff\n")
    (found,) = load_bytes(b"a: 1\nb: \xff\n", "spec.yaml").diagnostics
    assert found.span == Span("spec.yaml", 2, 1, 2, 1)


def assert_plain_data(data: object, depth: int) -> None:
    assert depth <= MAX_DEPTH
    if isinstance(data, dict):
        for key, value in data.items():
            assert isinstance(key, str)
            assert_plain_data(value, depth + 1)
    elif isinstance(data, list):
        for value in data:
            assert_plain_data(value, depth + 1)
    else:
        assert data is None or isinstance(data, str)


@given(st.binary(max_size=300))
def test_load_never_raises_on_any_bytes(content: bytes) -> None:
    check_whole(content)


@given(st.text(max_size=300))
def test_load_never_raises_on_any_text(text: str) -> None:
    check_whole(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=300)
@given(st.lists(YAML_TOKENS, max_size=40).map("".join))
def test_load_never_raises_on_pieces_of_yaml(text: str) -> None:
    check_whole(text.encode())


@given(st.recursive(JSON_TEXT | st.none(), lambda inner: st.dictionaries(JSON_TEXT, inner) | st.lists(inner)))
def test_json_of_any_data_is_read_back(data: object) -> None:
    loaded = load(json.dumps({"data": data}))
    assert loaded.diagnostics == []
    assert loaded.documents[0].data == {"data": data}


@pytest.mark.parametrize("folder", ["out", "out/", "./out"])
def test_what_a_compilation_wrote_is_read_where_it_is_named(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text('{"schema": "slo-compiler/manifest/v1"}')
    (tmp_path / "out" / "a.yaml").write_text("a: 1")
    assert discover(["."]) == ([], [])
    assert discover([folder]) == (["out/a.yaml"], [])
