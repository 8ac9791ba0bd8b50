"""The words of a judged link, in English and in the trade's Chinese, and how its numbers are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Literal

from ponprobe.models._base import Value
from ponprobe.models.optical import Absence, Db, Dbm
from ponprobe.optics.exact import NAMES, WHY_ABSENT

Lang = Literal["en", "zh"]


class State(str, Enum):
    """What is said about a received power: a confidence band, or that no limit bears on it."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    MARGINAL_PASS = "marginal_pass"  # noqa: S105
    MARGINAL_FAIL = "marginal_fail"
    FAIL = "fail"
    UNDETERMINED = "undetermined"
    NOT_JUDGED = "not_judged"


class Words(Value):
    """One language."""

    states: Mapping[State, str]
    names: Mapping[str, str]
    """Of the four powers and the two attenuations."""
    absences: Mapping[Absence, str]
    downstream: str
    upstream: str
    no_value: str
    loss: str
    no_loss: str
    expected: str
    worst: str
    limit: str
    no_limit: str
    legend_limit: str
    legend_expected: str
    legend_error: str


WORDS: Mapping[Lang, Words] = MappingProxyType(
    {
        "en": Words(
            states={
                State.PASS: "pass",
                State.MARGINAL_PASS: "marginal pass",
                State.MARGINAL_FAIL: "marginal fail",
                State.FAIL: "fail",
                State.UNDETERMINED: "undetermined",
                State.NOT_JUDGED: "not judged",
            },
            names=NAMES,
            absences=WHY_ABSENT,
            downstream="Downstream  OLT → ONU",
            upstream="Upstream  ONU → OLT",
            no_value="no value",
            loss="attenuation",
            no_loss="attenuation unknown",
            expected="expected",
            worst="worst case",
            limit="limit",
            no_limit=", no limit set",
            legend_limit="limit, strokes on the forbidden side",
            legend_expected="expected from the plant, mean ± 2σ",
            legend_error="uncertainty of the reading",
        ),
        "zh": Words(
            states={
                State.PASS: "达标",
                State.MARGINAL_PASS: "临界达标",
                State.MARGINAL_FAIL: "临界不达标",
                State.FAIL: "不达标",
                State.UNDETERMINED: "无法判定",
                State.NOT_JUDGED: "不作判定",
            },
            names={
                "olt_tx_dbm": "OLT发送光功率",
                "olt_rx_dbm": "OLT接收光功率",
                "onu_tx_dbm": "ONU发送光功率",
                "onu_rx_dbm": "ONU接收光功率",
                "downstream_attenuation_db": "下行光衰",
                "upstream_attenuation_db": "上行光衰",
            },
            absences={
                Absence.NOT_REPORTED: "设备未上报数值",
                Absence.NO_SIGNAL: "未收到光",
                Absence.OUT_OF_RANGE: "设备提示读数超出量程",
                Absence.OFFLINE: "ONU不在线",
                Absence.UNSUPPORTED: "设备不支持该项读数",
                Absence.GARBLED: "设备回显残缺，无法解析",
                Absence.NOT_READ: "未采集",
            },
            downstream="下行  OLT → ONU",
            upstream="上行  ONU → OLT",
            no_value="无读数",
            loss="光衰",
            no_loss="光衰无法计算",
            expected="理论值",
            worst="最坏值",
            limit="门限",
            no_limit="（未设门限）",
            legend_limit="门限（短线侧为不达标区）",
            legend_expected="链路预算理论值，均值±2σ",
            legend_error="读数不确定度",
        ),
    }
)
KINDS_ZH: Mapping[str, str] = MappingProxyType(
    {"systematic": "仪表系统误差", "repeatability": "重复采集的离散", "quantisation": "读数分辨力"}
)
"""What the parts of an uncertainty come from; their sources are quotations and stay in their own language."""


def words_of(lang: Lang) -> Words:
    """The words of a language; ``ValueError`` for one that there are none of."""
    if lang not in WORDS:
        raise ValueError(f"there are no words in {lang!r}: lang is 'en' or 'zh'")
    return WORDS[lang]


def shown(quantity: Dbm | Db, *, against: Iterable[Dbm | Db] = ()) -> str:
    """The number with its unit: two decimals, more where two would hide on which side of ``against`` it is."""
    return f"{digits(quantity.value, [other.value for other in against])} {quantity.unit}"


def exact(quantity: Dbm | Db) -> str:
    """A number that somebody set, such as a limit: two decimals or as many as it has, never rounded."""
    value = quantity.value
    return shown(quantity) if float(f"{value:.2f}") == value else f"{value!r} {quantity.unit}"


def digits(value: float, others: Sequence[float]) -> str:
    """Two decimals, or as many as keep the number on its side of the others."""
    if abs(value) >= 1e6:
        # no power is that large, and hundreds of digits would tell no more
        return f"{value:.6g}"
    texts = [f"{value:.{decimals}f}" for decimals in range(2, 18)] + [f"{value:.3g}"]
    for text in texts:
        rounded = float(text)
        if all((rounded > other, rounded < other) == (value > other, value < other) for other in others):
            return text.removeprefix("-") if rounded == 0 else text
    return repr(value)
