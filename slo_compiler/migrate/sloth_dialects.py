"""How Sloth's two kinds of SLO files spell the same fields."""

from __future__ import annotations

from typing import NamedTuple


class Dialect(NamedTuple):
    """How the two kinds spell the same fields."""

    error_query: str
    total_query: str
    error_ratio_query: str
    page_alert: str
    ticket_alert: str
    slo_plugins: str


SNAKE = Dialect("error_query", "total_query", "error_ratio_query", "page_alert", "ticket_alert", "slo_plugins")
CAMEL = Dialect("errorQuery", "totalQuery", "errorRatioQuery", "pageAlert", "ticketAlert", "sloPlugins")
