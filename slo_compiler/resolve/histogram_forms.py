"""How the histograms of a spec's engine arrive: as classic series, or as native ones."""

from __future__ import annotations

from slo_compiler.diagnostics.codes import Code
from slo_compiler.documents.config import Config
from slo_compiler.documents.histograms import reads_native, which_server
from slo_compiler.documents.inference_slo import EngineReference
from slo_compiler.ir import Native
from slo_compiler.load.source_map import Path
from slo_compiler.resolve.findings import Findings

_WHERE: Path = ("spec", "engine")


def native_of(reference: EngineReference, config: Config) -> Native | None:
    """The native histograms that a spec reads; None where it reads classic ones."""
    form = reference.histograms or config.prometheus.histograms
    if form == "classic":
        return None
    if form == "custom-buckets":
        return Native()
    own = reference.coarsest_schema
    return Native(own if own is not None else config.prometheus.coarsest_schema)


def check_form(reference: EngineReference, config: Config, findings: Findings) -> None:
    """Says where the server cannot read what a spec asks for, and where a schema means nothing."""
    native, version = native_of(reference, config), config.prometheus.version
    if native is not None and not reads_native(version) and reference.histograms is not None:
        message = f"{reference.histograms} histograms need Prometheus 3 to read them, and {which_server(version)}"
        hint = 'prometheus: {version: "3.5"} in slo-compiler.yaml, or histograms: classic'
        findings.error(Code.SLO206, (*_WHERE, "histograms"), message, hint)
    if reference.coarsest_schema is not None and (native is None or native.schema is None):
        message = "coarsestSchema is about exponential histograms, and this spec reads none"
        findings.error(Code.SLO203, (*_WHERE, "coarsestSchema"), message, "histograms: exponential, or remove it")
