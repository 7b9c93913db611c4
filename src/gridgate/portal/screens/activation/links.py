"""What a page that opens from an e-mailed link does with it: keep it from caches, from other sites and from being
repeated in what the browser says of where it came from.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

View = Callable[..., HttpResponse]


def secret_address(view: View) -> View:
    """For pages whose address opens something. The origin alone is told, which the protection of forms needs."""

    @wraps(view)
    def kept(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return never_cache(kept)
