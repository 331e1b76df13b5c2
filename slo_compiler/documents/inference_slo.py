"""`InferenceSLO`: the concise kind, one document per model and endpoint."""

import re
import warnings
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from slo_compiler.documents.base import (
    SHARE_SCHEMA,
    Count,
    DurationText,
    JsonSchema,
    Model,
    PercentText,
    PeriodText,
    Positive,
    PositiveCount,
    Rare,
    fresh,
)
from slo_compiler.documents.histograms import HistogramForm, Schema
from slo_compiler.documents.metadata import BoolText, DnsLabel, Metadata

if TYPE_CHECKING:
    from slo_compiler.documents.exemptions import BudgetAdjustmentDocument, ExemptionDocument
    from slo_compiler.documents.waiver import Waiver
else:
    BudgetAdjustmentDocument = Annotated[Any, Rare("slo_compiler.documents.exemptions", "BudgetAdjustmentDocument")]
    ExemptionDocument = Annotated[Any, Rare("slo_compiler.documents.exemptions", "ExemptionDocument")]
    Waiver = Annotated[Any, Rare("slo_compiler.documents.waiver", "Waiver")]


class LabelMatcher(Model):
    """A label matcher other than equality: `{re: "vllm-.*"}` or `{not: canary}`; regular expressions are anchored."""

    re: str | None = None
    not_: Annotated[str | None, Field(alias="not")] = None


# What Prometheus's RE2 lacks, or limits, and the two judges below let pass.
_NOT_RE2 = re.compile(r"(?<!\\)(?:\(\?[a-zA-Z]*[xLu]|\{(?:[0-9]+,)?[0-9]{4,})")


_LONGEST_TEXT = 10_000


def _check_regex(pattern: str) -> None:
    """Judges a label's regular expression by Python's grammar and by a PromQL parser's, which has RE2's limits.

    Raises:
        ValueError: Prometheus would refuse it, and with it the whole rule file.
    """
    import promql_parser

    if len(pattern) > _LONGEST_TEXT:
        raise ValueError(f"a regular expression of over {_LONGEST_TEXT} characters; {_REGEX_HINT}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about brackets that a later Python may read as set operations
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as fault:
        raise ValueError(f"{pattern!r} is no regular expression: {fault}; {_REGEX_HINT}") from None
    text = pattern.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    try:
        promql_parser.parse(f'x{{l=~"{text}"}}')
    except ValueError:
        readable = False
    else:
        readable = _NOT_RE2.search(pattern) is None
    if not readable:
        raise ValueError(f"{pattern!r} is no regular expression that Prometheus reads; {_REGEX_HINT}")


_REGEX_HINT = "write RE2 syntax, without lookaround and backreferences, such as {re: 'vllm-.*'}"


def _read_matcher(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        raise ValueError(f"a label's value of over {_LONGEST_TEXT} characters; rules would repeat it many times")
    if value is None or isinstance(value, str | LabelMatcher):
        return value
    if not isinstance(value, dict):
        raise ValueError("expected text or a matcher; write the label's value, {re: ...} or {not: ...}")
    if len(value) != 1:
        raise ValueError("a matcher says one thing; write one of {re: ...} and {not: ...}")
    if isinstance(value.get("re"), str):
        _check_regex(value["re"])
    return value


def _matcher_form(value: Any) -> str:
    return "mapping" if isinstance(value, dict | LabelMatcher) else "text"


def _check_selected_label(label: str) -> str:
    if label == "le":
        raise ValueError("le is the label of buckets, which the compiler selects itself; remove le")
    if label == "__name__":
        raise ValueError("__name__ is the metric's name, which the engine document gives; remove __name__")
    return label


Matcher = Annotated[
    Annotated[str, Tag("text")] | Annotated[LabelMatcher, Tag("mapping")],
    Discriminator(_matcher_form),
    BeforeValidator(_read_matcher),
]
LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
Selector = dict[Annotated[LabelName, AfterValidator(_check_selected_label)], Matcher]


class EngineReference(Model):
    """The program whose metrics are read. `version` is kept as it is written: `0.10` is not `0.1`.

    Attributes:
        histograms: how its histograms arrive; unset, as `prometheus.histograms` of the configuration says.
        coarsest_schema: of exponential ones; unset, as the configuration says.
    """

    name: str
    version: str | None = None
    generation: Literal["v0", "v1"] = "v1"
    histograms: HistogramForm | None = None
    coarsest_schema: Schema | None = None


class Traffic(Model):
    """What requests look like; facts that steer only what they name.

    Attributes:
        streaming: whether the promises are about streamed answers; written, it selects them where the engine's metrics
            tell the two apart.
    """

    prompt_tokens: PositiveCount | None = None
    output_tokens: PositiveCount | None = None
    streaming: BoolText = True
    requests_per_hour: Positive | None = None


class Hardware(Model):
    """What it runs on; changes no promise unless `adjust` asks for it."""

    tier: Literal["premium", "standard", "cost-optimized"] | None = None
    gpu_count: PositiveCount | None = None
    model_parameters_b: Positive | None = None


class TimeWindow(Model):
    """The SLO's period."""

    duration: PeriodText
    is_rolling: BoolText = True


class Source(Model):
    """Where an objective's events are counted, as PromQL selectors of counters."""

    good: str | None = None
    bad: str | None = None
    total: str | None = None
    due: str | None = None
    on_time: str | None = None
    pending_age: str | None = None
    engine: str | None = None
    selector: Selector | None = None


# Of 0% and 100% no budget is left, or none is needed: a target is refused once it is known where it comes from.
_TARGET_SCHEMA = {
    "anyOf": [
        {**SHARE_SCHEMA, "pattern": r"^(?=.*[1-9])0?[0-9]{1,2}(\.[0-9]{1,9})? ?%$"},
        {"type": "null"},
    ]
}


class Objective(Model):
    """One SLI with its threshold and target. Which fields belong to which SLI is said by `builtin/slis.yaml`."""

    name: DnsLabel | None = None
    sli: str
    threshold: DurationText | None = None
    target: Annotated[PercentText | None, JsonSchema(_TARGET_SCHEMA)] = None
    source: Source | None = None
    good: str | None = None
    bad: str | None = None
    total: str | None = None
    rate: Positive | None = None
    slice: DurationText | None = None
    mode: Literal["page", "ticket", "none"] | None = None


class Variant(Model):
    """The same model on other replicas, with objectives of its own: spot nodes, a canary, another region.

    Attributes:
        selector: what tells its series from the others; added to the spec's selector.
    """

    name: DnsLabel
    selector: Annotated[Selector, Field(min_length=1)]
    objectives: Annotated[list[Objective], Field(min_length=1)]


class GroupBy(Model):
    """One SLO per value of these labels, instead of one over all of them.

    Attributes:
        labels: of the series that the objectives read.
        max_groups: without `allow`, so many groups are recorded, those with the most traffic.
        allow: the values that are read at all; only where one label is named.
    """

    labels: Annotated[list[LabelName], Field(min_length=1)]
    max_groups: Annotated[int, Field(ge=1, le=1000)] = 50
    allow: Annotated[list[str], Field(min_length=1)] | None = None


class Alerting(Model):
    """How the spec alerts.

    Attributes:
        policy: the name of a `BurnRatePolicy`, or a list of names of OpenSLO alert policies.
        worst_replica: whether the worst replica of each engine SLI is recorded, and a ticket; unset, as configured.
        degradation: whether the degradation level of each TTFT promise is recorded; unset, as configured.
    """

    policy: str | Annotated[list[str], Field(min_length=1)] | None = None
    mode: Literal["page", "ticket", "none"] | None = None
    expect_idle: BoolText = False
    queue_waiting_per_replica: Positive | None = None
    min_bad_events: Count | None = None
    worst_replica: BoolText | None = None
    degradation: BoolText | None = None
    labels: dict[Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")], str] = Field(default_factory=fresh(dict))


# Each adjustment costs another look at the period at every evaluation; those that the period has left can go.
_MOST_ADJUSTMENTS = 12
# Parts of a request's way that a latency budget may name: what lies before, around or in front of the engine's work.
BudgetPart = Literal["network", "gateway", "safety", "retrieval", "tokenization", "queue", "prefill"]


class InferenceSLOSpec(Model):
    """The promise for one model and endpoint."""

    description: Annotated[str, Field(max_length=1050)] | None = None
    service: DnsLabel
    model: Annotated[str, Field(min_length=1)]
    served_model_name: Annotated[str, Field(min_length=1)] | None = None
    endpoint: str | None = None
    engine: EngineReference
    selector: Selector = Field(default_factory=fresh(dict))
    experience_class: str | None = None
    use_case: str | None = None
    traffic: Traffic = Field(default_factory=fresh(Traffic))
    hardware: Hardware = Field(default_factory=fresh(Hardware))
    load: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    adjust: list[Literal["promptLength", "hardware", "gpuCount", "modelSize", "load"]] = Field(
        default_factory=fresh(list)
    )
    stage: Literal["production", "preproduction", "dev"] = "production"
    time_window: Annotated[list[TimeWindow], Field(min_length=1, max_length=1)] | None = None
    bucket_policy: Literal["ceil", "floor", "exact"] = "ceil"
    group_by: GroupBy | None = None
    objectives: Annotated[list[Objective], Field(min_length=1)]
    alerting: Alerting = Field(default_factory=fresh(Alerting))
    latency_budget: dict[BudgetPart, DurationText] = Field(default_factory=fresh(dict))
    waivers: list[Waiver] = Field(default_factory=fresh(list))
    long_term: BoolText = False
    variants: list[Variant] = Field(default_factory=fresh(list))
    exemptions: list[ExemptionDocument] = Field(default_factory=fresh(list))
    budget_adjustments: Annotated[list[BudgetAdjustmentDocument], Field(max_length=_MOST_ADJUSTMENTS)] = Field(
        default_factory=fresh(list)
    )
    reset_on_change: BoolText = False
    capacity: Annotated[Any, Rare("slo_compiler.documents.capacity", "Capacity")] = None
    replica_label: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] | None = None
    autoscaling: Annotated[Any, Rare("slo_compiler.documents.autoscaling", "Autoscaling")] = None
    scraping: Annotated[Any, Rare("slo_compiler.documents.scraping", "Scraping")] = None


class InferenceSLO(Model):
    """SLOs of one model behind one endpoint."""

    api_version: Literal["slo-compiler/v1"]
    kind: Literal["InferenceSLO"]
    metadata: Metadata
    spec: InferenceSLOSpec
