"""Every emulated OLT that the contract, crash, bad-input and canary suites run against: one place, all suites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ponprobe import emulator
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuAuth, OnuRef, PonPort, Serial
from ponprobe.models.service import ProfileRef, VlanStack
from ponprobe.testing import Fault


@dataclass(frozen=True)
class Personality:
    """One OLT of a scenario, how to reach it, and an order that it can fulfil."""

    id: str
    olt: str
    access: Literal["ssh", "telnet"]
    serial: str
    port: str = "0/1/0"
    elsewhere: str = "0/1/2"
    scenario: str = "demo_huawei"
    platform: str = "huawei_smartax"
    register_words: str = "ont add"
    svlan: int = 2000
    cvlan: int = 3001
    profile: int = 20

    @property
    def order(self) -> ActivationOrder:
        return ActivationOrder(
            port=PonPort.parse(self.port),
            auth=OnuAuth(serial=Serial(self.serial)),
            vlans=VlanStack(svlan=self.svlan, cvlan=self.cvlan),
            line_profile=ProfileRef(id=self.profile),
            service_profile=ProfileRef(id=self.profile),
            splitter="分光器 7",
        )

    @property
    def order_options(self) -> list[str]:
        """The same order as the command takes it."""
        return [
            *(self.port, "--serial", self.serial, "--svlan", str(self.svlan), "--cvlan", str(self.cvlan)),
            *("--line-profile", str(self.profile), "--service-profile", str(self.profile), "--splitter", "分光器 7"),
        ]

    def port_of(self, olt: emulator.EmulatedOlt) -> int:
        return olt.ssh_port if self.access == "ssh" else olt.telnet_port


PERSONALITIES = (
    Personality(id="ma5683t-ssh", olt="ma5683t", access="ssh", serial="HWTC0B086EA9"),
    Personality(id="ma5800-telnet", olt="ma5800", access="telnet", serial="HWTC1C000EA9", elsewhere="0/1/1"),
)


class EmulatedDevice:
    """An emulated OLT as the driver contract wants a device: with a hand that disturbs it."""

    def __init__(self, personality: Personality, olt: emulator.EmulatedOlt) -> None:
        self.olt = olt
        self.platform = personality.platform
        self.register_words = personality.register_words
        self.host = olt.host
        self.port = personality.port_of(olt)
        self.access = personality.access
        self.username = olt.username
        self.password = olt.password
        self._personality = personality
        self._armed_at = 0
        self._strangers = 0

    def snapshot(self) -> object:
        return self.olt.snapshot()

    def arm(self, fault: Fault, nth: int) -> None:
        self._armed_at = len(self.olt.commands) + nth
        setting = {"cut before": "cut_before", "answer lost": "cut_after"}.get(fault)
        setting = setting or {"silence": "silent_after", "garbage": "garbage_after"}[fault]
        setattr(self.olt.faults, setting, self._armed_at)

    def disarm(self) -> bool:
        faults = self.olt.faults
        faults.cut_before = faults.cut_after = faults.silent_after = faults.garbage_after = None
        return len(self.olt.commands) >= self._armed_at

    def before(self, command_part: str, act: Callable[[], None]) -> None:
        def watch(_number: int, line: str, moment: str) -> None:
            if moment == "arrived" and command_part in line:
                self.olt.faults.on_command = None
                act()

        self.olt.faults.on_command = watch

    def occupy(self, onu: OnuRef) -> None:
        self._strangers += 1
        serial = f"STRG{self._strangers:08X}"
        self._register(onu.port, onu.onu_id, serial, "A customer")

    def evict(self, onu: OnuRef) -> None:
        """Somebody removes our ONU by hand, with its services."""
        for service in self.olt.world.services_of(onu.port, onu.onu_id):
            self.olt.world.remove_service(service.index)
        self.olt.world.delete(onu)

    def register_serial_elsewhere(self) -> OnuRef:
        port = PonPort.parse(self._personality.elsewhere)
        onu_id = self.olt.world.free_onu_id(port)
        self._register(port, onu_id, self._personality.serial, "Somebody else's test")
        return port.onu(onu_id)

    def _register(self, port: PonPort, onu_id: int, serial: str, description: str) -> None:
        profile = self._personality.profile
        self.olt.world.register(
            port,
            onu_id,
            serial=Serial(serial),
            line_profile=profile,
            service_profile=profile,
            description=description,
        )
