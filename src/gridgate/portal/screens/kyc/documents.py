"""Giving a document back: to whoever joined it, their company, and the operator's staff; always as a download."""

from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from gridgate.kyc.queries import attachment_of
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.requests.attachments import store


@account_page
@require_safe
def download(request: AccountRequest, number: str, pk: int) -> HttpResponseBase:
    """The query says who may; nothing else about the address tells whether there is such a document."""
    attachment = attachment_of(number, pk, user=request.user, actor=request.membership)
    documents = store()
    if not documents.has(attachment.sha256, size=attachment.size):
        raise Http404
    response = StreamingHttpResponse(
        documents.pieces(attachment.sha256), content_type=attachment.content_type
    )
    response["Content-Length"] = str(attachment.size)
    response["Content-Disposition"] = str(content_disposition_header(True, attachment.name))
    response["X-Content-Type-Options"] = "nosniff"
    return response
