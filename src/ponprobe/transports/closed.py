"""The command line of an OLT that has none for us: other roads answer, what needs it is refused with a reason."""

from __future__ import annotations

from typing import NoReturn

from ponprobe.errors import NotSupported
from ponprobe.flow import Cli, CliReply
from ponprobe.transports.record import Transcript


class NoCommandLine:
    """A ``CliTransport`` that cannot be opened."""

    view: str | None = None
    hostname: str | None = None
    is_open = False
    lines_sent = 0

    def __init__(self, host: str, platform: str | None = None) -> None:
        self.host = host
        self._platform = platform
        self.transcript = Transcript()

    def _refuse(self, line: Cli | None = None) -> NoReturn:
        what = "" if line is None else f", and {str(line)!r} cannot be asked"
        if self._platform is not None:
            raise NotSupported(f"{self._platform} has no command line{what}", hint="it is reached by NETCONF")
        raise NotSupported(
            f"{self.host} has no user for its command line, so it is only read by SNMP{what}",
            hint="set username and password for changes and for what SNMP does not tell",
        )

    def open(self) -> str:
        """Refuse, with the reason."""
        self._refuse()

    def ask(self, line: Cli, *, confirms: bool = False) -> CliReply:
        """Refuse, with the reason."""
        del confirms
        self._refuse(line)

    def close(self) -> None:
        """There is nothing to close."""
