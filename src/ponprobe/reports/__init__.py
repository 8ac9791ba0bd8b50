"""Acceptance reports from stored facts: xlsx, HTML, JSON, CSV, an evidence package, and two TM Forum shapes."""

from __future__ import annotations

from ponprobe.reports.data import report_data
from ponprobe.reports.facts import ReportData, SplitterReport
from ponprobe.reports.html import write_html
from ponprobe.reports.package import Manifest, Package, PackedFile, verify_package, write_package
from ponprobe.reports.plain import write_csv, write_json
from ponprobe.reports.tables import TABLES, Table, cells, rows
from ponprobe.reports.tmf import to_tmf653, to_tmf702
from ponprobe.reports.xlsx import write_xlsx

__all__ = [
    "TABLES",
    "Manifest",
    "Package",
    "PackedFile",
    "ReportData",
    "SplitterReport",
    "Table",
    "cells",
    "report_data",
    "rows",
    "to_tmf653",
    "to_tmf702",
    "verify_package",
    "write_csv",
    "write_html",
    "write_json",
    "write_package",
    "write_xlsx",
]
