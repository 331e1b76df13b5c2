"""`TrafficScenario`: what happens to the simulated servers of `simulate-exporter`, phase by phase."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from slo_compiler.documents.base import DurationText, Model, PercentText, Positive
from slo_compiler.documents.metadata import BoolText, Metadata
from slo_compiler.documents.sight import LabelName
from slo_compiler.units import Duration, parse_decimal

_MOST_PER_SECOND = 1000
_MOST_TOKENS = 1_000_000
_NONE = parse_decimal("0")

PerSecond = Annotated[float, Field(ge=0, le=_MOST_PER_SECOND, allow_inf_nan=False)]
TokenCount = Annotated[int, Field(ge=1, le=_MOST_TOKENS)]


class TrafficPhase(Model):
    """A time of one kind of traffic and of one health of the servers.

    Attributes:
        for_: how long; only the last phase may leave it out, and then lasts.
        requests_per_second: on average, of all replicas together; requests arrive independently of each other.
        prompt_tokens: on average.
        output_tokens: on average; an answer ends at twice as many.
        prefill_tokens_per_second: how fast a replica reads a prompt, once it begins.
        inter_token_latency: between two tokens, on average.
        spread: of lengths and times, the sigma of a log-normal distribution; 0 makes all alike.
        failures: share of the requests that end with an error of the engine.
        aborts: share of the requests whose client leaves before the time that the answer would take.
        rejections: share of the requests that are refused as they arrive.
        stalled: requests arrive, run and wait, and none gets a token or an end.
        unreachable: the servers are gone; what they were doing and what arrives is in no counter.
        pod_lifetime: on average, until a replica is replaced by one whose counters begin at 0.
        upgrade_to: a version, `next` or `newest` of those that are known, to which one replica after another is
            upgraded over the phase.
    """

    for_: Annotated[DurationText | None, Field(alias="for")] = None
    requests_per_second: PerSecond = 4
    prompt_tokens: TokenCount = 512
    output_tokens: TokenCount = 128
    prefill_tokens_per_second: Positive = 8000
    inter_token_latency: DurationText = Duration.parse("15ms")
    spread: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)] = 0.3
    failures: PercentText = _NONE
    aborts: PercentText = _NONE
    rejections: PercentText = _NONE
    stalled: BoolText = False
    unreachable: BoolText = False
    pod_lifetime: DurationText | None = None
    upgrade_to: Annotated[str, Field(min_length=1, max_length=63)] | None = None


class TrafficScenarioSpec(Model):
    """The content.

    Attributes:
        labels: values of labels, by their names, where the usual ones will not do.
        concurrency: so many requests run at once on a replica, the others wait.
        repeat: whether the first phase follows the last.
    """

    description: Annotated[str, Field(max_length=1050)] | None = None
    labels: dict[LabelName, str] = Field(default_factory=dict)
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = 32
    repeat: BoolText = False
    phases: Annotated[tuple[TrafficPhase, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _phases_end(self) -> Self:
        last = len(self.phases) if self.repeat else len(self.phases) - 1
        for index, phase in enumerate(self.phases[:last]):
            if phase.for_ is None:
                raise ValueError(f"phase {index + 1} never ends, and another follows; give it a time, such as for: 10m")
        for index, phase in enumerate(self.phases):
            if phase.upgrade_to is not None and phase.for_ is None:
                raise ValueError(f"phase {index + 1} upgrades, and never ends; give it a time, such as for: 10m")
        return self


class TrafficScenario(Model):
    """A scenario of `simulate-exporter`."""

    api_version: Literal["slo-compiler/v1"]
    kind: Literal["TrafficScenario"]
    metadata: Metadata
    spec: TrafficScenarioSpec
