"""Stateful OLTs on loopback, for demonstrations and for users' own tests.

``with serve("demo_huawei") as lab:`` brings up every OLT of a scenario; ``lab.olts`` has them by name. Each
:class:`EmulatedOlt` answers over SSH, Telnet and SNMP, holds its state in ``world``, misbehaves as its ``faults`` say,
lists the lines it was sent in ``commands`` and tells with ``snapshot()`` what is configured.
"""

from ponprobe.emulator.faults import Faults
from ponprobe.emulator.lab import EmulatedOlt, Lab, serve
from ponprobe.emulator.records import Refused, Service
from ponprobe.emulator.scenario import Scenario, ScenarioError, builtin_names, builtin_scenario
from ponprobe.emulator.snmp import SnmpUser

__all__ = [
    "EmulatedOlt",
    "Faults",
    "Lab",
    "Refused",
    "Scenario",
    "ScenarioError",
    "Service",
    "SnmpUser",
    "builtin_names",
    "builtin_scenario",
    "serve",
]
