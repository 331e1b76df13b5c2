"""Cases of which some take long: those run only where `make thorough` asks for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def cases(names: Iterable[str], long: Collection[str]) -> list[Any]:
    """Parameters of a test, the long ones with the marker.

    Raises:
        AssertionError: a long one is no case.
    """
    listed = list(names)
    assert set(long) <= set(listed)
    return [pytest.param(name, id=name, marks=[pytest.mark.thorough] * (name in long)) for name in listed]
