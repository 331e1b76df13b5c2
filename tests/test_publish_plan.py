"""What a publication would do, by what stands in the target: every kind of obstacle at every place, and whose a file is."""

from __future__ import annotations

import pytest

from slo_compiler.publish.message import commit_message
from slo_compiler.publish.plan import Change, Plan, Standing, Target, plan_publication
from slo_compiler.publish.promises import Promises
from slo_compiler.publish.record import BrokenRecord, Record, Source, read_record
from slo_compiler.write.plan import Kind

OURS, THEIRS, OLD = "a" * 40, "b" * 40, "c" * 40
FILE = "rules/assistant/chat.yaml"
NOTHING: dict[str, Standing] = {}


def blob(identity: str, mode: str = "100644") -> Standing:
    return Standing(mode, "blob", identity)


LINK, SUBMODULE, FOLDER = (
    blob(THEIRS, "120000"),
    Standing("160000", "commit", THEIRS),
    Standing("040000", "tree", THEIRS),
)


def record(
    files: dict[str, str], owner: str = "chat", slos: tuple[str, ...] = ("a/ttft",), repository: str = ""
) -> Record:
    return Record(owner, Source(repository), frozenset(slos), files)


def plan(
    new: Record, standing: dict[str, Standing], *records: Record, force: bool = False, outdated: bool = False
) -> Plan:
    known = {item.owner: item for item in records}
    return plan_publication(new, Target("slos", standing, known), force=force, outdated=outdated)


def told(found: Plan) -> list[str]:
    return [f"{diagnostic.span.path}: {diagnostic.message}" for diagnostic in found.conflicts]


@pytest.mark.parametrize("force", [False, True], ids=["without force", "with force"])
@pytest.mark.parametrize(
    "at",
    [
        "slos",
        "slos/chat",
        "slos/chat/rules",
        "slos/chat/rules/assistant",
        f"slos/chat/{FILE}",
        "slos/chat/published.json",
    ],
)
@pytest.mark.parametrize(
    ("obstacle", "what"), [(LINK, "a symbolic link"), (SUBMODULE, "a submodule")], ids=["link", "module"]
)
def test_nothing_goes_through_a_link_or_a_submodule(at: str, obstacle: Standing, what: str, force: bool) -> None:
    found = plan(record({FILE: OURS, "rules/assistant/b.yaml": OURS}), {at: obstacle}, force=force)
    assert len(found.conflicts) == 1
    assert told(found)[0].startswith(f"{at}: {what} stands in ")


@pytest.mark.parametrize("force", [False, True], ids=["without force", "with force"])
@pytest.mark.parametrize("gone", [False, True], ids=["that stays", "that would be removed"])
def test_a_link_in_place_of_a_published_file(gone: bool, force: bool) -> None:
    new = record({"rules/b.yaml": OURS} if gone else {FILE: OURS})
    found = plan(new, {f"slos/chat/{FILE}": LINK}, record({FILE: OLD}), force=force)
    assert f"slos/chat/{FILE}: a symbolic link stands in its place" in told(found)
    assert all(change.path != FILE for change in found.changes)


@pytest.mark.parametrize(
    ("standing", "at", "what"),
    [
        ({"slos/chat": blob(THEIRS)}, "slos/chat", "a file stands in place of a folder"),
        ({f"slos/chat/{FILE}": FOLDER}, f"slos/chat/{FILE}", "a folder stands in its place"),
    ],
)
def test_what_holds_other_files_is_never_replaced(standing: dict[str, Standing], at: str, what: str) -> None:
    assert told(plan(record({FILE: OURS}), standing, force=True))[0].startswith(f"{at}: {what}")


WHERE = f"slos/chat/{FILE}"


@pytest.mark.parametrize(
    ("standing", "published", "new", "kind", "reason"),
    [
        (None, None, OURS, Kind.CREATE, ""),
        (None, OLD, OURS, Kind.CREATE, "it was removed since it was published"),
        (None, OLD, None, None, ""),
        (blob(OURS), None, OURS, None, ""),
        (blob(OURS), OLD, OURS, None, ""),
        (blob(OLD), OLD, OURS, Kind.REPLACE, ""),
        (blob(OLD), OLD, None, Kind.REMOVE, ""),
        (blob(OURS, "100755"), OURS, OURS, Kind.REPLACE, ""),
        (blob(THEIRS), OLD, OURS, Kind.REPLACE, "it was changed since it was published"),
        (blob(THEIRS), OLD, None, Kind.REMOVE, "it was changed since it was published"),
        (blob(THEIRS), OURS, OURS, Kind.REPLACE, "it was changed since it was published"),
        (blob(THEIRS), None, OURS, Kind.REPLACE, "a file that chat did not publish stands in its place"),
    ],
    ids=[
        "new", "removed by others", "removed by both", "the same by chance", "changed alike by others", "changed",
        "no longer compiled", "made executable by others", "changed by others", "no longer compiled and changed by others",
        "unchanged and changed by others", "foreign",
    ],
)  # fmt: skip
def test_whose_a_file_is(
    standing: Standing | None, published: str | None, new: str | None, kind: Kind | None, reason: str
) -> None:
    there = {} if standing is None else {WHERE: standing}
    old = record({FILE: published} if published is not None else {})
    wanted = record({FILE: new} if new is not None else {})
    found = plan(wanted, there, old)
    assert [change for change in found.changes if change.path == FILE] == ([Change(kind, FILE)] if kind else [])
    assert told(found) == ([f"{WHERE}: {reason}"] if reason else [])
    forced = plan(wanted, there, old, force=True)
    assert (forced.changes, forced.conflicts) == (found.changes, [])


def test_a_record_that_says_less_than_is_there_is_written_again() -> None:
    there = {WHERE: blob(OURS), "slos/chat/published.json": blob(OLD)}
    assert plan(record({FILE: OURS}), there, record({FILE: OURS})).changes == []
    assert plan(record({FILE: OURS}, slos=("a/itl",)), there, record({FILE: OURS})).changes == [
        Change(Kind.REPLACE, "published.json")
    ]


def test_an_older_commit_matters_where_something_would_change() -> None:
    there = {WHERE: blob(OURS)}
    assert plan(record({FILE: OURS}), there, record({FILE: OURS}), outdated=True).conflicts == []
    assert len(plan(record({FILE: OLD}), there, record({FILE: OURS}), outdated=True).conflicts) == 1
    assert plan(record({FILE: OLD}), there, record({FILE: OURS}), outdated=True, force=True).conflicts == []


def test_a_message_is_cut_where_nobody_reads_on() -> None:
    found = plan(record({FILE: OURS, "rules/b.yaml": OURS}), {f"slos/chat/{FILE}": blob(OLD)}, record({FILE: OLD}))
    lines = commit_message(
        found, Promises(700, tuple(f"line {number}" for number in range(702))), None, "1.2.3"
    ).splitlines()
    assert lines[0] == "chat: publish 700 changes"
    assert lines[-6:] == [
        "line 199",
        "... and 502 more lines, which slo-compiler diff prints",
        "",
        "Files: 1 created, 2 replaced",
        "Source: unknown",
        "Compiler: slo-compiler 1.2.3",
    ]
    assert commit_message(found, Promises(), None, "1.2.3").splitlines()[:3] == [
        "chat: publish, no promise changes",
        "",
        "No promise changes.",
    ]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://git.example.com/a/b.git", "git@git.example.com:a/b", True),
        ("ssh://git@git.example.com:2222/a/b.git/", "https://***@GIT.example.com/a/b", True),
        ("/srv/a.git", "file:///srv/a", True),
        ("https://git.example.com/a/b", "https://git.example.com/a/c", False),
        ("https://git.example.com/a/b", "https://other.example.com/a/b", False),
        ("", "https://git.example.com/a/b", True),
    ],
)
def test_one_repository_has_many_addresses(one: str, other: str, same: bool) -> None:
    found = plan(record({FILE: OURS}, repository=one), NOTHING, record({}, repository=other))
    assert (told(found) == []) is same


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "it is damaged"),
        (b"[]", "it is damaged"),
        (b'{"schema": "slo-compiler/published/v1"}', "it is damaged ('source')"),
        (b'{"schema": "slo-compiler/published/v2"}', "its schema is 'slo-compiler/published/v2'"),
        (record({"../../a": OURS}).to_text().encode(), "it lists '../../a', which no file is called"),
        (record({".git/config": OURS}).to_text().encode(), "it lists '.git/config', which no file is called"),
    ],
)
def test_a_broken_record_says_why(text: bytes, reason: str) -> None:
    with pytest.raises(BrokenRecord) as fault:
        read_record(text)
    assert reason in str(fault.value)


def test_a_record_is_read_as_it_was_written() -> None:
    written = Record("chat", Source("https://git.example.com/a", OLD, True), frozenset(("a/b", "a/é")), {FILE: OURS})
    assert read_record(written.to_text().encode()) == written
