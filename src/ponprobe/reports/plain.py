"""JSON and CSV: the same cells as every other format, for programs."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO, TypeAlias

from ponprobe.errors import ConfigError
from ponprobe.reports import summary
from ponprobe.reports.facts import ReportData
from ponprobe.reports.tables import RESULTS, TABLES, Cell, Table, rows
from ponprobe.reports.words import Lang

Target: TypeAlias = "str | Path | BinaryIO"
SCHEMA = 1
_FORMULA = tuple("=+-@＝＋－＠\t\r")
"""What a spreadsheet takes for the beginning of a formula when it opens a CSV file; the wide forms count as well."""
_QUOTE = "'"


@contextmanager
def opened(target: Target) -> Iterator[IO[bytes]]:
    """Open a target for writing: a binary stream as it is; a path by a temporary file that takes its name at the end.

    So nobody ever sees half a report, and an old one stays until the new one is whole. ``ConfigError`` if the path
    cannot be written.
    """
    if not isinstance(target, (str, Path)):
        yield target
        return
    path = Path(target)
    try:
        handle, temporary = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    except OSError as exc:
        raise ConfigError(
            f"{path} cannot be written: {exc.strerror}", hint="check that the folder is there and can be written"
        ) from exc
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as exc:
        raise ConfigError(f"{path} cannot be written: {exc.strerror or exc}", hint="check the disk's space") from exc
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108 - the name is a text from mkstemp


def _umask() -> int:
    """What the user takes away from new files; mkstemp makes them private, and a report is to be handed on."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


# -- JSON -------------------------------------------------------------------------------------------------------------


def write_json(data: ReportData, target: Target, *, lang: Lang = "zh") -> None:
    """Write the report as one JSON object, in bounded memory.

    ``summary`` and ``limits`` are the first page. ``tables`` holds the cells of every table as objects by column key,
    and the columns with their headers; ``facts`` is the ``ReportData`` itself. Numbers are numbers, an absent one is
    ``null``; times are ISO 8601 with their offset.
    """
    with opened(target) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="\n", write_through=True)
        for piece in _json(data, lang):
            text.write(piece)
        text.flush()
        text.detach()


def _json(data: ReportData, lang: Lang) -> Iterator[str]:
    head = {
        "schema": SCHEMA,
        "report_id": data.report_id,
        "lang": lang,
        "time_zone": data.project.time_zone,
        # what a person who opens the file asks first stands first
        "title": summary.TITLE.of(lang),
        "summary": [
            {"label": label, "value": json_cell(value), "remark": more}
            for label, value, more in summary.facts(data, lang)
        ],
        "limits": [
            {"written": written, "meaning": meaning, "set": where}
            for written, meaning, where in summary.limits(data, lang)
        ],
    }
    yield _dumped(head)[:-1] + ',\n"tables": {'
    for number, table in enumerate(TABLES):
        columns = [
            {"key": column.key, "header": header, "type": column.kind}
            for column, header in zip(table.columns, table.headers(data, lang), strict=True)
        ]
        about = {"title": table.title.of(lang), "columns": columns}
        yield ("," if number else "") + f'\n"{table.name}": ' + _dumped(about)[:-1] + ', "rows": ['
        for place, row in enumerate(rows(data, table, lang)):
            cells = {key: json_cell(cell) for key, cell in zip(table.keys, row, strict=True)}
            yield (",\n" if place else "\n") + _dumped(cells)
        yield "]}"
    facts = data.model_dump_json(exclude={"lines"})
    yield f'\n}},\n"facts": {facts[:-1]},"lines":['
    for place, line in enumerate(data.opened()):
        yield (",\n" if place else "\n") + line.model_dump_json()
    yield "]}}\n"


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def json_cell(cell: Cell) -> str | int | float | None:
    """A cell as JSON has it."""
    return cell.isoformat() if isinstance(cell, datetime) else cell


# -- CSV --------------------------------------------------------------------------------------------------------------


def write_csv(data: ReportData, target: Target, *, table: Table = RESULTS, lang: Lang = "zh") -> None:
    """Write one table as CSV (RFC 4180, UTF-8 with a byte order mark, as spreadsheets in Chinese need it).

    Text that a spreadsheet would run as a formula has an apostrophe in front, see ``csv_text``. Numbers that look like
    text (serials, VLANs) stay what they are in the file; a reader that guesses types must be told not to.
    """
    with opened(target) as file:
        text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow(map(csv_text, table.headers(data, lang)))
        for row in rows(data, table, lang):
            writer.writerow(csv_row(row))
        text.flush()
        text.detach()


def csv_row(row: Iterable[Cell]) -> list[str]:
    """The cells of a row as CSV has them: empty for none, ``2016-08-01 10:00:00`` for a time."""
    return [csv_cell(cell) for cell in row]


def csv_cell(cell: Cell) -> str:
    """One cell as CSV has it."""
    return csv_text(cell) if isinstance(cell, str) else plain_text(cell)


def csv_text(text: str) -> str:
    """Text that no spreadsheet runs; ``csv_untext`` undoes it."""
    return f"{_QUOTE}{text}" if text.lstrip(f" \n{_QUOTE}").startswith(_FORMULA) or text.startswith(_FORMULA) else text


def csv_untext(text: str) -> str:
    """What ``csv_text`` was given."""
    return text[1:] if text.startswith(_QUOTE) and csv_text(text[1:]) == text else text


def plain_text(cell: Cell) -> str:
    """A cell as text: all digits of a number and no more, a time to the second in the project's zone."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return format(cell, ".10g") if isinstance(cell, float) else str(cell)


def shown(cell: Cell) -> str:
    """A cell as people read it: as ``plain_text``, with at least two decimals where there are any."""
    text = plain_text(cell)
    rounded = f"{cell:.2f}" if isinstance(cell, float) else text
    return rounded if isinstance(cell, float) and float(rounded) == float(text) else text
