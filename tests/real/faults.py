"""The page of a real program behind an address of its own, with one fault planted in what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from slo_compiler.external.page_server import Answer, serving
from slo_compiler.units import decimal_text
from tests.real.process import fetched

Fault = Callable[[str], str]


def renamed(old: str, new: str) -> Fault:
    """A metric of another name, with all its parts."""
    return lambda page: re.sub(rf"(?<![\w:]){re.escape(old)}(?=[\s{{]|_bucket|_count|_sum)", new, page)


def without_bucket(metric: str, le: str) -> Fault:
    """A histogram that lacks an edge."""
    line = rf'^{re.escape(metric)}_bucket\{{[^}}\n]*\ble="{re.escape(le)}"[^\n]*\n'
    return lambda page: re.sub(line, "", page, flags=re.MULTILINE)


def without_label(label: str) -> Fault:
    """Series of which none has the label."""
    pair = rf'{re.escape(label)}="[^"\n]*"'
    return lambda page: re.sub(rf",{pair}(?=[,}}])", "", re.sub(rf"\{{{pair}(,|(?=\}}))", "{", page))


def relabelled(label: str, value: str) -> Fault:
    """Series of which all have another value of the label."""
    return lambda page: re.sub(rf'\b{re.escape(label)}="[^"\n]*"', f'{label}="{value}"', page)


def rescaled(metric: str, factor: Decimal) -> Fault:
    """A histogram in another unit: edges and sum times the factor."""

    def edge(found: re.Match[str]) -> str:
        return f"{found[1]}{decimal_text(Decimal(found[2]) * factor)}{found[3]}"

    buckets = re.compile(rf'^({re.escape(metric)}_bucket\{{[^}}\n]*\ble=")([0-9.e+]+)(")', re.MULTILINE)
    return lambda page: buckets.sub(edge, page)


def declared(metric: str, kind: str) -> Fault:
    """A metric of another type than it is."""
    return lambda page: re.sub(rf"(?m)^(# TYPE {re.escape(metric)}) \w+$", rf"\1 {kind}", page)


def frozen(metric: str) -> Fault:
    """A metric that stays at what it was when it was first looked at."""
    first: dict[str, str] = {}
    line = re.compile(rf"^({re.escape(metric)}(?:_bucket|_count|_sum)?(?:\{{[^\n]*\}})?) (\S+)$", re.MULTILINE)
    return lambda page: line.sub(lambda found: f"{found[1]} {first.setdefault(found[1], found[2])}", page)


def zeroed(metric: str) -> Fault:
    """A metric that has counted nothing at all."""
    line = re.compile(rf"^({re.escape(metric)}(?:_bucket|_count|_sum)?(?:\{{[^\n]*\}})?) \S+$", re.MULTILINE)
    return lambda page: line.sub(r"\1 0", page)


@contextmanager
def planted(page: str, fault: Fault, before: Callable[[], None] = lambda: None) -> Iterator[str]:
    """An address that answers with the page as it is now, but for the fault.

    Args:
        before: is done before the page is asked for.
    """

    def answer(_path: str) -> Answer:
        before()
        return Answer(200, "text/plain; version=0.0.4", fault(fetched(page)))

    with serving("127.0.0.1", 0, answer) as port:
        yield f"http://127.0.0.1:{port}/metrics"
