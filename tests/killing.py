"""Kills `publish` at every call that matters, and looks at what is left: `python -m tests.killing` says what came of it."""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from tests.publishing import bare, compiled, edited, git, memory, on_disk, publish, tree
from tests.tracing import Call, Trace, Victims, trace


def main() -> None:
    """Kills in a folder of its own, and prints the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="kill at each Nth call only")
    every = parser.parse_args().every
    for role in ("AUTHOR", "COMMITTER"):
        os.environ |= {f"GIT_{role}_NAME": "A Tester", f"GIT_{role}_EMAIL": "tester@example.com"}
    with tempfile.TemporaryDirectory(dir=memory()) as folder, contextlib.chdir(folder):
        print(json.dumps(Killing().run(every), indent=2))


class Killing:
    """A repository as it was, what is to be published into it, and what became of it so far."""

    def __init__(self) -> None:
        self.pristine = bare(Path("pristine.git").absolute())
        self.target = Path("monitoring.git").absolute()
        edited(self.pristine, Path("work").absolute(), {"README.md": "Ours.\n", "rules/node.yaml": "groups: []\n"})
        assert publish(compiled(Path()), self.pristine).exit_code == 0
        self.old = git(self.pristine, "rev-parse", "main")
        self.before = tree(self.pristine)
        Path("specs/chat.yaml").unlink()
        self.out = compiled(Path(), "voice", "97.5%")
        self.new = {f"chat/{path}": text for path, text in on_disk(self.out).items()}
        self.results: Counter[str] = Counter()
        assert publish(self.out, self.pristine, "--dry-run").exit_code == 0  # imports all that is needed
        gc.freeze()

    def run(self, every: int) -> dict[str, object]:
        """Kills at each `every`-th call, each kind of victims in turn, and at each call by all kinds where it is 1.

        Raises:
            AssertionError: the repository is neither as it was nor as it was to be, or the next run does not mend it.
        """
        calls = self._published().calls
        assert self._state() == "new"
        points = range(1, len(calls) + 1, every)
        kinds = list(Victims)
        for turn, point in enumerate(points):
            for victims in kinds if every == 1 else [kinds[turn % len(kinds)]]:
                self._kill(point, victims)
        return {
            "calls": dict(sorted(Counter(map(_described, calls)).items())),
            "points": len(points),
            "results": dict(sorted(self.results.items())),
        }

    def _published(self, kill_at: int = 0, victims: Victims = Victims.CLIENT) -> Trace:
        shutil.rmtree(self.target, ignore_errors=True)
        shutil.copytree(self.pristine, self.target)
        shutil.rmtree("tmp", ignore_errors=True)
        Path("tmp").mkdir()
        tempfile.tempdir = str(Path("tmp").absolute())
        return trace(lambda: publish(self.out, self.target).exit_code, kill_at, victims)

    def _kill(self, point: int, victims: Victims) -> None:
        found = self._published(point, victims)
        where = f"{victims.name} at {point}: {found.calls[-1]}"
        assert found.killed or found.exit_code == 0, f"{where}: {found.exit_code}"
        if not found.killed:  # one call fewer than the last time
            self.results[f"{victims.name}: not reached"] += 1
            return
        state = self._state()
        assert state in ("old", "new"), f"{where}: {state}"
        self.results[f"{victims.name}: {state}"] += 1
        locks = list(self.target.rglob("*.lock"))
        again = publish(self.out, self.target)
        if again.exit_code != 0 and victims is Victims.ALL and locks:
            # A server that dies while it holds a lock leaves it to its administrator, as git says.
            assert again.exit_code == 3 and "lock" in again.stderr, f"{where}: {again.output}"
            self.results["ALL: a lock of the server stays"] += 1
            for lock in locks:
                lock.unlink()
            again = publish(self.out, self.target)
        assert again.exit_code == 0, f"{where}: {again.output}"
        assert self._state() == "new", where
        assert not list(Path("tmp").iterdir()), f"{where}: a folder is left behind"

    def _state(self) -> str:
        """`old`, `new`, or what else the repository is."""
        git(self.target, "fsck", "--connectivity-only", "--no-dangling")
        found = tree(self.target)
        if git(self.target, "rev-parse", "main") == self.old:
            return "old" if found == self.before else f"other files: {sorted(found)}"
        if git(self.target, "rev-list", "--parents", "-1", "main").split()[1:] != [self.old]:
            return "another history"
        record = {"chat/published.json": found["chat/published.json"]}
        others = {path: text for path, text in self.before.items() if not path.startswith("chat/")}
        return "new" if found == {**others, **self.new, **record} else f"other files: {sorted(found)}"


def _described(call: Call) -> str:
    return f"{call.name} by {call.program}"


if __name__ == "__main__":
    main()
