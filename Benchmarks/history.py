#!/usr/bin/env python3
"""How long a search of the history takes: fills a store with messages in the projector's row shapes, then times the product's own
statements (read out of Sources/MartletStore) as a request of the desk runs them, page by page.

    Benchmarks/history.py --engine sqlite --count 1000000 --directory /tmp/history
    Benchmarks/history.py --engine postgres --count 1000000 --directory /tmp/history

A message is a row in notification, message (180 bytes sealed) and state, and four entries to search by; three in a hundred did not arrive.
They come evenly over 30 days. 1.4 customers and numbers for each message of a day, five sources. Prints one line of JSON: rows a
second, bytes, and milliseconds (median, 99th of a hundred, worst) of a page of 50 by each way to ask, masked state and all. PostgreSQL is a
server of its own, made and ended here.
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
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOW = 1_795_399_200_000
SPAN = 30 * 86_400_000
SLOT = 900_000
PHONE, REFERENCE, SOURCE, CUSTOMER = 2, 4, 5, 1
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
    for name, long, short in re.findall(r'Statement\(\s*(\w+),\s*(?:"""(.*?)"""|"([^"]*)")\)', text, re.S):
        found[name] = " ".join((long or short).split()).replace("\\(code)", code)
    return found


def schema(engine):
    other = "postgres" if engine == "sqlite" else "sqlite"
    lines = [line for name in ("0001-store.sql", "0006-search-parts.sql") for line in (ROOT / "sql" / name).read_text().splitlines()]
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
        return (mix(n, 2) & MASK) % self.people

    def state(self, n):
        return 5 if n % 100 < 2 else 6 if n % 100 == 2 else 4


class Lite:
    def __init__(self, directory):
        path = directory / "history.db"
        self.path = path
        self.db = sqlite3.connect(path)
        self.db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536")

    def fill(self, shape):
        self.db.executescript(schema("sqlite"))
        step = 50_000
        for start in range(0, shape.count, step):
            rows = [(n, shape.at(n), shape.id(n)) for n in range(start, min(start + step, shape.count))]
            with self.db:
                many = self.db.executemany
                many("INSERT INTO notification (id, source, class, received_at, deadline, key_id) VALUES (?, ?, 4, ?, ?, 1)",
                     [(i, n % 5 + 1, at, at + 86_400_000) for n, at, i in rows])
                many("INSERT INTO message VALUES (?, 1, 1, 1, ?)", [(i, i * 11 + b"1234") for n, at, i in rows])
                many("INSERT INTO state VALUES (?, 9, ?, ?, 0, 1, 1, ?, ?, NULL, NULL, ?)",
                     [(i, shape.state(n), 1 if shape.state(n) == 5 else 0, at, at, i) for n, at, i in rows])
                entries = []
                for n, at, i in rows:
                    slot, person = at // SLOT, shape.person(n)
                    entries += [(slot, CUSTOMER, mix(person, 3), i), (slot, PHONE, mix(person, 4), i),
                                (slot, REFERENCE, mix(n, 5), i), (slot, SOURCE, n % 5 + 1, i)]
                entries.sort()
                many("INSERT INTO lookup VALUES (?, ?, ?, ?)", entries)
                many("INSERT INTO undelivered VALUES (?, ?, ?, ?)",
                     [(i, shape.state(n), 1, n % 5 + 1) for n, at, i in rows if shape.state(n) != 4])
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
    """Through psql in one session: what its answers cost to read is in the figures."""

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
        self.server = subprocess.Popen(self.prefix + words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        url = ["-X", "-q", "-A", "-t", "-h", str(self.data), "-U", "owner", "postgres"]
        for _ in range(200):
            if subprocess.run([tools / "psql", *url, "-c", "SELECT 1"], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        self.psql = subprocess.Popen([tools / "psql", *url, "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.prepared = {}

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
        first = (NOW - SPAN) << 16
        for table in ["notification", "message", "state", "undelivered", "attempt", "receipt", "inbound", "lookup"]:
            # The month before, and this one: as the product cuts them.
            for name, low, high in [("a", 0, 1_793_491_200_000), ("b", 1_793_491_200_000, 1_796_083_200_000)]:
                if table == "lookup":
                    bounds = f"FROM ({low // SLOT}) TO ({high // SLOT})"
                else:
                    bounds = f"FROM ('\\x{low:012x}{0:020x}') TO ('\\x{high:012x}{0:020x}')"
                room = " WITH (fillfactor = 80)" if table == "state" else ""
                self.say(f"CREATE TABLE {table}_{name} PARTITION OF {table} FOR VALUES {bounds}{room}")
        del first
        self.copies(shape)
        self.say("ANALYZE")

    def copies(self, shape):
        step = 50_000
        for start in range(0, shape.count, step):
            rows = [(n, shape.at(n), shape.id(n)) for n in range(start, min(start + step, shape.count))]
            tables = {
                "notification (id, source, class, received_at, deadline, key_id)":
                    [f"\\\\x{i.hex()}\t{n % 5 + 1}\t4\t{at}\t{at + 86_400_000}\t1" for n, at, i in rows],
                "message": [f"\\\\x{i.hex()}\t1\t1\t1\t\\\\x{(i * 11 + b'1234').hex()}" for n, at, i in rows],
                "state": [
                    f"\\\\x{i.hex()}\t9\t{shape.state(n)}\t{1 if shape.state(n) == 5 else 0}\t0\t1\t1\t{at}\t{at}\t\\N\t\\N\t\\\\x{i.hex()}"
                    for n, at, i in rows],
                "undelivered": [
                    f"\\\\x{i.hex()}\t{shape.state(n)}\t1\t{n % 5 + 1}" for n, at, i in rows if shape.state(n) != 4],
            }
            entries = []
            for n, at, i in rows:
                slot, person = at // SLOT, shape.person(n)
                entries += [(slot, CUSTOMER, mix(person, 3), i), (slot, PHONE, mix(person, 4), i),
                            (slot, REFERENCE, mix(n, 5), i), (slot, SOURCE, n % 5 + 1, i)]
            entries.sort()
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
        if sql not in self.prepared:
            self.prepared[sql] = f"s{len(self.prepared)}"
            self.say(f"PREPARE {self.prepared[sql]} AS " + re.sub(r"\?(\d+)", r"$\1", sql))
        lines = self.say(f"EXECUTE {self.prepared[sql]}({', '.join(self.literal(v) for v in values)})")
        return [(bytes.fromhex(line.split("|")[0][2:]),) for line in lines if line.startswith("\\x")]

    def plan(self, sql, values):
        text = re.sub(r"\?(\d+)", lambda m: self.literal(values[int(m[1]) - 1]), sql)
        return self.say("EXPLAIN (ANALYZE, BUFFERS) " + text)

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()
        self.server.terminate()
        self.server.wait()


def page(store, sql, candidates):
    """What a page asks of its candidates: where it stands, the notification, the message."""
    for (id, *_) in candidates:
        low, high = id[:15] + b"\0", id[:15] + b"\xff"
        for name in ["notification", "states", "messages"]:
            store.rows(sql[name], [low, high])


def by_value(store, sql, kind, value, limit=50):
    """As HistoryWalk steps: a day, then four, then sixteen, then a month."""
    newest, first, width, found = NOW // SLOT, (NOW - SPAN) // SLOT, 96, []
    below = struct.pack(">Q", NOW << 16) + bytes(8)
    while newest >= first and len(found) < limit:
        oldest = max(first, newest - width + 1)
        found += store.rows(sql["search"], [kind, value, newest, oldest, below, limit])
        newest, width = oldest - 1, min(width * 4, 3000)
    page(store, sql, found[:limit])
    return len(found)


def by_source(store, sql, source, limit=50):
    slot, found = NOW // SLOT, []
    below = struct.pack(">Q", NOW << 16) + bytes(8)
    while len(found) < limit and slot > (NOW - SPAN) // SLOT:
        found += store.rows(sql["searchSlot"], [SOURCE, source, slot, below, limit])
        slot -= 1
    page(store, sql, found[:limit])
    return len(found)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    arguments.add_argument("--count", type=int, default=1_000_000)
    arguments.add_argument("--directory", default="/tmp/martlet-history")
    arguments.add_argument("--plans", action="store_true")
    options = arguments.parse_args()
    directory = pathlib.Path(options.directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    store = (Lite if options.engine == "sqlite" else Postgres)(directory)
    shape, sql, dice = Shape(options.count), statements(), random.Random(7)
    try:
        began = time.monotonic()
        store.fill(shape)
        seconds = time.monotonic() - began
        result = {
            "engine": options.engine, "messages": options.count, "filled_per_second": round(options.count / seconds),
            "bytes": store.size(), "load": round(os.getloadavg()[0], 1), "milliseconds": {},
        }
        top, bottom = struct.pack(">Q", NOW << 16) + bytes(8), struct.pack(">Q", (NOW - SPAN) << 16) + bytes(8)

        def any_time():
            return struct.pack(">Q", (NOW - dice.randrange(SPAN)) << 16) + bytes(8)

        def listed(name, values):
            page(store, sql, store.rows(sql[name], values))

        asks = {
            "phone": lambda: by_value(store, sql, PHONE, mix(dice.randrange(shape.people), 4)),
            "phone, unknown": lambda: by_value(store, sql, PHONE, mix(dice.randrange(1 << 40), 9)),
            "customer": lambda: by_value(store, sql, CUSTOMER, mix(dice.randrange(shape.people), 3)),
            "reference": lambda: by_value(store, sql, REFERENCE, mix(dice.randrange(shape.count), 5)),
            "source, newest": lambda: by_source(store, sql, dice.randrange(5) + 1),
            "state, failed": lambda: listed("undelivered", [5, any_time(), bottom, 50]),
            "any, at some time": lambda: listed("recent", [any_time(), bottom, 50]),
            "id": lambda: page(store, sql, [(shape.id(dice.randrange(shape.count)),)]),
        }
        if options.plans:
            newest = NOW // SLOT
            plans = {
                "search": [PHONE, mix(1, 4), newest, newest - 2879, top, 50], "searchSlot": [SOURCE, 1, newest - 5, top, 50],
                "has": [newest - 5, PHONE, mix(1, 4), bottom, top], "undelivered": [5, top, bottom, 50], "recent": [top, bottom, 50],
                "states": [shape.id(5), shape.id(5)],
            }
            result["plans"] = {name: store.plan(sql[name], values) for name, values in plans.items()}
        for name, ask in asks.items():
            times = []
            for _ in range(100):
                began = time.monotonic()
                ask()
                times.append((time.monotonic() - began) * 1000)
            times.sort()
            result["milliseconds"][name] = [round(statistics.median(times), 1), round(times[98], 1), round(times[99], 1)]
        print(json.dumps(result, indent=1 if options.plans else None))
    finally:
        store.close()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
