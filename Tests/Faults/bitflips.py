#!/usr/bin/env python3
"""Flips random bits in random pages of the store's SQLite file and asks after each what Martlet believes.

    bitflips.py --rounds 10 --build debug [--seed N] [--live 1]

A store with messages, customers, consents, contacts, principals and an audit is made once. Each round flips bits in a copy of its file: one
anywhere, some in one page, or one in a row's own bytes. Then `martlet store check --rows` and `martlet audit verify` must name it, or every row
that anybody believes must be as it was: state, customers, consents, contacts, facts of addresses, principals, and the audit. Neither may crash.

`--live` rounds flip bits in the file while node and desk run: every message is answered 202 and reaches the operator, the node never ends,
and what the desk's API tells of messages and customers is the truth, or says that it is not to be believed.

At last one bit of one customer's row is flipped, and two customers write STOP, that one first. The history goes on, the other one has opted out, the metric
names how many are set aside; the bit put back, the first one has opted out too.
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import sqlite3
import time

import world
from world import Broken, Gone, Web, World, free_port, say, wait_for

PAGE = 4096
# What is believed, and by what it is named.
TABLES = {
    "state": 1, "customer": 1, "consent": 2, "contact": 3, "address_fact": 2, "principal": 1, "unit": 1, "source": 1, "definition": 2,
    "rulebook_object": 1, "rulebook_version": 2, "rulebook_release": 1, "audit": 1,
}


def believed(path):
    """Rows of these tables as SQLite reads them; what it refuses to read is not believed. Tables that cannot be read are left out."""
    found = {}
    database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    database.text_factory = bytes
    try:
        for table in TABLES:
            try:
                found[table] = database.execute(f"SELECT * FROM {table}").fetchall()
            except sqlite3.DatabaseError:
                continue
    finally:
        database.close()
    return found


class Flipper:
    """Chooses bits."""

    def __init__(self, truth, octets):
        # Bytes that stand in rows: long values, found in the file again.
        self.rows = [place for rows in truth.values() for row in rows for value in row
                     if isinstance(value, bytes) and len(value) >= 12 and (place := octets.find(value)) >= 0]

    def bits(self, size):
        kind = chance.randrange(4)
        if kind == 0 and self.rows:
            place = chance.choice(self.rows)
            # Of the value, or of what stands around it.
            return [(max(100, place + chance.randrange(-24, 24)), 1 << chance.randrange(8))]
        page = chance.randrange(size // PAGE)
        if kind == 1:
            # Heads of pages and their lists of cells.
            return [(page * PAGE + chance.randrange(64), 1 << chance.randrange(8))]
        count = 1 if kind == 2 else chance.randrange(2, 12)
        return [(page * PAGE + chance.randrange(PAGE), 1 << chance.randrange(8)) for _ in range(count)]


def flip(path, bits):
    with open(path, "r+b") as file:
        for place, bit in bits:
            file.seek(place)
            octet = file.read(1)
            if octet:
                file.seek(place)
                file.write(bytes([octet[0] ^ bit]))


class Installation:
    """A node, a desk and a store that holds something of everything."""

    def __init__(self, place, port):
        self.place, self.port = place, port
        self.where = ("--config", place.folder / "martlet.yaml", "--data", place.data)
        self.admin = Web(port, timeout=20)
        self.sent = 0
        self.ids = []

    def ready(self):
        try:
            return self.admin.ask("GET", "/readyz")[0] == 200
        except Gone:
            return False

    def start(self):
        self.place.start_martlet(role="all")
        wait_for("the desk is ready", 60, self.ready, otherwise=Broken)

    def send(self, count):
        web = self.place.web()
        for _ in range(count):
            self.sent += 1
            message = {"to": f"+4477009001{self.sent % 100:02}", "from": "HARBOUR", "text": f"flip {self.sent}", "reference": f"f-{self.sent}"}
            status, answer = web.json("POST", "/v1/messages", message)
            if status != 202:
                raise Broken(f"message {self.sent} was answered {status}")
            self.ids.append(answer["id"])
        web.close()

    def arrived(self):
        return len({one["text"] for one in self.place.operator.messages() if one["text"].startswith("flip ")}) >= self.sent

    def fill(self):
        self.start()
        printed = self.place.command("principal", "add", "proof", "--rights", "all", *self.where)
        self.admin.headers["Authorization"] = f"Bearer {re.search('ak_[A-Za-z0-9_-]+', printed).group(0)}"
        for number in range(20):
            self.place.command("principal", "add", f"p{number}", "--rights", "history.read", *self.where) if number < 3 else None
            status, made = self.admin.json("POST", "/v1/customers", {
                "reference": f"40-118-{number:03}", "givenName": "Wanda", "familyName": f"Testowa{number}", "unit": 7,
                "contacts": [{"kind": "phone", "value": f"+4477009001{number:02}"}]})
            if status not in (200, 201):
                raise Broken(f"a customer was answered {status}: {made}")
            customer = made["id"]
            for path, value in [("consents", {"purpose": 4, "channel": "sms", "state": "given", "at": "2026-01-31T10:00:00Z", "way": "branch",
                                              "textVersion": "v3", "proof": f"form {number}"}),
                                ("contacts", {"at": "2026-01-31T10:00:00Z", "kind": "branch", "unit": 7, "summary": "a loan"})]:
                status, answer = self.admin.json("POST", f"/v1/customers/{customer}/{path}", value)
                if status not in (200, 201):
                    raise Broken(f"{path} of a customer was answered {status}: {answer}")
        self.send(options.messages)
        wait_for("every message reached the operator", 60, self.arrived)
        wait_for("every message is delivered in the history", 60, lambda: self.delivered() == self.sent, every=0.2)
        self.place.martlet.stop()

    def delivered(self):
        database = sqlite3.connect(f"file:{self.place.data / 'history.db'}?mode=ro", uri=True, timeout=10)
        try:
            return database.execute("SELECT count(*) FROM state WHERE state = 4").fetchone()[0]
        finally:
            database.close()


def named(place, where):
    """What `store check --rows` and `audit verify` say is wrong; nothing: that all is sound."""
    words = []
    for verb in (("store", "check", "--rows"), ("audit", "verify")):
        code, said = place.command(*verb, *where, check=False, seconds=120)
        if code not in (0, 1):
            raise Broken(f"martlet {' '.join(verb)} ended with {code}: {said.strip()[-600:]}")
        if code == 1:
            words.append(said.strip().splitlines()[-1] if said.strip() else "")
            if not words[-1]:
                raise Broken(f"martlet {' '.join(verb)} ended with 1 and said nothing")
    return words


def stopped(place, desk, whole):
    """Rounds on a store that nobody has open."""
    path = place.data / "history.db"
    truth = believed(whole)
    flipper = Flipper(truth, whole.read_bytes())
    counts = {"named": 0, "without effect": 0}
    if named(place, desk.where):
        raise Broken("the store is not sound before anything was flipped")
    for number in range(1, options.rounds + 1):
        shutil.copyfile(whole, path)
        bits = flipper.bits(path.stat().st_size)
        flip(path, bits)
        words = named(place, desk.where)
        for suffix in ("-wal", "-shm"):
            pathlib.Path(f"{path}{suffix}").unlink(missing_ok=True)
        found = believed(path)
        differs = [table for table in TABLES if found.get(table) != truth[table]]
        if differs and not words:
            raise Broken(f"round {number}: {differs} are not as they were, and both checks call the store sound; bits {bits}")
        counts["named" if words else "without effect"] += 1
        if number % 50 == 0:
            say(f"round {number}: {counts}; last: {words[0] if words else 'without effect'}")
    shutil.copyfile(whole, path)
    return counts


def live(place, desk, whole, truth_of):
    """Bits flipped under a running desk: sending goes on, and the API tells the truth or that it cannot."""
    path = place.data / "history.db"
    for suffix in ("-wal", "-shm"):
        pathlib.Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(whole, path)
    desk.start()
    told = {"true": 0, "refused": 0}
    for _ in range(3):
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
        for _ in range(4):
            page = chance.randrange(1, size // PAGE)
            flip(path, [(page * PAGE + chance.randrange(PAGE), 1 << chance.randrange(8)) for _ in range(8)])
        desk.send(15)
        if not place.martlet.running:
            raise Broken(f"the node ended with {place.martlet.exit_code}:\n{place.martlet.tail()}")
        for identifier in chance.sample(sorted(truth_of), 15):
            try:
                status, answer = desk.admin.json("GET", f"/v1/history/{identifier}")
            except Gone:
                told["refused"] += 1            # the desk ended over it and is started again
                continue
            if status == 200 and not answer.get("tampered"):
                if answer.get("state") not in ("delivered", None):
                    raise Broken(f"message {identifier} was delivered and is called {answer.get('state')}")
                told["true"] += 1
            else:
                told["refused"] += 1
        for number in chance.sample(range(1, 21), 5):
            try:
                status, answer = desk.admin.json("GET", f"/v1/customers/{number}")
            except Gone:
                told["refused"] += 1
                continue
            if status == 200 and answer.get("unit") != 7:
                raise Broken(f"customer {number} is told with unit {answer.get('unit')}, and has 7")
            told["true" if status == 200 else "refused"] += 1
    wait_for("every message reached the operator", 60, desk.arrived, otherwise=Broken)
    code = place.martlet.stop()
    if code != 0:
        raise Broken(f"the node stopped with {code}:\n{place.martlet.tail()}")
    # Its own words for it, whatever they are; a crash would be another code.
    named(place, desk.where)
    return told


def poisoned(place, desk, whole):
    """One customer's row is damaged, and that customer says something: nobody else waits for it, and nothing of it is lost."""
    path = place.data / "history.db"
    for suffix in ("-wal", "-shm"):
        pathlib.Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(whole, path)
    damaged, sound = 5, 6
    sealed = {row[0]: row[6] for row in believed(whole)["customer"]}[damaged]
    bit = [(whole.read_bytes().index(sealed) + len(sealed) // 2, 1)]

    def opted_out(customer):
        status, answer = desk.admin.json("GET", f"/v1/customers/{customer}")
        return answer["contacts"][0]["isOptedOut"] if status == 200 else None

    def aside():
        _, text = desk.admin.ask("GET", "/metrics")
        return int(float(re.search(r"^martlet_customers_set_aside (\S+)", text.decode(), re.M).group(1)))

    def written():
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return database.execute("SELECT count(*) FROM inbound").fetchone()[0], database.execute("SELECT count(*) FROM message").fetchone()[0]
        finally:
            database.close()

    inbound, messages = written()
    flip(path, bit)
    desk.start()
    for customer in (damaged, sound):
        place.operator._ask("POST", "/inbound", {"from": f"4477009001{customer - 1:02}", "to": "HARBOUR", "text": "STOP"})
    desk.send(10)
    wait_for("the history has what came behind the damaged row", 60,
             lambda: (written()[0] - inbound, written()[1] - messages >= 10) == (2, True), every=0.2, otherwise=Broken)
    wait_for("the other customer has opted out", 30, lambda: opted_out(sound), every=0.2, otherwise=Broken)
    wait_for("the damaged customer is counted as set aside", 30, lambda: aside() == 1, every=0.2, otherwise=Broken)
    if opted_out(damaged) is not None:
        raise Broken("a damaged row is told as if it were sound")
    if not any(f"customer {damaged}" in line for line in named_lines(place, desk.where)):
        raise Broken("martlet store check --rows does not name the damaged row")
    place.martlet.stop()
    database = sqlite3.connect(path)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.execute("UPDATE customer SET sealed = ? WHERE subject = ?", (sealed, damaged))
    database.commit()
    database.close()
    desk.start()
    wait_for("the customer whose row was restored has opted out too", 60, lambda: opted_out(damaged), every=0.2, otherwise=Broken)
    wait_for("nobody is set aside any more", 30, lambda: aside() == 0, every=0.2, otherwise=Broken)
    place.martlet.stop()
    if named(place, desk.where):
        raise Broken("the store is not sound after the row was restored")


def named_lines(place, where):
    return place.command("store", "check", "--rows", *where, check=False, seconds=120)[1].splitlines()


def main():
    began = time.monotonic()
    with World(options.build, label="bitflips") as place:
        port = free_port()
        place.lay_over({"desk": {"listen": f"127.0.0.1:{port}"}})
        place.prepare()
        place.start_simulator()
        desk = Installation(place, port)
        desk.fill()
        path = place.data / "history.db"
        database = sqlite3.connect(path)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        whole = place.folder / "whole.db"
        shutil.copyfile(path, whole)
        delivered = set(desk.ids)
        counts = stopped(place, desk, whole)
        poisoned(place, desk, whole)
        tellings = [live(place, desk, whole, delivered) for _ in range(options.live)]
        if options.rounds >= 10 and not counts["named"]:
            raise Broken("nothing was named: the flips met nothing, the run proves nothing")
        say(f"bitflips: {options.rounds} rounds on a file of {whole.stat().st_size >> 10} KiB, {counts}; under a running desk {tellings}, "
            f"{desk.sent} messages answered and sent; {time.monotonic() - began:.0f} s; seed {seed}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--live", type=int, default=1)
    parser.add_argument("--messages", type=int, default=150)
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
chance = random.Random(seed)
say(f"bitflips: seed {seed}")
world.run_script(main, lambda: f"Tests/Faults/bitflips.py --build {options.build} --rounds {options.rounds} --live {options.live} "
                 f"--messages {options.messages} --seed {seed}")
