"""Many splitters of one OLT at once: nothing is left on any way out, and nobody's failure is anybody else's."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from batches import Many, many
from ponprobe import config, emulator
from ponprobe.errors import ConfigError, ConnectError, ParseError, Rejected
from ponprobe.models.acceptance import MARK_PREFIX
from ponprobe.models.addressing import Loid, OnuAuth, OnuRef, Password
from ponprobe.models.batch import BatchItem, BatchResult
from ponprobe.models.judgement import Outcome
from ponprobe.models.run import RunEvent
from ponprobe.session.batch import measure_batch, waves
from ponprobe.session.batch_access import BatchAccess
from ponprobe.session.olt import Olt
from ponprobe.session.test_onu import Eraser, TestOnu

Open = Callable[..., tuple[emulator.EmulatedOlt, Olt, Many]]


@pytest.fixture
def opened(personality: Any, tmp_path: Path) -> Iterator[Open]:
    """An emulated OLT with so many test ONUs, a session, and the orders."""
    with ExitStack() as stack:

        def open_it(
            count: int, *, ports: int = 2, unplugged: tuple[int, ...] = (), **settings: Any
        ) -> tuple[emulator.EmulatedOlt, Olt, Many]:
            site = many(personality, count, ports=ports, unplugged=unplugged)
            device = stack.enter_context(emulator.serve(site.scenario)).olt
            return device, stack.enter_context(site.connected(device, tmp_path, **settings)), site

        yield open_it


def ours(device: emulator.EmulatedOlt) -> set[OnuRef]:
    """The places on the device that carry a mark of ours, or an ONU of these tests that is not marked yet."""
    with device.world.lock:
        return {
            ref
            for ref, entry in device.world.onus.items()
            if MARK_PREFIX in entry.description or (entry.serial is not None and entry.serial.text[4:6] == "0D")
        }


def most_at_once(device: emulator.EmulatedOlt) -> list[int]:
    """Watch how many test ONUs are on the device; the first of the list is the most so far."""
    most = [0]

    def watch(_number: int, _line: str, _moment: str) -> None:
        most[0] = max(most[0], len(ours(device)))

    device.faults.on_command = watch
    return most


def unfinished(olt: Olt) -> list[str]:
    return [run.run_id for run in olt._open_journal().unfinished(olt.name)]


# ---------------------------------------------------------------------- what it gives


def test_all_are_there_at_once_and_nothing_is_left(opened: Open) -> None:
    device, olt, site = opened(5)
    before, most = device.snapshot(), most_at_once(device)
    result = measure_batch(olt, site.orders)
    assert result.clean
    assert (result.orders, result.measured, result.failed, result.left) == (5, 5, 0, ())
    assert most == [5], "the waits overlap: all are registered before the first is removed"
    assert device.snapshot() == before
    assert unfinished(olt) == []
    assert [item.index for item in result.items] == [0, 1, 2, 3, 4]
    assert len({item.onu for item in result.items}) == 5, "each saw what the one before it had taken"
    assert BatchResult.model_validate_json(result.model_dump_json()) == result


def test_each_item_is_what_a_single_measurement_gives(opened: Open) -> None:
    _, olt, site = opened(4)
    result = measure_batch(olt, site.orders)
    for order, item in zip(site.orders, result.items, strict=True):
        alone = olt.measure(order)
        batched = item.result
        assert batched is not None
        assert batched.order == order
        assert batched.verdict is not None
        assert alone.verdict is not None
        assert batched.verdict.outcome is alone.verdict.outcome
        assert len(batched.readings) == len(alone.readings) == 2
        for reading, other in zip(batched.readings, alone.readings, strict=True):
            assert reading.onu == batched.onu
            for name, power in reading.powers.items():
                assert power.value is not None
                # two readings of one sensor differ by its noise alone
                assert abs(power.value - (other.powers[name].value or power.value)).value < 1.0, name
                assert power.source
        assert batched.state is not None
        assert batched.state.online
        assert batched.state.serial == order.auth.serial
        assert batched.facts == alone.facts
        assert batched.removal is not None
        assert batched.removal.clean
        assert len(batched.macs) == len(alone.macs) == 1
        assert batched.online_after_s is not None
    own = [item.result.lines_sent for item in result.items if item.result is not None]
    assert all(own)
    assert sum(own) < result.lines_sent, "waiting and reading are shared"


def test_a_port_is_read_as_often_with_many_as_with_few(opened: Open, personality: Any) -> None:
    device, olt, site = opened(8, ports=1)
    assert measure_batch(olt, site.orders[:4]).measured == 4
    first = len(device.commands)
    assert measure_batch(olt, site.orders).measured == 8
    few, lots = (
        sum("optical-info" in line or "power" in line for line in lines)
        for lines in (device.commands[:first], device.commands[first:])
    )
    assert few == lots


def test_a_crowded_port_is_not_read_whole_for_a_few(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    _, olt, site = opened(2, ports=1)
    monkeypatch.setattr("ponprobe.session.batch._CROWD", 0)  # as if customers without end were online
    monkeypatch.setattr(Olt, "optical_port", lambda *_: pytest.fail("customers' ONUs were read for nothing"))
    assert measure_batch(olt, site.orders).measured == 2


def test_events_belong_to_their_runs_and_count_on(opened: Open) -> None:
    _, olt, site = opened(3)
    seen: list[RunEvent] = []
    olt.on_event = seen.append
    result = measure_batch(olt, site.orders)
    for item in result.items:
        mine = [event for event in seen if event.run_id == item.run_id]
        assert [event.event for event in mine if event.event != "command"] == [
            "planned",
            "activated",
            "online",
            "sample",
            "sample",
            "verdict",
            "revoked",
            "residue_checked",
            "finished",
        ]
        assert {(event.pon, event.item) for event in mine} == {(item.order.port, item.order.splitter)}
    by_run: dict[str, list[int]] = {}
    for event in seen:
        by_run.setdefault(event.run_id, []).append(event.seq)
    assert len(by_run) == 4, "three runs, and the batch for what they share"
    assert all(seqs == sorted(set(seqs)) for seqs in by_run.values()), "no number twice, none going back"


def test_on_item_takes_the_items_as_they_are_proven(opened: Open) -> None:
    device, olt, site = opened(3)
    taken: list[tuple[BatchItem, set[OnuRef]]] = []
    result = measure_batch(olt, site.orders, on_item=lambda item: taken.append((item, ours(device))))
    assert result.items == (), "memory does not grow with the batch"
    assert result.measured == 3
    assert sorted(item.index for item, _ in taken) == [0, 1, 2]
    for item, on_the_device in taken:
        assert item.clean
        assert item.onu not in on_the_device, "it is told when it is gone, not before"
    assert [len(on_the_device) for _, on_the_device in taken] == [2, 1, 0], "and not only at the end"
    assert all(BatchItem.model_validate_json(item.model_dump_json()) == item for item, _ in taken)


def test_no_more_than_at_once(opened: Open) -> None:
    device, olt, site = opened(5)
    before, most = device.snapshot(), most_at_once(device)
    result = measure_batch(olt, site.orders, at_once=2)
    assert result.measured == 5
    assert most == [2]
    assert device.snapshot() == before
    with pytest.raises(ValueError, match="at least one"):
        measure_batch(olt, site.orders, at_once=0)


def test_kept_ones_stay_and_can_be_revoked(opened: Open) -> None:
    device, olt, site = opened(3)
    before = device.snapshot()
    result = measure_batch(olt, site.orders, keep=True)
    assert result.measured == 3
    assert not result.clean
    assert result.kept == result.left
    assert set(result.kept) == {item.run_id for item in result.items}
    assert {item.onu for item in result.items} == ours(device)
    assert olt.recover() == (), "kept on purpose"
    for run_id in result.kept:
        assert not olt.revoke(run_id).already_absent
    assert device.snapshot() == before


def test_powers_come_by_snmp_where_it_is_preferred(opened: Open, personality: Any) -> None:
    device, olt, site = opened(4, ports=1)
    before = device.snapshot()
    agent = config.SnmpEntry(community=SecretStr(device.snmp_community), port=device.snmp_port, timeout_s=2)
    with site.connected(device, Path(olt.settings.journal).parent, snmp=agent) as both:
        result = measure_batch(both, site.orders)
    assert result.measured == 4
    for item in result.items:
        assert item.result is not None
        assert item.result.verdict is not None
        assert item.result.verdict.reading.complete
        assert any((power.source or "").startswith("snmp") for power in item.result.readings[0].powers.values())
    assert device.snapshot() == before


# ---------------------------------------------------------------------- refused before anything is sent


def test_one_test_onu_cannot_be_in_two_places(opened: Open) -> None:
    device, olt, site = opened(3)
    first, second, third = site.orders
    twice = first.model_copy(update={"port": second.port, "vlans": third.vlans, "splitter": "another"})
    with pytest.raises(ConfigError, match=r"orders 1 and 3 .*分光器 1 and another.*waves") as refused:
        measure_batch(olt, (first, second, twice))
    assert refused.value.after_change is None
    assert device.commands == [], "not even a login"
    assert waves((first, second, twice, third)) == ((first, second, third), (twice,))
    assert waves(()) == ()


def test_a_secret_that_names_a_test_onu_is_not_shown(opened: Open) -> None:
    device, olt, site = opened(2)
    secret = SecretStr("canary-99")
    for auth in (OnuAuth(password=Password(value=secret)), OnuAuth(loid=Loid(value=secret))):
        orders = [order.model_copy(update={"auth": auth}) for order in site.orders]
        with pytest.raises(ConfigError, match="same test ONU") as refused:
            measure_batch(olt, orders)
        assert "canary" not in str(refused.value)
        assert len(waves(orders)) == 2
    assert device.commands == []


def test_an_olt_that_cannot_be_reached_refuses_the_batch(personality: Any, tmp_path: Path) -> None:
    site = many(personality, 2)
    with emulator.serve(site.scenario) as lab:
        device = lab.olt
    told: list[BatchItem] = []
    with site.connected(device, tmp_path, connect_timeout_s=2) as olt, pytest.raises(ConnectError) as refused:
        measure_batch(olt, site.orders, on_item=told.append)
    assert refused.value.after_change is None
    assert told == []


def test_no_orders_are_no_work(opened: Open) -> None:
    _, olt, _ = opened(1)
    result = measure_batch(olt, ())
    assert (result.orders, result.clean, result.items) == (0, True, ())


# ---------------------------------------------------------------------- one fails, the others do not


def test_an_order_that_is_refused_does_not_stop_the_others(opened: Open, personality: Any, device_of: Any) -> None:
    device, olt, site = opened(4)
    stranger = site.orders[1].auth.serial
    device.world.register(
        site.orders[0].port,
        serial=stranger,
        line_profile=personality.profile,
        service_profile=personality.profile,
        onu_type=personality.onu_type,
        description="A customer",
    )
    before = device.snapshot()
    carried = site.orders[2].model_copy(update={"vlans": personality.impossible[2][0]["vlans"]})
    result = measure_batch(olt, (*site.orders[:2], carried, site.orders[3]))
    assert [item.error_class for item in result.items] == [None, "AlreadyExists", "VlanInUse", None]
    assert (result.measured, result.failed, result.clean) == (2, 2, True)
    for item in result.items[1:3]:
        assert (item.phase, item.after_change, item.run_id, item.result) == ("register", None, None, None)
        assert item.clean
        assert item.error
    assert device.snapshot() == before


def test_an_order_that_fails_after_a_change_is_rolled_back_alone(opened: Open, personality: Any) -> None:
    device, olt, site = opened(4)
    before = device.snapshot()
    serial = site.orders[2].auth.serial
    assert serial is not None

    def lose_the_answer(number: int, line: str, moment: str) -> None:
        if moment == "arrived" and personality.register_words in line and serial.text[-6:] in line:
            device.faults.cut_after = number

    device.faults.on_command = lose_the_answer
    result = measure_batch(olt, site.orders)
    assert [item.error_class for item in result.items] == [None, None, "SessionLost", None]
    lost = result.items[2]
    assert (lost.phase, lost.after_change, lost.clean) == ("register", "rolled_back", True)
    assert lost.run_id is not None
    assert olt._open_journal().run(lost.run_id).state == "clean"
    assert device.snapshot() == before


def test_one_that_is_late_delays_nobody(opened: Open) -> None:
    """The last ONU is plugged in only when the others are done: a batch that waited for all would wait for ever."""
    device, olt, site = opened(4, unplugged=(1,), online_timeout_s=600)
    before = device.snapshot()
    order, done = site.orders[1], []

    def plug_in(item: BatchItem) -> None:
        done.append(item.index)
        if len(done) == 3:
            splitter = next(reversed(device.world.plants[order.port].splitters))
            device.world.plug_in(order.auth.serial, order.port, splitter, online_after_s=0.0)

    result = measure_batch(olt, site.orders, on_item=plug_in)
    assert done[-1] == 1
    assert result.measured == 4
    assert result.clean
    assert device.snapshot() == before


def test_one_that_does_not_come_up_is_undetermined_with_the_reason(opened: Open, personality: Any) -> None:
    device, olt, site = opened(4, unplugged=(0, 3), online_timeout_s=0.3)
    before = device.snapshot()
    # recorded on one port, plugged in on the other after everybody has looked
    moved = site.orders[0]

    def plug_in_elsewhere(_number: int, line: str, moment: str) -> None:
        if moment == "executed" and len(ours(device)) == 4:
            device.faults.on_command = None
            other = site.orders[1].port
            splitter = next(reversed(device.world.plants[other].splitters))
            device.world.plug_in(moved.auth.serial, other, splitter)

    device.faults.on_command = plug_in_elsewhere
    result = measure_batch(olt, site.orders)
    outcomes = [item.result and item.result.verdict and item.result.verdict.outcome for item in result.items]
    assert outcomes[0] is outcomes[3] is Outcome.UNDETERMINED
    assert all(outcomes[index] in {Outcome.PASS, Outcome.FAIL} for index in (1, 2))
    codes = [[finding.code for finding in item.result.findings] for item in result.items if item.result]
    assert codes == [["wrong_port"], [], [], ["never_online"]]
    assert result.clean
    assert device.snapshot() == before


def test_a_place_that_somebody_takes_over_is_left_to_him(opened: Open, personality: Any, device_of: Any) -> None:
    device, olt, site = opened(4, ports=1, unplugged=(1, 2, 3), online_timeout_s=600)
    hand = device_of(personality, device)
    items: dict[int, BatchItem] = {}

    def disturb(item: BatchItem) -> None:
        items[item.index] = item
        if item.index == 0:
            runs = olt._open_journal().unfinished(olt.name)
            taken, gone = (
                next(run.owner.onu for run in runs if run.owner.serial == site.orders[index].auth.serial)
                for index in (1, 2)
            )
            hand.evict(gone)
            hand.evict(taken)
            hand.occupy(taken)
        elif items.keys() == {0, 1, 2}:
            # the last one ranges until both have been noticed among those that wait
            last = site.orders[3]
            splitter = next(reversed(device.world.plants[last.port].splitters))
            device.world.plug_in(last.auth.serial, last.port, splitter, online_after_s=0.0)

    result = measure_batch(olt, site.orders, on_item=disturb)
    assert {index: item.error_class for index, item in items.items()} == {0: None, 1: "NotOurs", 2: "NotOurs", 3: None}
    stranger = items[1]
    assert (stranger.phase, stranger.after_change) == ("online", "rolled_back")
    assert stranger.removal is not None
    assert stranger.removal.note is not None
    assert items[2].removal is not None
    assert items[2].removal.already_absent
    assert result.clean, "nothing of ours is left"
    assert ours(device) == set()
    assert stranger.onu in device.world.onus, "and the stranger was not touched"


def test_a_removal_that_fails_does_not_stop_the_others(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    device, olt, site = opened(4)
    before, erase = device.snapshot(), Eraser.erase
    victim = site.orders[1].auth.serial

    def refuse_one(self: Eraser) -> Any:
        if self._owner.serial == victim:
            raise Rejected("blocked by the device", command="a removal")
        return erase(self)

    monkeypatch.setattr(Eraser, "erase", refuse_one)
    result = measure_batch(olt, site.orders)
    monkeypatch.setattr(Eraser, "erase", erase)
    item = result.items[1]
    assert (item.phase, item.error_class, item.after_change, item.clean) == ("revoke", "Rejected", "residue", False)
    assert item.result is not None, "what was measured is not lost"
    assert not item.result.clean
    assert result.left == (item.run_id,)
    assert not result.clean
    assert [each.clean for each in result.items] == [True, False, True, True]
    assert ours(device) == {item.onu}
    assert [recovery.clean for recovery in olt.recover()] == [True], "nobody holds it any longer"
    assert device.snapshot() == before


def test_a_lost_session_while_waiting_is_opened_again(opened: Open) -> None:
    device, olt, site = opened(3)
    before = device.snapshot()

    def cut_once(_number: int, _line: str, moment: str) -> None:
        if moment == "arrived" and len(ours(device)) == 3:
            device.faults.on_command = None
            raise ConnectionAbortedError

    # the third is complete with its last change, so that the next command is the reading back or a question after it
    device.faults.on_command = cut_once
    result = measure_batch(olt, site.orders)
    assert result.clean
    assert result.measured + result.failed == 3
    assert device.snapshot() == before


@pytest.mark.parametrize("question", ["states", "optical_port"])
def test_what_a_whole_port_does_not_tell_is_asked_one_by_one(
    opened: Open, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    _, olt, site = opened(4, ports=1)
    owner: Any = BatchAccess if question == "states" else Olt

    def garbled(*_: object) -> None:
        raise ParseError("a customer's row that nobody knows", text="?")

    monkeypatch.setattr(owner, question, garbled)
    result = measure_batch(olt, site.orders)
    assert result.measured == 4
    assert all(item.result and item.result.verdict and item.result.verdict.reading.complete for item in result.items)


def test_a_refused_login_is_not_tried_for_every_order(opened: Open, personality: Any) -> None:
    device, olt, site = opened(6, removal_wait_s=0.1)
    before = device.snapshot()
    second = site.orders[1].auth.serial
    assert second is not None

    def lock_out(number: int, line: str, moment: str) -> None:
        if moment == "arrived" and personality.register_words in line and second.text[-6:] in line:
            device.faults.locked_users.add(device.username)
            device.faults.on_command = None
            raise ConnectionAbortedError

    device.faults.on_command = lock_out
    result = measure_batch(olt, site.orders)
    assert [item.error_class for item in result.items[2:]] == ["AuthError"] * 4
    assert all(item.error and item.error.startswith("not tried") for item in result.items[3:])
    assert all(item.clean and item.run_id is None for item in result.items[2:])
    assert result.measured == 0
    assert set(result.left) == set(unfinished(olt)) == {item.run_id for item in result.items[:2]}
    assert all("ponprobe recover" in str(item.hint) for item in result.items[:2])
    device.faults.locked_users.clear()
    olt._engine.conversation.lockout.refused = None  # as if the time had passed in which nobody tries again
    finished = olt.recover()
    assert [recovery.clean for recovery in finished] == [True, True], finished
    assert device.snapshot() == before


# ---------------------------------------------------------------------- cut short


def interrupt_at(device: emulator.EmulatedOlt, nth: int) -> list[int]:
    """Press Ctrl-C when the nth command from now on has been executed and is not answered yet.

    The list gets how many test ONUs were on the device then.
    """
    first = len(device.commands)
    there: list[int] = []

    def watch(number: int, _line: str, moment: str) -> None:
        if moment == "executed" and number - first == nth:
            device.faults.on_command = None
            there.append(len(ours(device)))
            ctrl_c()

    device.faults.on_command = watch
    return there


def ctrl_c() -> None:
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


def stopped_everywhere(device: emulator.EmulatedOlt, olt: Olt, site: Many, *, start: int, step: int) -> int:
    """Ctrl-C at every ``step``-th command; return how many hit while something was on the device."""
    before, hits = device.snapshot(), 0
    assert measure_batch(olt, site.orders).clean  # logged in, model known: from here on every run is the same
    for nth in range(start, 2000, step):
        there = interrupt_at(device, nth)
        stopped: BaseException | None = None
        try:
            result = measure_batch(olt, site.orders)
        except KeyboardInterrupt as stop:
            stopped = stop
        if stopped is None:
            device.faults.on_command = None
            assert result.clean
            assert not there, f"the interrupt at command {nth} was lost"
            return hits
        assert device.snapshot() == before, f"stopped at command {nth}, and something was left"
        assert unfinished(olt) == [], f"stopped at command {nth}"
        if there[0]:
            hits += 1
            assert stopped.after_change == "rolled_back", f"stopped at command {nth}"  # type: ignore[attr-defined]
    raise AssertionError("a batch has fewer commands than that")


def test_ctrl_c_now_and_then_leaves_nothing(opened: Open) -> None:
    device, olt, site = opened(3)
    assert stopped_everywhere(device, olt, site, start=5, step=17) >= 4


def test_a_second_ctrl_c_says_what_is_left_and_lets_go_of_it(opened: Open) -> None:
    device, olt, site = opened(3, unplugged=(0, 1, 2), online_timeout_s=600)
    before = device.snapshot()
    twice: list[int] = []

    def watch(_number: int, line: str, moment: str) -> None:
        on_it = len(ours(device))
        if moment == "executed" and ((not twice and on_it == 3) or (len(twice) == 1 and on_it == 1)):
            twice.append(on_it)
            ctrl_c()

    device.faults.on_command = watch
    with pytest.raises(KeyboardInterrupt) as stopped:
        measure_batch(olt, site.orders)
    device.faults.on_command = None
    # the first comes while the third is registered, the second when of the two others one has been taken back
    assert twice == [3, 1]
    left = unfinished(olt)
    assert len(left) == 2
    assert stopped.value.after_change == "residue"  # type: ignore[attr-defined]
    assert {recovery.run_id for recovery in olt.recover() if recovery.clean} == set(left)
    assert device.snapshot() == before


def test_a_callback_that_raises_ends_the_batch_and_leaves_nothing(opened: Open) -> None:
    device, olt, site = opened(4)
    before = device.snapshot()

    def full(_item: BatchItem) -> None:
        raise OSError("no space left on the disk of whoever listens")

    with pytest.raises(OSError, match="no space left") as ended:
        measure_batch(olt, site.orders, on_item=full)
    assert ended.value.after_change == "rolled_back"  # type: ignore[attr-defined]
    assert device.snapshot() == before
    assert unfinished(olt) == []


def test_what_was_kept_before_the_end_came_stays_kept(opened: Open) -> None:
    device, olt, site = opened(3)
    before = device.snapshot()
    told: list[BatchItem] = []

    def second_is_too_much(item: BatchItem) -> None:
        told.append(item)
        if len(told) == 2:
            raise OSError("no more")

    with pytest.raises(OSError, match="no more") as ended:
        measure_batch(olt, site.orders, keep=True, on_item=second_is_too_much)
    assert ended.value.after_change == "rolled_back"  # type: ignore[attr-defined]
    assert ours(device) == {item.onu for item in told}, "what was promised to stay, and nothing beside it"
    assert set(unfinished(olt)) == {item.run_id for item in told}
    assert all(olt.revoke(str(item.run_id)).clean for item in told)
    assert device.snapshot() == before


def test_a_bug_in_the_middle_leaves_nothing(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    device, olt, site = opened(4)
    before = device.snapshot()
    monkeypatch.setattr(TestOnu, "macs", lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError) as ended:
        measure_batch(olt, site.orders)
    assert ended.value.after_change == "rolled_back"  # type: ignore[attr-defined]
    assert device.snapshot() == before
    assert unfinished(olt) == []
    assert olt.measure.__name__ == "measure"


def test_the_olt_can_be_used_afterwards(opened: Open) -> None:
    device, olt, site = opened(2)
    before = device.snapshot()
    first = measure_batch(olt, site.orders)
    assert olt.measure(site.orders[0]).clean
    second = measure_batch(olt, reversed(site.orders))
    assert first.batch_id != second.batch_id
    assert [item.order for item in second.items] == list(reversed(site.orders))
    assert device.snapshot() == before
