#!/usr/bin/env python3
"""How long a search of the history takes: fills a store with messages in the projector's row shapes, then times the product's own
statements (read out of Sources/MartletStore) as a request of the desk runs them, page by page.

    Benchmarks/history.py --engine sqlite --count 10000000 --directory /tmp/history
    Benchmarks/history.py --engine postgres --count 10000000 --directory /tmp/history

A message is a row in notification, message (180 bytes sealed) and state, and four entries to search by; three in a hundred did not arrive.
They come evenly over 30 days. 1.4 customers and numbers for each message of a day, five sources. One message in a thousand goes to one and the
same customer, one in a hundred thousand was cancelled, one in fifty thousand is a sixth source's, one in ten has a mail address for a number: what is
rare and what is frequent is asked for. Each request of the desk is made as HistorySearch makes it: what is found by one value is confirmed by
the rows, for 1,000 messages at most.

Prints JSON: messages filled a second, bytes, and milliseconds (median, 99th of a hundred, worst) of a page of 50 by each way to ask, masked
state and all; then, where `cold` is not 0, the same with nothing in memory: the files are taken out of the system's memory, PostgreSQL is started anew.
`--plans` prints how each statement goes. PostgreSQL is a server of its own, made and ended here. The exit code is 1 when the 99th of a way to
ask takes longer than `--goal` milliseconds.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import statistics
import struct
import subprocess
import sys
import time

import libpq

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOW = 1_795_399_200_000
SPAN = 30 * 86_400_000
SLOT = 900_000
CUSTOMER, PHONE, EMAIL, REFERENCE, SOURCE = 1, 2, 3, 4, 5
DELIVERED, FAILED, EXPIRED, CANCELLED = 4, 5, 6, 7
# As in HistorySearch and HistoryWalk.
MOST_CANDIDATES, MOST_LOOKS, WIDEST = 1000, 12_000, 3000
MASK = (1 << 64) - 1


def mix(number, salt):
    """A hash as well mixed as a keyed one; signed, as columns hold it."""
    z = (number * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    z ^= z >> 31
    return z - (1 << 64) if z >> 63 else z


def statements():
    text = (ROOT / "Sources/MartletStore/History/HistoryStatements.swift").read_text()
    found = {}
    code = re.search(r'let code =\s*"([^"]*)"', text).group(1)
    tables = evidence()
    for name, long, short in re.findall(r'Statement\(\s*(\w+),\s*(?:"""(.*?)"""|"([^"]*)")\)', text, re.S):
        words = " ".join((long or short).split()).replace("\\(code)", code)
        found[name] = re.sub(r"\\\(EvidenceTable\.(\w+)\.selected\)", lambda table: tables[table.group(1)], words)
    return found


def evidence():
    """What is selected of each table whose rows end with a tag."""
    text = (ROOT / "Sources/MartletStore/History/EvidenceTable.swift").read_text()
    found = re.findall(r'let (\w+) = EvidenceTable\(\s*"\w+",\s*\[(.*?)\]', text, re.S)
    return {name: ", ".join(re.findall(r'"(\w+)"', columns) + ["mac"]) for name, columns in found}


def schema(engine):
    other = "postgres" if engine == "sqlite" else "sqlite"
    lines = [line for path in sorted((ROOT / "sql").glob("*.sql")) for line in path.read_text().splitlines()]
    text = "\n".join(line for line in lines if f"-- @{other}" not in line)
    return text if engine == "postgres" else re.sub(r"BYTEA", "BLOB", re.sub(r"BIGINT|SMALLINT|INTEGER", "INTEGER", text))


class Shape:
    """What a message of a number is like; the same in both fillings."""

    def __init__(self, count):
        self.count = count
        self.people = max(1, int(count / 30 * 1.4))

    def at(self, n):
        return NOW - SPAN + n * SPAN // self.count

    def id(self, n):
        return struct.pack(">QQ", self.at(n) << 16 | 0x7000 | n % 16, 0x8000000000000000 | (mix(n, 1) & 0x3FFFFFFFFFFFFF) << 8)

    def person(self, n):
        return 0 if n % 1000 == 7 else (mix(n, 2) & MASK) % self.people

    def state(self, n):
        if n % 100_000 == 50:
            return CANCELLED
        return FAILED if n % 100 < 2 else EXPIRED if n % 100 == 2 else DELIVERED

    def source(self, n):
        return 6 if n % 50_000 == 9 else n % 5 + 1

    def of_class(self, n):
        return 2 if n % 20 == 11 else 4

    def entries(self, n, at, id):
        slot, person = at // SLOT, self.person(n)
        address = (EMAIL, mix(person, 6)) if n % 10 == 3 else (PHONE, mix(person, 4))
        return [(slot, CUSTOMER, mix(person, 3), id), (slot, *address, id), (slot, REFERENCE, mix(n, 5), id), (slot, SOURCE, self.source(n), id)]


def drop(folder):
    """Takes all files below out of the system's memory, so that the next look reads the disk."""
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


class Lite:
    def __init__(self, directory):
        self.path = directory / "history.db"
        self.open()

    def open(self):
        self.db = sqlite3.connect(self.path)
        self.db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536")

    def cold(self):
        self.db.close()
        drop(self.path.parent)
        self.open()

    def fill(self, shape):
        self.db.executescript(schema("sqlite"))
        step = 50_000
        for start in range(0, shape.count, step):
            rows = [(n, shape.at(n), shape.id(n)) for n in range(start, min(start + step, shape.count))]
            with self.db:
                many = self.db.executemany
                many("INSERT INTO notification (id, source, class, received_at, deadline, key_id, mac) VALUES (?, ?, ?, ?, ?, 1, ?)",
                     [(i, shape.source(n), shape.of_class(n), at, at + 86_400_000, mix(n, 8)) for n, at, i in rows])
                many("INSERT INTO message (id, channel, parts, key_id, sealed, mac) VALUES (?, 1, 1, 1, ?, ?)", [(i, i * 11 + b"1234", i) for n, at, i in rows])
                many("INSERT INTO state VALUES (?, 9, ?, ?, 0, 1, 1, ?, ?, NULL, NULL, ?)",
                     [(i, shape.state(n), 1 if shape.state(n) == FAILED else 0, at, at, i) for n, at, i in rows])
                many("INSERT INTO lookup VALUES (?, ?, ?, ?)", sorted(one for n, at, i in rows for one in shape.entries(n, at, i)))
                many("INSERT INTO undelivered VALUES (?, ?, ?, ?)",
                     [(i, shape.state(n), 1, shape.source(n)) for n, at, i in rows if shape.state(n) != DELIVERED])
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def size(self):
        return self.path.stat().st_size

    def rows(self, sql, values):
        return self.db.execute(sql, {str(k + 1): v for k, v in enumerate(values)}).fetchall()

    def plan(self, sql, values):
        return [row[3] for row in self.rows("EXPLAIN QUERY PLAN " + sql, values)]

    def close(self):
        self.db.close()


class Postgres:
    """Filled through psql, asked through libpq: what it costs a script to read the answers is in the figures."""

    def __init__(self, directory):
        tools = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.data = directory / "pg"
        self.data.mkdir()
        self.prefix = []
        if os.getuid() == 0:
            shutil.chown(self.data, "nobody", "nogroup")
            directory.chmod(0o755)
            self.prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        run = dict(check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        subprocess.run(self.prefix + [tools / "initdb", "-D", self.data / "data", "-U", "owner", "-A", "trust", "--locale=C", "-E", "UTF8"], **run)
        options = ["listen_addresses=", f"unix_socket_directories={self.data}", "shared_buffers=256MB", "max_wal_size=4GB", "jit=off"]
        words = [tools / "postgres", "-D", self.data / "data"]
        for option in options:
            words += ["-c", option]
        self.words = words
        self.tools = tools
        self.open()

    def open(self):
        self.server = subprocess.Popen(self.prefix + self.words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        tools = self.tools
        url = ["-X", "-q", "-A", "-t", "-h", str(self.data), "-U", "owner", "postgres"]
        for _ in range(200):
            if subprocess.run([tools / "psql", *url, "-c", "SELECT 1"], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        self.psql = subprocess.Popen([tools / "psql", *url, "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.asking = libpq.Connection(f"host={self.data} user=owner dbname=postgres")

    def cold(self):
        self.close()
        drop(self.data)
        self.open()

    def say(self, sql):
        self.psql.stdin.write(sql + ";\n\\echo :end:\n")
        self.psql.stdin.flush()
        lines = []
        while True:
            line = self.psql.stdout.readline()
            if not line:
                raise SystemExit(f"psql ended at: {sql[:200]}")
            if line.strip() == ":end:":
                return lines
            lines.append(line.strip())

    def fill(self, shape):
        self.say(schema("postgres"))
        for table in ["notification", "message", "state", "undelivered", "attempt", "receipt", "inbound", "lookup"]:
            # The month before, and this one: as the product cuts them.
            for name, low, high in [("a", 0, 1_793_491_200_000), ("b", 1_793_491_200_000, 1_796_083_200_000)]:
                if table == "lookup":
                    bounds = f"FROM ({low // SLOT}) TO ({high // SLOT})"
                else:
                    bounds = f"FROM ('\\x{low:012x}{0:020x}') TO ('\\x{high:012x}{0:020x}')"
                room = " WITH (fillfactor = 80)" if table == "state" else ""
                self.say(f"CREATE TABLE {table}_{name} PARTITION OF {table} FOR VALUES {bounds}{room}")
        self.copies(shape)
        self.say("ANALYZE")

    def copies(self, shape):
        step = 50_000
        for start in range(0, shape.count, step):
            rows = [(n, shape.at(n), shape.id(n)) for n in range(start, min(start + step, shape.count))]
            tables = {
                "notification (id, source, class, received_at, deadline, key_id, mac)":
                    [f"\\\\x{i.hex()}\t{shape.source(n)}\t{shape.of_class(n)}\t{at}\t{at + 86_400_000}\t1\t{mix(n, 8)}" for n, at, i in rows],
                "message (id, channel, parts, key_id, sealed, mac)":
                    [f"\\\\x{i.hex()}\t1\t1\t1\t\\\\x{(i * 11 + b'1234').hex()}\t\\\\x{i.hex()}" for n, at, i in rows],
                "state": [
                    f"\\\\x{i.hex()}\t9\t{shape.state(n)}\t{1 if shape.state(n) == FAILED else 0}\t0\t1\t1\t{at}\t{at}\t\\N\t\\N\t\\\\x{i.hex()}"
                    for n, at, i in rows],
                "undelivered": [
                    f"\\\\x{i.hex()}\t{shape.state(n)}\t1\t{shape.source(n)}" for n, at, i in rows if shape.state(n) != DELIVERED],
            }
            entries = sorted(one for n, at, i in rows for one in shape.entries(n, at, i))
            tables["lookup"] = [f"{s}\t{k}\t{h}\t\\\\x{i.hex()}" for s, k, h, i in entries]
            for table, lines in tables.items():
                if lines:
                    self.psql.stdin.write(f"COPY {table} FROM STDIN;\n" + "\n".join(lines) + "\n\\.\n")
            self.say("SELECT 1")

    def size(self):
        return int(self.say("SELECT pg_database_size(current_database())")[0])

    def literal(self, value):
        return f"'\\x{value.hex()}'" if isinstance(value, bytes) else str(value)

    def rows(self, sql, values):
        return self.asking.rows(re.sub(r"\?(\d+)", r"$\1", sql), values)

    def plan(self, sql, values):
        text = re.sub(r"\?(\d+)", lambda m: self.literal(values[int(m[1]) - 1]), sql)
        return self.say("EXPLAIN (ANALYZE, BUFFERS) " + text)

    def close(self):
        self.asking.close()
        self.psql.stdin.close()
        self.psql.wait()
        self.server.terminate()
        self.server.wait()


# --- a request, as HistorySearch makes it ----------------------------------------------------------------------------

def bound(milliseconds):
    """The first id of a millisecond."""
    return struct.pack(">Q", milliseconds << 16) + bytes(8)


def moment(id):
    return struct.unpack(">Q", id[:8])[0] >> 16


class Request:
    """One request for a page of 50: a walk along what fewest messages have, each proposal confirmed by its rows."""

    def __init__(self, store, sql, begin=NOW - SPAN, end=NOW, limit=50):
        self.store, self.sql, self.limit = store, sql, limit
        self.first, self.below = bound(begin), bound(end)
        self.begin, self.looks, self.width = begin, MOST_LOOKS, 96

    def ask(self, name, *values):
        return self.store.rows(self.sql[name], list(values))

    def slot(self):
        """Of the newest id that is still wanted."""
        return (moment(self.below) - (self.below[8:] == bytes(8) and self.below[:8] == bound(moment(self.below))[:8])) // SLOT

    def fits(self, id, others=(), origin=None, state=None):
        """Whether the message has the other values too, and its rows are as wanted; of one that is not, no more is read."""
        for kind, value in others:
            if not self.ask("has", moment(id) // SLOT, kind, value, id[:15] + b"\0", id[:15] + b"\xff"):
                return False
        low, high = id[:15] + b"\0", id[:15] + b"\xff"
        found = self.ask("notification", low, high)
        if not found or origin and not origin(*found[0][1:3]):
            return False
        if (self.ask("states", low, high)[0][2] != state) if state else not self.ask("states", low, high):
            return False
        return bool(self.ask("messages", low, high))

    def collect(self, step, others=(), **wanted):
        """How many messages the page has."""
        found, looked = 0, 0
        while self.below > self.first and self.looks > 0 and looked < MOST_CANDIDATES:
            for id in step():
                looked += 1
                found += self.fits(id, others, **wanted)
                if found == self.limit:
                    return found
        return found

    def by_value(self, kind, value, *others, **wanted):
        def step():
            newest = self.slot()
            oldest = max(moment(self.first) // SLOT, newest - min(self.width, self.looks) + 1)
            self.looks -= newest - oldest + 9
            rows = self.ask("search", kind, value, newest, oldest, self.below, self.limit)
            if len(rows) == self.limit:
                self.below = rows[-1][0]
            else:
                self.below = max(self.first, bound(oldest * SLOT))
                self.width = min(self.width * 4, WIDEST)
            return [one[0] for one in rows]
        return self.collect(step, others, **wanted)

    def by_source(self, source, **wanted):
        def step():
            slot = self.slot()
            self.looks -= 4
            rows = self.ask("searchSlot", SOURCE, source, slot, self.below, self.limit)
            self.below = rows[-1][0] if len(rows) == self.limit else max(self.first, bound(slot * SLOT))
            return [one[0] for one in rows]
        return self.collect(step, **wanted)

    def by_end(self, end, source=None, **wanted):
        def step():
            self.looks -= 8
            rows = self.ask("undelivered", end, self.below, self.first, self.limit)
            self.below = rows[-1][0] if len(rows) == self.limit else self.first
            return [one[0] for one in rows if source is None or one[2] == source]
        return self.collect(step, **wanted)

    def by_time(self, **wanted):
        def step():
            self.looks -= 8
            rows = self.ask("recent", self.below, self.first, self.limit)
            self.below = rows[-1][0] if len(rows) == self.limit else self.first
            return [one[0] for one in rows]
        return self.collect(step, **wanted)


def asks(store, sql, shape, dice):
    """Ways to ask, by what a person would call them; each answers how many messages it found."""
    def request(**more):
        return Request(store, sql, **more)

    def person():
        return dice.randrange(1, shape.people)

    def hour():
        begin = NOW - 3_600_000 - dice.randrange(SPAN - 3_600_000)
        return {"begin": begin, "end": begin + 3_600_000}

    def of_source(wanted):
        return lambda source, _: source == wanted

    def of_class(wanted):
        return lambda _, found: found == wanted

    def with_reference():
        n = dice.randrange(shape.count)
        return request().by_value(REFERENCE, mix(n, 5), (CUSTOMER, mix(shape.person(n), 3)))

    return {
        "id": lambda: request().fits(shape.id(dice.randrange(shape.count))),
        "customer": lambda: request().by_value(CUSTOMER, mix(person(), 3)),
        "customer, frequent": lambda: request().by_value(CUSTOMER, mix(0, 3)),
        "phone": lambda: request().by_value(PHONE, mix(person(), 4)),
        "phone, frequent": lambda: request().by_value(PHONE, mix(0, 4)),
        "phone, unknown": lambda: request().by_value(PHONE, mix(dice.randrange(1 << 40), 9)),
        "mail": lambda: request().by_value(EMAIL, mix(person(), 6)),
        "reference": lambda: request().by_value(REFERENCE, mix(dice.randrange(shape.count), 5)),
        "source, frequent": lambda: request().by_source(dice.randrange(5) + 1),
        "source, rare": lambda: request().by_source(6),
        "state failed": lambda: request(end=NOW - dice.randrange(SPAN)).by_end(FAILED),
        "state cancelled, rare": lambda: request().by_end(CANCELLED),
        "state delivered": lambda: request(end=NOW - dice.randrange(SPAN)).by_time(state=DELIVERED),
        "time": lambda: request(**hour()).by_time(),
        "class, rare": lambda: request(end=NOW - dice.randrange(SPAN)).by_time(origin=of_class(2)),
        "customer and reference": with_reference,
        "phone and state failed": lambda: request().by_value(PHONE, mix(person(), 4), state=FAILED),
        "frequent phone, state failed, time": lambda: request(**hour()).by_value(PHONE, mix(0, 4), state=FAILED),
        "frequent customer and a source": lambda: request().by_value(CUSTOMER, mix(0, 3), origin=of_source(1)),
        "source and state failed": lambda: request().by_end(FAILED, source=1),
        "source and time": lambda: request(**hour()).by_source(2),
        "rare source and state failed": lambda: request().by_end(FAILED, source=6),
        # The most that a request does: 1,000 messages looked at, none fits.
        "source and a class nobody has": lambda: request().by_source(3, origin=of_class(9)),
    }


def timed(ways, count, before=lambda: None):
    found = {}
    for name, ask in ways.items():
        before()
        times = []
        for _ in range(count):
            began = time.monotonic()
            ask()
            times.append((time.monotonic() - began) * 1000)
        times.sort()
        found[name] = [round(one, 1) for one in (statistics.median(times), times[min(len(times) - 1, len(times) * 99 // 100)], times[-1])]
    return found


def plans(store, sql, shape):
    newest, top, bottom = NOW // SLOT, bound(NOW), bound(NOW - SPAN)
    asked = {
        "search": [PHONE, mix(1, 4), newest, newest - 2879, top, 50], "searchSlot": [SOURCE, 1, newest - 5, top, 50],
        "has": [newest - 5, PHONE, mix(1, 4), bottom, top], "undelivered": [5, top, bottom, 50], "recent": [top, bottom, 50],
        "states": [shape.id(5), shape.id(5)],
    }
    return {name: store.plan(sql[name], values) for name, values in asked.items()}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    arguments.add_argument("--count", type=int, default=1_000_000)
    arguments.add_argument("--directory", default="/tmp/martlet-history")
    arguments.add_argument("--asks", type=int, default=100, help="of each way")
    arguments.add_argument("--cold", type=int, default=5, help="asks of each way with nothing in memory; 0: none")
    arguments.add_argument("--goal", type=float, default=1000, help="milliseconds")
    arguments.add_argument("--plans", action="store_true")
    options = arguments.parse_args()
    directory = pathlib.Path(options.directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    store = (Lite if options.engine == "sqlite" else Postgres)(directory)
    shape, sql, dice = Shape(options.count), statements(), random.Random(7)
    slow = []
    try:
        began, cpu = time.monotonic(), time.process_time()
        store.fill(shape)
        seconds = time.monotonic() - began
        result = {
            "engine": options.engine, "messages": options.count, "filled_per_second": round(options.count / seconds),
            "cpu_share_of_this_script": round((time.process_time() - cpu) / seconds, 2), "bytes": store.size(),
        }
        if options.plans:
            result["plans"] = plans(store, sql, shape)
        ways = asks(store, sql, shape, dice)
        result["milliseconds"] = timed(ways, options.asks)
        if options.cold:
            result["cold_milliseconds"] = timed(ways, options.cold, before=store.cold)
        slow = [name for name, (_, late, _) in result["milliseconds"].items() if late > options.goal]
        result |= {"slower_than_goal": slow, "load": round(os.getloadavg()[0], 1)}
        print(json.dumps(result, indent=1))
    finally:
        store.close()
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
