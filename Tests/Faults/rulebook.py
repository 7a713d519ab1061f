"""A release of the rulebook as a desk would hand it to its node (docs/reference/rulebook-file.md), for nodes that are tried without one."""
import hashlib
import json
import os
import time


def write_release(data, objects, number=1):
    """Writes `objects`, a dictionary from KIND/KEY to content, as release `number` of the node whose data directory this is."""
    listed = [{"kind": name.split("/", 1)[0], "key": name.split("/", 1)[1], "version": 1, "content": content}
              for name, content in objects.items()]
    listed.sort(key=lambda one: (one["kind"], one["key"]))
    # Names are ASCII here, so sorting them by letters is the canonical order (RFC 8785).
    document = json.dumps({"at": int(time.time() * 1000), "number": number, "objects": listed}, sort_keys=True, separators=(",", ":"),
                          ensure_ascii=False).encode()
    head = f"martlet-rulebook 1 {number} {len(document)} {hashlib.sha256(document).hexdigest()}\n".encode()
    folder = data / "local"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder / "rulebook.new"
    fresh.write_bytes(head + document)
    fresh.chmod(0o600)
    os.rename(fresh, folder / f"rulebook-{number:010d}")


# One event for everybody, told by SMS in two languages: what the documents of the HTTP door show.
PAYMENTS = {
    "event-type/card-payment": {"number": 3, "group": "cards"},
    "event/card_payment": {
        "number": 12, "type": "card-payment", "class": "transactional", "everyone": True, "deadline": 3600,
        "parameters": [
            {"name": "amount", "type": "money", "dataClass": "financial"},
            {"name": "card", "type": "text", "dataClass": "identifier", "maximum": 19},
            {"name": "shop", "type": "text", "default": ""},
        ],
        "threshold": "amount", "card": "card", "templates": {"sms": "card-payment"},
    },
    "plan/sms": {"steps": [{"channels": ["sms"]}]},
    "matrix/bank": {"cells": [{"class": "transactional", "plan": "sms"}]},
    "zones/bank": {"default": "Europe/Kyiv"},
    "template/sms.card-payment": {
        "channel": "sms", "sender": "HARBOUR", "standard": "en",
        "texts": {
            "en": "Card {{card | mask: card}}: paid {{amount | money: code}} at {{shop}}. Not you? Call the number on your card at once.",
            "uk": "Картка {{card | mask: card}}: {{amount | money}}, {{shop}}",
        },
    },
}
