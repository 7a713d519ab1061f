"""A PostgreSQL server of a script's own."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from world import Broken, Process, Unusable, free_port, wait_for


class Postgres:
    """A server of this run's own, reached by a socket in its folder; it refuses to run as root and then runs as nobody."""

    def __init__(self, database):
        self.database = database
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        if not found:
            raise Unusable("PostgreSQL is not installed; scripts/setup does that")
        self.tools = found[-1]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="projector-pg-"))
        self.prefix, self.watched = [], []
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self.prefix = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
            # Who becomes another user is no longer told of its parent's end: it has to be asked for anew (prctl(2), PR_SET_PDEATHSIG).
            self.watched = [*self.prefix, "--pdeathsig", "QUIT"]
        self.port = free_port()
        self._run([*self.prefix, self.tools / "initdb", "-D", self.folder / "data", "-U", "owner", "--auth=trust", "--encoding=UTF8",
                   "--locale=C", "--no-instructions"])
        self.server = None
        self.start()
        self._run([self.tools / "psql", *self._place("postgres"), "-c", f"CREATE DATABASE {database}"])
        self.url = f"postgresql://owner@/{database}?host={self.folder}&port={self.port}"

    def start(self):
        self.server = Process([*self.watched, self.tools / "postgres", "-D", self.folder / "data", "-p", self.port, "-k", self.folder,
                               "-c", "listen_addresses="], self.folder.with_suffix(".log"))
        wait_for("the server answers", 30, lambda: self._run([self.tools / "psql", *self._place("postgres"), "-c", "SELECT 1"], False) == 0)

    def stop(self):
        """At once, ending open connections; what was committed is there after `start`."""
        if self.server.running:
            os.kill(self.server.pid, signal.SIGINT)
            self.server.wait(20)
        self.server.kill9()

    def freeze(self):
        """All its processes, so that connections stay open and nobody answers. Returns who they are, for `thaw`."""
        processes = [self.server.pid, *self.children()]
        Postgres._signal(processes, signal.SIGSTOP)
        return processes

    def thaw(self, processes):
        Postgres._signal(processes, signal.SIGCONT)

    @staticmethod
    def _signal(processes, number):
        for process in processes:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass                    # it was about to end, as workers of a server do

    def children(self):
        """Process ids of the processes that it has now."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat") as file:
                    if int(file.read().rpartition(")")[2].split()[1]) == self.server.pid:
                        found.append(int(entry))
            except OSError:
                continue
        return found

    def _place(self, database):
        return ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", self.port, "-U", "owner", "-d", database]

    def _run(self, words, check=True):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd="/tmp")
        if check and done.returncode:
            raise Unusable(f"{words[0]} ended with {done.returncode}: {done.stderr.strip()}")
        return done.returncode

    def rows(self, sql):
        done = subprocess.run([str(word) for word in [self.tools / "psql", *self._place(self.database), "-F", "\t", "-c", sql]],
                              capture_output=True, text=True, cwd="/tmp")
        if done.returncode:
            raise Broken(f"the history cannot be read: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines() if line]

    hexadecimal = "encode({}, 'hex')"

    def size(self):
        return int(self.rows(f"SELECT pg_database_size('{self.database}')")[0][0])

    def end(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.with_suffix(".log").unlink(missing_ok=True)
