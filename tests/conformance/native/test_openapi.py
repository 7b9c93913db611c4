"""The description of the native API is valid, complete, and tells what is really answered."""

from datetime import date
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from gridgate.core.quantities import Kind
from gridgate.facades import native
from tests.dataplane_plane import WITHDRAWAL, Plane
from tests.dataplane_world import ACME, BOTH_WAYS, CONSO, FOREIGN, TIERS1, days_ago

ROOT = "/api/v1/metering-points"
MEASUREMENTS = f"{ROOT}/{{id}}/measurements"
AGGREGATES = "/api/v1/aggregates"
PERIMETERS = "/api/v1/perimeters"
PERMISSION = "0f8fad5bd9cb469fa16570867728950e"


@pytest.fixture
def document(plane: Plane) -> dict[str, Any]:
    answer = plane.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    described: dict[str, Any] = answer.json()
    return described


@pytest.fixture
def token(plane: Plane) -> str:
    plane.world.point(CONSO, holder=ACME)
    plane.put_curve(CONSO, days_ago(10), 10)
    plane.world.line(
        CONSO,
        reader=TIERS1,
        holder=ACME,
        permission=PERMISSION,
        kinds=Kind.LOAD_CURVE.bit | Kind.DAILY_ENERGY.bit,
        directions=WITHDRAWAL.bit,
        finest_resolution=1800,
        valid_until=days_ago(-30),
    )
    return plane.token(plane.world.application("tiers1", TIERS1, "native"))


def response(document: dict[str, Any], path: str, status: int, method: str = "get") -> dict[str, Any]:
    described = document["paths"][path][method]["responses"][str(status)]
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = described
    return found


def check(document: dict[str, Any], schema: dict[str, Any], instance: object) -> None:
    resource = Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema", **document})
    registry = Registry().with_resource("urn:openapi", resource)
    pointed = {"$ref": f"urn:openapi{schema['$ref']}"} if "$ref" in schema else schema
    validator = jsonschema.Draft202012Validator(
        pointed, registry=registry, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    validator.validate(instance)
    assert DRAFT202012


def test_is_a_valid_openapi_document(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()


def test_describes_every_path_and_no_other(plane: Plane, document: dict[str, Any]) -> None:
    served = {
        (route.path.replace("{point}", "{id}"), method.lower())
        for route in native.routes(plane.app.state.plane)
        for method in route.methods or ()
        if method != "HEAD" and route.path != "/api/v1/openapi.json"
    }
    described = {
        (path, method)
        for path, item in document["paths"].items()
        for method in item
        if method in ("get", "post", "put", "delete")
    }
    assert described == served


@pytest.mark.parametrize(
    ("path", "address", "status"),
    [
        (ROOT, ROOT, 200),
        (f"{ROOT}/{{id}}", f"{ROOT}/{CONSO}", 200),
        (
            MEASUREMENTS,
            f"{ROOT}/{CONSO}/measurements?kind=load_curve&direction=withdrawal"
            "&start=2026-11-18&end=2026-11-18T02:00:00%2B01:00",
            200,
        ),
        (
            AGGREGATES,
            f"{AGGREGATES}?kind=load_curve&direction=withdrawal&step=PT30M"
            "&start=2026-11-18&end=2026-11-18T02:00:00%2B01:00",
            200,
        ),
        (
            MEASUREMENTS,
            f"{ROOT}/{CONSO}/measurements?kind=load_curve&direction=withdrawal"
            "&start=2026-11-18T00:00:00&end=2026-11-19",
            400,
        ),
        (
            MEASUREMENTS,
            f"{ROOT}/{CONSO}/measurements?kind=maximum_power&direction=withdrawal&start=2026-11-18&end=2026-11-19",
            403,
        ),
    ],
)
def test_its_examples_are_real_answers(
    plane: Plane, document: dict[str, Any], token: str, path: str, address: str, status: int
) -> None:
    answer = plane.get(address, token)
    assert answer.status_code == status
    described = response(document, path, status)["content"][answer.headers["Content-Type"]]
    (example,) = described["examples"].values()
    assert answer.json() == example["value"]
    check(document, described["schema"], answer.json())


def test_its_csv_example_is_a_real_answer(plane: Plane, document: dict[str, Any], token: str) -> None:
    address = (
        f"{ROOT}/{CONSO}/measurements?kind=load_curve&direction=withdrawal"
        "&start=2026-11-18&end=2026-11-18T02:00:00%2B01:00"
    )
    answer = plane.get(address, token, headers={"Accept": "text/csv"})
    (example,) = response(document, MEASUREMENTS, 200)["content"]["text/csv"]["examples"].values()
    assert answer.text == example["value"]


def test_answers_of_every_kind_fit_their_schemas(plane: Plane, document: dict[str, Any], token: str) -> None:
    plane.world.point(FOREIGN, holder=TIERS1, directions=BOTH_WAYS, held_from=date(2026, 11, 20))
    plane.world.group(TIERS1, None, [FOREIGN])
    measurements = f"{ROOT}/{FOREIGN}/measurements?start=2026-11-01&end=2026-11-30"
    for path, address, status in (
        *(
            (MEASUREMENTS, f"{measurements}&kind={kind.value}&direction={direction}", 200)
            for kind in Kind
            for direction in ("withdrawal", "injection")
        ),
        *(
            (AGGREGATES, f"{AGGREGATES}?start=2026-11-01&end=2026-11-30&direction=withdrawal{more}", 200)
            for more in (
                "&kind=daily_energy&step=P1M",
                "&kind=load_curve&step=PT60M&by=metering_point",
                f"&kind=daily_energy&step=P1D&metering_point={FOREIGN}&metering_point=99999999999999",
            )
        ),
        (AGGREGATES, f"{AGGREGATES}?kind=register_reading", 400),
        (PERIMETERS, PERIMETERS, 200),
        (f"{ROOT}/{{id}}", f"{ROOT}/{FOREIGN}", 200),
        (f"{ROOT}/{{id}}", f"{ROOT}/99999999999999", 404),
        (ROOT, f"{ROOT}?limit=0", 400),
    ):
        answer = plane.get(address, token)
        assert answer.status_code == status
        content = response(document, path, status)["content"][answer.headers["Content-Type"]]
        check(document, content["schema"], answer.json())
    unauthenticated = plane.get(ROOT)
    check(
        document,
        response(document, ROOT, 401)["content"]["application/problem+json"]["schema"],
        unauthenticated.json(),
    )


def test_answers_of_the_token_endpoint_fit_their_schemas(plane: Plane, document: dict[str, Any]) -> None:
    client = plane.world.application("tiers1", TIERS1, "native")
    auth = (client.client_id, client.client_secret)
    for data, status in (({"grant_type": "client_credentials"}, 200), ({}, 400)):
        answer = plane.post("/oauth2/token", data=data, auth=auth)
        assert answer.status_code == status
        content = response(document, "/oauth2/token", status, "post")["content"]["application/json"]
        check(document, content["schema"], answer.json())
