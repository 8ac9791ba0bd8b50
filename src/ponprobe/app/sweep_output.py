"""Where a sweep is written: a stream for programs, or a file that a later run can continue.

A file grows by whole ports. What stands behind the last whole port was cut off by a kill and is read anew. Which ports
are whole says a JSON Lines file itself; a CSV file has a second file beside it, as a row that is no ONU would disturb
every program that reads the table.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ponprobe import tabular
from ponprobe.errors import ConfigError, LeaseConflict, PonprobeError
from ponprobe.models.addressing import OnuRef, PonPort
from ponprobe.models.sweep import OltStarted, PortDone, PortSkipped, SweepItem, SweepRecord, SweepSummary

if TYPE_CHECKING:
    from typing_extensions import Self

    from ponprobe.models._base import Value

Done = dict[str, set[PonPort]]
"""Ports that are whole in a file, by the OLT's name."""
_SKIPPED_EVENTS = {"olt_started", "port_skipped", "finished"}
"""Lines that tell of one run, not of the plant: a continued file has those of its last run."""


class Format(str, Enum):
    """How rows are written."""

    JSONL = "jsonl"
    CSV = "csv"


class ReaderGone(Exception):
    """Whoever read our rows has had enough; that is an end, not a failure."""


class Sink(Protocol):
    """Takes a sweep, item by item, and its summary."""

    def write(self, item: SweepItem) -> None:
        """Take one item; what it says is safe when its port is done."""

    def finish(self, summary: SweepSummary) -> None:
        """Take the end."""


@contextmanager
def opened(path: Path | None, form: Format, *, resume: bool) -> Iterator[tuple[Sink, Done]]:
    """Give what to write to, and which ports stand there already.

    Raises ``ConfigError`` for a file that is there (without ``resume``), is no sweep, or cannot be written, and
    ``LeaseConflict`` while another sweep writes it.
    """
    if path is None:
        yield (_CsvStream() if form is Format.CSV else _JsonStream()), {}
        return
    with _alone(path):
        if not resume and path.exists() and path.stat().st_size:
            raise ConfigError(f"--output: {path} is there", hint="--resume continues it; or name another file")
        sink: _CsvFile | _JsonFile = _CsvFile(path) if form is Format.CSV else _JsonFile(path)
        with sink:
            yield sink, sink.done


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only where a file is written

    if path.exists() and not path.is_file():
        raise ConfigError(f"--output: {path} is no file", hint="name a file, or leave --output out and redirect stdout")
    if not path.parent.is_dir():
        raise ConfigError(f"--output: {path} cannot be written: there is no folder {path.parent}", hint="make it first")
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as exc:
        raise LeaseConflict(f"--output: another sweep writes {path} now", hint="wait for it, or name another") from exc
    except OSError as exc:
        raise _unwritable(path, exc) from exc
    try:
        yield
    finally:
        lock.release()


def _unwritable(path: Path, exc: OSError) -> ConfigError:
    return ConfigError(f"--output: {path} cannot be written: {exc.strerror or exc}", hint="check the folder and rights")


def _json(item: Value) -> str:
    return item.model_dump_json(by_alias=True)


def _csv(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


_CSV_HEADER = _csv(list(tabular.COLUMNS))


# ---------------------------------------------------------------------- streams


class _JsonStream:
    """JSON Lines on stdout."""

    def write(self, item: SweepItem) -> None:
        _print(self._line(item), flush=not isinstance(item, SweepRecord))

    def finish(self, summary: SweepSummary) -> None:
        _print(self._line(summary))

    @staticmethod
    def _line(item: Value) -> str:
        line = _json(item)
        return line if _fits(line) else json.dumps(json.loads(line))


class _CsvStream:
    """CSV on stdout: ONUs and nothing else."""

    def __init__(self) -> None:
        self._started = False

    def write(self, item: SweepItem) -> None:
        if not self._started:
            self._started = True
            _print(_CSV_HEADER.rstrip("\n"))
        if isinstance(item, SweepRecord):
            _print(_csv(tabular.csv_row(item)).rstrip("\n"), flush=False)
        else:
            _print(None)

    def finish(self, summary: SweepSummary) -> None:
        del summary
        _print(None)


def _fits(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _print(line: str | None, *, flush: bool = True) -> None:
    try:
        if line is not None:
            # a terminal without UTF-8 must not end a sweep of hours
            shown = line if _fits(line) else line.encode("ascii", "backslashreplace").decode("ascii")
            sys.stdout.write(shown + "\n")
        if flush:
            sys.stdout.flush()
    except BrokenPipeError as exc:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ReaderGone from exc


# ---------------------------------------------------------------------- files


class _Growing:
    """A file that grows by whole pieces: each is on disk before the next, and a piece that failed leaves nothing."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        try:
            # for the user alone: the plant of a whole city
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
            self._cut()
        except OSError as exc:
            raise _unwritable(path, exc) from exc

    def append(self, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        try:
            self._file.write(data)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as exc:
            with suppress(OSError):
                self._cut()
            raise PonprobeError(
                f"--output: {self.path} cannot be written: {exc.strerror or exc}",
                hint="what was read before is whole: make room, then the same command with --resume",
            ) from exc
        except BaseException:
            # Ctrl-C in the middle of a write
            self._cut()
            raise
        self.size += len(data)

    def _cut(self) -> None:
        self._file.truncate(self.size)
        self._file.seek(self.size)

    def close(self) -> None:
        with suppress(OSError):  # a full disk has been reported; nothing of worth is in the buffer
            self._file.close()


class _JsonFile:
    """JSON Lines; the line ``port_done`` marks a port as whole."""

    def __init__(self, path: Path) -> None:
        self.done: Done = {}
        self._lines: list[str] = []
        size = 0
        if path.exists() and path.stat().st_size:
            size = _keep_whole_ports(path, self.done)
        self._file = _Growing(path, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def write(self, item: SweepItem) -> None:
        self._lines.append(_json(item))
        if not isinstance(item, SweepRecord):
            lines, self._lines = self._lines, []
            self._file.append("".join(f"{line}\n" for line in lines))

    def finish(self, summary: SweepSummary) -> None:
        self._file.append(f"{_json(summary)}\n")


def _keep_whole_ports(path: Path, done: Done) -> int:
    """Rewrite a file so that it holds whole ports only; return its size. The file is replaced in one step."""
    draft = path.with_name(f".{path.name}.resume")
    rows: list[bytes] = []
    of: tuple[str, PonPort] | None = None
    try:
        with path.open("rb") as old, draft.open("wb") as new:
            for number, line in enumerate(old, start=1):
                if not line.endswith(b"\n"):
                    break  # torn: the process was killed while it wrote
                entry = _entry(path, number, line)
                if entry["event"] in _SKIPPED_EVENTS:
                    continue
                try:
                    is_row = entry["event"] == "onu"
                    port = OnuRef.parse(entry["onu"]).port if is_row else PonPort.parse(entry["port"])
                    key, told = (str(entry["olt"]), port), None if is_row else int(entry["onus"])
                except (KeyError, TypeError, ValueError) as exc:
                    raise _no_sweep(path, number) from exc
                if key != of:
                    rows, of = [], key
                rows.append(line)
                if told is not None:
                    if len(rows) == told + 1 and port not in done.get(key[0], ()):
                        new.writelines(rows)
                        done.setdefault(key[0], set()).add(port)
                    rows, of = [], None
            new.flush()
            os.fsync(new.fileno())
            size = new.tell()
        shutil.copymode(path, draft)
        draft.replace(path)
    except OSError as exc:
        raise _unwritable(path, exc) from exc
    finally:
        draft.unlink(missing_ok=True)
    return size


def _entry(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
        known = entry["event"] in {*_SKIPPED_EVENTS, "onu", "port_done"}
    except (ValueError, KeyError, TypeError) as exc:
        raise _no_sweep(path, number) from exc
    if not known:
        raise _no_sweep(path, number)
    found: dict[str, Any] = entry
    return found


def _no_sweep(path: Path, number: int) -> ConfigError:
    return ConfigError(
        f"--resume: line {number} of {path} is none of a sweep, so the file is left as it is",
        hint="name the file that an interrupted sweep wrote, in the same --format",
    )


class _CsvFile:
    """CSV, and beside it ``FILE.ports.jsonl``: where the rows of each whole port end, and what was not read."""

    def __init__(self, path: Path) -> None:
        self.done: Done = {}
        self._rows: list[str] = []
        marks = path.with_name(f"{path.name}.ports.jsonl")
        size, kept = _marked(path, marks, self.done)
        self._file = _Growing(path, size)
        if not size:
            self._file.append(_CSV_HEADER)
        # a mark without its rows would lose a port, so the others go before the first row is added
        self._marks = _Growing(marks, _replaced(marks, kept))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()
        self._marks.close()

    def write(self, item: SweepItem) -> None:
        if isinstance(item, SweepRecord):
            self._rows.append(_csv(tabular.csv_row(item)))
        elif isinstance(item, PortDone):
            rows, self._rows = self._rows, []
            if rows:
                self._file.append("".join(rows))
            mark = {**item.model_dump(mode="json", by_alias=True), "end": self._file.size}
            self._marks.append(f"{json.dumps(mark, ensure_ascii=False)}\n")
        else:
            assert isinstance(item, OltStarted | PortSkipped)  # there is nothing else  # noqa: S101
            self._marks.append(f"{_json(item)}\n")

    def finish(self, summary: SweepSummary) -> None:
        self._marks.append(f"{_json(summary)}\n")


def _replaced(path: Path, lines: list[str]) -> int:
    """Give a file new content in one step; return its size."""
    content = "".join(f"{line}\n" for line in lines).encode()
    draft = path.with_name(f".{path.name}.resume")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        draft.replace(path)
    except OSError as exc:
        raise _unwritable(path, exc) from exc
    finally:
        draft.unlink(missing_ok=True)
    return len(content)


def _marked(path: Path, marks: Path, done: Done) -> tuple[int, list[str]]:
    """Return how far a CSV file is whole, and the marks that prove it."""
    header = _CSV_HEADER.encode()
    if not path.exists() or not path.stat().st_size:
        return 0, []
    there = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(len(header))
    if first != header:
        if header.startswith(first) and there < len(header):
            return 0, []  # killed while it wrote its first line
        raise ConfigError(
            f"--resume: the columns of {path} are not those of a sweep, so the file is left as it is",
            hint="name the file that an interrupted sweep of this version wrote",
        )
    if not marks.exists():
        if there == len(header):
            return there, []
        raise ConfigError(
            f"--resume: {marks} is not there, and without it nobody knows which ports of {path} are whole",
            hint="put it back beside the table, or begin a new file",
        )
    size, kept = len(header), []
    with marks.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                break
            entry = _entry(marks, number, line)
            if entry["event"] != "port_done":
                continue
            try:
                olt, port, end = str(entry["olt"]), PonPort.parse(entry["port"]), int(entry["end"])
            except (KeyError, TypeError, ValueError) as exc:
                raise _no_sweep(marks, number) from exc
            if not size <= end <= there:
                break  # the rows did not reach the disk
            size = end
            done.setdefault(olt, set()).add(port)
            kept.append(line.decode("utf-8", "replace").rstrip("\n"))
    return size, kept
