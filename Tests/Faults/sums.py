#!/usr/bin/env python3
"""Messages over all doors at once, and whether every way to slice the statistics adds up to what was taken.

    sums.py --build debug [--store sqlite|postgres] [--rounds 60] [--seed N]

Two sender systems hand in single messages and batches over HTTP, a third single ones over SMPP, all at the same time and of all classes; the operator delivers some,
refuses some and says nothing of others. In the end each slice of `/v1/statistics`, by every word of `by` and by all of them together, must add up to the same sums,
and those to what the clients were told: accepted by source and by class, ends and reasons as the node tells them of each message, parts as they were
promised. Exit code 1 and the command to repeat it when that does not hold.
"""
import argparse
import collections
import itertools
import json
import random
import re
import threading
import time

import world
from esme import PASSWORD, ESME
from installation import Installation, until
from ledgers import CLASSES
from world import Broken, Web, free_port, say

ENDS = ["delivered", "failed", "expired", "cancelled", "suppressed"]
BY = ["source", "class", "channel", "operator", "state", "reason", "hour", "day"]


class Taken:
    """What the clients were told: id -> (source, class or None where it was not said, parts)."""

    def __init__(self):
        self._lock = threading.Lock()
        self.messages = {}
        self.mistakes = []

    def add(self, identifier, source, word, parts):
        with self._lock:
            if not re.fullmatch("[0-9a-f]{32}", identifier or "") or identifier in self.messages:
                raise Broken(f"{source} was given the id {identifier!r}")
            self.messages[identifier] = (source, word, parts)

    def guarded(self, work):
        def run():
            try:
                work()
            except Exception as error:         # told by whoever joins the thread
                self.mistakes.append(f"{type(error).__name__}: {error}")
        return threading.Thread(target=run, daemon=True)


def message(number, chance):
    word = chance.choice(CLASSES)
    # Some of two parts.
    text = f"sums {number} " + "x" * (200 if number % 7 == 0 else 20)
    return {"to": f"+4477009{number % 100_000:05}", "from": "HARBOUR", "text": text, "class": word}


def send_all(place, port, taken, keys):
    numbers = itertools.count(1)
    lock = threading.Lock()

    def following():
        with lock:
            number = next(numbers)
            return message(number, random.Random(seed * 1_000_003 + number))

    def single(source):
        web = Web(place.ports["http"], keys[source], 20)
        for _ in range(options.rounds):
            body = following()
            status, answer = web.json("POST", "/v1/messages", body)
            if status != 202:
                raise Broken(f"a message was answered {status}: {answer}")
            taken.add(answer["id"], source, body["class"], answer["parts"])

    def batch(source):
        web = Web(place.ports["http"], keys[source], 30)
        for _ in range(options.rounds // 10):
            bodies = [following() for _ in range(25)]
            status, answer = web.ask("POST", "/v1/messages:batch", "".join(json.dumps(one) + "\n" for one in bodies).encode(),
                                     {"Content-Type": "application/x-ndjson"})
            lines = [json.loads(line) for line in answer.splitlines()]
            if status != 200 or len(lines) != len(bodies) or any(one["status"] != 202 for one in lines):
                raise Broken(f"a batch was answered {status}: {lines[:2]}")
            for body, one in zip(bodies, lines):
                taken.add(one["id"], source, body["class"], one.get("parts"))

    def smpp(source):
        bind = ESME(port, "core")
        for _ in range(options.rounds):
            body = following()
            taken.add(bind.submit(body["to"], body["text"][:120]), source, None, 1)

    works = [lambda: single("proof"), lambda: single("cards"), lambda: batch("proof"), lambda: batch("cards"), lambda: smpp("core")]
    threads = [taken.guarded(work) for work in works]
    for one in threads:
        one.start()
    for one in threads:
        one.join(300)
    if taken.mistakes or any(one.is_alive() for one in threads):
        raise Broken(taken.mistakes[0] if taken.mistakes else "a door did not answer")


def told(place, taken, keys):
    """(state, reason, class) of each message, as the node tells its source."""
    found = {}
    webs = {source: Web(place.ports["http"], key, 20) for source, key in keys.items()}
    for identifier, (source, _, _) in taken.messages.items():
        status, answer = webs[source].json("GET", f"/v1/messages/{identifier}")
        if status != 200:
            raise Broken(f"message {identifier} of {source} is answered {status}")
        found[identifier] = (answer["state"], answer.get("reason") or "", answer["class"])
    return found


def statistics(place, words):
    return place.call("GET", "/v1/statistics?by=" + ",".join(words))


def added(rows):
    sums = collections.Counter()
    for row in rows:
        sums.update({name: count for name, count in row["counts"].items() if name != "deliveryRate"})
    return sums


def check(place, taken, states):
    """Every slice against all others, and against what the clients know."""
    count = len(taken.messages)
    whole = statistics(place, ["state"])["sums"]
    whole.pop("deliveryRate", None)
    wrong = []
    slices = [[word] for word in BY] + [["source", "state"], ["class", "reason"], ["operator", "class", "hour"], BY]
    for words in slices:
        answer = statistics(place, words)
        sums = {name: value for name, value in answer["sums"].items() if name != "deliveryRate"}
        if sums != whole:
            wrong.append(f"by {words} the sums are {sums} instead of {whole}")
        rows = added(answer["rows"])
        if any(rows[name] != value for name, value in whole.items()):
            wrong.append(f"the rows by {words} add up to {dict(rows)} instead of {whole}")
    known = collections.Counter(state for state, _, _ in states.values())
    expected = {"accepted": count, "open": known["open"], "ended": count - known["open"], **{end: known[end] for end in ENDS}}
    ledger = {name: sum(map(int, re.findall(rf"^martlet_source_{name}_total(?:\{{[^}}]*\}})? (\d+)", place.metrics(), re.M)))
              for name in ("accepted", "ended")}
    for name, value in ledger.items():
        if whole[name] != value:
            wrong.append(f"{name} is {whole[name]}, and the node's ledger says {value}")
    parts = [parts for _, _, parts in taken.messages.values()]
    if all(parts):
        expected["parts"] = sum(parts)
    for name, value in expected.items():
        if whole.get(name, 0) != value:
            wrong.append(f"{name} is {whole.get(name, 0)}, and the clients know of {value}")

    def by(word, own):
        rows = {row.get(word, ""): row["counts"]["accepted"] for row in statistics(place, [word])["rows"] if row["counts"]["accepted"]}
        if rows != own:
            wrong.append(f"accepted by {word}: {rows}, and the clients know of {dict(own)}")

    by("source", collections.Counter(source for source, _, _ in taken.messages.values()))
    by("class", collections.Counter(word for _, _, word in states.values()))
    by("state", known)
    by("reason", collections.Counter(reason for state, reason, _ in states.values()))
    for identifier, (_, word, _) in taken.messages.items():
        if word and states[identifier][2] != word:
            wrong.append(f"message {identifier} was given as {word} and is {states[identifier][2]}")
    if wrong:
        raise Broken(f"of {count} messages: " + "; ".join(wrong[:5]))
    return whole


def main():
    began = time.monotonic()
    port = free_port()
    with Installation(options.build, "sums", options.store) as place:
        password = place.folder / "core.password"
        password.write_text(PASSWORD + "\n")
        password.chmod(0o600)
        place.lay_over({"smpp": {"listen": f"127.0.0.1:{port}", "accounts": [{"systemId": "core", "passwordFile": str(password), "source": "core"}]}})
        place.prepare()
        keys = {"proof": place.key}
        for name in ("cards", "core"):
            printed = place.command("source", "add", name, "--data", place.data, "--scopes", "send,read")
            keys[name] = re.search(r"\bmk_[A-Za-z0-9_-]+", printed).group(0)
        if place.server:
            place.verb("store", "migrate")
        place.start_simulator()
        place.start()
        place.new_administrator("proof")
        place.operator.behave(refusePercent=10, receiptStatus={"DELIVRD": 70, "UNDELIV": 20, "EXPIRED": 10}, lostReceiptPercent=10,
                              receiptAfterMs=200)
        taken = Taken()
        send_all(place, port, taken, keys)
        count = len(taken.messages)

        # What ends goes on ending: both sides are asked until nothing moves between two looks.
        last = None

        def settled():
            nonlocal last
            states = told(place, taken, keys)
            sums = statistics(place, ["state"])["sums"]
            now = (states, sums)
            same, last = now == last, now
            return same and sums["accepted"] == count and sum(state == "open" for state, _, _ in states.values()) < count
        until("node and history say the same of all messages twice", 90, settled)
        whole = check(place, taken, told(place, taken, keys))
        if not all(whole.get(name, 0) for name in ("delivered", "failed", "open")):
            raise Broken(f"too little happened: {whole}")
        say(f"sums: {count} messages over HTTP, batches and SMPP: {whole['delivered']} delivered, {whole['failed']} failed, {whole['open']} open; every slice "
            f"adds up; {options.store}; {time.monotonic() - began:.0f} s; seed {seed}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
say(f"sums: seed {seed}")
world.run_script(main, lambda: f"Tests/Faults/sums.py --build {options.build} --store {options.store} --rounds {options.rounds} --seed {seed}")
