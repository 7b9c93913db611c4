"""What time does to questionnaires. Sent inside the transaction that makes the change."""

from django.dispatch import Signal

kyc_ends_soon = Signal()
"""`questionnaire`, `last_day`, `step`, `now`: an accepted questionnaire ends within `step` days."""

kyc_ended = Signal()
"""`questionnaire`, `last_day`, `now`: an accepted questionnaire is no longer valid."""
