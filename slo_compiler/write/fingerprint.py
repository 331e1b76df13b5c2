"""Whether an output folder already holds what its inputs give, told by hashes alone."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from slo_compiler import __version__
from slo_compiler.load.limits import MAX_BYTES
from slo_compiler.load.yaml import LoadedFile, read_content
from slo_compiler.resources import builtin_path, template_path
from slo_compiler.write.manifest import Manifest, sha256


def inputs(files: Iterable[str]) -> dict[str, str]:
    """The hash of each spec file by path; of one that cannot be read, or is larger than any spec, nothing."""
    return {path: content_hash(read_content(path)) for path in files}


def content_hash(content: bytes | LoadedFile) -> str:
    """The hash of a file's content, as `read_content` gives it; nothing of one that cannot be read, or is too large."""
    return "" if isinstance(content, LoadedFile) or len(content) > MAX_BYTES else sha256(content)


def catalogs(
    config: Path | None, *, kinds: tuple[str, ...], flavour: str | None, templates: Iterable[tuple[str, str]] = ()
) -> dict[str, str]:
    """The hash of every fact and setting that the outputs depend on beside the specs.

    Args:
        templates: the repository's own, by name.

    Raises:
        OSError: the configuration cannot be read.
    """
    settings = config.read_bytes() if config is not None else b""
    choice = f"\n{','.join(kinds)} {flavour or ''}".encode()
    found = {**_builtin(), "configuration": sha256(settings + choice)}
    own = "".join(f"{name}\n{text}\n" for name, text in templates)
    return {**found, "own templates": sha256(own.encode())} if own else found


@cache
def _builtin() -> dict[str, str]:
    found = {}
    for name, folder in (
        ("catalog", builtin_path("catalog")),
        ("engines", builtin_path("engines")),
        ("policies", builtin_path("policies")),
        ("slis", builtin_path()),
        ("templates", template_path()),
        ("page", template_path("catalogue")),
    ):
        files = sorted(path for path in folder.glob("*.*") if path.is_file())
        found[name] = sha256(b"".join(path.name.encode() + b"\n" + path.read_bytes() for path in files))
    code = sorted(Path(__file__).parents[1].rglob("*.py"))
    found["code"] = sha256(b"".join(path.read_bytes() for path in code))
    return found


def is_current(manifest: Manifest, state: dict[str, str], given: dict[str, str], folder: Path) -> bool:
    """Whether a compilation would change nothing: same compiler, facts, specs, and every output as it was written.

    Raises:
        OSError: an output cannot be read.
    """
    from slo_compiler.emit.own_words import emptied, may_have_sections  # a run that only checks loads no emitter

    if manifest.compiler != __version__ or manifest.catalogs != state or manifest.inputs != given or manifest.pending:
        return False
    for path, entry in manifest.files.items():
        try:
            content = (folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return False
        generated = emptied(content) if may_have_sections(path) else content
        if sha256(generated) != entry.sha256:
            return False
    return True
