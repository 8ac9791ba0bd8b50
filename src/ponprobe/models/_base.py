"""What every model shares."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value: equal by content, hashable, refuses unknown fields, prints on one line."""

    # a refused value may be a password or a LOID, and pydantic would print it in the error
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __repr_args__(self) -> Any:
        for name, value in super().__repr_args__():
            if value is not None and value not in ((), {}):
                yield name, value

    def _repr_html_(self) -> str | None:
        """How notebooks show this value; ``None`` where its text says it better. See ``ponprobe.display``."""
        # by name: the display knows the models, and no model may know what is above it. Loaded at the first look
        shown: str | None = import_module("ponprobe.display").html_of(self)
        return shown
