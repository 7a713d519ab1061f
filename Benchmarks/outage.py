#!/usr/bin/env python3
"""What sending notices of the database: 2,000 messages a second while PostgreSQL is stopped, frozen, or being caught up with, each beside the
same load with the history level, in interleaved pairs.

    Benchmarks/outage.py [--pairs 5] [--seconds 8] [--backlog 400000] [--only "catching up"] [--database here|apart] [--nice -10]

Node, desk, simulated operator, generator and PostgreSQL (a server of this run's own, with fsync) share the machine. From the node's own
histogram: accept to wire, p50 and p99; from /proc: CPU of its hot loop a message. In the end every message that was accepted must be a row.
Needs `make release bench-tools`.
"""
import argparse
import os
import pathlib
import re
import sys
import time

import stand
from stand import Broken, Sample, Unusable, World, free_port, run_script, say, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests" / "Faults"))
import postgres_server  # noqa: E402
from world import Web  # noqa: E402

RATE = 2000
HOT_LOOP = "NIO-ELT-1-#1"
WRITER = "journal-writer"
# Either form of the kernel's groups has the file cpu.idle; the newer one needs the cpu controller given to children of the root.
IDLE_GROUP = next((path for path in map(pathlib.Path, ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup")) if (path / "cgroup.procs").exists()),
                  pathlib.Path("/sys/fs/cgroup")) / "martlet-outage"
STATES = ("stopped", "frozen", "catching up")
# What is measured, its unit, and what multiple of normal it may be; those without say where a multiple comes from.
FIGURES = (
    ("p50", "ms", 1.10), ("p99", "ms", 2.0), ("CPU of the hot loop a message", "us", 1.05),
    ("wait of the hot loop for a core, a message", "us", None), ("wait of the journal's writer for a core, a message", "us", None),
    ("commit, p50", "ms", None), ("commit, p99", "ms", None))


class Stand:
    """The programs, and what is done to the database."""

    def __init__(self, place, server, desk_port):
        self.place, self.server = place, server
        self.desk_web = Web(desk_port, timeout=5)
        self.serials = stand.Serials()
        self.accepted = 0

    def load(self, **given):
        count = given.get("count", RATE * options.seconds * 2)
        report = stand.run_tool(
            "load", 600, first=self.serials.take(count), port=self.place.ports["http"], key=self.place.key, **given)
        self.accepted += report["accepted"]
        if report["notAccepted"] or report["unanswered"]:
            raise Broken(f"not all were accepted: {report['statuses']}, unanswered {report['unanswered']}")
        return report

    def measure(self):
        """One value of each of FIGURES."""
        if options.database == "apart":
            self.set_apart()
        if options.nice:
            self.be_nice()
        before, cpu = self.place.metrics(), self.place.martlet.thread_times()
        report = self.load(rate=RATE, seconds=options.seconds, connections=32)
        after, spent = self.place.metrics(), self.place.martlet.thread_times()

        def quantile(name, share):
            return stand.quantile(stand.buckets(before, name), stand.buckets(after, name), share) * 1e3

        def microseconds(thread, which):
            return (spent[thread][which] - cpu[thread][which]) / report["accepted"] * 1e6
        wire, commit = "martlet_accept_to_wire_seconds", "martlet_journal_commit_seconds"
        return (quantile(wire, 0.5), quantile(wire, 0.99), microseconds(HOT_LOOP, 0), microseconds(HOT_LOOP, 1),
                microseconds(WRITER, 1), quantile(commit, 0.5), quantile(commit, 0.99))

    def history(self, name):
        """A figure of the projector; -1 when the desk does not tell."""
        try:
            status, text = self.desk_web.ask("GET", "/metrics")
        except stand.Gone:
            return -1
        found = re.search(rf"^martlet_history_{name} (\d+)".encode(), text, re.M) if status == 200 else None
        return int(found.group(1)) if found else -1

    def wait_level(self):
        """The desk tells of the log as it last looked at it, so it has to say so for a while."""
        for _ in range(3):
            wait_for("the history is level", 300, lambda: self.history("behind_bytes") == 0 and self.place.quiet(), every=0.2)
            time.sleep(0.5)

    # What is done to the database.

    def set_apart(self):
        """A server on another machine takes none of our cores. Here it gets what the others leave: a group of processes that the kernel calls
        idle gives a core back at once when anybody else wants it, which niceness does not do."""
        try:
            IDLE_GROUP.mkdir(exist_ok=True)
            (IDLE_GROUP / "cpu.idle").write_text("1")
            for process in [self.server.server.pid, *self.server.children()]:
                try:
                    (IDLE_GROUP / "cgroup.procs").write_text(str(process))
                except ProcessLookupError:
                    pass                    # ended meanwhile
        except OSError as error:
            raise Unusable(f"--database apart needs the right to make the group {IDLE_GROUP}: {error}") from None

    def be_nice(self):
        """As the unit of packaging/systemd starts the node; the desk goes behind it by itself."""
        for thread in os.listdir(f"/proc/{self.place.martlet.pid}/task"):
            try:
                os.setpriority(os.PRIO_PROCESS, int(thread), options.nice)
            except ProcessLookupError:
                pass                        # ended meanwhile
            except PermissionError as error:
                raise Unusable(f"--nice {options.nice} needs the right to: {error}") from None


def state(bench, name):
    """One measurement in this state, which is over when it returns."""
    match name:
        case "stopped":
            bench.server.stop()
            found = bench.measure()
            bench.server.start()
        case "frozen":
            frozen = bench.server.freeze()
            found = bench.measure()
            bench.server.thaw(frozen)
        case "catching up":
            bench.server.stop()
            bench.load(seconds=120, count=options.backlog, connections=64)
            wait_for("the queues are empty", 120, bench.place.quiet, every=0.2)
            before = bench.history("records_total")
            bench.server.start()
            wait_for("the catching up begins", 60, lambda: bench.history("records_total") > before, every=0.05)
            before, began = bench.history("records_total"), time.monotonic()
            found = bench.measure()
            say(f"  caught up with {(bench.history('records_total') - before) / (time.monotonic() - began):,.0f} records/s meanwhile")
            if bench.history("behind_bytes") == 0:
                raise Unusable("the history was level before the measurement was over: give a larger --backlog")
        case _:
            raise Unusable(f"there is no state '{name}'")
    return found


def main():
    server = postgres_server.Postgres("history")
    desk_port = free_port()
    settings = {"store": {"url": server.url}, "desk": {"listen": f"127.0.0.1:{desk_port}"}}
    figures = stand.Figures()
    try:
        with Place("release", label="outage", window=500, binds=2, settings=settings, simulator_settings={"keep": 0}) as place:
            place.prepare()
            place.start_simulator()
            place.operator.behave(receipts=True)
            place.command("store", "migrate", "--config", place.folder / "martlet.yaml", "--data", place.data)
            place.start_martlet(role="all")
            bench = Stand(place, server, desk_port)
            bench.load(rate=RATE, seconds=2, connections=32)
            for name in [one for one in STATES if options.only in (None, one)]:
                say(f"measuring: {name}")
                pairs = []
                for _ in range(options.pairs):
                    bench.wait_level()
                    usual = bench.measure()
                    bench.wait_level()
                    pairs.append((usual, state(bench, name)))
                for index, (what, unit, goal) in enumerate(FIGURES):
                    usual, other = (Sample(pair[side][index] for pair in pairs) for side in (0, 1))
                    if goal:
                        ratio = Sample(other[index] / usual[index] for usual, other in pairs)
                        figures.add(f"SQL {name}: {what}, as a multiple of normal", ratio, "{:.2f}", f"<= {goal:.2f}", ratio.median <= goal)
                    figures.add(f"  {what} in {unit}, normal", usual, "{:.2f}")
                    figures.add(f"  {what} in {unit}, SQL {name}", other, "{:.2f}")
            figures.print()
            bench.wait_level()
            rows = int(server.rows("SELECT count(*) FROM notification")[0][0])
            if rows != bench.accepted:
                raise Broken(f"{bench.accepted} messages were accepted, {rows} are rows")
            say(f"\nall {rows} messages that were accepted are rows; load average {stand.load_average():.2f}")
    finally:
        server.end()
        if options.database == "apart" and IDLE_GROUP.exists():
            IDLE_GROUP.rmdir()


class Place(World):
    def quiet(self):
        found = re.search(r"^martlet_open_messages (\d+)", self.metrics(), re.M)
        if not found:
            raise Unusable("the node does not tell how many messages are open")
        return int(found.group(1)) == 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--backlog", type=int, default=400_000, help="messages that the history lacks when the catching up begins")
    parser.add_argument("--database", choices=["here", "apart"], default="here",
                        help="apart: PostgreSQL gets only what the others leave of the cores, in place of a machine of its own")
    parser.add_argument("--nice", type=int, default=0, help="niceness of the node; -10 as its systemd unit has it")
    parser.add_argument("--only", choices=STATES, help="one of the states alone")
    return parser.parse_args()


options = parse()
run_script(main, lambda: f"Benchmarks/outage.py --pairs {options.pairs} --seconds {options.seconds} --backlog {options.backlog} "
           f"--database {options.database} --nice {options.nice}" + (f" --only '{options.only}'" if options.only else ""))
