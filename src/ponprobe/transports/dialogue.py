"""The read loop: a conversation with a command line over any pipe of bytes, led by a dialect.

One loop for log-in, commands and log-out. It blocks in ``recv`` and never sleeps or polls; silence means something only
where it says so. Whatever the chunk sizes, only the line under the cursor is looked at, never the whole answer again.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from time import monotonic
from typing import Literal, Protocol

from ponprobe.dialect import CliDialect
from ponprobe.errors import (
    AuthError,
    ConfigError,
    DeviceError,
    PermissionDenied,
    Rejected,
    SessionLimit,
    SessionLost,
    TransportError,
    TransportTimeout,
)
from ponprobe.flow import Cli, CliReply
from ponprobe.transports.record import Role, Transcript
from ponprobe.transports.terminal import Echo, Page, prompt_of, render


class Pipe(Protocol):
    """Bytes to and from a device. Raises only ``TransportError`` and, for silence, ``TimeoutError``."""

    line_end: str

    def send(self, data: bytes) -> None:
        """Send everything or raise."""

    def recv(self, timeout_s: float) -> bytes:
        """Return what is there, waiting for at least one byte; empty when the peer has hung up."""

    def close(self) -> None:
        """Hang up; never raises."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long silence is borne, in seconds."""

    reply_s: float = 30.0
    """Without a byte while an answer is due."""
    grace_s: float = 1.0
    """After a prompt although our line was not echoed, and after the farewell of a session."""
    settle_s: float = 0.2
    """Where a question looks complete but may have an end still to come."""
    cap: float = 10.0
    """The whole answer may take this many times ``reply_s``."""
    logout_s: float = 3.0
    """For the whole log-out."""


Sort = Literal["pager", "smart", "confirm", "password", "prompt"]


@dataclass(frozen=True, slots=True)
class _Sight:
    """What stands under the cursor and waits for us."""

    sort: Sort
    match: re.Match[str]


@dataclass(slots=True)
class _Answer:
    """Reading the answer to one line: what is known so far, and what silence would mean."""

    request: Cli
    doing: str
    silence_s: float
    deadline: float
    echo: Echo
    may_say_yes: bool
    passwords: list[str]
    waiting: _Sight | None = None
    """Something that may be final, if nothing follows it."""
    closed: bool = False
    breaking: bool = False
    objection: DeviceError | None = None
    """What to raise once the prompt is back."""


class Dialogue:
    """One conversation. ``in_step`` says that the last thing seen was a prompt and nothing is outstanding."""

    def __init__(
        self, pipe: Pipe, dialect: CliDialect, transcript: Transcript, *, host: str, access: str, patience: Patience
    ) -> None:
        self.view: str | None = None
        self.hostname: str | None = None
        self.in_step = False
        self._pipe = pipe
        self._dialect = dialect
        self._transcript = transcript
        self._host = host
        self._access = access
        self._patience = patience
        self._page = Page()
        self._sure_of_name = False
        # only these lines may be answered by a request for a password: listings hold fields of that name, too
        self._entering = frozenset(view.enter for view in dialect.views if view.enter and "{" not in view.enter)

    # ------------------------------------------------------------------------------------------------ log-in

    def login(self, username: str, password: str) -> str:
        """Answer what is asked until the first prompt; return everything that was said.

        Raises ``AuthError`` (refused or locked; never try again by yourself), ``SessionLimit``, ``SessionLost``,
        ``TransportTimeout``.
        """
        texts, page = self._dialect.login, self._new_page()
        deadline = monotonic() + self._patience.reply_s * self._patience.cap
        password_sent, names_sent = False, 0
        doing = f"logging in to {self._host} as {username}"
        while True:
            data = self._recv(self._patience.reply_s, deadline, doing)
            if not data:
                raise self._lost(doing, "the device closed the connection before its first prompt")
            page.feed(data)
            self._refused(page.fresh, username)
            line = render(page.line)
            if sight := self._sight(line):
                if sight.sort == "prompt":
                    self._arrived(sight.match)
                    self._record_received()
                    return page.text()
                if sight.sort == "pager":
                    self._answer(self._dialect.pager_answer)
                    continue
            for question, answer in texts.questions:
                if question.search(line):
                    self._answer(answer + self._pipe.line_end, "login")
                    break
            else:
                if texts.username.search(line):
                    # some devices take what is left in their buffer for a name and ask once more
                    if password_sent or names_sent > 1:
                        raise self._refusal("did not accept", username, page.text())
                    names_sent += 1
                    self._answer(username + self._pipe.line_end, "login")
                elif texts.password.search(line):
                    if password_sent:
                        raise self._refusal("did not accept", username, page.text())
                    password_sent = True
                    self._answer(password + self._pipe.line_end, "login", shown="***")

    def _refused(self, fresh: str, username: str) -> None:
        texts = self._dialect.login
        if texts.locked.search(fresh):
            raise self._refusal("has locked", username, fresh, hint="wait for the lock to end or have it lifted")
        if texts.session_limit.search(fresh):
            raise SessionLimit(
                f"{self._host} has no free session for user {username}: {self._quote(fresh)}",
                host=self._host,
                access=self._access,
                hint="end another session of this user, or raise its limit on the device",
            )
        if texts.bad_login.search(fresh):
            raise self._refusal("did not accept", username, fresh)

    def _refusal(self, what: str, username: str, said: str, hint: str | None = None) -> AuthError:
        return AuthError(
            f"{self._host} {what} user {username} over {self._access}: {self._quote(said)}",
            host=self._host,
            access=self._access,
            hint=hint or "check user and password; it was tried once only, to avoid a lock-out",
        )

    # ---------------------------------------------------------------------------------------------- commands

    def ask(self, request: Cli, *, confirms: bool, enable_password: str | None) -> CliReply:
        """Send one line and read its whole answer.

        Raises ``DeviceError`` (the session can go on) where the device asks for something that we do not give, and
        ``TransportTimeout`` or ``SessionLost`` (it cannot).
        """
        if any(character < " " or character == "\x7f" for character in request.line):
            raise ConfigError(f"The line {request!s:.60} holds a control character; nothing was sent to {self._host}")
        silence_s = self._patience.reply_s if request.timeout_s is None else request.timeout_s
        answer = _Answer(
            request=request,
            doing=f"asking {self._host} for {self._transcript.scrubber.scrub(str(request))!r}",
            silence_s=silence_s,
            deadline=monotonic() + silence_s * self._patience.cap,
            echo=Echo(request.line, self._dialect, self.hostname or ""),
            may_say_yes=confirms,
            passwords=[enable_password] if enable_password else [],
        )
        self.in_step = False
        self._new_page()
        try:
            self._send(request.line + self._pipe.line_end, "line", str(request))
            prompt = self._read_answer(answer)
        finally:
            self._record_received()
        self._sure_of_name = self._sure_of_name or answer.echo.heard
        self._arrived(prompt)
        text = self._page.text()
        if answer.objection is not None:
            answer.objection.output = self._transcript.scrubber.scrub(text)
            raise answer.objection
        return CliReply(request=request, text=text[answer.echo.start :], at=datetime.now(timezone.utc), view=self.view)

    def _read_answer(self, answer: _Answer) -> re.Match[str]:
        """Read until the prompt is back and return it."""
        page = self._page
        while True:
            try:
                if not (data := self._pipe.recv(self._bound(answer))):
                    raise self._lost(answer.doing, "the device closed the connection")
            except TimeoutError as exc:
                if answer.waiting is not None and answer.waiting.sort == "prompt":
                    return answer.waiting.match  # never echoed, or an alarm stood at the end: silence decides
                if not self._after_silence(answer):
                    raise self._timeout(answer.silence_s, answer.deadline, answer.doing) from exc
                continue
            page.feed(data)
            if monotonic() > answer.deadline:
                raise self._timeout(answer.silence_s, answer.deadline, answer.doing)
            answer.echo.hear(page)
            answer.closed = answer.closed or bool(self._dialect.closed.search(page.fresh))
            answer.waiting = sight = self._sight(render(page.line), entering=answer.request.line in self._entering)
            if sight is None:
                continue
            if sight.sort == "prompt":
                if answer.echo.heard and sight.match["host"] == self.hostname and not self._ends_in_alarm():
                    return sight.match
                # otherwise it may be a prompt of before, which a late notice has brought: see what silence says
            elif sight.sort != "confirm" or sight.match[0].rstrip().endswith(":"):
                self._react(answer, sight)

    def _bound(self, answer: _Answer) -> float:
        """How long silence may last now, in seconds."""
        bound = answer.silence_s
        if answer.waiting is not None:
            bound = min(bound, self._patience.grace_s if answer.waiting.sort == "prompt" else self._patience.settle_s)
        elif answer.closed or answer.breaking:
            bound = min(bound, self._patience.grace_s)
        return max(0.001, min(bound, answer.deadline - monotonic()))

    def _after_silence(self, answer: _Answer) -> bool:
        """Do what silence means now; false if it means nothing good."""
        if monotonic() >= answer.deadline:
            return False
        if answer.waiting is not None:
            self._react(answer, answer.waiting)
            return True
        if answer.closed:
            raise self._lost(answer.doing, "the device ended the session")
        if answer.breaking:
            answer.breaking = False
            self._answer(self._pipe.line_end)
            return True
        return False

    def _react(self, answer: _Answer, sight: _Sight) -> None:
        """Answer a question of the device in the middle of an answer."""
        answer.waiting = None
        dialect, end = self._dialect, self._pipe.line_end
        if sight.sort == "pager":
            self._answer(dialect.pager_answer)
        elif sight.sort == "smart":
            if dialect.smart_prompt_default in sight.match[0]:
                self._answer(end)
            else:
                self._object(answer, Rejected, f"the device wants a value: {sight.match[0].strip()}", "incomplete")
                answer.breaking = True
                self._answer(dialect.smart_prompt_break)
        elif sight.sort == "password":
            if answer.passwords:
                self._answer(answer.passwords.pop() + end, shown="***")
            else:
                self._object(
                    answer, PermissionDenied, "the device asks for a password that was not given", "permission"
                )
                self._answer(end)
        elif answer.may_say_yes:
            answer.may_say_yes = False  # one declared change, one yes
            self._answer(dialect.confirm_yes + end)
        else:
            question = " ".join(self._lines(self._page.end(400))[-2:])
            self._object(answer, Rejected, f"the device asked {question!r} and was answered no", "other")
            self._answer(dialect.confirm_no + end)

    def _object(self, answer: _Answer, error: type[DeviceError], what: str, refused: str) -> None:
        if answer.objection is None:
            line = self._transcript.scrubber.scrub(str(answer.request))
            what = self._transcript.scrubber.scrub(what)
            answer.objection = error(f"{line!r}: {what}", host=self._host, command=line, refused=refused)

    # ----------------------------------------------------------------------------------------------- log-out

    def logout(self) -> None:
        """Leave politely, from whatever view, within ``logout_s``; returns early or late but always returns.

        Only called in step: out of step, the farewell could answer a question that was meant for something else.
        """
        deadline = monotonic() + self._patience.logout_s
        self.in_step = False
        page = self._new_page()
        try:
            for line in _farewell(self._dialect.logout):
                self._send(line + self._pipe.line_end, "logout", line)
                if self._gone(page, deadline):
                    return
        except (TransportError, TimeoutError):
            return
        finally:
            self._record_received()

    def _gone(self, page: Page, deadline: float) -> bool:
        """Read on until the session has ended (true) or a prompt wants the next line of the farewell (false)."""
        while (left := deadline - monotonic()) > 0:
            data = self._pipe.recv(left)
            if not data:
                return True
            page.feed(data)
            if self._dialect.closed.search(page.fresh):
                return True
            sight = self._sight(render(page.line))
            if sight is None:
                continue
            if sight.sort == "prompt":
                page.dealt_with()
                return False
            self._answer(
                self._dialect.pager_answer
                if sight.sort == "pager"
                else (self._dialect.logout_answer if sight.sort == "confirm" else "") + self._pipe.line_end,
                "logout",
            )
        return True

    # ------------------------------------------------------------------------------------------------- parts

    def _new_page(self) -> Page:
        self._page = Page()
        return self._page

    def _sight(self, line: str, *, entering: bool = False) -> _Sight | None:
        """What the line under the cursor (rendered) asks of us."""
        if not line:
            return None
        dialect = self._dialect
        if match := dialect.pager.search(line):
            # with text behind it, it has been answered and merely not been erased
            return _Sight("pager", match) if not line[match.end() :].strip() else None
        if dialect.smart_prompt and (match := dialect.smart_prompt.search(line)):
            return _Sight("smart", match)
        if match := dialect.confirm.search(line):
            return _Sight("confirm", match)
        if entering and (match := dialect.login.password.match(line)):
            return _Sight("password", match)
        name = self.hostname if self._sure_of_name else None
        if match := prompt_of(dialect, line, name):
            return _Sight("prompt", match)
        return None

    def _arrived(self, prompt: re.Match[str]) -> None:
        self.hostname = prompt["host"]
        self.view = self._dialect.view_of(prompt)
        self.in_step = True

    def _send(self, text: str, role: Role, shown: str) -> None:
        self._record_received()
        self._transcript.add("sent", shown, role)
        self._pipe.send(text.encode())

    def _answer(self, text: str, role: Role = "answer", shown: str | None = None) -> None:
        """Answer what stands under the cursor, once."""
        self._page.dealt_with()
        self._send(text, role, shown or text)

    def _recv(self, silence_s: float, deadline: float, doing: str) -> bytes:
        try:
            return self._pipe.recv(max(0.001, min(silence_s, deadline - monotonic())))
        except TimeoutError as exc:
            raise self._timeout(silence_s, deadline, doing) from exc

    def _timeout(self, silence_s: float, deadline: float, doing: str) -> TransportTimeout:
        if monotonic() >= deadline:
            why = f"the answer was not complete after {silence_s * self._patience.cap:g} s"
        else:
            why = f"nothing came for {silence_s:g} s"
        self._record_received()
        return TransportTimeout(
            f"{_capital(doing)}: {why}; {self._seen()}",
            host=self._host,
            access=self._access,
            hint="the session is given up; open a new one, look whether the line took effect, and allow more time",
        )

    def _lost(self, doing: str, why: str) -> SessionLost:
        self._record_received()
        return SessionLost(
            f"{_capital(doing)}: {why}; {self._seen()}",
            host=self._host,
            access=self._access,
            hint="open a new session and look whether the line took effect before sending it again",
        )

    def _seen(self) -> str:
        """The first and the last line that came, redacted."""
        lines = self._lines(self._page.text())
        if not lines:
            return "nothing was received"
        if len(lines) == 1:
            return f"received {lines[0]!r}"
        return f"received {len(lines)} lines, first {lines[0]!r}, last {lines[-1]!r}"

    def _quote(self, text: str) -> str:
        lines = self._lines(text)
        return repr(lines[-1]) if lines else "no reason given"

    def _lines(self, text: str) -> list[str]:
        text = self._transcript.scrubber.scrub(text)
        return [shown for line in text.split("\n") if (shown := render(line).strip()[:160])]

    def _record_received(self) -> None:
        if text := self._page.take_unrecorded():
            self._transcript.add("received", text)

    def _ends_in_alarm(self) -> bool:
        """Whether nothing but an alarm stands before the prompt at the end: the device may repeat the line it broke."""
        end = self._page.end(4096)
        end = end[: end.rfind("\n") + 1]
        return any(
            not end[match.end() :].strip() for pattern in self._dialect.alarms for match in pattern.finditer(end)
        )


def _farewell(lines: tuple[str, ...]) -> Iterable[str]:
    """The lines that log out; the last one again for every view that is still around us (none is ten deep)."""
    return itertools.chain(lines, itertools.repeat(lines[-1], 9))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
