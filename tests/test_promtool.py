"""How promtool is run: what fails is run again before it is believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from slo_compiler.external import promtool

# Exit codes of one run after the other, whether the result holds, and how often promtool ran.
RUNS: dict[str, tuple[tuple[int, ...], bool, int]] = {
    "what holds is run once": ((0, 1), True, 1),
    "what fails once and then holds has lost a sample": ((1, 0), True, 2),
    "what fails twice is wrong": ((1, 1, 0), False, 2),
}


def program(folder: Path, codes: tuple[int, ...]) -> str:
    """A promtool that ends with these codes, and counts its runs."""
    (folder / "codes").write_text("".join(f"{code}\n" for code in codes))
    path = folder / "promtool"
    path.write_text(
        f'#!/bin/sh\ncd "{folder}"\necho run >> runs\nn=$(wc -l < runs)\necho "$GOMAXPROCS $@"\n'
        'exit "$(sed -n "${n}p" codes)"\n'
    )
    path.chmod(0o755)
    return str(path)


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


@pytest.mark.parametrize("case", RUNS, ids=str)
def test_a_failure_is_believed_when_it_is_seen_twice(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOMAXPROCS", raising=False)
    codes, holds, times = RUNS[case]
    result = promtool.test_rules(program(tmp_path, codes), [Path("a.test.yaml")])
    assert (result.ok, runs(tmp_path)) == (holds, times)
    assert result.output == "1 test rules a.test.yaml"


# Exit codes of a run of two files and of each of them, whether both hold, and what is told.
TOGETHER: dict[str, tuple[tuple[int, ...], bool, str]] = {
    "each holds by itself": ((1, 0, 0), True, "1 test rules a.test.yaml\n1 test rules b.test.yaml"),
    "one of them is wrong": ((1, 0, 1), False, "1 test rules b.test.yaml"),
}


@pytest.mark.parametrize("case", TOGETHER, ids=str)
def test_files_that_fail_together_are_run_again_one_by_one(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOMAXPROCS", raising=False)
    codes, holds, told = TOGETHER[case]
    result = promtool.test_rules(program(tmp_path, codes), [Path("a.test.yaml"), Path("b.test.yaml")])
    assert (result.ok, result.output, runs(tmp_path)) == (holds, told, 3)


def test_a_file_that_promtool_says_holds_is_not_run_again(tmp_path: Path) -> None:
    path = tmp_path / "promtool"
    path.write_text(
        '#!/bin/sh\nfor file in "$@"; do case $file in\n'
        '  */a.test.yaml) printf "Unit Testing:  %s\\n  SUCCESS\\n\\n" "$file" ;;\n'
        '  */b.test.yaml) printf "Unit Testing:  %s\\n\\n" "$file"; echo "  FAILED:" >&2; failed=1 ;;\n'
        f'esac; done; echo "$3 $4" >> "{tmp_path}/asked"; exit ${{failed:-0}}\n'
    )
    path.chmod(0o755)
    a, b = tmp_path / "a.test.yaml", tmp_path / "b.test.yaml"
    result = promtool.test_rules(str(path), [a, b])
    assert not result.ok
    assert "FAILED" in result.output and "SUCCESS" not in result.output
    assert (tmp_path / "asked").read_text().splitlines() == [f"{a} {b}", f"{b} "]


def test_who_asks_for_one_run_gets_one(tmp_path: Path) -> None:
    assert not promtool.test_rules(program(tmp_path, (1, 0)), [Path("a.test.yaml")], twice=False).ok
    assert runs(tmp_path) == 1


def test_a_check_is_run_once(tmp_path: Path) -> None:
    assert not promtool.check_rules(program(tmp_path, (1, 0)), [Path("a.yaml")]).ok
    assert runs(tmp_path) == 1
