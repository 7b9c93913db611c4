"""The pages behind the footer, open to all, and the operator's style sheet."""

import os
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe


def _layout(request: HttpRequest) -> str:
    return "base.html" if request.user.is_authenticated else "solo.html"


@login_not_required
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """The accessibility statement."""
    return render(request, "pages/accessibility.html", {"layout": _layout(request)})


@login_not_required
@require_safe
def personal_data(request: HttpRequest) -> HttpResponse:
    """What the portal keeps about persons, why, how long."""
    return render(request, "pages/personal_data.html", {"layout": _layout(request)})


@login_not_required
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """The questions people ask, and whom to contact."""
    return render(request, "pages/help.html", {"layout": _layout(request)})


def _brand_file() -> Path | None:
    path = getattr(settings, "GRIDGATE_BRAND_CSS", None)
    return Path(path) if path and Path(path).is_file() and os.access(path, os.R_OK) else None


def _brand_version(request: HttpRequest) -> str | None:
    path = _brand_file()
    return f'"{path.stat().st_mtime_ns:x}-{path.stat().st_size:x}"' if path else None


@login_not_required
@require_safe
@cache_control(public=True, max_age=300)
@condition(etag_func=_brand_version)
def brand_css(request: HttpRequest) -> HttpResponse:
    """The operator's 20 properties, from the file that `GRIDGATE_BRAND_CSS` names."""
    path = _brand_file()
    if path is None:
        raise Http404("no brand")
    return HttpResponse(path.read_bytes(), content_type="text/css; charset=utf-8")
