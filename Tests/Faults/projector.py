#!/usr/bin/env python3
"""Kills the node, or the process that writes the history, with SIGKILL at random moments under load, and holds database and log beside
each other.

    projector.py --rounds 10 --store sqlite|postgres --build debug [--by program|desk] [--spills 1] [--seed N] [--threads 6]

`--by desk`: the history is written by the node's own child, otherwise by `martlet store project --follow`. Small segments make the journal roll
meanwhile. `--spills`: so many times the database is away for so long that the journal gives up segments which only `history.spill` still has,
with kills before, while the database is away, and while it catches up.

In the end: every accepted message has its rows, once, and no row is of a message that the node does not know; its state is the one that
the node tells; each has one entry for its source, and no answer of the operator stands twice. Exit code 1 and the command to repeat it when
that does not hold.
"""
import argparse
import collections
import json
import os
import random
import signal
import sqlite3
import time

import descriptors
import world
from ledgers import Ledger, Senders
from postgres_server import Postgres
from world import Broken, Gone, Process, Unusable, World, children, free_port, say, wait_for

# Codes of `state.state`, as docs/reference/record-format.md has them.
STATES = {1: "queued", 2: "submitted", 3: "sent", 4: "delivered", 5: "failed", 6: "expired", 7: "cancelled", 8: "unknown", 9: "suppressed"}
ENDS = {"delivered", "failed", "expired", "cancelled", "suppressed"}
# The node knows it no more: its place in the journal was given up, which may happen as soon as it ended and is in the history.
TRIMMED = "trimmed"


class SQLite:
    url = "sqlite:history.db"
    hexadecimal = "lower(hex({}))"

    def __init__(self):
        self.path = None
        self._holder = None

    def away(self):
        """Nobody else can write."""
        self._holder = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        self._holder.execute("BEGIN IMMEDIATE")

    def back(self):
        self._holder.close()

    def rows(self, sql):
        database = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)
        try:
            return [[str(value) for value in row] for row in database.execute(sql)]
        finally:
            database.close()

    def end(self):
        pass


class Server(Postgres):
    def away(self):
        self.stop()

    def back(self):
        self.start()


class Program:
    """The history is written by a program of its own."""

    role = "node"

    def __init__(self, place):
        self._place, self._process = place, None

    def start(self):
        place = self._place
        self._process = Process(
            [place.martlet_path, "store", "project", "--follow", "--config", place.folder / "martlet.yaml", "--data", place.data],
            place.folder / "projector.log")

    def node_started(self):
        pass

    def kill9(self):
        self._process.kill9()
        return True

    def check(self):
        if not self._process.running:
            raise Broken(f"the projector ended by itself with {self._process.exit_code}:\n{self._process.tail()}")


class Desk:
    """The node's own child writes it, and comes back by itself."""

    role = "all"

    def __init__(self, place):
        self._place = place

    def start(self):
        pass

    def node_started(self):
        wait_for("the desk is there", 30, lambda: children(self._place.martlet.pid))

    def kill9(self):
        """False: there was none; the node waits ever longer before it starts it again."""
        found = children(self._place.martlet.pid)
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return False
        return bool(found)

    def check(self):
        pass


class Kills:
    """Ends node, projector or both, and starts them again."""

    def __init__(self, place, projector):
        self.place, self.projector, self.counts = place, projector, collections.Counter()

    def one(self, which):
        pause = chance.uniform(0, 0.5) if chance.random() < 0.3 else 0
        if which != "node":
            self.counts["projector"] += self.projector.kill9()
        if which != "projector":
            self.place.martlet.kill9()
            self.counts["node"] += 1
        # The log goes on, or comes back, with nobody reading it.
        time.sleep(pause)
        if which != "projector":
            self.place.start_martlet(role=self.projector.role)
            self.projector.node_started()
        if which != "node":
            self.projector.start()


def flood(place, ledger, lines=50):
    """Long texts in one request, for much journal from few messages. False: the answer was not heard."""
    asked = []
    for _ in range(lines):
        number, body = ledger.next_request()
        asked.append((number, {**body, "text": (body["text"] * 80)[:1500], "class": "marketing"}))
    web = place.web(timeout=60)
    try:
        status, answer = web.ask("POST", "/v1/messages:batch", "".join(json.dumps(body) + "\n" for _, body in asked).encode(),
                                 {"Content-Type": "application/x-ndjson"})
        if status != 200:
            raise Broken(f"a batch was answered {status}")
    except Gone as gone:
        for number, _ in asked:
            ledger.lost_answer(number, gone)
        return False
    finally:
        web.close()
    for (number, _), line in zip(asked, answer.splitlines()):
        one = json.loads(line)
        ledger.answered(number, one["status"], one)
    return True


def spill(place, store, ledger, states, kills):
    """The database is away until the journal gave up a segment that only the spill has; then it comes back."""
    journal = place.data / "journal"

    def segments(folder):
        return {int(file.stem) for file in folder.glob("*.log")} if folder.is_dir() else set()

    def only_spilled():
        own = segments(journal)
        return sum(1 for number in segments(journal / "spill") if number not in own)

    store.away()
    moments = sorted(chance.uniform(0, 1) for _ in range(2))
    end = time.monotonic() + 600
    batches = 0
    while only_spilled() < 2:
        if time.monotonic() > end:
            raise Unusable("the journal gave up no segment while the database was away")
        flood(place, ledger)
        batches += 1
        if batches % 5 == 0:
            settle(place, ledger, states)
        # The first at some moment on the way, the second near the end of it.
        done = sum(file.stat().st_size for file in (journal / "spill").glob("*.log")) / (32 << 20) if only_spilled() else batches / 400
        while moments and done > moments[0]:
            moments.pop(0)
            kills.one(chance.choice(["node", "projector", "both"]))
    kills.one(chance.choice(["node", "projector", "both"]))
    settle(place, ledger, states)
    spilled = only_spilled()
    store.back()
    time.sleep(chance.uniform(0, 1))
    kills.one(chance.choice(["node", "projector", "both"]))
    wait_for("what was spilled is in the database", 180, lambda: not segments(journal / "spill"), every=0.1, otherwise=Broken)
    say(f"projector: the database was away for {batches} batches; {spilled} segments were kept by the spill alone, and are had")


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
            # What ended and was trimmed since is told by the history alone.
            word = word or TRIMMED
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
    sources = collections.Counter(row[0] for row in store.rows(f"SELECT {hexadecimal('id')} FROM lookup WHERE (kind & 15) = 5"))
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
    def fits(identifier, word):
        state = STATES.get(stored.get(identifier, 0))
        return state in ENDS if word == TRIMMED else state == word

    differ = [identifier for identifier, word in states.items() if not fits(identifier, word)]
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
    store = Server("history") if options.store == "postgres" else SQLite()
    with World(options.build, label="projector", window=20, binds=2,
               settings={"journal": {"segment": "8MiB", "cap": "64MiB", "keep": "24h"}, "store": {"url": store.url}, "history": {"batch": 500},
                         "desk": {"enabled": options.by == "desk", "listen": f"127.0.0.1:{free_port()}"}},
               simulator_settings={}) as place:
        place.prepare()
        if options.store == "sqlite":
            store.path = place.data / "history.db"
        place.start_simulator()
        projector = (Desk if options.by == "desk" else Program)(place)
        kills = Kills(place, projector)
        place.start_martlet(role=projector.role)
        place.command("store", "migrate", "--config", place.folder / "martlet.yaml", "--data", place.data)
        projector.node_started()
        projector.start()
        ledger = Ledger(random.Random(seed))
        senders = Senders(place, ledger, options.threads, keyed=True)
        states = {}
        spills = set(chance.sample(range(1, options.rounds + 1), min(options.spills, options.rounds)))
        began = time.monotonic()
        for number in range(1, options.rounds + 1):
            senders.resume()
            time.sleep(chance.uniform(0.1, 1.0))
            kills.one(chance.choice(["node", "projector", "both"]))
            senders.pause()
            if number % 3 == 0 or number in spills:
                # Before the journal's cap takes those that ended: each start begins a segment.
                settle(place, ledger, states)
            if number in spills:
                spill(place, store, ledger, states, kills)
            projector.check()
            descriptors.require_none(place.martlet.pid, "while another writes the history", words=["history.db"],
                                     folders=[store.folder] if options.store == "postgres" else [])
        senders.resume()
        time.sleep(0.5)
        senders.pause()
        senders.stop()
        settle(place, ledger, states)
        if len(states) < options.rounds:
            raise Broken("hardly anything was accepted: the run proves nothing")
        # Two stores of one truth, each at its own pace: they agree once the projector has the last record.
        wrong = ["never compared"]
        # A desk that was killed often comes back after a minute.
        end = time.monotonic() + 120
        while wrong and time.monotonic() < end:
            time.sleep(0.3)
            wrong = compare(place, store, ledger, states)
        if wrong:
            raise Broken("; ".join(wrong))
        if options.by == "desk":
            # The customers' keys are the desk's while it runs.
            place.martlet.stop()
        else:
            projector.kill9()
        code, words = place.command("store", "project", "--config", place.folder / "martlet.yaml", "--data", place.data, check=False)
        if code or " 0 gap(s)" not in words:
            raise Broken(f"`martlet store project` ended with {code}: {words.strip()}")
        gaps = store.rows("SELECT outcome FROM audit WHERE act = 'history.gap'")
        if gaps:
            raise Broken(f"{len(gaps)} gaps, such as {gaps[0]}")
        say(f"projector: {options.rounds} rounds on {options.store} by {options.by}, kills {dict(kills.counts)}, {len(spills)} spills; "
            f"{len(states)} messages accepted, each with its rows once and its state; {time.monotonic() - began:.0f} s; seed {seed}")
    store.end()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--by", choices=["program", "desk"], default="program")
    parser.add_argument("--spills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--threads", type=int, default=6)
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
chance = random.Random(seed)
say(f"projector: seed {seed}, {options.rounds} rounds on {options.store}")
world.run_script(main, lambda: f"Tests/Faults/projector.py --rounds {options.rounds} --store {options.store} --build {options.build} "
                 f"--by {options.by} --spills {options.spills} --seed {seed} --threads {options.threads}")
