"""Writes what the example specs compile to under golden/, from the specs alone.

Usage: python scripts/update_golden.py

`golden/out/` is the output folder of `specs/`: every rule file, the page, the tests and dashboards of two specs, and
the manifest with placeholders for the compiler's version and code, which change without changing an output. The hashes
of the other tests, dashboards, runbooks, portable forms and documents of the catalogue, which are large, are in
`golden/large.sha256`. `golden/prometheus-operator/` is the folder of one spec as objects of the Prometheus operator,
beside the configuration that asks for it, `golden/flavours/` its rules for servers other than
Prometheus. `golden/native-histograms/` holds the rules of `examples/native-histograms/`,
how their targets are scraped, and what `validate` says of it, `golden/alertmanager.yml` what Alertmanager gets of all specs.
`golden/validate.txt` is what `validate` says, and `golden/simulate.*` what `simulate` says of one spec in each format.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from slo_compiler.cli import cli

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "golden"

# Kinds of output that are large. Kept as they are: the tests, dashboards, runbooks and the catalogue's documents of an engine's
# histograms and of an OpenSLO ratio, and the portable form of the first. What is about all specs is kept whole.
LARGE = ("tests/", "openslo/", "catalogue/", "dashboards/", "runbooks/")
KEPT = (
    "dashboards/.lint",
    "dashboards/overview.",
    "dashboards/editor/codestral-panel.",
    "dashboards/gateway/gateway-availability.",
    "openslo/editor/codestral-panel.",
    "tests/editor/codestral-panel.",
    "tests/gateway/gateway-availability.",
    "catalogue/editor/codestral-panel.",
    "catalogue/gateway/gateway-availability.",
    "runbooks/editor/codestral-panel.",
    "runbooks/gateway/gateway-availability.",
)
OPERATOR_SPEC = "specs/openslo/gateway-availability.yaml"
OPERATOR_CONFIG = """\
outputs:
  flavour: prometheus-operator
  prometheusRule:
    namespace: monitoring
    labels: {release: prometheus}
    annotations: {example.com/owner: platform}
"""
# Flavours of servers other than Prometheus, each with what its sample says of it.
FLAVOUR_CONFIGS = {
    "mimir": "{mimir: {namespacePrefix: llm., queryOffset: 90s}}",
    "thanos": "{}",
    "vmalert": "{}",
}
NATIVE = Path("examples/native-histograms")
# Waivers are judged by this day, so that the text is the same on every other.
TODAY = "2026-01-01"
# Two phases of bad events with a pause between them, at a traffic at which a guard holds an alert back.
SIMULATED = "specs/openslo/gateway-availability.yaml"
SCENARIO = "--bad 40% --for 12m --bad 0% --for 2h --bad 100% --for 9m --rate 90/h --already-spent 45%"
# Owned by other tests.
_ELSEWHERE = ("diagnostics", "formats")


def golden_files() -> dict[str, bytes]:
    """What golden/ holds, by path relative to it."""
    with TemporaryDirectory(prefix="slo-compiler-") as scratch, contextlib.chdir(ROOT):
        return {
            **_plain(Path(scratch)),
            **_operator(Path(scratch)),
            **_flavours(Path(scratch)),
            **_native(Path(scratch)),
            "alertmanager.yml": _alertmanager(Path(scratch)),
            "validate.txt": _validate("specs", _config(Path(scratch), "")).encode(),
            **_simulate(Path(scratch)),
        }


def files_on_disk() -> dict[str, bytes]:
    """What golden/ does hold, but for what other tests look after."""
    return {
        path.relative_to(GOLDEN).as_posix(): path.read_bytes()
        for path in sorted(GOLDEN.rglob("*"))
        if path.is_file() and path.relative_to(GOLDEN).parts[0] not in _ELSEWHERE
    }


def run(arguments: Sequence[str], columns: int = 160) -> str:
    """What a command prints, in so many columns.

    Raises:
        RuntimeError: it fails.
    """
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(cli, list(arguments))
    if result.exit_code != 0:
        raise RuntimeError(f"slo-compiler {' '.join(arguments)}: exit code {result.exit_code}\n{result.output}")
    return result.output


def _plain(scratch: Path) -> dict[str, bytes]:
    run(["compile", "specs", "-o", str(scratch / "out"), "--config", _config(scratch, ""), "-q"])
    compiled = _read(scratch / "out")
    hashes = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {path}\n"
        for path, content in compiled.items()
        if path.startswith(LARGE) and not path.startswith(KEPT)
    )
    kept = {
        f"out/{path}": content
        for path, content in compiled.items()
        if not path.startswith(LARGE) or path.startswith(KEPT)
    }
    return {**kept, "out/manifest.json": _without_versions(compiled["manifest.json"]), "large.sha256": hashes.encode()}


def _operator(scratch: Path) -> dict[str, bytes]:
    out = scratch / "operator"
    run(["compile", OPERATOR_SPEC, "-o", str(out), "--config", _config(scratch, OPERATOR_CONFIG), "--only", "rules"])
    files = {
        f"prometheus-operator/{path}": content for path, content in _read(out).items() if path.startswith("rules/")
    }
    return {**files, "prometheus-operator/slo-compiler.yaml": OPERATOR_CONFIG.encode()}


def _flavours(scratch: Path) -> dict[str, bytes]:
    found = {}
    for name, outputs in FLAVOUR_CONFIGS.items():
        out, config = scratch / name, _config(scratch, f"outputs: {outputs}\n")
        run(["compile", OPERATOR_SPEC, "-o", str(out), "--config", config, "--only", "rules", "--flavour", name, "-q"])
        files = _read(out).items()
        found.update({f"flavours/{name}/{path}": content for path, content in files if path.startswith("rules/")})
    return found


def _alertmanager(scratch: Path) -> bytes:
    out, config = scratch / "alertmanager", _config(scratch, "outputs: {alertmanager: {}}\n")
    run(["compile", "specs", "-o", str(out), "--config", config, "--only", "alertmanager", "-q"])
    return (out / "alertmanager" / "alertmanager.yml").read_bytes()


def _native(scratch: Path) -> dict[str, bytes]:
    """Rules and how they are scraped: the tests are proven by a promtool 3, and large."""
    out, specs, config = scratch / "native", str(NATIVE / "specs"), str(NATIVE / "slo-compiler.yaml")
    run(["compile", specs, "-o", str(out), "--config", config, "--only", "rules,monitors", "-q"])
    kept = ("rules/", "monitors/monitors.yaml")
    files = {f"{NATIVE.name}/{path}": content for path, content in _read(out).items() if path.startswith(kept)}
    return {**files, f"{NATIVE.name}/validate.txt": _validate(specs, config).encode()}


def _validate(specs: str, config: str) -> str:
    arguments = ["validate", specs, "--today", TODAY, "--max-diagnostics", "0", "--color", "never"]
    return run([*arguments, "--config", config])


def _simulate(scratch: Path) -> dict[str, bytes]:
    arguments = ["simulate", SIMULATED, *SCENARIO.split(), "--color", "never", "--config", _config(scratch, "")]
    formats = {"txt": "text", "md": "markdown", "json": "json"}
    return {f"simulate.{ending}": run([*arguments, "--format", name], 100).encode() for ending, name in formats.items()}


def _config(scratch: Path, text: str) -> str:
    """A configuration of our own: one that lies above the checkout is not ours to read."""
    path = scratch / "slo-compiler.yaml"
    path.write_text(text or "{}\n", encoding="utf-8")
    return str(path)


def _read(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def _without_versions(content: bytes) -> bytes:
    document = json.loads(content)
    document["compiler"] = "VERSION"
    document["catalogs"]["code"] = "CODE"
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def main() -> None:
    """Brings golden/ to what the compiler gives, and says what changed."""
    old, new = files_on_disk(), golden_files()
    for path in sorted({*old, *new}):
        if old.get(path) == new.get(path):
            continue
        target = GOLDEN / path
        if path in new:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(new[path])
        else:
            target.unlink()
        print(f"{'removed' if path not in new else 'changed' if path in old else 'added'} golden/{path}")
    for folder in sorted((path for path in GOLDEN.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    print(f"golden/: {len(new)} files")


if __name__ == "__main__":
    main()
