"""What all readers of ZTE text share: cleaning, names of ports and ONUs, identities, masked fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ponprobe.drivers import parsing
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import Asked, cleaned_by, unknown
from ponprobe.drivers.zte.dialect import ZXAN
from ponprobe.errors import ParseError
from ponprobe.models.addressing import OnuRef, PonPort

QUESTION = "show"
"""What the echo of every question starts with, where the caller does not say which question it was."""

# C6xx goes on with a long echo, or a long line, on the next row behind a sign; alone, the sign ends a block
_CONTINUED = re.compile(r"\r*\n\$(?=[^\s$])")
_ONU = re.compile(r"\b[a-z]+[-_]onu[-_](?P<port>\d+/\d+/\d+):\s?(?P<id>\d+)", re.IGNORECASE)
_VPORT = re.compile(
    r"\bvport-(?P<port>\d+/\d+/\d+)\.(?P<id>\d+)(?::(?P<vport>\d+)(?::(?P<service>\d+))?)?", re.IGNORECASE
)
_PORT = re.compile(r"\b[a-z]+[-_]olt[-_](?P<port>\d+/\d+/\d+)\b", re.IGNORECASE)
_MASKED = re.compile(r"\*{3,}")
_DEFAULT = re.compile(r"none|N/A|-+|ONU-\d+:\d+", re.IGNORECASE)


def cleaned(text: str | Answer, command: str | None = QUESTION) -> Answer:
    """Clean a raw answer; one that has been cleaned already stays as it is."""
    return text if isinstance(text, Answer) else cleaned_by(ZXAN, _CONTINUED.sub("", text), command)


def answered(text: str | Answer, command: str | None = QUESTION) -> Answer:
    """Clean an answer and raise its refusal."""
    answer = cleaned(text, command)
    parsing.refuse(answer, None if command == QUESTION else command)
    return answer


def port_in(*texts: str | None) -> PonPort | None:
    """Find the first PON port that one of the texts names."""
    for text in texts:
        if match := _PORT.search(text or "") or _ONU.search(text or ""):
            return PonPort.parse(match["port"])
    return None


def onu_in(*texts: str | None) -> OnuRef | None:
    """Find the first ONU that one of the texts names, by itself or by one of its vports."""
    for text in texts:
        if match := _ONU.search(text or "") or _VPORT.search(text or ""):
            return PonPort.parse(match["port"]).onu(int(match["id"]))
    return None


def onu_asked(asked: Asked) -> OnuRef | None:
    """The ONU that a question is about: from its line or the view it ran in."""
    return onu_in(asked.line, *asked.contexts)


def port_asked(asked: Asked) -> PonPort | None:
    """The PON port that a question is about."""
    return port_in(asked.line, *asked.contexts)


def service_of(port: str) -> tuple[int | None, int | None]:
    """The vport and the service port that a name such as ``vport-1/1/16.1:1:1`` ends in."""
    match = _VPORT.search(port)
    return (parsing.whole(match["vport"] or ""), parsing.whole(match["service"] or "")) if match else (None, None)


def index(text: str) -> OnuRef:
    """Read ``1/2/3:4``."""
    return OnuRef.parse(text)


def shown(text: str | None) -> str | None:
    """Return a text that a person gave; ``None`` for nothing and for stars that cover it (TITAN masks names)."""
    found = parsing.word(text)
    return None if found is None or _MASKED.fullmatch(found) else found


def given(text: str | None) -> str | None:
    """As ``shown``, and ``None`` for what the device fills in where nobody gave a text."""
    found = shown(text)
    return None if found is None or _DEFAULT.fullmatch(found) else found


# ---------------------------------------------------------------------- tables that their heading explains

Columns = Sequence[tuple[str, int]]
"""The columns of a table: what each holds, and where its heading starts."""
_PLACE = re.compile(r"\s*[a-z]+[-_](?P<kind>onu|olt)[-_]\d+/", re.IGNORECASE)
_CELL = re.compile(r"\S+(?: \S+)*")


def headed_rows(
    answer: Answer, what: str, names: Mapping[str, str], unheaded: Mapping[str, Columns]
) -> tuple[dict[str, str], ...]:
    """Read a table whose columns differ by version: one mapping a row, by what its heading says.

    ``names`` says what each heading (small letters, no blanks) stands for, ``unheaded`` the columns of a table of ONUs
    or of ports that came without its heading. A heading, or a line, that is not known raises.
    """
    columns: Columns = ()
    rows: list[dict[str, str]] = []
    for line in answer.lines:
        if re.match(r"\s*O(?:nu|NU|lt|LT) ?(?:[Ii]ndex|[Ii]nterface)\s", line):
            columns = [(_named(match[0], names, what, answer), match.start()) for match in _CELL.finditer(line)]
        elif match := _PLACE.match(line):
            rows.append(_cells(line, columns or unheaded.get(match["kind"].lower(), ()), what, answer))
        elif line.strip() and not re.fullmatch(r"\s*-{5,}\s*|\s*ONU Number\s*:.*", line):
            raise ParseError(f"{what}: unknown line {line!r}", template=what, text=answer.body)
    if not columns and not rows:
        raise unknown(what, answer)
    return tuple(rows)


def _named(heading: str, names: Mapping[str, str], what: str, answer: Answer) -> str:
    name = names.get(re.sub(r"\s", "", heading).casefold())
    if name is None:
        raise ParseError(f"{what}: unknown column {heading!r}", template=what, text=answer.body)
    return name


def _cells(line: str, columns: Columns, what: str, answer: Answer) -> dict[str, str]:
    """Cut a row into its cells; one may be two words or blank."""
    cells = [(match[0], match.start()) for match in _CELL.finditer(line)]
    if len(cells) == len(columns):
        return {name: cell for (name, _), (cell, _) in zip(columns, cells, strict=True)}
    row: dict[str, str] = {}
    for cell, start in cells:
        name = min(columns, key=lambda column: abs(column[1] - start), default=("", 0))[0]
        if not name or name in row:
            raise ParseError(f"{what}: unknown line {line!r}", template=what, text=answer.body)
        row[name] = cell
    return row
