#!/usr/bin/env python3
"""The project's figures, measured: generator, operator and Martlet on this one machine, medians of three with their extremes.

    bench.py [--only saturation,smpp,batch,latency,window,million,codes,idle,receivers,library] [--repeats 3] [--record] [--strict]

`events`, `eventLatency` and `eventCustomers` are measured where they are asked for: they need `swift build -c release --package-path Benchmarks/customers`.
Figures that miss their goal are printed as such; the exit code stays 0 unless something broke (1) or could not be run (2), or, with --strict, one
missed (1).
docs/reference/benchmarks.md says what each one means.
"""
import argparse
import json
import subprocess
import time

import accounts
import events
import lanes
import stand
from stand import Broken, Figures, Gone, Others, Sample, Serials, Unusable, World, say, settle, wait_for

MIB = 1 << 20


figures = Figures()
serials = Serials()


# --- saturation ------------------------------------------------------------------------------------------------------

def saturation(receipts):
    """As fast as the connections get their answers: every message durable before its 202, and at the operator in the end."""
    rates, costs, others, latencies, threads = [], [], [], [], {}
    with World("release", label="bench", window=options.window, settings={"http": {"maximumConnections": 4096}},
               simulator_settings={"keep": 0, "duplicateWindow": 0}) as place:
        place.prepare()
        place.start_simulator()
        place.operator.behave(receipts=receipts)
        place.start_martlet()
        load(place, seconds=2)                      # warm: segments made, memory touched
        stand.wait_drained(place, 1)
        settle(place)
        for _ in range(options.repeats):
            sent_before = stand.submits(place)
            beside = Others([place.martlet, place.simulator])
            cpu_before, threads_before = sum(place.martlet.cpu_seconds()), place.martlet.thread_seconds()
            report = load(place, seconds=options.seconds)
            tail = stand.wait_drained(place, sent_before + report["accepted"])
            cpu = sum(place.martlet.cpu_seconds()) - cpu_before
            after = place.martlet.thread_seconds()
            count = report["accepted"]
            if report["notAccepted"] or report["unanswered"]:
                say(f"  not accepted: {report['statuses']}, unanswered: {report['unanswered']}")
            rates.append(count / (report["seconds"] + tail))
            costs.append(cpu / count * 1e6)
            others.append(beside.cores())
            latencies.append(report["latency"]["p99"])
            for name, seconds in after.items():
                threads.setdefault(name, []).append((seconds - threads_before.get(name, 0)) / count * 1e6)
            settle(place)
    others = Sample(others)
    if receipts:
        figures.add("the same with a receipt for each, messages/s", Sample(rates), "{:,.0f}", others=others, key="saturationReceipts.rate")
        figures.add("  CPU of Martlet a message, us", Sample(costs), "{:.1f}", key="saturationReceipts.cpu")
        return
    rate, cost = Sample(rates), Sample(costs)
    figures.add("saturation: messages/s, HTTP to submit_sm", rate, "{:,.0f}", ">= 40,000", rate.median >= 40_000, others, "saturation.rate")
    figures.add("  CPU of Martlet a message, us", cost, "{:.1f}", "<= 30", cost.median <= 30, key="saturation.cpu")
    for name, values in sorted(threads.items(), key=lambda item: -max(item[1])):
        sample = Sample(values)
        if sample.median >= 0.3:
            figures.add(f"    thread {name}, us", sample, "{:.1f}", key=f"saturation.thread.{name}")
    figures.add("  request to 202, p99, ms", Sample(latencies), "{:.2f}", key="saturation.accept.p99")


def load(place, **options_of_load):
    given = {"port": place.ports["http"], "key": place.key, "connections": options.connections, **options_of_load}
    count = int(given.get("count", 200_000 * float(given["seconds"])))
    return stand.run_tool("load", float(given["seconds"]) + 60, first=serials.take(count), **given)


# --- SMPP in, SMPP out -------------------------------------------------------------------------------------------------

def through_smpp(receipts):
    """A sender system with two binds whose windows are always full: every submit durable before its answer, sent on to the operator,
    and with receipts each told back to the sender."""
    rates, costs, medians, others = [], [], [], []
    port = stand.free_port()
    with World("release", label="bench", window=200, simulator_settings={"keep": 0, "duplicateWindow": 0}) as place:
        password = place.folder / "core.password"
        password.write_text("seaside\n")
        password.chmod(0o600)
        place.lay_over({"smpp": {"listen": f"127.0.0.1:{port}", "accounts": [
            {"systemId": "core", "passwordFile": str(password), "source": "proof", "window": 200, "deliverWindow": 200}]},
            # Without receipts nothing ends in this time; all of it must fit.
            "limits": {"openMessages": 20_000_000}})
        place.prepare()
        place.start_simulator()
        place.operator.behave(receipts=receipts)
        place.start_martlet()
        for turn in range(options.repeats + 1):
            sent_before, cpu_before = stand.submits(place), sum(place.martlet.cpu_seconds())
            beside = Others([place.martlet, place.simulator])
            seconds = options.seconds if turn else 1         # the first warms
            given = {"port": port, "system-id": "core", "password": "seaside", "binds": 2, "window": 200, "seconds": seconds,
                     "receipts": int(receipts), "first": serials.take(400_000 * seconds)}
            report = stand.run_tool("esme", seconds + 60, **given)
            tail = stand.wait_drained(place, sent_before + report["accepted"])
            settle(place)
            if report["notAccepted"] or report["unanswered"] or receipts and report["receipts"] < report["accepted"]:
                raise Broken(f"not everything was answered: {report}")
            if turn:
                rates.append(report["accepted"] / (report["secondsToLastReceipt"] + tail))
                costs.append((sum(place.martlet.cpu_seconds()) - cpu_before) / report["accepted"] * 1e6)
                medians.append(report["latency"]["p50"])
                others.append(beside.cores())
    rate, median, key = Sample(rates), Sample(medians), "smppReceipts" if receipts else "smpp"
    name = "  with a receipt back for each" if receipts else "SMPP in, SMPP out: messages/s"
    figures.add(name, rate, "{:,.0f}", ">= 60,000", rate.median >= 60_000, Sample(others), f"{key}.rate")
    figures.add("  CPU of Martlet a message, us", Sample(costs), "{:.1f}", key=f"{key}.cpu")
    figures.add("  submit to answer, p50, ms", median, "{:.2f}", "<= 5", median.median <= 5, key=f"{key}.p50")


# --- latency ---------------------------------------------------------------------------------------------------------

def latency():
    """2,000 messages a second at due times; the wire is looked at from inside (Martlet's histogram) and from outside (send time at
    the client against arrival at the operator, one clock)."""
    rate = 2000
    inside, outside, floor, accept, others = [], [], [], [], []
    with World("release", label="bench", window=options.window, simulator_settings={"keep": 100_000, "duplicateWindow": 0}) as place:
        place.prepare()
        place.start_simulator()
        place.operator.behave(receipts=False)
        place.start_martlet()
        load(place, rate=rate, seconds=2)
        times_file = place.folder / "times"
        for _ in range(options.repeats):
            settle(place)
            floor.append(stand.run_tool("floor", 60, file=place.folder / "floor", rate=rate, seconds=max(2, options.seconds // 2)))
            place.operator.reset()
            before = stand.buckets(place.metrics(), "martlet_accept_to_wire_seconds")
            beside = Others([place.martlet, place.simulator])
            report = load(place, rate=rate, seconds=options.seconds, connections=32, times=times_file)
            stand.wait_drained(place, report["accepted"])
            others.append(beside.cores())
            after = stand.buckets(place.metrics(), "martlet_accept_to_wire_seconds")
            inside.append([stand.quantile(before, after, share) * 1e3 for share in (0.5, 0.99)])
            outside.append(from_outside(place, times_file))
            accept.append(report["latency"])
    inside50, inside99 = (Sample(one[index] for one in inside) for index in (0, 1))
    floor50, floor99 = (Sample(one["sync"][name] for one in floor) for name in ("p50", "p99"))
    bound = max(2.0, 3 * floor99.median)
    beside = Sample(others)
    figures.add("latency at 2,000/s: accept to wire, p50, ms", inside50, "{:.2f}", "<= 1", inside50.median <= 1, beside,
                "latency.wire.p50")
    figures.add("  accept to wire, p99, ms", inside99, "{:.2f}", f"<= {bound:.2f}", inside99.median <= bound, key="latency.wire.p99")
    for index, name in ((0, "p50"), (1, "p99")):
        figures.add(f"  request sent to arrival, {name}, ms", Sample(one[index] for one in outside), "{:.2f}",
                    key=f"latency.outside.{name}")
    for name in ("p50", "p99"):
        figures.add(f"  due time to 202, {name}, ms", Sample(one[name] for one in accept), "{:.2f}", key=f"latency.accept.{name}")
    figures.add("  floor: append and fdatasync alone, p50, ms", floor50, "{:.2f}", key="floor.p50")
    figures.add("  floor, p99, ms", floor99, "{:.2f}", key="floor.p99")


def from_outside(place, times_file):
    """(p50, p99) in milliseconds from the client's send to the operator's arrival, matched by the serial in the text."""
    arrived = {}
    for message in place.operator.messages():
        words = message["text"].split(" ", 2)
        if len(words) > 1 and len(words[1]) == stand.SERIAL_DIGITS:
            arrived.setdefault(int(words[1]), message["atMicros"])
    waits = []
    with open(times_file) as file:
        for line in file:
            serial, _, sent, _, status = (int(one) for one in line.split())
            if status == 202 and serial in arrived:
                waits.append((arrived[serial] - sent) / 1e3)
    if not waits:
        raise Broken("no message could be matched between client and operator")
    return stand.percentile(waits, 0.5), stand.percentile(waits, 0.99)


# --- window ----------------------------------------------------------------------------------------------------------

def window():
    """An operator that answers after 20 ms lets at most window / round trip through; how much of that is used."""
    delay, size, seconds = 0.020, 100, 6
    shares, rates, trips, others = [], [], [], []
    with World("release", label="bench", window=size, simulator_settings={"keep": 0, "duplicateWindow": 0}) as place:
        place.prepare()
        place.start_simulator()
        place.operator.behave(receipts=False, delayMs=int(delay * 1000))
        # The simulator's own timer is part of the trip: it is measured, alone, on a bind of our own.
        trip = stand.round_trip(place.ports["smsc"])
        place.start_martlet()
        for _ in range(options.repeats):
            # Nobody is let in while the queue is filled, so that it cannot run empty however slow the filling is.
            place.operator.behave(disconnect=True)
            before = stand.submits(place)
            report = load(place, seconds=60, count=int(size / delay * (seconds + 4)))
            queued = before + report["accepted"]
            settle(place)
            place.operator.behave(disconnect=False)
            wait_for("Martlet is bound again", 60, lambda: stand.submits(place) > before + size, otherwise=Broken)
            time.sleep(0.5)
            beside = Others([place.martlet, place.simulator])
            first, at = stand.submits(place), time.monotonic()
            time.sleep(seconds)
            last, then = stand.submits(place), time.monotonic()
            if last >= queued:
                raise Unusable("the queue ran empty while the window was measured")
            rate = (last - first) / (then - at)
            rates.append(rate)
            trips.append(trip * 1e3)
            shares.append(rate / (size / trip) * 100)
            others.append(beside.cores())
            stand.wait_drained(place, queued)
    share = Sample(shares)
    figures.add("window 100, answer after 20 ms: messages/s", Sample(rates), "{:,.0f}", others=Sample(others), key="window.rate")
    figures.add("  share of window / round trip, %", share, "{:.1f}", ">= 95", share.median >= 95, key="window.share")
    figures.add("  round trip measured alone, ms", Sample(trips), "{:.2f}", key="window.roundTrip")


# --- a million -------------------------------------------------------------------------------------------------------

def million():
    """A million accepted while no operator can be reached; then SIGKILL, and the time until the first one leaves."""
    wanted = options.million
    anonymous, each, base_each, bases, ready, first, drained, others = ([] for _ in range(8))
    for _ in range(options.repeats):
        with World("release", label="bench", window=options.window, settings={"limits": {"openMessages": 2 * wanted + 1000}},
                   simulator_settings={"keep": 0, "duplicateWindow": min(10_000_000, 2 * wanted)}) as place:
            place.prepare()
            # No simulator yet: its port is closed and every message waits.
            place.start_martlet(ready=False)
            wait_for("martlet answers", 30, lambda: healthy(place), otherwise=Broken)
            base = place.martlet.anonymous_bytes()
            beside = Others([place.martlet])
            report = load(place, seconds=600, count=wanted)
            count = report["accepted"]
            if count < wanted * 0.99:
                raise Broken(f"only {count} of {wanted} were accepted: {report['statuses']}")
            settle(place)
            held = place.martlet.anonymous_bytes()
            others.append(beside.cores())
            bases.append(base / MIB)
            anonymous.append(held / MIB)
            each.append(max(0, held - 60_000_000) / count)
            base_each.append((held - base) / count)

            place.martlet.kill9()
            place.start_simulator()
            place.operator.behave(receipts=False)
            began = time.monotonic()
            place.start_martlet(ready=False)
            at_ready = at_first = None
            while at_ready is None or at_first is None:
                if at_ready is None and place.is_ready():
                    at_ready = time.monotonic() - began
                if at_first is None and stand.submits(place) > 0:
                    at_first = time.monotonic() - began
                if time.monotonic() - began > 120:
                    raise Broken("not sending again after 120 s")
                time.sleep(0.005)
            ready.append(at_ready)
            first.append(at_first)
            stand.wait_drained(place, count, seconds=600)
            drained.append(count / (time.monotonic() - began))
            unique = place.operator.stats()["unique"]
            if unique < count:
                raise Broken(f"{count - unique} of {count} accepted messages did not arrive after the kill")
    size = Sample(each)
    start = Sample(first)
    name = f"{wanted:,} queued" if wanted != 1_000_000 else "one million queued"
    figures.add(f"{name}: bytes each over a 60 MB base", size, "{:.0f}", "<= 150", size.median <= 150, Sample(others), "million.bytes")
    figures.add("  bytes each over its own idle base", Sample(base_each), "{:.0f}", key="million.bytesOverIdle")
    figures.add("  anonymous memory, MiB", Sample(anonymous), "{:.0f}", key="million.anonymous")
    figures.add("  anonymous memory idle, MiB", Sample(bases), "{:.1f}", key="million.idle")
    figures.add("  kill -9 to ready, s", Sample(ready), "{:.2f}", key="million.ready")
    figures.add("  kill -9 to the first message at the operator, s", start, "{:.2f}", "<= 5", start.median <= 5, key="million.first")
    figures.add("  sending rate from there to the last, messages/s", Sample(drained), "{:,.0f}", key="million.drain")


def healthy(place):
    if not place.martlet.running:
        raise Broken(f"martlet ended by itself:\n{place.martlet.tail()}")
    try:
        return place.ops.ask("GET", "/healthz")[0] == 200
    except Gone:
        return False


# --- the SMPP library ------------------------------------------------------------------------------------------------

def library():
    """The library's client and server against each other over TCP: what it allows, with no product around it."""
    reports, others = [], []
    for _ in range(options.repeats):
        beside = Others([])
        reports.append(stand.run_tool("library/pairs", options.seconds + 30, window=100, seconds=max(2, options.seconds // 2)))
        others.append(beside.cores())
    rate = Sample(one["rate"] for one in reports)
    figures.add("SMPP library alone: submit and receipt, pairs/s", rate, "{:,.0f}", ">= 300,000", rate.median >= 300_000, Sample(others),
                "library.rate")
    for side in ("client", "server"):
        figures.add(f"  CPU of the {side}'s thread a pair, us", Sample(one[f"{side}Micros"] for one in reports), "{:.2f}",
                    key=f"library.{side}")


# --- the run ---------------------------------------------------------------------------------------------------------

MEASUREMENTS = {
    "saturation": lambda: (saturation(receipts=False), saturation(receipts=True)),
    "events": lambda: events.events(figures, serials, options),
    "eventLatency": lambda: events.latency(figures, serials, options),
    "eventCustomers": lambda: events.customers(figures, serials, options),
    "smpp": lambda: (through_smpp(receipts=False), through_smpp(receipts=True)),
    "batch": lambda: lanes.batch(figures, serials, options),
    "latency": lambda: latency(),
    "window": lambda: window(),
    "million": lambda: million(),
    "codes": lambda: lanes.codes(figures, serials, options),
    "idle": lambda: accounts.idle(figures, options),
    "receivers": lambda: accounts.receivers(figures, serials, options),
    "library": lambda: library(),
}


def main():
    names = options.only.split(",")
    # What is missing is said before an hour is spent.
    for name in names:
        if name not in MEASUREMENTS:
            raise Unusable(f"there is no figure '{name}'; there are {', '.join(MEASUREMENTS)}")
    for name in ("load", "floor", "esme", "batch"):
        stand.tool(name)
    if "library" in names:
        stand.tool("library/pairs")
    if any(name.startswith("event") for name in names):
        stand.tool("customers/fill")
    here = stand.machine()
    load_before = stand.load_average()
    say(f"{here['cores']} cores, {here['cpu']}, Linux {here['kernel']}; load average {load_before:.2f} before the run")
    try:
        for name in names:
            say(f"measuring: {name}")
            MEASUREMENTS[name]()
    finally:
        figures.print()
    say(f"\nload average {load_before:.2f} before, {stand.load_average():.2f} after; generator and simulator ran on the same machine")
    if options.record:
        line = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "commit": commit(), "machine": here, "repeats": options.repeats,
                "loadBefore": load_before, "figures": figures.record}
        with open(stand.ROOT / "Benchmarks" / "history.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")
        say("written to Benchmarks/history.jsonl")
    if options.strict and (missed := figures.missed()):
        raise Broken(f"missed: {', '.join(missed)}")


def commit():
    done = subprocess.run(["git", "-C", str(stand.ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="saturation,smpp,batch,latency,window,million,codes,idle,receivers,library")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--million", type=int, default=1_000_000, help="how many are queued for the memory figure, and beside codes")
    parser.add_argument("--batch-seconds", type=int, default=30)
    parser.add_argument("--codes-seconds", type=int, default=60)
    parser.add_argument("--customers", type=int, default=100_000, help="how many the events are about")
    parser.add_argument("--many-customers", type=int, default=14_000_000, help="how many eventCustomers compares with 100,000")
    parser.add_argument("--accounts", type=int, default=100, help="how many are bound and idle")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a figure misses its goal")
    parser.add_argument("--record", action="store_true", help="append one line to Benchmarks/history.jsonl")
    return parser.parse_args()


options = parse()
stand.run_script(main, lambda: f"Benchmarks/bench.py --only {options.only} --repeats {options.repeats}")
