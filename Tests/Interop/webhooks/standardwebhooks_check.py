#!/usr/bin/env python3
"""Webhooks of the running programs, verified by `standardwebhooks`, the reference library, and by the example of the guide.

    standardwebhooks_check.py [--build release|debug]

Ends of every kind are posted with signatures that verify; a changed byte, another secret and an old time do not; two secrets sign while
a receiver changes over; what was not heard comes again under the same id, over a SIGKILL too; 410 stops the posts until the source asks.
Exit status 1 when something differs.
"""
import argparse
import base64
import http.server
import json
import os
import pathlib
import re
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Tests" / "Faults"))

from standardwebhooks.webhooks import Webhook, WebhookVerificationError  # noqa: E402
from world import World, free_port, wait_for  # noqa: E402


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    posts = []
    status = 204

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.posts.append(({name.lower(): value for name, value in self.headers.items()}, body, self.status))
        self.send_response(self.status)
        if self.status == 302:
            self.send_header("Location", "http://127.0.0.1:9/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def secret():
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


def write_secrets(path, *secrets):
    path.write_text("".join(one + "\n" for one in secrets))
    path.chmod(0o600)


def verifies(key, headers, body):
    try:
        Webhook(key).verify(body, headers)
        return True
    except WebhookVerificationError:
        return False


def guide_example():
    """`verify` as docs/guides/webhooks.md prints it."""
    page = (ROOT / "docs" / "guides" / "webhooks.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.S).group(1)
    scope = {"__name__": "guide"}
    exec(compile(code, "docs/guides/webhooks.md", "exec"), scope)
    return scope["verify"]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release", choices=["release", "debug"])
    failed = []

    def check(what, is_so):
        print("ok  " if is_so else "FAIL", what, flush=True)
        if not is_so:
            failed.append(what)

    port = free_port()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    first, second = secret(), secret()
    with World(options.parse_args().build, label="webhooks") as world:
        file = world.folder / "proof.secret"
        write_secrets(file, first)
        world.lay_over({
            "webhooks": [{"source": "proof", "url": f"http://127.0.0.1:{port}/ends?from=martlet", "secretFile": str(file)}],
            "outbound": {"allow": [{"host": "127.0.0.1", "ports": [str(port)]}]},
        })
        world.prepare()
        world.start_simulator()
        world.start_martlet()
        world.operator.behave(receiptAfterMs=50)
        web = world.web()

        def submit(text, **more):
            status, answer = web.json("POST", "/v1/messages", {"to": "+447700900123", "text": text, "from": "HARBOUR", **more})
            assert status == 202, (status, answer)
            return answer["id"]

        def heard(identifier, kind):
            return [one for one in Receiver.posts if json.loads(one[1])["data"]["id"] == identifier
                    and json.loads(one[1])["type"] == f"message.{kind}"]

        delivered = submit("Card paid 48.20 EUR at Green Market", reference="r-1")
        wait_for("the delivery is posted", 20, lambda: heard(delivered, "delivered"))
        headers, body, _ = heard(delivered, "delivered")[0]
        check("the reference library verifies a delivery", verifies(first, headers, body))
        check("a changed byte does not verify", not verifies(first, headers, body.replace(b"delivered", b"delivereD", 1)))
        check("another secret does not verify", not verifies(second, headers, body))
        old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 3600)}
        check("another time does not verify", not verifies(first, old, body))
        guide = guide_example()
        check("the guide's own example verifies it, and not a changed one",
              guide(first, headers, body) and not guide(first, headers, body + b" ") and not guide(second, headers, body))
        data = json.loads(body)["data"]
        state = web.json("GET", f"/v1/messages/{delivered}")[1]
        same = ("id", "state", "reason", "class", "createdAt", "reference", "from")
        check("the body says what GET says", [data[name] for name in same if name != "createdAt"]
              == [state.get(name) for name in same if name != "createdAt"] and data["createdAt"][:19] == state["createdAt"][:19])
        check("the number is masked and the text is not there", "0900" not in data["to"][8:] and b"Green Market" not in body)

        world.operator.behave(receiptStatus="UNDELIV")
        refused = submit("to nobody")
        wait_for("the failure is posted", 20, lambda: heard(refused, "failed"))
        headers, body, _ = heard(refused, "failed")[0]
        check("a failure verifies and has its reason",
              verifies(first, headers, body) and json.loads(body)["data"]["reason"] == "undeliverable")
        world.operator.behave(receiptStatus="DELIVRD")

        write_secrets(file, second, first)
        world.command("connection", "reload", "--data", world.data)
        rotating = submit("with two secrets")
        wait_for("it is posted", 20, lambda: heard(rotating, "delivered"))
        headers, body, _ = heard(rotating, "delivered")[0]
        check("while secrets change over both verify", verifies(first, headers, body) and verifies(second, headers, body))

        Receiver.status = 302
        again = submit("told twice")
        wait_for("it is posted", 20, lambda: heard(again, "delivered"))
        Receiver.status = 204
        wait_for("it is posted again", 20, lambda: len(heard(again, "delivered")) == 2)
        check("what was not heard comes again under the same id, signed for its own time",
              len({one[0]["webhook-id"] for one in heard(again, "delivered")}) == 1
              and all(verifies(first, one[0], one[1]) for one in heard(again, "delivered")))

        Receiver.status = 500
        lost = submit("not heard before the crash")
        wait_for("it is posted", 20, lambda: heard(lost, "delivered"))
        world.martlet.kill9()
        Receiver.status = 204
        world.start_martlet()
        wait_for("it is posted after the crash", 20, lambda: [one for one in heard(lost, "delivered") if one[2] == 204])
        check("a SIGKILL loses no end", True)

        Receiver.status = 410
        web = world.web()
        gone = submit("nobody there")
        wait_for("it is posted", 20, lambda: heard(gone, "delivered"))
        wait_for("it is known", 10, lambda: 'martlet_webhook_well{source="proof"} 0' in world.metrics())
        Receiver.status = 204
        before = len(Receiver.posts)
        later = submit("after it was gone")
        time.sleep(1.5)
        check("after 410 nothing is posted", len(Receiver.posts) == before)
        status, answer = web.json("POST", "/v1/callbacks:replay", {"since": "2020-01-01T00:00:00Z"})
        check("the source asks and hears how many wait", status == 202 and answer["count"] == 2)
        wait_for("both are posted", 20, lambda: heard(later, "delivered") and [one for one in heard(gone, "delivered") if one[2] == 204])
        check("then they come", True)
        wait_for("all is heard", 10, lambda: "martlet_untold_messages 0" in world.metrics())
        log = world.martlet.log.read_text()
        check("the log says that it was gone, and holds no number", "410" in log and "7700900123" not in log)
        _, story = web.json("GET", f"/v1/messages/{delivered}/trace")
        check("the story says that the source heard", story[-1]["what"] == "source: heard")
    server.shutdown()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
