"""SLO305: the spec names a class other than its use case's."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, warning
from slo_compiler.ir import Spec


def check(spec: Spec) -> Iterator[Diagnostic]:
    """The thresholds come from the use case, the ceilings from the class that the spec names."""
    if not spec.experience_class or not spec.use_case_class or spec.experience_class == spec.use_case_class:
        return
    yield warning(
        Code.SLO305,
        spec.where["experienceClass"],
        f"class {spec.experience_class}, but use case {spec.use_case} is {spec.use_case_class}",
        f"experienceClass: {spec.use_case_class}, or another useCase",
    )
