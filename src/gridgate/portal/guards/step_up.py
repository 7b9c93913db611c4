"""A proof asked before a sensitive act: put one line on the view.

    @require_http_methods(["GET", "HEAD", "POST"])
    @entitlement_required(EntitlementCode.DATA_SERVICES)
    @step_up_required(SensitiveAct.REVOKE_ALL)
    def revoke_company(request, siren): ...

Reading goes through. A POST, when the operator's policy lists the act and the session has no fresh proof, is kept and
the person is asked for a code at `/confirmation/`. That page carries the form on, and sends it with the code to where
it was going: guards, checks and errors are the view's own, at its own address, and nothing is done but by a POST of
the person. Files are not kept: after the code the person comes back to the page and sends it again.

A view that checks its form first calls `ask(request, SensitiveAct.X)` instead, and returns the answer if there is one.
`when` narrows the decorator to some of a view's POSTs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from gridgate.accounts.models import SensitiveAct, StepUpCode
from gridgate.accounts.security import factors, guesses, keys
from gridgate.accounts.security.log import log_event
from gridgate.accounts.security.policy import has_factor, policy
from gridgate.accounts.security.proof import By, is_proved, prove
from gridgate.accounts.security.sealing import Unreadable, seal, unseal
from gridgate.accounts.security.step_up import DIGITS, Refusal, TooManyCodes, live_code, make_code, use_code
from gridgate.core.text import compact
from gridgate.organisations.models import User
from gridgate.portal.guards.acting import OF_A_PAGE

View = Callable[..., HttpResponseBase]

CODE, KEY = "step_up_code", "step_up_key"
"""Form fields of the proof: digits, or a security key's answer."""
PENDING = "step_up"
"""Session key: what waits for a proof."""
OWN_SECURITY = "own_security"
"""The act of changing one's own second factors: asked whatever the policy says."""
STRONG_SESSION = "strong_session"
"""The act of going on in a session that has not proved the second factor which the person's role asks."""
LONGEST_FORM = 64 * 1024
_PURPOSE = "kept form"
_SAFE = ("GET", "HEAD", "OPTIONS")


def step_up_required(
    act: SensitiveAct, *, when: Callable[[HttpRequest], bool] | None = None
) -> Callable[[View], View]:
    """Ask for a proof before the view's POSTs (those for which `when` holds), if the policy lists the act."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if when is None or when(request):
                asked = ask(request, act)
                if asked is not None:
                    return asked
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def own_security(view: View) -> View:
    """For changes of one's own sign-in: always asked, for reading too; of a person who has one, a second factor."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        assert isinstance(user, User)
        asked = _demand(request, user, OWN_SECURITY, by_factor=has_factor(user=user))
        return view(request, *args, **kwargs) if asked is None else asked

    return guarded


def ask(request: HttpRequest, act: SensitiveAct, *, longest: int = LONGEST_FORM) -> HttpResponse | None:
    """The way to the page that asks for a proof; None when the act may go on. A form over `longest` is not kept."""
    user = request.user
    if request.method in _SAFE or not isinstance(user, User) or act not in policy(request).step_up_acts:
        return None
    return _demand(request, user, act, by_factor=False, longest=longest)


def ask_factor(request: HttpRequest, user: User) -> HttpResponse | None:
    """The way to the page that asks for a second factor; None when this request brings it, and may go on."""
    return _demand(request, user, STRONG_SESSION, by_factor=True)


@dataclass(slots=True)
class Pending:
    """What waits for a proof in a session."""

    act: str
    path: str
    back: str
    """Where to go without doing it."""
    membership: int | None = None
    """The company it is for: another one chosen meanwhile, and it is dropped."""
    form: str = ""
    """The kept POST, sealed: what a person typed is not for a copy of the registry. Empty: to come back and look."""
    files: bool = False
    by_factor: bool = False
    code: int | None = None
    refusal: str = ""
    fields: dict[str, list[str]] = field(default_factory=dict)

    @property
    def label(self) -> Any:
        return _label(self.act)

    @property
    def is_form(self) -> bool:
        return bool(self.form)


def pending(request: HttpRequest) -> Pending | None:
    """What waits in this session, with its form opened."""
    kept = request.session.get(PENDING)
    if not isinstance(kept, dict):
        return None
    waiting = Pending(**kept)
    if waiting.membership != _membership(request):
        return None
    if waiting.form:
        try:
            body = QueryDict(unseal(waiting.form, purpose=_PURPOSE))
        except Unreadable:
            return None
        waiting.fields = {name: [str(value) for value in values] for name, values in body.lists()}
    return waiting


def keep(request: HttpRequest, waiting: Pending) -> None:
    """Write it to the session; the opened form is not."""
    names = ("act", "path", "back", "membership", "form", "files", "by_factor", "code", "refusal")
    request.session[PENDING] = {name: getattr(waiting, name) for name in names}


def send_code(request: HttpRequest, user: User, waiting: Pending) -> StepUpCode | None:
    """Send a code and bind it to this session; None when it is too soon."""
    try:
        code = make_code(user=user, act=waiting.label, now=timezone.now())
    except TooManyCodes:
        return None
    waiting.code, waiting.refusal = code.pk, ""
    keep(request, waiting)
    log_event("step-up code sent", request=request, user=user, act=waiting.act)
    return code


def brings_proof(request: HttpRequest) -> bool:
    return request.method == "POST" and (CODE in request.POST or KEY in request.POST)


def attempt(request: HttpRequest, user: User, waiting: Pending) -> bool:
    """Take the proof that the request brings; when it is not accepted, say why in what waits."""
    refusal, by = _tried(request, user, waiting)
    if refusal is not None:
        log_event("step-up refused", request=request, user=user, act=waiting.act, by=by, why=refusal)
        waiting.refusal = refusal
        keep(request, waiting)
        return False
    prove(request, user, by, now=timezone.now())
    request.session.pop(PENDING, None)
    log_event("step-up accepted", request=request, user=user, act=waiting.act, by=by)
    return True


def _demand(
    request: HttpRequest, user: User, act: str, *, by_factor: bool, longest: int = LONGEST_FORM
) -> HttpResponse | None:
    waiting = pending(request)
    proof = brings_proof(request)
    if is_proved(request, user, now=timezone.now(), by_factor=by_factor):
        request.session.pop(PENDING, None)
    elif proof and waiting is not None and waiting.act == act:
        if not attempt(request, user, waiting):
            return redirect("step_up")
    else:
        return _suspend(request, user, act, by_factor=by_factor, longest=longest)
    if proof:
        _drop_proof(request)
    return None


def _suspend(request: HttpRequest, user: User, act: str, *, by_factor: bool, longest: int) -> HttpResponse:
    """Keep the request, send a code to whoever has nothing else, and show the page that asks for it."""
    before = pending(request)
    sent = live_code(before.code, now=timezone.now()) if before is not None else None
    body = "" if request.method in _SAFE else _body(request)
    too_much = bool(request.FILES) or len(body) > longest
    waiting = Pending(
        act=act,
        path=request.get_full_path(),
        back=_back(request),
        membership=_membership(request),
        form=seal(body, purpose=_PURPOSE) if body and not too_much else "",
        files=too_much,
        by_factor=by_factor,
        code=sent.pk if sent is not None else None,
    )
    keep(request, waiting)
    if sent is None and not by_factor and not has_factor(user=user):
        send_code(request, user, waiting)  # when it is too soon, the page says until when
    return redirect("step_up")


def _tried(request: HttpRequest, user: User, waiting: Pending) -> tuple[Refusal | None, By]:
    now = timezone.now()
    if KEY in request.POST:
        key = keys.recognise(keys.parse(request.POST[KEY]), user=user)
        return (None if key else Refusal.WRONG), By.FACTOR
    text = compact(request.POST[CODE])
    if len(text) == DIGITS and not waiting.by_factor:
        return use_code(user=user, pk=waiting.code, text=text, now=now), By.EMAIL
    guess = guesses.factor_attempt(request, user)
    if not guess.allowed:
        return Refusal.TOO_MANY, By.FACTOR
    if factors.check_code(user=user, text=text, now=now) is None:
        return Refusal.WRONG, By.FACTOR
    guess.take_back()
    return None, By.FACTOR


def _body(request: HttpRequest) -> str:
    dropped = {*OF_A_PAGE, CODE, KEY}
    # A form without any field is a form all the same.
    return urlencode(
        [(name, value) for name, values in request.POST.lists() if name not in dropped for value in values]
        or [("step_up", "1")]
    )


def _drop_proof(request: HttpRequest) -> None:
    """The view sees the form as it was sent first."""
    body = request.POST.copy()
    for name in (CODE, KEY):
        body.pop(name, None)
    request.POST = body  # type: ignore[assignment]


def _back(request: HttpRequest) -> str:
    came_from = request.META.get("HTTP_REFERER", "")
    safe = url_has_allowed_host_and_scheme(
        came_from, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    parts = urlsplit(came_from if safe else "/")
    return f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"


def _membership(request: HttpRequest) -> int | None:
    membership = getattr(request, "membership", None)
    return membership.pk if membership is not None else None


def _label(act: str) -> Any:
    if act == OWN_SECURITY:
        return _("Modifier la sécurité de votre compte")
    if act == STRONG_SESSION:
        return _("Continuer avec la double authentification")
    return SensitiveAct(act).label
