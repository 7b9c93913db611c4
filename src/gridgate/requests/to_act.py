"""What somebody has asked of the operator and must act on: requests sent back, drafts, what is to be renewed."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ToAct:
    """One request that waits for the company. `title` is the name asked for, of a code.

    `returned`: a complement is asked for; else a draft, or, with `number` empty, a questionnaire to be renewed. `due_at`
    is the end of the accepted questionnaire that it is to replace.
    """

    number: str
    title: str
    returned: bool
    due_at: datetime | None = None
