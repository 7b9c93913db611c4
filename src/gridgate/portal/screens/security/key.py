"""*Clés d’accès*: adding, naming, removing security keys and passkeys."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from gridgate.accounts.security import factors, keys, sessions
from gridgate.accounts.security.log import log_event
from gridgate.accounts.security.proof import By, prove
from gridgate.accounts.security.sign_ins import device_name
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.guards.second_factor import while_setting_up
from gridgate.portal.guards.step_up import own_security
from gridgate.portal.screens.security.forms import KeyForm


@while_setting_up
@account_page
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@own_security
def add(request: AccountRequest) -> HttpResponse:
    """A name, and what the browser answers to the challenge of the page."""
    device = device_name(request.headers.get("User-Agent", ""))
    form = KeyForm(request.POST if "name" in request.POST else None, initial={"name": device})
    if form.is_valid():
        credential = keys.register(keys.parse(request.POST.get("credential", "")))
        if credential is None:
            form.add_error("name", _("La clé n’a pas répondu comme attendu. Essayez encore."))
        else:
            return _add(request, form.cleaned_data["name"], credential)
    context: dict[str, object] = {"form": form, "keys_possible": keys.are_possible(request)}
    if context["keys_possible"]:
        context["options"] = keys.registration_options(request.user)
    return render(request, "security/key_add.html", context)


def _add(request: AccountRequest, name: str, credential: dict[str, object]) -> HttpResponse:
    try:
        factors.add_key(
            user=request.user,
            name=name,
            credential=credential,
            session_key=request.session.session_key,
            now=timezone.now(),
        )
    except factors.FactorExists:
        messages.error(request, _("Votre compte a déjà dix clés. Retirez-en une d’abord."))
        return redirect("account_security")
    sessions.go_on(request, request.user)
    prove(request, request.user, By.FACTOR, now=timezone.now())  # the key has just answered this session
    log_event("second factor added", request=request, user=request.user, type="webauthn")
    messages.success(
        request,
        _("La clé « %(name)s » est ajoutée : elle ouvre votre compte sans mot de passe.") % {"name": name},
    )
    return redirect("account_codes")


@while_setting_up
@account_page
@require_http_methods(["GET", "HEAD", "POST"])
@own_security
def page(request: AccountRequest, pk: int) -> HttpResponse:
    """Another name, or away with it."""
    has = factors.factors_of(user=request.user)
    key = next((one for one in has.keys if one.pk == pk), None)
    if key is None:
        raise Http404("not a key of this person")
    if "remove" in request.POST:
        return _remove(request, pk)
    form = KeyForm(request.POST if "name" in request.POST else None, initial={"name": key.data["name"]})
    if form.is_valid():
        factors.rename_key(user=request.user, pk=pk, name=form.cleaned_data["name"])
        messages.success(request, _("La clé a changé de nom."))
        return redirect("account_security")
    return render(request, "security/key.html", {"form": form, "key": key, "has": has})


def _remove(request: AccountRequest, pk: int) -> HttpResponse:
    try:
        factors.remove_factor(
            user=request.user, pk=pk, session_key=request.session.session_key, now=timezone.now()
        )
    except factors.LastFactor:
        messages.error(
            request,
            _(
                "Votre rôle demande la double authentification : ajoutez une autre clé ou une application de codes "
                "avant de retirer celle-ci."
            ),
        )
    else:
        sessions.go_on(request, request.user)
        log_event("second factor removed", request=request, user=request.user, type="webauthn")
        messages.success(
            request, _("La clé est retirée. Effacez-la aussi de votre appareil : il la proposerait encore.")
        )
    return redirect("account_security")
