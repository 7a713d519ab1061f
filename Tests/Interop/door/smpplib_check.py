#!/usr/bin/env python3
"""Binds to Martlet's SMPP server with smpplib, a client that nobody here wrote, and sends through it to the simulated operator.

    smpplib_check.py [--build release|debug]

Plain, Cyrillic, emoji and long texts arrive as they were written, each submit has an id of its own and each id its receipt: on the
bind that sent it, on another one, after the client was away, and after Martlet was killed. Exit status 1 when something differs.
"""
import argparse
import sys
import time

import smpplib.exceptions
from esme import Checks, ESME, door_world, wait_for

LONG = "Martlet tells every part of a long message apart, and the phone shows one text. " * 5
TEXTS = ["Card *4417: paid 48.20 EUR at Green Market.", "Ваш код: 417 208. Никому его не говорите.", "🏦 Thank you 👩‍👩‍👧 for 5 years with us!",
         "[€] {brackets} ~ and ^", LONG]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release", choices=["release", "debug"])
    build = options.parse_args().build
    check = Checks()
    with door_world(build, "door") as world:
        world.prepare()
        world.start_simulator()
        world.start_martlet()

        try:
            ESME(world.port, password="guess")
            check("a wrong password is refused", False)
        except smpplib.exceptions.PDUError as error:
            wrong = error.args
        try:
            ESME(world.port, system_id="nobody")
            check("a wrong name is refused", False)
        except smpplib.exceptions.PDUError as error:
            check("a wrong name and a wrong password get the same answer", error.args[-1] == wrong[-1])

        one = ESME(world.port)
        sent = sum(one.submit(text) for text in TEXTS)
        check("every submit is answered with an id of its own", one.listen(lambda: len(set(one.answers)) == sent))
        check("every id has its receipt", one.listen(lambda: set(one.receipts) == set(one.answers)))
        check("every receipt says so in text and parameters", all(
            b"stat:DELIVRD" in pdu.short_message and pdu.message_state == 2 for pdu in one.receipts.values()))
        seen = world.operator.messages()
        joined = "".join(message["text"] for message in seen if message["parts"] > 1)
        check("the texts arrive as they were written",
              [message["text"] for message in seen if message["parts"] == 1] == TEXTS[:-1] and joined == LONG)

        payload = "One long payload, cut by Martlet. " * 10
        before = len(seen)
        one.client.send_message(source_addr_ton=5, source_addr="HARBOUR", dest_addr_ton=1, dest_addr_npi=1, destination_addr="447700900123",
                                message_payload=payload.encode(), data_coding=0, registered_delivery=1)
        check("a long message_payload is one id and one receipt",
              one.listen(lambda: len(one.answers) == sent + 1 and one.answers[-1] in one.receipts))
        check("it arrives in parts, whole",
              "".join(message["text"] for message in world.operator.messages()[before:]) == payload)

        one.failures.clear()
        one.submit("nowhere", to="12")
        one.submit("nobody", source="A name that is too long")
        check("an impossible number and an impossible sender are refused by their own status",
              one.listen(lambda: len(one.failures) == 2) and sorted(one.failures) == [0x0A, 0x0B])

        # Receipts to another bind, and after the client was away.
        world.operator.behave(receiptAfterMs=1500)
        ids = set(one.answers)
        one.submit("receipt on another bind")
        one.listen(lambda: len(set(one.answers)) == len(ids) + 1)
        one.leave()
        time.sleep(2.5)
        other = ESME(world.port, bind="receiver")
        check("a receipt that came while the client was away waits for its next bind",
              other.listen(lambda: set(other.receipts) == set(one.answers) - ids))
        other.leave()

        third = ESME(world.port, bind="transmitter")
        ids = set()
        for number in range(20):
            third.submit(f"receipt after a crash {number}")
        check("a transmitter's submits are answered", third.listen(lambda: len(set(third.answers)) == 20))
        time.sleep(2.5)
        world.martlet.kill9()
        world.start_martlet()
        fourth = ESME(world.port)
        check("receipts outlive a kill -9 of Martlet", fourth.listen(lambda: set(fourth.receipts) >= set(third.answers)))

        # Asking and taking back.
        world.operator.behave(silent=True)
        fourth.submit("on the wire")
        fourth.listen(lambda: len(fourth.answers) == 1)
        found = {}
        fourth.client.set_query_resp_handler(lambda pdu, **_: found.update({pdu.message_id.decode(): pdu.message_state}))
        fourth.client.query_message(message_id=fourth.answers[0], source_addr_ton=5, source_addr_npi=0, source_addr="HARBOUR")
        check("query_sm tells that it is on its way", fourth.listen(lambda: found.get(fourth.answers[0]) == 1))
        fourth.leave()
        status = world.ops.ask("GET", "/metrics")[1].decode()
        check("its counters agree", 'martlet_smpp_server_binds_total{outcome="bound"} 1' in status
              and "martlet_smpp_server_submits_total 1" in status)

    with door_world(build, "door-tls", tls=True) as world:
        world.prepare()
        world.start_simulator()
        world.start_martlet()
        one = ESME(world.port, authority=world.folder / "door.pem")
        one.submit("over TLS")
        check("over TLS a message goes out and its receipt comes back", one.listen(lambda: one.answers and set(one.receipts) == set(one.answers)))
        one.leave()

    with door_world(build, "door-certificate", tls=True, certificates=["cn:core-banking"]) as world:
        world.prepare()
        world.start_simulator()
        world.start_martlet()
        door = world.folder / "door.pem"
        one = ESME(world.port, authority=door, certificate=world.folder / "core.pem")
        one.submit("by its certificate")
        check("an account bound to a certificate binds with it", one.listen(lambda: one.answers and set(one.receipts) == set(one.answers)))
        one.leave()
        try:
            ESME(world.port, authority=door)
            check("and not without it", False)
        except smpplib.exceptions.PDUError:
            check("and not without it", True)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
