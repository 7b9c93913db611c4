"""Signing in: after the first proof, the second factor of whoever has one."""

from allauth.account.internal.stagekit import clear_login
from allauth.mfa.stages import AuthenticateStage
from django.http import HttpResponse
from django.shortcuts import redirect

from gridgate.accounts.security.external_factor import is_brought
from gridgate.organisations.models import User
from gridgate.portal.signing_in.external import link_proved


class SecondFactorStage(AuthenticateStage):  # type: ignore[misc]  # the library has no types
    """The library's stage, at our address. A passkey is both proofs in one, so nothing is asked after it; nor after an
    ID token by which the provider has checked a second factor that counts.
    """

    urlname = "sign_in_code"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        if isinstance(user, User) and is_brought(self.request, user):
            return None, True
        if not self._should_handle(self.request):
            return None, True
        self.state["authentication_required"] = True
        return redirect(self.urlname), True

    def exit(self) -> HttpResponse:
        refusal = link_proved(self.login)
        if refusal:
            clear_login(self.request)
            return redirect("external_sign_in_refused", reason=refusal)
        response: HttpResponse = super().exit()
        return response

    def abort(self) -> HttpResponse:
        clear_login(self.request)
        return redirect("sign_in")
