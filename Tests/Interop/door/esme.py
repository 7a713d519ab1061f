"""What the checks of the SMPP door share: a Martlet that sender systems bind to, with a simulated operator behind it, and smpplib as
the sender system."""
import logging
import pathlib
import socket
import ssl
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parents[2] / "Faults")]

import smpplib.client  # noqa: E402
import smpplib.consts  # noqa: E402
import smpplib.exceptions  # noqa: E402
import smpplib.gsm  # noqa: E402
import smpplib.smpp  # noqa: E402
from checks import Checks  # noqa: E402, F401
from world import World, free_port, wait_for  # noqa: E402, F401

logging.disable(logging.WARNING)
PASSWORD = "seaside"


def door_world(build, label, tls=False, **account):
    """A world whose Martlet listens for SMPP; `port` is where, `account` lies over the account's settings."""
    port = free_port()
    world = World(build, label=label, window=50)
    password = world.folder / "core.password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    smpp = {
        "listen": f"127.0.0.1:{port}",
        "accounts": [{"systemId": "core", "passwordFile": str(password), "source": "proof", **account}],
    }
    if tls:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=localhost", "-keyout", world.folder / "door.key", "-out", world.folder / "door.pem"], check=True, capture_output=True)
        # It signs the client's certificate as well.
        subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=core-banking",
             "-keyout", world.folder / "core.key", "-out", world.folder / "core.csr"], check=True, capture_output=True)
        subprocess.run(
            ["openssl", "x509", "-req", "-in", world.folder / "core.csr", "-CA", world.folder / "door.pem", "-CAkey",
             world.folder / "door.key", "-CAcreateserial", "-days", "2", "-out", world.folder / "core.pem"], check=True, capture_output=True)
        smpp["tls"] = {"certificate": str(world.folder / "door.pem"), "key": str(world.folder / "door.key"),
                       "clientAuthority": str(world.folder / "door.pem"), "clientCertificates": "optional"}
    world.lay_over({"smpp": smpp})
    world.port = port
    return world


class ESME:
    """One bind of smpplib, its answers and receipts gathered."""

    def __init__(self, port, bind="transceiver", system_id="core", password=PASSWORD, authority=None, certificate=None):
        self.answers, self.receipts, self.failures = [], {}, []
        context = None
        if authority:
            context = ssl.create_default_context(cafile=authority)
            context.check_hostname = False      # smpplib names no host to its TLS
            if certificate:
                context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self.client = smpplib.client.Client("127.0.0.1", port, timeout=20, allow_unknown_opt_params=True, ssl_context=context)
        self.client.set_message_sent_handler(self._answered)
        self.client.set_message_received_handler(self._received)
        self.client.set_error_pdu_handler(lambda pdu: self.failures.append(pdu.status))
        self.client.connect()
        getattr(self.client, f"bind_{bind}")(system_id=system_id, password=password)
        self.client._socket.settimeout(0.2)

    def _answered(self, pdu):
        if pdu.status == 0:
            self.answers.append(pdu.message_id.decode())

    def _received(self, pdu):
        identifier = (pdu.receipted_message_id or b"").decode() or pdu.short_message.decode().split("id:")[1].split(" ")[0]
        self.receipts[identifier] = pdu
        return 0

    def submit(self, text, to="447700900123", source="HARBOUR", **fields):
        """Sends one text as smpplib cuts it; the number of submits."""
        parts, coding, kind = smpplib.gsm.make_parts(text)
        for part in parts:
            self.client.send_message(**{
                "source_addr_ton": smpplib.consts.SMPP_TON_ALNUM, "source_addr": source,
                "dest_addr_ton": smpplib.consts.SMPP_TON_INTL, "dest_addr_npi": smpplib.consts.SMPP_NPI_ISDN, "destination_addr": to,
                "short_message": part, "data_coding": coding, "esm_class": kind, "registered_delivery": 1, **fields})
        return len(parts)

    def send(self, command, **fields):
        self.client.send_pdu(smpplib.smpp.make_pdu(command, client=self.client, **fields))

    def listen(self, until, seconds=15):
        """Reads until it is so; whether it is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            try:
                self.client.read_once()
            except socket.timeout:
                pass
        return until()

    def leave(self):
        try:
            self.client.unbind()
        except (smpplib.exceptions.PDUError, smpplib.exceptions.ConnectionError, OSError):
            pass
        self.client.disconnect()
