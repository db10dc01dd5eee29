"""What the service tells, as plain data."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import List, Optional

#: The time of the service. Iran has had no summer time since 2022.
TEHRAN = timezone(timedelta(hours=3, minutes=30), "Asia/Tehran")


@dataclass(frozen=True)
class Delivery:
    """A recipient of a bulk: ``number`` as ``+98`` and ten digits, ``status`` one of ``notsync``,
    ``send``, ``pending``, ``delivered``, ``failed`` and ``discarded``."""

    number: str
    status: str


@dataclass(frozen=True)
class BulkStatus:
    """A whole bulk: ``status`` such as ``Finish``, ``Interacting`` or ``Active``; ``approval`` one of
    ``approve``, ``notconfirm`` (its text waits for approval) and ``cancel``."""

    status: str
    approval: str


@dataclass(frozen=True)
class Line:
    """A line of the account."""

    number: str
    can_send: bool
    can_receive: bool


@dataclass(frozen=True)
class Entry:
    """A phonebook, a job or a package."""

    id: int
    title: str


@dataclass(frozen=True)
class Area:
    """A postal area: the first digits of its postal codes, and its name."""

    id: str
    title: str


@dataclass(frozen=True)
class Trend:
    """A trend of a job."""

    id: int
    title: str
    job_id: Optional[int]


@dataclass(frozen=True)
class InboundMessage:
    """A message that a handset sent to a line."""

    text: str
    sender: str
    line: str
    time: datetime


@dataclass(frozen=True)
class Pattern:
    """A pattern: its text with ``%name%`` for variables, and their names."""

    text: str
    variables: List[str]
