"""The seams where pysnmp's and gufo-snmp's errors become ours know all of them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pysnmp.carrier.error
import pysnmp.error
import pysnmp.proto.error
import pysnmp.smi.error
import pytest
from pyasn1 import error as asn1
from pydantic import SecretStr
from pysnmp.proto import errind

from ponprobe.errors import AuthError, NotSupported, ParseError, PonprobeError, TransportError, TransportTimeout
from ponprobe.transports import snmp_pysnmp
from ponprobe.transports.snmp import SnmpSettings

SECRET = "Canary-community-7"
SETTINGS = SnmpSettings("olt-1", community=SecretStr(SECRET))


def classes(*modules: object) -> list[type[Exception]]:
    found = {
        each
        for module in modules
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Exception)
    }
    return sorted(found, key=repr)


def builtin_errors() -> Iterator[type[Exception]]:
    pending: list[type[Exception]] = [OSError, ValueError, RuntimeError, KeyError, TypeError]
    while pending:
        kind = pending.pop()
        yield kind
        pending.extend(
            sub for sub in kind.__subclasses__() if sub.__module__ == "builtins" and "Unicode" not in sub.__name__
        )


def checked(ours: PonprobeError) -> PonprobeError:
    assert isinstance(ours, (TransportError, ParseError, NotSupported))
    assert "olt-1:161 (SNMP 2c)" in str(ours)
    assert SECRET not in str(ours) + repr(ours)
    if isinstance(ours, TransportError):
        assert (ours.host, ours.access) == ("olt-1", "snmp")
    return ours


@pytest.mark.parametrize("kind", classes(errind), ids=lambda kind: kind.__name__)
def test_what_pysnmp_reports(kind: type[Exception]) -> None:
    ours = checked(snmp_pysnmp.translate(kind(f"told so by {SECRET}"), SETTINGS))
    assert "told so by ***" in str(ours)
    about_keys = (
        errind.UnknownUserName, errind.WrongDigest, errind.NotInTimeWindow, errind.UnsupportedSecurityLevel,
        errind.UnknownCommunityName, errind.DecryptionError, errind.AuthenticationFailure,
    )  # fmt: skip
    if issubclass(kind, about_keys):
        assert type(ours) is AuthError
        assert ours.hint
    elif issubclass(kind, errind.RequestTimedOut):
        assert type(ours) is TransportTimeout
    elif issubclass(kind, errind.DeserializationError):
        assert type(ours) is ParseError


def test_engine_time_is_explained() -> None:
    assert "engine time" in str(snmp_pysnmp.translate(errind.notInTimeWindow, SETTINGS))


@pytest.mark.parametrize(
    "kind",
    [
        *classes(pysnmp.error, pysnmp.proto.error, pysnmp.carrier.error, pysnmp.smi.error, asn1),
        *sorted(set(builtin_errors()), key=repr),
    ],
    ids=lambda kind: kind.__name__,
)
def test_what_pysnmp_raises(kind: type[Exception]) -> None:
    said = f"told so by {SECRET}"
    if issubclass(kind, asn1.PyAsn1UnicodeDecodeError):
        exc: Exception = kind(said, UnicodeDecodeError("utf-8", b"x", 0, 1, said))
    elif issubclass(kind, asn1.PyAsn1UnicodeEncodeError):
        exc = kind(said, UnicodeEncodeError("utf-8", "x", 0, 1, said))
    elif issubclass(kind, pysnmp.smi.error.MibOperationError):
        exc = kind(name=said)
    elif issubclass(kind, pysnmp.proto.error.StatusInformation):
        exc = kind(errorIndication=said)
    else:
        exc = kind(said)
    checked(snmp_pysnmp.translate(exc, SETTINGS))


@pytest.mark.parametrize("text", ["badResponse", ""])
def test_what_pysnmp_says_in_plain_words(text: str) -> None:
    assert type(checked(snmp_pysnmp.translate(text, SETTINGS))) is ParseError


def test_what_gufo_raises() -> None:
    gufo = pytest.importorskip("gufo.snmp")
    fast = pytest.importorskip("gufo.snmp._fast")
    from ponprobe.transports import snmp_gufo  # noqa: PLC0415 - the library is optional

    kinds = {*classes(gufo, fast), *builtin_errors()}
    assert len(kinds) > 20
    for kind in kinds:
        ours = checked(snmp_gufo.translate(kind(f"told so by {SECRET}"), SETTINGS))
        if issubclass(kind, gufo.SnmpAuthError):
            assert type(ours) is AuthError
        elif issubclass(kind, gufo.SnmpDecodeError):
            assert type(ours) is ParseError
    mine = AuthError("no")
    assert snmp_gufo.translate(mine, SETTINGS) is mine
