"""Names for test ONUs: a rule that can be exchanged, and a default that is safe on a device's command line.

The name is resource data (a field of the activation list), and the suffix of the description on the device, where
ponprobe's own mark stands before it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

from ponprobe.errors import ConfigError
from ponprobe.models.engineering import Splitter

OnuNaming: TypeAlias = Callable[[Splitter, int], str]
"""A rule: the splitter and the number of the round (from 1) give the ONU's name."""

PREFIX = "TEST"
LONGEST = 32
"""Characters of a name: what Huawei and ZTE OLTs take as an ONU's name."""
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")
_DIGEST = 12  # base-32 characters, 60 bits: even a million splitters collide with a chance below one in a million


def prefixed(prefix: str) -> OnuNaming:
    """Make the default rule with another prefix (1 to 8 letters or digits); ``ConfigError`` if it is unfit."""
    if not re.fullmatch(r"[A-Za-z0-9]{1,8}", prefix):
        raise ConfigError(f"{prefix!r} is no prefix for ONU names", hint="use 1 to 8 letters or digits, such as TEST")

    def rule(splitter: Splitter, round_number: int) -> str:
        if round_number < 1:
            raise ConfigError(f"round {round_number} does not exist: rounds count from 1")
        tail = f"{_digest(splitter)}-{splitter.splitter_port}r{round_number}"
        room = LONGEST - len(prefix) - len(tail) - 2
        # what people can read of the name stands in front; the digest alone tells splitters apart
        slug = "".join(re.findall(r"[A-Za-z0-9]+", splitter.name))[: max(room, 0)]
        return checked_name("-".join(part for part in (prefix, slug, tail) if part))

    return rule


def _digest(splitter: Splitter) -> str:
    # JSON keeps ("a", "b c") and ("a b", "c") apart, which joining would not
    identity = json.dumps([splitter.project, *splitter.key], ensure_ascii=True)
    return base64.b32encode(hashlib.sha256(identity.encode("ascii")).digest()).decode("ascii").lower()[:_DIGEST]


default_naming: OnuNaming = prefixed(PREFIX)
"""``TEST-<letters of the name>-<digest>-<splitter port>r<round>``: the same splitter, port and round, the same name."""


def is_test_name(name: str, prefix: str = PREFIX) -> bool:
    """Whether a name carries the mark of the default rule."""
    return name.startswith(f"{prefix}-")


def checked_name(name: str) -> str:
    """Give a name back if every device takes it: 1 to 32 letters, digits and ``_.-``; else ``ConfigError``."""
    if not isinstance(name, str) or not _SAFE.fullmatch(name) or len(name) > LONGEST:
        raise ConfigError(
            f"{name!r} cannot be an ONU's name",
            hint=f"use 1 to {LONGEST} letters, digits and _.- beginning with a letter or digit; no blanks",
        )
    return name


def name_onus(
    splitters: Iterable[Splitter], *, rounds: Callable[[Splitter], int] = lambda _: 1, rule: OnuNaming = default_naming
) -> dict[tuple[str, str, str], str]:
    """Name a test ONU for each splitter, by key; ``rounds`` tells which round it is.

    Raises ``ConfigError`` for a name that a device would not take and for one that two splitters would share: a rule
    of the user's own is not trusted with either.
    """
    names: dict[tuple[str, str, str], str] = {}
    owners: dict[str, Splitter] = {}
    for splitter in splitters:
        name = checked_name(rule(splitter, rounds(splitter)))
        # devices compare names without regard to case or not; take the stricter view
        first = owners.setdefault(name.casefold(), splitter)
        if (first.project, first.key) != (splitter.project, splitter.key):
            raise ConfigError(
                f"the naming rule calls the test ONUs of {first.key} and {splitter.key} alike: {name}",
                hint="put the splitter's name, or a digest of it, into the rule",
            )
        names[splitter.key] = name
    return names
