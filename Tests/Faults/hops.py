#!/usr/bin/env python3
"""Injects one fault at each hop of a message's way, into running programs, and asks the trace which hop it was.

    hops.py --build debug [--store sqlite|postgres]

intake: octets of a message that waits are changed on the disk. decision: the customer has written STOP. render: the operator's profile loses the alphabet of
a text that waits. route: no connection is there until the deadline. connection: what was written brings no answer. operator: it refuses. handset: the
operator cannot deliver. Each message must end, and its story and its trace must name that hop; one beside them, without a fault, is delivered and names none.
"""
import argparse
import glob
import time

import world
from installation import Installation, until
from world import Broken, say, yaml

HOPS = ["intake", "decision", "render", "route", "connection", "operator", "handset"]
GOOD = {"receipts": True, "receiptStatus": "DELIVRD", "refusePercent": 0, "silent": False, "disconnect": False, "query": "truthful"}


class Way:
    """A node with its desk, and the messages that went by it."""

    def __init__(self, place):
        self.place, self.number = place, 0

    def send(self, text="Your parcel has come.", **more):
        self.number += 1
        return self.place.send(f"+4477009003{self.number:02}", text, **more)

    def story(self, identifier):
        status, answer = self.place.admin.json("GET", f"/v1/history/{identifier}")
        return {**answer["message"], "failedHop": answer.get("failedHop")} if status == 200 else {}

    def ended(self, identifier, seconds=60):
        until(f"{identifier} ended", seconds, lambda: self.story(identifier).get("state") in ("delivered", "failed", "expired", "suppressed"))

    def names(self, identifier, hop, seconds=60):
        """The story and the trace of what ended name this hop; None: they name none."""
        self.ended(identifier, seconds)
        story, trace = self.story(identifier), self.place.call("GET", f"/v1/history/{identifier}/trace")
        told = [one.get("failedHop") for one in trace if one["hop"] == "end"]
        if story.get("failedHop") != hop or told != [hop]:
            raise Broken(f"a fault at {hop}: the story says {story.get('failedHop')}, the trace {told}; {story.get('state')}, {story.get('reason')}")
        say(f"hops: {hop or 'no fault'}: {story['state']}, {story.get('reason')}")


def decision(way):
    way.place.operator._ask("POST", "/inbound", {"from": "447700900399", "to": "HARBOUR", "text": "STOP"})
    found = []

    def stopped():
        # What came before the word was heard goes out.
        found.append(way.place.send("+447700900399", "Loans from 3 percent.", **{"class": "marketing"}))
        way.ended(found[-1])
        return way.story(found[-1])["state"] == "suppressed"
    until("the word is heard", 30, stopped)
    way.names(found[-1], "decision")


def operator(way):
    way.place.operator.behave(refusePercent=100, refuseStatus="0x0000000B")
    way.names(way.send(), "operator")


def handset(way):
    way.place.operator.behave(receiptStatus="UNDELIV")
    way.names(way.send(), "handset")


def connection(way):
    way.place.operator.behave(silent=True, query="silent")
    way.names(way.send("Your card was paid with.", **{"class": "service", "validity": 15}), "connection")


def intake(way):
    place = way.place
    place.command("hold", "--class", "service", "--data", place.data)
    identifier = way.send("Your parcel waits. " * 20, **{"class": "service"})
    until("it is in the history", 30, lambda: way.story(identifier))
    # Behind a restart its text is on the disk alone, in a segment that nobody writes any more.
    place.restart()
    changed = 0
    for path in glob.glob(str(place.data / "journal" / "*.log")):
        with open(path, "r+b") as file:
            held = file.read()
            at = held.find(bytes.fromhex(identifier))
            if at >= 0:
                # In the sealed text, far behind the clear head.
                file.seek(at + 300)
                file.write(bytes(octet ^ 0x55 for octet in held[at + 300:at + 308]))
                changed += 1
    if not changed:
        raise Broken("the message is in no segment")
    place.command("release", "--class", "service", "--data", place.data)
    way.names(identifier, "intake")


def render(way):
    place = way.place
    place.command("hold", "--class", "service", "--data", place.data)
    identifier = way.send("包裹已到 №7", **{"class": "service"})
    until("it is in the history", 30, lambda: way.story(identifier))
    place.lay_over({"connections": [{"answerTimeout": "3s", "alphabets": ["gsm7"]}]})
    (place.folder / "martlet.yaml").write_text(yaml(place.settings()) + "\n")
    place.command("connection", "reload", "--data", place.data)
    place.command("release", "--class", "service", "--data", place.data)
    way.names(identifier, "render")


def route(way):
    way.place.operator.behave(disconnect=True)
    way.names(way.send(validity=4), "route")


def main():
    began = time.monotonic()
    with Installation(options.build, "hops", options.store, {"connections": [{"answerTimeout": "3s"}]}) as place:
        place.begin()
        way = Way(place)
        place.operator.behave(**GOOD)
        way.names(way.send(), None)
        faults = [decision, operator, handset, connection, intake, render, route]
        if sorted(fault.__name__ for fault in faults) != sorted(HOPS):
            raise Broken("a hop has no fault")
        for fault in faults:
            fault(way)
            place.operator.behave(**GOOD)
        say(f"hops: {len(faults)} faults, each named by the hop where it was; {time.monotonic() - began:.0f} s")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    return parser.parse_args()


options = parse()
world.run_script(main, lambda: f"Tests/Faults/hops.py --store {options.store} --build {options.build}")
