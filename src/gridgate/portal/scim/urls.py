"""The addresses of the interface. Its models take a second to load: the first request that has a token does, not every
process, nor whoever asks.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from gridgate.portal.scim.door import let_in


def endpoint(route: str, view: str, *, name: str) -> URLPattern:
    """The address of a function of `views`. None of them has a session: the token is asked for at every request."""

    @csrf_exempt
    @login_not_required
    def answer(request: HttpRequest, **named: str) -> HttpResponse:
        token = let_in(request)
        if isinstance(token, HttpResponse):
            return token
        from gridgate.portal.scim import views

        response: HttpResponse = getattr(views, view)(request, token, **named)
        return response

    return path(route, answer, name=name)


urlpatterns = [
    endpoint("ServiceProviderConfig", "service_provider_config", name="scim_config"),
    endpoint("ResourceTypes", "resource_types", name="scim_resource_types"),
    endpoint("ResourceTypes/<str:pk>", "resource_types", name="scim_resource_type"),
    endpoint("Schemas", "schemas", name="scim_schemas"),
    endpoint("Schemas/<str:pk>", "schemas", name="scim_schema"),
    endpoint("Users", "users", name="scim_users"),
    endpoint("Users/.search", "search_users", name="scim_users_search"),
    endpoint("Users/<str:pk>", "user", name="scim_user"),
    endpoint("Groups", "groups", name="scim_groups"),
    endpoint("Groups/.search", "search_groups", name="scim_groups_search"),
    endpoint("Groups/<str:pk>", "group", name="scim_group"),
    endpoint(".search", "search_all", name="scim_search"),
    endpoint("Me", "me", name="scim_me"),
    endpoint("Bulk", "bulk", name="scim_bulk"),
    endpoint("", "nowhere", name="scim_root"),
    endpoint("<path:path>", "nowhere", name="scim_nowhere"),
]
