"""The OLT itself: version and boards."""

from __future__ import annotations

import re

from ponprobe.drivers import parsing
from ponprobe.drivers.huawei.parse._text import answered
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import demand_whole, unknown
from ponprobe.models.device import Board, OltFacts

_BOARDS = "huawei_smartax_boards"
_UPTIME = re.compile(r"^\s*Uptime is (?P<uptime>.+?)\s*$", re.MULTILINE | re.IGNORECASE)


def version(text: str | Answer) -> OltFacts:
    """Read ``display version``; the host name comes from the prompt, if the text has one."""
    answer = answered(text)
    seen = parsing.first_of(parsing.fields(answer.body))
    if not {"version", "product"} & seen.keys():
        raise unknown("display version", answer)
    uptime = _UPTIME.search(answer.body)
    return OltFacts(
        model=parsing.word(seen.get("product")),
        version=parsing.word(seen.get("version")),
        patch=parsing.word(seen.get("patch")),
        hostname=answer.hostname,
        uptime=uptime["uptime"] if uptime else None,
    )


def boards(text: str | Answer) -> tuple[Board, ...]:
    """Read ``display board 0``; a slot without a board has ``board`` ``None``. An answer that was cut raises."""
    answer = answered(text)
    found, whole = slots(answer, 0)
    demand_whole(answer, "display board", whole=whole)
    return found


def slots(answer: Answer, frame: int) -> tuple[tuple[Board, ...], bool]:
    """Read the slots as far as they go; the second value tells whether the table goes to its end."""
    rows, stops = parsing.rows_of_cut(_BOARDS, answer.body)
    if not rows:
        raise unknown("display board", answer)
    found = tuple(
        Board(frame=frame, slot=int(row["slot"]), board=row["board"] or None, status=row["status"] or None)
        for row in rows
    )
    return found, not stops and parsing.closed(answer.body)


def board(text: str | Answer, frame: int, slot: int) -> Board:
    """Read ``display board F/S``; an answer that was cut raises."""
    answer = answered(text)
    demand_whole(answer, "display board", whole=True)
    return board_page(answer, frame, slot)


_PORT_ROW = re.compile(r"^\s*\d+\s+(?:x?gpon|epon|10g\S*|xgs\S*)\s", re.MULTILINE | re.IGNORECASE)


def board_page(answer: Answer, frame: int, slot: int) -> Board:
    """Read ``display board F/S``: name, status, and how many PON ports it lists."""
    page = parsing.first_of(parsing.fields(answer.body))
    page = {**parsing.first_of(parsing.columns(answer.body)), **page}
    name = next((page[label] for label in ("board name", "boardname", "board type") if label in page), None)
    status = next((page[label] for label in ("board status", "status", "board state") if label in page), None)
    if name is None or status is None:
        raise unknown("display board", answer)
    ports = len(_PORT_ROW.findall(answer.body))
    return Board(frame=frame, slot=slot, board=parsing.word(name), status=parsing.word(status), ports=ports or None)
