"""What runbooks say beside the numbers of a spec, from `builtin/runbooks.yaml`."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from pydantic import ConfigDict, Field

from slo_compiler.documents.base import DurationText, Model
from slo_compiler.documents.trusted import construct
from slo_compiler.plain_yaml import read_trusted
from slo_compiler.resources import builtin_path

OTHER = "other"
"""The type of breach of an SLI that has none of its own."""


class AlertText(Model):
    """What an alert means, and what to do first."""

    model_config = ConfigDict(defer_build=True)

    means: str
    first: tuple[str, ...]


class Cause(Model):
    """Why a promise may be broken.

    Attributes:
        signs: role of the engine to what shows the cause there, the most telling first.
        otherwise: what to look at where the engine exposes none of them; empty where the cause is left out then, unless it
            has no signs at all.
        remedies: what to do about it.
    """

    model_config = ConfigDict(defer_build=True)

    title: str
    signs: dict[str, str] = Field(default_factory=dict)
    otherwise: str = ""
    remedies: tuple[str, ...]


class Step(Model):
    """What a gateway does after so long."""

    model_config = ConfigDict(defer_build=True)

    after: DurationText
    title: str
    what: str


class Degradation(Model):
    """What a gateway does once first tokens take so many times as long as promised.

    Attributes:
        recorded: what the recorded level is to it.
    """

    model_config = ConfigDict(defer_build=True)

    times: Decimal
    steps: tuple[Step, ...]
    where: str
    recorded: str


class RunbookTexts(Model):
    """All texts.

    Attributes:
        classes: experience class to what a breach means there.
        alerts: by the alert's name.
        titles: of the types of breach.
        breaches: type of breach, as `slis.yaml` names it, to its causes, the most usual first.
    """

    model_config = ConfigDict(defer_build=True)

    classes: dict[str, str]
    alerts: dict[str, AlertText]
    titles: dict[str, str]
    breaches: dict[str, tuple[Cause, ...]]
    degradation: Degradation


@cache
def load_runbook_texts() -> RunbookTexts:
    """The texts, which are read once.

    Raises:
        OSError: the file is not there, which is a fault of the installation.
    """
    return construct(RunbookTexts, read_trusted(builtin_path("runbooks.yaml").read_bytes()))
