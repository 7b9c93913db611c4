"""What the apps above may listen to. Sent inside the transaction that makes the change."""

from django.dispatch import Signal

membership_changed = Signal()
"""`membership`, `now`: a membership began or ended, or its role, entitlements or perimeter changed."""

last_day_set = Signal()
"""`membership`, `now`: until when a person acts for a company was set, moved or taken away."""

last_day_comes = Signal()
"""`membership`, `now`: the last day of a membership is near."""

added_by_directory = Signal()
"""`membership`, `now`: a company's own directory lets a person act for it, whom nobody asked before."""

request_changed = Signal()
"""`request`, `kind`, `verb`, `now`: a request to the operator was submitted, taken, returned, accepted, refused or
withdrawn.
"""

invitation_sent = Signal()
"""`invitation`, `now`: an activation link is due to the person, for the first time or again."""

account_deleted = Signal()
"""`user`, already without a name, and the former `email`, `full_name`, `language`; `companies`, the names of those it
acted for; `now`: a person deleted their account.
"""

join_asked = Signal()
"""`asked`, a `JoinRequest`, `administrators`, of the company, `now`: somebody asks to act for a company that is here."""

join_answered = Signal()
"""`asked`, `until`, `now`: the company accepted or refused it. `until`: None, or when the person's last day is over."""

step_up_code_made = Signal()
"""`code`, `act`, a lazy text, `now`: a one-time code is due to its person."""

factors_changed = Signal()
"""`user`, `change`, `now`: a way to sign in was added or removed, or the recovery codes made anew. `change` is
`totp_added`, `totp_removed`, `key_added`, `key_removed`, `codes_renewed`, `all_removed`, `link_added` or
`link_removed`.
"""

lost_factor_recorded = Signal()
"""`lost`, a `LostFactor`, `administrators`, of the companies that the person acts for, `now`: the operator checked who a
person is who lost every second factor; the person may object.
"""

new_device_signed_in = Signal()
"""`user`, `sign_in`, `now`: a person signed in from a device that they never did before."""

kyc_ends_soon = Signal()
"""`questionnaire`, `last_day`, `step`, `now`: an accepted questionnaire ends within `step` days."""

kyc_ended = Signal()
"""`questionnaire`, `last_day`, `now`: an accepted questionnaire is no longer valid."""
