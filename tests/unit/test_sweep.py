"""A sweep of one OLT and of many, without any: what is asked, what is given, what a failure costs."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from ponprobe.errors import (
    AuthError,
    ConnectError,
    HostKeyError,
    ParseError,
    PonprobeError,
    Rejected,
    SecretMissing,
    SessionLost,
    TransportTimeout,
)
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.device import OnuState
from ponprobe.models.optical import Absence, Db, Dbm, OpticalReading, Reading
from ponprobe.models.sweep import OltStarted, PortDone, PortSkipped, SweepItem, SweepRecord, Tally
from ponprobe.session.sweep import sweep, sweep_many

if TYPE_CHECKING:
    from typing_extensions import Self

PORTS = tuple(PonPort(frame=0, slot=1, port=number) for number in range(6))


class FakeOlt:
    """Answers from a table; ``failing`` says which question of which port ends how."""

    def __init__(self, name: str = "lab", ports: tuple[PonPort, ...] = PORTS, onus: int = 2) -> None:
        self.name = name
        self.host = "192.0.2.10"
        self.ports = ports
        self.count = onus
        self.failing: dict[tuple[str, PonPort | None], PonprobeError] = {}
        self.asked: list[tuple[str, Any]] = []
        self.left = 0
        self.on_asked: Callable[[str, Any], None] | None = None

    def _ask(self, what: str, where: Any) -> None:
        self.asked.append((what, where))
        if self.on_asked is not None:
            self.on_asked(what, where)
        port = where.port if isinstance(where, OnuRef) else where
        if (what, port) in self.failing:
            raise self.failing[what, port]

    def pon_ports(self) -> tuple[PonPort, ...]:
        self._ask("pon_ports", None)
        return self.ports

    def onus(self, port: PonPort) -> tuple[OnuState, ...]:
        self._ask("onus", port)
        return tuple(
            OnuState(onu=port.onu(n), serial=Serial(f"HWTC{port.port:04X}{n:04X}"), run_state="online")
            for n in range(self.count)
        )

    def optical_port(self, port: PonPort) -> tuple[OpticalReading, ...]:
        self._ask("optical_port", port)
        return tuple(reading(port.onu(n)) for n in range(self.count))

    def onu_state(self, onu: OnuRef) -> OnuState | None:
        self._ask("onu_state", onu)
        absent = {"last_down_cause": Absence.NOT_REPORTED}
        return OnuState(onu=onu, run_state="online", distance_m=1234.0, absent=absent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.left += 1


def reading(onu: OnuRef) -> OpticalReading:
    values = {"olt_tx_dbm": 3.2, "olt_rx_dbm": -19.5, "onu_tx_dbm": 2.25, "onu_rx_dbm": -17.06}
    return OpticalReading(
        onu=onu, **{name: Reading(value=Dbm(value), source="cli: x") for name, value in values.items()}
    )


def told(items: Any) -> list[str]:
    """One word for each item: ``lab``, ``0/1/0:1``, ``0/1/0.``, ``0/1/0!ParseError``."""
    words = []
    for item in items:
        match item:
            case OltStarted():
                words.append(f"{item.olt} {item.ports}+{item.ports_done}")
            case SweepRecord():
                words.append(str(item.onu))
            case PortDone():
                words.append(f"{item.port}.{item.onus}")
            case PortSkipped():
                words.append(f"{item.port}!{item.error_class}")
    return words


# ---------------------------------------------------------------------- one OLT


def test_every_port_is_given_whole_and_then_called_done() -> None:
    olt = FakeOlt(ports=PORTS[:2])
    assert told(sweep(olt)) == [
        "lab 2+0", "0/1/0:0", "0/1/0:1", "0/1/0.2", "0/1/1:0", "0/1/1:1", "0/1/1.2",
    ]  # fmt: skip
    asked = [(what, port) for port in PORTS[:2] for what in ("onus", "optical_port")]
    assert olt.asked == [("pon_ports", None), *asked]


def test_a_record_has_powers_losses_identity_and_reasons() -> None:
    record = next(item for item in sweep(FakeOlt()) if isinstance(item, SweepRecord))
    assert (record.olt, record.host, str(record.serial), record.run_state) == (
        "lab", "192.0.2.10", "HWTC00000000", "online",
    )  # fmt: skip
    assert record.loss.downstream_attenuation_db == Db(20.26)
    assert record.loss.upstream_attenuation_db == Db(21.75)
    assert record.absent == {"distance_m": Absence.NOT_READ, "last_down_cause": Absence.NOT_READ}
    assert record.read_at.utcoffset() is not None


def test_it_asks_nothing_before_somebody_reads() -> None:
    olt = FakeOlt()
    stream = sweep(olt)
    assert olt.asked == []
    next(stream)
    assert olt.asked == [("pon_ports", None)]


def test_named_ports_are_read_once_in_their_order_and_the_list_is_not_asked() -> None:
    olt = FakeOlt(onus=1)
    assert told(sweep(olt, ports=["0/1/3", PORTS[1], "gpon 0/1 3"])) == [
        "lab 2+0", "0/1/3:0", "0/1/3.1", "0/1/1:0", "0/1/1.1",
    ]  # fmt: skip
    assert ("pon_ports", None) not in olt.asked


def test_a_port_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="'nonsense' is not a PON port"):
        sweep(FakeOlt(), ports=["nonsense"])


def test_ports_that_are_done_are_not_asked() -> None:
    olt = FakeOlt(ports=PORTS[:3], onus=1)
    assert told(sweep(olt, done=["0/1/0", "0/1/2"])) == ["lab 1+2", "0/1/1:0", "0/1/1.1"]
    assert {where for _, where in olt.asked} == {None, PORTS[1]}


def test_an_empty_port_is_done_and_not_asked_for_powers() -> None:
    olt = FakeOlt(ports=PORTS[:1], onus=0)
    assert told(sweep(olt)) == ["lab 1+0", "0/1/0.0"]
    assert ("optical_port", PORTS[0]) not in olt.asked


@pytest.mark.parametrize("question", ["onus", "optical_port"])
@pytest.mark.parametrize("error", [ParseError("odd text"), Rejected("no", hint="ask"), SessionLost("cut", host="x")])
def test_a_port_that_cannot_be_read_costs_itself_only(question: str, error: PonprobeError) -> None:
    olt = FakeOlt(ports=PORTS[:3], onus=1)
    olt.failing[question, PORTS[1]] = error
    items = list(sweep(olt))
    assert told(items) == [
        "lab 3+0", "0/1/0:0", "0/1/0.1", f"0/1/1!{type(error).__name__}", "0/1/2:0", "0/1/2.1",
    ]  # fmt: skip
    skipped = next(item for item in items if isinstance(item, PortSkipped))
    assert (skipped.error, skipped.hint) == (error.message, error.hint)


@pytest.mark.parametrize(
    "error",
    [ConnectError("no"), AuthError("no"), HostKeyError("no"), SecretMissing("no")],
    ids=lambda e: type(e).__name__,
)
def test_a_dead_olt_is_not_asked_again_and_all_its_ports_are_told(error: PonprobeError) -> None:
    olt = FakeOlt(onus=1)
    olt.failing["onus", PORTS[1]] = error
    assert told(sweep(olt))[3:] == [f"{port}!{type(error).__name__}" for port in PORTS[1:]]
    assert olt.asked[-1] == ("onus", PORTS[1])


def test_three_ports_in_a_row_without_an_answer_are_a_dead_olt() -> None:
    olt = FakeOlt(onus=1)
    for port in (PORTS[0], PORTS[1], PORTS[3], PORTS[4], PORTS[5]):
        olt.failing["onus", port] = TransportTimeout("silence")
    assert len(told(sweep(olt))) == 1 + 6 + 1
    assert olt.asked[-1] == ("onus", PORTS[5])  # 0/1/2 answered in between
    olt.asked.clear()
    olt.failing["onus", PORTS[2]] = TransportTimeout("silence")
    assert told(sweep(olt)) == ["lab 6+0", *(f"{port}!TransportTimeout" for port in PORTS)]
    assert olt.asked[-1] == ("onus", PORTS[2])


def test_an_olt_that_does_not_tell_its_ports_is_one_line() -> None:
    olt = FakeOlt()
    olt.failing["pon_ports", None] = ConnectError("refused")
    assert told(sweep(olt)) == ["None!ConnectError"]


def test_a_bug_is_no_port_that_could_not_be_read() -> None:
    olt = FakeOlt()
    olt.on_asked = lambda what, where: 1 / 0 if what == "onus" else None
    with pytest.raises(ZeroDivisionError):
        list(sweep(olt))


def test_an_onu_that_the_optical_table_leaves_out_is_not_lost() -> None:
    port = PORTS[0]

    class Short(FakeOlt):
        def onus(self, port: PonPort) -> tuple[OnuState, ...]:
            words = ("online", "online", "offline", None)
            return tuple(OnuState(onu=port.onu(n), run_state=word) for n, word in enumerate(words))

        def optical_port(self, port: PonPort) -> tuple[OpticalReading, ...]:
            return (reading(port.onu(0)), reading(port.onu(9)))

    found = {item.onu.onu_id: item for item in sweep(Short(ports=(port,))) if isinstance(item, SweepRecord)}
    assert list(found) == [0, 1, 2, 3, 9]
    reasons = {n: found[n].optical.onu_rx_dbm.absence for n in (1, 2, 3)}
    assert reasons == {1: Absence.NOT_REPORTED, 2: Absence.OFFLINE, 3: Absence.NOT_READ}
    # OLT Tx belongs to the port, so the ONU's row has it all the same
    assert found[2].optical.olt_tx_dbm.value == Dbm(3.2)
    assert found[2].loss.downstream_attenuation_db is None
    assert found[9].optical.complete
    assert found[9].absent["run_state"] is Absence.NOT_REPORTED


def test_distance_is_asked_only_on_wish_and_only_where_it_is_missing() -> None:
    class Partly(FakeOlt):
        def onus(self, port: PonPort) -> tuple[OnuState, ...]:
            known = OnuState(onu=port.onu(0), run_state="online", distance_m=7.0, last_down_cause="LOS")
            return (known, OnuState(onu=port.onu(1), run_state="online"))

    olt = Partly(ports=PORTS[:1])
    records = [item for item in sweep(olt, with_distance=True) if isinstance(item, SweepRecord)]
    assert [(record.distance_m, record.last_down_cause) for record in records] == [(7.0, "LOS"), (1234.0, None)]
    assert records[1].absent == {"last_down_cause": Absence.NOT_REPORTED}
    assert [where for what, where in olt.asked if what == "onu_state"] == [PORTS[0].onu(1)]


def test_a_page_that_cannot_be_read_costs_the_distance_only_and_a_lost_road_the_port() -> None:
    olt = FakeOlt(ports=PORTS[:1])
    olt.failing["onu_state", PORTS[0]] = ParseError("odd")
    assert told(sweep(olt, with_distance=True))[-1] == "0/1/0.2"
    olt.failing["onu_state", PORTS[0]] = SessionLost("cut")
    assert told(sweep(olt, with_distance=True)) == ["lab 1+0", "0/1/0!SessionLost"]


def test_every_item_is_a_line_of_json_and_back() -> None:
    olt = FakeOlt(ports=PORTS[:2])
    olt.failing["onus", PORTS[1]] = ParseError("odd")
    adapter: TypeAdapter[Any] = TypeAdapter(SweepItem)
    items = list(sweep(olt))
    assert len({type(item) for item in items}) == 4
    for item in items:
        line = item.model_dump_json(by_alias=True)
        assert line.startswith('{"schema":1,"olt":"lab","host":"192.0.2.10","event":"')
        assert adapter.validate_json(line) == item


def test_memory_holds_one_port_however_many_there_are() -> None:
    olt = FakeOlt(ports=tuple(PonPort(frame=0, slot=n, port=0) for n in range(60)), onus=64)

    def alive() -> int:
        gc.collect()
        return sum(isinstance(each, SweepRecord) for each in gc.get_objects())

    before, most = alive(), 0
    for item in sweep(olt):
        if isinstance(item, PortDone) and item.port.slot % 10 == 0:
            most = max(most, alive())
    assert 0 < most - before <= 64


# ---------------------------------------------------------------------- many OLTs


def labs(count: int, **more: Any) -> list[FakeOlt]:
    return [FakeOlt(f"olt{number}", **more) for number in range(count)]


def test_many_olts_come_as_one_stream_with_each_port_together() -> None:
    olts = labs(5)
    tally = Tally()
    items = list(tally.watching(sweep_many(olts, parallel=3)))
    assert (len(tally.olts), tally.onus, tally.ports_read, tally.ports_settled) == (5, 60, 30, 30)
    open_port: list[SweepItem] = []
    for item in items:
        if isinstance(item, SweepRecord):
            open_port.append(item)
        elif isinstance(item, PortDone):
            assert [(each.olt, each.onu.port) for each in open_port] == [(item.olt, item.port)] * 2  # type: ignore[union-attr]
            open_port.clear()
    assert [olt.left for olt in olts] == [1] * 5


def test_ports_that_are_done_are_known_by_the_olts_name() -> None:
    olts = labs(2, ports=PORTS[:2])
    items = list(sweep_many(olts, done={"olt1": ["0/1/0"], "another": ["0/1/1"]}))
    assert sorted(told(item for item in items if isinstance(item, OltStarted))) == ["olt0 2+0", "olt1 1+1"]


def test_a_dead_olt_does_not_stop_the_others() -> None:
    olts = labs(3, ports=PORTS[:2])
    olts[1].failing["pon_ports", None] = AuthError("wrong")
    tally = Tally()
    list(tally.watching(sweep_many(olts)))
    assert (tally.ports_read, [each.olt for each in tally.skipped]) == (4, ["olt1"])


def test_no_more_than_that_many_sessions_at_a_time() -> None:
    lock, now, most = threading.Lock(), 0, 0

    @contextmanager
    def opened(olt: FakeOlt) -> Iterator[FakeOlt]:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        try:
            yield olt
        finally:
            with lock:
                now -= 1

    list(sweep_many((opened(olt) for olt in labs(8, ports=PORTS[:2])), parallel=2))
    assert (now, most <= 2) == (0, True)


def test_a_slow_reader_slows_the_sweep_down() -> None:
    ports = tuple(PonPort(frame=0, slot=slot, port=port) for slot in range(10) for port in range(10))
    olt = FakeOlt(ports=ports, onus=1)
    changed, begun, taken = threading.Condition(), 0, 0

    def on_asked(what: str, where: Any) -> None:
        nonlocal begun
        with changed:
            begun += what == "onus"
            changed.notify_all()

    olt.on_asked = on_asked

    def ran_ahead() -> bool:
        return begun >= min(taken + 3, 100)

    # the queue holds two pieces (the first is the greeting of the OLT), and the thread has one more in its hand
    for item in sweep_many([olt], parallel=1):
        if isinstance(item, PortDone):
            taken += 1
            with changed:
                assert changed.wait_for(ran_ahead, timeout=20)
        assert begun <= taken + 4
    assert taken == 100


def test_what_entering_an_olt_raises_ends_the_sweep() -> None:
    def broken() -> AbstractContextManager[FakeOlt]:
        @contextmanager
        def opened() -> Iterator[FakeOlt]:
            raise SecretMissing("no password")
            yield

        return opened()

    with pytest.raises(SecretMissing):
        list(sweep_many([*labs(1), broken()]))


def test_less_than_one_at_a_time_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="0 OLTs at a time"):
        sweep_many(labs(1), parallel=0)


def test_closing_the_stream_stops_every_thread_and_leaves_every_olt() -> None:
    olts = labs(3, ports=tuple(PonPort(frame=0, slot=n, port=0) for n in range(90)), onus=1)
    stream = sweep_many(olts, parallel=2)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sweep-")]
    assert [olt.left for olt in olts[:2]] == [1, 1]
    assert (olts[2].asked, olts[2].left) == ([], 0)


def test_closing_does_not_wait_for_a_device_that_never_answers() -> None:
    answer = threading.Event()
    olts = labs(2, ports=PORTS[:1])
    olts[0].on_asked = lambda what, where: answer.wait(20) and None if what == "onus" else None
    stream = sweep_many(olts, patience_s=0.1)
    names = {next(stream).olt, next(stream).olt}
    stream.close()  # type: ignore[attr-defined]
    stuck = [thread for thread in threading.enumerate() if thread.name.startswith("sweep-")]
    assert names
    assert [thread.daemon for thread in stuck] == [True]
    answer.set()
    stuck[0].join(20)
    assert not stuck[0].is_alive()
    assert olts[0].left == 1
