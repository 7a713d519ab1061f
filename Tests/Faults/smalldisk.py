#!/usr/bin/env python3
"""Keeps the database away until the log has outgrown the volume, and sees that messages are taken and sent all the time.

    smalldisk.py --build debug [--volume 200] [--seed N]

The data directory lies on a volume of its own, of so many MiB (tmpfs, in a mount namespace of this script), a few times the journal's cap. What is
kept for the history would fill it: `history.spill` allows more than the volume has. The desk has to give up the oldest instead, before the journal lacks
room. Then the desk stands still (SIGSTOP), and the log outgrows the volume once more with nobody but the node to make room. When the database is there again
the rest of the log comes into the history, and what was given up stands in the audit as a gap.
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time

import world
from ledgers import Ledger
from postgres_server import Postgres
from world import Broken, Unusable, World, free_port, say, wait_for

MIB = 1 << 20
SEGMENT, CAP = 8, 64


class SmallWorld(World):
    """Its data directory lies on a small volume."""

    def prepare(self):
        self.data.mkdir(mode=0o700)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={options.volume}m,mode=700", "tmpfs", str(self.data)], capture_output=True, text=True)
        if done.returncode:
            raise Unusable(f"the small volume cannot be mounted: {done.stderr.strip()}")
        super().prepare()

    def __exit__(self, *arguments):
        for one in (self.martlet, self.simulator):
            if one:
                one.kill9()
        subprocess.run(["umount", "-l", str(self.data)], capture_output=True)
        super().__exit__(*arguments)

    def free(self):
        found = os.statvfs(self.data)
        return found.f_bavail * found.f_frsize

    def newest(self):
        return max(int(file.stem) for file in (self.data / "journal").glob("[0-9]*.log"))

    def spilled(self):
        folder = self.data / "journal" / "spill"
        return sorted(int(file.stem) for file in folder.glob("*.log")) if folder.is_dir() else []

    def given_up(self):
        """The numbers of segments that the desk said it gives up for the journal's room, in order."""
        found = []
        for line in (self.folder / "martlet.log").read_text().splitlines():
            if '"history: a segment that the database lacks is given up"' in line and "keeps room for the journal" in line:
                found.append(int(json.loads(line)["segment"]))
        return found


class Flood:
    """Long texts, many in one request; each has to be taken, whatever the volume is like."""

    def __init__(self, place):
        self.place, self.ledger, self.accepted, self.least = place, Ledger(random.Random(seed)), [], place.free()

    def until(self, what, done, seconds=300):
        """Sends until `done`; then what was taken last has left its queue."""
        web, end, batches = self.place.web(timeout=60), time.monotonic() + seconds, 0
        while not done():
            if time.monotonic() > end:
                raise Unusable(f"{what}: not within {seconds} s")
            asked = [body for _, body in (self.ledger.next_request() for _ in range(50))]
            lines = "".join(json.dumps({**body, "text": (body["text"] * 80)[:1500], "class": "marketing"}) + "\n" for body in asked)
            status, answer = web.ask("POST", "/v1/messages:batch", lines.encode(), {"Content-Type": "application/x-ndjson"})
            taken = [json.loads(line) for line in answer.splitlines()] if status == 200 else []
            refused = [one for one in taken if one.get("status") != 202]
            if status != 200 or refused or len(taken) != len(asked):
                raise Broken(f"{what}: a batch was answered {status}, {refused[:1]}, with {self.place.free() / MIB:.0f} MiB free")
            self.accepted += [one["id"] for one in taken]
            self.least = min(self.least, self.place.free())
            batches += 1
            if batches % 5 == 0:
                # What is open is carried forward and never trimmed: that is not what this is about.
                self.sent()
        web.close()
        self.sent()

    def sent(self):
        web = self.place.web()
        def gone():
            status, answer = web.json("GET", f"/v1/messages/{self.accepted[-1]}")
            return status == 200 and answer["messages"][0]["state"] not in ("queued", "submitted")
        wait_for("the newest message is sent", 120, gone, every=0.02, otherwise=Broken)
        web.close()


def main():
    began = time.monotonic()
    server = Postgres("history")
    try:
        port = free_port()
        settings = {"journal": {"segment": f"{SEGMENT}MiB", "cap": f"{CAP}MiB", "keep": "24h"}, "store": {"url": server.url},
                    "history": {"spill": "16GiB"}, "desk": {"listen": f"127.0.0.1:{port}"}}
        with SmallWorld(options.build, label="smalldisk", window=50, binds=2, settings=settings) as place:
            place.prepare()
            place.start_simulator()
            place.start_martlet(role="all")
            place.command("store", "migrate", "--config", place.folder / "martlet.yaml", "--data", place.data)
            flood = Flood(place)
            flood.until("before the outage", lambda: flood.accepted)
            wait_for("the history begins", 90, lambda: server.rows("SELECT count(*) FROM notification") != [["0"]], otherwise=Broken)

            server.stop()
            volume = options.volume // SEGMENT
            began_at = place.newest()
            flood.until("while the desk makes room", lambda: place.newest() > began_at + volume and len(place.given_up()) > 2)
            room = place.free()
            if not place.spilled():
                raise Broken("nothing is kept for the history")
            say(f"smalldisk: {place.newest() - began_at} segments of {SEGMENT} MiB on a volume of {options.volume}, {len(place.given_up())} given up, "
                f"{len(place.spilled())} kept, {room / MIB:.0f} MiB free, {flood.least / MIB:.0f} at the least")

            # Nobody makes room: the node's own trims have to do.
            for desk in wait_for("the node has a desk", 70, place.martlet.children, otherwise=Broken):
                os.kill(desk, signal.SIGSTOP)
            began_at, kept = place.newest(), place.spilled()
            flood.until("while the desk stands still", lambda: place.newest() > began_at + volume)
            if place.spilled() != kept:
                raise Broken("the spill changed while the desk stood still: the run proves nothing")
            say(f"smalldisk: {place.newest() - began_at} segments more with a desk that stands still, {flood.least / MIB:.0f} MiB free at the least")
            for desk in place.martlet.children():
                os.kill(desk, signal.SIGKILL)

            server.start()
            newest = flood.accepted[-1]
            wait_for("the newest message is in the history", 180, lambda: server.rows(
                f"SELECT 1 FROM notification WHERE id = decode('{newest}', 'hex')"), every=0.5, otherwise=Broken)
            gaps = server.rows("SELECT outcome FROM audit WHERE act = 'history.gap'")
            if not gaps or not all(gap[0].startswith("trimmed") for gap in gaps):
                raise Broken(f"the gaps of the history are {gaps}")
            given = place.given_up()
            if sorted(set(given)) != given:
                raise Broken(f"segments were given up as {given}: not once each, oldest first")
            rows = int(server.rows("SELECT count(*) FROM notification")[0][0])
            if rows >= len(flood.accepted):
                raise Broken("nothing is missing: the run proves nothing")
            wait_for("nothing is kept any more", 60, lambda: not place.spilled(), every=0.5, otherwise=Broken)
            say(f"smalldisk: {len(flood.accepted)} messages taken and none refused, {rows} in the history, gaps {[gap[0] for gap in gaps]}; "
                f"{time.monotonic() - began:.0f} s; seed {seed}")
    finally:
        server.end()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--volume", type=int, default=200, help="MiB")
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


def in_own_namespace():
    """Mounts of this run are nobody else's, and end with it."""
    if os.environ.get("MARTLET_OWN_MOUNTS") != "1":
        os.environ["MARTLET_OWN_MOUNTS"] = "1"
        words = ["unshare", "--mount", "--propagation", "private"] + ([] if os.getuid() == 0 else ["--map-root-user"])
        try:
            os.execvp(words[0], [*words, sys.executable, *sys.argv])
        except OSError as error:
            say(f"could not run: unshare: {error}")
            sys.exit(2)


options = parse()
in_own_namespace()
seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
say(f"smalldisk: seed {seed}, a volume of {options.volume} MiB, a cap of {CAP} MiB")
world.run_script(main, lambda: f"Tests/Faults/smalldisk.py --build {options.build} --volume {options.volume} --seed {seed}")
