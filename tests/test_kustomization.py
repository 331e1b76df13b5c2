"""The kustomization names what is an object of Kubernetes, all of it and nothing else, whatever part of the specs is compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_compile_command import CHAT, CODE, run, write_specs

SCRAPED = "  scraping: {select: app=chat}\n  objectives:\n"
SETTINGS = """\
paths: [specs]
outputs:
  flavour: prometheus-operator
  prometheusRule: {labels: {release: prometheus}}
  dashboards: {format: configmap}
  monitors: {kind: PodMonitor}
  kustomization: {namespace: slos}
"""


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with two specs, of which one says where its engine is scraped, and settings."""
    monkeypatch.chdir(tmp_path)
    write_specs(tmp_path)
    spec = Path(CHAT)
    spec.write_text(spec.read_text("utf-8").replace("  objectives:\n", SCRAPED, 1), encoding="utf-8")
    settings(SETTINGS)
    return tmp_path


def settings(text: str) -> None:
    Path("slo-compiler.yaml").write_text(text, encoding="utf-8")


def compile_and_read(*paths: str) -> Any:
    result = run("compile", *paths)
    assert result.exit_code == 0, result.output
    return yaml.safe_load(Path("out/kustomization.yaml").read_text("utf-8"))


def objects() -> list[str]:
    """The files of the output folder that an apply of each of them would take."""
    found = []
    for path in sorted(Path("out").rglob("*")):
        if path.suffix not in (".yaml", ".json") or path.name == "kustomization.yaml":
            continue
        documents = list(yaml.safe_load_all(path.read_text("utf-8")))
        items = [item for document in documents for item in document.get("items", [document])]
        of_a_cluster = ("monitoring.coreos.com/v1", "v1", "grafana.integreatly.org/v1beta1", "keda.sh/v1alpha1")
        if all(item.get("apiVersion") in of_a_cluster and "metadata" in item for item in items):
            found.append(path.relative_to("out").as_posix())
    return found


def test_it_names_every_object_and_nothing_else() -> None:
    document = compile_and_read()
    assert (document["apiVersion"], document["kind"]) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")
    assert document["namespace"] == "slos"
    assert (
        document["resources"]
        == objects()
        == [
            "dashboards/assistant/chat.json",
            "dashboards/editor/code.json",
            "dashboards/overview.json",
            "monitors/monitors.yaml",
            "rules/assistant/chat.yaml",
            "rules/editor/code.yaml",
        ]
    )


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ("format: configmap", "format: json", "dashboards/"),
        ("flavour: prometheus-operator", "flavour: prometheus", "rules/"),
        ("kind: PodMonitor", "kind: scrape-config", "monitors/"),
    ],
)
def test_what_is_a_plain_file_is_not_applied(old: str, new: str, gone: str) -> None:
    everything = compile_and_read()["resources"]
    settings(SETTINGS.replace(old, new))
    assert compile_and_read()["resources"] == [path for path in everything if not path.startswith(gone)]


def test_a_part_of_the_specs_gives_what_all_give() -> None:
    everything = compile_and_read()
    spec = Path(CODE)
    spec.write_text(spec.read_text("utf-8").replace("99.7%", "99.8%"), encoding="utf-8")
    assert compile_and_read(CODE) == everything
    assert run("compile", "--check").exit_code == 0


def test_what_goes_is_named_no_more_and_the_file_goes_with_its_setting() -> None:
    compile_and_read()
    Path(CODE).unlink()
    assert compile_and_read()["resources"] == objects()
    settings(SETTINGS.replace("  kustomization: {namespace: slos}\n", ""))
    assert run("compile").exit_code == 0
    assert not Path("out/kustomization.yaml").exists()


def test_without_a_namespace_each_object_keeps_its_own() -> None:
    settings(SETTINGS.replace("{namespace: slos}", "{}"))
    assert "namespace" not in compile_and_read()


def test_rules_that_no_operator_reads_are_missed_aloud() -> None:
    settings(SETTINGS.replace("prometheus-operator", "mimir"))
    result = run("compile")
    assert "the kustomization applies no rules: they are no objects of Kubernetes with flavour: mimir" in result.stderr
