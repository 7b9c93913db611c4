"""What becomes of accounts and of ways to sign in. Sent inside the transaction that makes the change."""

from django.dispatch import Signal

account_deleted = Signal()
"""`user`, already without a name, and the former `email`, `full_name`, `language`; `companies`, the names of those it
acted for; `now`: a person deleted their account.
"""

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
