"""The requests of SCIM (RFC 7644 §3): people, groups, searches, and what this service says of itself."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from scim2_models import (
    Context,
    NotFoundException,
    NotImplementedException,
    Resource,
    ResponseParameters,
    SearchRequest,
)

from gridgate.directory import queries as directory
from gridgate.directory.models import DirectoryGroup
from gridgate.directory.operations.groups import add_group, change_group, remove_group
from gridgate.directory.operations.people import add_person, change_person, deactivate_person, remove_person
from gridgate.portal.scim import answers, errors, service
from gridgate.portal.scim.asked import (
    body_of,
    change_members_of,
    group_named,
    group_resource,
    members_asked,
    names,
    no_such_member,
    parameters_of,
    patched_user,
    person_named,
    query_of,
    read_body,
    refuse_filter,
    refused_as,
    replaced_user,
    require_version,
    response_context,
    search_of,
    user_resource,
    wanted_group,
    with_dormant,
)
from gridgate.portal.scim.asking import Asked, answer_of, base_address, endpoint
from gridgate.portal.scim.bodies import described, members_left, read_group, read_user, says_inactive
from gridgate.portal.scim.reading import Found, find_both, find_groups, find_people
from gridgate.portal.scim.resources import Group, Page, User, WritableUser
from gridgate.portal.scim.searches import asks_for, read_search


@endpoint("GET")
def service_provider_config(asked: Asked) -> HttpResponse:
    refuse_filter(asked)
    documentation = settings.BASE_URL + reverse("company_directory")
    config = service.service_provider_config(base_address(), documentation)
    return answer_of(answers.dump(config, Context.RESOURCE_QUERY_RESPONSE))


@endpoint("GET")
def resource_types(asked: Asked, pk: str = "") -> HttpResponse:
    return _described(asked, service.resource_types(base_address()), pk)


@endpoint("GET")
def schemas(asked: Asked, pk: str = "") -> HttpResponse:
    return _described(asked, service.schemas(base_address()), pk)


@endpoint("GET", "POST")
def users(asked: Asked) -> HttpResponse:
    if asked.request.method != "POST":
        directory.know_everyone(asked.organisation, now=timezone.now())
        search = read_search(User, query_of(asked.request.GET))
        return _listed(find_people(asked.organisation, search, asked.writer), search)
    parameters = parameters_of(User, asked)
    body = body_of(asked.request)
    given = read_user(body, Context.RESOURCE_CREATION_REQUEST)
    now = timezone.now()
    with transaction.atomic():
        directory.know_everyone(asked.organisation, now=now)
        person = add_person(
            organisation=asked.organisation,
            email=given.user_name or "",
            described=described(given),
            active=given.active is not False and not says_inactive(body, patch=False),
            actor=asked.actor,
            now=now,
        )
    resource = user_resource(asked, person_named(asked, str(person.pk)))
    return _one(resource, Context.RESOURCE_CREATION_RESPONSE, parameters, status=201)


@endpoint("GET", "PUT", "PATCH", "DELETE")
def user(asked: Asked, pk: str) -> HttpResponse:
    if asked.request.method in ("GET", "HEAD"):
        parameters = parameters_of(User, asked)
        resource = user_resource(asked, person_named(asked, pk))
        return _unless_known(asked, resource, parameters)
    with transaction.atomic():
        person = person_named(asked, pk)
        require_version(asked, user_resource(asked, person, WritableUser))
        if asked.request.method == "DELETE":
            remove_person(person=person, actor=asked.actor, now=timezone.now())
            return HttpResponse(status=204)
        # A leaver is out before the rest is looked at: what is refused of it must not keep them in.
        patch = asked.request.method == "PATCH"
        inactive = says_inactive(read_body(asked.request).body, patch=patch)
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
        person = person_named(asked, pk)
        before = user_resource(asked, person, WritableUser)
        if after_version:
            require_version(asked, before)
        parameters = parameters_of(User, asked)
        wanted = (
            replaced_user(asked, before) if asked.request.method == "PUT" else patched_user(asked, before)
        )
        change_person(
            person=person,
            email=wanted.user_name or "",
            described=described(wanted),
            active=bool(wanted.active) and not inactive,
            actor=asked.actor,
            now=timezone.now(),
        )
    return _one(user_resource(asked, person_named(asked, pk)), response_context(asked), parameters)


@endpoint("GET", "POST")
def groups(asked: Asked) -> HttpResponse:
    if asked.request.method != "POST":
        directory.know_everyone(asked.organisation, now=timezone.now())
        search = read_search(Group, query_of(asked.request.GET))
        return _listed(find_groups(asked.organisation, search, asked.writer), search)
    parameters = parameters_of(Group, asked)
    given = read_group(body_of(asked.request), Context.RESOURCE_CREATION_REQUEST)
    with transaction.atomic():
        members = members_asked(asked, given)
        made = add_group(
            organisation=asked.organisation,
            name=given.display_name or "",
            external_id=given.external_id or "",
            members=members.values(),
            people=members.keys(),
            actor=asked.actor,
            now=timezone.now(),
        )
    resource = group_resource(asked, group_named(asked, str(made.pk)))
    return _one(resource, Context.RESOURCE_CREATION_RESPONSE, parameters, status=201)


@endpoint("GET", "PUT", "PATCH", "DELETE")
def group(asked: Asked, pk: str) -> HttpResponse:
    if asked.request.method in ("GET", "HEAD"):
        parameters = parameters_of(Group, asked)
        with_members = asks_for(parameters, "members")
        resource = group_resource(asked, group_named(asked, pk), with_members=with_members)
        return _unless_known(asked, resource, parameters)
    with transaction.atomic():
        found = group_named(asked, pk)
        require_version(asked, group_resource(asked, found, with_members=False))
        if asked.request.method == "DELETE":
            remove_group(group=found.group, actor=asked.actor, now=timezone.now())
            return HttpResponse(status=204)
    parameters = _change_group(asked, found)
    if asked.request.method == "PATCH" and not (parameters.attributes or parameters.excluded_attributes):
        return HttpResponse(status=204)  # a group may have thousands of members, whom nobody asked about
    with_members = asks_for(parameters, "members")
    resource = group_resource(asked, group_named(asked, pk), with_members=with_members)
    return _one(resource, response_context(asked), parameters)


def _change_group(asked: Asked, found: DirectoryGroup) -> ResponseParameters[Any]:
    """Make the group what the directory says. Its members come first: whoever is taken out is out, whatever is refused
    of the rest.
    """
    patch = asked.request.method == "PATCH"
    body, fault = read_body(asked.request)
    try:
        if fault is not None:
            raise fault
        parameters = parameters_of(Group, asked)
        wanted = wanted_group(asked, body, with_dormant(asked, found))
    except errors.EXPECTED as error:
        left = members_left(body, with_dormant(asked, found), patch=patch)
        raise refused_as(error, change_members_of(asked, found, body, left, may_add=False)) from error
    changed = change_members_of(asked, found, body, wanted, may_add=True)
    if changed.strangers:
        raise refused_as(no_such_member(", ".join(changed.strangers[:10])), changed)
    try:
        change_group(
            group=found.group,
            name=wanted.display_name or "",
            external_id=wanted.external_id or "",
            actor=asked.actor,
            now=timezone.now(),
        )
    except errors.EXPECTED as error:
        raise refused_as(error, changed) from error
    return parameters


@endpoint("POST")
def search_users(asked: Asked) -> HttpResponse:
    directory.know_everyone(asked.organisation, now=timezone.now())
    search = search_of(User, asked)
    return _listed(find_people(asked.organisation, search, asked.writer), search)


@endpoint("POST")
def search_groups(asked: Asked) -> HttpResponse:
    directory.know_everyone(asked.organisation, now=timezone.now())
    search = search_of(Group, asked)
    return _listed(find_groups(asked.organisation, search, asked.writer), search)


@endpoint("POST")
def search_all(asked: Asked) -> HttpResponse:
    directory.know_everyone(asked.organisation, now=timezone.now())
    search = search_of(User | Group, asked)
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


def _described(asked: Asked, resources: Sequence[dict[str, Any]], pk: str) -> HttpResponse:
    """All of what the service says of itself, or the one named."""
    refuse_filter(asked)
    if not pk:
        page = Page(0, len(resources))
        return answer_of(answers.listing(list(resources), total=len(resources), page=page))
    found = [one for one in resources if one["id"] == pk]
    if not found:
        raise NotFoundException
    return answer_of(found[0])


def _listed(found: Found, search: SearchRequest[Any]) -> HttpResponse:
    resources = [answers.dump(one, Context.RESOURCE_QUERY_RESPONSE, search) for one in found.resources]
    return answer_of(answers.listing(resources, total=found.total, page=found.page))


def _one(
    resource: Resource[Any], context: Context, parameters: ResponseParameters[Any], *, status: int = 200
) -> HttpResponse:
    response = answer_of(answers.dump(resource, context, parameters), status=status)
    if resource.meta is not None:
        response["ETag"] = resource.meta.version or ""
        response["Content-Location" if status == 200 else "Location"] = resource.meta.location or ""
    return response


def _unless_known(asked: Asked, resource: Resource[Any], parameters: ResponseParameters[Any]) -> HttpResponse:
    known = asked.request.headers.get("If-None-Match")
    if known is not None and names(known, resource):
        response = HttpResponse(status=304)
        response["ETag"] = (resource.meta.version or "") if resource.meta else ""
        return response
    return _one(resource, Context.RESOURCE_QUERY_RESPONSE, parameters)
