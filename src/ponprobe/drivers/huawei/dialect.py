"""How a Huawei SmartAX command line talks: prompts, views, pager, questions, refusals.

Texts were seen on MA5600T, MA5608T, MA5680T and MA5683T (V800R013 to R018) and on MA5800 and MA5801 (V100R018 to R022).
"""

from __future__ import annotations

import re
from dataclasses import replace

from ponprobe.dialect import CliDialect, ErrorRule, LoginTexts, Setup, View
from ponprobe.models.parsed import RefusedClass


def _text(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _grammar(words: str, refused: RefusedClass, advice: str | None = None) -> ErrorRule:
    return ErrorRule(_text(rf"^% {words}"), refused, advice=advice)


def _failure(words: str, refused: RefusedClass, advice: str | None = None) -> ErrorRule:
    return ErrorRule(_text(rf"^Failure: .*(?:{words})"), refused, advice=advice)


def _empty(words: str) -> ErrorRule:
    return ErrorRule(_text(rf"^Failure: .*(?:{words})"), "not_found", empty=True)


_ERRORS = (
    # what the device words as a failure but means as "none"
    _empty("automatically found ONTs do not exist"),
    _empty("not any MAC address record"),
    _empty("No service virtual port can be operated"),
    _empty("There is no ONT available"),
    _empty("No related information to show"),
    ErrorRule(_text(r"^No related information to show"), "not_found", empty=True),
    # the line itself is wrong; the words before the caret are the line's, so the rule starts at the per cent sign
    _grammar(
        "Unknown command",
        "unknown_command",
        "the word is not known in this view, in this version or to this user's level",
    ),
    _grammar("Parameter error", "parameter_error"),
    _grammar("Too many parameters", "too_many_parameters"),
    _grammar("Incomplete command", "incomplete"),
    _grammar("Ambiguous command", "ambiguous"),
    # seven wordings of one fact were seen for a serial
    _failure(r"SN\b.*already exists", "already_exists", "find it with: ponprobe onus --serial"),
    _failure(r"SN\b.*been used", "already_exists", "find it with: ponprobe onus --serial"),
    _failure(r"same SN\b.*exists", "already_exists", "find it with: ponprobe onus --serial"),
    _failure(r"SN\b.*conflict", "already_exists", "find it with: ponprobe onus --serial"),
    _failure(r"ONT ID has already existed", "already_exists", "somebody registered an ONU meanwhile; try again"),
    _failure(r"ha(s|ve) existed already|exists? already|already exists?", "already_exists"),
    _failure(r"Password\b.*already|Loid\b.*already", "already_exists"),
    _failure(r"Make configuration repeatedly", "already_exists"),
    _failure(r"profile\b.*(already )?exists", "already_exists"),
    _failure(r"does not exist|do not exist|is not existed|absence", "not_found"),
    _failure(r"busy|retry (after a while|later)|reading or writing flash|being executed", "busy"),
    ErrorRule(_text(r"^Command can not be executed rightly.*retry later"), "busy"),
    ErrorRule(_text(r"^System is (busy|reading or writing)"), "busy"),
    _failure(r"permission|no right|not authorized|authority", "permission"),
    _failure(r"conflict", "conflict"),
    ErrorRule(_text(r"^Username or password invalid|^This user (has been|is) locked"), "permission"),
    ErrorRule(_text(r"^Reenter times have reached the upper limit"), "session_limit"),
    ErrorRule(_text(r"^Failure: "), "other"),
)

_LOGIN = LoginTexts(
    username=_text(r">>\s*User name\s*(\(<[^>]*>\))?\s*:\s*$"),
    password=_text(r">>\s*User password\s*:\s*$"),
    bad_login=_text(r"Username or password invalid"),
    locked=_text(r"user (has been|is) locked"),
    session_limit=_text(r"Reenter times have reached the upper limit"),
    questions=((_text(r"YES/NO[^\n]*$"), "yes"),),
)

# from the '! n [date time]:' or '! RUNNING WARNING date' line to '--- END-' and the line of asterisks that may follow;
# a block without an end mark must not swallow the answer up to the next one, so it stops at a prompt or a rule
_ALARM_HEAD = r"^[ \t]*! +(?:\d+ +\[[^\]\n]*\]:|(?:RUNNING|FAULT|EVENT|RECOVERY|DEFENSE)\b)"
_ALARM_LINE = r"(?![^\s<>#()%]{1,64}(?:\([^()\s]*\))?[>#]|[ \t]*-{10,}|[ \t]*! )[^\n]*\n"
_ALARM_BLOCK = re.compile(
    _ALARM_HEAD + rf"[^\n]*\n(?:{_ALARM_LINE}){{0,60}}?[ \t]*--- END-?[^\n]*(?:\n|\Z)(?:\*+[ \t]*\r*(?:\n|\Z))?",
    re.MULTILINE,
)
# the short form has no end mark: its own lines are 'LABEL :value'
_EVENT_LABELS = r"(?:(?:EVENT|ALARM) (?:NAME|ID)|SRVEFF|PARAMETERS|DESCRIPTION|CAUSE|ADVICE|REMARK)"
_EVENT_LINES = re.compile(
    _ALARM_HEAD
    + r"[^\n]*(?:\n|\Z)(?:[ \t]*\r*\n)?"
    + rf"(?:[ \t]*{_EVENT_LABELS}[ \t]*:[^\n]*(?:\n|\Z)(?:[ ]{{10,}}\S[^\n]*\n)*)*",
    re.MULTILINE,
)

# a notice of its own, to the end of its sentence; a warning that ends in a question belongs to the question
_WARNING = re.compile(
    r"^[ \t]*Warning: (?![^\n]*\(y/n\))(?:(?:(?!\n[ \t]*\r*\n|\(y/n\))[\s\S]){1,400}?[.!](?=[ \t\r]*(?:\n|\Z))|[^\n]*)",
    re.MULTILINE,
)

_ERASER = r"\x1b\[\d+D {2,}\x1b\[\d+D"

MA5600T = CliDialect(
    name="huawei_smartax",
    prompt=re.compile(r"(?P<host>[^\s<>#()%]{1,64})(?:\((?P<view>config[^()\s]*|diagnose)\))?(?P<mark>>|#|%%)\s*$"),
    view_by_mark={">": "user", "#": "enable", "%%": "diagnose"},
    login=_LOGIN,
    views=(
        View("user", parent=None, enter="", leave=""),
        View("enable", parent="user", enter="enable", leave="disable"),
        View("config", parent="enable", enter="config"),
        View(r"config-if-(?P<technology>gpon|epon)-(?P<board>\d+/\d+)", "config", "interface {technology} {board}"),
    ),
    errors=_ERRORS,
    pager=re.compile(r"---- More \( Press 'Q' to break \) ----"),
    eraser=re.compile(rf"(?:---- More \( Press 'Q' to break \) ----)?(?:{_ERASER})"),
    smart_prompt=re.compile(r"\{ [^{}]{1,600}\}:\s*$"),
    smart_prompt_echo=re.compile(r"^[ \t]*Command:[ \t]*\r*\n[ \t]+\S[^\n]*(?:\n|\Z)", re.MULTILINE),
    alarms=(_ALARM_BLOCK, _EVENT_LINES),
    warnings=(_WARNING,),
    echo_wrap=re.compile(r" \x1b\[1D"),
    closed=_text(r"Configuration console (exit|time out), please retry to log on"),
    setup=(
        Setup("undo smart", view="enable"),
        Setup("infoswitch cli OFF", view="enable"),
        Setup("scroll 512", view="enable"),
        Setup("mmi-mode original-output", view="config"),
    ),
    secret_fields=re.compile(
        r"^(\s*(?:Ont\s+)?(?:Password|Loid|Checkcode)\s*:\s*)(\S.*?)(\s*)$", re.IGNORECASE | re.MULTILINE
    ),
)
"""MA5600T, MA5603T, MA5608T, MA5680T, MA5683T: V800R013 to R018."""

MA5800 = replace(MA5600T, name="huawei_smartax_ma5800")
"""MA5800, MA5801, EA5800: V100R018 to R022. What differs is what it says, not how it talks."""
