#!/usr/bin/env python3
"""Looks for a customer who was erased in every byte of an installation and of its backup.

    erasure.py --store sqlite|postgres --build debug

A person has messages by every door, before and after Martlet knew them, answers, an opt-out, contacts elsewhere, consents with proof, packages for accounts and
a card, a one-time code; comes by the API and by an import; is exported; and is saved in a backup. Then the person is erased. Number, names, reference and texts are looked for in each form that a
program may write them in, over every file: data directory, database with its log, files of names and logs, temporary files, and the backup. Then the
backup is restored with the list of erasures, and asked for the person by every question there is.
"""
import argparse
import base64
import os
import pathlib
import shutil
import socket
import struct
import time

import world
from installation import Installation, settled, until
from world import Broken, Web, free_port, say

PHONE, STRANGER = "+447700900777", "+447700900778"
# What is known of the person, by what it is. The texts are cut off in the middle by no alphabet.
KNOWN = {
    "number": "447700900777",
    "reference": "40-777-218-Q",
    "second reference": "40-778-219-Q",
    "given name": "Wilhelmina",
    "name in Cyrillic": "Вільгельміна",
    "family name": "Próbna-Testowa",
    "mail": "wilhelmina.probna@mail.example",
    "text": "parcel mango seventeen is waiting for you",
    "text before the customer was known": "parcel papaya eighteen is waiting for you",
    "text in Cyrillic": "посилка манго сімнадцять чекає на вас",
    "text over SMPP": "parcel quince nineteen is waiting for you",
    "text over the socket": "parcel medlar twenty is waiting for you",
    "text of a batch": "parcel loquat thirty is waiting for you",
    "text that waits": "parcel damson forty is waiting for you",
    "answer": "please keep parcel mulberry fifty for me",
    "source's reference": "case-lychee-6060",
    "contact elsewhere": "asked for a mortgage of guava hall",
    "proof": "form-tamarind-7070",
    "account": "UA213223130000026007233566001",
    "second account": "UA213223130000026007233577002",
    "card": "4242420042427777",
    "one-time code": "9041-kumquat-7727",
}


# --- forms in which a program may write a text -------------------------------------------------------------------------

GSM = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
       "¿abcdefghijklmnopqrstuvwxyzäöñüà")


def packed(text, shift):
    """GSM 03.38 septets in octets, begun `shift` bits into one; without the octets at both ends, which other letters share."""
    bits = sum(GSM.index(letter) << (7 * place + shift) for place, letter in enumerate(text))
    octets = bits.to_bytes((7 * len(text) + shift + 7) // 8, "little")
    return octets[1:-1]


def swapped(digits):
    """Semi-octets, as addresses stand in PDUs of GSM."""
    digits += "f" * (len(digits) % 2)
    return bytes(int(digits[place + 1] + digits[place], 16) for place in range(0, len(digits), 2))


def forms(text):
    found = {"UTF-8": text.encode(), "UTF-16LE": text.encode("utf-16-le"), "UTF-16BE": text.encode("utf-16-be")}
    for name in ("latin-1", "iso8859_5"):
        try:
            found[name] = text.encode(name)
        except UnicodeEncodeError:
            pass
    if all(letter in GSM for letter in text):
        found["GSM, an octet a letter"] = bytes(GSM.index(letter) for letter in text)
        for shift in range(7):
            found[f"GSM, packed from bit {shift}"] = packed(text, shift)
    if text.isdigit():
        number = int(text)
        found |= {"semi-octets": swapped(text), "u64 LE": struct.pack("<Q", number), "u64 BE": struct.pack(">Q", number)}
    for name in [name for name in found if name.startswith(("UTF", "u64"))]:
        octets = found[name]
        for shift in range(3):
            # Of three places that octets may have in base64, without the letters at both ends that others share.
            whole = base64.b64encode(b"\0" * shift + octets)
            found[f"base64 of {name}, {shift}"] = whole[(0, 2, 3)[shift]:-4]
        found[f"hexadecimal of {name}"] = octets.hex().encode()
        found[f"capital hexadecimal of {name}"] = octets.hex().upper().encode()
    # Shorter ones are met by chance.
    return {name: octets for name, octets in found.items() if len(octets) >= 6}


NEEDLES = {octets: f"{what}, {form}" for what, text in KNOWN.items() for form, octets in forms(text).items()}


def files(places, since):
    for place in map(pathlib.Path, places):
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            # What was there before the person came is the database server's own.
            if path.is_file() and not path.is_symlink() and path.stat().st_mtime >= since:
                yield path


def traces(places, since=0):
    """Every known thing in any form, in any file or file's name."""
    found, octets = [], 0
    for path in files(places, since):
        # Files that were made long ahead end with zeros.
        held = path.read_bytes().rstrip(b"\0")
        octets += len(held)
        name = os.fsencode(path.name)
        found += [f"{path}: {what}" for needle, what in NEEDLES.items() if needle in held or needle in name]
    return found, octets


def prove_search(folder):
    """That each form would be found: a search that finds nothing may be a search that cannot find."""
    place = folder / "canary"
    place.mkdir()
    for number, needle in enumerate(NEEDLES):
        (place / str(number)).write_bytes(b"\xa5" * 5 + needle + b"\x5a" * 5)
    found, _ = traces([place])
    shutil.rmtree(place)
    if len({line.split(":")[0] for line in found}) != len(NEEDLES):
        raise Broken("the search does not find what was laid out for it")
    return len(NEEDLES)


# --- doors -------------------------------------------------------------------------------------------------------------

class SMPP:
    """As much of SMPP 3.4 as a bind and a submit take."""

    def __init__(self, port, system_id, password):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._sequence = 0
        self._ask(0x00000009, f"{system_id}\0{password}\0\0".encode() + bytes([0x34, 0, 0]) + b"\0")

    def _ask(self, command, body):
        self._sequence += 1
        self._socket.sendall(struct.pack(">IIII", 16 + len(body), command, 0, self._sequence) + body)
        head = self._read(16)
        length, answer, status, _ = struct.unpack(">IIII", head)
        self._read(length - 16)
        if answer != command | 0x80000000 or status:
            raise Broken(f"SMPP: command {command:x} was answered {answer:x} with status {status:x}")

    def _read(self, count):
        held = b""
        while len(held) < count:
            more = self._socket.recv(count - len(held))
            if not more:
                raise Broken("SMPP: the door closed the connection")
            held += more
        return held

    def submit(self, phone, text, coding):
        octets = text.encode("utf-16-be") if coding == 8 else text.encode()
        self._ask(0x00000004, b"\0" + b"\5\0HARBOUR\0" + b"\1\1" + phone[1:].encode() + b"\0" + bytes([0, 0, 0]) + b"\0\0"
                  + bytes([0, 0, coding, 0, len(octets)]) + octets)


def everything(place, smpp_port):
    """All that an installation may come to hold of a person. The customer's numbers, and ids of messages."""
    before = place.send(PHONE, KNOWN["text before the customer was known"], reference=KNOWN["source's reference"])
    place.wait_history(PHONE, before)
    customer = place.add_customer(
        KNOWN["reference"], PHONE, givenName=f"{KNOWN['given name']} {KNOWN['name in Cyrillic']}", familyName=KNOWN["family name"])
    # Of a file, too: the import belongs to a stopped desk.
    place.martlet.stop()
    rows = place.outside / "customers.csv"
    rows.write_text("reference,given_name,family_name,phone,email,package_account\n"
                    f"{KNOWN['reference']},,,{PHONE},{KNOWN['mail']},3 {KNOWN['account']}|3 {KNOWN['second account']} soon\n"
                    f"{KNOWN['reference']},,,{PHONE},{KNOWN['mail']},3 {KNOWN['account']}|3 {KNOWN['second account']}\n"
                    f"{KNOWN['second reference']},,{KNOWN['family name']},{PHONE}x,,\n")
    place.verb("import", "customers", rows)
    place.start()
    place.call("POST", f"/v1/customers/{customer}/consents",
               {"purpose": 1, "channel": "sms", "state": "given", "at": "2026-01-31T10:00:00Z", "way": "branch", "textVersion": "v3",
                "proof": KNOWN["proof"]}, (201,))
    place.call("POST", f"/v1/customers/{customer}/contacts",
               {"at": "2026-01-31T10:00:00Z", "kind": "branch", "unit": 7, "summary": KNOWN["contact elsewhere"]}, (201,))
    connect(place, customer)
    place.wait_sealed(PHONE, KNOWN["text"])
    ids = [before, place.send(PHONE, KNOWN["text in Cyrillic"], reference=KNOWN["source's reference"])]
    lines = b"".join(b'{"to": "%s", "from": "HARBOUR", "text": "%s"}\n' % (PHONE.encode(), KNOWN["text of a batch"].encode()) for _ in range(3))
    status, _ = place.web().ask("POST", "/v1/messages:batch", lines, {"Content-Type": "application/x-ndjson", "Idempotency-Key": KNOWN["reference"]})
    if status != 200:
        raise Broken(f"the batch was answered {status}")
    door = SMPP(smpp_port, "core", "secret")
    door.submit(PHONE, KNOWN["text over SMPP"], 0)
    door.submit(PHONE, KNOWN["text in Cyrillic"][:60], 8)
    import subprocess
    subprocess.run([place.martlet_path, "send", "--to", PHONE, "--from", "HARBOUR", "--data", str(place.data)],
                   input=KNOWN["text over the socket"].encode(), check=True, capture_output=True, timeout=30)
    # Before the erasure, so that it has been sent; its words are nobody else's.
    place.send(PHONE, f"Your one-time code is {KNOWN['one-time code']}", **{"class": "otp"})
    until("all arrived", 30, lambda: place.arrived(f"Your one-time code is {KNOWN['one-time code']}"))
    until("all arrived", 30, lambda: place.arrived(KNOWN["text over the socket"]) and place.arrived(KNOWN["text over SMPP"]))
    for words in (KNOWN["answer"], "STOP"):
        place.operator._ask("POST", "/inbound", {"from": PHONE[1:], "to": "HARBOUR", "text": words})
    until("the answer is in the history", 30, lambda: any(one.get("text") == KNOWN["answer"] for one in place.history(PHONE)))
    place.command("hold", "--class", "service", "--data", place.data)
    ids.append(place.send(PHONE, KNOWN["text that waits"], **{"class": "service"}))
    place.wait_history(PHONE, ids[-1])
    export = place.call("POST", f"/v1/customers/{customer}/export", {})
    (place.outside / "export.json").write_text(str(export))
    # Refused, and it must not be repeated by any log.
    place.admin.json("POST", "/v1/customers", {"reference": KNOWN["reference"], "contacts": [{"kind": "phone", "value": PHONE}]})
    place.web().json("POST", "/v1/messages", {"to": PHONE + "x", "from": "HARBOUR", "text": KNOWN["text"]})
    return customer, ids


def connect(place, customer):
    """A package for a card, by the customer, whose token opens nothing else."""
    token = place.call("POST", f"/v1/customers/{customer}/tokens", expected=(201,))["token"]
    app = Web(place.desk_port, key=token, timeout=30)
    status, own = app.json("GET", "/v1/self/packages")
    if status != 200 or [one["account"] for one in own["packages"][0]["connected"]] != ["•••6001", "•••7002"]:
        raise Broken(f"the customer's own packages were answered {status}: {own}")
    wish = [{"package": 3, "account": one["account"]} for one in own["packages"][0]["connected"]] + [{"package": 3, "card": KNOWN["card"]}]
    status, own = app.json("PUT", "/v1/self/packages", {"packages": wish}, {"If-Match": app.fields["ETag"]})
    if status != 200 or own["packages"][0]["connected"][2]["card"] != "•••7777":
        raise Broken(f"a package for a card was answered {status}: {own}")
    for method, path in (("GET", f"/v1/customers/{customer}"), ("POST", f"/v1/customers/{customer}/tokens"), ("GET", "/v1/audit")):
        if app.json(method, path)[0] != 401:
            raise Broken(f"the token opens {method} {path}")
    if place.admin.json("GET", "/v1/self/packages")[0] != 401:
        raise Broken("the administrator's key opens a customer's own packages")
    changes = place.call("GET", f"/v1/customers/{customer}/packages/changes")["items"]
    if [(one["act"], one["way"], one["source"]) for one in changes][0] != ("connected", "app", f"customer:{customer}") or len(changes) != 3:
        raise Broken(f"the history of packages is {changes}")


def save(place):
    folder = place.folder / "backup"
    folder.mkdir()
    place.verb("store", "backup", folder / "store")
    if place.server:
        place.dump(folder / "store.pgdump")
    place.verb("keys", "backup", folder / "keys")
    shutil.copytree(place.data / "journal", folder / "journal")
    shutil.copytree(place.data / "local", folder / "local")
    return folder


def gone(place, customer, ids, when):
    """By every question there is."""
    def expect(what, holds):
        if not holds:
            raise Broken(f"{when}: {what}")
    for question in ({"phone": PHONE}, {"email": KNOWN["mail"]}, {"reference": KNOWN["reference"]}):
        expect(f"the customer is found by {list(question)[0]}", place.call("POST", "/v1/customers/find", question)["items"] == [])
    place.call("GET", f"/v1/customers/{customer}", expected=(404,))
    place.call("POST", f"/v1/customers/{customer}/export", {}, expected=(404,))
    place.call("GET", f"/v1/customers/{customer}/packages", expected=(404,))
    expect("rows of packages are there", place.rows(f"SELECT count(*) FROM customer_package WHERE subject = {customer}") == [["0"]])
    for question in ({"phone": PHONE}, {"email": KNOWN["mail"]}):
        found = place.call("POST", "/v1/history/search", {**question, "reveal": True, "from": "2026-01-01T00:00:00Z"})["items"]
        expect(f"messages are found by {list(question)[0]}", found == [])
    for identifier in ids:
        content = place.content(identifier)
        # A backup is older than the newest messages.
        expect(f"a message's content is {content}", content in (None, "erased"))


def main():
    began, since = time.monotonic(), time.time()
    smpp_port = free_port()
    with Installation(options.build, "erasure", options.store, {"journal": {"segment": "8MiB"}}) as place:
        place.lay_over({"smpp": {"listen": f"127.0.0.1:{smpp_port}", "accounts": [
            {"systemId": "core", "passwordFile": str(place.folder / "smsc.password"), "source": "proof"}]}})
        temporary = place.folder / "temporary"
        temporary.mkdir()
        os.environ["TMPDIR"] = os.environ["SQLITE_TMPDIR"] = str(temporary)
        laid_out = prove_search(place.outside)
        place.begin()
        customer, ids = everything(place, smpp_port)
        backup = save(place)
        if not traces([place.outside])[0]:
            raise Broken("the export and the file of the import hold nothing of the person: the run proves nothing")
        # The newest are in the log, and perhaps not in the history when the customer goes.
        ids += [place.send(PHONE, f"{KNOWN['text']} {number}") for number in range(20)]
        place.erase(customer)
        # What an erasure has left to do outlives a restart; and memory holds no text behind one.
        place.restart()
        place.command("release", "--class", "service", "--data", place.data)
        until("the message that waited ended", 30, lambda: ended(place, ids[2]))
        until("the erasure is ended in the history", 60, lambda: place.rows("SELECT count(*) FROM erasure WHERE done_at IS NULL") == [["0"]]
              and place.rows("SELECT count(*) FROM erasure") != [["0"]])
        settled(1, lambda: place.history(PHONE) == [], "messages of the erased customer came into the history later")
        gone(place, customer, ids, "after the erasure")
        until("the list of erasures is outside", 10, lambda: place.erasures_outside() == 1)
        places = [place.data, place.folder / "martlet.log", backup, temporary, place.erasures, place.checkpoints]
        if place.server:
            places += [place.server.folder, place.server.folder.with_suffix(".log")]
        octets = 0
        for when in ("while it runs", "behind a stop"):
            if when != "while it runs":
                place.martlet.stop()
            found, more = traces(places, since)
            octets += more
            if found:
                raise Broken(f"{len(found)} traces of the person are readable {when}, such as {'; '.join(found[:5])}")
        restored(place, backup, customer, ids)
        say(f"erasure: on {options.store}, {len(KNOWN)} things in {laid_out} forms looked for in {octets / 1048576:.1f} MiB of files and "
            f"backup, nothing found; nor in the restored backup; {time.monotonic() - began:.0f} s")


def ended(place, identifier):
    status, answer = place.web().json("GET", f"/v1/messages/{identifier}")
    return status == 200 and answer["state"] == "cancelled"


def restored(place, backup, customer, ids):
    place.lose()
    if place.server:
        place.drop_database()
    place.data.mkdir(mode=0o700)
    place.verb("keys", "restore", backup / "keys", "--erased", place.erasures)
    if place.server:
        place.bring_dump(backup / "store.pgdump")
    place.verb("store", "restore", backup / "store")
    place.start()
    gone(place, customer, ids, "after the restore of the backup")
    place.martlet.stop()
    found, _ = traces([place.data])
    if found:
        raise Broken(f"after the restore {len(found)} traces are readable, such as {'; '.join(found[:5])}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    return parser.parse_args()


options = parse()
world.run_script(main, lambda: f"Tests/Faults/erasure.py --store {options.store} --build {options.build}")
