"""Sweep whole OLTs: every ONU with its four powers, port after port, on one OLT or on many at once.

A port is the unit. It is given as a whole or not at all, so that whoever writes the stream to a file can go on after
the last port that is done. Memory is that of one port for each OLT, however many ONUs there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import Protocol, TypeAlias

from ponprobe.errors import (
    AuthError,
    ConfigError,
    ConnectError,
    HostKeyError,
    NotSupported,
    PonprobeError,
    TransportError,
)
from ponprobe.evaluate import link_loss
from ponprobe.models.addressing import OnuRef, PonPort
from ponprobe.models.device import OnuState
from ponprobe.models.optical import Absence, OpticalReading, Reading
from ponprobe.models.sweep import OltStarted, PortDone, PortSkipped, SweepItem, SweepRecord

_DEAD = (ConnectError, AuthError, HostKeyError, ConfigError)
"""What will not be better at the next port; asking on would knock at a closed door, or lock the user out."""
_LOST_IN_A_ROW = 3
"""So many ports after each other that end with a lost road are a dead OLT, too."""
_TICK_S = 0.2
"""How long threads wait for each other before they look whether they should stop."""
_TOLD = ("run_state", "distance_m", "last_down_cause")


class Sweepable(Protocol):
    """What a sweep asks of an OLT; ``Olt`` is one."""

    name: str

    @property
    def host(self) -> str:
        """Its address."""

    def pon_ports(self) -> tuple[PonPort, ...]:
        """Every PON port that holds a registered ONU."""

    def onus(self, port: PonPort) -> tuple[OnuState, ...]:
        """Every registered ONU of a port."""

    def optical_port(self, port: PonPort) -> tuple[OpticalReading, ...]:
        """The four powers of every ONU of a port."""

    def onu_state(self, onu: OnuRef) -> OnuState | None:
        """One ONU's own page."""


Opened: TypeAlias = "AbstractContextManager[Sweepable]"


def sweep(
    olt: Sweepable,
    *,
    ports: Iterable[PonPort | str] | None = None,
    done: Iterable[PonPort | str] = (),
    with_distance: bool = False,
) -> Iterator[SweepItem]:
    """Read every ONU of ``ports`` (of the whole OLT if ``None``), except the ports in ``done``.

    Gives ``OltStarted``, then for each port its ``SweepRecord``s and ``PortDone``, or ``PortSkipped`` with the reason.
    A port that cannot be read does not stop the sweep. An OLT that cannot be reached does: all of its ports that were
    not read are then given as skipped; if it could not even be asked for its ports, there is one ``PortSkipped``
    without a port.

    Distance and last down cause are given where the port's own answers tell them (over SNMP the cause, of ZTE also the
    distance; no command line does); ``with_distance`` asks one more question for each ONU that lacks one of them.
    Raises ``ValueError`` for a port that is none; errors of the device and of the road to it are in the stream.
    """
    before = {PonPort.parse(port) for port in done}
    named = None if ports is None else tuple(PonPort.parse(port) for port in ports)
    return _swept(olt, named, before, with_distance=with_distance)


def _swept(
    olt: Sweepable, named: tuple[PonPort, ...] | None, before: set[PonPort], *, with_distance: bool
) -> Iterator[SweepItem]:
    try:
        wanted = dict.fromkeys(olt.pon_ports() if named is None else named)
    except PonprobeError as exc:
        yield _skipped(olt, None, exc)
        return
    ports = [port for port in wanted if port not in before]
    yield OltStarted(olt=olt.name, host=olt.host, ports=len(ports), ports_done=len(wanted) - len(ports), at=_now())
    lost = 0
    for number, port in enumerate(ports, start=1):
        start = time.monotonic()
        try:
            records = _port_records(olt, port, with_distance=with_distance)
        except PonprobeError as exc:
            yield _skipped(olt, port, exc)
            lost = lost + 1 if isinstance(exc, TransportError) else 0
            if isinstance(exc, _DEAD) or lost >= _LOST_IN_A_ROW:
                yield from (_skipped(olt, unread, exc) for unread in ports[number:])
                return
            continue
        lost = 0
        yield from records
        took = round(time.monotonic() - start, 3)
        yield PortDone(olt=olt.name, host=olt.host, port=port, onus=len(records), took_s=took, at=_now())


def _port_records(olt: Sweepable, port: PonPort, *, with_distance: bool) -> list[SweepRecord]:
    states = _states(olt, port)
    # a port without ONUs is not asked for powers: the question alone takes seconds on a command line
    readings = {reading.onu: reading for reading in olt.optical_port(port)} if states != {} else {}
    states = states or {}
    launched = next((each.olt_tx_dbm for each in readings.values() if each.olt_tx_dbm.value is not None), None)
    found = []
    for onu in sorted(states.keys() | readings.keys(), key=lambda onu: onu.onu_id):
        state = states.get(onu) or OnuState(onu=onu, absent=dict.fromkeys(_TOLD, Absence.NOT_REPORTED))
        if with_distance and (state.distance_m is None or state.last_down_cause is None):
            state = _with_detail(olt, state, onu)
        reading = readings.get(onu) or _unlisted(onu, state, launched)
        found.append((onu, state, reading))
    read_at = _now()
    return [_record(olt, onu, state, reading, read_at) for onu, state, reading in found]


def _states(olt: Sweepable, port: PonPort) -> dict[OnuRef, OnuState] | None:
    """The list of a port's ONUs; ``None`` where the OLT does not tell it (some agents show powers and no list)."""
    try:
        return {state.onu: state for state in olt.onus(port) if state.onu is not None}
    except NotSupported:
        return None


def _record(olt: Sweepable, onu: OnuRef, state: OnuState, reading: OpticalReading, read_at: datetime) -> SweepRecord:
    told = {name: getattr(state, name) for name in _TOLD}
    absent = {name: state.absent.get(name, Absence.NOT_READ) for name, value in told.items() if value is None}
    return SweepRecord(
        olt=olt.name,
        host=olt.host,
        onu=onu,
        serial=state.serial,
        mac=state.mac,
        absent=absent,
        optical=reading,
        loss=link_loss(reading),
        read_at=read_at,
        **told,
    )


def _with_detail(olt: Sweepable, state: OnuState, onu: OnuRef) -> OnuState:
    """What the ONU's own page adds. One page that cannot be read is no reason to lose the port."""
    try:
        page = olt.onu_state(onu)
    except TransportError:
        raise
    except PonprobeError:
        page = None
    if page is None:
        return state
    more = {name: getattr(page, name) for name in ("distance_m", "last_down_cause") if getattr(state, name) is None}
    missing = {name: page.absent[name] for name, value in more.items() if value is None and name in page.absent}
    kept = {name: why for name, why in state.absent.items() if more.get(name) is None}
    return state.model_copy(update={**more, "absent": {**kept, **missing}})


def _unlisted(onu: OnuRef, state: OnuState, launched: Reading | None) -> OpticalReading:
    """A registered ONU that the optical table leaves out, as some do with those that are offline."""
    why = Absence.NOT_READ if state.run_state is None else Absence.OFFLINE
    if state.online:
        why = Absence.NOT_REPORTED
    silent = Reading(absence=why)
    return OpticalReading(
        onu=onu, olt_tx_dbm=launched or silent, olt_rx_dbm=silent, onu_tx_dbm=silent, onu_rx_dbm=silent
    )


def _skipped(olt: Sweepable, port: PonPort | None, exc: PonprobeError) -> PortSkipped:
    return PortSkipped(
        olt=olt.name,
        host=olt.host,
        port=port,
        error_class=type(exc).__name__,
        error=exc.message,
        hint=exc.hint,
        at=_now(),
    )


def _now() -> datetime:
    return datetime.now(timezone.utc)


# ---------------------------------------------------------------------- many OLTs


def sweep_many(
    olts: Iterable[Opened],
    *,
    ports: Iterable[PonPort | str] | None = None,
    done: Mapping[str, Iterable[PonPort | str]] | None = None,
    with_distance: bool = False,
    parallel: int = 8,
    patience_s: float = 10.0,
) -> Iterator[SweepItem]:
    """Sweep many OLTs, ``parallel`` at a time, each in a thread with one session; what they give comes as one stream.

    ``olts`` are entered when their turn comes and left when they are done (an ``Olt`` closes its session then), so
    ``sweep_many(connect(name) for name in names)`` holds no more than ``parallel`` sessions. ``done`` has the ports
    that are not read, by the OLT's name. The items of a port stand together. At most two ports for each thread wait to
    be taken: a slow reader slows the sweep down and does not fill the memory.

    Closing the stream (or Ctrl-C) stops it: no further port is begun, and all together have ``patience_s`` seconds to
    finish the port that they read and to log out; who takes longer is left to end by itself. Raises ``ValueError`` at
    once for less than one OLT at a time, and whatever entering one of ``olts`` raises.
    """
    if parallel < 1:
        raise ValueError(f"{parallel} OLTs at a time: at least one is needed to read anything")
    named = None if ports is None else tuple(PonPort.parse(port) for port in ports)
    before = {name: frozenset(map(PonPort.parse, each)) for name, each in (done or {}).items()}

    def read(olt: Sweepable) -> Iterator[SweepItem]:
        return sweep(olt, ports=named, done=before.get(olt.name, ()), with_distance=with_distance)

    return _Crew(iter(olts), read, parallel).stream(patience_s)


class _Crew:
    """Threads that take OLTs from a list and put what they read, a port at a time, into one queue."""

    def __init__(self, olts: Iterator[Opened], read: Callable[[Sweepable], Iterator[SweepItem]], parallel: int) -> None:
        self._olts = olts
        self._read = read
        self._next = Lock()
        self._stop = Event()
        self._queue: Queue[tuple[SweepItem, ...] | BaseException | None] = Queue(maxsize=2 * parallel)
        # daemons: a device that never answers must not keep the process from ending
        self._threads = [Thread(target=self._work, name=f"sweep-{n}", daemon=True) for n in range(parallel)]

    def stream(self, patience_s: float) -> Iterator[SweepItem]:
        """Start, give everything, and stop whatever the reason for the end is."""
        for thread in self._threads:
            thread.start()
        working = len(self._threads)
        try:
            while working:
                try:
                    # with a limit: without one a signal would not be seen on every system
                    found = self._queue.get(timeout=_TICK_S)
                except Empty:
                    continue
                if found is None:
                    working -= 1
                elif isinstance(found, BaseException):
                    raise found
                else:
                    yield from found
        finally:
            self._stop.set()
            end = time.monotonic() + patience_s
            for thread in self._threads:
                thread.join(max(0.0, end - time.monotonic()))

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                with self._next:
                    opened = next(self._olts, None)
                if opened is None:
                    break
                with opened as olt:
                    self._take_all(self._read(olt))
        except BaseException as exc:  # noqa: BLE001 - it belongs to whoever reads the stream
            self._put(exc)
        else:
            self._put(None)

    def _take_all(self, items: Iterator[SweepItem]) -> None:
        port: list[SweepItem] = []
        for item in items:
            port.append(item)
            if not isinstance(item, SweepRecord):
                if not self._put(tuple(port)):
                    return
                port = []

    def _put(self, found: tuple[SweepItem, ...] | BaseException | None) -> bool:
        """Hand something over; false if nobody wants it any more."""
        while not self._stop.is_set():
            try:
                self._queue.put(found, timeout=_TICK_S)
            except Full:
                continue
            return True
        return False
