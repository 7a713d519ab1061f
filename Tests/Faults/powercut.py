#!/usr/bin/env python3
"""Cuts the power under Martlet at random moments and holds the ledgers beside each other.

    powercut.py --rounds 5 --build debug [--seed N] [--names strict|ordered] [--fail-syncs PERCENT]

The data directory lies on powerfs.py, a disk in user space on which nothing is durable before its fsync. A cut ends the process and
takes back what was not synced: vanished, torn in the middle, or scattered. Then Martlet starts on what is left. Nothing accepted may
be lost, duplicates at most 2 x window a connection and each flagged. In some rounds a sync fails before the cut (EIO, its data gone).

Afterwards the same is done with the sync switched off (`journal.sync: false`): that run must lose messages. If it does not, this
test could not see a lost sync, and it fails.
"""
import argparse
import os
import random
import subprocess
import sys
import time

import world
from ledgers import Judge, Ledger, Senders
from world import Broken, Process, Unusable, World, say, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))


class PowerWorld(World):
    """A world whose data directory lies on a disk that can lose its power."""

    def __init__(self, *arguments, names, disk_seed, **more):
        super().__init__(*arguments, **more)
        self.backing = self.folder / "backing"
        self.mount = self.folder / "mount"
        self.backing.mkdir()
        self.mount.mkdir()
        self._names, self._disk_seed = names, disk_seed
        self.disk = None
        self.data = self.mount / "data"

    def __exit__(self, *arguments):
        # The disk goes first: nothing can wait on it then.
        if self.martlet:
            self.martlet.kill9()
        self.unmount()
        super().__exit__(*arguments)

    def mount_disk(self):
        self.disk = Process(
            [sys.executable, os.path.join(HERE, "powerfs.py"), self.backing, self.mount, "--seed", self._disk_seed, "--names", self._names],
            self.folder / "disk.log")

        def mounted():
            if not self.disk.running:
                raise Unusable(f"the disk did not mount (fusepy, fuse3 and libfuse2 installed?):\n{self.disk.tail()}")
            return os.path.ismount(self.mount)
        wait_for("the disk is mounted", 10, mounted)

    def unmount(self):
        if self.disk is None:
            return
        for command in (["fusermount3", "-u"], ["fusermount", "-u"], ["umount", "-l"]):
            try:
                if subprocess.run([*command, str(self.mount)], capture_output=True, timeout=10).returncode == 0:
                    break
            except (OSError, subprocess.TimeoutExpired):
                continue
        self.disk.stop(3)
        self.disk = None

    def power(self, command):
        """One command to the disk; see powerfs.py."""
        with open(self.mount / ".power", "w") as control:
            control.write(command + "\n")

    def prepare(self):
        self.mount_disk()
        super().prepare()
        # What stood here before the story begins is on the platter.
        for folder, _, names in os.walk(self.data):
            for path in [folder, *(os.path.join(folder, name) for name in names)]:
                if os.path.isfile(path) or os.path.isdir(path):
                    handle = os.open(path, os.O_RDONLY)
                    os.fsync(handle)
                    os.close(handle)
        handle = os.open(self.mount, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def play(rounds, sync):
    """`sync` False: the run that must lose. Returns its judge."""
    journal = {"segment": options.segment}
    env = None
    if not sync:
        journal["sync"] = False
        env = {"MARTLET_TEST_UNSAFE": "1"}
    chance = random.Random(seed if sync else seed + 1)
    with PowerWorld(options.build, label="powercut", window=options.window, binds=1, settings={"journal": journal},
                    names=options.names, disk_seed=chance.randrange(1 << 31)) as place:
        place.keeps_broken = sync
        place.prepare()
        place.start_simulator()
        place.start_martlet(env=env)
        ledger = Ledger(random.Random(seed))
        judge = Judge(place, ledger, refused_may_arrive=True)
        senders = Senders(place, ledger, options.threads)
        failed_syncs = 0
        began = time.monotonic()
        for number in range(1, rounds + 1):
            # A slow operator leaves a queue behind the cut, a quick one a journal of settled messages.
            slow = chance.random() < 0.6
            place.operator.behave(delayMs=chance.choice([50, 300]) if slow else 0)
            senders.resume()
            time.sleep(chance.uniform(0.1, 0.8))
            context = f"round {number} ({'slow' if slow else 'quick'} operator"
            if sync and chance.random() * 100 < options.fail_syncs:
                place.power("fail-syncs 1")
                failed_syncs += 1
                context += ", a failed sync"
                time.sleep(chance.uniform(0, 0.3))
            if sync and not place.martlet.running and place.martlet.exit_code not in (4,):
                raise Broken(f"{context}): martlet ended by itself with {place.martlet.exit_code}:\n{place.martlet.tail()}")
            place.martlet.kill9()
            place.power("cut")
            place.operator.behave(delayMs=0)
            place.start_martlet(env=env)
            senders.pause()
            judge.check(1, context + ")")
            if number % 10 == 0 or number == rounds:
                say(f"round {number}: {judge.summary()}")
        senders.stop()
        words = place.command("journal", "verify", place.data / "journal", check=False, seconds=120)[1].strip()
        if judge.summary()["accepted"] < rounds:
            raise Broken("hardly anything was accepted: the run proves nothing")
        say(f"powercut: {rounds} cuts{f', {failed_syncs} failed syncs' if failed_syncs else ''}, {judge.summary()}; journal verify: "
            f"{words.splitlines()[-1] if words else 'nothing said'}; {time.monotonic() - began:.0f} s; seed {seed}")


def must_lose():
    """With the sync switched off the very same run has to turn red, else this test sees nothing."""
    say("powercut: now with the sync switched off, which must lose messages")
    try:
        play(min(options.rounds, 5), sync=False)
    except Broken as error:
        text = str(error)
        if "lost" in text or "neither arrived nor ended" in text:
            say(f"powercut: red without the sync, as it must be: {text[:160]}")
            return
        # A node that will not start on such a disk has lost everything it promised, too.
        if "ended by itself" in text:
            say(f"powercut: without the sync it does not even start again: {text[:160]}")
            return
        raise
    raise Broken("with the sync switched off nothing was lost: this test cannot see a missing sync")


def main():
    play(options.rounds, sync=True)
    if not options.skip_unsafe:
        must_lose()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--threads", type=int, default=6)
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--segment", default="8MiB")
    parser.add_argument("--names", choices=["strict", "ordered"], default="strict")
    parser.add_argument("--fail-syncs", type=float, default=10, metavar="PERCENT", help="share of rounds in which one sync fails")
    parser.add_argument("--skip-unsafe", action="store_true", help="leave out the run without the sync")
    return parser.parse_args()


options = parse()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
say(f"powercut: seed {seed}, {options.rounds} rounds")
world.run_script(main, lambda: f"Tests/Faults/powercut.py --rounds {options.rounds} --build {options.build} --seed {seed} "
                 f"--threads {options.threads} --window {options.window} --names {options.names} --fail-syncs {options.fail_syncs:g}")
