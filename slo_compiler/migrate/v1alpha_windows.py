"""The `timeWindows` of an `openslo/v1alpha` SLO as the `timeWindow` of `openslo/v1`."""

from __future__ import annotations

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.nearest import did_you_mean
from slo_compiler.load.source_map import Plain
from slo_compiler.migrate.fields import Fields
from slo_compiler.migrate.parts import OPENSLO, Job
from slo_compiler.migrate.source import Entry
from slo_compiler.migrate.tree import Field, Item, Items, Kept, Mapping, Value

_UNITS = {"minute": "m", "hour": "h", "day": "d", "week": "w", "month": "M", "quarter": "Q", "year": "Y"}
# A rolling month has no fixed length; the Go SDK reads these.
_ROLLING_DAYS = {"M": 30, "Q": 90, "Y": 365}
_EXAMPLE_WINDOW = "timeWindows: [{unit: Day, count: 28, isRolling: true}]"


def window_of(spec: Fields, job: Job) -> Items | None:
    """The one window; 30 rolling days where there is none, as Sloth reads it."""
    name = "timeWindows" if "timeWindows" in spec.entries else "timeWindow"
    items = spec.items(name)
    if len(items) > 1:
        hint = "keep one, and write another SLO for each other one"
        job.notices.error(Code.SLO203, items[1].value, f"spec.{name} holds {len(items)} windows; an SLO has one", hint)
        return None
    if not items:
        job.notices.notice(
            spec.node, "spec.timeWindows is missing; 30 rolling days are added, as Sloth reads it", _EXAMPLE_WINDOW
        )
        window = Mapping([Field("duration", Plain("30d")), Field("isRolling", Plain("true"))])
        return Items([Item(window)])
    inner = Fields(items[0].value, f"spec.{name}[0]", job.notices)
    unit, count = inner.text("unit", "unit: Day"), inner.text("count", "count: 28")
    rolling, calendar = inner.flag("isRolling"), inner.inner("calendar")
    inner.rest()
    if rolling and calendar is not None:
        hint = "keep isRolling: true, or the calendar"
        job.notices.error(Code.SLO203, calendar.node, f"{inner.path('calendar')} beside isRolling: true", hint)
    if rolling is False and calendar is None:
        job.notices.error(Code.SLO202, inner.node, f"{inner.path('calendar')} is missing", "isRolling: true")
    if rolling is None and calendar is None:
        message = f"{inner.path('isRolling')}: true is added: without a calendar the window is read as rolling"
        job.notices.notice(inner.node, message, "isRolling: true")
    if unit is None or count is None:
        return None
    is_rolling = calendar is None
    duration = _duration(unit, count, is_rolling, inner, job)
    if duration is None:
        return None
    made = Mapping()
    values: dict[str, Value] = {"duration": Plain(duration), "isRolling": Plain("true" if is_rolling else "false")}
    origins = {"duration": (count, unit), "isRolling": inner.entry("isRolling")}
    for key, value in values.items():
        made.put(key, value, *origins[key])
    if calendar is not None:
        dates = Mapping()
        for key in ("startTime", "timeZone"):
            entry = calendar.text(key, "startTime: 2026-01-01 00:00:00" if key == "startTime" else "timeZone: UTC")
            dates.put(key, None if entry is None else Kept(entry.value), *calendar.entry(key))
        calendar.rest()
        made.put("calendar", dates, *inner.entry("calendar"))
    return Items([Item(made, (items[0],))])


def _duration(unit: Entry, count: Entry, is_rolling: bool, inner: Fields, job: Job) -> str | None:
    """`count` units as v1 writes them: minutes to years, no seconds."""
    name, text = str(unit.value.value).lower().removesuffix("s"), str(count.value.value)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        job.notices.error(
            Code.SLO203, count.value, f"{inner.path('count')}: {text!r} is no count of units", "count: 28"
        )
        return None
    number = int(text)
    if name == "second":
        for letter, seconds in (("d", 86400), ("h", 3600), ("m", 60)):
            if number % seconds == 0:
                return f"{number // seconds}{letter}"
        message = f"{inner.where}: {number} seconds are no whole minutes, and {OPENSLO} has no shorter unit"
        job.notices.error(Code.SLO203, count.value, message, f"count: {max(1, number // 60) * 60}")
        return None
    if name not in _UNITS:
        known = [word.capitalize() for word in _UNITS]
        hint = did_you_mean(str(unit.value.value), known)
        job.notices.error(Code.SLO203, unit.value, f"{inner.path('unit')}: {unit.value.value!r} is no unit", hint)
        return None
    letter = _UNITS[name]
    if is_rolling and letter in _ROLLING_DAYS:
        days = number * _ROLLING_DAYS[letter]
        message = f"{inner.where}: a rolling {name} has no fixed length; written as {days}d"
        job.notices.notice(unit.value, message, "or a window of whole weeks: 28d")
        return f"{days}d"
    return f"{number}{letter}"
