"""Servers other than Prometheus that evaluate the rules: the parts of `outputs` that say what they are told."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from slo_compiler.documents.base import DurationText
from slo_compiler.documents.judged import Fault, Judged
from slo_compiler.units import Duration

# Longer, and a page comes too late to be one.
_LONGEST_DELAY = 600


class Mimir(Judged):
    """Mimir and Cortex.

    Attributes:
        namespace_prefix: of the namespace of each rule file, before `<service>.<spec>`.
        query_offset: how far in the past the rules look; unset, the ruler's own, which is 1m in Mimir.
    """

    namespace_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$")] | None = None
    query_offset: DurationText | None = None

    def faults(self) -> Iterator[Fault]:
        """An offset that no server reads, or that no page can wait for."""
        yield from _unfit("queryOffset", self.query_offset)


class Thanos(Judged):
    """Thanos Ruler.

    Attributes:
        partial_response: what becomes of an evaluation where a store does not answer.
        query_offset: how far in the past the rules look; unset, the ruler's own, which is 0s.
    """

    partial_response: Literal["abort", "warn"] = "abort"
    query_offset: DurationText | None = None

    def faults(self) -> Iterator[Fault]:
        """An offset that no server reads, or that no page can wait for."""
        yield from _unfit("queryOffset", self.query_offset)


def _unfit(field: str, delay: Duration | None) -> Iterator[Fault]:
    if delay is None:
        return
    if delay.seconds != delay.seconds.to_integral_value():
        yield Fault((field,), f"{delay} is no whole number of seconds", f"{field}: 30s")
    elif delay.seconds > _LONGEST_DELAY:
        message = f"rules that look {delay} into the past page too late"
        yield Fault((field,), message, f"{field}: 1m, or as long as samples are late")
