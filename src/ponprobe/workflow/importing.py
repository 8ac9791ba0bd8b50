"""Engineering data out of xlsx and CSV files: OLTs, PON ports and splitters, with every problem named by its cell.

No layout is fixed: columns are found by their headers or by a column map, and one sheet may hold everything or several
sheets a part each. Nothing is half-imported in silence: what has a problem is left out *and* named, what was not used
is in ``notes``, and ``checked()`` refuses a file that has any problem.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ponprobe.models._base import Value
from ponprobe.models.addressing import PonPort
from ponprobe.models.engineering import Datum, OltRecord, Place, PonPortRecord, Splitter, SplitterKey, management_host
from ponprobe.workflow.cells import Cells, read_tables, refuse_all
from ponprobe.workflow.columns import ENGINEERING, ColumnMap
from ponprobe.workflow.sheets import Problem

_PORT_FIELDS = ("svlan", "optical_class", "line_profile", "service_profile", "onu_type", "tcont_profile", "gemport")
_DATUMS: dict[str, Datum] = {
    "wgs84": "wgs84",
    "gps": "wgs84",
    "gcj02": "gcj02",
    "火星坐标": "gcj02",
    "国测局坐标": "gcj02",
    "unknown": "unknown",
    "未知": "unknown",
}
_DEGREES = "write decimal degrees such as 31.230416"


class SourceRow(Value):
    """Where a splitter came from: its sheet and row, as a spreadsheet shows them."""

    sheet: str | None = None
    row: int
    splitter: SplitterKey


class Imported(Value):
    """What a file holds. ``rows`` are in the order of ``splitters``; what has a problem is not among them."""

    splitters: tuple[Splitter, ...] = ()
    olts: tuple[OltRecord, ...] = ()
    ports: tuple[PonPortRecord, ...] = ()
    rows: tuple[SourceRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the file."""
        return not self.problems

    def checked(self) -> Imported:
        """Give itself if nothing is wrong; else raise ``ImportProblem`` with every problem."""
        refuse_all(self.problems)
        return self


def read_engineering(
    source: str | Path | bytes,
    *,
    column_map: ColumnMap | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    project: str | None = None,
    olts: Iterable[OltRecord] = (),
    datum: Datum = "unknown",
) -> Imported:
    """Read engineering data from an xlsx or CSV file (a path, or its bytes).

    ``column_map`` gives a field its column (``{"splitter": "POS名称", "svlan": "C"}``); the fields are the keys of
    ``columns.ENGINEERING``. Without ``sheet`` every sheet with a known header is read. ``encoding`` is found out for
    CSV (UTF-8, UTF-16 with a mark, GB18030). ``project`` is the project of all splitters where the file does not say.
    ``olts`` are those known already. ``datum`` is what coordinates are in where the file does not say. Lengths are km.

    Everything wrong is in ``problems``, at once. Only a file that cannot be read at all raises ``ImportProblem``; xlsx
    without openpyxl raises ``MissingExtra``.
    """
    read = read_tables(source, ENGINEERING, column_map, sheet=sheet, encoding=encoding, least=2)
    gathering = _Gathering(project, tuple(olts), datum)
    for table in read.tables:
        for row in table.rows("splitter", "port", "olt", "olt_host"):
            gathering.take(row)
        gathering.problems.append(table.problems)
    gathering.finish()
    return Imported(
        splitters=tuple(splitter for splitter, _ in gathering.splitters.values()),
        olts=tuple(gathering.records),
        ports=tuple(gathering.ports),
        rows=tuple(
            SourceRow(sheet=row.header.sheet.name, row=row.number, splitter=splitter.key)
            for splitter, row in gathering.splitters.values()
        ),
        problems=(*read.problems, *(each for some in gathering.problems for each in sorted(some, key=_row_of))),
        notes=(*read.all_notes(), *gathering.notes),
    )


def _alike(text: str) -> str:
    """A name as people would take it for the same one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _row_of(problem: Problem) -> int:
    return problem.row or 0


class _Gathering:
    """Takes rows one after the other and resolves what they say of OLTs, ports and splitters at the end."""

    def __init__(self, project: str | None, known: tuple[OltRecord, ...], datum: Datum) -> None:
        self._project = project
        self._datum = datum
        self._known = {_alike(each.name): each for each in known}
        self._rows: list[Cells] = []
        self._olts: dict[str, tuple[dict[str, str], Cells]] = {}  # by name: fields, first row
        self._hosts: dict[str, set[str]] = {}  # host -> names
        for each in known:
            self._hosts.setdefault(each.host, set()).add(each.name)
        self._technology: dict[str, dict[str, Any]] = {}  # of OLTs that are known by their host alone
        self._port_rows: dict[tuple[str, PonPort], tuple[dict[str, Any], Cells]] = {}
        self.splitters: dict[tuple[str, PonPort, str], tuple[Splitter, Cells]] = {}
        self.records: list[OltRecord] = []
        self.ports: list[PonPortRecord] = []
        self.problems: list[list[Problem]] = []
        self.notes: list[str] = []

    # --- first pass: what is an OLT ---------------------------------------------------------------------------------

    def take(self, row: Cells) -> None:
        """Keep a row, and learn the OLT that it describes: a row may name one that another row describes."""
        self._rows.append(row)
        host = self._host(row)
        name = row.text("olt")
        if host is None or "olt" in row.bad:
            return
        if not name:
            self._hosts.setdefault(host, set())
            return
        key = _alike(name)
        if key in self._known:
            name = self._known[key].name
        elif key in self._olts:
            name = self._olts[key][0]["name"]
        self._hosts.setdefault(host, set()).add(name)
        self._learn({"name": name, "host": host, **self._more(row)}, row)

    def _learn(self, facts: dict[str, str], row: Cells) -> None:
        known = self._known.get(_alike(facts["name"]))
        if known is not None and known.host != facts["host"]:
            row.problem(
                "olt_host",
                f"is not the management IP that {known.name} has already: {known.host}",
                "correct the IP here, or change the OLT's record first",
            )
            return
        before, first = self._olts.setdefault(_alike(facts["name"]), (facts, row))
        for name, value in facts.items():
            if name != "name" and before.setdefault(name, value) != value:
                row.problem(
                    {"host": "olt_host"}.get(name, name),
                    f"differs from row {first.number}, where {facts['name']} has {before[name]}",
                    "give an OLT the same data in every row",
                )

    def _host(self, row: Cells) -> str | None:
        text = unicodedata.normalize("NFKC", row.text("olt_host"))
        if not text:
            return None
        try:
            return management_host(text)
        except ValueError:
            row.problem("olt_host", "is no management address", "write an IPv4 or IPv6 address such as 10.1.2.3")
            return None

    def _more(self, row: Cells) -> dict[str, str]:
        facts = {}
        if platform := row.text("platform"):
            facts["platform"] = platform
        if technology := row.text("technology").casefold():
            if technology in {"gpon", "epon"}:
                facts["technology"] = technology
            else:
                row.problem("technology", "is no technology that a test ONU is registered in", "write GPON or EPON")
        return facts

    # --- second pass: ports and splitters ---------------------------------------------------------------------------

    def finish(self) -> None:
        """Resolve every row."""
        wants_splitter = any("splitter" in row.header.columns for row in self._rows)
        for row in self._rows:
            self._resolve(row)
        for facts, row in self._olts.values():
            self._build(OltRecord, facts, row, self.records, {"host": "olt_host", "name": "olt"})
        found = {_alike(each.name) for each in self.records}
        for host, names in self._hosts.items():
            if not names and not any(each.host == host for each in self._known.values()) and host not in found:
                self.records.append(OltRecord(name=host, host=host, **self._technology.get(host, {})))
            if len(names) > 1:
                self.notes.append(f"the OLTs {', '.join(sorted(names))} have the same management IP {host}")
        for (olt, port), (facts, row) in self._port_rows.items():
            if "svlan" not in facts:
                row.problem("svlan", f"port {port} of {olt} has data, but no SVLAN", "give the SVLAN of the PON port")
                continue
            self._build(PonPortRecord, {"olt": olt, "port": port, **facts}, row, self.ports, {})
        without = {(each.olt, each.port) for each, _ in self.splitters.values()} - set(self._port_rows)
        if without:
            self.notes.append(
                f"{len(without)} PON ports of the file have no SVLAN here: their own records must give it"
            )
        if wants_splitter and not self._rows:
            self.notes.append("there is no row below the header")

    def _build(self, kind: Any, facts: dict[str, Any], row: Cells, into: list[Any], fields: dict[str, str]) -> Any:
        """Build a value; what it refuses is a problem of the cells that it came from."""
        try:
            built = kind(**facts)
        except ValidationError as exc:
            for error in exc.errors(include_input=False, include_url=False):
                name = str(error["loc"][0]) if error["loc"] else None
                column = fields.get(name or "", name)
                message = error["msg"].removeprefix("Value error, ")
                row.problem(column if column in row.header.columns else None, message, "correct the cell")
            return None
        into.append(built)
        return built

    def _resolve(self, row: Cells) -> None:
        olt = self._olt_of(row)
        columns = row.header.columns
        name = row.text("splitter")
        if "port" not in columns and "splitter" not in columns:
            return
        port = row.port("port")
        if port is None and not row.unreadable("port"):
            row.problem(
                "port" if "port" in columns else None,
                "the PON port is missing",
                "name it, such as 0/1/3, or give a column map: port='C'",
            )
        if "splitter" in columns and not name and not row.unreadable("splitter"):
            row.problem("splitter", "the splitter's name is missing", "name the splitter, or delete the row")
        # everything is read before anything is given up, so that all problems of a row come at once
        of_port, of_splitter = self._port_facts(row), self._splitter_facts(row)
        if olt is None or port is None:
            return
        self._merge_port(olt, port, of_port, row)
        if name:
            self._splitter(olt, port, {"name": name, **of_splitter}, row)

    def _olt_of(self, row: Cells) -> str | None:
        """Find which OLT a row speaks of, by name or by management IP."""
        if {"olt", "olt_host"} & row.bad:
            return None
        name, host = row.text("olt"), self._host(row)
        if name:
            known, here = self._known.get(_alike(name)), self._olts.get(_alike(name))
            if known is None and here is None:
                row.problem("olt", "is an unknown OLT", "add a column OLT管理IP, a sheet of OLTs, or correct the name")
                return None
            return known.name if known is not None else here[0]["name"] if here is not None else None
        if host is None:
            row.problem(
                None if not {"olt", "olt_host"} & set(row.header.columns) else "olt_host",
                "the OLT is missing",
                "name it by its management IP (OLT管理IP) or its name (OLT名称)",
            )
            return None
        names = self._hosts.get(host, set())
        if len(names) > 1:
            row.problem(
                "olt_host", f"belongs to several OLTs: {', '.join(sorted(names))}", "give the OLT's name as well"
            )
            return None
        if not names:
            for key, value in self._more(row).items():
                self._technology.setdefault(host, {}).setdefault(key, value)
        return next(iter(names), host)

    def _port_facts(self, row: Cells) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for name in _PORT_FIELDS:
            value: Any
            if name == "svlan":
                value = row.whole(name, 1, 4094)
            elif name == "gemport":
                value = row.whole(name, 0, 4095)
            else:
                value = row.text(name) or None
            if value is not None:
                facts[name] = value
        return facts

    def _merge_port(self, olt: str, port: PonPort, facts: dict[str, Any], row: Cells) -> None:
        if not facts:
            return
        before, first = self._port_rows.setdefault((olt, port), (facts, row))
        for name, value in facts.items():
            if before.setdefault(name, value) != value:
                row.problem(
                    name,
                    f"differs from row {first.number}, where port {port} of {olt} has {before[name]}",
                    "give a PON port the same data in every row",
                )

    def _splitter(self, olt: str, port: PonPort, facts: dict[str, Any], row: Cells) -> None:
        project = self._project or row.text("project")
        if not project:
            where = "project" if "project" in row.header.columns else None
            row.problem(where, "the project is missing", "name it in the file, or give project=...")
        key = (olt, port, _alike(facts["name"]))
        if key in self.splitters:
            _, first = self.splitters[key]
            at = f"sheet {first.header.sheet.name!r}, " if first.header.sheet.name != row.header.sheet.name else ""
            row.problem(
                "splitter",
                f"stands on {olt} {port} already, in {at}row {first.number}",
                "list every splitter once: another port of it is a repeat, not another splitter",
            )
            return
        if row.bad:
            return
        built: list[Splitter] = []
        self._build(Splitter, {"project": project, "olt": olt, "port": port, **facts}, row, built, {"name": "splitter"})
        for splitter in built:
            self.splitters[key] = (splitter, row)

    def _splitter_facts(self, row: Cells) -> dict[str, Any]:
        ratio, stages = row.ratios("ratio"), row.ratios("stages")
        if ratio is not None and len(ratio) > 1 and stages is None:
            stages = ratio
        distance = row.real("distance_km", 0, 200, "write the length in km, such as 2.5")
        if distance is None and (metres := row.real("distance_m", 0, 200_000, "write the length in m")) is not None:
            distance = metres / 1000
        access = row.text("access")
        facts = {
            "splitter_port": row.whole("splitter_port", 1, 256),
            "ratio": ratio[-1] if ratio else None,
            "stages": stages,
            "distance_km": distance,
            "connectors": row.whole("connectors", 0, 100),
            "address": row.text("address") or None,
            "place": self._place(row),
            "last_stage": row.yes("last_stage"),
            "ftth": None if not access else "ftth" in access.casefold(),
        }
        return {name: value for name, value in facts.items() if value is not None}

    def _place(self, row: Cells) -> Place | None:
        latitude = row.real("latitude", -180, 180, _DEGREES)
        longitude = row.real("longitude", -180, 180, _DEGREES)
        if {"latitude", "longitude"} & row.bad or (latitude is None and longitude is None):
            return None
        if latitude is None or longitude is None:
            missing = "latitude" if latitude is None else "longitude"
            row.problem(missing, "a coordinate needs latitude and longitude", _DEGREES)
            return None
        if abs(latitude) > 90:
            row.problem("latitude", "is no latitude", "exchange latitude (纬度) and longitude (经度)")
            return None
        datum = self._datum
        if text := row.text("datum"):
            found = _DATUMS.get(_alike(text).replace("-", "").replace(" ", ""))
            if found is None:
                row.problem("datum", "is no datum that ponprobe knows", "write WGS-84, GCJ-02 or 未知")
                return None
            datum = found
        return Place(latitude=latitude, longitude=longitude, datum=datum)
