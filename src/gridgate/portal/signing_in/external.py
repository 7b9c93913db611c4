"""Signing in with an OpenID Connect provider that the operator has chosen: what is asked of it, and whom it lets in.

The account library speaks the protocol (code flow, PKCE, state); here are the checks that it leaves out (nonce, the
ID token's signature whatever way it came, `sub` of the user info, https of every address) and whose account it is. A
person is known by issuer and subject. The first time, their address decides, and only when the provider vouches for
it; an account that has a second factor here is then linked by whoever shows it, and by nobody else.
"""

from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.base.constants import AuthError
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from gridgate.accounts.operations.external_accounts import (
    AccountClosed,
    LinkedElsewhere,
    is_linked,
    link_external_account,
)
from gridgate.accounts.security import external_factor
from gridgate.accounts.security.log import log_event
from gridgate.accounts.security.policy import has_factor, policy
from gridgate.core.text import address, line
from gridgate.organisations.models import User

ALGORITHMS = ("RS256", "PS256", "ES256", "RS384", "PS384", "ES384", "RS512", "PS512", "ES512", "EdDSA")
"""Signatures by a key that the provider publishes; never by a shared secret, and never none."""
CLOCKS_APART = 60
PENDING = "external_sign_up"
"""Session key: what the provider said of somebody who has no account yet."""
PENDING_SECONDS = 600
TO_LINK = "to_link"
"""In the state of a sign-in that waits for a second factor: to whom the provider's person is linked once it is shown."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says of a person."""

    issuer: str
    subject: str
    email: str = ""
    verified: bool = False
    name: str = ""
    language: str = ""
    second_factor: external_factor.Shown = field(default_factory=external_factor.Shown)
    """What the ID token says of a second factor shown there. Whether that counts is asked when it is made use of."""


class Refusal:
    """Why nobody signs in; each is a page, named in its address."""

    CANCELLED = "annulee"
    UNVERIFIED = "adresse"
    CLOSED = "compte-ferme"
    OTHER = "autre-compte"
    UNAVAILABLE = "indisponible"
    FAILED = "echec"
    ALL = (CANCELLED, UNVERIFIED, CLOSED, OTHER, UNAVAILABLE, FAILED)


class ExternalSignInAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # the library has no types
    """Whom the library lets in, and where it leads who is not."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The one that the environment names; none is kept in the registry."""
        environment = settings.ENVIRONMENT
        if not environment.oidc_issuer:
            return []
        return [
            SocialApp(
                provider=OpenIDConnectProvider.id,
                provider_id=environment.oidc_issuer,
                name=environment.oidc_name,
                client_id=environment.oidc_client_id,
                secret=environment.oidc_client_secret,
                settings={"server_url": environment.oidc_issuer, "oauth_pkce_enabled": True},
            )
        ]

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> "Provider":
        return Provider(request, app=self.get_app(request, provider=provider, client_id=client_id))

    def authenticate_by_email(self, sociallogin: Any) -> None:
        """Never by the library: `pre_social_login` looks further than it would."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Who is known goes on to sign in; anybody else is led away."""
        claims: Claims = sociallogin.claims
        if sociallogin.is_existing:
            if not sociallogin.user.is_active:
                raise _refused(request, Refusal.CLOSED, sociallogin.state, user=sociallogin.user)
            bring_factor(request, sociallogin.user, claims)
            return
        if not claims.email or not claims.verified:
            raise _refused(request, Refusal.UNVERIFIED, sociallogin.state)
        user = User.objects.filter(email__iexact=claims.email).first()
        if user is None:
            request.session[PENDING] = {
                "claims": asdict(claims),
                "next": sociallogin.state.get("next") or "",
                "until": int(timezone.now().timestamp()) + PENDING_SECONDS,
            }
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse("external_sign_up")))
        try:
            if asks_own_factor(user, claims):
                onwards = sociallogin.state.get("next") or ""
                raise ImmediateHttpResponse(prove_then_link(request, user, claims, onwards=onwards))
            link = link_external_account(
                user=user, issuer=claims.issuer, subject=claims.subject, now=timezone.now()
            )
        except AccountClosed:
            raise _refused(request, Refusal.CLOSED, sociallogin.state, user=user) from None
        except LinkedElsewhere:
            raise _refused(request, Refusal.OTHER, sociallogin.state, user=user) from None
        sociallogin.user, sociallogin.account = user, link
        bring_factor(request, user, claims)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Every failure of the exchange ends on a page of ours."""
        state = (extra_context or {}).get("state") or {}
        if error == AuthError.CANCELLED or request.GET.get("error") == "access_denied":
            raise _refused(request, Refusal.CANCELLED, state)
        reason = Refusal.UNAVAILABLE if isinstance(exception, RequestException) else Refusal.FAILED
        raise _refused(request, reason, state, cause=type(exception).__name__ if exception else "state")


class Provider(OpenIDConnectProvider):  # type: ignore[misc]  # the library has no types
    """The library's provider, at our addresses; of what it says nothing is kept."""

    def get_oauth2_adapter(self, request: HttpRequest) -> "Exchange":
        return Exchange(request, self.app.provider_id)

    def get_login_url(self, request: HttpRequest, **more: Any) -> str:
        return reverse("external_sign_in")

    def get_callback_url(self) -> str:
        return reverse("external_sign_in_return")

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        return {}


class Exchange(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # the library has no types
    """What is asked of the provider, and the checks of its answers."""

    state: dict[str, Any] | None = None
    """What was kept when the person left for the provider."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """The provider's own description, once a request, when it is the issuer that the operator named."""
        if not hasattr(self, "_openid_config"):
            found = super().openid_config
            addresses = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if not isinstance(found, dict) or not all(isinstance(found.get(one), str) for one in addresses):
                raise OAuth2Error("the provider does not describe itself")
            issuer = settings.ENVIRONMENT.oidc_issuer
            if str(found.get("issuer", "")).rstrip("/") != issuer:
                raise OAuth2Error("the provider's description is another issuer's")
            if not all(_as_safe_as(issuer, found[one]) for one in addresses):
                raise OAuth2Error("the provider names an address without https")
            self._openid_config = found
        described: dict[str, Any] = self._openid_config
        return described

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """The portal's own address, never the host name that the request came with."""
        return str(settings.BASE_URL) + reverse("external_sign_in_return")

    def get_access_token_data(self, request: HttpRequest, app: SocialApp, client: Any, **more: Any) -> Any:
        try:
            return super().get_access_token_data(request, app, client, **more)
        except (KeyError, TypeError, ValueError) as error:
            raise OAuth2Error("the provider's answer is not understood") from error

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        return SocialToken(token=str(data["access_token"]))

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **more: Any) -> Any:
        """Read the ID token and, for the address when it is missing there, the user info."""
        id_token = more["response"].get("id_token")
        if not isinstance(id_token, str):
            raise OAuth2Error("the provider gave no ID token")
        said = self._decode_id_token(app, id_token)
        # Before the user info adds to it: nobody has signed that.
        factor = external_factor.shown_by(said, policy(request))
        if "email" not in said and self.openid_config.get("userinfo_endpoint"):
            said = {**self._user_info(token.token, said["sub"]), **said}
        claims = _claims(settings.ENVIRONMENT.oidc_issuer, said, factor)
        login = self.get_provider().sociallogin_from_response(request, {"id_token": {"sub": claims.subject}})
        login.claims = claims
        return login

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        config = self.openid_config
        try:
            keys = KeySet.import_key_set(self._read(config["jwks_uri"]))
            said = jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                now=int(timezone.now().timestamp()),
                leeway=CLOCKS_APART,
                iss={"essential": True, "value": config["issuer"]},
                aud={"essential": True, "value": app.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": (self.state or {}).get("nonce") or ""},
            ).validate(said)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise OAuth2Error("the ID token does not hold") from error
        several = isinstance(said["aud"], list) and len(said["aud"]) > 1
        if said.get("azp", None if several else app.client_id) != app.client_id or not said["sub"]:
            raise OAuth2Error("the ID token is for somebody else")
        return dict(said)

    def _user_info(self, access_token: str, subject: str) -> dict[str, Any]:
        address = self.openid_config["userinfo_endpoint"]
        if not _as_safe_as(settings.ENVIRONMENT.oidc_issuer, address):
            raise OAuth2Error("the provider names an address without https")
        found = self._read(address, Authorization=f"Bearer {access_token}")
        if not isinstance(found, dict) or found.get("sub") != subject:
            raise OAuth2Error("the user info is somebody else's")
        return found

    def _read(self, address: str, **headers: str) -> Any:
        with ExternalSignInAdapter(self.request).get_requests_session() as session:
            answer = session.get(address, headers=headers)
            answer.raise_for_status()
            return answer.json()


class _Return(OAuth2CallbackView):  # type: ignore[misc]  # the library has no types
    """The library's, which hands on what was kept: the nonce, and the page that was asked for."""

    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, response = super()._get_state(request, provider)
        if state is not None:
            self.adapter.state = state
        return state, response


def start(request: HttpRequest, *, onwards: str, nonce: str) -> HttpResponse:
    """Send the person to the provider. Raises `RequestException` or `OAuth2Error` when it does not answer as one."""
    provider = ExternalSignInAdapter(request).get_provider(request, settings.ENVIRONMENT.oidc_issuer)
    asked = {"nonce": nonce, **external_factor.asked_of_provider(policy(request))}
    response: HttpResponse = provider.redirect(
        request, process="login", next_url=onwards or None, auth_params=asked, nonce=nonce
    )
    return response


def bring_factor(request: HttpRequest, user: User, claims: Claims) -> None:
    """Let the sign-in that this request makes count for what the ID token says was checked."""
    now = timezone.now()
    external_factor.bring(request, user, issuer=claims.issuer, shown=claims.second_factor, now=now)


def asks_own_factor(user: User, claims: Claims) -> bool:
    """Whether the account has a second factor and this person has never come to it from the provider: that it is theirs
    is then said by the address alone. Raises `AccountClosed`, and `LinkedElsewhere`.
    """
    known = is_linked(user=user, issuer=claims.issuer, subject=claims.subject)
    return not known and has_factor(user=user)


def prove_then_link(request: HttpRequest, user: User, claims: Claims, *, onwards: str) -> HttpResponse:
    """Ask for the account's own second factor, whatever the provider says of one. `link_proved` makes the link."""
    if request.user.is_authenticated:
        get_account_adapter().logout(request)
    record_authentication(request, user, "socialaccount", provider=claims.issuer, uid=claims.subject)
    login = Login(user=user, redirect_url=onwards or None, state={TO_LINK: [claims.issuer, claims.subject]})
    response: HttpResponse = perform_login(request, login)
    return response


def link_proved(login: Login) -> str:
    """The second factor was shown: make the link for which it was asked, if it was. Why not, as a `Refusal`."""
    issuer, subject = login.state.get(TO_LINK, (None, None))
    if issuer is None:
        return ""
    if issuer != settings.ENVIRONMENT.oidc_issuer:  # replaced meanwhile
        return Refusal.FAILED
    try:
        link_external_account(user=login.user, issuer=issuer, subject=subject, now=timezone.now())
    except AccountClosed:
        return Refusal.CLOSED
    except LinkedElsewhere:
        return Refusal.OTHER
    return ""


def finish(request: HttpRequest) -> HttpResponse:
    """What becomes of somebody who comes back from the provider."""
    exchange = Exchange(request, settings.ENVIRONMENT.oidc_issuer)
    try:
        response: HttpResponse = _Return.adapter_view(exchange)(request)
    except (RequestException, OAuth2Error) as error:  # the library expects none before it asks for the token
        reason = Refusal.UNAVAILABLE if isinstance(error, RequestException) else Refusal.FAILED
        refused = _refused(request, reason, exchange.state or {}, cause=type(error).__name__)
        response = refused.response
    return response


def _refused(
    request: HttpRequest, reason: str, state: dict[str, Any], *, user: User | None = None, **facts: object
) -> ImmediateHttpResponse:
    log_event("sign-in refused", request=request, user=user, method="openid", reason=reason, **facts)
    onwards = state.get("next")
    query = f"?{urlencode({'next': onwards})}" if onwards else ""
    return ImmediateHttpResponse(
        HttpResponseRedirect(reverse("external_sign_in_refused", kwargs={"reason": reason}) + query)
    )


def _claims(issuer: str, said: dict[str, Any], factor: external_factor.Shown) -> Claims:
    parts = (said.get("given_name"), said.get("family_name"))
    name = said.get("name") or " ".join(str(part) for part in parts if part)
    language = str(said.get("locale") or "")[:2].lower()
    return Claims(
        issuer=issuer,
        subject=str(said["sub"]),
        email=address(str(said.get("email") or "")),
        verified=said.get("email_verified") is True or said.get("email_verified") == "true",
        name=line(str(name))[:120],
        language=language if language in ("fr", "en") else "",
        second_factor=factor,
    )


def _as_safe_as(issuer: str, address: str) -> bool:
    """https, unless the provider is on this very machine, as in tests."""
    return urlsplit(address).scheme in ("https", urlsplit(issuer).scheme)
