#!/usr/bin/env python3
"""Kannel (Debian's package) and Martlet in the same run: same simulated operator, same load, same text of 101 characters.

    peers.py [--repeats 3] [--seconds 10] [--connections 128] [--record]

Kannel is measured twice: with its default store (none, everything is lost when it dies) and with its file store (survives its own
death, never synced to disk). Martlet syncs every message to disk before its answer, as always.
"""
import argparse
import json
import shutil
import socket
import time
import urllib.parse

import stand
from stand import Others, Process, Sample, Serials, Unusable, World, free_port, say, wait_for

serials = Serials()
# Where Debian puts them; sbin is not on everybody's path.
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Kannel:
    """bearerbox and smsbox with one SMPP bind to the operator of `place`."""

    def __init__(self, place, store):
        self.place, self.store = place, store
        self.folder = place.folder / f"kannel-{store}"
        self.ports = {name: free_port() for name in ("admin", "smsbox", "sendsms")}
        self.boxes = []

    def start(self):
        for program in ("bearerbox", "smsbox"):
            if not shutil.which(program, path=PATH):
                raise Unusable(f"{program} is not installed; scripts/setup --bench installs Kannel")
        self.folder.mkdir()
        path = self.folder / "kannel.conf"
        path.write_text(self.settings())
        for program, wait in (("bearerbox", self.ports["smsbox"]), ("smsbox", self.ports["sendsms"])):
            box = Process([shutil.which(program, path=PATH), "-v", "4", path], self.folder / f"{program}.log")
            self.boxes.append(box)
            wait_for(f"{program} listens", 20, lambda: self.listens(box, wait), every=0.1)
        wait_for("Kannel is bound", 20, lambda: self.place.operator.stats()["binds"] >= 1, every=0.1)

    def listens(self, box, port):
        if not box.running:
            raise Unusable(f"Kannel ended by itself:\n{box.tail()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def settings(self):
        lines = ["group = core", f"admin-port = {self.ports['admin']}", "admin-interface = 127.0.0.1",
                 f"smsbox-port = {self.ports['smsbox']}", "smsbox-interface = 127.0.0.1", "admin-password = admin",
                 'box-allow-ip = "127.0.0.1"', "log-level = 4",
                 "sms-incoming-queue-limit = -1", "sms-outgoing-queue-limit = -1"]
        if self.store != "none":
            lines += [f"store-type = {self.store}", f"store-location = {self.folder / 'kannel.store'}"]
        lines += ["", "group = smsc", "smsc = smpp", "smsc-id = harbour", "host = 127.0.0.1", f"port = {self.place.ports['smsc']}",
                  "transceiver-mode = true", "smsc-username = martlet", f"smsc-password = {stand.PASSWORD}", 'system-type = ""',
                  f"max-pending-submits = {options.window}", "", "group = smsbox", "smsbox-id = one", "bearerbox-host = 127.0.0.1",
                  f"sendsms-port = {self.ports['sendsms']}", "sendsms-interface = 127.0.0.1", "log-level = 4", "",
                  "group = sendsms-user", "username = bank", "password = bank", "max-messages = 10", ""]
        return "\n".join(lines)

    def load(self, seconds):
        words = urllib.parse.quote_plus(stand.TEXT).replace("%7Bserial%7D", "{serial}")
        return stand.run_tool(
            "load", seconds + 60, port=self.ports["sendsms"], connections=options.connections, seconds=seconds, method="GET",
            target=f"/cgi-bin/sendsms?username=bank&password=bank&from=HARBOUR&to={{number}}&text={words}",
            first=serials.take(200_000 * seconds))

    @property
    def processes(self):
        return self.boxes

    def stop(self):
        for box in reversed(self.boxes):
            box.kill9()
        wait_for("Kannel's bind is gone", 10, lambda: self.place.operator.stats()["binds"] == 0)


class Martlet:
    def __init__(self, place):
        self.place = place

    def start(self):
        self.place.start_martlet()

    def load(self, seconds):
        return stand.run_tool(
            "load", seconds + 60, port=self.place.ports["http"], key=self.place.key, connections=options.connections, seconds=seconds,
            first=serials.take(200_000 * seconds))

    @property
    def processes(self):
        return [self.place.martlet]

    def stop(self):
        self.place.martlet.stop()
        wait_for("Martlet's bind is gone", 10, lambda: self.place.operator.stats()["binds"] == 0)


def measure(one, place, results):
    one.start()
    try:
        one.load(1)
        quiet(place)
        before = stand.submits(place)
        beside = Others([*one.processes, place.simulator])
        cpu = sum(sum(process.cpu_seconds()) for process in one.processes)
        report = one.load(options.seconds)
        tail = stand.wait_drained(place, before + report["accepted"], seconds=120)
        cpu = sum(sum(process.cpu_seconds()) for process in one.processes) - cpu
        results["rate"].append(report["accepted"] / (report["seconds"] + tail))
        results["cpu"].append(cpu / report["accepted"] * 1e6)
        results["p99"].append(report["latency"]["p99"])
        results["others"].append(beside.cores())
        if report["notAccepted"] or report["unanswered"]:
            say(f"  not accepted: {report['statuses']}, unanswered: {report['unanswered']}")
    finally:
        one.stop()


def quiet(place):
    """Waits until the operator has had nothing new for a while."""
    last = -1
    for _ in range(200):
        now = stand.submits(place)
        if now == last:
            return
        last = now
        time.sleep(0.3)


def main():
    stand.tool("load")
    say(f"load average {stand.load_average():.2f} before the run; {options.connections} connections, window {options.window}, "
        f"{options.seconds} s each, {options.repeats} times in turn")
    names = {"none": "Kannel, no store (its default)", "file": "Kannel, store file", "martlet": "Martlet, fsync before each 202"}
    results = {name: {"rate": [], "cpu": [], "p99": [], "others": []} for name in names}
    with World("release", label="peers", window=options.window, simulator_settings={"keep": 0, "duplicateWindow": 0}) as place:
        place.prepare()
        place.start_simulator()
        place.operator.behave(receipts=False)
        for turn in range(options.repeats):
            for name in names:
                if options.only and name not in options.only.split(","):
                    continue
                say(f"turn {turn + 1}: {names[name]}")
                if name != "martlet":
                    shutil.rmtree(place.folder / f"kannel-{name}", ignore_errors=True)
                measure(Martlet(place) if name == "martlet" else Kannel(place, name), place, results[name])
    rows, record = [], {}
    samples = {name: {key: Sample(values) for key, values in found.items()} for name, found in results.items() if found["rate"]}
    for name, found in samples.items():
        rows.append((names[name], found["rate"].text(), found["cpu"].text("{:.1f}"), found["p99"].text("{:.1f}"),
                     f"{found['others'].median:.2f}"))
        record[name] = {key: sample.record() for key, sample in found.items()}
    say("\n" + stand.table(rows, ("", "messages/s", "CPU a message, us", "request to 202, p99, ms", "others' cores")))
    if "martlet" in samples:
        for name in ("none", "file"):
            if name in samples:
                rate = samples["martlet"]["rate"].median / samples[name]["rate"].median
                cpu = samples["martlet"]["cpu"].median / samples[name]["cpu"].median
                say(f"Martlet against {names[name]}: {rate:.1f}x the rate (goal >= 4: {'ok' if rate >= 4 else 'MISS'}), "
                    f"{cpu:.2f} of its CPU a message (goal <= 0.25: {'ok' if cpu <= 0.25 else 'MISS'})")
    if options.record:
        line = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "peers": record, "machine": stand.machine()}
        with open(stand.ROOT / "Benchmarks" / "history.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--only", default="", help="none, file, martlet: only these, by commas")
    parser.add_argument("--record", action="store_true", help="append one line to Benchmarks/history.jsonl")
    return parser.parse_args()


options = parse()
stand.run_script(main, lambda: f"Benchmarks/peers.py --repeats {options.repeats}")
