"""Text of specs inside a dashboard: Grafana puts variables into every text that it shows, and Markdown into some."""

from __future__ import annotations

import re
from decimal import Decimal

# Between the signs of a variable or a legend's label it is neither, and nobody sees it.
_INVISIBLE = "\u200b"
_MARKDOWN = re.compile(r"[^\w .,:;/()%'+=?@-]|_", re.ASCII)


def literal(expression: str) -> str:
    """PromQL in which nothing is a variable of Grafana's: what could be one stands only in strings, as an escape.

    It is for what is made of a spec; variables are written around it.
    """
    return expression.replace("$", "\\x24").replace("[[", "[\\x5b")


def words(text: str) -> str:
    """A title or a legend that Grafana shows as it is, on one line."""
    return re.sub(r"\$|\[(?=\[)|\{(?=\{)", lambda found: found[0] + _INVISIBLE, " ".join(text.split()))


def markdown(text: str) -> str:
    """Text that Markdown and Grafana show as it is, on one line: what is no letter or digit as an HTML entity."""
    return _MARKDOWN.sub(
        lambda found: found[0] if ord(found[0]) > 127 else f"&#{ord(found[0])};", " ".join(text.split())
    )


def address(url: str) -> str:
    """An address within Markdown or a link: nothing in it ends it, and nothing is a variable of Grafana's."""
    return re.sub(r"[^A-Za-z0-9\-._~:/?#@!&*+,;=%]", lambda found: _percent(found[0]), url)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def is_address(url: str) -> bool:
    """Whether it is one that a browser opens as a page."""
    return url.startswith(("https://", "http://"))


def describe(meaning: str, normal: str, act: str) -> str:
    """What a panel says of itself: what it means, what is normal, what to do."""
    return f"{meaning}\n\n**Normal:** {normal}\n\n**What to do:** {act}"


def number(value: Decimal) -> int | float:
    """A decimal as JSON writes it: whole numbers without a point."""
    return int(value) if value == value.to_integral_value() else float(value)


def seconds_text(seconds: Decimal | int) -> str:
    """A duration as Grafana reads it: one unit."""
    seconds = Decimal(seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{int(seconds // length)}{unit}"
    return step_text(seconds)


def step_text(seconds: Decimal) -> str:
    """A least distance of two points as Grafana reads it: whole seconds, or milliseconds."""
    return f"{int(seconds)}s" if seconds % 1 == 0 else f"{int(seconds * 1000)}ms"
