"""Questions and changes over NETCONF, with servers that do everything a server should not."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from lxml import etree

sys.path.append(str(Path(__file__).parent))  # for the peer

from netconf_peer import BASE, CAPABILITY, FULL, OK, NetconfPeer, error, key, named, reply, serve, session_to, talk

from parts import missing
from ponprobe.errors import (
    AlreadyExists,
    DeviceError,
    NotSupported,
    ParseError,
    PermissionDenied,
    PonprobeError,
    Rejected,
    ResourceBusy,
    SessionLost,
    TransportError,
    TransportTimeout,
)
from ponprobe.flow import NetconfEdit, NetconfGet
from ponprobe.transports.netconf import steps_of

__all__ = ["key", "serve", "session_to", "talk"]  # fixtures

STATE = NetconfGet("optical powers", '<hardware xmlns="urn:h"/>')
CONFIG = NetconfGet("services", '<x xmlns="urn:x"/>', "running")
EDIT = NetconfEdit("register test ONU 0/1/0:3", '<x xmlns="urn:x" nc:operation="create"><n>光</n></x>', "PONPROBE_7")
CHINESE = "光交箱07号，分光器 1:16 𠮷"
NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
NOTHING_WAITS = error("invalid-value", "Commit does not match pending confirmed commit.")
CREATE = ["lock", "discard-changes", "edit-config", "validate", "commit", "commit", "unlock"]
CLEAN_UP = ["discard-changes", "unlock"]

Answers = Callable[[NetconfPeer], None]


def texts(data: str) -> str:
    return "".join(map(str, etree.fromstring(data, etree.XMLParser(huge_tree=True)).itertext()))


def asked(session: Any) -> list[str]:
    """The names of the operations sent, without the goodbye."""
    sent = [entry.text for entry in session.transcript if entry.direction == "sent"]
    found = re.findall(r"<rpc [^>]*><([\w-]+)", "\n".join(sent))
    return [name for name in found if name != "close-session"]


def refusing(*refusals: tuple[int, str]) -> Answers:
    """A server that answers its n-th request (from 0) with these, the others with ``<ok/>``."""

    def script(peer: NetconfPeer) -> None:
        at = dict(refusals)
        peer.answers(lambda _: at.get(len(peer.requests) - 1, OK))

    return script


# ------------------------------------------------------------------------------------------------------- questions


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 4096, 0])
def test_chinese_text_in_any_chunks(talk: Any, version: str, chunk: int) -> None:
    inner = "".join(f"<d>{CHINESE * 3}{number}</d>" for number in range(4))
    session = talk(lambda peer: peer.answers({"get-config": f"<data>{inner}</data>"}), version=version, chunk=chunk)
    for _ in range(2):
        found = session.get(CONFIG)
        assert texts(found.data) == "".join(f"{CHINESE * 3}{number}" for number in range(4))
    assert (found.request, found.capabilities) == (CONFIG, session.capabilities)
    assert found.at.tzinfo is not None
    assert found.source == "netconf: get-config: services"


def test_ends_of_messages_inside_a_chunk(talk: Any) -> None:
    inner = "]]&gt;]]&gt;<![CDATA[\n##\n\n#3\n]]>"
    session = talk(lambda peer: peer.answers({"get-config": f"<data><!-- ]]>]]> -->{inner}</data>"}), chunk=3)
    assert texts(session.get(CONFIG).data).endswith("\n##\n\n#3\n")


def test_the_data_keep_their_namespaces(talk: Any) -> None:
    inner = '<data xmlns:p="urn:p"><x xmlns="urn:x"><type xmlns:q="urn:q">q:a</type><type>p:b</type></x></data>'
    data = etree.fromstring(talk(lambda peer: peer.answers({"get-config": inner})).get(CONFIG).data)
    first, second = data.iterfind("{urn:x}x/{urn:x}type")
    assert (first.nsmap["q"], second.nsmap["p"]) == ("urn:q", "urn:p")


def test_state_is_asked_for_by_get_data_first(talk: Any) -> None:
    session = talk(lambda peer: peer.answers({"get-data": f'<data xmlns="{NMDA}"><a/></data>'}))
    lines: list[str] = []
    session.on_request = lines.append
    assert etree.fromstring(session.get(STATE).data).tag == f"{{{NMDA}}}data"
    assert lines == ["get-data: optical powers"]
    assert asked(session) == ["get-data"]


@pytest.mark.parametrize(
    "refusal",
    [
        error("operation-not-supported"),
        error("unknown-element", info="<bad-element>get-data</bad-element>"),
        error("unknown-namespace", info=f"<bad-element>get-data</bad-element><bad-namespace>{NMDA}</bad-namespace>"),
        error("malformed-message"),
    ],
)
def test_a_server_without_get_data_is_asked_once_whether_it_has_it(talk: Any, refusal: str) -> None:
    session = talk(lambda peer: peer.answers({"get-data": refusal, "get": "<data>got</data>"}))
    for _ in range(2):
        assert texts(session.get(STATE).data) == "got"
    assert asked(session) == ["get-data", "get", "get"]


def test_a_filter_that_is_unknown_does_not_cost_get_data(talk: Any) -> None:
    refusal = error("unknown-namespace", info="<bad-element>hardware</bad-element><bad-namespace>urn:h</bad-namespace>")
    session = talk(lambda peer: peer.answers({"get-data": refusal, "get": "<data/>"}))
    session.get(STATE)
    session.get(STATE)
    assert asked(session) == ["get-data", "get", "get-data", "get"]


def test_other_refusals_of_get_data_are_refusals(talk: Any) -> None:
    session = talk(lambda peer: peer.answers({"get-data": error("access-denied", "no right")}))
    with pytest.raises(PermissionDenied, match=r"get-data: optical powers.*no right"):
        session.get(STATE)
    assert session.is_open
    assert asked(session) == ["get-data"]


def test_a_refused_question_leaves_the_session_usable(talk: Any) -> None:
    session = talk(lambda peer: (peer.answer(error("operation-failed", "no")), peer.answers({"get-config": "<data/>"})))
    with pytest.raises(Rejected, match=r"127\.0\.0\.1: get-config: services: the device answered 'no'"):
        session.get(CONFIG)
    assert session.get(CONFIG).data.startswith("<data")


def test_a_warning_is_logged_and_no_refusal(talk: Any, caplog: pytest.LogCaptureFixture) -> None:
    warning = error("operation-failed", "getting old", severity="warning")
    session = talk(lambda peer: peer.answers({"get-config": f"{warning}<data>x</data>", "lock": warning}))
    with caplog.at_level(logging.WARNING):
        assert texts(session.get(CONFIG).data) == "x"
        session.edit(EDIT)
    assert "getting old" in caplog.text


@pytest.mark.parametrize("inner", ["<ok/>", "", "<result/>", "<data/>set-id"])
def test_answers_that_are_none(talk: Any, inner: str) -> None:
    def script(peer: NetconfPeer) -> None:
        number, _ = peer.request()
        text = reply(number, inner.removesuffix("set-id"))
        if inner.endswith("set-id"):
            text = text.replace(" message-id", ' xmlns:h="urn:h" h:set-id="1" message-id')
        peer.say(text)
        peer.gone()

    session = talk(script)
    with pytest.raises(ParseError, match=r"get-config: services"):
        session.get(CONFIG)
    assert not session.is_open


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_huge_answer(talk: Any, version: str) -> None:
    row = f"<interface><name>if</name><description>{CHINESE}</description></interface>"
    inner = row * (7_000_000 // len(row.encode()))
    session = talk(lambda peer: peer.answers({"get-config": f"<data>{inner}</data>"}), version=version)
    started = monotonic()
    assert len(session.get(CONFIG).data) > len(inner)
    assert monotonic() - started < 20, "7 MB in one chunk must not take time with the square of its size"


def test_a_huge_text(talk: Any) -> None:
    session = talk(lambda peer: peer.answers({"get-config": f"<data>{'x' * 11_000_000}</data>"}))
    assert len(texts(session.get(CONFIG).data)) == 11_000_000


# --------------------------------------------------------------------------------------------- lost and confused


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_cut_at_any_byte(serve: Any, session_to: Any, version: str) -> None:
    step = 11
    whole: list[bytes] = []

    def script(peer: NetconfPeer) -> None:
        peer.hello()
        number, _ = peer.request()
        whole.append(peer.framed(reply(number, f"<data>{CHINESE}</data>")))
        peer.write(whole[-1][: (peer.number - 1) * step])
        peer.drop()

    session = session_to(serve(script, version=version, chunk=29))
    while len(whole) * step < len(whole[-1] if whole else b"x"):
        session.open()
        with pytest.raises(SessionLost, match=r"'get-config: services' on 127\.0\.0\.1"):
            session.get(CONFIG)
        assert not session.is_open
    assert "<data>光" in session.transcript.text(), "what came of an answer is kept"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (lambda peer, number: os.urandom(200).replace(b"\n", b"x"), "Framing"),
        (lambda peer, number: b"\n#12\nHTTP/1.1 400\n##\n", "not XML"),
        (lambda peer, number: peer.framed(reply("another", "<data/>")), "message-id"),
        (lambda peer, number: peer.framed(f'<hello xmlns="{BASE}"/>'), "a <hello> where an answer was due"),
        (lambda peer, number: peer.framed(reply(number, "<data>")), "mismatch"),
        (lambda peer, number: peer.framed(reply(number, "<data>&nothing;</data>")), "nothing"),
        (lambda peer, number: peer.framed("<!DOCTYPE a [<!ENTITY b 'c'>]>" + reply(number, "")[38:]), "document type"),
        (lambda peer, number: b"\n#4\n<\xff/>\n##\n", "not UTF-8"),
    ],
)
def test_garbage(talk: Any, said: Callable[[NetconfPeer, str], bytes], why: str) -> None:
    def script(peer: NetconfPeer) -> None:
        number, _ = peer.request()
        peer.write(said(peer, number))
        peer.gone()

    session = talk(script)
    with pytest.raises(SessionLost, match=why):
        session.get(CONFIG)
    assert not session.is_open


def test_an_error_without_a_message_id_is_told(talk: Any) -> None:
    def script(peer: NetconfPeer) -> None:
        peer.request()
        peer.say(f'<rpc-reply xmlns="{BASE}">{error("malformed-message", "cannot read that")}</rpc-reply>')
        peer.gone()

    with pytest.raises(SessionLost, match="cannot read that"):
        talk(script).get(CONFIG)


def test_notifications_are_not_answers(talk: Any) -> None:
    def script(peer: NetconfPeer) -> None:
        number, _ = peer.request()
        peer.say('<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><eventTime/></notification>')
        peer.reply(number, "<data>x</data>")
        peer.gone()

    assert texts(talk(script).get(CONFIG).data) == "x"


def test_an_answer_without_a_namespace_or_with_another_prefix(talk: Any) -> None:
    def script(peer: NetconfPeer) -> None:
        number, _ = peer.request()
        peer.say(f'<rpc-reply message-id="{number}"><data>x</data></rpc-reply>\0')
        number, _ = peer.request()
        peer.say(f'<n:rpc-reply xmlns:n="{BASE}" message-id="{number}"><n:data>y</n:data></n:rpc-reply>')
        peer.gone()

    session = talk(script)
    assert texts(session.get(CONFIG).data) == "x"
    assert texts(session.get(CONFIG).data) == "y"


def test_silence(talk: Any) -> None:
    session = talk(lambda peer: (peer.request(), peer.gone()), reply_timeout_s=0.3)
    with pytest.raises(TransportTimeout, match=r"did not answer 'get-config: services' within"):
        session.get(CONFIG)
    assert not session.is_open, "a late answer must never be taken for that of a later question"


def test_patience_of_one_question(talk: Any) -> None:
    session = talk(lambda peer: (peer.request(), peer.gone()), reply_timeout_s=60)
    started = monotonic()
    with pytest.raises(TransportTimeout):
        session.get(replace(CONFIG, timeout_s=0.2))
    assert monotonic() - started < 5


def test_a_slow_answer_is_no_silence(talk: Any) -> None:
    pause = threading.Event()

    def script(peer: NetconfPeer) -> None:
        number, _ = peer.request()
        data = peer.framed(reply(number, f"<data>{CHINESE}</data>"))
        for start in range(0, len(data), 40):
            peer.write(data[start : start + 40])
            pause.wait(0.2)
        peer.gone()

    session = talk(script, reply_timeout_s=0.5)
    started = monotonic()
    assert texts(session.get(CONFIG).data) == CHINESE
    assert monotonic() - started > 0.6


def test_a_session_that_ended_meanwhile(talk: Any) -> None:
    opened = threading.Event()
    session = talk(lambda peer: (opened.wait(10), peer.drop()))
    opened.set()
    deadline = monotonic() + 10
    while session.is_open:
        assert monotonic() < deadline
    with pytest.raises(SessionLost, match="was not sent"):
        session.get(CONFIG)


# --------------------------------------------------------------------------------------------------------- changes


def test_one_change(talk: Any) -> None:
    session = talk(refusing())
    lines: list[str] = []
    session.on_request = lines.append
    found = session.edit(EDIT)
    assert (found.request, found.data) == (EDIT, "")
    assert asked(session) == CREATE
    # what the plan shows is what is sent
    assert lines == [step.text for step in steps_of(EDIT, session.capabilities, ends_pending=False)]
    assert session.requests_sent == 7
    sent = [entry.text for entry in session.transcript if entry.direction == "sent"]
    assert "<n>光</n>" in sent[3], "our hello, lock, discard, edit"


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize(("tag", "kind"), [("data-exists", AlreadyExists), ("in-use", ResourceBusy), ("x", Rejected)])
def test_refused_before_anything_was_changed(talk: Any, at: int, tag: str, kind: type[DeviceError]) -> None:
    session = talk(refusing((at, error(tag, "told so"))))
    with pytest.raises(kind, match="told so") as refused:
        session.edit(EDIT)
    # a lock that we have not got is not given back
    assert asked(session) == CREATE[: at + 1] + (CLEAN_UP if at else [])
    assert refused.value.command == steps_of(EDIT, session.capabilities, ends_pending=False)[at].text
    assert session.is_open


def test_what_fails_while_leaving_does_not_hide_why(talk: Any, caplog: pytest.LogCaptureFixture) -> None:
    session = talk(refusing((2, error("data-exists", "is there")), (3, error("x", "stuck")), (4, error("y", "stuck"))))
    with caplog.at_level(logging.WARNING), pytest.raises(AlreadyExists, match="is there"):
        session.edit(EDIT)
    assert "discard-changes failed" in caplog.text
    assert "unlock candidate failed" in caplog.text


def test_an_unlock_that_fails_does_not_undo_a_change(talk: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert talk(refusing((6, error("operation-failed", "not locked")))).edit(EDIT)
    assert "unlock candidate failed" in caplog.text


def test_the_61_errors_of_a_real_server(talk: Any, shared: Path) -> None:
    path = shared / "yang" / "replies" / "err-data-exists-61.xml"
    if not path.exists():
        missing("the replies of a real NETCONF server are not beside the project")
    inner = re.sub(r"(?s)^.*?<rpc-reply[^>]*>|</rpc-reply>\s*$", "", path.read_text(encoding="utf-8"))
    session = talk(refusing((2, inner)), chunk=5)
    with pytest.raises(
        AlreadyExists, match=r'61 errors; first: .Node "forwarder" to be created already exists'
    ) as refused:
        session.edit(EDIT)
    assert len(refused.value.output.splitlines()) <= 6
    assert asked(session) == [*CREATE[:3], *CLEAN_UP]


def test_a_confirmation_that_is_refused_is_taken_back(talk: Any) -> None:
    session = talk(refusing((5, error("operation-failed", "too late"))))
    with pytest.raises(Rejected, match="too late"):
        session.edit(EDIT)
    assert asked(session) == [*CREATE[:6], "cancel-commit", *CLEAN_UP]
    assert session.is_open


def test_a_confirmation_that_is_refused_and_cannot_be_taken_back(talk: Any) -> None:
    session = talk(refusing((5, error("operation-failed", "too late")), (6, error("operation-failed", "nor that"))))
    with pytest.raises(SessionLost, match=r"too late.*may be on the device until the commit lapses"):
        session.edit(EDIT)
    assert not session.is_open


def test_the_olt_ends_the_test_by_itself(talk: Any) -> None:
    session = talk(refusing())
    session.edit(replace(EDIT, revoke_after_s=300))
    assert asked(session) == ["lock", "discard-changes", "edit-config", "validate", "commit", "unlock"]
    sent = session.transcript.text()
    assert "<confirm-timeout>300</confirm-timeout><persist>PONPROBE_7</persist>" in sent


def test_an_earlier_commit_is_ended_by_the_commit_that_applies(talk: Any) -> None:
    session = talk(refusing())
    session.edit(replace(EDIT, revoke_after_s=300))
    session.edit(replace(EDIT, persist="PONPROBE_7_END", ends="PONPROBE_7"))
    assert asked(session)[6:] == ["lock", "discard-changes", "edit-config", "validate", "commit", "unlock"]
    assert session.transcript.text().count("<commit><persist-id>PONPROBE_7</persist-id></commit>") == 1
    session.edit(replace(EDIT, persist="PONPROBE_8", ends="PONPROBE_7"))
    assert asked(session)[12:] == CREATE, "it is known to have ended"


def test_an_earlier_commit_that_has_ended_already(talk: Any) -> None:
    session = talk(refusing((4, NOTHING_WAITS)))
    session.edit(replace(EDIT, ends="PONPROBE_6"))
    assert asked(session) == [
        "lock",
        "discard-changes",
        "edit-config",
        "validate",
        "commit",
        "commit",
        "commit",
        "unlock",
    ]
    commits = re.findall(r"<commit>.*?</commit>", session.transcript.text())
    assert ["PONPROBE_6" in commit for commit in commits] == [True, False, False]
    assert "<confirmed/>" in commits[1]
    assert commits[2] == "<commit><persist-id>PONPROBE_7</persist-id></commit>"


def test_a_commit_of_our_own_is_not_ended_again(talk: Any) -> None:
    session = talk(refusing())
    session.edit(EDIT)
    session.edit(replace(EDIT, persist="PONPROBE_8", ends="PONPROBE_7"))
    assert asked(session) == CREATE * 2


def test_somebody_elses_commit_waits(talk: Any) -> None:
    session = talk(refusing((4, NOTHING_WAITS), (5, NOTHING_WAITS)))
    with pytest.raises(ResourceBusy, match="another confirmed commit waits"):
        session.edit(replace(EDIT, ends="PONPROBE_6"))
    assert asked(session)[-2:] == CLEAN_UP


def test_a_refusal_for_another_reason_is_not_tried_otherwise(talk: Any) -> None:
    session = talk(refusing((4, error("operation-failed", "no space"))))
    with pytest.raises(Rejected, match="no space"):
        session.edit(replace(EDIT, ends="PONPROBE_6"))
    assert asked(session) == [*CREATE[:5], *CLEAN_UP]


def test_no_lock_while_our_commit_waits(talk: Any) -> None:
    session = talk(refusing((0, error("in-use", "cannot perform the operation with confirmed-commit pending"))))
    session.edit(replace(EDIT, ends="PONPROBE_6"))
    assert asked(session)[:4] == ["lock", "cancel-commit", "lock", "discard-changes"]


def test_a_lock_of_somebody_else_takes_nothing_back(talk: Any) -> None:
    held = error("lock-denied", "held by another entity", info="<session-id>24</session-id>")
    session = talk(refusing((0, held)))
    with pytest.raises(ResourceBusy, match="session 24 holds the lock"):
        session.edit(replace(EDIT, ends="PONPROBE_6"))
    assert asked(session) == ["lock"]


RUNNING = (f"{CAPABILITY}writable-running:1.0", f"{CAPABILITY}rollback-on-error:1.0")


def test_a_server_without_a_candidate(talk: Any) -> None:
    session = talk(refusing((4, error("data-missing", "gone"))), capabilities=RUNNING)
    session.edit(EDIT)
    with pytest.raises(DeviceError, match="gone"):
        session.edit(EDIT)
    assert asked(session) == ["lock", "edit-config", "unlock"] * 2


def test_a_server_that_cannot_do_it_as_one_is_sent_nothing(talk: Any) -> None:
    session = talk(refusing(), capabilities=RUNNING[:1])
    with pytest.raises(NotSupported, match="rollback-on-error"):
        session.edit(EDIT)
    assert (asked(session), session.requests_sent) == ([], 0)
    assert session.is_open


@pytest.mark.parametrize("request_", [replace(EDIT, config="<x>"), replace(CONFIG, filter="<x")])
def test_what_is_no_xml_is_not_sent(talk: Any, request_: Any) -> None:
    session = talk(refusing())
    with pytest.raises(ValueError, match="is not XML"):
        session.edit(request_) if isinstance(request_, NetconfEdit) else session.get(request_)
    assert asked(session) == []


@pytest.mark.parametrize("at", range(7))
@pytest.mark.parametrize("how", ["lost", "silent", "neither"])
def test_nobody_knows(talk: Any, at: int, how: str) -> None:
    def script(peer: NetconfPeer) -> None:
        for _ in range(at):
            peer.answer(OK)
        number, _ = peer.request()
        if how == "lost":
            peer.drop()
        elif how == "neither":
            peer.reply(number, "<data/>")

    session = talk(script, reply_timeout_s=0.4 if how == "silent" else 5)
    kinds = {"lost": SessionLost, "silent": TransportTimeout, "neither": ParseError}
    if at == 6:
        # all is done but the unlock: the end of the session does that too
        assert session.edit(EDIT)
        assert not session.is_open or how == "neither"
    else:
        with pytest.raises(kinds[how]):
            session.edit(EDIT)
        assert not session.is_open
    assert asked(session) == CREATE[: at + 1], "nothing is sent twice, and nothing into the dark"


# ---------------------------------------------------------------------------------------------------------- secrets


def test_secrets_are_covered_in_all_their_forms(talk: Any) -> None:
    secret = "pa<ss&1234"
    coded = secret.encode().hex()
    config = f'<x xmlns="urn:x"><a>{coded}</a><b>{coded.upper()}</b><c>pa&lt;ss&amp;1234</c></x>'
    refusal = error("invalid-value", f"value {coded.upper()} and pa&lt;ss&amp;1234")
    session = talk(refusing((2, refusal)))
    edit = replace(EDIT, config=config, secrets=(secret,))
    with pytest.raises(DeviceError) as refused:
        session.edit(edit)
    kept = session.transcript.to_jsonl().casefold()
    for form in (secret, coded, "pa&lt;ss"):
        assert form.casefold() not in kept
        assert form.casefold() not in str(refused.value).casefold()
        assert form.casefold() not in refused.value.output.casefold()
    assert "<a>***</a><b>***</b><c>***</c>" in session.transcript.text()


# ------------------------------------------------------------------------------------------ threads, interruptions


def test_callers_from_many_threads_take_turns(talk: Any) -> None:
    def echo(operation: str) -> str:
        match = re.search(r'<x xmlns="urn:x">(\d+)</x>', operation)
        return f"<data>{match[1]}</data>" if match else OK

    session = talk(lambda peer: peer.answers(echo))

    def ask(number: int) -> bool:
        found = session.get(NetconfGet("echo", f'<x xmlns="urn:x">{number}</x>', "running"))
        return texts(found.data) == str(number)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(200)))


def test_a_change_is_not_divided_by_a_question_of_another_thread(talk: Any) -> None:
    session = talk(lambda peer: peer.answers({"get-config": "<data/>"}))
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(session.edit if number % 2 else session.get, EDIT if number % 2 else CONFIG)
            for number in range(20)
        ]
        for job in jobs:
            job.result()
    names = ",".join(asked(session))
    assert names.count(",".join(CREATE)) == 10


def test_two_olts_in_two_threads(talk: Any) -> None:
    both = [talk(lambda peer, name=name: peer.answers({"get-config": f"<data>{name}</data>"})) for name in ("a", "b")]

    def ask(session: Any) -> set[str]:
        return {texts(session.get(CONFIG).data) for _ in range(50)}

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, both)) == [{"a"}, {"b"}]


def test_requests_are_told_in_the_callers_thread(talk: Any) -> None:
    session = talk(refusing())
    threads: set[threading.Thread] = set()
    session.on_request = lambda _: threads.add(threading.current_thread())
    session.edit(EDIT)
    assert threads == {threading.current_thread()}


@pytest.mark.parametrize("at", range(7))
def test_interrupted_between_two_requests(talk: Any, at: int) -> None:
    session = talk(refusing())
    told: list[str] = []

    def interrupt(line: str) -> None:
        told.append(line)
        if len(told) == at + 1:
            raise KeyboardInterrupt

    session.on_request = interrupt
    with pytest.raises(KeyboardInterrupt):
        session.edit(EDIT)
    assert not session.is_open, "the lock and the candidate go with the session"
    assert asked(session) == CREATE[:at]


def test_interrupted_while_waiting(serve: Any, session_to: Any) -> None:
    def script(peer: NetconfPeer) -> None:
        peer.hello()
        if peer.number == 1:
            peer.request()
            os.kill(os.getpid(), signal.SIGINT)
            peer.gone()
        else:
            peer.answers({"get-config": "<data>second</data>"})

    session = session_to(serve(script), reply_timeout_s=60)
    session.open()
    started = monotonic()
    with pytest.raises(KeyboardInterrupt):
        session.get(CONFIG)
    assert monotonic() - started < 10
    assert not session.is_open
    session.open()
    assert texts(session.get(CONFIG).data) == "second"


def test_interrupted_while_opening(serve: Any, session_to: Any) -> None:
    def script(peer: NetconfPeer) -> None:
        if peer.number == 1:
            os.kill(os.getpid(), signal.SIGINT)
            peer.gone()
        else:
            peer.hello()
            peer.answers({"get-config": "<data/>"})

    session = session_to(serve(script), reply_timeout_s=60)
    with pytest.raises(KeyboardInterrupt):
        session.open()
    assert not session.is_open
    session.open()
    assert session.get(CONFIG)


def test_errors_carry_where_and_how(talk: Any) -> None:
    session = talk(lambda peer: (peer.request(), peer.drop()))
    with pytest.raises(TransportError) as lost:
        session.get(CONFIG)
    assert (lost.value.host, lost.value.access) == ("127.0.0.1", "netconf")
    assert isinstance(lost.value, PonprobeError)
    assert lost.value.hint


def test_names_of_the_peer() -> None:
    assert named("<edit-config><target/>") == "edit-config"
    assert len(FULL) == 5
