"""`publish`: a compiled folder into the monitoring repository, as one commit that is pushed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from slo_compiler.cli.options import (
    FINDINGS,
    Common,
    absolute_repository,
    common_options,
    fail_environment,
    find_config,
    load_config,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slo_compiler.diagnostics.diagnostic import Diagnostic
    from slo_compiler.documents.config import Config
    from slo_compiler.publish.publish import Order, Outcome


@click.command(
    "publish", epilog="Example: slo-compiler publish out --repo git@git.example.com:ops/monitoring.git --owner chat"
)
@click.argument("folder", metavar="OUT", default="out", type=click.Path(exists=True, file_okay=False))
@click.option("--repo", metavar="URL", help="The monitoring repository. Default: publish.repository, as configured.")
@click.option("--path", metavar="P", help="The folder of all owners in it. Default: as configured, else its root.")
@click.option("--branch", metavar="B", help="Default: as configured, else the one that the repository shows.")
@click.option("--owner", metavar="NAME", help="Whose files these are: the folder P/NAME. Default: as configured.")
@click.option("--message", metavar="M", help="The subject of the commit.")
@click.option("--dry-run", is_flag=True, help="Push nothing; print what would change.")
@click.option("--force", is_flag=True, help="Overwrite files of the folder that others wrote or edited.")
@common_options
def command(
    common: Common,
    folder: str,
    repo: str | None,
    path: str | None,
    branch: str | None,
    owner: str | None,
    message: str | None,
    dry_run: bool,
    force: bool,
) -> None:
    """Bring P/NAME of the monitoring repository to what OUT holds, by one commit, and push it.

    OUT must be as `compile` left it. Only files that the owner published are replaced or removed; whatever else stands
    in the way is reported. Where another push is faster, the commit is made anew on top of it. Nothing to do gives no
    commit.

    Exits 1 where OUT is not whole or something is in the way, 3 where git is missing, or the repository cannot be
    reached or refuses.
    """
    from slo_compiler.external.git import GitFailed, GitMissing, without_credentials
    from slo_compiler.publish.compiled import Changed, read_compiled
    from slo_compiler.publish.publish import Overtaken, publish
    from slo_compiler.publish.remote import Refused
    from slo_compiler.publish.source import find_source

    given = {"repository": repo, "path": path, "branch": branch, "owner": owner}
    config = load_config(common)
    try:
        order = _order(given, config, message, dry=dry_run, force=force)
        compiled, found = read_compiled(Path(folder))
        if compiled is None:
            _refuse(found, common)
        settings = find_config(common.config)
        inputs = [*compiled.manifest.inputs, *([str(settings)] if settings is not None else [])]
        specs, source = find_source(inputs, Path(folder))
        outcome = publish(compiled, order, source, specs, common.note)
    except Changed as fault:
        click.echo(f"error: {fault}; run it again", err=True)
        sys.exit(FINDINGS)
    except Refused as fault:
        fail_environment(f"{without_credentials(order.url)} refuses the push: {fault}")
    except (GitMissing, GitFailed, Overtaken) as fault:
        fail_environment(str(fault))
    except BrokenPipeError:
        raise
    except OSError as fault:
        fail_environment(f"{fault.filename or 'the disk'}: {fault.strerror}")
    if outcome.plan.conflicts:
        _refuse(outcome.plan.conflicts, common)
    _tell(outcome, order, common)


def _order(given: dict[str, str | None], config: Config, message: str | None, *, dry: bool, force: bool) -> Order:
    """What is wanted, by flags, else by the settings; what is missing or unusable is a fault of usage."""
    from slo_compiler.documents.metadata import DNS_LABEL
    from slo_compiler.documents.publishing import ADDRESS, BRANCH, FOLDER
    from slo_compiler.external.git import is_branch_name, without_credentials
    from slo_compiler.publish.publish import Order

    found = {key: getattr(config.publish, key, None) if value is None else value for key, value in given.items()}
    missing = [flag for flag, key in (("--repo", "repository"), ("--owner", "owner")) if not found[key]]
    if missing:
        raise click.UsageError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; or publish: {{repository: ..., "
            "owner: ...} in slo-compiler.yaml"
        )
    path = None if given["path"] in (".", "./") else found["path"]
    path = path.rstrip("/") if path is not None else None
    words = {"repository": "--repo", "path": "--path", "branch": "--branch", "owner": "--owner"}
    patterns = {"repository": ADDRESS, "path": FOLDER, "branch": BRANCH, "owner": DNS_LABEL.pattern}
    for key, value in (found | {"path": path}).items():
        if value is not None and not re.fullmatch(patterns[key], value):
            raise click.UsageError(f"{words[key]}: {without_credentials(value)!r} {_WANTED[key]}")
    branch = found["branch"]
    if branch is not None and not is_branch_name(branch):
        raise click.UsageError(f"--branch: {branch!r} {_WANTED['branch']}")
    url, owner = str(found["repository"]), str(found["owner"])
    return Order(absolute_repository(url, Path.cwd()), path or "", owner, branch, message, dry, force)


_WANTED = {
    "repository": "is no address of a repository",
    "path": "is no folder of a repository, such as slos/production; its root is .",
    "branch": "is no name of a branch",
    "owner": "is no name of an owner: lower-case letters, digits and dashes, at most 63",
}


def _refuse(diagnostics: Sequence[Diagnostic], common: Common) -> NoReturn:
    show(diagnostics, {}, common, files=len({diagnostic.span.path for diagnostic in diagnostics}))
    click.echo("nothing was published", err=True)
    sys.exit(FINDINGS)


def _tell(outcome: Outcome, order: Order, common: Common) -> None:
    """What was done, or would be."""
    from slo_compiler.external.git import without_credentials
    from slo_compiler.plain_text import visible
    from slo_compiler.publish.message import describe_files, list_files

    where = f"{without_credentials(order.url)} {outcome.branch}:{outcome.plan.folder}"
    if not outcome.plan.changes:
        common.note(f"{where}: up to date ({len(outcome.plan.record.files)} files)")
        return
    if order.dry:
        for line in (*outcome.promises.lines, *list_files(outcome.plan)):
            click.echo(visible(line))
    again = f", at attempt {outcome.attempts}" if outcome.attempts > 1 else ""
    state = f"pushed as {outcome.commit[:12]}{again}" if outcome.commit else "nothing was pushed (--dry-run)"
    common.note(f"{where}: {describe_files(outcome.plan)}; {state}")
