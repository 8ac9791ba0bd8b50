"""Rows of a batch file become orders: xlsx, CSV or JSON Lines, with every problem by its line and column.

Columns are found by their headers, as in engineering data; JSON Lines has one object a line with the fields' names.
What a row leaves empty is taken from the command's options. Nothing is sent before every row is right.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponprobe.app.options import Omci, Order, Problems, Service, ServicePath, Tech, WrongInput, order_from
from ponprobe.drivers import driver_for
from ponprobe.errors import ImportProblem, PonprobeError
from ponprobe.models.plant import PlantRecord
from ponprobe.session.batch import waves
from ponprobe.workflow.cells import Cells, Read, Table, read_tables
from ponprobe.workflow.columns import ENGINEERING, Header
from ponprobe.workflow.sheets import LARGEST_FILE, Problem, Row, Sheet, refuse

if TYPE_CHECKING:
    from ponprobe.config import Config
    from ponprobe.models.acceptance import ActivationOrder
    from ponprobe.session.judging import Plant

MOST_ROWS = 50_000
"""More splitters than one night has time for; what is larger is a wrong file."""
_FROM_ENGINEERING = (
    "olt_host", "olt", "port", "splitter", "splitter_port", "stages", "distance_km", "distance_m", "technology",
    "line_profile", "service_profile", "onu_type", "tcont_profile", "gemport", "svlan",
)  # fmt: skip
FIELDS: Mapping[str, tuple[str, ...]] = {
    **{name: ENGINEERING[name] for name in _FROM_ENGINEERING},
    "cvlan": ("ONU端口CVLAN", "测试CVLAN", "CVLAN", "内层VLAN", "内层标签"),
    "serial": ("ONU SN", "测试ONU SN", "测试ONU", "ONU序列号", "序列号", "SN", "serial number"),
    "onu_password": ("ONU密码", "密码", "ONU password", "password"),
    "loid": ("ONU LOID", "LOID"),
    "checkcode": ("LOID校验码", "校验码"),
    "mac": ("ONU MAC", "ONU MAC地址", "MAC地址", "MAC"),
    "description": ("描述",),
    "confirm": (),
    "service_model": (),
    "user_vlan": (),
    "eth_port": (),
    "router": (),
    "inbound_traffic": (),
    "outbound_traffic": (),
    "omci_style": (),
}
"""What a row may say, and the headers that it is known by; each is also known by its own name."""
_WHOLE = {
    "splitter_port": (1, 256), "svlan": (1, 4094), "cvlan": (1, 4094), "gemport": (0, 4095), "user_vlan": (1, 4094),
    "eth_port": (1, 32), "inbound_traffic": (0, 65535), "outbound_traffic": (0, 65535),
}  # fmt: skip
_WORDS: Mapping[str, type[Any]] = {"technology": Tech, "service_model": Service, "omci_style": Omci}
_SECRETS = ("onu_password", "loid", "checkcode")
_SWITCHES = ("confirm", "router")
_PLACE = {"PORT": "port"}


@dataclass(frozen=True)
class Entry:
    """One row that can be measured: where it stands, on which OLT, what is ordered, what the plant should lose."""

    sheet: str | None
    row: int
    olt: str
    order: ActivationOrder
    plant: Plant | None = None

    @property
    def where(self) -> str:
        """``sheet 'POS', row 7``, or ``row 7``."""
        return f"sheet {self.sheet!r}, row {self.row}" if self.sheet else f"row {self.row}"

    @property
    def about(self) -> dict[str, Any]:
        """What every line about this row begins with."""
        order = self.order
        return {
            "sheet": self.sheet,
            "row": self.row,
            "olt": self.olt,
            "port": str(order.port),
            "splitter": order.splitter,
            "splitter_port": order.splitter_port,
            "auth": str(order.auth),
        }


@dataclass(frozen=True)
class Batch:
    """What a file holds: the rows that can be measured, what is wrong with the others, and what was passed over."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    waves: int = 1


def read_batch(
    source: Path | bytes,
    loaded: Config,
    defaults: ServicePath,
    *,
    olt: str | None = None,
    sheet: str | None = None,
    column_map: Mapping[str, str | int] | None = None,
    encoding: str | None = None,
    wave: int | None = None,
) -> Batch:
    """Read a batch; ``olt`` is for rows that name none. Raises ``ImportProblem`` for a file that is none at all.

    Secrets are read here, where they point. A test ONU that stands in two rows is a problem, unless ``wave`` says which
    of its places is its turn: the first rows of all test ONUs are wave 1, their second ones wave 2...
    """
    read = _read(source, sheet=sheet, column_map=column_map, encoding=encoding)
    problems = list(read.problems)
    entries: list[Entry] = []
    cells: list[Cells] = []
    for table in read.tables:
        for row in table.rows("olt", "olt_host", "port", "splitter", "serial"):
            if len(entries) + len(table.problems) >= MOST_ROWS:
                refuse(f"the file has more than {MOST_ROWS} rows", "split it into several files")
            entry = _entry(row, loaded, defaults, olt)
            _cover(row)
            if entry is not None:
                entries.append(entry)
                cells.append(row)
        problems += sorted(table.problems, key=lambda each: each.row or 0)
    numbers = _wave_numbers(entries)
    last = max(numbers, default=1)
    if wave is not None:
        entries = [entry for entry, number in zip(entries, numbers, strict=True) if number == wave]
        if not entries and not problems:
            refuse(f"the file has no wave {wave}", f"its test ONUs stand in at most {last} rows each")
    else:
        problems += [
            cell.header.problem(
                f"the test ONU {entry.order.auth} stands in an earlier row, too: it cannot be at two places at once",
                f"use another one, or measure in {last} waves and move it in between: --wave 1, then --wave 2...",
                row=entry.row,
                name="serial",
            )
            for entry, cell, number in zip(entries, cells, numbers, strict=True)
            if number > 1
        ]
    if not entries and not problems:
        refuse("the file has no rows to measure", "check that the right file was saved")
    shown = tuple(_of_json(each) if read_as_json(source) else each for each in problems)
    return Batch(tuple(entries), shown, read.all_notes(), last)


# ---------------------------------------------------------------------- the file


def read_as_json(source: Path | bytes) -> bool:
    """Whether a file is JSON Lines, by its first character or its name."""
    if isinstance(source, bytes):
        return source.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    return source.suffix.lower() in {".jsonl", ".ndjson", ".json"}


def _read(
    source: Path | bytes, *, sheet: str | None, column_map: Mapping[str, str | int] | None, encoding: str | None
) -> Read:
    if not read_as_json(source):
        return read_tables(source, FIELDS, column_map, sheet=sheet, encoding=encoding, least=2)
    if sheet is not None or column_map:
        raise WrongInput(["--sheet: and --map are for spreadsheets; JSON Lines names its fields"])
    return _json_lines(source, encoding or "utf-8-sig")


def _json_lines(source: Path | bytes, encoding: str) -> Read:
    """Bring JSON objects into the form of rows below a header, so that one reader is enough."""
    data = source if isinstance(source, bytes) else _bytes(source)
    if len(data) > LARGEST_FILE:
        refuse(f"the file has more than {LARGEST_FILE} bytes", "split it into several files")
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as exc:
        hint = "JSON Lines is UTF-8; or say --encoding"
        raise ImportProblem(f"the text cannot be decoded: {exc}", hint=hint) from exc
    columns = {name: index for index, name in enumerate(FIELDS)}
    found: list[Row] = []
    sheet = Sheet(None, lambda _: iter(found))
    header = Header(sheet, 0, columns, {index: name for name, index in columns.items()})
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            asked = json.loads(line)
        except json.JSONDecodeError as exc:
            problems.append(header.problem(f"is no JSON: {exc.msg} (character {exc.colno})", _AN_OBJECT, row=number))
            continue
        if not isinstance(asked, dict):
            problems.append(header.problem("is no JSON object", _AN_OBJECT, row=number))
            continue
        for name, value in asked.items():
            # a misspelt name must not leave a row without what it asked for
            if name not in columns:
                what = "is not a known field"
                found_at = Problem(row=number, header=str(name)[:80], message=what, hint=f"known: {', '.join(FIELDS)}")
                problems.append(found_at)
            elif isinstance(value, (dict, list)):
                problems.append(header.problem("is no single value", "write text or a number", row=number, name=name))
        values = [asked.get(name) for name in columns]
        found.append(Row(number, [None if isinstance(value, (dict, list)) else value for value in values]))
    return Read([Table(header)], problems, [])


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as exc:
        raise ImportProblem(f"{path} cannot be read: {exc.strerror or exc}", hint="check path and rights") from exc


_AN_OBJECT = 'write one object a line, such as {"olt": "lab", "port": "0/1/3", "serial": "HWTC0B086EA9"}'


def _of_json(problem: Problem) -> Problem:
    """A column letter says nothing about JSON; the field's name does."""
    return problem.model_copy(update={"column": None})


# ---------------------------------------------------------------------- a row


class _RowProblems(Problems):
    """Problems of an order, each with the cell of the option that it names."""

    def __init__(self, row: Cells) -> None:
        super().__init__()
        self._row = row

    def add(self, option: str, what: str) -> None:
        """Note one problem at its cell; at the row, where no single cell is to blame."""
        words = option.split()
        name = _PLACE.get(words[0], words[0].removeprefix("--").replace("-", "_"))
        known = name if name in FIELDS and name not in self._row.bad else None
        if name in self._row.bad:
            return
        self.found.append(option)
        self._row.problem(known, f"{option}: {what}" if known is None else what, "correct the cell, and run it again")


def _entry(row: Cells, loaded: Config, defaults: ServicePath, olt: str | None) -> Entry | None:
    """Make one row's order; its problems are noted at their cells."""
    before = len(row.problems)
    name = _olt_of(row, loaded, olt)
    port = row.text("port")
    if not port:
        row.problem("port", "has no PON port", "write frame/slot/port such as 0/1/3")
    elif row.port("port") is None:
        port = ""
    given = _order_of(row, defaults)
    order = None
    if len(row.problems) == before:
        try:
            order = order_from(port, given, _RowProblems(row))
        except WrongInput:
            return None
    if name is not None and order is not None:
        _check_needs(row, order, loaded.olts[name].platform)
    plant = _plant(row)
    if name is None or order is None or len(row.problems) > before:
        return None
    return Entry(row.header.sheet.name, row.number, name, order, plant)


def _cover(row: Cells) -> None:
    """What stands where a reference to a secret should may be the secret itself: it is not repeated."""
    headers = {row.header.text(name) for name in _SECRETS} - {None}
    row.problems[:] = [
        each.model_copy(update={"value": None}) if each.header in headers else each for each in row.problems
    ]


def _olt_of(row: Cells, loaded: Config, olt: str | None) -> str | None:
    """The inventory's name for a row's OLT; named by it, or by its management address."""
    named, host = row.text("olt"), row.text("olt_host")
    if row.bad & {"olt", "olt_host"}:
        return None
    tried = [text for text in (named, host, olt if not named and not host else None) if text]
    for text in tried:
        if text in loaded.olts:
            return text
        found = [entry.name for entry in loaded.olts.values() if entry.host == text]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(sorted(found))
            row.problem("olt" if named else "olt_host", f"is the address of several OLTs: {names}", "write its name")
            return None
    known = ", ".join(sorted(loaded.olts)[:10]) or "none"
    what = "is in no inventory" if tried else "names no OLT"
    hint = f"write a name or host of the inventory (known: {known}), or give --olt"
    row.problem("olt" if named or not host else "olt_host", what, hint)
    return None


def _order_of(row: Cells, defaults: ServicePath) -> Order:
    """A row's cells over the defaults of the command."""
    given: dict[str, Any] = {field.name: getattr(defaults, field.name) for field in fields(ServicePath)}
    for field in fields(Order):
        name = field.name
        if name in _WHOLE:
            value: Any = row.whole(name, *_WHOLE[name])
        elif name in _SWITCHES:
            value = row.yes(name)
        elif name in _WORDS:
            value = _word(row, name, _WORDS[name])
        else:
            value = row.text(name) or None
        if value is not None:
            given[name] = value
    return Order(**given)


def _word(row: Cells, name: str, words: type[Any]) -> Any:
    text = row.text(name).casefold()
    if not text:
        return None
    try:
        return words(text)
    except ValueError:
        known = ", ".join(each.value for each in words)
        row.problem(name, "is not a known word", f"write one of: {known}")
        return None


def _check_needs(row: Cells, order: ActivationOrder, platform: str) -> None:
    try:
        needs = driver_for(platform).order_needs
    except PonprobeError as exc:
        row.problem("olt", str(exc.message), exc.hint or "correct the inventory")
        return
    for name in needs:
        if getattr(order, name) is None:
            hint = f"write it into a column {name}, or give --{name.replace('_', '-')} for all rows"
            row.problem(name, f"{platform} needs {name}, and the row has none", hint)


def _plant(row: Cells) -> Plant | None:
    """The recorded plant, where the row has the split stages; the length, if it is not recorded, is as ranged."""
    stages = row.ratios("stages")
    km = row.real("distance_km", 0, 100, "write a length in km")
    metres = row.real("distance_m", 0, 100_000, "write a length in m")
    if stages is None:
        return None
    if km is None and metres is not None:
        km = metres / 1000
    return stages if km is None else PlantRecord(stages=stages, record_km=km)


# ---------------------------------------------------------------------- what goes together


def _wave_numbers(entries: Sequence[Entry]) -> list[int]:
    """For each row, the how-manieth place of its test ONU it is."""
    number_of = {id(order): number for number, wave in enumerate(waves(e.order for e in entries), 1) for order in wave}
    return [number_of[id(entry.order)] for entry in entries]


def side_by_side(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Split the rows of one OLT into groups in which no two want the same VLAN pair on the same port.

    In a group all test ONUs may stand on the OLT at once, and one pair carries one service; groups follow each other.
    """
    groups: list[list[Entry]] = []
    uses: dict[Any, int] = {}
    for entry in entries:
        order = entry.order
        shared = order.vlans is None or order.service_model != "per_onu"
        key = None if shared else (order.port, order.vlans)
        number = 0 if key is None else uses.get(key, 0)
        if key is not None:
            uses[key] = number + 1
        if number == len(groups):
            groups.append([])
        groups[number].append(entry)
    yield from groups


def column_map_of(words: Sequence[str]) -> dict[str, str | int]:
    """Read ``COL=FIELD`` as ``project import`` does; ``WrongInput`` names what cannot be meant."""
    from ponprobe.app.project_import import read_map  # noqa: PLC0415 - most files need none

    problems = Problems()
    found = read_map("--map", words, FIELDS, problems)
    problems.stop_if_any()
    return found
