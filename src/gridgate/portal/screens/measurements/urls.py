from django.urls import path

from gridgate.portal.screens.measurements import together, views

urlpatterns = [
    path("mesures/", views.index, name="measurements"),
    path("mesures/ensemble/", together.page, name="measurements_several"),
    path("mesures/ensemble/export", together.export, name="measurements_several_export"),
    path("mesures/<str:point_id>/", views.point, name="measurements_point"),
    path("mesures/<str:point_id>/valeurs/", views.values, name="measurements_values"),
    path("mesures/<str:point_id>/export.csv", views.export, name="measurements_export"),
    path("mesures/<str:point_id>/serie.json", views.series, name="measurements_series"),
]
