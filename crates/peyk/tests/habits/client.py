"""Requests as Python and C# programs write them. Arguments: the base URL and the habit."""
import json
import socket
import sys
import urllib.parse
import urllib.request

base, habit = sys.argv[1:]
fields = {
    "op": "send", "uname": "shop", "pass": "secret-1", "from": "+983000505",
    "message": "سلام «علی»\n5% <b>", "to": json.dumps(["09121110001", "+989351110002"]),
}
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(body, headers=None, path="/services.jspd"):
    request = urllib.request.Request(base + path, body, headers or {})
    with opener.open(request, timeout=20) as reply:
        return reply.read().decode()


def raw(head, body):
    """Writes bytes that no library would, and reads to the end of the connection."""
    url = urllib.parse.urlsplit(base)
    with socket.create_connection((url.hostname, url.port), timeout=20) as stream:
        stream.sendall(head.format(length=len(body)).encode() + body)
        reply = b""
        while piece := stream.recv(65536):
            reply += piece
    return reply.decode().split("\r\n\r\n", 1)[1]


CS_HEAD = (
    "POST /services.jspd HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Host: sms.example\r\nContent-Length: {length}\r\nConnection: Close\r\n\r\n"
)
habits = {
    "form": lambda: post(urllib.parse.urlencode(fields).encode()),
    "json": lambda: post(json.dumps(fields).encode(), {"Content-Type": "application/json"}),
    # json.dumps in `data=`: JSON that says it is a form.
    "json-as-form": lambda: post(json.dumps(fields).encode()),
    "query": lambda: post(None, path="/services.jspd?" + urllib.parse.urlencode(fields)),
    # As C# programs put a body together: nothing is encoded, blanks stray.
    "un-encoded": lambda: raw(CS_HEAD, (
        'op=send&uname=shop&pass=secret-1&message=سلام «علی»\n5% <b>'
        '& to=["09121110001", "+989351110002"]&from= +983000505'
    ).encode()),
    "un-encoded-http-1.0": lambda: raw(CS_HEAD.replace("1.1", "1.0"), (
        'uname=shop& pass=secret-1&from=+983000505&op=send&to=09121110001,09351110002'
        '&message=سلام «علی»\n5% <b>'
    ).encode()),
}
sys.stdout.write(habits[habit]())
