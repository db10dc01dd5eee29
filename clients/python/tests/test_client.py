"""What is this client's own: addresses, times, names of codes, and real sockets on this machine."""

import re
import socket
import threading
import unittest
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import parse_qs

import peyk
from peyk.client import _pause
from peyk.codes import NAMES

ROOT = Path(__file__).parents[3]


class Kept:
    def __init__(self, body=b"[0,10001]"):
        self.body = body
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        return peyk.Response(200, self.body)


class Server:
    """Answers one connection with given octets, then closes it."""

    def __init__(self, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.heard = b""
        self.thread = threading.Thread(target=self._run, args=(answer,), daemon=True)
        self.thread.start()

    def _run(self, answer):
        connection, _ = self.listener.accept()
        with connection:
            while b"op=" not in self.heard:
                octets = connection.recv(65536)
                if not octets:
                    return
                self.heard += octets
            if answer is not None:
                connection.sendall(answer)
            else:
                # Silence, until the client gives up.
                connection.recv(1)

    def close(self):
        self.thread.join(10)
        self.listener.close()


def http(body, head=b"HTTP/1.1 200 OK\r\n"):
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


class Addresses(unittest.TestCase):
    def test_the_address_is_the_base_or_the_whole(self):
        for url, wanted in [
            ("http://h:1", "http://h:1/services.jspd"),
            (" https://h/ ", "https://h/services.jspd"),
            ("http://h/services.jspd", "http://h/services.jspd"),
            ("http://h/services.jspd/", "http://h/services.jspd"),
            ("http://h/api/select", "http://h/api/select"),
            ("https://h/sms", "https://h/sms/services.jspd"),
        ]:
            self.assertEqual(peyk.Client(url, "u", "p").url, wanted)

    def test_what_is_no_address_is_refused(self):
        for url in ["", "h:80", "ftp://h", "http://", "file:///etc/passwd", "http://u:p@h", "http://h/?x=1"]:
            with self.assertRaises(ValueError, msg=url):
                peyk.Client(url, "u", "p")

    def test_a_login_is_needed(self):
        for more in [{}, {"username": "u"}, {"password": "p"}]:
            with self.assertRaises(ValueError):
                peyk.Client("http://h", **more)

    def test_an_api_key_goes_instead_of_user_and_password(self):
        kept = Kept()
        client = peyk.Client("http://h", api_key="key-1", line=3000505, transport=kept)
        client.send("09121111111", "a")
        kept.body = b"10001"
        client.send_pattern("p", "09121111111", {})
        form, json = (request.body.decode() for request in kept.requests)
        self.assertEqual(parse_qs(form)["apikey"], ["key-1"])
        self.assertIn('"apikey":"key-1"', json)
        self.assertNotIn("uname", form)

    def test_the_password_is_not_shown(self):
        self.assertNotIn("secret", repr(peyk.Client("http://h", "u", "secret")))


class Sending(unittest.TestCase):
    def test_a_send_needs_a_line(self):
        with self.assertRaises(ValueError):
            peyk.Client("http://h", "u", "p", transport=Kept()).send("0912", "a")

    def test_times_are_written_in_the_time_of_tehran(self):
        kept = Kept()
        client = peyk.Client("http://h", "u", "p", line="1", transport=kept)
        for time, wanted in [
            (datetime(2030, 1, 1, 20, 30, tzinfo=timezone.utc), "2030-01-02 00:00:00"),
            (datetime(2030, 1, 1, 20, 30), "2030-01-01 20:30:00"),
            ("2030-01-01", "2030-01-01"),
        ]:
            client.send("0912", "a", time=time)
            self.assertEqual(parse_qs(kept.requests[-1].body.decode())["time"], [wanted])

    def test_two_sends_have_two_keys(self):
        kept = Kept()
        client = peyk.Client("http://h", "u", "p", line="1", transport=kept)
        client.send("0912", "a")
        client.send("0912", "a")
        keys = [parse_qs(request.body.decode())["localid"] for request in kept.requests]
        self.assertNotEqual(*keys)

    def test_pauses_grow_and_end_and_heed_the_server(self):
        for attempt in range(40):
            self.assertLessEqual(_pause(attempt, None), 5.0)
        self.assertLess(_pause(0, None), _pause(3, None))
        self.assertEqual(_pause(0, 2.0), 2.0)
        self.assertEqual(_pause(0, 3600.0), 5.0)


class Codes(unittest.TestCase):
    def test_every_code_of_the_service_has_its_name(self):
        table = (ROOT / "crates/domain/data/refusals.tsv").read_text(encoding="utf-8")
        rows = [line.split("\t") for line in table.splitlines()[1:]]
        self.assertEqual(NAMES, {int(row[0]): row[1] for row in rows if row[0] != "0"})


class Sockets(unittest.TestCase):
    def ask(self, answer, **more):
        server = Server(answer)
        try:
            return peyk.Client(server.url, "u", "p", retries=0, **more).credit(), server.heard
        finally:
            server.close()

    def test_an_answer_is_read(self):
        credit, heard = self.ask(http(b'[0,"12"]'))
        self.assertEqual(credit, 12)
        self.assertTrue(heard.startswith(b"POST /services.jspd HTTP/1.1\r\n"), heard)
        self.assertTrue(re.search(rb"\r\n\r\nuname=u&pass=p&op=credit$", heard), heard)

    def test_an_answer_in_chunks_is_read(self):
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[0,\"\r\n4\r\n12\"]\r\n0\r\n\r\n"
        self.assertEqual(self.ask(answer)[0], 12)

    def test_an_answer_that_is_cut_off_is_lost(self):
        with self.assertRaises(peyk.TransportError) as raised:
            self.ask(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[0,\"1")
        self.assertTrue(raised.exception.outcome_unknown)

    def test_a_connection_that_closes_without_an_answer_is_lost(self):
        with self.assertRaises(peyk.TransportError) as raised:
            self.ask(b"")
        self.assertTrue(raised.exception.outcome_unknown)

    def test_silence_ends_with_the_time_out(self):
        with self.assertRaises(peyk.TransportError) as raised:
            self.ask(None, timeout=0.2)
        self.assertTrue(raised.exception.outcome_unknown)

    def test_a_redirection_is_not_followed(self):
        with self.assertRaises(peyk.TransportError) as raised:
            self.ask(http(b"", b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\n"))
        self.assertIn("307", str(raised.exception))

    def test_a_closed_port_is_told_apart(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with self.assertRaises(peyk.TransportError) as raised:
            peyk.Client(f"http://127.0.0.1:{port}", "u", "p", line="1", retries=1,
                        sleep=lambda seconds: None).send("0912", "a", local_id="k")
        self.assertFalse(raised.exception.outcome_unknown)
        self.assertEqual(raised.exception.local_id, "k")


if __name__ == "__main__":
    unittest.main()
