"""What all readers of SmartAX text share: cleaning, places, serials, and what to do with an answer that was cut."""

from __future__ import annotations

import re

from ponprobe.drivers import parsing
from ponprobe.drivers.huawei.dialect import MA5600T
from ponprobe.drivers.parsing import Answer
from ponprobe.drivers.reading import cleaned_by
from ponprobe.models.addressing import OnuRef, PonPort

QUESTION = "display"
"""What the echo of every question starts with, where the caller does not say which question it was."""

_BOARD = re.compile(r"\b(?:x?gpon|epon)[ -]+(?P<frame>\d+)/(?P<slot>\d+)", re.IGNORECASE)


def cleaned(text: str | Answer, command: str | None = QUESTION) -> Answer:
    """Clean a raw answer; one that has been cleaned already stays as it is."""
    return cleaned_by(MA5600T, text, command)


def answered(text: str | Answer, command: str | None = QUESTION) -> Answer:
    """Clean an answer and raise its refusal."""
    answer = cleaned(text, command)
    parsing.refuse(answer, None if command == QUESTION else command)
    return answer


def mac_or_none(text: str) -> str | None:
    """Read a MAC address as Huawei prints it, ``0018-82ab-cdef``; ``None`` for anything else."""
    return parsing.mac_address(text) if re.fullmatch(r"(?:[0-9A-Fa-f]{4}-){2}[0-9A-Fa-f]{4}", text.strip()) else None


def fsp(row: dict[str, str]) -> PonPort:
    """Read a row's frame, slot and port."""
    return PonPort(frame=int(row["frame"]), slot=int(row["slot"]), port=int(row["port"]))


def board_of(*texts: str | None) -> tuple[int, int] | None:
    """Find frame and slot in a view's name or the line that enters it (``interface gpon 0/1``)."""
    for text in texts:
        if match := _BOARD.search(text or ""):
            return int(match["frame"]), int(match["slot"])
    return None


def place_of(command: str, *contexts: str | None) -> tuple[PonPort | None, int | None]:
    """Find the port and the ONT ID that a question names: ``F S P [ID]``, or ``P [ID]`` in a board's view."""
    tail = re.sub(r"\|.*$", "", command)
    numbers = [int(n) for n in re.findall(r"(?<![\w-])\d+(?![\w-])", tail)]
    board = board_of(*contexts)
    if len(numbers) >= 3:
        port = PonPort(frame=numbers[0], slot=numbers[1], port=numbers[2])
        return port, numbers[3] if len(numbers) > 3 else None
    if board is not None and numbers:
        port = PonPort(frame=board[0], slot=board[1], port=numbers[0])
        return port, numbers[1] if len(numbers) > 1 else None
    return None, numbers[1] if len(numbers) > 1 else None


def onu_or_none(port: PonPort | None, onu_id: int | None) -> OnuRef | None:
    """Name an ONU if both parts are known."""
    return None if port is None or onu_id is None else port.onu(onu_id)
