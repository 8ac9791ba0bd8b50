"""How long a busy device is asked again."""

from __future__ import annotations

import tenacity

from ponprobe.errors import ResourceBusy


def while_busy(wait_s: float) -> tenacity.Retrying:
    """Attempts that go on, ever less often, while the device says that it is busy; the refusal itself at the end."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(ResourceBusy),
        wait=tenacity.wait_random_exponential(multiplier=0.5, max=10),
        stop=tenacity.stop_after_delay(wait_s),
        reraise=True,
    )
