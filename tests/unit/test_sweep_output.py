"""The file of a sweep: cut anywhere and continued, it is what an undisturbed sweep writes; nobody's file is harmed."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ponprobe.app.sweep_output import Done, Format, opened
from ponprobe.errors import ConfigError, LeaseConflict, PonprobeError
from ponprobe.evaluate import link_loss
from ponprobe.models.addressing import PonPort
from ponprobe.models.optical import OpticalReading
from ponprobe.models.sweep import OltStarted, PortDone, PortSkipped, SweepItem, SweepRecord, SweepSummary

NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)
PLANT = {("lab", PonPort(frame=0, slot=1, port=port)): port for port in range(4)} | {
    ("机房", PonPort(frame=0, slot=1, port=1)): 2
}
"""(OLT, port) -> how many ONUs."""
BOTH = pytest.mark.parametrize("form", list(Format))


def a_sweep(done: Done, *, skip: frozenset[PonPort] = frozenset()) -> Iterator[SweepItem]:
    for olt in dict.fromkeys(olt for olt, _ in PLANT):
        mine: dict[str, Any] = {"olt": olt, "host": "192.0.2.10"}
        yield OltStarted(ports=9, at=NOW, **mine)
        for (of, port), count in PLANT.items():
            if of != olt or port in done.get(olt, ()):
                continue
            if port in skip:
                yield PortSkipped(port=port, error_class="ParseError", error="odd", at=NOW, **mine)
                continue
            for number in range(count):
                reading = OpticalReading(onu=port.onu(number))
                yield SweepRecord(onu=reading.onu, optical=reading, loss=link_loss(reading), read_at=NOW, **mine)
            yield PortDone(port=port, onus=count, took_s=0.5, at=NOW, **mine)


SUMMARY = SweepSummary(
    olts=2, onus=8, ports_read=5, ports_done_before=0, ports_not_read=0, started_at=NOW, at=NOW, exit_code=0
)


def swept(path: Path, form: Format, *, resume: bool = True, skip: frozenset[PonPort] = frozenset()) -> Done:
    with opened(path, form, resume=resume) as (sink, done):
        before = {olt: set(ports) for olt, ports in done.items()}
        for item in a_sweep(before, skip=skip):
            sink.write(item)
        sink.finish(SUMMARY)
    return before


def rows(path: Path, form: Format) -> list[str]:
    """Every ONU that the file has, as ``olt port:id``, in its order."""
    if form is Format.CSV:
        with path.open(newline="", encoding="utf-8") as file:
            return [f"{row['olt']} {row['port']}:{row['onu_id']}" for row in csv.DictReader(file)]
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [f"{line['olt']} {line['onu']}" for line in lines if line["event"] == "onu"]


def marks(path: Path) -> Path:
    return path.with_name(f"{path.name}.ports.jsonl")


@pytest.fixture
def whole(tmp_path: Path) -> Callable[[Format], tuple[bytes, bytes, list[str]]]:
    def made(form: Format) -> tuple[bytes, bytes, list[str]]:
        path = tmp_path / f"undisturbed.{form.value}"
        swept(path, form, resume=False)
        beside = marks(path).read_bytes() if form is Format.CSV else b""
        return path.read_bytes(), beside, sorted(rows(path, form))

    return made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of files that are cut by the test itself need not reach the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.mark.usefixtures("quick")
def test_a_json_lines_file_cut_at_any_byte_is_continued(tmp_path: Path, whole: Any) -> None:
    content, _, wanted = whole(Format.JSONL)
    assert len(wanted) == sum(PLANT.values())
    path = tmp_path / "cut.jsonl"
    most = 0
    for cut in range(0, len(content), 13):
        path.write_bytes(content[:cut])
        most = max(most, sum(map(len, swept(path, Format.JSONL).values())))
        assert sorted(rows(path, Format.JSONL)) == wanted, cut
        assert path.read_bytes().count(b'"finished"') == 1
    assert most == len(PLANT)  # what is whole is not read again


@pytest.mark.usefixtures("quick")
def test_a_csv_file_cut_at_any_byte_is_continued(tmp_path: Path, whole: Any) -> None:
    content, beside, wanted = whole(Format.CSV)
    path = tmp_path / "cut.csv"
    # the rows reach the disk before the mark; after a power cut the mark may be there without the rows all the same
    for cut in (*range(0, len(content), 67), len(content)):
        for kept in (*range(0, len(beside), 331), len(beside)):
            path.write_bytes(content[:cut])
            marks(path).write_bytes(beside[:kept])
            before = swept(path, Format.CSV)
            assert sorted(rows(path, Format.CSV)) == wanted, (cut, kept)
            assert len(path.read_bytes().splitlines()) == len(wanted) + 1
    assert sum(map(len, before.values())) == len(PLANT)
    assert swept(path, Format.CSV) == {olt: {port for of, port in PLANT if of == olt} for olt, _ in PLANT}


@BOTH
def test_ports_that_were_not_read_are_read_anew_and_their_old_lines_go(tmp_path: Path, form: Format) -> None:
    path, skip = tmp_path / "rows", frozenset({PonPort(frame=0, slot=1, port=1)})
    swept(path, form, skip=skip)
    told = marks(path) if form is Format.CSV else path
    assert told.read_text("utf-8").count('"port_skipped"') == 2
    assert skip.isdisjoint(*swept(path, form).values())
    assert len(rows(path, form)) == sum(PLANT.values())
    assert told.read_text("utf-8").count("port_skipped") == 0
    assert told.read_text("utf-8").count("port_done") == len(PLANT)


@BOTH
def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path, form: Format) -> None:
    path = tmp_path / "rows"
    swept(path, form, resume=False)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"is there - --resume continues it"):
        swept(path, form, resume=False)
    assert path.read_bytes() == before


@BOTH
@pytest.mark.parametrize(
    "content", [b"my notes\n", b"\x00\xff\n", b'{"a": 1}\n', b'["event"]\n', b"olt,host,port\nx,y,z\n"]
)
def test_a_file_that_is_no_sweep_is_refused_and_left_alone(tmp_path: Path, form: Format, content: bytes) -> None:
    path = tmp_path / "rows"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="left as it is"):
        swept(path, form)
    assert path.read_bytes() == content
    assert {each.name for each in tmp_path.iterdir()} <= {"rows", ".rows.lock"}


def test_a_line_that_is_torn_in_the_middle_of_the_file_is_no_end(tmp_path: Path, whole: Any) -> None:
    content, _, _ = whole(Format.JSONL)
    path = tmp_path / "rows"
    path.write_bytes(content[:500] + b"\n" + content)
    with pytest.raises(ConfigError, match=r"line \d+ of"):
        swept(path, Format.JSONL)


def test_a_done_line_without_all_of_its_rows_is_not_believed(tmp_path: Path, whole: Any) -> None:
    content, _, wanted = whole(Format.JSONL)
    lines = content.splitlines(keepends=True)
    lines.remove(next(line for line in lines if b'"onu":"0/1/3:1"' in line))
    path = tmp_path / "rows"
    path.write_bytes(b"".join(lines))
    assert PonPort(frame=0, slot=1, port=3) not in swept(path, Format.JSONL)["lab"]
    assert sorted(rows(path, Format.JSONL)) == wanted


def test_rows_without_their_done_line_go_and_the_next_port_stays(tmp_path: Path, whole: Any) -> None:
    content, _, wanted = whole(Format.JSONL)
    lines = content.splitlines(keepends=True)
    lines.remove(next(line for line in lines if b'"port_done","port":"0/1/2"' in line))
    path = tmp_path / "rows"
    path.write_bytes(b"".join(lines))
    assert {port.port for port in swept(path, Format.JSONL)["lab"]} == {0, 1, 3}
    assert sorted(rows(path, Format.JSONL)) == wanted


def test_a_table_without_its_marks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    swept(path, Format.CSV)
    marks(path).unlink()
    with pytest.raises(ConfigError, match="nobody knows which ports"):
        swept(path, Format.CSV)


@BOTH
def test_two_sweeps_do_not_write_one_file(tmp_path: Path, form: Format) -> None:
    path = tmp_path / "rows"
    with opened(path, form, resume=True), pytest.raises(LeaseConflict, match="another sweep"):
        swept(path, form)
    swept(path, form)


@BOTH
def test_a_full_disk_leaves_whole_ports(tmp_path: Path, form: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real, calls = tmp_path / "rows", os.fsync, 0

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > (3 if form is Format.JSONL else 5):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(PonprobeError, match=r"No space left.*--resume"):
            swept(path, form)
    content = path.read_bytes()
    assert content.endswith(b"\n")
    assert 0 < len(rows(path, form)) < 6
    before = swept(path, form)
    assert before
    assert len(rows(path, form)) == len(set(rows(path, form))) == sum(PLANT.values())


@BOTH
def test_a_stop_in_the_middle_of_a_port_leaves_none_of_it(tmp_path: Path, form: Format) -> None:
    path = tmp_path / "rows"
    last = "0/1/3:1"
    with suppress(KeyboardInterrupt), opened(path, form, resume=False) as (sink, _):
        for item in a_sweep({}):
            sink.write(item)
            if isinstance(item, SweepRecord) and str(item.onu) == last:
                sink.finish(SUMMARY)
                raise KeyboardInterrupt
    assert rows(path, form) == ["lab 0/1/1:0", "lab 0/1/2:0", "lab 0/1/2:1"]


@BOTH
def test_only_its_owner_may_read_the_plant_of_a_city(tmp_path: Path, form: Format) -> None:
    path = tmp_path / "rows"
    swept(path, form)
    swept(path, form)
    assert path.stat().st_mode & 0o077 == 0
    assert form is Format.JSONL or marks(path).stat().st_mode & 0o077 == 0


@BOTH
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, form: Format) -> None:
    for path in (tmp_path / "no" / "such" / "folder", tmp_path):
        with pytest.raises(ConfigError, match=r"--output: .*(cannot be written|is no file)"):
            swept(path, form)
    assert list(tmp_path.iterdir()) == []


@BOTH
def test_a_terminal_without_utf_8_gets_what_it_can_show(form: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    reading = OpticalReading(onu=PonPort(frame=0, slot=1, port=1).onu(1))
    mine: dict[str, Any] = {"olt": "机房😀", "host": "192.0.2.10"}
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    with opened(None, form, resume=False) as (sink, _):
        sink.write(SweepRecord(onu=reading.onu, optical=reading, loss=link_loss(reading), read_at=NOW, **mine))
        sink.finish(SUMMARY)
    lines = raw.getvalue().decode("ascii").splitlines()
    assert len(lines) == 2
    if form is Format.JSONL:
        assert json.loads(lines[0])["olt"] == "机房😀"
