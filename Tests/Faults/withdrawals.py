#!/usr/bin/env python3
"""Withdraws consents over the admin API while a file of customers is read in, and asks the node until it knows of each.

    withdrawals.py --build debug [--store sqlite|postgres] [--lines 80000] [--limit 10] [--seed N]

Customers who agreed to something are there; then a file with many times as many is handed in, so that its rows wait for base files. Meanwhile one after the other
withdraws, and one in five is erased. From the answer of the desk on, `:explain` of the node is asked until it says that the customer is not told. The worst of all
must be below `--limit` seconds: 2 is what is promised on a machine that has nothing else to do. In the end the node must have the file's last customer too.
Exit code 1 and the command to repeat it when that does not hold.
"""
import argparse
import http.client
import json
import random
import time

import world
from installation import Installation, until
from world import Broken, say

PEOPLE = 400
OFFER = {
    "event-type/offer": {"number": 3, "group": "offers"},
    "purpose/offers": {"number": 2, "presumed": False},
    "event/offer": {
        "number": 12, "type": "offer", "class": "service", "everyone": True, "purpose": "offers",
        "parameters": [{"name": "what", "type": "text", "maximum": 40}], "templates": {"sms": "offer"},
    },
    "plan/sms": {"steps": [{"channels": ["sms"]}]},
    "matrix/bank": {"cells": [{"class": "service", "plan": "sms"}]},
    "zones/bank": {"default": "Europe/Kyiv"},
    "template/sms.offer": {"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "For you: {{what}}"}},
}


def publish(place):
    folder = place.folder / "rulebook"
    for name, content in OFFER.items():
        file = folder / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"name": name, "description": "Of the drill.", "content": content}))
    place.verb("rulebook", "import", folder, "--note", "drill")
    place.verb("rulebook", "publish", "--note", "drill")


def lines(first, last):
    yield "reference,given_name,family_name,phone,consents\r\n"
    for number in range(first, last + 1):
        yield f"c{number},Olena,Kovalenko,+4477{number:08d},2 sms given 2024-02-03 v2\r\n"


def hand_in(place, rows):
    """Id of the import, as soon as the desk has the file."""
    def blocks():
        held = []
        for row in rows:
            held.append(row)
            if len(held) == 500:
                yield "".join(held).encode()
                held.clear()
        yield "".join(held).encode()
    connection = http.client.HTTPConnection("127.0.0.1", place.desk_port, timeout=300)
    connection.request("POST", "/v1/imports?kind=customers&format=csv", body=blocks(), encode_chunked=True,
                       headers={"Authorization": place.admin.headers["Authorization"], "Transfer-Encoding": "chunked"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    if answer.status != 201:
        raise Broken(f"the file was answered {answer.status}: {body}")
    return body["id"]


class Drill:
    def __init__(self, place):
        self.place, self.node = place, place.web()
        self.answers, self.heard, self.waiting = [], [], 0

    def is_told(self, reference):
        status, answer = self.node.json("POST", "/v1/events:explain", {"definition": "offer", "customer": reference, "parameters": {"what": "tea"}})
        # A customer whom the node does not know, or no more, is told nothing either.
        return status == 200 and answer["outcome"] == "tell"

    def state(self, identifier):
        now = self.place.call("GET", f"/v1/imports/{identifier}")
        if now["state"] not in ("waiting", "running", "done"):
            raise Broken(f"the import is {now['state']}: {now.get('fault')}")
        return now["state"]

    def look(self):
        """How many changes the node had not been given, at most."""
        row = self.place.rows("SELECT (SELECT number FROM customer_change WHERE id = 1), "
                              "(SELECT max(sequence) FROM cursor WHERE follower = 'local')")[0]
        self.waiting = max(self.waiting, int(row[0]) - int(row[1]))

    def one(self, subject, reference, erases):
        if not self.is_told(reference):
            raise Broken(f"{reference} is not told although nothing was withdrawn")
        asked = time.monotonic()
        if erases:
            self.place.erase(subject)
        else:
            self.place.call("POST", f"/v1/customers/{subject}/consents", {
                "purpose": 2, "channel": "sms", "state": "withdrawn", "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "way": "call_centre", "textVersion": "v2"}, (200, 201))
        answered = time.monotonic()
        while self.is_told(reference):
            if time.monotonic() - answered > 6 * options.limit:
                break
            time.sleep(0.01)
        self.answers.append(answered - asked)
        self.heard.append(time.monotonic() - answered)
        if self.heard[-1] > options.limit:
            raise Broken(f"{'an erasure' if erases else 'a withdrawal'} reached the node {self.heard[-1]:.1f} s after it was answered, "
                         f"with up to {self.waiting} changes that it had not been given")


def main():
    began = time.monotonic()
    with Installation(options.build, "withdrawals", options.store, {"imports": {"batch": 2000}}) as place:
        place.begin()
        publish(place)
        first = hand_in(place, lines(1, PEOPLE))
        drill = Drill(place)
        until("the first customers are in", 60, lambda: drill.state(first) == "done")
        until("the node knows them", 60, lambda: drill.is_told(f"c{PEOPLE}"))
        people = [(place.call("POST", "/v1/customers/find", {"reference": f"c{number}"})["items"][0]["id"], f"c{number}")
                  for number in chance.sample(range(1, PEOPLE + 1), PEOPLE)]
        last = PEOPLE + options.lines
        identifier = hand_in(place, lines(PEOPLE + 1, last))
        while people and drill.state(identifier) != "done":
            subject, reference = people.pop()
            drill.look()
            drill.one(subject, reference, erases=len(people) % 5 == 0)
            time.sleep(chance.uniform(0, 0.5))
        if len(drill.heard) < 10:
            raise Broken(f"the import ended before there were 10 withdrawals: {len(drill.heard)}; more --lines are needed")
        until("the node knows the last of the file", 600, lambda: drill.is_told(f"c{last}"))
        for when, figures in (("the desk answered", drill.answers), ("the node knew", drill.heard)):
            figures.sort()
            say(f"withdrawals: {when} within {figures[len(figures) // 2]:.2f} s mostly, {figures[-1]:.2f} s at worst, of {len(figures)}")
        say(f"withdrawals: {options.lines} customers of a file, up to {drill.waiting} changes waited for a base file; {options.store}; "
            f"{time.monotonic() - began:.0f} s; seed {seed}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--lines", type=int, default=80_000)
    parser.add_argument("--limit", type=float, default=10, help="seconds within which the node must know")
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
chance = random.Random(seed)
say(f"withdrawals: seed {seed}")
world.run_script(main, lambda: f"Tests/Faults/withdrawals.py --build {options.build} --store {options.store} --lines {options.lines} "
                               f"--limit {options.limit:g} --seed {seed}")
