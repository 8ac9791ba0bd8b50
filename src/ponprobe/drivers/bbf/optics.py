"""The four powers of an ONU, from the links that carry them.

OLT Tx and OLT Rx stand at the link that a channel termination names. ONU Tx and ONU Rx stand at a link in the ONU, if
the OLT shows the ONU's hardware at all; TR-385 has no leaf that says whose it is, so it is found by what the device
does tell, in this order: the serial of the box it sits in; the link table; the name that a profile gives; and being the
only one there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ponprobe.drivers.bbf.hardware import Component, Hardware, Power
from ponprobe.drivers.bbf.presence import INTENDED, Present
from ponprobe.drivers.bbf.running import Running, Termination, VAni
from ponprobe.drivers.bbf.tree import serial_text
from ponprobe.flow import NetconfReply
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.device import PonPortState
from ponprobe.models.netconf import NetconfProfile
from ponprobe.models.optical import Absence, OpticalReading, PortOptical, Reading

_NOBODYS = "the OLT does not tell which transceiver is the ONU's, if it shows any"


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply with readings: its hardware, and where and when it came from."""

    hardware: Hardware
    source: str
    at: datetime

    @classmethod
    def of(cls, reply: NetconfReply, boxes: Hardware) -> Answer:
        """Name the reply's source and time."""
        return cls(boxes, reply.source, reply.at)

    def read(self, power: Power | None, where: str, how: str = "") -> Reading:
        """A reading with its leaf and component; not reported where there is none."""
        if power is None:
            return Reading(absence=Absence.NOT_REPORTED, source=self.source, at=self.at)
        return power.reading(f"{self.source} ({power.leaf} of {where}{how})", self.at)


def olt_link(answer: Answer, termination: Termination, onus: list[VAni]) -> Component | None:
    """The OLT's transceiver link of a port: what its channel termination names, else the one that hears its ONUs."""
    link = answer.hardware.components.get(termination.hardware or "")
    if link is not None:
        return link
    if termination.hardware is not None:
        return None
    serials = {onu.serial for onu in onus if onu.serial is not None}
    hearing = [each for each in answer.hardware.components.values() if any(row.serial in serials for row in each.rssi)]
    return hearing[0] if len(hearing) == 1 else None


def port_state(answer: Answer, port: PonPort, link: Component | None) -> PonPortState:
    """A PON port with its transceiver."""
    power = None if link is None else link.transmit
    reading = answer.read(power, "" if link is None else link.name)
    absent = {} if reading.absence is None else {"olt_tx_dbm": reading.absence}
    optical = PortOptical(
        port=port,
        olt_tx_dbm=reading.value,
        bias_ma=None if link is None else link.bias_ma,
        temperature_c=None if link is None else link.temperature_c,
        voltage_v=None if link is None else link.voltage_v,
        absent=absent,
    )
    return PonPortState(port=port, optical=optical, olt_tx_dbm=reading)


def olt_side(answer: Answer, place: OnuRef, onu: VAni, link: Component | None) -> OpticalReading:
    """OLT Tx and OLT Rx of one ONU: by its serial, or where it registers by something else by the v-ani's name."""
    if link is None:
        nothing = answer.read(None, "")
        return OpticalReading(onu=place, olt_tx_dbm=nothing, olt_rx_dbm=nothing)
    rows = [row for row in link.rssi if onu.serial is not None and row.serial == onu.serial]
    if onu.serial is None:
        rows = [row for row in link.rssi if row.v_ani == onu.name]
    heard = rows[0].power if len(rows) == 1 else None
    return OpticalReading(
        onu=place, olt_tx_dbm=answer.read(link.transmit, link.name), olt_rx_dbm=answer.read(heard, link.name)
    )


def with_onu_side(answer: Answer, reading: OpticalReading, found: tuple[Component, str] | None) -> OpticalReading:
    """The reading, completed by the ONU's own link, which is named with what tells that it is the ONU's."""
    if found is None:
        nothing = answer.read(None, "").model_copy(update={"printed": _NOBODYS})
        return reading.model_copy(update={"onu_tx_dbm": nothing, "onu_rx_dbm": nothing})
    link, why = found
    return reading.model_copy(
        update={
            "onu_tx_dbm": answer.read(link.transmit, link.name, f", {why}"),
            "onu_rx_dbm": answer.read(link.receive, link.name, f", {why}"),
            "temperature_c": link.temperature_c,
            "voltage_v": link.voltage_v,
            "bias_ma": link.bias_ma,
        }
    )


def expected_component(profile: NetconfProfile, onu: VAni) -> str | None:
    """The name that the profile gives to an ONU's transceiver; ``None`` without one, or without the serial in it."""
    if profile.onu_component is None or ("{serial}" in profile.onu_component and onu.serial is None):
        return None
    name = onu.name.partition(".")[2] or onu.name
    serial = "" if onu.serial is None else serial_text(onu.serial)
    return profile.onu_component.format(v_ani=onu.name, serial=serial, name=name)


def onu_link(answer: Answer, onu: VAni, config: Running, profile: NetconfProfile) -> tuple[Component, str] | None:
    """The ONU's own link, and what tells that it is; ``None`` where the device tells nothing."""
    boxes = answer.hardware
    serial = onu.serial or _heard_as(boxes, onu)
    if serial is not None:
        inside = boxes.links_of_serial(serial)
        if len(inside) == 1:
            return inside[0], f"in the box with serial {serial}"
    for there in sorted(config.links.get(onu.name, ())):
        link = boxes.components.get(config.hardware.get(there, ""))
        if link is not None and link.is_link:
            return link, f"linked by {there}"
    name = expected_component(profile, onu)
    link = boxes.components.get(name or "")
    if link is not None and link.is_link:
        return link, "named by the profile"
    return None


def _heard_as(boxes: Hardware, onu: VAni) -> Serial | None:
    """The serial of an ONU that registers by something else, as the OLT's receiver has it."""
    serials = {row.serial for link in boxes.components.values() for row in link.rssi if row.v_ani == onu.name}
    return serials.pop() if len(serials) == 1 else None


def only_link(answer: Answer, onu: VAni, config: Running, present: list[Present]) -> tuple[Component, str] | None:
    """The one link that is not the OLT's, if there is one ONU on its intended port in the whole OLT, and it is ours."""
    on_it = [each for each in present if each.state == INTENDED]
    ours = [each for each in on_it if (each.serial == onu.serial if onu.serial else each.v_ani == onu.name)]
    of_the_olt = {each.hardware for each in config.terminations.values()}
    live = [
        each
        for each in answer.hardware.components.values()
        if each.is_link and each.name not in of_the_olt and not each.rssi and each.live
    ]
    if len(on_it) == 1 and len(ours) == 1 and len(live) == 1:
        return live[0], "the only ONU's transceiver on this OLT, with the only ONU"
    return None
