#!/usr/bin/env python3
"""Reads Tests/Golden/smpp.hex with software that nobody of this project wrote, and compares what it sees.

Uses whichever are there: smpp.pdu3 and smpplib (PyPI), tshark with text2pcap and Net::SMPP (Debian: tshark, libnet-smpp-perl). At least
one must be.
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
    "data_sm": {
        "service_type": "CMT", "source_addr": "HARBOUR", "destination_addr": "447700900123",
        "message_payload": "Your statement is ready.", "user_message_reference": 7,
    },
    "data_sm_resp": {"message_id": "0A1B2D"},
    "data_sm_resp_failed": {"message_id": "0A1B2E", "additional_status_info_text": "absent subscriber"},
    "replace_sm": {"message_id": "0A1B2C", "source_addr": "HARBOUR", "short_message": "Corrected"},
    "alert_notification": {"source_addr": "447700900123", "esme_addr": "HARBOUR"},
    "deliver_sm_notification": {"receipted_message_id": "0A1B2C", "message_state": 1, "esm_class": 0x20},
    "query_sm_resp": {"message_id": "0A1B2C", "final_date": "261122180500000+", "message_state": 2},
}
# What tshark must see beyond the header: values in wire order, joined by commas.
DISSECTED = {
    "submit_multi": {
        "smpp.dl_name": "branches", "smpp.destination_addr": "447700900123,447700900456",
        "smpp.source_addr": "HARBOUR",
    },
    "submit_multi_resp": {"smpp.message_id": "0A1B2F", "smpp.destination_addr": "447700900123,HARBOUR"},
    "replace_sm": {"smpp.message_id": "0A1B2C", "smpp.source_addr": "HARBOUR"},
    "data_sm": {"smpp.source_addr": "HARBOUR", "smpp.destination_addr": "447700900123", "smpp.service_type": "CMT"},
    "alert_notification": {"smpp.source_addr": "447700900123", "smpp.esme_addr": "HARBOUR"},
}
# What Net::SMPP must see of the PDUs that the two Python libraries do not know; lists are joined by commas, sources begin with 5, 0 (an
# alphanumeric sender), destinations with 1, 1.
MULTI = {
    "submit_multi": {
        "service_type": "CMT", "source_addr_ton": 5, "source_addr_npi": 0, "source_addr": "HARBOUR", "number_of_dests": 3,
        "dest_flag": "1,2,1", "destination_addr": "447700900123,branches,447700900456", "esm_class": 0, "protocol_id": 0, "priority_flag": 1,
        "schedule_delivery_time": "", "validity_period": "000000010000000R", "registered_delivery": 1, "replace_if_present_flag": 0,
        "data_coding": 0, "sm_default_msg_id": 0, "short_message": "To all branches", "user_message_reference": "\\x124",
    },
    "submit_multi_resp": {"message_id": "0A1B2F", "no_unsuccess": 2, "destination_addr": "447700900123,HARBOUR", "dest_addr_ton": "1,5"},
    "replace_sm": {"validity_period": "000000020000000R", "schedule_delivery_time": "261122204000008+", "registered_delivery": 1},
    "outbind": {"system_id": "SMSC", "password": "pw"},
    "cancel_sm": {"message_id": "0A1B2C", "source_addr": "HARBOUR", "destination_addr": "447700900123"},
}
# What a library does not know. smpp.pdu3 0.6: outbind, alert_on_message_delivery in a submit_sm (SMPP 3.4, 4.4.1, allows it), and
# submit_multi with its answer, whose counts it names but has no decoder for. smpplib: outbind, cancel_sm, replace_sm, submit_multi.
# tshark and Net::SMPP read them all.
SKIPPED = {
    "smpp.pdu3": {"outbind", "submit_sm_payload", "submit_multi", "submit_multi_resp"},
    "smpplib": {"outbind", "cancel_sm", "cancel_sm_resp", "replace_sm", "replace_sm_resp", "submit_multi", "submit_multi_resp"},
}


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
    from smpp.pdu.operations import ReplaceSM
    from smpp.pdu.pdu_encoding import PDUEncoder

    # It reads sm_length with short_message, as in its SubmitSM, but lists it in ReplaceSM as a field of its own too, which it cannot read.
    ReplaceSM.mandatoryParams = [name for name in ReplaceSM.mandatoryParams if name != "sm_length"]
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
        # Its order of optional parameters may differ, so octets are compared as a set of sorted parameters would be: by their count
        # of each; a vendor's parameter (4 + 3 octets) it leaves out.
        if name == "submit_sm":
            octets = octets[:-7]
            again, octets = again[4:], octets[4:]
        if sorted(again) != sorted(octets):
            problems.append(f"{name}: encodes to {again.hex()}, we to {octets.hex()}")
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


def with_net_smpp():
    out = subprocess.run(
        ["perl", str(pathlib.Path(__file__).with_name("net_smpp.pl"))],
        input=GOLDEN.read_text(), check=True, capture_output=True, text=True)
    seen = {}
    for line in out.stdout.splitlines():
        name, field, value = line.split("\t")
        seen.setdefault(name, {})[field] = value
    # It says aloud that it does not know the vendor's parameter of submit_sm, 0x1400.
    problems = [f"Net::SMPP says: {line}" for line in out.stderr.splitlines() if not line.startswith("Unknown tag") or "5120" not in line]
    lines = list(golden())
    for name, octets in lines:
        fields = seen.get(name, {})
        if fields.get("seq") != str(head(octets)[3]) or fields.get("status") != str(head(octets)[2]) or "error" in fields:
            problems.append(f"{name}: {fields}")
        for field, wanted in {**FIELDS.get(name, {}), **MULTI.get(name, {})}.items():
            # Numbers in parameters and octets that are no text it leaves as they are; the other decoders compare those.
            if fields.get(field, "").startswith("\\x") and name not in MULTI or field in ("message_state", "receipted_message_id"):
                continue
            value = fields.get(field, "").removesuffix("\\x00")
            if value != str(wanted):
                problems.append(f"{name}: {field} is {value!r}, wanted {wanted!r}")
    return problems, len(lines)


def with_tshark():
    lines = list(golden())
    with tempfile.TemporaryDirectory() as folder:
        dump, capture = pathlib.Path(folder, "dump"), pathlib.Path(folder, "capture")
        dump.write_text("".join(
            "".join(f"{at:06x} {octets[at:at + 16].hex(' ')}\n" for at in range(0, len(octets), 16)) + "\n" for _, octets in lines))
        subprocess.run(["text2pcap", "-q", "-T", "40000,2775", str(dump), str(capture)], check=True, capture_output=True)
        fields = ["smpp.command_id", "smpp.sequence_number", "_ws.malformed", "smpp.message_id", "smpp.receipted_message_id"]
        fields += sorted({field for wanted in DISSECTED.values() for field in wanted} - set(fields))
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
        # It does not look into the body of an answer that refuses.
        if wanted and head(octets)[2] == 0 and seen[3] != wanted:
            problems.append(f"{name}: message_id {seen[3]!r}, wanted {wanted!r}")
        for field, value in DISSECTED.get(name, {}).items():
            if seen[fields.index(field)] != value:
                problems.append(f"{name}: {field} is {seen[fields.index(field)]!r}, wanted {value!r}")
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
    if shutil.which("perl") and subprocess.run(["perl", "-MNet::SMPP", "-e", "1"], capture_output=True).returncode == 0:
        checks.append(("Net::SMPP", with_net_smpp))
    else:
        print("Net::SMPP: not installed")
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
