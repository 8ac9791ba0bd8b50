"""SNMPv3's user-based security (RFC 3414, RFC 3826, RFC 7860): keys, digests, AES, and the message around it all.

Written here rather than taken from pysnmp: an agent has to break the rules on demand (cut, mangled, late and missing
answers; reports), it is small, ``cryptography`` comes with paramiko anyway, and an emulator that shares its codec with
the client under test would share its mistakes.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ponprobe.emulator.snmp.ber import INTEGER, OCTETS, SEQUENCE, BadMessageError, Reader, sequence, signed, tlv

AuthProtocol = Literal["sha1", "sha224", "sha256", "sha384", "sha512"]
PrivProtocol = Literal["aes128", "aes256"]
DIGEST_BYTES: dict[AuthProtocol, int] = {"sha1": 12, "sha224": 16, "sha256": 24, "sha384": 32, "sha512": 48}
"""How much of the digest is sent (RFC 3414, RFC 7860)."""
KEY_BYTES: dict[PrivProtocol, int] = {"aes128": 16, "aes256": 32}
AUTH, PRIV, REPORTABLE = 1, 2, 4
USM_MODEL = 3


@dataclass(frozen=True)
class SnmpUser:
    """An SNMPv3 user: pass phrases of at least eight characters; without ``auth`` no digest, without ``priv`` no AES.

    An AES-256 key that the digest is too short for is extended as Blumenthal's draft has it (net-snmp's ``AES-256``).
    """

    user: str
    auth: AuthProtocol | None = None
    auth_key: str = ""
    priv: PrivProtocol | None = None
    priv_key: str = ""

    def __post_init__(self) -> None:
        if self.priv is not None and self.auth is None:
            raise ValueError(f"SNMP user {self.user!r}: privacy needs authentication")
        for protocol, key in ((self.auth, self.auth_key), (self.priv, self.priv_key)):
            if protocol is not None and len(key) < 8:
                raise ValueError(f"SNMP user {self.user!r}: the key for {protocol} has fewer than 8 characters")

    @property
    def level(self) -> int:
        """The flags that a message of this user must have."""
        return (AUTH if self.auth else 0) | (PRIV if self.priv else 0)


@lru_cache(maxsize=256)
def localized(protocol: AuthProtocol, phrase: str, engine: bytes) -> bytes:
    """A pass phrase's key on one engine (RFC 3414, A.2): a mebibyte of it, hashed; so it is kept."""
    word = phrase.encode()
    spread = (word * (1_048_576 // len(word) + 1))[:1_048_576]
    key = hashlib.new(protocol, spread).digest()
    return hashlib.new(protocol, key + engine + key).digest()


def _private_key(user: SnmpUser, engine: bytes) -> bytes:
    if user.auth is None or user.priv is None:
        raise BadMessageError("no key for privacy")
    key = localized(user.auth, user.priv_key, engine)
    while len(key) < KEY_BYTES[user.priv]:
        key += hashlib.new(user.auth, key).digest()
    return key[: KEY_BYTES[user.priv]]


def digest(user: SnmpUser, engine: bytes, message: bytes) -> bytes:
    """The digest of a message whose own digest is zeros."""
    if user.auth is None:
        return b""
    key = localized(user.auth, user.auth_key, engine)
    return hmac.new(key, message, user.auth).digest()[: DIGEST_BYTES[user.auth]]


def _cfb(key: bytes, start: bytes, data: bytes, *, decrypt: bool) -> bytes:
    """AES in CFB-128, made of single blocks: the library's own CFB is on its way out."""
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - one block at a time, chained here
    out, last = bytearray(), start
    for at in range(0, len(data), 16):
        part = data[at : at + 16]
        done = bytes(a ^ b for a, b in zip(part, block.update(last), strict=False))
        out += done
        last = part if decrypt else done
    return bytes(out)


class Security(NamedTuple):
    """The security parameters of a message."""

    engine: bytes
    boots: int
    time: int
    user: bytes
    digest: bytes
    salt: bytes


class Message(NamedTuple):
    """A v3 message as it came; ``digest_at`` is where its digest stands, ``scoped`` what is inside, maybe encrypted."""

    raw: bytes
    id: int
    max_size: int
    flags: int
    security: Security
    digest_at: int
    scoped: bytes
    encrypted: bool

    @property
    def undigested(self) -> bytes:
        """The message with zeros for its digest."""
        size = len(self.security.digest)
        return self.raw[: self.digest_at] + bytes(size) + self.raw[self.digest_at + size :]


def read_message(raw: bytes) -> Message:
    """Take a v3 message apart; raises ``BadMessageError``."""
    outer = Reader(raw).inside()
    outer.number()
    head = outer.inside()
    identity, size, flags, model = head.number(), head.number(), head.content(OCTETS), head.number()
    if model != USM_MODEL or len(flags) != 1 or flags[0] & (AUTH | PRIV) == PRIV:
        raise BadMessageError("no user-based security")
    _, start, end = outer.enter(OCTETS)
    inner = Reader(raw, start, end).inside()
    engine, boots, time, user = inner.content(OCTETS), inner.number(), inner.number(), inner.content(OCTETS)
    _, at, digest_end = inner.enter(OCTETS)
    salt = inner.content(OCTETS)
    tag, begins, ends = outer.enter(SEQUENCE, OCTETS)
    scoped = raw[begins:ends] if tag == OCTETS else sequence(raw[begins:ends])
    security = Security(engine, boots, time, user, raw[at:digest_end], salt)
    return Message(raw, identity, size, flags[0], security, at, scoped, tag == OCTETS)


def write_message(
    identity: int, max_size: int, flags: int, security: Security, *, scoped: bytes, user: SnmpUser | None
) -> bytes:
    """Put a message together, encrypt it and sign it as its flags say."""
    if flags & PRIV and user is not None:
        scoped = tlv(OCTETS, crypt(user, security, scoped, decrypt=False))
    size = DIGEST_BYTES[user.auth] if flags & AUTH and user is not None and user.auth else 0
    security = security._replace(digest=bytes(size), salt=security.salt if flags & PRIV else b"")
    inner = sequence(
        tlv(OCTETS, security.engine),
        tlv(INTEGER, signed(security.boots)),
        tlv(INTEGER, signed(security.time)),
        tlv(OCTETS, security.user),
        tlv(OCTETS, security.digest),
        tlv(OCTETS, security.salt),
    )
    head = sequence(
        *(tlv(INTEGER, signed(n)) for n in (identity, max_size)), tlv(OCTETS, bytes([flags])), b"\x02\x01\x03"
    )
    raw = sequence(tlv(INTEGER, signed(3)), head, tlv(OCTETS, inner), scoped)
    if not size or user is None:
        return raw
    at = read_message(raw).digest_at
    return raw[:at] + digest(user, security.engine, raw) + raw[at + size :]


def crypt(user: SnmpUser, security: Security, data: bytes, *, decrypt: bool) -> bytes:
    """Encrypt or decrypt a scoped PDU (RFC 3826); a wrong key gives noise."""
    if len(security.salt) != 8:
        raise BadMessageError("no salt")
    start = security.boots.to_bytes(4, "big") + security.time.to_bytes(4, "big") + security.salt
    return _cfb(_private_key(user, security.engine), start, data, decrypt=decrypt)
