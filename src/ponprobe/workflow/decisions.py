"""Acceptance, second review, and telling the front office: 工程验收, 二次审核, 入库."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import JsonValue, TypeAdapter

from ponprobe.errors import LeaseConflict
from ponprobe.models._base import Value
from ponprobe.models.engineering import ActivationState, Actor, Decision, Event, FaultKind, SplitterKey, Stage
from ponprobe.store import results
from ponprobe.store.database import Change, stamp
from ponprobe.store.events import event_of, read_events
from ponprobe.store.refusals import NotReady
from ponprobe.store.requests import running
from ponprobe.store.schema import outbox
from ponprobe.workflow.base import SYSTEM, log
from ponprobe.workflow.field import By, FieldTests
from ponprobe.workflow.status import ProjectStatus, project_status

_DECISION: TypeAdapter[Decision] = TypeAdapter(Decision)
_FIRST_RETRY_S, _LONGEST_RETRY_S = 10.0, 3600.0


class Message(Value):
    """What another system is told, at least once: the same ``event_id`` again is the same message."""

    event_id: str
    topic: str
    project: str
    at: datetime
    attempt: int
    payload: dict[str, JsonValue]


class Delivered(Value):
    """What one round of deliveries brought."""

    delivered: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    """Event id and reason; they are tried again later."""


class Decisions(FieldTests):
    """The last stages."""

    def status(self, project: str) -> ProjectStatus:
        """Where a project stands, with every reason against its acceptance."""
        with self.store.read() as connection:
            return project_status(connection, project, self.rules)

    # ------------------------------------------------------------------ acceptance

    def accept(
        self, project: str, *, actor: Actor, comment: str | None = None, request_id: str | None = None
    ) -> Decision:
        """Confirm that a project is good, revoke every test ONU that is still live, and accept it.

        Refused with ``NotReady`` and every reason while a splitter is untested, failing, undetermined, without service
        test or photos, or back in engineering data; and while a removal is not proven: then the confirmation stands,
        and accepting again goes on with the removals.
        """
        body = [project, comment]
        with running(self.store, actor, request_id, name="accept", body=body, answer=_DECISION) as request:
            if request.answer is not None:
                return request.answer
            with self.store.change(actor, request_id) as change:
                now = self._acceptable(change, project)
                confirmed = Decision(kind="acceptance", accepted=True, actor=actor, at=change.at, comment=comment)
                if now.stage is not Stage.REVOKE:
                    results.add_decision(change, project, confirmed, kind="confirmation")
                change.idle = True
            if now.live:
                self.revoke(project, actor=actor)
            with self.store.change(actor, request_id) as change:
                left = self._acceptable(change, project)
                if left.live:
                    raise NotReady(
                        f"project {project} is confirmed and not yet accepted",
                        reasons=left.reasons,
                        hint="see why the removal failed, then accept again",
                    )
                decision = Decision(kind="acceptance", accepted=True, actor=actor, at=change.at, comment=comment)
                results.add_decision(change, project, decision)
            return request.finish(decision)

    def _acceptable(self, change: Change, project: str) -> ProjectStatus:
        now = project_status(change.connection, project, self.rules)
        if now.stage in {Stage.REVIEW, Stage.PUSHED}:
            raise NotReady(
                f"project {project} cannot be accepted", reasons=(f"it is in {now.stage.label} ({now.stage}) already",)
            )
        reasons = [
            f"{each.splitter}: {reason}"
            for each in now.splitters
            for reason in each.reasons
            # a live ONU with a good test is revoked by the acceptance itself, as the specification has it
            if not (reason == each.not_clean and (each.state is ActivationState.ACTIVATED or now.stage is Stage.REVOKE))
        ]
        if not now.splitters and now.project.hang_test is not False:
            reasons.append("it has no splitter, and nobody has said that there is nothing to be tested (hang_test)")
        standing = results.standing_decision(change.connection, project)
        if standing is not None and not standing.decision.accepted and not standing.overtaken:
            reasons.append(f"the {standing.kind} sent it back, and nothing was corrected or tested since")
        if reasons:
            raise NotReady(
                f"project {project} cannot be accepted", reasons=tuple(reasons), hint="correct, rectify or test these"
            )
        return now

    def reject(
        self,
        project: str,
        fault: FaultKind,
        *,
        actor: Actor,
        comment: str | None = None,
        keys: Collection[SplitterKey] = (),
        request_id: str | None = None,
    ) -> Decision:
        """Refuse the acceptance: back to engineering data, with the kind of fault and the splitters that have it."""
        stages = {Stage.ENGINEERING, Stage.ACTIVATION, Stage.FIELD_TEST, Stage.ACCEPTANCE, Stage.REVOKE}
        refusal = {"kind": "acceptance", "fault": fault, "comment": comment}
        return self._refuse(project, refusal, stages, keys, by=(actor, request_id))

    # ------------------------------------------------------------------ second review

    def review(
        self,
        project: str,
        *,
        accepted: bool,
        actor: Actor,
        fault: FaultKind | None = None,
        comment: str | None = None,
        keys: Collection[SplitterKey] = (),
        request_id: str | None = None,
    ) -> Decision:
        """Review an accepted project a second time; a rejection says its kind and goes back to engineering data.

        ``NotReady`` if the project has not been accepted, if something is not proven clean, or if the reviewer made one
        of its tests: four eyes see more than two.
        """
        if not accepted:
            refusal = {"kind": "review", "fault": fault or FaultKind.DATA, "comment": comment}
            return self._refuse(project, refusal, {Stage.REVIEW}, keys, by=(actor, request_id))

        def work(change: Change) -> Decision:
            self._reviewable(change, project, actor, {Stage.REVIEW})
            decision = Decision(kind="review", accepted=True, actor=actor, at=change.at, comment=comment)
            results.add_decision(change, project, decision)
            return decision

        found: Decision = self._once(actor, request_id, "review", [project, True, comment], answer=Decision, work=work)
        return found

    def _refuse(
        self,
        project: str,
        refusal: dict[str, Any],
        stages: set[Stage],
        keys: Collection[SplitterKey],
        *,
        by: By,
    ) -> Decision:
        actor, request_id = by
        kind, fault, comment = refusal["kind"], refusal["fault"], refusal["comment"]

        def work(change: Change) -> Decision:
            if kind == "review":
                self._reviewable(change, project, actor, stages)
            else:
                now = project_status(change.connection, project, self.rules)
                if now.stage not in stages:
                    reason = f"it is in {now.stage.label} ({now.stage})"
                    raise NotReady(f"the acceptance of project {project} cannot be refused", reasons=(reason,))
            decision = Decision.model_validate(
                {"kind": kind, "accepted": False, "fault": fault, "actor": actor, "at": change.at, "comment": comment}
            )
            rows = [self._row(change.connection, project, key) for key in keys]
            for row in rows:
                results.note_fault(change, row, fault, actor=actor, comment=comment, name="splitter.sent_back")
            # after those, as what changes a splitter later overtakes the decision
            results.add_decision(change, project, decision, rows=rows)
            return decision

        body = [project, False, fault.value, comment, sorted(list(key) for key in keys)]
        found: Decision = self._once(actor, request_id, kind, body, answer=Decision, work=work)
        return found

    def _reviewable(self, change: Change, project: str, actor: Actor, stages: set[Stage]) -> None:
        now = project_status(change.connection, project, self.rules)
        reasons = []
        if now.stage not in stages:
            reasons.append(f"it is in {now.stage.label} ({now.stage}), not accepted and waiting for its second review")
        if not now.clean:
            reasons += now.reasons
        testers = {_same(name) for name in results.testers_of(change.connection, project)}
        if _same(actor.name) in testers:
            reasons.append(f"{actor.name} made one of its tests: the second review is another person's")
        if reasons:
            raise NotReady(f"project {project} cannot be reviewed by {actor}", reasons=tuple(reasons))

    def decisions(self, project: str) -> tuple[Decision, ...]:
        """Every decision on a project, first to last."""
        with self.store.read() as connection:
            return tuple(each for _, each in results.decisions_of(connection, project))

    # ------------------------------------------------------------------ front office

    def push(
        self,
        project: str,
        *,
        actor: Actor,
        report: dict[str, JsonValue] | None = None,
        request_id: str | None = None,
    ) -> Message:
        """Put a reviewed project into the outbox for the front office; ``deliver`` brings it there.

        ``report`` names the acceptance report (id, SHA-256). ``NotReady`` unless the second review accepted the project
        and every test ONU is proven gone. Pushing again what waits or has arrived gives the same message.
        """

        def work(change: Change) -> Message:
            now = project_status(change.connection, project, self.rules)
            standing = results.standing_decision(change.connection, project)
            passed = standing is not None and standing.kind == "review" and standing.decision.accepted
            reviewed = standing.event if standing is not None and passed and not standing.overtaken else None
            reasons = []
            if reviewed is None:
                reasons.append(f"it is in {now.stage.label} ({now.stage}): the second review has not passed it")
            if not now.clean:
                reasons += now.reasons
            if reasons:
                raise NotReady(f"project {project} cannot be pushed", reasons=tuple(reasons))
            same = sa.select(outbox).where(outbox.c.project == project, outbox.c.event > reviewed)
            known = change.connection.execute(same).mappings().first()
            if known is not None:
                change.idle = True
                return _message(change.connection, known)
            payload = {
                "project": now.project.model_dump(mode="json"),
                "hang_test": now.hang_test.label,
                "to_test": now.to_test,
                "passed": now.passed,
                "splitters": [list(each.splitter) for each in now.splitters],
                "decisions": [
                    each.model_dump(mode="json") for _, each in results.decisions_of(change.connection, project)
                ],
                "report": report,
            }
            number = change.event("project.push_requested", {"report": report}, project=project)
            change.insert(
                outbox,
                event=number,
                project=project,
                topic="project.accepted",
                payload=json.dumps(payload, ensure_ascii=False, allow_nan=False),
                attempts=0,
                next_at=stamp(change.at),
            )
            row = change.connection.execute(sa.select(outbox).where(outbox.c.event == number)).mappings().one()
            return _message(change.connection, row)

        found: Message = self._once(actor, request_id, "push", [project, report], answer=Message, work=work)
        return found

    def deliver(self, to: Callable[[Message], None], *, limit: int = 100, actor: Actor = SYSTEM) -> Delivered:
        """Hand every message that is due to ``to``; one that raises is tried again later, ever less often.

        At least once: if this process dies between the callback and its note, the message comes again with the same
        event id. One process delivers at a time; another one gets an empty answer.
        """
        delivered: list[str] = []
        failed: list[tuple[str, str]] = []
        try:
            with self.store.locks.hold("outbox"):
                for message in self._due(limit):
                    reason = self._hand_over(message, to)
                    self._note(message, reason, actor)
                    if reason is None:
                        delivered.append(message.event_id)
                    else:
                        failed.append((message.event_id, reason))
        except LeaseConflict:
            log.info("another process is delivering")
        return Delivered(delivered=tuple(delivered), failed=tuple(failed))

    def _due(self, limit: int) -> list[Message]:
        now = stamp(self.store.clock())
        due = sa.and_(outbox.c.delivered_at.is_(None), outbox.c.next_at <= now)
        with self.store.read() as connection:
            rows = connection.execute(sa.select(outbox).where(due).order_by(outbox.c.id).limit(limit)).mappings().all()
            return [_message(connection, row) for row in rows]

    @staticmethod
    def _hand_over(message: Message, to: Callable[[Message], None]) -> str | None:
        """Call the integrator's code; whatever it raises is its own, and a reason to try again."""
        try:
            to(message)
        except Exception as exc:  # noqa: BLE001 - a callback may fail in any way; none of them may lose the message
            log.warning("%s was not taken: %r", message.event_id, exc)
            return f"{type(exc).__name__}: {exc}"
        return None

    def _note(self, message: Message, reason: str | None, actor: Actor) -> None:
        with self.store.change(actor) as change:
            pause = timedelta(seconds=min(_FIRST_RETRY_S * 2 ** (message.attempt - 1), _LONGEST_RETRY_S))
            values = {"attempts": message.attempt, "last_error": reason, "next_at": stamp(change.at + pause)}
            if reason is None:
                values["delivered_at"] = stamp(change.at)
            where = outbox.c.event == int(message.event_id.split("-")[0])
            change.connection.execute(outbox.update().where(where).values(**values))
            data = {"event_id": message.event_id, "attempt": message.attempt, "reason": reason}
            change.event("project.pushed" if reason is None else "project.push_failed", data, project=message.project)

    # ------------------------------------------------------------------ what happened

    def events(
        self, *, after: str | None = None, project: str | None = None, limit: int | None = None
    ) -> Iterator[Event]:
        """Everything that changed, in order; give the last event's id as ``after`` to go on from there."""
        return read_events(self.store, after=after, project=project, limit=limit)


def _message(connection: sa.Connection, row: sa.RowMapping) -> Message:
    event = event_of(connection, row["event"])
    return Message(
        event_id=event.id,
        topic=row["topic"],
        project=row["project"],
        at=event.at,
        attempt=row["attempts"] + 1,
        payload=json.loads(row["payload"]),
    )


def _same(name: str) -> str:
    """Compare names as people do: width, case and blanks make no other person."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
