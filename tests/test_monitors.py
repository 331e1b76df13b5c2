"""How engines get scraped: once for all specs of a target, as the rules assume, by the official schemas and promtool."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import click.testing
import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from slo_compiler.cli import cli
from slo_compiler.engines import load_builtin_engines
from slo_compiler.external.promtool import find_promtool

CRDS = Path(__file__).parent / "crds"
FILES = {"ServiceMonitor": "servicemonitors", "PodMonitor": "podmonitors"}
ENDPOINTS = {"ServiceMonitor": "endpoints", "PodMonitor": "podMetricsEndpoints"}
SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {name: NAME}
spec:
  service: lab
  model: acme/odd
  engine: {name: ENGINE}
  selector: {SELECTOR}
  objectives: [OBJECTIVE]
  scraping: {SCRAPING}
REST"""
OUTPUT = Path("out/monitors/monitors.yaml")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def spec(
    name: str = "odd",
    *,
    engine: str = "vllm",
    selector: str = "job: odd, namespace: prod",
    objective: str = "{sli: ttft, threshold: 250ms, target: 97%}",
    scraping: str = "select: app=odd",
    rest: str = "",
) -> str:
    said = {"NAME": name, "ENGINE": engine, "SELECTOR": selector, "OBJECTIVE": objective, "SCRAPING": scraping}
    text = SPEC
    for word, value in {**said, "REST": rest}.items():
        text = text.replace(word, value)
    return text


def run(
    *specs: str, kind: str = "ServiceMonitor", prometheus: str = "scrapeInterval: 17s", command: str = "compile"
) -> click.testing.Result:
    Path("specs").mkdir(exist_ok=True)
    for number, text in enumerate(specs):
        Path(f"specs/{number}.yaml").write_text(text, "utf-8")
    outputs = f"monitors: {{kind: {kind}, namespace: watch, labels: {{release: red}}}}" if kind else ""
    Path("slo-compiler.yaml").write_text(f"prometheus: {{{prometheus}}}\noutputs: {{{outputs}}}\n", "utf-8")
    flags = ["-o", "out", "--only", "rules,monitors"] if command == "compile" else []
    return CliRunner().invoke(cli, [command, "specs", *flags])


def monitors(*specs: str, kind: str = "ServiceMonitor", **said: str) -> list[Any]:
    """The objects, or the scrape configs, which the official schema or promtool takes."""
    result = run(*specs, kind=kind, **said)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = yaml.safe_load(OUTPUT.read_text("utf-8"))
    if kind == "scrape-config":
        configs: list[Any] = found["scrape_configs"]
        return configs
    assert (found["apiVersion"], found["kind"]) == ("v1", "List")
    for item in found["items"]:
        assert faults(item) == []
    items: list[Any] = found["items"]
    return items


def faults(monitor: Any) -> list[str]:
    """What the official schema says; as a server that prunes nothing: an unknown field is a fault too."""
    schema = yaml.safe_load((CRDS / f"monitoring.coreos.com_{FILES[monitor['kind']]}.yaml").read_text("utf-8"))
    return [error.message for error in Draft202012Validator(_closed(schema)).iter_errors(monitor)]


def _closed(part: Any) -> Any:
    if isinstance(part, list):
        return [_closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = {key: _closed(value) for key, value in part.items()}
    if isinstance(part.get("properties"), dict) and part.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


def endpoint(monitor: Any) -> Any:
    (found,) = monitor["spec"][ENDPOINTS[monitor["kind"]]]
    return found


@pytest.mark.parametrize(("kind", "port"), [("ServiceMonitor", "targetPort"), ("PodMonitor", "portNumber")])
def test_a_target_is_scraped_as_its_rules_assume(kind: str, port: str) -> None:
    (found,) = monitors(spec(scraping='select: "app=odd,tier=gpu"'), kind=kind)
    assert found["kind"] == kind
    assert found["metadata"] == {
        "name": found["metadata"]["name"],
        "namespace": "watch",
        "labels": {"release": "red"},
        "annotations": {"slo-compiler/specs": "lab/odd"},
    }
    assert found["metadata"]["name"].startswith("slo-vllm-")
    assert found["spec"]["selector"] == {"matchLabels": {"app": "odd", "tier": "gpu"}}
    assert found["spec"]["namespaceSelector"] == {"matchNames": ["prod"]}
    relabelings = [{"targetLabel": "job", "replacement": "odd"}]
    assert endpoint(found) == {port: 8000, "path": "/metrics", "interval": "17s", "relabelings": relabelings}


@pytest.mark.parametrize("fault", ["interval", "name", "unknown"])
def test_the_official_schema_refuses(fault: str) -> None:
    (found,) = monitors(spec())
    if fault == "interval":
        endpoint(found)["interval"] = "17"
    elif fault == "name":
        endpoint(found)["targetPort"] = ["8000"]
    else:
        found["spec"]["scrapeEvery"] = "17s"
    assert faults(found) != []


# The selector and the scraping, and what is written of them: relabelings, namespaces, labels of pods.
JOB = {"targetLabel": "job", "replacement": "odd"}
LABELS: dict[str, tuple[str, str, list[dict[str, Any]], dict[str, Any], list[str]]] = {
    "equality": (
        "job: odd, cluster: c7",
        "select: a=b",
        [{"targetLabel": "cluster", "replacement": "c7"}, JOB],
        {"any": True},
        [],
    ),
    "a pattern comes from pods": (
        'job: odd, namespace: prod, pool: {re: "a|b"}',
        "select: a=b",
        [JOB],
        {"matchNames": ["prod"]},
        ["pool"],
    ),
    "what is left out comes from pods": (
        "job: odd, namespace: prod, pool: {not: spot}",
        "select: a=b",
        [JOB],
        {"matchNames": ["prod"]},
        ["pool"],
    ),
    "the job of a pattern is said": (
        'job: {re: "od.*"}, namespace: prod',
        "select: a=b, labels: {job: odd}",
        [JOB],
        {"matchNames": ["prod"]},
        [],
    ),
    "namespaces by a pattern": (
        'job: odd, namespace: {re: "prod|live"}',
        "select: a=b",
        [{"sourceLabels": ["__meta_kubernetes_namespace"], "regex": "prod|live", "action": "keep"}, JOB],
        {"any": True},
        [],
    ),
    "all namespaces but one": (
        "job: odd, namespace: {not: dev.x}",
        "select: a=b",
        [{"sourceLabels": ["__meta_kubernetes_namespace"], "regex": r"dev\.x", "action": "drop"}, JOB],
        {"any": True},
        [],
    ),
    "a dollar is no reference": (
        "job: odd, team: $1",
        "select: a=b",
        [JOB, {"targetLabel": "team", "replacement": "$$1"}],
        {"any": True},
        [],
    ),
    "labels of the engine are its own": (
        'job: odd, engine: "0", pod: {re: "x.*"}',
        "select: a=b",
        [JOB],
        {"any": True},
        [],
    ),
}


@pytest.mark.parametrize("case", LABELS, ids=str)
def test_series_get_the_labels_that_the_rules_select_by(case: str) -> None:
    selector, scraping, relabelings, namespaces, copied = LABELS[case]
    (found,) = monitors(spec(selector=selector, scraping=scraping))
    assert endpoint(found)["relabelings"] == relabelings
    assert found["spec"]["namespaceSelector"] == namespaces
    assert found["spec"].get("podTargetLabels", []) == copied


def test_variants_are_told_apart_by_labels_of_their_pods() -> None:
    variant = (
        "  variants: [{name: spot, selector: {pool: spot}, objectives: [{sli: ttft, threshold: 1s, target: 93%}]}]\n"
    )
    (found,) = monitors(spec(selector="job: odd, pool: main", rest=variant))
    assert found["spec"]["podTargetLabels"] == ["pool"]
    assert endpoint(found)["relabelings"] == [JOB]


@pytest.mark.parametrize(
    ("engine", "port", "path", "honors"),
    [
        ("sglang", 30000, "/metrics", True),
        ("triton", 8002, "/metrics", False),
        ("trtllm-serve", 8000, "/prometheus/metrics", False),
    ],
)
def test_an_engine_is_read_at_its_own_port_and_path(engine: str, port: int, path: str, honors: bool) -> None:
    (found,) = monitors(spec(engine=engine, objective="{sli: ttft, threshold: 200ms, target: 97%}"))
    assert (endpoint(found)["targetPort"], endpoint(found)["path"]) == (port, path)
    assert endpoint(found).get("honorLabels", False) == honors


def test_a_spec_says_otherwise() -> None:
    (found,) = monitors(spec(scraping="select: app=odd, port: http, path: /stats"))
    assert (endpoint(found)["port"], endpoint(found)["path"]) == ("http", "/stats")


def test_every_port_has_its_source() -> None:
    ports = {name: engine.spec.metrics_port for name, engine in load_builtin_engines().items()}
    assert {name for name, port in ports.items() if port is None} == {
        *("envoy", "haproxy", "kserve", "otel-genai", "ray-serve", "sglang-router", "vllm-router"),
    }


# What the engine and the server say, and what is written of the histograms.
FORMS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "classic": ("vllm", "scrapeInterval: 17s", {}),
    "custom buckets": (
        "vllm",
        'version: "3.5", histograms: custom-buckets',
        {"convertClassicHistogramsToNHCB": True},
    ),
    "exponential": ("vllm, histograms: exponential", 'version: "3.5"', {"scrapeProtocols": True}),
    "exponential, asked for": (
        "vllm, histograms: exponential",
        'version: "3.8"',
        {"scrapeProtocols": True, "scrapeNativeHistograms": True},
    ),
}


@pytest.mark.parametrize("case", FORMS, ids=str)
def test_histograms_come_in_the_form_that_is_read(case: str) -> None:
    engine, prometheus, expected = FORMS[case]
    (found,) = monitors(spec(engine=engine), prometheus=prometheus)
    said = {key: value for key, value in found["spec"].items() if "istogram" in key or key == "scrapeProtocols"}
    if "scrapeProtocols" in said:
        assert said["scrapeProtocols"][0] == "PrometheusProto"
        said["scrapeProtocols"] = True
    assert said == expected


class TestOneTarget:
    def test_two_specs_of_it_scrape_it_once(self) -> None:
        other = spec(
            "even", objective="{sli: itl, threshold: 50ms, target: 97%}", selector="job: odd, namespace: prod, zone: a"
        )
        (found,) = monitors(spec(), other)
        assert found["metadata"]["annotations"] == {"slo-compiler/specs": "lab/even, lab/odd"}
        assert endpoint(found)["relabelings"] == [JOB, {"targetLabel": "zone", "replacement": "a"}]

    def test_what_they_say_differently_comes_from_pods(self) -> None:
        one, other = (spec(zone, selector=f"job: odd, namespace: prod, zone: {zone}") for zone in ("a", "b"))
        (found,) = monitors(one, other)
        assert found["spec"]["podTargetLabels"] == ["zone"]
        assert endpoint(found)["relabelings"] == [JOB]

    def test_classic_histograms_stay_where_another_spec_reads_them(self) -> None:
        native = spec(
            "native", engine="vllm, histograms: custom-buckets", objective="{sli: itl, threshold: 50ms, target: 97%}"
        )
        (found,) = monitors(spec(), native, prometheus='version: "3.5"')
        assert found["spec"]["convertClassicHistogramsToNHCB"] is found["spec"]["scrapeClassicHistograms"] is True

    def test_a_spec_that_is_compiled_alone_keeps_the_others(self) -> None:
        both = spec(), spec("even", selector="job: even, namespace: live")
        names = [item["metadata"]["name"] for item in monitors(*both)]
        assert CliRunner().invoke(cli, ["compile", "specs/1.yaml", "-o", "out", "--only", "monitors"]).exit_code == 0
        again = yaml.safe_load(OUTPUT.read_text("utf-8"))["items"]
        assert [item["metadata"]["name"] for item in again] == names
        assert len(names) == 2

    @pytest.mark.parametrize(
        ("selector", "scraping", "twice"),
        [
            ("job: even, namespace: prod", "select: app=odd", True),
            ("job: odd", "select: app=odd", True),
            ("job: odd, namespace: prod", 'select: "app=odd,tier=gpu"', True),
            ("job: odd, namespace: live", "select: app=odd", False),
            ("job: odd, namespace: prod", "select: app=even", False),
            ("job: odd, namespace: prod", "select: app=odd, port: 8001", False),
            ("job: odd, namespace: prod", "select: app=odd", False),
        ],
    )
    def test_replicas_of_two_targets_are_told(self, selector: str, scraping: str, twice: bool) -> None:
        other = spec("even", selector=selector, scraping=scraping, objective="{sli: itl, threshold: 50ms, target: 97%}")
        result = run(spec(), other, command="validate")
        assert result.exit_code == 0
        assert ("warning[SLO411]" in result.output) == twice

    @pytest.mark.parametrize(("zone", "told"), [("a", False), ("b", True)])
    def test_one_address_has_one_value_of_a_label(self, zone: str, told: bool) -> None:
        one, other = (
            spec(name, selector=f"job: odd, zone: {where}", scraping="targets: ['a:1']", objective=objective)
            for name, where, objective in (
                ("one", "a", "{sli: ttft, threshold: 250ms, target: 97%}"),
                ("two", zone, "{sli: itl, threshold: 50ms, target: 97%}"),
            )
        )
        result = run(one, other, kind="scrape-config")
        assert result.exit_code == 0
        assert ("which gives them zone 'a' and not 'b'" in result.output) == told
        (found,) = yaml.safe_load(OUTPUT.read_text("utf-8"))["scrape_configs"]
        assert found["static_configs"] == [{"targets": ["a:1"], "labels": {"job": "odd", "zone": "a"}}]


# What is wrong, as a spec says it; the kind; and the code and words of the finding.
WRONG: dict[str, tuple[dict[str, str], str, str, str]] = {
    "nobody knows the port": (
        {"engine": "envoy", "objective": "{sli: e2e, threshold: 1s, target: 97%}"},
        "PodMonitor",
        "SLO202",
        "at which port",
    ),
    "a job by a pattern": ({"selector": 'job: {re: "a|b"}'}, "PodMonitor", "SLO202", "asks for a job =~'a|b'"),
    "another job than the rules select": (
        {"scraping": "select: a=b, labels: {job: even}"},
        "PodMonitor",
        "SLO203",
        "another job than 'even'",
    ),
    "addresses for an object that selects": ({"scraping": 'targets: ["a:80"]'}, "PodMonitor", "SLO206", "PodMonitor"),
    "two ways": ({"scraping": 'select: a=b, targets: ["a:80"]'}, "scrape-config", "SLO203", "one of them is needed"),
    "no way": ({"scraping": "port: http"}, "scrape-config", "SLO203", "one of them is needed"),
    "a port beside addresses": (
        {"scraping": 'targets: ["a:80"], port: http'},
        "scrape-config",
        "SLO203",
        "their ports",
    ),
    "no selection": ({"scraping": "select: app in (a)"}, "scrape-config", "SLO203", "select"),
    "no port": ({"scraping": "select: a=b, port: 70000"}, "scrape-config", "SLO203", "65535"),
    "addresses with a pattern": (
        {"scraping": 'targets: ["a:80"]', "selector": "zone: {not: b}"},
        "scrape-config",
        "SLO202",
        "zone",
    ),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_what_cannot_be_scraped_is_refused_once(case: str) -> None:
    said, kind, code, words = WRONG[case]
    result = run(spec(**said), kind=kind)
    assert result.exit_code == 1
    assert result.output.count("error[") == 1, result.output
    assert f"error[{code}]" in result.output
    assert words in result.output


def test_nothing_is_written_unless_it_is_asked_for() -> None:
    assert run(spec(), kind="", command="validate").exit_code == 0
    result = CliRunner().invoke(cli, ["compile", "specs", "-o", "out"])
    assert (result.exit_code, "outputs.monitors is not configured" in result.output) == (0, True)
    assert not Path("out/monitors").exists()


STATIC = 'targets: ["10.0.0.7:8000", "[::1]:8001"]'


def test_addresses_are_scraped_under_the_labels_of_the_rules() -> None:
    (found,) = monitors(spec(scraping=STATIC), kind="scrape-config")
    labels = {"namespace": "prod", "job": "odd"}
    assert found == {
        "job_name": found["job_name"],
        "scrape_interval": "17s",
        "metrics_path": "/metrics",
        "static_configs": [{"targets": ["10.0.0.7:8000", "[::1]:8001"], "labels": labels}],
    }


def test_pods_are_found_by_their_labels_and_their_port() -> None:
    (found,) = monitors(spec(selector="job: odd, namespace: prod, pool: {not: x}"), kind="scrape-config")
    (discovery,) = found["kubernetes_sd_configs"]
    assert discovery == {
        "role": "pod",
        "namespaces": {"names": ["prod"]},
        "selectors": [{"role": "pod", "label": "app=odd"}],
    }
    given = {
        item["target_label"]: item.get("source_labels", [item.get("replacement")])[0]
        for item in found["relabel_configs"][1:]
    }
    meta = "__meta_kubernetes_"
    assert given == {
        "namespace": f"{meta}namespace",
        "pod": f"{meta}pod_name",
        "container": f"{meta}pod_container_name",
        "pool": f"{meta}pod_label_pool",
        "job": "odd",
    }
    assert found["relabel_configs"][0] == {
        "source_labels": [f"{meta}pod_container_port_number"],
        "regex": "8000",
        "action": "keep",
    }


def checked(program: str) -> str:
    """What promtool says of the scrape configs as a configuration."""
    done = subprocess.run(
        [program, "check", "config", "--syntax-only", str(OUTPUT)], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.promtool
def test_promtool_takes_addresses() -> None:
    monitors(spec(scraping=STATIC), spec("sg", engine="sglang", scraping='targets: ["a:1"]'), kind="scrape-config")
    assert checked(find_promtool()) == ""
    OUTPUT.write_text(OUTPUT.read_text("utf-8").replace("honor_labels", "honor_label"), "utf-8")
    assert "honor_label" in checked(find_promtool())


@pytest.mark.promtool3
@pytest.mark.usefixtures("promtool3")
# The promtool of `make promtool3` is a 3.5.
@pytest.mark.parametrize("case", [name for name, (_, said, _) in FORMS.items() if "3.8" not in said], ids=str)
def test_promtool_3_takes_pods_and_native_histograms(case: str) -> None:
    engine, prometheus, _ = FORMS[case]
    namespaces = spec("live", engine=engine, selector='job: live, namespace: {re: "a|b"}')
    monitors(spec(engine=engine), namespaces, kind="scrape-config", prometheus=prometheus)
    assert checked(find_promtool()) == ""
