"""Like ``zygote.py``, but each forked process measures a batch: ``argv`` is the JSON of what it needs."""

from __future__ import annotations

import json
import os
import traceback

import zygote
from pydantic import SecretStr, TypeAdapter

import ponprobe.session.batch
from ponprobe.connect import connect
from ponprobe.models.acceptance import ActivationOrder

_orders = TypeAdapter(tuple[ActivationOrder, ...])


def command(request: dict[str, object]) -> None:
    status = 1
    try:
        with open(str(request["output"]), "w", encoding="utf-8") as output:  # noqa: PTH123
            (text,) = request["argv"]  # type: ignore[misc]
            given = json.loads(text)
            for name in ("password", "enable_password"):
                given["olt"][name] = SecretStr(given["olt"][name])
            try:
                with connect(given["host"], **given["olt"]) as olt:
                    result = ponprobe.session.batch.measure_batch(
                        olt, _orders.validate_python(given["orders"]), keep=given["keep"]
                    )
                output.write(result.model_dump_json())
                status = 0 if result.measured == result.orders else 2
            except Exception:  # noqa: BLE001 - whoever killed this process reads it
                traceback.print_exc(file=output)
    finally:
        os._exit(status)


if __name__ == "__main__":
    zygote.command = command
    zygote.main()
