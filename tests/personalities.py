"""Every emulated OLT that the contract, crash, bad-input and canary suites run against: one place, all suites."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ponprobe import emulator
from ponprobe.errors import NotFound, NotSupported, PonprobeError, VlanInUse
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuAuth, OnuRef, PonPort, Serial
from ponprobe.models.service import ProfileRef, VlanStack
from ponprobe.testing import Fault

EXHAUSTIVE = os.environ.get("PONPROBE_EXHAUSTIVE") == "1"
"""Whether sweeps disturb every OLT at every command, however alike; minutes more, for before a release."""


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
    read_words: str = "optical"
    """A part of the line that reads an ONU's powers."""
    svlan: int = 2000
    cvlan: int = 3001
    profile: int | None = 20
    """Huawei: the id of the line profile and of the service profile."""
    onu_type: str | None = None
    tcont_profile: str | None = None
    """ZTE: both names, in place of profiles; NETCONF: the second only."""
    snmp: bool = True
    """Whether its driver reads by SNMP."""
    unseen_auths: frozenset[str] = frozenset()
    """Ways to register that the driver refuses, as nobody has shown them."""
    like: str | None = None
    """Another of the same grammar that sweeps disturb at every command; this one only at every kind of point."""

    @property
    def every_command(self) -> bool:
        """Whether a sweep disturbs every command of a run, or only every kind of point (``points.py``)."""
        return self.like is None or EXHAUSTIVE

    @property
    def order(self) -> ActivationOrder:
        profile = None if self.profile is None or self.onu_type is not None else ProfileRef(id=self.profile)
        return ActivationOrder(
            port=PonPort.parse(self.port),
            auth=OnuAuth(serial=Serial(self.serial)),
            vlans=VlanStack(svlan=self.svlan, cvlan=self.cvlan),
            line_profile=profile,
            service_profile=profile,
            onu_type=self.onu_type,
            tcont_profile=self.tcont_profile,
            splitter="分光器 7",
        )

    @property
    def order_options(self) -> list[str]:
        """The same order as the command takes it."""
        profiles = []
        if self.profile is not None and self.onu_type is None:
            profiles += ["--line-profile", str(self.profile), "--service-profile", str(self.profile)]
        if self.onu_type is not None:
            profiles += ["--onu-type", self.onu_type]
        if self.tcont_profile is not None:
            profiles += ["--tcont-profile", self.tcont_profile]
        return [
            *(self.port, "--serial", self.serial, "--svlan", str(self.svlan), "--cvlan", str(self.cvlan)),
            *(*profiles, "--splitter", "分光器 7"),
        ]

    @property
    def impossible(self) -> list[tuple[dict[str, Any], type[PonprobeError], str]]:
        """What makes the order one that the OLT cannot fulfil, and how it is refused before anything is changed."""
        frame = PonPort.parse(self.port).frame
        nowhere = PonPort(frame=frame, slot=9, port=3)
        both: list[tuple[dict[str, Any], type[PonprobeError], str]] = [
            ({"port": nowhere}, PonprobeError, f"{frame}.9|board|port"),
            ({"port": PonPort.parse(self.port).model_copy(update={"port": 99})}, PonprobeError, "99|port"),
            ({"vlans": VlanStack(svlan=800, cvlan=1001)}, VlanInUse, "S800/C1001 .* is carried by service port"),
        ]
        if self.platform == "bbf_xpon":
            return [
                *both,
                ({"tcont_profile": "NOT_THERE"}, NotFound, "traffic descriptor profile NOT_THERE does not exist"),
                ({"service_model": "shared"}, NotSupported, "share"),
                ({"inbound_traffic": 1, "outbound_traffic": 1}, NotSupported, "traffic tables"),
                ({"technology": "epon", "auth": OnuAuth(mac="00:18:82:ab:cd:ef")}, NotSupported, "EPON"),
            ]
        if self.onu_type is not None:
            no_shared = NotSupported if self.platform == "zte_titan" else NotFound
            return [
                *both,
                ({"onu_type": "NOT_THERE"}, NotFound, "ONU type NOT_THERE does not exist"),
                ({"tcont_profile": "NOT_THERE"}, NotFound, "T-CONT profile NOT_THERE does not exist"),
                ({"gemport": 0}, NotSupported, "counted from 1"),
                ({"service_model": "shared"}, no_shared, "shared"),
            ]
        return [
            *both,
            ({"line_profile": ProfileRef(id=999)}, NotFound, "line profile id 999 does not exist"),
            ({"line_profile": ProfileRef(name="NOT_THERE")}, NotFound, "line profile name NOT_THERE does not exist"),
            ({"service_profile": ProfileRef(id=999)}, NotFound, "service profile id 999 does not exist"),
            ({"gemport": 99}, NotFound, "has no GEM port 99"),
            ({"vlans": VlanStack(svlan=3999, cvlan=3001)}, NotFound, "SVLAN 3999 does not exist"),
            ({"service_model": "shared"}, NotFound, "no shared service port"),
            ({"technology": "epon", "auth": OnuAuth(mac="00:18:82:ab:cd:ef")}, NotSupported, "EPON"),
        ]

    @property
    def lab(self) -> emulator.Scenario:
        """The OLT alone, with ONUs that range at once and quick logins: hundreds of runs wait for them."""
        scenario = self.lab_as_built
        for spec in scenario.olts:
            spec.crypto = "modern"  # a login with old keys costs as much as half a measurement
        return scenario

    @property
    def lab_as_built(self) -> emulator.Scenario:
        """The same with the crypto that the device speaks."""
        scenario = emulator.builtin_scenario(self.scenario)
        scenario.olts = [spec for spec in scenario.olts if spec.name == self.olt]
        for spec in scenario.olts:
            spec.online_after_s = 0.0
            if spec.netconf is not None and self.platform == "bbf_xpon":
                spec.netconf.authentication = "as-per-v-ani-expected"  # each test registers in its own way
        return scenario

    def port_of(self, olt: emulator.EmulatedOlt) -> int:
        if self.platform == "bbf_xpon":
            return olt.netconf_port
        return olt.ssh_port if self.access == "ssh" else olt.telnet_port

    def netconf_port_of(self, olt: emulator.EmulatedOlt) -> int | None:
        """Where changes are made by NETCONF; ``None`` where they take the command line."""
        return olt.netconf_port if self.platform == "bbf_xpon" else None


PERSONALITIES = (
    Personality(id="ma5683t-ssh", olt="ma5683t", access="ssh", serial="HWTC0B086EA9"),
    Personality(
        id="ma5800-telnet", olt="ma5800", access="telnet", serial="HWTC1C000EA9", elsewhere="0/1/1", like="ma5683t-ssh"
    ),
    Personality(
        id="c300-telnet",
        olt="c300",
        access="telnet",
        serial="ZTEG0A000EA9",
        port="1/2/1",
        elsewhere="1/2/2",
        scenario="demo_zte",
        platform="zte_zxan",
        register_words=" type TEST-1GE ",
        read_words="power attenuation",
        onu_type="TEST-1GE",
        tcont_profile="TEST-100M",
        unseen_auths=frozenset({"serial+password"}),
    ),
    Personality(
        id="c320-ssh",
        like="c300-telnet",
        olt="c320",
        access="ssh",
        serial="ZTEG0B000EA9",
        port="1/1/1",
        elsewhere="1/1/2",
        scenario="demo_zte",
        platform="zte_zxan",
        register_words=" type TEST-1GE ",
        read_words="power attenuation",
        onu_type="TEST-1GE",
        tcont_profile="TEST-100M",
        unseen_auths=frozenset({"serial+password"}),
    ),
    Personality(
        id="bbf-netconf",
        olt="bbf1",
        access="ssh",
        serial="HWTC1A2B3C4D",
        elsewhere="0/1/1",
        scenario="demo_netconf",
        platform="bbf_xpon",
        register_words='nc:operation="create"',
        unseen_auths=frozenset({"loid+checkcode"}),
        read_words="get-data operational <hardware",
        snmp=False,
        profile=None,
    ),
    Personality(
        id="c600-ssh",
        olt="c600",
        access="ssh",
        serial="ZTEG0C000EA9",
        port="1/3/1",
        elsewhere="1/3/2",
        scenario="demo_zte",
        platform="zte_titan",
        register_words=" type TEST-1GE ",
        read_words="power attenuation",
        onu_type="TEST-1GE",
        tcont_profile="TEST-100M",
        unseen_auths=frozenset({"serial+password"}),
    ),
)


class EmulatedDevice:
    """An emulated OLT as the driver contract wants a device: with a hand that disturbs it."""

    def __init__(self, personality: Personality, olt: emulator.EmulatedOlt) -> None:
        self.olt = olt
        self.platform = personality.platform
        self.register_words = personality.register_words
        self.host = olt.host
        self.port = personality.port_of(olt)
        self.netconf_port = personality.netconf_port_of(olt)
        self.access = personality.access
        self.username = olt.username
        self.password = olt.password
        self.enable_password = olt.enable_password
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
        profile = self._personality.profile or 20  # the demo OLTs of one vendor have it
        self.olt.world.register(
            port,
            onu_id,
            serial=Serial(serial),
            line_profile=profile,
            service_profile=profile,
            onu_type=self._personality.onu_type,
            description=description,
        )
