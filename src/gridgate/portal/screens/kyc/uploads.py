"""Receiving documents: of one that is too large the rest is let go as it arrives, and the form is kept."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from gridgate.portal.guards.access import View
from gridgate.portal.guards.acting import for_its_company


class LimitHandler(FileUploadHandler):
    """Passes each file on up to one piece more than an attachment may weigh, so that its size still tells."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._most = settings.ENVIRONMENT.attachment_megabytes * 1024 * 1024
        self._passed = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._passed = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if self._passed > self._most:
            return None
        self._passed += len(raw_data)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The handlers after this one have the file."""


def takes_documents(view: View) -> View:
    """For a view that receives documents. The limit must stand before the form is read, as the checks of its token and
    of its company do: hence the order.
    """
    protected = csrf_protect(for_its_company(view))

    @csrf_exempt
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.upload_handlers.insert(0, LimitHandler(request))
        return protected(request, *args, **kwargs)

    limited.__dict__.update(vars(view))
    limited.csrf_exempt = True  # type: ignore[attr-defined]
    limited.checks_company = True  # type: ignore[attr-defined]
    return limited
