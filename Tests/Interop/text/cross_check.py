#!/usr/bin/env python3
"""Reads Tests/Golden/sms-texts.tsv and compares each row with what smpplib (PyPI) makes of the same text.

    pip install smpplib==2.2.4 gsmcodecs==1.0.0 && python3 cross_check.py

smpplib is code that nobody here wrote, but it is simpler than the specification in a few known ways. A row may differ only for
one of the reasons below, and where it does this script checks the golden row against Python's own Unicode tables instead.
smpplib knows GSM 7-bit, ISO 8859-1 and UCS-2, 8-bit references and parts for SAR. National language tables are read back by
gsmcodecs (PyPI, tables of TS 23.038 release 18), the ISO alphabets by Python's codecs.
Exit 1 when a row differs for no known reason, or when the golden row is wrong in itself.
"""
import re
import sys
import unicodedata
from pathlib import Path

import gsmcodecs  # noqa: F401  registers the codecs gsm23.038-LOCKING-SINGLE
from smpplib import consts, gsm

GOLDEN = Path(__file__).resolve().parents[2] / "Golden" / "sms-texts.tsv"
HEADER = {"udh8": 6, "udh16": 7, "sar": 0, "payload": 0}
ON_AIR = {"udh8": 6, "udh16": 7, "sar": 6, "payload": 6}
# National Language Identifiers: locking shift, single shift.
TABLES = {
    "gsm7": (0, 0), "turkishShift": (0, 1), "turkishLocking": (1, 0), "spanishShift": (0, 2), "portugueseShift": (0, 3),
    "portugueseLocking": (3, 0),
}
CODECS = {"latin1": "latin-1", "cyrillic": "iso8859-5", "ucs2": "utf-16-be", "ascii": "ascii"}
CODECS.update({name: "gsm23.038-%d-%d" % pair for name, pair in TABLES.items()})
# What smpplib can be asked for.
ENCODINGS = {
    "gsm7": consts.SMPP_ENCODING_DEFAULT, "latin1": consts.SMPP_ENCODING_ISO88591, "ucs2": consts.SMPP_ENCODING_ISO10646,
}
ALPHABET = {encoding: name for name, encoding in ENCODINGS.items()}


def language(alphabet):
    """Header elements that name the tables (TS 23.040, 9.2.3.24.15 and .16)."""
    locking, single = TABLES.get(alphabet, (0, 0))
    return (bytes([0x24, 1, single]) if single else b"") + (bytes([0x25, 1, locking]) if locking else b"")


def room(alphabet, header):
    """Units behind a header of so many octets, of 140."""
    if alphabet in TABLES or alphabet == "ascii":
        return (140 * 8 - header * 8) // 7
    return (140 - header) // (2 if alphabet == "ucs2" else 1)


def unescape(text):
    return re.sub(r"\\(?:u\{([0-9A-F]+)\}|\\)", lambda m: chr(int(m[1], 16)) if m[1] else "\\", text)


def rows():
    for line in GOLDEN.read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            claim, text, kind, reference, alphabet, units, parts, octets, *allowed = line.split("\t")
            octets = [b"" if part == "-" else bytes.fromhex(part) for part in octets.split(",")]
            allowed = allowed[0].split(",") if allowed else ["gsm7", "ucs2"]
            yield claim, unescape(text), kind, int(reference, 16), alphabet, int(units), int(parts), octets, allowed


def replaced(text):
    """The text after the replacements that lose nothing: no-break spaces, singletons, composed letters."""
    text = re.sub("[\u00a0\u202f]", " ", text)
    text = re.sub("[\u037e\u2126\u212a\u212b]", lambda m: unicodedata.normalize("NFC", m[0]), text)
    return re.sub("[A-Za-z][\u0300-\u036f]", lambda m: unicodedata.normalize("NFC", m[0]), text)


def length(text, alphabet):
    """Units of a text on the air."""
    if alphabet == "ascii":
        return len(text.encode(CODECS["gsm7"]))
    return len(text.encode(CODECS[alphabet])) // (2 if alphabet == "ucs2" else 1)


def self_check(text, kind, reference, alphabet, units, parts, octets, allowed):
    """What must hold whatever a library says: headers, sizes, nothing cut, nothing lost."""
    whole = kind == "payload" and parts > 1
    assert len(octets) == (1 if whole else parts), "number of submits"
    assert alphabet in allowed, "alphabet is not allowed"
    elements = language(alphabet)
    bodies = []
    for number, part in enumerate(octets, start=1):
        low, high = reference & 0xFF, reference >> 8
        header = elements
        if parts > 1 and kind == "udh8":
            header = bytes([0, 3, low, parts, number]) + elements
        elif parts > 1 and kind == "udh16":
            header = bytes([8, 4, high, low, parts, number]) + elements
        header = bytes([len(header)]) + header if header else b""
        assert part[:len(header)] == header, "header"
        bodies.append(part[len(header):])
    single = room(alphabet, len(elements) + 1 if elements else 0)
    limit = room(alphabet, ON_AIR[kind] + len(elements)) if parts > 1 else single
    assert (units > single) == (parts > 1), "one message or several"
    assert -(-units // limit) <= parts, "too few parts"
    written = ""
    for body in bodies:
        if alphabet in TABLES:
            assert not body.endswith(b"\x1b"), "an escape is cut from its letter"
        here = body.decode(CODECS[alphabet])  # a cut surrogate pair would raise
        written += here
        if not whole:
            assert length(here, alphabet) <= limit, "a part is too long"
    assert length(written, alphabet) == units, "units"
    same = text if alphabet in ("ucs2", "latin1", "cyrillic") else replaced(text)
    assert written == same, "text"
    if alphabet not in ("gsm7", "ucs2"):
        cheaper = [a for a in allowed[:allowed.index(alphabet)] if fits(text, a) and a != "gsm7"]
        assert all(-(-length(text, a) // room(a, 0)) > 1 or parts == 1 for a in cheaper), "another alphabet was cheaper"
        assert "gsm7" not in allowed or not fits(text, "gsm7"), "GSM 7-bit has every letter"


def fits(text, alphabet):
    try:
        length(text, alphabet)
        return True
    except UnicodeError:
        return False


def theirs_of(text, kind, reference, alphabet, allowed):
    """What smpplib makes of it: its parts and alphabet; None when it cannot be asked."""
    if kind == "payload":
        return None
    wanted = "gsm7" if alphabet == "ucs2" and "gsm7" in allowed else alphabet
    if wanted not in ENCODINGS:
        return None
    parts, encoding, _ = gsm.make_parts(text, encoding=ENCODINGS[wanted], use_udhi=kind != "sar")
    parts = list(parts)
    if len(parts) > 1 and kind != "sar":  # its reference is random: put ours in
        parts = [part[:3] + bytes([reference & 0xFF]) + part[4:] for part in parts]
    return parts, ALPHABET[encoding]


def reasons(text, kind, alphabet, ours, theirs, their_alphabet):
    """Every known reason why smpplib may differ here."""
    known = []
    if "\u0060" in text or "\x1b" in text:
        known.append("smpplib fills the gaps of its table with backquotes and knows the escape as a letter; TS 23.038 has neither")
    if "\f" in text:
        known.append("smpplib lacks the page break, extension code 0x0A (TS 23.038, 6.2.1.1)")
    if "§" in text:
        known.append("smpplib has a backquote at 0x5F, where TS 23.038, 6.2.1 has the section sign")
    if alphabet == "gsm7" and their_alphabet == "ucs2" and replaced(text) != text:
        known.append("a replacement that loses nothing lets the text stay in GSM 7-bit")
    if alphabet == their_alphabet and len(ours) > 1:
        if kind == "udh16":
            known.append("smpplib writes 8-bit references only; parts are shorter by the seventh header octet")
        if [len(part) for part in ours] != [len(part) for part in theirs]:
            known.append("smpplib cuts by count and would cut an escape, a surrogate pair or a grapheme cluster")
    return known


def main():
    same, explained, alone, different, wrong = 0, 0, 0, {}, 0
    for claim, text, kind, reference, alphabet, units, parts, octets, allowed in rows():
        try:
            self_check(text, kind, reference, alphabet, units, parts, octets, allowed)
        except (AssertionError, UnicodeError) as fault:
            print(f"WRONG      {claim}: {fault}")
            wrong += 1
            continue
        answer = theirs_of(text, kind, reference, alphabet, allowed)
        if answer is None:
            alone += 1
            continue
        theirs, their_alphabet = answer
        if theirs == octets and their_alphabet == alphabet:
            same += 1
            continue
        why = reasons(text, kind, alphabet, octets, theirs, their_alphabet)
        if not why:
            print(f"UNEXPLAINED {claim}: {alphabet} {parts} against {their_alphabet} {len(theirs)}")
            wrong += 1
        explained += bool(why)
        for reason in why:
            different.setdefault(reason, []).append(claim)
    for reason, claims in different.items():
        print(f"{len(claims):3} differ: {reason}")
        for claim in claims:
            print(f"      {claim}")
    print(f"{same} the same, {explained} different for a reason, {alone} that smpplib cannot say (read back by codecs), {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
