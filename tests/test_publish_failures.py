"""`publish` where the world says no: a server, a disk, a network, a missing program. The repository stays as it was."""

from __future__ import annotations

import base64
import http.server
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from slo_compiler.external.git import without_credentials
from tests.publishing import bare, compiled, git, publish, tree

NOBODY = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path


@pytest.fixture
def out() -> Path:
    return compiled(Path())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return bare(tmp_path / "monitoring.git")


def hook(target: Path, name: str, text: str) -> None:
    path = target / "hooks" / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def on_path(folder: Path, text: str) -> None:
    """Puts a script in front of git; the environment is put back after the test."""
    script = folder / "bin" / "git"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    script.chmod(0o755)
    os.environ["PATH"] = f"{script.parent}:{os.environ['PATH']}"


def program(
    *arguments: str, before: Callable[[], None] | None = None, wrapper: tuple[str, ...] = ()
) -> tuple[int, str]:
    """The exit code and stderr of the command in a process of its own."""
    command = [*wrapper, sys.executable, "-m", "slo_compiler", "publish", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=before)
    return done.returncode, done.stderr


class TestServer:
    @pytest.mark.parametrize("name", ["pre-receive", "update"])
    def test_a_refusal_is_passed_on(self, out: Path, target: Path, name: str) -> None:
        hook(target, name, "echo 'not on a Friday: https://bot:hunter2@git.example.com/rules' >&2; exit 1")
        result = publish(out, target)
        assert result.exit_code == 3
        assert "refuses the push" in result.stderr
        assert "not on a Friday: https://***@git.example.com/rules" in result.stderr
        assert "hook declined" in result.stderr
        assert not git(target, "for-each-ref")

    def test_what_it_says_paints_no_terminal(self, out: Path, target: Path) -> None:
        hook(target, "pre-receive", "printf '\\033[31mred\\n' >&2; exit 1")
        assert "\x1b" not in publish(out, target).stderr

    def test_an_answer_that_is_lost_is_looked_up(self, out: Path, target: Path) -> None:
        """The push arrives, and the server breaks the connection before it says so."""
        hook(target, "post-update", 'kill -9 "$PPID"')
        result = publish(out, target)
        assert (result.exit_code, "pushed as" in result.stderr) == (0, True), result.stderr
        assert len(git(target, "rev-list", "main").splitlines()) == 1

    def test_a_push_that_is_overtaken_is_made_again_on_top(self, out: Path, target: Path, here: Path) -> None:
        """Between fetch and push somebody else pushes, once."""
        git(here, "clone", "-q", str(target), "work")
        git(here / "work", "checkout", "-q", "-B", "main")
        git(here / "work", "commit", "-q", "--allow-empty", "-m", "Meanwhile")
        real = shutil.which("git")
        theirs = f"env -u GIT_DIR {real} -C {here}/work push -q origin main"
        on_path(
            here, f'case " $* " in *" push "*) test -e raced || {{ touch raced; {theirs}; }};; esac\nexec {real} "$@"'
        )
        result = publish(out, target)
        assert (result.exit_code, "at attempt 2" in result.stderr) == (0, True), result.stderr
        assert "another push was faster" in result.stderr
        assert git(target, "log", "--format=%s", "main").splitlines()[1:] == ["Meanwhile"]

    def test_an_slo_that_another_owner_publishes_meanwhile_is_refused(
        self, out: Path, target: Path, here: Path
    ) -> None:
        faster = bare(here / "faster.git")
        assert publish(out, faster, owner="chat").exit_code == 0
        real = shutil.which("git")
        theirs = f"env -u GIT_DIR {real} -C {faster} push -q {target} main"
        on_path(
            here, f'case " $* " in *" push "*) test -e raced || {{ touch raced; {theirs}; }};; esac\nexec {real} "$@"'
        )
        result = publish(out, target, owner="voice")
        assert (result.exit_code, "chat publishes assistant/chat-ttft too" in result.stderr) == (1, True), result.stderr
        assert git(target, "rev-parse", "main") == git(faster, "rev-parse", "main")

    @pytest.mark.parametrize(
        ("stands", "branch"),
        [("refs/heads/main.lock", "main"), ("refs/heads/review/one.lock", "review/one")],
    )
    def test_a_branch_that_stays_locked_ends_the_attempts(
        self, out: Path, target: Path, stands: str, branch: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("slo_compiler.publish.publish._MOST_LOCKED", 2)
        (target / stands).parent.mkdir(exist_ok=True)
        (target / stands).touch()
        result = publish(out, target, "--branch", branch)
        assert (result.exit_code, "refuses the push" in result.stderr) == (3, True), result.stderr
        assert result.stderr.count("another push was faster") == 1

    def test_a_branch_in_the_way_of_its_folder(self, out: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("slo_compiler.publish.publish._MOST_LOCKED", 1)
        assert publish(out, target, "--branch", "review").exit_code == 0
        result = publish(out, target, "--branch", "review/chat")
        assert (result.exit_code, "review" in result.stderr) == (3, True), result.stderr

    @pytest.mark.parametrize(
        "address",
        ["file:///nowhere/at/all.git", "nowhere.git", "https://bot:hunter2@127.0.0.1:1/x.git", "ext::sh -c true"],
    )
    def test_one_that_is_not_there(self, out: Path, address: str) -> None:
        result = publish(out, address)
        assert (result.exit_code, result.stdout) == (3, "")
        assert "hunter2" not in result.stderr

    def test_one_that_nobody_may_write_to(self, out: Path, target: Path) -> None:
        assert publish(out, target).exit_code == 0
        before = git(target, "rev-parse", "main")
        changed = compiled(Path(), target="97.5%")
        with read_only(target):
            # Nobody, not even root, may write where no permission says so.
            code, said = program(
                str(changed), "--repo", str(target), "--owner", "chat",
                wrapper=("setpriv", "--bounding-set=-dac_override", "--") if os.geteuid() == 0 else (),
            )  # fmt: skip
        assert code == 3, said
        assert git(target, "rev-parse", "main") == before


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(modes[path] & ~0o222)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(modes[path])


class TestDisk:
    @pytest.mark.parametrize("size", [0, 2_000], ids=lambda size: f"{size} bytes")
    def test_a_file_that_cannot_grow(self, out: Path, target: Path, here: Path, size: int) -> None:
        """A limit on the size of files (RLIMIT_FSIZE) meets our own writes and those of every git, the server's too."""
        code, said = program(
            str(out), "--repo", str(target), "--owner", "chat",
            before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        )  # fmt: skip
        assert code == 3, said
        assert "Traceback" not in said
        assert not git(target, "for-each-ref")
        assert publish(out, target).exit_code == 0
        assert set(tree(target, "chat")) > {"manifest.json"}
        assert not list((here / "tmp").iterdir())

    @pytest.mark.parametrize("where", ["tmp", "monitoring.git"], ids=["ours", "the server's"])
    def test_one_that_is_full(self, out: Path, here: Path, where: str) -> None:
        folder = here / where
        folder.mkdir(exist_ok=True)
        with small_disk(folder):
            target = bare(here / "monitoring.git")
            (folder / "filler").write_bytes(b"x" * (os.statvfs(folder).f_bavail - 2) * os.statvfs(folder).f_bsize)
            code, said = program(str(out), "--repo", str(target), "--owner", "chat")
            assert code == 3, said
            assert "Traceback" not in said
            assert not git(target, "for-each-ref")
            (folder / "filler").unlink()
            assert publish(out, target).exit_code == 0


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of a megabyte, where this user may mount one."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


class TestPrograms:
    def test_git_is_missing(self, out: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        result = publish(out, target)
        assert (result.exit_code, "git is not on the PATH" in result.stderr) == (3, True)

    def test_nobody_is_known_to_git(self, out: Path, target: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in NOBODY:
            monkeypatch.delenv(name)
        (Path.home() / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n", encoding="utf-8")
        result = publish(out, target)
        assert (result.exit_code, "Please tell me who you are" in result.stderr) == (3, True), result.stderr
        (here / "specs").mkdir(exist_ok=True)
        git(here, "init", "-q", "specs")
        git(here / "specs", "config", "user.name", "Specs")
        git(here / "specs", "config", "user.email", "specs@example.com")
        assert publish(out, target).exit_code == 0
        assert git(target, "log", "-1", "--format=%an <%ae>", "main") == "Specs <specs@example.com>"

    def test_a_hook_that_publishes_is_no_trap(self, out: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Inside of a hook git's environment speaks of the repository that the hook belongs to."""
        for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE"):
            monkeypatch.setenv(name, "/nowhere")
        assert publish(out, target).exit_code == 0

    def test_no_address_is_in_a_list_of_processes(self, out: Path, target: Path, here: Path) -> None:
        on_path(here, f'echo "$@" >> {here}/calls\nexec {shutil.which("git")} "$@"')
        assert publish(out, f"file://{target}").exit_code == 0
        calls = (here / "calls").read_text("utf-8")
        assert " push " in calls
        assert "monitoring.git" not in calls

    def test_no_hook_of_the_user_runs(self, out: Path, target: Path, here: Path) -> None:
        (here / "hooks").mkdir()
        for name in ("pre-push", "pre-commit", "commit-msg"):
            path = here / "hooks" / name
            path.write_text(f"#!/bin/sh\ntouch {here}/ran\nexit 1\n", encoding="utf-8")
            path.chmod(0o755)
        (Path.home() / ".gitconfig").write_text(f"[core]\n\thooksPath = {here}/hooks\n", encoding="utf-8")
        os.environ["GIT_CONFIG_COUNT"] = "1"
        os.environ["GIT_CONFIG_KEY_0"], os.environ["GIT_CONFIG_VALUE_0"] = "color.ui", "always"
        assert publish(out, target).exit_code == 0
        assert not (here / "ran").exists()


@pytest.mark.loopback
class TestCredentials:
    """They are git's to find, and nobody's to see."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
        """The address of a server that lets nobody in, and what it was shown."""
        shown: list[str] = []

        class Refusing(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                word, _, secret = self.headers.get("Authorization", "").partition(" ")
                shown.append(base64.b64decode(secret).decode() if word == "Basic" else word)
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="rules"')
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            yield f"127.0.0.1:{server.server_port}/rules.git", shown
            server.shutdown()

    def test_those_of_the_address_are_shown_to_the_server_alone(self, out: Path, asked: tuple[str, list[str]]) -> None:
        address, shown = asked
        result = publish(out, f"http://bot:hunter2@{address}", "-v")
        assert (result.exit_code, shown[-1]) == (3, "bot:hunter2")
        assert "hunter2" not in result.output + result.stderr

    def test_a_helper_is_asked_and_nobody_at_a_terminal(self, out: Path, asked: tuple[str, list[str]]) -> None:
        address, shown = asked
        assert "terminal prompts disabled" in publish(out, f"http://{address}").stderr
        helper = "!f() { echo username=bot; echo password=hunter3; }; f"
        (Path.home() / ".gitconfig").write_text(f'[credential]\n\thelper = "{helper}"\n', encoding="utf-8")
        result = publish(out, f"http://{address}")
        assert (result.exit_code, shown[-1]) == (3, "bot:hunter3")
        assert "hunter3" not in result.output + result.stderr


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test puts into the environment goes with it."""
    for name in ("PATH", "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
        if not os.environ[name]:
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://bot:hunter2@git.example.com/a", "https://***@git.example.com/a"),
        ("fatal: 'https://hunter2@h/a': no", "fatal: 'https://***@h/a': no"),
        ("ssh://git:hun@ter2@h:22/a, http://x:hunter2@h", "ssh://***@h:22/a, http://***@h"),
        ("git@git.example.com:a/b.git", "git@git.example.com:a/b.git"),
        ("https://git.example.com/a@b", "https://git.example.com/a@b"),
        ("a mail to ada@example.com", "a mail to ada@example.com"),
    ],
)
def test_addresses_show_no_credentials(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
