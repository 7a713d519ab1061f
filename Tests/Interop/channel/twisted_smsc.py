#!/usr/bin/env python3
"""An SMSC made of smpp.twisted's server, which Jasmin's server is built on: twisted_smsc.py PORT FOLDER. Does what net_smpp_smsc.pl does,
with receipts that have receipted_message_id and message_state beside their text."""
import logging
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
from smpp.pdu import operations, pdu_types  # noqa: E402
from smpp.twisted.config import SMPPServerConfig  # noqa: E402
from smpp.twisted.protocol import DataHandlerResponse  # noqa: E402
from smpp.twisted.server import SMPPServerFactory  # noqa: E402
from twisted.cred import checkers, credentials, error, portal  # noqa: E402
from twisted.internet import reactor, task  # noqa: E402
from zope.interface import implementer  # noqa: E402

logging.disable(logging.CRITICAL)


@implementer(portal.IRealm)
class Realm:
    def requestAvatar(self, name, mind, *interfaces):
        return interfaces[0], name, lambda: None


@implementer(checkers.ICredentialsChecker)
class Accounts:
    """The one that is there; the checkers of Twisted compare octets, smpp.twisted gives text."""

    credentialInterfaces = (credentials.IUsernamePassword,)

    def requestAvatarId(self, given):
        if (given.username, given.password) != ("martlet", "secret"):
            raise error.UnauthorizedLogin()
        return given.username


class SMSC:
    def __init__(self, folder):
        self.folder, self.number, self.waiting, self.binds = folder, 0xABCD0000, [], set()
        self.file = open(folder / "seen", "a", buffering=1)

    def seen(self, *words):
        print(*words, file=self.file)

    def handle(self, system_id, link, pdu):
        if pdu.commandId != pdu_types.CommandId.submit_sm:
            return pdu_types.CommandStatus.ESME_RINVCMDID
        self.number += 1
        identifier = f"{self.number:X}"
        fields = pdu.params
        # What it made objects of is taken back to octets by its own encoders.
        from smpp.pdu.pdu_encoding import DataCodingEncoder, EsmClassEncoder
        esm, coding = (int.from_bytes(encoder().encode(fields[name]), "big")
                       for encoder, name in ((EsmClassEncoder, "esm_class"), (DataCodingEncoder, "data_coding")))
        self.seen("submit", identifier, fields["source_addr"].decode(), fields["destination_addr"].decode(), esm, coding,
                  fields["short_message"].hex())
        if fields["registered_delivery"].receipt != pdu_types.RegisteredDeliveryReceipt.NO_SMSC_DELIVERY_RECEIPT_REQUESTED:
            self.waiting.append((identifier, fields["destination_addr"], fields["source_addr"]))
        return DataHandlerResponse(pdu_types.CommandStatus.ESME_ROK, message_id=identifier)

    def turn(self):
        manager = self.factory.getBoundConnections("martlet")
        now = set(manager or [])
        for link in now - self.binds:
            self.seen("bind", link.bind_type.name.removeprefix("bind_"))
        self.binds = now
        if (self.folder / "hold").exists() or not manager:
            return
        while self.waiting and (link := manager.getNextBindingForDelivery()):
            one = self.waiting.pop(0)
            identifier, source, destination = one
            text = f"id:{identifier} sub:001 dlvrd:001 submit date:2611221804 done date:2611221805 stat:DELIVRD err:000 text:"
            pdu = operations.DeliverSM(
                source_addr_ton=pdu_types.AddrTon.INTERNATIONAL, source_addr_npi=pdu_types.AddrNpi.ISDN, source_addr=source,
                dest_addr_ton=pdu_types.AddrTon.ALPHANUMERIC, dest_addr_npi=pdu_types.AddrNpi.UNKNOWN, destination_addr=destination,
                esm_class=pdu_types.EsmClass(pdu_types.EsmClassMode.DEFAULT, pdu_types.EsmClassType.SMSC_DELIVERY_RECEIPT),
                short_message=text.encode(), receipted_message_id=identifier.encode(), message_state=pdu_types.MessageState.DELIVERED)
            done = link.sendDataRequest(pdu)
            done.addCallbacks(lambda answer, i=identifier: self.seen("receipt", i, 0), lambda _, one=one: self.waiting.append(one))


def main():
    port, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    smsc = SMSC(folder)
    config = SMPPServerConfig(msgHandler=smsc.handle, systems={"martlet": {"max_bindings": 10}})
    smsc.factory = SMPPServerFactory(config, portal.Portal(Realm(), [Accounts()]))
    reactor.listenTCP(port, smsc.factory, interface="127.0.0.1")
    task.LoopingCall(smsc.turn).start(0.05)
    reactor.run(installSignalHandlers=False)


if __name__ == "__main__":
    main()
