#!/usr/bin/env python3
"""Reads Tests/Golden/sms-texts.tsv and compares each row with what smpplib (PyPI) makes of the same text.

    pip install smpplib && python3 cross_check.py

smpplib is code that nobody here wrote, but it is simpler than the specification in a few known ways. A row may differ only for
one of the reasons below, and where it does this script checks the golden row against Python's own Unicode tables instead.
Exit 1 when a row differs for no known reason, or when the golden row is wrong in itself.
"""
import re
import sys
import unicodedata
from pathlib import Path

from smpplib import consts, gsm

GOLDEN = Path(__file__).resolve().parents[2] / "Golden" / "sms-texts.tsv"
HEADER = {"udh8": 6, "udh16": 7}
LIMIT = {("gsm7", "udh8"): 153, ("gsm7", "udh16"): 152, ("ucs2", "udh8"): 67, ("ucs2", "udh16"): 66}
ALPHABET = {consts.SMPP_ENCODING_DEFAULT: "gsm7", consts.SMPP_ENCODING_ISO10646: "ucs2"}


def unescape(text):
    return re.sub(r"\\(?:u\{([0-9A-F]+)\}|\\)", lambda m: chr(int(m[1], 16)) if m[1] else "\\", text)


def rows():
    for line in GOLDEN.read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            claim, text, kind, reference, alphabet, units, parts, octets = line.split("\t")
            octets = [b"" if part == "-" else bytes.fromhex(part) for part in octets.split(",")]
            yield claim, unescape(text), kind, int(reference, 16), alphabet, int(units), int(parts), octets


def replaced(text):
    """The text after the replacements that lose nothing: no-break spaces, singletons, composed letters."""
    text = re.sub("[\u00a0\u202f]", " ", text)
    text = re.sub("[\u037e\u2126\u212a\u212b]", lambda m: unicodedata.normalize("NFC", m[0]), text)
    return re.sub("[A-Za-z][\u0300-\u036f]", lambda m: unicodedata.normalize("NFC", m[0]), text)


def self_check(text, kind, reference, alphabet, units, parts, octets):
    """What must hold whatever a library says: headers, sizes, nothing cut, nothing lost."""
    assert len(octets) == parts, "number of parts"
    bodies = octets
    if parts > 1:
        size = HEADER[kind]
        for number, part in enumerate(octets, start=1):
            low, high = reference & 0xFF, reference >> 8
            want = bytes([5, 0, 3, low, parts, number]) if kind == "udh8" else bytes([6, 8, 4, high, low, parts, number])
            assert part[:size] == want, "header"
        bodies = [part[size:] for part in octets]
    width = 1 if alphabet == "gsm7" else 2
    assert sum(map(len, bodies)) == units * width, "units"
    limit = LIMIT[alphabet, kind] if parts > 1 else (160 if alphabet == "gsm7" else 70)
    for body in bodies:
        assert len(body) <= limit * width, "a part is too long"
        if alphabet == "gsm7":
            assert not body.endswith(b"\x1b"), "an escape is cut from its letter"
        else:
            body.decode("utf-16-be")  # a cut surrogate pair would raise
    if alphabet == "ucs2":
        assert b"".join(bodies).decode("utf-16-be") == text, "text"


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
    same, explained, different, wrong = 0, 0, {}, 0
    for claim, text, kind, reference, alphabet, units, parts, octets in rows():
        try:
            self_check(text, kind, reference, alphabet, units, parts, octets)
        except (AssertionError, UnicodeDecodeError) as fault:
            print(f"WRONG      {claim}: {fault}")
            wrong += 1
            continue
        theirs, encoding, _ = gsm.make_parts(text)
        theirs = list(theirs)
        if len(theirs) > 1:  # its reference is random: put ours in
            theirs = [part[:3] + bytes([reference & 0xFF]) + part[4:] for part in theirs]
        if theirs == octets and ALPHABET[encoding] == alphabet:
            same += 1
            continue
        why = reasons(text, kind, alphabet, octets, theirs, ALPHABET[encoding])
        if not why:
            print(f"UNEXPLAINED {claim}: {alphabet} {parts} against {ALPHABET[encoding]} {len(theirs)}")
            wrong += 1
        explained += bool(why)
        for reason in why:
            different.setdefault(reason, []).append(claim)
    for reason, claims in different.items():
        print(f"{len(claims):3} differ: {reason}")
        for claim in claims:
            print(f"      {claim}")
    print(f"{same} the same, {explained} different for a reason, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
