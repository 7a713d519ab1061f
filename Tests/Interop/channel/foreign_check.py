#!/usr/bin/env python3
"""Martlet binds to SMSCs that nobody here wrote, as it would to an operator's: Net::SMPP's server and smpp.twisted's, which Jasmin's is
built on.

    foreign_check.py [--build release|debug] [--only net_smpp|twisted]

Transceiver and split binds; plain, Cyrillic, emoji and long texts; receipts at once, after the connection was cut, and after Martlet was
restarted; TLS; then everything that Martlet wrote is read by tshark and smpp.pdu3. Exit status 1 when something differs.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "Faults"), str(HERE.parent / "door")]

from checks import Checks  # noqa: E402
from wire import Relay, check_wire  # noqa: E402
from world import Process, World, free_port, wait_for  # noqa: E402

LONG = "Выписка по счёту готова, её можно посмотреть в приложении. " * 5
TEXTS = ["Card *4417: paid 48.20 EUR at Green Market.", "Ваш код: 417 208. Никому его не говорите.", "🏦 Thank you 👩‍👩‍👧 for 5 years with us!",
         "[€] {brackets} ~ and ^", LONG, "🎉 " + "Спасибо, что вы с нами! 🏦 " * 8]
GSM7 = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
        "¿abcdefghijklmnopqrstuvwxyzäöñüà")
SHIFTED = {0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€"}


class SMSC:
    """A foreign SMSC as a process; what it saw, read from its file."""

    def __init__(self, name, folder):
        self.folder, self.port = folder / name, free_port()
        self.folder.mkdir()
        command = {"net_smpp": ["perl", HERE / "net_smpp_smsc.pl"], "twisted": [sys.executable, HERE / "twisted_smsc.py"]}[name]
        self.process = Process([*command, self.port, self.folder], folder / f"{name}.log")
        wait_for(f"{name} listens", 20, lambda: self.process.running and self._listens(), every=0.1)

    def _listens(self):
        import socket
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def seen(self, kind):
        path = self.folder / "seen"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.split(" ")[1:] for line in lines if line.split(" ")[0] == kind]

    def hold(self, held):
        (self.folder / "hold").touch() if held else (self.folder / "hold").unlink(missing_ok=True)


def shown(esm, coding, octets):
    """(reference, total, number, text) as a handset would have it: read here by hand, not by our own library."""
    place = (0, 1, 1)
    if esm & 0x40:
        length = octets[0]
        if octets[1] == 0 and length == 5:
            place = tuple(octets[3:6])
        octets = octets[length + 1:]
    if coding == 8:
        return (*place, octets.decode("utf-16-be"))
    text, shifted = "", False
    for octet in octets:
        if shifted:
            text, shifted = text + SHIFTED[octet], False
        elif octet == 0x1B:
            shifted = True
        else:
            text += GSM7[octet]
    return (*place, text)


def texts_of(submits):
    """Whole texts, in the order in which they were complete."""
    parts, whole = {}, []
    for _, _, to, esm, coding, octets in submits:
        reference, total, number, text = shown(int(esm), int(coding), bytes.fromhex(octets))
        if total == 1:
            whole.append(text)
            continue
        parts.setdefault((to, reference, total), {})[number] = text
        if len(parts[to, reference, total]) == total:
            found = parts.pop((to, reference, total))
            whole.append("".join(found[number] for number in sorted(found)))
    return whole


def make_world(name, build, bind, certificate):
    world = World(build, label=f"interop-{name}", window=20)
    port = free_port()
    files = (world.folder / "smsc.pem", world.folder / "smsc.key")
    connection = {"port": port, "bind": bind, "enquireInterval": "2s"}
    if certificate:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", files[1], "-out", files[0]],
            check=True, capture_output=True)
        connection |= {"host": "localhost", "tls": True, "tlsAuthority": str(files[0])}
    world.lay_over({"connections": [connection]})
    world.prepare()
    smsc = SMSC(name, world.folder)
    return world, smsc, Relay(port, smsc.port, "in", files if certificate else None)


def run(name, bind, build, check, tls=False):
    print(f"--- {name}, {bind}{', TLS' if tls else ''}", flush=True)
    world, smsc, relay = make_world(name, build, bind, tls)
    with world:
        world.start_martlet(ready=False)
        wanted = ["receiver", "transmitter"] if bind == "split" else ["transceiver"]

        def kinds():
            return sorted(one[0] for one in smsc.seen("bind"))
        wait_for("the binds", 20, lambda: kinds()[:len(wanted)] == wanted, every=0.1)
        check(f"it binds as {' and '.join(wanted)}", kinds() == wanted)
        world.wait_ready()
        web = world.web()

        def send(text):
            status, answer = web.json("POST", "/v1/messages", {"to": "+447700900123", "from": "HARBOUR", "text": text, "class": "service"})
            return answer["id"] if status == 202 else None

        def states(ids):
            # A connection of its own each time: Martlet may have been killed in between.
            reader = world.web()
            return [reader.json("GET", f"/v1/messages/{one}")[1].get("state") for one in ids]

        def delivered(ids, seconds=20):
            end = time.monotonic() + seconds
            while time.monotonic() < end and states(ids) != ["delivered"] * len(ids):
                time.sleep(0.1)
            return states(ids) == ["delivered"] * len(ids)

        ids = [send(text) for text in TEXTS]
        check("plain, Cyrillic, emoji and long texts are taken and their receipts come", all(ids) and delivered(ids))
        check("the texts arrive as they were written", sorted(texts_of(smsc.seen("submit"))) == sorted(TEXTS))
        check("every id of every part was answered once as received",
              sorted(one[0] for one in smsc.seen("receipt")) == sorted(one[0] for one in smsc.seen("submit")))

        if not tls:
            late(world, smsc, relay, check, send, delivered, states, len(kinds()))
        wait_for("an enquire_link", 10, lambda: any(pdu[4:8] == b"\0\0\0\x15" for pdu in relay.pdus()), every=0.2)
        world.martlet.stop()
        check("it unbinds when it stops", any(pdu[4:8] == b"\0\0\0\x06" for pdu in relay.pdus()))
        check_wire(check, [relay])
        relay.close()
        smsc.process.kill9()


def late(world, smsc, relay, check, send, delivered, states, binds):
    """Receipts that come after the connection, or Martlet itself, was gone in between."""
    def submitted(count):
        return len(smsc.seen("submit")) == count

    smsc.hold(True)
    before = len(smsc.seen("submit"))
    first = [send(f"late receipt {number}") for number in range(10)]
    wait_for("they are at the SMSC", 10, lambda: submitted(before + 10), every=0.1)
    time.sleep(0.5)
    relay.cut()
    wait_for("Martlet is bound again", 30, lambda: len(smsc.seen("bind")) > binds, every=0.1)
    smsc.hold(False)
    check("receipts that come after the connection was cut find their messages", delivered(first))

    smsc.hold(True)
    before = len(smsc.seen("submit"))
    second = [send(f"later receipt {number}") for number in range(10)]
    wait_for("they are at the SMSC", 10, lambda: submitted(before + 10), every=0.1)
    time.sleep(0.5)
    world.martlet.kill9()
    world.start_martlet()
    smsc.hold(False)
    check("receipts that come after kill -9 and a restart find theirs", delivered(second))
    check("nothing was sent twice", submitted(before + 10))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release", choices=["release", "debug"])
    options.add_argument("--only", default="net_smpp,twisted")
    options = options.parse_args()
    check, ran = Checks(), 0
    for name in options.only.split(","):
        if name == "net_smpp":
            there = shutil.which("perl") and subprocess.run(["perl", "-MNet::SMPP", "-e", "1"], capture_output=True).returncode == 0
        else:
            there = subprocess.run([sys.executable, "-c", "import smpp.twisted.server"], capture_output=True).returncode == 0
        if not there:
            print(f"skip {name} is not installed; scripts/setup --interop installs it", flush=True)
            continue
        ran += 1
        run(name, "transceiver", options.build, check)
        run(name, "split", options.build, check)
        run(name, "transceiver", options.build, check, tls=True)
    return 2 if not ran else 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
