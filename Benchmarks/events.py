"""Figures of events: each decided on by rulebook and customer, its text written, then sent like a ready text."""
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


def events(figures, serials, options):
    """As fast as the connections get their answers, to random ones of many customers: events and ready texts in turn, on one node."""
    ways = {"events": ("/v1/events", BODY), "ready": ("/v1/messages", READY)}
    rates, costs, latencies = ({way: [] for way in ways} for _ in range(3))
    others, ratios = [], []
    with World("release", label="events", window=options.window,
               settings={"http": {"maximumConnections": 4096}, "limits": {"openMessages": 20_000_000}},
               simulator_settings={"keep": 0, "duplicateWindow": 0}) as place:
        place.prepare()
        report = stand.run_tool("customers/fill", 3600, data=place.data, master=place.folder / "master.key", count=options.customers,
                                first=FIRST, references="numbers")
        say(f"  {options.customers:,} customers in {report['seconds']:.0f} s")
        write_release(place.data, PAYMENTS)
        place.start_simulator()
        place.operator.behave(receipts=False)
        place.start_martlet()
        for turn in range(options.repeats + 1):
            seconds = options.seconds if turn else 2            # the first warms
            beside = Others([place.martlet, place.simulator])
            for way, (target, body) in ways.items():
                sent, cpu = stand.submits(place), sum(place.martlet.cpu_seconds())
                given = {"port": place.ports["http"], "key": place.key, "connections": options.connections, "target": target, "body": body,
                         "numbers-first": FIRST, "numbers": options.customers, "first": serials.take(200_000 * seconds)}
                report = stand.run_tool("load", seconds + 60, seconds=seconds, **given)
                count = report["accepted"]
                if report["notAccepted"] or report["unanswered"]:
                    say(f"  {way}: not accepted: {report['statuses']}, unanswered: {report['unanswered']}")
                # Everybody is told: what is accepted and does not arrive was decided otherwise, and the figure would be of something else.
                tail = stand.wait_drained(place, sent + count)
                if turn:
                    rates[way].append(count / (report["seconds"] + tail))
                    costs[way].append((sum(place.martlet.cpu_seconds()) - cpu) / count * 1e6)
                    latencies[way].append(report["latency"]["p99"])
                settle(place)
            if turn:
                others.append(beside.cores())
                ratios.append(rates["events"][-1] / rates["ready"][-1] * 100)
    if not rates["events"]:
        raise Broken("nothing was measured")
    rate = Sample(rates["events"])
    figures.add(f"events: messages/s, HTTP to submit_sm, {options.customers:,} customers", rate, "{:,.0f}", ">= 25,000", rate.median >= 25_000,
                Sample(others), "events.rate")
    figures.add("  ready texts in the same minute, messages/s", Sample(rates["ready"]), "{:,.0f}", key="events.ready.rate")
    figures.add("  share of their rate, %", Sample(ratios), "{:.0f}", key="events.share")
    figures.add("  CPU of Martlet an event, us", Sample(costs["events"]), "{:.1f}", key="events.cpu")
    figures.add("  CPU of Martlet a ready text, us", Sample(costs["ready"]), "{:.1f}", key="events.ready.cpu")
    figures.add("  request to 202, p99, ms", Sample(latencies["events"]), "{:.2f}", key="events.accept.p99")
    figures.add("  the same of a ready text, ms", Sample(latencies["ready"]), "{:.2f}", key="events.ready.accept.p99")
