"""What to do next about a splitter that is not done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ponprobe.models.engineering import ServiceTest
from ponprobe.models.plant import PlantComparison
from ponprobe.reports.facts import SplitterReport, fault_of
from ponprobe.reports.failures import what_to_do
from ponprobe.reports.two import Two
from ponprobe.reports.words import KINDS, Lang

NEXT: Mapping[str, Two] = MappingProxyType(
    {
        "none": Two("无需处理", "nothing to do"),
        "hand_held_reading": Two(
            "用手持光功率计在同一端口复测：读数离门限比其不确定度还近，重复采集不能消除系统误差",
            "confirm with a hand-held power meter at the same port: the reading is nearer to its limit than its own "
            "uncertainty, and another poll repeats the same error",
        ),
        "read_again": Two(
            "先查明无读数的原因，再重新采集",
            "find out why there is no reading, then read again",
        ),
        "other_instrument": Two(
            "更换测试ONU或用手持光功率计复测：本机读数明显异常",
            "measure with another test ONU or a hand-held power meter: this one's numbers are absurd",
        ),
        "inspect_line": Two(
            "先核对分光比与PON口记录，再检查接头、熔接点和光缆弯曲；整改后复测，必要时用手持光功率计确认",
            "check the recorded split ratio and PON port first, then joints, connectors and bends; rectify and measure "
            "again, with a hand-held power meter where in doubt",
        ),
        "by_design": Two(
            "光衰与记录的设计相符：整改未必能达到门限，请核对设计分光比、长度与OLT光模块等级",
            "the loss is what the recorded plant should have: rectifying may not reach the limit, so check the design "
            "(split ratio, length, optical class)",
        ),
        "not_tested": Two(
            "尚未进行线路挂测：派发激活并到现场测试", "the line has not been tested: dispatch it and test it"
        ),
        "not_measured": Two(
            "上次挂测未取得读数：按失败原因处理后重新派发",
            "the last test brought no reading: see its failure, then dispatch again",
        ),
        "no_service": Two("补做宽带业务通断测试", "make the service test"),
        "service_failed": Two(
            "排查拨号、VLAN与账号后重做业务通断测试", "check dial-up, VLANs and account, then repeat the service test"
        ),
        "no_photo": Two("补交照片：", "hand in the missing photos: "),
        "data": Two("退回工程资料录入，修改资源资料", "back to engineering data: correct the records"),
        "site": Two("退回工程资料录入，由施工单位现场整改", "back to engineering data: the builder rectifies on site"),
        "wrong_port": Two(
            "测试ONU出现在其他PON口：修改资源资料或改接光纤",
            "the test ONU is on another PON port: correct the record, or plug into the right port",
        ),
        "residue": Two(
            "OLT上可能仍有测试ONU：执行 ponprobe recover 或再次撤销，直至证明已清理",
            "a test ONU may still be on the OLT: run ponprobe recover or revoke again until it is proven gone",
        ),
        "live": Two(
            "测试ONU仍在OLT上：测试结束后撤销激活",
            "the test ONU is still on the OLT: revoke it when the tests are done",
        ),
    }
)


def next_steps(report: SplitterReport, lang: Lang) -> tuple[str, ...]:
    """What is left to do for a splitter, most urgent first; empty when it is done."""
    return tuple(dict.fromkeys(_steps(report, lang)))


def _steps(report: SplitterReport, lang: Lang) -> Iterator[str]:
    status, verdict = report.status, report.verdict
    if not report.clean:
        yield NEXT["live" if str(status.state) in {"activating", "activated"} else "residue"].of(lang)
    if not status.to_be_tested:
        return
    findings = () if report.round is None else report.round.findings
    if any(each.code == "wrong_port" for each in findings):
        yield NEXT["wrong_port"].of(lang)
    if report.round is None:
        yield NEXT["not_tested"].of(lang)
    elif verdict is None:
        failure = report.round.failure
        yield NEXT["not_measured"].of(lang) + _bracketed(what_to_do(failure, lang) if failure else None, lang)
    elif not verdict.passed or verdict.band.marginal:
        yield NEXT[verdict.next_action.code].of(lang)
        if not verdict.passed and any(_as_recorded(each) for each in report.comparisons):
            yield NEXT["by_design"].of(lang)
    kind = fault_of(report)
    if kind is not None:
        yield NEXT[str(kind)].of(lang)
    if report.service is None:
        yield NEXT["no_service"].of(lang)
    elif not report.service.passed:
        yield f"{NEXT['service_failed'].of(lang)}{_bracketed(service_against(report.service, lang), lang)}"
    missing = missing_photos(report)
    if missing:
        yield NEXT["no_photo"].of(lang) + Two("、", ", ").of(lang).join(KINDS[each].of(lang) for each in missing)


def _bracketed(text: str | None, lang: Lang) -> str:
    return "" if not text else (f"（{text}）" if lang == "zh" else f" ({text})")


def service_against(test: ServiceTest, lang: Lang) -> str | None:
    """What speaks against a service test, with the error that was noted; ``None`` if nothing does."""
    said = list(test.against) if lang == "en" else list(_against_zh(test))
    return Two("；", "; ").of(lang).join([*said, *([test.error] if test.error else [])]) or None


def _against_zh(test: ServiceTest) -> Iterator[str]:
    if not test.dial_ok:
        yield "拨号未成功"
    elif test.reach_ok is False:
        yield "网络不可达"
    elif test.reach_ok is None and not test.speed_down_mbps:
        yield "没有网络可达的依据（未确认可达，也未测速）"
    for way, limit, speed in (
        ("下载", test.min_speed_down_mbps, test.speed_down_mbps),
        ("上传", test.min_speed_up_mbps, test.speed_up_mbps),
    ):
        if limit is not None and (speed is None or speed < limit):
            yield f"{way}速率{'未测' if speed is None else f' {speed:g} Mbit/s'}，门限 {limit:g} Mbit/s"


def missing_photos(report: SplitterReport) -> tuple[str, ...]:
    """Which of the specification's two photos are not there."""
    present = {each.kind for each in report.current_evidence}
    return tuple(each for each in ("position", "result") if each not in present)


def _as_recorded(comparison: PlantComparison) -> bool:
    """Whether the plant loses no more than it may: then there is nothing to rectify."""
    best = comparison.explanations[0]
    return (
        comparison.expected.direction == "down" and best.kind == "as_recorded" and best.fits and comparison.budget.met
    )
