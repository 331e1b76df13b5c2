"""The burn-rate policies that ship with the compiler."""

from __future__ import annotations

from functools import cache

from slo_compiler.documents.policy import BurnRatePolicy, Tier
from slo_compiler.documents.trusted import construct
from slo_compiler.plain_yaml import read_trusted
from slo_compiler.resources import builtin_path


class AlertTier(Tier):
    """A tier that an alert policy of OpenSLO gives.

    Attributes:
        severity_text: the label `severity`, where it is none of the known severities.
        labels: what its alert carries beside the labels of every tier.
    """

    severity_text: str = ""
    labels: tuple[tuple[str, str], ...] = ()


# The policy of every spec that names no other; what cannot work in it is left out, not refused.
DEFAULT_POLICY = "default"


@cache
def load_builtin_policy(name: str) -> BurnRatePolicy:
    """The policy `builtin/policies/<name>.yaml`.

    Raises:
        FileNotFoundError: there is none of that name.
    """
    return construct(BurnRatePolicy, read_trusted(builtin_path("policies", f"{name}.yaml").read_bytes()))


@cache
def builtin_policy_names() -> tuple[str, ...]:
    """The names of the shipped policies, sorted."""
    return tuple(sorted(path.stem for path in builtin_path("policies").glob("*.yaml")))
