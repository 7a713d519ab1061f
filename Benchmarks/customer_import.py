#!/usr/bin/env python3
"""How fast `martlet import customers` takes a file over: two contacts, two consents, one package a line, everything sealed.

    customer_import.py [--lines 500000] [--store sqlite|postgres] [--kills 0] [--again] [--martlet .build/release/martlet] [--keep DIR]

With --kills the import is killed (SIGKILL) so many times at random moments and begun again; what is in the store at the end is
counted and compared with the file. With --again a second file with the same customers, every tenth of them changed, is imported after it.
PostgreSQL is a server of this run's own, with fsync, on a Unix socket.
"""
import argparse
import glob
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

GIVEN = ["Олена", "Андрій", "Наталія", "Сергій", "Айгерим", "Нурлан", "Olivia", "James"]
FAMILY = ["Шевченко", "Коваленко", "Бондаренко", "Мельник", "Ахметова", "Сулейменов", "Taylor", "Wright"]
HEAD = "reference,given_name,family_name,phone,email,locale,unit,segment,tier,packages,consents\r\n"


def line(number, tier):
    dice = (number * 2654435761) & 0xFFFFFFFF
    return (
        f"40-{number:09d},{GIVEN[dice & 7]},{FAMILY[dice >> 3 & 7]},+447{number:09d},customer{number}@mail.example,en-GB,"
        f"{dice >> 6 & 127},{dice >> 13 & 15},{tier},{1 + (dice >> 17 & 31)} 2024-01-01,"
        f"1 sms given 2024-02-03 v2|2 email withdrawn 2024-02-03T04:05:06Z v2\r\n")


def write(path, lines, changed):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(HEAD)
        for number in range(lines):
            file.write(line(number, 7 if changed and number % 10 == 0 else number & 3))


class Postgres:
    """A server in a folder of its own; it refuses to run as root and then runs as nobody."""

    def __init__(self, folder):
        self.tools = pathlib.Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])
        self.folder = folder / "postgres"
        self.folder.mkdir()
        self.user = None
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self.user = nobody
        self.run(["initdb", "-D", str(self.folder / "data"), "-U", "owner", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
        with open(self.folder / "data/postgresql.auto.conf", "a", encoding="utf-8") as conf:
            conf.write(
                f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\nshared_buffers = 256MB\nmax_wal_size = 4GB\n")
        self.server = subprocess.Popen(
            [self.tools / "postgres", "-D", self.folder / "data"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=self.become)
        while subprocess.run([self.tools / "pg_isready", "-h", self.folder, "-q"], check=False).returncode:
            time.sleep(0.2)
        self.run(["createdb", "-h", str(self.folder), "-U", "owner", "bench"])

    def become(self):
        os.setsid()
        if self.user:
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)

    def run(self, command):
        subprocess.run(
            [self.tools / command[0]] + command[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=self.become)

    def ask(self, sql):
        text = subprocess.run(
            [self.tools / "psql", "-h", self.folder, "-U", "owner", "-At", "bench", "-c", sql], check=True, capture_output=True, text=True)
        return [int(value) for value in text.stdout.strip().split("|")]

    def stop(self):
        self.server.send_signal(signal.SIGINT)
        self.server.wait()


class Most(threading.Thread):
    """The most memory that a process had."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.status, self.mib = pathlib.Path(f"/proc/{process}/status"), 0
        self.start()

    def run(self):
        while True:
            try:
                found = re.search(r"VmHWM:\s+(\d+) kB", self.status.read_text(encoding="utf-8"))
            except OSError:
                return
            if not found:
                return
            self.mib = int(found.group(1)) >> 10
            time.sleep(0.2)


def ask_sqlite(path, sql):
    import sqlite3

    with sqlite3.connect(path) as database:
        return list(database.execute(sql).fetchone())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--batch", type=int, default=32_768)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--martlet", default=".build/release/martlet")
    parser.add_argument("--keep", help="folder to work in, which is left behind")
    options = parser.parse_args()
    folder = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="import-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    server = None
    try:
        martlet = str(pathlib.Path(options.martlet).resolve())
        subprocess.run([martlet, "keys", "init", folder / "master.key"], check=True, stdout=subprocess.DEVNULL)
        url = "sqlite:history.db"
        if options.store == "postgres":
            server = Postgres(folder)
            url = f"postgresql://owner@/bench?host={server.folder}"
        settings = folder / "martlet.yaml"
        settings.write_text(
            f"keys: {{master: {folder}/master.key}}\nstore: {{url: \"{url}\"}}\nhttp: {{listen: 127.0.0.1:0}}\nmetrics: {{listen: 127.0.0.1:0}}\n"
            "connections:\n  - {name: a, group: g, host: 127.0.0.1, systemId: m}\n", encoding="utf-8")
        place = ["--config", str(settings), "--data", str(folder / "data")]
        # The node makes the keys at its first start.
        node = subprocess.Popen([martlet, "serve"] + place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while not (folder / "data/keys/seed").exists() and time.monotonic() < until:
            time.sleep(0.1)
        node.terminate()
        node.wait()
        subprocess.run([martlet, "store", "migrate"] + place, check=True, stdout=subprocess.DEVNULL)

        def imported(name, kills):
            path = folder / name
            command = [martlet, "import", "customers", str(path), "--batch", str(options.batch)] + place
            killed = 0
            while True:
                began = time.monotonic()
                before = os.times()
                program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                if killed < kills:
                    try:
                        program.wait(random.uniform(0.3, 4))
                    except subprocess.TimeoutExpired:
                        program.kill()
                    killed += 1
                most = Most(program.pid)
                output, _ = program.communicate()
                if program.returncode == 0:
                    break
                if program.returncode != -signal.SIGKILL:
                    sys.exit(f"the import ended with {program.returncode}: {output}")
            seconds = time.monotonic() - began
            after = os.times()
            processor = after.children_user + after.children_system - before.children_user - before.children_system
            last = output.strip().splitlines()[-1]
            counts = {key: int(re.search(rf"(\d+) {word}", last).group(1)) for key, word in (
                ("added", "added"), ("changed", "changed"), ("same", "as they were"), ("refused", "refused"))}
            figures = {"lines": options.lines, "seconds": round(seconds, 2), "kills": killed, **counts}
            if not kills:
                figures["lines_a_second"] = round(options.lines / seconds)
                figures["processor_us_a_line"] = round(processor / options.lines * 1e6, 2)
                figures["memory_mib"] = most.mib
                rates = [int(found) for found in re.findall(r"lines, (\d+) a second", output)]
                figures["rates"] = rates[:: max(1, len(rates) // 10)]
            return figures

        ask = server.ask if server else lambda sql: ask_sqlite(folder / "data/history.db", sql)
        count = (
            "SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM customer_address), (SELECT count(*) FROM consent), "
            "(SELECT count(DISTINCT reference) FROM customer)")
        report = {"store": options.store, "load": round(os.getloadavg()[0], 1)}
        write(folder / "first.csv", options.lines, False)
        report["first"] = imported("first.csv", options.kills)
        report["rows"] = dict(zip(("customers", "addresses", "consents", "references"), ask(count)))
        wanted = {"customers": options.lines, "addresses": 2 * options.lines, "consents": 2 * options.lines, "references": options.lines}
        if report["rows"] != wanted:
            sys.exit(f"the store has {report['rows']} instead of {wanted}")
        if options.again:
            write(folder / "second.csv", options.lines, True)
            report["again"] = imported("second.csv", 0)
        report["load_after"] = round(os.getloadavg()[0], 1)
        print(json.dumps(report, indent=2))
    finally:
        if server:
            server.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
