"""The seam where other people's exceptions become ours knows all of them."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Iterator

import netmiko.exceptions
import paramiko.ssh_exception
import pytest
from pydantic import SecretStr

from ponprobe.errors import AuthError, ConnectError, HostKeyError, SessionLost, TransportError
from ponprobe.transports.cli_netmiko import CliSettings, translate

KEY = paramiko.ECDSAKey.generate()
ARGUMENTS: dict[str, tuple[object, ...]] = {
    "AuthFailure": ("told so",),
    "BadAuthenticationType": ("told so", ["publickey"]),
    "BadHostKeyException": ("olt-1", KEY, KEY),
    "ChannelException": (1, "told so"),
    "NoValidConnectionsError": ({("192.0.2.1", 22): OSError("told so")},),
    "ProxyCommandFailure": ("told so", "1"),
    "UnicodeDecodeError": ("utf-8", b"x", 0, 1, "told so"),
    "UnicodeEncodeError": ("utf-8", "x", 0, 1, "told so"),
    "UnicodeTranslateError": ("x", 0, 1, "told so"),
    "UnknownKeyType": ("told so", b""),
}
SETTINGS = CliSettings("olt-1", 22, "ssh", "tester", SecretStr("Canary-7pass"))


def everyone() -> Iterator[type[Exception]]:
    for module in (paramiko, paramiko.ssh_exception, netmiko.exceptions, socket):
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, Exception):
                yield found
    pending: list[type[Exception]] = [OSError, EOFError, ValueError]
    while pending:
        kind = pending.pop()
        yield kind
        pending.extend(sub for sub in kind.__subclasses__() if sub.__module__ in ("builtins", "socket"))


@pytest.mark.parametrize("kind", sorted(set(everyone()), key=repr), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("is_open", [False, True])
def test_map_is_total(kind: type[Exception], is_open: bool) -> None:
    # some of these classes insist on their own arguments
    exc = kind(*ARGUMENTS.get(kind.__name__, ("told so",)))
    ours = translate(exc, SETTINGS, "opening", is_open=is_open)
    assert isinstance(ours, TransportError)
    assert (ours.host, ours.access) == ("olt-1", "ssh")
    assert "Opening olt-1:22 as tester" in str(ours)
    if is_open:
        assert type(ours) is SessionLost
    elif issubclass(kind, paramiko.BadHostKeyException):
        assert type(ours) is HostKeyError
    elif issubclass(kind, paramiko.AuthenticationException):
        assert type(ours) is AuthError
    else:
        assert type(ours) is ConnectError


def test_ours_pass_as_they_are() -> None:
    mine = HostKeyError("no")
    assert translate(mine, SETTINGS, "opening") is mine  # type: ignore[arg-type]


def test_what_netmiko_hides_is_brought_back() -> None:
    exc = netmiko.exceptions.NetmikoTimeoutException("a page of advice")
    exc.__context__ = ConnectionRefusedError("refused")
    ours = translate(exc, SETTINGS, "opening")
    assert "nothing listens" in str(ours)
    assert "advice" not in str(ours)
