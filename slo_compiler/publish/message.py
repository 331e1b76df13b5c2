"""What a commit in the monitoring repository says: what changes for whom, and which commit it came from."""

from __future__ import annotations

from collections import Counter

from slo_compiler.diagnostics.limit import count
from slo_compiler.publish.plan import Plan
from slo_compiler.publish.promises import Promises
from slo_compiler.write.plan import Kind

_MOST_LINES = 200


def commit_message(plan: Plan, promises: Promises, words: str | None, compiler: str) -> str:
    """The message: subject, semantic changes, what becomes of files, and where they come from.

    Args:
        words: of the user, in place of the subject.
    """
    told = list(promises.lines[:_MOST_LINES]) or ["No promise changes."]
    if len(promises.lines) > _MOST_LINES:
        told.append(f"... and {len(promises.lines) - _MOST_LINES} more lines, which slo-compiler diff prints")
    what = f"publish {count(promises.changes, 'change')}" if promises.changes else "publish, no promise changes"
    body = "\n".join(told)
    source = (
        f"Files: {describe_files(plan)}\nSource: {plan.record.source.describe()}\nCompiler: slo-compiler {compiler}"
    )
    return f"{(words or f'{plan.record.owner}: {what}').strip()}\n\n{body}\n\n{source}\n"


def describe_files(plan: Plan) -> str:
    """`12 created, 3 replaced, 1 removed`."""
    counted = Counter(change.kind for change in plan.changes)
    words = {Kind.CREATE: "created", Kind.REPLACE: "replaced", Kind.REMOVE: "removed"}
    return ", ".join(f"{counted[kind]:,} {word}" for kind, word in words.items() if counted[kind])


def list_files(plan: Plan) -> list[str]:
    """A line per file: `replace slos/chat/rules/a/b.yaml`."""
    return [f"{change.kind.value} {plan.folder}/{change.path}" for change in plan.changes]
