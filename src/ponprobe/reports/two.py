"""One thing in both languages of a report."""

from __future__ import annotations

from typing import NamedTuple

from ponprobe.optics.words import Lang


class Two(NamedTuple):
    """One thing in both languages."""

    zh: str
    en: str

    def of(self, lang: Lang) -> str:
        """The words of one language."""
        return self.zh if lang == "zh" else self.en
