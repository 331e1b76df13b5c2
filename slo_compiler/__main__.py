"""`python -m slo_compiler` and the console script."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line; an interrupted run exits with 130, a closed pipe quietly."""
    from slo_compiler.cli import cli

    try:
        cli(prog_name="slo-compiler")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


if __name__ == "__main__":
    main()
