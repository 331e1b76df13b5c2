"""The `capacity` block of a spec: load, service times and hardware limits. A fact that changes no rule."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from slo_compiler.documents.base import Model, Positive, PositiveCount
from slo_compiler.documents.judged import absent, either_of, given

NotNegative = Annotated[float, Field(ge=0, le=1_000_000_000_000, allow_inf_nan=False)]
TraceFile = Annotated[str, Field(min_length=1, max_length=1024)]


class Spread(Model):
    """Lengths that are lognormal: a mean and a coefficient of variation."""

    mean: Positive
    cv: NotNegative


class Quantiles(Model):
    """Lengths that are known by their quantiles, from the median up."""

    quantiles: Annotated[dict[Literal["p50", "p75", "p90", "p95", "p99"], Positive], Field(min_length=1)]


class Trace(Model):
    """Lengths as a file of measured requests has them."""

    trace: TraceFile


def _length_form(value: Any) -> str:
    if isinstance(value, dict):
        return next((name for name in ("quantiles", "trace") if name in value), "spread")
    if isinstance(value, Spread | Quantiles | Trace):
        return {Spread: "spread", Quantiles: "quantiles", Trace: "trace"}[type(value)]
    return "number"


Length = Annotated[
    Annotated[Positive, Tag("number")]
    | Annotated[Spread, Tag("spread")]
    | Annotated[Quantiles, Tag("quantiles")]
    | Annotated[Trace, Tag("trace")],
    Discriminator(_length_form),
]


class Batch(Model):
    """Requests that arrive together."""

    mean: Positive
    distribution: Literal["geometric", "constant", "empirical"] = "geometric"


class BatchArrivals(Model):
    """Arrivals in batches."""

    batch: Batch


def _read_arrivals(value: Any) -> Any:
    if isinstance(value, str) and value != "poisson":
        raise ValueError(f"{value!r} is no way to arrive; write poisson, or {{batch: {{mean: 100}}}}")
    return value


class Load(Model):
    """What arrives.

    Attributes:
        requests_per_second: at the peak.
        requests_per_hour: instead of it, for batches.
        prompt_tokens: per request.
        output_tokens: per request.
    """

    model_config = ConfigDict(
        json_schema_extra=either_of(
            {"allOf": [given("requestsPerSecond"), absent("requestsPerHour")]},
            {"allOf": [given("requestsPerHour"), absent("requestsPerSecond")]},
        )
    )

    requests_per_second: Positive | None = None
    requests_per_hour: Positive | None = None
    arrivals: Annotated[
        Annotated[Literal["poisson"], Tag("text")] | Annotated[BatchArrivals, Tag("mapping")],
        Discriminator(lambda value: "mapping" if isinstance(value, dict | BatchArrivals) else "text"),
        BeforeValidator(_read_arrivals),
    ] = "poisson"
    prompt_tokens: Length | None = None
    output_tokens: Length | None = None

    @model_validator(mode="after")
    def _one_rate(self) -> Load:
        if (self.requests_per_second is None) == (self.requests_per_hour is None):
            raise ValueError("one rate is needed; give requestsPerSecond or requestsPerHour")
        return self


class Prefill(Model):
    """The time of a prompt: a fixed part and one per token, in seconds."""

    seconds_per_token: Positive
    fixed_seconds: NotNegative = 0


class Decode(Model):
    """The time of a token in seconds, and how it grows with the sequences and the tokens held in the cache."""

    seconds_per_token: Positive
    per_running: NotNegative = 0
    per_kv_token: NotNegative = 0


class Service(Model):
    """What one replica can do.

    Attributes:
        kv_cache_tokens: per replica.
        max_concurrent_sequences: per replica.
    """

    prefill: Prefill
    decode: Decode
    kv_cache_tokens: PositiveCount | None = None
    max_concurrent_sequences: PositiveCount | None = None


class Price(Model):
    """What a replica costs."""

    per_replica_hour: NotNegative
    hours_per_month: Positive = 720


class Capacity(Model):
    """Facts for questions of capacity.

    Attributes:
        router: how requests are spread over replicas.
        replicas: judged, where given, instead of sized.
    """

    load: Load
    service: Service
    router: Literal["random", "round-robin", "least-requests"] = "random"
    replicas: PositiveCount | None = None
    price: Price | None = None
