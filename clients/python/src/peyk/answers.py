"""Reads the answers of the service. Each function takes the body and gives the data, or raises what the
answer says: ApiError, AddressDenied, ProtocolError."""

import json
from datetime import datetime
from typing import Any, Dict, List, Optional, Tuple

from .errors import AddressDenied, ApiError, ProtocolError
from .types import TEHRAN

CONTACT_SAVED = 102
BULK_CANCELLED = 455
BULK_UNKNOWN = 456

_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S")


def decoded(body: str) -> Any:
    """The JSON of an answer, whatever it is."""
    if body.strip().strip('"') == "deny":
        raise AddressDenied()
    try:
        return json.loads(body)
    except ValueError as error:
        raise ProtocolError("JSON", body) from error


def refusal(value: Any) -> Optional[Tuple[int, str]]:
    """The code and the words of ``[code,"text"]``."""
    if isinstance(value, list) and value and _is_code(value[0]) and int(value[0]) != 0:
        words = value[1] if len(value) > 1 else ""
        if isinstance(words, str):
            return int(value[0]), words
    return None


def data(body: str) -> Any:
    """``data`` of ``[0,data]``."""
    value = decoded(body)
    _refuse(value)
    if isinstance(value, list) and len(value) == 2 and _is_code(value[0]):
        return value[1]
    raise ProtocolError("[0,data]", body)


def number(body: str) -> int:
    """``[0,number]`` or ``[0,"number"]``."""
    return _whole(data(body), body)


def bare_number(body: str) -> int:
    """A number alone."""
    value = decoded(body)
    _refuse(value)
    return _whole(value, body)


def text(body: str) -> str:
    """``[0,"text"]``."""
    value = data(body)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ProtocolError("a text", body)
    return value


def inner(body: str) -> Any:
    """The JSON that stands in the text of ``[0,"…"]``."""
    try:
        return json.loads(text(body))
    except ValueError as error:
        raise ProtocolError("JSON in a text", body) from error


def rows(body: str) -> List[Dict[str, Any]]:
    """The list of objects that stands in the text; objects may be texts in turn."""
    found = inner(body)
    if not isinstance(found, list):
        raise ProtocolError("a list", body)
    result = []
    for row in found:
        if isinstance(row, str):
            try:
                row = json.loads(row)
            except ValueError as error:
                raise ProtocolError("objects", body) from error
        if not isinstance(row, dict):
            raise ProtocolError("objects", body)
        result.append(row)
    return result


def envelope(body: str, success: Tuple[int, ...] = (0,)) -> Dict[str, Any]:
    """``data`` of ``{"status":{"code":0,…},"data":…}``; also answers ``[code,"text"]``."""
    value = decoded(body)
    refused = refusal(value)
    if refused is not None:
        if refused[0] in success:
            return {}
        raise ApiError(*refused)
    status = value.get("status") if isinstance(value, dict) else None
    if not isinstance(status, dict) or not _is_code(status.get("code")):
        raise ProtocolError('{"status":{"code":…},"data":…}', body)
    if int(status["code"]) not in success:
        raise ApiError(int(status["code"]), str(status.get("message", "")))
    found = value.get("data")
    return found if isinstance(found, dict) else {}


def moment(words: str, body: str) -> datetime:
    """A time of the service, which is Tehran's."""
    for form in _FORMATS:
        try:
            return datetime.strptime(words, form).replace(tzinfo=TEHRAN)
        except ValueError:
            continue
    raise ProtocolError("a time", body)


def field(row: Dict[str, Any], name: str, body: str) -> Any:
    """A value that must be there."""
    if row.get(name) is None:
        raise ProtocolError(f"`{name}` in each object", body)
    return row[name]


def whole(row: Dict[str, Any], name: str, body: str) -> int:
    """A whole number that must be there."""
    return _whole(field(row, name, body), body)


def _refuse(value: Any) -> None:
    refused = refusal(value)
    if refused is not None:
        raise ApiError(*refused)


def _whole(value: Any, body: str) -> int:
    if _is_code(value):
        return int(value)
    raise ProtocolError("a whole number", body)


def _is_code(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit()
    return isinstance(value, int) and not isinstance(value, bool)
