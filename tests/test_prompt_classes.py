"""Engines whose labels tell lengths of prompts apart: what their page says of it compiles."""

from __future__ import annotations

import pytest

from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.emit.serialize import to_yaml
from slo_compiler.engine_versions import known_versions
from slo_compiler.engines import load_builtin_engines
from slo_compiler.ir import Histogram, Slo
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.resolve.environment import Environment

ENGINES = load_builtin_engines()
CLASSED = [name for name, engine in ENGINES.items() if engine.spec.prompt_classes is not None]


def compiled(name: str, **spec: object) -> Slo:
    body = {
        "apiVersion": "slo-compiler/v1",
        "kind": "InferenceSLO",
        "metadata": {"name": "probe"},
        "spec": {
            "service": "lab",
            "model": "acme/odd-7b",
            "engine": {"name": name, "version": known_versions(ENGINES[name])[-1]},
            "objectives": [{"sli": "ttft", "threshold": "1s", "target": "97%"}],
            **spec,
        },
    }
    checked = check_loaded(iter([load_bytes(to_yaml(body).encode(), "probe.yaml")]), Environment())
    assert [item for item in checked.diagnostics if item.severity is Severity.ERROR] == []
    (slo,) = [slo for one in checked.specs for slo in one.slos]
    return slo


def test_there_are_some() -> None:
    assert {"litellm", "llm-d-router"} <= set(CLASSED)


@pytest.mark.parametrize("name", CLASSED)
def test_one_length_is_promised_by_its_label(name: str) -> None:
    classes = ENGINES[name].spec.prompt_classes
    assert classes is not None
    slo = compiled(name, selector={"job": "odd", classes.label: classes.values[-1]})
    assert isinstance(slo.measurement, Histogram)
    assert (classes.label, "=", classes.values[-1]) in {(m.label, m.op, m.value) for m in slo.measurement.matchers}


@pytest.mark.parametrize("name", CLASSED)
def test_every_length_is_promised_the_same_by_groups(name: str) -> None:
    classes = ENGINES[name].spec.prompt_classes
    assert classes is not None
    grouping = {"labels": [classes.label], "maxGroups": len(classes.values) + 1}
    slo = compiled(name, selector={"job": "odd"}, groupBy=grouping)
    assert slo.groups.labels == (classes.label,)
