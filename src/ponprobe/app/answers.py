"""Asking twice: under a request id, a command that changes an OLT is carried out once, and answered as often as asked.

An answer is a result that speaks of the line: a verdict, a test ONU that stands. What failed is no answer; asked again
under the same id it is tried again, after what the first attempt may have left has been taken away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponprobe.app.options import Problems, check_request_id
from ponprobe.app.outcome import ExitCode

if TYPE_CHECKING:
    from ponprobe.config import Config
    from ponprobe.models.acceptance import ActivationOrder
    from ponprobe.models.engineering import Actor
    from ponprobe.session.olt import Olt
    from ponprobe.store.database import Change, Store
    from ponprobe.store.requests import Running

ANSWERS = frozenset((ExitCode.DONE, ExitCode.FAIL, ExitCode.UNDETERMINED))
"""The codes of a result that is kept: it was measured, and the OLT is as it should be."""


_PART = "row of a batch"


class Request:
    """One request of a command; ``answer`` is what was answered before, if it was."""

    def __init__(self, running: Running[dict[str, Any]] | None, store: Store | None, actor: Actor | None) -> None:
        self.answer = None if running is None else running.answer
        self._running = running
        self._store = store
        self._actor = actor

    def finish(self, answer: dict[str, Any]) -> None:
        """Keep an answer for whoever asks again."""
        if self._running is not None:
            self._running.finish(_plain(answer))

    def part(self, request_id: str, body: Any) -> dict[str, Any] | None:
        """Look up the answer of a part of the request, such as one row of a batch."""

        def not_yet(_change: Change) -> dict[str, Any]:
            raise _NotYet

        try:
            return self._once(request_id, body, not_yet)
        except _NotYet:
            return None

    def finish_part(self, request_id: str, body: Any, answer: dict[str, Any]) -> None:
        """Keep the answer of a part, whatever becomes of the others."""

        def keep(change: Change) -> dict[str, Any]:
            change.event("request.finished", {"name": _PART})
            return _plain(answer)

        self._once(request_id, body, keep)

    def _once(self, request_id: str, body: Any, work: Callable[[Change], dict[str, Any]]) -> dict[str, Any] | None:
        from ponprobe.store.requests import once  # noqa: PLC0415 - the database loads slowly

        if self._store is None or self._actor is None:
            return None
        answer: dict[str, Any] = once(
            self._store, self._actor, request_id, name=_PART, body=body, answer=_adapter(), work=work
        )
        return answer


class _NotYet(Exception):
    """A part has no answer: the look must leave nothing behind."""


@contextmanager
def requested(request_id: str | None, config_file: Path | None, *, name: str, body: Any) -> Iterator[Request]:
    """Hold a request for as long as it takes. Without an id nothing is kept, and no store is needed.

    Raises ``RequestConflict`` for an id that was used for another ``body``, and while the first one is still running;
    ``WrongInput`` for an id that cannot be kept, ``MissingExtra`` where a store cannot be made.
    """
    if request_id is None:
        yield Request(None, None, None)
        return
    problems = Problems()
    check_request_id(request_id, problems)
    problems.stop_if_any()
    from ponprobe import config  # noqa: PLC0415 - help needs none of these
    from ponprobe.models.engineering import Actor  # noqa: PLC0415
    from ponprobe.store.database import Store  # noqa: PLC0415
    from ponprobe.store.requests import running  # noqa: PLC0415

    loaded = config.load(config_file)
    actor = Actor(name=loaded.settings.actor or "ponprobe", role=loaded.settings.role or "system")
    with (
        Store(store_place(None, loaded)) as store,
        running(store, actor, request_id, name=name, body=body, answer=_adapter()) as work,
    ):
        yield Request(work, store, actor)


def store_place(named: str | None, loaded: Config) -> str:
    """Say where the store is: as named, by the setting ``store``, or the journal's database; its folder is made."""
    place = str(named or loaded.settings.store or loaded.settings.journal)
    if "://" in place:
        return place
    path = Path(place).expanduser()
    if not path.parent.is_dir():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(path)


def body_of(order: ActivationOrder) -> dict[str, Any]:
    """Tell an order whole, for a digest: two requests that differ in a password are two."""
    return {"order": order.model_dump(mode="json"), "secrets": list(order.auth.secrets)}


def take_leftovers(olt: Olt, orders: Sequence[ActivationOrder], journal: str) -> None:
    """Take away what an attempt at the same orders left on this OLT when its process died.

    A run that another process is working on raises ``LeaseConflict``; one that was kept on purpose stays.
    """
    from ponprobe.connect import journal_at  # noqa: PLC0415 - the database loads slowly

    open_runs = [run for run in journal_at(journal).unfinished(olt.name) if run.state != "kept"]
    wanted = [order.model_dump(mode="json") for order in orders] if open_runs else []
    for run in open_runs:
        if run.order in wanted:
            olt.revoke(run.run_id)


def _adapter() -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415

    return TypeAdapter(dict[str, Any])


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    """Give an answer as JSON has it, so that the first reader sees the same as the second."""
    from ponprobe.app.outcome import finite  # noqa: PLC0415

    plain: dict[str, Any] = json.loads(json.dumps(finite(answer)))
    return plain
