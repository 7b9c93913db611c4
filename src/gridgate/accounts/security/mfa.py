"""What the account library's second factors ask of us: sealing, and names on the authenticator's screen."""

from typing import Any

import qrcode
from allauth.mfa.adapter import DefaultMFAAdapter
from qrcode.image.svg import SvgPathFillImage

from gridgate.accounts.security.sealing import seal, unseal
from gridgate.organisations.models import User
from gridgate.organisations.queries import operator

PURPOSE = "second factors"


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # the library has no types
    """Secrets are sealed in the registry; the portal goes by the operator's name."""

    def encrypt(self, text: str) -> str:
        return seal(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text, purpose=PURPOSE)

    def get_totp_issuer(self) -> str:
        return self._get_site_name()

    def get_totp_label(self, user: User) -> str:
        return f"{self.get_totp_issuer()}:{user.email}"

    def build_totp_svg(self, url: str) -> str:
        """Black on white, whatever the colours of the page: cameras read it no other way."""
        return str(qrcode.make(url, image_factory=SvgPathFillImage).to_string(encoding="unicode"))

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return {**entity, "id": user.key_handle.encode("ascii")}

    def _get_site_name(self) -> str:
        found = operator()
        return found.legal_name if found is not None else "Gridgate"
