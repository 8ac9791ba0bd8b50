"""An OLT: ask it anything, put a test ONU on it, measure a splitter, clean up after a crash."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import tenacity

from ponprobe.errors import AlreadyExists, ConfigError, NotFound, PonprobeError, Rejected
from ponprobe.flow import RouteName, Routes, changes_of
from ponprobe.models.acceptance import ActivationOrder, Ownership, Registration, new_mark
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.device import Board, Conflict, DiscoveredOnu, MacEntry, OltFacts, OnuState, PonPortState
from ponprobe.models.judgement import Finding, JudgeOptions, ThresholdSet
from ponprobe.models.optical import OpticalReading
from ponprobe.models.plant import PlantRecord
from ponprobe.models.run import EventName, MeasureResult, Plan, Recovery, Removal, RunEvent
from ponprobe.models.service import ServicePort
from ponprobe.session.engine import Engine
from ponprobe.session.planning import plan_run
from ponprobe.session.test_onu import (
    Eraser,
    RunJournal,
    TestOnu,
    mark_after_change,
    require_clean,
)
from ponprobe.session.verifying import look_again, look_for_leftovers

if TYPE_CHECKING:
    from typing_extensions import Self

    from ponprobe.config import Settings
    from ponprobe.drivers.base import OltDriver
    from ponprobe.models.batch import BatchResult
    from ponprobe.models.sweep import SweepItem
    from ponprobe.store.journal import Journal, JournalRun
    from ponprobe.transports.record import Transcript

T = TypeVar("T")
_REGISTRATION_TRIES = 3
"""How often other IDs are chosen when somebody takes ours between the look and the change."""


class Olt:
    """One OLT. Questions come back as models; changes are journalled, guarded and proven.

    Made by ``ponprobe.connect``. The session opens at the first question and is shared by every ``Olt`` of this
    process for the same device and user. ``on_event`` is called with each ``RunEvent`` as it happens.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        journal: Callable[[], Journal],
        settings: Settings,
        *,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self.on_event: Callable[[RunEvent], None] | None = None
        self._engine = engine
        self._open_journal = journal
        self._on_close = on_close
        self._closed = False
        self._run_id = ""
        self._port: PonPort | None = None
        self._splitter: str | None = None
        self._seq = 0
        self._lines = 0
        engine.on_line = self._line_sent

    @property
    def host(self) -> str:
        """The OLT's management address."""
        return self._engine.host

    @property
    def transcript(self) -> Transcript:
        """The dialogue of this session so far, with secrets covered."""
        return self._engine.transport.transcript

    @property
    def platform(self) -> str:
        """The driver's name, ``huawei_smartax``."""
        return self._engine.driver.platform

    def __repr__(self) -> str:
        return f"Olt({self.name!r}, {self.platform}, {self.host})"

    def _repr_html_(self) -> str:
        """How notebooks show this OLT; asks it nothing."""
        from ponprobe.display import olt_html  # noqa: PLC0415 - only notebooks look

        return olt_html(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Log out, unless another ``Olt`` of this process still uses the session; again does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._engine.agent is not None:
            self._engine.agent.close()
        if self._on_close is not None:
            self._on_close()
        else:
            self._engine.close()

    # ------------------------------------------------------------------ questions

    def _answer(self, routes: Callable[[OltDriver], Routes[T]], what: str) -> T:
        return self._engine.answer(routes, what)

    def facts(self) -> OltFacts:
        """Model, version, patch, host name; where NETCONF is configured, what the OLT speaks of it."""
        found = self._answer(lambda driver: driver.facts(), "facts")
        road = self._engine.netconf
        if road is None or found.netconf is not None:
            return found
        return found.model_copy(update={"netconf": road.support()})

    def pon_ports(self) -> tuple[PonPort, ...]:
        """Every PON port that holds a registered ONU, in order; ports without one may be among them."""
        return self._answer(lambda driver: driver.pon_ports(), "its PON ports")

    def boards(self) -> tuple[Board, ...]:
        """Every slot that holds a board."""
        return self._answer(lambda driver: driver.boards(), "boards")

    def pon_port(self, port: PonPort | str) -> PonPortState:
        """One PON port with its optics; ``olt_tx_dbm`` is where downstream attenuation starts."""
        where = PonPort.parse(port)
        return self._answer(lambda driver: driver.pon_port(where), "port optics")

    def discovered(self, port: PonPort | str | None = None) -> tuple[DiscoveredOnu, ...]:
        """ONUs that the OLT sees and nobody has registered, on one port or everywhere."""
        where = None if port is None else PonPort.parse(port)
        return self._answer(lambda driver: driver.discovered(where), "discovered ONUs")

    def onus(self, port: PonPort | str) -> tuple[OnuState, ...]:
        """Every registered ONU of a port."""
        where = PonPort.parse(port)
        return self._answer(lambda driver: driver.onus(where), "ONUs")

    def find(self, serial: Serial | str) -> OnuState | None:
        """Where a serial is registered on this OLT, or ``None``."""
        wanted = Serial(serial)
        return self._answer(lambda driver: driver.find(wanted), "where a serial is")

    def onu_state(self, onu: OnuRef | str) -> OnuState | None:
        """State, distance and last down cause of one ONU, or ``None`` if there is none."""
        where = OnuRef.parse(onu)
        return self._answer(lambda driver: driver.onu_state(where), "the state of an ONU")

    def optical(self, onu: OnuRef | str) -> OpticalReading:
        """The four powers of one ONU."""
        where = OnuRef.parse(onu)
        return self._answer(lambda driver: driver.optical(where), "optical powers")

    def optical_port(self, port: PonPort | str) -> tuple[OpticalReading, ...]:
        """The four powers of every ONU of a port, in the fewest requests."""
        where = PonPort.parse(port)
        return self._answer(lambda driver: driver.optical_port(where), "optical powers of a port")

    def optical_board(self, frame: int, slot: int) -> tuple[OpticalReading, ...]:
        """The four powers of every ONU of a board, in the fewest requests."""
        return self._answer(lambda driver: driver.optical_board(frame, slot), "optical powers of a board")

    def service_ports(self, where: PonPort | OnuRef) -> tuple[ServicePort, ...]:
        """The configured services of a port or of one ONU."""
        return self._answer(lambda driver: driver.service_ports(where), "service ports")

    def macs(self, onu: OnuRef | str) -> tuple[MacEntry, ...]:
        """The addresses learnt behind one ONU."""
        where = OnuRef.parse(onu)
        return self._answer(lambda driver: driver.macs(where), "learnt addresses")

    def conflicts(self, serial: Serial | str) -> tuple[Conflict, ...]:
        """Who is in the way of an ONU that does not register, by the OLT's log. Raises ``NotSupported`` without one."""
        wanted = Serial(serial)
        return self._answer(lambda driver: driver.conflicts(wanted), "conflicts of registration")

    def sweep(
        self,
        *,
        ports: Iterable[PonPort | str] | None = None,
        done: Iterable[PonPort | str] = (),
        with_distance: bool = False,
    ) -> Iterator[SweepItem]:
        """Read every ONU of the OLT, or of ``ports``, one port after the other, as a stream; ``done`` is left out.

        See ``ponprobe.session.sweep.sweep``: a port that cannot be read is in the stream with its reason.
        """
        from ponprobe.session.sweep import sweep  # noqa: PLC0415 - most sessions sweep nothing

        return sweep(self, ports=ports, done=done, with_distance=with_distance)

    # ------------------------------------------------------------------ one test ONU

    def plan(self, order: ActivationOrder, *, samples: int | None = None) -> Plan:
        """Look at the device and list every line that ``measure`` would send; nothing is changed."""
        order.needs(*self._engine.changer.order_needs)
        with self._engine.lock:
            return plan_run(self._engine, order, samples=samples or self.settings.samples)

    def activate(self, order: ActivationOrder) -> TestOnu:
        """Register a test ONU and read it back. Use it as a context manager: it revokes on every way out.

        Raises before any change: ``AlreadyExists`` (the serial is registered, and where), ``WrongPort`` (seen on
        another port), ``NotFound``, ``VlanInUse``, ``PoolExhausted``. After a change the error's ``after_change``
        says whether everything was rolled back with proof (``rolled_back``) or something is left (``residue``).
        """
        order.needs(*self._engine.changer.order_needs)
        again = tenacity.Retrying(
            # the ID that was free a moment ago is taken: look again. What is really there already, prepare refuses
            retry=tenacity.retry_if_exception(
                lambda exc: isinstance(exc, AlreadyExists) and exc.after_change == "rolled_back"
            ),
            stop=tenacity.stop_after_attempt(_REGISTRATION_TRIES),
            reraise=True,
        )
        return again(self._activate, order)

    def test_onu(self, order: ActivationOrder) -> TestOnu:
        """``with olt.test_onu(order) as onu``: the same as ``activate``, in the words of what it gives."""
        return self.activate(order)

    def _activate(self, order: ActivationOrder) -> TestOnu:
        journal = self._open_journal()
        run_id = self._begin_run(order)
        self._engine.facts()
        # two OLTs may hide behind one address, and one OLT may have two roads: its own name tells them apart
        olt = f"{self.host} {self._device}"
        with journal.one_writer(olt, self.settings.session_wait_s), self._engine.lock:
            registration = self._engine.run(lambda driver: driver.prepare(order, new_mark()))
            self._emit("planned", data={"onu": str(registration.onu), "mark": registration.mark})
            lock = journal.hold_run(run_id)
            try:
                changes = self._intend(journal, run_id, order, registration)
                try:
                    state = self._register(registration, changes)
                    # whoever listens may fail, too: then nothing must stay behind
                    self._emit("activated", data={"onu": str(registration.onu), "serial": str(order.auth)})
                except BaseException as error:
                    self._roll_back(registration, changes, error)
                    if isinstance(error, Rejected):
                        self._tell_if_taken(registration, error)
                    raise
            except BaseException:
                journal.release_run(run_id, lock)
                raise
        return TestOnu(
            self._engine,
            changes,
            registration,
            lock=lock,
            state=state,
            emit=self._emit,
            removal_wait_s=self.settings.removal_wait_s,
        )

    def _tell_if_taken(self, registration: Registration, refused: Rejected) -> None:
        """A device may say in its own words that somebody has just taken our place; then it is chosen again."""
        if refused.after_change != "rolled_back":
            return
        try:
            now = self._engine.run(lambda driver: driver.prepare(registration.order, registration.mark)).onu
        except PonprobeError:
            return  # what the device said first tells more than why it could not be asked again
        if now != registration.onu:
            taken = AlreadyExists(
                f"{registration.onu} was taken meanwhile: {refused.message}", refused="already_exists"
            )
            taken.after_change = refused.after_change
            raise taken from refused

    def _intend(self, journal: Journal, run_id: str, order: ActivationOrder, registration: Registration) -> RunJournal:
        driver = self._engine.changer
        writes = changes_of(driver.register(registration)) + changes_of(driver.add_service(registration))
        intended = journal.open_run(
            run_id,
            olt=self.name,
            host=self.host,
            device=self._device,
            owner=registration.ownership,
            order=order.model_dump(mode="json"),
            changes=writes,
        )
        return RunJournal(journal, run_id, intended)

    def _register(self, registration: Registration, changes: RunJournal) -> OnuState:
        self._engine.run(lambda driver: driver.register(registration), changes)
        self._engine.run(lambda driver: driver.add_service(registration), changes)
        return self._engine.run(lambda driver: driver.read_back(registration))

    def _roll_back(self, registration: Registration, changes: RunJournal, error: BaseException) -> None:
        try:
            require_clean(self._eraser(changes, registration.ownership, self._device).erase(), self.host)
        except PonprobeError as failure:
            mark_after_change(error, "residue", f"rolling back failed: {failure} (run {changes.run_id})")
        else:
            mark_after_change(error, "rolled_back", "everything was taken back and the OLT was read: nothing is left")

    def measure(
        self,
        order: ActivationOrder,
        *,
        thresholds: ThresholdSet | None = None,
        samples: int | None = None,
        online_timeout_s: float | None = None,
        keep: bool = False,
        verify: Literal["snmp"] | None = None,
        judging: JudgeOptions | None = None,
        plant: PlantRecord | tuple[int, ...] | None = None,
    ) -> MeasureResult:
        """Measure one splitter: activate, wait until online, read, judge, revoke, prove.

        Returns a result for every splitter whose device answered; an ONU that does not come up is ``undetermined`` with
        a finding that says where it was seen instead, if anywhere. ``keep`` leaves the test ONU for a re-test.
        ``verify="snmp"`` reads on the road that changes take, looks again by SNMP (and once more after the removal) and
        reports every disagreement as a finding. ``judging`` is how to judge (policy, class, certificate...); ``plant``,
        the record or its split ratios alone, is what the measured losses are compared with. Raises as ``activate`` and
        ``TestOnu.revoke`` do.
        """
        from ponprobe.evaluate import CONSTRUCTION  # noqa: PLC0415 - questions alone need no judge
        from ponprobe.session.diagnosis import service_seen  # noqa: PLC0415
        from ponprobe.session.judging import certified, compared, judged  # noqa: PLC0415

        options, serial = judging or JudgeOptions(), order.auth.serial
        if options.calibration is not None:
            certified(options.calibration, serial, _now())
        order.needs(*self._engine.changer.order_needs)
        if verify is not None and self._engine.agent is None:
            raise ConfigError(f"SNMP is not configured for {self.name}", hint="add [olts.NAME.snmp], or do not verify")
        by: tuple[RouteName, ...] = () if verify is None else (self._engine.own_road,)
        started, first_line = _now(), self._lines
        facts = self._engine.facts()
        findings: list[Finding] = []
        with self.activate(order) as onu:
            registered = _now()
            online = onu.wait_online(online_timeout_s or self.settings.online_timeout_s)
            online_after_s = (_now() - registered).total_seconds() if online else None
            readings = tuple(onu.optical(by=by) for _ in range((samples or self.settings.samples) if online else 1))
            limits = thresholds or CONSTRUCTION
            verdict = judged(readings, limits, options, platform=self.platform, serial=serial, plant=plant, at=_now())
            comparisons = compared(verdict, plant, onu.state)
            self._emit("verdict", data=verdict.model_dump(mode="json"))
            macs: tuple[MacEntry, ...] = ()
            if online and order.service_model != "none":
                macs, findings = service_seen(onu)
            verification = None
            if verify is not None:
                read = readings[-1] if online else None
                verification = look_again(self._engine, onu.registration, onu.state, read)
                self._emit("verified", data=verification.model_dump(mode="json"))
            if keep:
                onu.keep()
        if not online:
            findings.append(self._why_offline(order, onu.state))
        if verification is not None:
            findings += verification.findings
            if not keep and verification.state is not None:
                findings += look_for_leftovers(self._engine, onu.registration)
        result = MeasureResult(
            run_id=onu.run_id,
            olt=self.name,
            host=self.host,
            facts=facts,
            order=order,
            onu=onu.ref,
            state=onu.state,
            readings=readings,
            verdict=verdict,
            macs=macs,
            removal=onu.removal,
            verification=verification,
            comparisons=comparisons,
            findings=tuple(findings),
            started_at=started,
            finished_at=_now(),
            online_after_s=online_after_s,
            lines_sent=self._lines - first_line,
        )
        self._emit("finished", data={"outcome": str(verdict.outcome), "clean": result.clean})
        return result

    def _why_offline(self, order: ActivationOrder, state: OnuState) -> Finding:
        """The ONU did not come up: look for it on the whole OLT, as the record may be wrong rather than the fibre."""
        from ponprobe.session.diagnosis import why_offline  # noqa: PLC0415 - most ONUs come up

        return why_offline(
            self,
            serial=order.auth.serial,
            port=order.port,
            splitter=order.splitter,
            cause=state.last_down_cause,
        )

    def measure_batch(self, orders: Iterable[ActivationOrder], **how: Any) -> BatchResult:
        """Measure many splitters with the phases batched; see ``ponprobe.session.batch.measure_batch``."""
        from ponprobe.session.batch import measure_batch  # noqa: PLC0415 - it builds on this module

        return measure_batch(self, orders, **how)

    # ------------------------------------------------------------------ cleaning up

    def revoke(self, run_id: str) -> Removal:
        """Take one run of the journal off the device; repeated, it proves once more that nothing is there.

        Raises ``LeaseConflict`` while another process works on the run, ``NotOurs`` if a stranger's ONU stands in the
        place, ``ResidueError`` if something of ours is left.
        """
        journal = self._open_journal()
        run = journal.run(run_id)
        if self.name != run.olt and self.host != run.host:
            raise NotFound(f"run {run_id} belongs to {run.olt} ({run.host}), not to {self.name}")
        return require_clean(self._erase(journal, run), self.host)

    def recover(self) -> tuple[Recovery, ...]:
        """Finish every run on this OLT that ended without proof: killed, cut off, or left with residue.

        Runs that another process is working on are left to it; runs kept on purpose stay. One failure does not stop
        the others: each ``Recovery`` has its own outcome.
        """
        journal = self._open_journal()
        found: list[Recovery] = []
        for run in journal.unfinished(self.name):
            if run.state == "kept":
                continue
            try:
                removal = self._erase(journal, run)
            except PonprobeError as exc:
                kind = type(exc).__name__
                found.append(Recovery(run_id=run.run_id, onu=run.owner.onu, error=str(exc), error_class=kind))
            else:
                found.append(Recovery(run_id=run.run_id, onu=run.owner.onu, removal=removal))
        return tuple(found)

    def _erase(self, journal: Journal, run: JournalRun) -> Removal:
        self._run_id, self._port = run.run_id, run.owner.onu.port
        lock = journal.hold_run(run.run_id)
        try:
            removal = self._eraser(RunJournal(journal, run.run_id, {}), run.owner, run.device).erase()
        finally:
            journal.release_run(run.run_id, lock)
        self._emit("revoked", data={"removed": list(removal.removed)})
        self._emit("residue_checked", data=removal.model_dump(mode="json"))
        return removal

    def _eraser(self, changes: RunJournal, owner: Ownership, device: str) -> Eraser:
        return Eraser(self._engine, changes, owner, device=device, patience_s=self.settings.removal_wait_s)

    @property
    def _device(self) -> str:
        """What the OLT calls itself on the road that changes take."""
        return self._engine.device

    # ------------------------------------------------------------------ events

    def _begin_run(self, order: ActivationOrder) -> str:
        self._run_id = secrets.token_hex(6)
        self._port, self._splitter, self._seq = order.port, order.splitter, 0
        return self._run_id

    def _line_sent(self, line: str, view: str) -> None:
        self._lines += view != "snmp"
        if self.on_event is not None:
            self._emit("command", data={"line": line, "view": view})

    def _emit(self, event: EventName, *, data: dict[str, Any] | None = None) -> None:
        if self.on_event is None:
            return
        self._seq += 1
        self.on_event(
            RunEvent(
                ts=_now(),
                run_id=self._run_id,
                seq=self._seq,
                event=event,
                olt=self.name,
                pon=self._port,
                item=self._splitter,
                data=data or {},
            )
        )


def _now() -> datetime:
    return datetime.now(timezone.utc)
