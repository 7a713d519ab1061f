#!/usr/bin/env python3
"""Kills the node, or the program that writes the history, with SIGKILL at random moments under load, and holds database and log beside
each other.

    projector.py --rounds 10 --store sqlite|postgres --build debug [--seed N] [--threads 6]

In the end: every accepted message has its rows, once, and no row is of a message that the node does not know; its state is the one that
the node tells; each has one entry for its source, and no answer of the operator stands twice. Small segments make
the journal roll meanwhile. Exit code 1 and the command to repeat it when that does not hold.
"""
import argparse
import collections
import random
import sqlite3
import time

import world
from ledgers import Ledger, Senders
from postgres_server import Postgres
from world import Broken, Process, Unusable, World, say

# Codes of `state.state`, as docs/reference/record-format.md has them.
STATES = {1: "queued", 2: "submitted", 3: "sent", 4: "delivered", 5: "failed", 6: "expired", 7: "cancelled", 8: "unknown", 9: "suppressed"}


class SQLite:
    url = "sqlite:history.db"
    hexadecimal = "lower(hex({}))"

    def __init__(self):
        self.path = None

    def rows(self, sql):
        database = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)
        try:
            return [[str(value) for value in row] for row in database.execute(sql)]
        finally:
            database.close()

    def end(self):
        pass


def start_projector(place):
    return Process([place.martlet_path, "store", "project", "--follow", "--config", place.folder / "martlet.yaml", "--data", place.data],
                   place.folder / "projector.log")


def told(web, identifier):
    status, answer = web.json("GET", f"/v1/messages/{identifier}")
    return answer["messages"][0]["state"] if status == 200 else None


def settle(place, ledger, states):
    """Adds the states of what was accepted since, once none of it waits in a queue any more."""
    web = place.web()
    end = time.monotonic() + 120
    left = {identifier for identifier, _ in ledger.accepted.values()} - states.keys()
    while left:
        for identifier in list(left):
            word = told(web, identifier)
            if word is None:
                raise Broken(f"accepted and not known after the crashes: {identifier}")
            if word not in ("queued", "submitted"):
                states[identifier] = word
                left.discard(identifier)
        if left and time.monotonic() > end:
            raise Unusable(f"{len(left)} messages did not leave their queues")
        time.sleep(0.05)
    web.close()


def compare(place, store, ledger, states):
    """What differs between the history and the log; nothing in the end."""
    hexadecimal = store.hexadecimal.format
    notified = [row[0] for row in store.rows(f"SELECT {hexadecimal('id')} FROM notification")]
    stored = {row[0]: int(row[1]) for row in store.rows(f"SELECT {hexadecimal('id')}, state FROM state")}
    messages = collections.Counter(row[0][:30] for row in store.rows(f"SELECT {hexadecimal('id')} FROM message"))
    sources = collections.Counter(row[0] for row in store.rows(f"SELECT {hexadecimal('id')} FROM lookup WHERE kind = 5"))
    answers = store.rows(
        f"SELECT {hexadecimal('id')}, sequence, count(*) FROM attempt GROUP BY id, sequence HAVING count(*) > 1")
    wrong = []
    missing = states.keys() - set(notified)
    if missing:
        wrong.append(f"{len(missing)} accepted messages have no row, such as {min(missing)}")
    if len(set(notified)) != len(notified):
        wrong.append("a message has two rows")
    # Of those whose 202 was never heard.
    unheard = set(notified) - states.keys()
    if len(unheard) > len(ledger.unanswered):
        wrong.append(f"{len(unheard)} rows of messages that nobody heard of, and {len(ledger.unanswered)} requests without an answer")
    web = place.web()
    for identifier in [identifier for identifier, word in states.items() if STATES.get(stored.get(identifier, 0)) != word]:
        # It may have gone on since it was asked; one that the journal no longer has went as it was.
        states[identifier] = told(web, identifier) or states[identifier]
    web.close()
    differ = [identifier for identifier, word in states.items() if STATES.get(stored.get(identifier, 0)) != word]
    if differ:
        first = differ[0]
        wrong.append(f"{len(differ)} states differ, such as {first}: {states[first]} and {STATES.get(stored.get(first, 0))}")
    if any(messages[identifier[:30]] != 1 for identifier in notified):
        wrong.append("a message has not one text")
    if any(sources[identifier] != 1 for identifier in notified):
        wrong.append("a message has not one entry for its source")
    if answers:
        wrong.append(f"{len(answers)} answers stand twice")
    return wrong


def main():
    store = Postgres("history") if options.store == "postgres" else SQLite()
    with World(options.build, label="projector", window=20, binds=2,
               settings={"journal": {"segment": "8MiB", "cap": "64MiB", "keep": "24h"}, "store": {"url": store.url}, "history": {"batch": 500},
                         "desk": {"enabled": False}},
               simulator_settings={}) as place:
        place.prepare()
        if options.store == "sqlite":
            store.path = place.data / "history.db"
        place.start_simulator()
        place.start_martlet()
        place.command("store", "migrate", "--config", place.folder / "martlet.yaml", "--data", place.data)
        projector = start_projector(place)
        ledger = Ledger(random.Random(seed))
        senders = Senders(place, ledger, options.threads, keyed=True)
        kills = collections.Counter()
        states = {}
        began = time.monotonic()
        for number in range(1, options.rounds + 1):
            senders.resume()
            time.sleep(chance.uniform(0.1, 1.0))
            which = chance.choice(["node", "projector", "both"])
            kills[which] += 1
            if which != "node":
                projector.kill9()
            if which != "projector":
                place.martlet.kill9()
            if chance.random() < 0.3:
                # The log goes on, or comes back, with nobody reading it.
                time.sleep(chance.uniform(0, 0.5))
            if which != "projector":
                place.start_martlet()
            if which != "node":
                projector = start_projector(place)
            senders.pause()
            if number % 10 == 0:
                # Before the journal's cap takes those that ended.
                settle(place, ledger, states)
            if not projector.running:
                raise Broken(f"the projector ended by itself with {projector.exit_code}:\n{projector.tail()}")
        senders.resume()
        time.sleep(0.5)
        senders.pause()
        senders.stop()
        settle(place, ledger, states)
        if len(states) < options.rounds:
            raise Broken("hardly anything was accepted: the run proves nothing")
        # Two stores of one truth, each at its own pace: they agree once the projector has the last record.
        wrong = ["never compared"]
        end = time.monotonic() + 60
        while wrong and time.monotonic() < end:
            time.sleep(0.3)
            wrong = compare(place, store, ledger, states)
        if wrong:
            raise Broken("; ".join(wrong))
        projector.kill9()
        code, words = place.command("store", "project", "--config", place.folder / "martlet.yaml", "--data", place.data, check=False)
        if code or " 0 gap(s)" not in words:
            raise Broken(f"`martlet store project` ended with {code}: {words.strip()}")
        gaps = store.rows("SELECT outcome FROM audit WHERE act = 'history.gap'")
        if gaps:
            raise Broken(f"{len(gaps)} gaps, such as {gaps[0]}")
        say(f"projector: {options.rounds} rounds on {options.store}, kills {dict(kills)}; {len(states)} messages accepted, each with its rows "
            f"once and its state; {time.monotonic() - began:.0f} s; seed {seed}")
    store.end()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--threads", type=int, default=6)
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
chance = random.Random(seed)
say(f"projector: seed {seed}, {options.rounds} rounds on {options.store}")
world.run_script(main, lambda: f"Tests/Faults/projector.py --rounds {options.rounds} --store {options.store} --build {options.build} "
                 f"--seed {seed} --threads {options.threads}")
