"""The types of the model's leaves: what a value may be, and how a real server says that it is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ponprobe.emulator.netconf.modules import BY_NAMESPACE, IDENTITIES, MODULES

Prefixes = Mapping["str | None", str]
"""The XML namespaces in scope, by prefix."""
VLAN_RANGE = re.compile(r"([1-9]\d{0,3})([,-]([1-9]\d{0,3}))*")
INTEGERS = {
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "int32": (-(2**31), 2**31 - 1),
}
ENUM_2 = 'libyang 2 - enumeration, version 1: Invalid non-string-encoded enumeration value "{}".'


class BadValue(ValueError):
    """A value that its type does not allow; the text is libyang's."""


@dataclass(frozen=True)
class Type:
    """One type: ``read`` gives the canonical value of a text, or raises :class:`BadValue`.

    ``identity``: the value is ``module:name``, and is written with a prefix. ``target``: what a reference points at.
    """

    name: str
    read: Callable[[str, Prefixes], str]
    identity: bool = False
    target: str | None = None


def read_type(words: list[str]) -> Type:
    """A type of the model: its name and what belongs to it."""
    name, *rest = words
    argument = " ".join(rest)
    match name:
        case "identity":
            bases = argument.split(",")
            return Type(name, lambda text, prefixes: _identity(text, prefixes, bases), identity=True)
        case "leafref":
            return Type(name, lambda text, _: text, target=argument)
        case "enum":
            allowed = argument.split("|")
            return Type(name, lambda text, _: _one_of(text, allowed))
        case "text":
            return Type(name, lambda text, _: _pattern(text, argument))
        case "string":
            low, high = map(int, argument.split("..")) if argument else (0, 2**31)
            return Type(name, lambda text, _: _length(text, low, high))
        case _ if name in INTEGERS:
            lowest, highest = map(int, argument.split("..")) if argument else INTEGERS[name]
            return Type(name, lambda text, _: _integer(text, name, lowest, highest))
        case "tag-type" | "tag-type-or-any":
            more = name.endswith("any")
            return Type(name, lambda text, prefixes: _tag_type(text, prefixes, more=more), identity=True)
        case _:
            return Type(name, NAMED[name])


def _identity(text: str, prefixes: Prefixes, bases: list[str]) -> str:
    prefix, _, name = text.rpartition(":")
    namespace = prefixes.get(prefix or None)
    module = BY_NAMESPACE[namespace].name if namespace in BY_NAMESPACE else prefix if prefix in MODULES else None
    if module is None:
        raise BadValue(f'Invalid identityref "{text}" value - unable to map prefix to YANG schema.')
    if module not in bases or name not in IDENTITIES.get(module, ()):
        raise BadValue(f'Invalid identityref "{text}" value - identity not found in module "{module}".')
    return f"{module}:{name}"


def _one_of(text: str, allowed: list[str]) -> str:
    if text not in allowed:
        raise BadValue(f'Invalid enumeration value "{text}".')
    return text


def _pattern(text: str, pattern: str) -> str:
    if re.fullmatch(pattern, text) is None:
        raise BadValue(f'Unsatisfied pattern - "{text}" does not conform to "{pattern}".')
    return text


def _length(text: str, low: int, high: int) -> str:
    if not low <= len(text) <= high:
        raise BadValue(f'Unsatisfied length - string "{text}" length is not allowed.')
    return text


def _integer(text: str, name: str, low: int, high: int) -> str:
    if re.fullmatch(r"\s*[+-]?\d+\s*", text) is None:
        raise BadValue(f'Invalid type {name} value "{text}".')
    if not INTEGERS[name][0] <= int(text) <= INTEGERS[name][1]:
        raise BadValue(f'Value "{text}" is out of type {name} min/max bounds.')
    if not low <= int(text) <= high:
        raise BadValue(f'Unsatisfied range - value "{int(text)}" is out of the allowed range.')
    return str(int(text))


def _boolean(text: str, _: Prefixes) -> str:
    if text not in {"true", "false"}:
        raise BadValue(f'Invalid boolean value "{text}".')
    return text


def _empty(text: str, _: Prefixes) -> str:
    if text.strip():
        raise BadValue(f"Invalid empty value length {len(text)}.")
    return ""


def _decimal(text: str, _: Prefixes) -> str:
    if re.fullmatch(r"[+-]?\d+(\.\d{1,4})?", text) is None:
        raise BadValue(f'Invalid type decimal64 value "{text}".')
    return text


def _union(text: str, *reasons: str) -> BadValue:
    lines = "".join(f"    {reason}\n" for reason in reasons)
    return BadValue(f'Invalid union value "{text}" - no matching subtype found:\n{lines}')


def _vlan_or_0(text: str, _: Prefixes) -> str:
    if re.fullmatch(r"\d+", text) and int(text) <= 4094:
        return str(int(text))
    why = f'libyang 2 - integers, version 1: Unsatisfied range - value "{text}" is out of the allowed range.'
    if not text.isdigit():
        why = f'libyang 2 - integers, version 1: Invalid type uint16 value "{text}".'
    raise _union(text, why, ENUM_2.format(text))


def _vlans(text: str, _: Prefixes) -> str:
    numbers = [int(each) for each in re.split(r"[,-]", text)] if VLAN_RANGE.fullmatch(text) else []
    if text in {"any", "priority-tagged"} or (numbers and max(numbers) <= 4094):
        return text
    why = f'libyang 2 - string, version 1: Invalid non-string-encoded string value "{text}".'
    raise _union(text, why, ENUM_2.format(text))


def _pbits(text: str, _: Prefixes) -> str:
    if text == "any" or re.fullmatch(r"[0-7](-[0-7])?(,[0-7](-[0-7])?)*", text):
        return text
    raise _union(text, ENUM_2.format(text))


def _dei(text: str, _: Prefixes) -> str:
    if text in {"0", "1", "any"}:
        return text
    raise _union(text, ENUM_2.format(text))


def _tag_type(text: str, prefixes: Prefixes, *, more: bool) -> str:
    if re.fullmatch(r"\d{1,5}|0x[A-Fa-f0-9]{4}", text) or (more and text == "any"):
        return text
    try:
        return _identity(text, prefixes, ["bbf-dot1q-types"])
    except BadValue as wrong:
        raise _union(text, f"libyang 2 - identityref, version 1: {wrong}", ENUM_2.format(text)) from wrong


NAMED: dict[str, Callable[[str, Prefixes], str]] = {
    "ascii64": lambda text, _: _length(_pattern(text, "[ -~]*"), 1, 64),
    "serial": lambda text, _: _pattern(text, "[ -~]{4}[0-9a-fA-F]{8}"),
    "boolean": _boolean,
    "empty": _empty,
    "decimal4": _decimal,
    "dbm": lambda text, prefixes: text if text == "undetermined" else _decimal(text, prefixes),
    "rssi": lambda text, _: text if text == "unknown" else _integer(text, "int32", -(2**15), 2**15 - 1),
    "date": lambda text, _: text,
    "vlan-or-0": _vlan_or_0,
    "vlans": _vlans,
    "pbits": _pbits,
    "dei": _dei,
}
