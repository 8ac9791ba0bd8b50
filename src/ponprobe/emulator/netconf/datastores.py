"""Running and candidate configuration, their locks, and the commit that takes itself back."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Literal

from ponprobe.emulator.netconf.binding import Backup, Binding
from ponprobe.emulator.netconf.check import check
from ponprobe.emulator.netconf.errors import Denied, RpcError, in_use, invalid, lock_denied
from ponprobe.emulator.netconf.infra import build_infra
from ponprobe.emulator.netconf.lint import lint, usable
from ponprobe.emulator.netconf.settings import NetconfSpec
from ponprobe.emulator.netconf.tree import Node, edit, flat_text, state_only
from ponprobe.emulator.provision import TcontProfile
from ponprobe.emulator.world import OltWorld

Store = Literal["running", "candidate"]
NO_MATCH = "Commit does not match pending confirmed commit."
DEFAULT_TIMEOUT_S = 600
"""RFC 6241 8.4.5.1."""


@dataclass
class Pending:
    """A confirmed commit that nobody has confirmed yet."""

    session: int
    persist: str | None
    running: Node
    onus: Backup
    timer: threading.Timer | None = field(default=None, repr=False)


class Datastores:
    """All configuration of one OLT over NETCONF. Every method holds the world's lock."""

    def __init__(self, world: OltWorld, spec: NetconfSpec) -> None:
        self._world, self._spec = world, spec
        if spec.modules_dir is not None:
            usable(spec.modules_dir)
        if world.onu_types:
            # bandwidths are kbit/s there; such an OLT knows each of them as a T-CONT profile
            for name, each in spec.traffic_profiles.items():
                rates = (round(bits / 1000) for bits in (each.fixed, each.assured, each.maximum))
                world.tcont_profiles.setdefault(name, TcontProfile(name, 4, *rates))
        self.binding = Binding(world, spec, spec.uplink)
        self._running = build_infra(world, spec)
        self._candidate: Node | None = None
        self._candidate_by = 0
        self._locks: dict[Store, int] = {}
        self._pending: Pending | None = None
        self._timers: list[threading.Timer] = []
        self._closed = False
        self.refresh()

    # ------------------------------------------------------------------ reading

    def refresh(self) -> None:
        """Take in what the command line has changed; a candidate that is being edited gets it too."""
        with self._world.lock:
            trees = [self._running] if self._candidate is None else [self._running, self._candidate]
            self.binding.follow(*trees)

    def tree(self, store: Store) -> Node:
        """A datastore's tree, up to date; not to be changed."""
        with self._world.lock:
            self.refresh()
            return self._candidate if store == "candidate" and self._candidate is not None else self._running

    @property
    def pending(self) -> bool:
        """Whether a confirmed commit waits."""
        return self._pending is not None

    def snapshot(self) -> dict[str, Any]:
        """All of it as plain values: each entry of a list in one line; a candidate only where it differs."""
        with self._world.lock:
            self.refresh()
            found: dict[str, Any] = {"running": _lines(self._running)}
            if self._candidate is not None and not self._candidate.equals(self._running):
                found["candidate"] = _lines(self._candidate)
            if self._pending is not None:
                found["unconfirmed"] = True
            return found

    # ------------------------------------------------------------------ locks

    def lock(self, store: Store, session: int) -> None:
        """Lock a datastore for a session."""
        with self._world.lock:
            holder = self._locks.get(store)
            if holder is not None:
                raise Denied(lock_denied(holder))
            if store == "candidate":
                self.refresh()
                if self._candidate is not None and self._candidate_by != session:
                    if not self._candidate.equals(self._running):
                        raise Denied(lock_denied(self._candidate_by))
                    self._candidate = None
            if store == "running" and self._pending is not None and self._pending.session not in {0, session}:
                raise Denied(lock_denied(self._pending.session))
            self._locks[store] = session

    def unlock(self, store: Store, session: int) -> None:
        """Give a lock back."""
        with self._world.lock:
            if self._locks.get(store) != session:
                raise Denied(RpcError("protocol", "operation-failed", "The lock is not held by this session."))
            del self._locks[store]

    def _may_write(self, store: Store, session: int) -> None:
        if self._locks.get(store, session) != session:
            raise Denied(in_use())

    def end(self, session: int) -> None:
        """A session is over: its locks go, with what it left in a locked candidate; so does its own pending commit."""
        with self._world.lock:
            if self._locks.get("candidate") == session:
                self._candidate = None
            elif self._candidate_by == session:
                self._candidate_by = 0
            self._locks = {store: holder for store, holder in self._locks.items() if holder != session}
            if self._pending is not None and self._pending.session == session:
                if self._pending.persist is None:
                    self._roll_back()
                else:
                    self._pending.session = 0

    # ------------------------------------------------------------------ changing

    def edit(self, store: Store, change: Node, default: str, session: int) -> None:
        """Apply an edit: all of it or nothing. On running it is validated as well."""
        with self._world.lock:
            self._may_write(store, session)
            self.refresh()
            tree = self.tree(store).copy()
            edit(tree, change, default)
            if store == "running":
                self._put(tree)
            else:
                self._candidate, self._candidate_by = tree, session

    def replace_with(self, store: Store, source: Store, session: int) -> None:
        """Copy one datastore over the other."""
        with self._world.lock:
            self._may_write(store, session)
            tree = self.tree(source).copy()
            if store == "running":
                self._put(tree)
            else:
                self._candidate, self._candidate_by = tree, session

    def discard(self, session: int) -> None:
        """Make the candidate what runs."""
        with self._world.lock:
            self._may_write("candidate", session)
            self._candidate = None

    def validate(self, store: Store) -> None:
        """Raise :class:`Denied` with everything that is wrong with a datastore."""
        with self._world.lock:
            self._check(self.tree(store))

    def _check(self, tree: Node) -> None:
        """By libyang where there are modules: what it accepts is accepted. Else by the built-in check.

        What both find is told in the words of the built-in check, which are those of a real server.
        """
        errors = check(tree)
        if self._spec.modules_dir is not None:
            told = {error.message for error in errors}
            found = lint(tree, self._spec.modules_dir)
            errors = [*errors, *(error for error in found if error.message not in told)] if found else []
        if errors:
            raise Denied(*errors)

    def _put(self, tree: Node) -> None:
        self._check(tree)
        self.binding.apply(self._running, tree)
        self._running = tree

    # ------------------------------------------------------------------ commits

    def commit(
        self,
        session: int,
        *,
        confirmed: bool = False,
        timeout_s: int | None = None,
        persist: str | None = None,
        persist_id: str | None = None,
    ) -> None:
        """Make the candidate run; for good, or (``confirmed``) until the timeout unless somebody commits again."""
        with self._world.lock:
            if confirmed and persist_id is not None:
                raise Denied(invalid("A confirmed commit cannot have a persist-id."))
            self._matches(session, persist_id)
            self._may_write("running", session)
            self._may_write("candidate", session)
            self.refresh()
            before = self._pending
            running, onus = (before.running, before.onus) if before else (self._running.copy(), self.binding.backup())
            if self._candidate is not None:
                self._put(self._candidate)
                self._candidate = None
            self._forget()
            if confirmed:
                self._pending = Pending(session, persist, running, onus)
                self._start(self._pending, DEFAULT_TIMEOUT_S if timeout_s is None else timeout_s)

    def cancel(self, session: int, persist_id: str | None) -> None:
        """Take an unconfirmed commit back now."""
        with self._world.lock:
            if self._pending is None:
                raise Denied(RpcError("protocol", "operation-failed", "There is no pending confirmed commit."))
            self._matches(session, persist_id)
            self._roll_back()

    def _matches(self, session: int, persist_id: str | None) -> None:
        pending = self._pending
        if pending is None:
            fits = persist_id is None
        elif pending.persist is not None:
            fits = persist_id == pending.persist
        else:
            fits = persist_id is None and pending.session == session
        if not fits:
            raise Denied(invalid(NO_MATCH))

    def _start(self, pending: Pending, timeout_s: float) -> None:
        def expire() -> None:
            with self._world.lock:
                if self._pending is pending:
                    self._roll_back()

        pending.timer = threading.Timer(timeout_s, expire)
        pending.timer.name, pending.timer.daemon = "netconf confirmed commit", True
        if not self._closed:
            self._timers = [each for each in self._timers if each.is_alive()] + [pending.timer]
            pending.timer.start()

    def expire(self) -> bool:
        """Let the time of a pending confirmed commit be over now; false if there is none."""
        with self._world.lock:
            if self._pending is None:
                return False
            self._roll_back()
            return True

    def _roll_back(self) -> None:
        pending = self._pending
        if pending is None:
            return
        self._forget()
        self.binding.restore(pending.onus)
        self._running = pending.running
        self.refresh()

    def _forget(self) -> None:
        if self._pending is not None and self._pending.timer is not None:
            self._pending.timer.cancel()
        self._pending = None

    def close(self) -> None:
        """Stop the timer; what was not confirmed stays as it is, as in a device that loses its power."""
        with self._world.lock:
            self._closed = True
            self._forget()
        for timer in self._timers:
            timer.join()

    # ------------------------------------------------------------------ what <get> shows

    def with_state(self, state: Node, wanted: set[str] | None = None) -> Node:
        """Running configuration and, of the state, what is not configuration; of the top-level nodes wanted."""
        running = self.tree("running")
        tree = Node(running.schema)
        tree.children = [each.copy() for each in running.children if wanted is None or each.name in wanted]
        shown = state if self._spec.found_in_get else state_only(state)
        if shown is not None:
            put_all(tree, shown)
        return tree


def put_all(target: Node, source: Node) -> None:
    """Merge a state tree into a configuration, by a table of what is there: lists are long."""
    there = {(id(each.schema), each.id): each for each in target.children}
    for each in source.children:
        found = there.get((id(each.schema), each.id))
        if found is None:
            target.put(each)
        elif each.schema.kind not in {"leaf", "leaf-list"}:
            put_all(found, each)


def _lines(tree: Node) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}

    def look(node: Node, name: str) -> None:
        for each in node.children:
            if each.schema.kind == "list":
                found.setdefault(f"{name}/{each.name}", []).append(flat_text(each))
            else:
                look(each, f"{name}/{each.name}")

    look(tree, "")
    return found
