#!/usr/bin/env python3
"""schemathesis asks the real program whether it is as docs/reference/openapi.yaml says.

    schemathesis_check.py [--build release|debug] [--examples 60] [--seed 20261123]

Requests are made from the document: its examples, the edges of its schemas, what breaks them, and sequences that follow from ids given
out. No answer may be a fault of the server, of a status, type, field or header that is not described, or take what the document
forbids. Exit status 1 when something differs.
"""
import argparse
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Faults"))

from world import ROOT, World  # noqa: E402

# What the document cannot say, so that its absence in an answer is no difference.
EXCLUDED = [
    # A text of white space, a sender outside the GSM alphabet, a number that no route serves: rules in words, not in the schema.
    "positive_data_acceptance",
]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release", choices=["release", "debug"])
    options.add_argument("--examples", type=int, default=60)
    options.add_argument("--seed", type=int, default=20261123)
    options = options.parse_args()
    with World(options.build, label="schemathesis") as world:
        world.prepare()
        world.start_simulator()
        world.start_martlet()
        program = pathlib.Path(sys.executable).with_name("schemathesis")
        done = subprocess.run(
            [program, "run", ROOT / "docs/reference/openapi.yaml", "--url", f"http://127.0.0.1:{world.ports['http']}",
             "-H", f"Authorization: Bearer {world.key}", "--phases", "examples,coverage,fuzzing,stateful",
             "--max-examples", str(options.examples), "--seed", str(options.seed), "--generation-database", "none",
             "--checks", "all", "--exclude-checks", ",".join(EXCLUDED), "--request-timeout", "20", "--continue-on-failure",
             "--no-color"],
            cwd=world.folder, timeout=900)
        alive = world.martlet.running
        print("ok  " if done.returncode == 0 else "FAIL", "the door is as its OpenAPI document says")
        print("ok  " if alive else "FAIL", "martlet is still there")
        return 0 if done.returncode == 0 and alive else 1


if __name__ == "__main__":
    sys.exit(main())
