"""SNMP by pysnmp: the library that always works. The only module that imports it.

pysnmp speaks asyncio. Its event loop runs in a thread of its own, so that a session can be used from any thread, and
inside a loop that runs already (Jupyter). Names are numbers here: MIBs are never loaded or looked up.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
import weakref
from collections import deque
from collections.abc import Callable
from threading import Lock, Thread, current_thread
from typing import TYPE_CHECKING, Any, TypeAlias

import pysnmp.error
from pyasn1.codec.ber import decoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.carrier.asyncio.dgram import udp, udp6
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdgen
from pysnmp.hlapi.v3arch.asyncio import auth as usm
from pysnmp.hlapi.v3arch.asyncio.lcd import CommandGeneratorLcdConfigurator
from pysnmp.hlapi.v3arch.asyncio.transport import Udp6TransportTarget, UdpTransportTarget
from pysnmp.proto import errind, rfc1902, rfc1905
from pysnmp.proto.api import v2c
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message

from ponprobe.errors import (
    AuthError,
    ConnectError,
    NotSupported,
    ParseError,
    PonprobeError,
    SessionLost,
    TransportError,
    TransportTimeout,
)
from ponprobe.flow import Missing, Oid, SnmpValue, SnmpWalk
from ponprobe.transports.snmp_session import NoAnswer, Page, Refused, Row, page_of

if TYPE_CHECKING:
    from ponprobe.transports.snmp import SnmpSettings

_AUTH = {
    "none": usm.USM_AUTH_NONE,
    "md5": usm.USM_AUTH_HMAC96_MD5,
    "sha1": usm.USM_AUTH_HMAC96_SHA,
    "sha224": usm.USM_AUTH_HMAC128_SHA224,
    "sha256": usm.USM_AUTH_HMAC192_SHA256,
    "sha384": usm.USM_AUTH_HMAC256_SHA384,
    "sha512": usm.USM_AUTH_HMAC384_SHA512,
}
_PRIV = {
    "none": usm.USM_PRIV_NONE,
    "des": usm.USM_PRIV_CBC56_DES,
    "aes128": usm.USM_PRIV_CFB128_AES,
    "aes192": usm.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "aes256": usm.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "aes192c": usm.USM_PRIV_CFB192_AES,
    "aes256c": usm.USM_PRIV_CFB256_AES,
}
_CLOSE_S = 5


class PysnmpWire:
    """One agent by pysnmp. The thread starts with the first question."""

    name = "pysnmp"

    def __init__(self, settings: SnmpSettings, address: tuple[str, int]) -> None:
        self._settings = settings
        self._address = address
        self._lock = Lock()
        self._thread: _LoopThread | None = None
        self._closed = False
        self._engine: Any = None
        self._auth: Any = None
        self._targets: dict[float, str] = {}
        self._arrived: deque[tuple[float, bytes]] = deque(maxlen=16)
        self._trouble = ""
        self._under_way = 0

    def get(self, oids: tuple[Oid, ...], timeout_s: float) -> list[Row]:
        """One GET."""
        rows = self._ask(_Question(cmdgen.GetCommandGenerator, oids), timeout_s)
        if tuple(row[0] for row in rows) != oids:
            raise NoAnswer(garbled="it names other objects than were asked for")
        return rows

    def cursor(self, request: SnmpWalk, position: Oid | None = None) -> PysnmpCursor:
        """A place in a table."""
        return PysnmpCursor(self, request, position or request.prefix)

    def following(self, oid: Oid, repetitions: int, timeout_s: float) -> list[Row]:
        """One GETBULK, or GETNEXT where ``repetitions`` is 0."""
        if repetitions:
            return self._ask(_Question(cmdgen.BulkCommandGeneratorSingleRun, (oid,), (0, repetitions)), timeout_s)
        return self._ask(_Question(cmdgen.NextCommandGeneratorSingleRun, (oid,)), timeout_s)

    def close(self) -> None:
        """End the thread; whoever still waits for an answer is told so."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()

    # ------------------------------------------------------------------ in the caller's thread

    def _ask(self, question: _Question, timeout_s: float) -> list[Row]:
        with self._lock:
            if self._closed:
                raise self._lost()
            if self._thread is None:
                self._thread = _LoopThread(self._shut, self._note_trouble)
                weakref.finalize(self, self._thread.stop)
            future = asyncio.run_coroutine_threadsafe(self._exchange(question, timeout_s), self._thread.loop)
        try:
            return future.result()
        except (NoAnswer, Refused, PonprobeError):
            raise
        except (asyncio.CancelledError, concurrent.futures.CancelledError):
            raise self._lost() from None
        except Exception as exc:
            raise translate(exc, self._settings) from exc
        except BaseException:
            future.cancel()
            raise

    def _lost(self) -> SessionLost:
        host = self._settings.host
        return SessionLost(f"The SNMP session to {host} was closed while it waited", host=host, access="snmp")

    # ------------------------------------------------------------------ in the loop's thread

    async def _exchange(self, question: _Question, timeout_s: float) -> list[Row]:
        target = self._target(timeout_s)
        start = time.monotonic()
        answer: asyncio.Future[tuple[Any, Any, Any, Any]] = asyncio.get_running_loop().create_future()

        def answered(*args: Any) -> None:
            if not answer.done():
                answer.set_result(args[2:6])

        self._under_way += 1
        try:
            question.send(self._engine, target, self._settings.context, answered)
            indication, status, index, bindings = await answer
        finally:
            self._under_way -= 1
        if indication is not None:
            if isinstance(indication, errind.RequestTimedOut):
                if self._settings.version == "3" and not self._under_way:
                    # the device may have been exchanged for another: the next question finds out who is there
                    self._shut()
                raise self._no_answer(start)
            raise translate(indication, self._settings)
        if status:
            place = int(index) - 1
            raise Refused(int(status), question.oids[place] if 0 <= place < len(question.oids) else None)
        return [(tuple(name), _value(value)) for name, value in bindings]

    def _target(self, timeout_s: float) -> str:
        """The name under which pysnmp keeps this agent with this patience."""
        if self._engine is None:
            self._engine = SnmpEngine()
            self._auth = self._credentials()
        if timeout_s not in self._targets:
            is_v6 = ":" in self._address[0]
            kind = Udp6TransportTarget if is_v6 else UdpTransportTarget
            target = kind.__new__(kind)  # the way that resolves the name again is not needed
            target.transport_address = (*self._address, 0, 0) if is_v6 else self._address
            target.__init__(timeout=timeout_s, retries=0)
            target.PROTO_TRANSPORT = _watched(udp6.Udp6AsyncioTransport if is_v6 else udp.UdpAsyncioTransport, self)
            configure = CommandGeneratorLcdConfigurator().configure
            self._targets[timeout_s] = configure(self._engine, self._auth, target, self._settings.context)[0]
        return self._targets[timeout_s]

    def _credentials(self) -> Any:
        settings = self._settings
        if settings.community is not None:
            return usm.CommunityData(settings.community.get_secret_value(), mpModel=1)  # noqa: S508 - what most OLTs have
        return usm.UsmUserData(
            settings.user,
            authKey=settings.auth_key.get_secret_value() if settings.auth_key else None,
            privKey=settings.priv_key.get_secret_value() if settings.priv_key else None,
            authProtocol=_AUTH[settings.auth_protocol],
            privProtocol=_PRIV[settings.priv_protocol],
        )

    def _no_answer(self, start: float) -> NoAnswer:
        """Why nothing came: pysnmp drops what it cannot read without a word, so look at it here."""
        trouble, self._trouble = self._trouble, ""
        spec = v2c.Message if self._settings.version == "2c" else SNMPv3Message
        for arrived, datagram in self._arrived:
            if arrived >= start and (why := _unreadable(datagram, spec)):
                return NoAnswer(garbled=why)
        return NoAnswer(refused=trouble)

    def note_arrival(self, datagram: bytes) -> None:
        """What came in, whatever it is."""
        self._arrived.append((time.monotonic(), datagram))

    def _note_trouble(self, text: str) -> None:
        self._trouble = text

    note_trouble = _note_trouble

    def _shut(self) -> None:
        engine, self._engine = self._engine, None
        self._targets.clear()
        if engine is not None:
            engine.close_dispatcher()


class PysnmpCursor:
    """A place in a table."""

    def __init__(self, wire: PysnmpWire, request: SnmpWalk, position: Oid) -> None:
        self._wire = wire
        self._request = request
        self._position = position

    def page(self, repetitions: int, timeout_s: float) -> Page:
        """Ask for what follows."""
        page = page_of(self._wire.following(self._position, repetitions, timeout_s), self._request, self._position)
        if page.rows:
            self._position = self._request.column + page.rows[-1][0]
        return page


class _Question:
    """One request, ready to be handed to pysnmp."""

    def __init__(self, kind: Callable[[], Any], oids: tuple[Oid, ...], sizes: tuple[int, ...] = ()) -> None:
        self.oids = oids
        self._kind = kind
        self._sizes = sizes

    def send(self, engine: Any, target: str, context: str, answered: Callable[..., None]) -> None:
        bindings = [(rfc1902.ObjectName(oid), rfc1905.unSpecified) for oid in self.oids]
        self._kind().send_varbinds(engine, target, None, context.encode(), *self._sizes, bindings, answered)


def _watched(kind: Any, wire: PysnmpWire) -> Any:
    """A socket of pysnmp, which also tells us what it receives and why it cannot send."""
    owner = weakref.ref(wire)

    class Watched(kind):  # type: ignore[misc]
        def datagram_received(self, datagram: bytes, address: Any) -> None:
            if (found := owner()) is not None:
                found.note_arrival(datagram)
            super().datagram_received(datagram, address)

        def error_received(self, exc: Exception) -> None:
            if (found := owner()) is not None:
                found.note_trouble(" ".join(str(exc).split()))

    return Watched


def _unreadable(datagram: bytes, spec: Any) -> str:
    try:
        decoder.decode(datagram, asn1Spec=spec())
    except PyAsn1Error as exc:
        return f"{len(datagram)} octets that are no SNMP message ({type(exc).__name__})"
    except Exception as exc:  # noqa: BLE001 - the decoder trips over some octets in ways of its own
        return f"{len(datagram)} octets that break off ({type(exc).__name__})"
    return ""


class _LoopThread:
    """An event loop in a thread."""

    def __init__(self, shut: Callable[[], None], trouble: Callable[[str], None]) -> None:
        self.loop = asyncio.new_event_loop()
        # weak, so that a session that nobody closes can still be collected, and its thread ends
        self._shut = weakref.WeakMethod(shut)
        told = weakref.WeakMethod(trouble)

        def note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            # a datagram that pysnmp stumbled over; the question that waits for it will time out and say so
            if (tell := told()) is not None and "exception" in context:
                tell("")

        self.loop.set_exception_handler(note)
        self._thread = Thread(target=self._run, name="ponprobe-snmp", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if not self.loop.is_closed():
            try:
                self.loop.call_soon_threadsafe(self.loop.stop)
            except RuntimeError:
                return  # closed between the two lines
            if current_thread() is not self._thread:  # a session may be collected anywhere
                self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            if (shut := self._shut()) is not None:
                shut()
            tasks = asyncio.all_tasks(self.loop)
            for task in tasks:
                task.cancel()
            # one more round at least: sockets are closed in the next one
            self.loop.run_until_complete(_gathered(tasks))
            self.loop.close()


async def _gathered(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)


# -------------------------------------------------------------------------------------------------------------- values


def _dotted(value: Any) -> str:
    return ".".join(str(octet) for octet in value.asOctets())


_READERS: dict[type, Callable[[Any], SnmpValue]] = {
    rfc1902.Integer: int,
    rfc1902.Integer32: int,
    rfc1902.Counter32: int,
    rfc1902.Counter64: int,
    rfc1902.Gauge32: int,
    rfc1902.Unsigned32: int,
    rfc1902.TimeTicks: int,
    rfc1902.OctetString: lambda value: bytes(value.asOctets()),
    rfc1902.Opaque: lambda value: bytes(value.asOctets()),
    rfc1902.Bits: lambda value: bytes(value.asOctets()),
    univ.ObjectIdentifier: tuple,
    rfc1902.ObjectIdentifier: tuple,
    rfc1902.ObjectName: tuple,
    rfc1902.IpAddress: _dotted,
    type(rfc1905.noSuchObject): lambda _: Missing.NO_SUCH_OBJECT,
    type(rfc1905.noSuchInstance): lambda _: Missing.NO_SUCH_INSTANCE,
    type(rfc1905.endOfMibView): lambda _: Missing.END_OF_VIEW,
    type(rfc1905.unSpecified): lambda _: Missing.NULL,
    rfc1902.Null: lambda _: Missing.NULL,
}


def _value(value: Any) -> SnmpValue:
    reader = _READERS.get(type(value))
    if reader is None:
        raise NoAnswer(garbled=f"a value of the type {type(value).__name__}")
    return reader(value)


# -------------------------------------------------------------------------------------------------------------- errors

_Ours: TypeAlias = "type[TransportError | ParseError | NotSupported]"

_CLOCK = (
    "its engine time or boots counter is wrong or jumps (seen on ZTE OLTs); restart its SNMP service or use version 2c"
)
_KEYS = "check user, protocols and keys; the security level of the user on the device must be the same"
_CIPHER = "pysnmp takes ciphers from the package 'cryptography'"

_ERRORS: tuple[tuple[type[Exception], _Ours, str | None], ...] = (
    # first match wins: special before general
    (errind.RequestTimedOut, TransportTimeout, "check address, filters and access lists"),
    (errind.UnknownUserName, AuthError, "the device does not know this user"),
    (errind.WrongDigest, AuthError, "the authentication key or protocol is wrong"),
    (errind.AuthenticationFailure, AuthError, "the authentication key or protocol is wrong"),
    (errind.DecryptionError, AuthError, "the privacy key or protocol is wrong"),
    (
        errind.UnsupportedSecurityLevel,
        AuthError,
        "the user's security level on the device is another (noAuth/auth/priv)",
    ),
    (errind.NotInTimeWindow, AuthError, _CLOCK),
    (errind.UnsupportedAuthProtocol, NotSupported, None),
    (errind.UnsupportedPrivProtocol, NotSupported, None),
    (errind.EncryptionError, NotSupported, _CIPHER),
    (errind.NoEncryption, AuthError, _KEYS),
    (errind.NoAuthentication, AuthError, _KEYS),
    (errind.AuthenticationError, AuthError, _KEYS),
    (errind.UnknownCommunityName, AuthError, "the community is wrong"),
    (errind.UnknownSecurityName, AuthError, _KEYS),
    (errind.NoSuchView, AuthError, "the view of this user leaves it out"),
    (errind.NoAccessEntry, AuthError, "the user may not read"),
    (errind.NoGroupName, AuthError, "the user belongs to no group on the device"),
    (errind.NotInView, AuthError, "the view of this user leaves it out"),
    (errind.NoSuchContext, AuthError, "the device has no such context"),
    (errind.DeserializationError, ParseError, None),
    (errind.DataMismatch, ParseError, None),
    (errind.EngineIDMismatch, ParseError, None),
    (errind.EmptyResponse, ParseError, None),
    (errind.InvalidMsg, ParseError, None),
    (errind.OidNotIncreasing, ParseError, None),
    (errind.ErrorIndication, TransportError, None),
    (PyAsn1Error, ParseError, None),
    (pysnmp.error.PySnmpError, ConnectError, "check address, route and filters"),
    (OSError, ConnectError, "check address, route and filters"),
    (Exception, TransportError, None),
)


def translate(problem: object, settings: SnmpSettings) -> PonprobeError:
    """Anything pysnmp reports or raises as one of ours; it reports most things, some of them as plain text."""
    where = f"{settings.host}:{settings.port}"
    text = " ".join(str(problem).split())
    for secret in settings.secrets:
        text = text.replace(secret, "***")
    message = f"Asking {where} ({settings.who}) by pysnmp failed: {type(problem).__name__}: {text}"
    if isinstance(problem, Exception):
        for kind, ours, hint in _ERRORS:
            if isinstance(problem, kind):
                if issubclass(ours, TransportError):
                    return ours(message, host=settings.host, access="snmp", hint=hint)
                return ours(message, hint=hint)
    return ParseError(message)
