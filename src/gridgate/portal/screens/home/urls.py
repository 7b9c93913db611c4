from django.urls import path

from gridgate.portal.screens.home import views

urlpatterns = [path("", views.page, name="home")]
