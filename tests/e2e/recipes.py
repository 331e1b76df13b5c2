"""What is in the CI recipes: their shell steps as each service would run them, and the few expressions around these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.installed import REPOSITORY

CI = REPOSITORY / "ci"
# How GitHub starts the shell of a step that names none, and of one that names bash.
GITHUB_SHELLS = {None: ("bash", "-e"), "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail")}


@dataclass(frozen=True, slots=True)
class Step:
    """A script, the shell that gets it as a file, and what the recipe adds to its environment."""

    name: str
    script: str
    shell: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


def load(path: Path) -> dict[str, Any]:
    """A YAML file; YAML 1.1 takes the key `on` for true, which these tests do not look at."""
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def github_job(job: str, context: Mapping[str, str]) -> list[Step] | None:
    """The steps of a job of the workflow that run in a context; None where the job does not.

    Args:
        context: values of expressions, by name.
    """
    workflow = load(CI / "github-workflow.yaml")
    found = workflow["jobs"][job]
    if not _holds(found.get("if"), context):
        return None
    return _github_steps(found["steps"], context, workflow["env"])


def composite_steps(context: Mapping[str, str], **inputs: str) -> list[Step]:
    """The steps of the action that run in a context; inputs that are not given have their defaults."""
    action = load(REPOSITORY / "action.yml")
    given = {f"inputs.{name}": _evaluated(entry["default"], context) for name, entry in action["inputs"].items()}
    given.update({f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()})
    return _github_steps(action["runs"]["steps"], {**context, **given}, {})


def _github_steps(steps: list[dict[str, Any]], context: Mapping[str, str], shared: dict[str, str]) -> list[Step]:
    return [
        Step(
            step["name"],
            step["run"],
            GITHUB_SHELLS[step.get("shell")],
            {**shared, **{name: _evaluated(value, context) for name, value in step.get("env", {}).items()}},
        )
        for step in steps
        if "run" in step and _holds(step.get("if"), context)
    ]


def _evaluated(text: str, context: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda match: context[match[1]], text)


def _holds(condition: str | None, context: Mapping[str, str]) -> bool:
    """Conditions that are equations of names and texts, all of which must hold."""
    if condition is None:
        return True
    sides = [part.split(" == ") for part in condition.split(" && ")]
    values = [[word[1:-1] if word[0] == "'" else context[word] for word in side] for side in sides]
    return all(left == right for left, right in values)


def gitlab_job(job: str, variables: Mapping[str, str]) -> Step | None:
    """A job as the one script that it is for a runner; None where no rule lets it run."""
    pipeline = load(CI / "gitlab-ci.yml")
    found = pipeline[job]
    base = pipeline[found["extends"]]
    if not any(_gitlab_rule(rule["if"], variables) for rule in found["rules"]):
        return None
    lines = [*found.get("before_script", base["before_script"]), *found["script"]]
    own = {**base["variables"], **found.get("variables", {})}
    return Step(job, "\n".join(lines), GITHUB_SHELLS["bash"], own)


def _gitlab_rule(condition: str, variables: Mapping[str, str]) -> bool:
    def value(word: str) -> str:
        return word[1:-1] if word[0] == '"' else variables.get(word.removeprefix("$"), "")

    parts = [part.split(" == ") for part in condition.split(" && ")]
    return all(value(part[0]) == value(part[1]) if len(part) == 2 else bool(value(part[0])) for part in parts)


def jenkins_stages(*, pull_request: bool, branch: str) -> tuple[dict[str, list[Step]], dict[str, str]]:
    """The `sh` steps of each stage that runs, and the environment of the pipeline. No other step is there."""
    text = re.sub(r"(?m)(^|\s)//.*$", "", (CI / "Jenkinsfile").read_text("utf-8"))
    environment = dict(re.findall(r"(?m)^    ([A-Z_]+) = '(.*)'$", text))
    found: dict[str, list[Step]] = {}
    for part in text.split("    stage('")[1:]:
        name, _, body = part.partition("')")
        condition = re.search(r"when \{ (.+) \}", body)
        runs = condition is None or {"changeRequest()": pull_request, f"branch '{branch}'": not pull_request}.get(
            condition[1], False
        )
        assert condition is None or condition[1] in ("changeRequest()", "branch 'main'"), condition
        if runs:
            scripts = re.findall(r"(?m)^ +sh '(.*)'$", body)
            found[name] = [Step(f"{name} {number}", script, ("sh", "-xe")) for number, script in enumerate(scripts)]
    return found, environment


def container_steps() -> list[tuple[str, str]]:
    """The instructions of the container file, each on one line."""
    text = re.sub(r"(?m)^#.*\n", "", (CI / "Containerfile").read_text("utf-8"))
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines) if word]
