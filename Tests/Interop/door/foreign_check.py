#!/usr/bin/env python3
"""Sender systems that nobody here wrote bind to Martlet's SMPP server: Net::SMPP's client and smpp.twisted's.

    foreign_check.py [--build release|debug] [--only net_smpp|twisted]

Binds of all kinds; plain, Cyrillic, emoji texts and one of two parts with a user data header; an answer and a receipt for each, query_sm,
enquire_link, unbind; a wrong password. Then everything that Martlet wrote to them is read by tshark and smpp.pdu3. Exit status 1 when
something differs.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "Faults")]

from checks import Checks  # noqa: E402
from wire import Relay, check_wire  # noqa: E402
from world import World, free_port  # noqa: E402

PASSWORD = "seaside"
PLAIN = "Card *4417: paid 48.20 EUR at Green Market."
WIDE = ["Ваш код: 417 208. Никому его не говорите.", "🏦 Thank you 👩‍👩‍👧 for 5 years with us!"]
PARTS = ["Первая часть сообщения, за ней идёт вторая. ", "Вот она."]
ESMES = {"net_smpp": ["perl", HERE / "net_smpp_esme.pl"], "twisted": [sys.executable, HERE / "twisted_esme.py"]}


def submits():
    """ESM CODING HEX of each submit."""
    lines = [(0, 0, PLAIN.encode())] + [(0, 8, text.encode("utf-16-be")) for text in WIDE]
    lines += [(0x40, 8, bytes([5, 0, 3, 0x2A, len(PARTS), number + 1]) + part.encode("utf-16-be")) for number, part in enumerate(PARTS)]
    return [f"{esm} {coding} {octets.hex()}" for esm, coding, octets in lines]


def run(name, how, world, relay, check, password=PASSWORD):
    done = subprocess.run([*map(str, ESMES[name]), str(relay.port), how, password], input="\n".join(submits()) + "\n",
                          capture_output=True, text=True, timeout=60)
    events = [line.split() for line in done.stdout.splitlines()]
    return done, {kind: [event[1:] for event in events if event and event[0] == kind] for kind in
                  ("bound", "answer", "receipt", "query", "alive", "unbound")}


def judge(name, how, world, relay, check):
    print(f"--- {name}, {how}", flush=True)
    world.operator.reset()
    done, found = run(name, how, world, relay, check)
    kinds = ["receiver", "transmitter"] if how == "split" else ["transceiver"]
    check(f"it binds as {' and '.join(kinds)}", sorted(one[0] for one in found["bound"]) == kinds and all(
        one[1] == "0" for one in found["bound"]))
    ids = [one[0] for one in found["answer"] if one[1] == "0"]
    check("every submit is answered with an id of its own", len(set(ids)) == len(submits()))
    told = {one[0]: one[1:] for one in found["receipt"]}
    check("every id has its receipt, in text and parameters",
          set(told) == set(ids) and all(one == ["DELIVRD", identifier] for identifier, one in told.items()))
    check("query_sm tells of the end", [one[0] == ids[-1] and one[1:] == ["2", "0"] for one in found["query"]] == [True])
    check("it stays bound, and is let go when it unbinds",
          found["alive"] == [["0"]] and [one[0] for one in found["unbound"]] == ["0"] * len(kinds))
    seen = world.operator.messages()
    check("the texts arrive as they were written",
          sorted(one["text"] for one in seen) == sorted([PLAIN, *WIDE, *PARTS]) and [one["parts"] for one in seen].count(2) == 2)
    if check.failed and done.stderr:
        print(done.stdout + done.stderr[-2000:])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release", choices=["release", "debug"])
    options.add_argument("--only", default="net_smpp,twisted")
    options = options.parse_args()
    probes = {"net_smpp": ["perl", "-MNet::SMPP", "-e", "1"], "twisted": [sys.executable, "-c", "import smpp.twisted.client"]}
    names = []
    for name in options.only.split(","):
        if shutil.which(probes[name][0]) and subprocess.run(probes[name], capture_output=True).returncode == 0:
            names.append(name)
        else:
            print(f"skip {name} is not installed; scripts/setup --interop installs it", flush=True)
    if not names:
        return 2
    check = Checks()
    with World(options.build, label="foreign", window=50) as world:
        password = world.folder / "core.password"
        password.write_text(PASSWORD + "\n")
        password.chmod(0o600)
        port = free_port()
        world.lay_over({"smpp": {"listen": f"127.0.0.1:{port}", "accounts": [
            {"systemId": "core", "passwordFile": str(password), "source": "proof"}]}})
        world.prepare()
        world.start_simulator()
        world.start_martlet()
        relay = Relay(free_port(), port, "out")
        for name in names:
            for how in ("transceiver", "split"):
                judge(name, how, world, relay, check)
            _, found = run(name, "transceiver", world, relay, check, password="guess")
            check("a wrong password is refused", not [one for one in found["bound"] if one[1] == "0"] and not found["answer"])
        check_wire(check, [relay])
        relay.close()
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
