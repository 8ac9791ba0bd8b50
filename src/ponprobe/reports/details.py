"""The other tables: every round, every piece of evidence, expected losses, and splitters of one PON side by side."""

from __future__ import annotations

from ponprobe.models.engineering import EvidenceItem
from ponprobe.models.judgement import ATTENUATIONS
from ponprobe.reports import steps, words
from ponprobe.reports.columns import Cell, Column, Table, number, text, time, whole
from ponprobe.reports.results import measured
from ponprobe.reports.sources import (
    as_number,
    as_rounded,
    as_text,
    guard,
    margin,
    of_round,
    of_service,
    of_verdict,
    plant_row,
)
from ponprobe.reports.words import Two

_WHERE: tuple[Column, ...] = (
    text("olt_host", "OLT设备管理IP", "OLT management IP", lambda row: row.line.report.item.olt_host),
    text("pon_port", "OLT PON口名称", "OLT PON port", lambda row: row.line.key.port),
    text("splitter", "分光器设备名称", "splitter", lambda row: row.line.key.name, width=28),
)
HISTORY = Table(
    "history",
    Two("历史", "History"),
    (
        *_WHERE,
        text(
            "kind",
            "测试类别",
            "test",
            lambda test: (
                Two("线路质量", "line").of(test.lang) if test.round else Two("业务通断", "service").of(test.lang)
            ),
            width=10,
        ),
        whole("number", "轮次", "number", lambda test: test.number, width=8),
        text("counts", "是否计入", "counts", lambda test: words.yes(test.counts, test.lang), width=8),
        time(
            "at",
            "时间",
            "at",
            lambda test: test.line.reader.local(test.round.at if test.round else test.service.started_at),
        ),
        text(
            "result",
            "是否达标",
            "passed",
            lambda test: (
                words.line_result(test.round, test.lang) if test.round else words.passed(test.service.passed, test.lang)
            ),
            verdict=True,
        ),
        text("band", "判定置信", "confidence", of_verdict(words.band), verdict=True),
        *measured(*ATTENUATIONS, "olt_rx_dbm", "olt_tx_dbm", "onu_rx_dbm", "onu_tx_dbm"),
        text("limits", "门限", "limits", of_verdict(words.limits), width=28),
        text(
            "threshold_set",
            "门限集",
            "threshold set",
            of_verdict(lambda verdict, _: verdict.threshold_set.key),
            width=18,
        ),
        number("margin_db", "余量(dB)", "margin (dB)", margin),
        number("uncertainty_db", "读数不确定度±(dB)", "uncertainty of the reading ± (dB)", guard),
        whole("samples", "采集次数", "samples", of_round(lambda tested: len(tested.readings))),
        whole("splitter_port", "分光器端口号", "splitter port", of_round(lambda tested: tested.splitter_port)),
        text("test_onu", "测试ONU序列号", "test ONU", of_round(lambda tested: as_text(tested.serial)), width=16),
        whole("svlan", "SVLAN", "SVLAN", of_round(lambda tested: tested.vlans.svlan if tested.vlans else None)),
        whole("cvlan", "CVLAN", "CVLAN", of_round(lambda tested: tested.vlans.cvlan if tested.vlans else None)),
        number(
            "speed_down_mbps", "下载速率(Mbit/s)", "download (Mbit/s)", of_service(lambda test: test.speed_down_mbps)
        ),
        number("speed_up_mbps", "上传速率(Mbit/s)", "upload (Mbit/s)", of_service(lambda test: test.speed_up_mbps)),
        text("account", "上网账号", "test account", of_service(lambda test: test.account), width=20),
        text(
            "why",
            "原因",
            "why",
            lambda test: (
                (
                    words.why_empty(test.round, test.lang)
                    if test.round
                    else steps.service_against(test.service, test.lang)
                )
                or None
            ),
            width=40,
        ),
        text(
            "findings",
            "其他发现",
            "findings",
            lambda test: words.findings(test.round.findings, test.lang) if test.round else None,
            width=40,
        ),
        text(
            "fault",
            "退回类别",
            "sent back for",
            lambda test: words.fault(test.round.fault, test.lang) if test.round and test.round.fault else None,
        ),
        text(
            "tester",
            "测试人",
            "tester",
            lambda test: (
                test.round.actor.name if test.round else (test.service.actor.name if test.service.actor else None)
            ),
        ),
        text(
            "tester_role",
            "测试人角色",
            "tester's role",
            lambda test: words.role(actor.role, test.lang) if (actor := (test.round or test.service).actor) else None,
        ),
        text(
            "source",
            "来源",
            "source",
            lambda test: words.source(test.round.source if test.round else test.service.provider, test.lang),
        ),
        text("comment", "备注", "comment", lambda test: (test.round or test.service).comment, width=24),
        text("run_id", "运行编号", "run", of_round(lambda tested: tested.run_id), width=20),
    ),
)
EVIDENCE = Table(
    "evidence",
    Two("证据", "Evidence"),
    (
        *_WHERE,
        text("kind", "类别", "kind", lambda row: words.KINDS[row.item.kind].of(row.line.lang)),
        text("file_name", "文件名", "file", lambda row: row.item.file_name, width=24),
        text("sha256", "SHA-256", "SHA-256", lambda row: row.item.sha256, width=66),
        whole("bytes", "字节数", "bytes", lambda row: row.item.bytes, width=10),
        text("media_type", "文件类型", "type", lambda row: row.item.media_type),
        time("captured_at", "拍摄时间", "captured at", lambda row: row.line.reader.local(row.item.captured_at)),
        text("offset", "文件所载时差", "offset in the file", lambda row: row.item.offset, width=10),
        number("latitude", "纬度(°)", "latitude (°)", lambda row: place(row.item, "latitude"), width=13),
        number("longitude", "经度(°)", "longitude (°)", lambda row: place(row.item, "longitude"), width=13),
        text("datum", "坐标系", "datum", lambda row: place(row.item, "datum"), width=8),
        number("distance_m", "距现场(m)", "distance to site (m)", lambda row: as_rounded(row.item.distance_m)),
        text(
            "warnings",
            "提示",
            "warnings",
            lambda row: words.warnings(row.item, row.line.report.splitter.place, row.line.lang),
            width=30,
        ),
        text("notes", "说明", "notes", lambda row: words.notes(row.item, row.line.lang), width=30),
        whole("round", "轮次", "round", lambda row: row.item.round, width=8),
        text("counts", "是否计入", "counts", lambda row: words.yes(row.counts, row.line.lang), width=8),
        time("added_at", "上传时间", "added at", lambda row: row.line.reader.local(row.item.added_at)),
        text("added_by", "上传人", "added by", lambda row: row.item.actor.name if row.item.actor else None),
    ),
)
EXPECTED = Table(
    "expected",
    Two("预期光衰", "Expected loss"),
    (
        *_WHERE,
        text(
            "direction",
            "方向",
            "direction",
            lambda row: words.direction(row.comparison, row.line.lang) if row.comparison else None,
            width=14,
        ),
        text("split", "各级分光比", "split stages", plant_row(lambda plant: plant.expected.record.layout)),
        number("distance_km", "光缆长度(km)", "fibre length (km)", plant_row(lambda plant: plant.expected.record.km)),
        whole(
            "connectors",
            "活动连接器(对)",
            "connector pairs",
            plant_row(lambda plant: plant.expected.record.connector_pairs),
        ),
        number(
            "measured_db", "实测光衰(dB)", "measured (dB)", plant_row(lambda plant: as_number(plant.measured.loss_db))
        ),
        number(
            "measured_u_db",
            "实测标准不确定度(dB)",
            "standard uncertainty of the measurement (dB)",
            plant_row(lambda plant: as_rounded(plant.measured.u_db)),
        ),
        number(
            "expected_db", "理论值(dB)", "expected (dB)", plant_row(lambda plant: as_rounded(plant.expected.mean_db))
        ),
        number(
            "expected_sigma_db",
            "理论值标准差(dB)",
            "sigma of the expectation (dB)",
            plant_row(lambda plant: as_rounded(plant.expected.sigma_db)),
        ),
        number(
            "worst_db", "最坏值(dB)", "worst value (dB)", plant_row(lambda plant: as_rounded(plant.expected.worst_db))
        ),
        number(
            "excess_db",
            "实测减理论(dB)",
            "measured less expected (dB)",
            plant_row(lambda plant: as_rounded(plant.excess_db)),
        ),
        number("z", "相差(合成σ)", "difference (combined sigma)", plant_row(lambda plant: round(plant.z, 2))),
        number(
            "flagged_from_db",
            "可判为异常的最小超出(dB)",
            "smallest excess that is flagged (dB)",
            plant_row(lambda plant: as_rounded(plant.flagged_from_db)),
        ),
        text(
            "within_worst",
            "未超过最坏值",
            "within the worst value",
            lambda row: words.yes(row.comparison.budget.met, row.line.lang) if row.comparison else None,
            width=8,
        ),
        text(
            "statement",
            "说明",
            "statement",
            lambda row: (
                words.plant(row.comparison, row.line.lang)
                if row.comparison
                else words.not_compared(row.line.report, row.line.lang)
            ),
            width=112,
        ),
        text("components", "器件表", "component table", plant_row(lambda plant: plant.expected.components), width=16),
    ),
)
SIBLINGS = Table(
    "siblings",
    Two("同PON比较", "Siblings"),
    (
        text("olt", "OLT名称", "OLT", lambda row: row.table.olt),
        text("pon_port", "OLT PON口名称", "OLT PON port", lambda row: str(row.table.port)),
        text("test_onu", "测试ONU序列号", "test ONU", lambda row: str(row.table.test_onu), width=16),
        whole("n", "分光器数量", "splitters", lambda row: row.table.n),
        text("splitter", "分光器设备名称", "splitter", lambda row: row.each.splitter, width=28),
        number("deviation_db", "与中值之差(dB)", "less the median (dB)", lambda row: as_number(row.each.deviation_db)),
        text(
            "flagged", "是否超出", "beyond the line", lambda row: words.yes(row.each.flagged, row.reader.lang), width=8
        ),
        number("line_db", "判别线±(dB)", "line ± (dB)", lambda row: as_number(row.table.line_db)),
        number("median_dbm", "中值(dBm)", "median (dBm)", lambda row: as_number(row.table.median_dbm)),
        text(
            "expected_used",
            "已扣除理论光衰",
            "expected losses taken out",
            lambda row: words.yes(row.table.expected_used, row.reader.lang),
            width=8,
        ),
        text(
            "statement", "说明", "statement", lambda row: words.sibling(row.table, row.each, row.reader.lang), width=60
        ),
    ),
)


def place(item: EvidenceItem, name: str) -> Cell:
    """Where the file says that it was taken."""
    return None if item.place is None else getattr(item.place, name)
