#!/usr/bin/env python3
"""Kannel (Debian's package) binds to Martlet's SMPP server as any bank's gateway would, and sends through it.

    kannel_check.py [--build release|debug]

Plain, Cyrillic and long texts, receipts for each by Kannel's own callbacks, and again after Martlet was restarted while Kannel stayed.
Exit status 1 when something differs.
"""
import argparse
import http.server
import shutil
import socket
import sys
import threading
import urllib.parse
import urllib.request

from esme import PASSWORD, Checks, door_world, free_port, wait_for
from world import Process

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
TEXTS = ["Card *4417: paid 48.20 EUR at Green Market.", "Ваш код: 417 208. Никому его не говорите.", "A long text for several parts. " * 12]


class Callbacks(http.server.BaseHTTPRequestHandler):
    heard = []

    def do_GET(self):
        self.heard.append({name: values[0] for name, values in urllib.parse.parse_qs(self.path.partition("?")[2]).items()})
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release", choices=["release", "debug"])
    check = Checks()
    with door_world(options.parse_args().build, "kannel") as world:
        world.prepare()
        world.start_simulator()
        world.start_martlet()
        ports = {name: free_port() for name in ("admin", "smsbox", "sendsms", "callbacks")}
        server = http.server.ThreadingHTTPServer(("127.0.0.1", ports["callbacks"]), Callbacks)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        configuration = world.folder / "kannel.conf"
        configuration.write_text(f"""group = core
admin-port = {ports['admin']}
admin-interface = 127.0.0.1
admin-password = admin
smsbox-port = {ports['smsbox']}
smsbox-interface = 127.0.0.1
log-level = 2
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = martlet
host = 127.0.0.1
port = {world.port}
transceiver-mode = true
smsc-username = core
smsc-password = {PASSWORD}
system-type = ""
source-addr-autodetect = true
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {ports['sendsms']}
sendsms-interface = 127.0.0.1
log-level = 2

group = sendsms-user
username = bank
password = bank
max-messages = 10
concatenation = true
""")
        boxes = []

        def accounts():
            return 'martlet_smpp_server_connections 1' in world.metrics()

        def send(text, number):
            back = urllib.parse.quote(f"http://127.0.0.1:{ports['callbacks']}/?n={number}&type=%d", safe="")
            coding = "&coding=2&charset=utf-8" if not text.isascii() else ""
            query = f"username=bank&password=bank&from=HARBOUR&to=447700900123&dlr-mask=31&dlr-url={back}{coding}"
            target = f"http://127.0.0.1:{ports['sendsms']}/cgi-bin/sendsms?{query}&text={urllib.parse.quote(text)}"
            with urllib.request.urlopen(target, timeout=10) as answer:
                return answer.status == 202

        def delivered():
            return {one["n"] for one in Callbacks.heard if one.get("type") == "1"}

        try:
            for name, wait in (("bearerbox", ports["smsbox"]), ("smsbox", ports["sendsms"])):
                boxes.append(Process([shutil.which(name, path=PATH), "-v", "2", configuration], world.folder / f"{name}.log"))

                def listens():
                    with socket.socket() as probe:
                        return probe.connect_ex(("127.0.0.1", wait)) == 0
                wait_for(f"{name} listens", 20, listens, every=0.1)
            wait_for("Kannel is bound", 20, accounts, every=0.2)
            check("Kannel binds and its messages are taken", all(send(text, number) for number, text in enumerate(TEXTS)))
            wait_for("the receipts", 20, lambda: delivered() >= {"0", "1", "2"}, every=0.2)
            check("Kannel hears a receipt for each", delivered() >= {"0", "1", "2"})
            seen = world.operator.messages()
            joined = "".join(message["text"] for message in seen if message["parts"] > 1)
            check("the texts arrive as they were written",
                  [message["text"] for message in seen if message["parts"] == 1] == TEXTS[:2] and joined == TEXTS[2])

            world.operator.behave(receiptAfterMs=3000)
            send("its receipt comes after a restart", 7)
            wait_for("it is at the operator", 10, lambda: len(world.operator.messages()) == len(seen) + 1)
            world.martlet.stop()
            world.start_martlet()
            wait_for("Kannel is bound again", 30, accounts, every=0.2)
            wait_for("the receipt", 30, lambda: "7" in delivered(), every=0.2)
            check("a receipt that came after a restart of Martlet reaches Kannel", "7" in delivered())
        finally:
            for box in reversed(boxes):
                box.kill9()
            server.shutdown()
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
