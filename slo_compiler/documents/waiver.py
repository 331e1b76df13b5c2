"""A catalog finding that the owner accepts, for a reason and until a date."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from slo_compiler.documents.base import JsonSchema, Model

# Which days a month has is the calendar's word.
_DATE = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


def _read_date(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return value
    try:
        if not _DATE.fullmatch(str(value)):
            raise ValueError
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{str(value)!r} is no date; write it as 2027-03-01") from None


DateText = Annotated[
    datetime.date,
    BeforeValidator(_read_date),
    JsonSchema({"type": "string", "format": "date", "pattern": f"^{_DATE.pattern}$"}),
]


class Waiver(Model):
    """Lifts one finding. Until which day it holds is judged by `validate`, never baked into an output."""

    code: str
    reason: Annotated[str, Field(min_length=1)]
    until: DateText
