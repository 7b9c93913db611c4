from django.urls import path

from gridgate.portal.screens.collection import summary, views

urlpatterns = [
    path("collecte/", views.index, name="collection"),
    path("collecte/resume/", summary.page, name="collection_summary"),
    path("collecte/<str:point_id>/", views.point, name="collection_point"),
]
