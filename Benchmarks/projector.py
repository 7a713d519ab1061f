#!/usr/bin/env python3
"""How fast the history takes what the journal holds: a node accepts messages for a simulated operator, then `martlet store project` is timed
on what it left; again and again on the same database, so that the slope shows.

    Benchmarks/projector.py --store sqlite --messages 10000000 --stages 10 --rate 2000
    Benchmarks/projector.py --store postgres --messages 10000000 --stages 10 --rate 20000

A message is three records (accepted, answered, delivered) and eight rows: notification, message, state, attempt, receipt, and an entry each
for number, reference and source to search by. Its sealed part is opened for them. Numbers are a million, references never the same.

`--rate` is how many messages a second seem to arrive: what a search goes by lies in quarters of an hour, so a mailing that fills one and a day
that fills many are written differently. The node is loaded as fast as it goes, in steps of `--step` messages so that its journal stays
small, and its wall clock runs faster or slower by a library that is loaded before it (a few lines of C, made with `cc`); what came of it is
told by the ids. Without `--rate` its clock is the machine's.

Each stage prints messages and rows a second, CPU a message, how they were spread, bytes of the database, and the most memory that the
projecting process had. PostgreSQL is a server of its own, made and ended here, with fsync on; its CPU is told too. Needs the release builds
of martlet, martlet-sim and Benchmarks (`make release bench-tools`); 10 million messages take about 10 GB of disk.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import time

import stand
from stand import Broken, Unusable, World, run_script, say, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests" / "Faults"))
import postgres_server  # noqa: E402

# Wall time of a process, faster or slower than the machine's from a moment on.
PACE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);
static double began, factor;

__attribute__((constructor)) static void start(void) {
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *words = getenv("PACE");
    if (words == NULL) abort();
    char *rest;
    began = strtod(words, &rest);
    factor = strtod(rest, NULL);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = real(clock, time);
    if (clock == CLOCK_REALTIME && result == 0) {
        double seconds = began + ((double)time->tv_sec - began + time->tv_nsec / 1e9) * factor;
        time->tv_sec = (time_t)seconds;
        time->tv_nsec = (long)((seconds - (double)time->tv_sec) * 1e9);
    }
    return result;
}
"""


class Stage:
    """What projecting so many messages took, in one run or several."""

    def __init__(self):
        self.records = self.rows = self.memory = 0
        self.seconds = self.cpu = self.server = 0.0

    def run(self, place, server):
        began = time.monotonic()
        before = server_seconds(server)
        process = stand.Process(
            [place.martlet_path, "store", "project", "--config", place.folder / "martlet.yaml", "--data", place.data],
            place.folder / "project.log")
        cpu = 0.0
        while process.running:
            try:
                cpu = sum(process.cpu_seconds())
                words = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                self.memory = max(self.memory, int(re.search(r"VmHWM:\s+(\d+)", words).group(1)) * 1024)
            except (OSError, IndexError, AttributeError):
                pass
            time.sleep(0.02)
        self.seconds += time.monotonic() - began
        self.cpu += cpu
        self.server += server_seconds(server) - before
        found = re.findall(r"(\d+) record\(s\), (\d+) row\(s\), (\d+) gap", process.tail())
        if process.exit_code or not found or found[-1][2] != "0":
            raise Broken(f"store project ended with {process.exit_code}: {process.tail()}")
        self.records += int(found[-1][0])
        self.rows += int(found[-1][1])


def server_seconds(server):
    """CPU of PostgreSQL: its own processes, and those of sessions that ended."""
    if not server:
        return 0.0
    total = 0.0
    for pid in [server.server.pid, *server.children()]:
        try:
            # Fields 14 to 17 of proc(5): its own, and of the children it waited for.
            total += sum(int(one) for one in fields_of(pid)[11:15])
        except (OSError, IndexError):
            continue
    return total / os.sysconf("SC_CLK_TCK")


def fields_of(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


class Clock:
    """The node's wall clock, paced so that the messages of a run seem to arrive `--rate` a second."""

    def __init__(self, folder):
        self.library = folder / "pace.so"
        (folder / "pace.c").write_text(PACE)
        done = subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", self.library, folder / "pace.c", "-ldl"], capture_output=True, text=True)
        if done.returncode:
            raise Unusable(f"cc cannot make the library that paces the clock: {done.stderr.strip()}")
        self.began = time.time()
        self.wall = self.began

    def environment(self, factor):
        """For a node that goes on where the one before it was."""
        now = time.time()
        # Its clock says `wall` now and goes on at the factor: began is where both would have been one.
        return {"LD_PRELOAD": str(self.library), "PACE": f"{(self.wall - now * factor) / (1 - factor) if factor != 1 else now:.6f} {factor:.9f}"}


def accept(place, count, serials):
    """So many messages, through the node and to the operator and back."""
    done = 0
    while done < count:
        some = min(options.step, count - done)
        report = stand.run_tool(
            "batch", 3600, port=place.ports["http"], key=place.key, connections=2, lines=min(1000, some), seconds=3000, count=some,
            numbers="many", first=serials.take(some + 4000))
        if not report["accepted"]:
            raise Broken(f"not one message was accepted: {report}")
        done += report["accepted"]
        # Until the last receipt is in, so that nothing runs beside the measurement.
        wait_for("the queues are empty", 1800, lambda: quiet(place), every=0.1)
        yield report["accepted"]


def quiet(place):
    found = re.search(r"^martlet_open_messages (\d+)", place.metrics(), re.M)
    if not found:
        raise Unusable("the node does not tell how many messages are open")
    return int(found.group(1)) == 0


def spread(place, server):
    """(messages, seconds from the oldest to the newest, parts of busy quarters of an hour), by what stands in the database."""
    asked = ("SELECT count(*), max(received_at) - min(received_at) FROM notification", "SELECT count(*) FROM lookup_part")
    if server:
        (count, milliseconds), (parts,) = (server.rows(sql)[0] for sql in asked)
    else:
        database = sqlite3.connect(f"file:{place.data / 'history.db'}?mode=ro", uri=True)
        (count, milliseconds), (parts,) = (database.execute(sql).fetchone() for sql in asked)
        database.close()
    return int(count), int(milliseconds) / 1000, int(parts)


def main():
    server = postgres_server.Postgres("history") if options.store == "postgres" else None
    # The node trims what was projected as soon as the journal has more than this.
    settings = {"journal": {"cap": "2GiB"}, "store": {"url": server.url if server else "sqlite:history.db"},
                "limits": {"openMessages": 5_000_000}, "desk": {"enabled": False}}
    serials = stand.Serials()
    try:
        with World("release", label="projector", window=500, binds=4, settings=settings, simulator_settings={"keep": 1000}) as place:
            place.keeps_broken = False
            if shutil.disk_usage(place.folder).free < 3 << 30 | options.messages * 1300:
                raise Unusable("there is not enough disk for so many messages")
            place.prepare()
            place.start_simulator()
            clock = Clock(place.folder) if options.rate else None
            # How fast the node goes here is measured first: the clock's pace is of that.
            pace = trial(place, serials, clock)
            place.command("store", "migrate", "--config", place.folder / "martlet.yaml", "--data", place.data)
            Stage().run(place, server)
            per_stage = -(-options.messages // options.stages)
            done, stages = 0, []
            base = spread(place, server)
            for number in range(options.stages):
                stage, accepted, began = Stage(), 0, time.monotonic()
                before = stand.load_average()
                for some in accept(place, per_stage, serials):
                    accepted += some
                    stage.run(place, server)
                done += accepted
                size = server.size() if server else sum(file.stat().st_size for file in place.data.glob("history.db*"))
                count, span, parts = spread(place, server)
                if count - base[0] != done:
                    raise Broken(f"{done} messages were accepted, {count - base[0]} are in the history")
                log = sum(file.stat().st_blocks * 512 for file in (place.data / "journal").rglob("*") if file.is_file())
                stages.append({
                    "messages": done, "perSecond": round(accepted / stage.seconds), "rowsPerSecond": round(stage.rows / stage.seconds),
                    "cpuMicrosPerMessage": round(stage.cpu / accepted * 1e6, 1),
                    "serverMicrosPerMessage": round(stage.server / accepted * 1e6, 1) if server else None,
                    "seconds": round(stage.seconds, 1), "rowsPerMessage": round(stage.rows / accepted, 2),
                    "seemedPerSecond": round(count / max(1, span)), "parts": parts, "databaseMiB": size >> 20, "peakMiB": stage.memory >> 20,
                    "journalMiB": log >> 20, "wholeSeconds": round(time.monotonic() - began), "load": round(before, 2)})
                say(json.dumps(stages[-1]))
            say(json.dumps({
                "store": options.store, "rate": options.rate, "pace": pace, "machine": stand.machine(),
                "bytesPerMessage": round(size / max(1, count)), "stages": stages}))
    finally:
        if server:
            server.end()


def trial(place, serials, clock):
    """Starts the node; with `--rate` on a clock of the right pace, found by some messages before. Returns the pace."""
    place.start_martlet()
    if not clock:
        return 1
    count = min(200_000, max(20_000, options.messages // 20))
    began = time.monotonic()
    for _ in accept(place, count, serials):
        pass
    rate = count / (time.monotonic() - began)
    place.martlet.stop()
    factor = rate / options.rate
    if factor == 1:
        factor = 1.000001
    clock.wall = time.time() + 1
    place.start_martlet(env=clock.environment(factor))
    say(json.dumps({"acceptedPerSecond": round(rate), "clockFactor": round(factor, 3)}))
    return round(factor, 4)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--stages", type=int, default=4)
    parser.add_argument("--rate", type=float, default=0, help="messages a second that seem to arrive; 0: as they do")
    parser.add_argument("--step", type=int, default=500_000, help="messages accepted before they are projected")
    return parser.parse_args()


options = parse()
run_script(main, lambda: f"Benchmarks/projector.py --store {options.store} --messages {options.messages} --stages {options.stages} "
           f"--rate {options.rate:g} --step {options.step}")
