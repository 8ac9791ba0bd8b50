"""A level diagram: where the light goes from OLT to ONU and back, against its limits, as one SVG picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timezone
from types import MappingProxyType

from ponprobe.models.judgement import Band, Comparison, Judgement, Threshold, Verdict
from ponprobe.models.optical import Dbm, Reading
from ponprobe.models.plant import ExpectedLoss, ExpectedPower
from ponprobe.optics.explain import explain, state_of, why_untrusted_zh
from ponprobe.optics.limit_words import stage_of
from ponprobe.optics.picture import DirectionLevels, End, ExpectedBand, LevelDiagram, LimitLine, draw
from ponprobe.optics.words import KINDS_ZH, WORDS, Lang, State, exact, shown, words_of

__all__ = ["DirectionLevels", "End", "ExpectedBand", "LevelDiagram", "LimitLine", "draw", "level_diagram", "levels_of"]

Expected = ExpectedLoss | ExpectedPower
_SIDES = MappingProxyType(
    {
        "down": ("olt_tx_dbm", "onu_rx_dbm", "downstream_attenuation_db"),
        "up": ("onu_tx_dbm", "olt_rx_dbm", "upstream_attenuation_db"),
    }
)
_WORST_FIRST = (Band.FAIL, Band.MARGINAL_FAIL, Band.UNDETERMINED, Band.MARGINAL_PASS, Band.PASS)


def level_diagram(verdict: Verdict, *, expected: Expected | Iterable[Expected] | None = None, lang: Lang = "en") -> str:
    """The verdict as an SVG picture: a string of one line, to be saved, mailed, or put into a page as it is.

    ``expected`` is what the plant should lose (drawn below the measured launch power) or what should arrive, for one
    direction or for both. ``ValueError`` for another language, for a direction given twice, and for the ``mean`` of
    both directions, which belongs to neither.
    """
    return draw(levels_of(verdict, expected=expected, lang=lang))


def levels_of(
    verdict: Verdict, *, expected: Expected | Iterable[Expected] | None = None, lang: Lang = "en"
) -> LevelDiagram:
    """What ``level_diagram`` draws, as values."""
    words, band = words_of(lang), state_of(verdict.band)
    subtitle, notes = _subtitle(verdict, lang), tuple(_notes(verdict, lang))
    # the picture may have to cut a long line: the description has all of it
    description = " ".join(
        (explain(verdict, lang), *(f"{each}{'。' if lang == 'zh' else '.'}" for each in (subtitle, *notes)))
    )
    plans = _by_direction(expected)
    official = State(verdict.outcome.value)
    # a policy may turn a marginal number either way: the official outcome stands first
    turned = verdict.band.marginal and not verdict.band.value.endswith(verdict.outcome.value)
    opening, closing = ("（", "）") if lang == "zh" else (" (", ")")
    return LevelDiagram(
        title=f"ONU {verdict.onu}",
        subtitle=subtitle,
        state=official if turned or verdict.outcome.value == "undetermined" else band,
        headline=f"{words.states[official]}{opening}{words.states[band]}{closing}" if turned else "",
        downstream=_direction(verdict, "down", plans.get("down"), lang),
        upstream=_direction(verdict, "up", plans.get("up"), lang),
        notes=notes,
        description=description,
        lang=lang,
    )


def _by_direction(expected: Expected | Iterable[Expected] | None) -> Mapping[str, Expected]:
    given = (expected,) if isinstance(expected, (ExpectedLoss, ExpectedPower)) else tuple(expected or ())
    found: dict[str, Expected] = {}
    for each in given:
        direction = _loss_of(each).direction
        if direction not in _SIDES:
            raise ValueError("the mean of both directions belongs to neither: give the 'down' or the 'up' expectation")
        if direction in found:
            raise ValueError(f"there are two expectations for {direction!r}: give one")
        found[direction] = each
    return found


def _loss_of(expected: Expected) -> ExpectedLoss:
    return expected.loss if isinstance(expected, ExpectedPower) else expected


def _direction(verdict: Verdict, side: str, plan: Expected | None, lang: Lang) -> DirectionLevels:
    launch, receive, attenuation = _SIDES[side]
    words, powers = WORDS[lang], verdict.reading.powers
    bearing = _bearing(verdict, side)
    worst = _worst(bearing, receive)
    loss_notes: tuple[str, ...] = ()
    if plan is not None:
        loss = _loss_of(plan)
        mean = f"{words.expected} {loss.mean_db.value:.2f} ± {shown(loss.sigma_db * 2)}"
        loss_notes = (mean, f"{words.worst} {shown(loss.worst_db)}")
    return DirectionLevels(
        launch=_end(verdict, launch, lang),
        receive=_end(verdict, receive, lang),
        loss=getattr(verdict.loss, attenuation),
        error=None if worst is None or worst.uncertainty is None else worst.uncertainty.w_db,
        limits=tuple(_limits(bearing, side, powers[launch], lang)),
        expected=_expected(plan, powers[launch]),
        state=State.NOT_JUDGED if worst is None else state_of(worst.band),
        loss_notes=loss_notes,
    )


def _bearing(verdict: Verdict, side: str) -> list[Judgement]:
    return [each for each in verdict.judgements if each.threshold.quantity in _SIDES[side]]


def _end(verdict: Verdict, quantity: str, lang: Lang) -> End:
    reading, words = verdict.reading.powers[quantity], WORDS[lang]
    if reading.value is not None:
        return End(name=words.names[quantity], power=reading.value)
    reason = None if reading.absence is None else words.absences[reading.absence]
    return End(name=words.names[quantity], absent=reason)


def _worst(bearing: Iterable[Judgement], receive: str) -> Judgement | None:
    """The judgement that makes a direction's state and error bar: the worst; among equals that of the drawn power."""
    ranked = sorted(bearing, key=lambda each: (_WORST_FIRST.index(each.band), each.threshold.quantity != receive))
    return ranked[0] if ranked else None


def _limits(bearing: Iterable[Judgement], side: str, launched: Reading, lang: Lang) -> Iterator[LimitLine]:
    launch, _, attenuation = _SIDES[side]
    for judgement in bearing:
        threshold = judgement.threshold
        upper = threshold.comparison is Comparison.AT_MOST
        label = _limit_label(threshold, attenuation, launch, lang)
        if isinstance(threshold.limit, Dbm):
            at_launch = threshold.quantity == launch
            yield LimitLine(level=threshold.limit, upper=upper, at_launch=at_launch, label=label)
        elif launched.value is not None:
            # at most so much loss is at least so much light
            yield LimitLine(level=launched.value - threshold.limit, upper=not upper, label=label)


def _limit_label(threshold: Threshold, attenuation: str, launch: str, lang: Lang) -> str:
    words = WORDS[lang]
    sign = "≥" if threshold.comparison is Comparison.AT_LEAST else "≤"
    of = {attenuation: words.loss, launch: words.names[launch]}.get(threshold.quantity, "")
    space = " " if of and lang == "en" else ""
    return f"{of}{space}{words.limit} {sign} {exact(threshold.limit)}"


def _expected(plan: Expected | None, launched: Reading) -> ExpectedBand | None:
    if isinstance(plan, ExpectedPower):
        return ExpectedBand(mean=plan.mean_dbm, half_width=plan.sigma_db * 2, worst=plan.worst_dbm)
    if plan is None or launched.value is None:
        return None
    mean, worst = launched.value - plan.mean_db, launched.value - plan.worst_db
    return ExpectedBand(mean=mean, half_width=plan.sigma_db * 2, worst=worst)


def _subtitle(verdict: Verdict, lang: Lang) -> str:
    limits, at = verdict.threshold_set, f"{verdict.judged_at.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
    quotes = ("“", "”") if lang == "zh" else ('"', '"')
    texts = dict.fromkeys(f"{quotes[0]}{each.source_text}{quotes[1]}" for each in limits.thresholds)
    if lang == "zh":
        stage = stage_of(limits, lang)
        return f"门限 {limits.key}（{'，'.join(texts)}），判定策略 {verdict.policy}，判定时间 {at}，阶段 {stage}"
    return f"limits {limits.key} ({', '.join(texts)}), policy {verdict.policy}, judged {at}, stage: {limits.stage}"


def _notes(verdict: Verdict, lang: Lang) -> Iterator[str]:
    """At most two: what the error bars are made of or why a number is not judged, and what has no limit."""
    words = WORDS[lang]
    colon, comma, stop = ("：", "、", "；") if lang == "zh" else (": ", ", ", "; ")
    bars = [_worst(_bearing(verdict, side), _SIDES[side][1]) for side in _SIDES]
    told = [_bar(verdict, each, lang) for each in bars if each is not None and each.measured is not None]
    if told:
        yield stop.join(told)
    if verdict.not_judged:
        names = comma.join(words.names[quantity] for quantity in verdict.not_judged)
        yield f"{words.states[State.NOT_JUDGED]}{words.no_limit}{colon}{names}"


def _bar(verdict: Verdict, judgement: Judgement, lang: Lang) -> str:
    """How long an error bar is and where that comes from; without one, why there is no judgement."""
    name, uncertainty = WORDS[lang].names[judgement.threshold.quantity], judgement.uncertainty
    if uncertainty is None:
        if lang == "en":
            return f"{name}: {judgement.reason}"
        return f"{name}不予判定：{why_untrusted_zh(verdict) or judgement.reason}"
    if lang == "zh":
        sources = "、".join(dict.fromkeys(KINDS_ZH[term.kind] for term in uncertainty.terms))
    else:
        sources = ", ".join(dict.fromkeys(term.source for term in uncertainty.terms))
    opening, closing = ("（", "）") if lang == "zh" else (" (", ")")
    return (
        f"{name} ±{shown(uncertainty.w_db)} = {uncertainty.k:g} × {shown(uncertainty.u_db)}{opening}{sources}{closing}"
    )
