"""Judging many readings: the columns' rate against one verdict at a time, and the memory that a million need.

The readings are random decimals as devices print them (two or three digits, some absent), the same for both; ratios are
within one run. The memory is the growth of the process's peak while a million readings stream through, their columns
made chunk by chunk; ``tracemalloc`` would change the speed, so it is the operating system's figure.

    python -m benchmarks.judging [runs]
"""

from __future__ import annotations

import random
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import numpy as np

from ponprobe.evaluate import judge, threshold_set
from ponprobe.models.addressing import OnuRef
from ponprobe.models.optical import POWERS, Absence, Db, Dbm, OpticalReading, Reading
from ponprobe.optics.vector import Columns, judge_columns, judge_stream

SINGLE = 2_000
"""Readings judged one at a time in each run."""
CHUNK = 65_536
MILLION = 1_000_000
RANGES = {"olt_tx_dbm": (1.0, 7.0), "olt_rx_dbm": (-33.0, -10.0), "onu_tx_dbm": (0.5, 5.0), "onu_rx_dbm": (-30.0, -8.0)}
NOW = datetime(2031, 1, 1, tzinfo=timezone.utc)


def readings(count: int) -> list[OpticalReading]:
    chance, onu, found = random.Random(7), OnuRef.parse("0/1/2:3"), []
    for _ in range(count):
        fields: dict[str, Any] = {}
        for name, bounds in RANGES.items():
            if chance.random() < 0.02:
                fields[name] = Reading(absence=Absence.NOT_REPORTED)
            else:
                value = Dbm(round(chance.uniform(*bounds), chance.choice((2, 3))))
                fields[name] = Reading(value=value, precision_db=Db(3.0))
        found.append(OpticalReading(onu=onu, **fields))
    return found


def repeated(columns: Columns, rows: int) -> Columns:
    """The same columns over and over, ``rows`` long, in memory of their own."""
    return Columns(
        **{name: np.resize(getattr(columns, name), rows) for name in POWERS},
        absence={name: np.resize(values, rows) for name, values in columns.absence.items()},
        precision_db={name: np.resize(values, rows) for name, values in columns.precision_db.items()},
    )


def random_doubles(rows: int) -> Columns:
    """Numbers that no device prints: all 17 digits, so that every one takes the exact, slow subtraction."""
    chance = np.random.default_rng(7)
    return Columns(**{name: chance.uniform(*bounds, rows) for name, bounds in RANGES.items()})


def seconds(job: Any) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def rates(name: str, runs: int, sample: list[OpticalReading], columns: Columns, what: str) -> None:
    thresholds, ratios, singles, manies = threshold_set(name), [], [], []
    for _ in range(runs):
        single = seconds(lambda: [judge(each, thresholds, judged_at=NOW) for each in sample]) / len(sample)
        many = seconds(lambda: judge_columns(columns, thresholds)) / len(columns)
        singles.append(single)
        manies.append(many)
        ratios.append(single / many)
    print(
        f"judging, {name}, {what}: one at a time {statistics.median(singles) * 1e6:6.1f} us a reading, in columns "
        f"{statistics.median(manies) * 1e6:6.3f} us ({statistics.median(ratios):.0f} times the rate)"
    )


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def million(columns: Columns) -> None:
    def chunks() -> Iterator[Columns]:
        for begin in range(0, MILLION, CHUNK):
            yield repeated(columns, min(CHUNK, MILLION - begin))

    thresholds, before, start, passed, rows = threshold_set("gpon_b_plus"), peak_mb(), time.perf_counter(), 0, 0
    for judged in judge_stream(chunks(), thresholds):
        passed += int((judged.outcome == 0).sum())
        rows += len(judged)
    took = time.perf_counter() - start
    assert rows == MILLION
    print(
        f"judging, a million readings against gpon_b_plus in chunks of {CHUNK}: {took:.2f} s, {passed} pass, peak "
        f"memory {peak_mb():.0f} MB, {peak_mb() - before:.0f} MB of it for this"
    )


def main(runs: int) -> None:
    """Print the ratios for both kinds of numbers, and what a million readings need."""
    sample = readings(SINGLE)
    columns = Columns.of(sample)
    million(columns)  # first: the peak never falls
    for name in ("construction", "gpon_b_plus"):
        rates(name, runs, sample, repeated(columns, CHUNK), "printed numbers")
    rates("construction", runs, sample, random_doubles(CHUNK), "random doubles")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
