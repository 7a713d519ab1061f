"""A whole installation for the scripts about backup and erasure: node and desk, a store of either engine, an administrator, customers."""
import pathlib
import re
import shutil
import subprocess
import time

from postgres_server import Postgres
from world import Broken, Gone, Unusable, Web, World, free_port, wait_for, yaml


class Installation(World):
    """Its store is SQLite's file in the data directory, or a PostgreSQL server of its own that stands beside it."""

    def __init__(self, build, label, store, settings=None):
        self.server = Postgres("history") if store == "postgres" else None
        self.desk_port = free_port()
        url = self.server.url if self.server else "sqlite:history.db"
        super().__init__(build, label=label, settings={"store": {"url": url}, "desk": {"listen": f"127.0.0.1:{self.desk_port}"}, **(settings or {})})
        self.outside = self.folder / "outside"
        self.outside.mkdir()
        self.checkpoints, self.erasures = self.outside / "checkpoints", self.outside / "erased"
        self.lay_over({"audit": {"checkpoints": str(self.checkpoints)},
                       "keys": {"master": str(self.folder / "master.key"), "erasures": str(self.erasures)}})
        self.admin = Web(self.desk_port, timeout=30)
        self.where = ("--config", self.folder / "martlet.yaml", "--data", self.data)

    def __exit__(self, kind, *rest):
        super().__exit__(kind, *rest)
        if self.server:
            self.server.end()

    # Programs

    def write_settings(self):
        (self.folder / "martlet.yaml").write_text(yaml(self.settings()) + "\n")

    def verb(self, *words, code=0):
        """Output of a verb on this installation, which must end with `code`."""
        got, text = self.command(*words, *self.where, check=False, seconds=120)
        if got != code:
            raise Broken(f"martlet {' '.join(map(str, words))} ended with {got} instead of {code}: {text.strip()}")
        return text

    def begin(self):
        """Settings, keys, tables, simulator, node and desk, the first administrator."""
        self.prepare()
        if self.server:
            self.verb("store", "migrate")
        self.start_simulator()
        self.start()
        self.new_administrator("proof")

    def new_administrator(self, name):
        printed = self.verb("principal", "add", name, "--rights", "all")
        self.admin.headers["Authorization"] = f"Bearer {re.search('ak_[A-Za-z0-9_-]+', printed).group(0)}"
        self.admin.headers["Martlet-Reason"] = "drill"

    def start(self):
        self.start_martlet(role="all")
        self.wait_desk()

    def restart(self):
        code = self.martlet.stop()
        if code != 0:
            raise Broken(f"martlet stopped with {code}:\n{self.martlet.tail()}")
        self.start()

    def wait_desk(self):
        def ready():
            self._alive(self.martlet, "martlet")
            try:
                return self.admin.ask("GET", "/readyz")[0] == 200
            except Gone:
                return False
        wait_for("the desk is ready", 90, ready, every=0.1, otherwise=Broken)

    def refused(self, role, *words):
        """`serve` of this role must end with 2 and say all these words."""
        self.start_martlet(role=role, ready=False)
        code = self.martlet.wait(60)
        said = self.martlet.tail(40)
        if code != 2 or not all(word in said for word in words):
            self.martlet.kill9()
            raise Broken(f"serve --role {role} ended with {code} and did not say {words}:\n{said}")

    # Customers and messages

    def call(self, method, path, value=None, expected=(200,)):
        status, answer = self.admin.json(method, path, value)
        if status not in expected:
            raise Broken(f"{method} {path} was answered {status}: {answer}")
        return answer

    def add_customer(self, reference, phone, **more):
        answer = self.call("POST", "/v1/customers", {"reference": reference, "contacts": [{"kind": "phone", "value": phone}], **more}, (201,))
        return answer["id"]

    def erase(self, customer):
        self.call("DELETE", f"/v1/customers/{customer}", expected=(204,))

    def sealed(self, key):
        """Payloads that were sealed with keys of customers (`subject`), or of class and day (`day`)."""
        found = re.search(rf'^martlet_sealed_total\{{key="{key}"\}} (\d+)', self.metrics(), re.M)
        return int(found.group(1)) if found else 0

    def send(self, phone, text, **more):
        status, answer = self.web().json("POST", "/v1/messages", {"to": phone, "from": "HARBOUR", "text": text, **more})
        if status != 202:
            raise Broken(f"a message was answered {status}: {answer}")
        return answer["id"]

    def wait_sealed(self, phone, text):
        """Sends until the node knows whose number it is, which takes it as long as the desk's word takes to come."""
        def sends():
            before = self.sealed("subject")
            self.send(phone, text)
            return self.sealed("subject") > before
        wait_for("the node knows the customer", 30, sends, every=0.3, otherwise=Broken)

    def history(self, phone):
        """What the history holds of a number, in clear."""
        found, cursor = [], None
        while True:
            wish = {"phone": phone, "limit": 50, "reveal": True, **({"cursor": cursor} if cursor else {})}
            answer = self.call("POST", "/v1/history/search", wish)
            found += answer["items"]
            cursor = answer.get("next")
            if not cursor:
                return found

    def wait_history(self, phone, identifier):
        def there():
            return any(one["id"] == identifier for one in self.history(phone))
        wait_for("the history has the newest message", 30, there, every=0.2, otherwise=Broken)

    def content(self, identifier):
        """What became of the sealed part of a message in the history; None: it is not there."""
        status, answer = self.admin.json("GET", f"/v1/history/{identifier}")
        return answer["message"]["content"] if status == 200 else None

    def find(self, phone):
        return [one["id"] for one in self.call("POST", "/v1/customers/find", {"phone": phone})["items"]]

    def arrived(self, text):
        return any(one["text"] == text for one in self.operator.messages())

    def erasures_outside(self):
        return self.erasures.stat().st_size // 24 if self.erasures.exists() else 0

    # PostgreSQL by its own means

    def _tool(self, name, *words, database="history"):
        server = self.server
        done = subprocess.run(
            [str(one) for one in (server.tools / name, "-h", server.folder, "-p", server.port, "-U", "owner", "-d", database, *words)],
            capture_output=True, text=True, cwd="/tmp")
        if done.returncode:
            raise Unusable(f"{name} ended with {done.returncode}: {done.stderr.strip()}")

    def dump(self, file):
        self._tool("pg_dump", "--format=custom", f"--file={file}")

    def drop_database(self):
        self._tool("psql", "-c", "DROP DATABASE history WITH (FORCE)", database="postgres")
        self._tool("psql", "-c", "CREATE DATABASE history", database="postgres")

    def bring_dump(self, file):
        self._tool("pg_restore", "--exit-on-error", "--single-transaction", file)

    def rows(self, sql):
        """Of the store, as texts."""
        if self.server:
            return self.server.rows(sql)
        import sqlite3
        database = sqlite3.connect(f"file:{self.data / 'history.db'}?mode=ro", uri=True, timeout=30)
        try:
            return [[str(value) for value in row] for row in database.execute(sql)]
        finally:
            database.close()

    # The disk

    def lose(self, *names):
        """Of the data directory; nothing named is all of it."""
        for path in [self.data / name for name in names] or [self.data]:
            shutil.rmtree(path) if path.is_dir() else pathlib.Path(path).unlink()


def until(what, seconds, condition):
    wait_for(what, seconds, condition, every=0.2, otherwise=Broken)


def settled(seconds, condition, what):
    """Holds for so long, not just once."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            raise Broken(what)
        time.sleep(0.2)
