"""`migrate` as people run it: in place or into a folder, with nothing half-written and nothing foreign lost."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from slo_compiler.cli import cli
from tests.test_migrate import SLOTH, V1ALPHA, migrate

NEW = migrate(SLOTH).after.decode()
OURS = "apiVersion: openslo/v1\nkind:   Service\nmetadata: {name: a}\n"
BROKEN = SLOTH.replace("99.7", "100")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["migrate", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def put(path: str, text: str) -> Path:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text.encode())
    return target


def tree(folder: str = ".") -> dict[str, str]:
    return {path.as_posix(): path.read_text("utf-8") for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def test_in_place_changes_old_files_and_no_other() -> None:
    put("specs/a.yaml", SLOTH)
    put("specs/b.yaml", OURS)
    done = run("specs")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.endswith("1 warning in 2 files\n1 file written, 1 left alone\n")
    assert tree() == {"specs/a.yaml": NEW, "specs/b.yaml": OURS}


def test_second_run_writes_nothing(here: Path) -> None:
    path = put("a.yaml", SLOTH)
    run("a.yaml")
    before = path.stat()
    done = run("a.yaml")
    assert (done.exit_code, done.output) == (0, "0 files written, 1 left alone\n")
    assert path.stat() == before


def test_check_names_what_would_change_and_writes_nothing() -> None:
    put("b/new.yaml", OURS)
    put("b/old.yaml", SLOTH)
    put("a.yaml", V1ALPHA)
    before = tree()
    done = run("b", "a.yaml", "--check", "-q")
    assert (done.exit_code, done.stdout) == (1, "a.yaml\nb/old.yaml\n")
    assert done.stderr.endswith("2 files would change; run slo-compiler migrate b a.yaml\n")
    assert tree() == before
    assert run("b/new.yaml", "--check").exit_code == 0


def test_diff_shows_what_would_change_and_writes_nothing() -> None:
    put("a.yaml", V1ALPHA)
    done = run("a.yaml", "--diff")
    assert done.exit_code == 0
    assert done.stdout.startswith("--- a/a.yaml\n+++ b/a.yaml\n@@ -1,")
    assert "\n-apiVersion: openslo/v1alpha\n+apiVersion: openslo/v1\n" in done.stdout.replace(" kind: SLO\n", "")
    assert tree() == {"a.yaml": V1ALPHA}
    assert run("a.yaml", "--diff", "--check").exit_code == 1


def test_folder_gets_every_file_and_the_source_stays() -> None:
    put("old/team/a.yaml", SLOTH)
    put("old/b.yaml", OURS)
    done = run("old", "-o", "specs")
    assert done.exit_code == 0
    assert done.stderr.endswith("2 files written, 0 left alone\n")
    assert tree("specs") == {"specs/b.yaml": OURS, "specs/team/a.yaml": NEW}
    assert tree("old") == {"old/b.yaml": OURS, "old/team/a.yaml": SLOTH}


def test_folder_that_has_the_result_already_stays_as_it_is() -> None:
    put("old/a.yaml", SLOTH)
    run("old", "-o", "specs")
    assert run("old", "-o", "specs", "-q").exit_code == 0
    put("specs/a.yaml", NEW.replace("99.7", "99.8"))
    done = run("old", "-o", "specs")
    assert done.exit_code == 1
    assert "specs/a.yaml:1:1: error[SLO602]: a file with other content stands in its place" in done.stderr
    assert "99.8" in Path("specs/a.yaml").read_text("utf-8")


@pytest.mark.parametrize("make", ["folder", "link"])
def test_what_is_no_file_is_left_in_the_folder(make: str) -> None:
    put("old/a.yaml", SLOTH)
    Path("specs").mkdir()
    target = put("elsewhere.yaml", "kept: true\n")
    if make == "folder":
        Path("specs/a.yaml").mkdir()
    else:
        Path("specs/a.yaml").symlink_to(target.absolute())
    done = run("old", "-o", "specs")
    assert done.exit_code == 1
    assert "something that is no file stands in its place" in done.stderr
    assert target.read_text("utf-8") == "kept: true\n"


def test_two_files_of_one_name_are_refused_before_anything_is_written() -> None:
    put("a/x.yaml", SLOTH)
    put("b/x.yaml", SLOTH)
    done = run("a/x.yaml", "b/x.yaml", "-o", "specs")
    assert done.exit_code == 2
    assert "more than one file would be x.yaml; give the folder above them" in done.stderr
    assert not Path("specs").exists()


def test_file_with_an_error_is_left_and_the_others_are_done() -> None:
    put("a.yaml", f"{SLOTH}---\n{BROKEN}")
    put("b.yaml", SLOTH)
    put("c.yaml", "version: [prometheus/v1\n")
    done = run("a.yaml", "b.yaml", "c.yaml")
    assert done.exit_code == 1
    assert "a.yaml:16:16: error[SLO203]: slos[0].objective: 100 leaves no error budget" in done.stderr
    assert "c.yaml:1:" in done.stderr
    assert "error[SLO101]" in done.stderr
    assert done.stderr.endswith("1 file written, 2 left alone\n")
    assert tree() == {"a.yaml": f"{SLOTH}---\n{BROKEN}", "b.yaml": NEW, "c.yaml": "version: [prometheus/v1\n"}


def test_link_stays_a_link_to_the_migrated_file() -> None:
    target = put("real/a.yaml", SLOTH)
    Path("a.yaml").symlink_to("real/a.yaml")
    assert run("a.yaml").exit_code == 0
    assert Path("a.yaml").readlink() == Path("real/a.yaml")
    assert target.read_text("utf-8") == NEW


def test_read_only_file_is_left_and_named() -> None:
    path = put("a.yaml", SLOTH)
    path.chmod(0o444)
    done = run("a.yaml")
    assert done.exit_code == 1
    assert "a.yaml:1:1: error[SLO601]: is read-only" in done.stderr
    assert path.read_text("utf-8") == SLOTH
    assert run("a.yaml", "-o", "specs").exit_code == 0


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_permissions_are_kept(mode: int) -> None:
    path = put("a.yaml", SLOTH)
    path.chmod(mode)
    assert run("a.yaml").exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_disk_that_refuses_leaves_the_old_file_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.yaml", SLOTH)
    put("b.yaml", V1ALPHA)
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target.name == "a.yaml":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    done = run("a.yaml", "b.yaml")
    assert done.exit_code == 1
    assert "a.yaml:1:1: error[SLO601]: cannot be written: No space left on device" in done.stderr
    assert list(tree()) == ["a.yaml", "b.yaml"]
    assert Path("a.yaml").read_text("utf-8") == SLOTH
    assert Path("b.yaml").read_bytes() == migrate(V1ALPHA).after


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((), "Missing argument"), (("nowhere",), "no such file or folder: nowhere"), (("empty",), "no file")],
    ids=["nothing given", "a path that does not exist", "a folder without files"],
)
def test_usage(arguments: tuple[str, ...], message: str) -> None:
    Path("empty").mkdir()
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_result_compiles(here: Path) -> None:
    put("specs/a.yaml", SLOTH)
    put("specs/b.yaml", V1ALPHA)
    assert run("specs", "-q").exit_code == 0
    done = CliRunner().invoke(cli, ["compile", "specs", "-o", "out"])
    assert done.exit_code == 0, done.output
    assert {path.name for path in Path("out/rules").rglob("*.yaml")} == {"availability.yaml", "answers.yaml"}


@pytest.mark.promtool
def test_rules_of_migrated_files_hold(root: Path, promtool: str) -> None:
    """What Sloth and v1alpha measured is measured: the compiler's own tests of the rules hold."""
    gateway = root / "tests" / "migrations" / "sloth-gateway.before.yaml"
    put("specs/gateway.yaml", gateway.read_text("utf-8"))
    good = """'sum(rate(http_requests_total{code!~"5.."}[{{.window}}]))'"""
    total = "'sum(rate(http_requests_total[{{.window}}]))'"
    queries = V1ALPHA.replace("incremental: true", "incremental: false").replace("0.985", "0.999")
    put("specs/answers.yaml", queries.replace("good_total", good).replace("all_total", total))
    assert run("specs", "-q").exit_code == 0
    done = CliRunner().invoke(cli, ["compile", "specs", "-o", "out"])
    assert done.exit_code == 0, done.output
    assert len(list(Path("out/rules").rglob("*.yaml"))) == 3
    proven = CliRunner().invoke(cli, ["test", "out", "--promtool", promtool])
    assert proven.exit_code == 0, proven.output
