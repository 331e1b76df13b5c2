"""The engine that a spec names, in its version; or why it cannot be read."""

from __future__ import annotations

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.engine import Engine
from slo_compiler.documents.inference_slo import EngineReference
from slo_compiler.engine_versions import UnknownVersion, known_versions, resolve_engine
from slo_compiler.engines import ResolvedEngine
from slo_compiler.load.source_map import Path
from slo_compiler.resolve import measure
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.findings import Findings

_WHERE: Path = ("spec", "engine")


def find_engine(reference: EngineReference, environment: Environment, findings: Findings) -> ResolvedEngine | None:
    """The engine of `spec.engine`; None with a finding where it, its version or its generation is not known."""
    known = environment.engines.get(reference.name)
    if known is None:
        if not environment.definitions.is_broken("Engine", reference.name):
            measure.unknown_engine(reference.name, sorted(environment.engines), (*_WHERE, "name"), findings)
        return None
    path: Path = (*_WHERE, "version")
    try:
        engine = environment.engine_in(reference.name, reference.version, reference.generation)
    except UnknownVersion as fault:
        if _blames_generation(reference, known):
            others = [name for name in known.spec.generations if name != reference.generation]
            hint = f"generation: {others[0]}" if len(others) == 1 else f"generations: {', '.join(others)}"
            findings.error(Code.SLO401, (*_WHERE, "generation"), str(fault), hint)
        else:
            versions = ", ".join(known_versions(known))
            findings.error(Code.SLO401, path, str(fault), f"known versions: {versions}")
        return None
    if engine.notice:
        hint = f'version: "{engine.version}"' if engine.version else "leave version out"
        findings.warning(Code.SLO401, path, engine.notice, hint)
    return engine


def _blames_generation(reference: EngineReference, known: Engine) -> bool:
    """Whether the version is known, in another generation of the engine than the one that is asked for."""
    for name in known.spec.generations:
        try:
            resolve_engine(known, reference.version, generation=name)
        except UnknownVersion:
            continue
        return True
    return False
