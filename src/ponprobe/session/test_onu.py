"""A test ONU on one splitter: registered, measured, and always taken away again with proof."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING

import tenacity

from ponprobe.drivers.parsing import clean
from ponprobe.errors import DeviceError, NotOurs, PonprobeError, ResidueError, RevokeError, TransportError
from ponprobe.flow import CliReply, NetconfReply, Reply, RouteName, Write, changes_of, observed
from ponprobe.models.acceptance import Created, Ownership, Registration, Residue
from ponprobe.models.addressing import OnuRef
from ponprobe.models.device import MacEntry, OnuState
from ponprobe.models.optical import OpticalReading
from ponprobe.models.run import Removal

if TYPE_CHECKING:
    from filelock import FileLock
    from typing_extensions import Self

    from ponprobe.session.engine import Engine
    from ponprobe.store.journal import Journal, RunState, WriteState

log = logging.getLogger(__name__)


class RunJournal:
    """One run's view of the journal: which changes are on disk, what became of them.

    How a change ended is written down with the next thing that must be: until then it counts as intended, which is what
    a recovery has to assume of it anyway.
    """

    def __init__(self, journal: Journal, run_id: str, intended: dict[str, int]) -> None:
        self.journal = journal
        self.run_id = run_id
        self._intended = intended
        self._ended: dict[int, WriteState] = {}

    def intend(self, changes: Sequence[Write]) -> None:
        """Put changes on disk, all in one transaction, before the first of them is sent."""
        if changes:
            self._intended |= self.journal.intend(self.run_id, changes)

    def sending(self, change: Write) -> int:
        """Return the change's number; a change that nobody announced goes on disk now."""
        if change.what not in self._intended:
            self.intend((change,))
        return self._intended.pop(change.what)

    def settle(self, number: int, state: WriteState) -> None:
        """Remember how a change ended."""
        self._ended[number] = state

    def close(self, state: RunState, note: str | None = None, undone: Sequence[Created] = ()) -> None:
        """Write down how everything ended, and the run."""
        self.journal.settle(self.run_id, self._ended, undone=undone, state=state, note=note)
        self._ended.clear()

    @property
    def created(self) -> tuple[Created, ...]:
        """What may stand on the device: everything intended that was neither refused nor proven gone."""
        if self._ended:
            self.journal.settle(self.run_id, self._ended)
            self._ended.clear()
        return self.journal.run(self.run_id).created


class Eraser:
    """Takes one run's objects off a device: guard, undo, proof; as often as it takes."""

    def __init__(
        self, engine: Engine, changes: RunJournal, owner: Ownership, *, device: str, patience_s: float
    ) -> None:
        self._engine = engine
        self._changes = changes
        self._owner = owner
        self._device = device
        self._patience_s = patience_s

    def erase(self) -> Removal:
        """Remove what is ours and read the device back; the journal has the outcome.

        Raises ``TransportError`` if the device could not be reached in time: then the run stays open. Raises
        ``DeviceError`` if the device refused for another reason than being busy, after the residue has been recorded;
        ``RevokeError`` if nothing of ours was found on a device that is not the one the run was made on.
        """
        created = self._changes.created
        removed: list[str] = []
        note: str | None = None
        try:
            for attempt in self._patience():
                with attempt:
                    try:
                        removed += self._undo(created)
                    except NotOurs as exc:
                        # what stands there is somebody else's; the proof below says whether anything of ours is left
                        note = str(exc)
                    residue, proof = self._prove(created)
        except DeviceError as exc:
            residue, proof = self._prove(created)
            if not any(left.ours for left in residue):
                log.debug("refused, but nothing is left: %s", exc)
            else:
                self._changes.close("residue", str(exc))
                raise
        if not removed:
            self._demand_same_device()
        removal = Removal(
            onu=self._owner.onu,
            removed=tuple(removed),
            already_absent=not removed,
            residue=residue,
            proof=proof,
            note=note,
            at=datetime.now(timezone.utc),
        )
        self._changes.close("clean" if removal.clean else "residue", note, undone=created if removal.clean else ())
        return removal

    def _demand_same_device(self) -> None:
        """Finding nothing on another device proves nothing: addresses and names are given to other devices."""
        here = self._engine.device
        if here != self._device:
            raise RevokeError(
                f"the run was made on an OLT that calls itself {self._device!r}; {self._engine.host} is {here!r} "
                "and has nothing of it, which proves nothing",
                hint="connect to the right OLT; if it was renamed, give it the old name for the removal",
            )

    def _undo(self, created: tuple[Created, ...]) -> list[str]:
        present = self._engine.run(lambda driver: driver.guard(self._owner, created))
        self._changes.intend(changes_of(self._engine.changer.remove(self._owner, present)))
        self._engine.run(lambda driver: driver.remove(self._owner, present), self._changes)
        return [str(item) for item in present]

    def _patience(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransportError),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=15),
            stop=tenacity.stop_after_delay(self._patience_s),
            reraise=True,
        )

    def _prove(self, created: tuple[Created, ...]) -> tuple[tuple[Residue, ...], tuple[tuple[str, str], ...]]:
        asked: list[tuple[str, str]] = []

        def note(_: object, reply: Reply | NetconfReply) -> None:
            replies = reply if isinstance(reply, tuple) else (reply,)
            asked.extend((str(each.request), self._decisive(each)) for each in replies)

        residue = self._engine.run(lambda driver: observed(driver.residue(self._owner, created), note))
        return residue, tuple(asked)

    def _decisive(self, reply: CliReply | NetconfReply) -> str:
        """The line of an answer that a person would quote."""
        if isinstance(reply, NetconfReply):
            names = re.findall(r"<(?:\w+:)?name(?:\s[^>]*)?>([^<]*)<", reply.data)
            ours = sorted(name for name in names if self._owner.mark in name)
            return f"{', '.join(ours) or 'nothing'} bears {self._owner.mark}"
        answer = clean(reply.text, self._engine.dialect, reply.request.line)
        if answer.refusal is not None:
            return answer.refusal.text
        return next((line.strip() for line in answer.lines if line.strip()), "")


class TestOnu:
    """A registered test ONU. As a context manager it is revoked on every way out, Ctrl-C included.

    ``ref`` is its place, ``run_id`` its run in the journal.
    """

    __test__ = False  # not a test case, whatever pytest thinks of the name

    def __init__(
        self,
        engine: Engine,
        changes: RunJournal,
        registration: Registration,
        *,
        lock: FileLock,
        state: OnuState,
        emit: Callable[..., None],
        removal_wait_s: float,
    ) -> None:
        self.registration = registration
        self.state = state
        self.removal: Removal | None = None
        self.kept = False
        self._engine = engine
        self._changes = changes
        self._lock = lock
        self._emit = emit
        self._removal_wait_s = removal_wait_s

    @property
    def ref(self) -> OnuRef:
        """The ONU's place on the OLT."""
        return self.registration.onu

    @property
    def run_id(self) -> str:
        """The run's name in the journal; ``ponprobe revoke`` takes it."""
        return self._changes.run_id

    def __repr__(self) -> str:
        end = "kept" if self.kept else "live" if self.removal is None else "clean" if self.removal.clean else "residue"
        return f"TestOnu({self.ref}, run {self.run_id}, {end})"

    def _repr_html_(self) -> str:
        """How notebooks show this test ONU; asks it nothing."""
        from ponprobe.display import onu_html  # noqa: PLC0415 - only notebooks look

        return onu_html(self)

    # ------------------------------------------------------------------ questions

    def refresh(self) -> OnuState:
        """Read the ONU's state; ``ResidueError`` never, ``NotOurs`` if somebody else's ONU stands in our place."""
        # whose ONU it is shows on the road that registered it: not every MIB has descriptions
        state = self._engine.look(lambda driver: driver.onu_state(self.ref))
        if state is None:
            raise NotOurs(f"our test ONU {self.ref} is gone from {self._engine.host}", hint="somebody removed it")
        if not self.registration.ownership.matches(description=state.description, serial=state.serial):
            raise NotOurs(f"{self.ref} now holds {state.serial} {state.description!r}, which is not our test ONU")
        self.state = state
        return state

    def wait_online(self, timeout_s: float = 180.0) -> bool:
        """Read the state, ever less often, until the ONU is online; ``False`` if it is not within ``timeout_s``.

        An ONU ranges and takes its configuration over OMCI, which lasts some tens of seconds on real plant.
        """
        patience = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda state: not state.online),
            wait=tenacity.wait_exponential(multiplier=0.1, exp_base=1.6, max=5),
            stop=tenacity.stop_after_delay(timeout_s),
            retry_error_callback=lambda _: self.state,
        )
        online = patience(self.refresh).online
        if online:
            self._emit("online", data={"distance_m": self.state.distance_m, "config_state": self.state.config_state})
        return online

    def optical(self, *, by: Sequence[RouteName] = ()) -> OpticalReading:
        """Read the four powers once; ``by`` names the roads to take, in place of the settings' ``routes``."""
        reading = self._engine.answer(lambda driver: driver.optical(self.ref), "optical powers", by=by)
        self._emit("sample", data=reading.model_dump(mode="json"))
        return reading

    def macs(self) -> tuple[MacEntry, ...]:
        """Read the addresses that the OLT has learnt behind this ONU: proof that the service carries traffic."""
        return self._engine.answer(lambda driver: driver.macs(self.ref), "learnt addresses")

    # ------------------------------------------------------------------ the end

    def keep(self) -> None:
        """Leave the ONU on the device on purpose; ``ponprobe revoke RUN`` takes it away later."""
        self._changes.close("kept", "kept for re-test")
        self.kept = True
        self._changes.journal.release_run(self.run_id, self._lock)

    def revoke(self) -> Removal:
        """Take everything of this run away and prove it; again after success: the same proof, nothing sent twice.

        Raises ``ResidueError`` if something of ours is left, ``TransportError`` if the device could not be reached
        (the run stays open for ``recover``).
        """
        if self.removal is not None and self.removal.clean:
            return self.removal
        try:
            device = self._engine.device
            owner, patience_s = self.registration.ownership, self._removal_wait_s
            self.removal = Eraser(self._engine, self._changes, owner, device=device, patience_s=patience_s).erase()
        finally:
            if not self.kept:
                self._changes.journal.release_run(self.run_id, self._lock)
        self._emit("revoked", data={"removed": list(self.removal.removed)})
        self._emit("residue_checked", data=self.removal.model_dump(mode="json"))
        return require_clean(self.removal, self._engine.host)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.kept or (self.removal is not None and self.removal.clean):
            return
        if error is None:
            self.revoke()
            return
        try:
            self.revoke()
        except PonprobeError as failure:
            mark_after_change(error, "residue", f"and the test ONU {self.ref} could not be revoked: {failure}")
        else:
            mark_after_change(error, "rolled_back", f"the test ONU {self.ref} was revoked; nothing is left")


def require_clean(removal: Removal, host: str) -> Removal:
    """Return a removal that ended with proof; ``ResidueError`` names what is left otherwise."""
    ours = tuple(left for left in removal.residue if left.ours)
    if removal.clean:
        return removal
    others = "; ".join(left.what for left in removal.residue if not left.ours)
    raise ResidueError(
        f"{host}: still there after the removal: {', '.join(left.what for left in ours) or 'unproven'}"
        + (f" (beside it, not ours: {others})" if others else ""),
        left=ours,
        hint="ask who works on this OLT, then: ponprobe recover",
    )


def mark_after_change(error: BaseException, what: str, note: str) -> None:
    """Tell the caller of a failed run what state the device is in."""
    with suppress(AttributeError):
        error.after_change = what  # type: ignore[attr-defined]
    if hasattr(error, "add_note"):  # Python 3.11
        error.add_note(note)
