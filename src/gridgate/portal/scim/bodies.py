"""How what a directory sends is read: resources, patches, and where it strays from the standard."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from scim2_models import (
    Context,
    InvalidPathException,
    PatchOp,
    PayloadTooLargeException,
    Resource,
    SCIMException,
)

from gridgate.directory.described import Described
from gridgate.portal.scim.resources import MOST_OPERATIONS, TOLERANT, Group, Name, User
from gridgate.portal.scim.searches import head


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
        if head(one.name) == "members"
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
        answer for one in attributes if head(one.name) == "active" for answer in _answers_in(one.value)
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
