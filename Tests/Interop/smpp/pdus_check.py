#!/usr/bin/env python3
"""Reads Tests/Golden/smpp.hex with software that nobody of this project wrote, and compares what it sees.

Uses whichever are there: smpp.pdu3 and smpplib (PyPI), tshark with text2pcap (Debian). At least one must be.
Exit status: 0 all agree, 1 a difference, 2 no software to check with.
"""

import io
import pathlib
import shutil
import subprocess
import sys
import tempfile

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "Golden" / "smpp.hex"

# What every decoder must see: command_status and sequence_number come from the header of each line;
# here stand the fields of the bodies that are easy to get wrong.
FIELDS = {
    "bind_transceiver": {"system_id": "martlet", "password": "secret08", "system_type": "bank", "address_range": "4477"},
    "bind_transceiver_resp": {"system_id": "SMSC"},
    "submit_sm": {
        "service_type": "CMT", "source_addr": "HARBOUR", "destination_addr": "447700900123", "data_coding": 8,
        "esm_class": 0x40, "short_message": "0500032a0201041f0440", "validity_period": "000000010000000R",
    },
    "submit_sm_resp": {"message_id": "0A1B2C"},
    "deliver_sm_receipt": {"receipted_message_id": "0A1B2C", "message_state": 2, "esm_class": 0x04},
    "query_sm": {"message_id": "0A1B2C", "source_addr": "HARBOUR"},
    "query_sm_resp": {"message_id": "0A1B2C", "final_date": "261122180500000+", "message_state": 2},
}
# What a library does not know: smpp.pdu3 neither outbind nor alert_on_message_delivery in a submit_sm (SMPP 3.4, 4.4.1, allows it),
# smpplib neither outbind nor cancel_sm; data_sm goes through us as octets only.
SKIPPED = {"smpp.pdu3": {"outbind", "data_sm", "submit_sm_payload"}, "smpplib": {"outbind", "data_sm", "cancel_sm", "cancel_sm_resp"}}


def golden():
    for line in GOLDEN.read_text().splitlines():
        name, octets = line.split(" ")
        yield name, bytes.fromhex(octets)


def head(octets):
    return [int.from_bytes(octets[at:at + 4], "big") for at in (0, 4, 8, 12)]


def plain(value):
    """A field of any library as text or number."""
    if isinstance(value, bytes):
        try:
            text = value.decode("ascii").rstrip("\0")
            return text if text.isprintable() else value.hex()
        except UnicodeDecodeError:
            return value.hex()
    return value


def with_pdu3():
    from smpp.pdu.pdu_encoding import PDUEncoder

    problems, count = [], 0
    for name, octets in golden():
        if name in SKIPPED["smpp.pdu3"]:
            continue
        count += 1
        try:
            pdu = PDUEncoder().decode(io.BytesIO(octets))
        except Exception as error:  # whatever it says is a difference
            problems.append(f"{name}: {error}")
            continue
        if pdu.seqNum != head(octets)[3]:
            problems.append(f"{name}: sequence {pdu.seqNum}")
        for field, wanted in FIELDS.get(name, {}).items():
            if field in ("data_coding", "esm_class", "message_state", "validity_period", "final_date"):
                continue  # objects of its own; the other two decoders compare them
            seen = plain(pdu.params.get(field))
            if seen != wanted:
                problems.append(f"{name}: {field} is {seen!r}, wanted {wanted!r}")
        again = PDUEncoder().encode(pdu)
        # Its order of optional parameters may differ, so lengths are compared; a vendor's parameter (4 + 3 octets) it leaves out.
        if len(again) + (7 if name == "submit_sm" else 0) != len(octets):
            problems.append(f"{name}: encodes to {len(again)} octets, we to {len(octets)}")
    return problems, count


def with_smpplib():
    import smpplib.client
    import smpplib.smpp

    problems, count = [], 0
    client = smpplib.client.Client("127.0.0.1", 1)
    for name, octets in golden():
        if name in SKIPPED["smpplib"]:
            continue
        count += 1
        try:
            pdu = smpplib.smpp.parse_pdu(octets, client=client, allow_unknown_opt_params=True)
        except Exception as error:
            problems.append(f"{name}: {error!r}")
            continue
        if (pdu.sequence, pdu.status) != (head(octets)[3], head(octets)[2]):
            problems.append(f"{name}: sequence {pdu.sequence}, status {pdu.status}")
        for field, wanted in FIELDS.get(name, {}).items():
            seen = plain(getattr(pdu, field, None))
            if seen != wanted:
                problems.append(f"{name}: {field} is {seen!r}, wanted {wanted!r}")
    return problems, count


def with_tshark():
    lines = list(golden())
    with tempfile.TemporaryDirectory() as folder:
        dump, capture = pathlib.Path(folder, "dump"), pathlib.Path(folder, "capture")
        dump.write_text("".join(
            "".join(f"{at:06x} {octets[at:at + 16].hex(' ')}\n" for at in range(0, len(octets), 16)) + "\n" for _, octets in lines))
        subprocess.run(["text2pcap", "-q", "-T", "40000,2775", str(dump), str(capture)], check=True, capture_output=True)
        fields = ["smpp.command_id", "smpp.sequence_number", "_ws.malformed", "smpp.message_id", "smpp.receipted_message_id"]
        arguments = ["tshark", "-r", str(capture), "-d", "tcp.port==2775,smpp", "-o", "smpp.reassemble_smpp_over_tcp:FALSE", "-T", "fields"]
        for field in fields:
            arguments += ["-e", field]
        out = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.splitlines()
    problems = []
    if len(out) != len(lines):
        problems.append(f"{len(out)} packets seen of {len(lines)}")
    for (name, octets), line in zip(lines, out):
        seen = line.split("\t") + [""] * len(fields)
        if not seen[0] or int(seen[0], 0) != head(octets)[1] or int(seen[1], 0) != head(octets)[3] or seen[2]:
            problems.append(f"{name}: {line!r}")
        wanted = FIELDS.get(name, {}).get("message_id")
        if wanted and seen[3] != wanted:
            problems.append(f"{name}: message_id {seen[3]!r}, wanted {wanted!r}")
    return problems, len(lines)


def main():
    checks = []
    for label, module, check in (("smpp.pdu3", "smpp.pdu", with_pdu3), ("smpplib", "smpplib", with_smpplib)):
        try:
            __import__(module)
            checks.append((label, check))
        except ImportError:
            print(f"{label}: not installed")
    if shutil.which("tshark") and shutil.which("text2pcap"):
        checks.append(("tshark", with_tshark))
    else:
        print("tshark: not installed")
    if not checks:
        return 2
    failed = False
    for label, check in checks:
        problems, count = check()
        print(f"{label}: {count} PDUs read, {len(problems)} differences")
        for problem in problems:
            print(f"  {problem}")
        failed = failed or bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
