"""The home page: what needs attention, who read last, the figures of the company."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gridgate.portal.access import MemberRequest


@require_safe
def page(request: MemberRequest) -> HttpResponse:
    return render(request, "home/home.html")
