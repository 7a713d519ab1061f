#!/usr/bin/env python3
"""schemathesis asks the running desk whether it is as docs/reference/admin-openapi.yaml says.

    schemathesis_check.py [--build release|debug] [--examples 20] [--seed 20261123]

Requests are made from the document: the edges of its schemas and what breaks them, with a key that has every right. No answer may be a fault
of the server, or of a status, type, field or header that is not described, or take what the document forbids. Exit status 1 when something
differs.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Faults"))

from world import ROOT, Broken, Gone, Web, World, free_port, wait_for  # noqa: E402

# Not asked for, since the document cannot say it in its schemas: what is a code, a locale or a time is said in words; what is needed beside
# what too. A change without If-Match is answered 428 (RFC 6585, section 3).
CONFIGURATION = """[checks]
positive_data_acceptance.enabled = false
missing_required_header.expected-statuses = [400, 401, 403, 406, 415, 422, 428]
"""


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release", choices=["release", "debug"])
    options.add_argument("--examples", type=int, default=20)
    options.add_argument("--seed", type=int, default=20261123)
    options = options.parse_args()
    with World(options.build, label="desk-api") as world:
        port = free_port()
        world.lay_over({"desk": {"listen": f"127.0.0.1:{port}"}})
        world.prepare()
        world.start_simulator()
        admin = Web(port, timeout=5)

        def ready():
            try:
                return admin.ask("GET", "/readyz")[0] == 200
            except Gone:
                return False

        world.start_martlet(role="all")
        wait_for("the desk is ready", 60, ready, otherwise=Broken)
        printed = world.command(
            "principal", "add", "asked", "--rights", "all", "--config", world.folder / "martlet.yaml", "--data", world.data)
        key = re.search(r"\bak_[A-Za-z0-9_-]+", printed).group(0)
        (world.folder / "schemathesis.toml").write_text(CONFIGURATION)
        program = pathlib.Path(sys.executable).with_name("schemathesis")

        def ask(key, *paths):
            done = subprocess.run(
                [program, "run", ROOT / "docs/reference/admin-openapi.yaml", "--url", f"http://127.0.0.1:{port}",
                 "-H", f"Authorization: Bearer {key}", "--phases", "examples,coverage,fuzzing",
                 "--max-examples", str(options.examples), "--seed", str(options.seed), "--generation-database", "none", *paths,
                 "--request-timeout", "20", "--continue-on-failure", "--no-color"],
                cwd=world.folder, timeout=1500, env=os.environ)
            return done.returncode == 0

        # A customer's token opens these and nothing else.
        admin.headers["Authorization"] = f"Bearer {key}"
        _, customer = admin.json("POST", "/v1/customers", {"reference": "asked", "packages": [
            {"package": 3, "from": 20000, "isPaused": False, "thresholds": [], "card": "4242 0042"}]})
        _, made = admin.json("POST", f"/v1/customers/{customer['id']}/tokens")
        own = ask(made["token"], "--include-path-regex", "/v1/self/")
        print("ok  " if own else "FAIL", "what a customer is answered is as the OpenAPI document says")
        # Its own principal is not to be revoked, or given another key.
        others = ask(key, "--exclude-path-regex", "/v1/principals/|/v1/self/")
        print("ok  " if others else "FAIL", "the desk is as its OpenAPI document says")
        alive = ready()
        print("ok  " if alive else "FAIL", "the desk is still there")
        return 0 if own and others and alive else 1


if __name__ == "__main__":
    sys.exit(main())
