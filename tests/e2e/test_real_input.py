"""The main job on an operator's own data: a new instance, real files, the same totals at every door."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.api_session import calling_as
from tests.browser_session import signed_in_as
from tests.demo_days import present_day
from tests.instance import Server, run_gridgate, serving

pytestmark = pytest.mark.usefixtures("shared_data")

HOME, OFFICE = "30001480112233", "09111642617347"
PASSWORD = "une phrase de passe assez longue"
ESPI = "{http://naesb.org/espi}"
YEAR = "espi/samples/Coastal_Single_Family_Jan_1_2011_to_Jan_1_2012.xml"
R50 = "enedis/sge-tiers/CommandeCollectePublicationMesures/C5-CDC/R50.xml"
POINTS = f"""id,segment,directions,address,postcode,city,subscribed_power_kva,activated_on
{HOME},C5,withdrawal,1 rue du Port,13002,Marseille,9,2005-01-01
{OFFICE},C5,withdrawal,2 rue du Port,13002,Marseille,36,2005-01-01
"""
HOLDERS = f"""metering_point_id,siren,legal_name,valid_from,valid_to
{HOME},111222337,ACME Industries,2005-01-01,
{OFFICE},111222337,ACME Industries,2005-01-01,
"""
DAYS = "2011-01-01", "2012-01-02"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the README's sixth step makes, with both files of real measurements still to come."""
    folder = tmp_path_factory.mktemp("real")
    data = folder / "instance"
    (folder / "points.csv").write_text(POINTS, encoding="utf-8")
    (folder / "holders.csv").write_text(HOLDERS, encoding="utf-8")
    run_gridgate("init", "--operator", "Réseau Exemple", data=data)
    run_gridgate("import", "points", str(folder / "points.csv"), data=data)
    run_gridgate("import", "holders", str(folder / "holders.csv"), data=data)
    arguments = ("alice@acme.example", "--siren", "111222337", "--name", "Alice", "--password", PASSWORD)
    run_gridgate("user", "add", *arguments, data=data)
    return data


@pytest.fixture(scope="module")
def week() -> tuple[date, date]:
    """A recent week, told once: the file is made for it, and the day may change meanwhile."""
    end = present_day() - timedelta(days=30)
    return end - timedelta(days=7), end


@pytest.fixture(scope="module")
def reports(instance: Path, week: tuple[date, date], shared_data: Path) -> dict[str, dict[str, object]]:
    """What `ingest --json` said of the year, of the R50 file, and of a recent week of the same curve."""
    said = {}
    for name, path, options in (
        ("year", shared_data / YEAR, ("--metering-point", HOME)),
        ("r50", shared_data / R50, ()),
        ("recent", _moved_around(week[0], shared_data / YEAR, instance.parent), ("--metering-point", HOME)),
    ):
        done = run_gridgate("ingest", "--json", *options, str(path), data=instance, check=False)
        said[name] = json.loads(done.stdout)["files"][0]
    return said


@pytest.fixture(scope="module")
def server(instance: Path, reports: dict[str, dict[str, object]]) -> Iterator[Server]:
    with serving(instance) as running:
        yield running


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[httpx.Client]:
    made = run_gridgate("application", "add", "Supervision", "--siren", "111222337", data=server.data)
    application = json.loads(made.stdout)
    with calling_as(server, application["client_id"], application["client_secret"]) as client:
        yield client


def test_the_year_is_told_as_in_the_file_less_what_was_set_aside(
    server: Server, api: httpx.Client, reports: dict[str, dict[str, object]], shared_data: Path
) -> None:
    report = reports["year"]
    aside = report["quarantined"]
    assert isinstance(aside, list)
    assert (report["read"], report["stored"], len(aside)) == (8760, 8757, 3), "both clock changes"
    expected = sum(_watt_hours(shared_data / YEAR)) - sum(int(row["value"]) for row in aside)

    assert _native_total(api, HOME, *DAYS) == expected
    assert _screen_total(server, HOME, *DAYS) == expected


def test_the_r50_file_is_told_as_it_is(
    server: Server, api: httpx.Client, reports: dict[str, dict[str, object]], shared_data: Path
) -> None:
    assert (reports["r50"]["read"], reports["r50"]["quarantined"]) == (48, [])
    readings = re.findall(r"<H>([^<]+)</H>\s*<V>(\d+)</V>", (shared_data / R50).read_text(encoding="utf-8"))
    assert len(readings) == 48
    first = datetime.fromisoformat(min(stamp for stamp, _watts in readings)).date()
    days = str(first - timedelta(days=1)), str(first + timedelta(days=2))
    watts = sum(int(value) for _stamp, value in readings)

    assert _native_total(api, OFFICE, *days) == watts / 2, "half hours"
    assert _screen_total(server, OFFICE, *days) == watts / 2


def test_enedis_tells_a_recent_week_the_same_and_refuses_2011_in_its_own_words(
    api: httpx.Client, week: tuple[date, date]
) -> None:
    start, end = week
    path = "/enedis/metering_data_clc/v5/consumption_load_curve"
    answer = api.get(path, params={"usage_point_id": HOME, "start": str(start), "end": str(end)})
    assert answer.status_code == 200, answer.text
    readings = answer.json()["meter_reading"]["interval_reading"]
    assert sum(int(one["value"]) for one in readings) == _native_total(api, HOME, str(start), str(end))

    refused = api.get(path, params={"usage_point_id": HOME, "start": "2011-03-01", "end": "2011-03-07"})
    assert refused.status_code == 400
    assert refused.json()["error_description"] == (
        "The start date must be greater than the history deadline."
    )


def test_the_same_file_again_changes_nothing(server: Server, api: httpx.Client, shared_data: Path) -> None:
    before = _native_total(api, HOME, *DAYS)
    path = str(shared_data / YEAR)
    again = run_gridgate("ingest", "--json", "--metering-point", HOME, path, data=server.data, check=False)
    report = json.loads(again.stdout)["files"][0]
    assert (report["stored"], report["unchanged"], len(report["quarantined"])) == (0, 8757, 3)
    assert _native_total(api, HOME, *DAYS) == before


def _watt_hours(path: Path) -> list[int]:
    """The values of the file's interval readings, by the standard library's parser."""
    tree = ET.parse(path)
    return [int(reading.findtext(f"{ESPI}value") or 0) for reading in tree.iter(f"{ESPI}IntervalReading")]


def _moved_around(start: date, path: Path, folder: Path) -> Path:
    """The same file with its first month moved by whole weeks, so that it has the week from that day on."""
    tree = ET.parse(path)
    weeks = (start - date(2011, 1, 8)).days // 7
    for block in tree.iter(f"{ESPI}IntervalBlock"):
        begins = block.find(f"{ESPI}interval/{ESPI}start")
        assert begins is not None
        begins.text = str(int(begins.text or 0) + weeks * 7 * 86400)
        for reading in list(block.iter(f"{ESPI}IntervalReading")):
            at = reading.find(f"{ESPI}timePeriod/{ESPI}start")
            assert at is not None
            if int(at.text or 0) >= datetime(2011, 1, 29, tzinfo=ZoneInfo("UTC")).timestamp():
                block.remove(reading)
            else:
                at.text = str(int(at.text or 0) + weeks * 7 * 86400)
    target = folder / "recent.xml"
    tree.write(target, encoding="utf-8", xml_declaration=True)
    return target


def _native_total(api: httpx.Client, point: str, start: str, end: str) -> float:
    """Energy in Wh by the native API."""
    wanted = {"kind": "load_curve", "direction": "withdrawal", "start": start, "end": end}
    answer = api.get(f"/api/v1/metering-points/{point}/measurements", params=wanted)
    assert answer.status_code == 200, answer.text
    minutes = {"PT30M": 30, "PT60M": 60}
    return sum(
        value * minutes[segment["resolution"]] / 60
        for segment in answer.json()["segments"]
        for value in segment["values"]
        if value is not None
    )


def _screen_total(server: Server, point: str, start: str, end: str) -> float:
    """Energy in Wh by the file that the screen exports; the figure on the screen is the same, in kWh."""
    last = str(date.fromisoformat(end) - timedelta(days=1))
    with signed_in_as(server, "alice@acme.example", PASSWORD) as alice:
        page = alice.get(f"/mesures/{point}/", params={"du": start, "au": last}).text
        text = alice.get(f"/mesures/{point}/export.csv", params={"du": start, "au": last}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    column = next(name for name in rows[0] if "load_curve" in name)
    begin, finish = list(rows[0])[:2]
    total = 0.0
    for row in rows:
        length = datetime.fromisoformat(row[finish]) - datetime.fromisoformat(row[begin])
        total += float(row[column] or 0) * length.total_seconds() / 3600
    shown = re.search(r'Énergie soutirée</dt><dd><span class="figure">([\d\u202f\u00a0 ]+)', page)
    assert shown
    assert int(re.sub(r"\D", "", shown[1])) == round(total / 1000)
    return total
