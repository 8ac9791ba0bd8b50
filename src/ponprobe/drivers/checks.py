"""What every vendor checks of an order before anything is changed, from what its readers found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ponprobe.errors import AlreadyExists, NotFound, PoolExhausted, VlanInUse, WrongPort
from ponprobe.models.acceptance import MARK_PREFIX, ActivationOrder
from ponprobe.models.addressing import OnuRef
from ponprobe.models.device import DiscoveredOnu, OnuState
from ponprobe.models.service import ServicePort


def refuse_known_serial(order: ActivationOrder, known: OnuState | None, question: str) -> None:
    """Raise ``AlreadyExists`` that says where the ONU of an order (its serial, MAC or secret) is registered."""
    if known is None:
        return
    who = f"serial {order.auth.serial}" if order.auth.serial is not None else str(order.auth)
    ours = (known.description or "").startswith(f"{MARK_PREFIX}_")
    hint = (
        "an earlier test run left it there: ponprobe recover, or revoke that run"
        if ours
        else "it is not ours: have it removed there, or use another test ONU"
    )
    raise AlreadyExists(
        f"{who} is already registered on {known.onu} ({known.description or 'no description'})",
        command=question,
        refused="already_exists",
        hint=hint,
    )


def refuse_other_port(order: ActivationOrder, discovered: Iterable[DiscoveredOnu], question: str) -> None:
    """Raise ``WrongPort`` if the ONU shines elsewhere, ``NotFound`` if it must shine to be confirmed and does not."""
    serial, mac = order.auth.serial, order.auth.mac
    seen = [
        onu.port
        for onu in discovered
        if onu.port is not None and ((serial and onu.serial == serial) or (mac and onu.mac == mac))
    ]
    if seen and order.port not in seen:
        raise WrongPort(
            f"{serial or mac} was found on {seen[0]} instead of {order.port}",
            recorded=order.port,
            found=seen[0],
            hint="the record of this splitter's PON port is wrong, or the ONU is plugged into another splitter",
        )
    if order.confirm and not seen:
        raise NotFound(
            f"{order.auth.serial} is not among the ONUs that wait, so there is nothing to confirm",
            command=question,
            refused="not_found",
            hint="plug the ONU in, or register it by serial",
        )


def refuse_carried_vlans(order: ActivationOrder, services: Iterable[ServicePort], question: str) -> None:
    """Raise ``VlanInUse`` if another ONU of the port carries the VLANs of an order."""
    if order.vlans is None:
        return
    stack = (order.vlans.svlan, order.vlans.cvlan)
    for row in services:
        if row.onu is not None and (row.svlan, row.cvlan) == stack:
            raise VlanInUse(
                f"{order.vlans} on {order.port} is carried by service port {row.index} of ONU {row.onu}",
                command=question,
                refused="conflict",
                hint="take another CVLAN from the test range",
            )


def free_place(order: ActivationOrder, used: Iterable[OnuRef], ids: Sequence[int]) -> OnuRef:
    """Choose the smallest free ONU-ID of the order's port; ``PoolExhausted`` if there is none."""
    taken = {onu.onu_id for onu in used}
    free = next((onu_id for onu_id in ids if onu_id not in taken), None)
    if free is None:
        raise PoolExhausted(f"all {len(ids)} ONU-IDs of {order.port} are in use", hint="remove stale ONUs first")
    return order.port.onu(free)
