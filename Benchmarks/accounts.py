"""Figures of many sender systems over SMPP: what a hundred that do nothing cost, and whether bad receivers of receipts harm the others."""
import selectors
import socket
import struct
import subprocess
import threading
import time

import stand
from stand import Broken, Others, Sample, Unusable, World, settle

PASSWORD = "seaside"
BIND, SUBMIT, DELIVER, ENQUIRE = 9, 4, 5, 0x15


def world_of_accounts(label, names):
    """A world whose Martlet knows these SMPP accounts, each with a source of its own; `port` is where they bind."""
    place = World("release", label=label, window=200, simulator_settings={"keep": 0, "duplicateWindow": 0})
    password = place.folder / "account.password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    place.port = stand.free_port()
    place.lay_over({
        "bootstrap": {"sources": [{"name": name, "scopes": ["send", "read"]} for name in names]},
        "smpp": {"listen": f"127.0.0.1:{place.port}", "accounts": [
            {"systemId": name, "passwordFile": str(password), "source": name, "window": 200, "deliverWindow": 50} for name in names]}})
    place.prepare()
    place.start_simulator()
    place.start_martlet()
    return place


class Account:
    """One bind by hand: octets in, octets out."""

    def __init__(self, port, name):
        self.link = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""
        self.deliveries = 0
        self.put(BIND, 1, name.encode() + b"\0" + PASSWORD.encode() + b"\0\0\x34\0\0\0")
        command, status, _, _ = self.read()
        if command != 0x80000000 | BIND or status:
            raise Unusable(f"the bind of {name} was refused: {status:#x}")

    def put(self, command, sequence, body=b"", status=0):
        self.link.sendall(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)

    def read(self):
        """(command, status, sequence, body) of the next PDU; ends with an error where the connection does."""
        while len(self.held) < 4 or len(self.held) < struct.unpack(">I", self.held[:4])[0]:
            more = self.link.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.held += more
        length, command, status, sequence = struct.unpack(">IIII", self.held[:16])
        body, self.held = self.held[16:length], self.held[length:]
        return command, status, sequence, body

    def submit(self, count):
        """So many messages that ask for a receipt, all answered."""
        open_ones, sent, answered = 0, 0, 0
        while answered < count:
            while sent < count and open_ones < 100:
                text = b"for a bad receiver %d" % sent
                self.put(SUBMIT, sent + 2, b"\0\5\0HARBOUR\0\1\1447700900123\0\0\0\0\0\0\1\0\0\0" + bytes([len(text)]) + text)
                sent, open_ones = sent + 1, open_ones + 1
            command, status, _, _ = self.read()
            if command == 0x80000000 | SUBMIT:
                if status:
                    raise Broken(f"a submit was refused: {status:#x}")
                answered, open_ones = answered + 1, open_ones - 1
            elif command == DELIVER:
                self.deliveries += 1


# --- a hundred that do nothing ---------------------------------------------------------------------------------------

def idle(figures, options):
    """Accounts that are bound and only answer enquire_link, at its default interval of 30 s: CPU of Martlet and its memory."""
    count, seconds = options.accounts, max(10, 3 * options.seconds)
    cores, alone, each, others = [], [], [], []
    for _ in range(options.repeats):
        with world_of_accounts("idle", [f"idle{number}" for number in range(count)]) as place:
            settle(place)
            alone.append(cpu_share(place, max(5, seconds // 3)) * 100)
            before = place.martlet.anonymous_bytes()
            binds = [Account(place.port, f"idle{number}") for number in range(count)]
            stop = threading.Event()
            answering = threading.Thread(target=answer_enquiries, args=(binds, stop), daemon=True)
            answering.start()
            settle(place)
            beside = Others([place.martlet, place.simulator])
            cores.append(cpu_share(place, seconds) * 100)
            others.append(beside.cores())
            each.append((place.martlet.anonymous_bytes() - before) / count / 1024)
            bound = f"martlet_smpp_server_connections {count}"
            if bound not in place.metrics():
                raise Broken(f"not all of the {count} accounts stayed bound")
            stop.set()
            answering.join(5)
            for one in binds:
                one.link.close()
    figures.add(f"{count} SMPP accounts bound and idle: CPU of Martlet, % of a core", Sample(cores), "{:.2f}", others=Sample(others),
                key="idle.cpu")
    figures.add("  the same with none bound, %", Sample(alone), "{:.2f}", key="idle.alone")
    figures.add("  anonymous memory a bind, KiB", Sample(each), "{:.1f}", key="idle.memory")


def cpu_share(place, seconds):
    began, before = time.monotonic(), sum(place.martlet.cpu_seconds())
    time.sleep(seconds)
    return (sum(place.martlet.cpu_seconds()) - before) / (time.monotonic() - began)


def answer_enquiries(binds, stop):
    selector = selectors.DefaultSelector()
    for one in binds:
        selector.register(one.link, selectors.EVENT_READ, one)
    while not stop.is_set():
        for key, _ in selector.select(0.5):
            try:
                command, _, sequence, _ = key.data.read()
                if command == ENQUIRE:
                    key.data.put(0x80000000 | ENQUIRE, sequence)
            except OSError:
                selector.unregister(key.fileobj)


# --- bad receivers ---------------------------------------------------------------------------------------------------

def receivers(figures, serials, options):
    """Three good accounts at a fixed pace, each message with a receipt; then the same beside one that is away, one that takes two
    seconds over each receipt, and one that reads nothing more, each with a backlog of receipts."""
    good, rate, backlog = ["good1", "good2", "good3"], 500, 5000
    found = {name: {"rate": [], "p50": [], "p99": []} for name in ("alone", "beside")}
    others = []
    for _ in range(options.repeats):
        with world_of_accounts("receivers", [*good, "away", "slow", "dead"]) as place:
            paced(place, good, serials, rate, 2)                 # warms
            settle(place)
            note(found["alone"], paced(place, good, serials, rate, options.seconds))
            place.operator.behave(receiptAfterMs=1000)           # so that none comes before its receiver is bad
            bad = {name: Account(place.port, name) for name in ("away", "slow", "dead")}
            for one in bad.values():
                one.submit(backlog)
            bad.pop("away").link.close()
            stop = threading.Event()
            crawling = threading.Thread(target=crawl, args=(bad["slow"], stop), daemon=True)
            crawling.start()
            time.sleep(1.5)
            place.operator.behave(receiptAfterMs=0)
            beside = Others([place.martlet, place.simulator])
            note(found["beside"], paced(place, good, serials, rate, options.seconds))
            others.append(beside.cores())
            stop.set()
            crawling.join(5)
            if not bad["slow"].deliveries:
                raise Broken("the slow receiver got no receipt at all")
            for one in bad.values():
                one.link.close()
    alone, beside = ({key: Sample(values) for key, values in found[name].items()} for name in ("alone", "beside"))
    name = f"receipts of 3 accounts at {3 * rate:,}/s beside bad receivers, receipts/s"
    figures.add(name, beside["rate"], "{:,.0f}", ">= 99 % of alone", beside["rate"].median >= 0.99 * alone["rate"].median, Sample(others),
                "receivers.beside.rate")
    figures.add("  alone, receipts/s", alone["rate"], "{:,.0f}", key="receivers.alone.rate")
    bound = max(2 * alone["p99"].median, alone["p99"].median + 5)
    figures.add("  submit to receipt beside them, p99, ms", beside["p99"], "{:.2f}", f"<= {bound:.1f}", beside["p99"].median <= bound,
                key="receivers.beside.p99")
    figures.add("  alone, p99, ms", alone["p99"], "{:.2f}", key="receivers.alone.p99")
    figures.add("  beside them, p50, ms", beside["p50"], "{:.2f}", key="receivers.beside.p50")
    figures.add("  alone, p50, ms", alone["p50"], "{:.2f}", key="receivers.alone.p50")


def paced(place, names, serials, rate, seconds):
    """Reports of `esme` for each account, run at the same time."""
    runs = []
    for name in names:
        given = {"port": place.port, "system-id": name, "password": PASSWORD, "binds": 1, "window": 200, "seconds": seconds,
                 "receipts": 1, "rate": rate, "first": serials.take(2 * rate * seconds)}
        words = [stand.tool("esme")] + [word for key, value in given.items() for word in (f"--{key}", str(value))]
        runs.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    reports = []
    for run in runs:
        try:
            out, error = run.communicate(timeout=seconds + 60)
        except subprocess.TimeoutExpired:
            run.kill()
            raise
        if run.returncode:
            raise Broken(f"esme ended with {run.returncode}: {error.strip()}")
        reports.append(stand.json.loads(out))
    for one in reports:
        if one["notAccepted"] or one["unanswered"] or one["receipts"] != one["accepted"]:
            raise Broken(f"a good account did not get all of its answers and receipts: {one}")
    return reports


def note(found, reports):
    found["rate"].append(sum(one["receipts"] / one["secondsToLastReceipt"] for one in reports))
    found["p50"].append(max(one["receiptWait"]["p50"] for one in reports))
    found["p99"].append(max(one["receiptWait"]["p99"] for one in reports))


def crawl(account, stop):
    """Takes two seconds over each receipt."""
    account.link.settimeout(0.5)
    while not stop.is_set():
        try:
            command, _, sequence, _ = account.read()
        except TimeoutError:
            continue
        except OSError:
            return
        if command == DELIVER:
            stop.wait(2)
            account.deliveries += 1
            account.put(0x80000000 | DELIVER, sequence, b"\0")
        elif command == ENQUIRE:
            account.put(0x80000000 | ENQUIRE, sequence)
