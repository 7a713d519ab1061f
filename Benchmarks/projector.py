#!/usr/bin/env python3
"""How fast the history takes what the journal holds: a node accepts messages for a simulated operator, then `martlet store project` is timed
on what it left; again and again on the same database, so that the slope shows.

    Benchmarks/projector.py --store sqlite --count 1000000 --stage 250000
    Benchmarks/projector.py --store postgres --count 1000000 --stage 250000

A message is three records (accepted, answered, delivered) and eight rows: notification, message, state, attempt, receipt, and an entry each
for number, reference or source to search by. Its sealed part is opened for them. PostgreSQL is a server of its own, made and ended
here, with fsync on. Needs the release builds of martlet, martlet-sim and Benchmarks (`make release bench-tools`).
"""
import argparse
import json
import pathlib
import re
import sys
import time

import stand
from stand import Unusable, World, run_script, say, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests" / "Faults"))
import postgres_server  # noqa: E402


def project(place):
    """(records, rows, seconds, CPU seconds) of one run."""
    began = time.monotonic()
    process = stand.Process(
        [place.martlet_path, "store", "project", "--config", place.folder / "martlet.yaml", "--data", place.data],
        place.folder / f"project-{began}.log")
    cpu = 0.0
    while process.running:
        try:
            cpu = sum(process.cpu_seconds())
        except (OSError, IndexError):
            pass
        time.sleep(0.02)
    seconds = time.monotonic() - began
    found = re.search(r"(\d+) record\(s\), (\d+) row\(s\), 0 gap", process.tail())
    if process.exit_code or not found:
        raise stand.Broken(f"store project ended with {process.exit_code}: {process.tail()}")
    return int(found.group(1)), int(found.group(2)), seconds, cpu


def main():
    server = postgres_server.Postgres("history") if options.store == "postgres" else None
    settings = {"journal": {"cap": "64GiB"}, "store": {"url": server.url if server else "sqlite:history.db"},
                "limits": {"openMessages": 5_000_000}, "desk": {"enabled": False}}
    serials = stand.Serials()
    try:
        with World("release", label="projector", window=500, binds=4, settings=settings) as place:
            place.keeps_broken = False
            place.prepare()
            place.start_simulator()
            place.start_martlet()
            place.command("store", "migrate", "--config", place.folder / "martlet.yaml", "--data", place.data)
            project(place)
            done = 0
            stages = []
            while done < options.count:
                report = stand.run_tool(
                    "load", 600, first=serials.take(options.stage), port=place.ports["http"], key=place.key, connections=32,
                    seconds=580, count=options.stage)
                # Until the last receipt is in, so that nothing runs beside the measurement.
                wait_for("the queues are empty", 600, lambda: quiet(place), every=0.5)
                done += report["accepted"]
                before = stand.load_average()
                records, rows, seconds, cpu = project(place)
                stages.append({"messages": done, "perSecond": round(report["accepted"] / seconds), "rowsPerSecond": round(rows / seconds),
                               "records": records, "seconds": round(seconds, 2), "cpuSeconds": round(cpu, 2), "load": round(before, 2)})
                say(json.dumps(stages[-1]))
            size = sum(file.stat().st_size for file in place.data.glob("history.db*")) if not server else server.size()
            say(json.dumps({"store": options.store, "bytesPerMessage": round(size / max(1, done)), "stages": stages}))
    finally:
        if server:
            server.end()


def quiet(place):
    found = re.search(r"^martlet_open_messages (\d+)", place.metrics(), re.M)
    if not found:
        raise Unusable("the node does not tell how many messages are open")
    return int(found.group(1)) == 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--stage", type=int, default=250_000)
    return parser.parse_args()


options = parse()
run_script(main, lambda: f"Benchmarks/projector.py --store {options.store} --count {options.count} --stage {options.stage}")
