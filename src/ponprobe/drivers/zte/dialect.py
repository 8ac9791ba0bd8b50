"""How a ZTE command line talks: prompts, views, pager, questions, refusals.

Texts were seen on C220, C300 and C320 (V1.2.x, V2.0, V2.1) and on the C600 family (V1.2.2, V2.0.10). Prompts, pager,
questions and refusals are one set for both families, because one does not know which family answers until it has been
asked; what differs are the views.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ponprobe.dialect import CliDialect, ErrorRule, LoginTexts, Setup, View
from ponprobe.models.parsed import RefusedClass


def _text(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | flags)


def _number(codes: str, refused: RefusedClass, advice: str | None = None) -> ErrorRule:
    return ErrorRule(_text(rf"^%(?:Error|Code) ?(?:{codes})\b"), refused, advice=advice)


def _words(words: str, refused: RefusedClass, advice: str | None = None) -> ErrorRule:
    return ErrorRule(_text(rf"^%(?:Error|Code)\b.*(?:{words})"), refused, advice=advice)


_BOTH_140303 = "TITAN answers this to an unknown word and to a wrong parameter alike"

_ERRORS = (
    # "none", worded as a failure; the missing letters are the device's
    ErrorRule(_text(r"^(?:%Code \d+(?:-\w+)? ?: ?)?No relate[d]? information"), "not_found", empty=True),
    ErrorRule(_text(r"^(?:%Code \d+(?:-\w+)? ?: ?)?No info?r?mation to show"), "not_found", empty=True),
    ErrorRule(_text(r"^%Code 70285\b"), "not_found", empty=True),
    # the line itself is wrong
    _number("20200|20201|20206", "unknown_command"),
    _number("20202", "parameter_error"),
    _number("20203", "incomplete"),
    _number("20204|140301", "ambiguous"),
    _number("20208", "permission", "the enable password is wrong; a user that lands in '#' needs none"),
    _number("140302", "incomplete"),
    _number("140303", "unknown_command", _BOTH_140303),
    # what is there already; "re-create" means that the ONU-ID is taken and that nothing was stored
    _number("62391|32391", "already_exists", "somebody registered an ONU in this place meanwhile; try again"),
    _words("is existed|used by another|already exists?|already existed|re-create", "already_exists"),
    _number("62330|32330", "parameter_error", "the T-CONT profile wants more bandwidth than this PON has left"),
    _number("64007|64010|34007|34010", "conflict"),
    _words("conflict", "conflict"),
    _words("do(?:es)? not exist|is not exist|not existed|absent|is unavailable|not found", "not_found"),
    _words("busy|(?:try|retry) (?:again )?later|being (?:saved|configured|processed)|in progress", "busy"),
    _words("permission|privilege|not authori[sz]ed|no right", "permission"),
    _words("exceeds? range|invalid parameter|out of range", "parameter_error"),
    ErrorRule(
        _text(r"^% ?Username or password error|^No username or bad password|^Login (?:failed|invalid)"), "permission"
    ),
    ErrorRule(_text(r"^%.*(?:too many|maximum|max).*(?:users?|sessions?|connections?|vty)"), "session_limit"),
    # whatever else starts so is a refusal: a chain that goes on after it would end in a false success
    ErrorRule(_text(r"^%(?:Error|Code)\b"), "other"),
)

_LOGIN = LoginTexts(
    username=_text(r"^(?:Username|Login)[ \t]*:[ \t]*$", re.MULTILINE),
    # only at the left margin: the field '  Password:' of an ONU's page and help texts are no questions
    password=_text(r"^Password[ \t]*:[ \t]*$", re.MULTILINE),
    # a banner that counts "0 authentication failures" belongs to a login that succeeded
    bad_login=_text(
        r"^[ \t]*(?:% ?)?(?:Username or password error|No username or bad password|authentication failed\b"
        r"|Login (?:failed|invalid)|%Error 20208\b)",
        re.MULTILINE,
    ),
    locked=_text(r"user (?:name )?(?:has been|is) locked|account is locked"),
    session_limit=_text(
        r"(?:too many|maximum|max)\b[^\n]{0,40}\b(?:users?|sessions?|connections?|vty)"
        r"|\b(?:vty|lines?|terminals?)\b[^\n]{0,20}\b(?:in use|full|busy|occupied)\b"
    ),
)

ZXAN = CliDialect(
    name="zte_zxan",
    # V2.x shows the ONU behind 'gpon-onu-mng'; every other prompt names the view only
    prompt=re.compile(
        r"(?P<host>[^\s<>#()%$!]{1,64})"
        r"(?:\((?P<view>config[^()\s]*|cfg[^()\s]*|[ge]pon-onu-mng)(?: [^()]*)?\))?(?P<mark>>|#)\s*$"
    ),
    view_by_mark={">": "user", "#": "enable"},
    login=_LOGIN,
    views=(
        View("user", parent=None, enter="", leave=""),
        View("enable", parent="user", enter="enable", leave="disable"),
        # in full: TITAN V2.0.10 calls the short form ambiguous
        View("config", parent="enable", enter="configure terminal", leave="exit"),
        View(
            r"config-if-(?P<name>[a-z]+-(?:olt|onu)_\d+/\d+/\d+(?::\d+)?)",
            parent="config",
            enter="interface {name}",
            leave="exit",
            shows="config-if",
        ),
        View(
            r"pon-onu-mng-(?P<technology>gpon|epon)(?P<place>-onu_\d+/\d+/\d+:\d+)",
            parent="config",
            enter="pon-onu-mng {technology}{place}",
            leave="exit",
            shows="{technology}-onu-mng",
        ),
    ),
    errors=_ERRORS,
    # at the left margin only: a customer's name may hold the same words
    pager=re.compile(r"^[ \t]*--[ ]?More[ ]?--[ \t]*", re.MULTILINE),
    confirm=_text(r"(?:\[yes/no\]|\(y(?:es)?/n(?:o)?\)|\[y/n\])[ \t]*:?[ \t]*$"),
    confirm_yes="yes",
    confirm_no="no",
    # no log line was ever published from one of these OLTs; both shapes are those of the vendor's routers: a word in
    # capitals behind the sign and a time, or a sentence about an alarm with its number
    alarms=(
        re.compile(
            r"^[ \t]*%(?!Error|Code|Info)[A-Z][A-Z0-9_-]{2,}\b[^\n]*\d\d:\d\d:\d\d[^\n]*(?:\n|\Z)", re.MULTILINE
        ),
        re.compile(r"^[ \t]*An? (?:alarm|event|notification) \d+ [^\n]*\d\d:\d\d:\d\d[^\n]*(?:\n|\Z)", re.MULTILINE),
    ),
    warnings=(_text(r"^[ \t]*% ?The password is not strong[^\n]*$", re.MULTILINE),),
    secret_fields=_text(
        # a field of a page, the words of a configuration line, AuthInfo of a table, or the last column of the waiting
        r"^(.*?(?:^\s*Password\s*:\s*|\bonu \d+ type \S+ (?:.*?\s)?(?:pw|loid)\s+|(?:PW|LOID):|\bpassword\s+(?=\S+$)"
        r"|^\s*[a-z]+[-_]olt[-_]\S+\s+\S.*?\s+(?:[A-Z0-9]{4}[0-9A-F]{8}|N/A)\s+))(\S+(?:\s+password\s+\S+)?)(.*)$",
        re.MULTILINE,
    ),
    setup=(Setup("terminal length 0", view="enable"),),
    logout=("exit",),
    logout_answer="yes",
    # wide enough that no line is broken inside a word; announced unasked
    width=500,
)
"""C300, C320 and their relatives: V1.2.x and V2.x. Every interface shows the same prompt."""

TITAN = replace(
    ZXAN,
    name="zte_titan",
    views=(
        *ZXAN.views[:3],
        View(
            r"config-if-(?P<name>[a-z]+_(?:olt|onu)-\d+/\d+/\d+(?::\d+)?|vport-\d+/\d+/\d+\.\d+:\d+)",
            parent="config",
            enter="interface {name}",
            leave="exit",
        ),
        View(
            r"pon-onu-mng-(?P<name>[a-z]+_onu-\d+/\d+/\d+:\d+)",
            parent="config",
            enter="pon-onu-mng {name}",
            leave="exit",
            shows="config-gpon-onu-mng",
        ),
    ),
)
"""C600, C610, C620, C650, and a C300 that carries this software: V1.2.x and V2.0.x. Prompts name the interface."""
