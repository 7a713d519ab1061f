#!/usr/bin/env python3
"""A sender system made of smpp.twisted's client: twisted_esme.py PORT transceiver|split PASSWORD. Does what net_smpp_esme.pl does."""
import logging
import re
import sys
import warnings

warnings.simplefilter("ignore")
from smpp.pdu import operations, pdu_types  # noqa: E402
from smpp.pdu.pdu_encoding import DataCodingEncoder, EsmClassEncoder  # noqa: E402
from smpp.twisted.client import SMPPClientReceiver, SMPPClientTransceiver, SMPPClientTransmitter  # noqa: E402
from smpp.twisted.config import SMPPClientConfig  # noqa: E402
from twisted.internet import defer, reactor  # noqa: E402

logging.disable(logging.CRITICAL)
PORT, HOW, PASSWORD = int(sys.argv[1]), sys.argv[2], sys.argv[3]
LINES = [line.split() for line in sys.stdin]


def say(*words):
    print(*words, flush=True)


def octet(encoder, number):
    import io
    return encoder().decode(io.BytesIO(bytes([int(number)])))


class Heard:
    count, done = 0, defer.Deferred()

    def handle(self, link, pdu):
        text = pdu.params["short_message"].decode()
        self.count += 1
        say("receipt", re.search(r"id:(\S+)", text)[1], re.search(r"stat:(\S+)", text)[1],
            (pdu.params.get("receipted_message_id") or b"").decode())
        if self.count == len(LINES):
            reactor.callLater(0.1, self.done.callback, None)


@defer.inlineCallbacks
def run():
    heard = Heard()
    config = SMPPClientConfig(host="127.0.0.1", port=PORT, username="core", password=PASSWORD, enquireLinkTimerSecs=1)
    if HOW == "split":
        sender = yield SMPPClientTransmitter(config).connectAndBind()
        say("bound transmitter 0")
        hearer = yield SMPPClientReceiver(config, heard.handle).connectAndBind()
        say("bound receiver 0")
    else:
        sender = hearer = yield SMPPClientTransceiver(config, heard.handle).connectAndBind()
        say("bound transceiver 0")
    last = ""
    for esm, coding, octets in LINES:
        done = yield sender.sendDataRequest(operations.SubmitSM(
            source_addr_ton=pdu_types.AddrTon.ALPHANUMERIC, source_addr=b"HARBOUR", dest_addr_ton=pdu_types.AddrTon.INTERNATIONAL,
            dest_addr_npi=pdu_types.AddrNpi.ISDN, destination_addr=b"447700900123", esm_class=octet(EsmClassEncoder, esm),
            data_coding=octet(DataCodingEncoder, coding), short_message=bytes.fromhex(octets),
            registered_delivery=pdu_types.RegisteredDelivery(pdu_types.RegisteredDeliveryReceipt.SMSC_DELIVERY_RECEIPT_REQUESTED)))
        last = done.response.params["message_id"].decode()
        say("answer", last, 0)
    yield heard.done
    done = yield sender.sendDataRequest(operations.QuerySM(
        message_id=last.encode(), source_addr_ton=pdu_types.AddrTon.ALPHANUMERIC, source_addr=b"HARBOUR"))
    say("query", done.response.params["message_id"].decode(), int(done.response.params["message_state"].value), 0)
    wait = defer.Deferred()
    reactor.callLater(2.5, wait.callback, None)     # long enough for its enquire_link and the answer
    yield wait
    say("alive", 0 if sender.isBound() else 1)
    for one in {sender, hearer}:
        yield one.unbind()
        say("unbound", 0)
        yield one.disconnect()


def failed(failure):
    say("failed", failure.getErrorMessage())


def main():
    run().addErrback(failed).addBoth(lambda _: reactor.stop() if reactor.running else None)
    reactor.callLater(25, lambda: reactor.stop())
    reactor.run(installSignalHandlers=False)


if __name__ == "__main__":
    main()
