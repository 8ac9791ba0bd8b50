"""What a server refuses becomes one exception; what a library raises becomes one of ours, whatever it is."""

from __future__ import annotations

import inspect
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import ncclient.operations
import ncclient.operations.errors
import ncclient.transport.errors
import ncclient.xml_
import paramiko.ssh_exception
import pytest
from lxml import etree
from pydantic import SecretStr

sys.path.append(str(Path(__file__).parent))  # for the peer

from netconf_peer import error

from parts import missing
from ponprobe.errors import (
    AlreadyExists,
    AuthError,
    ConnectError,
    DeviceError,
    HostKeyError,
    NotFound,
    PermissionDenied,
    Rejected,
    ResourceBusy,
    SessionLost,
    TransportError,
    TransportTimeout,
)
from ponprobe.transports.netconf import NetconfSettings
from ponprobe.transports.netconf_errors import problems_of, refusal, says_nothing_waits, says_unknown
from ponprobe.transports.netconf_framing import FramingError
from ponprobe.transports.netconf_ncclient import translate

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
STEP = "edit-config candidate: register test ONU 0/1/0:3"


def refused(*errors: str) -> DeviceError:
    root = etree.fromstring(f'<rpc-reply xmlns="{BASE}" message-id="1">{"".join(errors)}</rpc-reply>')
    return refusal(problems_of(root), command=STEP, host="olt-1")


def recorded(shared: Path, name: str) -> DeviceError:
    path = shared / "yang" / "replies" / name
    if not path.exists():
        missing("the replies of a real NETCONF server are not beside the project")
    root = etree.parse(path).getroot()
    if etree.QName(root).localname == "rpc-error":
        reply = etree.Element(f"{{{BASE}}}rpc-reply")
        reply.append(root)
        root = reply
    return refusal(problems_of(root), command=STEP, host="olt-1")


# ---------------------------------------------------------------------------------------------- what a server said


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("err-bad-vlan.xml", Rejected, r"2 errors; first: 'Invalid union value \"5001\""),
        (
            "err-dangling-channel-pair.xml",
            NotFound,
            r'2 errors; first: .*"CPAIR\.none" missing.*preferred-channel-pair',
        ),
        ("err-data-exists-61.xml", AlreadyExists, r'61 errors; first: .Node "forwarder" to be created already exists'),
        ("err-data-missing.xml", NotFound, r'first: .Node "forwarder" to be deleted does not exist'),
        ("err-lock-denied.xml", ResourceBusy, r"session 24 holds the lock"),
        (
            "err-missing-tcont-profile.xml",
            NotFound,
            r'the device answered .Required leafref target with value "TDP-none"',
        ),
        ("err-unknown-element.xml", Rejected, r"unexpected namespace is present\. \(nope\)"),
    ],
)
def test_what_a_real_server_said(shared: Path, name: str, kind: type[DeviceError], said: str) -> None:
    error = recorded(shared, name)
    assert type(error) is kind
    with pytest.raises(DeviceError, match=said):
        raise error
    assert (error.host, error.command) == ("olt-1", STEP)
    assert "\n" not in str(error), "one line"
    assert 1 <= len(error.output.splitlines()) <= 6, "different texts, not one for every node"


@pytest.mark.parametrize(
    ("tag", "kind", "word"),
    [
        ("access-denied", PermissionDenied, "permission"),
        ("in-use", ResourceBusy, "busy"),
        ("resource-denied", ResourceBusy, "busy"),
        ("lock-denied", ResourceBusy, "busy"),
        ("data-exists", AlreadyExists, "already_exists"),
        ("data-missing", NotFound, "not_found"),
        ("operation-not-supported", Rejected, "unknown_command"),
        ("invalid-value", Rejected, "other"),
        ("something-new", Rejected, "other"),
        ("", Rejected, "other"),
    ],
)
def test_kinds(tag: str, kind: type[DeviceError], word: str) -> None:
    found = refused(error(tag, "told so"))
    assert (type(found), found.refused) == (kind, word)
    assert "told so" in str(found)


def test_what_tells_to_wait_or_to_ask_for_rights_decides_over_what_comes_first() -> None:
    assert type(refused(error("operation-failed", "no"), error("in-use", "busy"))) is ResourceBusy
    assert type(refused(error("operation-failed", "no"), error("access-denied", "not you"))) is PermissionDenied
    assert type(refused(error("operation-failed", "bad value"), error("data-missing", "so that"))) is Rejected


def test_a_lock_that_no_session_holds() -> None:
    text = str(refused(error("lock-denied", "no", info="<session-id>0</session-id>")))
    assert "kill-session" not in text
    assert "somebody else" in text


@pytest.mark.parametrize("tag", ["invalid-value", "operation-failed"])
def test_another_confirmed_commit_waits(tag: str) -> None:
    found = refused(error(tag, "Commit does not match pending confirmed commit."))
    assert type(found) is ResourceBusy
    assert "another confirmed commit waits" in str(found)


def test_only_different_texts_are_listed_and_not_all_of_many() -> None:
    many = [error("operation-failed", f"text {number // 2}") for number in range(20)]
    lines = refused(*many).output.splitlines()
    assert lines == [*(f"operation-failed: text {number}" for number in range(5)), "(and 5 more)"]


def test_an_error_without_a_severity_is_one_and_a_warning_is_none() -> None:
    root = etree.fromstring(
        f'<rpc-reply xmlns="{BASE}"><rpc-error><error-tag>x</error-tag></rpc-error><!-- x --><?x y?>'
        f"{error('y', severity='warning')}</rpc-reply>"
    )
    assert [each.severity for each in problems_of(root)] == ["error", "warning"]


def test_nothing_waits() -> None:
    def waits(text: str) -> bool:
        return not says_nothing_waits(problems_of(etree.fromstring(f"<a>{text}</a>")))

    assert not waits(error("invalid-value", "Commit does not match pending confirmed commit."))
    assert not waits(error("operation-failed", "persistent confirmed commit not active"))
    assert waits(error("operation-failed", "disk full"))
    assert waits(error("in-use", "locked"))


def test_unknown_operations() -> None:
    for tag in ("operation-not-supported", "unknown-element", "unknown-namespace", "malformed-message", "bad-element"):
        assert says_unknown(problems_of(etree.fromstring(f"<a>{error(tag)}</a>")))
    for tag in ("access-denied", "operation-failed", "resource-denied", "too-big"):
        assert not says_unknown(problems_of(etree.fromstring(f"<a>{error(tag)}</a>")))


# --------------------------------------------------------------------------------------------- what a library raises

KEY = paramiko.ECDSAKey.generate()
ERROR = etree.fromstring("<rpc-error><error-message>told so</error-message></rpc-error>")
ARGUMENTS: dict[str, tuple[object, ...]] = {
    "AuthFailure": ("told so",),
    "BadAuthenticationType": ("told so", ["publickey"]),
    "BadHostKeyException": ("olt-1", KEY, KEY),
    "ChannelException": (1, "told so"),
    "NoValidConnectionsError": ({("192.0.2.1", 830): OSError("told so")},),
    "ParseError": ("told so", 1, 1, 1),
    "ProxyCommandFailure": ("told so", "1"),
    "RPCError": (ERROR,),
    "SSHUnknownHostError": ("olt-1", "ab:cd"),
    "UnicodeDecodeError": ("utf-8", b"x", 0, 1, "told so"),
    "UnicodeEncodeError": ("utf-8", "x", 0, 1, "told so"),
    "UnicodeTranslateError": ("x", 0, 1, "told so"),
    "UnknownKeyType": ("told so", b""),
    "XMLSyntaxError": ("told so", 1, 1, 1),
    "XSLTParseError": ("told so",),
}
SETTINGS = NetconfSettings("olt-1", "tester", SecretStr("Canary-7pass"))


def everyone() -> Iterator[type[Exception]]:
    modules = (
        paramiko, paramiko.ssh_exception, socket, ncclient, ncclient.operations, ncclient.operations.errors,
        ncclient.transport.errors, ncclient.xml_, etree,
    )  # fmt: skip
    for module in modules:
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, Exception):
                yield found
    pending: list[type[Exception]] = [OSError, EOFError, ValueError]
    while pending:
        kind = pending.pop()
        yield kind
        pending.extend(sub for sub in kind.__subclasses__() if sub.__module__ in ("builtins", "socket"))


@pytest.mark.parametrize("kind", sorted({*everyone(), FramingError}, key=repr), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("is_open", [False, True])
def test_map_is_total(kind: type[Exception], is_open: bool) -> None:
    # some of these classes insist on their own arguments
    exc = kind(*ARGUMENTS.get(kind.__name__, ("told so",)))
    ours = translate(exc, SETTINGS, "opening", is_open=is_open)
    assert isinstance(ours, TransportError)
    assert (ours.host, ours.access) == ("olt-1", "netconf")
    assert "Opening olt-1:830 as tester" in str(ours)
    assert "Canary" not in str(ours)
    if is_open:
        assert type(ours) is SessionLost
    elif issubclass(kind, paramiko.BadHostKeyException):
        assert type(ours) is HostKeyError
    elif issubclass(kind, paramiko.AuthenticationException):
        assert type(ours) is AuthError
    elif issubclass(kind, ncclient.transport.errors.SessionError):
        assert type(ours) is TransportTimeout
    else:
        assert type(ours) is ConnectError


def test_ours_pass_as_they_are() -> None:
    mine = HostKeyError("no")
    assert translate(mine, SETTINGS, "opening") is mine


def test_what_had_been_read_and_not_sent_is_not_shown() -> None:
    exc = ncclient.transport.errors.SessionCloseError(b"<secret/>", b"Canary-7pass")
    ours = translate(exc, SETTINGS, "asking", is_open=True)
    assert "secret" not in str(ours)
    assert "Canary" not in str(ours)
