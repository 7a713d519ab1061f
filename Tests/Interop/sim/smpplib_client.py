#!/usr/bin/env python3
"""Drives martlet-sim with smpplib (pip install smpplib), an SMPP client that nobody here wrote.

    martlet-sim --smsc-port 22776 --admin-port 28190 &
    python3 smpplib_client.py --port 22776 --admin 28190 [--password secret1]

Binds as transceiver, sends a plain text, a Cyrillic text and one of three parts with a user data header, and expects an answer with
an id for each submit and a DELIVRD receipt for each id; then asks the admin API whether it saw the same. Exit status 1 when
something differs.
"""
import argparse
import json
import logging
import socket
import sys
import time
import urllib.request

import smpplib.client
import smpplib.consts
import smpplib.gsm
import smpplib.smpp

LONG = "Martlet tells every part of a long message apart, and the phone shows one text. " * 5
TEXTS = ["Card *4417: paid 48.20 EUR at Green Market.", "Ваш код: 417 208. Никому его не говорите.", LONG]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=2776)
    options.add_argument("--admin", type=int, default=8190)
    options.add_argument("--name", default="north")
    options.add_argument("--system-id", default="martlet")
    options.add_argument("--password", default="")
    options.add_argument("--to", default="447700900123")
    options = options.parse_args()
    logging.disable(logging.WARNING)

    def ask(path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{options.admin}{path}", data=body, method="POST" if body is not None else "GET")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    ask(f"/sim/smsc/{options.name}:reset", b"")
    answered, receipts = [], {}
    client = smpplib.client.Client(options.host, options.port, timeout=0.2, allow_unknown_opt_params=True)
    client.set_message_sent_handler(lambda pdu: answered.append(pdu.message_id.decode()))

    def received(pdu):
        receipts[pdu.receipted_message_id.decode()] = pdu.short_message.decode()
        return 0

    client.set_message_received_handler(received)
    client.connect()
    client.bind_transceiver(system_id=options.system_id, password=options.password)
    client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=client))

    sent = 0
    for text in TEXTS:
        parts, encoding, kind = smpplib.gsm.make_parts(text)
        for part in parts:
            client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_ALNUM, source_addr="HARBOUR",
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL, dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN, destination_addr=options.to,
                short_message=part, data_coding=encoding, esm_class=kind, registered_delivery=True)
            sent += 1

    end = time.monotonic() + 15
    while time.monotonic() < end and (len(answered) < sent or len(receipts) < sent):
        try:
            client.read_once()
        except socket.timeout:
            pass
    client.unbind()
    client.disconnect()

    messages = ask(f"/sim/smsc/{options.name}/messages?since=0")
    stats = ask(f"/sim/smsc/{options.name}/stats")
    joined = "".join(m["text"] for m in messages if m["parts"] == 3)
    checks = {
        "every submit was answered with an id of its own": len(set(answered)) == sent,
        "every id has its receipt": sorted(receipts) == sorted(answered),
        "every receipt says DELIVRD": all("stat:DELIVRD" in text for text in receipts.values()),
        "the admin API lists the same ids": sorted(m["messageId"] for m in messages) == sorted(answered),
        "it read the texts as they were written": [m["text"] for m in messages[:2]] == TEXTS[:2] and joined == LONG,
        "its counts agree": stats["submits"] == sent and stats["unique"] == sent and stats["receiptsSent"] == sent,
    }
    for what, is_so in checks.items():
        print("ok  " if is_so else "FAIL", what)
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
