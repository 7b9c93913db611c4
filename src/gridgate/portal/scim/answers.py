"""What is said of people and groups: resources, lists, errors, and their versions."""

import hashlib
from dataclasses import astuple
from typing import Any
from uuid import UUID

from scim2_models import Context, Error, ListResponse, Meta, Resource, ResponseParameters

from gridgate.directory.described import Group as KnownGroup
from gridgate.directory.described import Person
from gridgate.portal.scim.resources import Group, Page, User


class Writer:
    """Writes resources, with addresses below `base`."""

    def __init__(self, base: str) -> None:
        self.base = base

    def user(self, person: Person, *, model: type[User] = User) -> User:
        name = {
            "formatted": person.said.formatted_name or None,
            "familyName": person.said.family_name or None,
            "givenName": person.said.given_name or None,
        }
        groups = [
            {"value": str(pk), "$ref": f"{self.base}/Groups/{pk}", "display": display, "type": "direct"}
            for pk, display in person.groups
        ]
        return model.model_validate(
            {
                "id": str(person.id),
                "externalId": person.said.external_id or None,
                "userName": person.email,
                "name": name if any(name.values()) else None,
                "displayName": person.said.display_name or None,
                "preferredLanguage": person.said.preferred_language or None,
                "active": person.active,
                "emails": [{"value": person.email, "type": "work", "primary": True}],
                "groups": groups or None,
                "meta": self._meta(
                    "User", person.id, created=person.created_at, version=version_of_person(person)
                ),
            }
        )

    def group(self, group: KnownGroup) -> Group:
        members = [
            {"value": str(pk), "$ref": f"{self.base}/Users/{pk}", "type": "User"} for pk in group.members
        ]
        return Group.model_validate(
            {
                "id": str(group.id),
                "externalId": group.external_id or None,
                "displayName": group.name,
                "members": members or None,
                "meta": self._meta(
                    "Group", group.id, created=group.created_at, version=version_of_group(group)
                ),
            }
        )

    def _meta(self, kind: str, pk: UUID, **more: Any) -> Meta:
        return Meta(resource_type=kind, location=f"{self.base}/{kind}s/{pk}", **more)


def version_of_person(person: Person) -> str:
    """An entity tag of all that the person's own record says; the groups have theirs."""
    return _weak_tag(person.email, str(person.active), *astuple(person.said))


def version_of_group(group: KnownGroup) -> str:
    return _weak_tag(group.name, group.external_id, group.revision)


def _weak_tag(*parts: str) -> str:
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f'W/"{digest[:24]}"'


def dump(
    resource: Resource[Any], context: Context, parameters: ResponseParameters[Any] | None = None
) -> dict[str, Any]:
    return resource.model_dump(scim_ctx=context, response_parameters=parameters)


def listing(resources: list[dict[str, Any]], *, total: int, page: Page) -> dict[str, Any]:
    """A page of a list, from resources written already."""
    return {
        "schemas": [str(ListResponse.__schema__)],
        "totalResults": total,
        "startIndex": page.start + 1,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def error(status: int, detail: str, scim_type: str = "") -> dict[str, Any]:
    return Error(status=status, detail=detail, scim_type=scim_type or None).model_dump()
