"""The objects that hold a session. They are shown from what is in memory: looking at one sends nothing."""

from __future__ import annotations

from typing import Protocol

from ponprobe.display.parts import Markup, badge, clean_badge, page, pairs, paragraph, safe
from ponprobe.models.acceptance import Registration
from ponprobe.models.device import OnuState
from ponprobe.models.run import Removal


class OltLike(Protocol):
    """What is shown of an ``Olt``."""

    name: str

    @property
    def host(self) -> str:
        """Its address."""

    @property
    def platform(self) -> str:
        """Its driver."""


class LiveOnu(Protocol):
    """What is shown of a ``TestOnu``."""

    registration: Registration
    state: OnuState
    removal: Removal | None
    kept: bool

    @property
    def run_id(self) -> str:
        """Its run in the journal."""


def olt_html(olt: OltLike) -> str:
    """An OLT: its name, address and driver."""
    facts = {"host": olt.host, "platform": olt.platform}
    hint = paragraph("Ask it: <code>facts() boards() discovered() onus(port) optical_port(port) sweep()</code>")
    return page(f"OLT {safe(olt.name)}", pairs(facts), hint)


def onu_html(onu: LiveOnu) -> str:
    """A test ONU: whether it is still on the OLT, and its state as it was read last."""
    registration, order = onu.registration, onu.registration.order
    facts = {
        "splitter": order.splitter,
        "registered_by": str(order.auth),
        "vlans": order.vlans,
        "mark": registration.mark,
        "run": onu.run_id,
        "run_state": onu.state.run_state,
        "distance_m": onu.state.distance_m,
        "last_down_cause": onu.state.last_down_cause,
    }
    return page(f"{_end(onu)} test ONU {safe(registration.onu)}", pairs(facts), _next(onu))


def _end(onu: LiveOnu) -> Markup:
    if onu.kept:
        return badge("●", "kept on the OLT", "near")
    return badge("●", "on the OLT now", "near") if onu.removal is None else clean_badge(onu.removal.clean)


def _next(onu: LiveOnu) -> Markup:
    if onu.kept:
        return paragraph(f"Left on purpose; <code>olt.revoke({safe(repr(onu.run_id))})</code> takes it away.")
    if onu.removal is None:
        return paragraph("It goes when its <code>with</code> block ends, or with <code>revoke()</code>.")
    return Markup("")
