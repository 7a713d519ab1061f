"""What the benchmarks share: the load generator and the disk's floor as programs, medians, the machine's own load, tables.

The worlds (programs, ports, settings) are those of Tests/Faults. Nothing is built here.
"""
import json
import os
import pathlib
import socket
import statistics
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "Faults"))

from world import (  # noqa: E402, F401  (handed on to the scripts beside this one)
    PASSWORD, Broken, Gone, Process, Unusable, World, free_port, load_average, run_script, say, wait_for)

# 101 characters and one part, as sent by every program that is measured here.
TEXT = "Payment {serial} of 1129.50 EUR to Nordic Lamps is waiting for you. Confirm it in the app by 18:00."
SERIAL_DIGITS = 10


def tool(name):
    """Path of a measuring program; `library/NAME` stands in the package of that folder."""
    package, _, program = name.rpartition("/")
    package = ROOT / "Benchmarks" / package
    path = package / ".build" / "release" / program
    if not os.access(path, os.X_OK):
        raise Unusable(f"{path} is not there; build it first: swift build -c release --package-path {package.relative_to(ROOT)}")
    return str(path)


def run_tool(name, longest, /, **options):
    """Runs `load` or `floor` for at most `longest` seconds; its report. Options become --name value."""
    arguments = [tool(name)]
    for key, value in options.items():
        arguments += [f"--{key}", str(value)]
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=longest)
    if done.returncode != 0:
        raise Broken(f"{name} ended with {done.returncode}: {done.stderr.strip()}")
    report = json.loads(done.stdout)
    if name == "load" and not report["accepted"]:
        raise Broken(f"not one request was accepted: answers {report['statuses']}, unanswered {report['unanswered']}")
    return report


class Serials:
    """Numbers that no two messages of a run share."""

    def __init__(self):
        self._next = 1

    def take(self, count):
        first = self._next
        self._next += count
        return first


# --- the machine -----------------------------------------------------------------------------------------------------

def _busy_seconds():
    with open("/proc/stat") as file:
        fields = [int(one) for one in file.readline().split()[1:9]]
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) / os.sysconf("SC_CLK_TCK")


class Others:
    """Cores that everybody else on this machine used meanwhile: what a figure is to be read beside."""

    def __init__(self, processes):
        self._processes = processes
        self._began, self._busy, self._own = time.monotonic(), _busy_seconds(), self._owned()

    def _owned(self):
        own = os.times()
        return sum(sum(one.cpu_seconds()) for one in self._processes) + own.user + own.system + own.children_user + own.children_system

    def cores(self):
        elapsed = max(1e-3, time.monotonic() - self._began)
        return max(0.0, (_busy_seconds() - self._busy - (self._owned() - self._own)) / elapsed)


def machine():
    model = "unknown"
    try:
        with open("/proc/cpuinfo") as file:
            model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), model)
    except OSError:
        pass
    return {"cores": os.cpu_count(), "cpu": model, "kernel": os.uname().release}


# --- numbers ---------------------------------------------------------------------------------------------------------

class Sample:
    """One figure measured several times."""

    def __init__(self, values):
        self.values = list(values)
        self.median = statistics.median(self.values)

    def text(self, form="{:,.0f}"):
        middle = form.format(self.median)
        if len(self.values) == 1:
            return middle
        return f"{middle} ({form.format(min(self.values))} .. {form.format(max(self.values))})"

    def record(self):
        return {"median": self.median, "min": min(self.values), "max": max(self.values)}


def table(rows, head):
    widths = [max(len(str(row[column])) for row in [head, *rows]) for column in range(len(head))]
    lines = ["  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [head, *rows]]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


class Figures:
    def __init__(self):
        self.rows, self.record = [], {}

    def add(self, name, sample, form, goal=None, met=None, others=None, key=None):
        verdict = "" if met is None else "ok" if met else "MISS"
        beside = "" if others is None else f"{others.median:.2f}"
        self.rows.append((name, sample.text(form), goal or "", verdict, beside))
        self.record[key or name] = sample.record()

    def missed(self):
        """Names of the figures that missed their goal."""
        return [name.strip() for name, _, _, verdict, _ in self.rows if verdict == "MISS"]

    def print(self):
        say("\n" + table(self.rows, ("figure", "median (least .. most)", "goal", "", "others' cores")))


def buckets(metrics, name, label=""):
    """Cumulative counts of a Prometheus histogram by upper bound, over all its labels, or those with `label`, such as class="otp"."""
    found = {}
    for line in metrics.splitlines():
        if line.startswith(name + "_bucket{") and label in line:
            bound = line.split('le="', 1)[1].split('"', 1)[0]
            bound = float("inf") if bound in ("+Inf", "inf") else float(bound)
            found[bound] = found.get(bound, 0.0) + float(line.rsplit(" ", 1)[1])
    return found


def quantile(before, after, share):
    """Seconds below which this share of what came between two readings lies, interpolated inside its bucket."""
    bounds = sorted(after)
    counts = [after[bound] - before.get(bound, 0.0) for bound in bounds]
    if not counts or counts[-1] <= 0:
        raise Broken("the histogram counted nothing")
    wanted = counts[-1] * share
    lower, seen = 0.0, 0.0
    for bound, count in zip(bounds, counts):
        if count >= wanted:
            if bound == float("inf") or count == seen:
                return lower
            return lower + (bound - lower) * (wanted - seen) / (count - seen)
        lower, seen = bound, count
    return lower


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def settle(place):
    """Waits until nothing is under way any more, so that one measurement does not pay for another."""
    before = sum(place.martlet.cpu_seconds())
    for _ in range(100):
        time.sleep(0.1)
        now = sum(place.martlet.cpu_seconds())
        if now - before < 0.02:
            return
        before = now


# --- at the operator -------------------------------------------------------------------------------------------------

def submits(world):
    return world.operator.stats()["submits"]


def wait_drained(world, count, seconds=60):
    """Seconds until the operator has got `count` submits; Broken when they do not come."""
    began = time.monotonic()
    last, changed = -1, began
    while True:
        now_at = submits(world)
        now = time.monotonic()
        if now_at >= count:
            return now - began
        if now_at != last:
            last, changed = now_at, now
        if now - changed > 10 or now - began > seconds:
            raise Broken(f"the operator got {now_at} of {count} messages and no more came")
        time.sleep(0.005)


def round_trip(port, count=100):
    """Median seconds from a submit_sm to its answer at this operator, one at a time on a bind of our own."""
    def read(link, size):
        octets = b""
        while len(octets) < size:
            more = link.recv(size - len(octets))
            if not more:
                raise Unusable("the simulator closed the probe's bind")
            octets += more
        return octets

    def answer(link):
        while True:
            length, command, status, _ = struct.unpack(">IIII", read(link, 16))
            read(link, length - 16)
            if command & 0x80000000:
                return status

    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = b"martlet\0" + PASSWORD.encode() + b"\0\0\x34\0\0\0"
        link.sendall(struct.pack(">IIII", 16 + len(body), 2, 0, 1) + body)
        if answer(link) != 0:
            raise Unusable("the simulator refused the probe's bind")
        times = []
        for number in range(count):
            text = b"probe %d" % number
            body = (b"\0\5\0PROBE\0\1\1447700900999\0\0\0\0\0\0\0\0\0\0" + bytes([len(text)]) + text)
            began = time.monotonic()
            link.sendall(struct.pack(">IIII", 16 + len(body), 4, 0, number + 2) + body)
            if answer(link) != 0:
                raise Unusable("the simulator refused the probe's message")
            times.append(time.monotonic() - began)
    return statistics.median(times)
