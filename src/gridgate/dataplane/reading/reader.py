"""In whose name it is read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: an organisation, through a user of the portal or an application."""

    organisation: int
    organisation_name: str
    user: int | None = None
    user_name: str | None = None
    application: str | None = None
    """The client_id."""
