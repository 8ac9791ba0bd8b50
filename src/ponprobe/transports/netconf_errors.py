"""What a NETCONF server refuses: all ``<rpc-error>`` of a reply become one exception with one clear line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml import etree

from ponprobe.errors import AlreadyExists, DeviceError, NotFound, PermissionDenied, Rejected, ResourceBusy
from ponprobe.models.parsed import RefusedClass

_LISTED = 5
"""So many different errors are named; a device may repeat one for every node of a change."""

_KINDS: dict[str, tuple[type[DeviceError], RefusedClass]] = {
    "access-denied": (PermissionDenied, "permission"),
    "lock-denied": (ResourceBusy, "busy"),
    "in-use": (ResourceBusy, "busy"),
    "resource-denied": (ResourceBusy, "busy"),
    "data-exists": (AlreadyExists, "already_exists"),
    "data-missing": (NotFound, "not_found"),
    "operation-not-supported": (Rejected, "unknown_command"),
}
_DECISIVE = ("access-denied", "lock-denied", "in-use", "resource-denied")
"""These tell what to do whatever else is in the reply; of the others the first one counts."""


@dataclass(frozen=True, slots=True)
class RpcProblem:
    """One ``<rpc-error>``; what a server left out is empty."""

    tag: str
    message: str = ""
    severity: str = "error"
    type: str = ""
    app_tag: str = ""
    path: str = ""
    session_id: str = ""
    bad_element: str = ""
    bad_namespace: str = ""

    def __str__(self) -> str:
        """What the server said about it, in one line."""
        text = self.message or self.tag or "no reason given"
        where = f" at {self.path}" if self.path and self.path not in text else ""
        bad = f" ({self.bad_element})" if self.bad_element and self.bad_element not in text else ""
        return f"{text}{bad}{where}"


def problems_of(reply: etree._Element) -> tuple[RpcProblem, ...]:
    """The errors and warnings of an ``<rpc-reply>``, in the server's order; names are taken without namespaces."""
    return tuple(_problem(each) for each in reply if _name(each) == "rpc-error")


def _problem(error: etree._Element) -> RpcProblem:
    found = {_name(child): _line(child) for child in error}
    info = next((child for child in error if _name(child) == "error-info"), None)
    more = {} if info is None else {_name(child): _line(child) for child in info}
    return RpcProblem(
        tag=found.get("error-tag", ""),
        message=found.get("error-message", ""),
        # a server that names no severity means an error: never let a refusal pass as a warning
        severity="warning" if found.get("error-severity") == "warning" else "error",
        type=found.get("error-type", ""),
        app_tag=found.get("error-app-tag", ""),
        path=found.get("error-path", ""),
        session_id=more.get("session-id", ""),
        bad_element=more.get("bad-element", ""),
        bad_namespace=more.get("bad-namespace", ""),
    )


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _line(element: etree._Element) -> str:
    return " ".join("".join(str(part) for part in element.itertext()).split())


def refusal(problems: Sequence[RpcProblem], *, command: str, host: str = "") -> DeviceError:
    """The exception for the errors of one reply (at least one): its kind, one line, the different texts below."""
    first = next((each for each in problems if each.tag in _DECISIVE), problems[0])
    kind, refused = _KINDS.get(first.tag, (Rejected, "other"))
    hint = None
    if _others_commit_waits(first):
        kind, refused = ResourceBusy, "busy"
        hint = "another confirmed commit waits on the device; it ends when its owner confirms it or its time is over"
    elif first.tag == "lock-denied":
        holder = first.session_id
        hint = (
            f"NETCONF session {holder} holds the lock; wait for it, or end it there (kill-session {holder})"
            if holder.strip("0")
            else "something else than a NETCONF session holds the lock, or the candidate has changes of somebody else"
        )
    elif kind is ResourceBusy:
        hint = "another change is being made on the device"
    elif kind is PermissionDenied:
        hint = "the NETCONF user needs the right to do this"
    counted = f"{len(problems)} errors; first: " if len(problems) > 1 else ""
    return kind(
        f"{command}: the device answered {counted}{str(first)!r}",
        host=host,
        command=command,
        output="\n".join(_listed(problems)),
        refused=refused,
        hint=hint,
    )


def _listed(problems: Iterable[RpcProblem]) -> list[str]:
    different = list(dict.fromkeys(f"{each.tag}: {each}" for each in problems))
    more = len(different) - _LISTED
    return different[:_LISTED] + ([f"(and {more} more)"] if more > 0 else [])


def _others_commit_waits(problem: RpcProblem) -> bool:
    # the texts of netopeer2; a commit may not pass while another session's confirmed commit waits
    text = problem.message.casefold()
    return problem.tag in {"invalid-value", "operation-failed"} and "pending confirmed commit" in text


def says_nothing_waits(problems: Sequence[RpcProblem]) -> bool:
    """Whether a commit with a persist-id was refused because no commit of that name waits (RFC 6241, 8.4.5.1)."""
    return any(each.tag == "invalid-value" or "confirmed commit" in each.message.casefold() for each in problems)


_UNKNOWN = {"operation-not-supported", "unknown-element", "unknown-namespace", "malformed-message", "bad-element"}


def says_unknown(problems: Sequence[RpcProblem]) -> bool:
    """Whether an operation may have been refused because the server does not know it."""
    return any(each.tag in _UNKNOWN for each in problems)
