"""Running configurations: what stands on a port, on an ONU, on its vports, and what is sent to it over OMCI.

ZXAN ends a block with ``!`` and the answer with ``end``, TITAN ends a block with ``$``. Services of a ZXAN ONU stand in
its interface and name their vport; on TITAN each vport is an interface of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ponprobe.drivers import parsing
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import serial_or_none, unknown
from ponprobe.drivers.zte.parse._text import answered, given, onu_in, port_in, service_of
from ponprobe.errors import ParseError
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.optical import Absence
from ponprobe.models.service import ServicePort

_WIDTH = 80
_INTERFACE = re.compile(r"^\s*(?P<kind>interface|pon-onu-mng)\s+(?P<name>\S+)\s*$")
_FURNITURE = re.compile(r"^\s*(?:Building configuration\s*(?:\.+|\u2026)|!.*|\$|end)\s*$|^\s*$")
_ONU_LINE = re.compile(r"^\s*onu (?P<id>\d+) type (?P<type>\S+)(?: (?P<words>.*?))?\s*$")
_SERVICE = re.compile(
    r"^\s*service-port (?P<index>\d+)\s+(?:vport (?P<vport>\d+)\s+)?user-vlan (?P<user>\S+(?: to \d+)?)"
    r"(?:\s+vlan (?P<vlan>\d+))?(?:\s+svlan (?P<svlan>\d+))?(?P<rest>(?:\s+\S+)*)\s*$"
)


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one interface, or of one ``pon-onu-mng``, without their indent."""

    kind: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfiguredOnu:
    """One line ``onu N type T ...`` of a port. ``secret`` is the password or LOID where the device shows it."""

    onu: OnuRef
    onu_type: str
    serial: Serial | None = None
    mac: str | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class OnuConfig:
    """What the interface of an ONU holds. ``description`` is ``None`` where nobody gave one or the device covers it."""

    description: str | None = None
    tconts: dict[int, str] = field(default_factory=dict)
    gemports: dict[int, str | None] = field(default_factory=dict)
    """GEM ports and their names, which no version covers."""
    services: tuple[ServicePort, ...] = ()


# ---------------------------------------------------------------------- blocks


def blocks(answer: Answer) -> tuple[Block, ...]:
    """Cut a configuration into its blocks; a text that holds neither a block nor its furniture raises."""
    found: list[Block] = []
    lines: list[str] = []
    head: re.Match[str] | None = None
    furnished = answer.empty
    for line in _unwrapped(answer):
        match = _INTERFACE.match(line)
        ends = bool(re.match(r"\s*(?:!|\$|end\s*$)", line))
        furnished = furnished or match is not None or bool(_FURNITURE.match(line) and line.strip())
        if (match or ends) and head is not None:
            found.append(Block(head["kind"], head["name"], tuple(lines)))
            head = None
        if match is not None:
            head, lines = match, []
        elif head is not None and line.strip():
            lines.append(" ".join(line.split()))
    if head is not None:
        found.append(Block(head["kind"], head["name"], tuple(lines)))
    if not furnished:
        raise unknown("show running-config", answer)
    return tuple(found)


def _unwrapped(answer: Answer) -> Iterator[str]:
    """Join lines that the terminal broke at its right edge: they are as long as the screen is wide."""
    whole = ""
    for line in answer.lines:
        whole += line
        if len(line) != _WIDTH or whole.startswith(("!", "$")):
            yield whole
            whole = ""
    if whole:
        yield whole


def _block(text: str | Answer, kind: str, name: str) -> Block | None:
    """The block of one name in an answer; ``None`` if it is not in there. A part of another block raises nothing."""
    answer = answered(text)
    if not answer.complete:
        raise ParseError(f"{kind} {name}: the answer is incomplete", text=answer.body, hint="ask again")
    return next((block for block in blocks(answer) if (block.kind, block.name) == (kind, name)), None)


# ---------------------------------------------------------------------- ports and ONUs


def port_onus(text: str | Answer, name: str) -> tuple[ConfiguredOnu, ...]:
    """Read the ONUs that a port's configuration names: the authoritative list of used ONU-IDs.

    Raises ``ParseError`` for an ``onu`` line that it does not understand: its ID must not be taken for a free one.
    """
    block = _block(text, "interface", name)
    port = port_in(name)
    if block is None or port is None:
        raise unknown(f"the configuration of {name}", answered(text))
    return tuple(
        _configured(line, port) for line in block.lines if re.match(r"onu \d", line) and " profile " not in line
    )


def _configured(line: str, port: PonPort) -> ConfiguredOnu:
    match = _ONU_LINE.match(line)
    if match is None:
        raise ParseError(f"{port}: unknown line {line!r}", text=line)
    words = (match["words"] or "").split()
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    mac = pairs.get("mac", "")
    return ConfiguredOnu(
        onu=port.onu(int(match["id"])),
        onu_type=match["type"],
        serial=serial_or_none(pairs.get("sn", "")),
        mac=parsing.mac_address(mac) if mac else None,
        secret=pairs.get("pw") or pairs.get("loid"),
    )


_TCONT = re.compile(r"tcont (?P<id>\d+)(?: name \S+)? profile (?P<profile>\S+)")
_GEMPORT = re.compile(r"gemport (?P<id>\d+)(?: name (?P<name>\S+))?(?: unicast)? tcont \d+")
_DESCRIPTION = re.compile(r"(?:property )?description (?P<text>.*)")


def onu_config(text: str | Answer, name: str) -> OnuConfig:
    """Read the configuration of an ONU's interface; an ONU on which nothing is configured has an empty one."""
    block = _block(text, "interface", name)
    config = OnuConfig()
    if block is None:
        return config
    description: str | None = None
    for line in block.lines:
        if match := _TCONT.match(line):
            config.tconts[int(match["id"])] = match["profile"]
        elif match := _GEMPORT.match(line):
            config.gemports[int(match["id"])] = match["name"]
        elif match := _DESCRIPTION.match(line):
            description = given(match["text"])
    return OnuConfig(description, config.tconts, config.gemports, tuple(_services(block)))


def omci_lines(text: str | Answer, name: str) -> tuple[str, ...]:
    """The lines of an ONU's ``pon-onu-mng`` block, with single blanks."""
    block = _block(text, "pon-onu-mng", name)
    return () if block is None else block.lines


# ---------------------------------------------------------------------- services


def configured_services(text: str | Answer) -> tuple[ServicePort, ...]:
    """Every service port of a configuration, in its order."""
    answer = answered(text)
    return tuple(service for block in blocks(answer) for service in _services(block))


def _services(block: Block) -> Iterator[ServicePort]:
    onu = onu_in(block.name)
    vport, _ = service_of(block.name)
    for line in block.lines:
        if not line.startswith("service-port "):
            continue
        match = _SERVICE.match(line)
        if match is None:
            raise ParseError(f"{block.name}: unknown line {line!r}", text=line)
        user = int(match["user"]) if match["user"].isdigit() else None
        inner = int(match["vlan"]) if match["vlan"] else user
        # one VLAN for another without an outer tag: which of the two is the inner one is nobody's to say
        translated = match["svlan"] is None and user != inner
        yield ServicePort(
            index=int(match["index"]),
            svlan=int(match["svlan"]) if match["svlan"] else None,
            cvlan=None if translated else user,
            inner_vlan=inner,
            port=onu.port if onu else None,
            onu=onu,
            vport=int(match["vport"]) if match["vport"] else vport,
            flow_type="vlan" if user is not None else match["user"].lower(),
            tag_transform=f"{match['user']} to {match['vlan']}" if translated else None,
            absent={"cvlan": Absence.UNSUPPORTED} if translated else {},
        )


# ---------------------------------------------------------------------- the S-VLAN of a whole port


_INGRESS = re.compile(r"(?P<port>[a-z]+[-_]olt[-_]\d+/\d+/\d+)\b", re.IGNORECASE)
_LINE = re.compile(r"\bcvlan (?P<first>\d+)(?: to (?P<last>\d+))? svlan (?P<svlan>\d+)")
_RANGE = re.compile(r"^\s*(?P<first>\d+)\s*(?:-|to)\s*(?P<last>\d+)\s+(?P<svlan>\d+)\b")
_SINGLE = re.compile(r"^\s*(?P<first>\d+)\s+(?P<svlan>\d+)(?!\S|\s+\d)")


def smart_qinq(text: str | Answer) -> tuple[tuple[PonPort, range, int], ...]:
    """Read ``show vlan-smart-qinq``: port, the CVLANs that come in on it, and the SVLAN that they are given.

    No answer was ever published; a program that reads it takes the port first, the SVLAN as the sixth word, and rows
    that say ``OK`` for those in force. Rows are also read as a range and an SVLAN, and in the words of the command
    that makes them; another row of a port raises.
    """
    answer = answered(text)
    if answer.empty:
        return ()
    rows = (_qinq_row(line, answer) for line in answer.lines if _INGRESS.search(line))
    return tuple(row for row in rows if row is not None)


def _qinq_row(line: str, answer: Answer) -> tuple[PonPort, range, int] | None:
    port = port_in(line)
    words = line.split()
    tail = line[line.index(words[0]) + len(words[0]) :] if _INGRESS.match(words[0]) else ""
    match = _LINE.search(line) or _RANGE.match(tail)
    sixth = match is None and len(words) > 5 and words[1].isdigit() and words[5].isdigit()
    match = match or (None if sixth else _SINGLE.match(tail))
    if match is not None:
        found = match.groupdict()
        first, last, svlan = found["first"], found.get("last") or found["first"], found["svlan"]
    elif sixth:
        ends = [word for word in words[1:3] if word.isdigit()]
        first, last, svlan = ends[0], ends[-1], words[5]
    else:
        raise ParseError(f"show vlan-smart-qinq: unknown line {line!r}", text=answer.body)
    if port is None or not 1 <= int(first) <= int(last) <= 4094 or not 1 <= int(svlan) <= 4094:
        raise ParseError(f"show vlan-smart-qinq: unknown line {line!r}", text=answer.body)
    in_force = _LINE.search(line) is not None or any(word.upper() == "OK" for word in words)
    return (port, range(int(first), int(last) + 1), int(svlan)) if in_force else None
