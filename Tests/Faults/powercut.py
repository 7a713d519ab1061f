#!/usr/bin/env python3
"""Cuts the power under Martlet at random moments and holds the ledgers beside each other.

    powercut.py --rounds 5 --build debug [--seed N] [--names strict|ordered] [--fail-syncs PERCENT]

The data directory lies on powerfs.py, a disk in user space on which nothing is durable before its fsync. A cut ends the process and
takes back what was not synced: vanished, torn in the middle, or scattered. Then Martlet starts on what is left. Nothing accepted may
be lost, duplicates at most 2 x window a connection and each flagged. In some rounds a sync fails before the cut (EIO, its data gone).

Beside it the history is written into a database whose disk keeps its power, as a server's elsewhere would: it must never be ahead of the
log, so in the end it holds each accepted message once and the audit has no gap. Then the log of a node that does not sync is cut behind the
history's cursor: that has to be noticed, by a gap in the audit, and what comes after it is written.

Afterwards the same is done with the sync switched off (`journal.sync: false`): that run must lose messages. If it does not, this
test could not see a lost sync, and it fails.
"""
import argparse
import os
import random
import sqlite3
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


class History:
    """A program that writes the history, killed with the node; its database is not on the disk that loses its power."""

    def __init__(self, place, env=None):
        self.place, self.path, self._process, self._env = place, place.folder / "history.db", None, {**os.environ, **(env or {})}
        self.where = ("--config", place.folder / "martlet.yaml", "--data", place.data)

    def _command(self, verb):
        done = subprocess.run([self.place.martlet_path, "store", verb, *map(str, self.where)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, env=self._env)
        if done.returncode:
            raise Broken(f"`martlet store {verb}` ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-500:]}")

    def prepare(self):
        self._command("migrate")

    def start(self):
        self._process = Process([self.place.martlet_path, "store", "project", "--follow", *map(str, self.where)], self.place.folder / "history.log")

    def kill9(self):
        self._process.kill9()

    def rows(self, sql):
        database = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def catch_up(self):
        self._command("project")

    def gaps(self):
        return [row[0] for row in self.rows("SELECT outcome FROM audit WHERE act = 'history.gap'")]

    def check(self, ledger):
        """Each accepted message once, none ahead of the log."""
        self.kill9()
        self.catch_up()
        if self.gaps():
            raise Broken(f"the history has {len(self.gaps())} gaps, such as {self.gaps()[0]}")
        stored = [row[0] for row in self.rows("SELECT lower(hex(id)) FROM notification")]
        missing = {identifier for identifier, _ in ledger.accepted.values()} - set(stored)
        if missing or len(stored) != len(set(stored)):
            raise Broken(f"{len(missing)} accepted messages are not in the history, {len(stored) - len(set(stored))} are there twice")
        return len(stored)


def must_alarm():
    """A log that lost what the history had read: said in the audit, and what comes then is written."""
    with PowerWorld(options.build, label="cutback", window=options.window, binds=1,
                    settings={"journal": {"segment": options.segment, "sync": False}, "store": {"url": "sqlite:history.db"},
                              "desk": {"enabled": False}},
                    names=options.names, disk_seed=chance_of_alarm.randrange(1 << 31)) as place:
        place.lay_over({"store": {"url": f"sqlite:{place.folder / 'history.db'}"}})
        place.prepare()
        place.start_simulator()
        env = {"MARTLET_TEST_UNSAFE": "1"}
        place.start_martlet(env=env)
        history = History(place, env)
        history.prepare()

        def send(count):
            web = place.web()
            found = []
            for number in range(count):
                status, answer = web.json("POST", "/v1/messages", {"to": "+447700900123", "from": "HARBOUR", "text": f"cut {number}"})
                if status == 202:
                    found.append(answer["id"])
            web.close()
            return found
        before = send(60)
        history.catch_up()
        ahead = len(history.rows("SELECT id FROM notification"))
        place.martlet.kill9()
        place.power("cut")
        place.start_martlet(env=env)
        web = place.web()
        lost = sum(1 for identifier in before if web.json("GET", f"/v1/messages/{identifier}")[0] == 404)
        web.close()
        after = []
        for _ in range(4):
            after += send(25)
            history.catch_up()
        if not lost:
            say("powercut: this cut took nothing that the history had; not shown by this seed")
            return
        gaps = history.gaps()
        if not gaps:
            raise Broken(f"the log lost {lost} messages that the history has, and the audit does not say so")
        stored = {row[0] for row in history.rows("SELECT lower(hex(id)) FROM notification")}
        missing = set(after) - stored
        if missing:
            raise Broken(f"behind a log that was cut back {len(missing)} of {len(after)} messages are not in the history")
        say(f"powercut: the log lost {lost} of {ahead} messages that the history had; said ({gaps[0]}), and the {len(after)} after it are there")


def play(rounds, sync):
    """`sync` False: the run that must lose. Returns its judge."""
    journal = {"segment": options.segment}
    env = None
    if not sync:
        journal["sync"] = False
        env = {"MARTLET_TEST_UNSAFE": "1"}
    chance = random.Random(seed if sync else seed + 1)
    with PowerWorld(options.build, label="powercut", window=options.window, binds=1, settings={"journal": journal, "desk": {"enabled": False}},
                    names=options.names, disk_seed=chance.randrange(1 << 31)) as place:
        place.keeps_broken = sync
        place.lay_over({"store": {"url": f"sqlite:{place.folder / 'history.db'}"}})
        place.prepare()
        place.start_simulator()
        place.start_martlet(env=env)
        history = History(place) if sync else None
        if history:
            history.prepare()
            history.start()
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
            if history:
                history.kill9()
            place.power("cut")
            place.operator.behave(delayMs=0)
            place.start_martlet(env=env)
            if history:
                history.start()
            senders.pause()
            judge.check(1, context + ")")
            if number % 10 == 0 or number == rounds:
                say(f"round {number}: {judge.summary()}")
        senders.stop()
        stored = history.check(ledger) if history else 0
        words = place.command("journal", "verify", place.data / "journal", check=False, seconds=120)[1].strip()
        if judge.summary()["accepted"] < rounds:
            raise Broken("hardly anything was accepted: the run proves nothing")
        say(f"powercut: {rounds} cuts{f', {failed_syncs} failed syncs' if failed_syncs else ''}, {judge.summary()}; {stored} messages in the "
            f"history, no gap; journal verify: {words.splitlines()[-1] if words else 'nothing said'}; {time.monotonic() - began:.0f} s; seed {seed}")


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
    must_alarm()
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
chance_of_alarm = random.Random(seed + 2)
say(f"powercut: seed {seed}, {options.rounds} rounds")
world.run_script(main, lambda: f"Tests/Faults/powercut.py --rounds {options.rounds} --build {options.build} --seed {seed} "
                 f"--threads {options.threads} --window {options.window} --names {options.names} --fail-syncs {options.fail_syncs:g}")
