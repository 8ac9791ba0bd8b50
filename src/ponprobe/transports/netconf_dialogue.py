"""What is asked in which order over NETCONF, and what follows from the answers. Sends nothing itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from ponprobe.errors import DeviceError, ParseError, PonprobeError, ResourceBusy, SessionLost
from ponprobe.flow import NetconfEdit, NetconfGet
from ponprobe.transports.netconf import (
    DISCARD,
    NMDA,
    Step,
    cancel_commit,
    get_config,
    get_data,
    get_state,
    offers,
    steps_of,
)
from ponprobe.transports.netconf_errors import (
    RpcProblem,
    problems_of,
    refusal,
    says_nothing_waits,
    says_unknown,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """One ``<rpc-reply>``, and when it was complete (UTC)."""

    root: etree._Element
    at: datetime

    def problems(self, severity: str) -> tuple[RpcProblem, ...]:
        """Its ``<rpc-error>`` elements of one severity."""
        return tuple(each for each in problems_of(self.root) if each.severity == severity)

    def child(self, name: str) -> etree._Element | None:
        """The child of this name, in whatever namespace: ``<get-data>`` answers in its own."""
        return next((each for each in self.root.iterchildren("{*}" + name)), None)


Send = Callable[[Step, "float | None"], Answer]
"""Sends one request and waits for its answer, for so many seconds of silence (``None``: the setting)."""


def xml_of(text: str) -> etree._Element:
    """Parse a message of a device, whatever its size, expanding and fetching nothing. Raises ``etree.LxmlError``."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, recover=False)
    return etree.fromstring(text.encode(), parser)


class NetconfDialogue:
    """Questions and transactions on one open session; ``confirmed`` are the commits that were confirmed by us."""

    def __init__(self, send: Send, capabilities: frozenset[str], *, host: str, confirmed: set[str]) -> None:
        self._send = send
        self._capabilities = capabilities
        self._host = host
        self._confirmed = confirmed
        self._has_get_data = True

    # ------------------------------------------------------------------ questions

    def get(self, request: NetconfGet) -> tuple[str, datetime]:
        """The XML of ``<data>``, and when it came. Raises ``DeviceError``, ``ParseError``."""
        if request.datastore == "running":
            return self._data(get_config(request), request)
        if not self._has_get_data:
            return self._data(get_state(request), request)
        step = get_data(request)
        answer = self._ask(step, request.timeout_s)
        errors = answer.problems("error")
        if not errors:
            return self._data_of(answer, step)
        if not says_unknown(errors):
            raise refusal(errors, command=step.text, host=self._host)
        found = self._data(get_state(request), request)
        # it may have been something in this filter that was unknown; then the next question is worth another try
        self._has_get_data = not all(_means_get_data(each) for each in errors)
        return found

    def _data(self, step: Step, request: NetconfGet) -> tuple[str, datetime]:
        answer = self._ask(step, request.timeout_s)
        if errors := answer.problems("error"):
            raise refusal(errors, command=step.text, host=self._host)
        return self._data_of(answer, step)

    def _data_of(self, answer: Answer, step: Step) -> tuple[str, datetime]:
        if any(etree.QName(str(name)).localname == "set-id" for name in answer.root.attrib):
            # seen on that vendor's routers: answers above a size come in sets, asked for one by one
            raise ParseError(f"{self._host}: the answer to {step.text!r} is only its first part (set-id)", text="")
        data = answer.child("data")
        if data is None:
            raise ParseError(
                f"{self._host}: the answer to {step.text!r} has no <data>",
                text=_shown(answer),
                hint="see the transcript",
            )
        return etree.tostring(data, encoding="unicode", with_tail=False), answer.at

    # ------------------------------------------------------------------ changes

    def edit(self, edit: NetconfEdit) -> datetime:
        """Make one change; the time of the answer that decided.

        Raises ``NotSupported`` before anything is sent, ``DeviceError`` where nothing was changed, and
        ``TransportError`` or ``ParseError`` where nobody knows.
        """
        pending = edit.ends is not None and edit.ends not in self._confirmed
        plan = steps_of(edit, self._capabilities, ends_pending=pending)
        otherwise = steps_of(edit, self._capabilities, ends_pending=False)
        for step in plan:
            _check(step)
        lock, *work, free = (step for step in plan if step.kind not in _COMMITS)
        self._lock(lock, edit.ends if pending else None)
        try:
            at = [self._must(step) for step in work][-1]
            if commits := _commits_of(plan):
                at = self._commit(edit, commits, otherwise=_commits_of(otherwise) if plan != otherwise else None)
        except DeviceError:
            self._leave(free)
            raise
        self._quietly(free)
        return at

    def _lock(self, lock: Step, waiting: str | None) -> None:
        """Take the lock. Some servers give none while a confirmed commit waits, even to whoever may end it.

        Then that commit is taken back first: it would be anyway, in time, and on such a server nobody else can have
        changed anything since.
        """
        try:
            self._must(lock)
        except ResourceBusy as busy:
            because = "confirm" in busy.output.casefold()  # and not because somebody works there
            if waiting is None or not because or not self._quietly(cancel_commit(waiting)):
                raise
            self._must(lock)

    def _commit(self, edit: NetconfEdit, commits: list[Step], *, otherwise: list[Step] | None) -> datetime:
        """Commit. ``otherwise`` is what is sent where ``commits`` would end an earlier commit and none waits."""
        first, *second = commits
        answer = self._ask(first)
        errors = answer.problems("error")
        if errors and otherwise is not None and says_nothing_waits(errors):
            _log.debug("%s: %s does not wait any more", self._host, edit.ends)
            return self._commit(edit, otherwise, otherwise=None)
        if errors:
            raise refusal(errors, command=first.text, host=self._host)
        self._acknowledged(answer, first)
        if otherwise is not None and edit.ends is not None:
            self._confirmed.add(edit.ends)
        for confirm in second:
            answer = self._ask(confirm)
            if errors := answer.problems("error"):
                self._take_back(edit, refusal(errors, command=confirm.text, host=self._host))
            self._acknowledged(answer, confirm)
            if edit.persist is not None:
                self._confirmed.add(edit.persist)
        return answer.at

    def _take_back(self, edit: NetconfEdit, refused: DeviceError) -> None:
        """The change is in, and the device did not let it stay: sure that it is gone, or honest that we are not."""
        named = edit.persist if offers(self._capabilities, "confirmed-commit", "1.1") else None
        if named is not None and self._quietly(cancel_commit(named)):
            raise refused
        raise SessionLost(
            f"{edit.what}: the device accepted the change and then refused to confirm it ({refused.message}); it may be"
            " on the device until the commit lapses",
            host=self._host,
            access="netconf",
            hint="read it back; 'ponprobe recover' removes what is left",
        ) from refused

    def _leave(self, free: Step) -> None:
        """Leave the datastores as they were found; what fails here must not hide why we leave."""
        if free.text == "unlock candidate":
            self._quietly(DISCARD)
        self._quietly(free)

    # ------------------------------------------------------------------ requests

    def _ask(self, step: Step, timeout_s: float | None = None) -> Answer:
        if step.kind == "get":
            _check(step)
        answer = self._send(step, timeout_s)
        for warning in answer.problems("warning"):
            _log.warning("%s: %s: the device warns: %s", self._host, step.text, warning)
        return answer

    def _must(self, step: Step) -> datetime:
        """Ask for something that is answered with ``<ok/>`` or refused."""
        answer = self._ask(step)
        if errors := answer.problems("error"):
            raise refusal(errors, command=step.text, host=self._host)
        self._acknowledged(answer, step)
        return answer.at

    def _acknowledged(self, answer: Answer, step: Step) -> None:
        # a warning may stand in the place of <ok/>
        if answer.child("ok") is None and not answer.problems("warning"):
            raise ParseError(
                f"{self._host}: the answer to {step.text!r} is neither <ok/> nor an error",
                text=_shown(answer),
                hint="read back what became of it; see the transcript",
            )

    def _quietly(self, step: Step) -> bool:
        """Ask for something that changes nothing about the result; whether it was done."""
        try:
            self._must(step)
        except PonprobeError as exc:
            _log.warning("%s: %s failed: %s", self._host, step.text, exc)
            return False
        return True


def _check(step: Step) -> None:
    """A filter or a payload that is no XML is a mistake of ours, and must not leave half a transaction behind."""
    try:
        xml_of(step.rpc)
    except etree.LxmlError as exc:
        raise ValueError(f"{step.text!r} is not XML: {exc}") from exc


_COMMITS = ("commit", "confirm")


def _commits_of(plan: tuple[Step, ...]) -> list[Step]:
    return [step for step in plan if step.kind in _COMMITS]


def _means_get_data(problem: RpcProblem) -> bool:
    named = (problem.bad_element or "get-data", problem.bad_namespace or NMDA)
    return problem.tag == "operation-not-supported" or named == ("get-data", NMDA)


def _shown(answer: Answer) -> str:
    return etree.tostring(answer.root, encoding="unicode")[:2000]
