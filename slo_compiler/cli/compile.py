"""`compile`: specs in, rules and tests out; or what would change (`--check`, `--diff`)."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from slo_compiler.cli.options import (
    FINDINGS,
    Common,
    common_options,
    fail_environment,
    find_config,
    given_paths,
    load_config,
    show,
    show_diff,
    spec_files,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from slo_compiler.diagnostics.diagnostic import Diagnostic
    from slo_compiler.documents.config import Config
    from slo_compiler.emit.base import Context
    from slo_compiler.emit.user_templates import UserTemplates
    from slo_compiler.ir import Spec
    from slo_compiler.write.session import Outcome

KINDS = (
    "rules", "tests", "openslo", "dashboards", "catalogue", "runbooks", "alertmanager", "autoscaling", "monitors",
    "kustomization",
)  # fmt: skip
# Written only where the configuration has an entry for it, or where it is asked for by name.
ON_REQUEST = ("alertmanager", "autoscaling", "monitors", "kustomization")
FLAVOURS = ("prometheus", "prometheus-operator", "mimir", "thanos", "vmalert")


@click.command("compile", epilog="Example: slo-compiler compile specs -o out --check")
@click.argument("paths", nargs=-1)
@click.option("-o", "--output", "folder", default="out", show_default=True, help="The folder to write.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and name what is not up to date.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
@click.option("--stats", is_flag=True, help="Say how many SLOs and rules, and how long it took.")
@click.option("--only", metavar="KINDS", help=f"Write only these of {','.join(KINDS)}.")
@click.option("--flavour", type=click.Choice(FLAVOURS), help="Default: as configured, else prometheus.")
@click.option(
    "--exit-non-zero-on-change",
    "hooked",
    is_flag=True,
    help="Exit 1 where files were written, or are not added to git yet, as hooks that format do.",
)
@click.option("--no-cache", is_flag=True, help="Compile even where inputs and outputs are unchanged.")
@common_options
def command(
    common: Common,
    paths: tuple[str, ...],
    folder: str,
    check: bool,
    diff: bool,
    stats: bool,
    only: str | None,
    flavour: str | None,
    hooked: bool,
    no_cache: bool,
) -> None:
    """Compile the specs under PATHS (default: as configured, else specs).

    With an error in any of them nothing is written. Files that slo-compiler did not write are never touched.
    """
    from slo_compiler.load.discover import exists, is_folder
    from slo_compiler.write import fingerprint
    from slo_compiler.write.manifest import BrokenManifest, read_manifest

    started = time.perf_counter()
    config = load_config(common)
    kinds = _kinds(only, config)
    files = spec_files(paths, config)
    out = Path(folder)
    if exists(folder) and not is_folder(folder):
        raise click.UsageError(f"{folder} is no folder")
    _refuse_own_output(given_paths(paths, config), folder)
    templates = _templates(config, common)
    try:
        manifest = read_manifest(out)
        config_path = find_config(common.config)
        state = fingerprint.catalogs(config_path, kinds=kinds, flavour=flavour, templates=templates.texts)
        inputs = fingerprint.inputs(files)
        if not no_cache and fingerprint.is_current(manifest, state, inputs, out):
            common.note(f"{folder}: up to date ({len(manifest.files)} files of {len(files)} specs)")
            if hooked:
                _refuse_untracked(out)
            return
    except BrokenManifest as fault:
        fail_environment(f"{out / 'manifest.json'}: {fault}; move it away and compile into an empty folder")
    except BrokenPipeError:
        raise
    except OSError as fault:
        fail_environment(f"{fault.filename}: {fault.strerror}")
    from slo_compiler.cli.output_context import context_of

    context = context_of(config, flavour, templates)
    outcome, specs, slos = _compile(
        common,
        config,
        paths,
        files,
        out,
        kinds,
        context,
        state,
        pruned=KINDS if only is None else kinds,
        dry=check or diff,
        diff=diff,
    )
    if stats:
        click.echo(
            f"{specs} specs, {slos} SLOs, {outcome.files} files, {outcome.size} bytes, "
            f"{time.perf_counter() - started:.2f} s",
            err=True,
        )
    if not check and not diff:
        common.note(f"{folder}: {outcome.describe()}")
        if hooked and outcome.changed:
            for line in outcome.changes():
                click.echo(line)
            sys.exit(FINDINGS)
        if hooked:
            _refuse_untracked(out)
        return
    if check and outcome.changed:
        for line in outcome.changes():
            click.echo(line)
        again = shlex.join(["slo-compiler", "compile", *paths, "-o", folder])
        click.echo(f"{folder} is not up to date; run {again}", err=True)
        sys.exit(FINDINGS)
    if check:
        common.note(f"{folder}: up to date")


def _refuse_own_output(given: Sequence[str], folder: str) -> None:
    """Ends the program where a later run would read what this one writes: in a folder within, it knows what it wrote."""
    from slo_compiler.load.discover import is_folder

    for path in given:
        if is_folder(path) and Path(folder).resolve() == Path(path).resolve():
            raise click.UsageError(
                f"-o {folder} is {path}, which is read: the next run would take rules for specs; write beside or into it, "
                "such as -o out"
            )


def _refuse_untracked(out: Path) -> None:
    from slo_compiler.cli.left_out import untracked
    from slo_compiler.diagnostics.limit import count

    left = untracked(out)
    if left:
        click.echo(f"{count(len(left), 'file')} of {out} not in git, such as {left[0]}; run git add {out}", err=True)
        sys.exit(FINDINGS)


def _kinds(only: str | None, config: Config) -> tuple[str, ...]:
    if only is None:
        return tuple(kind for kind in KINDS if kind not in ON_REQUEST or getattr(config.outputs, kind) is not None)
    asked = [part.strip() for part in only.split(",")]
    unknown = [part for part in asked if part not in KINDS]
    if unknown:
        raise click.UsageError(f"--only: unknown {', '.join(unknown)}; known: {', '.join(KINDS)}")
    if "autoscaling" in asked and config.outputs.autoscaling is None:
        raise click.UsageError(
            "--only autoscaling: which Prometheus KEDA asks is not known; "
            "outputs: {autoscaling: {serverAddress: http://prometheus.monitoring:9090}} in slo-compiler.yaml"
        )
    return tuple(kind for kind in KINDS if kind in asked)


def _left_out(config: Config, context: Context, kinds: Sequence[str], specs: Sequence[Spec]) -> Iterator[str]:
    """What settings and specs ask for and will not get."""
    by_operator = context.flavour == "prometheus-operator"
    if by_operator and not context.labels:
        yield "outputs.prometheusRule.labels is empty: an operator that selects rules by label loads nothing"
    if config.outputs.autoscaling is None and any(spec.autoscaling is not None for spec in specs):
        missing = "outputs.autoscaling.serverAddress is not configured"
        yield f"specs ask for autoscaling, and {missing}: no ScaledObject is written"
    if "monitors" not in kinds and config.outputs.monitors is None and any(spec.scraping for spec in specs):
        yield "specs say where their engines are scraped, and outputs.monitors is not configured: nothing is written of it"
    if "kustomization" in kinds and not by_operator:
        yield f"the kustomization applies no rules: they are no objects of Kubernetes with flavour: {context.flavour}"


def _compile(
    common: Common,
    config: Config,
    paths: tuple[str, ...],
    files: list[str],
    out: Path,
    kinds: tuple[str, ...],
    context: Context,
    state: dict[str, str],
    *,
    pruned: tuple[str, ...],
    dry: bool,
    diff: bool,
) -> tuple[Outcome, int, int]:
    from slo_compiler.cli import refusals
    from slo_compiler.emit.user_templates import TemplateFault
    from slo_compiler.pipeline import check_files, compile_specs
    from slo_compiler.resolve.environment import Environment
    from slo_compiler.write import fingerprint
    from slo_compiler.write.kept_words import WordsLost
    from slo_compiler.write.session import Emptied, Refused

    checked = check_files(files, Environment(config))
    if checked.diagnostics:
        show(checked.diagnostics, checked.lines, common, files=checked.files, limit=100)
    if checked.failed:
        click.echo("nothing was written", err=True)
        sys.exit(FINDINGS)
    refused = refusals.of_flavour(checked.specs, context.flavour) if "rules" in kinds else []
    if refused:
        _refuse(refused, {}, common)
    for left_out in _left_out(config, context, kinds, checked.specs):
        click.echo(f"warning: {left_out}", err=True)
    try:
        outcome = compile_specs(
            checked.specs,
            context,
            out,
            kinds=kinds,
            pruned=pruned,
            given=given_paths(paths, config),
            inputs=fingerprint.inputs(files),
            catalogs=state,
            dry=dry,
            show_diff=show_diff if diff else None,
        )
        return outcome, len(checked.specs), sum(len(spec.slos) for spec in checked.specs)
    except Refused as refusal:
        _refuse(refusals.of_foreign(refusal, out), {}, common)
    except TemplateFault as broken:
        _refuse([refusals.of_template(broken)], refusals.lines_of(broken, context.runbooks.templates), common)
    except WordsLost as lost:
        _refuse(refusals.of_words(lost, out), {}, common)
    except Emptied as emptied:
        click.echo(
            f"error: no spec in {', '.join(given_paths(paths, config))}, and {out} holds {emptied.files} files of earlier "
            f"specs: all of its rules would go; remove {out} itself where that is meant",
            err=True,
        )
        click.echo("nothing was written", err=True)
        sys.exit(FINDINGS)
    except BrokenPipeError:
        raise
    except OSError as fault:
        fail_environment(f"{fault.filename}: {fault.strerror}")
        raise


def _refuse(diagnostics: list[Diagnostic], lines: dict[str, Sequence[str]], common: Common) -> NoReturn:
    show(diagnostics, lines, common, files=len({diagnostic.span.path for diagnostic in diagnostics}))
    click.echo("nothing was written", err=True)
    sys.exit(FINDINGS)


def _templates(config: Config, common: Common) -> UserTemplates:
    """The repository's own templates; what is wrong with the folder ends the program."""
    from slo_compiler.emit.user_templates import NO_TEMPLATES, UserTemplates

    folder = config.outputs.runbooks.templates
    if folder is None:
        return NO_TEMPLATES
    from slo_compiler.load.templates import read_templates

    texts, faults = read_templates(folder)
    if faults:
        _refuse(faults, {}, common)
    return UserTemplates(folder, texts)
