#!/usr/bin/env python3
"""Kills, freezes and orphans the desk while the node takes messages, and asks after each whether sending noticed.

    desk.py --build debug [--rounds 3] [--seed N]

Every message is answered 202 and reaches the operator. The desk comes back by itself; it never outlives the node; a desk that hangs holds up
no stop; and the audit is sound in the end, against the checkpoints that were handed outside.
"""
import argparse
import os
import pathlib
import random
import re
import signal
import time

import world
from world import Broken, Gone, Web, World, children, free_port, say, wait_for


def lives(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Sending:
    """Messages, each with a text of its own, one after the other."""

    def __init__(self, place):
        self.place, self.count, self.web = place, 0, place.web()

    def some(self, count):
        for _ in range(count):
            self.count += 1
            message = {"to": "+447700900123", "from": "HARBOUR", "text": f"desk {self.count}"}
            status, _ = self.web.json("POST", "/v1/messages", message)
            if status != 202:
                raise Broken(f"message {self.count} was answered {status} while the desk was in trouble")

    def arrived(self):
        return len({one["text"] for one in self.place.operator.messages() if one["text"].startswith("desk ")}) >= self.count


def main():
    chance = random.Random(seed)
    began = time.monotonic()
    with World(options.build, label="desk") as place:
        port = free_port()
        place.lay_over({"desk": {"listen": f"127.0.0.1:{port}"}, "audit": {"checkpoints": str(place.folder / "checkpoints")}})
        place.prepare()
        place.start_simulator()
        admin = Web(port, timeout=5)

        def ready():
            try:
                return admin.ask("GET", "/readyz")[0] == 200
            except Gone:
                return False

        def desk():
            own = children(place.martlet.pid)
            return own[0] if len(own) == 1 else None

        def start():
            place.start_martlet(role="all")
            wait_for("the desk is ready", 60, ready, otherwise=Broken)
            wait_for("the node has one child", 10, desk, otherwise=Broken)

        start()
        where = ("--config", place.folder / "martlet.yaml", "--data", place.data)
        printed = place.command("principal", "add", "proof", "--rights", "all", *where)
        admin.headers["Authorization"] = f"Bearer {re.search('ak_[A-Za-z0-9_-]+', printed).group(0)}"
        sending = Sending(place)
        sending.some(20)
        moods = [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM]
        chance.shuffle(moods)
        for number in range(options.rounds):
            child, how = desk(), moods[number % len(moods)]
            os.kill(child, how)
            sending.some(50)
            if how == signal.SIGSTOP:
                os.kill(child, signal.SIGCONT)
            else:
                wait_for("the desk is another process", 70, lambda: desk() not in (None, child), otherwise=Broken)
            wait_for("the desk is ready again", 70, ready, otherwise=Broken)
            status, _ = admin.json("GET", "/v1/audit")
            if status != 200:
                raise Broken(f"after {how.name} the admin API answered {status}")
            say(f"desk: round {number + 1}, {how.name}: messages went on, the desk is back")
        child = desk()
        place.martlet.kill9()
        wait_for("the desk is gone with its node", 10, lambda: not lives(child), otherwise=Broken)
        start()
        wait_for("every message reached the operator", 60, sending.arrived, otherwise=Broken)
        child = desk()
        os.kill(child, signal.SIGSTOP)
        stopping = time.monotonic()
        code = place.martlet.stop()
        took = time.monotonic() - stopping
        if code != 0 or took > 10:
            raise Broken(f"with a desk that hangs the node stopped with {code} after {took:.1f} s:\n{place.martlet.tail()}")
        wait_for("the desk that hung is ended", 5, lambda: not lives(child), otherwise=Broken)
        code, words = place.command("audit", "verify", *where, check=False)
        if code != 0 or "confirmed by" not in words:
            raise Broken(f"the audit is not sound: {words}")
        say(f"desk: {words.strip()}; the node stopped in {took:.1f} s beside a desk that hung; "
            f"{time.monotonic() - began:.0f} s; seed {seed}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
say(f"desk: seed {seed}")
world.run_script(main, lambda: f"Tests/Faults/desk.py --build {options.build} --rounds {options.rounds} --seed {seed}")
