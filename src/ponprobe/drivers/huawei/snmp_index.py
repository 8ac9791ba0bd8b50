"""How Huawei's agents like to be asked, which model is which, and how interfaces are numbered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ponprobe.dialect import SnmpDialect
from ponprobe.drivers.columns import Octets, oid, text_of
from ponprobe.errors import ParseError
from ponprobe.flow import Oid, SnmpValue
from ponprobe.models.addressing import PonPort

# ---------------------------------------------------------------------------------------------------------- manners

SMARTAX_SNMP = SnmpDialect(
    name="huawei_smartax",
    max_repetitions=10,
    get_chunk=12,
    timeout_s=5.0,
    slow_timeout_s=15.0,
    retries=1,
    max_concurrent=4,
)
"""MA5600T and MA5800 families. Ten rows at a time, 15 s and one retry for what is asked of ONTs: code only."""

MA5608T_SNMP = replace(
    SMARTAX_SNMP, name="huawei_ma5608t", use_bulk=False, timeout_s=10.0, slow_timeout_s=30.0, max_concurrent=2
)
"""The MA5608T loses GETBULK answers in some tables (a field note), and is slower: GETNEXT only, twice the patience."""

PRODUCTS = oid("1.3.6.1.4.1.2011.2")
"""Under it sysObjectID names the model; sysDescr says the same of every one."""

MODELS: Mapping[int, str] = {
    80: "MA5600T",
    115: "MA5680T",
    123: "MA5603T",
    133: "MA5683T",
    248: "MA5608T",
    294: "MA5800-X17",
    300: "MA5800-X7",
    317: "MA5800-X2",
    337: "MA5801",
    381: "MA5801",
}
"""123: seen in a walk; the others: code only."""


def dialect_of(model: str | None) -> SnmpDialect:
    """How this model's agent wants to be asked."""
    return MA5608T_SNMP if model == "MA5608T" else SMARTAX_SNMP


# ---------------------------------------------------------------------------------------------------------- indexes

GPON, EPON, XGPON = 125, 126, 127
"""Interface types. GPON: seen in a walk. EPON, XGPON: code only, so ifName has to confirm them."""
PON_TYPES = (GPON, XGPON, EPON)

IF_NAME = Octets(oid("1.3.6.1.2.1.31.1.1.1.1"), "ifName", text_of)
"""``GPON 0/1/3``, ``ethernet0/7/0``: seen in a walk."""

_PON_NAME = re.compile(r"(?P<word>\S*PON)\s*(?P<port>\d+/\d+/\d+)", re.IGNORECASE)


def if_index(port: PonPort, kind: int = GPON) -> int:
    """The interface number: ``type << 25 | frame << 19 | slot << 13 | port << 8``, beyond 2^31 for PON ports.

    Holds for 32 of 32 PON ports in a walk. Raises ``ValueError`` for a port that the number has no room for.
    """
    if port.frame > 0x3F or port.slot > 0x3F or port.port > 0x1F:
        raise ValueError(f"{port} is not a port of a SmartAX: frame and slot go to 63, port to 31")
    return kind << 25 | port.frame << 19 | port.slot << 13 | port.port << 8


def if_name(index: int) -> Oid:
    """Where an interface's name is."""
    return (*IF_NAME.oid, index)


def pon_port(index: int) -> PonPort:
    """The PON port of an interface number; ``ValueError`` for a number of anything else. Integer32 forms are taken."""
    number = index & 0xFFFFFFFF
    if number >> 25 not in PON_TYPES or number & 0xFF:
        raise ValueError(f"{index} is not the number of a PON port")
    return PonPort(frame=number >> 19 & 0x3F, slot=number >> 13 & 0x3F, port=number >> 8 & 0x1F)


def named_port(name: str | None) -> tuple[str, PonPort] | None:
    """What an interface's name says: ``GPON 0/1/3`` is ``("GPON", 0/1/3)``; ``None`` for what is no PON port."""
    match = _PON_NAME.fullmatch(name or "")
    return None if match is None else (match["word"].upper(), PonPort.parse(match["port"]))


@dataclass(frozen=True, slots=True)
class Place:
    """A PON port with its interface number and the kind of tables that hold its ONTs."""

    port: PonPort
    index: int
    kind: int


def place_of(index: int, name: SnmpValue) -> Place | None:
    """What an interface's number and name say together; ``None`` for what is no PON port.

    The name decides what the interface is, the number where its rows are; raises ``ParseError`` if they disagree about
    the port. A kind of number that is not known is taken for what its name says.
    """
    found = named_port(IF_NAME.read(name)[0])
    if found is None:
        return None
    word, port = found
    kind = index >> 25
    if kind not in PON_TYPES:
        kind = EPON if "EPON" in word else GPON
    number = PonPort(frame=index >> 19 & 0x3F, slot=index >> 13 & 0x3F, port=index >> 8 & 0x1F)
    if number != port:
        raise ParseError(
            f"interface {index} is named {word} {port}, but its number says {number}",
            template="ifName",
            hint="this device numbers its ports in another way: ask by the command line",
        )
    if (kind == EPON) != ("EPON" in word):
        raise ParseError(f"interface {index} is named {word} {port}, but its number says another kind of PON")
    return Place(port, index, kind)
