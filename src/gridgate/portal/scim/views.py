"""The endpoints of RFC 7644 below `/scim/v2`, each confined to the company of the token that asks.

They have no session and no cookie: the bearer token is asked for at every request, before these are called (`door`).
"""

import json
import logging
from collections.abc import Callable, Sequence
from functools import wraps
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from scim2_models import (
    Context,
    ForbiddenException,
    InvalidSyntaxException,
    InvalidValueException,
    MutabilityException,
    NotFoundException,
    NotImplementedException,
    PreconditionFailedException,
    Resource,
    ResponseParameters,
    SearchRequest,
)

from gridgate.core.unavailability import is_unavailable
from gridgate.directory import queries as directory
from gridgate.directory.models import DirectoryGroup, DirectoryPerson, DirectoryToken
from gridgate.directory.operations.groups import (
    add_group,
    change_group,
    change_members,
    dormant_in,
    remove_group,
)
from gridgate.directory.operations.people import (
    add_person,
    change_person,
    deactivate_person,
    remove_person,
)
from gridgate.directory.operations.tokens import acting_as
from gridgate.organisations.models import Membership, Organisation
from gridgate.portal.scim import errors, wire
from gridgate.portal.scim.door import MEDIA_TYPE, Unavailable
from gridgate.portal.scim.reading import (
    Found,
    find_both,
    find_groups,
    find_people,
)
from gridgate.portal.scim.wire import (
    Group,
    User,
    WritableUser,
    Writer,
)

REQUESTS_A_MINUTE = 1800
"""By token and web process. Microsoft asks for 25 a second at least."""
_PARAMETERS = ("filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes")


class Asked(NamedTuple):
    """A request whose token is good."""

    request: HttpRequest
    token: DirectoryToken
    writer: Writer

    @property
    def organisation(self) -> Organisation:
        return self.token.organisation

    @property
    def actor(self) -> Membership:
        return acting_as(self.token)


View = Callable[..., HttpResponse]
_log = logging.getLogger(__name__)


def endpoint(*methods: str) -> Callable[[View], View]:
    """Keep to the methods and the limit, and say what goes wrong in SCIM's words."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, token: DirectoryToken, **named: str) -> HttpResponse:
            try:
                _require_within_limit(token)
                if request.method not in methods and not (request.method == "HEAD" and "GET" in methods):
                    raise errors.MethodNotAllowed(", ".join(methods))
                response = view(Asked(request, token, Writer(_base())), **named)
            except errors.EXPECTED as error:
                response = _refusal(error)
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.error("a directory cannot be answered: %s", error)
                response = _refusal(Unavailable())
            response["Cache-Control"] = "private, no-store"
            return response

        return answered

    return decorate


@endpoint("GET")
def service_provider_config(asked: Asked) -> HttpResponse:
    _refuse_filter(asked)
    documentation = settings.BASE_URL + reverse("company_directory")
    config = wire.service_provider_config(_base(), documentation)
    return _answer(wire.dump(config, Context.RESOURCE_QUERY_RESPONSE))


@endpoint("GET")
def resource_types(asked: Asked, pk: str = "") -> HttpResponse:
    return _described(asked, wire.resource_types(_base()), pk)


@endpoint("GET")
def schemas(asked: Asked, pk: str = "") -> HttpResponse:
    return _described(asked, wire.schemas(_base()), pk)


@endpoint("GET", "POST")
def users(asked: Asked) -> HttpResponse:
    if asked.request.method != "POST":
        directory.know_everyone(asked.organisation, now=timezone.now())
        search = wire.read_search(User, _query(asked.request.GET))
        return _listed(find_people(asked.organisation, search, asked.writer), search)
    parameters = _parameters(User, asked)
    body = _body(asked.request)
    given = wire.read_user(body, Context.RESOURCE_CREATION_REQUEST)
    now = timezone.now()
    with transaction.atomic():
        directory.know_everyone(asked.organisation, now=now)
        person = add_person(
            organisation=asked.organisation,
            email=given.user_name or "",
            described=wire.described(given),
            active=given.active is not False and not wire.says_inactive(body, patch=False),
            actor=asked.actor,
            now=now,
        )
    resource = _user(asked, _person(asked, str(person.pk)))
    return _one(resource, Context.RESOURCE_CREATION_RESPONSE, parameters, status=201)


@endpoint("GET", "PUT", "PATCH", "DELETE")
def user(asked: Asked, pk: str) -> HttpResponse:
    if asked.request.method in ("GET", "HEAD"):
        parameters = _parameters(User, asked)
        resource = _user(asked, _person(asked, pk))
        return _unless_known(asked, resource, parameters)
    with transaction.atomic():
        person = _person(asked, pk)
        _require_version(asked, _user(asked, person, WritableUser))
        if asked.request.method == "DELETE":
            remove_person(person=person, actor=asked.actor, now=timezone.now())
            return HttpResponse(status=204)
        # A leaver is out before the rest is looked at: what is refused of it must not keep them in.
        patch = asked.request.method == "PATCH"
        inactive = wire.says_inactive(_read(asked.request).body, patch=patch)
        out = inactive and deactivate_person(person=person, actor=asked.actor, now=timezone.now())
    try:
        return _changed_user(asked, pk, inactive=inactive, after_version=not out)
    except errors.EXPECTED as error:
        raise (errors.RestRefused(error, "the user is inactive now") if out else error) from error


def _changed_user(asked: Asked, pk: str, *, inactive: bool, after_version: bool) -> HttpResponse:
    """`inactive`: the request says so, and whatever else it says of that does not count. `after_version`: ask again for
    the version, which nothing of this request has changed yet.
    """
    with transaction.atomic():
        person = _person(asked, pk)
        before = _user(asked, person, WritableUser)
        if after_version:
            _require_version(asked, before)
        parameters = _parameters(User, asked)
        wanted = (
            _replaced_user(asked, before) if asked.request.method == "PUT" else _patched_user(asked, before)
        )
        change_person(
            person=person,
            email=wanted.user_name or "",
            described=wire.described(wanted),
            active=bool(wanted.active) and not inactive,
            actor=asked.actor,
            now=timezone.now(),
        )
    return _one(_user(asked, _person(asked, pk)), _response_context(asked), parameters)


@endpoint("GET", "POST")
def groups(asked: Asked) -> HttpResponse:
    if asked.request.method != "POST":
        directory.know_everyone(asked.organisation, now=timezone.now())
        search = wire.read_search(Group, _query(asked.request.GET))
        return _listed(find_groups(asked.organisation, search, asked.writer), search)
    parameters = _parameters(Group, asked)
    given = wire.read_group(_body(asked.request), Context.RESOURCE_CREATION_REQUEST)
    with transaction.atomic():
        members = _members(asked, given)
        made = add_group(
            organisation=asked.organisation,
            name=given.display_name or "",
            external_id=given.external_id or "",
            members=members.values(),
            people=members.keys(),
            actor=asked.actor,
            now=timezone.now(),
        )
    resource = _group_resource(asked, _group(asked, str(made.pk)))
    return _one(resource, Context.RESOURCE_CREATION_RESPONSE, parameters, status=201)


@endpoint("GET", "PUT", "PATCH", "DELETE")
def group(asked: Asked, pk: str) -> HttpResponse:
    if asked.request.method in ("GET", "HEAD"):
        parameters = _parameters(Group, asked)
        with_members = wire.asks_for(parameters, "members")
        resource = _group_resource(asked, _group(asked, pk), with_members=with_members)
        return _unless_known(asked, resource, parameters)
    with transaction.atomic():
        found = _group(asked, pk)
        _require_version(asked, _group_resource(asked, found, with_members=False))
        if asked.request.method == "DELETE":
            remove_group(group=found.group, actor=asked.actor, now=timezone.now())
            return HttpResponse(status=204)
    parameters = _change_group(asked, found)
    if asked.request.method == "PATCH" and not (parameters.attributes or parameters.excluded_attributes):
        return HttpResponse(status=204)  # a group may have thousands of members, whom nobody asked about
    with_members = wire.asks_for(parameters, "members")
    resource = _group_resource(asked, _group(asked, pk), with_members=with_members)
    return _one(resource, _response_context(asked), parameters)


def _change_group(asked: Asked, found: DirectoryGroup) -> ResponseParameters[Any]:
    """Make the group what the directory says. Its members come first: whoever is taken out is out, whatever is refused
    of the rest.
    """
    patch = asked.request.method == "PATCH"
    body, fault = _read(asked.request)
    try:
        if fault is not None:
            raise fault
        parameters = _parameters(Group, asked)
        wanted = _wanted_group(asked, body, _with_dormant(asked, found))
    except errors.EXPECTED as error:
        left = wire.members_left(body, _with_dormant(asked, found), patch=patch)
        raise _refused(error, _change_members(asked, found, body, left, may_add=False)) from error
    changed = _change_members(asked, found, body, wanted, may_add=True)
    if changed.strangers:
        raise _refused(_no_such_member(", ".join(changed.strangers[:10])), changed)
    try:
        change_group(
            group=found.group,
            name=wanted.display_name or "",
            external_id=wanted.external_id or "",
            actor=asked.actor,
            now=timezone.now(),
        )
    except errors.EXPECTED as error:
        raise _refused(error, changed) from error
    return parameters


@endpoint("POST")
def search_users(asked: Asked) -> HttpResponse:
    directory.know_everyone(asked.organisation, now=timezone.now())
    search = _search(User, asked)
    return _listed(find_people(asked.organisation, search, asked.writer), search)


@endpoint("POST")
def search_groups(asked: Asked) -> HttpResponse:
    directory.know_everyone(asked.organisation, now=timezone.now())
    search = _search(Group, asked)
    return _listed(find_groups(asked.organisation, search, asked.writer), search)


@endpoint("POST")
def search_all(asked: Asked) -> HttpResponse:
    directory.know_everyone(asked.organisation, now=timezone.now())
    search = _search(User | Group, asked)
    return _listed(find_both(asked.organisation, search, asked.writer), search)


@endpoint("GET", "POST", "PUT", "PATCH", "DELETE")
def me(asked: Asked) -> HttpResponse:
    raise NotImplementedException(detail="The token is a company's, not a person's")


@endpoint("POST")
def bulk(asked: Asked) -> HttpResponse:
    raise NotImplementedException(detail="Bulk operations are not supported")


@endpoint("GET", "POST", "PUT", "PATCH", "DELETE")
def nowhere(asked: Asked, path: str = "") -> HttpResponse:
    raise NotFoundException


# --- who asks ------------------------------------------------------------------------------------------------


class _Counts:
    """How many requests each token made in the present minute."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._requests: dict[int, int] = {}

    def count(self, token: int, minute: int) -> int:
        with self._lock:
            if minute != self._minute:
                self._minute, self._requests = minute, {}
            self._requests[token] = self._requests.get(token, 0) + 1
            return self._requests[token]


_counts = _Counts()


def _require_within_limit(token: DirectoryToken) -> None:
    if settings.ENVIRONMENT.quotas != "on":
        return
    if _counts.count(token.pk, int(timezone.now().timestamp()) // 60) > REQUESTS_A_MINUTE:
        raise errors.TooManyRequests


# --- what is asked -------------------------------------------------------------------------------------------


def _query(parameters: QueryDict) -> dict[str, str]:
    given = {name: str(parameters[name]) for name in _PARAMETERS if name in parameters}
    for name in ("attributes", "excludedAttributes"):
        if name in given and not given[name].strip(" ,"):
            raise InvalidValueException(detail=f"{name} names no attribute: name some, or leave it out")
    return given


def _parameters(model: type[Resource[Any]], asked: Asked) -> ResponseParameters[Any]:
    return wire.read_parameters(model, _query(asked.request.GET))


def _search(models: Any, asked: Asked) -> SearchRequest[Any]:
    return wire.read_search(models, _body(asked.request))


class _Read(NamedTuple):
    """A body as far as it can be read."""

    body: Any
    fault: Exception | None
    """Why it is refused all the same."""


def _read(request: HttpRequest) -> _Read:
    """The JSON of the body, with what is wrong in its texts, if anything is. Raises for what is no JSON at all."""
    kind = (request.content_type or "").lower()
    if kind and kind not in (MEDIA_TYPE, "application/json"):
        raise errors.UnsupportedMediaType
    no_json = InvalidSyntaxException(detail="The body is not JSON")
    try:
        # Bytes of another encoding become surrogates, which are no text.
        sent = request.body.decode(json.detect_encoding(request.body), "surrogateescape")
        try:
            body, fault = json.loads(sent, object_pairs_hook=wire.Spelt), None
        except ValueError:
            # Control characters that are not escaped, or a number without end: what stands around them can be read.
            body = json.loads(sent, object_pairs_hook=wire.Spelt, strict=False, parse_int=float)
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
        elif isinstance(one, wire.Spelt):
            for name, value in one.pairs:
                waiting += (name, value)
        elif isinstance(one, str):
            try:
                nul = b"\0" in one.encode() or nul
            except UnicodeEncodeError:  # half a surrogate pair is no text
                return InvalidSyntaxException(detail="The body is not JSON")
    return InvalidValueException(detail="A text holds a NUL character") if nul else None


def _body(request: HttpRequest) -> Any:
    """The JSON of the body. Raises `InvalidSyntaxException` or `InvalidValueException` where it is refused."""
    body, fault = _read(request)
    if fault is not None:
        raise fault
    return body


def _refuse_filter(asked: Asked) -> None:
    if "filter" in asked.request.GET:
        raise ForbiddenException(detail="What the service says of itself is not filtered")


def _person(asked: Asked, pk: str) -> DirectoryPerson:
    found = wire.identifier(pk)
    people = directory.people_of(asked.organisation)
    person = people.filter(pk=found).first() if found else None
    if person is None:
        raise NotFoundException(detail="No such user")
    return person


def _group(asked: Asked, pk: str) -> DirectoryGroup:
    found = wire.identifier(pk)
    made = directory.groups_of(asked.organisation).filter(pk=found).first() if found else None
    if made is None:
        raise NotFoundException(detail="No such group")
    return made


def _members(asked: Asked, wanted: Group) -> dict[UUID, Membership]:
    """The memberships that the members of a group resource name, by the people whose they are."""
    named = _named(wanted)
    known = [pk for pk in named.values() if pk is not None]
    found = directory.memberships_named(asked.organisation, known)
    for text, pk in named.items():
        if pk not in found:
            raise _no_such_member(text)
    return found


def _named(group: Group) -> dict[str, UUID | None]:
    """The identifiers of a group's members as they stand there; None for what can be nobody's."""
    named: dict[str, UUID | None] = {}
    for member in group.members or []:
        text = member.value or str(member.ref or "").rpartition("/")[2]
        is_user = (member.type or "User").lower() == "user"
        named[text if is_user else f"{member.type} {text}"] = wire.identifier(text) if is_user else None
    return named


class _Changed(NamedTuple):
    """What became of a group's members."""

    strangers: list[str]
    """What was named, and is no active person of the company."""
    told: str
    """Empty when nothing changed."""


def _change_members(
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
                for text in wire.members_named(body, patch=asked.request.method == "PATCH")
                if (pk := wire.identifier(text)) in active
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


def _refused(error: Exception, changed: _Changed) -> Exception:
    return errors.RestRefused(error, changed.told) if changed.told else error


def _wanted_group(asked: Asked, body: Any, before: Group) -> Group:
    if asked.request.method == "PUT":
        return wire.read_group(body, Context.RESOURCE_REPLACEMENT_REQUEST)
    wire.read_patch(Group, body).patch(before, scim_policy=wire.TOLERANT)
    return before


def _with_dormant(asked: Asked, found: DirectoryGroup) -> Group:
    """The group with its members, and with the inactive people who come back to it: a directory takes them out too."""
    group = _group_resource(asked, found)
    dormant = [wire.Member.model_validate({"value": str(pk)}) for pk in dormant_in(found.group)]
    group.members = [*(group.members or []), *dormant]
    return group


def _no_such_member(text: str) -> InvalidValueException:
    return InvalidValueException(detail=f"{text!r} is no active user of the company")


def _replaced_user(asked: Asked, before: WritableUser) -> User:
    wanted = wire.read_user(_body(asked.request), Context.RESOURCE_REPLACEMENT_REQUEST)
    if wanted.active is None:
        wanted.active = before.active
    return wanted


def _patched_user(asked: Asked, before: WritableUser) -> User:
    """The user as the PATCH makes it. Directories write the address as userName and among the emails: it is one."""
    patch = wire.read_patch(WritableUser, _body(asked.request))
    addresses = _addresses(before)
    patch.patch(before, scim_policy=wire.TOLERANT)
    if before.active is None:
        raise MutabilityException(detail="A user is active or is not")
    if _addresses(before) not in (addresses, [(before.user_name or "").lower()]):
        raise MutabilityException(detail="The e-mail address is the userName: map both to one attribute")
    return before


def _addresses(user: WritableUser) -> list[str]:
    return [(one.value or "").lower() for one in user.emails or []]


def _require_version(asked: Asked, resource: Resource[Any]) -> None:
    wanted = asked.request.headers.get("If-Match")
    if wanted is not None and not _names(wanted, resource):
        raise PreconditionFailedException


def _names(header: str, resource: Resource[Any]) -> bool:
    """Whether a header of entity tags names the version that the resource has; tags are compared weakly."""
    version = (resource.meta.version or "") if resource.meta else ""
    tags = [tag.strip() for tag in header.split(",")]
    return "*" in tags or any(tag.removeprefix("W/") == version.removeprefix("W/") for tag in tags)


# --- what is answered ----------------------------------------------------------------------------------------


def _base() -> str:
    return f"{settings.BASE_URL}/scim/v2"


def _user(asked: Asked, person: DirectoryPerson, model: type[User] = User) -> Any:
    (known,) = directory.describe_people([person], with_groups=True)
    return asked.writer.user(known, model=model)


def _group_resource(asked: Asked, found: DirectoryGroup, *, with_members: bool = True) -> Group:
    (known,) = directory.describe_groups([found], with_members=with_members)
    return asked.writer.group(known)


def _described(asked: Asked, resources: Sequence[dict[str, Any]], pk: str) -> HttpResponse:
    """All of what the service says of itself, or the one named."""
    _refuse_filter(asked)
    if not pk:
        page = wire.Page(0, len(resources))
        return _answer(wire.listing(list(resources), total=len(resources), page=page))
    found = [one for one in resources if one["id"] == pk]
    if not found:
        raise NotFoundException
    return _answer(found[0])


def _listed(found: Found, search: SearchRequest[Any]) -> HttpResponse:
    resources = [wire.dump(one, Context.RESOURCE_QUERY_RESPONSE, search) for one in found.resources]
    return _answer(wire.listing(resources, total=found.total, page=found.page))


def _one(
    resource: Resource[Any], context: Context, parameters: ResponseParameters[Any], *, status: int = 200
) -> HttpResponse:
    response = _answer(wire.dump(resource, context, parameters), status=status)
    if resource.meta is not None:
        response["ETag"] = resource.meta.version or ""
        response["Content-Location" if status == 200 else "Location"] = resource.meta.location or ""
    return response


def _unless_known(asked: Asked, resource: Resource[Any], parameters: ResponseParameters[Any]) -> HttpResponse:
    known = asked.request.headers.get("If-None-Match")
    if known is not None and _names(known, resource):
        response = HttpResponse(status=304)
        response["ETag"] = (resource.meta.version or "") if resource.meta else ""
        return response
    return _one(resource, Context.RESOURCE_QUERY_RESPONSE, parameters)


def _response_context(asked: Asked) -> Context:
    if asked.request.method == "PUT":
        return Context.RESOURCE_REPLACEMENT_RESPONSE
    return Context.RESOURCE_PATCH_RESPONSE


def _refusal(error: Exception) -> HttpResponse:
    fault = errors.fault_of(error)
    response = _answer(wire.error(*fault), status=fault.status)
    if isinstance(error, errors.MethodNotAllowed):
        response["Allow"] = error.allowed
    if isinstance(error, errors.TooManyRequests):
        response["Retry-After"] = "60"
    return response


def _answer(body: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return HttpResponse(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        content_type=MEDIA_TYPE,
        status=status,
    )
