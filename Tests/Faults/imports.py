#!/usr/bin/env python3
"""Kills the desk with SIGKILL in the middle of imports, and holds what is in the database beside the files.

    imports.py --build debug [--store sqlite|postgres] [--lines 20000] [--kills 3] [--seed N]

A file of customers and one of contacts are handed in over the admin API as streams; the desk is killed at random moments while it reads them, and comes
back by itself. In the end every good line is in the database once, every bad one in the file of refused lines once and in order, the desk's copies of the
files are gone, nothing of them lay there in clear, and the audit is sound. Exit code 1 and the command to repeat it when that does not hold.
"""
import argparse
import http.client
import os
import pathlib
import random
import re
import signal
import sqlite3
import time

import world
from postgres_server import Postgres
from world import Broken, Gone, Web, World, free_port, say, wait_for


class SQLite:
    url = "sqlite:history.db"
    path = None

    def rows(self, sql):
        database = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)
        try:
            return [[str(value) for value in row] for row in database.execute(sql)]
        finally:
            database.close()

    def end(self):
        pass


def children(pid):
    """Process ids of the processes that it has now."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue            # it ended while we looked
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def bad(number):
    return number % 97 == 0


def customers():
    yield "reference,given_name,family_name,phone,email,consents\r\n"
    for number in range(1, options.lines + 1):
        yield ("not a customer\r\n" if bad(number) else
               f"c{number},Olena,Kovalenko,+4477{number:08d},c{number}@mail.example,1 sms given 2024-02-03 v2\r\n")


def contacts():
    yield "reference,at,kind,unit,summary\r\n"
    for number in range(1, options.lines + 1):
        # Of a customer whose line was bad nobody knows anything.
        yield f"c{number},2026-01-{1 + number % 28:02d}T10:00:00Z,branch,7,\"asked for card {number}, at the counter\"\r\n"


def blocks(lines):
    """About 16 KiB each, which end anywhere in a line."""
    held = b""
    for line in lines:
        held += line.encode()
        while len(held) >= 16_000:
            yield held[:16_000]
            held = held[16_000:]
    if held:
        yield held


class Imports:
    def __init__(self, place, store, port, key):
        self.place, self.store, self.key = place, store, key
        self.port = port
        self.admin = Web(port, timeout=30)
        self.admin.headers["Authorization"] = f"Bearer {key}"
        self.folder = place.data / "desk/imports"

    def ready(self):
        try:
            return self.admin.ask("GET", "/readyz")[0] == 200
        except Gone:
            return False

    def hand_in(self, kind, lines):
        """As a stream whose length nobody says before."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        body = blocks(lines)
        connection.request("POST", f"/v1/imports?kind={kind}&format=csv&maxErrors={options.lines}", body=body, encode_chunked=True,
                           headers={"Authorization": f"Bearer {self.key}", "Transfer-Encoding": "chunked"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status != 201:
            raise Broken(f"a file of {kind} was answered {answer.status}: {text}")
        return re.search('"id":"([0-9a-f]{32})"', text).group(1)

    def get(self, identifier):
        """How far it is; nothing while the desk is away."""
        try:
            status, answer = self.admin.json("GET", f"/v1/imports/{identifier}")
        except Gone:
            return None
        return answer if status == 200 else None

    def desk(self):
        own = children(self.place.martlet.pid)
        return own[0] if len(own) == 1 else None

    def killed_until_done(self, identifier):
        kills = 0
        until = time.monotonic() + 600
        while time.monotonic() < until:
            now = self.get(identifier)
            if now and now["state"] == "done":
                return kills, now
            if now and now["state"] not in ("waiting", "running"):
                raise Broken(f"the import is {now['state']}: {now.get('fault')}")
            if now and kills < options.kills and now["lines"] > kills * options.lines / (options.kills + 1):
                for path in self.folder.iterdir():
                    if b"Kovalenko" in path.read_bytes() or b"asked for" in path.read_bytes():
                        raise Broken(f"{path} has what is personal in clear")
                time.sleep(chance.uniform(0, 0.3))
                child = self.desk()
                if child:
                    os.kill(child, signal.SIGKILL)
                    kills += 1
                    say(f"imports: the desk was killed behind line {now['lines']}")
                    wait_for("the desk is another process", 120, lambda: self.desk() not in (None, child), otherwise=Broken)
            time.sleep(0.05)
        raise Broken(f"the import did not come to its end: {self.get(identifier)}")


def check(imports, identifier, now, lines, refused):
    if now["added"] != lines - len(refused) or now["refused"] != len(refused) or now["changed"] or now["same"] or now["lines"] != lines + 1:
        raise Broken(f"{lines} lines with {len(refused)} bad ones were counted as {now}")
    status, body = imports.admin.ask("GET", f"/v1/imports/{identifier}/errors")
    named = [int(line.split(",", 1)[0]) for line in body.decode().splitlines()[1:]]
    if status != 200 or named != [number + 1 for number in refused]:
        raise Broken(f"the file of refused lines names {len(named)} lines, {len(set(named))} of them different, instead of {len(refused)}")
    wait_for("the desk's copy of the file is gone", 10, lambda: not (imports.folder / identifier).exists(), otherwise=Broken)


def main():
    store = Postgres("history") if options.store == "postgres" else SQLite()
    port = free_port()
    began = time.monotonic()
    try:
        settings = {"store": {"url": store.url}, "desk": {"listen": f"127.0.0.1:{port}"}, "imports": {"batch": 500, "keepFree": "1MiB"}}
        with World(options.build, label="imports", settings=settings) as place:
            settings["audit"] = {"checkpoints": str(place.folder / "checkpoints")}
            place.lay_over(settings)
            place.prepare()
            store.path = place.data / "history.db"
            where = ("--config", place.folder / "martlet.yaml", "--data", place.data)
            place.start_simulator()
            if options.store == "postgres":
                place.command("store", "migrate", *where)
            place.start_martlet(role="all")
            bare = Web(port, timeout=5)

            def ready():
                try:
                    return bare.ask("GET", "/readyz")[0] == 200
                except Gone:
                    return False

            wait_for("the desk is ready", 60, ready, otherwise=Broken)
            printed = place.command("principal", "add", "proof", "--rights", "all", *where)
            imports = Imports(place, store, port, re.search("ak_[A-Za-z0-9_-]+", printed).group(0))
            wrong = [number for number in range(1, options.lines + 1) if bad(number)]
            good = options.lines - len(wrong)

            first = imports.hand_in("customers", customers())
            second = imports.hand_in("contacts", contacts())
            kills, now = imports.killed_until_done(first)
            check(imports, first, now, options.lines, wrong)
            found = [int(value) for value in store.rows(
                "SELECT (SELECT count(*) FROM customer), (SELECT count(DISTINCT reference) FROM customer), "
                "(SELECT count(*) FROM customer_address), (SELECT count(*) FROM consent)")[0]]
            if found != [good, good, 2 * good, good]:
                raise Broken(f"{good} customers, with two addresses and a consent each, became {found}")
            say(f"imports: {options.lines} customers over {kills} kills, each once")

            more, now = imports.killed_until_done(second)
            check(imports, second, now, options.lines, wrong)
            found = [int(value) for value in store.rows("SELECT count(*), count(DISTINCT subject) FROM contact")[0]]
            if found != [good, good]:
                raise Broken(f"{good} contacts, of a customer each, became {found}")
            if kills + more == 0:
                raise Broken("the desk was never killed: more --lines are needed")
            # The audit's head of the last minute is in no checkpoint yet; the stop makes one.
            place.martlet.stop()
            code, words = place.command("audit", "verify", *where, check=False)
            if code != 0:
                raise Broken(f"the audit is not sound: {words}")
            say(f"imports: {options.lines} contacts over {more} kills, each once; {options.store}; {words.strip()}; "
                f"{time.monotonic() - began:.0f} s; seed {seed}")
    finally:
        store.end()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
chance = random.Random(seed)
say(f"imports: seed {seed}")
world.run_script(main, lambda: f"Tests/Faults/imports.py --build {options.build} --store {options.store} --lines {options.lines} "
                               f"--kills {options.kills} --seed {seed}")
