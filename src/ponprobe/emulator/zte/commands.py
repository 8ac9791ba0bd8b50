"""The command table of ZTE OLTs: words, values, views, and who answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ponprobe.emulator.answer import Answer, filtered, silent
from ponprobe.emulator.grammar import Command, Grammar
from ponprobe.emulator.zte import changes, chassis, config, display, omci, optics, views
from ponprobe.emulator.zte.answer import (
    CONFIG,
    EPON_MNG,
    EPON_OLT,
    EPON_ONU,
    EXEC,
    MNG,
    OLT,
    ONU,
    UPLINK,
    USER,
    VPORT,
)
from ponprobe.emulator.zte.personality import Personality

INSIDE = (OLT, ONU, VPORT, MNG, UPLINK, EPON_OLT, EPON_ONU, EPON_MNG)
CONFIGURING = (CONFIG, *INSIDE)
PRIVILEGED = (EXEC, *CONFIGURING)
"""``show`` works inside the configuration views too."""
EVERYWHERE = (USER, *PRIVILEGED)
_VLAN = "U1-4094"
_SN = "<sn:R[A-Z0-9]{4}[0-9A-F]{8}>"
"""Exactly 12 characters."""
_TAGS = f"user-vlan <user:{_VLAN}> [ vlan <vlan:{_VLAN}> ] [ svlan <svlan:{_VLAN}> ]"
_UNI = r"<uni:Reth_0/\d{1,2}|veip_1>"

Row = tuple[str, tuple[str, ...], Callable[..., Answer]]


@dataclass(frozen=True)
class _Names:
    """How a family writes interfaces, as types of the grammar; a value that is spelled otherwise is refused."""

    titan: bool

    def _pon(self, technology: str, kind: str) -> str:
        first, second = ("_", "-") if self.titan else ("-", "_")
        return rf"{technology}{first}{kind}{second}\d{{1,2}}/\d{{1,2}}/\d{{1,2}}"

    @cached_property
    def olt(self) -> str:
        return f"<olt:R{self._pon('gpon', 'olt')}>"

    @cached_property
    def onu(self) -> str:
        return rf"<onu:R{self._pon('gpon', 'onu')}:\d{{1,3}}>"

    @cached_property
    def any_olt(self) -> str:
        return f"<olt:R{self._pon('[ge]pon', 'olt')}>"

    @cached_property
    def any_onu(self) -> str:
        return rf"<onu:R{self._pon('[ge]pon', 'onu')}:\d{{1,3}}>"

    @property
    def epon_onu(self) -> str:
        return rf"<onu:R{self._pon('epon', 'onu')}:\d{{1,3}}>"

    @property
    def epon_olt(self) -> str:
        return f"<olt:R{self._pon('epon', 'olt')}>"

    @property
    def vport(self) -> str:
        return r"<vport:Rvport-\d{1,2}/\d{1,2}/\d{1,2}\.\d{1,3}:\d{1,3}>"

    @property
    def uplink(self) -> str:
        return rf"<uplink:Rxgei{'-' if self.titan else '_'}\d{{1,2}}/\d{{1,2}}/\d{{1,2}}>"


def _moving(of: Personality, names: _Names) -> list[Row]:
    rows: list[Row] = [
        ("enable", (USER, EXEC), views.enable),
        ("disable", (EXEC,), views.disable),
        ("configure terminal", (EXEC,), views.configure),
        ("exit", EVERYWHERE, views.leave),
        ("!", PRIVILEGED, views.close_block),
        ("end", CONFIGURING, views.end),
        ("terminal length <length:U0-512>", (EXEC,), views.terminal_length),
        ("who", EVERYWHERE, views.who),
        (f"interface {names.any_olt}", CONFIGURING, views.enter_olt),
        (f"interface {names.any_onu}", CONFIGURING, views.enter_onu),
        (f"interface {names.uplink}", CONFIGURING, views.enter_uplink),
        (f"pon-onu-mng {names.any_onu}", CONFIGURING, views.enter_mng),
    ]
    return [*rows, (f"interface {names.vport}", CONFIGURING, views.enter_vport)] if of.titan else rows


def _shows(of: Personality, names: _Names) -> list[Row]:
    olt, onu = names.olt, names.onu
    rows: list[tuple[str, Callable[..., Answer]]] = [
        ("show card", chassis.cards),
        (f"show gpon onu state [ {olt} [ <id:U1-128> ] ]", display.state),
        (f"show gpon onu baseinfo [ {olt} ]", display.baseinfo),
        (f"show gpon onu by sn {_SN}", display.by_sn),
        (f"show gpon onu detail-info {onu}", display.detail),
        ("show gpon onu profile { vlan | ip | line | remote | traffic }", chassis.onu_profiles),
        ("show gpon profile tcont [ <name:S1-32> ]", chassis.tcont_profiles),
        ("show onu-type [ gpon | epon ]", chassis.onu_types),
        (f"show gpon remote-onu interface pon {onu}", optics.remote_pon),
        (f"show gpon remote-onu interface eth {onu}", optics.remote_eth),
        (f"show pon power attenuation {names.any_onu}", optics.attenuation),
        (f"show pon power {{ olt-rx | onu-rx | onu-tx }} {names.any_olt}", optics.port_powers),
        (f"show pon power olt-tx {names.any_olt}", optics.launch_power),
        (f"show vlan port {names.uplink}", chassis.vlan_port),
        (f"show vlan-smart-qinq [ ingress-port {names.any_olt} ]", chassis.smart_qinq),
        (f"show mac vlan <vlan:{_VLAN}>", display.macs),
    ]
    rows += _titan_shows(names) if of.titan else _zxan_shows(of, names)
    pipe = " [ PIPE { include <text:L1-255> | exclude <text:L1-255> | begin <text:L1-255> } ]"
    if of.titan:
        rows = [(pattern + pipe, filtered(run)) for pattern, run in rows]
    shows: list[Row] = [(pattern, PRIVILEGED, run) for pattern, run in rows]
    return [*shows, ("show this", INSIDE, config.show_this)]


def _zxan_shows(of: Personality, names: _Names) -> list[tuple[str, Callable[..., Answer]]]:
    rows: list[tuple[str, Callable[..., Answer]]] = [
        ("show version-running", chassis.version_running),
        ("show system-group", chassis.system_group),
        (f"show gpon onu uncfg [ {names.olt} ]", display.gpon_uncfg),
        ("show running-config", config.running_config),
        (
            f"show running-config interface {{ {names.any_olt} | {names.any_onu} | {names.uplink} }}",
            config.running_config_interface,
        ),
        (f"show onu running config {names.any_onu}", config.onu_running_config),
        (f"show interface optical-module-info {names.any_olt}", chassis.optical_module),
        (f"show interface {names.any_olt}", chassis.interface_olt),
        (f"show mac gpon onu {names.onu}", display.macs),
        (f"show mac epon onu {names.epon_onu}", display.macs),
        ("show onu unauthentication", display.unauthenticated),
        (f"show epon onu state {names.epon_olt}", display.epon_state),
        (f"show pon onu information {names.epon_onu}", display.pon_information),
    ]
    if of.old:
        return rows
    # the younger form of "uncfg"; and a C320 V2.1 was seen to hang at a pipe
    rows.append((f"show pon onu uncfg [ {names.any_olt} ]", display.pon_uncfg))
    return [*rows, ("show running-config PIPE include <text:L1-255>", config.running_config_hangs)]


def _titan_shows(names: _Names) -> list[tuple[str, Callable[..., Answer]]]:
    return [
        ("show software", chassis.software),
        (f"show pon onu uncfg [ {names.olt} ]", display.pon_uncfg),
        ("show running-config [ xpon ]", config.running_config),
        (
            f"show running-config-interface {{ {names.olt} | {names.onu} | {names.vport} | {names.uplink} }}",
            config.running_config_interface,
        ),
        (f"show optical-module-info {names.olt}", chassis.titan_optical_module),
        (f"show mac interface {{ {names.onu} | {names.vport} }}", display.macs),
    ]


def _registering() -> list[Row]:
    # "pw" stands in a published README; "loid" with its password is recalled, no sample was found
    how = f"{{ sn {_SN} | pw <pw:S1-10> | loid <loid:S1-24> [ password <checkcode:S1-12> ] }}"
    mac = r"<mac:R[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}>"
    onu = "onu <id:U1-128> type <type:S1-32>"
    return [
        (f"{onu} {how}", (OLT,), changes.register),
        (f"{onu} mac {mac} [ ip-cfg static ]", (EPON_OLT,), changes.register),
        ("no onu <id:U1-128>", (OLT, EPON_OLT), changes.unregister),
        # only the binding to a profile is undone, and none is ever made here
        ("no onu <id:U1-128> profile", (OLT,), silent),
        ("no shutdown", (OLT, EPON_OLT), silent),
    ]


def _onu_interface(of: Personality) -> list[Row]:
    both = (ONU, EPON_ONU)
    name = "[ name <name:S1-32> ]"
    way = "unicast tcont <tcont:U1-8> [ dir both ]" if of.old else "tcont <tcont:U1-8>"
    rows: list[Row] = [
        ("name <text:L1-64>", both, changes.rename),
        ("description <text:L1-128>", both, changes.rename),
        ("property description <text:L1-128>", (EPON_ONU,), changes.rename),
        ("no { name | description }", both, changes.rename),
        (f"registration-method {{ sn {_SN} | pw <pw:S1-10> }}", (ONU,), changes.change_identity),
        ("sn-bind { enable sn | disable }", (ONU,), changes.bind_serial),
        (f"tcont <tcont:U1-8> {name} profile <profile:S1-32>", (ONU,), changes.tcont),
        ("no tcont <tcont:U1-8>", (ONU,), changes.no_tcont),
        (f"gemport <gem:U1-32> {name} {way}", (ONU,), changes.gemport),
        (
            "gemport <gem:U1-32> traffic-limit [ upstream <up:S1-32> ] [ downstream <down:S1-32> ]",
            (ONU,),
            changes.gemport_rate,
        ),
        ("no gemport <gem:U1-32>", (ONU,), changes.no_gemport),
        ("fec { enable | disable }", (ONU,), changes.keep_line),
    ]
    port = "service-port <index:U1-128>"
    if of.titan:
        rates = "[ ingress <ingress:S1-32> ] [ egress <egress:S1-32> ]"
        return [
            *rows,
            (f"{port} {_TAGS} {rates}", (VPORT,), changes.service_port),
            (f"no {port}", (VPORT,), changes.no_service_port),
            ("qos traffic-policy <policy:S1-32> direction { ingress | egress }", (VPORT,), changes.keep_line),
            ("security max-mac-learn <macs:U1-4096>", (VPORT,), changes.keep_line),
            ("vport-mode { manual | gemport }", (ONU,), changes.keep_line),
            ("vport <vport:U1-32> map-type vlan", (ONU,), changes.keep_line),
            (f"vport-map <vport:U1-32> <gem:U1-32> vlan <vlan:{_VLAN}>", (ONU,), changes.keep_line),
        ]
    return [
        *rows,
        (f"{port} vport <vport:U1-32> {_TAGS}", both, changes.service_port),
        (f"no {port}", both, changes.no_service_port),
        ("switchport mode hybrid vport <vport:U1-32>", both, changes.keep_line),
        (f"switchport vlan <vlan:{_VLAN}> tag vport <vport:U1-32>", both, changes.keep_line),
        ("ip dhcp snooping enable vport <vport:U1-32>", both, changes.keep_line),
        ("admin { enable | disable }", (EPON_ONU,), changes.keep_line),
        ("sla-profile <profile:S1-32> [ vport <vport:U1-32> ]", (EPON_ONU,), changes.keep_line),
    ]


def _onu_side(of: Personality) -> list[Row]:
    both = (MNG, EPON_MNG)
    kind = "[ type <kind:S1-32> ]" if of.old else ""
    cos = "" if of.titan else "[ cos <cos:U0-7> ]"
    pri, vlan, vlans = ("priority", "vid", "vid-filter") if of.old else ("pri", "vlan", "vlan-filter")
    tags = f"tag-filter {vlans} untag-filter {{ discard | transparent }}"
    uni = (
        f"{{ tag vlan <vlan:{_VLAN}> [ priority <pri:U0-7> ] | hybrid [ def-vlan <vlan:{_VLAN}> ]"
        " | trunk | transparent }"
    )
    return [
        (f"service <name:S1-32> {kind} gemport <gem:U1-32> {cos} [ vlan <vlan:{_VLAN}> ]", (MNG,), omci.service),
        ("no service <name:S1-32>", (MNG,), omci.no_service),
        (f"vlan port {_UNI} mode {uni}", both, omci.uni_vlan),
        (f"no vlan port {_UNI} mode", both, omci.no_uni_vlan),
        ("flow <flow:U1-32> switch switch_0/1", (MNG,), omci.flow),
        (f"flow mode <flow:U1-32> {tags}", (MNG,), omci.flow),
        (f"flow <flow:U1-32> {pri} <pri:U0-7> {vlan} <vlan:{_VLAN}>", (MNG,), omci.flow),
        ("no flow <flow:U1-32>", (MNG,), omci.no_flow),
        ("gemport <gem:U1-32> flow <flow:U1-32>", (MNG,), omci.gem_flow),
        ("switchport-bind switch_0/1 { veip | iphost } <number:U1-8>", (MNG,), changes.keep_onu_line),
        (f"vlan-filter-mode iphost <number:U1-8> {tags}", (MNG,), changes.keep_onu_line),
        (
            f"vlan-filter iphost <number:U1-8> {pri} <pri:U0-7> {vlan} <vlan:{_VLAN}>",
            (MNG,),
            changes.keep_onu_line,
        ),
        (f"loop-detect ethuni {_UNI} {{ enable | disable }}", (MNG,), changes.keep_onu_line),
        (f"interface-loopdetect {_UNI} activate", (EPON_MNG,), changes.keep_onu_line),
        (f"broadcast-limit ethuni {_UNI} rate-limit <rate:U1-100000>", (MNG,), changes.keep_onu_line),
        ("veip <number:U1-8>", (MNG,), changes.keep_onu_line),
    ]


def _whole_ports(names: _Names) -> list[Row]:
    which = f"vlan-smart-qinq ingress-port {names.any_olt} cvlan <first:{_VLAN}> [ to <last:{_VLAN}> ]"
    ports = (CONFIG, OLT, EPON_OLT)
    return [
        (f"{which} svlan <svlan:{_VLAN}> [ newcos <cos:U0-7> ]", (CONFIG,), changes.port_qinq),
        (f"no {which}", (CONFIG,), changes.no_port_qinq),
        ("vlan-smart-qinq enable", ports, changes.port_qinq_on),
        ("no vlan-smart-qinq enable", ports, changes.port_qinq_on),
    ]


def grammar(of: Personality) -> Grammar:
    """The whole command table of a personality."""
    names = _Names(of.titan)
    quiet = [*_moving(of, names), *_shows(of, names)]
    loud = [*_registering(), *_onu_interface(of), *_onu_side(of), *_whole_ports(names)]
    loud.append(("write", (EXEC,), views.save))
    return Grammar(
        [Command(pattern, frozenset(known), run) for pattern, known, run in quiet]
        + [Command(pattern, frozenset(known), run, changes=True) for pattern, known, run in loud]
    )
