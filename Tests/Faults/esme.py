"""A sender system that speaks SMPP, for the scripts: as little of the protocol as they need."""
import socket
import struct

from world import Broken

PASSWORD = "seaside"


class ESME:
    """A sender system's bind, one submit_sm after the other."""

    def __init__(self, port, system):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._number = 0
        self._ask(0x00000009, system.encode() + b"\0" + PASSWORD.encode() + b"\0\0\x34\0\0\0")

    def _ask(self, command, body):
        """Body of the answer; what else comes meanwhile is answered."""
        self._number += 1
        self._socket.sendall(struct.pack(">IIII", 16 + len(body), command, 0, self._number) + body)
        while True:
            length, answer, status, number = struct.unpack(">IIII", self._read(16))
            body = self._read(length - 16)
            if answer == command | 0x80000000 and number == self._number:
                if status:
                    raise Broken(f"command {command:#x} was answered with status {status:#x}")
                return body
            if not answer & 0x80000000:
                # deliver_sm, enquire_link: taken.
                rest = b"\0" if answer == 5 else b""
                self._socket.sendall(struct.pack(">IIII", 16 + len(rest), answer | 0x80000000, 0, number) + rest)

    def _read(self, count):
        held = b""
        while len(held) < count:
            more = self._socket.recv(count - len(held))
            if not more:
                raise Broken("the SMPP door closed the connection")
            held += more
        return held

    def submit(self, to, text):
        """Id of the message."""
        short = text.encode("ascii")
        body = (b"\0\x05\0HARBOUR\0\x01\x01" + to.lstrip("+").encode() + b"\0" + bytes(3) + b"\0\0" + b"\x01\0\0\0"
                + bytes([len(short)]) + short)
        return self._ask(0x00000004, body).split(b"\0", 1)[0].decode()
