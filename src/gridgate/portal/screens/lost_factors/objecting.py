"""`/opposition/<token>/`: the link by which a person says that it was not them who asked the operator.

Looking changes nothing, as programs that scan e-mails look at every link.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from gridgate.accounts.models import LostFactorState
from gridgate.accounts.operations.lost_factors import (
    LostFactorClosed,
    LostFactorNotFound,
    object_to,
    read_token,
)
from gridgate.portal.screens.activation.links import secret_address


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@secret_address
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Object, or read that it is too late or done."""
    now = timezone.now()
    try:
        lost = read_token(token)
        if request.method == "POST":
            lost = object_to(token=token, now=now)
    except LostFactorNotFound:
        return render(request, "lost_factors/objection.html", {"state": "unknown"}, status=404)
    except LostFactorClosed as refused:
        return render(request, "lost_factors/objection.html", {"state": refused.state.value}, status=409)
    state = lost.state(now)
    if state is LostFactorState.TO_CONFIRM:
        state = LostFactorState.WAITING  # as long as nobody has confirmed, it is the same to the person
    return render(request, "lost_factors/objection.html", {"state": state.value, "lost": lost})
