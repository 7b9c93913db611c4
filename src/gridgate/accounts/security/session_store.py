"""Where sessions lie: the cookie holds the key, the registry its hash, and beside it the session's data, sealed.

A copy of the registry opens no session, and tells nothing of what one holds: a form that waits for a code, what a
provider said of a person, the page to go on to after sign-in, which may be a link that opens something.
"""

import base64
import hashlib
from typing import Any

from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from gridgate.accounts.security.sealing import Unreadable, seal, unseal
from gridgate.core.unavailability import is_unavailable

_PURPOSE = "session"


def kept_as(key: str) -> str:
    """What the registry knows a session by: 240 bits of the hash of its key, which fill the library's columns.

    A key is drawn at random out of 165 bits: nobody finds it from its hash, without salt and at once computed.
    """
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()[:30]).decode("ascii")


def data_of(session: Session) -> dict[str, Any]:
    """What a row holds; nothing when it was sealed with another secret key."""
    return SessionStore().decode(session.session_data)


class SessionStore(DatabaseStore):
    """The library's, to which a session's key is the cookie's: only what goes to the registry, or is looked for there,
    is its hash.
    """

    def load(self) -> dict[str, Any]:
        key = self.session_key
        found = Session.objects.filter(session_key=kept_as(key or ""), expire_date__gt=timezone.now()).first()
        if key is None or found is None:
            self._session_key = None
            return {}
        return data_of(found)

    def save(self, must_create: bool = False) -> None:
        try:
            super().save(must_create)
        except UpdateError as error:
            # The library takes whatever the database says for a session that is gone, and answers 400.
            if is_unavailable(error) and error.__context__ is not None:
                raise error.__context__ from error.__context__.__cause__
            raise

    def exists(self, session_key: str) -> bool:
        return super().exists(kept_as(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row: Any = super().create_model_instance(data)
        row.session_key = kept_as(row.session_key)
        assert isinstance(row, Session)
        return row

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(kept_as(key))

    def encode(self, session_dict: dict[str, Any]) -> str:
        return seal(self.serializer().dumps(session_dict).decode("latin-1"), purpose=_PURPOSE)

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        try:
            text = unseal(str(session_data), purpose=_PURPOSE)
            data: dict[str, Any] = self.serializer().loads(text.encode("latin-1"))
        except (Unreadable, ValueError):
            return {}
        return data

    # The library's own ways around these for asynchronous views would go past the hash.
    aload, aexists, acreate = SessionBase.aload, SessionBase.aexists, SessionBase.acreate
    asave, adelete = SessionBase.asave, SessionBase.adelete
