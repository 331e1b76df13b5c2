"""Options that commands share, and what they all do with findings and settings."""

from __future__ import annotations

import functools
import importlib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from slo_compiler.diagnostics.diagnostic import Diagnostic
    from slo_compiler.documents.config import Config
    from slo_compiler.load.yaml import LoadedFile

FINDINGS, USAGE, ENVIRONMENT = 1, 2, 3
CONFIG_NAME = "slo-compiler.yaml"


class Common(NamedTuple):
    """What every command is told.

    Attributes:
        config: the configuration file, or None for the nearest one upwards.
        colour: whether to colour diagnostics, which go to stderr.
        colour_results: the same for results, which go to stdout.
    """

    config: str | None
    quiet: bool
    verbose: bool
    colour: bool
    colour_results: bool

    def note(self, text: str) -> None:
        """Progress and summaries, on stderr; silent with -q."""
        if not self.quiet:
            click.echo(text, err=True)


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --config, -q, -v and --color, and passes them as one `common` value."""

    @click.option("--config", metavar="FILE", help=f"Settings; default: the nearest {CONFIG_NAME} upwards.")
    @click.option("-q", "--quiet", is_flag=True, help="Say nothing but findings.")
    @click.option("-v", "--verbose", is_flag=True, help="Show information as well as warnings and errors.")
    @click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
    @functools.wraps(function)
    def wrapper(config: str | None, quiet: bool, verbose: bool, color: str, **arguments: Any) -> Any:
        _skip_patterns()
        common = Common(config, quiet, verbose, wants_colour(color), wants_colour(color, sys.stdout))
        return function(common=common, **arguments)

    return wrapper


class _Later:
    """A regular expression that is compiled when it is first used."""

    def __init__(self, *given: Any) -> None:
        self._given = given

    def __getattr__(self, name: str) -> Any:
        return getattr(re.compile(*self._given), name)


def _skip_patterns() -> None:
    """Spares PyYAML the patterns of its reader in Python, which compile as long as it takes to check a small spec.

    Nothing here reads with it: libyaml does.
    """
    compile_now = re.compile
    vars(re)["compile"] = _Later
    try:
        importlib.import_module("yaml")
    finally:
        vars(re)["compile"] = compile_now


def wants_colour(choice: str, stream: IO[str] | None = None) -> bool:
    """`auto` follows NO_COLOR, CLICOLOR_FORCE and the terminal (stderr's unless said), in that order."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return (stream or sys.stderr).isatty() and os.environ.get("TERM") != "dumb"


def find_config(given: str | None) -> Path | None:
    """The settings file: as given, else the nearest upwards from here.

    Raises:
        click.UsageError: the given file does not exist.
    """
    if given is not None:
        if not _is_file(Path(given)):
            raise click.UsageError(f"--config: {given} is no file that can be read")
        return Path(given)
    here = Path.cwd()
    for folder in (here, *here.parents):
        candidate = folder / CONFIG_NAME
        if _is_file(candidate):
            return candidate
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, or a folder that nobody may look into
        return False


def load_config(common: Common) -> Config:
    """The settings, with paths as seen from here. Faults in the file are shown, and end the program with 1."""
    from slo_compiler.documents.config import default_config
    from slo_compiler.load.yaml import load_file

    path = find_config(common.config)
    if path is None:
        return default_config()
    loaded = load_file(display_path(str(path)))
    config, diagnostics = read_config(loaded, path.parent)
    if diagnostics:
        show(diagnostics, {loaded.path: loaded.lines}, common, files=1)
        sys.exit(FINDINGS)
    return config


def read_config(loaded: LoadedFile, folder: Path) -> tuple[Config, list[Diagnostic]]:
    """The settings of a file that lies in a folder, with paths as seen from here, and what is wrong with them."""
    from slo_compiler.documents.config import Config, default_config
    from slo_compiler.documents.read import read_model

    diagnostics = list(loaded.diagnostics)
    config: Config | None = None
    for document in loaded.documents[:1]:
        model, faults = read_model(Config, document)
        diagnostics += faults
        config = model if isinstance(model, Config) else None
    return _placed(config or default_config(), folder), diagnostics


def _placed(config: Config, folder: Path) -> Config:
    """Settings with paths as seen from here that are written as seen from a folder."""
    runbooks = config.outputs.runbooks
    if runbooks.templates is not None:
        templates = display_path(str(folder / runbooks.templates))
        runbooks = runbooks.model_copy(update={"templates": templates})
    publishing = config.publish
    if publishing is not None and publishing.repository is not None:
        repository = absolute_repository(publishing.repository, folder)
        publishing = publishing.model_copy(update={"repository": repository})
    return config.model_copy(
        update={
            "publish": publishing,
            "outputs": config.outputs.model_copy(update={"runbooks": runbooks}),
            "paths": [display_path(str(folder / part)) for part in config.paths],
            "catalogs": [display_path(str(folder / part)) for part in config.catalogs],
        }
    )


def absolute_repository(url: str, folder: Path) -> str:
    """A repository by its address, or one on this machine by its whole path, where it is given relative to a folder."""
    first = url.partition("/")[0]
    return url if "://" in url or ":" in first else str(folder.absolute() / url)


def display_path(path: str) -> str:
    """A path as outputs name it: relative to here where it lies below, so that no output depends on the machine."""
    absolute = Path(path).absolute()
    here = Path.cwd()
    if absolute.is_relative_to(here):
        return absolute.relative_to(here).as_posix()
    return Path(path).as_posix()


def spec_files(paths: Sequence[str], config: Config | None = None) -> list[str]:
    """The spec files under the given paths, by default the configured ones, and the configured catalogs.

    Raises:
        click.UsageError: a path does not exist, or there is no file.
    """
    from slo_compiler.load.discover import discover

    given = given_paths(paths, config)
    found, missing = discover(given)
    if missing:
        raise click.UsageError(f"no such file or folder: {', '.join(missing)}")
    if not found:
        raise click.UsageError(f"no spec (.yaml, .yml, .json) under {', '.join(given)}")
    catalogs = catalog_files(config) if config is not None else []
    return sorted({path for path in (*found, *catalogs) if Path(path).name != CONFIG_NAME})


def given_paths(paths: Sequence[str], config: Config | None) -> list[str]:
    """The paths that a command is about: as given, else as configured, else `specs`."""
    return [display_path(path) for path in paths] or (config.paths if config is not None else ["specs"])


def catalog_files(config: Config) -> list[str]:
    """The files of the configured catalogs.

    Raises:
        click.UsageError: one does not exist.
    """
    from slo_compiler.load.discover import discover

    found, missing = discover(config.catalogs)
    if missing:
        raise click.UsageError(f"catalogs: no such file or folder: {', '.join(missing)}")
    return found


def show(
    diagnostics: Sequence[Diagnostic],
    lines: Mapping[str, Sequence[str]],
    common: Common,
    *,
    files: int,
    output: str = "text",
    limit: int = 0,
) -> None:
    """Findings: as text on stderr, in the other formats on stdout. To people, information only with -v."""
    from slo_compiler.diagnostics.diagnostic import Severity
    from slo_compiler.diagnostics.limit import cut, hidden_text
    from slo_compiler.diagnostics.report import Report
    from slo_compiler.diagnostics.reporters import FOR_PEOPLE, render

    shown = list(diagnostics)
    for_people = output in FOR_PEOPLE
    if for_people and not common.verbose:
        shown = [diagnostic for diagnostic in shown if diagnostic.severity is not Severity.INFO]
    if for_people and common.quiet and not shown:
        return
    report = Report(shown, lines, files, limit, common.colour, terminal_width())
    text = render(output, report)
    click.echo(text, err=output == "text", color=common.colour or None)
    hidden = cut(shown, limit)[1]
    if hidden and not for_people:
        common.note(f"... and {hidden_text(hidden)}")


def terminal_width() -> int:
    """How many columns stderr has: by COLUMNS, else as the terminal says, else what suits a log."""
    from slo_compiler.diagnostics.report import WIDTH

    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or WIDTH
    except (OSError, ValueError, AttributeError):  # no terminal, or no file at all
        return WIDTH


def fail_environment(message: str) -> None:
    """Ends the program: something outside is missing or refuses."""
    click.echo(f"error: {message}", err=True)
    sys.exit(ENVIRONMENT)


def show_diff(path: str, before: bytes | None, after: bytes | None) -> None:
    """Prints a unified diff of one file; None where there is none."""
    import difflib

    old = before.decode("utf-8", "replace").splitlines() if before is not None else []
    new = after.decode("utf-8", "replace").splitlines() if after is not None else []
    names = (f"a/{path}" if before is not None else "/dev/null", f"b/{path}" if after is not None else "/dev/null")
    for line in difflib.unified_diff(old, new, *names, lineterm=""):
        click.echo(line)
