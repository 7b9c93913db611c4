"""The two e-mails about a password. Plain text, in the person's language, sent beside the request.

They are not queued in the registry as notices are: the queue would keep the link, which opens the account. A
mail lost when the process is killed is asked for again.
"""

import logging
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from gridgate.accounts.security.reset_links import reset_links
from gridgate.organisations.handles import handle_of
from gridgate.organisations.models import User
from gridgate.portal.shell.context import operator_name

log = logging.getLogger("gridgate.accounts")

# One thread: the answer does not wait for the mail server, which would tell known addresses from unknown.
_postman = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")


def send_reset_link(user: User | None) -> None:
    """Send the person a link to choose a password; for nobody, do the same work and send nothing."""
    message = _reset_link(user or User(pk=0, email="personne@example.org", password="!"))  # noqa: S106
    if user is not None:
        _postman.submit(_send, message)


def tell_password_changed(user: User) -> None:
    """Tell the person, who may not be the one who did it."""
    with translation.override(user.language):
        message = EmailMessage(
            subject=_("%(portal)s : votre mot de passe a changé") % {"portal": operator_name()},
            body=_(
                "Bonjour,\n\n"
                "Le mot de passe de votre compte %(email)s vient de changer, et vos autres sessions sont "
                "fermées.\n\n"
                "Si ce n’est pas vous, choisissez-en un autre maintenant et prévenez l’administrateur de "
                "votre entreprise :\n%(link)s\n\n%(portal)s"
            )
            % {
                "email": user.email,
                "link": settings.BASE_URL + reverse("password_reset"),
                "portal": operator_name(),
            },
            to=[user.email],
        )
    _postman.submit(_send, message)


def wait() -> None:
    """Return when every e-mail handed over so far has left, or failed."""
    _postman.submit(int).result()


def _reset_link(user: User) -> EmailMessage:
    # The portal's own address, never the host name that the request came with: anyone can write that one.
    link = settings.BASE_URL + reverse(
        "password_reset_confirm",
        kwargs={
            "uidb64": handle_of("user", user.pk),
            "token": reset_links.make_token(user),
        },
    )
    with translation.override(user.language):
        return EmailMessage(
            subject=_("%(portal)s : choisir un mot de passe") % {"portal": operator_name()},
            body=_(
                "Bonjour,\n\n"
                "Pour choisir le mot de passe de votre compte %(email)s, ouvrez ce lien. Il vaut une heure "
                "et sert une fois :\n%(link)s\n\n"
                "Si vous n’avez rien demandé, ne faites rien : votre mot de passe reste le même.\n\n"
                "%(portal)s"
            )
            % {"email": user.email, "link": link, "portal": operator_name()},
            to=[user.email],
        )


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except Exception:  # the mail server's failures have no common ancestor, and nobody waits for this thread
        log.exception("the e-mail to %s could not be sent", message.to)
