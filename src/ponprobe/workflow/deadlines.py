"""Until when something has to be done: working hours that stop at night, and limits that do not.

A clock starts when a ticket is created, not when it is dispatched. Between 20:00 and 08:00 the clock of a fault
repair stands still; the clock of an opening does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ponprobe.errors import ConfigError
from ponprobe.models._base import Value

DAY_STARTS, DAY_ENDS = time(8), time(20)
"""Local time between which a clock that excludes the night runs (home broadband service rules, note 3)."""
_LONGEST_H = 24.0 * 366 * 10


class Limit(Value):
    """A time limit of the service rules: hours from the creation of the ticket, and whether the night counts."""

    hours: float
    night_excluded: bool
    source: str


LIMITS: Mapping[str, Limit] = {
    "opening": Limit(hours=72, night_excluded=False, source="home broadband service rules: 72 h, not in note 3"),
    "fault": Limit(hours=8, night_excluded=True, source="home broadband service rules: 8 h; note 3 excludes the night"),
    "on_site": Limit(hours=4, night_excluded=False, source="home broadband service rules: 4 h on site, not in note 3"),
}
"""The limits that the service rules name; they are only suggestions for rectification tickets."""


def zone_of(name: str | ZoneInfo) -> ZoneInfo:
    """Give the time zone of an IANA name such as ``Asia/Shanghai``; ``ConfigError`` if there is none."""
    if isinstance(name, ZoneInfo):
        return name
    try:
        return ZoneInfo(name)
    # an absolute or climbing path is a ValueError, a directory such as "Asia" an OSError
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ConfigError(
            f"there is no time zone {name!r}",
            hint="use an IANA name such as Asia/Shanghai; where the system has no zone data, pip install tzdata",
        ) from exc


def aware(moment: datetime, what: str) -> datetime:
    """Give ``moment`` in UTC; a time without a zone is refused by name (``ConfigError``)."""
    if moment.utcoffset() is None:
        raise ConfigError(
            f"{what} {moment.isoformat(sep=' ')} has no time zone", hint="say which: datetime(..., tzinfo=...)"
        )
    return moment.astimezone(timezone.utc)


def deadline(created: datetime, hours: float, *, night_excluded: bool, zone: str | ZoneInfo) -> datetime:
    """Give the instant, in UTC, at which ``hours`` of the clock are over that started at ``created``.

    With ``night_excluded`` only the time between 08:00 and 20:00 in ``zone`` counts: 8 h from 19:30 end at 15:30 on the
    next day. Hours are elapsed time, so a change to or from summer time neither gives nor takes any. A naive
    ``created``, an unknown zone, or hours that are negative or not finite raise ``ConfigError``.
    """
    if not math.isfinite(hours) or not 0 <= hours <= _LONGEST_H:
        raise ConfigError(f"{hours} is no time limit", hint="give hours from 0 to ten years")
    start, local = aware(created, "the time of creation"), zone_of(zone)
    left = timedelta(hours=hours)
    if not night_excluded or not left:
        return start + left
    day = start.astimezone(local).date()
    while True:
        opens, closes = _instant(day, DAY_STARTS, local), _instant(day, DAY_ENDS, local)
        begin = max(start, opens)
        if begin < closes:
            # a clock that ends exactly at 20:00 ends there, not in the next morning
            if left <= closes - begin:
                return begin + left
            left -= closes - begin
        day += timedelta(days=1)


def _instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, wall, tzinfo=zone).astimezone(timezone.utc)


def limit_end(created: datetime, limit: str | Limit, *, zone: str | ZoneInfo) -> datetime:
    """Give the end of one of the ``LIMITS`` (by name) or of a limit of your own; see ``deadline``."""
    if isinstance(limit, str):
        if limit not in LIMITS:
            raise ConfigError(f"there is no limit {limit!r}", hint=f"known: {', '.join(LIMITS)}, or pass a Limit")
        limit = LIMITS[limit]
    return deadline(created, limit.hours, night_excluded=limit.night_excluded, zone=zone)
