"""How ZTE OLTs number ports and ONUs: five schemes, by tree and by build."""

from __future__ import annotations

from ponprobe.emulator.records import Technology
from ponprobe.emulator.zte import Personality
from ponprobe.models.addressing import OnuRef, PonPort

G, L, N = "1.3.6.1.4.1.3902.1012.3", "1.3.6.1.4.1.3902.1015", "1.3.6.1.4.1.3902.1082"
"""The trees zxGpon, zxAn and zxAccessNode."""
EPON_ONU, GPON_ONU_8, EPON_ONU_16, GPON_ONU_16 = 3, 4, 9, 10
"""Kinds of ONU numbers: by technology, on boards with 8 and with 16 ports."""


def legacy(port: PonPort) -> int:
    """Trees 1012 and 1015: ``0x10000000 | shelf-1 << 24 | slot << 16 | port << 8``, 1/1/1 is 268501248."""
    return 0x10000000 | (port.frame - 1) << 24 | port.slot << 16 | port.port << 8


def modern(port: PonPort) -> int:
    """Tree 1082, the C600's and some C320s' interfaces: ``0x11000000 | shelf << 16 | slot << 8 | port``: 285278465."""
    return 0x11000000 | port.frame << 16 | port.slot << 8 | port.port


def zero_based(port: PonPort, *, c300: bool) -> int:
    """Interfaces of other builds, counted from zero: 268501248 is 1/1/1 in 1012, and 1/2/2 here.

    A C300 begins with slot 2, and its control boards in 10 and 11 are left out of the count.
    """
    field = (port.slot - 2 if port.slot < 10 else port.slot - 4) if c300 else port.slot - 1
    return 0x10000000 | (port.frame - 1) << 24 | max(field, 0) << 16 | (port.port - 1) << 8


def if_index(port: PonPort, of: Personality) -> int:
    """A PON port's number in the IF-MIB of this build."""
    return zero_based(port, c300=of.product == "C300") if of.old else modern(port)


def uplink_index(slot: int, number: int, of: Personality) -> int:
    """An uplink's number in the IF-MIB."""
    return if_index(PonPort(frame=of.frame, slot=slot, port=number), of)


def pon_word(port: PonPort, technology: Technology, of: Personality) -> str:
    """ifName: ``gpon_1/1/1``, on TITAN ``gpon_olt-1/1/1``."""
    return of.olt(port, technology) if of.titan else f"{technology}_{port}"


def epon_onu(ref: OnuRef, ports: int) -> int:
    """An EPON ONU under 1015; five bits for the slot and three for the port, or four and four with more than 8."""
    if ports > 8:
        kind, place = EPON_ONU_16, ref.port.slot << 20 | (ref.port.port - 1) << 16
    else:
        kind, place = EPON_ONU, ref.port.slot << 19 | (ref.port.port - 1) << 16
    return kind << 28 | (ref.port.frame - 1) << 24 | place | ref.onu_id << 8


def gpon_onu(ref: OnuRef, ports: int) -> int:
    """A GPON ONU where 1015 has one number for it, all parts counted from zero (a C300: from slot 2)."""
    slot, port = ref.port.slot - 2, ref.port.port - 1
    kind, place = (GPON_ONU_16, slot << 20 | port << 16) if ports > 8 else (GPON_ONU_8, slot << 19 | port << 16)
    return kind << 28 | (ref.port.frame - 1) << 24 | place | (ref.onu_id - 1) << 8


def service_port(ref: OnuRef, vport: int, nth: int = 0) -> tuple[int, int]:
    """A service port under 1082: its PON port, and ``0x18 << 24 | onu << 16 | vport << 8``."""
    return modern(ref.port), 0x18 << 24 | ref.onu_id << 16 | vport << 8 | nth


def bridge_port(ref: OnuRef, vport: int) -> tuple[int, int]:
    """The same place where MAC addresses are learnt: ``0x10 << 24`` in front."""
    return modern(ref.port), 0x10 << 24 | ref.onu_id << 16 | vport << 8
