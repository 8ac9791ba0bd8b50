"""What a finding says in Chinese: made from its code and its values, never from the English sentence.

Each code has a title, ways to tell the detail of which the first is taken whose values are there, and what to do next.
The quantities and sides among the values are put into words. A finding without its values, or of a code that is not
known here, is quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter
from types import MappingProxyType
from typing import NamedTuple

from ponprobe.models.judgement import Finding
from ponprobe.models.optical import Reading
from ponprobe.optics.words import WORDS, Lang


class Saying(NamedTuple):
    """One code in Chinese; ``{names}`` are those of the finding's values."""

    title: str
    details: tuple[str, ...] = ("",)
    step: str | None = None


_SAME_OLT = "核对配置途径与SNMP的地址是否属于同一台OLT"
_OWN_PAGE = "与设备上该ONU的页面核对"
_BEHIND = "核对ONU是否接在所记录的分光器之后"
SAYINGS: Mapping[str, Saying] = MappingProxyType(
    {
        # one verdict
        "ddm_untrusted": Saying(
            "光模块诊断数据异常",
            ("{quantity} {measured} {side} {bound}",),
            "更换测试ONU或用手持光功率计复测",
        ),
        "samples_missing": Saying(
            "部分采集无读数",
            ("{quantity}采集 {taken} 次，其中 {present} 次有读数",),
            "检查连接器是否松动、ONU是否反复重启",
        ),
        "unstable": Saying(
            "读数不稳定", ("{quantity}采集 {taken} 次，变化 {spread}",), "检查连接器是否松动、光缆是否弯曲，再重新采集"
        ),
        "spread": Saying("多次采集的离散", ("{quantity} {spread}",)),
        "time_skew": Saying("各光功率的采集时间相差过大", ("同一次采集内相差 {skew}",), "一次性重新采集后再采信光衰"),
        "device_arithmetic": Saying(
            "设备所示光衰与其光功率不符",
            ("设备显示{quantity} {printed}，按其光功率计算为 {computed}",),
            "以光功率为准：设备可能取用其他端口或较早的OLT发送光功率",
        ),
        "overload": Saying("接收光功率超过过载点", ("ONU接收光功率 {measured} 高于{of} ONU的过载点 {limit}",), _BEHIND),
        "below_sensitivity": Saying(
            "接收光功率低于灵敏度",
            ("ONU接收光功率 {measured} 比 {of} 的灵敏度 {limit} 低 {apart}，而ONU仍有应答",),
            "核对记录的光模块等级，并用手持光功率计确认",
        ),
        "outside_class": Saying(
            "光功率超出光模块等级范围",
            ("{quantity} {measured} {side} {of} 的 {limit}，且差值大于其准确度 ±{accuracy}",),
            "核对记录的光模块等级，并确认该读数属于本PON口",
        ),
        "loss_outside_class": Saying(
            "光衰超出光模块等级的ODN范围",
            ("{quantity} {measured} {side} {of} 的范围 {range}，且差值大于保护带 {guard}",),
        ),
        "negative_loss": Saying(
            "光衰为负",
            ("{quantity} {measured}，无源线路不会放大光信号",),
            "核对OLT发送光功率是否属于本PON口，收发读数是否对调",
        ),
        "loss_below_split": Saying(
            "光衰低于分光比的理论下限",
            ("{quantity} {measured} 小于 {split} 分光的最小光衰 {least}，保护带 {guard}",),
            "核对分光比记录、OLT发送光功率是否属于本PON口，以及读数是否对调",
        ),
        "directions_duplicated": Saying(
            "上下行接收光功率数值相同", ("ONU与OLT接收光功率同为 {measured}，其一可能是另一个的副本",), _OWN_PAGE
        ),
        "directions_swapped": Saying(
            "上下行接收光功率可能对调",
            ("下行 {down} 与上行 {up} 相差 {apart}，ONU与OLT接收光功率互换后一致",),
            _OWN_PAGE,
        ),
        "directions_disagree": Saying(
            "上下行光衰相差过大",
            ("下行 {down} 与上行 {up} 相差 {apart}，大于设备准确度所能解释",),
            "核对OLT发送光功率是否属于本PON口，再清洁并检查两端连接器",
        ),
        "within_precision": Saying(
            "读数离门限小于设备自述精度",
            ("{quantity}距门限 {margin}，设备自述精度仅为 ±{precision}",),
            "用手持光功率计确认：重复采集只会重复同样的误差",
        ),
        "calibration_extrapolated": Saying(
            "读数超出校准范围",
            ("ONU接收光功率 {measured} 不在证书 {certificate} 的 {low} 至 {high} 之内，修正值为外推",),
            "用手持光功率计确认，或在该光功率处补做测试ONU的校准",
        ),
        "limit_below_sensitivity": Saying(
            "门限低于光模块灵敏度",
            ("{set} 的门限 {limit} 比 {of} 的灵敏度 {sensitivity} 低 {apart}",),
            "改用该等级的门限判定：刚好达标的线路未必能开通业务",
        ),
        # one test
        "wrong_port": Saying(
            "测试ONU出现在其他PON口",
            ("{serial} 出现在 {seen}，记录为 {recorded}",),
            "修改分光器的资源资料，或改接到正确的分光器",
        ),
        "registration_conflict": Saying(
            "测试ONU注册冲突",
            ("OLT日志显示 {serial} 因 {at} 被拒绝（{result}，{logged_at}）", "OLT日志显示 {serial} 因 {at} 被拒绝"),
            "查明占用者后重新挂测",
        ),
        "never_online": Saying(
            "测试ONU未上线",
            (
                "在 {port} 上未上线，最近下线原因 {cause}；本OLT其他端口也未发现",
                "在 {port} 上未上线，本OLT其他端口也未发现",
                "本OLT其他端口也未发现",
            ),
            "先检查测试ONU的电源与尾纤，再检查分光器至OLT的光缆",
        ),
        "plant_differs": Saying(
            "实测光衰与工程记录不符", ("见预期光衰",), "先核对分光比与长度记录，再检查接头、连接器与光缆弯曲"
        ),
        "cut_short": Saying("判定之后、证明撤销之前进程中断", ("其后的核查缺失",), "对本轮结果有疑问时重新挂测"),
        "service_not_seen": Saying(
            "业务是否有流量未核查", ("设备不提供学到的地址",), "在测试ONU上拨号，或在网络侧查找其地址"
        ),
        # a second road; the first one, by which the OLT was configured, is the command line or NETCONF
        "verify_still_registered": Saying(
            "撤销后两种途径不一致",
            ("配置途径显示 {onu} 已无测试ONU，SNMP仍显示 {seen}",),
            "用SNMP再读一次；仍然存在时人工查看OLT",
        ),
        "verify_not_registered": Saying(
            "两种途径不一致", ("配置途径显示测试ONU在 {onu}，SNMP显示该处没有",), _SAME_OLT
        ),
        "verify_other_onu": Saying("两种途径不一致", ("{onu} 配置途径为 {serial}，SNMP为 {seen}",), _SAME_OLT),
        "verify_run_state": Saying(
            "两种途径的运行状态不一致", ("{onu} 配置途径为 {state}，SNMP为 {seen}",), "重新读取两者：状态可能已变化"
        ),
        "verify_power": Saying(
            "两种途径的光功率不一致",
            ("{quantity}配置途径为 {measured}，SNMP为 {seen}",),
            "重新读取两者；仍不一致时，查看OLT自身页面之前两者均不采信",
        ),
        "not_verified": Saying("SNMP无应答，未能用其复核", step="检查该OLT的SNMP设置"),
    }
)
"""Every code that ponprobe makes."""
_SIDED_STEPS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("loss_outside_class", "above"): "核对记录的光模块等级与分光比，再检查线路",
        ("loss_outside_class", "below"): _BEHIND,
    }
)
_PUT: Mapping[str, str] = MappingProxyType(
    {
        **WORDS["zh"].names,
        "voltage_v": "供电电压",
        "bias_ma": "激光器偏置电流",
        "outside": "超出",
        "above": "高于",
        "below": "低于",
        **{str(Reading(absence=each)): f"无读数（{why}）" for each, why in WORDS["zh"].absences.items()},
        "online": "在线",
        "offline": "离线",
    }
)


def finding_text(finding: Finding, lang: Lang) -> str:
    """What a finding says, as a clause without a full stop."""
    if lang == "en":
        return finding.text
    title, detail = finding_parts(finding)
    return title if not detail else f"{title}（{detail}）" if title else detail


def finding_parts(finding: Finding) -> tuple[str, str]:
    """Title and detail of a finding in Chinese; the title is empty for a code that is not known here."""
    saying = SAYINGS.get(finding.code)
    if saying is None:
        return "", quoted(finding.text)
    groups = list(_groups(finding))
    for detail in saying.details:
        needed = {name for _, name, _, _ in Formatter().parse(detail) if name}
        if all(needed <= group.keys() for group in groups):
            return saying.title, "，".join(dict.fromkeys(detail.format_map(group) for group in groups))
    return saying.title, quoted(finding.text)


def finding_step(finding: Finding, lang: Lang) -> str | None:
    """What to do about a finding; ``None`` where nothing is."""
    saying = SAYINGS.get(finding.code)
    if lang == "en" or finding.next_step is None:
        return finding.next_step
    if saying is None:
        return quoted(finding.next_step)
    return saying.step or _SIDED_STEPS.get((finding.code, dict(finding.values).get("side", "")))


def quoted(text: str) -> str:
    """A text that is kept in its own language, marked as a quotation."""
    return f"原文：“{text}”"


def _groups(finding: Finding) -> Iterator[dict[str, str]]:
    """The values, group by group: a name that comes again begins the next one. At least one group, maybe empty."""
    group: dict[str, str] = {}
    for name, value in finding.values:
        if name in group:
            yield group
            group = {}
        group[name] = _PUT.get(value, value)
    yield group
