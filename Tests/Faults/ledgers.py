"""The three ledgers of a fault run: what the clients were told, what Martlet says, what the operator saw; and the judge who holds
them beside each other."""
import re
import threading
import time

from world import Broken, Gone, Unusable

CLASSES = ["security", "employee_alarm", "otp", "transactional", "service", "action_required", "employee_info", "marketing"]
_MARK = re.compile(r"#([0-9a-z]+)-(\d{7})\.")


class Ledger:
    """What the clients did. Every text carries its own mark, `#run-0000042.`, again and again, so that each part of a long text
    can be told by itself."""

    def __init__(self, random):
        self.run = "".join(random.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(5))
        self._random = random
        self._lock = threading.Lock()
        self.requests = {}      # number -> (to, text, class)
        self.accepted = {}      # number -> (id, parts)
        self.refused = {}       # number -> status
        self.unanswered = set()     # may have been taken, may not
        self.unreached = set()      # nobody listened
        self.open = set()       # accepted and not yet checked
        self.again = []         # requests with a key whose answer was not heard: to be sent once more
        self.tried_again = 0
        self.repeated = 0       # of those, answered as a request that had been taken before

    def next_again(self):
        """A request whose answer was not heard, to be sent again under its key; None when there is none."""
        with self._lock:
            if not self.again:
                return None
            number = self.again.pop(0)
            self.tried_again += 1
            to, text, word = self.requests[number]
            return number, {"to": to, "text": text, "from": "HARBOUR", "class": word}

    def next_request(self):
        with self._lock:
            number = len(self.requests) + 1
            mark = f"#{self.run}-{number:07}."
            # Mostly one part; one in twelve needs two or three.
            length = self._random.choice([20, 40, 90, 150]) if self._random.randrange(12) else self._random.choice([250, 420])
            text = (mark + " " + mark * (length // len(mark) + 1))[:length]
            to = f"+4477009{self._random.randrange(100_000):05}"
            word = self._random.choice(CLASSES)
            self.requests[number] = (to, text, word)
            return number, {"to": to, "text": text, "from": "HARBOUR", "class": word}

    def answered(self, number, status, body, repeated=False):
        with self._lock:
            self.repeated += repeated
            if status == 202 and isinstance(body, dict) and re.fullmatch(r"[0-9a-f]{32}", str(body.get("id"))):
                self.unreached.discard(number)
                self.unanswered.discard(number)
                self.accepted[number] = (body["id"], int(body.get("parts", 1)))
                self.open.add(number)
            elif status == 202:
                raise Broken(f"202 without an id: {body}")
            elif number not in self.unanswered:
                # What an earlier try came to is not known: that it was refused now says nothing of it.
                self.unreached.discard(number)
                self.refused[number] = status

    def lost_answer(self, number, gone, again=False):
        with self._lock:
            if again:
                self.again.append(number)
            if not gone.unreached:
                self.unreached.discard(number)
                self.unanswered.add(number)
            elif number not in self.unanswered:
                self.unreached.add(number)

    def counts(self):
        with self._lock:
            return {"sent": len(self.requests) - len(self.unreached), "accepted": len(self.accepted), "refused": len(self.refused),
                    "unanswered": len(self.unanswered)}

    def number(self, text):
        """Number of the request that a text at the operator came from; None for a text nobody submitted."""
        for run, digits in _MARK.findall(text):
            if run == self.run:
                return int(digits)
        return None


class Inbox:
    """What the operator saw: counts by request and exact text (a part of a long message is a text of its own)."""

    def __init__(self, operator, ledger):
        self._operator, self._ledger = operator, ledger
        self._since = 0
        self.seen = {}              # number -> {text: copies}
        self.strangers = []         # texts that nobody submitted, or changed on the way
        self.copies = 0             # more than one of the same
        self.repeated = set()       # numbers of those

    def read(self):
        for message in self._operator.messages(self._since):
            self._since = message["n"]
            text = message["text"]
            number = self._ledger.number(text)
            request = self._ledger.requests.get(number)
            if request is None or text not in request[1] or message["destination"].lstrip("+") != request[0][1:]:
                self.strangers.append(text)
                continue
            texts = self.seen.setdefault(number, {})
            texts[text] = texts.get(text, 0) + 1
            if texts[text] > 1:
                self.copies += 1
                self.repeated.add(number)

    def arrived(self, number, parts):
        """All of it: as many different parts as were promised, or the whole text at once where parts are joined for us."""
        texts = self.seen.get(number, {})
        return len(texts) >= parts or self._ledger.requests[number][1] in texts


class Senders:
    """Client threads that post as fast as they are answered, through crashes, until stopped; they can be paused. With `keyed`
    every request has an idempotency key, and one whose answer was not heard is sent again under it: it must never arrive twice for
    that, which the judge sees as a duplicate that is not flagged."""

    def __init__(self, world, ledger, threads, pause_between=0.002, keyed=False):
        self._world, self._ledger, self._gap, self._keyed = world, ledger, pause_between, keyed
        self._running = threading.Event()
        self._stop = False
        self._idle = [threading.Event() for _ in range(threads)]
        self.mistake = None
        self._threads = [threading.Thread(target=self._work, args=(idle,), daemon=True) for idle in self._idle]
        for thread in self._threads:
            thread.start()

    def resume(self):
        for idle in self._idle:
            idle.clear()
        self._running.set()

    def pause(self):
        """Returns when no request is open."""
        self._running.clear()
        for idle in self._idle:
            if not idle.wait(30):
                raise Unusable("a client did not come to rest")
        if self.mistake:
            raise self.mistake

    def stop(self):
        self._stop = True
        self._running.set()
        for thread in self._threads:
            thread.join(30)

    def _work(self, idle):
        web = self._world.web()
        while not self._stop:
            if not self._running.is_set():
                idle.set()
                self._running.wait(1)
                continue
            number, body = (self._keyed and self._ledger.next_again()) or self._ledger.next_request()
            key = {"Idempotency-Key": f"{self._ledger.run}-{number}"} if self._keyed else None
            try:
                status, answer = web.json("POST", "/v1/messages", body, key)
                if status == 409:
                    # The first try is not on disk yet, so this one's fate is not known either.
                    self._ledger.lost_answer(number, Gone("in flight"), True)
                    continue
                self._ledger.answered(number, status, answer, web.fields.get("Idempotent-Replayed") == "true")
                if status in (429, 503):
                    time.sleep(0.05)
            except Gone as gone:
                self._ledger.lost_answer(number, gone, self._keyed)
                time.sleep(0.02)
            except Broken as error:
                self.mistake = error
                idle.set()
                return
            if self._gap:
                time.sleep(self._gap)
        idle.set()


class Judge:
    """Holds the three ledgers beside each other after each crash."""

    # Ends that say openly why nothing was sent; `unknown`: a one-time code that may have left before the crash.
    STATED = {"expired", "failed", "cancelled", "unknown", "delivered"}

    def __init__(self, world, ledger, *, refused_may_arrive=False):
        self._world, self._ledger = world, ledger
        self._refused_may_arrive = refused_may_arrive
        self.inbox = Inbox(world.operator, ledger)
        self._flagged = set()
        self.lost = []
        self.left_unknown = 0
        self.refused_arrived = 0
        self.duplicates = 0

    def drain(self, seconds=90):
        """Waits until everything accepted is at the operator or has a stated end; the numbers still open then."""
        end = time.monotonic() + seconds
        stated = set()
        while True:
            self.inbox.read()
            waiting = [n for n in sorted(self._ledger.open - stated) if not self.inbox.arrived(n, self._ledger.accepted[n][1])]
            if not waiting:
                return []
            # A few are asked each time; where one is missing all are, and waiting for them would be in vain.
            web = self._world.web()
            over = time.monotonic() > end
            states = {n: self._state(web, n) for n in waiting[:10]}
            if "missing" in states.values() or over:
                states = {n: self._state(web, n) for n in waiting}
            web.close()
            waiting = [n for n in waiting if states.get(n) not in self.STATED | {"missing"}]
            # Not asked for again, so that many codes left unknown do not hide what stands behind them.
            stated |= {n for n, state in states.items() if state in self.STATED}
            if not waiting or over:
                return waiting
            time.sleep(0.1)

    def _get(self, web, number):
        for attempt in (1, 2):
            try:
                return web.json("GET", f"/v1/messages/{self._ledger.accepted[number][0]}")
            except Gone:
                if attempt == 2:
                    raise Broken("martlet does not answer a question for a message's state")

    def _state(self, web, number):
        status, answer = self._get(web, number)
        if status != 200:
            return "missing"
        return answer["messages"][0]["state"]

    def check(self, crashes, context):
        """Raises Broken with all that is wrong. `crashes`: how often the process died since the last check."""
        wrong = []
        late = self.drain()
        if late:
            wrong.append(f"{len(late)} accepted messages neither arrived nor ended, such as {self._name(late[0])}")
        web = self._world.web()
        for number in sorted(self._ledger.open):
            identity, parts = self._ledger.accepted[number]
            self._ledger.open.discard(number)
            status, answer = self._get(web, number)
            arrived = self.inbox.arrived(number, parts)
            if status != 200:
                self.lost.append(number)
                continue
            state = answer["messages"][0]["state"]
            if not arrived and state == "delivered":
                self.inbox.read()                       # it may have left since the inbox was read
                arrived = self.inbox.arrived(number, parts)
            if answer.get("id") != identity:
                wrong.append(f"{self._name(number)} is answered under another id")
            if not arrived and state not in self.STATED:
                if number not in late:
                    self.lost.append(number)
            elif not arrived and state == "delivered":
                wrong.append(f"{self._name(number)} is called delivered and the operator never saw it")
            elif not arrived:
                self.left_unknown += 1
        if self.lost:
            wrong.append(f"{len(self.lost)} accepted messages are lost, such as {self._name(self.lost[0])}")

        copies = self.inbox.copies - self.duplicates
        self.duplicates = self.inbox.copies
        allowed = 2 * self._world.window * self._world.binds * crashes
        if copies > allowed:
            wrong.append(f"{copies} duplicates after {crashes} crash(es); at most {allowed} may be")
        unflagged = []
        for number in sorted(self.inbox.repeated - self._flagged):
            self._flagged.add(number)
            if number not in self._ledger.accepted:
                continue                                # its 202 was never heard, so its id is not known
            _, answer = self._get(web, number)
            if not any(message.get("possibleDuplicate") for message in (answer or {}).get("messages", [])):
                unflagged.append(number)
        if unflagged:
            wrong.append(f"{len(unflagged)} messages went twice and are not flagged as possible duplicates, such as "
                         + self._name(unflagged[0]))
        web.close()

        if self.inbox.strangers:
            wrong.append(f"the operator got {len(self.inbox.strangers)} texts that nobody submitted, such as "
                         f"{self.inbox.strangers[0][:60]!r}")
        arrived_though_refused = [n for n, status in self._ledger.refused.items() if n in self.inbox.seen]
        self.refused_arrived = len(arrived_though_refused)
        if arrived_though_refused and not self._refused_may_arrive:
            wrong.append(f"{len(arrived_though_refused)} refused messages were sent all the same, such as "
                         + self._name(arrived_though_refused[0]))
        unreached = self._ledger.unreached & self.inbox.seen.keys()
        if unreached:
            wrong.append(f"{len(unreached)} messages arrived that never reached Martlet, such as {self._name(min(unreached))}")
        if wrong:
            raise Broken(f"{context}: " + "; ".join(wrong))

    def _name(self, number):
        known = self._ledger.accepted.get(number)
        return f"#{self._ledger.run}-{number:07} ({self._ledger.requests[number][2]}{', ' + known[0] if known else ''})"

    def summary(self):
        counts = self._ledger.counts()
        return {**counts, "atOperator": len(self.inbox.seen), "duplicates": self.inbox.copies, "lost": len(self.lost),
                "statedEnds": self.left_unknown, "refusedButSent": self.refused_arrived}
