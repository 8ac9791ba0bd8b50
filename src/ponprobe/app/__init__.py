"""The ``ponprobe`` command. People read stderr, programs read JSON on stdout, schedulers read the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process and exit with its code."""
    sys.exit(run())


def run(argv: Sequence[str] | None = None) -> int:
    """Run a command line (that of the process by default) and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _have_streams()
    if arguments == ["--version"]:
        from ponprobe._version import __version__  # noqa: PLC0415 - all that this needs

        sys.stdout.write(f"ponprobe {__version__}\n")
        return 0
    try:
        if arguments[:1] == ["parse"] and "--jsonl" in arguments and not {"-h", "--help"} & set(arguments):
            return _parse_stream()
        return _command(arguments)
    except BrokenPipeError:
        # whoever read our output has had enough; Python would complain once more when it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _have_streams() -> None:
    """A scheduler may start a command with its streams closed: then there is nobody to read, and nothing to ask."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - lives as long as we


def _command(arguments: list[str]) -> int:
    try:
        import rich  # noqa: F401, PLC0415 - typer alone would come without it
        import typer.main  # noqa: PLC0415
    except ImportError:
        from ponprobe.errors import MissingExtra  # noqa: PLC0415

        sys.stderr.write(f"{MissingExtra('the ponprobe command', 'app')}\n")
        return 2
    from ponprobe.app import cli  # noqa: PLC0415

    try:
        code = typer.main.get_command(cli.app).main(args=arguments, prog_name="ponprobe", standalone_mode=False)
    except typer.Abort:
        return 130
    except Exception as exc:
        # typer brings its own copy of click or uses the installed one: know its usage errors by what they can do
        if not hasattr(exc, "format_message"):
            raise
        return _wrong_usage(exc, arguments)
    return int(code or 0)


def _wrong_usage(exc: Exception, arguments: list[str]) -> int:
    """Say what is wrong with the command line, to people and, if they were going to read, to programs."""
    from ponprobe.app.desk import Desk  # noqa: PLC0415
    from ponprobe.app.options import Output, Watched, WrongInput  # noqa: PLC0415

    message = " ".join(str(exc.format_message()).split())  # type: ignore[attr-defined]
    if not message:
        # no arguments at all: the help has been shown
        return 2
    context = getattr(exc, "ctx", None)
    path = context.command_path if context is not None else "ponprobe"
    asked = arguments.index("--request-id") + 1 if "--request-id" in arguments[:-1] else None
    desk = Desk(
        Output(json="--json" in arguments, no_color="--no-color" in arguments),
        Watched(events="--events" in arguments),
        request_id=None if asked is None else arguments[asked],
    )

    def refuse() -> int:
        error = WrongInput([message])
        error.hint = f"{path} --help"
        raise error

    return int(desk.run(refuse))  # type: ignore[arg-type]  # it does not return


def _parse_stream() -> int:
    """Serve ``parse --jsonl`` without loading anything that a line does not need."""
    import io  # noqa: PLC0415

    from ponprobe.app.parse import parse_stream  # noqa: PLC0415

    # device text is what it is: bytes that are no UTF-8 must not end the stream
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace", newline="\n")
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", errors="backslashreplace", newline="\n")
    try:
        parse_stream(lines, out)
    finally:
        out.detach()
        lines.detach()
    return 0
