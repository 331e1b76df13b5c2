"""A compiled folder, a monitoring repository, and git to look at it and to write into it as other people do."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from click.testing import CliRunner, Result

from slo_compiler.cli import cli

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {{name: {name}}}
spec:
  service: assistant
  model: acme/m
  engine: {{name: vllm, version: "0.11"}}
  selector: {{job: vllm}}
  objectives: [{{sli: ttft, threshold: 250ms, target: {target}}}]
"""


def git(folder: Path, *arguments: str) -> str:
    """What git prints, which must succeed."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def compiled(folder: Path, name: str = "chat", target: str = "95.5%", kinds: str = "rules,catalogue") -> Path:
    """The compiled folder `out` beside `specs`, inside of a folder that is named from here, as people work."""
    (folder / "specs").mkdir(parents=True, exist_ok=True)
    (folder / "specs" / f"{name}.yaml").write_text(SPEC.format(name=name, target=target), encoding="utf-8")
    specs = tuple((path.as_posix(), path.read_bytes()) for path in sorted((folder / "specs").glob("*.yaml")))
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    for path, content in _compiled(folder.as_posix(), specs, kinds).items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content)
    return out


@cache
def _compiled(folder: str, specs: tuple[tuple[str, bytes], ...], kinds: str) -> dict[str, bytes]:
    """What specs are compiled to, once for all tests."""
    del specs  # they are on disk
    only = ["--only", kinds] if kinds else []
    done = CliRunner().invoke(cli, ["compile", f"{folder}/specs", "-o", f"{folder}/out", "-q", *only])
    assert done.exit_code == 0, done.output
    return on_disk(Path(folder, "out"))


def publish(out: Path, repository: Path | str, *flags: str, owner: str = "chat") -> Result:
    """The command, with an owner."""
    return CliRunner().invoke(cli, ["publish", str(out), "--repo", str(repository), "--owner", owner, *flags])


def memory() -> str | None:
    """A folder of a file system in memory, where there is one: git waits for the disk again and again."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def bare(folder: Path, branch: str = "main") -> Path:
    """An empty repository."""
    subprocess.run(["git", "init", "-q", "--bare", f"--initial-branch={branch}", str(folder)], check=True)
    return folder


def edited(repository: Path, work: Path, files: Mapping[str, str | None], branch: str = "main") -> str:
    """The commit of somebody who writes files, or removes those that are None."""
    if not work.exists():
        git(work.parent, "clone", "-q", str(repository), str(work))
        if git(repository, "for-each-ref"):
            git(work, "checkout", "-q", branch)
        else:
            git(work, "checkout", "-q", "-B", branch)
    else:
        git(work, "pull", "-q", "origin", branch)
    for path, text in files.items():
        if text is None:
            git(work, "rm", "-q", "-r", path)
            continue
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_text(text, encoding="utf-8")
        git(work, "add", "--", path)
    return pushed(work, branch)


def pushed(work: Path, branch: str = "main") -> str:
    """The commit of all that is staged, pushed."""
    git(work, "commit", "-q", "--allow-empty", "-m", "By hand")
    git(work, "push", "-q", "origin", f"HEAD:refs/heads/{branch}")
    return git(work, "rev-parse", "HEAD")


def tree(repository: Path, folder: str = "", branch: str = "main") -> dict[str, bytes]:
    """The files of a branch under a folder, by path in it."""
    top = f"{folder}/" if folder else ""
    names = git(repository, "ls-tree", "-r", "--name-only", branch, "--", *([folder] if folder else [])).splitlines()
    return {
        name.removeprefix(top): subprocess.run(
            ["git", "cat-file", "blob", f"{branch}:{name}"], cwd=repository, check=True, capture_output=True
        ).stdout
        for name in names
    }


def on_disk(folder: Path) -> dict[str, bytes]:
    """The files of a folder, by path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
