"""The colours of everything that is drawn or shown, for light and for dark paper: one place, so that they agree.

``good``, ``near``, ``bad`` and ``soft`` colour a state, ``plan`` what the plant should do. Each stands out from its
``paper`` by 4.5 to 1 at least (WCAG 2.1, contrast of text), and no colour says anything that a word does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#fff",
        "ink": "#1c2530",
        "soft": "#5a6673",
        "line": "#c8ced6",
        "good": "#1a7f37",
        "near": "#8a5a00",
        "bad": "#b42318",
        "plan": "#1f5fae",
    }
)
DARK: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#10161d",
        "ink": "#e6edf3",
        "soft": "#9aa7b4",
        "line": "#3a444f",
        "good": "#56d364",
        "near": "#e3b341",
        "bad": "#ff8078",
        "plan": "#79b8ff",
    }
)
STATES = ("soft", "good", "near", "bad", "plan")
"""The colours that parts of a picture have beside ink and paper."""
