#!/usr/bin/env python3
"""How fast customers are taken over from a file: two contacts, two consents, one package a line, everything sealed.

    customer_import.py [--way direct|desk] [--lines 500000] [--store sqlite|postgres] [--kills 0] [--again] [--martlet .build/release/martlet]
                       [--batch N] [--keep DIR]

`direct`: `martlet import customers` by itself. `desk`: over `POST /v1/imports` of a running desk, as a stream that is made while it is sent. The lines are
made as they are needed, so --lines 14000000 takes no memory here; the direct way has the file on the disk first, 2.4 GB of it.

Rates are given by stage: for each tenth of the file lines a second, processor time a line and memory. With --kills the importing process (the command, or the
desk) is killed (SIGKILL) so many times at random moments and goes on; what is in the store at the end is counted and compared with the file. With
--again a second file with the same customers, every tenth of them changed, is imported after it. PostgreSQL is a server of this run's own, with fsync,
on a Unix socket; its processor time is told apart.
"""
import argparse
import glob
import http.client
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
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


def blocks(lines, changed):
    """The file, some 64 KiB at a time."""
    held = [HEAD]
    for number in range(lines):
        held.append(line(number, 7 if changed and number % 10 == 0 else number & 3))
        if len(held) == 400:
            yield "".join(held).encode()
            held = []
    yield "".join(held).encode()


def write(path, lines, changed):
    with open(path, "wb") as file:
        for block in blocks(lines, changed):
            file.write(block)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


TICK = os.sysconf("SC_CLK_TCK")


def processor(pid):
    """Seconds of processor time that the process had; 0 when it is gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(pid):
    """Most memory that the process had so far, MiB."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    except OSError:
        return 0
    return int(found.group(1)) >> 10 if found else 0


def children(pid):
    """Processes below it."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


class Stages:
    """For each tenth of the file: lines a second, processor time a line, memory."""

    def __init__(self, lines):
        self.lines, self.rows = lines, []
        self.began = self.at = time.monotonic()
        self.read, self.spent, self.pid, self.most = 0, 0.0, None, 0

    def see(self, read, pid):
        """- read: lines so far. - pid: of the process that imports now."""
        self.most = max(self.most, resident(pid))
        now, spent = time.monotonic(), processor(pid)
        if not spent:
            return
        if pid != self.pid:
            # A new process, or the first look: the stage begins here.
            self.pid, self.at, self.read, self.spent = pid, now, read, spent
            return
        if read - self.read < self.lines / 10 and not (read >= self.lines and read > self.read):
            return
        took, count = max(1e-6, now - self.at), read - self.read
        self.rows.append({"lines": read, "lines_a_second": round(count / took), "processor_us_a_line": round((spent - self.spent) / count * 1e6, 1),
                          "memory_mib": self.most})
        print(f"{read:,} lines: {count / took:,.0f} a second", file=sys.stderr, flush=True)
        self.at, self.read, self.spent = now, read, spent


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

    def processor(self):
        """Seconds of processor time of the server and all that it started: those that ended count with the parent."""
        total = 0.0
        for pid in [self.server.pid] + children(self.server.pid):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            total += sum(int(field) for field in fields[11:15]) / TICK
        return total

    def stop(self):
        self.server.send_signal(signal.SIGINT)
        self.server.wait()


def ask_sqlite(path, sql):
    import sqlite3

    with sqlite3.connect(path) as database:
        return list(database.execute(sql).fetchone())


class Direct:
    """`martlet import customers` with no desk beside it."""

    def __init__(self, martlet, folder, place, _port, _node):
        self.martlet, self.folder, self.place = martlet, folder, place

    def run(self, name, changed, kills):
        path = self.folder / name
        began = time.monotonic()
        print(f"making a file of {options.lines:,} lines", file=sys.stderr, flush=True)
        write(path, options.lines, changed)
        made = time.monotonic() - began
        command = [self.martlet, "import", "customers", str(path), "--batch", str(options.batch or 32_768)] + self.place
        killed, began = 0, time.monotonic()
        while True:
            stages = Stages(options.lines)
            program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            if killed < kills:
                try:
                    program.wait(random.uniform(0.3, 4))
                except subprocess.TimeoutExpired:
                    program.kill()
                killed += 1
            output = []
            for text in program.stdout:
                output.append(text)
                found = re.search(r"(\d+) lines, ", text)
                if found:
                    stages.see(int(found.group(1)) if "done" not in text else options.lines, program.pid)
            _, status, usage = os.wait4(program.pid, 0)
            program.returncode = os.waitstatus_to_exitcode(status)
            if program.returncode == 0:
                break
            if program.returncode != -signal.SIGKILL:
                sys.exit(f"the import ended with {program.returncode}: {''.join(output)}")
        seconds = time.monotonic() - began
        path.unlink()
        counts = {key: int(re.search(rf"(\d+) {word}", output[-1]).group(1)) for key, word in (
            ("added", "added"), ("changed", "changed"), ("same", "as they were"), ("refused", "refused"))}
        figures = {"making_the_file_seconds": round(made, 1), "seconds": round(seconds, 2), "kills": killed, **counts}
        if not kills:
            figures |= {"lines_a_second": round(options.lines / seconds),
                        "processor_us_a_line": round((usage.ru_utime + usage.ru_stime) / options.lines * 1e6, 1),
                        "memory_mib": usage.ru_maxrss >> 10, "stages": stages.rows}
        return figures


class Desk:
    """`POST /v1/imports` of a running desk."""

    def __init__(self, martlet, folder, place, port, node):
        self.port, self.node = port, node
        until = time.monotonic() + 120
        while self.ask("/readyz")[0] != 200:
            if time.monotonic() > until:
                sys.exit("the desk did not become ready")
            time.sleep(0.2)
        printed = subprocess.run(
            [martlet, "principal", "add", "bench", "--rights", "all"] + place, check=True, capture_output=True, text=True).stdout
        self.key = re.search("ak_[A-Za-z0-9_-]+", printed).group(0)

    key = ""

    def ask(self, path):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.key}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def desk(self):
        return (children(self.node.pid) or [None])[0]

    def run(self, _name, changed, kills):
        began = time.monotonic()
        pid = self.desk()
        before = processor(pid)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request("POST", "/v1/imports?format=csv", body=blocks(options.lines, changed), encode_chunked=True,
                           headers={"Authorization": f"Bearer {self.key}", "Transfer-Encoding": "chunked"})
        answer = connection.getresponse()
        made = json.loads(answer.read())
        if answer.status != 201:
            sys.exit(f"the file was answered {answer.status}: {made}")
        taken = time.monotonic() - began
        figures = {"handing_in_seconds": round(taken, 1), "handing_in_mib_a_second": round(made["size"] / taken / (1 << 20), 1),
                   "handing_in_processor_us_a_line": round((processor(pid) - before) / options.lines * 1e6, 1), "memory_handing_in_mib": resident(pid)}
        killed, began, stages = 0, time.monotonic(), Stages(options.lines)
        before = processor(pid)
        while True:
            status, text = self.ask(f"/v1/imports/{made['id']}")
            if status == 200:
                now = json.loads(text)
                pid = self.desk() or pid
                stages.see(min(now["lines"], options.lines), pid)
                if now["state"] == "done":
                    break
                if now["state"] == "stopped":
                    sys.exit(f"the import stopped: {now['fault']}")
                if killed < kills and now["lines"] > options.lines * killed / (kills + 1):
                    time.sleep(random.uniform(0.1, 1))
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
            time.sleep(0.2)
        seconds = time.monotonic() - began
        figures |= {"seconds": round(seconds, 2), "kills": killed} | {key: now[key] for key in ("added", "changed", "same", "refused")}
        if not kills:
            figures |= {"lines_a_second": round(options.lines / seconds),
                        "processor_us_a_line": round((processor(pid) - before) / options.lines * 1e6, 1), "memory_mib": stages.most,
                        "stages": stages.rows}
        return figures


def main():
    folder = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="import-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    server = node = None
    try:
        martlet = str(pathlib.Path(options.martlet).resolve())
        subprocess.run([martlet, "keys", "init", folder / "master.key"], check=True, stdout=subprocess.DEVNULL)
        url = "sqlite:history.db"
        if options.store == "postgres":
            server = Postgres(folder)
            url = f"postgresql://owner@/bench?host={server.folder}"
        port = free_port()
        isDirect = options.way == "direct"
        settings = folder / "martlet.yaml"
        settings.write_text(
            f"keys: {{master: {folder}/master.key}}\nstore: {{url: \"{url}\"}}\nhttp: {{listen: 127.0.0.1:{free_port()}}}\n"
            f"metrics: {{listen: 127.0.0.1:{free_port()}}}\ndesk: {{listen: 127.0.0.1:{port}}}\n"
            + (f"imports: {{batch: {options.batch}}}\n" if options.batch and not isDirect else "")
            + "connections:\n  - {name: a, group: g, host: 127.0.0.1, systemId: m}\n", encoding="utf-8")
        place = ["--config", str(settings), "--data", str(folder / "data")]
        serve = [martlet, "serve", "--role", "node" if isDirect else "all"] + place
        # The node makes the keys at its first start.
        with open(folder / "node.log", "wb") as log:
            node = subprocess.Popen(serve, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while not (folder / "data/keys/seed").exists() and time.monotonic() < until:
            time.sleep(0.1)
        if isDirect:
            node.terminate()
            node.wait()
            node = None
        subprocess.run([martlet, "store", "migrate"] + place, check=True, stdout=subprocess.DEVNULL)
        importer = (Direct if isDirect else Desk)(martlet, folder, place, port, node)

        ask = server.ask if server else lambda sql: ask_sqlite(folder / "data/history.db", sql)
        count = (
            "SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM customer_address), (SELECT count(*) FROM consent), "
            "(SELECT count(DISTINCT reference) FROM customer)")
        report = {"way": options.way, "store": options.store, "lines": options.lines, "load": round(os.getloadavg()[0], 1)}
        report["first"] = importer.run("first.csv", False, options.kills)
        report["rows"] = dict(zip(("customers", "addresses", "consents", "references"), ask(count)))
        wanted = {"customers": options.lines, "addresses": 2 * options.lines, "consents": 2 * options.lines, "references": options.lines}
        if report["rows"] != wanted:
            sys.exit(f"the store has {report['rows']} instead of {wanted}")
        if options.again:
            report["again"] = importer.run("second.csv", True, 0)
        if server:
            report["server_processor_us_a_line"] = round(server.processor() / options.lines * 1e6, 1)
        report["load_after"] = round(os.getloadavg()[0], 1)
        print(json.dumps(report, indent=2))
    finally:
        if node:
            node.terminate()
            node.wait()
        if server:
            server.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--way", choices=["direct", "desk"], default="direct")
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--batch", type=int, help="lines to a transaction; otherwise 32768 direct, imports.batch through the desk")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--martlet", default=".build/release/martlet")
    parser.add_argument("--keep", help="folder to work in, which is left behind")
    return parser.parse_args()


if __name__ == "__main__":
    options = parse()
    main()
