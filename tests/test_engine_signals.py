"""What a spec knows of its engine's metrics: a signal per role, on the series that the spec selects."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from slo_compiler.documents.config import Config
from slo_compiler.ir import EngineInUse, Matcher, Selector
from slo_compiler.pipeline import check_files
from slo_compiler.resolve.environment import Environment

SPEC = """\
apiVersion: slo-compiler/v1
kind: InferenceSLO
metadata: {{name: odd}}
spec:
  service: lab
  model: odd-7b
  servedModelName: odd
  engine: {engine}
  selector: {{job: odd-job}}
  replicaLabel: pod
  stage: dev
  objectives: [{objective}]
"""


def engine_of(folder: Path, engine: str, objective: str = "{sli: ttft, threshold: 500ms, target: 97%}") -> EngineInUse:
    path = folder / "spec.yaml"
    path.write_text(SPEC.format(engine=engine, objective=objective), "utf-8")
    checked = check_files([str(path)], Environment(Config()))
    assert not checked.failed, checked.diagnostics
    (spec,) = checked.specs
    assert spec.engine is not None
    return spec.engine


def test_every_role_of_the_version_is_a_signal_under_all_its_names(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, '{name: vllm, version: "0.11"}')
    assert (engine.title, engine.is_gateway, engine.replica_label) == ("vLLM 0.11", False, "pod")
    own = (Matcher("job", "=", "odd-job"), Matcher("model_name", "=", "odd"))
    cache = engine.signal("kv_cache_usage")
    assert cache is not None
    assert (cache.kind, cache.seconds) == ("gauge", Decimal(0))
    assert cache.selectors == (Selector("vllm:kv_cache_usage_perc", own), Selector("vllm:gpu_cache_usage_perc", own))
    ttft = engine.signal("ttft")
    assert ttft is not None
    assert (ttft.kind, ttft.seconds) == ("histogram", Decimal(1))


def test_a_label_that_a_metric_lacks_does_not_select_it(tmp_path: Path) -> None:
    total = engine_of(tmp_path, '{name: vllm, version: "0.11"}').signal("requests_total")
    assert total is not None
    assert total.selectors == (Selector("http_requests_total", (Matcher("job", "=", "odd-job"),)),)


def test_what_a_version_does_not_show_is_no_signal(tmp_path: Path) -> None:
    assert engine_of(tmp_path, '{name: vllm, version: "0.11"}').signal("queue_depth_by_reason") is None
    assert engine_of(tmp_path, '{name: vllm, version: "0.20"}').signal("queue_depth_by_reason") is not None


def test_times_in_another_unit_say_how_many_seconds_it_is(tmp_path: Path) -> None:
    e2e = engine_of(tmp_path, "{name: istio}", "{sli: e2e, threshold: 5s, target: 97%}").signal("e2e")
    assert e2e is not None
    assert (e2e.kind, e2e.seconds) == ("histogram", Decimal("0.001"))


def test_what_the_engine_cannot_tell_is_there_in_its_own_words(tmp_path: Path) -> None:
    spots = engine_of(tmp_path, '{name: vllm, version: "0.11"}').blind_spots
    assert "An error after the stream began is HTTP 200 with an error event in the stream." in spots
