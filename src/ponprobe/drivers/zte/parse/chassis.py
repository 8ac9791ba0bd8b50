"""The OLT itself: family, cards, version.

The family is told by the heading of ``show card`` and by nothing else: a C300 may carry TITAN software, and the same
card name stands in both families.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ponprobe.drivers import parsing
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import demand_whole, unknown
from ponprobe.drivers.zte.parse._text import answered, cleaned
from ponprobe.errors import DeviceError, ParseError
from ponprobe.models.device import Board, OltFacts
from ponprobe.models.optical import Absence

_VERSIONS = "zte_versions"
_ZXAN_HEADING = re.compile(r"^\s*Rack\s+Shelf\s+Slot\s+CfgType\s+RealType\s+Port\s+HardVer\s+SoftVer\s+Status\s*$")
_TITAN_HEADING = re.compile(r"^\s*Shelf\s+Slot\s+CfgType\s+CardName\s+Port\s+HardVer\s+Status\s*$")
_STATUS = re.compile(
    r"INSERVICE|STANDBY|OFFLINE|HWONLINE|CONFIGING|CONFIGFAILED|TYPEMISMATCH|DISABLE|NOPOWER|[A-Z]{8,}"
)
_REMARK = re.compile(r"[^\w\s]+\s.*|[^\w\s]+")
"""What somebody who published a table wrote behind a row, with an arrow before it."""


@dataclass(frozen=True, slots=True)
class Cards:
    """What ``show card`` says: the family (``zte_zxan`` or ``zte_titan``) and the cards."""

    family: str
    boards: tuple[Board, ...]

    @property
    def software(self) -> str | None:
        """The versions of the cards in service, where the table has them; cards may differ."""
        return _joined(board.software for board in self.boards if board.status == "INSERVICE")


def cards(text: str | Answer) -> Cards:
    """Read ``show card``; an answer that was cut raises."""
    answer = answered(text)
    found, whole = card_rows(answer)
    demand_whole(answer, "show card", whole=whole)
    return found


def card_rows(answer: Answer) -> tuple[Cards, bool]:
    """Read the cards as far as they go; the second value tells whether the table goes to its end."""
    heading = next((line for line in answer.lines if line.strip()), "")
    if _ZXAN_HEADING.match(heading):
        family = "zte_zxan"
    elif _TITAN_HEADING.match(heading):
        family = "zte_titan"
    else:
        raise unknown("show card", answer)
    rows = answer.lines[answer.lines.index(heading) + 1 :]
    found = tuple(
        _card(line, heading, family, answer)
        for line in rows
        if line.strip() and not re.fullmatch(r"\s*[-=]{5,}\s*", line)
    )
    return Cards(family, found), answer.complete


def _card(line: str, heading: str, family: str, answer: Answer) -> Board:
    """Read one row from both ends: cells in the middle may be blank, names may overrun their columns."""
    words = [(match[0], match.start()) for match in re.finditer(r"\S+", line)]
    numbers = 3 if family == "zte_zxan" else 2
    head, rest = words[:numbers], words[numbers:]
    end = next((i for i in range(len(rest) - 1, 0, -1) if _STATUS.fullmatch(rest[i][0])), None)
    if end is None or not all(word.isdigit() for word, _ in head):
        raise ParseError(f"show card: unknown line {line!r}", template="show card", text=answer.body)
    behind = line[rest[end][1] + len(rest[end][0]) :].strip()
    if behind and not _REMARK.fullmatch(behind):
        raise ParseError(f"show card: unknown line {line!r}", template="show card", text=answer.body)
    name, middle = rest[0][0], rest[1:end]
    ports = next((i for i, (word, _) in enumerate(middle) if re.fullmatch(r"\d{1,3}|N/A", word)), None)
    real = middle[: ports if ports is not None else len(middle)]
    versions = middle[ports + 1 :] if ports is not None else []
    if len(real) > 1 or len(versions) > (2 if family == "zte_zxan" else 1):
        raise ParseError(f"show card: unknown line {line!r}", template="show card", text=answer.body)
    count = parsing.whole(middle[ports][0]) if ports is not None else None
    return Board(
        frame=int(head[-2][0]),
        slot=int(head[-1][0]),
        board=real[0][0] if real else name,
        status=rest[end][0],
        ports=count,
        software=_software(versions, heading),
        absent={"ports": Absence.NOT_REPORTED} if count is None else {},
    )


def _software(versions: Sequence[tuple[str, int]], heading: str) -> str | None:
    """The second version of a row is the software's; a single one belongs to the heading that it stands under."""
    soft = heading.find("SoftVer")
    if len(versions) == 2:
        return versions[1][0]
    if len(versions) == 1 and soft >= 0 and abs(versions[0][1] - soft) < abs(versions[0][1] - heading.find("HardVer")):
        return versions[0][0]
    return None


def _joined(versions: object) -> str | None:
    found = dict.fromkeys(version for version in versions if version)  # type: ignore[attr-defined]
    return "/".join(found) or None


# ---------------------------------------------------------------------- model and version


_SYSTEM = re.compile(r"^\s*System Description\s*:\s*(?P<model>\S+)\s+Version\s+(?P<version>\S*)", re.MULTILINE)
_SOFTWARE = re.compile(
    r"^\s*(?:(?:ZXA10|ZXPON)\s+)?(?P<model>C\d\w*)?[^\n]*(?:\n[^\n]*)?\bSoftware,\s+Version\s*:?\s*(?P<version>V[\w.]+)",
    re.MULTILINE,
)
_UPTIME = re.compile(r"^\s*(?:Started before|System Uptime)\s*:\s*(?P<uptime>.+?)\s*$", re.MULTILINE)
_PLATFORM = "ZX"
"""V1.2 calls itself by its operating system: ``ZX Version V4.`` is neither the model nor the version of the OLT."""


def system(text: str | Answer) -> OltFacts:
    """Read ``show system-group`` (ZXAN) or ``show software`` (TITAN, known from a program that reads it)."""
    answer = answered(text)
    match = _SYSTEM.search(answer.body) or _SOFTWARE.search(answer.body)
    if match is None:
        raise unknown("show system-group", answer)
    uptime = _UPTIME.search(answer.body)
    named = match["model"] != _PLATFORM
    return OltFacts(
        model=match["model"] if named else None,
        version=(match["version"].rstrip(",") or None) if named else None,
        hostname=answer.hostname,
        uptime=uptime["uptime"] if uptime else None,
    )


def running(text: str | Answer) -> OltFacts:
    """Read ``show version-running``: the software (``MVR``) of the control cards, or of all cards.

    Cards may run different versions: then each is named, ``V2.0.9/V2.1.0``.
    """
    answer = answered(text)
    rows, _ = parsing.rows_of_cut(_VERSIONS, answer.body)
    software = [row for row in rows if row["kind"] == "MVR"]
    if not software:
        raise unknown("show version-running", answer)
    control = [row for row in software if row["file"].startswith(("SC", "SM"))]
    return OltFacts(version=_joined(row["tag"] for row in control or software), hostname=answer.hostname)


def facts(card: str | Answer, *more: str | Answer) -> OltFacts:
    """Put together what the OLT says of itself.

    A question that this version does not know, or answers in words that nobody has published, tells nothing.
    """
    answer = cleaned(card)
    found = cards(answer)
    known = [OltFacts(family=found.family, hostname=answer.hostname)]
    for text in more:
        said = cleaned(text)
        with suppress(DeviceError, ParseError):
            known.append(running(said) if re.search(r"^\s*PhyLoc\s", said.body, re.MULTILINE) else system(said))
    merged: dict[str, str] = {}
    for one in known:
        for name in type(one).model_fields:
            if value := getattr(one, name):
                merged.setdefault(name, value)
    merged.setdefault("version", found.software or "")
    return OltFacts(**{name: value or None for name, value in merged.items()})
