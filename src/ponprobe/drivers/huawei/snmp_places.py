"""Where a SmartAX keeps a port's rows, and what it means if there are none."""

from __future__ import annotations

from collections.abc import Iterable

from ponprobe.drivers.columns import Readable, get_row
from ponprobe.drivers.huawei import snmp_tables as mib
from ponprobe.drivers.huawei.snmp_index import IF_NAME, PON_TYPES, Place, if_index, if_name, place_of
from ponprobe.errors import NotFound, NotSupported, ParseError
from ponprobe.flow import Missing, SnmpFlow, SnmpGet, SnmpValue, SnmpWalk, ask_snmp
from ponprobe.models.addressing import PonPort

VIEW = "the SNMP view of this user may leave it out: ask by the command line"


def demand(value: SnmpValue, what: str) -> None:
    """Raise if the device does not know the column: then nothing can be said about the row."""
    if value is Missing.NO_SUCH_OBJECT:
        raise NotSupported(f"This OLT does not tell {what} over SNMP", hint=VIEW)


class Places:
    """Flows that find ports, and that tell an empty table from one that the device does not show."""

    def pon_ports(self) -> SnmpFlow[tuple[Place, ...]]:
        """Every PON port by its name; raises ``ParseError`` if a name and the number's formula disagree."""
        reply = yield from ask_snmp(SnmpWalk(IF_NAME.oid))
        if not reply.values:
            raise NotSupported("This OLT shows no interface names over SNMP", hint=VIEW)
        found = (place_of(index[0], value) for index, value in reply.rows() if len(index) == 1)
        return tuple(sorted((place for place in found if place is not None), key=lambda each: each.index))

    def place(self, port: PonPort) -> SnmpFlow[Place]:
        """The interface number of a port, confirmed by the port's name.

        The three kinds that are known are tried first; a port of another kind is looked for by its name. Raises
        ``NotFound``, and ``ParseError`` if the formula does not fit this device.
        """
        try:
            candidates = {kind: if_index(port, kind) for kind in PON_TYPES}
        except ValueError as exc:
            raise NotFound(f"PON port {port} does not exist on this OLT: {exc}") from exc
        reply = yield from ask_snmp(SnmpGet(tuple(if_name(index) for index in candidates.values())))
        for index in candidates.values():
            name = reply.values[if_name(index)]
            known = place_of(index, name)
            if known is not None:
                return known
            if isinstance(name, bytes):
                raise ParseError(f"interface {index} should be {port}, but is named {name!r}", template="ifName")
        places = yield from self.pon_ports()
        named = next((place for place in places if place.port == port), None)
        if named is None:
            raise NotFound(f"PON port {port} does not exist on this OLT", command=str(reply.request))
        return named

    def places_of(self, indexes: Iterable[int]) -> SnmpFlow[dict[int, Place]]:
        """The ports of interface numbers that a device mentioned, confirmed by name, without other interfaces."""
        wanted = tuple(dict.fromkeys(index & 0xFFFFFFFF for index in indexes))
        if not wanted:
            return {}
        reply = yield from ask_snmp(SnmpGet(tuple(if_name(index) for index in wanted)))
        found = ((index, place_of(index, reply.values[if_name(index)])) for index in wanted)
        return {index: place for index, place in found if place is not None}

    @staticmethod
    def demand_known(*columns: Readable[object], what: str) -> SnmpFlow[None]:
        """A walk without rows is an empty table, or one that this device does not have: a GET tells."""
        reply = yield from ask_snmp(SnmpGet(((*columns[0].oid, 0),)))
        demand(next(iter(reply.values.values())), what)

    @staticmethod
    def demand_empty(place: Place) -> SnmpFlow[None]:
        """A port without rows is empty only if the OLT's own count says so."""
        count = mib.TABLES[place.kind].onu_count
        row = yield from get_row((place.index,), (count,))
        told = row.whole(count)
        if told != 0:
            raise NotSupported(
                f"The OLT shows no ONU on {place.port}, but "
                + (f"counts {told}" if told is not None else "does not say that there is none"),
                hint=VIEW,
            )
