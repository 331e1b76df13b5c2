"""The resolved form of where the series of a spec's engine come from."""

from decimal import Decimal
from typing import NamedTuple

from slo_compiler.ir_series import Matcher


class Scraping(NamedTuple):
    """A metrics page of every replica.

    Attributes:
        name: of the target: the engine's, and a digest of what is scraped as which job. Specs that share it share all but
            the other `labels`, `copied`, `honors` and `forms`.
        select: labels of the Service or the pods, sorted; empty where addresses are named.
        targets: addresses, sorted.
        namespaces: what the selector says of them; none where it says nothing.
        port: its number or name; empty where addresses say it.
        interval: in seconds.
        labels: that every series gets, sorted.
        copied: labels of the pods that every series gets, sorted.
        honors: whether the engine writes labels that scraping would write over, and means something else by them.
        forms: of the histograms that are read, sorted.
    """

    name: str
    select: tuple[tuple[str, str], ...]
    targets: tuple[str, ...]
    namespaces: tuple[Matcher, ...]
    port: str
    path: str
    interval: Decimal
    labels: tuple[tuple[str, str], ...]
    copied: tuple[str, ...]
    honors: bool
    forms: tuple[str, ...]
