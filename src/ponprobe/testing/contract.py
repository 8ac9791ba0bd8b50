"""The driver contract as a test suite: inherit ``DriverContract`` and give it a device that can be made to misbehave.

::

    class TestAcme(DriverContract):
        @pytest.fixture
        def device(self): ...   # a ``Device``: an emulator, or hardware behind a relay that can cut the line

        @pytest.fixture
        def order(self): ...    # an order that the device can fulfil

Whatever happens in the middle - the session cut before or after any command, an answer lost or turned to garbage, a
stranger in the chosen place - the device must end with nothing of ours on it and everything of others untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest
from pydantic import SecretStr

from ponprobe.config import NetconfEntry
from ponprobe.connect import connect
from ponprobe.drivers import driver_for
from ponprobe.drivers.base import API_VERSION
from ponprobe.errors import AlreadyExists, NotOurs, PonprobeError, TransportTimeout
from ponprobe.flow import Batch, NetconfGet, RouteName, SnmpGet, SnmpWalk, Write, changes_of
from ponprobe.models.acceptance import ActivationOrder, new_mark
from ponprobe.models.addressing import OnuRef
from ponprobe.models.judgement import Outcome
from ponprobe.session.olt import Olt

Fault = Literal["cut before", "answer lost", "silence", "garbage"]
"""What happens to one command: the line is cut before it is executed, after it (its answer is lost), it is executed and
nothing is ever answered, it is executed and the answer is noise."""

_PATIENCE_S: dict[Fault, float] = {"cut before": 20.0, "answer lost": 20.0, "silence": 0.15, "garbage": 2.0}
"""How long a silent device is waited for at first, in seconds; a device that needs longer for its answers gets more."""
_MOST_PATIENT_S = 20.0

_ASKS: dict[RouteName, tuple[type, ...]] = {"cli": (Batch,), "snmp": (SnmpGet, SnmpWalk), "netconf": (NetconfGet,)}


class Device(Protocol):
    """A device under test and the hand that disturbs it.

    ``register_words``: a part of the line that registers an ONU. ``netconf_port`` is where NETCONF listens if changes
    are to be made by it (``port`` is the command line's, if there is any); ``None`` for the command line.
    """

    platform: str
    register_words: str
    host: str
    port: int
    access: Literal["ssh", "telnet"]
    username: str
    password: str
    netconf_port: int | None
    enable_password: str | None
    """What the device asks for on the way to its privileged view; ``None`` if it does not ask."""

    def snapshot(self) -> Any:
        """Everything configured on the device, comparable with ``==``."""

    def arm(self, fault: Fault, nth: int) -> None:
        """Let ``fault`` happen to the ``nth`` command from now on (1 is the next)."""

    def disarm(self) -> bool:
        """Behave again; return whether the armed fault has happened."""

    def before(self, command_part: str, act: Callable[[], None]) -> None:
        """Do ``act`` once, just before the first command that contains ``command_part`` is executed."""

    def occupy(self, onu: OnuRef) -> None:
        """A stranger registers an ONU of his own in this place."""

    def register_serial_elsewhere(self) -> OnuRef:
        """A stranger registers the serial of the order on another port; return where."""


class DriverContract:
    """What every driver must keep."""

    @pytest.fixture
    def device(self) -> Device:
        """The device under test."""
        raise NotImplementedError("the inheriting class gives the device")

    @pytest.fixture
    def order(self) -> ActivationOrder:
        """An order that the device can fulfil; its ONU is plugged in, with its serial and a service of its own."""
        raise NotImplementedError("the inheriting class gives the order")

    @pytest.fixture
    def points(self) -> Sequence[int]:
        """Which commands of a run get a fault, from 1: all of them (the run ends the sweep), or those that you name."""
        return range(1, 500)

    @pytest.fixture
    def open_olt(self, device: Device, tmp_path: Path) -> Callable[..., Olt]:
        """Connect with a journal of this test; ``reply_timeout_s`` is the patience with a silent device."""

        def open_it(reply_timeout_s: float = 20.0) -> Olt:
            return connect(
                device.host,
                platform=device.platform,
                username=device.username,
                password=SecretStr(device.password),
                enable_password=None if device.enable_password is None else SecretStr(device.enable_password),
                access=device.access,
                port=device.port,
                netconf=None if device.netconf_port is None else NetconfEntry(port=device.netconf_port, changes=True),
                journal=str(tmp_path / "journal.sqlite3"),
                known_hosts=tmp_path / "known_hosts",
                reply_timeout_s=reply_timeout_s,
                busy_wait_s=5,
                removal_wait_s=30,
                online_timeout_s=30,
                samples=2,
            )

        return open_it

    # ------------------------------------------------------------------ what a driver is

    def test_it_is_registered_under_its_name_and_speaks_this_api(self, device: Device) -> None:
        driver = driver_for(device.platform)
        assert driver.platform == device.platform
        assert driver.api_version == API_VERSION
        assert driver.models
        assert driver.facts(), "a driver has at least one way to ask"

    def test_questions_only_ask(self, device: Device, order: ActivationOrder) -> None:
        driver = driver_for(device.platform)
        onu = order.port.onu(0)
        for routes in (driver.facts(), driver.boards(), driver.onus(order.port), driver.onu_state(onu)):
            assert routes, "a question has at least one route"
            for name, flow in routes.items():
                assert isinstance(next(flow), _ASKS[name])
                flow.close()
        prepared = driver.prepare(order, new_mark())
        assert isinstance(next(prepared), (Batch, NetconfGet))
        prepared.close()

    def test_changes_name_their_undo_and_have_explicit_ids(
        self, device: Device, order: ActivationOrder, open_olt: Callable[..., Olt]
    ) -> None:
        driver = driver_for(device.platform)
        with open_olt() as olt:
            registration = olt.plan(order).registration
        writes = changes_of(driver.register(registration)) + changes_of(driver.add_service(registration))
        assert writes
        creating = [change for change in writes if change.creates is not None]
        assert creating
        assert all(change.undo for change in creating)
        assert registration.mark in str(creating[0].request), (
            "the mark on the device is what proves that the ONU is ours"
        )
        removals = changes_of(
            driver.remove(registration.ownership, tuple(change.creates for change in creating if change.creates))
        )
        assert {str(change.removes) for change in removals} == {str(change.creates) for change in creating}
        assert all(isinstance(change, Write) for change in removals)

    # ------------------------------------------------------------------ a whole run

    def test_a_run_measures_and_leaves_nothing(
        self, device: Device, order: ActivationOrder, open_olt: Callable[..., Olt]
    ) -> None:
        before = device.snapshot()
        with open_olt() as olt:
            result = olt.measure(order)
        assert result.clean
        assert result.verdict is not None
        assert result.verdict.outcome in {Outcome.PASS, Outcome.FAIL}
        assert result.verdict.reading.complete, "all four powers"
        assert device.snapshot() == before

    def test_a_live_test_onu_is_on_the_device_as_ordered(
        self, device: Device, order: ActivationOrder, open_olt: Callable[..., Olt]
    ) -> None:
        before = device.snapshot()
        with open_olt() as olt, olt.activate(order) as onu:
            assert device.snapshot() != before
            assert onu.wait_online(30)
            listed = [state for state in olt.onus(order.port) if state.onu == onu.ref]
            assert [state.serial for state in listed] == [order.auth.serial]
            assert order.vlans is not None
            services = {(row.svlan, row.cvlan) for row in olt.service_ports(onu.ref)}
            assert services == {(order.vlans.svlan, order.user_vlan or order.vlans.cvlan)}
        assert device.snapshot() == before

    def test_a_second_revoke_proves_again_and_changes_nothing(
        self, device: Device, order: ActivationOrder, open_olt: Callable[..., Olt]
    ) -> None:
        before = device.snapshot()
        with open_olt() as olt:
            with olt.activate(order) as onu:
                onu.keep()
            assert not olt.revoke(onu.run_id).already_absent
            assert device.snapshot() == before
            again = olt.revoke(onu.run_id)
            assert again.clean
            assert again.already_absent

    # ------------------------------------------------------------------ strangers

    def test_a_strangers_onu_in_our_place_is_never_removed(
        self, device: Device, order: ActivationOrder, open_olt: Callable[..., Olt]
    ) -> None:
        with open_olt() as olt:
            with olt.activate(order) as onu:
                onu.keep()
            assert olt.revoke(onu.run_id).clean
            device.occupy(onu.ref)
            with_stranger = device.snapshot()
            removal = olt.revoke(onu.run_id)
        assert removal.clean, "nothing of ours is there"
        assert removal.note is not None
        assert str(onu.ref) in removal.note, "and the stranger is named"
        assert device.snapshot() == with_stranger

    def test_a_place_that_is_taken_at_the_last_moment_is_left_to_the_other(
        self, device: Device, order: ActivationOrder, open_olt: Callable[..., Olt]
    ) -> None:
        taken: list[Any] = []

        def take_it() -> None:
            device.occupy(places[0])
            taken.append(device.snapshot())

        with open_olt() as olt:
            places = [olt.plan(order).registration.onu]
            device.before(device.register_words, take_it)
            result = olt.measure(order)
        assert taken, "the stranger must have come in time"
        assert result.onu != places[0]
        assert result.clean
        assert device.snapshot() == taken[0]

    def test_a_serial_that_is_registered_elsewhere_is_refused_before_any_change(
        self, device: Device, order: ActivationOrder, open_olt: Callable[..., Olt]
    ) -> None:
        where = device.register_serial_elsewhere()
        before = device.snapshot()
        with open_olt() as olt, pytest.raises(AlreadyExists, match=str(where)) as refused:
            olt.measure(order)
        assert refused.value.after_change is None, "nothing had been changed"
        assert device.snapshot() == before

    # ------------------------------------------------------------------ every command, every fault

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("fault", ["cut before", "answer lost", "silence", "garbage"])
    def test_a_fault_at_any_command_leaves_nothing(
        self, device: Device, order: ActivationOrder, open_olt: Callable[..., Olt], points: Sequence[int], fault: Fault
    ) -> None:
        before = device.snapshot()
        happened, patience_s, left = 0, _PATIENCE_S[fault], list(points)
        while left:
            nth = left[0]
            device.arm(fault, nth)
            end = self._one_run(partial(open_olt, patience_s), order)
            reached = device.disarm()
            with open_olt() as olt:
                recovered = olt.recover()
            assert all(recovery.clean for recovery in recovered), f"{fault} at command {nth}: {recovered} after {end}"
            assert device.snapshot() == before, f"{fault} at command {nth} left something, after {end}"
            if end is not None and end.after_change == "rolled_back":
                assert not recovered, f"{fault} at command {nth}: said to be rolled back, but {recovered}"
            if not reached and isinstance(end, TransportTimeout) and patience_s < _MOST_PATIENT_S:
                patience_s *= 2  # the device was slow, and what was armed has not happened: the same once more
                continue
            if not reached:
                break
            happened += 1
            del left[0]
        assert happened >= min(21, len(points)), "a run has more commands than that: the fault was not armed"

    @staticmethod
    def _one_run(open_olt: Callable[[], Olt], order: ActivationOrder) -> PonprobeError | None:
        try:
            with open_olt() as olt:
                assert olt.measure(order).clean
        except NotOurs:
            raise
        except PonprobeError as exc:
            return exc
        return None
