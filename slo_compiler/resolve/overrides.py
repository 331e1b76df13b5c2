"""What a repository defines itself, laid over what ships with the compiler: catalogs, engines and policies."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, cast

from slo_compiler.catalog import Catalog, CatalogSpec, overlay_catalog
from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.documents.engine import Engine
from slo_compiler.documents.policy import BurnRatePolicy
from slo_compiler.documents.sourced import sourced_values
from slo_compiler.ir import Steps
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.definitions import Definition, Definitions
from slo_compiler.resolve.findings import Findings
from slo_compiler.resolve.windows import LONGEST_WAIT, steps_of, window_of
from slo_compiler.units import Duration

# Section of a catalog document -> what one entry of it is called.
_SECTIONS = {"experienceClasses": "experience class", "trafficProfiles": "traffic profile", "useCases": "use case"}

_KEEP_BOTH = "to keep both, choose another name, such as own-{name}"
# An instant selector finds no sample that is older.
_LOOKBACK_SECONDS = 300
_LEAST_STEP_SECONDS = 2
_DAY_SECONDS = 86400


def catalog_of(builtin: Catalog, definitions: Definitions) -> tuple[Catalog, list[Diagnostic]]:
    """The built-in catalog with every `ExperienceCatalog` of the run laid over it, by name; and what is wrong there."""
    catalog = builtin
    found: list[Diagnostic] = []
    for definition in definitions.of_kind("ExperienceCatalog"):
        findings = Findings(definition.source)
        spec = CatalogSpec.read(definition.source.data["spec"])
        origin = f"catalog {definition.source.name} ({definition.source.path})"
        for key, title in spec.sources.items():
            if catalog.sources.get(key, title) != title:
                message = f"source {key} already stands for {catalog.sources[key]!r}"
                findings.error_at_key(Code.SLO205, ("spec", "sources", key), message, f"{key}-2: {title}")
        _say_overrides(catalog, spec, findings)
        catalog = overlay_catalog(catalog, spec, origin)
        found += findings.diagnostics
    for definition in definitions.of_kind("ExperienceCatalog"):
        findings = Findings(definition.source)
        _check_names(catalog, CatalogSpec.read(definition.source.data["spec"]), findings)
        found += findings.diagnostics
    return catalog, found


def _say_overrides(catalog: Catalog, spec: CatalogSpec, findings: Findings) -> None:
    for section, kind in _SECTIONS.items():
        known: Mapping[str, Any] = catalog.section(kind)
        for name, entry in getattr(spec, _snake(section)).items():
            if name in known:
                message = f"{kind} {name} takes the place of the one in the {catalog.origin(kind, name)}"
                differences = ", ".join(_differences(known[name], entry))
                message += f": {differences}" if differences else ""
                findings.info_at_key(Code.SLO310, ("spec", section, name), message, _KEEP_BOTH.format(name=name))


def _differences(old: object, new: object) -> Iterator[str]:
    """What changes for the specs that name the entry: `ttft 200ms instead of 150ms`."""
    before = {path: value.value for path, value in sourced_values(old)}
    after = {path: value.value for path, value in sourced_values(new)}
    for path in after:
        if path in before and before[path] != after[path] and path not in ("title", "rationale", "userExpectation"):
            yield f"{path} {after[path]} instead of {before[path]}"


def _check_names(catalog: Catalog, spec: CatalogSpec, findings: Findings) -> None:
    for name, use_case in spec.use_cases.items():
        path: Path = ("spec", "useCases", name)
        wanted = (("experienceClass", use_case.experience_class.value, "experience class"),)
        for field, value, kind in (*wanted, ("trafficProfile", use_case.traffic_profile.value, "traffic profile")):
            if value not in catalog.section(kind):
                hint = did_you_mean(value, catalog.section(kind))
                findings.error(Code.SLO204, (*path, field, "value"), f"unknown {kind} {value}", hint)


def engines_of(
    builtin: Mapping[str, Engine], definitions: Definitions
) -> tuple[Mapping[str, Engine], list[Diagnostic]]:
    """The built-in engines with every `Engine` document of the run, which takes the place of one of its name."""
    engines: dict[str, Engine] = {}
    found = []
    for definition in definitions.of_kind("Engine"):
        assert isinstance(definition.document, Engine)
        name = definition.document.metadata.name
        if name in builtin:
            findings = Findings(definition.source)
            findings.info(Code.SLO310, ("metadata", "name"), f"engine {name} takes the place of the one that ships", "")
            found += findings.diagnostics
        engines[name] = definition.document
    return ChainMap(engines, cast(MutableMapping[str, Engine], builtin)), found  # nothing is written to either


def policies_of(
    definitions: Definitions, scrape_interval: Duration
) -> tuple[dict[str, BurnRatePolicy], list[Diagnostic]]:
    """The `BurnRatePolicy` documents of the run that can be evaluated, by name."""
    policies, found = {}, []
    for definition in definitions.of_kind("BurnRatePolicy"):
        findings = _check_policy(definition, scrape_interval)
        found += findings.diagnostics
        assert isinstance(definition.document, BurnRatePolicy)
        if findings.diagnostics:
            definitions.add_broken(definition.source)
        else:
            policies[definition.document.metadata.name] = definition.document
    return policies, found


def _check_policy(definition: Definition, scrape_interval: Duration) -> Findings:
    """Steps must be whole seconds that hold a scrape, and every window a multiple of its step."""
    findings = Findings(definition.source)
    assert isinstance(definition.document, BurnRatePolicy)
    spec = definition.document.spec
    for field, step in (("fast", spec.steps.fast), ("slow", spec.steps.slow)):
        if step.seconds != int(step.seconds):
            message, hint = f"a step of {step} is no whole number of seconds", f"{field}: 30s"
            findings.error(Code.SLO203, ("spec", "steps", field), message, hint)
    if findings.diagnostics:
        return findings
    if spec.steps.fast.seconds < _LEAST_STEP_SECONDS:
        message = f"a fast step of {spec.steps.fast} is under {_LEAST_STEP_SECONDS}s, which no server keeps up with"
        findings.error(Code.SLO203, ("spec", "steps", "fast"), message, "fast: 30s")
    elif steps_of(definition.document, scrape_interval).fast < scrape_interval.seconds:
        message = (
            f"a fast step of {spec.steps.fast} is shorter than the scrape interval of {scrape_interval}: "
            "most of its tiles would hold no scrape"
        )
        findings.error(
            Code.SLO203, ("spec", "steps", "fast"), message, f"fast: {Duration(2 * scrape_interval.seconds)}"
        )
    if findings.diagnostics:
        return findings
    slow = spec.steps.slow.seconds
    # Windows are half a step short, and whole seconds.
    if slow % spec.steps.fast.seconds or slow >= _LOOKBACK_SECONDS or _DAY_SECONDS % slow or slow % 2:
        message = (
            f"the slow step of {spec.steps.slow} must be a multiple of the fast one ({spec.steps.fast}), divide a day, "
            "be an even number of seconds and be shorter than the lookback of 5m"
        )
        findings.error(Code.SLO203, ("spec", "steps", "slow"), message, "steps: {fast: 30s, slow: 4m}")
        return findings
    steps = steps_of(definition.document, scrape_interval)
    for index, tier in enumerate(spec.tiers):
        for field, window in (("longWindow", tier.long_window), ("shortWindow", tier.short_window)):
            _check_window(window, steps, ("spec", "tiers", index, field), findings)
        for field, wait in (("for", tier.for_), ("keepFiringFor", tier.keep_firing_for)):
            if wait is not None and wait.seconds > LONGEST_WAIT:
                message = f"{field} of {wait} is over a day: no alert waits so long"
                findings.error(Code.SLO203, ("spec", "tiers", index, field), message, f"{field}: 15m")
    return findings


def _check_window(window: Duration, steps: Steps, path: Path, findings: Findings) -> None:
    try:
        window_of(window, steps)
    except ValueError as fault:
        message, _, hint = str(fault).partition("; ")
        findings.error(Code.SLO203, path, message, hint or "windows are multiples of their step, at least two of them")


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
