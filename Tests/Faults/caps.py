#!/usr/bin/env python3
"""Lets 32 sources write to one customer through all doors at once, and counts at the operator what came.

    caps.py --build debug [--rounds 4]

A third of the sources report events over HTTP, a third hand in ready texts over HTTP, the others submit them over SMPP, each over a connection of its own and all at
the same moment: to one customer, to a number that two customers share, and to one that nobody has. A cap lets three through within a day. Then node and desk are
killed with SIGKILL, come back, and all of it is done once more. What reached each handset must be three messages, by the operator's own count.
Exit code 1 and the command to repeat it when it was another number.
"""
import argparse
import collections
import json
import re
import threading
import time

import world
from esme import PASSWORD, ESME
from installation import Installation, settled, until
from world import Broken, Web, free_port, say

MOST = 3
OWN, SHARED, NOBODYS = "+447700900001", "+447700900002", "+447700900003"
EVENTS = [f"event-{number}" for number in range(11)]
TEXTS = [f"text-{number}" for number in range(11)]
BINDS = [f"bind-{number}" for number in range(10)]
RULEBOOK = {
    "event-type/offers": {"number": 3},
    "event/offer": {"number": 12, "type": "offers", "class": "service", "everyone": True, "deadline": 3600,
                    "parameters": [{"name": "what", "type": "text"}], "templates": {"sms": "offer"}},
    "plan/sms": {"steps": [{"channels": ["sms"]}]},
    "matrix/bank": {"cells": [{"class": "service", "plan": "sms"}]},
    "cap/day": {"classes": ["service"], "most": MOST, "within": 86_400},
    "zones/bank": {"default": "Europe/Kyiv"},
    "template/sms.offer": {"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "An offer: {{what}}."}},
}


def all_at_once(place, port, keys):
    """Each source on its own connection, let go together; how often each door took something."""
    gate = threading.Barrier(len(EVENTS) + len(TEXTS) + len(BINDS), timeout=60)
    taken, mistakes, lock = collections.Counter(), [], threading.Lock()

    def took(door):
        with lock:
            taken[door] += 1

    def handed_in(web, path, value):
        status, answer = web.json("POST", path, value)
        if status != 202:
            raise Broken(f"{path} was answered {status}: {answer}")

    def events(source):
        web = Web(place.ports["http"], keys[source], 30)
        gate.wait()
        for number in range(options.rounds):
            handed_in(web, "/v1/events", {"definition": "offer", "customer": "c1", "parameters": {"what": f"{source} {number}"}})
            took("events")

    def texts(source):
        web = Web(place.ports["http"], keys[source], 30)
        gate.wait()
        for number in range(options.rounds):
            for to in (OWN, SHARED, NOBODYS):
                handed_in(web, "/v1/messages", {"to": to, "from": "HARBOUR", "text": f"{source} {number}", "class": "service"})
                took("texts")

    def binds(source):
        bind = ESME(port, source)
        gate.wait()
        for number in range(options.rounds):
            for to in (OWN, SHARED, NOBODYS):
                bind.submit(to, f"{source} {number}")
                took("smpp")

    def guarded(work, source):
        try:
            work(source)
        except Exception as error:         # told below, by the thread that joins
            mistakes.append(f"{source}: {type(error).__name__}: {error}")
            gate.abort()

    threads = [threading.Thread(target=guarded, args=(work, source), daemon=True)
               for work, sources in ((events, EVENTS), (texts, TEXTS), (binds, BINDS)) for source in sources]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    if mistakes or any(one.is_alive() for one in threads):
        raise Broken(mistakes[0] if mistakes else "a door did not answer")
    return taken


def ended(place):
    """Nothing is open any more, by the node's ledger."""
    sums = [re.search(rf'^martlet_source_{name}_total\{{source="{source}"\}} (\d+)', place.metrics(), re.M)
            for source in EVENTS + TEXTS + BINDS for name in ("accepted", "ended")]
    counts = [int(one.group(1)) if one else 0 for one in sums]
    return counts[0::2] == counts[1::2]


def reached(place):
    """Messages by handset; what was sent again after the kill, flagged, counts once."""
    texts = {(one["destination"], one["text"]) for one in place.operator.messages()}
    return collections.Counter(to for to, _ in texts)


def main():
    began = time.monotonic()
    port = free_port()
    with Installation(options.build, "caps", "sqlite") as place:
        password = place.folder / "smpp.password"
        password.write_text(PASSWORD + "\n")
        password.chmod(0o600)
        accounts = [{"systemId": name, "passwordFile": str(password), "source": name} for name in BINDS]
        place.lay_over({"smpp": {"listen": f"127.0.0.1:{port}", "accounts": accounts}})
        place.prepare()
        keys = {}
        for name in EVENTS + TEXTS + BINDS:
            printed = place.command("source", "add", name, "--data", place.data, "--scopes", "send,read", "--class", "service")
            keys[name] = re.search(r"\bmk_[A-Za-z0-9_-]+", printed).group(0)
        place.start_simulator()
        place.start()
        place.new_administrator("proof")
        folder = place.folder / "rulebook"
        for name, content in RULEBOOK.items():
            file = folder / f"{name}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"name": name, "description": "Of the drill.", "content": content}))
        place.verb("rulebook", "import", folder, "--note", "drill")
        place.verb("rulebook", "publish", "--note", "drill")
        for reference, phone in (("c1", OWN), ("c2", SHARED), ("c3", SHARED)):
            place.add_customer(reference, phone)
        web = place.web()

        def knows(customer):
            status, answer = web.json("POST", "/v1/events:explain", {"definition": "offer", "customer": customer, "parameters": {"what": "x"}})
            return status == 200 and answer["reason"] != "unknown_customer"
        until("the node knows all three", 60, lambda: all(knows(one) for one in ("c1", "c2", "c3")))

        expected = {OWN.lstrip("+"): MOST, SHARED.lstrip("+"): MOST, NOBODYS.lstrip("+"): MOST}
        total = collections.Counter()
        for round in (1, 2):
            total += all_at_once(place, port, keys)
            until("all has ended", 60, lambda: ended(place))
            settled(1, lambda: len(place.operator.messages()) >= sum(expected.values()), "the operator lost messages")
            found = {to.lstrip("+"): count for to, count in reached(place).items()}
            if found != expected:
                raise Broken(f"round {round}: handsets got {found}, a cap of {MOST} allows {expected}")
            if round == 1:
                place.martlet.kill9()
                place.start()
        say(f"caps: 32 sources over three doors at once, {dict(total)} handed in, {MOST} at each of three handsets, over a kill -9; "
            f"{time.monotonic() - began:.0f} s")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--rounds", type=int, default=4, help="messages of each source to each number, a time")
    return parser.parse_args()


options = parse()
world.run_script(main, lambda: f"Tests/Faults/caps.py --build {options.build} --rounds {options.rounds}")
