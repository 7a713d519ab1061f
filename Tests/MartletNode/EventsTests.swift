import Foundation
import Guard
import Journal
import MartletEngine
import MartletLocal
import MartletModel
import NIOCore
import Testing

@testable import MartletNode

@Suite("Events in the node", .serialized)
struct EventsTests {
    /// Of a message that a connection was given.
    private func texts(_ rig: Rig, _ connection: NIOLoopBound<FakeConnection>) throws -> [String] {
        try rig.run { _ in connection.value.handed.map(\.text) }
    }

    private func key(_ rig: Rig, _ id: MessageID) throws -> UInt32? {
        try rig.run { node in
            var position = node.engine.last(of: id) ?? node.parts.recent.find(id) ?? 0
            while position != 0 {
                let header = try node.parts.reader.read(at: position).withUnsafeBytes { try RecordHeader(reading: $0) }
                // Answers and receipts have nothing sealed.
                if header.kind == .decided { return RecordKeyID(rawValue: header.keyID).subject }
                position = header.previous
            }
            return nil
        }
    }

    @Test("An event becomes a text to its customer, written by the release in use and sealed with the customer's key")
    func told() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        let connection = try rig.connect(answering: false)
        guard case .accepted(let id, 1) = try rig.report("payment") else { throw Rig.Unexpected() }
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        let sent = try rig.run { _ in connection.value.handed[0] }
        #expect(sent.id == id && sent.to.digits == EventBank.phone(1) && sent.from == "HARBOUR" && sent.text.contains("Harbour Books"))
        let decision = try rig.decision(id)
        #expect(
            decision.outcome == .told && decision.event == 1 && decision.release == 7 && decision.subject == 1 && decision.channel == .sms)
        #expect(try key(rig, id) == 1)
        #expect(try rig.story(id)?.to.digits == EventBank.phone(1))
        let metrics = try rig.run { $0.metricsText() }
        #expect(metrics.contains("martlet_decisions_total{outcome=\"told\",reason=\"\"} 1"))
        // Another release changes what is written from then on, whole.
        try rig.use(nil)
        #expect(try rig.run { $0.catalogue.isEmpty })
        try rig.stop()
    }

    @Test("Steps of a plan are messages of their own, written and sealed as the first, and stand in its story")
    func steps() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        // Without a wait the second goes at once.
        try rig.use(try EventBank.book(plan: #"{"steps": [{"channels": ["sms"], "wait": 0}, {"channels": ["sms"]}]}"#))
        let connection = try rig.connect()
        try rig.run { $0.start() }
        guard case .accepted(let id, 1) = try rig.report("payment") else { throw Rig.Unexpected() }
        let second = id.with(ordinal: 2)
        #expect(
            try rig.wait { node in
                connection.value.handed.count == 2 && !node.engine.isSubmitted(id) && !node.engine.isSubmitted(second)
            })
        #expect(try rig.run { _ in connection.value.handed.map(\.id) } == [id, second])
        #expect(Set(try texts(rig, connection)).count == 1)
        let decision = try rig.decision(second)
        #expect(decision.stage == .step && decision.step == 1 && decision.subject == 1)
        #expect(try key(rig, second) == 1)
        let story = try #require(try rig.story(id))
        #expect(story.attempts.map(\.message) == [1, 2] && story.decisions.count == 2 && story.possibleDuplicate && story.parts == 1)
        #expect(story.hops.contains { $0.hop == "decide" && $0.details.contains { $0 == ("message", "2") } })
        let rules = story.hops.filter { $0.hop == "rule" }
        #expect(rules.count == 2 * (DecisionRule.allCases.count - 1))
        #expect(rules.first?.what == "The event is published.")
        #expect(rules.first?.details.map(\.0) == ["rule", "verdict"] && rules.last?.details.last?.1 == "2")
        // Under another release nobody asks by rules that were not those.
        try rig.use(try EventBank.book(8))
        let later = try #require(try rig.story(id)).hops.filter { $0.hop == "rule" }
        #expect(later.count == 2 && later.allSatisfy { $0.what.contains("is not the one in use here") })
        try rig.stop()
    }

    @Test("Whatever is decided, it is accepted; the reason stands in the record, and nothing is handed over")
    func suppressed() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        let connection = try rig.connect()
        let answers = try rig.report([("payment", "C-9", "nobody"), ("payment", EventBank.cyd, "no number")])
        let reasons = try answers.map { answer -> SuppressionReason? in
            guard case .accepted(let id, 0) = answer else { throw Rig.Unexpected() }
            return try rig.decision(id).reason
        }
        #expect(reasons == [.unknownCustomer, .noContact])
        #expect(try rig.run { _ in connection.value.handed.isEmpty })
        let nobody = try #require(answers[0].accepted)
        #expect(try key(rig, nobody) == nil)
        #expect(try rig.story(nobody)?.state == .suppressed && rig.story(nobody)?.reason == .unknownCustomer)
        #expect(try rig.run { $0.metricsText() }.contains("martlet_decisions_total{outcome=\"suppressed\",reason=\"no_contact\"} 1"))
        #expect(try rig.run { $0.openMessages } == 0)
        try rig.stop()
    }

    @Test("Without connections nothing is served; once there is one, it is")
    func served() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        let id = try #require(try rig.report("payment").accepted)
        #expect(try rig.decision(id).reason == .channelForbidden)
        // Settings may name connections that have not begun.
        try rig.run { $0.set(connected: [1]) }
        #expect(try rig.decision(#require(try rig.report("payment", EventBank.bob).accepted)).outcome == .told)
        try rig.run { $0.set(connected: []) }
        let connection = try rig.connect(answering: false)
        #expect(try rig.decision(#require(try rig.report("payment", EventBank.ada, "again").accepted)).outcome == .told)
        try rig.run { $0.remove(connection.value) }
        #expect(try rig.decision(#require(try rig.report("payment", EventBank.ada, "later").accepted)).reason == .channelForbidden)
        try rig.stop()
    }

    @Test("Without a rulebook an event is refused for now; what is held waits for one")
    func noRulebook() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        let definition = try #require(try rig.run { $0.catalogue["payment"] })
        try rig.use(nil)
        let node = rig.node
        let promise = rig.loop.makePromise(of: Acceptance.self)
        rig.loop.execute {
            let event = EventSubmission(
                source: 7, definition: definition, values: [], customer: EventBank.ada, occurredAt: node.value.now().wall,
                receivedAt: node.value.now())
            node.value.submit(event: event) { promise.succeed($0) }
        }
        #expect(try promise.futureResult.wait().refusal == .noRulebook(retryAfterSeconds: 5))
        try rig.stop()
    }

    @Test("What is held at night is kept over a crash, decided anew when its hour has come, and found by its number from then on")
    func held() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book(quiet: true))
        let first = try rig.connect()
        guard case .accepted(let id, 0) = try rig.report("statement", EventBank.ada, "June") else { throw Rig.Unexpected() }
        #expect(try rig.decision(id).outcome == .held)
        #expect(try rig.run { $0.openMessages } == 1)
        #expect(try rig.run { $0.metricsText() }.contains("martlet_planned_messages 1"))
        #expect(try found(rig, to: 1).isEmpty && found(rig, reference: "r-1") == [id])
        #expect(try rig.run { _ in first.value.handed.isEmpty })

        // Two hours later, after a crash; until there is a rulebook it waits.
        let next = try Rig(at: try rig.crashImage()) { $0.clock = SystemClock(ahead: 7_200_000_000) }
        try rig.stop()
        let connection = try next.connect(answering: false)
        try next.run { $0.start() }
        #expect(try next.wait { $0.engine.decisionsWaiting == 1 })
        #expect(try next.run { _ in connection.value.handed.isEmpty })
        try next.use(try EventBank.book(8, quiet: true))
        #expect(try next.wait { _ in connection.value.handed.count == 1 })
        let sent = try next.run { _ in connection.value.handed[0] }
        #expect(sent.id == id && sent.text.contains("June") && sent.to.digits == EventBank.phone(1))
        let decision = try next.decision(id)
        #expect(decision.stage == .release && decision.outcome == .told && decision.release == 8)
        #expect(try key(next, id) == 1)
        #expect(try found(next, to: 1) == [id] && found(next, reference: "r-1") == [id])

        // And once more: what was decided is not decided again.
        let third = try Rig(at: try next.crashImage()) { $0.clock = SystemClock(ahead: 7_200_000_000) }
        try next.stop()
        try third.use(try EventBank.book(8, quiet: true))
        let again = try third.connect()
        try third.run { $0.start() }
        #expect(try third.wait { _ in again.value.handed.count == 1 })
        #expect(try third.run { _ in again.value.handed[0].text } == sent.text)
        #expect(try third.run { $0.engine.decisionsWaiting } == 0)
        #expect(try found(third, to: 1) == [id] && found(third, reference: "r-1") == [id])
        try third.stop()
    }

    /// Ids that a search finds.
    private func found(_ rig: Rig, to subject: SubjectNumber? = nil, reference: String? = nil) throws -> [MessageID] {
        let node = rig.node
        for _ in 0..<6000 {
            let promise = rig.loop.makePromise(of: Result<SearchPage, SearchFault>.self)
            rig.loop.execute {
                var search = MessageSearch()
                search.to = subject.map { PhoneNumber(digits: EventBank.phone($0)) }
                search.reference = reference
                node.value.search(search, source: 7) { promise.succeed($0) }
            }
            switch try promise.futureResult.wait() {
            case .success(let page): return page.stories.map(\.id)
            case .failure(.busy): usleep(10_000)
            case .failure(let fault): throw fault
            }
        }
        throw Rig.Unexpected()
    }

    @Test("A release of many at once takes its turns; each is decided once")
    func manyReleased() throws {
        let bank = try EventBank(customers: 40)
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book(quiet: true))
        try rig.run { $0.set(connected: [1]) }
        var events: [(key: String, customer: String, text: String)] = []
        for index in 0..<800 { events.append(("statement", "C-\(1 + index % 40)", "month \(index)")) }
        _ = try rig.report(events)
        #expect(try rig.run { $0.engine.counts.decisions[Int(RecordBody.Decided.Outcome.held.rawValue)][0] } > 700)
        let next = try Rig(at: try rig.crashImage()) { $0.clock = SystemClock(ahead: 7_200_000_000) }
        try rig.stop()
        try next.use(try EventBank.book())
        let connection = try next.connect(window: 2000)
        try next.run { $0.start() }
        // The third customer has no number.
        #expect(try next.wait { _ in connection.value.handed.count == 780 })
        #expect(try next.run { _ in Set(connection.value.handed.map(\.id)).count } == 780)
        #expect(try next.wait { $0.decisionsInFlight == 0 && $0.engine.decisionsWaiting == 0 })
        try next.stop()
    }

    @Test("Who was erased while an event was held is told nothing, and it ends with that reason")
    func erased() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book(quiet: true))
        try rig.run { $0.set(connected: [1]) }
        let id = try #require(try rig.report("statement", EventBank.ada, "June").accepted)
        let image = try rig.crashImage()
        try rig.stop()
        let subjects = try SubjectKeys(directory: "\(image)/data/keys/subjects", master: bank.master, access: .owner(create: false))
        try subjects.erase([1], time: 1)
        let next = try Rig(at: image) { $0.clock = SystemClock(ahead: 7_200_000_000) }
        try next.use(try EventBank.book())
        let connection = try next.connect()
        try next.run { $0.start() }
        #expect(try next.wait { $0.openMessages == 0 })
        #expect(try next.run { _ in connection.value.handed.isEmpty })
        #expect(try next.story(id)?.reason == .customerErased)
        try next.stop()
    }

    @Test("A newer event takes the place of one that waits, for the same customer and values")
    func superseded() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book(quiet: true))
        let facts = try rig.run { node -> [EventFacts] in
            try [(EventBank.ada, "June"), (EventBank.ada, "June"), (EventBank.bob, "June"), (EventBank.ada, "July")].map {
                guard let definition = node.catalogue["statement"] else { throw Rig.Unexpected() }
                return node.facts(
                    of: EventSubmission(
                        source: 7, definition: definition, values: [.text($0.1)], customer: $0.0, occurredAt: 1, receivedAt: node.now()))
            }
        }
        #expect(facts[0].knownAs != 0 && facts[0].knownAs == facts[1].ends && facts[0].knownAs == facts[0].ends)
        #expect(Set(facts.map(\.knownAs)).count == 3)
        #expect(facts.allSatisfy { $0.duplicate == 0 && !$0.isDuplicate })
        try rig.stop()
    }

    @Test("An event ends what it says is done: of this customer, by these values, and nothing else; over a crash, too")
    func completed() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book(quiet: true))
        try rig.run { $0.set(connected: [1]) }
        let due = try rig.report([
            ("instalment_due", EventBank.ada, "L-1"), ("instalment_due", EventBank.ada, "L-2"), ("instalment_due", EventBank.bob, "L-1"),
        ]).compactMap(\.accepted)
        #expect(try due.count == 3 && due.allSatisfy { try rig.decision($0).outcome == .held })
        // Of another loan, of somebody else, and told twice.
        _ = try rig.report("instalment_paid", EventBank.ada, "L-3")
        _ = try rig.report("instalment_paid", EventBank.cyd, "L-1")
        #expect(try rig.run { $0.openMessages } == 3)
        for _ in 0..<2 {
            // Nobody is told of a payment itself.
            let paid = try #require(try rig.report("instalment_paid", EventBank.ada, "L-1").accepted)
            #expect(try rig.decision(paid).reason == .unpublished && rig.decision(paid).ends != 0)
        }
        let story = try #require(try rig.story(due[0]))
        #expect(story.state == .cancelled && story.reason == .completed)
        #expect(try rig.run { $0.openMessages } == 2)

        let next = try Rig(at: try rig.crashImage())
        try rig.stop()
        try next.use(try EventBank.book(8, quiet: true))
        try next.run { $0.set(connected: [1]) }
        #expect(try next.story(due[0])?.reason == .completed)
        _ = try next.report("instalment_paid", EventBank.bob, "L-1")
        #expect(try next.story(due[2])?.reason == .completed)
        #expect(try next.story(due[1])?.state == .planned)
        try next.stop()
    }

    @Test(
        "Ready texts of a capped class count for their customer, over a crash: then neither event nor text of it is told, and no other's is kept back"
    )
    func readyTexts() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        try rig.run { $0.set(connected: [1]) }
        for _ in 0..<2 { _ = try rig.accepted("Offer", to: EventBank.phone(1), messageClass: .marketing) }
        // Neither another class nor a number of nobody counts.
        _ = try rig.accepted("Payment", to: EventBank.phone(2))
        _ = try rig.accepted("Offer", to: 447_700_900_999, messageClass: .marketing)
        #expect(try rig.wait { $0.engine.capMoments.count == 2 })
        #expect(try rig.decision(#require(try rig.report("offer", EventBank.ada).accepted)).reason == .capReached)
        #expect(try rig.decision(#require(try rig.report("offer", EventBank.bob).accepted)).reason == nil)
        #expect(try rig.run { $0.metricsText() }.contains("martlet_cap_times 3"))
        let third = try rig.accepted("Offer", to: EventBank.phone(1), messageClass: .marketing)
        let story = try #require(try rig.story(third))
        #expect(story.state == .suppressed && story.reason == .capReached)
        let next = try Rig(at: try rig.crashImage())
        try rig.stop()
        try next.use(try EventBank.book())
        try next.run { $0.set(connected: [1]) }
        #expect(try next.run { $0.engine.capMoments.count } == 3)
        #expect(try next.decision(#require(try next.report("offer", EventBank.ada).accepted)).reason == .capReached)
        try next.stop()
    }

    @Test(
        "A ready text to whom the bank does not write is accepted and ends suppressed: by list and class, death, or a forbidden number; all others go"
    )
    func heldBackTexts() throws {
        let bank = try EventBank(customers: 9)
        let listed = [SuppressionListing(list: 16, since: 1)]
        // The last four share two numbers.
        try bank.writeBase(2, 9, phone: { EventBank.phone($0 == 7 || $0 == 9 ? $0 - 1 : $0) }) { customer in
            switch customer.subject {
            case 1, 6, 8, 9: customer.listed = listed
            case 2: customer.status = .deceased
            case 4: customer.contacts[0].isForbidden = true
            case 5: (customer.status, customer.listed) = (.closed, [SuppressionListing(list: 16, since: 1, until: 2)])
            default: break
            }
        }
        let rig = try Rig(at: bank.place)
        let rule = #"{"lists": [16], "classes": ["marketing", "service"], "channels": ["sms"]}"#
        try rig.use(try EventBank.book(suppression: rule))
        let texts: [(subject: SubjectNumber, messageClass: MessageClass, isHeldBack: Bool)] = [
            (1, .marketing, true), (1, .service, true), (1, .transactional, false), (1, .otp, false), (1, .security, false),
            (2, .otp, true), (2, .security, true), (4, .security, true), (4, .transactional, true), (5, .marketing, false),
            (5, .service, false),
            (6, .marketing, false), (8, .marketing, true), (8, .transactional, false), (3, .marketing, false), (20, .marketing, false),
        ]
        var held: [MessageID] = []
        for text in texts {
            let id = try rig.accepted("Offer", to: EventBank.phone(text.subject), messageClass: text.messageClass)
            let story = try #require(try rig.story(id))
            if text.isHeldBack {
                #expect(story.state == .suppressed && story.reason == .addressSuppressed, "\(text)")
                held.append(id)
            } else {
                #expect(story.state == .queued, "\(text)")
            }
        }
        // It takes nothing from a cap: of the offers that went, one is of a customer alone, one of two who share a number, two of nobody's numbers.
        #expect(try rig.run { $0.engine.capMoments.count } == 3)
        #expect(try rig.run { $0.engine.numberCapMoments.count } == 2)
        let next = try Rig(at: try rig.crashImage())
        try rig.stop()
        for id in held { #expect(try next.story(id)?.reason == .addressSuppressed) }
        // Where there are no rules none is asked, and a rule for another channel is none.
        let free = try next.accepted("Offer", to: EventBank.phone(1), messageClass: .service)
        #expect(try next.story(free)?.state == .queued)
        try next.use(try EventBank.book(suppression: #"{"lists": [16], "classes": ["service"], "channels": ["push"]}"#))
        let other = try next.accepted("Offer", to: EventBank.phone(1), messageClass: .service)
        #expect(try next.story(other)?.state == .queued)
        try next.stop()
    }

    @Test("What an event would end is explained as it then ends: superseded, completed, or nothing")
    func explainedEndings() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book(quiet: true))
        try rig.run { $0.set(connected: [1]) }
        #expect(try rig.explained("statement", EventBank.ada, "June").get().ends == nil)
        let first = try #require(try rig.report("statement", EventBank.ada, "June").accepted)
        for (customer, month) in [(EventBank.bob, "June"), (EventBank.ada, "July"), (EventBank.cyd, "June")] {
            #expect(try rig.explained("statement", customer, month).get().ends == nil, "\(customer) \(month)")
        }
        let explained = try rig.explained("statement", EventBank.ada, "June").get()
        #expect(explained.ends == .init(id: first, source: 7, reason: .superseded, isWhole: true))
        #expect(explained.rules.first { $0.rule == .superseded }?.verdict == .passes)
        #expect(try rig.story(first)?.state == .planned, "explaining ends nothing")
        let second = try #require(try rig.report("statement", EventBank.ada, "June").accepted)
        let story = try #require(try rig.story(first))
        #expect(story.state == .suppressed && story.reason == .superseded)
        #expect(try rig.explained("statement", EventBank.ada, "June").get().ends?.id == second)

        let due = try #require(try rig.report("instalment_due", EventBank.ada, "L-1").accepted)
        let paid = try rig.explained("instalment_paid", EventBank.ada, "L-1").get()
        #expect(paid.outcome == .suppress(.unpublished))
        #expect(paid.ends == .init(id: due, source: 7, reason: .completed, isWhole: true))
        #expect(try rig.explained("instalment_paid", EventBank.ada, "L-2").get().ends == nil)
        _ = try rig.report("instalment_paid", EventBank.ada, "L-1")
        #expect(try rig.story(due)?.reason == .completed)
        #expect(try rig.explained("instalment_paid", EventBank.ada, "L-1").get().ends == nil)
        try rig.stop()
    }

    // MARK: Telling back

    @Test(
        "A source hears of the end of its event with the key and what was decided; what nobody is told of cannot be cancelled, and says so")
    func notices() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        try rig.run { $0.start() }
        let connection = try rig.connect()
        let (node, loop) = (rig.node, rig.loop)
        let teller = try loop.submit {
            let teller = FakeTeller(owner: node.value, answer: nil)
            node.value.add(teller)
            return NIOLoopBound(teller, eventLoop: loop)
        }.wait()
        @Sendable func cancel(_ id: MessageID) throws -> Cancellation {
            let promise = loop.makePromise(of: Cancellation.self)
            loop.execute { node.value.cancel(id, source: 7) { promise.succeed($0) } }
            return try promise.futureResult.wait()
        }
        let ids = try rig.report(
            [("payment", EventBank.ada, "Books"), ("payment", "C-9", "Books")], tells: [.delivered, .failed]
        ).compactMap(\.accepted)
        #expect(ids.count == 2)
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        try rig.run { _ in connection.value.hear("p\(ids[0].text)", .delivered) }
        #expect(try rig.wait { _ in teller.value.notices.count == 2 })
        // One is still in memory, the other was read back from the log.
        let notices = try rig.run { _ in
            teller.value.notices.map { "\($0.event ?? "-") \($0.outcome.map { "\($0)" } ?? "-") \($0.reason.word)" }
        }
        #expect(Set(notices) == ["payment told ", "payment suppressed unknown_customer"])
        // It waits for its source to hear; another has gone to the log.
        #expect(try cancel(ids[1]) == .suppressed)
        let gone = try #require(try rig.report("payment", "C-9", "Tea").accepted)
        #expect(try rig.wait { $0.engine.last(of: gone) == nil })
        #expect(try cancel(gone) == .suppressed && cancel(ids[0]) == .tooLate)
        // What is told once no rulebook has it any more has no key.
        try rig.use(nil)
        try rig.run { node in
            let slots = teller.value.notices.map(\.slot)
            teller.value.notices = []
            node.told(slots.map { ($0, .notHeard) }, by: teller.value)
        }
        #expect(try rig.wait { _ in teller.value.notices.map(\.event) == ["", ""] })
        try rig.stop()
    }

    // MARK: The same twice

    @Test("What came before within its time is accepted and not told; over a crash, and again from the keys' run")
    func duplicates() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        try rig.run { $0.set(connected: [1]) }
        // In one turn of the loop, and for two customers; the amount does not make it another.
        let answers = try rig.report([
            ("payment", EventBank.ada, "Books"), ("payment", EventBank.ada, "Books"), ("payment", EventBank.bob, "Books"),
            ("payment", EventBank.ada, "Tea"),
        ])
        let reasons = try answers.map { try rig.decision(try #require($0.accepted)).reason }
        #expect(reasons == [nil, .duplicateEvent, nil, nil])
        #expect(
            try rig.decision(try #require(try rig.report("payment", EventBank.ada, "Books", minor: 1).accepted)).reason == .duplicateEvent)

        let next = try Rig(at: try rig.crashImage())
        try rig.stop()
        try next.use(try EventBank.book())
        try next.run { $0.set(connected: [1]) }
        #expect(try next.decision(try #require(try next.report("payment", EventBank.ada, "Tea").accepted)).reason == .duplicateEvent)
        // The crash left a segment that ends there: its keys go into a run.
        #expect(try next.wait { $0.keys.runs.count == 1 })
        let asked = try next.run { $0.keys.looked }
        // Looked up once, whoever else waits for it.
        let more = try next.report([
            ("payment", EventBank.bob, "Books"), ("payment", EventBank.bob, "Books"), ("payment", EventBank.bob, "new"),
        ])
        #expect(try more.map { try next.decision(try #require($0.accepted)).reason } == [.duplicateEvent, .duplicateEvent, nil])
        #expect(try next.run { $0.keys.looked } > asked)
        // An hour later the same is another.
        let later = try Rig(at: try next.crashImage()) { $0.clock = SystemClock(ahead: 3_700_000_000) }
        try next.stop()
        try later.use(try EventBank.book())
        try later.run { $0.set(connected: [1]) }
        #expect(try later.decision(try #require(try later.report("payment", EventBank.ada, "Tea").accepted)).reason == nil)
        try later.stop()
    }

    @Test("A second try under its key gets the first answer, while the first is looked up none, and another body is refused")
    func keyed() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        try rig.run { $0.set(connected: [1]) }
        let id = try #require(try rig.report("payment", EventBank.ada, "Books", key: "k").accepted)
        #expect(try rig.report("payment", EventBank.ada, "Books", key: "k").repeated == id)
        #expect(try rig.report("payment", EventBank.ada, "Tea", key: "k", body: 2).refusal == .keyReused)
        // What is not told has its answer, too.
        let twice = try #require(try rig.report("payment", EventBank.ada, "Books", key: "l").accepted)
        #expect(try rig.decision(twice).reason == .duplicateEvent)
        guard case .repeated(twice, 0) = try rig.report("payment", EventBank.ada, "Books", key: "l") else { throw Rig.Unexpected() }

        let next = try Rig(at: try rig.crashImage())
        try rig.stop()
        try next.use(try EventBank.book())
        try next.run { $0.set(connected: [1]) }
        #expect(try next.wait { $0.keys.runs.count == 1 })
        #expect(try next.report("payment", EventBank.ada, "Books", key: "k").repeated == id)
        guard case .repeated(twice, 0) = try next.report("payment", EventBank.ada, "Books", key: "l") else { throw Rig.Unexpected() }
        // Its duplicate is being looked up: the same key has no answer yet.
        let node = next.node
        let answers = try next.loop.flatSubmit {
            let promises = (0..<2).map { _ in node.value.loop.makePromise(of: Acceptance.self) }
            for promise in promises {
                guard var event = node.value.submission("payment", EventBank.ada, "Books", 1250, "r-1") else { continue }
                event.idempotency = Idempotency(operation: .submit, key: "m", bodyHigh: 1, bodyLow: 2)
                node.value.submit(event: event) { promise.succeed($0) }
            }
            return EventLoopFuture.whenAllSucceed(promises.map(\.futureResult), on: node.value.loop)
        }.wait()
        #expect(answers[0].accepted != nil && answers[1].refusal == .keyInFlight(retryAfterSeconds: 1))
        #expect(try next.report("payment", EventBank.ada, "Books", key: "m").repeated == answers[0].accepted)
        try next.stop()
        #expect(try next.report("payment", EventBank.ada, "Books", key: "n").refusal == .stopping)
    }

    // MARK: Explaining

    @Test("What is explained is what is then decided, and leaves no trace")
    func explained() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        let connection = try rig.connect()
        let explanation = try rig.explained("payment").get()
        #expect(explanation.outcome == .tell && explanation.release == 7)
        let text = try #require(explanation.messages.first?.text)
        #expect(try rig.run { $0.openMessages } == 0)
        #expect(try rig.explained("payment", "C-9").get().outcome == .suppress(.unknownCustomer))
        #expect(try rig.run { $0.engine.counts.decisions.allSatisfy { $0.allSatisfy { $0 == 0 } } })
        _ = try rig.report("payment")
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        #expect(try texts(rig, connection) == [text])
        // Now it would be the second.
        #expect(try rig.explained("payment").get().outcome == .suppress(.duplicateEvent))
        #expect(try rig.explained("payment", release: 7).get().release == 7)
        guard case .failure(.noRelease(6)) = try rig.explained("payment", release: 6) else { throw Rig.Unexpected() }
        let quiet = try EventBank.book(5, quiet: true)
        try rig.run { $0.otherRelease = { $1($0 == 5 ? quiet : nil) } }
        guard case .failure(.noRelease(6)) = try rig.explained("payment", release: 6) else { throw Rig.Unexpected() }
        let other = try rig.explained("statement", release: 5).get()
        guard case .hold = other.outcome else { throw Rig.Unexpected() }
        #expect(other.release == 5 && other.messages.first?.text == nil)
        #expect(try rig.explained("statement").get().outcome == .tell)
        try rig.stop()
    }
}
