"""A client of the peyk SMS service. It needs nothing but Python's own library.

>>> from peyk import Client
>>> client = Client("http://127.0.0.1:8080", "demo", "password", line="3000505")
>>> bulk_id = client.send("09121111111", "سلام")  # doctest: +SKIP
"""

from .client import Client
from .errors import AddressDenied, ApiError, PeykError, ProtocolError, TransportError
from .transport import AnswerLost, NotSent, Request, Response, Transport
from .types import (
    TEHRAN,
    Area,
    BulkStatus,
    Delivery,
    Entry,
    InboundMessage,
    Line,
    Pattern,
    Trend,
)

__all__ = [
    "TEHRAN",
    "AddressDenied",
    "AnswerLost",
    "ApiError",
    "Area",
    "BulkStatus",
    "Client",
    "Delivery",
    "Entry",
    "InboundMessage",
    "Line",
    "NotSent",
    "Pattern",
    "PeykError",
    "ProtocolError",
    "Request",
    "Response",
    "Transport",
    "TransportError",
    "Trend",
]
