"""The dry run: the exact lines that a measurement will send, from the same flows that will send them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from ponprobe.flow import Batch, Cli, Flow, Reply, Request, Routes, changes_of, cli_route, observed, snmp_route
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

    def note(request: Request, _: Reply) -> None:
        lines = request.lines if isinstance(request, Batch) else ()
        asked.extend(PlannedLine(line=str(line), view=line.view or "", purpose="read") for line in lines)

    registration = engine.run(lambda driver: observed(driver.prepare(order, new_mark()), note))
    driver, owner = engine.driver, registration.ownership
    sheet = _Sheet(engine)
    created: list[Created] = []
    for flow in (driver.register(registration), driver.add_service(registration)):
        created += sheet.whole(flow)
    sheet.first(driver.read_back(registration), "read", "read back what the OLT holds now")
    sheet.first(cli_route(driver.onu_state(owner.onu)), "read", "until the ONU is online")
    for number in range(1, samples + 1):
        sheet.asks(driver.optical(owner.onu), f"sample {number} of {samples}")
    if order.service_model != "none":
        sheet.asks(driver.macs(owner.onu), "addresses learnt: is the service alive?")
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
        self._moves: Callable[[str, str], tuple[tuple[str, str], ...]] = engine.dialect.moves
        self._view = engine.conversation.view
        self._road = engine.routes[0]

    def whole(self, flow: Flow[None], purpose: Purpose = "write") -> list[Created]:
        """Add every change of a flow that does not look at replies; return what they create."""
        created: list[Created] = []
        for change in changes_of(flow):
            self._add(change.cli, purpose, change.what)
            created += [change.creates] if change.creates is not None else []
        return created

    def asks(self, routes: Routes[T], what: str) -> None:
        """Add the first request of a question, on the road that is asked first."""
        if self._road == "snmp" and "snmp" in routes:
            flow = snmp_route(routes)
            self.lines.append(PlannedLine(line=str(next(flow)), view="snmp", purpose="read", what=what))
            flow.close()
        else:
            self.first(cli_route(routes), "read", what)

    def first(self, flow: Flow[T], purpose: Purpose, what: str) -> None:
        """Add the first request of a flow: all that can be known before its answer."""
        request = next(flow, None)
        flow.close()
        for line in request.lines if isinstance(request, Batch) else ():
            self._add(line, purpose, what)

    def _add(self, line: Cli, purpose: Purpose, what: str) -> None:
        if line.view is not None:
            for step, reached in self._moves(self._view, line.view):
                self.lines.append(PlannedLine(line=step, view=self._view, purpose="move"))
                self._view = reached
        self.lines.append(PlannedLine(line=str(line), view=self._view, purpose=purpose, what=what))
