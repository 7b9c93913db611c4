from django.urls import path

from gridgate.portal.screens.metering_points import point, views

urlpatterns = [
    path("compteurs/", views.index, name="metering_points"),
    path("compteurs/export.csv", views.export, name="metering_points_export"),
    path("compteurs/<str:point_id>/", point.page, name="metering_point"),
]
