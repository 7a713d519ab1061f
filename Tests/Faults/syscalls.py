#!/usr/bin/env python3
"""Makes the n-th disk call of Martlet's journal fail, with strace, and looks at what it answers.

    syscalls.py --rounds 12 --build debug [--seed N]

Each round: one kind of call (fdatasync, pwrite), one error (EIO, ENOSPC), a place n, once or from there on for good. Under every
fault: what was answered 202 is there after a restart; once the disk refuses for good, no request sent after that is answered 202;
the process goes on, or ends with 4 (2 while it is still starting) and says why, and never hangs.
"""
import argparse
import os
import random
import re
import shutil
import signal
import time

import world
from ledgers import Judge, Ledger
from world import Broken, Gone, Unusable, World, say, wait_for

SYNCS = "fdatasync,fsync"
WRITES = "pwrite64,pwritev,pwritev2"
FAULTS = [(SYNCS, "EIO"), (SYNCS, "ENOSPC"), (WRITES, "ENOSPC"), (WRITES, "EIO")]


def first_injection(trace):
    """Wall seconds of the first call that strace made fail; None when none was."""
    try:
        with open(trace, errors="replace") as file:
            for line in file:
                if "(INJECTED)" in line:
                    found = re.search(r"(\d{10}\.\d+)", line)
                    return float(found.group(1)) if found else None
    except FileNotFoundError:
        pass
    return None


def play(number, calls, error, place_of_fault, for_good):
    name = f"round {number}: {calls.split(',')[0]} answers {error} from call {place_of_fault} on{'' if for_good else ', once'}"
    with World(options.build, label="syscalls", window=10, settings={"journal": {"segment": options.segment}}) as place:
        place.prepare()
        place.start_simulator()
        ledger = Ledger(random.Random(seed + number))
        judge = Judge(place, ledger, refused_may_arrive=True)
        trace = place.folder / "trace"
        when = f"{place_of_fault}+" if for_good else str(place_of_fault)
        # SIGKILL of strace would leave the program behind it running: the traced one is told apart by its parent below.
        place.start_martlet(
            prefix=["strace", "-f", "-ttt", "--seccomp-bpf", "-o", trace, "-e", "signal=none", "-e", f"trace={calls}",
                    "-e", f"inject={calls}:error={error}:when={when}"], ready=False)
        started = wait_for("martlet is ready or has ended", 60, lambda: not place.martlet.running or ready(place))
        came_up = place.martlet.running and started
        sent_at = {}
        web = place.web(timeout=5)
        end = time.monotonic() + options.seconds
        hung = 0
        while came_up and time.monotonic() < end and place.martlet.running:
            one, body = ledger.next_request()
            sent_at[one] = time.time()
            try:
                ledger.answered(one, *web.json("POST", "/v1/messages", body))
            except Gone as gone:
                ledger.lost_answer(one, gone)
                hung += "timed out" in str(gone)
                time.sleep(0.05)
            injected = first_injection(trace)
            if injected and time.time() - injected > options.after:
                break
        web.close()
        injected = first_injection(trace)
        if hung:
            raise Broken(f"{name}: {hung} requests got no answer at all")
        ended = place.martlet.exit_code
        if ended is not None and ended != 4 and not (ended == 2 and not came_up):
            raise Broken(f"{name}: martlet ended with {ended}, not 4 (the disk failed):\n{place.martlet.tail()}")
        kill_traced(place)
        late = [n for n in ledger.accepted if for_good and injected and sent_at.get(n, 0) > injected]
        if late:
            raise Broken(f"{name}: {len(late)} requests sent after the disk failed for good were answered 202")
        place.start_martlet()
        judge.check(1, name)
        place.martlet.stop()
        counts = ledger.counts()
        result = "fault not reached" if injected is None else "went on" if ended is None else f"ended with {ended}"
        if ended is not None and not came_up:
            result = f"did not start, {result}"
        say(f"{name}: {result}, {counts['accepted']} accepted, {counts['refused']} refused, 0 lost")
        return injected is not None


def ready(place):
    try:
        return place.is_ready()
    except Broken:
        return False


def kill_traced(place):
    """SIGKILL to the program under strace, then to strace itself: the other way round it would be let go."""
    parent = place.martlet.pid
    try:
        with open(f"/proc/{parent}/task/{parent}/children") as file:
            children = [int(one) for one in file.read().split()]
    except OSError:
        children = []
    for child in children:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
    place.martlet.wait(5)
    place.martlet.kill9()


def place_of_fault():
    """Mostly under load; some thirty syncs are made before the first message."""
    return chance.randint(1, 40) if chance.random() < 0.25 else chance.randint(30, 250)


def main():
    if not shutil.which("strace"):
        raise Unusable("strace is not installed")
    reached = 0
    began = time.monotonic()
    for number in range(1, options.rounds + 1):
        calls, error = FAULTS[(number - 1) % len(FAULTS)]
        reached += play(number, calls, error, place_of_fault(), chance.random() < 0.5)
    if reached < options.rounds / 3:
        raise Unusable(f"only {reached} of {options.rounds} faults were reached: the run proves little")
    say(f"syscalls: {options.rounds} rounds, {reached} faults reached, 0 lost; {time.monotonic() - began:.0f} s; seed {seed}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=5, help="longest load of a round")
    parser.add_argument("--after", type=float, default=0.7, help="load goes on this long after the fault, in seconds")
    parser.add_argument("--segment", default="8MiB")
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
chance = random.Random(seed)
say(f"syscalls: seed {seed}, {options.rounds} rounds")
world.run_script(main, lambda: f"Tests/Faults/syscalls.py --rounds {options.rounds} --build {options.build} --seed {seed}")
