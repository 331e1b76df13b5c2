"""The benchmark runs and says what it promises to say; its figures are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent.parent / "benchmarks" / "compile.py"


def test_a_quick_run_gives_all_figures(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--sizes", "1,4", "--hook-specs", "3", "--quick", "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    one, four = document["sizes"]
    assert (one["slos"], one["specs"], four["slos"], four["specs"]) == (1, 1, 4, 1)
    assert 0 < one["rules"] < four["rules"]
    assert 0 < one["rule_bytes"] < four["rule_bytes"]
    assert 0 < one["test_bytes"] < four["test_bytes"]
    for size in (one, four):
        for name in ("validate", "rules_only", "cold", "unchanged", "check"):
            usage = size[name]
            assert usage["cpu_seconds"] > 0 and usage["wall_seconds"] > 0 and usage["peak_bytes"] > 1_000_000
            assert usage["open_files"] < 256
    names = {ratio["name"] for ratio in document["ratios"]}
    assert "hook on one of 3 specs to validate of that one" in names
    assert {"unchanged to cold, at 4 SLOs", "time per SLO, rules, 4 to 1 SLOs", "--version to import click"} <= names
    assert all(ratio["value"] > 0 for ratio in document["ratios"])
    assert not list(tmp_path.iterdir()), "nothing is left where it runs"
