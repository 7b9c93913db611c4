"""P: the measurements of a point of ten-minute values, a day to a year of them, in a demo instance of its own.

The peer draws the same period from rows of its own: a curve of all values (of a year, of days), and a row for each value
of a day, else for each day. The pages are whole when their first byte goes out, so the processor time of the answer is
that of the first byte.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.lines import Line, Scale
from benchmarks.peers import plain_django

POINT = "30001480112233"
VIEWS = {"day": "jour", "week": "semaine", "month": "mois", "year": "annee"}


def measure(scale: Scale, folder: Path) -> Iterator[Line]:
    """As the first administrator of the demo's company."""
    command = [sys.executable, "-m", "gridgate.config.cli", "--data", str(folder), "demo", "--no-serve"]
    subprocess.run(command, check=True, capture_output=True)
    world = json.loads((folder / "demo.json").read_text())
    browser = signed_in(folder, world["users"]["alice"]["email"])
    last = date.fromisoformat(world["today"]) - timedelta(days=1)
    shown = last - timedelta(days=7)
    addresses = {name: f"/mesures/{POINT}/?vue={view}&le={shown}" for name, view in VIEWS.items()}
    rounds = 2 * scale.rounds
    plain = plain_django.ask(
        folder / "plain",
        "curves",
        point=POINT,
        until=str(last),
        addresses=list(addresses.values()),
        rounds=rounds,
    )
    for name, address in addresses.items():
        once(browser, address)  # for nothing: modules and templates are read
        taken = [once(browser, address) for _ in range(rounds)]
        peers = {plain_django.NAME: plain[address]}
        yield Line(f"P measurements, a {name} of ten minutes", "ms", taken, peers)


def once(browser: Any, address: str) -> float:
    begun = time.process_time()
    answer = browser.get(address)
    taken = time.process_time() - begun
    assert answer.status_code == 200, answer.status_code
    return 1000 * taken


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
