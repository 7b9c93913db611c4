"""One case, and what all of them came to."""

import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Case:
    """A request. Texts hold the bytes of headers, path and query as they leave."""

    route: str
    method: str
    path: str
    query: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: bool = False
    """The connection ends within the body."""
    role: str = ""
    touched: tuple[str, ...] = ()
    """Which parameters are not what they should be; headers with a colon."""

    def __str__(self) -> str:
        who = f" as {self.role}" if self.role else ""
        query = f"?{self.query}" if self.query else ""
        body = f" body {self.body[:600]!r}" if self.body else ""
        headers = {name: value[:120] for name, value in self.headers.items()}
        return f"{self.method} {self.path[:300]}{query[:600]}{who} {headers}{body}{' cut off' * self.cut}"


@dataclass(slots=True)
class Report:
    """What came of the cases so far."""

    cases: int = 0
    routes: set[str] = field(default_factory=set)
    parameters: set[tuple[str, str]] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, list[str]] = field(default_factory=dict)
    """By what happened, the cases by which it did."""

    def add(self, number: int, case: Case, status: int, why: str, tracebacks: Sequence[str] = ()) -> None:
        self.cases += 1
        self.routes.add(case.route)
        self.parameters |= {(case.route, name) for name in case.touched if not name.endswith(":")}
        self.statuses[status] += 1
        if status >= 500 and not _is_the_standards(case, status):
            reason = why or f"{status} at {case.route}"
        elif tracebacks:
            reason = f"logged: {tracebacks[0]}"
        else:
            return
        self.failures.setdefault(reason, []).append(f"case {number}: {status} {case}")


def place(error: BaseException) -> str:
    """What an exception is and where it was raised, in our code and at all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/gridgate/" in frame.filename] or frames
    where = [f"{one.filename.rpartition('/src/')[2][-70:]}:{one.lineno}" for one in (ours[-1:] + frames[-1:])]
    return f"{type(error).__name__}: {str(error)[:120]!r} at {', '.join(dict.fromkeys(where))}"


def together(reports: Iterable[Report]) -> Report:
    """What came of the cases of all of them."""
    whole = Report()
    for report in reports:
        whole.cases += report.cases
        whole.routes |= report.routes
        whole.parameters |= report.parameters
        whole.statuses += report.statuses
        for why, found in report.failures.items():
            whole.failures.setdefault(why, []).extend(found)
    return whole


def _is_the_standards(case: Case, status: int) -> bool:
    """SCIM's own word for a service that is not offered: `/Me` and `/Bulk` (RFC 7644, 3.11 and 3.12)."""
    return status == 501 and case.path.startswith("/scim/v2/")
