#!/usr/bin/env python3
"""schemathesis asks the real program whether it is as docs/reference/openapi.yaml says.

    schemathesis_check.py [--build release|debug] [--examples 60] [--seed 20261123]

Requests are made from the document: its examples, the edges of its schemas, what breaks them, and sequences that follow from ids given
out. No answer may be a fault of the server, of a status, type, field or header that is not described, or take what the document
forbids. Exit status 1 when something differs.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Faults"))

from rulebook import PAYMENTS, write_release  # noqa: E402
from world import ROOT, World  # noqa: E402

# Not asked for, since the document cannot say it in its schemas: a text of signs alone, a sender outside the GSM alphabet and a number that
# no route serves are refused by rules in words, as are events that the rulebook does not have and what these must say; a batch is 200 whatever its lines hold, each of which has a status of its own.
CONFIGURATION = """[checks]
positive_data_acceptance.enabled = false

[[operations]]
include-operation-id = "submitBatch"
checks.negative_data_rejection.enabled = false

[[operations]]
include-operation-id = "submitEvents"
checks.negative_data_rejection.enabled = false
"""


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release", choices=["release", "debug"])
    options.add_argument("--examples", type=int, default=60)
    options.add_argument("--seed", type=int, default=20261123)
    options = options.parse_args()
    with World(options.build, label="schemathesis") as world:
        world.prepare()
        # The event that the document shows. Nobody is known by its references, which is as good an answer as another.
        write_release(world.data, PAYMENTS)
        world.start_simulator()
        world.start_martlet()
        # A source that names no sender has one, so that messages of the document's examples are taken.
        printed = world.command("source", "add", "asked", "--data", world.data, "--scopes", "send,read", "--sender", "HARBOUR")
        key = re.search(r"\bmk_[A-Za-z0-9_-]+", printed).group(0)
        (world.folder / "schemathesis.toml").write_text(CONFIGURATION)
        program = pathlib.Path(sys.executable).with_name("schemathesis")
        done = subprocess.run(
            [program, "run", ROOT / "docs/reference/openapi.yaml", "--url", f"http://127.0.0.1:{world.ports['http']}",
             "-H", f"Authorization: Bearer {key}", "--phases", "examples,coverage,fuzzing,stateful",
             "--max-examples", str(options.examples), "--seed", str(options.seed), "--generation-database", "none",
             "--request-timeout", "20", "--continue-on-failure",
             "--no-color"],
            cwd=world.folder, timeout=900,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "ndjson", "PYTHONPATH": str(pathlib.Path(__file__).parent)})
        alive = world.martlet.running
        print("ok  " if done.returncode == 0 else "FAIL", "the door is as its OpenAPI document says")
        print("ok  " if alive else "FAIL", "martlet is still there")
        return 0 if done.returncode == 0 and alive else 1


if __name__ == "__main__":
    sys.exit(main())
