"""What several owners publish is loaded by a real Prometheus from a checkout, and proven by promtool there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from slo_compiler.cli import cli
from slo_compiler.external.promtool import check_rules
from slo_compiler.plain_yaml import read_trusted
from tests.metrics_pages import Server, served
from tests.publishing import bare, compiled, edited, git, publish
from tests.real.process import fetched
from tests.real.prometheus import prometheus

pytestmark = pytest.mark.e2e
FOREIGN = "groups: [{name: node, rules: [{record: 'instance:up', expr: up}]}]\n"


def test_the_published_tree_is_loaded_and_holds(
    tmp_path: Path, promtool: str, specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    target = bare(tmp_path / "monitoring.git")
    edited(target, tmp_path / "work", {"rules/node.yaml": FOREIGN})
    done = CliRunner().invoke(cli, ["compile", str(specs), "-o", "examples/out", "-q", "--only", "rules,catalogue"])
    assert done.exit_code == 0, done.output
    for owner, out in (("examples", Path("examples/out")), ("chat", compiled(Path("own"), kinds=""))):
        result = publish(out, target, "--path", "slos", owner=owner)
        assert result.exit_code == 0, result.output
    git(tmp_path, "clone", "-q", str(target), "checkout")
    checkout = tmp_path / "checkout"
    files, by_hand = sorted(checkout.glob("slos/*/rules/*/*.yaml")), checkout / "rules" / "node.yaml"
    assert len(files) > 40

    checked = check_rules(promtool, [*files, by_hand])
    assert checked.ok, checked.output
    proven = CliRunner().invoke(cli, ["test", str(checkout / "slos" / "chat")])
    assert (proven.exit_code, "all hold" in proven.stdout) == (0, True), proven.output

    with served(Server(), moves=False) as (page, _):
        address = page.removeprefix("http://").partition("/")[0]
        config = {
            "rule_files": [f"{folder}/*.yaml" for folder in sorted({path.parent for path in [*files, by_hand]})],
            "scrape_configs": [{"job_name": "vllm", "static_configs": [{"targets": [address]}]}],
        }
        with prometheus(tmp_path, config, 1) as server:
            groups = json.loads(fetched(f"{server}/api/v1/rules"))["data"]["groups"]
    expected = {
        (str(path), group["name"]): len(group["rules"])
        for path in files
        for group in read_trusted(path.read_bytes())["groups"]
    }
    loaded = {(group["file"], group["name"]): len(group["rules"]) for group in groups}
    assert loaded == {**expected, (str(by_hand), "node"): 1}
    assert [rule for group in groups for rule in group["rules"] if rule["health"] == "err"] == []
