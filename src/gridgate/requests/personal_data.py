"""What a person asked of the operator, in the copy of their data: the same of every kind."""

from typing import Any

from gridgate.core.capability import iso
from gridgate.requests.models import OperatorRequest


def told(kind: str, request: OperatorRequest, content: dict[str, Any]) -> dict[str, Any]:
    """One request. What was asked for a company is the company's: it is told without its content (article 15(4))."""
    company = request.organisation
    return {
        "kind": kind,
        "number": request.number,
        "company": None if company is None else company.as_said,
        "state": str(request.state),
        "created_at": iso(request.created_at),
        "submitted_at": iso(request.submitted_at),
        "decided_at": iso(request.decided_at),
        "content": content if company is None else None,
    }
