"""The wheel as people get it: built, installed apart from the checkout, and used from another folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from slo_compiler import __version__
from tests.e2e.installed import REPOSITORY, Installed

pytestmark = pytest.mark.e2e
SPEC = REPOSITORY / "specs" / "vllm" / "chatbot.yaml"


def ask(installed: Installed, expression: str) -> str:
    done = installed.run("python", "-c", f"from pathlib import Path; from slo_compiler import resources; {expression}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_code_that_runs_is_the_wheel(installed: Installed) -> None:
    assert Path(ask(installed, "print(resources.__file__)")).is_relative_to(installed.root)


def test_the_version_is_told(installed: Installed) -> None:
    done = installed.run("slo-compiler", "--version")
    assert (done.returncode, done.stdout) == (0, f"slo-compiler, version {__version__}\n")


def test_the_wheel_carries_the_version_in_its_name(wheel: Path) -> None:
    assert wheel.name.startswith(f"slo_compiler-{__version__}-")


@pytest.mark.parametrize(
    ("function", "folder"), [("schema_path", "schemas"), ("template_path", "templates"), ("builtin_path", "")]
)
def test_shipped_files_reached_the_wheel(installed: Installed, function: str, folder: str) -> None:
    shipped = Path(ask(installed, f"print(resources.{function}())"))
    assert shipped.is_relative_to(installed.root)
    source = REPOSITORY / folder if folder else REPOSITORY / "slo_compiler" / "builtin"
    expected = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    found = {path.relative_to(shipped).as_posix() for path in shipped.rglob("*") if path.is_file()}
    assert shipped.is_dir()
    assert found == {path for path in expected if "__pycache__" not in path and not path.startswith(".")}


def test_the_wheel_holds_types_and_no_tests(installed: Installed) -> None:
    package = Path(ask(installed, "print(Path(resources.__file__).parent)"))
    assert (package / "py.typed").is_file()
    assert not (package.parent / "tests").exists()
    assert not (package.parent / "benchmarks").exists()


def test_a_spec_compiles_in_another_folder(installed: Installed) -> None:
    specs = installed.work / "specs"
    specs.mkdir()
    shutil.copy(SPEC, specs / SPEC.name)
    done = installed.run("slo-compiler", "compile", "specs", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert (installed.work / "out" / "manifest.json").is_file()
    assert list((installed.work / "out" / "rules").rglob("*.yaml"))
    again = installed.run("slo-compiler", "compile", "--check")
    assert again.returncode == 0, again.stdout + again.stderr


def test_the_module_runs_as_the_script_does(installed: Installed) -> None:
    script, module = installed.run("slo-compiler", "--help"), installed.run("python", "-m", "slo_compiler", "--help")
    assert script.returncode == module.returncode == 0
    assert script.stdout == module.stdout
