#!/usr/bin/env python3
"""Sets the variables of the environment by which libpq can be led elsewhere, and sees that no octet of the store goes there.

    environment.py --build debug

A real PostgreSQL server holds the store; beside it a port listens that is not the store's. Each variable (PGHOST, PGHOSTADDR, PGPORT, PGSERVICE with its file,
PGSSLMODE, PGPASSFILE and more) is set for `martlet store check`: either the settings decide and the check is sound, or it ends with 1 and
names the variable. Nobody may come to the other port. Then node and desk are started with PGHOSTADDR set and without the file of the store's
password: the node takes and sends messages.
"""
import argparse
import os
import socket
import threading
import time

import world
from postgres_server import Postgres
from world import Broken, World, free_port, say, wait_for


class Elsewhere:
    """A port that counts who comes."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.came = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.came += 1
            connection.close()

    def prove(self):
        socket.create_connection(("127.0.0.1", self.port)).close()
        wait_for("the other port counts", 5, lambda: self.came == 1, otherwise=Broken)
        self.came = 0


def cases(folder, port):
    service = folder / "services"
    service.write_text(f"[elsewhere]\nhost=127.0.0.1\nhostaddr=127.0.0.1\nport={port}\nsslmode=disable\nuser=owner\n")
    passwords = folder / "pgpass"
    passwords.write_text("*:*:*:*:mango\n")
    passwords.chmod(0o600)
    # Variables, and the one that has to be named; None: the settings decide.
    return [
        ({}, None),
        ({"PGHOST": "127.0.0.1"}, None),
        ({"PGPORT": str(port)}, None),
        ({"PGSSLMODE": "require"}, None),
        ({"PGGSSENCMODE": "require"}, None),
        ({"PGPASSFILE": str(passwords)}, None),
        ({"PGTARGETSESSIONATTRS": "standby"}, None),
        ({"PGAPPNAME": "other"}, None),
        ({"PGHOSTADDR": "127.0.0.1"}, "PGHOSTADDR"),
        ({"PGHOSTADDR": "127.0.0.1", "PGPORT": str(port), "PGSSLMODE": "disable"}, "PGHOSTADDR"),
        ({"PGSERVICE": "elsewhere", "PGSERVICEFILE": str(service)}, "PGSERVICE"),
        ({"PGOPTIONS": "-c search_path=other"}, "PGOPTIONS"),
        ({"PGPASSWORD": "mango"}, "PGPASSWORD"),
    ]


def main():
    began = time.monotonic()
    server, elsewhere = Postgres("history"), Elsewhere()
    try:
        elsewhere.prove()
        with World(options.build, label="environment", settings={"store": {"url": server.url}, "desk": {"listen": f"127.0.0.1:{free_port()}"}}) as place:
            place.prepare()
            where = ("--config", place.folder / "martlet.yaml", "--data", place.data)
            place.command("store", "migrate", *where)
            before, tried = dict(os.environ), cases(place.folder, elsewhere.port)
            for variables, named in tried:
                os.environ.update(variables)
                code, words = place.command("store", "check", *where, check=False)
                os.environ.clear()
                os.environ.update(before)
                if code != (1 if named else 0) or (named and named not in words):
                    raise Broken(f"with {variables} `martlet store check` ended with {code}: {words.strip()}")
                if elsewhere.came:
                    raise Broken(f"with {variables} somebody came to the other port")
            place.lay_over({"store": {"url": server.url, "passwordFile": str(place.folder / "missing.password")}})
            (place.folder / "martlet.yaml").write_text(world.yaml(place.settings()) + "\n")
            code, words = place.command("store", "check", *where, check=False)
            if code != 2 or "store.passwordFile" not in words:
                raise Broken(f"without the file of the password `martlet store check` ended with {code}: {words.strip()}")
            place.start_simulator()
            place.start_martlet(role="all", env={"PGHOSTADDR": "127.0.0.1", "PGPORT": str(elsewhere.port)})
            status, answer = place.web().json("POST", "/v1/messages", {"to": "+447700900001", "from": "HARBOUR", "text": "sent without a password"})
            if status != 202:
                raise Broken(f"a message was answered {status}: {answer}")
            wait_for("it is sent", 20, lambda: place.operator.stats()["submits"] > 0, otherwise=Broken)
            wait_for("the desk says what it lacks", 20, lambda: "store.passwordFile" in place.martlet.log.read_text(), otherwise=Broken)
            if elsewhere.came:
                raise Broken("somebody came to the other port")
            say(f"environment: {len(tried)} environments, nobody was led elsewhere; a node without the store's password sends; "
                f"{time.monotonic() - began:.0f} s")
    finally:
        server.end()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    return parser.parse_args()


options = parse()
world.run_script(main, lambda: f"Tests/Faults/environment.py --build {options.build}")
