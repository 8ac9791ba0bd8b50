"""What ZXAN and TITAN answers say.

Every reader takes raw text (or a cleaned ``Answer``), raises a refusal as ``DeviceError`` and text that it does not
know as ``ParseError``; ``parse`` makes refusals part of its result.
"""

from ponprobe.drivers.zte.parse._text import answered, cleaned
from ponprobe.drivers.zte.parse.chassis import cards, facts
from ponprobe.drivers.zte.parse.config import (
    ConfiguredOnu,
    OnuConfig,
    configured_services,
    omci_lines,
    onu_config,
    port_onus,
    smart_qinq,
)
from ponprobe.drivers.zte.parse.dispatch import parse
from ponprobe.drivers.zte.parse.onus import baseinfo, by_serial, detail, epon_states, states
from ponprobe.drivers.zte.parse.optics import attenuation, module, port_tx, powers
from ponprobe.drivers.zte.parse.tables import macs, names
from ponprobe.drivers.zte.parse.waiting import waiting
from ponprobe.drivers.zte.parse.writes import accepted, confirmed

__all__ = [
    "ConfiguredOnu",
    "OnuConfig",
    "accepted",
    "answered",
    "attenuation",
    "baseinfo",
    "by_serial",
    "cards",
    "cleaned",
    "configured_services",
    "confirmed",
    "detail",
    "epon_states",
    "facts",
    "macs",
    "module",
    "names",
    "omci_lines",
    "onu_config",
    "parse",
    "port_onus",
    "port_tx",
    "powers",
    "smart_qinq",
    "states",
    "waiting",
]
