"""What is said in SCIM's words, and how it is read: pure, without a database or a request.

The schemas below are the core ones with the attributes that are kept here, and with their characteristics: what a
directory sends beyond them is accepted and dropped.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import astuple
from functools import cache
from itertools import islice
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    Context,
    Error,
    ETag,
    External,
    Filter,
    InvalidPathException,
    ListResponse,
    Meta,
    Mutability,
    Pagination,
    Patch,
    PatchOp,
    PayloadTooLargeException,
    Reference,
    Required,
    Resource,
    ResourceType,
    ResponseParameters,
    Schema,
    SCIMException,
    ScimPolicy,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from gridgate.directory.described import Described, Person
from gridgate.directory.described import Group as KnownGroup

MOST_RESULTS = 200
USUAL_RESULTS = 100
MOST_OPERATIONS = 1000
LAST_INDEX = 2**31
"""Beyond it there is nothing, and a database has no such number."""

TOLERANT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""What Microsoft Entra and Okta send beyond the letter of the standard is understood."""


class Name(ComplexAttribute):
    """The parts of a person's name, as the directory gives them."""

    formatted: str | None = None
    """The full name, formatted for display."""
    family_name: str | None = None
    """The last name."""
    given_name: str | None = None
    """The first name."""


class Email(ComplexAttribute):
    """The address of the account."""

    value: Annotated[str | None, Mutability.read_only] = None
    """The address, which is the userName."""
    type: Annotated[str | None, Mutability.read_only] = Field(None, examples=["work"])
    """Always "work"."""
    primary: Annotated[bool | None, Mutability.read_only] = None
    """Always true: there is one."""


class GroupOfUser(ComplexAttribute):
    """A group that the person is in."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    """The group's identifier."""
    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The group's address."""
    display: Annotated[str | None, Mutability.read_only] = None
    """The group's name."""
    type: Annotated[str | None, Mutability.read_only] = Field(None, examples=["direct"])
    """Always "direct": groups hold no groups."""


class User(Resource[Any]):
    """A person who acts for the company."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The e-mail address that the person signs in with. It changes only where the account was opened for this company."""
    name: Name | None = None
    """The parts of the person's name."""
    display_name: str | None = None
    """The person's name, for display."""
    preferred_language: str | None = None
    """In which language an account is opened for the person: English for "en…", French otherwise."""
    active: bool | None = None
    """Whether the person acts for the company."""
    emails: Annotated[list[Email] | None, Mutability.read_only] = None
    """The userName again, as an e-mail address."""
    groups: Annotated[list[GroupOfUser] | None, Mutability.read_only] = None
    """The groups that the person is in; changed from the groups' side."""


class Member(ComplexAttribute):
    """A person in a group."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The person's identifier."""
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The person's address."""
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """Always "User"."""


class Group(Resource[Any]):
    """A group of the company's users. Its services and their perimeters are given by the company's administrators."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    """The group's name, one of its kind in the company whatever its case."""
    members: list[Member] | None = None
    """The people in the group."""


class WritableEmail(ComplexAttribute):
    value: str | None = None
    type: str | None = None
    primary: bool | None = None


class WritableUser(User):
    """A user as a PATCH is applied to it: directories write the address in both places at once."""

    emails: list[WritableEmail] | None = None  # type: ignore[assignment]


class Page(NamedTuple):
    """Which part of a list is asked for."""

    start: int
    """From 0."""
    length: int


def page_of(search: SearchRequest[Any]) -> Page:
    length = USUAL_RESULTS if search.count is None else min(search.count, MOST_RESULTS)
    return Page(min(search.start_index_0 or 0, LAST_INDEX), length)


# --- what is said --------------------------------------------------------------------------------------------


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


# --- how it is read ------------------------------------------------------------------------------------------


def read_user(body: Any, context: Context) -> User:
    return User.model_validate(_lifted(User, body), scim_ctx=context, scim_policy=TOLERANT)


def read_group(body: Any, context: Context) -> Group:
    return Group.model_validate(_lifted(Group, body), scim_ctx=context, scim_policy=TOLERANT)


def _lifted(model: type[Resource[Any]], body: Any) -> Any:
    """What a resource says under its own schema is said as if it stood beside it: a PATCH may say it so."""
    if not isinstance(body, dict) or not any(_begins_with_schema(model, key) for key in body):
        return body
    return {one.name: one.value for one in _attributes(model, "", body)}


def read_patch(model: type[Resource[Any]], body: Any) -> PatchOp[Resource[Any]]:
    patch: Any = PatchOp.__class_getitem__(model)
    read: PatchOp[Resource[Any]] = patch.model_validate(
        body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=TOLERANT
    )
    if len(read.operations or []) > MOST_OPERATIONS:
        raise PayloadTooLargeException(detail=f"A PATCH has {MOST_OPERATIONS} operations at most")
    _refuse_misspelt(model, body)
    return read


class Spelt(dict[str, Any]):
    """A JSON object that keeps all it says, be it twice under one name."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def says_inactive(body: Any, *, patch: bool) -> bool:
    """Whether a PUT or a PATCH makes a user inactive in the end, whatever else it says, rightly or not.

    False wins over true where one thing says both; what is neither says nothing.
    """
    if not isinstance(body, dict):
        return False
    whole = _active_in(_attributes(User, "", body))
    last = None
    for verb, attributes in _operations(User, body):
        # An operation without a verb that gives a value can take nothing else to be meant.
        if verb in ("add", "replace", "") and (said := _active_in(attributes)) is not None:
            last = said
    first, second = (last, whole) if patch else (whole, last)
    return (second if first is None else first) is False


def members_named(body: Any, *, patch: bool) -> set[str]:
    """The members that a PUT, a POST or a PATCH puts in a group, by what stands for their identifiers."""
    if not isinstance(body, dict):
        return set()
    given = [_attributes(Group, "", body)]
    if patch and (operations := list(_operations(Group, body))):
        given = [attributes for verb, attributes in operations if verb in ("add", "replace")]
    values = [one.value for attributes in given for one in attributes if one.name.lower() == "members"]
    members = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return {text for each in members if (text := _identifier_in(each))}


def members_left(body: Any, group: Group, *, patch: bool) -> Group:
    """The group with the members that a refused PUT or PATCH would leave in it: what it takes away can be told from
    what is wrong in the rest.
    """
    if not isinstance(body, dict):
        return group
    operations = list(_operations(Group, body)) if patch else []
    if not operations:
        for one in _attributes(Group, "", body):
            if one.name.lower() == "members" and isinstance(one.value, list | None):
                kept = {text for each in one.value or [] if (text := _identifier_in(each))}
                group.members = [member for member in group.members or [] if (member.value or "") in kept]
        return group
    of_members = (
        {"op": verb, "path": one.name} | ({} if one.value is _NOTHING else {"value": one.value})
        for verb, attributes in operations
        for one in attributes
        if _head(one.name) == "members"
    )
    for operation in islice(of_members, MOST_OPERATIONS):
        try:
            patched = read_patch(Group, {"schemas": [str(PatchOp.__schema__)], "Operations": [operation]})
            patched.patch(group, scim_policy=TOLERANT)
        except (ValidationError, SCIMException):
            continue
    return group


class _Said(NamedTuple):
    """What is said of one attribute."""

    path: str
    """As it is written."""
    name: str
    """Without the schema that may stand before it."""
    value: Any


_NOTHING: Any = object()
"""The value of an operation that gives none."""


def _operations(model: type[Resource[Any]], body: dict[str, Any]) -> Iterator[tuple[str, list[_Said]]]:
    """The operations of a PATCH: the verb, and what is said of each attribute."""
    for given in _every(body, "operations"):
        for one in given if isinstance(given, list) else [given]:
            if not isinstance(one, dict):
                continue
            verb = str(_last(one, "op") or "").strip().lower()
            path = str(_last(one, "path") or "")
            values = _every(one, "value") or [_NOTHING]
            yield verb, [said for value in values for said in _attributes(model, path, value)]


def _attributes(model: type[Resource[Any]], path: str, value: Any) -> list[_Said]:
    """What a value written at a path says of each attribute: those of an object without a path, or at the schema's, are
    its keys, which may be paths again.
    """
    found, waiting = [], [(path, value)]
    while waiting:
        path, value = waiting.pop()
        name = path.strip()
        if _begins_with_schema(model, name):
            name = name[len(str(model.__schema__)) :]
        name = name.lstrip(":./ ")
        if name:
            found.append(_Said(path, name, value))
        elif isinstance(value, dict):
            waiting.extend(reversed(_pairs(value)))
        elif isinstance(value, list):
            waiting.extend(("", each) for each in reversed(value))
    return found


def _begins_with_schema(model: type[Resource[Any]], path: str) -> bool:
    return path.lower().startswith(str(model.__schema__).lower())


def _refuse_misspelt(model: type[Resource[Any]], body: Any) -> None:
    """Refuse what would be dropped as unknown: a path of the schema that no colon joins to its attribute."""
    for _verb, attributes in _operations(model, body) if isinstance(body, dict) else ():
        for one in attributes:
            path = one.path.strip()
            if _begins_with_schema(model, path) and path[len(str(model.__schema__))] != ":":
                raise InvalidPathException(
                    path=path,
                    detail=f"A colon stands between the schema and its attribute, unlike in {path!r}",
                )


def _pairs(body: dict[str, Any]) -> list[tuple[str, Any]]:
    return body.pairs if isinstance(body, Spelt) else list(body.items())


def _every(body: dict[str, Any], name: str) -> list[Any]:
    """All that stands under a name, whatever its case."""
    return [value for key, value in _pairs(body) if key.lower() == name]


def _last(body: dict[str, Any], name: str) -> Any:
    return next(reversed(_every(body, name)), None)


def _active_in(attributes: list[_Said]) -> bool | None:
    """False where anything says so; None where nothing is said of it."""
    answers = (
        answer for one in attributes if _head(one.name) == "active" for answer in _answers_in(one.value)
    )
    return min(answers, default=None)


def _answers_in(value: Any) -> Iterator[bool]:
    """The truth values in a value, alone or in a list, plain or as the `value` of an object."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            waiting.extend(_every(one, "value"))
        else:
            with suppress(ValidationError):
                yield _BOOLEAN.validate_python(one.strip() if isinstance(one, str) else one)


_BOOLEAN = TypeAdapter(bool)


def _identifier_in(member: Any) -> str:
    """A member is named by its value, or by its address."""
    if not isinstance(member, dict):
        return str(member or "")
    return str(_last(member, "value") or "") or str(_last(member, "$ref") or "").rpartition("/")[2]


def read_search(models: Any, query: Mapping[str, Any]) -> SearchRequest[Any]:
    """A search, of the parameters of an address or of the body of a POST; other parameters are dropped."""
    search: Any = SearchRequest.__class_getitem__(models)
    read: SearchRequest[Any] = search.model_validate(
        query, scim_ctx=Context.SEARCH_REQUEST, scim_policy=TOLERANT
    )
    return read


def read_parameters(model: type[Resource[Any]], query: Mapping[str, Any]) -> ResponseParameters[Any]:
    parameters: Any = ResponseParameters.__class_getitem__(model)
    wanted = {name: query[name] for name in ("attributes", "excludedAttributes") if name in query}
    read: ResponseParameters[Any] = parameters.model_validate(wanted, scim_policy=TOLERANT)
    return read


def asks_for(parameters: ResponseParameters[Any], attribute: str) -> bool:
    """Whether the answer is to hold an attribute that is returned by default."""
    if parameters.attributes:
        return any(_head(str(path).rpartition(":")[2]) == attribute.lower() for path in parameters.attributes)
    return all(
        str(path).lower().rpartition(":")[2] != attribute.lower()
        for path in parameters.excluded_attributes or ()
    )


def _head(name: str) -> str:
    """The attribute that a path without a schema begins with."""
    return re.split(r"[.\[\s]", name, maxsplit=1)[0].lower()


def described(user: User) -> Described:
    """What a user resource says of a person, besides the address."""
    name = user.name or Name()
    return Described(
        external_id=user.external_id or "",
        display_name=user.display_name or "",
        formatted_name=name.formatted or "",
        given_name=name.given_name or "",
        family_name=name.family_name or "",
        preferred_language=user.preferred_language or "",
    )


def identifier(text: str | None) -> UUID | None:
    """The identifier that the text is, in the one spelling that is given out; None for any other text."""
    try:
        found = UUID(text or "")
    except ValueError:
        return None
    return found if str(found) == text else None


# --- what this service says of itself ------------------------------------------------------------------------


def service_provider_config(base: str, documentation: str) -> ServiceProviderConfig:
    return ServiceProviderConfig(
        documentation_uri=Reference[External](documentation),
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MOST_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        pagination=Pagination(
            cursor=False,
            index=True,
            default_pagination_method=Pagination.DefaultPaginationMethod.index,
            default_page_size=USUAL_RESULTS,
            max_page_size=MOST_RESULTS,
        ),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Bearer token",
                description="A token that an administrator of the company makes in the portal.",
                spec_uri=Reference[External]("https://www.rfc-editor.org/info/rfc6750"),
                primary=True,
            )
        ],
        meta=Meta(resource_type="ServiceProviderConfig", location=f"{base}/ServiceProviderConfig"),
    )


@cache
def resource_types(base: str) -> tuple[dict[str, Any], ...]:
    found = []
    for model in (User, Group):
        kind = ResourceType.from_resource(model)
        kind.meta = Meta(resource_type="ResourceType", location=f"{base}/ResourceTypes/{kind.id}")
        found.append(dump(kind, Context.RESOURCE_QUERY_RESPONSE))
    return tuple(found)


@cache
def schemas(base: str) -> tuple[dict[str, Any], ...]:
    found = []
    for model in (User, Group, ServiceProviderConfig, ResourceType, Schema):
        schema = model.to_schema()
        schema.meta = Meta(resource_type="Schema", location=f"{base}/Schemas/{schema.id}")
        found.append(dump(schema, Context.RESOURCE_QUERY_RESPONSE))
    return tuple(found)
