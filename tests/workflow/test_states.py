"""Every way through the states of a test ONU: what may follow, and a lease as long as something may stand."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from site_plan import NOW, PROJECT

from ponprobe.errors import IllegalTransition, LeaseConflict
from ponprobe.models.addressing import PonPort
from ponprobe.models.engineering import (
    TRANSITIONS,
    ActivationState,
    Actor,
    OltRecord,
    PonPortRecord,
    Project,
    Splitter,
)
from ponprobe.store.activations import Activation, activations_of, move
from ponprobe.store.database import Store
from ponprobe.store.leases import (
    CvlanPool,
    CvlanPoolExhausted,
    held,
    lease_cvlan,
    lease_onu,
    onus_held,
    put_pool,
)
from ponprobe.store.projects import (
    StoredSplitter,
    add_project,
    add_splitter,
    change_splitter,
    put_olt,
    put_port,
    splitters_of,
)
from ponprobe.store.refusals import NotReady

WHO = Actor(name="某人", role="builder")
POOL = CvlanPool(name="narrow", ranges=((3001, 3002),))
_S = ActivationState
GONE = {_S.NOT_ACTIVATED, _S.ACTIVATION_FAILED, _S.REVOKED}
"""Where nothing of ours is on a device: written here once more, as the code must not decide its own test."""


class Process(RuleBasedStateMachine):
    """Three splitters that share a pool of two CVLANs and two test ONUs."""

    @initialize()
    def begin(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self._folder.name) / "s.sqlite3", clock=lambda: NOW)
        with self.store.change(WHO) as change:
            add_project(change, Project(id=PROJECT, name="x", created_at=NOW))
            put_olt(change, OltRecord(name="olt", host="192.0.2.1"))
            put_port(change, PonPortRecord(olt="olt", port=PonPort.parse("0/1/0"), svlan=2000))
            put_pool(change, POOL)
            for number in range(3):
                splitter = Splitter(project=PROJECT, name=f"POS-{number}", olt="olt", port=PonPort.parse("0/1/0"))
                add_splitter(change, splitter)
        self.states = dict.fromkeys(range(3), _S.NOT_ACTIVATED)
        self.onus: dict[int, str] = {}
        self.events = self.count()

    def teardown(self) -> None:
        self.store.close()
        self._folder.cleanup()

    def row(self, number: int) -> StoredSplitter:
        with self.store.read() as connection:
            return splitters_of(connection, PROJECT)[number]

    def count(self) -> int:
        with self.store.read() as connection:
            return int(connection.exec_driver_sql("select count(*) from events").scalar_one())

    @rule(number=st.integers(0, 2), onu=st.sampled_from(["serial A", "serial B"]))
    def activate(self, number: int, onu: str) -> None:
        row, may = self.row(number), self.states[number] in GONE
        vlan_free = sum(state not in GONE for state in self.states.values()) < POOL.size
        onu_free = onu not in self.onus.values()

        def begin() -> None:
            with self.store.change(WHO) as change:
                move(change, row, _S.ACTIVATING)
                lease_onu(change, onu, row)
                lease_cvlan(change, POOL, row, 2000)

        if may and vlan_free and onu_free:
            begin()
            self.states[number], self.onus[number] = _S.ACTIVATING, onu
        else:
            with pytest.raises((IllegalTransition, LeaseConflict, CvlanPoolExhausted)):
                begin()

    @rule(number=st.integers(0, 2), new=st.sampled_from([state for state in _S if state is not _S.ACTIVATING]))
    def step(self, number: int, new: ActivationState) -> None:
        row, old = self.row(number), self.states[number]

        def go() -> None:
            with self.store.change(WHO) as change:
                move(change, row, new)

        if new in TRANSITIONS[old]:
            go()
            self.states[number] = new
            if new in GONE:
                self.onus.pop(number)
        else:
            with pytest.raises(IllegalTransition, match=old.value):
                go()

    @rule(number=st.integers(0, 2), ratio=st.sampled_from([8, 16, 32]))
    def edit(self, number: int, ratio: int) -> None:
        row = self.row(number)

        def change_it() -> None:
            with self.store.change(WHO) as change:
                change_splitter(change, row, row.splitter.model_copy(update={"ratio": ratio}))

        if self.states[number] in GONE:
            change_it()
        else:
            with pytest.raises(NotReady, match="live"):
                change_it()

    @invariant()
    def what_may_stand_has_its_lease_and_nothing_else_has(self) -> None:
        rows = [self.row(number) for number in range(3)]
        with self.store.read() as connection:
            known = activations_of(connection, [row.id for row in rows])
            leases, onus = held(connection), onus_held(connection)
        assert [known.get(row.id, Activation()).state for row in rows] == list(self.states.values())
        live = {number for number, state in self.states.items() if state not in GONE}
        assert {lease.splitter.name for lease in leases} == {f"POS-{number}" for number in live}
        assert len({lease.vlans for lease in leases}) == len(leases)
        assert onus == {onu: rows[number].id for number, onu in self.onus.items()}

    @invariant()
    def nothing_that_happened_is_forgotten(self) -> None:
        now = self.count()
        assert now >= self.events
        self.events = now


Process.TestCase.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestProcess = Process.TestCase
