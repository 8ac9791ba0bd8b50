"""Deadlines: the clock that stops at night, the one that does not, boundary instants, and summer time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponprobe.errors import ConfigError
from ponprobe.workflow.deadlines import LIMITS, Limit, deadline, limit_end

ZONE = "Asia/Shanghai"
HERE = ZoneInfo(ZONE)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HERE)


@pytest.mark.parametrize(
    ("created", "hours", "due"),
    [
        ("2026-03-02 19:30", 8, "2026-03-03 15:30"),
        ("2026-03-02 23:00", 8, "2026-03-03 16:00"),
        ("2026-03-02 08:00", 8, "2026-03-02 16:00"),
        # boundary instants
        ("2026-03-02 07:59:59", 8, "2026-03-02 16:00"),
        ("2026-03-02 08:00", 12, "2026-03-02 20:00"),
        ("2026-03-02 12:00", 8, "2026-03-02 20:00"),
        ("2026-03-02 12:00:01", 8, "2026-03-03 08:00:01"),
        ("2026-03-02 20:00", 8, "2026-03-03 16:00"),
        ("2026-03-02 19:59:59", 8, "2026-03-03 15:59:59"),
        ("2026-03-03 00:00", 8, "2026-03-03 16:00"),
        ("2026-03-02 23:59:59", 8, "2026-03-03 16:00"),
        # over several nights, a month's end, a year's end
        ("2026-03-02 08:00", 36, "2026-03-04 20:00"),
        ("2026-02-28 19:00", 8, "2026-03-01 15:00"),
        ("2026-12-31 21:00", 0.5, "2027-01-01 08:30"),
        ("2026-03-02 23:00", 0, "2026-03-02 23:00"),
    ],
)
def test_a_clock_that_excludes_the_night(created: str, hours: float, due: str) -> None:
    assert deadline(local(created), hours, night_excluded=True, zone=ZONE) == local(due)


def test_the_opening_limit_runs_through_the_night() -> None:
    assert deadline(local("2026-03-02 23:00"), 72, night_excluded=False, zone=ZONE) == local("2026-03-05 23:00")
    assert limit_end(local("2026-03-02 23:00"), "opening", zone=ZONE) == local("2026-03-05 23:00")
    assert limit_end(local("2026-03-02 23:00"), "fault", zone=ZONE) == local("2026-03-03 16:00")
    mine = Limit(hours=1, night_excluded=True, source="contract")
    assert limit_end(local("2026-03-02 23:00"), mine, zone=ZONE) == local("2026-03-03 09:00")
    assert {name: (limit.hours, limit.night_excluded) for name, limit in LIMITS.items()} == {
        "opening": (72, False),
        "fault": (8, True),
        "on_site": (4, False),
    }


def test_the_answer_is_in_utc_whatever_zone_the_creation_was_told_in() -> None:
    told = datetime(2026, 3, 2, 11, 30, tzinfo=timezone.utc)  # 19:30 in Shanghai
    due = deadline(told, 8, night_excluded=True, zone=ZONE)
    assert due.tzinfo is timezone.utc
    assert due == datetime(2026, 3, 3, 7, 30, tzinfo=timezone.utc)


def test_the_zone_decides_when_night_is() -> None:
    created = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
    assert deadline(created, 8, night_excluded=True, zone="UTC") == datetime(2026, 3, 2, 20, 0, tzinfo=timezone.utc)
    # 20:00 in Shanghai: the clock starts next morning, at 00:00 UTC
    assert deadline(created, 8, night_excluded=True, zone=ZONE) == datetime(2026, 3, 3, 8, 0, tzinfo=timezone.utc)


def test_the_evening_in_the_west_counts_although_utc_has_the_next_day() -> None:
    west = ZoneInfo("America/Los_Angeles")
    created = datetime(2026, 3, 2, 19, 0, tzinfo=west)
    assert deadline(created, 8, night_excluded=True, zone=west) == datetime(2026, 3, 3, 15, 0, tzinfo=west)


def test_summer_time_gives_no_hour_and_takes_none() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 28, 19, 30, tzinfo=berlin)  # clocks go forward in the night that follows
    assert deadline(before, 8, night_excluded=True, zone=berlin) == datetime(2026, 3, 29, 15, 30, tzinfo=berlin)
    through = deadline(before, 24, night_excluded=False, zone=berlin)
    assert through - before.astimezone(timezone.utc) == timedelta(hours=24)
    assert through == datetime(2026, 3, 29, 20, 30, tzinfo=berlin)
    autumn = datetime(2026, 10, 24, 19, 30, tzinfo=berlin)
    assert deadline(autumn, 8, night_excluded=True, zone=berlin) == datetime(2026, 10, 25, 15, 30, tzinfo=berlin)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 - hypothesis adds the zone
    st.floats(0.01, 200),
    st.sampled_from(
        ["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "America/Los_Angeles", "Pacific/Auckland", "UTC"]
    ),
)
def test_a_deadline_is_by_day_and_leaves_exactly_the_hours(created: datetime, hours: float, name: str) -> None:
    zone = ZoneInfo(name)
    start = created.replace(tzinfo=timezone.utc)
    due = deadline(start, hours, night_excluded=True, zone=zone)
    assert due >= start + timedelta(hours=hours)
    wall = due.astimezone(zone)
    assert 8 * 3600 < wall.hour * 3600 + wall.minute * 60 + wall.second + wall.microsecond / 1e6 <= 20 * 3600
    # counted independently: every day's opening between start and end
    counted, day = timedelta(), start.astimezone(zone).date()
    while day <= wall.date():
        opens = datetime(day.year, day.month, day.day, 8, tzinfo=zone).astimezone(timezone.utc)
        closes = datetime(day.year, day.month, day.day, 20, tzinfo=zone).astimezone(timezone.utc)
        counted += max(timedelta(), min(due, closes) - max(start, opens))
        day += timedelta(days=1)
    assert counted == timedelta(hours=hours)


def test_a_time_without_a_zone_is_refused() -> None:
    for excluded in (True, False):
        with pytest.raises(ConfigError, match="the time of creation 2026-03-02 19:30:00 has no time zone"):
            deadline(datetime(2026, 3, 2, 19, 30), 8, night_excluded=excluded, zone=ZONE)  # noqa: DTZ001


@pytest.mark.parametrize("zone", ["Asia/Nowhere", "", "../../etc/passwd", "/etc/localtime", "Asia"])
def test_an_unknown_zone_is_refused_even_where_no_night_counts(zone: str) -> None:
    for excluded in (True, False):
        with pytest.raises(ConfigError, match="there is no time zone"):
            deadline(local("2026-03-02 19:30"), 8, night_excluded=excluded, zone=zone)


@pytest.mark.parametrize("hours", [-1, float("nan"), float("inf"), 1e9])
def test_hours_that_are_no_limit_are_refused(hours: float) -> None:
    with pytest.raises(ConfigError, match="is no time limit"):
        deadline(local("2026-03-02 19:30"), hours, night_excluded=True, zone=ZONE)


def test_an_unknown_limit_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'repair' - known: opening, fault, on_site"):
        limit_end(local("2026-03-02 19:30"), "repair", zone=ZONE)
