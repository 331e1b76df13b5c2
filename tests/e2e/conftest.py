"""The wheel as people get it, built and installed once for all tests that use it."""

from __future__ import annotations

import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.e2e import wheelhouse as wheels
from tests.e2e.installed import REPOSITORY, Installed, run


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    done = run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(REPOSITORY)], target
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    root = tmp_path_factory.mktemp("installed")
    venv.create(root, with_pip=False, symlinks=True)
    paths = sysconfig.get_paths(vars={"base": str(root), "platbase": str(root)}, scheme="venv")
    site = Path(paths["purelib"])
    # The dependencies come from the environment that runs the tests, so that no network is needed. An editable
    # install there must not stand in for the wheel: .pth files of that folder are not read.
    for number, folder in enumerate({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}):
        (site / f"dependencies-{number}.pth").write_text(f"{folder}\n", encoding="utf-8")
    # The compiler itself may lie there as well, installed and not editable.
    pip = [sys.executable, "-m", "pip", "--python", str(root / "bin" / "python"), "install"]
    done = run(
        [*pip, "--no-deps", "--ignore-installed", str(wheel)],
        root,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Installed(root, tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for `pip --no-index --find-links` with all that the compiler needs, and without the compiler."""
    folder = tmp_path_factory.mktemp("wheelhouse")
    wheels.fill(folder)
    return folder
