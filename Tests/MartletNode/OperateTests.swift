import Foundation
import Journal
import MartletModel
import NIOCore
import Synchronization
import Testing

@testable import MartletEngine
@testable import MartletNode

@Suite("People and a running node", .serialized)
struct OperateTests {
    /// What the journal of a stopped node holds of some kind.
    private func records(_ rig: Rig, _ kind: RecordKind) throws -> [Record] {
        var found: [Record] = []
        _ = try Journal.verify("\(rig.directory)/data/journal") { _, bytes in
            if let record = try? Record(reading: bytes), record.header.kind == kind { found.append(record) }
        }
        return found
    }

    private func acts(_ rig: Rig) throws -> [String] {
        try records(rig, .mark).compactMap { if case .mark(let it) = $0.body, it.what == .operated { it.text } else { nil } }
    }

    private func purge(_ rig: Rig, _ waiting: Waiting = Waiting(before: .max), going: Bool = true) throws -> (WaitingTally, Node.ActEnd) {
        let promise = rig.loop.makePromise(of: (WaitingTally, Node.ActEnd).self)
        try rig.run { node in
            node.purge(waiting, act: "purge", by: "alice", progress: { _ in going }) { promise.succeed(($0, $1)) }
        }
        return try promise.futureResult.wait()
    }

    private func hold(_ rig: Rig, _ classes: [MessageClass], _ group: GroupNumber, _ held: Bool) throws -> Bool {
        let promise = rig.loop.makePromise(of: Bool.self)
        try rig.run { node in node.hold(ClassSet(classes), of: group, held, by: "alice (uid 7)") { promise.succeed($0) } }
        return try promise.futureResult.wait()
    }

    private func move(_ rig: Rig, submitting count: Int = 0) throws -> (WaitingTally, Node.ActEnd) {
        let promise = rig.loop.makePromise(of: (WaitingTally, Node.ActEnd).self)
        try rig.run { node in
            for _ in 0..<count {
                let submission = Submission(
                    source: 7, messageClass: .service, to: PhoneNumber(digits: 447_700_900_123), from: "HARBOUR", text: "Hello",
                    receivedAt: node.now())
                node.submit(submission) { _ in }
            }
            node.move(Waiting(group: 1, before: .max), to: 2, suspects: false, act: "move", by: "bob", progress: { _ in true }) {
                promise.succeed(($0, $1))
            }
        }
        return try promise.futureResult.wait()
    }

    @Test("200 submissions at once against a quota of 100 parts: exactly 100 are taken, after a crash not one more, codes go on")
    func quota() throws {
        let rig = try Rig()
        let limits: [SourceNumber: SourceLimits] = [7: SourceLimits(dailyQuota: 100)]
        try rig.run { $0.set(limits: limits) }
        let answers = Mutex<[Acceptance]>([])
        let node = rig.node
        for _ in 0..<200 {
            rig.loop.execute {
                let submission = Submission(
                    source: 7, messageClass: .service, to: PhoneNumber(digits: 447_700_900_123), from: "HARBOUR", text: "Hello",
                    receivedAt: node.value.now())
                node.value.submit(submission) { answer in answers.withLock { $0.append(answer) } }
            }
        }
        #expect(try rig.wait { _ in answers.withLock { $0.count } == 200 })
        let taken = answers.withLock { $0.count { if case .accepted = $0 { true } else { false } } }
        #expect(taken == 100)
        #expect(try rig.run { $0.metricsText() }.contains("martlet_refused_total{reason=\"quota_used_up\"} 100"))
        let next = try Rig(at: try rig.crashImage())
        try next.run { $0.set(limits: limits) }
        guard case .refused(.quotaUsedUp(let seconds)) = try next.submit() else { throw Rig.Unexpected() }
        #expect((1...86_400).contains(seconds))
        _ = try next.accepted(messageClass: .otp)
        let line = try #require(try next.run { $0.ledger }.first)
        #expect(line.source == 7 && line.name == "source-7" && line.partsToday == 101 && line.open == 101 && line.drift == 0)
        try next.run { $0.set(limits: [7: SourceLimits(rate: 1)]) }
        guard case .refused(.rateLimited) = try next.submit() else { throw Rig.Unexpected() }
        try next.stop()
        try rig.stop()
    }

    @Test("A hold waits for the disk, stands in the log with who and what, outlives a crash and is seen; its release sends what waited")
    func hold() throws {
        let rig = try Rig()
        #expect(try hold(rig, [.service], 1, true))
        #expect(try hold(rig, [.marketing], 0, true))
        #expect(try hold(rig, [.marketing], 0, true), "it is held already")
        _ = try rig.accepted(messageClass: .service)
        let next = try Rig(at: try rig.crashImage())
        let connection = try next.connect()
        try next.run { $0.start() }
        let other = try next.accepted(messageClass: .transactional)
        #expect(try next.wait { _ in connection.value.handed.map(\.id) == [other] })
        #expect(try next.run { $0.heldGroups.map { Int($0) } } == [0, 1] && next.run { $0.isHeld(.marketing, 1) })
        #expect(try next.run { $0.held(1) } == ClassSet(.service))
        let text = try next.run { $0.metricsText() }
        #expect(text.contains("martlet_class_held{group=\"harbour\",class=\"service\"} 1"))
        #expect(text.contains("martlet_class_held{group=\"harbour\",class=\"otp\"} 0"))
        // On all groups: also what is held on one.
        #expect(try hold(next, [.service, .marketing], 0, false))
        #expect(try next.wait { _ in connection.value.handed.count == 2 })
        #expect(try next.run { $0.heldGroups.isEmpty })
        try next.stop()
        #expect(try acts(next).last == "alice (uid 7): release service, marketing on all groups")
        #expect(try acts(next).first == "alice (uid 7): hold service on harbour")
        #expect(try hold(next, [.otp], 0, true) == false, "it is stopped")
        try rig.stop()
    }

    @Test("A purge ends what waits, is durable when it answers, and leaves two marks; one act at a time")
    func purges() throws {
        let rig = try Rig()
        let ids = try (0..<5).map { _ in try rig.accepted(messageClass: .marketing) }
        _ = try rig.accepted(messageClass: .otp)
        var waiting = Waiting(classes: ClassSet(.marketing), before: .max)
        let counted = rig.loop.makePromise(of: WaitingTally.self)
        try rig.run { [waiting] node in node.count(waiting, suspects: false) { counted.succeed($0) } }
        #expect(try counted.futureResult.wait().messages == 5)
        let (tally, end) = try purge(rig, waiting)
        #expect(tally.messages == 5 && end == .done)
        let story = try #require(try rig.story(ids[0]))
        #expect(story.state == .cancelled && story.reason == .cancelledByOperator)
        #expect(try rig.run { $0.openMessages } == 1)
        waiting.before = 0
        #expect(try purge(rig, waiting).0 == WaitingTally())
        try rig.run { $0.isActing = true }
        #expect(try purge(rig, waiting).1 == .busy)
        try rig.run { $0.isActing = false }
        try rig.stop()
        #expect(try acts(rig).prefix(2) == ["alice: purge", "alice: done: purge: 5 messages"])
        #expect(try purge(rig).1 == .stopped)
    }

    @Test("Whoever goes away breaks an act off; what was done is done, and the log says how much")
    func brokenOff() throws {
        let rig = try Rig()
        // More than one step of the table, so that lists and counts go in steps too.
        let all = 9000
        try rig.run { node in
            node.progressSteps = 2
            for _ in 0..<all {
                let submission = Submission(
                    source: 7, messageClass: .marketing, to: PhoneNumber(digits: 447_700_900_123), from: "HARBOUR", text: "Hello",
                    receivedAt: node.now())
                node.submit(submission) { _ in }
            }
        }
        let (tally, end) = try purge(rig, going: false)
        #expect(end == .stopped && tally.messages == Engine.walkActs)
        #expect(try rig.wait { $0.openMessages == all - Engine.walkActs })
        let counted = rig.loop.makePromise(of: WaitingTally.self)
        try rig.run { node in node.count(Waiting(before: .max), suspects: true) { counted.succeed($0) } }
        #expect(try counted.futureResult.wait().messages == all - Engine.walkActs)
        let survey = rig.loop.makePromise(of: [WaitingKey: WaitingLine].self)
        try rig.run { node in node.survey { survey.succeed($0) } }
        let lines = try survey.futureResult.wait()
        #expect(lines[WaitingKey(group: 1, messageClass: .marketing, source: 7)]?.messages == all - Engine.walkActs)
        // A stop does so as well.
        let stopped = rig.loop.makePromise(of: Node.ActEnd.self)
        try rig.run { node in
            node.purge(Waiting(before: .max), act: "purge", by: "bob", progress: { _ in true }) { stopped.succeed($1) }
            node.stopping = true
        }
        #expect(try stopped.futureResult.wait() == .stopped)
        try rig.stop()
        #expect(try acts(rig).contains("alice: broken off: purge: \(Engine.walkActs) messages"))
    }

    @Test("What is moved goes by the connection of the other group, in its order, also what was still on its way to the disk")
    func moves() throws {
        let rig = try Rig { options in
            let sync = options.disk.fdatasync
            options.disk.fdatasync = { file in
                usleep(20_000)
                return sync(file)
            }
        }
        let first = try rig.accepted("first", messageClass: .service)
        let (tally, end) = try move(rig, submitting: 3)
        #expect(tally.messages == 4 && tally.busy == 0 && end == .done)
        let node = rig.node
        let loop = rig.loop
        let connection = try loop.submit {
            let connection = FakeConnection("tide-1", number: 2, group: 2, owner: node.value, loop: loop)
            connection.answer = { .accepted(providerID: "p\($0.id.text)") }
            node.value.add(connection)
            return NIOLoopBound(connection, eventLoop: loop)
        }.wait()
        try rig.run { $0.start() }
        #expect(try rig.wait { _ in connection.value.handed.count == 4 })
        #expect(try rig.run { _ in connection.value.handed[0].id } == first)
        let story = try #require(try rig.story(first))
        #expect(story.hops.contains { $0.what.hasPrefix("moved to another") && $0.details.map(\.1) == ["1", "2"] })
        #expect(try move(rig).0 == WaitingTally())
        try rig.stop()
        #expect(try acts(rig).last == "bob: done: move: 0 messages")
        #expect(try records(rig, .rerouted).count == 4)
        #expect(try move(rig).1 == .stopped)
    }

    @Test("A ledger that does not add up is told once, counted in the metrics, and told again when it does")
    func reconcile() throws {
        let rig = try Rig()
        _ = try rig.accepted()
        try rig.run { node in
            node.sourceNames[7] = "core"
            node.reconcile()
            #expect(node.drifts.isEmpty)
            node.engine.ledger.left(7, 0)
            node.reconcile()
            node.reconcile()
            #expect(node.drifts == [7: 1])
            #expect(node.metricsText().contains("martlet_ledger_drift{source=\"core\"} 1"))
            #expect(node.notReadyReasons.isEmpty)
            node.engine.ledger.came(7, 0)
            node.reconcile()
            #expect(node.drifts.isEmpty)
            node.set(limits: [7: SourceLimits(dailyQuota: 50)])
            let text = node.metricsText()
            for line in ["accepted_total", "ended_total", "open_messages", "parts_today"] {
                #expect(text.contains("martlet_source_\(line){source=\"core\"} \(line == "ended_total" ? 0 : 1)"))
            }
            #expect(text.contains("martlet_source_daily_quota_parts{source=\"core\"} 50"))
            node.stateLedgers()
        }
        _ = try rig.accepted()
        try rig.stop()
        // One when it was asked for, one with the clean stop.
        let stated = try records(rig, .ledger).compactMap { if case .ledger(let it) = $0.body { it.accepted } else { nil } }
        #expect(stated == [1, 2])
    }

    @Test("A journal that lost a record is told at the next start by the sums that were stated")
    func damage() throws {
        let rig = try Rig { $0.journal.segmentSize = 512 << 10 }
        let id = try rig.accepted()
        try rig.stop()
        let image = try rig.crashImage()
        // The acceptance's bytes are spoilt: recovery steps past it.
        let directory = "\(image)/data/journal"
        for name in try FileManager.default.contentsOfDirectory(atPath: directory).sorted() {
            var bytes = try Data(contentsOf: URL(filePath: "\(directory)/\(name)"))
            var wanted = Data()
            for word in [id.high, id.low] { withUnsafeBytes(of: word.littleEndian) { wanted.append(contentsOf: $0) } }
            guard let place = bytes.range(of: wanted) else { continue }
            bytes[place.lowerBound] ^= 0xFF
            try bytes.write(to: URL(filePath: "\(directory)/\(name)"))
        }
        let next = try Rig(at: image)
        try next.run { node in
            node.reconcile()
            #expect(node.drifts == [7: 1])
        }
        try next.stop()
    }

    @Test("When the journal fails no act says that it was done")
    func storage() throws {
        let rig = try Rig { options in options.disk.fdatasync = { _ in -EIO } }
        #expect(try hold(rig, [.otp], 0, true) == false)
        #expect(try purge(rig).1 == .storage)
        #expect(try move(rig).1 == .storage)
        try rig.run { $0.stateLedgers() }
    }
}
