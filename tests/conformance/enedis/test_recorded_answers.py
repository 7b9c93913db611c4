"""Answers of the real service and of clients' own fixtures, given back to the letter.

The values of each recorded answer are put into the store, the same question is asked, and the answer must be
the same.
"""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridgate.core.quantities import Kind
from gridgate.core.time import Resolution, civil_day_bounds, slots_in_day
from gridgate.dataplane.query.columns import Columns
from gridgate.facades.enedis import wire
from gridgate.facades.enedis.wire import PARIS
from tests.dataplane_plane import Plane, day_block
from tests.dataplane_world import ACME, BOTH_WAYS, CONSO

CURVE, DAILY, MAXIMUM, PRODUCTION_CURVE, PRODUCTION_DAILY = wire.RESOURCES

RECORDED = [
    ("linky/03_200__api_daily_consumption_start=2023-04-01&end=2023-04-04_.json", DAILY),
    ("linky/04_200__api_daily_consumption_start=2023-04-01&end=2023-04-02_.json", DAILY),
    ("linky/05_200__api_consumption_load_curve_start=2023-04-01&end=2023-04-02_.json", CURVE),
    ("linky/06_200__api_consumption_max_power_start=2023-04-01&end=2023-04-04_.json", MAXIMUM),
    ("linky/07_200__api_consumption_max_power_start=2023-04-01&end=2023-04-02_.json", MAXIMUM),
    ("linky/08_200__api_daily_production_start=2023-04-01&end=2023-04-04_.json", PRODUCTION_DAILY),
    ("linky/09_200__api_daily_production_start=2023-04-01&end=2023-04-02_.json", PRODUCTION_DAILY),
    ("linky/10_200__api_production_load_curve_start=2023-04-01&end=2023-04-02_.json", PRODUCTION_CURVE),
    ("eddie/consumption_load_curve_2024-02-26_to_2024-02-27.json", CURVE),
    ("eddie/consumption_load_curve_with_changing_resolution_2024-02-26_to_2024-02-27.json", CURVE),
    ("eddie/daily_consumption_2024-02-01_2024-02-08.json", DAILY),
]


def recorded(folder: Path, name: str) -> dict[str, Any]:
    """The bare `meter_reading`, for our point."""
    content = json.loads((folder / "enedis" / name).read_text("utf-8"))
    content = content.get("body", content)
    return {**content.get("meter_reading", content), "usage_point_id": CONSO}


def put(plane: Plane, meter_reading: dict[str, Any], resource: wire.Resource) -> None:
    readings = wire.decode(json.dumps({"meter_reading": meter_reading}).encode())
    days: dict[tuple[date, Resolution], dict[int, tuple[int, int]]] = {}
    for reading in readings:
        at, value = reading.at, int(reading.value)
        if not isinstance(at, datetime):
            days[at, Resolution.P1D] = {0: (value, 0)}
            continue
        day = at.astimezone(PARIS).date()
        since_midnight = int((at - civil_day_bounds(day, PARIS).start).total_seconds())
        if reading.resolution is None:
            days[day, Resolution.P1D] = {0: (value, since_midnight)}
        else:
            slot = since_midnight // reading.resolution.seconds
            days.setdefault((day, reading.resolution), {})[slot] = (value, 0)
    for (day, resolution), values in days.items():
        slots = range(slots_in_day(day, resolution, PARIS))
        plane.put(
            day_block(
                CONSO,
                resource.kind,
                resource.direction,
                resolution,
                day,
                [values[slot][0] if slot in values else None for slot in slots],
                offsets=[values.get(slot, (0, 0))[1] for slot in slots]
                if resource.kind is Kind.MAXIMUM_POWER
                else None,
            )
        )


@pytest.mark.parametrize(("name", "resource"), RECORDED)
def test_is_given_back_to_the_letter(
    plane: Plane, shared_data: Path, name: str, resource: wire.Resource
) -> None:
    expected = recorded(shared_data, name)
    plane.now = datetime.combine(date.fromisoformat(expected["end"]), datetime.min.time(), UTC) + timedelta(
        days=9
    )
    plane.world.point(CONSO, holder=ACME, directions=BOTH_WAYS, held_from=date(2021, 1, 1))
    plane.world.db.execute("UPDATE sharing_accessline SET valid_from = 0")
    put(plane, expected, resource)
    token = plane.token(plane.world.application("acme", ACME, "enedis"))
    answer = plane.get(
        f"/enedis{resource.path}?usage_point_id={CONSO}&start={expected['start']}&end={expected['end']}",
        token,
    )
    assert answer.status_code == 200
    assert answer.json() == {"meter_reading": expected}
    # To the letter: the order of members too, which clients that stream rely on.
    assert json.dumps(answer.json()) == json.dumps({"meter_reading": expected})


def test_the_recorded_refusal_is_given_in_its_words(plane: Plane, shared_data: Path) -> None:
    name = "02_400__api_daily_consumption_start=2023-04-02&end=2023-04-01_.json"
    content = json.loads((shared_data / "enedis" / "linky" / name).read_text("utf-8"))
    token = plane.token(plane.world.application("acme", ACME, "enedis"))
    answer = plane.get(f"/enedis{DAILY.path}?usage_point_id={CONSO}&start=2023-04-02&end=2023-04-01", token)
    assert answer.status_code == content["body"]["status"] == 400
    assert answer.json() == content["body"]["error"]


SPECIFICATIONS = [
    ("03-metering-consommation-daily.json", "/daily_consumption", DAILY),
    ("04-metering-consommation-detail.json", "/consumption_load_curve", CURVE),
    ("05-metering-power.json", "/daily_consumption_max_power", MAXIMUM),
    ("06-metering-production-daily.json", "/daily_consumption", PRODUCTION_DAILY),
    ("07-metering-production-detail.json", "/consumption_load_curve", PRODUCTION_CURVE),
]


@pytest.mark.parametrize(("name", "path", "resource"), SPECIFICATIONS)
def test_fits_the_official_schema(shared_data: Path, name: str, path: str, resource: wire.Resource) -> None:
    """Every member that the Swagger file requires is there, as the text that it says, and no member more."""
    specification = json.loads((shared_data / "enedis" / "specs-dataconnect" / name).read_text("utf-8"))
    schema = specification["paths"][path]["get"]["responses"]["200"]["schema"]
    reading = b'{"value":"1","date":"2026-01-01"}'
    if resource.is_curve:
        midnight = int(civil_day_bounds(date(2026, 1, 1), PARIS).start.timestamp())
        day = Columns(midnight, Resolution.PT60M, np.arange(24), 1, np.zeros(24, np.uint8))
        ((_, reading, _),) = wire.curve_readings([day])
    body = wire.encode(
        resource,
        usage_point_id=CONSO,
        start=date(2026, 1, 1),
        end=date(2026, 1, 2),
        readings=[reading],
    )
    _fits(json.loads(body), schema)


def _fits(content: Any, schema: dict[str, Any]) -> None:
    match schema["type"]:
        case "object":
            assert set(schema.get("required", ())) <= set(content) <= set(schema["properties"])
            for name, member in content.items():
                _fits(member, schema["properties"][name])
        case "array":
            for item in content:
                _fits(item, schema["items"])
        case "string":
            assert isinstance(content, str)
            if "enum" in schema and not isinstance(schema["enum"], str):
                assert content in {choice.partition(" ")[0] for choice in schema["enum"]}
