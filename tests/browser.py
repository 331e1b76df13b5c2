"""A headless Chromium of the system, and a page in it that may ask no server for anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Dialog, Page, Request, sync_playwright

PROGRAM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# Without these it looks for hosts of its maker at every start.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def browser() -> Iterator[Browser]:
    """One browser, which ends with the body."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=PROGRAM, args=_FLAGS)
        try:
            yield started
        finally:
            started.close()


class Visitor:
    """A page in which files are opened one after the other, and what went wrong in it."""

    def __init__(self, started: Browser) -> None:
        self.page = started.new_context(offline=True).new_page()
        self.page.set_default_timeout(15000)
        self.said: list[str] = []
        self._address = ""
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda fault: self.said.append(f"raises: {fault}"))
        self.page.on("request", self._asked)
        self.page.on("dialog", self._spoke)

    def visit(
        self, file: Path, *, fragment: str = "", width: int = 1400, height: int = 900, dark: bool = False
    ) -> Page:
        """Opens a file as if for the first time."""
        self._address = file.resolve().as_uri()
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        self.page.goto("about:blank")  # else another fragment of the same file would not load it again
        self.page.goto(f"{self._address}{fragment}")
        return self.page

    def _asked(self, request: Request) -> None:
        """Notes whatever is asked for beside the page itself."""
        if request.url.partition("#")[0] not in (self._address, "about:blank") and not request.url.startswith("data:"):
            self.said.append(f"asks for {request.url}")

    def _spoke(self, dialog: Dialog) -> None:
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()
