"""`/inscription/`: an account for somebody of no company. The answer is the same whoever the address belongs to."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.accounts.security.guesses import letter_attempt
from gridgate.onboarding.operations.sign_ups import sign_up
from gridgate.portal.refusals.waits import wait_first
from gridgate.portal.screens.activation.forms import SignUpForm


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Send a link to the address, or, when it has an account, word that it does."""
    if request.user.is_authenticated:
        return redirect("home")
    form = SignUpForm(request.POST or None, initial={"language": (get_language() or "fr")[:2]})
    if not form.is_valid():
        return render(request, "activation/sign_up.html", {"form": form})
    cleaned = form.cleaned_data
    attempt = letter_attempt(request, f"sign-up of {cleaned['email'].strip().lower()}")
    if not attempt.allowed:
        return wait_first(request, attempt)
    sign_up(
        email=cleaned["email"],
        full_name=cleaned["full_name"],
        language=cleaned["language"],
        now=timezone.now(),
    )
    return redirect("sign_up_sent")


@login_not_required
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """The same page for everyone who signed up."""
    return render(request, "activation/sign_up_sent.html")
