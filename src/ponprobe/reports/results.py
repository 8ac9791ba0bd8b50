"""The results: the specification's columns in its words and order, then ours."""

from __future__ import annotations

from ponprobe.models.judgement import ATTENUATIONS
from ponprobe.reports import steps, words
from ponprobe.reports.columns import Column, Table, number, text, time, whole
from ponprobe.reports.sources import (
    Line,
    as_number,
    as_text,
    guard,
    joined,
    loss,
    margin,
    of_judgement,
    of_plant,
    of_round,
    of_service,
    of_verdict,
    power,
    skew_s,
    sources,
    spread,
)
from ponprobe.reports.words import Two


def _photos(line: Line) -> str | None:
    kinds = [each.kind for each in line.report.current_evidence if each.kind in {"position", "result"}]
    counted = [(words.KINDS[kind].of(line.lang), kinds.count(kind)) for kind in ("position", "result") if kind in kinds]
    return joined((f"{name} {count}" for name, count in counted), line.lang)


def _ports(line: Line) -> str:
    """How many ports of the splitter were tested: the others stay unmeasured."""
    tested = {each.splitter_port for each in line.report.rounds if each.verdict is not None}
    ratio = line.report.splitter.ratio or (line.report.splitter.stages or (None,))[-1]
    return f"{len(tested)}/{ratio or '?'}"


def _proof(line: Line) -> str | None:
    removal = line.report.activation.removal
    if removal is None or not line.report.clean:
        return None
    count = len(removal.proof)
    asked = Two(f"{count} 项设备回读", f"{count} question{'s' * (count != 1)} to the OLT").of(line.lang)
    return f"{asked}, {line.reader.local(removal.at):%Y-%m-%d %H:%M:%S}"


def _residue(line: Line) -> str | None:
    found = line.report.activation
    left = [*(found.failure.residue if found.failure else ()), *(found.removal.residue if found.removal else ())]
    return "; ".join(dict.fromkeys(f"{each.what} @ {each.where}" for each in left if each.ours)) or None


def _header(quantity: str) -> Two:
    names = {
        "olt_rx_dbm": Two("OLT接收光功率(dBm)", "OLT Rx (dBm)"),
        "olt_tx_dbm": Two("OLT发送光功率(dBm)", "OLT Tx (dBm)"),
        "onu_rx_dbm": Two("ONU接收光功率(dBm)", "ONU Rx (dBm)"),
        "onu_tx_dbm": Two("ONU发送光功率(dBm)", "ONU Tx (dBm)"),
        "downstream_attenuation_db": Two("下行光衰(dB)", "downstream attenuation (dB)"),
        "upstream_attenuation_db": Two("上行光衰(dB)", "upstream attenuation (dB)"),
    }
    return names[quantity]


def measured(*quantities: str, spec: bool = False) -> tuple[Column, ...]:
    """Columns of powers and attenuations."""
    return tuple(
        Column(name, _header(name), "number", (loss if name in ATTENUATIONS else power)(name), 13, spec=spec)
        for name in quantities
    )


_SPECIFICATION: tuple[Column, ...] = (
    # section 4.2: the activation list
    text("olt_host", "OLT设备管理IP", "OLT management IP", lambda line: line.report.item.olt_host, spec=True),
    text("pon_port", "OLT PON口名称", "OLT PON port", lambda line: line.key.port, spec=True),
    text("splitter", "分光器设备名称", "splitter", lambda line: line.key.name, width=28, spec=True),
    whole("splitter_port", "分光器端口号", "splitter port", lambda line: line.report.item.splitter_port, spec=True),
    text("onu_name", "ONU设备名称", "ONU name", lambda line: line.report.item.onu_name, width=20, spec=True),
    whole("svlan", "ONU端口SVLAN", "SVLAN", lambda line: line.report.item.svlan, spec=True),
    whole("cvlan", "ONU端口CVLAN", "CVLAN", lambda line: line.report.item.cvlan, spec=True),
    text("password", "PASSWORD", "PASSWORD (covered)", lambda line: line.report.item.password, width=30, spec=True),
    text(
        "activation_state",
        "激活状态",
        "activation state",
        lambda line: words.activation(line.report.status.state, line.lang),
        spec=True,
    ),
    text(
        "test_state",
        "端口挂测状态",
        "test state",
        lambda line: words.test_state(line.report.status.test_state, line.lang),
        spec=True,
    ),
    # section 4.3.1: the result of the line test
    text(
        "result",
        "测试结果",
        "test result",
        lambda line: words.line_result(line.round, line.lang),
        verdict=True,
        spec=True,
    ),
    text(
        "splitter_and_port",
        "分光器名称、端口号",
        "splitter and port",
        lambda line: f"{words.beside(line.key.name)}, {line.report.item.splitter_port}",
        width=28,
        spec=True,
    ),
    text("account", "上网账号", "test account", of_service(lambda test: test.account), width=20, spec=True),
    *measured("downstream_attenuation_db", "upstream_attenuation_db", spec=True),
    *measured("olt_rx_dbm", "olt_tx_dbm", "onu_rx_dbm", "onu_tx_dbm", spec=True),
    text("olt_ip", "OLT_IP地址", "OLT IP address", lambda line: line.report.olt.host, spec=True),
    text("olt_pon", "OLT PON口", "OLT PON", lambda line: line.key.port, spec=True),
    # section 4.3.2 and section 6 number 8: evidence and the three results
    text("photos", "照片(测试位置、结果)", "photos (position, result)", _photos, width=32, spec=True),
    text(
        "service_passed",
        "业务通断测试是否达标",
        "service test passed",
        lambda line: words.passed(line.service.passed if line.service else None, line.lang),
        verdict=True,
        spec=True,
    ),
    text(
        "line_passed",
        "线路质量是否达标",
        "line quality passed",
        lambda line: words.line_result(line.round, line.lang),
        verdict=True,
        spec=True,
    ),
    text(
        "total_passed",
        "总体测试结果是否达标",
        "overall result passed",
        lambda line: words.passed(line.report.total, line.lang),
        verdict=True,
        spec=True,
    ),
    text(
        "to_be_tested",
        "是否进行工程挂测",
        "to be tested",
        lambda line: words.yes(line.report.status.to_be_tested, line.lang),
        width=8,
        spec=True,
    ),
)
_OURS: tuple[Column, ...] = (
    text(
        "why_empty",
        "无结果或缺读数的原因",
        "why a result or a reading is missing",
        lambda line: words.why_empty(line.round, line.lang) if line.report.status.to_be_tested else None,
        width=30,
    ),
    text("band", "判定置信", "confidence", of_verdict(words.band), verdict=True),
    text("limits", "门限", "limits", of_verdict(words.limits), width=28),
    text("limit_words", "门限原文", "limit as written", of_verdict(lambda verdict, _: words.original_words(verdict))),
    text(
        "limit_meaning",
        "门限含义",
        "limit as understood",
        of_verdict(
            lambda verdict, lang: joined((words.meaning(each.threshold, lang) for each in verdict.judgements), lang)
        ),
        width=72,
    ),
    number("margin_db", "余量(dB)", "margin (dB)", margin),
    number("uncertainty_db", "读数不确定度±(dB)", "uncertainty of the reading ± (dB)", guard),
    number(
        "probability",
        "真值满足门限的概率",
        "probability that the true value meets the limit",
        of_judgement("probability"),
    ),
    text(
        "threshold_set", "门限集", "threshold set", of_verdict(lambda verdict, _: verdict.threshold_set.key), width=18
    ),
    text("policy", "判定策略", "policy", of_verdict(lambda verdict, _: str(verdict.policy))),
    text(
        "not_judged",
        "未设门限而不判定",
        "without a limit, not judged",
        of_verdict(lambda verdict, lang: words.quantities(verdict.not_judged, lang) or None),
        width=72,
    ),
    text(
        "next_step",
        "下一步",
        "next step",
        lambda line: joined(steps.next_steps(line.report, line.lang), line.lang),
        width=40,
    ),
    text(
        "fault",
        "退回类别",
        "sent back for",
        lambda line: words.fault(fault, line.lang) if (fault := words.fault_of(line.report)) else None,
    ),
    text(
        "findings",
        "其他发现",
        "findings",
        lambda line: words.findings(
            (*(line.round.findings if line.round else ()), *(line.verdict.findings if line.verdict else ())), line.lang
        ),
        width=40,
    ),
    whole("rounds", "挂测轮次", "rounds", lambda line: len(line.report.rounds)),
    whole("round", "采用的轮次", "round that counts", of_round(lambda tested: tested.round)),
    time("tested_at", "测试时间", "tested at", lambda line: line.reader.local(line.round.at) if line.round else None),
    text("tester", "测试人", "tester", of_round(lambda tested: tested.actor.name)),
    text(
        "tester_role",
        "测试人角色",
        "tester's role",
        lambda line: words.role(line.round.actor.role, line.lang) if line.round else None,
        width=22,
    ),
    text(
        "source",
        "读数来源",
        "readings from",
        lambda line: words.source(line.round.source, line.lang) if line.round else None,
        width=22,
    ),
    whole("samples", "采集次数", "samples", of_round(lambda tested: len(tested.readings))),
    number("spread_db", "ONU接收光功率离散(dB)", "spread of ONU Rx (dB)", of_round(spread)),
    number(
        "skew_s",
        "四个读数的时间差(s)",
        "time between the four readings (s)",
        of_verdict(lambda verdict, _: skew_s(verdict)),
    ),
    text("commands", "读数命令", "read by", of_verdict(lambda verdict, _: sources(verdict)), width=36),
    text("test_onu", "测试ONU序列号", "test ONU", of_round(lambda tested: as_text(tested.serial)), width=16),
    text("onu", "ONU位置", "ONU's place", of_round(lambda tested: as_text(tested.onu))),
    text(
        "certificate",
        "测试ONU校准证书",
        "calibration certificate",
        of_verdict(
            lambda verdict, lang: (
                verdict.options.calibration.certificate
                if verdict.options.calibration
                else Two("未校准", "not calibrated").of(lang)
            )
        ),
    ),
    number(
        "handheld_dbm",
        "手持光功率计(dBm)",
        "hand-held meter (dBm)",
        of_round(lambda tested: as_number(tested.handheld[-1].dbm) if tested.handheld else None),
    ),
    text("ports_tested", "已测端口/端口总数", "ports tested / ports", _ports, width=8),
    text(
        "activation_flag",
        "激活状态说明",
        "activation state in full",
        lambda line: words.activation_flag(line.report.status.state, line.lang),
    ),
    text(
        "clean",
        "设备是否已清理",
        "device clean",
        lambda line: words.yes(line.report.clean, line.lang),
        width=8,
        verdict=True,
    ),
    text("clean_proof", "清理证明", "proof", _proof, width=46),
    text("residue", "OLT上的残留", "left on the OLT", _residue, width=24),
    number(
        "expected_db",
        "理论下行光衰(dB)",
        "expected downstream attenuation (dB)",
        of_plant(lambda plant: plant.expected.mean_db),
    ),
    number(
        "worst_db",
        "最坏下行光衰(dB)",
        "worst-value downstream attenuation (dB)",
        of_plant(lambda plant: plant.expected.worst_db),
    ),
    number("excess_db", "实测减理论(dB)", "measured less expected (dB)", of_plant(lambda plant: plant.excess_db)),
    number(
        "sibling_db",
        "与同PON中值之差(dB)",
        "less the median of its PON (dB)",
        lambda line: as_number(line.sibling[1].deviation_db) if line.sibling else None,
    ),
    text(
        "dialled",
        "拨号成功",
        "dialled",
        lambda line: words.yes(line.service.dial_ok if line.service else None, line.lang),
        width=8,
    ),
    text(
        "reached",
        "网络可达",
        "network reached",
        lambda line: words.yes(line.service.reach_ok if line.service else None, line.lang),
        width=8,
    ),
    number("speed_down_mbps", "下载速率(Mbit/s)", "download (Mbit/s)", of_service(lambda test: test.speed_down_mbps)),
    number("speed_up_mbps", "上传速率(Mbit/s)", "upload (Mbit/s)", of_service(lambda test: test.speed_up_mbps)),
    text("speed_server", "测速网站", "speed test server", of_service(lambda test: test.server), width=20),
    time(
        "service_at",
        "业务测试时间",
        "service test at",
        lambda line: line.reader.local(line.service.started_at) if line.service else None,
    ),
    text("olt", "OLT名称", "OLT", lambda line: line.key.olt),
    text("address", "地址", "address", lambda line: line.report.splitter.address, width=24),
    text(
        "split",
        "各级分光比",
        "split stages",
        lambda line: (
            " + ".join(f"1:{each}" for each in line.report.splitter.stages) if line.report.splitter.stages else None
        ),
    ),
    number("distance_km", "光缆长度(km)", "fibre length (km)", lambda line: line.report.splitter.distance_km),
    whole("evidence", "证据数量", "pieces of evidence", lambda line: len(line.report.current_evidence)),
    text("comment", "备注", "comment", of_round(lambda tested: tested.comment), width=24),
    text("run_id", "运行编号", "run", of_round(lambda tested: tested.run_id), width=20),
)
RESULTS = Table("results", Two("挂测结果", "Results"), _SPECIFICATION + _OURS)
