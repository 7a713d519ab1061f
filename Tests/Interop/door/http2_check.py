#!/usr/bin/env python3
"""HTTP/2 and client certificates by clients that nobody here wrote: curl (nghttp2), httpx and h2.

    http2_check.py [--build release|debug]

Messages and batches over ALPN and over prior knowledge, many streams at once, HTTP/1.1 beside it, a key that is bound to a certificate,
and a peer that resets streams without end. Exit status 1 when something differs.
"""
import argparse
import asyncio
import json
import pathlib
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Faults"))

import h2.config  # noqa: E402
import h2.connection  # noqa: E402
import h2.events  # noqa: E402
import httpx  # noqa: E402
from esme import Checks  # noqa: E402
from world import World, free_port, wait_for  # noqa: E402

MESSAGE = {"to": "+447700900123", "text": "Your statement is ready.", "from": "HARBOUR"}


def openssl(folder, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)


def certificates(folder):
    """A server's certificate, an authority, and two clients that it signed: `core` and `other`."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl(folder, "req", "-x509", *curve, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", "door.key", "-out", "door.pem")
    openssl(folder, "req", "-x509", *curve, "-subj", "/CN=authority", "-keyout", "authority.key", "-out", "authority.pem")
    for name in ("core", "other"):
        openssl(folder, "req", "-new", *curve[:-2], "-subj", f"/CN={name}-banking", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial",
                "-days", "2", "-out", f"{name}.pem")


def curl(*arguments):
    """Version of HTTP, status, and body."""
    done = subprocess.run(["curl", "-sS", "-m", "20", "-w", "\n%{http_version} %{http_code}", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr.strip(), 0, ""
    body, _, told = done.stdout.rpartition("\n")
    version, status = told.split()
    return version, int(status), body


def post(key, body=MESSAGE, path="/v1/messages", kind="application/json"):
    text = body if isinstance(body, str) else json.dumps(body)
    return ["-H", f"Authorization: Bearer {key}", "-H", f"Content-Type: {kind}", "--data-binary", text]


async def many(url, key, verify, count):
    """So many messages over one connection of httpx; its answers."""
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(http1=False, http2=True, verify=verify, limits=limits, timeout=30) as client:
        headers = {"Authorization": f"Bearer {key}"}
        return await asyncio.gather(*(
            client.post(f"{url}/v1/messages", json={**MESSAGE, "reference": str(n)}, headers=headers) for n in range(count)))


def reset_storm(port, key):
    """Opens streams and resets them until the server has enough; how many went, and its words."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall(connection.data_to_send())
        wire.settimeout(0.01)
        for number in range(2000):
            stream = connection.get_next_available_stream_id()
            connection.send_headers(stream, [
                (":method", "GET"), (":scheme", "http"), (":path", "/v1/messages/" + "0" * 31 + "1"), (":authority", "localhost"),
                ("authorization", f"Bearer {key}")], end_stream=True)
            connection.reset_stream(stream, 8)
            try:
                wire.sendall(connection.data_to_send())
                data = wire.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                return number, None
            if not data:
                return number, None
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ConnectionTerminated):
                    return number, event.error_code
    return 2000, None


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release", choices=["release", "debug"])
    check = Checks()
    build = options.parse_args().build
    with World(build, label="http2", window=50) as world:
        world.prepare()
        world.start_simulator()
        world.start_martlet()
        url = f"http://127.0.0.1:{world.ports['http']}"
        version, status, body = curl("--http2-prior-knowledge", f"{url}/v1/messages", *post(world.key))
        check("curl with prior knowledge: a message is taken over HTTP/2", (version, status) == ("2", 202))
        identifier = json.loads(body)["id"]
        version, status, body = curl("--http2-prior-knowledge", f"{url}/v1/messages/{identifier}", "-H", f"Authorization: Bearer {world.key}")
        check("curl with prior knowledge: its state is read", (version, status) == ("2", 200) and json.loads(body)["id"] == identifier)
        version, status, body = curl(f"{url}/v1/messages", *post(world.key))
        check("curl beside it speaks HTTP/1.1", (version, status) == ("1.1", 202))
        lines = "".join(json.dumps({**MESSAGE, "reference": str(n)}) + "\n" for n in range(3000))
        (world.folder / "batch").write_text(lines)
        version, status, body = curl(
            "--http2-prior-knowledge", f"{url}/v1/messages:batch", *post(world.key, f"@{world.folder / 'batch'}", kind="application/x-ndjson"))
        told = [json.loads(line) for line in body.splitlines()]
        check("curl with prior knowledge: 3,000 lines of a batch are answered in order over HTTP/2",
              version == "2" and len(told) == 3000 and all(line["status"] == 202 for line in told))
        large = json.dumps({**MESSAGE, "text": "x" * 100_000})
        (world.folder / "large").write_text(large)
        version, status, _ = curl("--http2-prior-knowledge", f"{url}/v1/messages", *post(world.key, f"@{world.folder / 'large'}"))
        check("curl with prior knowledge: a body too large is refused and the answer read", (version, status) == ("2", 413))
        sent, code = reset_storm(world.ports["http"], world.key)
        check(f"h2: a storm of resets is ended by ENHANCE_YOUR_CALM (after {sent})", sent < 400 and code in (11, None))
        check("and others are served on", curl("--http2-prior-knowledge", f"{url}/v1/messages", *post(world.key))[1] == 202)
        metrics = world.ops.ask("GET", "/metrics")[1].decode()
        check("its counters agree", "martlet_http2_connections_total 6" in metrics)

    with World(build, label="http2-tls", window=50) as world:
        certificates(world.folder)
        files = {name: str(world.folder / f"{name}.pem") for name in ("door", "authority")}
        world.lay_over({"http": {"listen": f"127.0.0.1:{world.ports['http']}", "tls": {
            "certificate": files["door"], "key": str(world.folder / "door.key"), "clientAuthority": files["authority"],
            "clientCertificates": "optional"}}})
        world.prepare()
        world.start_simulator()
        world.start_martlet()
        url = f"https://localhost:{world.ports['http']}"
        trust = ["--cacert", files["door"]]
        check("curl over TLS agrees on HTTP/2", curl(*trust, "--http2", f"{url}/v1/messages", *post(world.key))[:2] == ("2", 202))
        check("curl that only knows HTTP/1.1 agrees on that", curl(*trust, "--http1.1", f"{url}/v1/messages", *post(world.key))[:2] == ("1.1", 202))
        verify = ssl.create_default_context(cafile=files["door"])
        answers = asyncio.run(many(url, world.key, verify, 500))
        check("httpx: 500 messages at once over one connection, each with an id of its own",
              all(one.status_code == 202 and one.http_version == "HTTP/2" for one in answers)
              and len({one.json()["id"] for one in answers}) == 500)
        world.command("source", "certificates", "proof", "cn:core-banking", "--data", world.data)
        for version in ("--http2", "--http1.1"):
            def shown(name):
                pair = ["--cert", world.folder / f"{name}.pem", "--key", world.folder / f"{name}.key"] if name else []
                return curl(*trust, version, *pair, f"{url}/v1/messages", *post(world.key))
            check(f"{version}: a key bound to a certificate is taken with it", shown("core")[1] == 202)
            refused = [shown("other"), shown(None)]
            check(f"{version}: and refused with another, or with none",
                  all(status == 401 and json.loads(body)["type"] == "/problems/certificate_mismatch" for _, status, body in refused))
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
