"""What this room tells the rest of the house of itself (`core.capability`)."""

from datetime import datetime

from gridgate.core.capability import PersonalData, Rows, iso
from gridgate.organisations.models import User


def _directories(user: User) -> Rows:
    return [
        {
            "company": row.organisation.as_said,
            "display_name": row.display_name,
            "formatted_name": row.formatted_name,
            "given_name": row.given_name,
            "family_name": row.family_name,
            "preferred_language": row.preferred_language,
            "since": iso(row.created_at),
        }
        for row in user.directory_people.select_related("organisation").order_by("created_at", "pk")
    ]


def _forget(user: User, now: datetime) -> None:
    user.directory_people.all().delete()
    user.memberships.exclude(external_id="").update(external_id="")


PERSONAL_DATA = PersonalData(sections={"directories": _directories}, forget=_forget)
