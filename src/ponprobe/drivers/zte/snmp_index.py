"""How ZTE OLTs number PON ports, ONUs and service ports over SNMP, and how ifName tells which way a build does it.

There are three ways to write a port, and the same number is another port in another one: 268501248 is 1/1/1 in the old
trees and ``gpon_1/2/2`` in the IF-MIB of some builds. sysDescr and sysObjectID are the same for builds that differ
(two public walks of C320s), so the IF-MIB's way is read from ifName and never from the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ponprobe.errors import NotFound, ParseError
from ponprobe.flow import Oid, SnmpFlow, SnmpGet, SnmpWalk, ask_snmp, dotted
from ponprobe.models.addressing import OnuRef, PonPort, Technology

IF_NAME: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
"""ifName of the IF-MIB."""

Scheme = Literal["one_based", "shelf", "zero_based", "zero_based_c300"]
"""How the IF-MIB of a build numbers its ports."""
Way = Literal["old", "new", "if"]
"""What stands for a port in a table: the number of the old trees, that of 1082, or the build's own ifIndex."""

_PON_NAME = re.compile(r"(?P<kind>[a-z]*pon)(?:[-_]olt)?[-_](?P<place>\d{1,2}/\d{1,2}/\d{1,3})", re.IGNORECASE)
_CHANNEL = 5
"""The kind of an ifIndex (its upper four bits) that is one wavelength of a combo port, and no port of its own."""
_SERVICE, _BRIDGE = 3, 2
"""What a part of an ONU is, in the upper five bits of its number: a service port, a bridge port."""


def old_index(port: PonPort) -> int:
    """Trees 1012 and 1015: ``0x10000000 | shelf-1 << 24 | slot << 16 | port << 8``; 1/1/1 is 268501248.

    Seen in 125 rows of a C320 walk.
    """
    return 0x10000000 | (port.frame - 1) << 24 | port.slot << 16 | port.port << 8


def new_index(port: PonPort) -> int:
    """Tree 1082, and the IF-MIB of the C600 family and some C320: ``0x11000000 | shelf << 16 | slot << 8 | port``.

    1/1/1 is 285278465; 19 of 19 names of a C320 walk fit.
    """
    return 0x11000000 | port.frame << 16 | port.slot << 8 | port.port


def zero_based_index(port: PonPort, slot: int) -> int:
    """The IF-MIB of other C300 and C320 builds, all parts from zero: 1/1/1 is 268435456; 11 of 11 names of a walk."""
    return 0x10000000 | (port.frame - 1) << 24 | slot << 16 | (port.port - 1) << 8


def numbered(port: PonPort) -> dict[int, Scheme]:
    """Every number that could be a port's ifIndex, with the way of counting that makes it so.

    A C300 that counts from zero begins with slot 2 and leaves its control boards in 10 and 11 out.
    """
    if port.frame < 1 or port.port < 1 or port.slot < 1:
        return {}
    found: dict[int, Scheme] = {
        new_index(port): "shelf",
        zero_based_index(port, port.slot - 1): "zero_based",
        old_index(port): "one_based",
    }
    if 2 <= port.slot <= 9 or 12 <= port.slot <= 22:
        slot = port.slot - 2 if port.slot <= 9 else port.slot - 4
        found[zero_based_index(port, slot)] = "zero_based_c300"
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """A PON port of this device, with what its tables call it."""

    port: PonPort
    technology: Technology
    if_index: int
    scheme: Scheme

    def index(self, way: Way) -> int:
        """The number that stands for the port in a table."""
        if way == "if":
            return self.if_index
        return old_index(self.port) if way == "old" else new_index(self.port)


def named(value: object) -> tuple[PonPort, Technology] | None:
    """The PON port that an ifName names: ``gpon_1/1/1``, ``gpon_olt-1/1/1``; ``None`` for any other interface."""
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else ""
    match = _PON_NAME.fullmatch(text.strip())
    if match is None:
        return None
    return PonPort.parse(match["place"]), "epon" if "epon" in match["kind"].lower() else "gpon"


def places_in(names: Mapping[int, object]) -> tuple[Place, ...]:
    """The PON ports among ifName rows. Raises ``ParseError`` unless one way of counting explains every one of them."""
    pons = {
        index: found
        for index, value in names.items()
        if (found := named(value)) is not None and index >> 28 != _CHANNEL
    }
    ways: set[Scheme] = {"shelf", "zero_based", "zero_based_c300", "one_based"}
    for index, (port, _) in pons.items():
        ways &= {numbered(port)[index]} if index in numbered(port) else set()
    if len(ways) != 1:
        shown = ", ".join(f"{index} {port}" for index, (port, _) in list(pons.items())[:4])
        raise ParseError(
            f"ifName: no known way of counting explains the PON ports ({shown})"
            if pons
            else "ifName: the device names no PON port",
            template="ifName",
            text="\n".join(f"{index} {value!r}" for index, value in names.items()),
            hint="read this OLT over its command line, and send the ifName rows to whoever keeps the driver",
        )
    (scheme,) = ways
    return tuple(
        Place(port, technology, index, scheme)
        for index, (port, technology) in sorted(pons.items(), key=lambda row: (row[1][0].slot, row[1][0].port))
    )


def all_places() -> SnmpFlow[tuple[Place, ...]]:
    """Every PON port of the OLT: one walk of ifName."""
    reply = yield from ask_snmp(SnmpWalk(IF_NAME))
    return places_in({index[0]: value for index, value in reply.rows() if len(index) == 1})


def locate(port: PonPort) -> SnmpFlow[Place]:
    """One PON port, with one GET: the row that has its name tells how this build counts.

    Raises ``NotFound`` if the OLT has no such port and ``ParseError`` if it counts in a way that is not known.
    """
    guesses = numbered(port)
    if guesses:
        reply = yield from ask_snmp(SnmpGet(tuple((*IF_NAME, index) for index in guesses)))
        right = [
            Place(port, found[1], index, scheme)
            for index, scheme in guesses.items()
            if (found := named(reply.values.get((*IF_NAME, index)))) is not None and found[0] == port
        ]
        if len(right) == 1:
            return right[0]
    for place in (yield from all_places()):
        if place.port == port:
            return place
    raise NotFound(
        f"there is no PON port {port} on this OLT",
        command=f"walk {dotted(IF_NAME)}",
        refused="not_found",
        hint="check frame, slot and port in the resource data",
    )


# ----------------------------------------------------------------------------------------------- parts of an ONU


def _part(kind: int, onu_id: int, number: int) -> int:
    return kind << 27 | onu_id << 16 | number << 8


def service_index(onu_id: int, vport: int) -> int:
    """A vport's service ports under 1082: ``0x18 << 24 | onu << 16 | vport << 8``; ONU 24, vport 1: 404226304."""
    return _part(_SERVICE, onu_id, vport)


def service_place(number: int) -> tuple[int, int] | None:
    """ONU-ID and vport of a service port's number; ``None`` if it is the number of something else."""
    return (number >> 16 & 0x7FF, number >> 8 & 0xFF) if number >> 27 == _SERVICE else None


def bridge_place(number: int) -> tuple[int, int] | None:
    """ONU-ID and bridge port in a MAC table's number, ``0x10 << 24 | onu << 16 | port << 8`` (two programs)."""
    return (number >> 16 & 0x7FF, number >> 8 & 0xFF) if number >> 27 == _BRIDGE else None


def mac_text(octets: Iterable[int]) -> str | None:
    """A MAC address that is a part of an index."""
    found = tuple(octets)
    if len(found) != 6 or any(octet > 255 for octet in found):
        return None
    return ":".join(f"{octet:02x}" for octet in found)


def rows_by_onu(port: PonPort, indexes: Iterable[Oid], tail: Oid) -> Iterator[tuple[OnuRef, Oid]]:
    """The ONUs of rows ``port.onu`` and ``port.onu.1``; rows of another shape are no ONU's."""
    for index in indexes:
        if len(index) == 2 + len(tail) and index[2:] == tail and index[1] <= 1023:
            yield port.onu(index[1]), index
