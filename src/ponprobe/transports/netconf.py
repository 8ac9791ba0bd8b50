"""NETCONF: settings, what every NETCONF transport can do, and the requests that one change is made of.

The steps of a change are made by a pure function, which the session and the dry run both use, so that what is planned
is what is sent. No network library is imported here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias
from xml.sax.saxutils import escape

from pydantic import SecretStr

from ponprobe.errors import NotSupported
from ponprobe.flow import NetconfEdit, NetconfGet, NetconfReply
from ponprobe.models.netconf import Handler
from ponprobe.transports.host_keys import check_policy
from ponprobe.transports.record import Transcript

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
_DATASTORES = "urn:ietf:params:xml:ns:yang:ietf-datastores"
_CAPABILITY = "urn:ietf:params:netconf:capability:"

PORT = 830
CONFIRM_WITHIN_S = 60
"""How long the device waits for the second commit of a change that is confirmed at once: if we die between the two, it
takes the change back by itself after this time."""

StepKind: TypeAlias = Literal["lock", "discard", "edit", "validate", "commit", "confirm", "unlock"]


@dataclass(frozen=True, slots=True)
class NetconfSettings:
    """Where a NETCONF server is and how to log in. Times in seconds.

    ``handler`` is what our hello says: the base protocol (``standard``), or one vendor's private capabilities too.
    ``host_keys`` is ``strict``, ``accept-new`` or ``pin:SHA256:...``; ``known_hosts`` is ponprobe's own file. The
    device may be silent for ``reply_timeout_s`` while an answer is due (a whole answer may take ten times that). What
    stands in ``secret_leaves`` is covered in transcripts and errors. Raises ``ConfigError`` for a ``host_keys`` of
    another form.
    """

    host: str
    username: str
    password: SecretStr
    port: int = PORT
    handler: Handler = "standard"
    host_keys: str = "accept-new"
    known_hosts: Path | None = None
    connect_timeout_s: float = 15
    reply_timeout_s: float = 30
    secret_leaves: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_policy(self.host_keys)


class NetconfTransport(Protocol):
    """One session with one device: open it, ask, change, close it. Callers from several threads take turns."""

    on_request: Callable[[str], None] | None
    """Told each request as one line, just before it is sent, in the caller's thread."""

    @property
    def host(self) -> str:
        """The device's address as it was configured."""

    @property
    def transcript(self) -> Transcript:
        """What was said, redacted; its scrubber knows the session's secrets."""

    @property
    def is_open(self) -> bool:
        """Whether something may be asked now. False after a timeout or a lost session: open it again."""

    @property
    def requests_sent(self) -> int:
        """How many requests were sent in all sessions of this transport."""

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server's hello said; empty before the first ``open``."""

    @property
    def host_key(self) -> str | None:
        """The fingerprint of the connected server's key, ``SHA256:...``; ``None`` before the first ``open``."""

    def open(self) -> None:
        """Connect, check the host key, log in, exchange hellos."""

    def get(self, request: NetconfGet) -> NetconfReply:
        """Ask one question."""

    def edit(self, request: NetconfEdit) -> NetconfReply:
        """Make one change as one transaction. Never sends it twice."""

    def close(self) -> None:
        """Say goodbye and hang up. Never raises, never hangs."""


# ------------------------------------------------------------------------------------------------------- capabilities


def offers(capabilities: frozenset[str], name: str, *versions: str) -> bool:
    """Whether a hello offers a capability of RFC 6241 (``candidate``), in any version or one of ``versions``."""
    for uri in capabilities:
        bare = uri.partition("?")[0].strip()
        if bare.startswith(f"{_CAPABILITY}{name}:") and (not versions or bare.rpartition(":")[2] in versions):
            return True
    return False


# -------------------------------------------------------------------------------------------------------------- steps


@dataclass(frozen=True, slots=True)
class Step:
    """One request: what it says to a person, and the XML of the operation as it stands in ``<rpc>``."""

    kind: StepKind | Literal["get", "cancel", "close"]
    text: str
    rpc: str = field(repr=False)


def lock(datastore: str) -> Step:
    """Keep other sessions out of a datastore."""
    return Step("lock", f"lock {datastore}", f"<lock><target><{datastore}/></target></lock>")


def unlock(datastore: str) -> Step:
    """Let other sessions in again."""
    return Step("unlock", f"unlock {datastore}", f"<unlock><target><{datastore}/></target></unlock>")


DISCARD = Step("discard", "discard-changes", "<discard-changes/>")
CLOSE = Step("close", "close-session", "<close-session/>")


def cancel_commit(persist: str) -> Step:
    """Take a confirmed commit back that nobody has confirmed."""
    return Step(
        "cancel",
        "cancel-commit",
        f"<cancel-commit><persist-id>{escape(persist)}</persist-id></cancel-commit>",
    )


def get_config(request: NetconfGet) -> Step:
    """Ask for configuration."""
    return Step(
        "get",
        str(request),
        f'<get-config><source><running/></source><filter type="subtree">{request.filter}</filter></get-config>',
    )


def get_data(request: NetconfGet) -> Step:
    """Ask for state as RFC 8526 has it: complete for components that were found and not configured."""
    return Step(
        "get",
        f"get-data: {request.what}",
        f'<get-data xmlns="{NMDA}"><datastore xmlns:ds="{_DATASTORES}">ds:operational</datastore>'
        f"<subtree-filter>{request.filter}</subtree-filter></get-data>",
    )


def get_state(request: NetconfGet) -> Step:
    """Ask for state as RFC 6241 has it, of servers that do not know better."""
    return Step("get", f"get: {request.what}", f'<get><filter type="subtree">{request.filter}</filter></get>')


def steps_of(edit: NetconfEdit, capabilities: frozenset[str], *, ends_pending: bool) -> tuple[Step, ...]:
    """The requests that make one change, in their order, for a server with these capabilities.

    Through the candidate where there is one: lock, discard what others left, edit, validate, commit (confirmed and then
    confirmed again, where that exists, so that a change whose second half never comes goes away by itself; once and for
    all where the edit has no ``persist``), unlock.
    Else in the running configuration, if the server promises that a refused edit changes nothing. ``ends_pending``
    says that the confirmed commit ``edit.ends`` may still wait: one commit ends it and applies this edit. Raises
    ``NotSupported`` if the server can do neither, or cannot take back what ``revoke_after_s`` wants taken back.
    """
    persistent = offers(capabilities, "candidate") and offers(capabilities, "confirmed-commit", "1.1")
    if edit.revoke_after_s is not None and not persistent:
        raise NotSupported(
            f"{edit.what}: the OLT cannot take it away by itself after {edit.revoke_after_s} s, its NETCONF server"
            " offers no confirmed-commit:1.1 with a candidate",
            hint="do without revoke_after_s; what was created is then taken away by us, or by 'ponprobe recover'",
        )
    safely = offers(capabilities, "rollback-on-error")
    if offers(capabilities, "candidate"):
        checked = (_VALIDATE,) if offers(capabilities, "validate") else ()
        return (
            lock("candidate"),
            DISCARD,
            _edit(edit, "candidate", safely=safely),
            *checked,
            *_commits(edit, capabilities, persistent=persistent, ends_pending=ends_pending),
            unlock("candidate"),
        )
    if offers(capabilities, "writable-running") and safely:
        return (lock("running"), _edit(edit, "running", safely=True), unlock("running"))
    lacks = (
        "it can be written only in the running configuration and does not promise to leave that as it was when it "
        "refuses (rollback-on-error)"
        if offers(capabilities, "writable-running")
        else "it offers neither a candidate nor a writable running configuration"
    )
    raise NotSupported(
        f"{edit.what}: the OLT's NETCONF server cannot do it as one transaction, {lacks}",
        hint="make changes on the command line; NETCONF can still be read",
    )


_VALIDATE = Step("validate", "validate candidate", "<validate><source><candidate/></source></validate>")


def _edit(edit: NetconfEdit, datastore: str, *, safely: bool) -> Step:
    # test-then-set is what RFC 6241 prescribes where no test-option is given and the server validates; naming it would
    # only add a way to be refused
    on_error = "<error-option>rollback-on-error</error-option>" if safely else ""
    return Step(
        "edit",
        f"edit-config {datastore}: {edit.what}",
        f"<edit-config><target><{datastore}/></target><default-operation>merge</default-operation>{on_error}"
        f'<config xmlns:nc="{BASE}">{edit.config}</config></edit-config>',
    )


def _commits(
    edit: NetconfEdit, capabilities: frozenset[str], *, persistent: bool, ends_pending: bool
) -> tuple[Step, ...]:
    if persistent and ends_pending and edit.ends is not None and edit.revoke_after_s is None:
        return (Step("commit", f"commit persist-id {edit.ends}", _persist_id(edit.ends)),)
    plain = "<commit/>"
    if edit.persist is None or not offers(capabilities, "confirmed-commit"):
        return (Step("commit", "commit", plain),)
    within_s = edit.revoke_after_s or CONFIRM_WITHIN_S
    # confirmed-commit:1.0 has no persist: such a commit belongs to this session and ends with it
    name = f"<persist>{escape(edit.persist)}</persist>" if persistent else ""
    confirmed = Step(
        "commit",
        f"commit confirmed {within_s} s",
        f"<commit><confirmed/><confirm-timeout>{within_s}</confirm-timeout>{name}</commit>",
    )
    if edit.revoke_after_s is not None:
        return (confirmed,)
    return (confirmed, Step("confirm", "commit", _persist_id(edit.persist) if persistent else plain))


def _persist_id(persist: str) -> str:
    return f"<commit><persist-id>{escape(persist)}</persist-id></commit>"
