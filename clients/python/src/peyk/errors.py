"""What can go wrong, in the ways in which callers tell it apart."""

from typing import Optional

from .codes import NAMES


class PeykError(Exception):
    """Anything that went wrong in a call of the service."""


class ApiError(PeykError):
    """The service refused, and says why.

    ``code`` is the number on the wire, ``name`` its name (``InsufficientCredit``; ``Unknown`` for a
    code that this version does not know), ``message`` the words of the service, mostly Persian.
    """

    def __init__(self, code: int, message: str = "") -> None:
        self.code = code
        self.name = NAMES.get(code, "Unknown")
        self.message = message
        super().__init__(f"{code} {self.name}: {message}" if message else f"{code} {self.name}")


class AddressDenied(PeykError):
    """The address of this machine is not on the account's list of addresses."""

    def __init__(self) -> None:
        super().__init__("this machine's address is not on the account's list of addresses")


class TransportError(PeykError):
    """No answer of the service came.

    ``outcome_unknown`` says whether the service may have done what was asked. After a send, the same
    send with ``local_id`` is safe within 24 hours: it is not sent twice.
    """

    def __init__(
        self, message: str, *, outcome_unknown: bool, local_id: Optional[str] = None
    ) -> None:
        self.outcome_unknown = outcome_unknown
        self.local_id = local_id
        super().__init__(message)


class ProtocolError(PeykError):
    """Something answered, but not in the words of the service: mostly a wrong address."""

    def __init__(self, expected: str, body: str) -> None:
        self.body = body[:200]
        super().__init__(f"expected {expected}, but the answer is: {self.body!r}")
