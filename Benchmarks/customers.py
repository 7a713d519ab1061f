#!/usr/bin/env python3
"""What many customers cost a running node: nodes with so many each, sending in turn to numbers of random customers.

    Benchmarks/customers.py [--sizes 0,100000,1000000,14000000] [--repeats 3] [--seconds 8] [--record]

Each node has a data directory of its own, filled with base file and keys as the desk writes them (`fill` of Benchmarks/customers), and is
started twice: with these files in memory, and read from the disk. Then in each round every node sends as fast as it can, and 2,000 a
second. All nodes stay up, so a round compares them in the same minute; ratios are taken within a round. 14 million take about 4 GB of disk
and three minutes to fill.

The exit code is 0 also when a goal is missed; 1 when something broke, 2 when the run could not be made.
"""
import argparse
import json
import os
import subprocess
import time

import stand
from stand import Broken, Figures, Others, Sample, Serials, World, say, settle

FIRST = 999_000_000_000
MIB = 1 << 20
RATE = 2000

figures = Figures()
serials = Serials()


class Node:
    """One node with so many customers, and what was measured of it."""

    def __init__(self, size):
        self.size = size
        self.name = f"{size:,} customers" if size else "no customers"
        self.rates, self.costs, self.loops, self.p50, self.p99, self.others = [], [], [], [], [], []
        self.warm = self.cold = 0.0
        self.place = World(
            "release", label="customers", window=100, settings={"http": {"maximumConnections": 4096}, "limits": {"openMessages": 20_000_000}},
            simulator_settings={"keep": 0, "duplicateWindow": 0})

    def prepare(self):
        self.place.prepare()
        if self.size:
            report = stand.run_tool(
                "customers/fill", 3600, data=self.place.data, master=self.place.folder / "master.key", count=self.size, first=FIRST)
            say(f"  {self.name}: {report['bytes'] / MIB:,.0f} MiB of base file and "
                f"{self.size * 48 / MIB:,.0f} MiB of keys in {report['seconds']:.0f} s")
        self.place.start_simulator()
        self.place.operator.behave(receipts=False)
        self.warm = self.start()
        self.place.martlet.stop()
        self.drop()
        self.cold = self.start()
        self.load(seconds=2)
        self.rest()

    def start(self):
        """Seconds until the node is ready."""
        self.place.start_martlet()
        seconds = time.monotonic() - self.place.martlet.started
        log = self.place.martlet.tail(200)
        if self.size and "customers opened" not in log:
            raise Broken(f"the node did not open its {self.size} customers:\n{log}")
        return seconds

    def drop(self):
        """Takes the files of customers out of the system's memory, so that the next look reads the disk."""
        for folder in (self.place.data / "local", self.place.data / "keys" / "subjects"):
            for path in folder.glob("*"):
                file = os.open(path, os.O_RDONLY)
                os.fsync(file)
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(file)

    def load(self, **more):
        given = {"port": self.place.ports["http"], "key": self.place.key, "connections": options.connections, **more}
        count = int(200_000 * float(given["seconds"]))
        # With no customers: as many numbers, which are nobody's.
        given |= {"numbers-first": FIRST, "numbers": self.size or max(options.sizes)}
        return stand.run_tool("load", float(given["seconds"]) + 60, first=serials.take(count), **given)

    def saturate(self):
        martlet, sent = self.place.martlet, stand.submits(self.place)
        beside = Others([one for node in nodes for one in (node.place.martlet, node.place.simulator)])
        cpu, threads = sum(martlet.cpu_seconds()), martlet.thread_seconds()
        report = self.load(seconds=options.seconds)
        tail = stand.wait_drained(self.place, sent + report["accepted"])
        count = report["accepted"]
        if report["notAccepted"] or report["unanswered"]:
            say(f"  {self.name}: not accepted: {report['statuses']}, unanswered: {report['unanswered']}")
        self.rates.append(count / (report["seconds"] + tail))
        self.costs.append((sum(martlet.cpu_seconds()) - cpu) / count * 1e6)
        # The loop is the thread that does most.
        self.loops.append(max(now - threads.get(name, 0) for name, now in martlet.thread_seconds().items()) / count * 1e6)
        self.others.append(beside.cores())
        self.rest()

    def steady(self):
        before, sent = self.waits(), stand.submits(self.place)
        report = self.load(rate=RATE, seconds=options.seconds, connections=32)
        stand.wait_drained(self.place, sent + report["accepted"])
        after = self.waits()
        self.p50.append(stand.quantile(before, after, 0.5) * 1e3)
        self.p99.append(stand.quantile(before, after, 0.99) * 1e3)
        self.rest()

    def waits(self):
        # A connection that was idle while others had their turn may be gone.
        self.place.ops.close()
        return stand.buckets(self.place.metrics(), "martlet_accept_to_wire_seconds")

    def rest(self):
        settle(self.place)

    def memory(self):
        """(anonymous, of files) in MiB."""
        found = {}
        with open(f"/proc/{self.place.martlet.pid}/status") as status:
            for line in status:
                if line.startswith(("RssAnon:", "RssFile:")):
                    found[line[:7]] = int(line.split()[1]) / 1024
        return found["RssAnon"], found["RssFile"]

    def report(self, none, least):
        key = f"customers.{self.size}"
        figures.add(f"{self.name}: messages/s", Sample(self.rates), "{:,.0f}", others=Sample(self.others), key=f"{key}.rate")
        figures.add("  CPU a message, us", Sample(self.costs), "{:.1f}", key=f"{key}.cpu")
        figures.add("  of it the loop, us", Sample(self.loops), "{:.2f}", key=f"{key}.loop")
        if none and none is not self:
            # Hashing the number is in it.
            figures.add("  the loop beside that with no customers, us", Sample(a - b for a, b in zip(self.loops, none.loops)), "{:.2f}",
                        key=f"{key}.loopMore")
        if least and least is not self and self.size:
            slower = Sample((b / a - 1) * 100 for a, b in zip(self.rates, least.rates))
            goal = 20 if self is nodes[-1] else None
            figures.add(f"  slower than with {least.size:,}, %", slower, "{:.1f}", f"<= {goal}" if goal else None,
                        slower.median <= goal if goal else None, key=f"{key}.slower")
            figures.add(f"  CPU a message beside that with {least.size:,}", Sample(a / b for a, b in zip(self.costs, least.costs)), "{:.3f}",
                        key=f"{key}.cpuRatio")
        figures.add(f"  accept to wire at {RATE:,}/s, p50, ms", Sample(self.p50), "{:.2f}", key=f"{key}.p50")
        figures.add("  the same, p99, ms", Sample(self.p99), "{:.2f}", key=f"{key}.p99")
        anonymous, files = self.memory()
        figures.add("  memory of its own, messages in it, MiB", Sample([anonymous]), "{:,.0f}", key=f"{key}.anonymous")
        bound = files <= 3 * 1024 if self.size >= 14_000_000 else None
        figures.add("  memory of files, MiB", Sample([files]), "{:,.0f}", None if bound is None else "<= 3,072", bound, key=f"{key}.files")
        figures.add("  start to ready, files in memory, s", Sample([self.warm]), "{:.2f}", key=f"{key}.start")
        figures.add("  start to ready, files read from disk, s", Sample([self.cold]), "{:.2f}", key=f"{key}.startCold")


def main():
    stand.tool("load")
    stand.tool("customers/fill")
    here, load_before = stand.machine(), stand.load_average()
    say(f"{here['cores']} cores, {here['cpu']}, Linux {here['kernel']}; load average {load_before:.2f} before the run")
    for size in options.sizes:
        nodes.append(Node(size))
    try:
        for node in nodes:
            node.prepare()
        for turn in range(options.repeats):
            say(f"round {turn + 1} of {options.repeats}")
            # Forth and back: who comes later in a round pays for nothing of those before.
            for node in nodes if turn % 2 == 0 else nodes[::-1]:
                node.saturate()
                node.steady()
        with_customers = [node for node in nodes if node.size]
        for node in nodes:
            node.report(next((one for one in nodes if not one.size), None), with_customers[0] if with_customers else None)
        figures.print()
        say(f"\nload average {load_before:.2f} before, {stand.load_average():.2f} after; generator and simulator ran on the same machine")
    finally:
        for node in nodes:
            node.place.__exit__(None)
    if options.record:
        line = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "commit": commit(), "machine": here, "repeats": options.repeats,
                "loadBefore": load_before, "figures": figures.record}
        with open(stand.ROOT / "Benchmarks" / "history.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")


def commit():
    done = subprocess.run(["git", "-C", str(stand.ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def sizes(text):
    found = sorted(int(one) for one in text.split(","))
    if not found or found[0] < 0 or found[-1] == 0:
        raise argparse.ArgumentTypeError("numbers of customers, not all of them 0")
    return found


nodes = []
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--sizes", type=sizes, default=sizes("0,100000,1000000,14000000"))
parser.add_argument("--repeats", type=int, default=3)
parser.add_argument("--seconds", type=int, default=8)
parser.add_argument("--connections", type=int, default=128)
parser.add_argument("--record", action="store_true", help="append one line to Benchmarks/history.jsonl")
options = parser.parse_args()
stand.run_script(main, lambda: f"Benchmarks/customers.py --sizes {','.join(map(str, options.sizes))} --repeats {options.repeats}")
