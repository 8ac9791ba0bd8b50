"""What a SmartAX's rows become: fields with their reasons, waiting ONTs, service flows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from ponprobe.drivers.columns import Readable, Row, get_rows, text_of, walk_rows
from ponprobe.drivers.huawei import snmp_tables as mib
from ponprobe.drivers.huawei.snmp_tables import Tables
from ponprobe.flow import Oid, SnmpFlow, SnmpValue
from ponprobe.models.addressing import PonPort
from ponprobe.models.device import DiscoveredOnu
from ponprobe.models.optical import Absence
from ponprobe.models.service import ServicePort


def fields_of(row: Row, columns: Mapping[str, Readable[object]]) -> tuple[dict[str, Any], dict[str, Absence]]:
    """Values by field, and the reasons of those that have none."""
    values: dict[str, Any] = {name: row.value(column) for name, column in columns.items()}
    return values, row.absences(columns)


def silence(run_state: str | None) -> Absence:
    """Why nothing was asked of an ONT: it is offline, or the OLT cannot say what it is."""
    return Absence.OFFLINE if run_state == "offline" else Absence.NOT_READ


def serial_missing(tables: Tables, row: Row) -> bool:
    """Whether the table of serials has none for this ONU, as it registers by something else."""
    return tables.serial is not None and row.value(tables.serial) is None


def take_actual(tables: Tables, row: Row | None, values: dict[str, Any], absent: dict[str, Absence]) -> None:
    """The serial of an ONU that was registered by password: the one that it really has."""
    if row is None or tables.actual_serial is None or values.get("serial") is not None:
        return
    values["serial"] = row.value(tables.actual_serial)
    if values["serial"] is not None:
        absent.pop("serial", None)


def filled(waiting: Mapping[str, Readable[object]], index: Oid = ()) -> SnmpFlow[tuple[Row, ...]]:
    """Whole rows of the autofind table: its rows come and go, so each is read at once after the list."""
    first, *others = waiting.values()
    listed = yield from walk_rows((first,), index)
    found = yield from get_rows(sorted(listed), (first, *others), rows_per_get=1)
    return tuple(row for row in found.values() if row.has(first))


def waiting_of(row: Row, columns: Mapping[str, Readable[object]], port: PonPort | None) -> DiscoveredOnu:
    """A row of the autofind table; passwords and LOIDs become secrets."""
    values, absent = fields_of(row, columns)
    for secret in ("password", "loid"):
        if values.get(secret) is not None:
            values[secret] = SecretStr(values[secret])
    return DiscoveredOnu(port=port, absent=absent, **values)


def flow_of(row: Row, port: PonPort) -> ServicePort:
    """A row of the table of service flows."""
    absent = row.absences({"svlan": mib.FLOW_SVLAN, "cvlan": mib.FLOW_USER_VLAN, "gemport": mib.FLOW_GEM})
    onu_id, transform = row.whole(mib.FLOW_ONT), row.value(mib.FLOW_TRANSFORM)
    inner = row.whole(mib.FLOW_INNER) if transform in mib.DOUBLE_TAGGED else None
    if inner is None:
        absent["inner_vlan"] = Absence.NOT_REPORTED
    untagged = row.raw(mib.FLOW_USER_VLAN) == mib.FLOW_UNTAGGED
    return ServicePort(
        index=row.index[0],
        svlan=row.whole(mib.FLOW_SVLAN),
        cvlan=row.whole(mib.FLOW_USER_VLAN),
        inner_vlan=inner,
        port=port,
        onu=None if onu_id is None else port.onu(onu_id),
        gemport=row.whole(mib.FLOW_GEM),
        state=row.value(mib.FLOW_STATE),
        tag_transform=transform,
        flow_type="untag" if untagged else row.value(mib.FLOW_SERVICE),
        absent=absent,
    )


def plain_text(value: SnmpValue) -> str | None:
    """A single text; ``None`` where the device has none."""
    return text_of(value) if isinstance(value, bytes) else None


def uptime_of(value: SnmpValue) -> str | None:
    """TimeTicks in the words of the command line; the counter starts again after 497 days."""
    if not isinstance(value, int):
        return None
    hours, rest = divmod(value // 100, 3600)
    return f"{hours // 24} day(s), {hours % 24} hour(s), {rest // 60} minute(s), {rest % 60} second(s)"
