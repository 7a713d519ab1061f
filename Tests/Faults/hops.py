#!/usr/bin/env python3
"""Lets a notification fail once at each hop of its way, and asks the traces of node and desk which hop it was.

    hops.py --build debug

A node with its desk and a simulated operator. One fault a hop, each as a bank meets it: an event that its system hands in too late (intake), a customer
without the package (decision), a value that makes the text longer than may be sent (render), a number that no connection serves (route), a receipt that
says undeliverable (handset), a submit that the operator refuses (operator), binds that the operator refuses until the deadline (connection). State and trace of
the node, and story and trace of the desk, must each name that hop, once, with the reason that belongs to it. What is delivered names none.
"""
import argparse
import datetime
import json
import re
import time

import world
from installation import Installation, until
from world import Broken, ROOT, say

HERE, ELSEWHERE = "c1", "c2"
EVENT = {"type": "card-payment", "class": "transactional", "everyone": True, "deadline": 3600,
         "parameters": [{"name": "shop", "type": "text", "maximum": 1000}], "templates": {"sms": "card-payment"}}
RULEBOOK = {
    "event-type/card-payment": {"number": 3, "group": "cards"},
    "event/card_payment": {**EVENT, "number": 12},
    # Only whom a package has it for is told.
    "event/card_paused": {**EVENT, "number": 13, "everyone": False},
    "package/cards": {"number": 17, "events": [{"event": "card_paused"}]},
    "plan/sms": {"steps": [{"channels": ["sms"]}]},
    "matrix/bank": {"cells": [{"class": "transactional", "plan": "sms"}]},
    "zones/bank": {"default": "Europe/Kyiv"},
    "template/sms.card-payment": {"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Card used at {{shop}}."}},
}


def closed_list():
    """All reasons that there are, as the node's contract has them."""
    lines = (ROOT / "docs/reference/openapi.yaml").read_text().splitlines()
    enums = [line for line in lines if "enum: [refused, undeliverable, " in line]
    return set(re.search(r"\[(.*)\]", enums[0]).group(1).split(", ")) - {"null"}


class Drill:
    def __init__(self, place):
        self.place, self.node, self.reasons = place, place.web(), closed_list()
        self.named = set()

    def publish(self):
        folder = self.place.folder / "rulebook"
        for name, content in RULEBOOK.items():
            file = folder / f"{name}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"name": name, "description": "Of the drill.", "content": content}))
        self.place.verb("rulebook", "import", folder, "--note", "drill")
        self.place.verb("rulebook", "publish", "--note", "drill")

    def event(self, customer=HERE, definition="card_payment", shop="Kava 7", **more):
        return {"definition": definition, "customer": customer, "parameters": {"shop": shop}, **more}

    def knows(self, customer):
        status, answer = self.node.json("POST", "/v1/events:explain", self.event(customer))
        return status == 200 and answer["reason"] != "unknown_customer"

    def hand_in(self, **wish):
        status, answer = self.node.json("POST", "/v1/events", self.event(**wish))
        if status != 202:
            raise Broken(f"an event was answered {status}: {answer}")
        return answer["id"]

    def state(self, identifier):
        status, answer = self.node.json("GET", f"/v1/notifications/{identifier}")
        if status != 200:
            raise Broken(f"the state of {identifier} was answered {status}: {answer}")
        return answer

    def ended(self, identifier, seconds=60):
        until(f"{identifier} has ended", seconds, lambda: self.state(identifier)["state"] != "open")
        return self.state(identifier)

    def ask(self, identifier):
        """(what was asked, the hops that it names, the reason beside it), of everyone who can be asked."""
        state = self.ended(identifier)
        yield "the node's state", [state["failedHop"]] if "failedHop" in state else [], state["reason"]
        status, trace = self.node.json("GET", f"/v1/notifications/{identifier}/trace")
        yield ("the node's trace", *self.of_trace(status, trace))
        until("the history has its end", 60, lambda: self.told(identifier))
        story = self.place.call("GET", f"/v1/history/{identifier}")
        yield "the desk's story", [story["failedHop"]] if story.get("failedHop") else [], story["message"].get("reason") or None
        yield ("the desk's trace", *self.of_trace(200, self.place.call("GET", f"/v1/history/{identifier}/trace")))

    def told(self, identifier):
        status, trace = self.place.admin.json("GET", f"/v1/history/{identifier}/trace")
        return status == 200 and any(hop["hop"] == "end" for hop in trace)

    @staticmethod
    def of_trace(status, trace):
        if status != 200:
            raise Broken(f"a trace was answered {status}: {trace}")
        named = [hop for hop in trace if "failedHop" in hop]
        if any(hop["hop"] != "end" for hop in named):
            raise Broken(f"a hop that is not the end names one that failed: {named}")
        return [hop["failedHop"] for hop in named], named[0].get("reason") if named else None

    def expect(self, hop, reason, identifier):
        if reason not in self.reasons:
            raise Broken(f"{reason} is not of the closed list")
        for asked, hops, because in self.ask(identifier):
            if (hops, because) != ([hop], reason):
                raise Broken(f"{asked} of {identifier} names {hops}, reason {because}, not {hop}, {reason}")
        self.named.add(hop)
        say(f"hops: {hop}: {reason}, in state and trace of node and desk")

    def expect_delivered(self):
        identifier = self.hand_in()
        state = self.ended(identifier)
        if state["state"] != "delivered" or any(hops for _, hops, _ in self.ask(identifier)):
            raise Broken(f"{identifier} should be delivered and name no hop: {state}")


def main():
    began = time.monotonic()
    # Numbers of one country have a way out.
    with Installation(options.build, "hops", "sqlite", {"routes": [{"prefix": "44", "group": "harbour"}]}) as place:
        place.begin()
        drill = Drill(place)
        drill.publish()
        place.add_customer(HERE, "+447700900001")
        place.add_customer(ELSEWHERE, "+15550100")
        until("the node knows both", 60, lambda: drill.knows(HERE) and drill.knows(ELSEWHERE))
        drill.expect_delivered()

        hour_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        drill.expect("intake", "stale", drill.hand_in(occurredAt=hour_ago.strftime("%Y-%m-%dT%H:%M:%SZ"), deadline=300))
        drill.expect("decision", "not_in_package", drill.hand_in(definition="card_paused"))
        # A letter that the alphabet of SMS lacks makes all the others twice as long.
        drill.expect("render", "channel_forbidden", drill.hand_in(shop="Kava " * 190 + "ї"))
        drill.expect("route", "channel_forbidden", drill.hand_in(customer=ELSEWHERE))

        place.operator.behave(receiptStatus="UNDELIV")
        drill.expect("handset", "undeliverable", drill.hand_in())
        place.operator.behave(receiptStatus="DELIVRD", refusePercent=100, refuseStatus="0x0000000B")
        drill.expect("operator", "refused", drill.hand_in())
        place.operator.behave(refusePercent=0)
        drill.expect_delivered()

        # The operator changed the password, and nobody told the bank.
        place.simulator.stop()
        settings = place.simulator_settings()
        settings["smsc"][0]["password"] = "another"
        (place.folder / "sim.yaml").write_text(world.yaml(settings) + "\n")
        place.start_simulator()
        drill.expect("connection", "not_sent_in_time", drill.hand_in(deadline=5))
        if place.operator.stats()["submits"]:
            raise Broken("something was submitted to an operator that refuses binds")

        missing = {"intake", "decision", "render", "route", "connection", "operator", "handset"} - drill.named
        if missing:
            raise Broken(f"nothing failed at {missing}")
        say(f"hops: a fault at each of {len(drill.named)} hops, each named by four answers; {time.monotonic() - began:.0f} s")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    return parser.parse_args()


options = parse()
world.run_script(main, lambda: f"Tests/Faults/hops.py --build {options.build}")
