"""How people come to act for companies. Sent inside the transaction that makes the change."""

from django.dispatch import Signal

invitation_sent = Signal()
"""`invitation`, `now`: an activation link is due to the person, for the first time or again."""

join_asked = Signal()
"""`asked`, a `JoinRequest`, `administrators`, of the company, `now`: somebody asks to act for a company that is here."""

join_answered = Signal()
"""`asked`, `until`, `now`: the company accepted or refused it. `until`: None, or when the person's last day is over."""
