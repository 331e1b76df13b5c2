"""One publication: read the branch, plan, commit on top, push; and all of it again where another push was faster."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slo_compiler import __version__
from slo_compiler.external.git import GitFailed, Repository
from slo_compiler.publish import record
from slo_compiler.publish.compiled import Compiled
from slo_compiler.publish.identity import Identity, find_identity
from slo_compiler.publish.message import commit_message
from slo_compiler.publish.plan import Plan, Target, plan_publication
from slo_compiler.publish.promises import Promises, changed_promises, is_read
from slo_compiler.publish.record import BrokenRecord, Record, Source, read_record
from slo_compiler.publish.remote import Locked, Raced, Refused, Remote, Tip
from slo_compiler.publish.source import is_older
from slo_compiler.publish.stream import write_stream
from slo_compiler.publish.workspace import workspace

# One push in each round gets through, whoever takes part; a branch that is locked again and again will stay so.
_MOST_ATTEMPTS, _MOST_LOCKED = 40, 5
_LONGEST_WAIT_SECONDS = 10.0
_FILE_MODES = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted.

    Attributes:
        url: of the monitoring repository; a path is absolute.
        path: of the folder of all owners in it; empty for the whole.
        branch: None for the one that the repository shows.
        words: the subject of the commit.
        dry: stop after the plan.
        force: overwrite what others wrote or changed.
    """

    url: str
    path: str
    owner: str
    branch: str | None = None
    words: str | None = None
    dry: bool = False
    force: bool = False


@dataclass(slots=True)
class Outcome:
    """What was done, or with `dry` would be.

    Attributes:
        promises: what changes for whoever relies on them.
        commit: its object id; empty where there was nothing to do, or something stood against it.
        attempts: 1, and one more for each push that another was faster than.
    """

    plan: Plan
    branch: str
    promises: Promises = field(default_factory=Promises)
    commit: str = ""
    attempts: int = 1


class Overtaken(Exception):
    """Other pushes were faster again and again; the message says how often, and what git said last."""


def publish(
    compiled: Compiled, order: Order, source: Source, specs: Repository | None, say: Callable[[str], None]
) -> Outcome:
    """Brings the owner's folder on the branch to what was compiled, in one commit on top of it.

    The repository is at every moment as it was or as it will be: the push of one commit is all that reaches it.

    Args:
        specs: the repository that the specs lie in.
        say: told of each push that another was faster than.

    Raises:
        Changed: the compiled folder did not stay as it was.
        Refused: the server says no.
        Overtaken: others push all the time.
        GitMissing, GitFailed: no git, or it cannot reach the repository.
        OSError: the disk refuses.
    """
    with workspace() as folder:
        (folder / "git").mkdir()
        remote = Remote(order.url, Repository(folder / "git"))
        identity = None if order.dry else find_identity(specs.root if specs is not None else Path.cwd())
        run = _Run(compiled, order, source, specs, remote, folder, identity)
        last, locked = "", 0
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            started = time.monotonic()
            try:
                outcome = run.attempt()
                outcome.attempts = attempt
                return outcome
            except Locked as fault:
                last, locked = str(fault), locked + 1
                if locked == _MOST_LOCKED:
                    raise
            except Raced as fault:
                last = str(fault)
            say(f"another push was faster ({last}); attempt {attempt + 1} follows")
            # Those who lost together would lose together again: each waits for some multiple of what an attempt takes.
            most = (time.monotonic() - started) * 2 ** (attempt - 1)
            time.sleep(random.uniform(0, min(_LONGEST_WAIT_SECONDS, most)))
    raise Overtaken(f"{_MOST_ATTEMPTS} pushes were not fast enough; the last: {last}")


@dataclass(slots=True)
class _Run:
    """What all attempts have in common."""

    compiled: Compiled
    order: Order
    source: Source
    specs: Repository | None
    remote: Remote
    folder: Path
    identity: Identity | None
    ids: Mapping[str, str] = field(default_factory=dict)
    tip: Tip | None = None

    def attempt(self) -> Outcome:
        """Reads the branch, plans, commits and pushes.

        Raises:
            Raced: another push was faster.
        """
        tip = self.tip = self.remote.begin(self.order.branch) if self.tip is None else self.remote.again(self.tip)
        target = _target(self.remote, self.order) if tip.base else Target(self.order.path)
        self.ids = self.ids or self.compiled.blob_ids(tip.algorithm)
        old = target.records.get(self.order.owner)
        plan = plan_publication(
            Record(self.order.owner, self.source, self.compiled.slo_ids, self.ids),
            target,
            force=self.order.force,
            outdated=old is not None and is_older(self.specs, self.source.commit, old.source.commit),
        )
        outcome = Outcome(plan, tip.branch)
        if plan.conflicts or not plan.changes:
            return outcome
        outcome.promises = changed_promises(old, _published(self.remote, target, old), self.compiled, self.folder)
        if self.identity is not None:
            outcome.commit = self._commit(outcome, tip, self.identity)
            _push(self.remote, outcome.commit, tip)
        return outcome

    def _commit(self, outcome: Outcome, tip: Tip, identity: Identity) -> str:
        message = commit_message(outcome.plan, outcome.promises, self.order.words, __version__)
        stream = write_stream(self.folder / "stream", outcome.plan, self.compiled, on_base=bool(tip.base))
        return self.remote.commit(stream, message, identity, on_base=bool(tip.base))


def _push(remote: Remote, commit: str, tip: Tip) -> None:
    """Pushes, and finds out what became of it where the answer was lost."""
    try:
        remote.push(commit, tip)
    except (Refused, GitFailed) as fault:
        now = remote.tip(tip.branch).commit
        if now == commit:
            return
        if now != tip.commit:
            raise Raced(str(fault)) from None
        raise


def _target(remote: Remote, order: Order) -> Target:
    """The commit that was fetched, with the records of all owners."""
    standing = remote.standing()
    top = f"{order.path}/" if order.path else ""
    found = {}
    for name, entry in standing.items():
        owner, slash, file = name.removeprefix(top).partition("/")
        if name.startswith(top) and slash and file == record.NAME and entry.mode in _FILE_MODES:
            found[owner] = (name, entry.id)
    contents = remote.contents(found.values())
    records, broken = dict[str, Record](), dict[str, str]()
    for owner, (name, _) in found.items():
        if owner != order.owner and record.MARK not in contents[name]:
            continue  # somebody else's file of that name
        try:
            known = read_record(contents[name])
            if known.owner != owner:
                raise BrokenRecord(f"it is {known.owner}'s")
            records[owner] = known
        except BrokenRecord as fault:
            broken[owner] = str(fault)
    return Target(order.path, standing, records, broken)


def _published(remote: Remote, target: Target, old: Record | None) -> dict[str, bytes]:
    """Files that tell what is promised now, by their path in the owner's folder; without those that others edited."""
    folder = target.folder(old.owner) if old is not None else ""
    wanted = {path: identity for path, identity in old.files.items() if is_read(path)} if old is not None else {}
    standing = {path: target.standing.get(f"{folder}/{path}") for path in wanted}
    return remote.contents(
        (path, entry.id) for path, entry in standing.items() if entry is not None and entry.id == wanted[path]
    )
