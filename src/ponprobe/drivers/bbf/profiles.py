"""Vendor profiles: how a vendor or a site follows the models, from a TOML file or by a name of ours."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ponprobe.errors import ConfigError
from ponprobe.models.netconf import NetconfProfile

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover - which Python runs the tests decides
    import tomli as tomllib

BUILT_IN = {"bbf": NetconfProfile()}
"""The Broadband Forum's models as they are written. No vendor's own way of following them has been seen."""


def load_profile(source: str | Path) -> NetconfProfile:
    """Return a profile by its built-in name, or from a TOML file. Raises ``ConfigError`` that names file and key."""
    if str(source) in BUILT_IN:
        return BUILT_IN[str(source)]
    path = Path(source)
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(
            f"profile {source}: {exc.strerror or exc}",
            hint=f"name a TOML file, or one of {', '.join(sorted(BUILT_IN))}",
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"profile {path} is no TOML: {exc}") from exc
    try:
        return NetconfProfile.model_validate({"name": path.stem, **content})
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"])) or "its keys"
        raise ConfigError(
            f"profile {path}: {key}: {first['msg']}",
            hint=f"known keys are {', '.join(sorted(NetconfProfile.model_fields))}",
        ) from exc
