#!/usr/bin/env python3
"""Deciding a log again: decisions of several releases and outcomes are made by a node, then `martlet replay` decides each again.

    Benchmarks/replay.py                        # 100,000 decisions
    Benchmarks/replay.py --decisions 3000 --build debug

Prints decisions, differences and seconds, beside the running node and after it was stopped, and what another release would change. Exit
code 0 when every decision came out as it was recorded, 1 when one did not (or none of an outcome was made), 2 when the run could not be made.
It needs `load` and `fill`: swift build -c release --package-path Benchmarks, and the same of Benchmarks/customers.
"""
import argparse
import json
import pathlib
import sys
import time

import stand
from stand import Broken, Serials, World, say

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests" / "Faults"))

from rulebook import PAYMENTS, write_release  # noqa: E402

FIRST = 999_000_000_000
EVENT = '{"definition":"%s","customer":"%s","parameters":{%s}}'
PAID = '"amount":{"amount":"1129.50","currency":"EUR"},"card":"5375411122224417","shop":"%s"'
# What is reported in turn: definition, customer, parameters.
REPORTS = [
    ("card_payment", "{number}", PAID % "Nordic Lamps {serial}"),
    ("card_payment", "nobody-{serial}", PAID % "Nordic Lamps"),
    ("order_sent", "{number}", '"order":"A-{serial}"'),
    ("weekly_offer", "{number}", ""),
    ("loan_due", "{number}", '"amount":{"amount":"%d.00","currency":"EUR"}' % 75),
    ("card_payment", "{number}", PAID % "Nordic Lamps"),
]


def clock(seconds):
    return time.strftime("%H:%M", time.gmtime(time.time() + seconds))


def releases():
    """Three releases: quiet hours come and go, a cap changes, a package gets a threshold, an event is taken back."""
    amount = {"name": "amount", "type": "money", "dataClass": "financial"}
    bank = {
        **PAYMENTS,
        "zones/bank": {"default": "Etc/UTC"},
        "purpose/offers": {"number": 2, "presumed": True},
        "cap/week": {"classes": ["marketing"], "most": 1, "within": 604_800},
        "package/all": {"number": 4, "events": [{"event": "loan_due"}]},
        "quiet-hours/now": {"classes": ["service"], "windows": [{"from": clock(-3600), "until": clock(7200)}]},
        "matrix/bank": {"cells": [{"class": name, "plan": "sms"} for name in ("transactional", "service", "marketing")]},
        "event/order_sent": {
            "number": 13, "type": "card-payment", "class": "service", "everyone": True,
            "parameters": [{"name": "order", "type": "text"}], "templates": {"sms": "order"}},
        "event/weekly_offer": {
            "number": 14, "type": "card-payment", "class": "marketing", "everyone": True, "purpose": "offers", "templates": {"sms": "offer"}},
        "event/loan_due": {
            "number": 15, "type": "card-payment", "class": "transactional", "parameters": [amount], "threshold": "amount",
            "templates": {"sms": "loan"}},
        "template/sms.order": {"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Order {{order}} is on its way."}},
        "template/sms.offer": {"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "An offer is in your app."}},
        "template/sms.loan": {"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Due: {{amount | money: code}}"}},
    }
    payment = bank["event/card_payment"]
    second = {**bank, "cap/week": {**bank["cap/week"], "most": 2},
              "event/card_payment": {**payment, "duplicates": {"by": ["shop"], "within": 3600}},
              "package/all": {"number": 4, "events": [{"event": "loan_due", "thresholds": [{"amount": "100.00", "currency": "EUR"}]}]}}
    third = {name: content for name, content in second.items() if not name.startswith("quiet-hours/")}
    third["event/weekly_offer"] = {**bank["event/weekly_offer"], "published": False}
    return [bank, second, third]


def decided(place):
    """Decisions by outcome, as the node counts them."""
    counts = {}
    for line in place.metrics().splitlines():
        if line.startswith("martlet_decisions_total{"):
            outcome = line.split('outcome="', 1)[1].split('"', 1)[0]
            counts[outcome] = counts.get(outcome, 0) + int(float(line.rsplit(" ", 1)[1]))
    return counts


def replay(place, *words):
    """One run of the verb: its document and the seconds that it took in all."""
    began = time.monotonic()
    code, printed = place.command(
        "replay", "--json", "--config", place.folder / "martlet.yaml", "--data", place.data, *words, check=False, seconds=3600)
    seconds = time.monotonic() - began
    documents = [line for line in printed.splitlines() if line.startswith("{")]
    if not documents:
        raise Broken(f"replay ended with {code}: {printed.strip()}")
    return code, json.loads(documents[-1]), seconds


def show(name, document, seconds):
    say(f"{name}: {document['decisions']:,} decisions, {document['differences']} differences, {seconds:.2f} s "
        f"({document['milliseconds'] / max(1, document['compared']) * 1000:.1f} us each)")


def main():
    serials = Serials()
    for name in ("load", "customers/fill"):
        stand.tool(name)
    say(f"load average {stand.load_average():.2f} before the run")
    with World(options.build, label="replay", window=1000, settings={"limits": {"openMessages": 5_000_000}},
               simulator_settings={"keep": 0, "duplicateWindow": 0}) as place:
        place.prepare()
        stand.run_tool("customers/fill", 3600, data=place.data, master=place.folder / "master.key", count=options.customers, first=FIRST,
                       references="numbers")
        books = releases()
        write_release(place.data, books[0], 1)
        place.start_simulator()
        place.start_martlet()
        each = -(-options.decisions // (len(books) * len(REPORTS)))
        for number, book in enumerate(books, 1):
            if number > 1:
                write_release(place.data, book, number)
                stand.wait_for(f"release {number} is in use", 20, lambda: f"martlet_rulebook_release {number}" in place.metrics())
            for definition, customer, parameters in REPORTS:
                report = stand.run_tool(
                    "load", 900, port=place.ports["http"], key=place.key, connections=64, target="/v1/events", count=each, seconds=800,
                    body=EVENT % (definition, customer, parameters), first=serials.take(each),
                    **{"numbers-first": FIRST, "numbers": options.customers})
                if report["notAccepted"] or report["unanswered"]:
                    raise Broken(f"not accepted: {report['statuses']}, unanswered: {report['unanswered']}")
        counts = decided(place)
        say("made: " + ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(counts.items())))
        for outcome in ("told", "held", "suppressed"):
            if not counts.get(outcome):
                raise Broken(f"no event was {outcome}: the figure would say nothing of those")
        code, document, seconds = replay(place)
        show("beside the node", document, seconds)
        place.martlet.stop()
        code, document, seconds = replay(place)
        show("alone", document, seconds)
        if code or document["differences"] or document["damaged"] or document["decisions"] < sum(counts.values()):
            raise Broken(f"replay ended with {code}: {json.dumps(document)}")
        for number in range(1, len(books) + 1):
            code, document, seconds = replay(place, "--release", str(number))
            changes = document["changes"]
            say(f"under release {number}: {changes['count']:,} would be other ones, {changes['uncertain']:,} not certain, "
                f"parts {changes['parts']['before']:,} -> {changes['parts']['after']:,}, {seconds:.2f} s")
    say(f"load average {stand.load_average():.2f} after")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--build", choices=("release", "debug"), default="release")
    return parser.parse_args()


options = parse()
stand.run_script(main, lambda: f"Benchmarks/replay.py --decisions {options.decisions} --build {options.build}")
