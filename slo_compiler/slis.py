"""What each SLI is: words, unit, kind of measurement and the engine roles it reads, from `builtin/slis.yaml`."""

from functools import cache
from typing import Literal, Self

from pydantic import ConfigDict, model_validator

from slo_compiler.documents.base import DurationText, Model
from slo_compiler.documents.engine import Role, Unit
from slo_compiler.documents.trusted import construct
from slo_compiler.plain_yaml import read_trusted
from slo_compiler.resources import builtin_path

# Fields that every objective may have.
_COMMON_FIELDS = ("name", "sli", "target", "mode")


class Sli(Model):
    """One SLI.

    Attributes:
        name: as specs write it, `ttft`.
        title: in words within a sentence, `time to first token`.
        short: where there is little room, `TTFT`.
        unit: of its threshold; None where it has none.
        kind: `histogram` (events at or under a threshold are good), `counters` (good or bad events are counted) or `slices`
            (good or bad slices of time are counted).
        roles: engine roles that carry it, in order of preference; all of them are joined. Empty for counters.
        counts: what one event is.
        fields: which fields of an objective it takes.
        long_windows_from: the shortest long window of a burn-rate tier that makes sense for it; None allows all.
        short_windows_from: likewise of short windows: a tier's own is lengthened to it.
        breach: the type of breach that a bad event is; None where that depends on what is counted.
        user: what the user feels, in a sentence.
    """

    model_config = ConfigDict(defer_build=True)

    name: str
    title: str
    short: str
    unit: Literal[Unit.SECONDS] | None = None
    kind: Literal["histogram", "counters", "slices"]
    roles: tuple[Role, ...] = ()
    counts: Literal["requests", "tokens", "events", "documents", "slices"]
    fields: tuple[
        Literal["name", "sli", "target", "mode", "threshold", "source", "good", "bad", "total", "rate", "slice"], ...
    ]
    long_windows_from: DurationText | None = None
    short_windows_from: DurationText | None = None
    breach: Literal["ttft_breach", "itl_jitter_breach", "incomplete_response", "hard_timeout", "error"] | None = None
    user: str

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if (self.kind != "counters") != bool(self.roles):
            raise ValueError(f"{self.name}: histograms and slices are read from engine roles, counters from selectors")
        if (self.unit is not None) != ("threshold" in self.fields):
            raise ValueError(f"{self.name}: a threshold has a unit, and nothing else has")
        return self


@cache
def load_slis() -> dict[str, Sli]:
    """The SLIs by name, in the order of the file, which is read once.

    Raises:
        ValueError: the file is not what `Sli` takes, which is a fault of the package.
        OSError: the file is not there, which is a fault of the installation.
    """
    entries = read_trusted(builtin_path("slis.yaml").read_bytes())
    return {
        name: construct(Sli, {**entry, "name": name, "fields": [*_COMMON_FIELDS, *entry["fields"]]})
        for name, entry in entries.items()
    }
