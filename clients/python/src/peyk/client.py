"""The client: one method for each operation of the web service."""

import json
import random
import time as clock
import uuid
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple, Union
from urllib.parse import urlencode, urlsplit

from . import answers
from .errors import ApiError, ProtocolError, TransportError
from .transport import AnswerLost, NotSent, Request, Response, Transport, post
from .types import TEHRAN, Area, BulkStatus, Delivery, Entry, InboundMessage, Line, Pattern, Trend

Number = Union[str, int]
Numbers = Union[Number, Iterable[Number]]
When = Union[datetime, str]

_PATHS = ("/services.jspd", "/api/select")
_USER_AGENT = "peyk-python/1.0"
#: Answers of servers on the way that say nothing of what became of the request.
_PASSING_STATUSES = (502, 503, 504)
_PAUSE_SECONDS = 0.25
_PAUSE_SECONDS_MAX = 5.0


class Client:
    """A client of one account of a peyk service. It keeps no connection and may be shared by threads.

    Args:
        url: the address of the service, such as ``http://127.0.0.1:8080``; the whole address that ends
            in ``/services.jspd`` will do as well.
        username: the account's user name.
        password: its password.
        api_key: an API key, instead of user name and password.
        line: the line to send from when a send names none.
        timeout: seconds that one attempt may take.
        retries: attempts after the first. Only what cannot be done twice by it is tried again.
        transport: what carries requests, for tests.
        sleep: what waits between attempts, for tests.
    """

    def __init__(
        self,
        url: str,
        username: Optional[str] = None,
        password: Optional[str] = None,
        *,
        api_key: Optional[str] = None,
        line: Optional[Number] = None,
        timeout: float = 10.0,
        retries: int = 2,
        transport: Transport = post,
        sleep: Callable[[float], None] = clock.sleep,
    ) -> None:
        self.url = _endpoint(url)
        if api_key is not None:
            self._login = {"apikey": api_key}
        elif username is not None and password is not None:
            self._login = {"uname": username, "pass": password}
        else:
            raise ValueError("either username and password, or api_key")
        self.line = line
        self.timeout = timeout
        self.retries = retries
        self._transport = transport
        self._sleep = sleep

    def __repr__(self) -> str:
        # The password must not end in a log.
        return f"Client({self.url!r})"

    # Sending

    def send(
        self,
        to: Numbers,
        text: str,
        *,
        line: Optional[Number] = None,
        time: Optional[When] = None,
        local_id: Optional[str] = None,
    ) -> int:
        """Sends one text to one or many numbers. Gives the bulk id, once the service has it on disk.

        ``time`` sends later: a datetime (one without a zone is Tehran's), or a text
        ``YYYY-MM-DD HH:MM:SS``. ``local_id`` names this send: the same name within 24 hours sends
        nothing and gives the first bulk id. Without one a new one is made, so that the attempts of one
        call send once.
        """
        # With commas and not as an array, beside which a text such as ["a"] would be read as many.
        fields = {"to": ",".join(_numbers(to)), "message": text}
        return self._send("send", fields, line, time, local_id, again=True)

    def send_each(
        self,
        messages: Iterable[Tuple[Number, str]],
        *,
        line: Optional[Number] = None,
        time: Optional[When] = None,
        local_id: Optional[str] = None,
    ) -> int:
        """Sends each number its own text: pairs of number and text. Gives the bulk id."""
        pairs = [(str(number), text) for number, text in messages]
        fields = {"to": _json([to for to, _ in pairs]), "message": _json([text for _, text in pairs])}
        return self._send("send", fields, line, time, local_id, again=True)

    def send_pattern(
        self,
        code: str,
        to: Numbers,
        values: Mapping[str, object],
        *,
        line: Optional[Number] = None,
        local_id: Optional[str] = None,
    ) -> int:
        """Sends the text of a pattern with ``values`` for its variables. Gives the bulk id."""
        numbers = _numbers(to)
        fields: Dict[str, Any] = {"op": "pattern", "fromNum": self._line(line)}
        fields["toNum"] = numbers[0] if len(numbers) == 1 else numbers
        fields["patternCode"] = code
        fields["inputData"] = {name: str(value) for name, value in values.items()}
        fields["localid"] = local_id or _new_local_id()
        names = {"uname": "user"}
        login = {names.get(name, name): value for name, value in self._login.items()}
        body = _json({**login, **fields}).encode()
        answer = self._exchange(body, "application/json", True, fields["localid"])
        return answers.bare_number(answer)

    # What became of it

    def delivery(self, bulk_id: int) -> List[Delivery]:
        """Each recipient of a bulk with its state, in the order sent.

        Raises:
            ApiError: with code 456 (BulkUnknown) for a bulk that is not there.
        """
        body = self._ask("delivery", {"uinqid": bulk_id})
        items = answers.inner(body)
        if items is None:
            raise ApiError(answers.BULK_UNKNOWN)
        if not isinstance(items, list):
            raise ProtocolError("a list", body)
        pairs = [str(item).rpartition(":") for item in items]
        return [Delivery(number, status) for number, _, status in pairs]

    def check(self, bulk_id: int) -> BulkStatus:
        """The state of a whole bulk."""
        body = self._ask("checkmessage", {"messageid": bulk_id})
        value = answers.decoded(body)
        refused = answers.refusal(value)
        if refused is not None:
            raise ApiError(*refused)
        if not isinstance(value, dict):
            raise ProtocolError("an object", body)
        field = answers.field
        return BulkStatus(
            str(field(value, "statusMessage", body)), str(field(value, "validMessage", body))
        )

    def cancel(self, bulk_id: int) -> None:
        """Cancels what has not left yet; its price is given back.

        Raises:
            ApiError: with code 456 (BulkUnknown) when there is nothing to cancel.
        """
        try:
            answers.data(self._do("deleteperiod", {"bulkid": bulk_id}))
        except ApiError as answer:
            if answer.code != answers.BULK_CANCELLED:
                raise

    # The account

    def credit(self) -> Decimal:
        """What can be spent, in rials."""
        body = self._ask("credit")
        try:
            return Decimal(answers.text(body))
        except InvalidOperation as error:
            raise ProtocolError("an amount", body) from error

    def lines(self) -> List[Line]:
        """The lines of the account."""
        body = self._ask("lines")
        return [
            Line(
                str(answers.field(row, "number", body)),
                str(row.get("send")) == "1",
                str(row.get("gets")) == "1",
            )
            for row in answers.rows(body)
        ]

    def expires_at(self) -> datetime:
        """When the account ends."""
        body = self._ask("usertime")
        return answers.moment(answers.text(body), body)

    # Phonebooks

    def books(self) -> List[Entry]:
        """The phonebooks."""
        return _entries(self._ask("booklist"))

    def books_page(self, page: int) -> List[Entry]:
        """A page of the phonebooks, from 1."""
        body = self._ask("booklistV2", {"page": page})
        books = answers.envelope(body).get("phoneBook", [])
        return [
            Entry(answers.whole(book, "phoneBookId", body), str(answers.field(book, "title", body)))
            for book in books
        ]

    def contacts(self, book_id: int) -> List[str]:
        """The numbers of a phonebook, as ``+98`` and ten digits."""
        body = self._ask("booknumberlist", {"phonebook_id": book_id})
        value = answers.decoded(body)
        refused = answers.refusal(value)
        # Numbers begin with a plus, so that none of them is taken for a code.
        if refused is not None:
            raise ApiError(*refused)
        if not isinstance(value, list):
            raise ProtocolError("a list", body)
        return [str(number) for number in value]

    def add_contact(self, book_id: int, number: Number, name: Optional[str] = None) -> None:
        """Adds a number to a phonebook.

        Raises:
            ApiError: with code 101 (ContactExists) when it is there already, 100 (ContactInvalid).
        """
        fields: Dict[str, object] = {"phoneBookId": book_id, "number": number}
        if name is not None:
            fields["name"] = name
        answers.envelope(self._do("phoneBookAdd", fields), success=(0, answers.CONTACT_SAVED))

    def send_to_books(
        self,
        book_ids: Iterable[int],
        text: str,
        *,
        line: Optional[Number] = None,
        time: Optional[When] = None,
        local_id: Optional[str] = None,
    ) -> int:
        """Sends a text to every number of some phonebooks. Gives the bulk id."""
        fields = {"bookid": _json(list(book_ids)), "message": text}
        return self._send("booksend", fields, line, time, local_id, again=True)

    # Inbound messages and patterns

    def inbox(self) -> List[InboundMessage]:
        """The unread messages. This call marks them as read, so it is never tried again by itself."""
        body = self._do("inboxlist")
        field = answers.field
        return [
            InboundMessage(
                str(field(row, "message", body)),
                str(field(row, "from", body)),
                str(field(row, "to", body)),
                answers.moment(str(field(row, "time", body)), body),
            )
            for row in answers.rows(body)
        ]

    def pattern_info(self, code: str) -> Pattern:
        """The text of a pattern and its variables."""
        body = self._ask("patternInfo", {"patternCode": code})
        found = answers.envelope(body)
        text = answers.field(found, "patternMessage", body)
        return Pattern(str(text), [str(name) for name in found.get("patternParams", [])])

    # Postal codes and jobs

    def postal_areas(self) -> List[Area]:
        """The areas that can be addressed."""
        body = self._ask("postalcodearea")
        field = answers.field
        return [
            Area(str(field(row, "id", body)), str(field(row, "title", body)))
            for row in answers.rows(body)
        ]

    def postal_count(self, prefix: str, operator: str, gender: int = 0) -> int:
        """How many numbers live where postal codes begin with ``prefix`` (2 to 10 digits).

        ``operator`` is ``tci`` (MCI) or ``mtn`` (Irancell), ``gender`` 0 both, 1 men, 2 women.
        """
        return answers.number(self._ask("postalcodecount", _postal(prefix, operator, gender)))

    def send_to_postal(
        self,
        prefix: str,
        operator: str,
        text: str,
        *,
        gender: int = 0,
        line: Optional[Number] = None,
        time: Optional[When] = None,
        local_id: Optional[str] = None,
    ) -> int:
        """Sends a text to those whom `postal_count` counts. Gives the bulk id."""
        fields = {**_postal(prefix, operator, gender), "message": text}
        return self._send("postalcodesend", fields, line, time, local_id)

    def jobs(self) -> List[Entry]:
        """The jobs."""
        return _entries(self._ask("jobslist"))

    def job_trends(self, job_id: Optional[int] = None) -> List[Trend]:
        """The trends of one job, or of all."""
        body = self._ask("jobstrendlist", {} if job_id is None else {"jobsid": job_id})
        return [
            Trend(
                answers.whole(row, "id", body),
                str(answers.field(row, "title", body)),
                answers.whole(row, "jobsid", body) if row.get("jobsid") is not None else None,
            )
            for row in answers.rows(body)
        ]

    def jobs_count(self, trend_ids: Iterable[int]) -> int:
        """How many different numbers are in some trends."""
        return answers.number(self._ask("jobscount", {"trendid": _json(list(trend_ids))}))

    def send_to_jobs(
        self,
        job_id: int,
        trend_ids: Iterable[int],
        text: str,
        *,
        line: Optional[Number] = None,
        time: Optional[When] = None,
        local_id: Optional[str] = None,
    ) -> int:
        """Sends a text to the numbers of some trends of a job. Gives the bulk id."""
        fields = {"jobsid": job_id, "trendid": _json(list(trend_ids)), "message": text}
        return self._send("jobssend", fields, line, time, local_id)

    # Resellers and tickets

    def packages(self) -> List[Entry]:
        """The packages that this reseller may hand out."""
        return _entries(self._ask("accesslist"))

    def create_account(
        self,
        *,
        username: str,
        password: str,
        name: str,
        access_id: int,
        national_id: str,
        certificate_id: str,
        mobile: str,
        telephone: str,
        email: str,
        address: str,
        company: str = "",
        postal_code: str = "",
    ) -> int:
        """Opens an account under this reseller with one of `packages` as ``access_id``. Gives its id."""
        fields = {
            "user_uname": username,
            "user_pass": password,
            "name": name,
            "company": company,
            "national_id": national_id,
            "certificate_id": certificate_id,
            "access_id": access_id,
            "tell": telephone,
            "mobile": mobile,
            "postalcode": postal_code,
            "email": email,
            "address": address,
        }
        return answers.number(self._do("newuser", fields))

    def create_ticket(
        self,
        subject: str,
        description: str,
        *,
        type: str = "webservice",
        importance: str = "middle",
        notify_by_sms: bool = False,
        file: Optional[str] = None,
    ) -> int:
        """Opens a ticket. Gives its id.

        ``type`` is ``fiscal``, ``webservice``, ``problem`` or ``lineservices``; ``importance`` is
        ``low``, ``middle``, ``quick`` or ``acute``.
        """
        fields: Dict[str, object] = {"subject": subject, "description": description}
        fields.update(type=type, importance=importance)
        fields["sms_notification"] = "yes" if notify_by_sms else "no"
        if file is not None:
            fields["file"] = file
        return answers.number(self._do("ticketadd", fields))

    # The way there and back

    def _line(self, line: Optional[Number]) -> str:
        chosen = self.line if line is None else line
        if chosen is None:
            raise ValueError("no line to send from: give `line` to the client or to the send")
        return str(chosen)

    def _send(
        self,
        op: str,
        fields: Mapping[str, object],
        line: Optional[Number],
        time: Optional[When],
        local_id: Optional[str],
        again: bool = False,
    ) -> int:
        local_id = local_id or _new_local_id()
        whole = {"from": self._line(line), **fields, "localid": local_id}
        if time is not None:
            whole["time"] = _moment(time)
        return answers.number(self._call(op, whole, again, local_id))

    def _ask(self, op: str, fields: Optional[Mapping[str, object]] = None) -> str:
        """A call that changes nothing, so that it may be repeated."""
        return self._call(op, fields or {}, True, None)

    def _do(self, op: str, fields: Optional[Mapping[str, object]] = None) -> str:
        """A call that must not be carried out twice."""
        return self._call(op, fields or {}, False, None)

    def _call(
        self, op: str, fields: Mapping[str, object], again: bool, local_id: Optional[str]
    ) -> str:
        form = {**self._login, "op": op, **fields}
        body = urlencode({name: str(value) for name, value in form.items()}).encode()
        return self._exchange(body, "application/x-www-form-urlencoded", again, local_id)

    def _exchange(self, body: bytes, kind: str, again: bool, local_id: Optional[str]) -> str:
        """The answer's body. ``again`` says whether a request that may have arrived is repeated."""
        headers = {
            "Content-Type": f"{kind}; charset=UTF-8",
            "User-Agent": _USER_AGENT,
            "Connection": "close",
        }
        request = Request(self.url, headers, body, self.timeout)
        arrived = False
        attempt = 0
        while True:
            pause: Optional[float] = None
            try:
                answer = self._transport(request)
                if answer.status == 200:
                    return answer.body.decode("utf-8", "replace")
                passing = answer.status in _PASSING_STATUSES
                arrived = arrived or passing
                may = passing and again
                pause = answer.retry_after
                why = f"{self.url} answers with HTTP status {answer.status}"
            except NotSent as error:
                may, why = True, str(error)
            except AnswerLost as error:
                arrived, may, why = True, again, str(error)
            if not may or attempt >= self.retries:
                raise TransportError(why, outcome_unknown=arrived, local_id=local_id)
            self._sleep(_pause(attempt, pause))
            attempt += 1


def _pause(attempt: int, asked: Optional[float]) -> float:
    """Seconds before the next attempt; spread, so that many clients do not come back at once."""
    if asked is not None:
        return min(asked, _PAUSE_SECONDS_MAX)
    return min(_PAUSE_SECONDS * 2.0**attempt * random.uniform(0.5, 1.5), _PAUSE_SECONDS_MAX)


def _endpoint(url: str) -> str:
    address = urlsplit(url.strip())
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError(f"not the address of a web service: {url!r}")
    if address.username is not None or address.query or address.fragment:
        raise ValueError("the address has no user name, query or fragment in it")
    path = address.path.rstrip("/")
    if not path.endswith(_PATHS):
        path += _PATHS[0]
    return f"{address.scheme}://{address.netloc}{path}"


def _numbers(to: Numbers) -> List[str]:
    if isinstance(to, (str, int)):
        return [str(to)]
    return [str(number) for number in to]


def _moment(time: When) -> str:
    if isinstance(time, str):
        return time
    if time.tzinfo is not None:
        time = time.astimezone(TEHRAN)
    return time.strftime("%Y-%m-%d %H:%M:%S")


def _postal(prefix: str, operator: str, gender: int) -> Dict[str, object]:
    return {"type": operator, "gender": gender, "postalcode": prefix}


def _entries(body: str) -> List[Entry]:
    return [
        Entry(answers.whole(row, "id", body), str(answers.field(row, "title", body)))
        for row in answers.rows(body)
    ]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _new_local_id() -> str:
    return uuid.uuid4().hex
