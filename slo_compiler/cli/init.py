"""`init`: a working repository for one service, from flags or from answers on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from slo_compiler.cli.options import FINDINGS, Common, common_options, fail_environment, show

if TYPE_CHECKING:
    from slo_compiler.emit.base import Artifact
    from slo_compiler.write.place import InTheWay

_EXAMPLE = (
    "Example: slo-compiler init slos --engine vllm@0.11 --use-case chatbot --service assistant "
    "--model meta-llama/Llama-3.1-8B-Instruct --endpoint /v1/chat/completions"
)


@click.command("init", epilog=_EXAMPLE)
@click.argument("folder", metavar="[DIR]", default=".")
@click.option("--engine", metavar="NAME[@VERSION]", help="Whose metrics are read; without a version, the newest known.")
@click.option("--use-case", "use_cases", metavar="NAME", multiple=True, help="Of the catalog; a spec for each.")
@click.option("--service", metavar="NAME", help="What users know it as: lower-case letters, digits and dashes.")
@click.option("--model", metavar="MODEL", help="What is served, such as meta-llama/Llama-3.1-8B-Instruct.")
@click.option("--endpoint", metavar="ENDPOINT", help="Where: a path such as /v1/chat/completions, or a deployment.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@common_options
def command(
    common: Common,
    folder: str,
    engine: str | None,
    use_cases: tuple[str, ...],
    service: str | None,
    model: str | None,
    endpoint: str | None,
    force: bool,
) -> None:
    """Write a repository for SLOs into DIR (default: here).

    It holds a commented spec for each use case, settings, pre-commit hooks, CI for GitHub and GitLab, and compiled
    rules. What flags leave open is asked on a terminal. With a file in the way nothing is written.
    """
    from slo_compiler.write.place import InTheWay, placed

    target = Path(folder)
    try:
        if target.exists() and not target.is_dir():
            raise click.UsageError(f"{folder} is no folder")
    except OSError as fault:
        raise click.UsageError(f"{folder}: {fault.strerror}") from None
    given = {
        "--engine": () if engine is None else (engine,),
        "--use-case": use_cases,
        "--service": () if service is None else (service,),
        "--model": () if model is None else (model,),
        "--endpoint": () if endpoint is None else (endpoint,),
    }
    artifacts = _scaffold(_answers(given))
    try:
        with placed(artifacts, target, overwrite=force):
            _compile(target)
    except InTheWay as refusal:
        _refuse(refusal, target, common)
    except BrokenPipeError:
        raise
    except OSError as fault:
        fail_environment(f"{fault.filename}: {fault.strerror}; nothing was written")
    if not common.quiet:
        for line in _report(artifacts, folder):
            click.echo(line)


@dataclass(frozen=True, slots=True)
class _Question:
    """What a flag means to somebody who is asked for it; `read` raises ValueError for an answer that is none."""

    text: str
    default: str
    read: Callable[[str], Any]


def _questions() -> dict[str, _Question]:
    from slo_compiler import scaffold
    from slo_compiler.engines import load_builtin_engines
    from slo_compiler.shipped_catalog import load_builtin_catalog

    engines, use_cases = list(load_builtin_engines()), ", ".join(load_builtin_catalog().use_cases)
    return {
        "--engine": _Question(
            f"Engine ({', '.join(engines)}), with @VERSION unless it is the newest",
            "vllm" if "vllm" in engines else engines[0],
            scaffold.read_engine,
        ),
        "--use-case": _Question(f"Use cases, separated by commas ({use_cases})", "chatbot", scaffold.read_use_case),
        "--service": _Question("Service, as users know it", "assistant", scaffold.read_service),
        "--model": _Question("Model", "meta-llama/Llama-3.1-8B-Instruct", scaffold.read_text),
        "--endpoint": _Question("Endpoint: a path, or a deployment", "/v1/chat/completions", scaffold.read_text),
    }


def _answers(given: dict[str, tuple[str, ...]]) -> dict[str, tuple[Any, ...]]:
    """What was said for each flag, read; what is missing is asked for where somebody can answer.

    Raises:
        click.UsageError: for everything that is wrong or missing at once.
    """
    questions = _questions()
    answers: dict[str, tuple[Any, ...]] = {}
    faults = []
    for flag, texts in given.items():
        read = []
        for text in texts:
            try:
                read.append(questions[flag].read(text))
            except ValueError as fault:
                faults.append(f"{flag}: {fault}")
        answers[flag] = tuple(read)
    missing = [flag for flag, texts in given.items() if not texts]
    if missing and not on_terminal():
        faults.append(f"missing, and there is no terminal to ask on: {', '.join(missing)}")
    if faults:
        raise click.UsageError("\n".join(faults))
    for flag in missing:
        answers[flag] = _asked(questions[flag], several=flag == "--use-case")
    return answers


def on_terminal() -> bool:
    """Whether somebody can be asked; a daemon may have no stdin at all."""
    stdin: TextIO | None = sys.stdin
    return stdin is not None and stdin.isatty()


def _asked(question: _Question, *, several: bool) -> tuple[Any, ...]:
    def read(text: str) -> tuple[Any, ...]:
        parts = [part for part in text.split(",") if part.strip()] if several else [text]
        try:
            return tuple(question.read(part) for part in parts)
        except ValueError as fault:
            raise click.UsageError(str(fault)) from None  # click shows it and asks again

    while True:
        answer: tuple[Any, ...] = click.prompt(question.text, default=question.default, value_proc=read, err=True)
        if answer:
            return answer


def _scaffold(answers: dict[str, tuple[Any, ...]]) -> list[Artifact]:
    from slo_compiler.scaffold import Request, scaffold

    ((engine, version),) = answers["--engine"]
    (service,), (model,), (endpoint,) = (answers[flag] for flag in ("--service", "--model", "--endpoint"))
    return scaffold(Request(engine, version, answers["--use-case"], service, model, endpoint))


def _compile(target: Path) -> None:
    """Makes `out/` as the command does, so that hooks and CI are green from the first commit on."""
    from slo_compiler.cli import cli
    from slo_compiler.scaffold import COMPILE

    name, *arguments = COMPILE.split()
    with contextlib.chdir(target):
        cli.main([*arguments, "-q"], name, standalone_mode=False)


def _refuse(refusal: InTheWay, target: Path, common: Common) -> None:
    from slo_compiler.diagnostics.codes import Code
    from slo_compiler.diagnostics.diagnostic import Span, error

    hint = "move it away, or overwrite files with --force"
    found = [error(Code.SLO602, Span((target / item.path).as_posix()), item.reason, hint) for item in refusal.found]
    show(found, {}, common, files=len(found))
    click.echo("nothing was written", err=True)
    sys.exit(FINDINGS)


def _report(artifacts: Sequence[Artifact], folder: str) -> Iterator[str]:
    from slo_compiler.scaffold import NEXT

    yield f"Written to {click.format_filename(folder)}:"
    yield from (f"  {artifact.path}" for artifact in artifacts)
    yield "  out/ (what the specs compile to)"
    yield "Replace what is marked EDIT in the specs. In that folder, these commands check, compile and prove it:"
    yield from (f"  {line}" for line in NEXT)
