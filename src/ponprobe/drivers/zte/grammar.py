"""The words in which ZTE families and versions differ: names, questions, and the chain of lines that makes a service.

Where each line was seen stands in the support matrix. A family is ``replace()``d data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ponprobe.models.addressing import OnuRef, PonPort, Spelling, Technology

Place = Literal["port", "onu", "vport", "omci"]
"""Where a line is typed: the port's interface, the ONU's, the ONU's vport (TITAN), or ``pon-onu-mng``."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a chain. ``line`` is a template; ``what`` says it to a person; ``when`` an order's need for it."""

    place: Place
    line: str
    what: str
    when: Literal["always", "bridge", "router"] = "always"


_TCONT = Step("onu", "tcont 1 profile {profile}", "give {onu} a T-CONT with profile {profile}")
_GEMPORT = Step("onu", "gemport {gem} tcont 1", "give {onu} GEM port {gem}")
_HYBRID = Step("onu", "switchport mode hybrid vport {gem}", "let vport {gem} of {onu} carry tags")
_SERVICE_PORT = Step(
    "onu",
    "service-port 1 vport {gem} user-vlan {user} vlan {inner}{outer}",
    "give {onu} service port 1 with {vlans}",
)
_OMCI = Step("omci", "service 1 gemport {gem} vlan {user}", "tell {onu} that VLAN {user} goes by GEM port {gem}")
_UNI = Step(
    "omci",
    "vlan port eth_0/{eth} mode tag vlan {user}",
    "put untagged traffic of {onu} eth {eth} into VLAN {user}",
    when="bridge",
)
_FLOW = (
    Step("omci", "flow 1 switch switch_0/1", "make flow 1 on {onu}"),
    Step("omci", "gemport {gem} flow 1", "put flow 1 of {onu} on GEM port {gem}"),
    Step("omci", "flow mode 1 tag-filter vlan-filter untag-filter discard", "let flow 1 of {onu} filter by VLAN"),
    Step("omci", "flow 1 pri 0 vlan {user}", "let flow 1 of {onu} carry VLAN {user}"),
    Step("omci", "switchport-bind switch_0/1 veip 1", "bind the router of {onu} to flow 1", when="router"),
    _UNI,
)


@dataclass(frozen=True, slots=True)
class Grammar:
    """One family at one version. Questions are templates over ``{port}`` and ``{onu}``, spelled as the family does.

    ``config`` reads the configuration of an interface by its name; ``config_inside`` does so from the inside, for
    versions that do not know the first form. ``masks`` says that descriptions may be covered with stars.
    """

    platform: str = "zte_zxan"
    spelling: Spelling = "zte_zxan"
    identity: tuple[str, ...] = ("show version-running", "show system-group")
    waiting: tuple[str, ...] = ("show pon onu uncfg", "show gpon onu uncfg")
    """The questions for ONUs that wait, best first: which of them exists depends on the patch level."""
    epon_waiting: str | None = None
    """The question for EPON ONUs that wait, where the others do not list them."""
    config: str = "show running-config interface {name}"
    config_inside: str | None = None
    omci_config: str | None = "show onu running config {onu}"
    module: str = "show interface optical-module-info {port}"
    macs: str = "show mac gpon onu {onu}"
    vport: str | None = None
    """The interface of a vport, where it is one of its own."""
    masks: bool = False
    path: tuple[Step, ...] = (_TCONT, _GEMPORT, _HYBRID, _SERVICE_PORT)
    """How the OLT gets a service: T-CONT, GEM port, service port."""
    service: tuple[Step, ...] = (_OMCI, _UNI)
    """How the ONU gets it, in the style that most ONUs take."""
    flow: tuple[Step, ...] = _FLOW
    """The same in the style that some third-party ONUs need; empty where it was never seen."""
    epon: bool = True
    smart_qinq: str | None = "show vlan-smart-qinq"

    def port(self, port: PonPort, technology: Technology = "gpon") -> str:
        """A PON port's name."""
        return port.spelled(self.spelling, technology)

    def onu(self, onu: OnuRef, technology: Technology = "gpon") -> str:
        """An ONU's name."""
        return onu.spelled(self.spelling, technology)

    def vport_of(self, onu: OnuRef, number: int) -> str | None:
        """The name of an ONU's vport; ``None`` where a vport is no interface."""
        if self.vport is None:
            return None
        return self.vport.format(port=onu.port, id=onu.onu_id, number=number)


V2 = Grammar()
"""ZXAN V2.0 and V2.1 (C300, C320)."""

V12 = replace(
    V2,
    waiting=("show gpon onu uncfg",),
    epon_waiting="show onu unauthentication",
    path=(
        _TCONT,
        replace(_GEMPORT, line="gemport {gem} name {mark} unicast tcont 1 dir both"),
        _HYBRID,
        _SERVICE_PORT,
    ),
    service=(replace(_OMCI, line="service HSI type internet gemport {gem} cos 0 vlan {user}"), _UNI),
    flow=(
        *_FLOW[:2],
        replace(_FLOW[2], line="flow mode 1 tag-filter vid-filter untag-filter discard"),
        replace(_FLOW[3], line="flow 1 priority 0 vid {user}"),
        *_FLOW[4:],
    ),
)
"""ZXAN V1.2.x (C200, C220, C300, C320)."""

TITAN = replace(
    V2,
    platform="zte_titan",
    spelling="zte_titan",
    identity=("show software",),
    config="show running-config-interface {name}",
    config_inside="show this",
    omci_config=None,
    module="show optical-module-info {port}",
    macs="show mac interface {vport}",
    vport="vport-{port}.{id}:{number}",
    masks=True,
    path=(
        _TCONT,
        # descriptions are covered with stars when they are read; a GEM port's name is not, so it carries the mark, too
        replace(_GEMPORT, line="gemport {gem} name {mark} tcont 1"),
        replace(_SERVICE_PORT, place="vport", line="service-port 1 user-vlan {user} vlan {inner}{outer}"),
    ),
    flow=(),
    epon=False,
    smart_qinq=None,
)
"""TITAN V1.2.x and V2.0.x (C600, C610, C620, C650, C300 with such cards)."""


def grammar_for(family: str | None, version: str | None) -> Grammar:
    """Choose by what the OLT says that it is; V2.x where the version is not told."""
    if family == "zte_titan":
        return TITAN
    return V12 if (version or "").upper().startswith("V1.") else V2
