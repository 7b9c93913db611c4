"""The first byte of the measurements screen: `python -m benchmarks.pages [--data FOLDER] [--rounds N]`.

Seeds a demo instance, unless an instance is given, and asks in this process, as its first administrator, for a day, a
week, a month and a year of ten-minute values. The pages are whole when their first byte goes out, so the time of the
answer is that of the first byte. Both the clock and this process's CPU are told, for other work on the machine changes
the second little.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

POINT = "30001480112233"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="an instance that `gridgate demo` made")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = asked.data or Path(folder)
        if asked.data is None:
            command = [sys.executable, "-m", "gridgate.config.cli", "--data", folder, "demo", "--no-serve"]
            subprocess.run(command, check=True)
        report(data, asked.rounds)


def report(data: Path, rounds: int) -> None:
    world = json.loads((data / "demo.json").read_text())
    browser = signed_in(data, world["users"]["alice"]["email"])
    last = date.fromisoformat(world["today"]) - timedelta(days=1)
    print("| page | first byte, ms | CPU, ms | kB |\n|---|---|---|---|")
    for name, view in (("day", "jour"), ("week", "semaine"), ("month", "mois"), ("year", "annee")):
        address = f"/mesures/{POINT}/?vue={view}&le={last - timedelta(days=7)}"
        browser.get(address)  # once for nothing: modules and templates are read
        clock, cpu, size = zip(*(once(browser, address) for _round in range(rounds)), strict=True)
        print(f"| {name} | {median(clock):.0f} | {median(cpu):.0f} | {size[0] / 1000:.0f} |")


def once(browser: Any, address: str) -> tuple[float, float, int]:
    begun, worked = time.perf_counter(), time.process_time()
    answer = browser.get(address)
    clock, cpu = time.perf_counter() - begun, time.process_time() - worked
    assert answer.status_code == 200, answer.status_code
    return 1000 * clock, 1000 * cpu, len(answer.content)


def signed_in(data: Path, email: str) -> Any:
    os.environ.update(GRIDGATE_DATA=str(data), DJANGO_SETTINGS_MODULE="gridgate.config.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client

    from gridgate.organisations.models import Membership

    settings.ALLOWED_HOSTS = ["*"]
    member = Membership.objects.filter(user__email=email).first()
    assert member is not None
    browser = Client()
    browser.force_login(member.user)
    session = browser.session
    session["membership"] = member.pk
    session.save()
    return browser


if __name__ == "__main__":
    main()
