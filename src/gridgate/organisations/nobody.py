"""What stands in place of a person who deleted their account."""

from gridgate.organisations.handles import handle_of
from gridgate.organisations.models import User

DELETED_NAME = "Compte supprimé"


def nobodys_address(user: User) -> str:
    """One that no mail reaches, and that counts no accounts."""
    return f"compte-{handle_of('user', user.pk)}@supprime.invalid"
