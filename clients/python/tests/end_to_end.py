"""Against a real service: `end_to_end.py DEMO_JSON SCENARIO`. DEMO_JSON is what `peyk demo` writes."""

import json
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from peyk import TEHRAN, ApiError, Client

PATIENCE_SECONDS = 60


def refused(code, name, call):
    try:
        call()
    except ApiError as error:
        assert (error.code, error.name) == (code, name), error
        return
    raise AssertionError(f"{code} {name} was expected")


def wait_for(client, bulk_id, wanted):
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = [(recipient.number, recipient.status) for recipient in client.delivery(bulk_id)]
        if found == wanted:
            return
        assert time.monotonic() < until, found
        time.sleep(0.05)


def everything(client, demo):
    refused(962, "LoginWrong", lambda: Client(demo["url"], demo["uname"], "wrong").credit())
    before = client.credit()
    first = client.send("09121111111", "سلام <b>😀</b> & + %")
    assert first > 10000, first
    wait_for(client, first, [("+989121111111", "delivered")])
    status = client.check(first)
    assert (status.status, status.approval) == ("Finish", "approve"), status
    assert before - client.credit() == 120, "one Persian part"

    both = client.send(["9121111111", "+989351111111"], "Hi", line="+983000505", local_id="mine")
    assert client.send(["9121111111", "+989351111111"], "Hi", local_id="mine") == both
    each = client.send_each([("09121111112", "سلام"), ("09351111100", "Hi")])
    wait_for(client, both, [("+989121111111", "delivered"), ("+989351111111", "delivered")])
    wait_for(client, each, [("+989121111112", "delivered"), ("+989351111100", "failed")])
    # A part is charged when the operator takes it, delivered or not.
    assert before - client.credit() == 120 + 2 * 300 + 120 + 300, before - client.credit()

    later = client.send("09121111111", "Hi", time=datetime.now(timezone.utc) + timedelta(days=1))
    assert client.check(later).status == "Active"
    client.cancel(later)
    assert client.check(later).status == "Cancel"
    refused(456, "BulkUnknown", lambda: client.cancel(later))
    refused(456, "BulkUnknown", lambda: client.check(999999))
    refused(456, "BulkUnknown", lambda: client.delivery(999999))
    refused(1006, "TimeInPast", lambda: client.send("09121111111", "Hi", time="2020-01-01"))
    refused(3, "LineNotOwned", lambda: client.send("09121111111", "Hi", line="+98999"))
    refused(4, "NoRecipient", lambda: client.send([], "Hi"))
    refused(1, "EmptyMessage", lambda: client.send("09121111111", ""))
    assert "+983000505" in [line.number for line in client.lines() if line.can_send]
    assert client.expires_at() > datetime.now(TEHRAN)


# An answer of these is understood when it is data, or a refusal with a name.
MORE = {
    "booklist": lambda client: client.books(),
    "booklistV2": lambda client: client.books_page(1),
    "booknumberlist": lambda client: client.contacts(2**30),
    "phoneBookAdd": lambda client: client.add_contact(2**30, "09121111111", "علی"),
    "booksend": lambda client: client.send_to_books([2**30], "Hi"),
    "inboxlist": lambda client: client.inbox(),
    "pattern": lambda client: client.send_pattern("nothere", "09121111111", {"code": "1"}),
    "patternInfo": lambda client: client.pattern_info("nothere"),
    "postalcodearea": lambda client: client.postal_areas(),
    "postalcodecount": lambda client: client.postal_count("131", "tci"),
    "postalcodesend": lambda client: client.send_to_postal("131", "tci", "Hi"),
    "jobslist": lambda client: client.jobs(),
    "jobstrendlist": lambda client: client.job_trends(),
    "jobscount": lambda client: client.jobs_count([1]),
    "jobssend": lambda client: client.send_to_jobs(1, [1], "Hi"),
    "accesslist": lambda client: client.packages(),
    "newuser": lambda client: client.create_account(
        username="x", password="x", name="", access_id=0, national_id="", certificate_id="",
        mobile="", telephone="", email="", address="",
    ),
    "ticketadd": lambda client: client.create_ticket("آزمون", "<script>"),
}


def understood(client, operation):
    try:
        print(operation, repr(MORE[operation](client)))
    except ApiError as error:
        assert error.name not in ("Unknown", "OperationNotAllowed"), error
        print(operation, error)


def main(demo_json, scenario):
    demo = json.loads(Path(demo_json).read_text(encoding="utf-8"))
    client = Client(demo["url"], demo["uname"], demo["pass"], line=demo["from"])
    everything(client, demo) if scenario == "everything" else understood(client, scenario)


if __name__ == "__main__":
    main(*sys.argv[1:])
