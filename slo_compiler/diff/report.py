"""A difference as lines for people, as Markdown for a pull request, and as JSON."""

from __future__ import annotations

import itertools
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from slo_compiler.diagnostics.limit import count
from slo_compiler.diagnostics.report_json import json_text
from slo_compiler.diff.change import Budget, Change, Difference, Direction, Kind
from slo_compiler.plain_text import ASIDE, GAP, HEADING, NARROWEST, escape_markdown, painted, visible

SCHEMA = "slo-compiler/diff/v1"
# By which CI finds the comment that it wrote before.
MARKER = "<!-- slo-compiler diff -->"
_COLOURS = {Direction.TIGHTER: "36", Direction.LOOSER: "1;33", Direction.NEUTRAL: ASIDE}
# Hosts refuse comments of over 65,536 characters.
_MOST_MARKDOWN = 60_000
_MOST_NAMES = 3


class _Row(NamedTuple):
    """A change as it is shown: once where several SLOs of a spec change alike."""

    change: Change
    slos: tuple[str, ...]

    @property
    def subject(self) -> str:
        return self.change.subject if len(self.slos) == 1 else f"{self.change.service}/{self.change.spec}"

    @property
    def suffix(self) -> str:
        """`(in 4 SLOs)`, or which where these are few."""
        if len(self.slos) == 1:
            return ""
        names = f": {', '.join(self.slos)}" if len(self.slos) <= _MOST_NAMES else ""
        return f" (in {len(self.slos)} SLOs{names})"


def _rows(changes: Sequence[Change]) -> list[_Row]:
    """Changes of the same words in one spec as one, those of a whole spec first."""
    alike: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        alike.setdefault((change.service, change.spec, change.path, *_likeness(change)), []).append(change)
    rows = [
        _Row(found[0] if len(found) == 1 else _of_all(found[0]), tuple(change.slo for change in found))
        for found in alike.values()
    ]
    return sorted(rows, key=lambda row: (row.change.service, row.change.spec, row.subject))


def _likeness(change: Change) -> tuple[object, ...]:
    """What changes have in common that are told once: an SLO that comes or goes is told by itself."""
    if change.field == "SLO":
        return (change.slo_id,)
    if change.kind is Kind.RENAMED:
        return change.kind, change.note, change.paste
    return change.kind, change.text


def _of_all(change: Change) -> Change:
    """A change of one SLO as that of several; the rename of a spec by the spec's own names."""
    if change.kind is not Kind.RENAMED:
        return change
    end = change.now.removeprefix(f"{change.service}/{change.spec}")
    return replace(change, was=change.was.removesuffix(end), now=change.now.removesuffix(end))


def to_text(found: Difference, width: int = NARROWEST, *, colour: bool = False) -> str:
    """Changes under the SLO or spec that they are of, and a summary.

    Args:
        width: of the terminal in columns; under 80 it is taken as 80.
    """
    width = max(width, NARROWEST)
    lines: list[str] = []
    rows = _rows(found.changes)
    for subject, group in itertools.groupby(rows, key=lambda row: row.subject):
        shown = list(group)
        lines.append(painted(visible(f"{subject} ({shown[0].change.path})"), HEADING if colour else ""))
        for row in shown:
            shade = _COLOURS[row.change.direction] if colour else ""
            wrapped = textwrap.wrap(
                visible(row.change.without_paste(row.suffix)),
                width,
                initial_indent=GAP,
                subsequent_indent=GAP * 3,
                break_long_words=False,
                break_on_hyphens=False,
            )
            pasted = [f"{GAP * 3}{visible(row.change.paste)}"] if row.change.paste else []
            lines += [painted(line, shade) for line in (*wrapped, *pasted)]
        lines.append("")
    return "\n".join([*lines, *(visible(line) for line in _summary(found, rows))])


def render_text(changes: Sequence[Change]) -> str:
    """Changes as plain lines, such as for the message of a commit."""
    return to_text(Difference(tuple(changes)))


def to_markdown(found: Difference) -> str:
    """A comment for a pull request: what users notice as a table, the rest folded away."""
    rows = _rows(found.changes)
    summary = [escape_markdown(line) for line in _summary(found, rows)]
    parts = [MARKER, f"### SLOs: {summary[0]}", *summary[1:]]
    loud = [row for row in rows if _is_loud(row.change)]
    quiet = [row for row in rows if not _is_loud(row.change)]
    table, room = _table(loud, _MOST_MARKDOWN)
    if loud:
        parts.append(table)
    if quiet:
        parts.append(f"<details><summary>{count(len(quiet), 'change')} neither tighter nor looser</summary>")
        parts += [_table(quiet, room)[0], "</details>"]
    return "\n\n".join(parts)


def _is_loud(change: Change) -> bool:
    """Whether a reviewer must see it: a promise moves, other events are counted, or a history ends."""
    return change.direction is not Direction.NEUTRAL or change.kind is Kind.RENAMED or change.effect is not None


def _table(rows: Sequence[_Row], room: int) -> tuple[str, int]:
    """As many rows as there is room for, and how much room is left."""
    lines = ["| SLO | change | | what it means |", "| --- | --- | --- | --- |"]
    for number, row in enumerate(rows):
        change = row.change
        direction = f"**{change.direction.value}**" if change.direction is not Direction.NEUTRAL else ""
        cells = [escape_markdown(visible(text)) for text in (row.subject, change.headline + row.suffix)]
        meaning = escape_markdown(visible(change.meaning))
        meaning += f" `{visible(change.paste).replace('`', '')}`" if change.paste else ""
        line = f"| {' | '.join(cells)} | {direction} | {meaning} |"
        room -= len(line)
        if room < 0:
            left = count(len(rows) - number, "more change")
            return "\n".join([*lines, "", f"... and {left}, which slo-compiler diff prints."]), 0
        lines.append(line)
    return "\n".join(lines), room


def to_json(found: Difference) -> str:
    """All changes as one JSON document."""
    document = {
        "schema": SCHEMA,
        "summary": {
            **{direction.value: number for direction, number in _counts(found.changes).items()},
            "notCompared": list(found.not_compared),
            "filesDiffer": found.files_differ,
        },
        "changes": [_change_json(change) for change in found.changes],
    }
    return json_text(document)


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "service": change.service,
        "spec": change.spec,
        "slo": change.slo or None,
        "sloId": change.slo_id or None,
        "path": change.path,
        "field": change.field,
        "old": change.old,
        "new": change.new,
        "direction": change.direction.value,
        "cause": change.causes[0].value,
        "causes": [cause.value for cause in change.causes],
        "budget": _budget_json(change.budget),
        "effect": change.effect.value if change.effect is not None else None,
        "paste": change.paste or None,
        "text": change.text,
    }


def _budget_json(budget: Budget | None) -> dict[str, float | None] | None:
    return None if budget is None else {"oldMinutes": _minutes(budget.old), "newMinutes": _minutes(budget.new)}


def _minutes(amount: Fraction | None) -> float | None:
    return None if amount is None else round(float(amount), 6)


REPORTERS: dict[str, Callable[[Difference], str]] = {"text": to_text, "json": to_json, "markdown": to_markdown}


def _counts(changes: Sequence[Change]) -> dict[Direction, int]:
    found = Counter(change.direction for change in changes)
    return {direction: found[direction] for direction in Direction}


def _summary(found: Difference, rows: Sequence[_Row]) -> list[str]:
    """What changes for users, in a line; what else is to be said, in lines of their own."""
    counts = _counts([row.change for row in rows])
    loud = [f"{counts[way]} {way.value}" for way in (Direction.TIGHTER, Direction.LOOSER) if counts[way]]
    if not found.changes:
        lines = ["no change for users"]
    elif not loud:
        lines = [f"{count(len(rows), 'change')}, none tighter or looser"]
    else:
        lines = [f"{count(len(rows), 'change')}: {', '.join(loud)}"]
    if found.files_differ and not found.changes:
        old, new = found.compilers
        why = f"the compiler went from {old} to {new}" if old != new else "what they were made by or of changed"
        lines.append(f"{count(found.files_differ, 'file')} of the output differ all the same: {why}")
    if found.not_compared:
        lines.append(f"not compared, as the old ones do not compile: {', '.join(found.not_compared)}")
    return lines
