"""What SmartAX answers say.

Every reader takes raw text (or a cleaned ``Answer``), raises a refusal as ``DeviceError`` and text that it does not
know as ``ParseError``; ``parse`` makes refusals part of its result.
"""

from ponprobe.drivers.huawei.parse.chassis import board, boards, version
from ponprobe.drivers.huawei.parse.dispatch import parse
from ponprobe.drivers.huawei.parse.onus import autofind, onu_detail, onu_table
from ponprobe.drivers.huawei.parse.optics import onu_optical, optical_table, port_state, port_states
from ponprobe.drivers.huawei.parse.services import (
    line_profile,
    macs,
    next_free_index,
    service_ports,
    service_profile,
    vlan_exists,
)
from ponprobe.drivers.huawei.parse.writes import ont_add, ont_delete, write

__all__ = [
    "autofind",
    "board",
    "boards",
    "line_profile",
    "macs",
    "next_free_index",
    "ont_add",
    "ont_delete",
    "onu_detail",
    "onu_optical",
    "onu_table",
    "optical_table",
    "parse",
    "port_state",
    "port_states",
    "service_ports",
    "service_profile",
    "version",
    "vlan_exists",
    "write",
]
