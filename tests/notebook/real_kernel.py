"""A real kernel in a process of its own, as Jupyter starts it, and what its cells give."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

PATIENCE_S = 60


@dataclass
class Cell:
    """What a cell gave: streams, the last result's forms, the error's name."""

    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


class Kernel:
    """A real kernel in a process of its own, as Jupyter starts it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client

    def start(self, code: str) -> str:
        """Send a cell and do not wait for it."""
        return str(self.client.execute(code))

    def finish(self, message: str) -> Cell:
        """Collect what a cell gives until it is done."""
        cell = Cell()
        while True:
            try:
                got = self.client.get_iopub_msg(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"the cell did not end; so far: {cell}") from None
            if got["parent_header"].get("msg_id") != message:
                continue
            content = got["content"]
            match got["msg_type"]:
                case "stream":
                    cell.text += content["text"]
                case "execute_result" | "display_data":
                    cell.data = content["data"]
                case "error":
                    cell.error = content["ename"]
                    cell.text += "\n".join(content["traceback"])
                case "status" if content["execution_state"] == "idle":
                    return cell

    def says(self, message: str, word: str) -> None:
        """Wait until a running cell has printed a word."""
        text = ""
        while word not in text:
            try:
                got = self.client.get_iopub_msg(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"the cell did not say {word!r}; so far: {text}") from None
            if got["parent_header"].get("msg_id") == message:
                assert got["msg_type"] != "error", "\n".join(got["content"]["traceback"])
                text += got["content"].get("text", "")

    def run(self, code: str) -> Cell:
        """Run a cell that must not fail."""
        cell = self.finish(self.start(code))
        assert cell.error is None, cell.text
        return cell
