"""Figures of events: each decided on by rulebook and customer, its text written, then sent like a ready text."""
import contextlib
import pathlib
import sys

import stand
from stand import Broken, Others, Sample, World, say, settle

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests" / "Faults"))

from rulebook import PAYMENTS, write_release  # noqa: E402

FIRST = 999_000_000_000
# References of customers are their numbers, so that the generator needs to know no others.
BODY = ('{"definition":"card_payment","customer":"{number}","parameters":{"amount":{"amount":"1129.50","currency":"EUR"},'
        '"card":"5375411122224417","shop":"Nordic Lamps {serial}"}}')
READY = ('{"to":"+{number}","text":"Card *4417: paid 1,129.50 EUR at Nordic Lamps {serial}. Not you? Call the number on your card at once.",'
         '"from":"HARBOUR","class":"transactional"}')
WAYS = {"events": ("/v1/events", BODY), "ready": ("/v1/messages", READY)}
# What a base of customers is compared with.
FEW = 100_000


@contextlib.contextmanager
def bank(options, customers):
    """A node with so many customers and one event for all of them, and an operator without receipts."""
    with World("release", label="events", window=options.window,
               settings={"http": {"maximumConnections": 4096}, "limits": {"openMessages": 20_000_000}},
               simulator_settings={"keep": 0, "duplicateWindow": 0}) as place:
        place.prepare()
        report = stand.run_tool("customers/fill", 3600, data=place.data, master=place.folder / "master.key", count=customers,
                                first=FIRST, references="numbers")
        say(f"  {customers:,} customers in {report['seconds']:.0f} s")
        write_release(place.data, PAYMENTS)
        place.start_simulator()
        place.operator.behave(receipts=False)
        place.start_martlet()
        yield place


def send(place, way, options, serials, customers, seconds, **more):
    """Events or ready texts to random ones of the customers; the generator's report."""
    target, body = WAYS[way]
    given = {"port": place.ports["http"], "key": place.key, "connections": options.connections, "target": target, "body": body,
             "numbers-first": FIRST, "numbers": customers, "first": serials.take(200_000 * seconds), **more}
    sent = stand.submits(place)
    report = stand.run_tool("load", seconds + 60, seconds=seconds, **given)
    if report["notAccepted"] or report["unanswered"]:
        say(f"  {way}: not accepted: {report['statuses']}, unanswered: {report['unanswered']}")
    # Everybody is told: what is accepted and does not arrive was decided otherwise, and the figure would be of something else.
    report["tail"] = stand.wait_drained(place, sent + report["accepted"])
    return report


class Measured:
    """What one base of customers gave."""

    def __init__(self):
        self.rates, self.costs, self.latencies = ({way: [] for way in WAYS} for _ in range(3))
        self.others, self.ratios = [], []


def saturated(options, serials, customers, ways=("events", "ready")):
    """As fast as the connections get their answers, to random ones of many customers: events and ready texts in turn, on one node."""
    seen = Measured()
    with bank(options, customers) as place:
        for turn in range(options.repeats + 1):
            seconds = options.seconds if turn else 2            # the first warms
            beside = Others([place.martlet, place.simulator])
            for way in ways:
                cpu = sum(place.martlet.cpu_seconds())
                report = send(place, way, options, serials, customers, seconds)
                if turn:
                    seen.rates[way].append(report["accepted"] / (report["seconds"] + report["tail"]))
                    seen.costs[way].append((sum(place.martlet.cpu_seconds()) - cpu) / report["accepted"] * 1e6)
                    seen.latencies[way].append(report["latency"]["p99"])
                settle(place)
            if turn:
                seen.others.append(beside.cores())
                if len(ways) > 1:
                    seen.ratios.append(seen.rates["events"][-1] / seen.rates["ready"][-1] * 100)
    if not seen.rates["events"]:
        raise Broken("nothing was measured")
    return seen


def events(figures, serials, options):
    seen = saturated(options, serials, options.customers)
    rate = Sample(seen.rates["events"])
    figures.add(f"events: messages/s, HTTP to submit_sm, {options.customers:,} customers", rate, "{:,.0f}", ">= 25,000", rate.median >= 25_000,
                Sample(seen.others), "events.rate")
    figures.add("  ready texts in the same minute, messages/s", Sample(seen.rates["ready"]), "{:,.0f}", key="events.ready.rate")
    figures.add("  share of their rate, %", Sample(seen.ratios), "{:.0f}", key="events.share")
    figures.add("  CPU of Martlet an event, us", Sample(seen.costs["events"]), "{:.1f}", key="events.cpu")
    figures.add("  CPU of Martlet a ready text, us", Sample(seen.costs["ready"]), "{:.1f}", key="events.ready.cpu")
    figures.add("  request to 202, p99, ms", Sample(seen.latencies["events"]), "{:.2f}", key="events.accept.p99")
    figures.add("  the same of a ready text, ms", Sample(seen.latencies["ready"]), "{:.2f}", key="events.ready.accept.p99")


def customers(figures, serials, options):
    """How much slower events are where there are many customers than where there are few, one base after the other."""
    measured = {count: saturated(options, serials, count, ("events",)) for count in (FEW, options.many_customers)}
    few, many = measured[FEW], measured[options.many_customers]
    slower = Sample((1 - with_many / with_few) * 100
                    for with_few, with_many in zip(sorted(few.rates["events"]), sorted(many.rates["events"])))
    for count, one in measured.items():
        figures.add(f"events/s with {count:,} customers", Sample(one.rates["events"]), "{:,.0f}", others=Sample(one.others),
                    key=f"eventCustomers.{count}.rate")
        figures.add("  CPU of Martlet an event, us", Sample(one.costs["events"]), "{:.1f}", key=f"eventCustomers.{count}.cpu")
    figures.add("  the many slower than the few, %", slower, "{:.1f}", "<= 20", slower.median <= 20, key="eventCustomers.slower")


def latency(figures, serials, options):
    """2,000 a second at due times, events and ready texts in turn: what deciding and writing adds to the way to the wire."""
    rate = 2000
    at50, at99, accept = ({way: [] for way in WAYS} for _ in range(3))
    others = []
    with bank(options, options.customers) as place:
        for way in WAYS:
            send(place, way, options, serials, options.customers, 2, rate=rate, connections=32)
        for _ in range(options.repeats):
            beside = Others([place.martlet, place.simulator])
            for way in WAYS:
                settle(place)
                before = stand.buckets(place.metrics(), "martlet_accept_to_wire_seconds")
                report = send(place, way, options, serials, options.customers, options.seconds, rate=rate, connections=32)
                after = stand.buckets(place.metrics(), "martlet_accept_to_wire_seconds")
                for kept, share in ((at50, 0.5), (at99, 0.99)):
                    kept[way].append(stand.quantile(before, after, share) * 1e3)
                accept[way].append(report["latency"]["p99"])
            others.append(beside.cores())
    more = Sample(event - ready for event, ready in zip(at99["events"], at99["ready"]))
    figures.add("events at 2,000/s: accept to wire, p50, ms", Sample(at50["events"]), "{:.2f}", others=Sample(others),
                key="eventLatency.wire.p50")
    figures.add("  of ready texts", Sample(at50["ready"]), "{:.2f}", key="eventLatency.ready.wire.p50")
    figures.add("  accept to wire, p99, ms", Sample(at99["events"]), "{:.2f}", key="eventLatency.wire.p99")
    figures.add("  of ready texts", Sample(at99["ready"]), "{:.2f}", key="eventLatency.ready.wire.p99")
    figures.add("  events later than those at p99, ms", more, "{:.2f}", "<= 0.5", more.median <= 0.5, key="eventLatency.more.p99")
    figures.add("  due time to 202, p99, ms", Sample(accept["events"]), "{:.2f}", key="eventLatency.accept.p99")
    figures.add("  of ready texts", Sample(accept["ready"]), "{:.2f}", key="eventLatency.ready.accept.p99")
