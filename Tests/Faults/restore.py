#!/usr/bin/env python3
"""Saves an installation while it works, erases a customer, loses everything, brings it back; then loses keys.

    restore.py --store sqlite|postgres --build debug [--only restore|killed|keys] [--kills 8]

restore: what was saved is there, who was erased behind the backup stays erased, the audit is sound against what was kept outside and its cut end is
named, sending goes on, and a journal copied with the rest is good for its opt-outs once what waited in it is purged.
killed: `martlet store restore` is killed with SIGKILL at moments spread over its whole run: no desk starts on what it left, and the same command run again
either ends well or says that nothing is left to do; then the store is sound, and who was erased behind the backup is erased.
keys: a wrong master key is refused and changes nothing, the right one brings all back, a new one can be brought in; customers' keys that are gone are
an alarm and no new store of keys; without any key a new beginning is possible, and what it costs is shown.
"""
import argparse
import shutil
import time

import world
from installation import Installation, settled, until
from world import Broken, Process, Unusable, free_port, say

KEPT, LATE, EARLY, STRANGER = "+447700900101", "+447700900102", "+447700900103", "+447700900199"
DEAF = "+447700900104"


def expect(what, holds):
    if not holds:
        raise Broken(what)


class Saved:
    """A backup as docs/operating/backup.md has it."""

    def __init__(self, place):
        self.place = place
        self.folder = place.outside / "backup"
        self.folder.mkdir()

    def make(self):
        place, folder = self.place, self.folder
        # Before the store: a copy that was made behind it would name entries that the saved store lacks.
        shutil.copy(place.checkpoints, folder / "checkpoints")
        place.verb("store", "backup", folder / "store")
        if place.server:
            place.dump(folder / "store.pgdump")
        place.verb("keys", "backup", folder / "keys")
        place.verb("keys", "check", folder / "keys")
        shutil.copytree(place.data / "journal", folder / "journal", ignore=shutil.ignore_patterns("spare-*"))
        place.verb("store", "backup", folder / "store", code=1)


def save_and_lose(place, saved):
    """Customers and messages, a backup in the middle, an erasure before and one behind it."""
    people = {phone: place.add_customer(f"40-{phone[-3:]}", phone) for phone in (KEPT, LATE, EARLY)}
    for phone in people:
        place.wait_sealed(phone, f"first of {phone[-3:]}")
    texts = {phone: place.send(phone, f"kept text of {phone[-3:]}") for phone in (KEPT, LATE, EARLY, STRANGER)}
    for phone, identifier in texts.items():
        place.wait_history(phone, identifier)
    place.operator._ask("POST", "/inbound", {"from": DEAF[1:], "to": "HARBOUR", "text": "STOP"})
    until("the opt-out is heeded", 20, lambda: place.send(DEAF, "offer", **{"class": "marketing"}) and suppressed(place, DEAF))
    place.erase(people[EARLY])
    until("the list of erasures is outside", 10, lambda: place.erasures_outside() == 1)
    # A desk that stops hands the audit's end outside, without the minute's wait.
    place.restart()
    place.command("hold", "--class", "service", "--data", place.data)
    waiting = place.send(STRANGER, "waits in the copy", **{"class": "service"})
    saved.make()
    place.command("release", "--class", "service", "--data", place.data)
    until("what was held arrived", 20, lambda: place.arrived("waits in the copy"))
    texts["behind"] = place.send(KEPT, "behind the backup")
    place.wait_history(KEPT, texts["behind"])
    place.erase(people[LATE])
    until("the second erasure is outside", 10, lambda: place.erasures_outside() == 2)
    place.restart()
    return people, texts, waiting


def suppressed(place, phone):
    status, answer = place.web().json("POST", "/v1/messages:search", {"to": phone})
    return status == 200 and any(one["state"] == "suppressed" for one in answer["messages"])


def come_back(place, saved, journal):
    """The order of docs/operating/backup.md."""
    place.martlet.kill9()
    place.lose()
    if place.server:
        place.drop_database()
    place.data.mkdir(mode=0o700)
    folder = saved.folder
    refused = place.verb("store", "restore", folder / "store", code=2)
    expect(f"the store came before the keys, and nothing said so: {refused}", "keys restore" in refused)
    told = place.verb("keys", "restore", folder / "keys", "--erased", place.erasures)
    expect(f"keys of the erased were not left out: {told}", "1 of erased ones left out" in told)
    if place.server:
        place.bring_dump(folder / "store.pgdump")
    if journal:
        shutil.copytree(folder / "journal", place.data / "journal")
    told = place.verb("store", "restore", folder / "store")
    expect(f"who was erased behind the backup was not erased again: {told}", "1 erased again" in told)
    # The proof of what the backup lacks is kept; new lines go into a new file.
    place.checkpoints.rename(place.outside / f"checkpoints.{'journal' if journal else 'empty'}")


def look(place, people, texts):
    """What must be there after a restore, and what must not."""
    expect("a customer of the backup is not found", place.find(KEPT) == [people[KEPT]])
    found = {one["id"]: one for one in place.history(KEPT)}
    expect("a message of the backup is not in the history", texts[KEPT] in found)
    expect("its text is not readable", found[texts[KEPT]].get("text") == "kept text of 101")
    expect("a stranger's message is not readable", any(one.get("text") == "kept text of 199" for one in place.history(STRANGER)))
    for phone in (LATE, EARLY):
        expect(f"{phone[-3:]} was erased and is found", place.find(phone) == [])
        expect(f"{phone[-3:]} was erased and messages are found", place.history(phone) == [])
        place.call("GET", f"/v1/customers/{people[phone]}", expected=(404,))
        content = place.content(texts[phone])
        expect(f"{phone[-3:]} was erased and the content is {content}", content == "erased")
    number = place.add_customer(f"41-{time.monotonic_ns()}", f"+4477009{time.monotonic_ns() % 100000:05d}")
    expect("a number was given out a second time", number > max(people.values()))


def restore(place):
    place.begin()
    saved = Saved(place)
    people, texts, waiting = save_and_lose(place, saved)
    expect("the audit is not sound", "confirmed by" in place.verb("audit", "verify"))
    came_back_with_nothing(place, saved, people, texts)
    came_back_with_journal(place, saved, people, texts, waiting)
    say(f"restore: on {options.store}, what was saved is there, who was erased stays erased, the cut end of the audit is named")


def came_back_with_nothing(place, saved, people, texts):
    come_back(place, saved, journal=False)
    place.start()
    look(place, people, texts)
    told = place.verb("audit", "verify", "--checkpoints", saved.folder / "checkpoints")
    expect(f"the audit is not sound against the checkpoints of the backup: {told}", "confirmed by" in told)
    place.verb("audit", "verify", "--checkpoints", place.outside / "checkpoints.empty", code=1)
    place.wait_sealed(KEPT, "sent again to one who is known")
    new = place.send(KEPT, "the first behind the restore")
    until("the message arrived", 20, lambda: place.arrived("the first behind the restore"))
    place.wait_history(KEPT, new)
    gaps = place.rows("SELECT outcome FROM audit WHERE act = 'history.gap'")
    expect("that the log is another one stands in no entry of the audit", len(gaps) >= 1)


def came_back_with_journal(place, saved, people, texts, waiting):
    come_back(place, saved, journal=True)
    # What waits in the copy was sent since. Nothing leaves before it is purged: the operator is out of reach.
    right = place.settings()["connections"]
    place.lay_over({"connections": [{"port": free_port()}]})
    place.write_settings()
    place.operator.reset()
    place.start()
    told = place.command("queue", "purge", "--yes", "--data", place.data)
    expect(f"nothing was purged: {told}", not told.startswith("0 "))
    place.martlet.stop()
    place.lay_over({"connections": right})
    place.write_settings()
    place.start()
    place.command("release", "--class", "service", "--data", place.data)
    look(place, people, texts)
    status, answer = place.web().json("GET", f"/v1/messages/{waiting}")
    expect(f"what waited in the copy stands as {answer}", status == 200 and answer["state"] == "cancelled")
    status, _ = place.web().json("GET", f"/v1/messages/{texts['behind']}")
    expect("a message that was accepted behind the copy is known", status == 404)
    place.send(DEAF, "an offer behind the restore", **{"class": "marketing"})
    new = place.send(KEPT, "with the old journal")
    until("the message arrived", 20, lambda: place.arrived("with the old journal"))
    place.wait_history(KEPT, new)
    settled(1, lambda: not place.arrived("waits in the copy"), "what was sent before the loss was sent again")
    expect("an opt-out of the copied journal is not heeded", not place.arrived("an offer behind the restore"))


def killed(place):
    place.begin()
    people = {phone: place.add_customer(f"40-{phone[-3:]}", phone) for phone in (KEPT, LATE)}
    for phone in people:
        place.wait_sealed(phone, f"first of {phone[-3:]}")
    text = place.send(KEPT, "kept text of 101")
    place.wait_history(KEPT, text)
    place.restart()
    saved = Saved(place)
    saved.make()
    place.erase(people[LATE])
    until("the list of erasures is outside", 10, lambda: place.erasures_outside() == 1)
    place.martlet.stop()
    # They prove what the backup lacks.
    place.checkpoints.rename(place.outside / "checkpoints.before")
    bare(place, saved)
    began = time.monotonic()
    place.verb("store", "restore", saved.folder / "store")
    whole = time.monotonic() - began
    left, refused = {}, 0
    for round in range(options.kills):
        bare(place, saved)
        stood = kill_restore(place, saved, whole * (round + 0.5) / options.kills)
        left[stood] = left.get(stood, 0) + 1
        if stood not in (None, "nothing") and refused == 0:
            place.refused("desk", "was cut short", str(saved.folder / "store"))
            refused += 1
        finish(place, saved, stood)
        expect("who was erased behind the backup is not erased", place.rows(
            f"SELECT COUNT(*) FROM customer WHERE subject = {people[LATE]} AND erased_at IS NOT NULL") == [["1"]])
        for name in ("sources.json", "groups"):
            expect(f"{name} did not come back whole", (place.data / name).read_bytes() == (saved.folder / "store" / name).read_bytes())
        place.verb("store", "check", "--rows")
    if refused == 0:
        raise Unusable(f"no run was killed before its end: {left}; more --kills")
    place.start()
    expect("a customer of the backup is not found", place.find(KEPT) == [people[KEPT]])
    expect("who was erased behind the backup is found", place.find(LATE) == [])
    expect("a message of the backup is not in the history", any(one["id"] == text for one in place.history(KEPT)))
    say(f"killed: on {options.store}, {options.kills} restores killed, which left {left}; each was ended by the same command")


def bare(place, saved):
    """Nothing but the keys, and of PostgreSQL the saved database."""
    place.lose()
    place.data.mkdir(mode=0o700)
    if place.server:
        place.drop_database()
        place.bring_dump(saved.folder / "store.pgdump")
    place.verb("keys", "restore", saved.folder / "keys", "--erased", place.erasures)


def kill_restore(place, saved, seconds):
    """What the killed run notes as left, None where it had noted nothing yet."""
    run = Process([place.martlet_path, "store", "restore", saved.folder / "store", *place.where], place.folder / "restore.log")
    run.wait(seconds)
    run.kill9()
    note = place.data / "desk" / "restore"
    return note.read_text().splitlines()[1].removeprefix("left ") if note.exists() else None


def finish(place, saved, stood):
    """The same command again: it ends well, or the run before had ended and it says so."""
    words = ("store", "restore", saved.folder / "store", *place.where)
    code, told = place.command(*words, check=False, seconds=120)
    if stood == "nothing" and not place.server:
        expect(f"a restore that had ended was not named as such: {code}, {told}", code == 1 and "nothing is left to do" in told)
    else:
        expect(f"the second run ended with {code}: {told}", code == 0)


def keys(place):
    place.begin()
    customer = place.add_customer("40-101", KEPT)
    place.wait_sealed(KEPT, "before the loss")
    text = place.send(KEPT, "sealed for one customer")
    place.wait_history(KEPT, text)
    place.verb("keys", "backup", place.outside / "keys")
    place.martlet.stop()
    wrong_master_key(place, customer, text)
    lost_customer_keys(place, customer)
    new_master_key(place)
    no_master_key(place)
    say("keys: wrong keys are refused, the right one brings all back, a lost store of keys is an alarm, and a new beginning works")


def readable(place, text):
    return any(one["id"] == text and one.get("text") == "sealed for one customer" for one in place.history(KEPT))


def wrong_master_key(place, customer, text):
    own, aside = place.folder / "master.key", place.outside / "master.key"
    own.rename(aside)
    place.refused("node", "does not exist")
    place.command("keys", "init", own)
    files = {path: path.read_bytes() for path in (place.data / "keys").rglob("*") if path.is_file() and path.name != "lock"}
    for role in ("node", "desk"):
        place.refused(role, "belongs to master key")
    place.verb("keys", "check", code=2)
    place.verb("keys", "restore", place.outside / "keys", code=2)
    expect("a wrong master key changed the keys", all(path.read_bytes() == held for path, held in files.items()))
    own.unlink()
    aside.rename(own)
    expect("the right key does not open all", place.verb("keys", "check").startswith("sound"))
    place.start()
    expect("with the right key the text is not readable", readable(place, text))
    expect("with the right key the customer is not there", place.find(KEPT) == [customer])
    place.martlet.stop()


def lost_customer_keys(place, customer):
    """The store of customers' keys is gone: an alarm, and the ways out."""
    store = place.data / "keys" / "subjects"
    store.rename(place.outside / "subjects")
    place.refused("node", "restore them from their backup")
    place.refused("desk", "keys restore")
    expect("a store of keys was made anew", not store.exists())
    place.verb("store", "reconcile", code=2)
    place.verb("keys", "restore", place.outside / "keys")
    place.verb("store", "reconcile")
    place.start()
    expect("the keys came back and the customer is not there", place.find(KEPT) == [customer])
    place.martlet.stop()
    # Without a backup.
    shutil.rmtree(store)
    place.verb("store", "reconcile", "--give-up-lost")
    place.start()
    expect("a customer whose key is lost is found", place.find(KEPT) == [])
    again = place.add_customer("40-101", KEPT)
    expect("the number of a lost key was given out again", again > customer)
    place.martlet.stop()


def new_master_key(place):
    old_line = place.verb("audit", "key")
    (place.outside / "audit.key").write_text(old_line)
    new = place.folder / "new.key"
    place.command("keys", "init", new)
    place.verb("keys", "rewrap", new)
    place.refused("node", "belongs to master key")
    place.lay_over({"keys": {"master": str(new), "erasures": str(place.erasures)}})
    place.write_settings()
    # The key that was given up stays a finding, and the only one.
    told = place.verb("keys", "check", code=1)
    expect(f"not all is wrapped by the new key: {told}", "; 1 finding(s)" in told and "has no key" in told)
    place.start()
    expect("under the new key the customer is not there", len(place.find(KEPT)) == 1)
    told = place.verb("audit", "verify", "--key", place.outside / "audit.key")
    expect(f"checkpoints of the old key are not believed: {told}", "confirmed by" in told)
    place.martlet.stop()


def no_master_key(place):
    """The master key is gone with all its copies: nothing sealed opens any more; the bank sends again within a minute."""
    line = place.verb("audit", "key")
    (place.outside / "audit.key").open("a").write(line)
    (place.folder / "new.key").unlink()
    place.command("keys", "init", place.folder / "new.key")
    place.refused("node", "belongs to master key")
    # The chain of the audit needs no secret: it is proved with the lines that were kept.
    told = place.verb("audit", "verify", "--key", place.outside / "audit.key")
    expect(f"without the master key the audit is not proved: {told}", "confirmed by" in told)
    place.data.rename(place.folder / "data.closed")
    place.checkpoints.rename(place.outside / "checkpoints.closed")
    printed = place.command("source", "add", "proof", "--data", place.data, "--scopes", "send,read")
    place.key = next(word for word in printed.split() if word.startswith("mk_"))
    place.start()
    place.new_administrator("anew")
    expect("a customer of before is there", place.find(KEPT) == [])
    customer = place.add_customer("40-101", KEPT)
    place.send(KEPT, "a new beginning")
    until("the message arrived", 20, lambda: place.arrived("a new beginning"))
    expect("the customer is not there", place.find(KEPT) == [customer])


def main():
    began = time.monotonic()
    for name, part in (("restore", restore), ("killed", killed), ("keys", keys)):
        if options.only in (None, name) and not (name == "keys" and options.store == "postgres"):
            with Installation(options.build, name, options.store) as place:
                part(place)
    say(f"restore: {time.monotonic() - began:.0f} s")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--only", choices=["restore", "killed", "keys"], default=None, help="one of them; keys are the same on both stores")
    parser.add_argument("--kills", type=int, default=8, help="restores that are killed")
    return parser.parse_args()


options = parse()
world.run_script(main, lambda: f"Tests/Faults/restore.py --store {options.store} --build {options.build}")
