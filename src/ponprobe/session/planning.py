"""The dry run: the exact lines that a measurement will send, from the same flows that will send them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Literal, TypeVar

from ponprobe.drivers.base import OltDriver
from ponprobe.flow import (
    Batch,
    Cli,
    DeviceFlow,
    NetconfEdit,
    NetconfGet,
    Request,
    Routes,
    SnmpGet,
    SnmpWalk,
    changes_of,
    observed,
)
from ponprobe.models.acceptance import ActivationOrder, Created, new_mark
from ponprobe.models.run import Plan, PlannedLine
from ponprobe.session.engine import Engine

T = TypeVar("T")
Purpose = Literal["read", "write", "undo", "proof"]


def plan_run(engine: Engine, order: ActivationOrder, *, samples: int) -> Plan:
    """Prepare an order on the device (reads only) and list what would follow.

    A flow whose questions depend on earlier answers is listed up to its first request.
    """
    asked: list[PlannedLine] = []

    def note(request: Request | NetconfGet, _: object) -> None:
        if isinstance(request, NetconfGet):
            asked.append(PlannedLine(line=str(request), view="netconf", purpose="read"))
        lines = request.lines if isinstance(request, Batch) else ()
        asked.extend(PlannedLine(line=str(line), view=line.view or "", purpose="read") for line in lines)

    registration = engine.run(lambda driver: observed(driver.prepare(order, new_mark()), note))
    driver, owner = engine.changer, registration.ownership
    sheet = _Sheet(engine)
    created: list[Created] = []
    for flow in (driver.register(registration), driver.add_service(registration)):
        created += sheet.whole(flow)
    sheet.first(driver.read_back(registration), "read", "read back what the OLT holds now")
    sheet.looks(lambda driver: driver.onu_state(owner.onu), "until the ONU is online")
    for number in range(1, samples + 1):
        sheet.asks(lambda driver: driver.optical(owner.onu), f"sample {number} of {samples}")
    if order.service_model != "none":
        sheet.asks(lambda driver: driver.macs(owner.onu), "addresses learnt: is the service alive?")
    everything = tuple(created)
    sheet.first(driver.guard(owner, everything), "read", "is it ours?")
    sheet.whole(driver.remove(owner, tuple(sorted(everything, key=_removal_order))), "undo")
    sheet.first(driver.residue(owner, everything), "proof", "is anything left?")
    return Plan(registration=registration, reads_done=tuple(asked), lines=tuple(sheet.lines))


def _removal_order(item: Created) -> int:
    """Service ports go before the ONU that carries them."""
    return 1 if item.kind == "onu" else 0


class _Sheet:
    """Lines in the order in which they will be sent, with the changes of view between them."""

    def __init__(self, engine: Engine) -> None:
        self.lines: list[PlannedLine] = []
        self._engine = engine
        self._view = engine.conversation.view
        self._waiting: set[str] = set()
        """Commits that the run leaves unconfirmed, by name."""

    def whole(self, flow: DeviceFlow[None], purpose: Purpose = "write") -> list[Created]:
        """Add every change of a flow that does not look at replies; return what they create."""
        created: list[Created] = []
        for change in changes_of(flow):
            if isinstance(change.request, NetconfEdit):
                self._transaction(change.request, purpose, change.what)
            else:
                self._add(change.request, purpose, change.what)
            created += [change.creates] if change.creates is not None else []
        return created

    def looks(self, routes: Callable[[OltDriver], Routes[T]], what: str) -> None:
        """Add the first request of a question that goes where changes go."""
        self.first(routes(self._engine.changer)[self._engine.own_road], "read", what)

    def asks(self, routes: Callable[[OltDriver], Routes[T]], what: str) -> None:
        """Add the first request of a question, on the first road that has an answer to it."""
        engine = self._engine
        for road in engine.routes:
            driver = engine.netconf.driver if road == "netconf" and engine.netconf is not None else engine.driver
            found = routes(driver)
            if road in found:
                self.first(found[road], "read", what)
                return

    def first(self, flow: Generator[Any, Any, T], purpose: Purpose, what: str) -> None:
        """Add the first request of a flow: all that can be known before its answer."""
        request = next(flow, None)
        flow.close()
        if isinstance(request, (SnmpGet, SnmpWalk)):
            self.lines.append(PlannedLine(line=str(request), view="snmp", purpose=purpose, what=what))
        elif isinstance(request, NetconfGet):
            self.lines.append(PlannedLine(line=str(request), view="netconf", purpose=purpose, what=what))
        for line in request.lines if isinstance(request, Batch) else ():
            self._add(line, purpose, what)

    def _transaction(self, edit: NetconfEdit, purpose: Purpose, what: str) -> None:
        """The requests of one transaction, as the session will send them."""
        from ponprobe.transports.netconf import steps_of  # noqa: PLC0415 - most runs send lines

        road = self._engine.netconf
        capabilities = frozenset() if road is None else road.transport.capabilities
        for step in steps_of(edit, capabilities, ends_pending=edit.ends in self._waiting):
            self.lines.append(PlannedLine(line=step.text, view="netconf", purpose=purpose, what=what))
        if edit.persist is not None and edit.revoke_after_s is not None:
            self._waiting.add(edit.persist)

    def _add(self, line: Cli, purpose: Purpose, what: str) -> None:
        if line.view is not None:
            for step, reached in self._engine.dialect.moves(self._view, line.view):
                self.lines.append(PlannedLine(line=step, view=self._view, purpose="move"))
                self._view = reached
        self.lines.append(PlannedLine(line=str(line), view=self._view, purpose=purpose, what=what))
