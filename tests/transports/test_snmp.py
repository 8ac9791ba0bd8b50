"""SNMP over real sockets: both libraries through the same tests, against an agent that can be wrong in every way."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import subprocess
import sys
import threading
import traceback
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

sys.path.append(str(Path(__file__).parent))  # for the agent and the peers

import snmp_agent as wire
import snmp_peers
from snmp_agent import OPTICS, Agent, Request, binding, message, optics, reading, serving

from parts import missing
from ponprobe.dialect import SnmpDialect
from ponprobe.errors import (
    AuthError,
    ConfigError,
    ConnectError,
    DeviceError,
    MissingExtra,
    NotFound,
    NotSupported,
    ParseError,
    PonprobeError,
    Rejected,
    ResourceBusy,
    SessionLost,
    TransportError,
    TransportTimeout,
)
from ponprobe.flow import Missing, Oid, SnmpGet, SnmpWalk, ask_snmp
from ponprobe.transports import snmp
from ponprobe.transports.record import Transcript
from ponprobe.transports.snmp import SnmpSettings, open_snmp
from ponprobe.transports.snmp_message import read_answer
from ponprobe.transports.snmp_session import SnmpSession

COMMUNITY = "Canary-community-7"
HURRY = SnmpDialect("hurry", timeout_s=0.2, retries=1)
ONCE = SnmpDialect("once", timeout_s=0.2, retries=0)
PATIENT = SnmpDialect("patient", timeout_s=10)
SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
BEHIND: Oid = (1, 3, 6, 1, 6, 1, 0)
TABLE = {**optics(2, 2, 8), BEHIND: wire.integer(1)}
COLUMN: Oid = (*OPTICS, 4)
PORT: Oid = (0xFA000000 | 1 << 13 | 1 << 8,)


@pytest.fixture(params=["pysnmp", "gufo"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "gufo":
        needs_gufo()
    return str(request.param)


def needs_gufo() -> None:
    try:
        import gufo.snmp  # noqa: F401, PLC0415
    except ImportError:
        missing("gufo-snmp is not installed")


def opened(agent: Agent, backend: str, dialect: SnmpDialect = PATIENT) -> SnmpSession:
    settings = SnmpSettings(agent.host, agent.port, community=SecretStr(COMMUNITY))
    return open_snmp(settings, dialect, backend=backend)  # type: ignore[arg-type]


def expected(rows: dict[Oid, bytes], prefix: Oid) -> list[Oid]:
    return [oid for oid in sorted(rows) if oid[: len(prefix)] == prefix]


def on(number: int, wrong: Any) -> wire.Misbehaviour:
    """Misbehave at one request, counted from 1; be honest at the others."""
    counter = itertools.count(1)

    def misbehave(agent: Agent, request: Request, honest: bytes) -> list[bytes]:
        return wrong(agent, request, honest) if next(counter) == number else [honest]

    return misbehave


def answering(*rows: tuple[Oid, bytes], status: int = 0, index: int = 0) -> Any:
    """An answer with these rows, whatever was asked."""
    body = b"".join(binding(*row) for row in rows)
    return lambda _, request, __: [message(request.community, request.request_id, body, status=status, index=index)]


def silence(*_: object) -> list[bytes]:
    return []


@pytest.fixture
def agent_with() -> Iterator[Any]:
    import contextlib  # noqa: PLC0415

    with contextlib.ExitStack() as stack:

        def start(misbehave: wire.Misbehaviour | None = None, rows: Any = None) -> Agent:
            return stack.enter_context(serving(rows or TABLE, misbehave, community=COMMUNITY.encode()))

        yield start


# ------------------------------------------------------------------------------------------------------------- reading


def test_every_type_and_every_kind_of_nothing(backend: str, agent_with: Any) -> None:
    base: Oid = (1, 3, 6, 1, 4, 1, 9)
    encoded: list[tuple[bytes, Any]] = [
        (wire.integer(0), 0),
        (wire.integer(-1792), -1792),
        (wire.integer(-(2**31)), -(2**31)),
        (wire.integer(2**31 - 1), 2147483647),
        (wire.integer(2**32 - 1, 0x41), 4294967295),
        (wire.integer(2**32 - 1, 0x42), 4294967295),
        (wire.integer(4242, 0x43), 4242),
        (wire.integer(2**64 - 1, 0x46), 2**64 - 1),
        (wire.octets(b""), b""),
        (wire.octets(b"HWTC\x0b\x08\x6e\xa9"), b"HWTC\x0b\x08\x6e\xa9"),
        (wire.octets(b"1.2.3.4"), b"1.2.3.4"),
        (wire.oid((1, 3, 6, 1, 4, 1, 2011, 2, 123)), (1, 3, 6, 1, 4, 1, 2011, 2, 123)),
        (wire.oid((0, 0)), (0, 0)),
        (wire.address("0.0.0.0"), "0.0.0.0"),
        (wire.address("255.1.2.3"), "255.1.2.3"),
        (wire.NULL, Missing.NULL),
    ]
    rows = {(*base, 1, n): value for n, (value, _) in enumerate(encoded)}
    asked = (*rows, (*base, 1, 99), (1, 3, 6, 1, 4, 1, 77, 1))
    agent = agent_with(rows=rows)
    with opened(agent, backend, SnmpDialect(timeout_s=10, get_chunk=5)) as session:
        reply = session.get(SnmpGet(asked))
        rows_walked = dict(session.walk(SnmpWalk((*base, 1))).rows())
    assert list(reply.values) == list(asked)
    assert [reply.values[oid] for oid in rows] == [value for _, value in encoded]
    assert [type(reply.values[oid]) for oid in rows] == [type(value) for _, value in encoded]
    assert reply.values[(*base, 1, 99)] is Missing.NO_SUCH_INSTANCE
    assert reply.values[(1, 3, 6, 1, 4, 1, 77, 1)] is Missing.NO_SUCH_OBJECT
    assert [len(request.oids) for request in agent.requests if request.kind == wire.GET] == [5, 5, 5, 3]
    # a row without a value is no row
    assert rows_walked == {(n,): value for n, (_, value) in enumerate(encoded) if value is not Missing.NULL}
    assert reply.source == "snmp: get 1.3.6.1.4.1.9.1.0 (+17)"
    assert reply.at.tzinfo is not None


@pytest.mark.parametrize("use_bulk", [True, False])
def test_a_walk_is_its_prefix_and_nothing_else(backend: str, agent_with: Any, use_bulk: bool) -> None:
    agent = agent_with()
    with opened(agent, backend, SnmpDialect(timeout_s=10, max_repetitions=5, use_bulk=use_bulk)) as session:
        column = session.walk(SnmpWalk(COLUMN))
        port = session.walk(SnmpWalk(COLUMN, PORT))
        nobody = session.walk(SnmpWalk(COLUMN, (1,)))
        last = session.walk(SnmpWalk(BEHIND[:-1]))
        beyond = session.walk(SnmpWalk((2, 1)))
    assert list(column.values) == expected(TABLE, COLUMN)
    assert dict(port.rows()) == {(*PORT, onu): reading(4, 1, 1, onu) for onu in range(8)}
    assert (dict(nobody.values), dict(beyond.values)) == ({}, {})
    assert dict(last.values) == {BEHIND: 1}
    kinds = {request.kind for request in agent.requests}
    assert kinds == ({wire.GET_BULK} if use_bulk else {wire.GET_NEXT})
    assert {request.repetitions for request in agent.requests} == ({5} if use_bulk else {0})


def test_port_scope_asks_for_little(backend: str, agent_with: Any) -> None:
    agent = agent_with()
    with opened(agent, backend, SnmpDialect(timeout_s=10, max_repetitions=10)) as session:
        session.walk(SnmpWalk(COLUMN, PORT))
    assert len(agent.requests) == 1


@pytest.mark.parametrize("wrong", [{"max_repetitions": 0}, {"get_chunk": 0}, {"retries": -1}, {"timeout_s": 0}])
def test_repetitions_are_never_zero(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"at least|more than"):
        SnmpDialect(**wrong)


@pytest.mark.parametrize("wrong", [(), (1,), (3, 1), (1, 40), (1, 3, -1), (1, 3, 2**32)])
def test_what_is_no_oid_is_not_asked(wrong: Oid) -> None:
    with pytest.raises(ValueError, match="object identifier"):
        SnmpGet((wrong,))
    with pytest.raises(ValueError, match="object identifier"):
        SnmpWalk(wrong)


def test_flow_asks_and_is_answered(backend: str, agent_with: Any) -> None:
    flow = ask_snmp(SnmpWalk(COLUMN, PORT))
    with opened(agent_with(), backend) as session:
        request = next(flow)
        assert isinstance(request, SnmpWalk)
        with pytest.raises(StopIteration) as end:
            flow.send(session.walk(request))
    assert len(end.value.value.values) == 8


def test_same_rows_as_net_snmp(backend: str, agent_with: Any) -> None:
    if not snmp_peers.installed():
        missing("net-snmp's snmpd and snmpbulkwalk are not installed")
    agent = agent_with()
    theirs = snmp_peers.bulkwalk(agent.port, COMMUNITY, "1.3.6.1.4.1.2011")
    with opened(agent, backend) as session:
        ours = session.walk(SnmpWalk((1, 3, 6, 1, 4, 1, 2011))).values
    assert [f".{'.'.join(map(str, oid))} {value}" for oid, value in ours.items()] == theirs


# -------------------------------------------------------------------------------------------- what the network can do


def test_lost_datagrams_are_asked_for_again(backend: str, agent_with: Any) -> None:
    counter = itertools.count(1)
    agent = agent_with(lambda _, __, honest: [] if next(counter) % 3 == 0 else [honest])
    with opened(agent, backend, SnmpDialect(timeout_s=0.15, retries=1, max_repetitions=6)) as session:
        assert list(session.walk(SnmpWalk(COLUMN)).values) == expected(TABLE, COLUMN)
        assert set(session.get(SnmpGet((expected(TABLE, COLUMN)[0],))).values.values()) == {-4000}


@pytest.mark.parametrize("use_bulk", [True, False])
def test_a_walk_that_times_out_is_not_a_shorter_table(backend: str, agent_with: Any, use_bulk: bool) -> None:
    counter = itertools.count(1)
    agent = agent_with(lambda _, __, honest: [honest] if next(counter) <= 2 else [])
    dialect = SnmpDialect(timeout_s=0.15, retries=1, max_repetitions=6, use_bulk=use_bulk)
    with opened(agent, backend, dialect) as session:
        with pytest.raises(TransportTimeout, match=r"did not answer .* asked 2 times"):
            session.walk(SnmpWalk(COLUMN))
        assert len(agent.requests) == 4
        seen: list[object] = []
        agent.misbehave = on(2, silence)
        with opened(agent, backend, ONCE) as other, pytest.raises(TransportTimeout):
            seen.extend(other.iter_walk(SnmpWalk(COLUMN)))
    assert 0 < len(seen) < len(expected(TABLE, COLUMN))


def test_wrong_community_looks_like_silence_and_the_message_says_so(backend: str, agent_with: Any) -> None:
    agent = agent_with()
    settings = SnmpSettings(agent.host, agent.port, community=SecretStr("Canary-other-8"))
    session = open_snmp(settings, ONCE, backend=backend)  # type: ignore[arg-type]
    with session, pytest.raises(TransportTimeout, match="wrong community") as caught:
        session.get(SnmpGet((BEHIND,)))
    assert (caught.value.host, caught.value.access) == (agent.host, "snmp")


def test_nobody_there(backend: str, agent_with: Any) -> None:
    agent = agent_with()
    agent.stop()
    settings = SnmpSettings("127.0.0.1", 1, community=SecretStr(COMMUNITY))
    with open_snmp(settings, HURRY, backend=backend) as session:  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises((TransportTimeout, ConnectError), match=r"127.0.0.1:1"):
                session.walk(SnmpWalk(COLUMN))


def test_name_that_leads_nowhere(backend: str) -> None:
    settings = SnmpSettings("no-such-olt.invalid", community=SecretStr(COMMUNITY))
    with pytest.raises(ConnectError, match="could not be resolved"):
        open_snmp(settings, backend=backend)  # type: ignore[arg-type]


def test_duplicates_and_strangers_do_no_harm(backend: str, agent_with: Any) -> None:
    def noisy(_: Agent, request: Request, honest: bytes) -> list[bytes]:
        stranger = message(b"other", request.request_id, binding((*COLUMN, 1, 1), wire.integer(666)))
        other = message(request.community, request.request_id ^ 0x55, binding((*COLUMN, 1, 1), wire.integer(666)))
        return [stranger, other, b"\x00noise", b"", honest, honest]

    with opened(agent_with(noisy), backend, SnmpDialect(timeout_s=2, max_repetitions=6)) as session:
        values = session.walk(SnmpWalk(COLUMN)).values
        assert session.get(SnmpGet((BEHIND,))).values == {BEHIND: 1}
    assert list(values) == expected(TABLE, COLUMN)
    assert 666 not in values.values()


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one(backend: str, agent_with: Any) -> None:
    def late(agent: Agent, _: Request, honest: bytes) -> list[bytes]:
        agent.stash.append(honest)
        return [agent.stash[-2]] if len(agent.stash) > 1 else []

    first, second = expected(TABLE, COLUMN)[:2]
    with opened(agent_with(late), backend, ONCE) as session:
        for oid in (first, second):
            with pytest.raises(TransportTimeout):
                session.get(SnmpGet((oid,)))
        with pytest.raises(TransportTimeout):
            session.walk(SnmpWalk(COLUMN))


def test_a_slow_column_is_given_time_and_others_are_not(backend: str, agent_with: Any) -> None:
    release = threading.Event()

    def slow(_: Agent, __: Request, honest: bytes) -> list[bytes]:
        assert release.wait(10)
        return [honest]

    agent = agent_with(slow)
    with opened(agent, backend, ONCE) as session, ThreadPoolExecutor(1) as pool:
        with pytest.raises(TransportTimeout, match=r"within 0\.2 s"):
            session.get(SnmpGet((BEHIND,)))
        patient = pool.submit(session.get, SnmpGet((BEHIND,), timeout_s=10))
        release.set()
        assert patient.result().values == {BEHIND: 1}


# ---------------------------------------------------------------------------------------------- what an agent can do


@pytest.mark.parametrize("use_bulk", [True, False])
@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([(*COLUMN, 0xFA000000, 2), (*COLUMN, 0xFA000000, 1)], id="back"),
        pytest.param([(*COLUMN, 0xFA000000, 2), (*COLUMN, 0xFA000000, 2)], id="same"),
        pytest.param([(*COLUMN, 0xFA000000, 2), SYSTEM], id="back-and-outside"),
        pytest.param([COLUMN], id="the-prefix-itself"),
    ],
)
def test_rows_out_of_order(backend: str, agent_with: Any, rows: list[Oid], use_bulk: bool) -> None:
    answers = itertools.cycle(rows)

    def disorder(_: Agent, request: Request, __: bytes) -> list[bytes]:
        names = rows if request.kind == wire.GET_BULK else [next(answers)]
        body = b"".join(binding(name, wire.integer(5)) for name in names)
        return [message(request.community, request.request_id, body)]

    dialect = SnmpDialect(timeout_s=0.5, retries=0, use_bulk=use_bulk)
    with opened(agent_with(disorder), backend, dialect) as session, pytest.raises(ParseError, match="out of order"):
        session.walk(SnmpWalk(COLUMN))


def test_a_loop_over_several_answers_is_found(backend: str, agent_with: Any) -> None:
    def loop(agent: Agent, request: Request, honest: bytes) -> list[bytes]:
        if len(agent.requests) < 3:
            return [honest]
        return [message(request.community, request.request_id, binding((*COLUMN, 0xFA000000, 0), wire.integer(1)))]

    dialect = SnmpDialect(timeout_s=5, max_repetitions=4)
    with opened(agent_with(loop), backend, dialect) as session, pytest.raises(ParseError, match="out of order"):
        session.walk(SnmpWalk(COLUMN))


@pytest.mark.parametrize("limit", [1, 7])
def test_too_big_halves_what_is_asked_and_remembers(backend: str, agent_with: Any, limit: int) -> None:
    def small(_: Agent, request: Request, honest: bytes) -> list[bytes]:
        if max(request.repetitions, len(request.oids)) <= limit:
            return [honest]
        return [message(request.community, request.request_id, b"", status=1)]

    agent = agent_with(small)
    with opened(agent, backend, SnmpDialect(timeout_s=5, max_repetitions=20, get_chunk=16)) as session:
        assert list(session.walk(SnmpWalk(COLUMN)).values) == expected(TABLE, COLUMN)
        before = len(agent.requests)
        session.walk(SnmpWalk(COLUMN, PORT))
        assert all(request.repetitions <= limit for request in agent.requests[before:])
        oids = tuple(expected(TABLE, COLUMN)[:16])
        assert list(session.get(SnmpGet(oids)).values) == list(oids)


def test_too_big_for_one_row_is_an_error(backend: str, agent_with: Any) -> None:
    with opened(agent_with(answering(status=1)), backend) as session:
        for ask in (lambda: session.get(SnmpGet((BEHIND,))), lambda: session.walk(SnmpWalk(COLUMN))):
            with pytest.raises(Rejected, match="tooBig"):
                ask()


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("use_bulk", [True, False])
@pytest.mark.parametrize("status", [2, 3, 4, 5, 6, 13, 16, 18, 19, 99])
def test_refusals_are_errors_and_never_the_end(
    backend: str, agent_with: Any, status: int, use_bulk: bool, echo: bool
) -> None:
    kinds: dict[int, type[PonprobeError]] = {2: NotFound, 6: AuthError, 13: ResourceBusy, 16: AuthError}

    def refuse(_: Agent, request: Request, __: bytes) -> list[bytes]:
        body = b"".join(binding(oid, wire.NULL) for oid in request.oids) if echo else b""
        return [message(request.community, request.request_id, body, status=status, index=1)]

    agent = agent_with()
    dialect = SnmpDialect(timeout_s=5, max_repetitions=4, use_bulk=use_bulk)
    with opened(agent, backend, dialect) as session:
        for number in (1, 2):  # at once, and in the middle of the table
            agent.misbehave = on(number, refuse)
            with pytest.raises(kinds.get(status, Rejected)) as caught:
                session.walk(SnmpWalk(COLUMN))
            assert "was refused" in str(caught.value)
        agent.misbehave = refuse
        with pytest.raises(kinds.get(status, Rejected)) as caught:
            session.get(SnmpGet((BEHIND, COLUMN)))
        if echo:
            assert "about 1.3.6.1.6.1.0" in str(caught.value)
        if isinstance(caught.value, DeviceError):
            assert (caught.value.host, caught.value.command) == (agent.host, "get 1.3.6.1.6.1.0 (+1)")


def test_an_agent_that_refuses_bulk(backend: str, agent_with: Any) -> None:
    def getnext_only(_: Agent, request: Request, honest: bytes) -> list[bytes]:
        if request.kind != wire.GET_BULK:
            return [honest]
        return [message(request.community, request.request_id, b"", status=5, index=1)]

    agent = agent_with(getnext_only)
    with opened(agent, backend) as session, pytest.raises(Rejected, match="use_bulk = False"):
        session.walk(SnmpWalk(COLUMN))
    with opened(agent, backend, SnmpDialect(timeout_s=5, use_bulk=False)) as session:
        assert list(session.walk(SnmpWalk(COLUMN)).values) == expected(TABLE, COLUMN)


def test_rows_without_values_inside_a_table(backend: str, agent_with: Any) -> None:
    rows = {(*COLUMN, n): wire.NO_SUCH_INSTANCE if n % 3 == 0 else wire.integer(n) for n in range(12)}
    rows |= {(*COLUMN, n): wire.NULL for n in range(12, 24)} | {
        (*COLUMN, 30): wire.integer(30),
        BEHIND: wire.integer(1),
    }
    with opened(agent_with(rows=rows), backend, SnmpDialect(timeout_s=5, max_repetitions=5)) as session:
        values = session.walk(SnmpWalk(COLUMN)).values
    assert list(values.values()) == [1, 2, 4, 5, 7, 8, 10, 11, 30]


BROKEN: dict[str, Any] = {
    "cut short": lambda _, __, honest: [honest[:-3]],
    "cut to the head": lambda _, __, honest: [honest[:9]],
    "not SNMP": lambda *_: [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    "nothing at all": lambda *_: [b""],
    "a binding of nothing": lambda _, r, __: [message(r.community, r.request_id, b"\x30\x00")],
    "a name of nothing": lambda _, r, __: [message(r.community, r.request_id, b"\x30\x04\x06\x00\x02\x00")],
    "a value longer than the rest": lambda _, r, __: [
        message(r.community, r.request_id, binding((*COLUMN, 1), b"\x02\x7f\x01"))
    ],
    "an unknown tag": lambda _, r, __: [message(r.community, r.request_id, binding((*COLUMN, 1), b"\x4f\x01\x01"))],
    "an address of three": lambda _, r, __: [message(r.community, r.request_id, binding((*COLUMN, 1), b"\x40\x03abc"))],
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_an_error(backend: str, agent_with: Any, broken: Any) -> None:
    agent = agent_with(broken)
    with opened(agent, backend, ONCE) as session:
        for ask in (lambda: session.walk(SnmpWalk(COLUMN)), lambda: session.get(SnmpGet(((*COLUMN, 1),)))):
            with pytest.raises(ParseError, match="cannot be read"):
                ask()
        agent.misbehave = None  # and it goes on afterwards
        assert len(session.walk(SnmpWalk(COLUMN)).values) == 32


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="nothing"),
        pytest.param([((*COLUMN, 1, 1), wire.integer(5))], id="another"),
        pytest.param([(BEHIND, wire.integer(5)), ((*COLUMN, 1, 1), wire.integer(5))], id="one-too-many"),
    ],
)
def test_an_answer_to_another_question(backend: str, agent_with: Any, rows: list[tuple[Oid, bytes]]) -> None:
    agent = agent_with(answering(*rows))
    with opened(agent, backend, ONCE) as session, pytest.raises(ParseError, match="other objects"):
        session.get(SnmpGet((BEHIND,)))


def test_an_empty_answer_is_not_the_end(backend: str, agent_with: Any) -> None:
    agent = agent_with(on(2, answering()))
    dialect = SnmpDialect(timeout_s=5, max_repetitions=4)
    with opened(agent, backend, dialect) as session, pytest.raises(ParseError, match="without a row"):
        session.walk(SnmpWalk(COLUMN))


@pytest.mark.parametrize("octets", [4, 5, 7, 8])
@pytest.mark.parametrize("use_bulk", [True, False])
def test_long_negative_integers_keep_their_value(backend: str, agent_with: Any, octets: int, use_bulk: bool) -> None:
    rows = {(*COLUMN, n): wire.tlv(2, (-18 - n).to_bytes(octets, "big", signed=True)) for n in range(9)}
    rows[BEHIND] = wire.integer(1)
    with opened(
        agent_with(rows=rows), backend, SnmpDialect(timeout_s=5, max_repetitions=4, use_bulk=use_bulk)
    ) as session:
        assert list(session.walk(SnmpWalk(COLUMN)).values.values()) == [-18 - n for n in range(9)]
        assert session.get(SnmpGet(((*COLUMN, 0),))).values == {(*COLUMN, 0): -18}


def test_random_damage_brings_only_our_errors(backend: str, agent_with: Any) -> None:
    chance = random.Random(7)

    def damaged(_: Agent, __: Request, honest: bytes) -> list[bytes]:
        octets = bytearray(honest)
        for _ in range(chance.randint(1, 4)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        return [bytes(octets[: chance.randint(0, len(octets)) if chance.random() < 0.3 else len(octets)]), honest]

    agent = agent_with(damaged)
    outcomes = set()
    with opened(agent, backend, SnmpDialect(timeout_s=0.5, retries=1, max_repetitions=8)) as session:
        for _ in range(60):
            try:
                values = session.walk(SnmpWalk(COLUMN, PORT)).values
            except PonprobeError as exc:
                outcomes.add(type(exc))
                continue
            outcomes.add(type(None))
            assert all(oid[: len(COLUMN)] == COLUMN for oid in values)
    assert type(None) in outcomes


# ------------------------------------------------------------------------------------------------- loops and threads


def test_inside_a_running_event_loop(backend: str, agent_with: Any) -> None:
    agent = agent_with()

    async def cell() -> int:
        with opened(agent, backend) as session:
            return len(session.walk(SnmpWalk(COLUMN)).values)

    assert asyncio.run(cell()) == 32


def test_from_many_threads(backend: str, agent_with: Any) -> None:
    agent = agent_with()
    barrier = threading.Barrier(16)

    def job(number: int) -> tuple[int, list[Oid]]:
        barrier.wait(10)
        onu = (*COLUMN, *PORT, number % 8)
        values = session.get(SnmpGet((onu,))).values
        assert values == {onu: reading(4, 1, 1, number % 8)}
        return number, list(session.walk(SnmpWalk((*OPTICS, (1, 3, 4, 6)[number % 4]))).values)

    with opened(agent, backend) as session, ThreadPoolExecutor(16) as pool:
        for number, rows in pool.map(job, range(16)):
            assert rows == expected(TABLE, (*OPTICS, (1, 3, 4, 6)[number % 4]))


def test_no_more_requests_at_once_than_the_dialect_allows(backend: str, agent_with: Any) -> None:
    under_way, most = 0, 0
    lock = threading.Lock()
    settings = SnmpSettings("127.0.0.1", 1, community=SecretStr(COMMUNITY))

    class Counting:
        name = backend

        def get(self, oids: tuple[Oid, ...], timeout_s: float) -> Any:
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            pause.wait(0.01)
            with lock:
                under_way -= 1
            return [(oid, 1) for oid in oids]

        def close(self) -> None: ...

    pause = threading.Event()
    session = SnmpSession(
        settings,
        SnmpDialect(max_concurrent=3),
        Counting(),
        Transcript(),  # type: ignore[arg-type]
    )
    with session, ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: session.get(SnmpGet((BEHIND,))), range(24)))
    assert most <= 3


def test_two_walks_at_once_in_one_thread(backend: str, agent_with: Any) -> None:
    with opened(agent_with(), backend, SnmpDialect(timeout_s=10, max_repetitions=3, max_concurrent=1)) as session:
        one, other = (session.iter_walk(SnmpWalk((*OPTICS, column))) for column in (1, 6))
        pairs = list(zip(one, other, strict=True))
    assert len(pairs) == 32


def test_a_closed_session_asks_nothing(backend: str, agent_with: Any) -> None:
    agent = agent_with()
    session = opened(agent, backend)
    rows = session.iter_walk(SnmpWalk(COLUMN))
    next(rows)
    session.close()
    session.close()
    asked = len(agent.requests)
    with pytest.raises(SessionLost, match="closed"):
        list(rows)
    with pytest.raises(SessionLost, match="closed"):
        session.get(SnmpGet((BEHIND,)))
    assert len(agent.requests) == asked
    assert not [thread for thread in threading.enumerate() if thread.name == "ponprobe-snmp"]


def test_closing_ends_the_waiting(backend: str, agent_with: Any) -> None:
    asked = threading.Event()

    def hold(*_: object) -> list[bytes]:
        asked.set()
        return []

    session = opened(agent_with(hold), backend, SnmpDialect(timeout_s=0.5, retries=5))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(session.get, SnmpGet((BEHIND,)))
        assert asked.wait(10)
        session.close()
        with pytest.raises(TransportError):
            waiting.result(10)


def test_a_full_table_streams_in_bounded_memory(backend: str, agent_with: Any) -> None:
    # under tracemalloc pysnmp would take minutes for the whole table
    columns, boards = ((1, 3, 4, 6), 16) if backend == "gufo" else ((4,), 4)
    rows = {**optics(boards, columns=columns), BEHIND: wire.integer(1)}
    agent = agent_with(rows=rows)
    agent.remember = False
    settings = SnmpSettings(agent.host, agent.port, community=SecretStr(COMMUNITY))
    dialect = SnmpDialect(timeout_s=10, max_repetitions=50)
    short = Transcript(limit_chars=10_000)
    with open_snmp(settings, dialect, backend=backend, transcript=short) as session:  # type: ignore[arg-type]
        list(session.iter_walk(SnmpWalk((*OPTICS, columns[0]), PORT)))  # imports, tables, caches
        count = total = 0
        tracemalloc.start()
        try:
            for column in columns:
                for _, value in session.iter_walk(SnmpWalk((*OPTICS, column))):
                    count, total = count + 1, total + int(value)  # type: ignore[arg-type]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert count == boards * 16 * 64 * len(columns)
    assert total == sum(
        reading(c, b, p, n) for c in columns for b in range(boards) for p in range(16) for n in range(64)
    )
    assert peak < 500_000  # a quarter of one column takes more than 1 MB, the whole table more than 20 MB


# --------------------------------------------------------------------------------------------------------- version 3


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[snmp_peers.Daemon]:
    if not snmp_peers.installed():
        missing("net-snmp's snmpd and snmpbulkwalk are not installed")
    with snmp_peers.daemon(tmp_path_factory.mktemp("snmpd")) as peer:
        yield peer


DESCRIPTION: Oid = (*SYSTEM, 1, 0)
COMBINATIONS = [
    ("plain", "none", "none"),
    ("md5", "md5", "none"),
    ("sha1", "sha1", "none"),
    ("sha1des", "sha1", "des"),
    ("sha1aes", "sha1", "aes128"),
    ("sha224aes", "sha224", "aes128"),
    ("sha256aes", "sha256", "aes128"),
    ("sha384aes", "sha384", "aes128"),
    ("sha512aes", "sha512", "aes128"),
    ("sha1aes192", "sha1", "aes192"),
    ("sha1aes256", "sha1", "aes256"),
    ("sha512aes256", "sha512", "aes256"),
    ("sha512aes256", "sha512", "aes256c"),
]


def v3(daemon: snmp_peers.Daemon, user: str, auth: str, priv: str, **more: Any) -> SnmpSettings:
    fields: dict[str, Any] = {
        "auth_key": SecretStr(snmp_peers.AUTH_KEY) if auth != "none" else None,
        "priv_key": SecretStr(snmp_peers.PRIV_KEY) if priv != "none" else None,
        **more,
    }
    return SnmpSettings(
        "127.0.0.1",
        daemon.port,
        version="3",
        user=user,
        auth_protocol=auth,  # type: ignore[arg-type]
        priv_protocol=priv,  # type: ignore[arg-type]
        **fields,
    )


@pytest.mark.parametrize(("user", "auth", "priv"), COMBINATIONS, ids=str)
def test_version_3(backend: str, daemon: snmp_peers.Daemon, user: str, auth: str, priv: str) -> None:
    settings = v3(daemon, user, auth, priv)
    with open_snmp(settings, SnmpDialect(timeout_s=5, max_repetitions=3), backend=backend) as session:  # type: ignore[arg-type]
        assert session.backend == backend
        reply = session.get(SnmpGet((DESCRIPTION, (*SYSTEM, 99, 0))))
        assert reply.values[DESCRIPTION] == snmp_peers.DESCRIPTION.encode()
        assert reply.values[(*SYSTEM, 99, 0)] in (Missing.NO_SUCH_OBJECT, Missing.NO_SUCH_INSTANCE)
        rows = session.walk(SnmpWalk(SYSTEM)).values  # its view ends here, so the table's end is the view's end
        assert DESCRIPTION in rows
        # its uptime and change times move between the two readings
        assert len(rows) == len(session.walk(SnmpWalk((1, 3, 6, 1, 2, 1))).values)


@pytest.mark.parametrize(
    ("user", "auth", "priv", "more", "hint"),
    [
        pytest.param("nobody", "sha1", "aes128", {}, "does not know this user", id="user"),
        pytest.param(
            "sha1aes", "sha1", "aes128", {"auth_key": SecretStr("Canary-wrong-9")}, "authentication key", id="key"
        ),
        pytest.param("sha1aes", "sha256", "aes128", {}, "authentication key or protocol", id="protocol"),
        pytest.param("sha1", "sha1", "aes128", {}, "security level", id="level"),
    ],
)
def test_version_3_that_is_not_believed(  # noqa: PLR0917 - what is wrong, and what is told
    backend: str, daemon: snmp_peers.Daemon, user: str, auth: str, priv: str, more: dict[str, Any], hint: str
) -> None:
    with open_snmp(v3(daemon, user, auth, priv, **more), HURRY, backend=backend) as session:  # type: ignore[arg-type]
        for ask in (lambda: session.get(SnmpGet((DESCRIPTION,))), lambda: session.walk(SnmpWalk(SYSTEM))):
            with pytest.raises(AuthError, match=hint) as caught:
                ask()
            assert_no_secret(caught.value, session, snmp_peers.AUTH_KEY, snmp_peers.PRIV_KEY, "Canary-wrong-9")


def test_version_3_with_another_privacy_key(backend: str, daemon: snmp_peers.Daemon) -> None:
    settings = v3(daemon, "sha1aes", "sha1", "aes128", priv_key=SecretStr("Canary-wrong-9"))
    session = open_snmp(settings, HURRY, backend=backend)  # type: ignore[arg-type]
    with session, pytest.raises((AuthError, TransportTimeout), match="privacy key"):
        session.walk(SnmpWalk(SYSTEM))


def test_version_3_outside_the_view(backend: str, daemon: snmp_peers.Daemon) -> None:
    with open_snmp(v3(daemon, "sha1aes", "sha1", "aes128"), PATIENT, backend=backend) as session:  # type: ignore[arg-type]
        outside = (1, 3, 6, 1, 2, 1, 2, 1, 0)
        assert isinstance(session.get(SnmpGet((outside,))).values[outside], Missing)
        assert not session.walk(SnmpWalk((1, 3, 6, 1, 2, 1, 2))).values


@pytest.mark.parametrize("forget", [False, True], ids=["restarted", "exchanged"])
def test_version_3_goes_on_when_the_device_has(backend: str, tmp_path: Path, forget: bool) -> None:
    if not snmp_peers.installed():
        missing("net-snmp's snmpd and snmpbulkwalk are not installed")
    with (
        snmp_peers.daemon(tmp_path) as peer,
        open_snmp(v3(peer, "sha256aes", "sha256", "aes128"), HURRY, backend=backend) as session,  # type: ignore[arg-type]
    ):
        for _ in range(3):
            assert session.get(SnmpGet((DESCRIPTION,))).values[DESCRIPTION] == snmp_peers.DESCRIPTION.encode()
            assert DESCRIPTION in session.walk(SnmpWalk(SYSTEM)).values
            peer.stop(forget=forget)
            with pytest.raises(TransportError):
                session.get(SnmpGet((DESCRIPTION,)))
            peer.start()


def test_a_context_is_for_pysnmp(daemon: snmp_peers.Daemon) -> None:
    needs_gufo()
    settings = v3(daemon, "sha1aes", "sha1", "aes128", context="vlan-7")
    with pytest.raises(NotSupported, match=r"gufo-snmp cannot name an SNMP context.*pysnmp"):
        open_snmp(settings, backend="gufo")
    with open_snmp(settings, PATIENT) as session:
        assert session.backend == "pysnmp"


# --------------------------------------------------------------------------------- what is set, secret, and imported


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "needs a community"),
        ({"community": SecretStr("")}, "needs a community"),
        ({"version": "1", "community": SecretStr("public")}, "version is '1'"),
        ({"community": SecretStr("public"), "user": "me"}, "no user"),
        ({"community": SecretStr("public"), "context": "x"}, "no context"),
        ({"community": SecretStr("píblic")}, "printable ASCII"),
        ({"community": SecretStr("public"), "port": 0}, "port 0"),
        ({"version": "3"}, "needs a user"),
        ({"version": "3", "user": "me", "community": SecretStr("public")}, "no community"),
        ({"version": "3", "user": "me", "auth_protocol": "sha1"}, "go together"),
        ({"version": "3", "user": "me", "auth_key": SecretStr("12345678")}, "go together"),
        ({"version": "3", "user": "me", "auth_protocol": "sha1", "auth_key": SecretStr("1234567")}, "fewer than 8"),
        ({"version": "3", "user": "me", "auth_protocol": "sha3", "auth_key": SecretStr("12345678")}, "sha512"),
        ({"version": "3", "user": "me", "priv_protocol": "aes128", "priv_key": SecretStr("12345678")}, "needs auth"),
    ],
)
def test_settings_that_cannot_work(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        SnmpSettings("olt-1", **fields)


def test_unknown_backend() -> None:
    with pytest.raises(ConfigError, match="auto, pysnmp, gufo"):
        open_snmp(SnmpSettings("127.0.0.1", community=SecretStr("public")), backend="easysnmp")  # type: ignore[arg-type]


def assert_no_secret(exc: BaseException, session: SnmpSession, *secrets: str) -> None:
    text = "".join(traceback.format_exception(exc)) + repr(exc) + session.transcript.to_jsonl()
    for secret in secrets:
        assert secret not in text
        assert secret.encode().hex() not in text.lower()


@pytest.mark.parametrize("wrong", [silence, *BROKEN.values()], ids=["silence", *BROKEN])
def test_no_secret_is_shown(backend: str, agent_with: Any, wrong: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with opened(agent_with(wrong), backend, ONCE) as session:
        with pytest.raises(PonprobeError) as caught:
            session.walk(SnmpWalk(COLUMN))
        assert_no_secret(caught.value, session, COMMUNITY)
        assert session.transcript.scrubber.scrub(f"as {COMMUNITY}") == "as ***"
    assert COMMUNITY not in caplog.text
    assert COMMUNITY not in repr(SnmpSettings("olt-1", community=SecretStr(COMMUNITY)))


def test_transcript_has_a_line_for_each_exchange(backend: str, agent_with: Any) -> None:
    agent = agent_with(on(2, silence))
    with opened(agent, backend, SnmpDialect(timeout_s=0.2, max_repetitions=20)) as session:
        session.walk(SnmpWalk(COLUMN))
        lines = session.transcript.text().splitlines()
    assert len(lines) == len(agent.requests) == 3
    assert "getbulk x20 1.3.6.1.4.1.2011.6.128.1.1.2.51.1.4 -> 20 rows (" in lines[0]
    assert "no answer (attempt 1 of 2)" in lines[1]
    assert "12 rows, the end" in lines[2]


def test_gufo_is_taken_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SnmpSettings("127.0.0.1", community=SecretStr("public"))
    monkeypatch.setattr(snmp, "_installed", lambda _: False)
    with open_snmp(settings) as session:
        assert session.backend == "pysnmp"
    with pytest.raises(MissingExtra, match="extra 'fast'"):
        open_snmp(settings, backend="gufo")
    monkeypatch.undo()
    needs_gufo()
    with open_snmp(settings) as session:
        assert session.backend == "gufo"


def test_libraries_are_loaded_when_they_are_needed() -> None:
    code = (
        "import sys; from ponprobe.transports import snmp; "
        "print([m for m in ('pysnmp', 'pyasn1', 'gufo', 'asyncio') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.strip() == "[]"


# ---------------------------------------------------------------------------------------------------- second reading


def test_second_reading_reads_what_the_agent_wrote() -> None:
    rows = b"".join(binding(oid, value) for oid, value in TABLE.items())
    answer = read_answer(message(b"any", -7, rows, status=5, index=300))
    assert (answer.request_id, answer.status, answer.index) == (-7, 5, 300)
    assert [oid for oid, _ in answer.rows] == list(TABLE)


def test_second_reading_refuses_every_damage() -> None:
    whole = message(b"any", 7, binding(BEHIND, wire.integer(1)))
    for size in range(len(whole)):
        with pytest.raises(ValueError, match=r"."):
            read_answer(whole[:size])
    for wrong in (
        whole + b"\x00",
        message(b"any", 7, binding(BEHIND, wire.integer(1)), version=0),
        message(b"any", 7, binding(BEHIND, wire.integer(1)), kind=wire.REPORT),
        message(b"any", 7, binding(BEHIND, wire.integer(2**31))),
        message(b"any", 7, binding(BEHIND, wire.integer(1) + wire.integer(2))),
        message(b"any", 7, binding(BEHIND, b"\x02\x80\x01")),
        message(b"any", 7, b"\x04\x00"),
        message(b"any", 7, b"\x30\x02\x04\x00"),
    ):
        with pytest.raises(ValueError, match=r"."):
            read_answer(wrong)
