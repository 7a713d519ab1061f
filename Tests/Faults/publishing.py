#!/usr/bin/env python3
"""Publishes one release after the other over the admin API while events flow, and asks of each notification by which it was decided.

    publishing.py --build debug [--releases 5]

Each release edits one cell of the matrix, so that a class follows another plan, and one text, which says the release's number. Meanwhile four connections report
events. Each event that was answered 202 must reach the operator, once; it must have been decided once, by one of the releases, by the plan and in the words of that one and
no other; what is reported after the node says that it has a release is decided by that one or a later one. In the end `martlet replay`, another process,
decides all of it again from the log: the same outcomes, the same texts byte for byte. Exit code 1 and the command to repeat it when that does not hold.
"""
import argparse
import collections
import json
import re
import threading
import time

import world
from installation import Installation, until
from world import Broken, Web, say

PLANS = ("sms", "push-then-sms")
WRITERS = 4


def cell(number):
    return {"cells": [{"class": "transactional", "plan": PLANS[number % 2]}]}


def text(number):
    return {"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": f"Release {number}: card used at {{{{shop}}}}."}}


RULEBOOK = {
    "event-type/card-payment": {"number": 3},
    "event/card_payment": {"number": 12, "type": "card-payment", "class": "transactional", "everyone": True, "deadline": 3600,
                           "parameters": [{"name": "shop", "type": "text"}], "templates": {"sms": "card-payment"}},
    "plan/sms": {"steps": [{"channels": ["sms"]}]},
    "plan/push-then-sms": {"steps": [{"channels": ["push"], "wait": 60}, {"channels": ["sms"]}]},
    "matrix/bank": cell(1),
    "zones/bank": {"default": "Europe/Kyiv"},
    "template/sms.card-payment": text(1),
}


class Writers:
    """Who report events until they are told to stop: id -> (shop, release that the node had for certain when it was reported)."""

    def __init__(self, place):
        self.place, self.taken, self.mistakes = place, {}, []
        self.release, self._stop, self._lock = 1, threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._write, args=(number,), daemon=True) for number in range(WRITERS)]
        for one in self._threads:
            one.start()

    def _write(self, number):
        try:
            web, count = Web(self.place.ports["http"], self.place.key, 20), 0
            while not self._stop.is_set():
                count += 1
                shop, release = f"shop {number}-{count}", self.release
                status, answer = web.json("POST", "/v1/events", {
                    "definition": "card_payment", "customer": f"c{count % 3}", "parameters": {"shop": shop}})
                if status != 202:
                    raise Broken(f"an event was answered {status}: {answer}")
                with self._lock:
                    self.taken[answer["id"]] = (shop, release)
                time.sleep(options.pause)
        except Exception as error:         # told by stop
            self.mistakes.append(f"{type(error).__name__}: {error}")

    def stop(self):
        self._stop.set()
        for one in self._threads:
            one.join(60)
        if self.mistakes or any(one.is_alive() for one in self._threads):
            raise Broken(self.mistakes[0] if self.mistakes else "the door did not answer")


def in_use(place):
    return int(re.search(r"^martlet_rulebook_release (\d+)", place.metrics(), re.M).group(1))


def edit(place, name, content):
    """A new version of an object, over the one that is there."""
    status, _ = place.admin.json("GET", f"/v1/rulebook/objects/{name}")
    if status != 200:
        raise Broken(f"{name} is answered {status}")
    status, answer = place.admin.json("PUT", f"/v1/rulebook/objects/{name}", {"name": name, "description": "Of the drill.", "note": "drill", "content": content},
                                      {"If-Match": place.admin.fields["ETag"]})
    if status != 200:
        raise Broken(f"{name} was written with {status}: {answer}")


def check(place, taken, first, last):
    """Each notification by one release, in its words and by its plan; how many by each."""
    got = collections.Counter(one["text"] for one in place.operator.messages())
    by, web, wrong = collections.Counter(), place.web(), []
    for identifier, (shop, least) in taken.items():
        status, state = web.json("GET", f"/v1/notifications/{identifier}")
        if status != 200 or state["state"] != "delivered" or len(state["decisions"]) != 1:
            wrong.append(f"{identifier} is answered {status}: {state}")
            continue
        release = state["decisions"][0]["release"]
        by[release] += 1
        if not max(first, least) <= release <= last:
            wrong.append(f"{identifier} was decided by release {release}, when the node had {least} of {first} to {last}")
        if [step["channel"] for step in state["plan"]] != (["sms"] if PLANS[release % 2] == "sms" else ["push", "sms"]):
            wrong.append(f"{identifier} was decided by release {release} and followed {state['plan']}")
        if got.pop(f"Release {release}: card used at {shop}.", 0) != 1:
            wrong.append(f"{identifier} did not come once in the words of release {release}")
    if wrong or got:
        raise Broken(f"{len(wrong)} of {len(taken)} are wrong, {len(got)} texts are nobody's: {(wrong + list(got))[:5]}")
    return by


def main():
    began = time.monotonic()
    with Installation(options.build, "publishing", "sqlite") as place:
        place.begin()
        folder = place.folder / "rulebook"
        for name, content in RULEBOOK.items():
            file = folder / f"{name}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"name": name, "description": "Of the drill.", "content": content}))
        place.verb("rulebook", "import", folder, "--note", "drill")
        place.verb("rulebook", "publish", "--note", "drill")
        for number in range(3):
            place.add_customer(f"c{number}", f"+44770090000{number}")
        web = place.web()

        def knows(customer):
            status, answer = web.json("POST", "/v1/events:explain", {"definition": "card_payment", "customer": customer, "parameters": {"shop": "x"}})
            return status == 200 and answer["reason"] != "unknown_customer"
        until("the node knows all three", 60, lambda: in_use(place) == 1 and all(knows(f"c{number}") for number in range(3)))

        writers = Writers(place)
        for number in range(2, options.releases + 1):
            time.sleep(0.3)
            edit(place, "matrix/bank", cell(number))
            edit(place, "template/sms.card-payment", text(number))
            answer = place.call("POST", "/v1/rulebook/releases", {"note": f"release {number}", "base": number - 1}, (201,))
            if number % 2:
                # The next at once, which the node may take instead.
                continue
            until(f"the node has release {number}", 20, lambda: in_use(place) == number)
            writers.release = number
        until("the node has the last release", 20, lambda: in_use(place) == options.releases)
        writers.release = options.releases
        time.sleep(0.3)
        writers.stop()
        count = len(writers.taken)
        until("all has come", 60, lambda: len(place.operator.messages()) >= count)
        until("all is delivered", 60, lambda: all(web.json("GET", f"/v1/notifications/{one}")[1]["state"] == "delivered" for one in writers.taken))
        by = check(place, writers.taken, 1, options.releases)
        if len(by) < 3 or not by[options.releases]:
            raise Broken(f"too little happened: {dict(by)}")
        # In another process, from the log alone.
        report = json.loads(place.verb("replay", "--json").strip().splitlines()[-1])
        texts = {"compared": count, "notCompared": {}}
        if (report["decisions"], report["compared"], report["differences"], report["texts"]) != (count, count, 0, texts):
            raise Broken(f"decided again {count} are {report}")
        say(f"publishing: {count} events under {options.releases} releases, by each {dict(sorted(by.items()))}; each in the words and by the plan of one, the same "
            f"decided again; {time.monotonic() - began:.0f} s")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--releases", type=int, default=5)
    parser.add_argument("--pause", type=float, default=0.03, help="seconds between two events of one writer")
    return parser.parse_args()


options = parse()
world.run_script(main, lambda: f"Tests/Faults/publishing.py --build {options.build} --releases {options.releases} --pause {options.pause}")
