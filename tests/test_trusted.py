"""What ships is read without validation: it must be what validation gives."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from slo_compiler.documents.base import Model
from slo_compiler.documents.engine import Engine
from slo_compiler.documents.policy import BurnRatePolicy
from slo_compiler.documents.trusted import construct
from slo_compiler.resources import builtin_path
from slo_compiler.slis import Sli, load_slis

SHIPPED = [(Engine, path) for path in sorted(builtin_path("engines").glob("*.yaml"))] + [
    (BurnRatePolicy, path) for path in sorted(builtin_path("policies").glob("*.yaml"))
]


@pytest.mark.parametrize(("model", "path"), SHIPPED, ids=[path.stem for _, path in SHIPPED])
def test_a_shipped_document_is_constructed_as_validation_reads_it(model: type[Model], path: Path) -> None:
    data = yaml.load(path.read_bytes(), Loader=yaml.CBaseLoader)
    constructed, validated = construct(model, data), model.model_validate(data)
    assert constructed == validated
    assert constructed.model_dump(warnings="error") == validated.model_dump(warnings="error")


def test_the_slis_are_constructed_as_validation_reads_them() -> None:
    for sli in load_slis().values():
        assert Sli.model_validate(sli.model_dump()) == sli
