"""One NETCONF session: hello, then requests until it ends. The datastores know how to do what is asked here."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lxml import etree

from ponprobe.emulator.faults import Faults
from ponprobe.emulator.netconf.datastores import Datastores, Store
from ponprobe.emulator.netconf.errors import Denied, RpcError, failed, invalid, missing_element, unsupported
from ponprobe.emulator.netconf.filters import choose, data_element
from ponprobe.emulator.netconf.framing import BadFraming, Frames
from ponprobe.emulator.netconf.library import add_library, hello
from ponprobe.emulator.netconf.modules import BASE, NMDA
from ponprobe.emulator.netconf.settings import NetconfSpec
from ponprobe.emulator.netconf.state import State
from ponprobe.emulator.netconf.tree import Node, merge, one_line, read
from ponprobe.emulator.terminal import Closed, Wire
from ponprobe.emulator.world import OltWorld

CHANGING = frozenset({"edit-config", "copy-config", "commit", "discard-changes", "cancel-commit", "delete-config"})
LARGEST_TIMEOUT = 2**32 - 1


class Device(Protocol):
    """What a session needs of the emulated OLT."""

    world: OltWorld
    faults: Faults
    closing: threading.Event

    def arrived(self, line: str) -> int:
        """Count and record a request; may drop the connection by raising ``Closed``."""

    def executed(self, number: int, line: str) -> None:
        """Tell that a request was executed; may drop the connection by raising ``Closed``."""


class Reply:
    """What is answered: errors, data, or ok; and whether that was the last answer."""

    def __init__(self, *content: etree._Element, last: bool = False) -> None:
        self.content = content or (etree.Element(f"{{{BASE}}}ok", nsmap={None: BASE}),)
        self.last = last


@dataclass(frozen=True)
class Home:
    """What the sessions of one server share; ``kill`` ends another session, false if there is none of that number."""

    device: Device
    spec: NetconfSpec
    stores: Datastores
    state: State
    kill: Callable[[int], bool]


class Session:
    """One client. Used by one thread."""

    def __init__(self, wire: Wire, number: int, home: Home) -> None:
        self.number = number
        self._wire = wire
        self._device, self._spec = home.device, home.spec
        self._stores, self._state = home.stores, home.state
        self._kill = home.kill
        self._frames = Frames(wire)
        self._operations: dict[str, Callable[[etree._Element], Reply]] = {
            "get": self._get,
            "get-config": self._get_config,
            "edit-config": self._edit_config,
            "copy-config": self._copy_config,
            "lock": self._lock,
            "unlock": self._unlock,
            "validate": self._validate,
            "commit": self._commit,
            "cancel-commit": self._cancel_commit,
            "discard-changes": self._discard_changes,
            "close-session": self._close,
            "kill-session": self._kill_session,
        }

    def drop(self) -> None:
        """Cut the connection from outside."""
        self._wire.close()

    def run(self) -> None:
        """Talk until the client goes (or ``Closed`` says that the connection is to be dropped)."""
        self._frames.write(hello(self._spec, self.number), self._spec.chunk_bytes)
        theirs = self._read_hello(self._frames.read())
        ours = {f"urn:ietf:params:netconf:base:{version}" for version in self._spec.versions}
        if not theirs & ours:
            raise Closed
        self._frames.chunked = "urn:ietf:params:netconf:base:1.1" in theirs & ours
        try:
            while self._one(self._frames.read()):
                pass
        except BadFraming as bad:
            raise Closed from bad

    @staticmethod
    def _read_hello(message: bytes) -> set[str]:
        try:
            top = _parse(message)
        except etree.XMLSyntaxError:
            return set()
        return {(each.text or "").strip() for each in top.iter(f"{{{BASE}}}capability")}

    # ------------------------------------------------------------------ one request

    def _one(self, message: bytes) -> bool:
        """Answer a message; false after the last answer."""
        try:
            rpc = _parse(message)
            name = etree.QName(rpc)
            good = (name.namespace, name.localname) == (BASE, "rpc")
        except etree.XMLSyntaxError:
            good = False
        if not good:
            self._answer(0, None, Reply(_malformed()))
            return True
        operations = [each for each in rpc if isinstance(each.tag, str)]
        line = " ".join(describe(each) for each in operations)
        number = self._device.arrived(line)
        if rpc.get("message-id") is None:
            info = (("bad-attribute", "message-id"), ("bad-element", "rpc"))
            reply = Reply(
                RpcError("rpc", "missing-attribute", "An expected attribute is missing.", info=info).element()
            )
        elif len(operations) != 1:
            reply = Reply(unsupported().element())
        else:
            reply = self._execute(operations[0])
        self._device.executed(number, line)
        self._answer(number, rpc, reply)
        return not reply.last

    def _execute(self, operation: etree._Element) -> Reply:
        try:
            with self._device.world.lock:
                return self._do(operation)
        except Denied as denied:
            return Reply(*(error.element() for error in denied.errors))

    def _do(self, operation: etree._Element) -> Reply:
        name, faults = etree.QName(operation), self._device.faults
        if name.localname in CHANGING and faults.busy > 0:
            faults.busy -= 1
            raise Denied(RpcError("protocol", "resource-denied", "The system is busy, try again later."))
        if (name.namespace, name.localname) == (NMDA, "get-data") and self._spec.get_data:
            return self._get_data(operation)
        do = self._operations.get(name.localname) if name.namespace == BASE else None
        if do is None:
            raise Denied(unsupported())
        return do(operation)

    def _answer(self, number: int, rpc: etree._Element | None, reply: Reply) -> None:
        faults = self._device.faults
        if number and faults.silent_after == number:
            self._frames.discard_forever()
        if self._device.closing.wait(faults.delay_s + self._spec.latency_s):
            raise Closed
        if number and faults.garbage_after == number:
            noise = random.Random(f"{self._device.world.seed}/{number}")  # noqa: S311 - reproducible noise
            self._frames.send_raw(
                noise.randbytes(faults.garbage_bytes) + (b"\n##\n" if self._frames.chunked else b"]]>]]>")
            )
            return
        top = etree.Element(f"{{{BASE}}}rpc-reply", nsmap={None: BASE})
        for key, value in rpc.attrib.items() if rpc is not None else ():
            top.set(key, value)
        top.extend(reply.content)
        self._frames.write(etree.tostring(top, xml_declaration=True, encoding="UTF-8"), self._spec.chunk_bytes)

    # ------------------------------------------------------------------ reading

    def _get(self, operation: etree._Element) -> Reply:
        wanted = _child(operation, "filter")
        tree = self._stores.with_state(self._state_tree(wanted, operational=False), _tops(wanted))
        return Reply(data_element(tree, choose(tree, wanted), "data", BASE))

    def _state_tree(self, wanted: etree._Element | None, *, operational: bool) -> Node:
        self._stores.refresh()
        tree = self._state.tree(_tops(wanted))
        add_library(tree, self._spec)
        if operational and self._spec.operational_config:
            running = self._stores.tree("running").copy()
            merge(running, tree)
            return running
        return tree

    def _get_config(self, operation: etree._Element) -> Reply:
        tree = self._stores.tree(self._store(operation, "source"))
        return Reply(data_element(tree, choose(tree, _child(operation, "filter")), "data", BASE))

    def _get_data(self, operation: etree._Element) -> Reply:
        named = operation.find(f"{{{NMDA}}}datastore")
        if named is None or not named.text:
            raise Denied(missing_element("datastore"))
        wanted = operation.find(f"{{{NMDA}}}subtree-filter")
        if wanted is None:
            wanted = operation.find(f"{{{NMDA}}}xpath-filter")
        match named.text.strip().rpartition(":")[2]:
            case "operational":
                tree = self._state_tree(wanted, operational=True)
            case "running" | "intended":
                tree = self._stores.tree("running")
            case "candidate" if self._spec.candidate:
                tree = self._stores.tree("candidate")
            case other:
                raise Denied(invalid(f'The datastore "{other}" is not here.'))
        return Reply(data_element(tree, choose(tree, wanted), "data", NMDA))

    # ------------------------------------------------------------------ changing

    def _store(self, operation: etree._Element, which: str) -> Store:
        found = _child(operation, which)
        names = (
            [etree.QName(each).localname for each in found if isinstance(each.tag, str)] if found is not None else []
        )
        if len(names) != 1:
            raise Denied(missing_element(which))
        if names[0] == "running":
            return "running"
        if names[0] == "candidate" and self._spec.candidate:
            return "candidate"
        raise Denied(unsupported(f'The datastore "{names[0]}" is not here.'))

    def _target(self, operation: etree._Element) -> Store:
        store = self._store(operation, "target")
        if store == "running" and not self._spec.writable_running:
            raise Denied(unsupported("The running datastore cannot be written directly."))
        return store

    def _edit_config(self, operation: etree._Element) -> Reply:
        store, default = self._target(operation), _text(operation, "default-operation") or "merge"
        if default not in {"merge", "replace", "none"}:
            raise Denied(invalid(f'"{default}" is no default operation.'))
        option = _text(operation, "error-option") or "stop-on-error"
        if option == "rollback-on-error" and not self._spec.rollback_on_error:
            raise Denied(unsupported("The error-option rollback-on-error is not supported."))
        config = _child(operation, "config")
        if config is None:
            raise Denied(missing_element("config"))
        change = read(config)
        if default == "replace":
            for each in change.children:
                each.operation = each.operation or "replace"
            default = "merge"
        if _text(operation, "test-option") == "test-only":
            raise Denied(unsupported("The test-option test-only is not supported."))
        self._stores.edit(store, change, default, self.number)
        return Reply()

    def _copy_config(self, operation: etree._Element) -> Reply:
        self._stores.replace_with(self._target(operation), self._store(operation, "source"), self.number)
        return Reply()

    def _lock(self, operation: etree._Element) -> Reply:
        self._stores.lock(self._store(operation, "target"), self.number)
        return Reply()

    def _unlock(self, operation: etree._Element) -> Reply:
        self._stores.unlock(self._store(operation, "target"), self.number)
        return Reply()

    def _validate(self, operation: etree._Element) -> Reply:
        if not self._spec.validation:
            raise Denied(unsupported())
        self._stores.validate(self._store(operation, "source"))
        return Reply()

    def _commit(self, operation: etree._Element) -> Reply:
        confirmed = _child(operation, "confirmed") is not None
        persist_id = _text(operation, "persist-id")
        if not self._spec.candidate or ((confirmed or persist_id is not None) and not self._spec.confirmed_commit):
            raise Denied(unsupported())
        text = _text(operation, "confirm-timeout")
        if text is not None and not (text.isdigit() and 1 <= int(text) <= LARGEST_TIMEOUT):
            raise Denied(failed(f'Unsatisfied range - value "{text}" is out of the allowed range.'))
        self._stores.commit(
            self.number,
            confirmed=confirmed,
            timeout_s=int(text) if text is not None else None,
            persist=_text(operation, "persist"),
            persist_id=persist_id,
        )
        return Reply()

    def _cancel_commit(self, operation: etree._Element) -> Reply:
        if not self._spec.confirmed_commit:
            raise Denied(unsupported())
        self._stores.cancel(self.number, _text(operation, "persist-id"))
        return Reply()

    def _discard_changes(self, _: etree._Element) -> Reply:
        if not self._spec.candidate:
            raise Denied(unsupported())
        self._stores.discard(self.number)
        return Reply()

    def _close(self, _: etree._Element) -> Reply:
        self._stores.end(self.number)
        return Reply(last=True)

    def _kill_session(self, operation: etree._Element) -> Reply:
        text = _text(operation, "session-id") or ""
        if not text.isdigit() or int(text) == self.number or not self._kill(int(text)):
            raise Denied(invalid(f'"{text}" is no other session.'))
        return Reply()


def _parse(message: bytes) -> etree._Element:
    parser: etree.XMLParser[etree._Element] = etree.XMLParser(
        huge_tree=True, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    top: etree._Element = etree.fromstring(message.strip(), parser)
    return top


def _malformed() -> etree._Element:
    return RpcError(
        "rpc", "malformed-message", "A message could not be handled because it failed to be parsed correctly."
    ).element()


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return element.find(f"{{{BASE}}}{name}")


def _text(element: etree._Element, name: str) -> str | None:
    found = _child(element, name)
    return (found.text or "").strip() if found is not None else None


def _tops(wanted: etree._Element | None) -> set[str] | None:
    """The names of the top-level nodes that a filter can choose from; ``None`` is all."""
    if wanted is None or etree.QName(wanted).localname == "xpath-filter" or wanted.get("type") == "xpath":
        return None
    return {etree.QName(each).localname for each in wanted if isinstance(each.tag, str)}


def describe(operation: etree._Element) -> str:
    """A request in one line: its name, the datastore, and what else it holds as XML."""
    words = [etree.QName(operation).localname]
    for child in operation:
        name = etree.QName(child).localname if isinstance(child.tag, str) else ""
        if name in {"target", "source"}:
            words += [etree.QName(each).localname for each in child if isinstance(each.tag, str)]
        elif name == "datastore":
            words.append((child.text or "").strip().rpartition(":")[2])
        elif name in {"config", "filter", "subtree-filter"} and len(child):
            words.append(one_line(child))
        elif name:
            value = (child.get("select") or child.text or "").strip()
            words.append(f"{name}={value}" if value else name)
    return " ".join(words)
