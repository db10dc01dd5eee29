"""The calls that all clients have in common (../../calls.json), without a network."""

import json
import unittest
from dataclasses import asdict, is_dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl

import peyk

CALLS = json.loads((Path(__file__).parents[2] / "calls.json").read_text(encoding="utf-8"))["calls"]


class Canned:
    """A transport that answers what it was told to, and keeps what it was asked."""

    def __init__(self, replies):
        self.replies = list(replies)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        reply = self.replies.pop(0)
        if reply.get("fails") == "unsent":
            raise peyk.NotSent("refused")
        if reply.get("fails") == "lost":
            raise peyk.AnswerLost("timed out")
        return peyk.Response(reply["status"], reply["body"].encode())


def client(transport, **more):
    return peyk.Client(
        "http://sms.test", "user", "secret", line="3000505", transport=transport,
        sleep=lambda seconds: None, **more,
    )


def plain(value):
    """A result as it stands in the table."""
    if is_dataclass(value):
        return {name: plain(inner) for name, inner in asdict(value).items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value


def run(case, transport):
    arguments = dict(case["arguments"])
    if "messages" in arguments:
        arguments["messages"] = [tuple(pair) for pair in arguments["messages"]]
    return plain(getattr(client(transport), case["method"])(**arguments))


class Calls(unittest.TestCase):
    maxDiff = None

    def check_request(self, case, request):
        self.assertEqual(request.url, "http://sms.test/services.jspd")
        body = request.body.decode()
        kind = request.headers["Content-Type"]
        if case["encoding"] == "json":
            self.assertEqual(kind, "application/json; charset=UTF-8")
            found, login = json.loads(body), {"user": "user", "pass": "secret"}
        else:
            self.assertEqual(kind, "application/x-www-form-urlencoded; charset=UTF-8")
            found, login = dict(parse_qsl(body, keep_blank_values=True)), {"uname": "user", "pass": "secret"}
        wanted = {**case["request"], **login}
        if case.get("localid") == "generated":
            self.assertRegex(found.pop("localid"), r"^[0-9a-f-]{32,}$")
        for name, value in wanted.items():
            if isinstance(value, dict) and set(value) == {"json"}:
                found[name], wanted[name] = json.loads(found[name]), value["json"]
        self.assertEqual(found, wanted)

    def check_error(self, wanted, error):
        kinds = {
            "api": peyk.ApiError,
            "denied": peyk.AddressDenied,
            "transport": peyk.TransportError,
            "protocol": peyk.ProtocolError,
        }
        self.assertIs(type(error), kinds[wanted["kind"]])
        for name in set(wanted) - {"kind"}:
            self.assertEqual(getattr(error, name), wanted[name])
        self.assertNotIn("secret", f"{error} {error!r}")


def _claim(case):
    def test(self):
        transport = Canned(case["replies"])
        if "error" in case:
            with self.assertRaises(peyk.PeykError) as raised:
                run(case, transport)
            self.check_error(case["error"], raised.exception)
        else:
            self.assertEqual(run(case, transport), case["result"])
        self.assertEqual(len(transport.requests), case["attempts"])
        for request in transport.requests:
            self.check_request(case, request)
        self.assertEqual(len({request.body for request in transport.requests}), 1, "the same each time")

    return test


for _case in CALLS:
    _name = "test_" + "".join(c if c.isalnum() else "_" for c in _case["claim"])
    if hasattr(Calls, _name):
        raise AssertionError(f"two cases claim: {_case['claim']}")
    setattr(Calls, _name, _claim(_case))


class EveryMethod(unittest.TestCase):
    def test_every_method_of_the_client_stands_in_the_table(self):
        own = {name for name, value in vars(peyk.Client).items() if callable(value) and name[0] != "_"}
        self.assertEqual(own, {case["method"] for case in CALLS})


if __name__ == "__main__":
    unittest.main()
