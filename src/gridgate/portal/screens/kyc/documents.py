"""Giving a document back: to whoever joined it, their company, and the operator's staff; always as a download."""

from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from gridgate.organisations.attachments import store
from gridgate.organisations.kyc_queries import attachment_of
from gridgate.portal.access import AccountRequest, account_page


@account_page
@require_safe
def download(request: AccountRequest, number: str, pk: int) -> HttpResponseBase:
    """The query says who may; nothing else about the address tells whether there is such a document."""
    found = attachment_of(number, pk, user=request.user, actor=request.membership)
    try:
        content = store().open(found.sha256)
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(content, as_attachment=True, filename=found.name, content_type=found.content_type)
    response["X-Content-Type-Options"] = "nosniff"
    return response
