"""Activation orders: made of engineering data alone, nothing is typed twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import sqlalchemy as sa

from ponprobe.errors import ConfigError
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import OnuAuth
from ponprobe.models.engineering import (
    ActivationItem,
    ActivationState,
    OltRecord,
    PonPortRecord,
    Splitter,
    SplitterKey,
    TestState,
)
from ponprobe.models.run import Plan
from ponprobe.models.service import ProfileRef, VlanStack
from ponprobe.store.activations import Activation, activations_of
from ponprobe.store.leases import choose_pool, held, pools
from ponprobe.store.projects import StoredSplitter, ports_of, splitters_of
from ponprobe.store.results import latest_tests
from ponprobe.store.schema import leases
from ponprobe.workflow.base import Process
from ponprobe.workflow.naming import OnuNaming, checked_name

Onus: TypeAlias = "OnuAuth | Mapping[SplitterKey, OnuAuth] | Callable[[Splitter], OnuAuth]"
"""Which test ONU goes where: one for all, one for each splitter, or a rule."""
_WAITING = {ActivationState.NOT_ACTIVATED, ActivationState.ACTIVATION_FAILED, ActivationState.REVOKED}


def auth_for(onus: Onus, splitter: Splitter) -> OnuAuth:
    """Give the test ONU that is meant for a splitter; ``ConfigError`` if there is none."""
    if isinstance(onus, OnuAuth):
        return onus
    if callable(onus):
        return onus(splitter)
    if splitter.key not in onus:
        raise ConfigError(f"no test ONU is named for {splitter.key}", hint="name one, or leave the splitter out")
    return onus[splitter.key]


def order_of(
    splitter: Splitter, olt: OltRecord, port: PonPortRecord, *, auth: OnuAuth, vlans: VlanStack, onu_name: str
) -> ActivationOrder:
    """Make the order for one splitter; the ONU's name becomes the description behind ponprobe's own mark."""

    def profile(text: str | None) -> ProfileRef | None:
        return None if text is None else ProfileRef.parse(text)

    return ActivationOrder(
        port=splitter.port,
        auth=auth,
        technology=olt.technology,
        vlans=vlans,
        line_profile=profile(port.line_profile),
        service_profile=profile(port.service_profile),
        onu_type=port.onu_type,
        tcont_profile=port.tcont_profile,
        gemport=port.gemport,
        splitter=splitter.name,
        splitter_port=splitter.splitter_port,
        description=onu_name,
    )


def name_for(rule: OnuNaming, splitter: Splitter, attempt: int) -> str:
    """Name the test ONU of an attempt; ``ConfigError`` if the rule makes a name that a device would not take."""
    return checked_name(rule(splitter, attempt))


class Orders(Process):
    """The activation list, and what an order would do."""

    def activation_list(
        self, project: str, keys: Iterable[SplitterKey] | None = None, *, onus: Onus | None = None
    ) -> tuple[ActivationItem, ...]:
        """The ten fields of the activation list for each splitter of a project that is to be tested.

        A test ONU that is live, or was last, is shown with its own name and VLANs; ``onus`` gives the others.
        """
        with self.store.read() as connection:
            rows = [row for row in splitters_of(connection, project, keys) if row.splitter.to_be_tested]
            known = activations_of(connection, [row.id for row in rows])
            tests = latest_tests(connection, project)
        olts = self._records({row.splitter.olt for row in rows})
        items = []
        for row in rows:
            now, test = known.get(row.id, Activation()), tests.get(row.id)
            done = test is not None and test.line is not None and test.service is not None
            item = ActivationItem.of(
                row.splitter,
                olts[row.splitter.olt],
                onu_name=now.onu_name or name_for(self.naming, row.splitter, now.attempt + 1),
                auth=None if onus is None else auth_for(onus, row.splitter),
                vlans=now.vlans,
                state=now.state,
                test_state=TestState.DONE if done else TestState.NOT_DONE,
            )
            items.append(item if now.auth is None or onus else item.model_copy(update={"password": now.auth}))
        return tuple(items)

    def plan(self, project: str, key: SplitterKey, *, onus: Onus, pool: str | None = None) -> Plan:
        """Look at the OLT and list the exact lines that a dispatch of this splitter would send; nothing is changed.

        The CVLAN is the one that would be drawn now; it is not held.
        """
        with self.store.read() as connection:
            row = self._row(connection, project, key)
            now = activations_of(connection, [row.id]).get(row.id, Activation())
            port = port_record(connection, row.splitter)
            vlans = now.vlans if now.state.live else None
            if vlans is None:
                drawn_from = choose_pool(pools(connection), pool, row.splitter, port.svlan)
                where = drawn_from.scope_of(row.splitter.olt, str(row.splitter.port), port.svlan)
                taken = {lease.vlans.cvlan for lease in held(connection, leases.c.scope == where)}
                free = next((cvlan for cvlan in drawn_from if cvlan not in taken), None)
                if free is None:
                    raise ConfigError(f"pool {drawn_from.name!r} has no CVLAN free now", hint="revoke a test first")
                vlans = VlanStack(svlan=port.svlan, cvlan=free)
        record = self._records([row.splitter.olt])[row.splitter.olt]
        name = name_for(self.naming, row.splitter, now.attempt + 1)
        auth = auth_for(onus, row.splitter)
        with self._connect(record) as olt:
            order = order_of(row.splitter, record, port, auth=auth, vlans=vlans, onu_name=name)
            return olt.plan(order, samples=self.samples)

    def waiting(self, project: str) -> tuple[SplitterKey, ...]:
        """The splitters that a dispatch without keys takes: to be tested, no test ONU live, not passed yet."""
        with self.store.read() as connection:
            return tuple(row.key for row in waiting_rows(connection, project))


def waiting_rows(connection: sa.Connection, project: str) -> tuple[StoredSplitter, ...]:
    """Give what a dispatch without keys takes."""
    rows = splitters_of(connection, project)
    known, tests = activations_of(connection, [row.id for row in rows]), latest_tests(connection, project)
    return tuple(
        row
        for row in rows
        if row.splitter.to_be_tested
        and known.get(row.id, Activation()).state in _WAITING
        and (row.id not in tests or tests[row.id].line != "pass")
    )


def port_record(connection: sa.Connection, splitter: Splitter) -> PonPortRecord:
    """Give the resource data of a splitter's PON port."""
    return ports_of(connection, [splitter.olt])[splitter.olt, str(splitter.port)]
