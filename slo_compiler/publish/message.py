"""What a commit in the monitoring repository says: what changes for whom, and which commit it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from slo_compiler.publish.plan import Plan
from slo_compiler.write.plan import Kind

_MOST_LINES = 200


def commit_message(plan: Plan, changes: Sequence[str], words: str | None, compiler: str) -> str:
    """The message: subject, semantic changes, what becomes of files, and where they come from.

    Args:
        changes: a line per change of a promise.
        words: of the user, in place of the subject.
    """
    subject = words or f"{plan.record.owner}: {_subject(changes)}"
    told = list(changes[:_MOST_LINES])
    if len(changes) > _MOST_LINES:
        told.append(f"... and {len(changes) - _MOST_LINES} more")
    body = "\n".join(told or ["No promise changes."])
    source = (
        f"Files: {describe_files(plan)}\nSource: {plan.record.source.describe()}\nCompiler: slo-compiler {compiler}"
    )
    return f"{subject.strip()}\n\n{body}\n\n{source}\n"


def _subject(changes: Sequence[str]) -> str:
    if not changes:
        return "publish compiled files, no promise changes"
    return f"publish {len(changes)} change{'' if len(changes) == 1 else 's'} of promises"


def describe_files(plan: Plan) -> str:
    """`12 created, 3 replaced, 1 removed`."""
    counted = Counter(change.kind for change in plan.changes)
    words = {Kind.CREATE: "created", Kind.REPLACE: "replaced", Kind.REMOVE: "removed"}
    return ", ".join(f"{counted[kind]:,} {word}" for kind, word in words.items() if counted[kind])


def list_files(plan: Plan) -> list[str]:
    """A line per file: `replace slos/chat/rules/a/b.yaml`."""
    return [f"{change.kind.value} {plan.folder}/{change.path}" for change in plan.changes]
