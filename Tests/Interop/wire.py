"""Octets as they went over the wire: a relay that keeps what Martlet wrote, and what others say to it.

Nothing here needs rights on the machine: a relay stands between Martlet and the foreign program, instead of a capture."""
import contextlib
import io
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading

# So many PDUs of one kind are enough; and most in all.
EACH, ALL = 200, 2000


class Relay:
    """Passes octets between whoever connects and `target`. `keeps` names the side Martlet is on: "in" when it connects here (its channel),
    "out" when it is the target (its door). `certificate`: (file, key) with which TLS is spoken towards whoever connects."""

    def __init__(self, port, target, keeps, certificate=None):
        self.port, self.target, self.keeps = port, target, keeps
        self.kept = []          # one bytearray a connection
        self._links = set()
        self._lock = threading.Lock()
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*map(str, certificate))
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, near):
        try:
            if self._context:
                near = self._context.wrap_socket(near, server_side=True)
            far = socket.create_connection(("127.0.0.1", self.target), timeout=10)
            far.settimeout(None)
        except OSError:
            near.close()
            return
        kept = bytearray()
        with self._lock:
            self.kept.append(kept)
            self._links |= {near, far}
        ways = [(near, far, kept if self.keeps == "in" else None), (far, near, kept if self.keeps == "out" else None)]
        threads = [threading.Thread(target=self._pass, args=way, daemon=True) for way in ways]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        with self._lock:
            self._links -= {near, far}

    def _pass(self, source, sink, kept):
        try:
            while octets := source.recv(65536):
                if kept is not None:
                    kept += octets
                sink.sendall(octets)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def cut(self):
        """Ends every connection, without a word."""
        with self._lock:
            for one in self._links:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self._listener.close()
        self.cut()

    def pdus(self):
        """Every whole PDU that Martlet wrote, in order."""
        found = []
        for octets in self.kept:
            at = 0
            while at + 4 <= len(octets):
                length = struct.unpack_from(">I", octets, at)[0]
                if length < 16 or at + length > len(octets):
                    break
                found.append(bytes(octets[at:at + length]))
                at += length
        return found


def some(pdus):
    """At most EACH of a command, ALL in all."""
    counts, found = {}, []
    for pdu in pdus:
        command = pdu[4:8]
        counts[command] = counts.get(command, 0) + 1
        if counts[command] <= EACH and len(found) < ALL:
            found.append(pdu)
    return found


def check_wire(check, relays):
    """tshark's dissector finds nothing malformed in what Martlet wrote, and smpp.pdu3 reads each PDU and writes the same again."""
    pdus = some([pdu for relay in relays for pdu in relay.pdus()])
    kinds = {int.from_bytes(pdu[4:8], "big") for pdu in pdus}
    what = f"{len(pdus)} PDUs of {len(kinds)} commands that Martlet wrote"
    check(f"there are PDUs to look at: {what}", bool(pdus))
    for name, reader in (("tshark", with_tshark), ("smpp.pdu3", with_pdu3)):
        problems = reader(pdus)
        if problems is None:
            print(f"skip {name} is not installed; scripts/setup --interop installs it", flush=True)
            continue
        check(f"{name} reads {what}", not problems)
        for problem in problems[:10]:
            print(f"     {problem}")


def with_tshark(pdus):
    if not shutil.which("tshark") or not shutil.which("text2pcap"):
        return None
    fields = ["smpp.command_id", "smpp.sequence_number", "smpp.command_length", "_ws.malformed"]
    with tempfile.TemporaryDirectory() as folder:
        dump, capture = pathlib.Path(folder, "dump"), pathlib.Path(folder, "capture")
        dump.write_text("".join(
            "".join(f"{at:06x} {pdu[at:at + 16].hex(' ')}\n" for at in range(0, len(pdu), 16)) + "\n" for pdu in pdus))
        subprocess.run(["text2pcap", "-q", "-T", "40000,2775", str(dump), str(capture)], check=True, capture_output=True)
        arguments = ["tshark", "-r", str(capture), "-d", "tcp.port==2775,smpp", "-o", "smpp.reassemble_smpp_over_tcp:FALSE", "-T", "fields"]
        for field in fields:
            arguments += ["-e", field]
        lines = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.splitlines()
    problems = [f"{len(lines)} packets seen of {len(pdus)}"] if len(lines) != len(pdus) else []
    for pdu, line in zip(pdus, lines):
        seen = line.split("\t") + [""] * len(fields)
        length, command, _, sequence = struct.unpack_from(">IIII", pdu)
        if [int(one, 0) if one else None for one in seen[:3]] != [command, sequence, length] or seen[3]:
            problems.append(f"{pdu.hex()}: {line!r}")
    return problems


def with_pdu3(pdus):
    try:
        from smpp.pdu.pdu_encoding import PDUEncoder
    except ImportError:
        return None
    problems = []
    for pdu in pdus:
        try:
            # It prints a letter for each time that it reads.
            with contextlib.redirect_stdout(io.StringIO()):
                seen = PDUEncoder().decode(io.BytesIO(pdu))
                again = PDUEncoder().encode(seen)
        except Exception as error:  # whatever it says is a difference
            problems.append(f"{pdu.hex()}: {error}")
            continue
        # Its order of optional parameters may differ.
        if seen.seqNum != int.from_bytes(pdu[12:16], "big") or sorted(again) != sorted(pdu):
            problems.append(f"{pdu.hex()}: it writes {again.hex()}")
    return problems
