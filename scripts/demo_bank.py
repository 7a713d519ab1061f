"""The demo bank of scripts/run-demo as its systems, the bank's app and a customer's phone see it."""
import csv
import datetime
import http.client
import json
import pathlib
import time
import zoneinfo

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEMO = ROOT / ".demo"
# As in config/demo.yaml and config/sim.yaml.
INTAKE, DESK, SIMULATOR = 8080, 8090, 8190
UTC = datetime.timezone.utc
AMOUNT, AVAILABLE, CARD, SHOP = "125.50", "3874.50", "5375411122223333", "Kava 7"
# What each of the five hears of a card payment: outcome and reason.
OUTCOMES = {
    "HB-1001": ("tell", None),
    "HB-1002": ("suppress", "below_threshold"),
    "HB-1003": ("hold", None),
    "HB-1004": ("suppress", "not_in_package"),
    "HB-1005": ("suppress", "opted_out"),
}


class Unusable(Exception):
    """The demo does not run, or does not answer as the API says."""


def call(port, method, path, body=None, key=None, headers=()):
    """Status, headers and JSON of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    sent = {"Content-Type": "application/json", **dict(headers)}
    if key:
        sent["Authorization"] = f"Bearer {key}"
    try:
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        text = answer.read()
    except OSError as error:
        raise Unusable(f"nobody answers on port {port} ({error}); start the demo with `make run` in another terminal") from error
    finally:
        connection.close()
    try:
        return answer.status, answer.headers, json.loads(text) if text else None
    except ValueError as error:
        raise Unusable(f"{method} {path} was answered {answer.status} with what is no JSON") from error


def wanted(status, answer, *expected):
    if status not in expected:
        raise Unusable(f"answered {status} instead of {expected[0]}: {json.dumps(answer, ensure_ascii=False)}")
    return answer


def wait(seconds, what, condition, every=0.1):
    """What `condition` gives, as soon as it is not None."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got is not None:
            return got
        if time.monotonic() > end:
            raise Unusable(f"{what}: waited {seconds} s in vain")
        time.sleep(every)


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Bank:
    """The running demo, as its systems and its app speak to it."""

    def __init__(self):
        try:
            self.key = (DEMO / "demo.key").read_text().strip()
            self.admin = (DEMO / "admin.key").read_text().strip()
        except OSError as error:
            raise Unusable(f"{error.filename} is not there; start the demo with `make run` in another terminal") from error
        zones = json.loads((ROOT / "config/demo/rulebook/zones/bank.json").read_text())["content"]["zones"]
        zones = {str(one["number"]): one["zone"] for one in zones}
        with open(ROOT / "config/demo/customers.csv", encoding="utf-8", newline="") as file:
            self.customers = {row["reference"]: row | {"zone": zoneinfo.ZoneInfo(zones[row["zone"]])} for row in csv.DictReader(file)}

    # What systems of the bank do

    def ask(self, method, path, body=None):
        status, _, answer = call(INTAKE, method, path, body, self.key)
        return status, answer

    def explain(self, event):
        return wanted(*self.ask("POST", "/v1/events:explain", event), 200)

    def send(self, event):
        return wanted(*self.ask("POST", "/v1/events", event), 202)["id"]

    def notification(self, identifier):
        return wanted(*self.ask("GET", f"/v1/notifications/{identifier}"), 200)

    def trace(self, identifier):
        return wanted(*self.ask("GET", f"/v1/notifications/{identifier}/trace"), 200)

    def card_payment(self, reference):
        at = datetime.datetime.now(UTC).astimezone(self.customers[reference]["zone"]).replace(microsecond=0)
        return {"definition": "card_payment", "customer": reference,
                "parameters": {"card": CARD, "shop": SHOP, "at": at.isoformat(), "reference": f"demo-{time.time_ns()}",
                               "amount": {"amount": AMOUNT, "currency": "UAH"}, "available": {"amount": AVAILABLE, "currency": "UAH"}}}

    def unusual_activity(self, reference):
        at = datetime.datetime.now(UTC).astimezone(self.customers[reference]["zone"]).replace(microsecond=0)
        return {"definition": "unusual_activity", "customer": reference,
                "parameters": {"card": CARD, "at": at.isoformat(), "amount": {"amount": "48000.00", "currency": "UAH"}}}

    def document(self, definition, reference, **more):
        return {"definition": definition, "customer": reference, "parameters": {"document": f"довідка {time.time_ns() % 100000}", **more}}

    # What a customer does in the bank's app

    def token(self, reference):
        """With which the bank's app acts for the customer."""
        found = wanted(*self.desk("POST", "/v1/customers/find", {"reference": reference}), 200)["items"]
        if not found:
            raise Unusable(f"customer {reference} is not there; `scripts/run-demo --fresh` makes the demo bank anew")
        return wanted(*self.desk("POST", f"/v1/customers/{found[0]['id']}/tokens", {}), 201)["token"]

    def event_type(self, reference, key):
        """The number of an event type, as the app is told it."""
        status, _, answer = call(DESK, "GET", "/v1/self/packages", key=self.token(reference))
        return next(one["eventType"] for one in wanted(status, answer, 200)["eventTypes"] if one["key"] == key)

    def wish(self, reference, **wishes):
        """From now on these are the customer's wishes."""
        token = self.token(reference)
        status, headers, answer = call(DESK, "GET", "/v1/self/preferences", key=token)
        wanted(status, answer, 200)
        body = {"channelsOff": [], "mutedEventTypes": [], **wishes}
        status, _, answer = call(DESK, "PUT", "/v1/self/preferences", body, token, {"If-Match": headers["ETag"]})
        wanted(status, answer, 200)

    def desk(self, method, path, body=None):
        status, _, answer = call(DESK, method, path, body, self.admin)
        return status, answer

    def quiet(self, reference, until):
        """The customer wants quiet from an hour ago until then, which is a whole minute."""
        zone = self.customers[reference]["zone"]
        begin = (datetime.datetime.now(UTC) - datetime.timedelta(hours=1)).astimezone(zone)
        end = until.astimezone(zone)
        self.wish(reference, quietFrom=begin.hour * 60 + begin.minute, quietUntil=end.hour * 60 + end.minute)

    # What the customer's phone shows

    def arrived(self, reference, operator="harbour"):
        """Texts that the operator has for the customer's phone, whole ones, oldest first."""
        number = "".join(letter for letter in self.customers[reference]["phone"] if letter.isdigit())
        status, _, listed = call(SIMULATOR, "GET", f"/sim/smsc/{operator}/messages?since=0&limit=100000")
        parts, texts = {}, []
        for one in wanted(status, listed, 200):
            if one["destination"].lstrip("+") != number:
                continue
            known = parts.setdefault(one["reference"] if one["parts"] > 1 else one["messageId"], {})
            known[one["part"]] = one["text"]
            if len(known) == one["parts"]:
                texts.append("".join(known[part] for part in sorted(known)))
                known.clear()
        return texts

    def prepare(self):
        """Nino does not want to be disturbed for the next hours, Taras does not want to hear of card payments at all; then waits until the node knows all
        five."""
        soon = datetime.datetime.now(UTC).replace(second=0, microsecond=0) + datetime.timedelta(hours=8)
        self.quiet("HB-1003", soon)
        self.wish("HB-1005", mutedEventTypes=[self.event_type("HB-1005", "card-payment")])
        for reference, outcome in OUTCOMES.items():
            def known(event=self.card_payment(reference)):
                status, answer = self.ask("POST", "/v1/events:explain", event)
                return True if status == 200 and (answer["outcome"], answer["reason"]) == outcome else None
            wait(20, f"{reference} is to hear {outcome} of a card payment", known)
