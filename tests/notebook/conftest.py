"""A real kernel, and plots that are drawn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from jupyter_client.manager import KernelManager

sys.path.insert(0, str(Path(__file__).parent))  # for what all of these suites need

from real_kernel import PATIENCE_S, Kernel

mpl.use("Agg")


@pytest.fixture
def drawn() -> Iterator[Callable[[Any], Any]]:
    """Draw a plot as a browser would get it: what is wrong with a letter shows only then."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend was chosen

    def draw(ax: Any) -> Any:
        ax.figure.canvas.draw()
        return ax

    yield draw
    plt.close("all")


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    # on a busy machine a kernel may take longer to end than Jupyter usually waits
    manager = KernelManager(kernel_name="python3", shutdown_wait_time=2.0 * PATIENCE_S)
    with ExitStack() as stack:
        manager.start_kernel(extra_arguments=["--log-level=ERROR"])
        stack.callback(manager.shutdown_kernel, now=True)
        client = manager.blocking_client()
        client.start_channels()
        stack.callback(client.stop_channels)
        client.wait_for_ready(timeout=PATIENCE_S)
        yield Kernel(manager, client)
