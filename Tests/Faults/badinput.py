#!/usr/bin/env python3
"""Gives Martlet hostile bytes on every port it listens on and every connection it makes, and asks after each whether it still works.

    badinput.py --build debug [--seed N] [--random 200]

Every answer must be a 4xx or 5xx of HTTP or a closed connection, never a 202; after each case an honest message is taken and reaches
the operator. Memory and open files must come back down.
"""
import argparse
import json
import os
import random
import socket
import struct
import threading
import time

import world
from world import Broken, Gone, World, say, wait_for

GOOD = {"to": "+447700900123", "text": "hello", "from": "HARBOUR"}


# --- raw sockets -----------------------------------------------------------------------------------------------------

def connect(port, timeout=5):
    link = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def exchange(port, octets, half_close=True, timeout=5):
    """What the server answers to raw octets until it closes or falls silent; a reset counts as closed. `timeout` is the whole wait."""
    answer = b""
    try:
        with connect(port, timeout) as link:
            try:
                link.sendall(octets)
                if half_close:
                    link.shutdown(socket.SHUT_WR)
            except OSError:
                pass                # it hung up while we were still talking
            end = time.monotonic() + timeout
            while time.monotonic() < end and len(answer) < 1 << 20:
                link.settimeout(max(0.01, end - time.monotonic()))
                received = link.recv(65536)
                if not received:
                    break
                answer += received
    except ConnectionRefusedError:
        raise Broken("nobody listens any more")
    except OSError:
        pass
    return answer


def statuses(answer):
    """Status of every HTTP answer in these octets."""
    found = []
    for line in answer.split(b"HTTP/1.")[1:]:
        words = line.split(b" ", 2)
        if len(words) > 1 and words[1][:3].isdigit():
            found.append(int(words[1][:3]))
    return found


# --- HTTP ------------------------------------------------------------------------------------------------------------

def framing_cases(key):
    """(name, octets): requests whose frame is wrong. None may be answered 202."""
    body = json.dumps(GOOD).encode()

    def post(headers, content=body, line=b"POST /v1/messages HTTP/1.1"):
        return (line + b"\r\nHost: x\r\nAuthorization: Bearer " + key + b"\r\nContent-Type: application/json\r\n"
                + headers + b"\r\n\r\n" + content)
    length = b"Content-Length: %d" % len(body)
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    smuggled = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key + b"\r\n" + length + b"\r\n\r\n" + body
    return [
        ("nothing", b""),
        ("one octet", b"P"),
        ("half a request line", b"POST /v1/mess"),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256))),
        ("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(64)),
        ("an SMPP bind", struct.pack(">IIII", 33, 9, 0, 1) + b"martlet\0secret\0\0\x34\0\0\0"),
        ("version 9.9", post(length, line=b"POST /v1/messages HTTP/9.9")),
        ("no version", b"POST /v1/messages\r\n\r\n"),
        ("a method of 64 KiB", b"A" * 65536 + b" / HTTP/1.1\r\n\r\n"),
        ("a target of 1 MiB", b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a header of 1 MiB", post(b"X-Long: " + b"a" * (1 << 20) + b"\r\n" + length)),
        ("20,000 headers", post(b"\r\n".join(b"X-%d: y" % n for n in range(20_000)) + b"\r\n" + length)),
        ("a key of 100 KiB", b"GET /v1/messages/0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b"m" * 100_000 + b"\r\n\r\n"),
        ("a NUL in a header", post(b"X-Nul: a\0b\r\n" + length)),
        ("a folded header", post(b"X-Fold: a\r\n b\r\n" + length)),
        ("a space before the colon", post(b"Content-Length : %d" % len(body))),
        ("length that is no number", post(b"Content-Length: twelve")),
        ("a negative length", post(b"Content-Length: -1")),
        ("a length with a plus", post(b"Content-Length: +%d" % len(body))),
        ("two lengths", post(length + b"\r\nContent-Length: 3")),
        ("a length of 10^18", post(b"Content-Length: 1000000000000000000")),
        ("a length beyond 64 bits", post(b"Content-Length: 99999999999999999999999")),
        ("a body shorter than its length", post(b"Content-Length: %d" % (len(body) + 10))),
        ("a length and chunks", post(length + b"\r\nTransfer-Encoding: chunked", chunk)),
        ("chunks hidden behind a length", post(b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n" + smuggled)),
        ("an unknown transfer coding", post(b"Transfer-Encoding: xchunked", chunk)),
        ("a chunk size that is no number", post(b"Transfer-Encoding: chunked", b"zz\r\n" + body + b"\r\n0\r\n\r\n")),
        ("a chunk size beyond 64 bits", post(b"Transfer-Encoding: chunked", b"fffffffffffffffff\r\n" + body)),
        ("chunks that never end", post(b"Transfer-Encoding: chunked", b"400000\r\n" + b"a" * 0x400000 + b"\r\n")),
    ]


def body_cases():
    """(name, body, statuses allowed): well framed, wrong inside."""
    refused = {400, 413, 415, 422}

    def changed(**fields):
        return json.dumps({**GOOD, **fields}).encode()
    deep = b'{"to":"+447700900123","text":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    return [
        ("an empty body", b"", refused),
        ("null", b"null", refused),
        ("a list", b"[]", refused),
        ("half an object", b'{"to":"+4477009', refused),
        ("an object and more", json.dumps(GOOD).encode() + b"x", refused),
        ("100,000 brackets", deep, refused),
        ("100,000 open objects", b'{"a":' * 100_000, refused),
        ("a key twice", b'{"to":"+447700900123","to":"+447700900124","text":"x"}', refused),
        ("broken UTF-8", b'{"to":"+447700900123","text":"\xc3\x28"}', refused),
        ("overlong UTF-8", b'{"to":"+447700900123","text":"\xc0\xaf"}', refused),
        ("half a surrogate pair", b'{"to":"+447700900123","text":"\\ud800"}', refused),
        ("a raw control character", b'{"to":"+447700900123","text":"a\x01b"}', refused),
        ("a byte order mark", b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), refused | {202}),
        ("UTF-16", json.dumps(GOOD).encode("utf-16"), refused),
        ("a number beyond all bounds", b'{"to":"+447700900123","text":"x","validity":1e999}', refused),
        ("a number of 100,000 digits", b'{"to":"+447700900123","text":"x","validity":' + b"9" * 100_000 + b"}", refused),
        ("a negative validity", changed(validity=-1), refused),
        ("a validity of ages", changed(validity=1 << 62), refused),
        ("a validity in words", changed(validity="soon"), refused),
        ("a number with letters", changed(to="+44abc"), refused),
        ("a number of 400 digits", changed(to="+" + "4" * 400), refused),
        ("no number", changed(to=""), refused),
        ("no text", changed(text=""), refused | {202}),
        ("a text of 1 MiB", changed(text="a" * (1 << 20)), refused),
        ("a text of 100,000 letters", changed(text="Ж" * 100_000), refused),
        ("a sender with line breaks", changed(**{"from": "A\r\nB"}), refused),
        ("a class nobody knows", changed(**{"class": "urgent"}), refused),
        ("a field nobody knows", changed(colour="blue"), refused | {202}),
        ("numbers for texts", json.dumps({"to": 447700900123, "text": 5}).encode(), refused),
    ]


def http_cases(place, chance):
    web = place.web(timeout=10)
    key = place.key.encode()
    for name, octets in framing_cases(key):
        for half_close in (True, False):
            # Without the half close an unfinished request is waited for: that is right, and not for long here.
            answer = exchange(place.ports["http"], octets, half_close, timeout=5 if half_close else 0.3)
            if any(status < 400 for status in statuses(answer)):
                raise Broken(f"{name}: answered {statuses(answer)}, that is, taken")
        exchange(place.ports["metrics"], octets, True, timeout=2)
        still_works(place, name)
    for name, body, allowed in body_cases():
        try:
            status, _ = web.ask("POST", "/v1/messages", body)
        except Gone:
            status = None           # hung up on a body that is too large
        if status is None and len(body) < 16_000 or status is not None and status not in allowed:
            raise Broken(f"{name}: answered {status}")
        still_works(place, name)
    for path in ("/v1/messages/", "/v1/messages/x", "/v1/messages/" + "0" * 32, "/v1/messages/" + "f" * 5000, "/v1/messages/%00",
                 "/v1/messages/../../etc/passwd", "//", "/v1/messages/%ff%fe/trace", "/?" + "a=" * 1000):
        for method in ("GET", "DELETE", "PATCH", "BREW"):
            try:
                status, _ = web.ask(method, path)
            except Gone:
                continue
            if status < 400:
                raise Broken(f"{method} {path[:40]}: answered {status}")
    for key in (None, "", "mk_", "x" * 4000, place.key[:-1], place.key + "0", "mk_" + "é" * 20):
        other = world.Web(place.ports["http"])
        if key is not None:
            other.headers["Authorization"] = f"Bearer {key}".encode("utf-8").decode("latin-1")
        try:
            status, _ = other.json("POST", "/v1/messages", GOOD)
        except Gone:
            continue
        finally:
            other.close()
        if status not in (400, 401, 403, 431):
            raise Broken(f"a wrong key was answered {status}")
    still_works(place, "wrong keys")
    for number in range(options.random):
        octets = mutated(chance, place)
        for port in ("http", "metrics"):
            exchange(place.ports[port], octets, True, timeout=3)
        if number % 20 == 19:
            still_works(place, f"random octets {number}")
    web.close()


def mutated(chance, place):
    """Garbage, or an honest request with a few octets changed, doubled or cut out."""
    if chance.random() < 0.3:
        return chance.randbytes(chance.randrange(1, 4000))
    body = json.dumps(GOOD).encode()
    octets = bytearray(b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + place.key.encode()
                       + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(octets))
        match chance.randrange(3):
            case 0: octets[at] = chance.randrange(256)
            case 1: octets[at:at] = octets[at:at + chance.randrange(1, 50)]
            case 2: del octets[at:at + chance.randrange(1, 20)]
        if not octets:
            return b"\0"
    return bytes(octets)


def rude_clients(place):
    """Connections that are left half open, cut with RST in the middle, or fed an octet at a time."""
    head = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + place.key.encode() + b"\r\nContent-Length: 400\r\n"
    left = []
    for number in range(200):
        link = connect(place.ports["http"])
        link.sendall(head[:number % len(head)] if number % 3 else head + b"\r\n{")
        left.append(link)
    still_works(place, "200 half-open requests")
    for link in left[::2]:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.close()
    still_works(place, "100 connections reset")
    slow = connect(place.ports["http"])
    for octet in head[:60]:
        try:
            slow.send(bytes([octet]))
        except OSError:
            break
        time.sleep(0.01)
    still_works(place, "a request fed octet by octet")
    slow.close()
    for link in left[1::2]:
        link.close()
    body = json.dumps(GOOD).encode()
    one = (b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + place.key.encode()
           + b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    answers = statuses(exchange(place.ports["http"], one * 100, True, timeout=10))
    if any(status not in (202, 400, 429, 503) for status in answers):
        raise Broken(f"100 requests at once were answered {sorted(set(answers))}")
    # Gone before the answer: what was taken is sent, what was not is not, and the server lives.
    for _ in range(100):
        link = connect(place.ports["http"])
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.sendall(one)
        link.close()
    still_works(place, "100 clients that leave before the answer")


_serial = 0


def still_works(place, after):
    """An honest message is taken."""
    global _serial
    _serial += 1
    web = place.web(timeout=5)
    try:
        status, answer = web.json("POST", "/v1/messages", {**GOOD, "text": f"honest {_serial}"})
    except Gone as gone:
        raise Broken(f"after {after}: an honest message got no answer ({gone}); running: {place.martlet.running}\n{place.martlet.tail()}")
    finally:
        web.close()
    if status != 202:
        raise Broken(f"after {after}: an honest message was answered {status} {answer}")


# --- an operator that cannot be trusted ------------------------------------------------------------------------------

def pdu(command, status, sequence, body=b""):
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def deliver(sequence, body, esm=4):
    return pdu(5, 0, sequence, b"\0\1\1447700900123\0\0\0BANK\0" + bytes([esm]) + b"\0\0\0\0\0\0\0\0" + bytes([min(255, len(body))]) + body)


def hostile_words(chance):
    """(name, what is said after an accepted bind). `None` first: said instead of the answer to the bind."""
    return [
        ("garbage", chance.randbytes(2000)),
        ("length 0", struct.pack(">IIII", 0, 5, 0, 7)),
        ("length 15", struct.pack(">IIII", 15, 5, 0, 7)),
        ("length 4 GiB", struct.pack(">IIII", 0xFFFFFFFF, 5, 0, 7) + bytes(1000)),
        ("half a PDU", deliver(7, b"hello")[:30]),
        ("an unknown command", pdu(0x00ABCDEF, 0, 7, bytes(40))),
        ("a resp nobody asked for", pdu(0x80000004, 0, 0x7FFFFFFF, b"1\0")),
        ("a resp of an unknown command", pdu(0x8000FFFF, 0, 7)),
        ("a deliver_sm without an end", pdu(5, 0, 7, b"A" * 300)),
        ("a deliver_sm of nothing", pdu(5, 0, 7)),
        ("a text longer than its PDU", pdu(5, 0, 7, b"\0\1\1" + b"447700900123\0\0\0BANK\0\0\0\0\0\0\0\0\0\0\xffshort")),
        ("a TLV longer than its PDU", deliver(7, b"hi") + pdu(5, 0, 8, b"\0\1\1447\0\0\0B\0\4\0\0\0\0\0\0\0\0\0" + b"\x04\x24\xff\xff")),
        ("receipts without sense", b"".join(deliver(9 + n, text) for n, text in enumerate(
            [b"", b"id:", b"id:\0 stat:", b"id:1 stat:DELIVRD", b"id:" + b"9" * 200 + b" stat:DELIVRD", b"stat:DELIVRD id:" + b"f" * 60,
             b"\xff" * 200, b"id:1 sub:001 dlvrd:001 submit date:9999999999 done date:0000000000 stat:WHATEVER err:zzz text:\xff"]))),
        ("10,000 enquire_links", b"".join(pdu(0x15, 0, n + 1) for n in range(10_000))),
        ("an unbind", pdu(6, 0, 7)),
        ("a generic_nack", pdu(0x80000000, 3, 2)),
        ("a bind answer again", pdu(0x80000009, 0, 1, b"again\0")),
        ("a server's PDU turned round", pdu(9, 0, 1, b"martlet\0secret\0\0\x34\0\0\0")),
        ("status for everything", b"".join(pdu(0x80000004, status, n + 2, b"") for n, status in enumerate([0x58, 0x14, 0xFF, 0xFFFFFFFF]))),
        ("no answer to the bind", None),
        ("a refused bind", pdu(0x80000009, 0x0D, 1)),
    ]


class HostileOperator:
    """Listens on one port; each connection gets the next of its words, and answers submits with them, too."""

    def __init__(self, port, words):
        self.words, self.served = words, 0
        self._closing = False
        self._server = socket.create_server(("127.0.0.1", port))
        self._server.settimeout(0.2)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while not self._closing:
            try:
                link, _ = self._server.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            name, words = self.words[self.served % len(self.words)]
            self.served += 1
            with link:
                try:
                    self._talk(link, name, words)
                except OSError:
                    pass

    def _talk(self, link, name, words):
        link.settimeout(1)
        bind = link.recv(4096)
        if words is None:
            time.sleep(0.5)
            return
        if name == "a refused bind":
            link.sendall(words)
            return
        sequence = struct.unpack(">I", bind[12:16])[0] if len(bind) >= 16 else 1
        link.sendall(pdu(0x80000009 if len(bind) < 8 or bind[7] == 9 else 0x80000000 | bind[7], 0, sequence, b"reef\0") + words)
        try:
            link.recv(65536)
            link.sendall(words)
            link.recv(65536)
        except TimeoutError:
            pass

    def close(self):
        self._closing = True
        self._thread.join(3)
        self._server.close()


def hostile_operators(place, operators):
    web = place.web()
    for n in range(60):
        web.json("POST", "/v1/messages", {**GOOD, "to": f"+4888{n:08}", "text": f"to the reef {n}"})
    end = time.monotonic() + options.hostile_seconds
    total = sum(len(one.words) for one in operators)
    while time.monotonic() < end and any(one.served < len(one.words) for one in operators):
        still_works(place, "a hostile operator")
        time.sleep(0.25)
    for one in operators:
        one.close()
    web.close()
    served = sum(min(one.served, len(one.words)) for one in operators)
    if served < len(operators):
        raise Broken(f"only {served} connections were made to {len(operators)} hostile operators: one of them stopped the rest")
    return served, total


# --- the run ---------------------------------------------------------------------------------------------------------

def open_files(place):
    return len(os.listdir(f"/proc/{place.martlet.pid}/fd"))


def main():
    began = time.monotonic()
    chance = random.Random(seed)
    words = hostile_words(chance)
    groups = [words[start::7] for start in range(7)]
    ports = [world.free_port() for _ in groups]
    operators = [HostileOperator(port, some) for port, some in zip(ports, groups)]
    connections = [{}] + [{"name": f"reef-{n}", "group": "reef", "port": port} for n, port in enumerate(ports)]
    with World(options.build, label="badinput", settings={
            "connections": connections, "routes": [{"prefix": "4888", "group": "reef"}, {"prefix": "", "group": "harbour"}]}) as place:
        place.prepare()
        place.start_simulator()
        place.start_martlet()
        still_works(place, "nothing yet")
        files, memory = open_files(place), place.martlet.anonymous_bytes()
        http_cases(place, chance)
        say(f"badinput: HTTP, {len(framing_cases(b''))} frames, {len(body_cases())} bodies, {options.random} random requests: alive")
        rude_clients(place)
        say("badinput: rude clients: alive")
        served, total = hostile_operators(place, operators)
        say(f"badinput: hostile operators, {served} of {total} sayings heard: alive")
        wait_for("closed connections give their files back", 30, lambda: open_files(place) <= files + 20, otherwise=Broken)
        grown = (place.martlet.anonymous_bytes() - memory) / (1 << 20)
        if grown > 100:
            raise Broken(f"memory grew by {grown:.0f} MiB")
        wait_for("every honest message reached the operator", 30, lambda: arrived(place) >= _serial, otherwise=Broken)
        code = place.martlet.stop()
        if code != 0:
            raise Broken(f"after all that it stopped with {code}:\n{place.martlet.tail()}")
        say(f"badinput: {_serial} honest messages in between, all sent; memory grew by {grown:.0f} MiB; "
            f"{time.monotonic() - began:.0f} s; seed {seed}")


def arrived(place):
    return len({message["text"] for message in place.operator.messages() if message["text"].startswith("honest ")})


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--random", type=int, default=200, help="random requests")
    parser.add_argument("--hostile-seconds", type=float, default=20)
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
say(f"badinput: seed {seed}")
world.run_script(main, lambda: f"Tests/Faults/badinput.py --build {options.build} --seed {seed} --random {options.random}")
