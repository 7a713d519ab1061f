#!/usr/bin/env python3
"""Kills Martlet with SIGKILL at random moments under load, starts it again, and holds the ledgers beside each other.

    kill9.py --rounds 10 --build debug [--seed N] [--threads 8] [--window 10] [--binds 2]

After every crash: nothing accepted is lost; at most 2 x window duplicates a connection, each flagged; nothing goes out that nobody
submitted. Every request has an idempotency key; one whose answer the crash took is sent again under it, and must not become a second
message. Exit code 1 and the command to repeat it when that does not hold.
"""
import argparse
import random
import time

import world
from ledgers import Judge, Ledger, Senders
from world import Broken, World, say


# How the operator behaves while the load runs; `silent` and `tps` leave a full window and a queue behind the crash.
MOODS = [
    ("answers at once", {}),
    ("answers after 20 ms", {"delayMs": 20}),
    ("50 messages a second", {"delayMs": 200}),
    ("throttles one in ten", {"throttlePercent": 10}),
    ("takes and never answers", {"silent": True}),
    ("lets nobody in", {"disconnect": True}),
]
GENTLE = {"delayMs": 0, "throttlePercent": 0, "silent": False, "disconnect": False}


def main():
    with World(options.build, label="kill9", window=options.window, binds=options.binds,
               settings={"journal": {"segment": options.segment}}) as place:
        place.prepare()
        place.start_simulator()
        place.start_martlet()
        ledger = Ledger(random.Random(seed))
        judge = Judge(place, ledger)
        senders = Senders(place, ledger, options.threads, keyed=True)
        crashes_in_all = 0
        began = time.monotonic()
        recovery = []
        for number in range(1, options.rounds + 1):
            mood, behaviour = chance.choice(MOODS)
            place.operator.behave(**GENTLE)
            place.operator.behave(**behaviour)
            senders.resume()
            time.sleep(chance.uniform(0.1, 1.2))
            place.martlet.kill9()
            crashes = 1
            # Now and then it dies again while it reads its journal.
            while crashes < 4 and chance.random() * 100 < options.again:
                place.start_martlet(ready=False)
                time.sleep(chance.uniform(0, 0.4))
                place.martlet.kill9()
                crashes += 1
            place.operator.behave(**GENTLE)
            before = time.monotonic()
            place.start_martlet()
            recovery.append(time.monotonic() - before)
            # A little load beside the recovery, then quiet.
            time.sleep(chance.uniform(0, 0.3))
            senders.pause()
            crashes_in_all += crashes
            judge.check(crashes, f"round {number} ({mood}, {crashes} crash(es))")
            if number % 10 == 0 or number == options.rounds:
                say(f"round {number}: {judge.summary()}")
        senders.stop()
        code, words = place.command("journal", "verify", place.data / "journal", check=False, seconds=120)
        if code not in (0, 1):
            raise Broken(f"`martlet journal verify` ended with {code}: {words.strip()}")
        if ledger.tried_again > 20 and not ledger.repeated:
            raise Broken("no second try under an idempotency key was ever told that the first was taken")
        if judge.summary()["accepted"] < options.rounds:
            raise Broken("hardly anything was accepted: the run proves nothing")
        recovery.sort()
        say(f"kill9: {ledger.tried_again} requests tried again under their key, {ledger.repeated} of them had been taken")
        say(f"kill9: {options.rounds} rounds, {crashes_in_all} crashes, {judge.summary()}; ready again after "
            f"{recovery[len(recovery) // 2] * 1000:.0f} ms (median), {recovery[-1] * 1000:.0f} ms (most); journal verify: "
            f"{words.strip().splitlines()[-1] if words.strip() else code}; {time.monotonic() - began:.0f} s; seed {seed}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--binds", type=int, default=2)
    parser.add_argument("--again", type=float, default=25, metavar="PERCENT", help="how often it dies again while it reads its journal")
    parser.add_argument("--segment", default="8MiB", help="size of a journal segment, small so that they change often")
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
chance = random.Random(seed)
say(f"kill9: seed {seed}, {options.rounds} rounds")
world.run_script(main, lambda: f"Tests/Faults/kill9.py --rounds {options.rounds} --build {options.build} --seed {seed} "
                 f"--threads {options.threads} --window {options.window} --binds {options.binds} --again {options.again:g}")
