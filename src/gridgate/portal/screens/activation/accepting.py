"""`/conditions/accepter/`: the version in force, to accept before going on to the page that was asked for."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.accounts.onwards import leads_here
from gridgate.onboarding.operations.terms import TermsNotAccepted, accept_terms
from gridgate.onboarding.terms import terms_owed
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.guards.second_factor import while_setting_up
from gridgate.portal.guards.terms import before_terms, forget_terms_owed
from gridgate.portal.screens.activation.forms import TermsForm
from gridgate.portal.screens.activation.terms import text_of


@account_page
@before_terms
@while_setting_up
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AccountRequest) -> HttpResponse:
    """Ask, then go on. Whoever owes nothing goes on at once."""
    now = timezone.now()
    terms = terms_owed(user=request.user, now=now)
    if terms is None:
        forget_terms_owed(request)
        return HttpResponseRedirect(_onwards(request))
    form = TermsForm(request.POST if request.method == "POST" else None, terms=terms, shown=True)
    if form.is_valid():
        company = request.membership.organisation if request.membership is not None else None
        try:
            accept_terms(user=request.user, terms=terms, organisation=company, now=now)
        except TermsNotAccepted:
            return redirect(request.get_full_path())
        forget_terms_owed(request)
        messages.success(request, _("Vous avez accepté les conditions générales."))
        return HttpResponseRedirect(_onwards(request))
    text, language = text_of(terms)
    context = {
        "form": form,
        "terms": terms,
        "text": text,
        "text_language": language,
        "again": request.user.accepted_terms.exists(),
        "next": _onwards(request),
    }
    return render(request, "activation/accept.html", context)


def _onwards(request: AccountRequest) -> str:
    """The page that was asked for, when it is one of this portal's."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return wanted if leads_here(request, wanted) else reverse(settings.LOGIN_REDIRECT_URL)
