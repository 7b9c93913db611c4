from django.urls import path

from gridgate.organisations.scim import views

urlpatterns = [
    path("ServiceProviderConfig", views.service_provider_config, name="scim_config"),
    path("ResourceTypes", views.resource_types, name="scim_resource_types"),
    path("ResourceTypes/<str:pk>", views.resource_types, name="scim_resource_type"),
    path("Schemas", views.schemas, name="scim_schemas"),
    path("Schemas/<str:pk>", views.schemas, name="scim_schema"),
    path("Users", views.users, name="scim_users"),
    path("Users/.search", views.search_users, name="scim_users_search"),
    path("Users/<str:pk>", views.user, name="scim_user"),
    path("Groups", views.groups, name="scim_groups"),
    path("Groups/.search", views.search_groups, name="scim_groups_search"),
    path("Groups/<str:pk>", views.group, name="scim_group"),
    path(".search", views.search_all, name="scim_search"),
    path("Me", views.me, name="scim_me"),
    path("Bulk", views.bulk, name="scim_bulk"),
    path("", views.nowhere, name="scim_root"),
    path("<path:path>", views.nowhere, name="scim_nowhere"),
]
