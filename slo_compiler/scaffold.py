"""The files of a new repository: what a team said about itself goes in, texts from templates/init/ come out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import jinja2

from slo_compiler import __version__
from slo_compiler.catalog import UseCase
from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Severity
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.documents.metadata import check_dns_label
from slo_compiler.emit.base import Artifact
from slo_compiler.emit.serialize import scalar, to_yaml
from slo_compiler.engine_versions import UnknownVersion, known_versions, resolve_engine
from slo_compiler.engines import ResolvedEngine, load_builtin_engines
from slo_compiler.ir import Slo
from slo_compiler.load.yaml import load_bytes
from slo_compiler.pipeline import check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.promises import CATALOG_SLIS
from slo_compiler.resources import template_path
from slo_compiler.schemas import schema_text
from slo_compiler.shipped_catalog import load_builtin_catalog
from slo_compiler.slis import load_slis
from slo_compiler.units import percent_text

# What a repository does with its specs, in this order; files and messages name these commands, and tests run them.
VALIDATE = "slo-compiler validate specs"
COMPILE = "slo-compiler compile specs -o out"
TEST = "slo-compiler test out"
NEXT = (VALIDATE, COMPILE, TEST)
# File -> its template; a spec for each use case comes on top.
FILES = {
    ".github/workflows/slo.yaml": "github-workflow.yaml.j2",
    ".gitignore": "gitignore.j2",
    ".gitlab-ci.yml": "gitlab-ci.yml.j2",
    ".pre-commit-config.yaml": "pre-commit-config.yaml.j2",
    "README.md": "README.md.j2",
    "slo-compiler.yaml": "slo-compiler.yaml.j2",
}
SPEC = "spec.yaml.j2"
# Kinds whose schemas are copied, so that editors find them without a network.
SCHEMAS = ("Config", "InferenceSLO", "SLO")
_WIDTH = 118


@dataclass(frozen=True, slots=True)
class Request:
    """What the new repository is about; `use_cases` are names of the catalog, each once."""

    engine: ResolvedEngine
    version: str
    use_cases: tuple[str, ...]
    service: str
    model: str
    endpoint: str


class Words(str):
    """Text of ours, or of names that were checked: templates write it as it is. All else is written as a YAML scalar."""

    __slots__ = ()


def read_engine(text: str) -> tuple[ResolvedEngine, str]:
    """`vllm` or `vllm@0.11`: the engine, and the version to write into specs; without one, the newest known.

    Raises:
        ValueError: there is no such engine or version; the message names the nearest, or what is known.
    """
    engines = load_builtin_engines()
    name, separator, asked = text.strip().partition("@")
    document = engines.get(name)
    if document is None:
        raise ValueError(f"unknown engine {name!r}; {did_you_mean(name, engines, otherwise='engines')}")
    known = known_versions(document)
    try:
        engine = resolve_engine(document, asked if separator else known[-1] if known else None)
    except UnknownVersion as fault:
        raise ValueError(f"{fault}; known versions: {', '.join(known)}") from None
    return engine, asked if engine.notice else engine.version


def read_use_case(text: str) -> str:
    """The name of a use case.

    Raises:
        ValueError: the catalog has none of that name; the message names the nearest.
    """
    name, known = text.strip(), load_builtin_catalog().use_cases
    if name not in known:
        raise ValueError(f"unknown use case {name!r}; {did_you_mean(name, known, otherwise='use cases')}")
    return name


def read_service(text: str) -> str:
    """The name of a service, which becomes a folder.

    Raises:
        ValueError: it is no DNS label; the message offers one.
    """
    return check_dns_label(text.strip())


def read_text(text: str) -> str:
    """The name of a model or an endpoint, which may hold any character.

    Raises:
        ValueError: it is empty, or holds bytes that are no text.
    """
    if not text.strip():
        raise ValueError("must not be empty")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text!a} is not UTF-8") from None
    return text.strip()


def scaffold(request: Request) -> list[Artifact]:
    """Every file of the repository but what `compile` makes of it, sorted by path; the same request, the same bytes."""
    catalog = load_builtin_catalog()
    environment = _templates()
    names = [name for name in catalog.use_cases if name in request.use_cases]
    shared = {
        "service": Words(request.service),
        "engine": Words(request.engine.name),
        "specs": [Words(f"specs/{request.service}/{name}.yaml") for name in names],
        "validate": Words(VALIDATE),
        "compile": Words(COMPILE),
        "test": Words(TEST),
        "compiler": Words(f"slo-compiler=={__version__}"),
        "schemas": [Words(kind) for kind in SCHEMAS],
    }
    found = [Artifact(path, environment.get_template(name).render(shared)) for path, name in FILES.items()]
    template = environment.get_template(SPEC)
    for name in names:
        spec = _Spec(request, name, catalog.use_cases[name])
        found.append(Artifact(f"specs/{request.service}/{name}.yaml", template.render(spec=spec, **shared)))
    found += [Artifact(f"schemas/{kind}.schema.json", schema_text(kind)) for kind in SCHEMAS]
    return sorted(found, key=lambda artifact: artifact.path)


class _Objective(NamedTuple):
    """A latency objective as a spec writes it.

    Attributes:
        sli: None where the objective is left out.
        threshold: where it is not the catalog's.
        comment: what is promised, and why it differs from the catalog or from what is read.
        ignore: the code of a warning that the comment has explained.
    """

    sli: str | None
    threshold: str | None
    comment: str
    ignore: Words | None = None


class _Spec:
    """What the template of a spec may know, about one use case."""

    def __init__(self, request: Request, name: str, use_case: UseCase) -> None:
        self._request = request
        self._use_case = use_case
        profile = load_builtin_catalog().traffic_profiles[use_case.traffic_profile.value]
        self.name = Words(name)
        self.title = Words(use_case.title.value)
        self.class_name = Words(use_case.experience_class.value)
        self.prompt_tokens, self.output_tokens = profile.prompt_tokens.value, profile.output_tokens.value
        # Values of fields; text in comments is of `Words`.
        self.use_case, self.service, self.engine = name, request.service, request.engine.name
        self.model, self.endpoint, self.version = request.model, request.endpoint, request.version
        self.notice = request.engine.notice
        self.model_label = Words(request.engine.model_label) if request.engine.model_label else None
        self.job = f"{request.engine.name}-{name}"
        self.is_batch = use_case.experience_class.value == "batch"
        # A gateway that counts failed requests itself is asked by name.
        self.sees_all_requests = request.engine.is_gateway and request.engine.availability is not None

    @property
    def reads_every_model(self) -> bool:
        """Whether a latency's metric lacks the label of the model that others of the engine have."""
        engine, slis = self._request.engine, load_slis()
        measured = [slis[sli].roles for sli in CATALOG_SLIS if any(engine.has(role) for role in slis[sli].roles)]
        return any(engine.model_label and engine.model_label not in engine.labels_of(roles) for roles in measured)

    @property
    def objectives(self) -> Iterator[_Objective]:
        """The latencies that the catalog has for the use case."""
        for sli in CATALOG_SLIS:
            if getattr(self._use_case, sli) is not None:
                yield self._objective(sli)

    def _objective(self, sli: str) -> _Objective:
        slo, findings = _ask(self._request.engine.name, self._request.version, self.name, sli)
        if slo is None or slo.promised is None or slo.measured is None:
            title = load_slis()[sli].title
            why = next((found.message for found in findings if found.severity is Severity.ERROR), "it is not measured")
            return _Objective(None, None, f"No objective for the {title}: {why}.")
        promise = f"{percent_text(slo.target)} of {slo.counts}: {slo.title} within"
        if slo.measured == slo.promised:
            return _Objective(sli, None, f"{promise} {slo.promised}, as the catalog has it.")
        why = next((found.message for found in findings if found.code is Code.SLO403), "")
        ceiling = slo.judged.ceiling if slo.judged is not None else None
        if ceiling is None or slo.measured <= ceiling:
            comment = f"{promise} {slo.measured}. The catalog says {slo.promised}, but {why}: promised is what is read."
            return _Objective(sli, str(slo.measured), comment)
        comment = (
            f"{promise} {slo.promised}: {why}. To promise {slo.measured} is no way out, since class {self.class_name} "
            f"allows {ceiling} at most."
        )
        return _Objective(sli, None, comment, Words(Code.SLO403.name))


def _ask(engine: str, version: str, use_case: str, sli: str) -> tuple[Slo | None, list[Diagnostic]]:
    """What the compiler itself makes of an objective that leaves its numbers to the catalog."""
    draft = {
        "apiVersion": "slo-compiler/v1",
        "kind": "InferenceSLO",
        "metadata": {"name": "draft"},
        "spec": {
            "service": "draft",
            "model": "draft",
            "engine": {"name": engine, **({"version": version} if version else {})},
            "selector": {"job": "draft"},
            "useCase": use_case,
            "objectives": [{"sli": sli}],
        },
    }
    checked = check_loaded(iter([load_bytes(to_yaml(draft).encode(), "draft")]), _environment())
    slos = [slo for spec in checked.specs for slo in spec.slos]
    return (slos[0] if slos else None), checked.diagnostics


@cache
def _environment() -> Environment:
    return Environment()


def _templates() -> jinja2.Environment:
    """Jinja for text of which every value is a YAML scalar, unless it is marked as words: forgetting is no option."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_path("init")),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: value if isinstance(value, Words) else scalar(str(value)),
    )
    environment.filters["comment"] = _comment
    return environment


def _comment(text: str, indent: int) -> Words:
    """Text as lines of a YAML comment, the first of which stands where the template has it."""
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH - indent - 2, break_long_words=False, break_on_hyphens=False)
    return Words(f"\n{' ' * indent}".join(f"# {line}" for line in lines))
