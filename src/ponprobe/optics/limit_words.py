"""Limits in words, in English and in Chinese: where a set holds, and what each limit is taken to mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ponprobe.models.judgement import Comparison, Threshold, ThresholdSet
from ponprobe.optics.classes import optical_class
from ponprobe.optics.thresholds import CONSTRUCTION, USER_SIDE, plain_meaning, threshold_sets
from ponprobe.optics.words import WORDS, Lang, exact

_STAGES_ZH: Mapping[str, str] = MappingProxyType(
    {
        CONSTRUCTION.key: "工程建设阶段，末级分光器处（皮线光缆之前）",
        USER_SIDE.key: "用户侧（皮线光缆之后）",
    }
)


def stage_of(limits: ThresholdSet, lang: Lang) -> str:
    """Where the limits of a set hold, in words; a user's own set says it in the user's words."""
    if lang == "en" or limits != threshold_sets().get(limits.id):
        return limits.stage
    return _STAGES_ZH.get(limits.key) or f"{optical_class(limits.id).name} 等级的限值"


def meaning_of(threshold: Threshold, lang: Lang) -> str:
    """What a limit is taken to mean: which quantity, which comparison, which number in which unit.

    The interpretation that somebody wrote down is added where it says more, in its own words.
    """
    sign = {Comparison.AT_LEAST: "≥", Comparison.AT_MOST: "≤"}[threshold.comparison]
    limit = exact(threshold.limit)
    named = f"{WORDS[lang].names[threshold.quantity]} {sign} {limit}"
    if threshold in (*CONSTRUCTION.thresholds, *USER_SIDE.thresholds):
        told = {
            "en": ": a power in dBm, although the specification writes DB",
            "zh": "：规范虽写作DB，判定的是光功率，单位dBm",
        }
        return named + told[lang]
    by_itself = plain_meaning(threshold.quantity, threshold.comparison, threshold.limit)
    if threshold.interpretation == by_itself or threshold.interpretation in named:
        return named
    return f"{named} ({threshold.interpretation})"
