"""Which column is what: headers as people write them, without a fixed layout.

Headers are compared without blanks, line ends, letter case, full-width forms, ``*``, ``:``, ``_`` and ``-``. A note in
brackets behind a header is passed over, except for a unit. A column map says it outright.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ponprobe.errors import ConfigError
from ponprobe.workflow.sheets import Problem, Row, Sheet, column_index, letter, text_of

ColumnMap = Mapping[str, "str | int"]
"""Field -> the header's text, a column letter (``C``), or a column number from 1."""

_OLT: dict[str, tuple[str, ...]] = {
    "olt_host": (
        "OLT设备管理IP",
        "OLT管理IP",
        "OLT管理IP地址",
        "OLT设备IP",
        "OLT IP地址",
        "OLT IP",
        "管理IP",
        "olt_host",
        "OLT management IP",
        "management IP",
    ),
    "olt": ("OLT名称", "OLT设备名称", "OLT设备", "所属OLT", "上联OLT", "归属OLT", "OLT", "OLT name"),
    "port": (
        "OLT PON口名称",
        "OLT PON口",
        "OLT PON端口",
        "PON口名称",
        "PON口",
        "PON端口名称",
        "PON端口",
        "上联PON口",
        "归属PON口",
        "OLT端口",
        "PON port",
        "OLT PON port",
        "OLT port",
    ),
    # the specification misprints it as SLVAN
    "svlan": ("ONU端口SVLAN", "ONU端口SLVAN", "SVLAN", "SLVAN", "外层VLAN", "外层标签"),
}

ENGINEERING: Mapping[str, tuple[str, ...]] = {
    **_OLT,
    "project": (
        "项目编号",
        "工程编号",
        "project id",
        "项目名称",
        "工程名称",
        "项目",
        "工程",
        "project",
        "project name",
    ),
    "platform": ("OLT平台", "平台", "设备平台", "platform"),
    "technology": ("PON类型", "PON技术", "PON制式", "technology"),
    "splitter": (
        "分光器设备名称",
        "末级分光器名称",
        "二级分光器名称",
        "分光器名称",
        "POS设备名称",
        "POS名称",
        "末级分光器",
        "分光器",
        "POS",
        "splitter name",
        "splitter",
    ),
    "splitter_port": (
        "分光器端口号",
        "分光器端口序号",
        "分光器端口",
        "端口序号",
        "测试端口",
        "端口号",
        "splitter port",
    ),
    "ratio": ("分光比", "分光器分光比", "split ratio", "ratio"),
    "stages": ("各级分光比", "分光结构", "全程分光", "split stages", "stages"),
    "distance_km": tuple(
        f"{name}({unit})"
        for name in ("距离", "光缆长度", "光纤长度", "光路长度", "光路距离", "distance")
        for unit in ("km", "公里", "千米")
    ),
    "distance_m": tuple(
        f"{name}({unit})"
        for name in ("距离", "光缆长度", "光纤长度", "光路长度", "光路距离", "distance")
        for unit in ("m", "米")
    ),
    "connectors": ("活动连接器数", "连接器数", "活接头数", "connector pairs", "connectors"),
    "address": ("安装地址", "分光器安装地址", "标准地址", "安装位置", "地址", "address"),
    "latitude": ("纬度", "latitude", "lat"),
    "longitude": ("经度", "longitude", "lon", "lng"),
    "datum": ("坐标系", "坐标系统", "datum"),
    "last_stage": ("是否末级", "末级", "是否末级分光器", "last stage"),
    "access": ("接入方式", "接入模式", "建设模式", "access"),
    "optical_class": ("光模块等级", "PON光模块等级", "optical class"),
    "line_profile": ("线路模板", "线路模板名称", "line profile"),
    "service_profile": ("业务模板", "业务模板名称", "service profile"),
    "onu_type": ("ONU类型", "ONU type"),
    "tcont_profile": ("TCONT模板", "带宽模板", "tcont profile"),
    "gemport": ("GEM端口", "GEMPORT", "gem port"),
}
"""The fields of engineering data and the headers that they are known by, the best first."""

CVLAN_RANGES: Mapping[str, tuple[str, ...]] = {
    **_OLT,
    "cvlans": (
        "测试CVLAN范围",
        "CVLAN范围",
        "测试CVLAN段",
        "CVLAN段",
        "测试CVLAN",
        "ONU端口CVLAN",
        "CVLAN",
        "内层VLAN范围",
        "内层VLAN",
        "VLAN范围",
        "CVLAN range",
        "cvlans",
    ),
    "first": (
        "起始CVLAN",
        "CVLAN起始",
        "CVLAN起始值",
        "开始CVLAN",
        "CVLAN起",
        "起始VLAN",
        "CVLAN start",
        "first CVLAN",
    ),
    "last": (
        "结束CVLAN",
        "CVLAN结束",
        "CVLAN结束值",
        "终止CVLAN",
        "CVLAN终止",
        "CVLAN止",
        "结束VLAN",
        "CVLAN end",
        "last CVLAN",
    ),
    "note": ("备注", "说明", "note", "remark"),
}
"""The fields of a sheet of test CVLAN ranges."""

_UNIT_MISSING = frozenset(("距离", "光缆长度", "光纤长度", "光路长度", "光路距离", "distance"))
_LOOK_AT = 40
"""Rows in which the header is looked for: titles and notes stand above it."""


def normal(text: str) -> str:
    """A header without what people vary."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s*:_\-./\u200b\ufeff]+", "", folded)


@dataclass
class Header:
    """The header row of a sheet: which column holds which field, what is not used, what is wrong with it."""

    sheet: Sheet
    row: int
    columns: dict[str, int]
    texts: dict[int, str]
    ignored: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    def text(self, name: str) -> str | None:
        """The header of a field, on one line."""
        return self.texts.get(self.columns[name]) if name in self.columns else None

    def problem(
        self, message: str, hint: str, *, row: int | None = None, name: str | None = None, value: object = None
    ) -> Problem:
        """Describe what is wrong at a row and a field of this sheet."""
        column = self.columns.get(name) if name else None
        return Problem(
            sheet=self.sheet.name,
            row=row,
            column=None if column is None else letter(column),
            header=self.texts.get(column) if column is not None else None,
            value=None if value is None else text_of(value)[:200],
            message=message,
            hint=hint,
        )


def check_map(column_map: ColumnMap | None, fields: Mapping[str, tuple[str, ...]]) -> dict[str, str | int]:
    """Give the column map back if it names known fields only; else ``ConfigError``."""
    given = dict(column_map or {})
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise ConfigError(
            f"the column map names {', '.join(map(repr, unknown))}, which is no field",
            hint=f"known: {', '.join(fields)}",
        )
    return given


def find_header(
    sheet: Sheet, fields: Mapping[str, tuple[str, ...]], column_map: Mapping[str, str | int], *, least: int
) -> Header | None:
    """Find the row of a sheet that names the most fields; ``None`` if none names ``least`` of them."""
    known = _known(fields)
    best: Header | None = None
    for row in sheet.rows():
        if row.number > _LOOK_AT:
            break
        found = _matched(sheet, row, known, column_map)
        if best is None or len(found.columns) > len(best.columns):
            best = found
    if best is None or len(best.columns) < least:
        return None
    for name, wanted in column_map.items():
        # a column that is named by its place needs no header text
        place = _place(wanted)
        if name not in best.columns and place is not None:
            best.columns[name] = place
    return best


def _known(fields: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, int]]:
    known: dict[str, tuple[str, int]] = {}
    for name, aliases in fields.items():
        for rank, alias in enumerate((*aliases, name)):
            known.setdefault(normal(alias), (name, rank))
    return known


def _matched(
    sheet: Sheet, row: Row, known: Mapping[str, tuple[str, int]], column_map: Mapping[str, str | int]
) -> Header:
    texts = {index: " ".join(text_of(value).split()) for index, value in enumerate(row.cells)}
    texts = {index: text for index, text in texts.items() if text}
    header = Header(sheet, row.number, {}, texts)
    for name, wanted in column_map.items():
        index = _mapped(wanted, texts)
        if index in texts:
            header.columns[name] = index
    ranks: dict[str, list[tuple[int, int]]] = {}
    for index, text in texts.items():
        if index in header.columns.values():
            continue
        hit = _hit(text, known)
        if hit is not None and hit[0] not in column_map:
            ranks.setdefault(hit[0], []).append((hit[1], index))
        elif normal(re.sub(r"\([^)]*\)$", "", unicodedata.normalize("NFKC", text))) in map(normal, _UNIT_MISSING):
            message = f"the header {text!r} does not say whether it is in km or m"
            header.problems.append(
                Problem(
                    sheet=sheet.name,
                    row=row.number,
                    column=letter(index),
                    header=text,
                    message=message,
                    hint="write 距离(km) or 距离(m), or give a column map: distance_km or distance_m",
                )
            )
    for name, hits in ranks.items():
        hits.sort()
        header.columns[name] = hits[0][1]
        if len(hits) > 1 and hits[0][0] == hits[1][0]:
            both = f"{letter(hits[0][1])} and {letter(hits[1][1])}"
            header.problems.append(
                header.problem(
                    f"the columns {both} have the same header",
                    f"rename one, or give a column map: {name}={letter(hits[0][1])!r}",
                    row=row.number,
                    name=name,
                )
            )
    used = set(header.columns.values())
    header.ignored = tuple(text for index, text in texts.items() if index not in used)
    return header


def _hit(text: str, known: Mapping[str, tuple[str, int]]) -> tuple[str, int] | None:
    """Look a header up as it stands, then without notes in brackets."""
    plain = unicodedata.normalize("NFKC", text)
    return known.get(normal(plain)) or known.get(normal(re.sub(r"[(\[【][^)\]】]*[)\]】]", "", plain)))


def _mapped(wanted: str | int, texts: Mapping[int, str]) -> int:
    """The column that a map means; -1 if this row has none by that name."""
    if isinstance(wanted, str):
        for index, text in texts.items():
            if normal(text) == normal(wanted):
                return index
    place = _place(wanted)
    return -1 if place is None else place


def _place(wanted: str | int) -> int | None:
    """``C`` and 3 are column 2."""
    if isinstance(wanted, int):
        return wanted - 1 if wanted >= 1 else None
    return column_index(wanted.strip().lstrip("$"))


def choose(
    ways: Sequence[Sequence[Sheet]],
    fields: Mapping[str, tuple[str, ...]],
    column_map: Mapping[str, str | int],
    *,
    least: int,
) -> list[Header]:
    """Take the way of reading (the delimiter) in which headers name the most fields, and give those headers."""
    read = [[find_header(sheet, fields, column_map, least=least) for sheet in sheets] for sheets in ways]
    found = [[header for header in headers if header is not None] for headers in read]
    return max(found, key=lambda headers: sum(len(header.columns) for header in headers))
