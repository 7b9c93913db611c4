"""What rows are called in addresses and forms."""

from typing import Any

from gridgate.organisations.handles import handle_of

KINDS = {
    "DirectoryToken": "directory_token",
    "Invitation": "invitation",
    "JoinRequest": "join_request",
    "KycAttachment": "document",
    "LostFactor": "lost_factor",
    "Membership": "member",
    "Organisation": "company",
    "PreparedFile": "prepared_file",
    "User": "user",
    "UserGroup": "group",
    "UserSession": "session",
}


def handle(row: Any) -> str:
    """The handle of a row, by its model."""
    return handle_of(KINDS[type(row).__name__], row.pk)
