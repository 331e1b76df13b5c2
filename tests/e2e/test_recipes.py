"""The CI recipes as people copy them: every shell step runs as it is written, in a repository as the service checks it out.

Stand-ins are the service's own comments (a server on this machine, at the address that the recipe reads from its
environment), apt-get and sudo, and an index: pip finds the wheel of this tree, and dependencies as wheels of the environment
that runs the tests. Not covered: actions of others, Jenkins's steps other than `sh`, ssh, and images of containers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from slo_compiler import __version__
from tests.e2e import recipes
from tests.e2e.chat import CHAT
from tests.e2e.comments import Call, Comments, conversation
from tests.e2e.installed import REPOSITORY
from tests.e2e.recipes import CI, Step

pytestmark = pytest.mark.e2e
MARKER = "<!-- slo-compiler diff -->\n"
# Installs nothing and says what it was asked for.
RECORDER = '#!/bin/sh\necho "$(basename "$0") $*" >> "$RECORDED"\n'
PASSING_ON = '#!/bin/sh\nexec "$@"\n'


class Failed(Exception):
    """A step did not end with 0."""

    def __init__(self, step: Step, output: str) -> None:
        super().__init__(f"{step.name}\n{output}")
        self.step = step.name
        self.output = output


class Checkout:
    """A repository as a runner has it: a clone of `origin` at the merge of a change, and a monitoring repository beside."""

    def __init__(self, root: Path, python: Path, pip: Mapping[str, str]) -> None:
        self.root, self.folder = root, root / "slos"
        stubs = root / "stubs"
        for name, text in (("apt-get", RECORDER), ("sudo", PASSING_ON)):
            stubs.mkdir(exist_ok=True)
            (stubs / name).write_text(text, encoding="utf-8")
            (stubs / name).chmod(0o755)
        (root / "tmp").mkdir()
        (root / "home").mkdir()
        path = os.pathsep.join(map(str, (python / "bin", stubs, "/usr/local/bin", "/usr/bin", "/bin")))
        self.base = {
            "PATH": path,
            "HOME": str(root / "home"),
            "TMPDIR": str(root / "tmp"),
            "LANG": "C.UTF-8",
            "CI": "true",
            "RECORDED": str(root / "recorded"),
            **pip,
        }

    @property
    def recorded(self) -> str:
        """What was asked of the system's packages."""
        file = self.root / "recorded"
        return file.read_text("utf-8") if file.exists() else ""

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def compile(self) -> None:
        """Brings the outputs up to date, as a person does."""
        subprocess.run([sys.executable, "-m", "slo_compiler", "compile", "-q"], cwd=self.folder, check=True)

    def change(self, old: str, new: str, *, compiled: bool = True) -> None:
        """A change of the spec on a branch, and its merge checked out, as for a pull request."""
        self.git("checkout", "-q", "-B", "change", "origin/main")
        spec = self.folder / "specs" / "chat.yaml"
        assert old in spec.read_text("utf-8")
        spec.write_text(spec.read_text("utf-8").replace(old, new), encoding="utf-8")
        if compiled:
            self.compile()
        self.git("commit", "-qam", "a change")
        self.git("checkout", "-q", "--detach", "origin/main")
        self.git("merge", "-q", "--no-ff", "-m", "merge", "change")

    def run(self, steps: Sequence[Step], environment: Mapping[str, str]) -> str:
        """What the steps print, each by a shell of its own.

        Raises:
            Failed: one did not end with 0; those after it were not run.
        """
        output = ""
        for step in steps:
            script = self.root / "tmp" / "step.sh"
            script.write_text(step.script, encoding="utf-8")
            done = subprocess.run(
                [*step.shell, str(script)],
                cwd=self.folder,
                env={**self.base, **environment, **step.environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            output += done.stdout + done.stderr
            if done.returncode:
                raise Failed(step, output)
        return output

    def published(self) -> set[str]:
        """The files of the monitoring repository."""
        listed = subprocess.run(
            ["git", "ls-tree", "-r", "--name-only", "main"],
            cwd=self.root / "monitoring.git",
            capture_output=True,
            text=True,
            check=True,
        )
        return set(listed.stdout.splitlines())


@pytest.fixture(scope="module")
def pip(wheel: Path, wheelhouse: Path) -> dict[str, str]:
    """What makes pip find all without a network."""
    links = f"{wheel.parent} {wheelhouse}"
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": links,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_NO_COMPILE": "1",  # Python compiles the few modules that are used
    }


@pytest.fixture(scope="module")
def python(pip: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python as a runner's: it has pip, and here the dependencies already, since they are the same each time."""
    root = tmp_path_factory.mktemp("python")
    venv.create(root, with_pip=True, symlinks=True)
    names = [re.split(r"[><=; ]", line)[0] for line in _dependencies()]
    install = [str(root / "bin" / "pip"), "install", "-q", *names]
    subprocess.run(install, env={**os.environ, **pip}, check=True)
    return root


def _dependencies() -> list[str]:
    from importlib import metadata

    return [line for line in metadata.requires("slo-compiler") or () if "extra ==" not in line]


@pytest.fixture
def without_compiler(python: Path) -> None:
    """Sees to it that a recipe really installs it; where an earlier one did, pip finds nothing to do."""
    uninstall = [str(python / "bin" / "pip"), "uninstall", "-qy", "slo-compiler"]
    subprocess.run(uninstall, check=True, capture_output=True)
    assert not (python / "bin" / "slo-compiler").exists()


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two bare repositories: of specs and their outputs, and for monitoring."""
    root = tmp_path_factory.mktemp("servers")
    who = ["-c", "user.name=A Tester", "-c", "user.email=tester@example.com"]
    work = root / "work"
    (work / "specs").mkdir(parents=True)
    (work / "specs" / "chat.yaml").write_text(CHAT, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "slo_compiler", "compile", "-q"], cwd=work, check=True)
    shutil.copytree(CI, work / "ci")
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        [*who, "commit", "-qm", "SLOs"],
        ["clone", "-q", "--bare", ".", "../slos.git"],
        ["init", "-q", "--bare", "-b", "main", "../monitoring.git"],
        [*who, "commit", "-q", "--allow-empty", "-m", "empty"],
        ["push", "-q", "../monitoring.git", "main"],
    ):
        subprocess.run(["git", *command], cwd=work, check=True)
    return root


@pytest.fixture
def checkout(python: Path, pip: dict[str, str], origin: Path, tmp_path: Path) -> Checkout:
    for name in ("slos.git", "monitoring.git"):
        shutil.copytree(origin / name, tmp_path / name)
    subprocess.run(["git", "clone", "-q", "slos.git", "slos"], cwd=tmp_path, check=True)
    return Checkout(tmp_path, python, pip)


PULL = {
    "github.event_name": "pull_request",
    "github.repository": "acme/slos",
    "github.event.pull_request.head.repo.full_name": "acme/slos",
    "github.token": "secret-token",
}
ON_GITHUB = ("/repos/acme/slos/issues/7/comments", ("Authorization", "Bearer secret-token"))


def github(checkout: Checkout, api: str, *, event: str = "pull_request") -> dict[str, str]:
    """The variables that GitHub sets."""
    (checkout.root / "temp").mkdir(exist_ok=True)
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": api,
        "GITHUB_REPOSITORY": "acme/slos",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REF": "refs/pull/7/merge" if event == "pull_request" else "refs/heads/main",
        "GITHUB_BASE_REF": "main" if event == "pull_request" else "",
        "GITHUB_STEP_SUMMARY": str(checkout.root / "summary.md"),
        "GITHUB_ACTION_PATH": str(REPOSITORY),
        "RUNNER_TEMP": str(checkout.root / "temp"),
    }


@pytest.fixture
def on_github() -> Iterator[tuple[str, Comments]]:
    with conversation(*ON_GITHUB) as found:
        yield found


class TestGitHub:
    @pytest.mark.usefixtures("without_compiler")
    def test_a_good_change_passes_and_is_commented_once(
        self, checkout: Checkout, on_github: tuple[str, Comments]
    ) -> None:
        api, comments = on_github
        checkout.change("target: 95%", "target: 97%")
        steps = recipes.github_job("check", PULL)
        assert steps is not None
        output = checkout.run(steps, github(checkout, api))
        assert "1 rule file" in output and "all hold" in output
        assert "apt-get install -yq --no-install-recommends prometheus" in checkout.recorded
        (comment,) = comments.ours
        assert comment.startswith(MARKER) and "97%" in comment
        assert (checkout.root / "summary.md").read_text("utf-8") == comment
        checkout.change("target: 95%", "target: 98%")
        checkout.run(steps[-2:], github(checkout, api))
        (comment,) = comments.ours
        assert "98%" in comment and "97%" not in comment
        assert [call.method for call in comments.calls] == ["POST", "PATCH"]

    def test_a_change_of_a_fork_is_not_commented(self) -> None:
        context = {**PULL, "github.event.pull_request.head.repo.full_name": "somebody/slos"}
        steps, all_steps = recipes.github_job("check", context), recipes.github_job("check", PULL)
        assert steps is not None and all_steps is not None
        assert [step.name for step in steps] == [step.name for step in all_steps if step.name != "Comment it"]

    @pytest.mark.parametrize(
        ("old", "new", "compiled", "step", "told"),
        [
            (
                "sli: itl",
                "sli: itll",
                False,
                "Specs are valid",
                "::error file=specs/chat.yaml,line=11,",
            ),
            (
                "target: 95%",
                "target: 97%",
                False,
                "out/ is what the specs give",
                "replace rules/desk/chat.yaml",
            ),
        ],
        ids=["a broken spec", "outputs that nobody compiled"],
    )
    def test_what_is_wrong_fails_where_it_is_judged(
        self, checkout: Checkout, old: str, new: str, compiled: bool, step: str, told: str
    ) -> None:
        checkout.change(old, new, compiled=compiled)
        steps = recipes.github_job("check", PULL)
        assert steps is not None
        with pytest.raises(Failed) as failed:
            checkout.run(steps, github(checkout, "http://127.0.0.1:9"))
        assert failed.value.step == step
        assert told in failed.value.output

    @pytest.mark.parametrize(("new", "results"), [("sli: itl", 0), ("sli: itll", 1)], ids=["sound", "broken"])
    def test_findings_are_there_to_be_uploaded(self, checkout: Checkout, new: str, results: int) -> None:
        if results:
            checkout.change("sli: itl", new, compiled=False)
        steps = recipes.github_job("scan", PULL)
        assert steps is not None
        checkout.run(steps, github(checkout, "http://127.0.0.1:9"))
        found = json.loads((checkout.folder / "slo.sarif").read_text("utf-8"))
        assert found["version"] == "2.1.0"
        assert sum(result["level"] == "error" for result in found["runs"][0]["results"]) == results

    def test_what_is_merged_is_published(self, checkout: Checkout) -> None:
        context = {
            **PULL,
            "github.event_name": "push",
            "vars.MONITORING_REPOSITORY": str(checkout.root / "monitoring.git"),
            "vars.MONITORING_HOST_KEY": "git.example.com ssh-ed25519 AAAA",
            "secrets.MONITORING_DEPLOY_KEY": "a key\nof two lines",
            "vars.SLO_OWNER": "chat",
        }
        steps = recipes.github_job("publish", context)
        assert steps is not None
        checkout.run(steps, github(checkout, "http://127.0.0.1:9", event="push"))
        assert "slos/chat/rules/desk/chat.yaml" in checkout.published()
        key = checkout.root / "temp" / "key"
        assert (key.read_text("utf-8"), key.stat().st_mode & 0o777) == ("a key\nof two lines\n", 0o600)
        assert recipes.github_job("publish", PULL) is None


class TestAction:
    @pytest.mark.usefixtures("without_compiler")
    def test_a_good_change_passes_and_is_commented(self, checkout: Checkout, on_github: tuple[str, Comments]) -> None:
        """Installs the compiler of the tree that holds the action."""
        api, comments = on_github
        checkout.change("target: 95%", "target: 97%")
        checkout.run(recipes.composite_steps(PULL), github(checkout, api))
        (comment,) = comments.ours
        assert comment.startswith(MARKER) and "97%" in comment
        assert checkout.recorded == "", "promtool is there already"

    def test_inputs_are_heeded(self, checkout: Checkout) -> None:
        install, _, *rest = recipes.composite_steps(PULL, warnings_as_errors="true", comment="false")
        assert install.script == 'pip install "$GITHUB_ACTION_PATH"'
        assert rest[-1].name == "What changes for users"
        simple = Step("install", f"pip install slo-compiler=={__version__}", ("sh",))
        with pytest.raises(Failed) as failed:  # no availability objective is a warning
            checkout.run([simple, *rest], github(checkout, "http://127.0.0.1:9"))
        assert failed.value.step == "Specs are valid"
        assert "::warning file=specs/chat.yaml" in failed.value.output
        moved = recipes.composite_steps(PULL, out="elsewhere", comment="false")
        with pytest.raises(Failed) as failed:
            checkout.run(moved[3:], github(checkout, "http://127.0.0.1:9"))
        assert "elsewhere is not up to date" in failed.value.output


class TestGitLab:
    def variables(self, checkout: Checkout, api: str = "") -> dict[str, str]:
        """Those that GitLab sets for a merge request, and those that its users are asked for."""
        return {
            "GITLAB_CI": "true",
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_DEFAULT_BRANCH": "main",
            "CI_API_V4_URL": api,
            "CI_PROJECT_ID": "17",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": checkout.git("rev-parse", "origin/main"),
            "GITLAB_TOKEN": "secret-token",
        }

    def run(self, checkout: Checkout, job: str, variables: Mapping[str, str]) -> str:
        step = recipes.gitlab_job(job, variables)
        assert step is not None
        return checkout.run([step], variables)

    def test_a_good_change_passes_and_is_noted_once(self, checkout: Checkout) -> None:
        path = "/projects/17/merge_requests/7/notes"
        with conversation(path, ("PRIVATE-TOKEN", "secret-token")) as (api, comments):
            variables = self.variables(checkout, api)
            checkout.change("target: 95%", "target: 97%")
            assert "all hold" in self.run(checkout, "slo-check", variables)
            for _ in range(2):
                self.run(checkout, "slo-diff", variables)
            (comment,) = comments.ours
            assert comment.startswith(MARKER) and "97%" in comment
            assert comments.calls == [Call("POST", path), Call("PUT", f"{path}/150")]
        assert (checkout.folder / "gl-code-quality.json").read_text("utf-8").startswith("[")
        assert "prometheus" in checkout.recorded

    def test_a_broken_spec_fails_and_leaves_its_report(self, checkout: Checkout) -> None:
        checkout.change("sli: itl", "sli: itll", compiled=False)
        with pytest.raises(Failed) as failed:
            self.run(checkout, "slo-check", self.variables(checkout))
        assert "specs/chat.yaml:11:" in failed.value.output
        assert "specs/chat.yaml" in (checkout.folder / "gl-code-quality.json").read_text("utf-8")

    def test_without_a_token_the_diff_is_in_the_log(self, checkout: Checkout) -> None:
        checkout.change("target: 95%", "target: 97%")
        output = self.run(checkout, "slo-diff", {**self.variables(checkout), "GITLAB_TOKEN": ""})
        assert MARKER in output and "97%" in output

    def test_what_is_merged_is_published(self, checkout: Checkout) -> None:
        merged = {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main", "CI_PIPELINE_SOURCE": "push"}
        assert recipes.gitlab_job("slo-publish", merged) is None, "not where there is nothing to publish to"
        assert recipes.gitlab_job("slo-diff", merged) is None
        variables = {**merged, "MONITORING_REPOSITORY": str(checkout.root / "monitoring.git"), "SLO_OWNER": "chat"}
        self.run(checkout, "slo-publish", variables)
        assert "slos/chat/rules/desk/chat.yaml" in checkout.published()


class TestJenkins:
    def test_a_change_is_checked_and_commented_and_what_is_merged_is_published(
        self, checkout: Checkout, on_github: tuple[str, Comments]
    ) -> None:
        """What is between `sh` steps (credentials, reports) is Jenkins's own."""
        api, comments = on_github
        checkout.change("target: 95%", "target: 97%")
        stages, environment = recipes.jenkins_stages(pull_request=True, branch="main")
        assert list(stages) == ["Install", "Check", "What changes for users"]
        assert environment["SLO_COMPILER"] == f"slo-compiler=={__version__}"
        edited = {"GITHUB_API_URL": api, "GITHUB_REPOSITORY": "acme/slos"}
        by_jenkins = {"CHANGE_ID": "7", "CHANGE_TARGET": "main", "GITHUB_TOKEN": "secret-token"}
        variables = {**environment, **edited, **by_jenkins}
        output = "".join(checkout.run(steps, variables) for steps in stages.values())
        assert "all hold" in output
        (comment,) = comments.ours
        assert comment.startswith(MARKER) and "97%" in comment
        assert '"version": "2.1.0"' in (checkout.folder / "slo.sarif").read_text("utf-8")

        stages, environment = recipes.jenkins_stages(pull_request=False, branch="main")
        assert list(stages) == ["Install", "Check", "Publish"]
        variables = {**environment, "MONITORING_REPOSITORY": str(checkout.root / "monitoring.git")}
        checkout.git("checkout", "-q", "main")
        checkout.run(stages["Publish"], variables)
        assert "slos/chat/rules/desk/chat.yaml" in checkout.published()


class TestShell:
    def test_every_command_does_what_it_says(self, checkout: Checkout) -> None:
        def run(*arguments: str, **environment: str) -> str:
            return checkout.run([Step("slo.sh", f"sh ci/slo.sh {' '.join(arguments)}", ("sh",))], environment)

        checkout.run([Step("install", f"pip install slo-compiler=={__version__}", ("sh",))], {})
        assert "all hold" in run()
        checkout.change("target: 95%", "target: 97%", compiled=False)
        assert run("diff", "origin/main").startswith(MARKER)
        with pytest.raises(Failed, match="out is not up to date"):
            run("check")
        with pytest.raises(Failed, match="MONITORING_REPOSITORY: is not set"):
            run("publish")
        with pytest.raises(Failed, match="usage"):
            run("else")
        checkout.git("checkout", "-q", "main")
        who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        run("publish", MONITORING_REPOSITORY=str(checkout.root / "monitoring.git"), SLO_OWNER="chat", **who)
        assert "slos/chat/rules/desk/chat.yaml" in checkout.published()


class TestComment:
    def run(self, tmp_path: Path, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, str(CI / "comment.py"), *arguments],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        return done.stderr

    @pytest.mark.parametrize(
        ("environment", "arguments", "told"),
        [
            ({}, ["7"], "comment.py: GITHUB_REPOSITORY is not set"),
            ({"GITHUB_REPOSITORY": "acme/slos"}, [], "GITHUB_REF names no pull request"),
            ({"GITHUB_REPOSITORY": "acme/slos"}, ["7"], "comment.py: GITHUB_TOKEN is not set"),
            ({"CI_API_V4_URL": "http://127.0.0.1:9"}, [], "comment.py: CI_MERGE_REQUEST_IID is not set"),
            ({"GITHUB_REPOSITORY": "acme/slos", "GITHUB_TOKEN": "x"}, ["7"], "Connection refused"),
        ],
        ids=["no repository", "no pull request", "no token", "no merge request", "no service"],
    )
    def test_what_is_missing_is_named(
        self, tmp_path: Path, environment: dict[str, str], arguments: list[str], told: str
    ) -> None:
        (tmp_path / "diff.md").write_text(MARKER, encoding="utf-8")
        api = {"GITHUB_API_URL": "http://127.0.0.1:9"}
        assert told in self.run(tmp_path, str(tmp_path / "diff.md"), *arguments, **api, **environment)

    def test_a_token_that_may_not_is_told(self, tmp_path: Path, on_github: tuple[str, Comments]) -> None:
        (tmp_path / "diff.md").write_text(MARKER, encoding="utf-8")
        given = {"GITHUB_API_URL": on_github[0], "GITHUB_REPOSITORY": "acme/slos", "GITHUB_TOKEN": "another"}
        said = self.run(tmp_path, str(tmp_path / "diff.md"), "7", **given)
        assert "401" in said and "another" not in said and "Traceback" not in said


@pytest.mark.usefixtures("without_compiler")
def test_the_container_runs_the_compiler_as_nobody_special(
    checkout: Checkout, pip: dict[str, str], tmp_path: Path
) -> None:
    """Its pip steps run here, with its folders moved. Not covered: apt-get, useradd, and what an image makes of them."""
    steps = recipes.container_steps()
    assert [rest for word, rest in steps if word == "FROM"] == [
        "python:3.12-slim-bookworm AS build",
        "python:3.12-slim-bookworm",
    ]
    assert [rest for word, rest in steps if word == "USER"] == ["slo"]
    assert steps.index(("USER", "slo")) > max(index for index, (word, _) in enumerate(steps) if word == "RUN")
    source, wheels = tmp_path / "src", tmp_path / "wheels"
    source.mkdir()
    for word, rest in steps:
        *names, target = rest.split()
        if word != "COPY" or names[0].startswith("--from"):
            continue
        for name in names:
            if (REPOSITORY / name).is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(REPOSITORY / name, source / target, ignore=ignore)
            else:
                shutil.copy(REPOSITORY / name, source / target)
    moved = [
        re.sub(r"^--mount=\S+ ", "", rest).replace("/wheels", str(wheels)) for word, rest in steps if word == "RUN"
    ]
    build, install = [Step("RUN", f"cd {source}\n{rest}", ("sh", "-e")) for rest in moved if rest.startswith("pip")]
    checkout.run([build], {})
    assert len(list(wheels.glob("slo_compiler-*.whl"))) == 1
    checkout.run([install], {"PIP_FIND_LINKS": ""})
    command = [re.findall(r'"([^"]+)"', rest)[0] for word, rest in steps if word in ("ENTRYPOINT", "CMD")]
    assert "SLOs for LLM inference as code" in checkout.run([Step("run", " ".join(command), ("sh",))], {})


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.github-workflows", CI / "github-workflow.yaml"),
        ("vendor.github-actions", REPOSITORY / "action.yml"),
        ("vendor.gitlab-ci", CI / "gitlab-ci.yml"),
    ],
    ids=["workflow", "action", "GitLab"],
)
def test_a_recipe_is_what_its_service_takes(schema: str, path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_recipes_install_the_release_that_they_stand_beside() -> None:
    for name in ("github-workflow.yaml", "gitlab-ci.yml", "Jenkinsfile"):
        found = re.findall(r"slo-compiler==([0-9.]+)", (CI / name).read_text("utf-8"))
        assert found and set(found) == {__version__}, name


def test_the_jenkinsfile_closes_what_it_opens() -> None:
    """No Groovy is run here: brackets are counted."""
    text = re.sub(r"'(?:[^'\\]|\\.)*'|//.*", "", (CI / "Jenkinsfile").read_text("utf-8"))
    for opening, closing in ("{}", "()", "[]"):
        assert text.count(opening) == text.count(closing) > 0
