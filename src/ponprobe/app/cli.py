"""Every command, in the order of the help."""

from ponprobe.app import acceptance, batch, judging, project, questions, standalone, sweep
from ponprobe.app.root import app

_ORDER = (
    "measure", "batch", "plan", "activate", "revoke", "recover",
    "facts", "boards", "discover", "onus", "optics", "sweep",
    "judge", "demo", "emulate", "parse",
)  # fmt: skip
# typer lists commands as they were registered, and modules share options in another order than people read
app.registered_commands.sort(key=lambda each: _ORDER.index(each.name or ""))

__all__ = ["acceptance", "app", "batch", "judging", "project", "questions", "standalone", "sweep"]
