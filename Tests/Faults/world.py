"""What the fault scripts and the benchmarks share: programs started and ended by their process id, free ports, settings files,
small HTTP clients, bounded waits, and how a script ends.

Standard library only. Nothing here looks for a process by its name.
"""
import atexit
import ctypes
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMSC = "harbour"
PASSWORD = "secret"
_libc = ctypes.CDLL(None, use_errno=True)


class Broken(Exception):
    """An invariant does not hold: the product is wrong."""


class Unusable(Exception):
    """The run could not be made (a program missing, a port taken, a wait that ended): says nothing about the product."""


# --- waiting ---------------------------------------------------------------------------------------------------------

def wait_for(what, seconds, condition, every=0.02, otherwise=Unusable):
    """The first true value of `condition`, asked until `seconds` have passed; then `otherwise` is raised."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise otherwise(f"{what}: not within {seconds} s")
        time.sleep(every)


_ports_given = set()


def free_port():
    """A port nobody listens on, below the range the kernel gives to outgoing connections."""
    import random
    chooser = random.Random(os.urandom(8))
    for _ in range(1000):
        port = chooser.randrange(20_000, 32_000)
        if port in _ports_given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _ports_given.add(port)
        return port
    raise Unusable("no free port between 20000 and 32000")


# --- programs --------------------------------------------------------------------------------------------------------

def program(name, build):
    """Path of a program of ours: MARTLET_BIN names a folder to take it from, else the folder of the build."""
    folder = pathlib.Path(os.environ.get("MARTLET_BIN") or ROOT / ".build" / build)
    path = folder / name
    if not os.access(path, os.X_OK):
        raise Unusable(f"{path} is not there; build it first: swift build -c {build} --product {name}")
    return str(path)


_started = []


def _dies_with_parent():
    # PR_SET_PDEATHSIG: whatever ends this script ends what it started.
    _libc.prctl(1, signal.SIGKILL)


class Process:
    """A program of ours, known by its process id; its output goes to a file."""

    def __init__(self, arguments, log, env=None):
        self.log = pathlib.Path(log)
        self.arguments = [str(one) for one in arguments]
        with open(self.log, "ab") as output:
            self._child = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **(env or {})},
                preexec_fn=_dies_with_parent, start_new_session=True)
        self.pid = self._child.pid
        self.started = time.monotonic()
        _started.append(self)

    @property
    def running(self):
        return self._child.poll() is None

    @property
    def exit_code(self):
        return self._child.poll()

    def kill9(self):
        if self.running:
            os.kill(self.pid, signal.SIGKILL)
        self._child.wait(10)

    def stop(self, seconds=12):
        """SIGTERM, and SIGKILL when that was not enough. The exit code."""
        if self.running:
            os.kill(self.pid, signal.SIGTERM)
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill9()
        return self._child.returncode

    def wait(self, seconds):
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def tail(self, lines=15):
        try:
            with open(self.log, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 8192))
                return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
        except OSError:
            return ""

    def children(self):
        """Process ids of what it started and did not end yet."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    fields = _stat(f"/proc/{entry}/stat")
                except OSError:
                    continue            # it ended while we looked
                if int(fields[1]) == self.pid and fields[0] != "Z":
                    found.append(int(entry))
        return found

    # What the kernel counts of it.

    def cpu_seconds(self):
        """(user, system), of all its threads so far."""
        fields = _stat(f"/proc/{self.pid}/stat")
        return int(fields[11]) / _TICKS, int(fields[12]) / _TICKS

    def thread_seconds(self):
        """CPU seconds by thread name; threads of one name are added up."""
        found = {}
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/comm") as file:
                    name = file.read().strip()
                fields = _stat(f"/proc/{self.pid}/task/{task}/stat")
            except OSError:
                continue
            found[name] = found.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / _TICKS
        return found

    def thread_times(self):
        """By thread name (seconds on a core, seconds it could have run and had none)."""
        found = {}
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/comm") as file:
                    name = file.read().strip()
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as file:
                    ran, waited = (int(field) / 1e9 for field in file.read().split()[:2])
            except OSError:
                continue
            before = found.get(name, (0.0, 0.0))
            found[name] = (before[0] + ran, before[1] + waited)
        return found

    def anonymous_bytes(self):
        with open(f"/proc/{self.pid}/status") as file:
            for line in file:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
        raise Unusable("this kernel does not tell RssAnon")


_TICKS = os.sysconf("SC_CLK_TCK")


def _stat(path):
    """Fields of a stat file from the state on: index 0 is field 3 of proc(5)."""
    with open(path) as file:
        return file.read().rpartition(")")[2].split()


def end_all():
    for one in reversed(_started):
        try:
            one.kill9()
        except (OSError, subprocess.TimeoutExpired):
            pass


atexit.register(end_all)


def end_on_signals():
    """SIGTERM ends the script as Ctrl-C does, so that its `with` blocks and exit handlers run."""
    def interrupted(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupted)


# --- settings files --------------------------------------------------------------------------------------------------

def yaml(value, indent=0):
    """Block YAML of dictionaries, lists and plain values."""
    pad = "  " * indent
    lines = []
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, (dict, list)) and inner and not _is_flat(inner):
                lines += [f"{pad}{key}:", yaml(inner, indent + 1)]
            else:
                lines.append(f"{pad}{key}: {_scalar(inner)}")
    else:
        for inner in value:
            block = yaml(inner, indent + 1) if isinstance(inner, (dict, list)) else f"{pad}  {_scalar(inner)}"
            lines.append(f"{pad}- {block.lstrip()}")
    return "\n".join(lines)


def _is_flat(value):
    return isinstance(value, list) and all(not isinstance(one, (dict, list)) for one in value)


def _scalar(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_scalar(one) for one in value) + "]"
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    return text if re.fullmatch(r"[A-Za-z0-9_./][A-Za-z0-9_./:-]*", text) else json.dumps(text)


# --- HTTP ------------------------------------------------------------------------------------------------------------

class Gone(Exception):
    """The connection broke before the answer was read: nobody knows what became of the request, unless `unreached`: nobody listened."""

    unreached = False


class Web:
    """Keep-alive HTTP to one port of loopback; one thread at a time."""

    def __init__(self, port, key=None, timeout=10):
        self.port, self.timeout = port, timeout
        self.headers = {"Content-Type": "application/json"}
        if key:
            self.headers["Authorization"] = f"Bearer {key}"
        self._connection = None
        self.fields = {}

    def ask(self, method, path, body=None, headers=None):
        """(status, body as bytes); the fields of the answer's head stand in `fields`. Raises Gone."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            self._connection.request(method, path, body, {**self.headers, **(headers or {})})
            answer = self._connection.getresponse()
            self.fields = answer.headers
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            gone = Gone(repr(error))
            gone.unreached = isinstance(error, ConnectionRefusedError)
            raise gone from error

    def json(self, method, path, value=None, headers=None):
        status, body = self.ask(method, path, None if value is None else json.dumps(value).encode(), headers)
        try:
            return status, json.loads(body) if body else None
        except ValueError:
            return status, None

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Operator:
    """The simulated operator, through its admin API."""

    def __init__(self, port, name=SMSC):
        self._web = Web(port, timeout=30)
        self.name = name
        self._lock = threading.Lock()

    def _ask(self, method, rest, value=None):
        # One repeat: the admin server may close an idle connection at any time.
        with self._lock:
            for attempt in (1, 2):
                try:
                    status, answer = self._web.json(method, f"/sim/smsc/{self.name}{rest}", value)
                    break
                except Gone:
                    if attempt == 2:
                        raise Unusable("the simulator's admin API does not answer")
        if status >= 400:
            raise Unusable(f"the simulator refused {rest}: {status} {answer}")
        return answer

    def stats(self):
        return self._ask("GET", "/stats")

    def messages(self, since=0):
        """All messages after number `since`; the API gives them in pages."""
        found = []
        while True:
            page = self._ask("GET", f"/messages?since={since}")
            if isinstance(page, dict):
                page = page.get("messages", [])
            if not page:
                return found
            found += page
            since = page[-1]["n"]

    def behave(self, **fields):
        self._ask("POST", "/behaviour", fields)

    def reset(self):
        self._ask("POST", ":reset", {})

    def disconnect(self):
        self._ask("POST", ":disconnect", {})


def arrival_micros(message):
    """Wall microseconds of a message's arrival at the simulator."""
    if "atMicros" in message:
        return int(message["atMicros"])
    import datetime
    at = datetime.datetime.fromisoformat(message["at"].replace("Z", "+00:00"))
    return round(at.timestamp() * 1_000_000)


# --- a node and its operator -----------------------------------------------------------------------------------------

class World:
    """One Martlet, one simulated operator, in a folder of their own that is removed when all went well."""

    def __init__(self, build, *, label, window=10, binds=1, settings=None, simulator_settings=None):
        self.build, self.window, self.binds = build, window, binds
        self.martlet_path = program("martlet", build)
        self.simulator_path = program("martlet-sim", build)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"martlet-{label}-"))
        self.folder.chmod(0o700)
        self.data = self.folder / "data"
        self.ports = {name: free_port() for name in ("http", "metrics", "smsc", "admin")}
        self.martlet = self.simulator = None
        self.key = None
        self.keep = False
        self.keeps_broken = True        # the folder, when the run turned red
        self._extra = settings or {}
        self._simulator_extra = simulator_settings or {}
        self.operator = Operator(self.ports["admin"])
        self.ops = Web(self.ports["metrics"], timeout=5)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None and kind is not KeyboardInterrupt and self.keeps_broken:
            self.keep = True
        for one in (self.martlet, self.simulator):
            if one:
                one.kill9()
        if self.keep:
            print(f"kept for a look: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # Settings

    def settings(self):
        """The settings file of the node; `settings=` of the constructor lies over it, section by section."""
        connection = {
            "name": "harbour-1", "group": "harbour", "host": "127.0.0.1", "port": self.ports["smsc"], "bind": "transceiver",
            "binds": self.binds, "systemId": "martlet", "passwordFile": str(self.folder / "smsc.password"), "window": self.window,
        }
        base = {
            "node": {"name": "proof"},
            "keys": {"master": str(self.folder / "master.key")},
            "http": {"listen": f"127.0.0.1:{self.ports['http']}"},
            "metrics": {"listen": f"127.0.0.1:{self.ports['metrics']}"},
            "connections": [connection],
            "routes": [{"prefix": "", "group": "harbour"}],
        }
        for section, values in self._extra.items():
            if isinstance(values, dict):
                base[section] = {**base.get(section, {}), **values}
            elif section == "connections":
                base[section] = [{**connection, **one} for one in values]
            else:
                base[section] = values
        return base

    def lay_over(self, sections):
        """More for the settings file; before `prepare`."""
        self._extra = {**self._extra, **sections}

    def simulator_settings(self):
        return {
            "admin": {"host": "127.0.0.1", "port": self.ports["admin"]},
            "smsc": [{"name": SMSC, "port": self.ports["smsc"], "systemId": "martlet", "password": PASSWORD, "keep": 1_000_000,
                      **self._simulator_extra}],
        }

    def prepare(self):
        """Settings, keys and one sender system. Call once, before the first start."""
        (self.folder / "smsc.password").write_text(PASSWORD + "\n")
        (self.folder / "smsc.password").chmod(0o600)
        (self.folder / "martlet.yaml").write_text(yaml(self.settings()) + "\n")
        (self.folder / "sim.yaml").write_text(yaml(self.simulator_settings()) + "\n")
        self.command("keys", "init", self.folder / "master.key")
        printed = self.command("source", "add", "proof", "--data", self.data, "--scopes", "send,read")
        found = re.search(r"\bmk_[A-Za-z0-9_-]+", printed)
        if not found:
            raise Unusable(f"`martlet source add` printed no key: {printed!r}")
        self.key = found.group(0)

    def command(self, *arguments, check=True, seconds=60):
        """Output of one run of the martlet program."""
        done = subprocess.run(
            [self.martlet_path, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
        if check and done.returncode != 0:
            words = done.stderr.strip() or done.stdout.strip()
            raise Unusable(f"martlet {arguments[0]} {arguments[1]} ended with {done.returncode}: {words}")
        return done.stdout if check else (done.returncode, done.stdout + done.stderr)

    # Starting and stopping

    def start_simulator(self):
        self.simulator = Process(
            [self.simulator_path, "--config", self.folder / "sim.yaml"], self.folder / "sim.log")

        def up():
            self._alive(self.simulator, "martlet-sim")
            try:
                return self.operator.stats()
            except Unusable:
                return None
        wait_for("martlet-sim answers", 20, up)

    def start_martlet(self, *, prefix=(), env=None, ready=True, seconds=60, role="node"):
        """`prefix` is a program that starts it, such as strace. `ready`: waits for /readyz of the node. `role`: all has a desk beside it."""
        self.martlet = Process(
            [*prefix, self.martlet_path, "serve", "--role", role, "--config", self.folder / "martlet.yaml", "--data", self.data],
            self.folder / "martlet.log", env)
        if ready:
            self.wait_ready(seconds)
        return self.martlet

    def wait_ready(self, seconds=60):
        wait_for("martlet is ready", seconds, self.is_ready, every=0.005, otherwise=Broken)

    def is_ready(self):
        self._alive(self.martlet, "martlet")
        try:
            return self.ops.ask("GET", "/readyz")[0] == 200
        except Gone:
            return False

    def _alive(self, process, name):
        if not process.running:
            raise Broken(f"{name} ended by itself with {process.exit_code}; its last lines:\n{process.tail()}")

    def web(self, timeout=10):
        return Web(self.ports["http"], self.key, timeout)

    def metrics(self):
        status, body = self.ops.ask("GET", "/metrics")
        if status != 200:
            raise Unusable(f"/metrics answered {status}")
        return body.decode()


def load_average():
    return os.getloadavg()[0]


# --- how a script ends -----------------------------------------------------------------------------------------------

def say(text):
    print(text, flush=True)


def run_script(main, reproduce):
    """Runs `main`; exit code 0, 1 for a broken invariant (with the command that repeats it), 2 when the run could not be made."""
    end_on_signals()
    try:
        main()
        code = 0
    except Broken as error:
        say(f"BROKEN: {error}\nagain: {reproduce()}")
        code = 1
    except (Unusable, subprocess.TimeoutExpired) as error:
        say(f"could not run: {error}")
        code = 2
    except KeyboardInterrupt:
        say("stopped")
        code = 130
    end_all()
    sys.exit(code)
