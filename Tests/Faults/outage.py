#!/usr/bin/env python3
"""Takes the database away from a node that goes on sending: stopped for a while, then frozen, while desk and node are killed with SIGKILL.

    outage.py --build debug [--stopped 6] [--frozen 6] [--seed N] [--threads 4]

Before that it starts for the first time without its database: the desk listens all the same, says what it waits for, and begins when
the database comes. The node takes messages all the time, also when it starts while there is no database. In the end every message that was accepted has ended
and is one row, in the state of its end; nothing else is a row; the statistics are the ledger's; and nothing was passed over. The node's descriptors are
read all the while: no socket of it leads to the database, and no file of the history is open in it.
`--stopped 600 --frozen 120` is the long run of `make faults`.
"""
import argparse
import collections
import os
import random
import re
import signal
import time

import descriptors
import ledgers
import world
from postgres_server import Postgres
from world import Broken, Gone, Unusable, Web, World, free_port, say, wait_for

# Codes of `state.state` that are ends, as docs/reference/record-format.md has them.
ENDS = {4: "delivered", 5: "failed", 6: "expired", 7: "cancelled", 9: "suppressed"}
# A code that may have left before a crash is never sent again, and waits for its deadline: that is kill9.py's matter.
ledgers.CLASSES = [one for one in ledgers.CLASSES if one != "otp"]


def figure(text, name):
    """Sum over the labels of one metric."""
    return round(sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", text, re.M)))


class Node:
    """The node, its desk, and what is sent meanwhile."""

    def __init__(self, place, server, ledger, senders, desk_port):
        self.place, self.server, self.ledger, self.senders = place, server, ledger, senders
        self.looks = 0
        self.admin = Web(desk_port, timeout=5)
        self.kills = collections.Counter()

    def kill_desk(self):
        process = wait_for("the node has a desk", 70, self.place.martlet.children, otherwise=Broken)[0]
        # It stands behind the node, the thread that writes to the database among others.
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/comm") as file:
                is_writer = file.read().startswith("sql-write")
            if is_writer and os.getpriority(os.PRIO_PROCESS, int(thread)) != 10:
                raise Broken("the desk's threads do not stand behind the node's")
        os.kill(process, signal.SIGKILL)
        self.kills["desk"] += 1

    def kill_node(self):
        # Nothing of the load is lost sight of: what was not answered is asked again under its key.
        self.place.martlet.kill9()
        self.kills["node"] += 1
        self.place.start_martlet(role="all")

    def is_apart(self, when):
        """The node has no way to the database open, and no file of the history."""
        descriptors.require_none(self.place.martlet.pid, when, ports=[self.server.port], folders=[self.server.folder], words=["history.db"])
        self.looks += 1

    def goes_on(self, seconds):
        """Waits so long and sees that messages are taken and sent meanwhile."""
        taken, sent = len(self.ledger.accepted), self.place.operator.stats()["submits"]
        time.sleep(seconds)
        wait_for("messages are taken without the database", 10, lambda: len(self.ledger.accepted) > taken, otherwise=Broken)
        wait_for("messages are sent without the database", 10, lambda: self.place.operator.stats()["submits"] > sent, otherwise=Broken)
        self.is_apart("while the database is away")

    def without(self, seconds):
        """So many seconds of load, through the deaths of desk and node."""
        self.goes_on(seconds / 3)
        self.kill_desk()
        self.goes_on(seconds / 3)
        self.kill_node()
        self.goes_on(seconds / 3)

    def behind(self):
        """Bytes that the history lacks; None when the desk does not tell."""
        try:
            status, text = self.admin.ask("GET", "/metrics")
        except Gone:
            return None
        return figure(text.decode(), "martlet_history_behind_bytes") if status == 200 else None


def compare(place, server, ledger):
    """What differs between what was accepted, the history and the ledger; nothing in the end."""
    wrong = []
    rows = server.rows("SELECT encode(n.id, 'hex'), count(*), min(s.state), max(s.state) FROM notification n LEFT JOIN state s ON s.id = n.id "
                       "GROUP BY n.id")
    states = {row[0]: int(row[2] or 0) for row in rows}
    accepted = {identity for identity, _ in ledger.accepted.values()}
    if any(int(row[1]) != 1 or row[2] != row[3] for row in rows):
        wrong.append("a message has two rows, or two states")
    missing = accepted - states.keys()
    if missing:
        wrong.append(f"{len(missing)} of {len(accepted)} accepted messages have no row, such as {min(missing)}")
    unheard = states.keys() - accepted
    if len(unheard) > len(ledger.unanswered):
        wrong.append(f"{len(unheard)} rows of messages that nobody heard of, and {len(ledger.unanswered)} requests without an answer")
    open_ones = [identity for identity, state in states.items() if state not in ENDS]
    if open_ones:
        wrong.append(f"{len(open_ones)} rows are of no end, such as {open_ones[0]}: state {states[open_ones[0]]}")
    texts = int(server.rows("SELECT count(*) FROM message")[0][0])
    if texts != len(rows):
        wrong.append(f"{len(rows)} notifications have {texts} messages")
    repeated = server.rows("SELECT count(*) FROM (SELECT id FROM attempt GROUP BY id, sequence HAVING count(*) > 1) repeated")[0][0]
    if repeated != "0":
        wrong.append(f"{repeated} answers of the operator stand twice")
    metrics = place.metrics()
    told = (figure(metrics, "martlet_source_accepted_total"), figure(metrics, "martlet_source_ended_total"))
    ends = ", ".join(map(str, ENDS))
    counted = tuple(int(server.rows(f"SELECT coalesce(sum(messages), 0) FROM traffic WHERE state IN ({which})")[0][0]) for which in ("0", ends))
    if told != counted or told[0] != told[1] or told[0] != len(rows):
        wrong.append(f"the ledger says accepted {told[0]} and ended {told[1]}, the statistics {counted[0]} and {counted[1]}, {len(rows)} rows")
    return wrong


def until_equal(place, server, ledger, seconds):
    wrong, end = ["never compared"], time.monotonic() + seconds
    while wrong and time.monotonic() < end:
        time.sleep(0.5)
        wrong = compare(place, server, ledger)
    if wrong:
        raise Broken("; ".join(wrong))


def first_start(place, server, admin):
    """Without its database, of which it knows nothing yet; then with it."""
    server.stop()
    place.start_martlet(role="all")

    def says():
        try:
            return admin.json("GET", "/readyz")
        except Gone:
            return None, {}

    def waits():
        status, body = says()
        return status == 503 and any("database" in reason for reason in body["reasons"])

    wait_for("the desk says that it waits for the database", 30, waits, otherwise=Broken)
    status, problem = admin.json("GET", "/v1/units")
    if status != 503 or problem["type"] != "/problems/store_away" or "database" not in problem["detail"]:
        raise Broken(f"what needs the database was answered {status}: {problem}")
    desk = place.martlet.children()
    server.start()
    place.command("store", "migrate", "--config", place.folder / "martlet.yaml", "--data", place.data)
    wait_for("the desk begins", 60, lambda: says()[0] == 200, otherwise=Broken)
    if place.martlet.children() != desk:
        raise Broken("the desk was started again in between")
    say("outage: started without its database, which the desk said, and it began with it")


def prove_look(martlet, server):
    """That the look would find it: the desk, which is the node's child, has it."""
    def found():
        return any(descriptors.of_database(desk, ports=[server.port], folders=[server.folder]) for desk in martlet.children())
    wait_for("the desk's connections to the database are seen", 60, found, every=0.2, otherwise=Broken)


def main():
    began = time.monotonic()
    server = Postgres("history")
    frozen = []
    try:
        port = free_port()
        with World(options.build, label="outage", window=20, binds=2,
                   settings={"journal": {"segment": "8MiB", "cap": "64MiB", "keep": "1h"}, "store": {"url": server.url},
                             "desk": {"listen": f"127.0.0.1:{port}"}}) as place:
            place.prepare()
            place.start_simulator()
            place.operator.behave(receipts=True)
            first_start(place, server, Web(port, timeout=5))
            ledger = ledgers.Ledger(random.Random(seed))
            senders = ledgers.Senders(place, ledger, options.threads, pause_between=0.02, keyed=True)
            node = Node(place, server, ledger, senders, port)
            senders.resume()
            wait_for("the history begins", 60, lambda: int(server.rows("SELECT count(*) FROM notification")[0][0]) > 0, otherwise=Broken)

            node.is_apart("while the history is written")
            prove_look(place.martlet, server)
            server.stop()
            node.without(options.stopped)
            server.start()
            say(f"outage: stopped {options.stopped} s, {len(ledger.accepted)} accepted")
            wait_for("the history is caught up with", 60 + options.stopped, lambda: node.behind() == 0, every=0.2, otherwise=Broken)

            frozen = server.freeze()
            node.without(options.frozen)
            server.thaw(frozen)
            frozen = []
            say(f"outage: frozen {options.frozen} s, {len(ledger.accepted)} accepted")

            senders.pause()
            senders.stop()
            if len(ledger.accepted) < 10 * (options.stopped + options.frozen):
                raise Unusable(f"{len(ledger.accepted)} messages were accepted: hardly any load, the run proves nothing")
            node.is_apart("after the outages")
            wait_for("every message ended", 120, lambda: figure(place.metrics(), "martlet_open_messages") == 0, every=0.2, otherwise=Broken)
            until_equal(place, server, ledger, 60 + options.stopped)
            gaps = server.rows("SELECT outcome FROM audit WHERE act = 'history.gap'")
            if gaps:
                raise Broken(f"{len(gaps)} gaps, such as {gaps[0]}")
            say(f"outage: {len(ledger.accepted)} messages accepted, each ended and one row, statistics equal the ledger; the node had nothing of the "
                f"database open in {node.looks} looks; kills {dict(node.kills)}; "
                f"{time.monotonic() - began:.0f} s; seed {seed}")
    finally:
        server.thaw(frozen)
        server.end()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--stopped", type=float, default=6, help="seconds")
    parser.add_argument("--frozen", type=float, default=6, help="seconds")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--threads", type=int, default=4)
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
say(f"outage: seed {seed}")
world.run_script(main, lambda: f"Tests/Faults/outage.py --build {options.build} --stopped {options.stopped} --frozen {options.frozen} "
                 f"--seed {seed} --threads {options.threads}")
