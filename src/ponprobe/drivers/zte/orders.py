"""What a ZTE driver makes of an order: how its ONU proves itself, and why some orders are refused unsent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ponprobe.drivers import parsing
from ponprobe.drivers.zte import parse
from ponprobe.drivers.zte.grammar import Grammar
from ponprobe.drivers.zte.questions import does_not_know
from ponprobe.errors import NotFound, NotSupported
from ponprobe.flow import CliReply
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuAuth
from ponprobe.models.device import OnuState

_NO_EPON = "EPON is not supported on TITAN, as no answer to its EPON questions is known"
_NO_EPON_SERVICE = (
    "a service on an EPON ONU is not supported: the OLT takes the line for its Ethernet port only while the ONU's OAM "
    "is up, and how an SVLAN reads back was never shown; order service_model='none' for the optics"
)
_NO_SHARED = "a shared SVLAN is not supported on TITAN, as vlan-smart-qinq was seen on ZXAN only"
_NO_BOTH = "serial and password together were never seen; register by one of them"
_NO_FLOW = "the flow style of pon-onu-mng was never seen on TITAN; use omci_style='service'"


def refuse_what_nobody_has_seen(order: ActivationOrder, grammar: Grammar) -> None:
    """Raise for what no public source has shown on this family, with the reason; nothing has been asked yet."""
    reason = next((why for unseen, why in _unseen(order, grammar) if unseen), None)
    if reason is not None:
        raise NotSupported(f"{grammar.platform}: {reason}")


def _unseen(order: ActivationOrder, grammar: Grammar) -> Iterator[tuple[bool, str]]:
    epon, shared = order.technology == "epon", order.service_model == "shared"
    yield epon and not grammar.epon, _NO_EPON
    yield epon and order.service_model != "none", _NO_EPON_SERVICE
    yield shared and grammar.smart_qinq is None, _NO_SHARED
    yield order.omci_style == "flow" and not grammar.flow, _NO_FLOW
    yield order.inbound_traffic is not None, "traffic tables are another vendor's; name a T-CONT profile instead"
    yield order.auth.serial is not None and order.auth.password is not None, _NO_BOTH
    yield order.gemport == 0, "GEM ports are counted from 1"
    odd = order.auth.serial is not None and len(str(order.auth.serial)) != 12
    yield odd, "a serial has four printable vendor characters and eight hex digits here"


def auth_words(auth: OnuAuth) -> str:
    """How an ONU proves itself. The form with ``loid`` was never seen in public for GPON."""
    if auth.mac is not None:
        digits = auth.mac.replace(":", "")
        return f"mac {digits[:4]}.{digits[4:8]}.{digits[8:]}"
    if auth.loid is not None:
        words = f"loid {auth.loid.value.get_secret_value()}"
        if auth.loid.checkcode is not None:
            words += f" password {auth.loid.checkcode.get_secret_value()}"
        return words
    if auth.serial is not None:
        return f"sn {auth.serial}"
    return f"pw {auth.password.value.get_secret_value()}" if auth.password is not None else ""


def namesake(auth: OnuAuth, used: Iterable[parse.ConfiguredOnu]) -> OnuState | None:
    """An ONU of the same port that registers by the same MAC, password or LOID, as far as the device shows them."""
    for entry in used:
        if (entry.mac and entry.mac == auth.mac) or (auth.serial is None and entry.secret in auth.secrets[:1]):
            return OnuState(onu=entry.onu, mac=entry.mac)
    return None


def demand_name(name: str | None, reply: CliReply, what: str) -> None:
    """Raise ``NotFound`` if a name that an order uses is not among those that the device lists."""
    answer = parse.cleaned(reply.text)
    parsing.refuse(answer, reply.request)
    known = parse.names(answer, reply.request.line)
    if name not in known:
        raise NotFound(
            f"{what} {name} does not exist on this OLT",
            command=reply.request.line,
            refused="not_found",
            hint=f"it has {', '.join(sorted(known)[:12]) or 'none'}",
        )


def demand_shared(order: ActivationOrder, reply: CliReply) -> None:
    """Raise unless the port puts the order's CVLAN into its SVLAN, for every ONU; that rule is never touched."""
    if order.vlans is None or does_not_know(parse.cleaned(reply.text)):
        raise NotSupported(f"this OLT does not tell its shared SVLANs ({reply.request})")
    rows = parse.smart_qinq(reply.text)
    for port, cvlans, svlan in rows:
        if port == order.port and order.vlans.cvlan in cvlans and order.vlans.svlan == svlan:
            return
    raise NotFound(
        f"{order.port} has no shared service port that puts CVLAN {order.vlans.cvlan} into SVLAN {order.vlans.svlan}",
        command=reply.request.line,
        refused="not_found",
        hint="check the site's vlan-smart-qinq, or order a service port of its own (service_model='per_onu')",
    )
