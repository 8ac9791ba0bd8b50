"""Which reader reads the answer to which question."""

from __future__ import annotations

import re
from collections.abc import Callable

from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import Asked, Language, Reader, Records, serial_or_none
from ponprobe.drivers.zte.parse import chassis, config, onus, optics, tables, waiting, writes
from ponprobe.drivers.zte.parse._text import cleaned, onu_asked, port_asked
from ponprobe.models._base import Value
from ponprobe.models.device import OnuState


def _cards(answer: Answer, _: Asked) -> Records:
    found, whole = chassis.card_rows(answer)
    return found.boards, whole


def _system(answer: Answer, _: Asked) -> Records:
    return (chassis.system(answer),), True


def _running(answer: Answer, _: Asked) -> Records:
    return (chassis.running(answer),), True


def _by_serial(answer: Answer, asked: Asked) -> Records:
    places, whole = onus.searched(answer)
    match = re.search(r"\bby sn (\S+)", asked.line)
    serial = serial_or_none(match[1]) if match else None
    return tuple(OnuState(onu=place, serial=serial) for place in places), whole


def _one(read: Callable[[Answer, Asked], tuple[Value, bool]]) -> Callable[[Answer, Asked], Records]:
    """Make a reader of one page: nothing, or one record."""

    def page(answer: Answer, asked: Asked) -> Records:
        if answer.empty:
            return (), True
        found, whole = read(answer, asked)
        return (found,), whole

    return page


def _powers(answer: Answer, asked: Asked) -> Records:
    question = next(name for name in optics.QUANTITIES if name in asked.line)
    return optics.power_rows(answer, question)


def _port_tx(answer: Answer, asked: Asked) -> Records:
    return optics.port_tx_rows(answer, port_asked(asked))


def _config(answer: Answer, _: Asked) -> Records:
    return config.configured_services(answer), answer.complete


_CONFIG = Reader(re.compile(r"show (running|this|onu running)"), "config", _config)


def _recognise(answer: Answer) -> Reader | None:
    """A text without a command that holds the head of a block is a configuration."""
    heads = re.search(r"^\s*(interface|pon-onu-mng) \S*\d/\d", answer.body, re.MULTILINE)
    body = re.search(r"^\s*(service-port|tcont|gemport|onu) \d|^\s*service \S+ gemport ", answer.body, re.MULTILINE)
    return _CONFIG if heads and body else None


def _question(words: str) -> re.Pattern[str]:
    return re.compile(rf"show {words}")


LANGUAGE = Language(
    asks="show",
    readers=(
        Reader(_question(r"card\b"), "boards", _cards),
        Reader(_question(r"(?:system-group|software)\b"), "facts", _system),
        Reader(_question(r"version-running\b"), "facts", _running),
        Reader(
            _question(r"(?:g?pon onu uncfg|onu unauthentication)\b"), "discovered", lambda a, _: waiting.waiting_rows(a)
        ),
        Reader(_question(r"gpon onu state\b"), "onus", lambda a, _: onus.state_rows(a)),
        Reader(_question(r"gpon onu baseinfo\b"), "onus", lambda a, _: onus.baseinfo_rows(a)),
        Reader(_question(r"gpon onu detail-info\b"), "onus", _one(lambda a, _: onus.detail_page(a))),
        Reader(_question(r"gpon onu by sn\b"), "onus", _by_serial),
        Reader(_question(r"gpon remote-onu equip"), "onus", _one(lambda a, q: onus.equipment(a, onu_asked(q)))),
        Reader(_question(r"pon onu information\b"), "onus", lambda a, _: onus.information_rows(a)),
        Reader(_question(r"(?:epon onu state|onu all-status)\b"), "onus", lambda a, _: onus.epon_rows(a)),
        Reader(_question(r"onu detail(?:-info)?\b"), "onus", _one(lambda a, _: onus.epon_detail(a))),
        Reader(
            _question(r"pon power attenuation\b"),
            "onu_optical",
            _one(lambda a, q: optics.attenuation_page(a, onu_asked(q))),
        ),
        Reader(_question(r"pon power (?:olt-rx|onu-rx|onu-tx)\b"), "onu_optical", _powers),
        Reader(
            _question(r"gpon remote-onu interface pon\b"),
            "onu_optical",
            _one(lambda a, q: optics.remote_page(a, onu_asked(q))),
        ),
        Reader(_question(r"pon power olt-tx\b"), "port_optical", _port_tx),
        Reader(
            _question(r"(?:interface )?optical-module-info\b"),
            "port_optical",
            _one(lambda a, q: optics.module_page(a, port_asked(q))),
        ),
        Reader(_question(r"mac(?:-real-time)?\b"), "macs", lambda a, _: tables.mac_rows(a)),
        _CONFIG,
    ),
    moves=re.compile(
        r"(conf\w*( t\w*)?|con t\w*|interface|pon-onu-mng|exit|end|quit|!|enable|disable|terminal|reboot|who)(?!\S)"
    ),
    changes=re.compile(
        r"(onu \d|no |name |description |tcont|gemport|switchport|service|vlan|flow|sn-bind|registration-method|"
        r"property|sla-profile|admin|vport|wr\w*$|write)"
    ),
    clean=cleaned,
    outcome=lambda answer, _: writes.outcome_of(answer),
    recognise=_recognise,
)


parse = LANGUAGE.parse
