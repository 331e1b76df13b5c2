"""The catalog as one value: the data of its documents goes in, a frozen `Catalog` comes out.

The documents were judged before, or ship with the package (`shipped_catalog`), so that their fields are read as they are:
`documents.catalog` says what a catalog may hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from types import MappingProxyType, UnionType
from typing import Any, Generic, NamedTuple, Self, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from slo_compiler.units import Duration, parse_percent

Entry = TypeVar("Entry")
T = TypeVar("T")
_NONE: Mapping[str, Any] = MappingProxyType({})
_BUILT_IN = "built-in catalog"


class _Part:
    """A part of a catalog: its annotations say what it holds, and a class attribute what it holds where that is absent."""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """The part from its data, all scalars of which are text."""
        return _read_fields(cls, data, {})

    def parts(self) -> Iterator[tuple[str, Any]]:
        """The fields as the document names them."""
        kind: Any = type(self)
        for key, name, _ in _fields(kind):
            yield key, getattr(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} is frozen")


class Alternative(_Part):
    """What a source says instead: a value, several, or a few words."""

    value: str | tuple[str, ...]
    source: str


class Sourced(_Part, Generic[T]):
    """A value and where it came from. `source` is a key of the catalog's `sources`, such as `A`."""

    value: T
    source: str
    also_in: tuple[str, ...] = ()
    reason: str = ""
    alternatives: tuple[Alternative, ...] = ()

    @property
    def cited(self) -> tuple[str, ...]:
        """Every source key that the value mentions: its own, those that agree, those of the alternatives."""
        return (self.source, *self.also_in, *(alternative.source for alternative in self.alternatives))


class TokenLatencies(_Part):
    """Time to first token, and time per output token after it."""

    ttft: Sourced[Duration]
    itl: Sourced[Duration]


class ExperienceClass(_Part):
    """How fast an interaction must feel."""

    user_expectation: Sourced[str]
    rationale: Sourced[str]
    target: Sourced[Decimal]
    base: TokenLatencies
    ceilings: TokenLatencies
    latency_slis: Sourced[str] | None = None

    @property
    def latency_is_informational(self) -> bool:
        """Whether token latencies are recorded and shown, but never paged."""
        return self.latency_slis is not None and self.latency_slis.value == "informational"


class TrafficProfile(_Part):
    """The shape of the traffic, in tokens per request."""

    prompt_tokens: Sourced[int]
    output_tokens: Sourced[int]
    pattern: Sourced[str]


class LongOutputLatency(Sourced[Duration]):
    """A latency that holds from so many output tokens on."""

    from_output_tokens: int


class UseCase(_Part):
    """What people do with the model, and the latencies at which it feels right."""

    title: Sourced[str]
    rationale: Sourced[str] | None = None
    experience_class: Sourced[str]
    traffic_profile: Sourced[str]
    target: Sourced[Decimal]
    ttft: Sourced[Duration]
    itl: Sourced[Duration]
    e2e: Sourced[Duration] | None = None
    itl_long_outputs: LongOutputLatency | None = None


class FactorStep(Sourced[Decimal]):
    """A factor for arguments below a bound, which is exclusive; the last step of a list has none."""

    below: Decimal | None = None


class PromptLengthAdjustment(_Part):
    """How TTFT grows with the prompt."""

    rule: Sourced[str]
    formula: Sourced[str]
    base_prompt_tokens: Sourced[int]
    alpha: Sourced[Decimal]


class ThroughputRelation(_Part):
    """How ITL follows from throughput."""

    formula: Sourced[str]


class GpuCountAdjustment(_Part):
    """How ITL falls with the number of GPUs."""

    formula: Sourced[str]
    exponent: Sourced[Decimal]


class HardwareTier(_Part):
    """GPUs of one tier, and the factor on latencies."""

    factor: Sourced[Decimal]
    gpus: Sourced[tuple[str, ...]]


class HardwareAdjustment(_Part):
    """Factors by tier of hardware."""

    rule: Sourced[str]
    tiers: dict[str, HardwareTier]


class ModelSizeAdjustment(_Part):
    """Factors by billions of parameters."""

    steps: tuple[FactorStep, ...]


class LoadAdjustment(_Part):
    """Factors by utilization, from 0."""

    steps: tuple[FactorStep, ...]
    rule: Sourced[str]
    unknown_capacity_utilization: Sourced[Decimal]


class EndToEnd(_Part):
    """How E2E follows from TTFT and ITL; the steps are by output tokens."""

    formula: Sourced[str]
    overhead_steps: tuple[FactorStep, ...]


class Rounding(_Part):
    """When and how computed latencies are rounded."""

    rule: Sourced[str]


class Adjustments(_Part):
    """The parameters of all formulas."""

    prompt_length: PromptLengthAdjustment
    throughput: ThroughputRelation
    gpu_count: GpuCountAdjustment
    hardware: HardwareAdjustment
    model_size: ModelSizeAdjustment
    load: LoadAdjustment
    e2e: EndToEnd
    rounding: Rounding


class CatalogSpec(_Part):
    """The content of one document, which may hold any of the sections."""

    sources: dict[str, str]
    experience_classes: Mapping[str, ExperienceClass] = _NONE
    traffic_profiles: Mapping[str, TrafficProfile] = _NONE
    use_cases: Mapping[str, UseCase] = _NONE
    adjustments: Adjustments | None = None


class Catalog(NamedTuple):
    """Classes, use cases, traffic profiles and formula parameters by name; every leaf is a `Sourced` value."""

    sources: Mapping[str, str]
    experience_classes: Mapping[str, ExperienceClass]
    traffic_profiles: Mapping[str, TrafficProfile]
    use_cases: Mapping[str, UseCase]
    adjustments: Adjustments
    origins: Mapping[tuple[str, str], str] = MappingProxyType({})

    def section(self, kind: str) -> Mapping[str, Any]:
        """The entries of a kind by name.

        Args:
            kind: `experience class`, `traffic profile` or `use case`.
        """
        return {
            "experience class": self.experience_classes,
            "traffic profile": self.traffic_profiles,
            "use case": self.use_cases,
        }[kind]

    def origin(self, kind: str, name: str) -> str:
        """Which catalog an entry is from: `built-in catalog`, or a repository's own."""
        return self.origins.get((kind, name), _BUILT_IN)

    def source_title(self, key: str) -> str:
        """The title of a source.

        Args:
            key: the key that a `Sourced` value carries, such as `A`.

        Raises:
            KeyError: the catalog has no such source.
        """
        return self.sources[key]


def overlay_catalog(catalog: Catalog, spec: CatalogSpec, origin: str) -> Catalog:
    """The catalog with a repository's own entries, which take the place of entries of their names.

    Args:
        origin: what provenance calls the document: `catalog acme (specs/catalog.yaml)`.
    """
    sections = {
        "experience class": spec.experience_classes,
        "traffic profile": spec.traffic_profiles,
        "use case": spec.use_cases,
    }
    named = {(kind, name): origin for kind, entries in sections.items() for name in entries}
    return Catalog(
        {**spec.sources, **catalog.sources},
        {**catalog.experience_classes, **spec.experience_classes},
        {**catalog.traffic_profiles, **spec.traffic_profiles},
        {**catalog.use_cases, **spec.use_cases},
        spec.adjustments or catalog.adjustments,
        {**catalog.origins, **named},
    )


# ---- text to values, by annotation ----

Part = TypeVar("Part", bound=_Part)
Read = Callable[[Any], Any]


def _read_number(text: str) -> Decimal:
    return parse_percent(text) if text.endswith("%") else Decimal(text)


def _read_words(data: str | list[str]) -> str | tuple[str, ...]:
    return data if isinstance(data, str) else tuple(data)


_SCALARS: dict[Any, Read] = {str: _read_words, int: int, Decimal: _read_number, Duration: Duration.parse}


def _read_fields(part: type[Part], data: Mapping[str, Any], own: Mapping[str, Read]) -> Part:
    """A part of the fields that its data has; `own` reads those whose type only the place of the part tells."""
    found, kind = part.__new__(part), cast(Any, part)
    values = found.__dict__
    for key, name, read in _fields(kind):
        if data.get(key) is not None:
            values[name] = own.get(name, read)(data[key])
    return found


@cache
def _fields(part: Any) -> tuple[tuple[str, str, Read], ...]:
    """Key in the document, name and reader of every field; inherited ones first."""
    return tuple((_camel(name), name, _reader(hint)) for name, hint in get_type_hints(part).items())


@cache
def _reader(hint: Any) -> Read:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _reader(arguments[0])
    if origin is tuple:
        item = _reader(arguments[0])
        return lambda data: tuple(item(entry) for entry in data)
    if origin in (dict, Mapping):
        item = _reader(arguments[1])
        return lambda data: {name: item(entry) for name, entry in data.items()}
    if origin is Sourced:
        own = {"value": _reader(arguments[0])}
        return lambda data: _read_fields(Sourced, data, own)
    if isinstance(hint, type) and issubclass(hint, Sourced):
        own = {"value": _reader(get_args(hint.__orig_bases__[0])[0])}  # type: ignore[attr-defined]
        return lambda data: _read_fields(hint, data, own)
    if isinstance(hint, type) and issubclass(hint, _Part):
        return hint.read
    return _SCALARS.get(hint, _read_words)


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)
