"""The tutorial works as it is written: its commands run in one shell, and the receiver sees two signed events."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.service import start_service

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
SECRET = re.search(r"whsec_\S+", PAGE)


def test_the_tutorial_does_what_it_promises(tmp_path: Path) -> None:
    assert SECRET is not None
    environ = {"TMF_SALES_WEBHOOK_SECRET": SECRET[0]}
    listen = [sys.executable, "-m", "tmf_sales", "listen", "--port", "0", "--secret", SECRET[0]]
    with (
        start_service(tmp_path / "log", "--seed", "--store", "memory:", environ=environ) as service,
        subprocess.Popen(listen, stdout=subprocess.PIPE, text=True) as receiver,
    ):
        assert receiver.stdout is not None
        address = receiver.stdout.readline().split()[-1].rstrip("/")
        script = "\necho\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
        script = script.replace("http://127.0.0.1:8080", service.url).replace("http://127.0.0.1:9000", address)
        printed = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, check=True, timeout=300)
        events = [receiver.stdout.readline() for _ in range(2)]
        receiver.terminate()

    answers = [json.loads(each) for each in re.findall(r"\{.*?\}(?=\{|\s|$)", printed.stdout)]
    by_state = [answer.get("status") or answer.get("state") for answer in answers]
    assert by_state == [None, "inProgress", "accepted", None, "approved", "412", "accepted"]
    assert answers[3]["quoteTotalPrice"][0]["price"]["taxIncludedAmount"] == {"unit": "EUR", "value": 313.2}
    assert all("QuoteStateChangeEvent" in event and "signature good" in event for event in events)
