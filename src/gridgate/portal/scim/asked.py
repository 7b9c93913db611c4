"""What is asked: the query, the body, whom and what it names, and in which version."""

import json
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from scim2_models import (
    Context,
    ForbiddenException,
    InvalidSyntaxException,
    InvalidValueException,
    MutabilityException,
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResponseParameters,
    SearchRequest,
)

from gridgate.directory import queries as directory
from gridgate.directory.models import DirectoryGroup, DirectoryPerson
from gridgate.directory.operations.groups import change_members, dormant_in
from gridgate.organisations.models import Membership
from gridgate.portal.scim import errors
from gridgate.portal.scim.asking import Asked
from gridgate.portal.scim.bodies import Spelt, identifier, members_named, read_group, read_patch, read_user
from gridgate.portal.scim.door import MEDIA_TYPE
from gridgate.portal.scim.resources import TOLERANT, Group, Member, User, WritableUser
from gridgate.portal.scim.searches import read_parameters, read_search

_PARAMETERS = ("filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes")


def query_of(parameters: QueryDict) -> dict[str, str]:
    given = {name: str(parameters[name]) for name in _PARAMETERS if name in parameters}
    for name in ("attributes", "excludedAttributes"):
        if name in given and not given[name].strip(" ,"):
            raise InvalidValueException(detail=f"{name} names no attribute: name some, or leave it out")
    return given


def parameters_of(model: type[Resource[Any]], asked: Asked) -> ResponseParameters[Any]:
    return read_parameters(model, query_of(asked.request.GET))


def search_of(models: Any, asked: Asked) -> SearchRequest[Any]:
    return read_search(models, body_of(asked.request))


class _Read(NamedTuple):
    """A body as far as it can be read."""

    body: Any
    fault: Exception | None
    """Why it is refused all the same."""


def read_body(request: HttpRequest) -> _Read:
    """The JSON of the body, with what is wrong in its texts, if anything is. Raises for what is no JSON at all."""
    kind = (request.content_type or "").lower()
    if kind and kind not in (MEDIA_TYPE, "application/json"):
        raise errors.UnsupportedMediaType
    no_json = InvalidSyntaxException(detail="The body is not JSON")
    try:
        # Bytes of another encoding become surrogates, which are no text.
        sent = request.body.decode(json.detect_encoding(request.body), "surrogateescape")
        try:
            body, fault = json.loads(sent, object_pairs_hook=Spelt), None
        except ValueError:
            # Control characters that are not escaped, or a number without end: what stands around them can be read.
            body = json.loads(sent, object_pairs_hook=Spelt, strict=False, parse_int=float)
            fault = no_json
    except (ValueError, RecursionError):
        raise no_json from None
    return _Read(body, fault or _fault_in_texts(body))


def _fault_in_texts(body: Any) -> Exception | None:
    """What no database could keep, in a name or a value."""
    nul = False
    waiting = [body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, Spelt):
            for name, value in one.pairs:
                waiting += (name, value)
        elif isinstance(one, str):
            try:
                nul = b"\0" in one.encode() or nul
            except UnicodeEncodeError:  # half a surrogate pair is no text
                return InvalidSyntaxException(detail="The body is not JSON")
    return InvalidValueException(detail="A text holds a NUL character") if nul else None


def body_of(request: HttpRequest) -> Any:
    """The JSON of the body. Raises `InvalidSyntaxException` or `InvalidValueException` where it is refused."""
    body, fault = read_body(request)
    if fault is not None:
        raise fault
    return body


def refuse_filter(asked: Asked) -> None:
    if "filter" in asked.request.GET:
        raise ForbiddenException(detail="What the service says of itself is not filtered")


def person_named(asked: Asked, pk: str) -> DirectoryPerson:
    found = identifier(pk)
    people = directory.people_of(asked.organisation)
    person = people.filter(pk=found).first() if found else None
    if person is None:
        raise NotFoundException(detail="No such user")
    return person


def group_named(asked: Asked, pk: str) -> DirectoryGroup:
    found = identifier(pk)
    made = directory.groups_of(asked.organisation).filter(pk=found).first() if found else None
    if made is None:
        raise NotFoundException(detail="No such group")
    return made


def members_asked(asked: Asked, wanted: Group) -> dict[UUID, Membership]:
    """The memberships that the members of a group resource name, by the people whose they are."""
    named = _named(wanted)
    known = [pk for pk in named.values() if pk is not None]
    found = directory.memberships_named(asked.organisation, known)
    for text, pk in named.items():
        if pk not in found:
            raise no_such_member(text)
    return found


def _named(group: Group) -> dict[str, UUID | None]:
    """The identifiers of a group's members as they stand there; None for what can be nobody's."""
    named: dict[str, UUID | None] = {}
    for member in group.members or []:
        text = member.value or str(member.ref or "").rpartition("/")[2]
        is_user = (member.type or "User").lower() == "user"
        named[text if is_user else f"{member.type} {text}"] = identifier(text) if is_user else None
    return named


class _Changed(NamedTuple):
    """What became of a group's members."""

    strangers: list[str]
    """What was named, and is no active person of the company."""
    told: str
    """Empty when nothing changed."""


def change_members_of(
    asked: Asked, found: DirectoryGroup, body: Any, wanted: Group, *, may_add: bool
) -> _Changed:
    """Make the group's members those that are wanted, but for those who cannot be; whoever is to leave leaves."""
    group = found.group
    named = _named(wanted)
    known = [pk for pk in named.values() if pk is not None]
    with transaction.atomic():
        active = directory.memberships_named(asked.organisation, known)
        dormant = set(dormant_in(group))
        before = set(group.members.values_list("membership", flat=True))
        if not may_add:
            active = {pk: member for pk, member in active.items() if member.pk in before}
        change_members(
            group=group,
            members=list(active.values()),
            people=[
                pk
                for text in members_named(body, patch=asked.request.method == "PATCH")
                if (pk := identifier(text)) in active
            ],
            dormant=dormant.intersection(known),
            actor=asked.actor,
            now=timezone.now(),
        )
    after = {member.pk for member in active.values()}
    strangers = [text for text, pk in named.items() if pk not in active and pk not in dormant]
    told = [
        f"{len(those)} {'was' if len(those) == 1 else 'were'} {verb}"
        for those, verb in ((before - after, "removed"), (after - before, "added"))
        if those
    ]
    return _Changed(strangers, f"of the members, {' and '.join(told)}" if told else "")


def refused_as(error: Exception, changed: _Changed) -> Exception:
    return errors.RestRefused(error, changed.told) if changed.told else error


def wanted_group(asked: Asked, body: Any, before: Group) -> Group:
    if asked.request.method == "PUT":
        return read_group(body, Context.RESOURCE_REPLACEMENT_REQUEST)
    read_patch(Group, body).patch(before, scim_policy=TOLERANT)
    return before


def with_dormant(asked: Asked, found: DirectoryGroup) -> Group:
    """The group with its members, and with the inactive people who come back to it: a directory takes them out too."""
    group = group_resource(asked, found)
    dormant = [Member.model_validate({"value": str(pk)}) for pk in dormant_in(found.group)]
    group.members = [*(group.members or []), *dormant]
    return group


def no_such_member(text: str) -> InvalidValueException:
    return InvalidValueException(detail=f"{text!r} is no active user of the company")


def replaced_user(asked: Asked, before: WritableUser) -> User:
    wanted = read_user(body_of(asked.request), Context.RESOURCE_REPLACEMENT_REQUEST)
    if wanted.active is None:
        wanted.active = before.active
    return wanted


def patched_user(asked: Asked, before: WritableUser) -> User:
    """The user as the PATCH makes it. Directories write the address as userName and among the emails: it is one."""
    patch = read_patch(WritableUser, body_of(asked.request))
    addresses = _addresses(before)
    patch.patch(before, scim_policy=TOLERANT)
    if before.active is None:
        raise MutabilityException(detail="A user is active or is not")
    if _addresses(before) not in (addresses, [(before.user_name or "").lower()]):
        raise MutabilityException(detail="The e-mail address is the userName: map both to one attribute")
    return before


def _addresses(user: WritableUser) -> list[str]:
    return [(one.value or "").lower() for one in user.emails or []]


def require_version(asked: Asked, resource: Resource[Any]) -> None:
    wanted = asked.request.headers.get("If-Match")
    if wanted is not None and not names(wanted, resource):
        raise PreconditionFailedException


def names(header: str, resource: Resource[Any]) -> bool:
    """Whether a header of entity tags names the version that the resource has; tags are compared weakly."""
    version = (resource.meta.version or "") if resource.meta else ""
    tags = [tag.strip() for tag in header.split(",")]
    return "*" in tags or any(tag.removeprefix("W/") == version.removeprefix("W/") for tag in tags)


def user_resource(asked: Asked, person: DirectoryPerson, model: type[User] = User) -> Any:
    (known,) = directory.describe_people([person], with_groups=True)
    return asked.writer.user(known, model=model)


def group_resource(asked: Asked, found: DirectoryGroup, *, with_members: bool = True) -> Group:
    (known,) = directory.describe_groups([found], with_members=with_members)
    return asked.writer.group(known)


def response_context(asked: Asked) -> Context:
    if asked.request.method == "PUT":
        return Context.RESOURCE_REPLACEMENT_RESPONSE
    return Context.RESOURCE_PATCH_RESPONSE
