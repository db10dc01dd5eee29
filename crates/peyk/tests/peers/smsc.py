"""An SMSC on the PyPI package `smpp34`; texts are decoded by `gsm0338` and Python's own UTF-16.

It prints its port, then one JSON line for each message, and sends receipts that say `delivered`
in the optional parameters, with a text beside them.
"""

import asyncio
import json
import os
import socket
import sys
import threading

import gsm0338  # noqa: F401  (registers the codec)
import smpp34

ESM_RECEIPT = 0x04
ESM_UDHI = 0x40
DELIVERED = 2


def say(value):
    print(json.dumps(value), flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def split(event):
    """The concatenation of a message, if any, and its text without the header."""
    octets = event.short_message
    if not event.esm_class & ESM_UDHI:
        return None, octets
    end = octets[0] + 1
    header, at = octets[:end], 1
    while at < end:
        kind, length = header[at], header[at + 1]
        data = header[at + 2 : at + 2 + length]
        if kind in (0x00, 0x08):
            reference = int.from_bytes(data[:-2], "big")
            return {"reference": reference, "total": data[-2], "number": data[-1]}, octets[end:]
        at += 2 + length
    return None, octets[end:]


def decode(octets, data_coding):
    return octets.decode("utf-16-be" if data_coding == 8 else "gsm03.38")


async def send_receipt(session, event, message_id):
    await asyncio.sleep(0.03)
    await session.deliver_sm(
        source_addr=event.destination_addr,
        destination_addr=event.source_addr,
        esm_class=ESM_RECEIPT,
        short_message=f"id:{message_id} stat:DELIVRD err:000".encode(),
        tlvs=[
            smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
            smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, bytes([DELIVERED])),
        ],
    )


async def main():
    port = free_port()
    server = smpp34.Server(host="127.0.0.1", port=port, system_id="python")
    await server.start()
    say({"port": port})
    sessions, tasks, last_id = {}, set(), 0xA00
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            sessions[event.session_id] = event
        elif isinstance(event, smpp34.SubmitSmEvent):
            last_id += 1
            message_id = f"{last_id:x}"
            segment, octets = split(event)
            say(
                {
                    "to": event.destination_addr,
                    "from": event.source_addr,
                    "data_coding": event.data_coding,
                    "esm_class": event.esm_class,
                    "registered_delivery": event.registered_delivery,
                    "segment": segment,
                    "text": decode(octets, event.data_coding),
                }
            )
            event.accept(message_id=message_id)
            if event.registered_delivery & 1:
                session = sessions[event.session_id]
                task = asyncio.create_task(send_receipt(session, event, message_id))
                tasks.add(task)
                task.add_done_callback(tasks.discard)


def end_with_the_test():
    """The test's end closes our input."""
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_the_test, daemon=True).start()
asyncio.run(main())
