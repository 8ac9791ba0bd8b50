"""The read loop over SSH and Telnet against scripted devices, in awkward chunk sizes."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from pydantic import SecretStr

from ponprobe.errors import ConfigError, PermissionDenied, Rejected, SessionLost, TransportTimeout
from ponprobe.flow import Cli
from ponprobe.transports.base import CliTransport
from ponprobe.transports.dialogue import Patience

MORE = "---- More ( Press 'Q' to break ) ----"
ERASE = "\x1b[37D" + " " * 37 + "\x1b[37D"


def test_asks_and_answers(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.line("enable", "\r\nOLT-1#")
        peer.line("display version", "\r\n  VERSION : MA5800V100R019C10\r\n\r\nOLT-1#")

    session: CliTransport = talk(script)
    assert (session.hostname, session.view, session.is_open) == ("OLT-1", "user", True)
    first = session.ask(Cli("enable"))
    assert (first.text, first.view) == ("enable\r\n\r\nOLT-1#", "enable")
    second = session.ask(Cli("display version"))
    assert second.text == "display version\r\n\r\n  VERSION : MA5800V100R019C10\r\n\r\nOLT-1#"
    assert second.at.utcoffset() == timedelta(0)
    assert session.lines_sent == 2


def test_pager_is_answered_once_for_each_occurrence(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.expect("display board 0\n")
        peer.say(f"display board 0\r\n  one\r\n{MORE}")
        peer.expect(b" ")
        peer.say(f"{ERASE}  two\r\n{MORE}")
        peer.expect(b" ")
        peer.say(f"{ERASE}  three\r\n\r\nOLT-1>")
        peer.line("display time", "  12:00\r\n\r\nOLT-1>")

    session = talk(script)
    assert session.ask(Cli("display board 0")).text.count(MORE) == 2
    # had the pager been answered once too often, this line would begin with a blank
    assert session.ask(Cli("display time")).text.endswith("12:00\r\n\r\nOLT-1>")


def test_prompt_on_the_line_of_an_erased_pager(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.expect("display board 0\n")
        peer.say(f"display board 0\r\n  one\r\n{MORE}")
        peer.expect(b" ")
        peer.say(f"{ERASE}OLT-1>")

    assert talk(script).ask(Cli("display board 0")).view == "user"


def test_smart_prompt_with_a_default_gets_enter(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.expect("display version\n")
        peer.say("display version\r\n{ <cr>|backplane<K>|frameid/slotid<S><Length 1-15> }:")
        peer.expect("\n")
        peer.say("\r\n\r\n  Command:\r\n          display version \r\n  VERSION : X\r\n\r\nOLT-1>")
        peer.line("display time", "  12:00\r\n\r\nOLT-1>")

    session = talk(script)
    assert "VERSION : X" in session.ask(Cli("display version")).text
    # had Enter been sent once too often, this line would not be the next one
    assert "12:00" in session.ask(Cli("display time")).text


@pytest.mark.parametrize("breaks_with", ["interrupt", "enter"])
def test_smart_prompt_without_a_default_is_left(talk: Any, chunked: int, breaks_with: str) -> None:
    def script(peer: Any) -> None:
        peer.expect("display ont info 0\n")
        peer.say("display ont info 0\r\n{ all<K>|ontid<U><0,127> }:")
        peer.expect(b"\x03")
        if breaks_with == "enter":  # a device to which the interrupt key means nothing
            peer.expect("\n")
        peer.say("\r\n  % Incomplete command, the error locates at '^'\r\n\r\nOLT-1>")
        peer.line("display time", "  12:00\r\n\r\nOLT-1>")

    session = talk(script)
    with pytest.raises(Rejected, match=r"wants a value: \{ all<K>\|ontid<U><0,127> \}:") as caught:
        session.ask(Cli("display ont info 0"))
    assert caught.value.refused == "incomplete"
    assert "% Incomplete" in caught.value.output
    assert "12:00" in session.ask(Cli("display time")).text


QUESTION = "\r\n  It will be gone.\r\n  Are you sure to delete? (y/n)[n]:"


def test_declared_confirmation_is_given_once(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.expect("ont delete 0 1\n")
        peer.say("ont delete 0 1" + QUESTION)
        peer.expect("y\n")
        peer.say("y\r\n  success: 1\r\n\r\nOLT-1>")

    assert "success: 1" in talk(script).ask(Cli("ont delete 0 1"), confirms=True).text


@pytest.mark.parametrize("confirms", [False, True], ids=["undeclared", "second question"])
def test_undeclared_confirmation_is_refused_and_quoted(talk: Any, chunked: int, confirms: bool) -> None:
    def script(peer: Any) -> None:
        peer.expect("reboot system\n")
        peer.say("reboot system")
        if confirms:
            peer.say("\r\n  Save first? (y/n)[n]:")
            peer.expect("y\n")
            peer.say("y")
        peer.say(QUESTION)
        peer.expect("n\n")
        peer.say("n\r\n\r\nOLT-1>")
        peer.line("display time", "  12:00\r\n\r\nOLT-1>")

    session = talk(script)
    with pytest.raises(Rejected, match=r"It will be gone\. Are you sure to delete\? \(y/n\)\[n\]:") as caught:
        session.ask(Cli("reboot system"), confirms=confirms)
    assert caught.value.command == "reboot system"
    assert "12:00" in session.ask(Cli("display time")).text


def test_question_without_its_usual_end_is_answered_after_a_moment(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.expect("save\n")
        peer.say("save\r\n  Save now? (y/n)")
        peer.expect("n\n")
        peer.say("n\r\nOLT-1>")

    with pytest.raises(Rejected, match="Save now"):
        talk(script).ask(Cli("save"))


ALARM = (
    "\r\n  ! 1 [2024-01-01 00:00:00-00:00]:\r\n\r\n  ALARM 7 FAULT WARNING 0x2e 2024\r\n"
    "  ALARM NAME  : The fibre is broken\r\n  --- END-\r\n"
)


def test_alarm_in_the_middle_is_read_over(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.line("display board 0", f"  one\r\n{ALARM}  two\r\n\r\nOLT-1>")

    text = talk(script).ask(Cli("display board 0")).text
    assert "one" in text
    assert "two" in text
    assert "fibre" in text


def test_alarm_that_breaks_the_echo_in_two(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.expect("display board 0\n")
        peer.say(f"display boa{ALARM}OLT-1>")
        peer.say("display board 0\r\n  one\r\n\r\nOLT-1>")

    assert "  one" in talk(script).ask(Cli("display board 0")).text


def test_prompt_behind_an_alarm_is_not_yet_the_end(talk: Any, chunked: int) -> None:
    # the echo was complete, then the alarm came, and the device repeats prompt and line
    def script(peer: Any) -> None:
        peer.expect("display board 0\n")
        peer.say(f"display board 0{ALARM}OLT-1>")
        peer.say("display board 0\r\n  one\r\n\r\nOLT-1>")

    assert "  one" in talk(script).ask(Cli("display board 0")).text


def test_alarm_as_the_end_of_an_answer(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.line("undo alarm", f"{ALARM}OLT-1>")

    assert talk(script).ask(Cli("undo alarm")).view == "user"


def test_second_prompt_after_a_late_notice_belongs_to_no_answer(
    serve: Any, session_to: Any, access: str, chunked: int
) -> None:
    def script(peer: Any) -> None:
        peer.greet("\r\nOLT-1>")
        peer.expect("enable\n")  # sent after the first prompt, before the notice arrived
        peer.say("\r\n  Warning: The user password is set by other administrator.\r\n\r\nOLT-1>")
        peer.say("enable\r\n\r\nOLT-1#")
        peer.gone()

    session = session_to(serve(access, script))
    session.open()
    reply = session.ask(Cli("enable"))
    assert (reply.text, reply.view) == ("enable\r\n\r\nOLT-1#", "enable")


def test_word_of_the_line_in_prompt_and_notice_is_no_echo(
    serve: Any, session_to: Any, access: str, chunked: int
) -> None:
    def script(peer: Any) -> None:
        peer.greet("\r\nOLT-1(config)#")
        peer.expect("config\n")
        peer.say("\r\n  It is recommended to config a password.\r\n\r\nOLT-1(config)#")
        peer.say("config\r\n\r\nOLT-1(config)#")
        peer.gone()

    session = session_to(serve(access, script))
    session.open()
    assert session.ask(Cli("config")).text == "config\r\n\r\nOLT-1(config)#"


LONG = 'ont add 0 sn-auth 48575443ABCD0001 omci ont-lineprofile-id 2 ont-srvprofile-id 3 desc "T E S T 1"'


@pytest.mark.parametrize(
    "echo",
    [
        LONG[:70] + " \x1b[1D" + LONG[70:],
        LONG[:70] + "\r\n" + LONG[70:],
        LONG[:70] + "\r\r\n$" + LONG[70:],
        LONG.replace(" ", ""),
        LONG[:70] + "\x1b[70D$" + LONG[40:] + "\x1b[K",
    ],
    ids=["stepped back", "wrapped", "continued", "glued", "scrolled"],
)
def test_echo_of_a_long_line(talk: Any, chunked: int, echo: str) -> None:
    def script(peer: Any) -> None:
        peer.expect(LONG + "\n")
        peer.say(f"\r\n  Warning: late\r\n\r\nOLT-1>{echo}\r\n  success: 1\r\n\r\nOLT-1>")

    # an echo that is not recognised would end with the grace, and the late warning would stand in the answer
    assert talk(script).ask(Cli(LONG)).text == f"{echo}\r\n  success: 1\r\n\r\nOLT-1>"


@pytest.mark.parametrize("echo", ["", "display ver sionn\r\n"], ids=["none", "damaged"])
def test_without_a_proper_echo_a_moment_of_silence_ends_the_answer(talk: Any, chunked: int, echo: str) -> None:
    def script(peer: Any) -> None:
        peer.expect("display version\n")
        peer.say(f"{echo}  VERSION : X\r\n\r\nOLT-1>")

    assert "VERSION : X" in talk(script).ask(Cli("display version")).text


def test_line_ends_with_two_carriage_returns(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.expect("enable\n")
        peer.say("enable\r\r\n\r\r\nOLT-1#")

    assert talk(script).ask(Cli("enable")).view == "enable"


def test_lines_that_only_look_like_prompts(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.line("display alarm", "  x\r\nother#\r\nOLT-2>\r\nOLT-12>\r\n OLT-1>\r\n  y\r\n\r\nOLT-1>")

    assert "  y\r\n" in talk(script).ask(Cli("display alarm")).text


def test_somebody_elses_prompt_does_not_end_an_answer(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.line("display time", "  12:00\r\n\r\nOLT-1>")
        peer.expect("telnet 192.0.2.1\n")
        peer.say("telnet 192.0.2.1\r\n\r\nOLT-2>")
        peer.silent()

    session = talk(script)
    session.ask(Cli("display time"))
    with pytest.raises(TransportTimeout):
        session.ask(Cli("telnet 192.0.2.1", timeout_s=0.5))


def test_cut_characters_and_bytes_that_are_no_utf8(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.expect("display board 0\n")
        escaped = b"\xff" if peer.access == "ssh" else b"\xff\xff"
        peer.say(b"display board 0\r\n  \xe5\x85\x89\xe7\xbc\x86 " + escaped + b"\xfe \xe5\r\n\r\nOLT-1>")

    assert "光缆 \ufffd\ufffd \ufffd\r\n" in talk(script).ask(Cli("display board 0")).text


def test_large_answer_in_linear_time(talk: Any) -> None:
    rows = "".join(f"  {number:5d}  0/1/{number % 16:<2d}  up  {'x' * 50}\r\n" for number in range(2000))

    def script(peer: Any) -> None:
        peer.line("display service-port all", f"{rows}\r\nOLT-1>", chunk=509)

    reply = talk(script).ask(Cli("display service-port all"))
    assert reply.text == f"display service-port all\r\n{rows}\r\nOLT-1>"


@pytest.mark.parametrize("farewell", ["", "Configuration console time out, please retry to log on\r\n"])
def test_session_that_ends_in_the_middle(serve: Any, session_to: Any, access: str, chunked: int, farewell: str) -> None:
    def script(peer: Any) -> None:
        peer.greet()
        peer.expect("display board 0\n")
        peer.say(f"display board 0\r\n  one\r\n{farewell}")

    session = session_to(serve(access, script))
    session.open()
    with pytest.raises(SessionLost, match=r"127\.0\.0\.1.*'display board 0'.*first 'display board 0', last") as caught:
        session.ask(Cli("display board 0"))
    assert caught.value.access == access
    assert not session.is_open
    with pytest.raises(SessionLost, match="was not sent"):
        session.ask(Cli("display board 0"))


def test_farewell_on_a_line_that_stays_up(talk: Any, chunked: int) -> None:
    # a terminal server between us and the device keeps the connection
    def script(peer: Any) -> None:
        peer.expect("display board 0\n")
        peer.say("display board 0\r\nConfiguration console exit, please retry to log on\r\n")

    session = talk(script)
    begun = monotonic()
    with pytest.raises(SessionLost, match="ended the session"):
        session.ask(Cli("display board 0"))
    assert monotonic() - begun < 3  # the patience for answers would be 5 s


def test_words_of_farewell_in_an_answer_are_no_farewell(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.line("display log", "  Configuration console exit, please retry to log on\r\n  more\r\n\r\nOLT-1>")

    assert "  more" in talk(script).ask(Cli("display log")).text


def test_silent_device(talk: Any) -> None:
    def script(peer: Any) -> None:
        peer.expect("display board 0\n")
        peer.say("display board 0\r\n  one\r\n")
        peer.silent()

    session = talk(script)
    with pytest.raises(TransportTimeout, match=r"nothing came for 0\.2 s; received 2 lines, .*last 'one'"):
        session.ask(Cli("display board 0", timeout_s=0.2))
    # what still comes on that connection must never be taken for the next answer
    assert not session.is_open
    assert session._pipe is None
    with pytest.raises(SessionLost, match="not open"):
        session.ask(Cli("display time"))


def test_device_that_never_ends(talk: Any) -> None:
    def script(peer: Any) -> None:
        peer.expect("display board 0\n")
        try:
            while True:
                peer.say("x\r\n" * 100)
        except OSError:
            pass

    session = talk(script, patience=Patience(reply_s=0.5, cap=0.4))
    with pytest.raises(TransportTimeout, match="not complete"):
        session.ask(Cli("display board 0"))
    assert not session.is_open


@pytest.mark.parametrize("line", ["display\nreboot", "a\rb", "a\x03"])
def test_line_with_control_characters_is_never_sent(talk: Any, line: str) -> None:
    session = talk(lambda peer: peer.silent())
    with pytest.raises(ConfigError, match="control character"):
        session.ask(Cli(line))
    assert session.is_open
    # hang up without a farewell: the script demands that nothing at all was sent
    session._hang_up()


def test_enable_password(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.expect("enable\n")
        peer.say("enable\r\n>>User password:")
        peer.expect("En-Secret\n")
        peer.say("\r\n\r\nOLT-1#")

    session = talk(script, enable_password=SecretStr("En-Secret"))
    assert session.ask(Cli("enable")).view == "enable"
    assert "En-Secret" not in session.transcript.to_jsonl()


def test_enable_password_missing(talk: Any, chunked: int) -> None:
    def script(peer: Any) -> None:
        peer.expect("enable\n")
        peer.say("enable\r\n>>User password:")
        peer.expect("\n")
        peer.say("\r\n  bad password\r\n\r\nOLT-1>")

    session = talk(script)
    with pytest.raises(PermissionDenied, match="password that was not given"):
        session.ask(Cli("enable"))
    assert session.is_open
