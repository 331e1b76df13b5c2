"""`python -m slo_compiler` and the console script."""

from __future__ import annotations

import atexit
import gc
import os
import sys

# A run is short and makes many small objects that all live to its end: the default would look through them again and again.
_COLLECT_AFTER = 200_000


def main() -> None:
    """Runs the command line; a closed pipe ends it quietly."""
    gc.set_threshold(_COLLECT_AFTER)
    atexit.register(gc.freeze)  # the end of a run need not look through what the process gives back anyway
    # Looking for pydantic plugins reads the metadata of every installed package; the compiler uses none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from slo_compiler.cli import cli

    try:
        cli(prog_name="slo-compiler")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


if __name__ == "__main__":
    main()
