"""Huawei SmartAX (MA5600T family, MA5800 family) over SNMP, reading only: one flow for each question of the contract.

A port's interface number is computed and then confirmed by the port's name on the device, so a formula that does not
fit a model cannot read another port. Tables are read for one port, never for all. What the OLT has to fetch from an
ONT (optics, versions, MAC addresses) is asked of ONTs that are online, one ONT in one GET, with patience; of the
others it is ``offline``.
"""

from __future__ import annotations

from collections.abc import Sequence

from ponprobe.dialect import SnmpDialect
from ponprobe.drivers.columns import Readable, Row, get_row, get_rows, row_of, walk_rows
from ponprobe.drivers.huawei import snmp_tables as mib
from ponprobe.drivers.huawei.snmp_index import (
    MODELS,
    PRODUCTS,
    SMARTAX_SNMP,
    Place,
    dialect_of,
)
from ponprobe.drivers.huawei.snmp_places import VIEW, Places, demand
from ponprobe.drivers.huawei.snmp_rows import (
    fields_of,
    filled,
    flow_of,
    plain_text,
    serial_missing,
    silence,
    take_actual,
    uptime_of,
    waiting_of,
)
from ponprobe.drivers.huawei.snmp_tables import Tables
from ponprobe.errors import NotFound, NotSupported
from ponprobe.flow import Oid, SnmpFlow, SnmpGet, ask_snmp, dotted
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.device import Board, Conflict, DiscoveredOnu, MacEntry, OltFacts, OnuState, PonPortState
from ponprobe.models.optical import OpticalReading, PortOptical, Reading
from ponprobe.models.service import ServicePort


class HuaweiSnmp(Places):
    """What a SmartAX is asked over SNMP. Stateless; every method gives a fresh flow of requests that only read."""

    def __init__(self, dialect: SnmpDialect = SMARTAX_SNMP) -> None:
        self.dialect = dialect

    def adapted_to(self, facts: OltFacts) -> HuaweiSnmp:
        """The manners of this model; the same object where nothing differs."""
        dialect = dialect_of(facts.model)
        return self if dialect == self.dialect else HuaweiSnmp(dialect)

    # ------------------------------------------------------------------ the OLT

    def facts(self) -> SnmpFlow[OltFacts]:
        """Model by sysObjectID (``None`` for a number that nobody has named), version with its build; no patch.

        Raises ``NotSupported`` for another vendor's agent.
        """
        reply = yield from ask_snmp(SnmpGet((mib.SYS_OBJECT_ID, mib.SYS_UPTIME, mib.SYS_NAME, mib.VERSION)))
        product = reply.values[mib.SYS_OBJECT_ID]
        if not isinstance(product, tuple) or product[: len(PRODUCTS)] != PRODUCTS:
            said = dotted(product) if isinstance(product, tuple) else repr(product)
            raise NotSupported(f"The agent is no Huawei SmartAX: sysObjectID is {said}", hint="check the platform")
        version = plain_text(reply.values[mib.VERSION])
        if version is None:
            older = yield from ask_snmp(SnmpGet((mib.OLD_VERSION,)))
            version = plain_text(older.values[mib.OLD_VERSION])
        rest = product[len(PRODUCTS) :]
        return OltFacts(
            model=MODELS.get(rest[0]) if len(rest) == 1 else None,
            version=version,
            hostname=plain_text(reply.values[mib.SYS_NAME]),
            uptime=uptime_of(reply.values[mib.SYS_UPTIME]),
        )

    def boards(self) -> SnmpFlow[tuple[Board, ...]]:
        """Every slot that holds a board, with its state in the MIB's words."""
        rows = yield from walk_rows((mib.BOARD_NAME, mib.BOARD_STATE))
        if not rows:
            raise NotSupported("This OLT shows no boards over SNMP", hint=VIEW)
        found = []
        for index, row in sorted(rows.items()):
            name, (state, absence) = row.value(mib.BOARD_NAME), row.read(mib.BOARD_STATE)
            if name is not None and len(index) == 2:
                absent = {} if absence is None else {"status": absence}
                found.append(Board(frame=index[0], slot=index[1], board=name, status=state, absent=absent))
        return tuple(found)

    # ------------------------------------------------------------------ ports

    def ports(self) -> SnmpFlow[tuple[PonPort, ...]]:
        """Every PON port that the OLT names."""
        return tuple(place.port for place in (yield from self.pon_ports()))

    def pon_port(self, port: PonPort) -> SnmpFlow[PonPortState]:
        """OLT Tx, module and port state, module temperature, voltage and bias current; of an EPON port its power only.

        There is no laser state: nobody says how its column is written.
        """
        place = yield from self.place(port)
        olt_tx = mib.TABLES[place.kind].olt_tx
        columns: dict[str, Readable[object]] = {}
        if mib.TABLES[place.kind] is mib.GPON_TABLES:
            columns = {
                "module_state": mib.MODULE_STATE,
                "port_state": mib.PORT_STATE,
                "temperature_c": mib.PORT_TEMPERATURE,
                "voltage_v": mib.PORT_VOLTAGE,
                "bias_ma": mib.PORT_BIAS,
            }
        row = yield from get_row((place.index,), (olt_tx, *columns.values()))
        values, absent = fields_of(row, columns)
        power = row.reading(olt_tx)
        if power.absence is not None:
            absent["olt_tx_dbm"] = power.absence
        optical = PortOptical(port=port, olt_tx_dbm=power.value, absent=absent, **values)
        return PonPortState(port=port, optical=optical, olt_tx_dbm=power)

    def discovered(self, port: PonPort | None = None) -> SnmpFlow[tuple[DiscoveredOnu, ...]]:
        """ONUs that nobody has registered, from the autofind table (the register log has old lines, too)."""
        found: list[DiscoveredOnu] = []
        if port is not None:
            place = yield from self.place(port)
            waiting = mib.EPON_WAITING if mib.TABLES[place.kind] is mib.EPON_TABLES else mib.WAITING
            rows = yield from filled(waiting, (place.index,))
            if not rows:
                yield from self.demand_known(*waiting.values(), what="autofind")
            return tuple(waiting_of(row, waiting, port) for row in rows)
        for waiting in (mib.WAITING, mib.EPON_WAITING):
            rows = yield from filled(waiting)
            if not rows and waiting is mib.WAITING:
                yield from self.demand_known(*waiting.values(), what="autofind")
            places = yield from self.places_of(row.index[0] for row in rows)
            for row in rows:
                known = places.get(row.index[0])
                found.append(waiting_of(row, waiting, None if known is None else known.port))
        return tuple(found)

    # ------------------------------------------------------------------ ONUs

    def onus(self, port: PonPort) -> SnmpFlow[tuple[OnuState, ...]]:
        """Every registered ONU of a port: what the OLT knows by itself, so neither distance nor equipment."""
        place = yield from self.place(port)
        tables = mib.TABLES[place.kind]
        columns = {**tables.config, **tables.state}
        rows = yield from walk_rows(tuple(columns.values()), (place.index,))
        registered = {index: row for index, row in sorted(rows.items()) if row.has(*tables.config.values())}
        if not registered:
            yield from self.demand_empty(place)
        nameless = [index for index, row in registered.items() if serial_missing(tables, row)]
        actual: dict[Oid, Row] = {}
        if nameless and tables.actual_serial is not None:
            actual = yield from get_rows(nameless, (tables.actual_serial,), rows_per_get=self.dialect.get_chunk)
        found = []
        for index, row in registered.items():
            values, absent = fields_of(row, columns)
            take_actual(tables, actual.get(index), values, absent)
            found.append(OnuState(onu=port.onu(index[1]), absent=absent, **values))
        return tuple(found)

    def find(self, serial: Serial) -> SnmpFlow[OnuState | None]:
        """Where a serial is registered: the serials of one port after the other, up to the first that has it."""
        places = yield from self.pon_ports()
        for place in places:
            onu_id = yield from self._find_on(place, mib.TABLES[place.kind], serial)
            if onu_id is not None:
                return (yield from self._state(place, onu_id))
        return None

    def _find_on(self, place: Place, tables: Tables, serial: Serial) -> SnmpFlow[int | None]:
        if tables.serial is None or tables.actual_serial is None:
            return None
        rows = yield from walk_rows((tables.serial,), (place.index,))
        if not rows:
            yield from self.demand_empty(place)
        for index, row in rows.items():
            if row.value(tables.serial) == serial:
                return index[1]
        # an ONU that registers by password shows its serial elsewhere
        nameless = [index for index, row in rows.items() if row.value(tables.serial) is None]
        actual = yield from get_rows(nameless, (tables.actual_serial,), rows_per_get=self.dialect.get_chunk)
        return next((index[1] for index, row in actual.items() if row.value(tables.actual_serial) == serial), None)

    def onu_state(self, onu: OnuRef) -> SnmpFlow[OnuState | None]:
        """State, distance, equipment and last down cause of one ONU; ``None`` if there is none in that place."""
        place = yield from self.place(onu.port)
        return (yield from self._state(place, onu.onu_id))

    def _state(self, place: Place, onu_id: int) -> SnmpFlow[OnuState | None]:
        tables, index = mib.TABLES[place.kind], (place.index, onu_id)
        columns = {**tables.config, **tables.state}
        more = () if tables.actual_serial is None else (tables.actual_serial,)
        row = yield from get_row(index, (*columns.values(), *more))
        if not row.has(*tables.config.values()):
            demand(row.raw(next(iter(tables.config.values()))), f"ONU {place.port.onu(onu_id)}")
            return None
        values, absent = fields_of(row, columns)
        take_actual(tables, row, values, absent)
        slow = {"distance_m": tables.distance, **tables.slow}
        if values.get("run_state") == "online":
            live = yield from get_row(index, tuple(slow.values()), self.dialect.slow_timeout_s)
            found, missing = fields_of(live, slow)
            values, absent = values | found, absent | missing
        else:
            absent.update(dict.fromkeys(slow, silence(values.get("run_state"))))
        return OnuState(onu=place.port.onu(onu_id), absent=absent, **values)

    # ------------------------------------------------------------------ optics

    def optical(self, onu: OnuRef) -> SnmpFlow[OpticalReading]:
        """The four powers of one ONU; raises ``NotFound`` if there is none in that place."""
        place = yield from self.place(onu.port)
        tables = mib.TABLES[place.kind]
        request = SnmpGet(((*tables.olt_tx.oid, place.index), (*tables.run.oid, place.index, onu.onu_id)))
        reply = yield from ask_snmp(request)
        run = row_of(reply, (place.index, onu.onu_id))
        if not run.has(tables.run):
            demand(run.raw(tables.run), f"ONU {onu}")
            raise NotFound(f"ONU {onu} does not exist", command=str(request))
        olt_tx = row_of(reply, (place.index,)).reading(tables.olt_tx)
        return (yield from self._optics(place, run, olt_tx))

    def optical_port(self, port: PonPort) -> SnmpFlow[tuple[OpticalReading, ...]]:
        """The four powers of every ONU of a port; those that are not online are there with their absence."""
        place = yield from self.place(port)
        return (yield from self._optical_port(place))

    def optical_board(self, frame: int, slot: int) -> SnmpFlow[tuple[OpticalReading, ...]]:
        """The four powers of every ONU of a board."""
        places = yield from self.pon_ports()
        found: list[OpticalReading] = []
        for place in places:
            if (place.port.frame, place.port.slot) == (frame, slot):
                found += yield from self._optical_port(place)
        return tuple(found)

    def _optical_port(self, place: Place) -> SnmpFlow[tuple[OpticalReading, ...]]:
        tables = mib.TABLES[place.kind]
        runs = yield from walk_rows((tables.run,), (place.index,))
        if not runs:
            yield from self.demand_empty(place)
            return ()
        port = yield from get_row((place.index,), (tables.olt_tx,))
        olt_tx = port.reading(tables.olt_tx)
        found: list[OpticalReading] = []
        for _, run in sorted(runs.items()):
            found.append((yield from self._optics(place, run, olt_tx)))
        return tuple(found)

    def _optics(self, place: Place, run: Row, olt_tx: Reading) -> SnmpFlow[OpticalReading]:
        """One ONU's own optics in one GET, if it is online: each number has the time of its own answer."""
        tables, onu = mib.TABLES[place.kind], place.port.onu(run.index[1])
        word = run.value(tables.run)
        if word != "online":
            silent = Reading(absence=silence(word), source=run.source, at=run.at)
            return OpticalReading(onu=onu, olt_tx_dbm=olt_tx, olt_rx_dbm=silent, onu_tx_dbm=silent, onu_rx_dbm=silent)
        row = yield from get_row(run.index, tables.optics, self.dialect.slow_timeout_s)
        powers = {
            "olt_rx_dbm": row.reading(tables.olt_rx),
            "onu_tx_dbm": row.reading(tables.onu_tx),
            "onu_rx_dbm": row.reading(tables.onu_rx),
        }
        temperature = row.value(tables.temperature)
        if temperature == 0 and powers["onu_tx_dbm"].value is None and powers["onu_rx_dbm"].value is None:
            temperature = None  # a whole row of zeros is a module that could not be read
        return OpticalReading(
            onu=onu,
            olt_tx_dbm=olt_tx,
            temperature_c=temperature,
            voltage_v=row.value(tables.voltage),
            bias_ma=row.value(tables.bias),
            **powers,
        )

    # ------------------------------------------------------------------ services

    def service_ports(self, where: PonPort | OnuRef) -> SnmpFlow[tuple[ServicePort, ...]]:
        """The service flows of a port or an ONU.

        The table has no index by port, so two columns (for an ONU, three) are walked, and the rest is asked of what
        matches.

        ``index`` is the MIB's flow index. One program takes it for the command line's index plus one, and no real
        device has shown which is right: never remove by it.
        """
        onu_id = where.onu_id if isinstance(where, OnuRef) else None
        port = where.port if isinstance(where, OnuRef) else where
        place = yield from self.place(port)
        keys = (mib.FLOW_SLOT, mib.FLOW_PORT, *(() if onu_id is None else (mib.FLOW_ONT,)))
        wanted = (port.slot, port.port, *(() if onu_id is None else (onu_id,)))
        candidates = yield from walk_rows(keys)
        if not candidates:
            yield from self.demand_known(*keys, what="service ports")
        matching = sorted(
            index for index, row in candidates.items() if tuple(row.whole(column) for column in keys) == wanted
        )
        rows = yield from get_rows(matching, mib.FLOW_COLUMNS, rows_per_get=4)
        technology = mib.TABLES[place.kind].technology
        return tuple(
            flow_of(row, port)
            for row in rows.values()
            if row.whole(mib.FLOW_FRAME) == port.frame and row.value(mib.FLOW_KIND) == technology
        )

    def macs(self, onu: OnuRef) -> SnmpFlow[tuple[MacEntry, ...]]:
        """The addresses learnt behind one ONU; none behind one that is not there or not online.

        Raises ``NotSupported`` where the device does not know the table, and for EPON, whose index nobody has shown.
        """
        place = yield from self.place(onu.port)
        tables, index = mib.TABLES[place.kind], (place.index, onu.onu_id)
        if tables is not mib.GPON_TABLES:
            raise NotSupported(
                f"MAC addresses of EPON ONU {onu} are not read over SNMP", hint="ask by the command line"
            )
        run = yield from get_row(index, (tables.run,))
        if run.value(tables.run) != "online":
            return ()
        question = mib.macs_oid(*index)
        reply = yield from ask_snmp(SnmpGet((question,), self.dialect.slow_timeout_s))
        value = reply.values[question]
        demand(value, "MAC addresses")
        if not isinstance(value, bytes):
            return ()
        return tuple(MacEntry(mac=mac, vlan=vlan, onu=onu, port=onu.port) for vlan, mac in mib.mac_records(value))

    def conflicts(self, serial: Serial) -> SnmpFlow[tuple[Conflict, ...]]:
        """Who is in the way of an ONU that cannot register: what the register log says of a registered one."""
        log = yield from walk_rows((mib.LOG_SERIAL,))
        if not log:
            yield from self.demand_known(mib.LOG_SERIAL, what="the register log")
        mine = sorted(index for index, row in log.items() if row.value(mib.LOG_SERIAL) == serial)
        columns: Sequence[Readable[object]] = (mib.LOG_RESULT, mib.LOG_TIME, mib.LOG_IF_INDEX, mib.LOG_ONT)
        rows = yield from get_rows(mine, columns, rows_per_get=2)
        rivals = {index: row.whole(mib.LOG_IF_INDEX) for index, row in rows.items()}
        places = yield from self.places_of(number for number in rivals.values() if number is not None)
        found = []
        for index, row in rows.items():
            number, onu_id = rivals[index], row.whole(mib.LOG_ONT)
            place = None if number is None else places.get(number & 0xFFFFFFFF)
            if place is not None and onu_id is not None:
                values, absent = fields_of(row, {"result": mib.LOG_RESULT, "logged_at": mib.LOG_TIME})
                rival = place.port.onu(onu_id)
                found.append(
                    Conflict(serial=serial, registered_at=rival, source=row.source, at=row.at, absent=absent, **values)
                )
        return tuple(found)
