"""One HTTP request and its answer. It does not follow redirections, which would carry the password
elsewhere, and it tells what never left from what may have arrived."""

import http.client
import ssl
import time
from dataclasses import dataclass
from typing import Callable, Mapping, Optional
from urllib.parse import urlsplit

#: Octets of the longest answer that is read: the delivery of 100,000 recipients takes 3 MiB.
ANSWER_BYTES_MAX = 32 * 1024 * 1024

_READ_BYTES = 64 * 1024


@dataclass(frozen=True)
class Request:
    """A POST to ``url``. ``timeout`` is in seconds, for the whole exchange."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    timeout: float


@dataclass(frozen=True)
class Response:
    """An answer. ``retry_after`` is in seconds."""

    status: int
    body: bytes
    retry_after: Optional[float] = None


class NotSent(Exception):
    """The request never left: nothing was done."""


class AnswerLost(Exception):
    """The request left, but its answer did not come whole: it may have been done."""


Transport = Callable[[Request], Response]


def post(request: Request) -> Response:
    """The transport of every client that is given no other: a connection for each request.

    Raises:
        NotSent: no connection could be made.
        AnswerLost: the answer did not come, or not in time.
    """
    until = time.monotonic() + request.timeout
    address = urlsplit(request.url)
    host, port = address.hostname or "", address.port
    connection: http.client.HTTPConnection
    if address.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=request.timeout, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=request.timeout)
    try:
        try:
            connection.connect()
        except OSError as error:
            raise NotSent(f"cannot reach {address.netloc}: {error}") from error
        try:
            path = address.path + (f"?{address.query}" if address.query else "")
            connection.request("POST", path, body=request.body, headers=dict(request.headers))
            return _read(connection, until)
        except (OSError, http.client.HTTPException) as error:
            raise AnswerLost(f"{address.netloc} did not answer: {error or type(error).__name__}") from error
    finally:
        connection.close()


def _read(connection: http.client.HTTPConnection, until: float) -> Response:
    answer = connection.getresponse()
    body = bytearray()
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        if connection.sock is not None:
            connection.sock.settimeout(left)
        octets = answer.read1(_READ_BYTES)
        if not octets:
            break
        body += octets
        if len(body) > ANSWER_BYTES_MAX:
            raise http.client.HTTPException(f"the answer is longer than {ANSWER_BYTES_MAX} octets")
    if answer.length:
        raise http.client.IncompleteRead(bytes(body[:20]), answer.length)
    return Response(answer.status, bytes(body), _seconds(answer.getheader("Retry-After")))


def _seconds(text: Optional[str]) -> Optional[float]:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
