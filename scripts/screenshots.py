"""Takes the pictures of docs/images/ from the page of the example specs.

Usage: python -m scripts.screenshots
"""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner
from PIL import Image

from slo_compiler.cli import cli
from tests.browser import Visitor, browser

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
SLO = "#assistant/llama-70b-chat-ttft"
# Name, width and height of the window in pixels, dark, which SLO is open.
PICTURES = (
    ("catalogue-light", 1280, 800, False, ""),
    ("catalogue-dark", 1280, 1120, True, SLO),
    ("catalogue-narrow", 380, 900, False, SLO),
)
_COLOURS = 96


def main() -> None:
    """Rewrites every picture, and says how large it is."""
    IMAGES.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="slo-compiler-") as scratch, browser() as started:
        config = Path(scratch) / "slo-compiler.yaml"
        config.write_text("{}\n", encoding="utf-8")
        arguments = ["compile", "specs", "-o", scratch, "--only", "catalogue", "-q", "--config", str(config)]
        CliRunner().invoke(cli, arguments, catch_exceptions=False)
        visitor = Visitor(started)
        for name, width, height, dark, fragment in PICTURES:
            page = visitor.visit(Path(scratch) / "index.html", fragment=fragment, width=width, height=height, dark=dark)
            page.evaluate("document.activeElement.blur()")
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            target = IMAGES / f"{name}.png"
            picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
            print(f"{target.relative_to(ROOT)}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
