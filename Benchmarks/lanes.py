"""Figures of many at once: batches taken in while sending drains, and one-time codes beside a mailing of a million."""
import time

import stand
from stand import Broken, Others, Sample, World, say, settle, wait_for


def batch(figures, serials, options):
    """NDJSON batches over a few connections as fast as their answers come, while everything accepted goes out, too."""
    rates, sending, costs, others = [], [], [], []
    seconds = options.batch_seconds
    for _ in range(options.repeats):
        with World("release", label="batch", window=1000, settings={"limits": {"openMessages": 20_000_000}},
                   simulator_settings={"keep": 0, "duplicateWindow": 0}) as place:
            place.prepare()
            place.start_simulator()
            place.operator.behave(receipts=False)
            place.start_martlet()
            given = {"port": place.ports["http"], "key": place.key, "connections": 4, "lines": 1000}
            warm = stand.run_tool("batch", 90, **given, seconds=1, first=serials.take(1_000_000))
            stand.wait_drained(place, warm["accepted"])
            settle(place)
            sent, cpu = stand.submits(place), sum(place.martlet.cpu_seconds())
            beside, began = Others([place.martlet, place.simulator]), time.monotonic()
            report = stand.run_tool("batch", seconds + 90, **given, seconds=seconds, first=serials.take(1_000_000 * seconds))
            sending.append((stand.submits(place) - sent) / (time.monotonic() - began))
            others.append(beside.cores())
            if report["notAccepted"] or report["unanswered"]:
                raise Broken(f"not every line was accepted: {report}")
            # What is a queue at the end must come out too, all of it.
            stand.wait_drained(place, sent + report["accepted"], seconds=600)
            rates.append(report["rate"])
            costs.append((sum(place.martlet.cpu_seconds()) - cpu) / report["accepted"] * 1e6)
    rate = Sample(rates)
    figures.add(f"batch intake: lines/s accepted for {seconds} s, sending on", rate, "{:,.0f}", ">= 120,000", rate.median >= 120_000,
                Sample(others), "batch.rate")
    figures.add("  sent on meanwhile, messages/s", Sample(sending), "{:,.0f}", key="batch.sending")
    figures.add("  CPU of Martlet a message, sending included, us", Sample(costs), "{:.1f}", key="batch.cpu")


def codes(figures, serials, options):
    """A mailing of a million waits on a bind that takes 100 a second; ten codes a second pass it. Nothing of the bind is lost by that."""
    wanted, seconds, pace, rate = options.million, options.codes_seconds, 100, 10
    medians, latest, shares, totals, others = [], [], [], [], []
    for _ in range(options.repeats):
        with World("release", label="codes", window=100,
                   settings={"limits": {"openMessages": 2 * wanted + 1_000_000}, "connections": [{"messagesPerSecond": pace}]},
                   simulator_settings={"keep": 0, "duplicateWindow": 0}) as place:
            place.prepare()
            place.start_simulator()
            place.operator.behave(receipts=False)
            place.start_martlet()
            given = {"port": place.ports["http"], "key": place.key, "connections": 4}
            queued, began = 0, time.monotonic()
            while queued < wanted:
                if time.monotonic() - began > 300:
                    raise Broken(f"only {queued} of {wanted} were accepted in 300 s")
                queued += stand.run_tool("batch", 90, **given, seconds=1, first=serials.take(1_000_000))["accepted"]
            settle(place)
            wait_for("the mailing flows", 10, lambda: stand.submits(place) > 0, otherwise=Broken)
            before = stand.buckets(place.metrics(), "martlet_accept_to_wire_seconds", 'class="otp"')
            sent, at = stand.submits(place), time.monotonic()
            beside = Others([place.martlet, place.simulator])
            body = ('{"to":"+{number}","text":"{serial} is your code for Harbour Bank.","from":"HARBOUR","class":"otp"}')
            report = stand.run_tool("load", seconds + 60, **given, rate=rate, seconds=seconds, body=body,
                                    first=serials.take(rate * seconds))
            elapsed, through = time.monotonic() - at, stand.submits(place) - sent
            others.append(beside.cores())
            after = stand.buckets(place.metrics(), "martlet_accept_to_wire_seconds", 'class="otp"')
            count = max(after.values()) - max(before.values(), default=0)
            if count < report["accepted"]:
                raise Broken(f"{report['accepted']} codes were accepted and {count:.0f} are on the wire")
            medians.append(stand.quantile(before, after, 0.5) * 1e3)
            latest.append(stand.quantile(before, after, 0.99) * 1e3)
            shares.append((through - count) / elapsed / pace * 100)
            totals.append(through / elapsed / pace * 100)
    late, share = Sample(latest), Sample(shares)
    figures.add(f"{rate} codes/s beside {wanted:,} queued on {pace}/s: accept to wire, p99, ms", late, "{:.1f}", "<= 100",
                late.median <= 100, Sample(others), "codes.p99")
    figures.add("  p50, ms", Sample(medians), "{:.1f}", key="codes.p50")
    figures.add("  the mailing's share of the bind, %", share, "{:.1f}", ">= 80", share.median >= 80, key="codes.share")
    figures.add("  use of the bind by both, %", Sample(totals), "{:.1f}", key="codes.use")
    say(f"  {wanted:,} were queued each time, codes for {seconds} s")
