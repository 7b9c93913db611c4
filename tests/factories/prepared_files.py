"""A file of measurements that was prepared for a member."""

from collections.abc import Sequence
from datetime import date, datetime

from gridgate.delivery.folder import folder
from gridgate.delivery.models import PreparedFile
from gridgate.organisations.models import Membership

CONTENT = b"metering_point,name,start,end,daily_energy withdrawal (Wh)\r\n"


def make_prepared_file(member: Membership, points: Sequence[str], *, now: datetime) -> PreparedFile:
    """Ready, with nothing that must still be readable but the points themselves; it holds no value."""
    from gridgate.delivery.operations.prepared_files import KEPT

    file = PreparedFile(
        membership=member,
        name=f"{PreparedFile.objects.count():032x}",
        quantity="energie",
        direction="soutirage",
        first=date(2026, 11, 1),
        after=date(2026, 11, 20),
        points=list(points),
        count=len(points),
        address="?tous=1",
        format="csv",
        language="fr",
        state=PreparedFile.State.READY,
        done=len(points),
        rights={"spans": [[]], "points": {point: [0, None] for point in points}},
        created_at=now,
        ready_at=now,
        expires_at=now + KEPT,
        attempts=1,
    )
    with folder().attempt(file.name, 1) as made:
        (made / "values.csv").write_bytes(CONTENT)
        file.size = folder().flush(made / "values.csv")
        folder().keep(made / "values.csv", file.name)
    file.save()
    return file
