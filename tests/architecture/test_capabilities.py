"""A room that keeps something of a person says so, and what becomes of it: `core.capability`."""

from django.apps import apps

from gridgate.accounts.personal_data import kept_of_people
from gridgate.core.capability import declared
from gridgate.organisations.models import User

SAID_ELSEWHERE = {
    "requests.RequestEvent.user",  # the requests themselves are told by the rooms of their kinds
    "metering.LoadCurveCollection.changed_by",  # what somebody did for a company is told among the events
    "metering.RegisterImport.made_by",
}


def relations_to_people() -> set[str]:
    return {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model.__module__.startswith("gridgate.")
        for field in model._meta.get_fields()
        if field.concrete and field.is_relation and field.related_model is User
    }


def test_a_room_with_a_person_in_it_says_what_it_keeps_of_them() -> None:
    silent = {
        relation
        for relation in relations_to_people()
        if not declared([apps.get_app_config(relation.split(".")[0]).name], "PERSONAL_DATA")
    }
    assert silent == SAID_ELSEWHERE


def test_nothing_of_a_person_is_told_by_two_rooms_but_requests() -> None:
    names = [name for room in kept_of_people() for name in room.sections]
    assert {name for name in names if names.count(name) > 1} == {"requests"}
    assert {"profile", "memberships"} <= set(names)


def test_a_package_without_a_capability_says_nothing() -> None:
    assert declared(["gridgate.tables", "gridgate.core"], "PERSONAL_DATA") == []
