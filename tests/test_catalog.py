"""The built-in catalog: complete, within its own ceilings, each value with its source, each choice with its reason."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
import yaml
from _pytest.mark import ParameterSet
from pydantic import ValidationError

from slo_compiler import catalog as shipped
from slo_compiler import formulas, shipped_catalog
from slo_compiler.catalog import Catalog, CatalogSpec, Sourced, UseCase
from slo_compiler.documents import catalog as documents
from slo_compiler.documents.catalog import ExperienceCatalog
from slo_compiler.documents.sourced import sourced_values
from slo_compiler.resources import builtin_path
from slo_compiler.shipped_catalog import load_builtin_catalog
from slo_compiler.units import Duration
from tests.merged_catalog import merge_catalog

CATALOG = load_builtin_catalog()
FILES = sorted(builtin_path("catalog").glob("*.yaml"))
PARTS = {
    "experienceClasses": CATALOG.experience_classes,
    "trafficProfiles": CATALOG.traffic_profiles,
    "useCases": CATALOG.use_cases,
    "adjustments": CATALOG.adjustments,
}
VALUES = list(sourced_values(PARTS))
P95 = {name: use_case for name, use_case in CATALOG.use_cases.items() if use_case.target.value == Decimal("0.95")}
P99 = {name: use_case for name, use_case in CATALOG.use_cases.items() if use_case.target.value == Decimal("0.99")}

each_value = pytest.mark.parametrize(("path", "value"), [pytest.param(path, value, id=path) for path, value in VALUES])
each_use_case = pytest.mark.parametrize("name", list(CATALOG.use_cases))


def named(name: str, *values: object) -> ParameterSet:
    """A row of a table whose first column is its name."""
    return pytest.param(name, *values, id=name)


def e2e_reason(use_case: UseCase) -> str:
    return use_case.e2e.reason if use_case.e2e else ""


def read_file(name: str) -> dict[str, Any]:
    data = yaml.load((builtin_path("catalog") / name).read_bytes(), Loader=yaml.CSafeLoader)
    assert isinstance(data, dict)
    return data


def document(**spec: Any) -> ExperienceCatalog:
    return ExperienceCatalog.model_validate(
        {
            "apiVersion": "slo-compiler/v1",
            "kind": "ExperienceCatalog",
            "metadata": {"name": "ours"},
            "spec": {"sources": {"X": "House rules"}, **spec},
        }
    )


def profile(prompt: int = 700, output: int = 300) -> dict[str, Any]:
    return {
        "promptTokens": {"value": prompt, "source": "X"},
        "outputTokens": {"value": output, "source": "X"},
        "pattern": {"value": "odd", "source": "X"},
    }


# ---- what it holds ----


def test_it_holds_five_classes_four_profiles_and_fifteen_use_cases() -> None:
    assert list(CATALOG.experience_classes) == ["instant", "conversational", "interactive", "deferred", "batch"]
    assert set(CATALOG.traffic_profiles) == {"p512_o256", "p1024_o1024", "p4096_o512", "p10240_o1536"}
    assert (len(P95), len(P99), len(CATALOG.use_cases)) == (9, 6, 15)


def test_it_is_read_once() -> None:
    assert load_builtin_catalog() is CATALOG


def test_it_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        CATALOG.use_cases = {}  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        CATALOG.use_cases["chatbot"].ttft.value = Duration.parse("1s")


@pytest.mark.parametrize(
    ("name", "experience_class", "profile_name", "target", "ttft", "itl", "e2e"),
    [
        named("chatbot", "conversational", "p512_o256", "0.95", "150ms", "25ms", "7s"),
        named("code-completion", "instant", "p512_o256", "0.95", "100ms", "20ms", "5s"),
        named("code-generation", "interactive", "p1024_o1024", "0.95", "300ms", "30ms", "25s"),
        named("translation", "deferred", "p1024_o1024", "0.95", "400ms", "35ms", "35s"),
        named("content-generation", "deferred", "p1024_o1024", "0.95", "500ms", "35ms", "40s"),
        named("summarization-short", "interactive", "p4096_o512", "0.95", "600ms", "30ms", "18s"),
        named("document-rag-qa", "interactive", "p4096_o512", "0.95", "600ms", "30ms", "18s"),
        named("long-document-summarization", "deferred", "p10240_o1536", "0.95", "1s", "40ms", "60s"),
        named("research-legal", "batch", "p10240_o1536", "0.95", "2s", "45ms", "80s"),
        named("interactive-chat", "conversational", "p512_o256", "0.99", "300ms", "50ms", None),
        named("voice-agent", "conversational", "p512_o256", "0.99", "150ms", "30ms", None),
        named("code-completion-inline", "instant", "p512_o256", "0.99", "100ms", "25ms", None),
        named("code-completion-panel", "interactive", "p512_o256", "0.99", "300ms", "50ms", None),
        named("rag-chat", "interactive", "p4096_o512", "0.99", "400ms", "80ms", None),
        named("batch-agent", "batch", "p1024_o1024", "0.99", "3s", "200ms", None),
    ],
)
def test_use_case_promises(
    name: str, experience_class: str, profile_name: str, target: str, ttft: str, itl: str, e2e: str | None
) -> None:
    use_case = CATALOG.use_cases[name]
    assert use_case.experience_class.value == experience_class
    assert use_case.traffic_profile.value == profile_name
    assert use_case.target.value == Decimal(target)
    assert (use_case.ttft.value, use_case.itl.value) == (Duration.parse(ttft), Duration.parse(itl))
    assert (use_case.e2e and use_case.e2e.value) == (e2e and Duration.parse(e2e))


@pytest.mark.parametrize(
    ("name", "base_ttft", "base_itl", "ceiling_ttft", "ceiling_itl"),
    [
        named("instant", "100ms", "20ms", "150ms", "25ms"),
        named("conversational", "150ms", "25ms", "300ms", "30ms"),
        named("interactive", "300ms", "30ms", "600ms", "35ms"),
        named("deferred", "600ms", "35ms", "1s", "40ms"),
        named("batch", "1s", "40ms", "2s", "45ms"),
    ],
)
def test_class_bases_and_ceilings(
    name: str, base_ttft: str, base_itl: str, ceiling_ttft: str, ceiling_itl: str
) -> None:
    experience_class = CATALOG.experience_classes[name]
    assert experience_class.target.value == Decimal("0.95")
    assert str(experience_class.base.ttft.value) == base_ttft
    assert str(experience_class.base.itl.value) == base_itl
    assert str(experience_class.ceilings.ttft.value) == ceiling_ttft
    assert str(experience_class.ceilings.itl.value) == ceiling_itl


def test_classes_get_slower_from_instant_to_batch() -> None:
    latencies = [
        (part.ttft.value, part.itl.value)
        for each in CATALOG.experience_classes.values()
        for part in (each.base, each.ceilings)
    ]
    bases, ceilings = latencies[::2], latencies[1::2]
    assert bases == sorted(bases)
    assert ceilings == sorted(ceilings)
    assert all(base < ceiling for base, ceiling in zip(bases, ceilings, strict=True))


def test_only_batch_has_informational_latencies() -> None:
    informational = [name for name, each in CATALOG.experience_classes.items() if each.latency_is_informational]
    assert informational == ["batch"]


def test_long_chats_have_a_tighter_itl_from_1000_output_tokens() -> None:
    tighter = {name: each.itl_long_outputs for name, each in CATALOG.use_cases.items() if each.itl_long_outputs}
    assert list(tighter) == ["interactive-chat"]
    assert str(tighter["interactive-chat"].value) == "30ms"
    assert tighter["interactive-chat"].from_output_tokens == 1000


def test_a_gpu_stands_in_one_hardware_tier_only() -> None:
    gpus = [gpu for tier in CATALOG.adjustments.hardware.tiers.values() for gpu in tier.gpus.value]
    assert sorted(gpus) == sorted(set(gpus))


# ---- whether it fits together ----


@each_use_case
def test_names_are_kebab_case(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)


@pytest.mark.parametrize("name", list(P95))
def test_p95_use_case_is_within_the_ceilings_of_its_class(name: str) -> None:
    ceilings = CATALOG.experience_classes[P95[name].experience_class.value].ceilings
    assert P95[name].ttft.value <= ceilings.ttft.value
    assert P95[name].itl.value <= ceilings.itl.value


@pytest.mark.parametrize("name", list(P95))
def test_p95_use_case_promises_e2e_over_ttft(name: str) -> None:
    use_case = P95[name]
    assert use_case.e2e is not None
    assert use_case.e2e.value > use_case.ttft.value


@pytest.mark.parametrize(
    ("name", "pure_ms", "ratio"),
    [
        named("chatbot", 6550, "1.069"),
        named("code-completion", 5220, "0.958"),
        named("code-generation", 31020, "0.806"),
        named("translation", 36240, "0.966"),
        named("content-generation", 36340, "1.101"),
        named("summarization-short", 15960, "1.128"),
        named("document-rag-qa", 15960, "1.128"),
        named("long-document-summarization", 62440, "0.961"),
        named("research-legal", 71120, "1.125"),
    ],
)
def test_e2e_against_ttft_and_every_token_at_its_threshold(name: str, pure_ms: int, ratio: str) -> None:
    use_case = P95[name]
    output_tokens = CATALOG.traffic_profiles[use_case.traffic_profile.value].output_tokens.value
    pure = formulas.e2e(use_case.ttft.value.seconds, use_case.itl.value.seconds, output_tokens, overhead=Decimal(1))
    assert pure * 1000 == pure_ms
    assert use_case.e2e is not None
    assert round(use_case.e2e.value.seconds / pure, 3) == Decimal(ratio)


@pytest.mark.parametrize("name", [name for name, each in P95.items() if "mean ITL" in e2e_reason(each)])
def test_the_mean_itl_that_a_reason_names_is_the_one_needed(name: str) -> None:
    use_case = P95[name]
    assert use_case.e2e is not None
    output_tokens = CATALOG.traffic_profiles[use_case.traffic_profile.value].output_tokens.value
    needed = formulas.mean_itl_needed(use_case.e2e.value.seconds, use_case.ttft.value.seconds, output_tokens)
    assert f"under {round(needed * 1000, 1)} ms" in use_case.e2e.reason


# ---- where it comes from ----


def test_values_are_found_by_the_path_of_the_document() -> None:
    paths = [path for path, _ in VALUES]
    assert len(paths) == len(set(paths)) > 150
    assert dict(VALUES)["useCases.chatbot.ttft"] is CATALOG.use_cases["chatbot"].ttft
    assert dict(VALUES)["adjustments.e2e.overheadSteps[2]"] is CATALOG.adjustments.e2e.overhead_steps[2]


@each_value
def test_every_value_has_a_known_source(path: str, value: Sourced[Any]) -> None:
    assert all(CATALOG.source_title(key) for key in value.cited)


@each_value
def test_every_disagreement_has_a_reason(path: str, value: Sourced[Any]) -> None:
    if value.alternatives:
        assert value.reason
    assert str(value.value) not in [alternative.value for alternative in value.alternatives]


@each_value
def test_every_judgement_has_a_reason(path: str, value: Sourced[Any]) -> None:
    if value.source == "J":
        assert value.reason


@pytest.mark.parametrize(
    "path",
    [
        "experienceClasses.interactive.ceilings.ttft",
        "experienceClasses.batch.latencySlis",
        "trafficProfiles.p1024_o1024.outputTokens",
        "useCases.chatbot.experienceClass",
        "useCases.code-generation.trafficProfile",
        "useCases.code-generation.e2e",
        "useCases.translation.experienceClass",
        "useCases.translation.trafficProfile",
        "useCases.translation.e2e",
        "useCases.content-generation.experienceClass",
        "useCases.content-generation.trafficProfile",
        "useCases.content-generation.e2e",
        "useCases.summarization-short.experienceClass",
        "useCases.summarization-short.e2e",
        "useCases.long-document-summarization.experienceClass",
        "useCases.research-legal.experienceClass",
        "useCases.research-legal.e2e",
        "useCases.interactive-chat.target",
        "useCases.code-completion-inline.itl",
        "useCases.rag-chat.ttft",
        "useCases.rag-chat.itl",
        "adjustments.promptLength.alpha",
        "adjustments.throughput.formula",
        "adjustments.gpuCount.exponent",
        "adjustments.hardware.rule",
        "adjustments.hardware.tiers.standard.gpus",
        "adjustments.load.rule",
        "adjustments.e2e.formula",
        "adjustments.e2e.overheadSteps[0]",
        "adjustments.e2e.overheadSteps[1]",
        "adjustments.e2e.overheadSteps[2]",
        "adjustments.rounding.rule",
    ],
)
def test_known_disagreement_shows_what_was_not_taken(path: str) -> None:
    assert dict(VALUES)[path].alternatives


@pytest.mark.parametrize("name", list(P99))
def test_class_and_profile_of_a_p99_use_case_are_marked_as_judgements(name: str) -> None:
    assert (P99[name].experience_class.source, P99[name].traffic_profile.source) == ("J", "J")


def test_an_unknown_source_has_no_title() -> None:
    with pytest.raises(KeyError):
        CATALOG.source_title("Z")


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in FILES])
def test_every_declared_source_is_cited_in_its_file(path: Any) -> None:
    spec = ExperienceCatalog.model_validate(read_file(path.name)).spec
    assert set(spec.sources) == {key for _, value in sourced_values(spec) for key in value.cited}


# ---- what is refused ----


def test_an_undeclared_source_is_named_with_its_place() -> None:
    entry = profile() | {"pattern": {"value": "odd", "source": "Q"}}
    with pytest.raises(ValidationError, match=r"trafficProfiles\.p700_o300\.pattern: source 'Q' is not in"):
        document(trafficProfiles={"p700_o300": entry})


def test_alternatives_need_a_reason() -> None:
    value = {"value": 700, "source": "X", "alternatives": [{"value": 650, "source": "X"}]}
    with pytest.raises(ValidationError, match="`alternatives` without a `reason`"):
        document(trafficProfiles={"p700_o300": profile() | {"promptTokens": value}})


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        pytest.param([{"value": 1, "below": 7, "source": "X"}], "last step", id="no step for large arguments"),
        pytest.param(
            [{"value": 1, "source": "X"}, {"value": 2, "source": "X"}], "needs a `below`", id="a step without a bound"
        ),
        pytest.param(
            [{"value": v, "below": v, "source": "X"} for v in (7, 3)] + [{"value": 2, "source": "X"}],
            "greater than",
            id="bounds that fall",
        ),
        pytest.param([{"value": "many", "source": "X"}], "no number", id="a factor in words"),
        pytest.param([{"value": True, "source": "X"}], "expected a number", id="a factor that is true"),
        pytest.param([{"value": 0, "source": "X"}], "not above zero", id="a factor of zero"),
        pytest.param([{"value": "NaN", "source": "X"}], "not finite", id="a factor that is no number"),
    ],
)
def test_faulty_steps_are_refused(steps: list[dict[str, Any]], message: str) -> None:
    adjustments = read_file("adjustments.yaml")["spec"]["adjustments"] | {"modelSize": {"steps": steps}}
    with pytest.raises(ValidationError, match=message):
        document(adjustments=adjustments)


def test_a_document_may_hold_one_section_only() -> None:
    assert list(document(trafficProfiles={"p700_o300": profile()}).spec.traffic_profiles) == ["p700_o300"]


def test_a_document_survives_being_written_and_read() -> None:
    for path in FILES:
        read = ExperienceCatalog.model_validate(read_file(path.name))
        assert ExperienceCatalog.model_validate(read.model_dump(mode="json", by_alias=True, exclude_unset=True)) == read


def as_text(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: as_text(value) for key, value in data.items()}
    return [as_text(value) for value in data] if isinstance(data, list) else str(data)


def test_numbers_may_be_written_as_text() -> None:
    for path in FILES:
        data = read_file(path.name)
        assert ExperienceCatalog.model_validate(as_text(data)) == ExperienceCatalog.model_validate(data)


def trusted(document: ExperienceCatalog) -> CatalogSpec:
    """A judged document, read as one that ships is."""
    return CatalogSpec.read(as_text(document.model_dump(mode="json", by_alias=True, exclude_unset=True)["spec"]))


def built_in_documents() -> list[CatalogSpec]:
    return [trusted(ExperienceCatalog.model_validate(read_file(path.name))) for path in FILES]


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in FILES])
def test_a_shipped_file_reads_as_its_judged_document_does(path: Any) -> None:
    judged = ExperienceCatalog.model_validate(read_file(path.name)).spec
    read = CatalogSpec.read(yaml.load(path.read_bytes(), Loader=yaml.CBaseLoader)["spec"])
    assert flat(read) == flat(judged)


def flat(part: Any) -> Any:
    """A part with all that is in it as plain data."""
    if hasattr(part, "parts"):
        return {name: flat(entry) for name, entry in part.parts()}
    if isinstance(part, dict):
        return {name: flat(entry) for name, entry in part.items()}
    return [flat(entry) for entry in part] if isinstance(part, tuple) else part


def test_what_is_read_of_shipped_files_has_the_fields_of_the_document() -> None:
    for name, part in vars(shipped).items():
        model = getattr(documents, name, None)
        if isinstance(part, type) and part.__module__ == shipped.__name__ and hasattr(part, "parts") and model:
            kind: Any = part
            keys = [key for key, _, _ in shipped._fields(kind)]
            assert keys == [field.alias for field in model.model_fields.values()], name


def test_what_is_read_section_by_section_is_what_the_documents_hold_together() -> None:
    together = merge_catalog(built_in_documents())
    assert [path.name for path in FILES] == list(shipped_catalog._FILES.values())
    assert list(CATALOG.sources.items()) == list(together.sources.items())
    assert flat(dict(CATALOG.adjustments.parts())) == flat(dict(together.adjustments.parts()))
    for kind in ("experience class", "traffic profile", "use case"):
        assert list(CATALOG.section(kind)) == list(together.section(kind))
        assert flat(dict(CATALOG.section(kind))) == flat(dict(together.section(kind)))


def test_merging_adds_what_a_further_document_holds() -> None:
    merged: Catalog = merge_catalog(
        [*built_in_documents(), trusted(document(trafficProfiles={"p700_o300": profile()}))]
    )
    assert merged.traffic_profiles["p700_o300"].output_tokens.value == 300
    assert merged.source_title("X") == "House rules"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        pytest.param({"trafficProfiles": {"p512_o256": profile()}}, "p512_o256 is defined twice", id="a name twice"),
        pytest.param({"sources": {"A": "Another title"}}, "source A is both", id="a source with two titles"),
        pytest.param(
            {"adjustments": read_file("adjustments.yaml")["spec"]["adjustments"]}
            | {"sources": read_file("adjustments.yaml")["spec"]["sources"]},
            "one document must have the adjustments, 2 do",
            id="the adjustments twice",
        ),
    ],
)
def test_documents_that_contradict_each_other_are_refused(extra: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        merge_catalog([*built_in_documents(), trusted(document(**extra))])


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("experienceClass", "use case odd: no experience class 'unheard-of'"),
        ("trafficProfile", "use case odd: no traffic profile 'unheard-of'"),
    ],
)
def test_a_use_case_with_a_dangling_reference_is_refused(field: str, message: str) -> None:
    spec = read_file("use-cases.yaml")["spec"]
    odd = spec["useCases"]["chatbot"] | {field: {"value": "unheard-of", "source": "J"}}
    with pytest.raises(ValueError, match=message):
        merge_catalog([*built_in_documents(), trusted(document(sources=spec["sources"], useCases={"odd": odd}))])
