import Foundation
import Guard
import Journal
import MartletEngine
import MartletLocal
import MartletModel
import NIOCore
import Testing

@testable import MartletNode

/// What events need of the node's copy of the customers, where it fails and where a customer changes it.
@Suite("Events and the customers' copy in the node", .serialized)
struct EventCustomersTests {
    /// Of a message that a connection was given.
    private func texts(_ rig: Rig, _ connection: NIOLoopBound<FakeConnection>) throws -> [String] {
        try rig.run { _ in connection.value.handed.map(\.text) }
    }

    @Test("Where nothing of the local copy can be used, nobody is called unknown: events are to come again")
    func unusable() throws {
        let bank = try EventBank()
        let files = try FileManager.default.contentsOfDirectory(atPath: bank.local)
        #expect(!files.isEmpty)
        for name in files { try Data([1, 2, 3]).write(to: URL(filePath: "\(bank.local)/\(name)")) }
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        #expect(try rig.report("payment", EventBank.ada).refusal == .storage(retryAfterSeconds: 5))
        guard case .failure(.unreadableCustomer) = try rig.explained("payment", EventBank.ada) else { throw Rig.Unexpected() }
        try rig.stop()
    }

    @Test("A customer whose record cannot be read is an alarm and no unknown customer; one without a key has no address")
    func unreadable() throws {
        let bank = try EventBank()
        // As another version would have written it.
        var builder = try BaseBuilder(bank.local, .init(version: 2, folded: 0, hashCheck: bank.keys.localHashCheck, madeAt: 1))
        try [UInt8]([250, 1, 2, 3]).withUnsafeBytes { clear in
            try builder.add(
                subject: 1, reference: bank.hashes.reference(EventBank.ada), addresses: [], clear: clear,
                sealed: .init(start: nil, count: 0))
        }
        var plain: [UInt8] = []
        var customer = Customer(subject: 2)
        customer.contacts = [ContactPoint(number: 1, kind: .phone)]
        try customer.write(to: &plain)
        try plain.withUnsafeBytes { clear in
            try [UInt8](repeating: 7, count: 60).withUnsafeBytes { sealed in
                try builder.add(
                    subject: 2, reference: bank.hashes.reference(EventBank.bob), addresses: [], clear: clear, sealed: sealed)
            }
        }
        _ = try builder.finish()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        try rig.run { $0.set(connected: [1]) }
        #expect(try rig.report("payment", EventBank.ada).refusal == .storage(retryAfterSeconds: 5))
        let id = try #require(try rig.report("payment", EventBank.bob).accepted)
        #expect(try rig.decision(id).reason == .channelForbidden)
        #expect(try rig.run { $0.metricsText() }.contains("martlet_customers_unreadable_total 2"))
        guard case .failure(.unreadableCustomer) = try rig.explained("payment", EventBank.ada) else { throw Rig.Unexpected() }
        try rig.stop()
    }

    @Test("A held event whose customer cannot be read at its hour waits, is decided once the record is mended, and is told")
    func unreadableWhenDue() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book(quiet: true))
        try rig.run { $0.set(connected: [1]) }
        let id = try #require(try rig.report("statement", EventBank.ada, "June").accepted)
        let image = try rig.crashImage()
        try rig.stop()
        try bank.writeDamaged(2, of: EventBank.ada, at: "\(image)/data/local")
        let next = try Rig(at: image) { $0.clock = SystemClock(ahead: 7_200_000_000) }
        try next.use(try EventBank.book())
        let connection = try next.connect()
        try next.run { $0.start() }
        #expect(try next.wait { $0.counters.unreadableCustomers > 0 && $0.decisionsInFlight == 0 })
        #expect(try next.story(id)?.state == .planned && next.run { _ in connection.value.handed.isEmpty })
        try bank.writeBase(3, 3, at: "\(image)/data/local")
        // Its second try comes by itself.
        #expect(try next.wait { _ in connection.value.handed.count == 1 })
        #expect(try next.story(id)?.decisions.map(\.made.outcome) == [.held, .told])
        try next.stop()
    }

    @Test("A word from a handset connects a package and disconnects it: decisions go by it when it is durable, after a restart too")
    func words() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        let rules = InboundRules(
            rules: [
                .init(keyword: "ALERT ON", answer: "On", package: .init(17, isWanted: true)),
                .init(keyword: "ALERT OFF", package: .init(17, isWanted: false)),
            ], unknownAnswer: "Who?", fallback: 7)
        func start(_ rig: Rig) throws -> NIOLoopBound<FakeConnection> {
            try rig.use(try EventBank.book())
            try rig.run { $0.set(inbound: rules) }
            return try rig.connect()
        }
        func say(_ rig: Rig, _ connection: NIOLoopBound<FakeConnection>, _ text: String, from: UInt64) throws {
            let (node, loop) = (rig.node, rig.loop)
            // An operator brings it again while a node that just started cannot say what it is a reply to.
            for _ in 0..<6000 {
                let isTaken = try loop.flatSubmit {
                    let promise = loop.makePromise(of: Bool.self)
                    let item = Inbound(group: 1, from: String(from), to: "7070", octets: Array(text.utf8), dataCoding: 0)
                    node.value.received([item], by: connection.value) { promise.succeed($0) }
                    return promise.futureResult
                }.wait()
                if isTaken { return }
                usleep(10_000)
            }
            throw Rig.Unexpected()
        }
        func reason(_ rig: Rig, _ customer: String = EventBank.ada) throws -> SuppressionReason? {
            guard case .accepted(let id, _) = try rig.report("alert", customer) else { throw Rig.Unexpected() }
            return try rig.decision(id).reason
        }
        let reference = bank.hashes.reference(EventBank.ada)
        @Sendable func packages(_ node: Node) -> [UInt16]? {
            try? node.customers.customers?.find(reference: reference)?.customer().packages.map(\.package)
        }
        let connection = try start(rig)
        #expect(try reason(rig) == .notInPackage)
        try say(rig, connection, "Alert on", from: EventBank.phone(1))
        #expect(try rig.wait { packages($0) == [17] })
        #expect(try reason(rig) == nil && reason(rig, EventBank.bob) == .notInPackage)
        try say(rig, connection, "Alert on", from: 447_700_900_999)
        #expect(try rig.wait { _ in connection.value.handed.map(\.text).contains("Who?") })
        #expect(try texts(rig, connection).filter { $0 == "On" }.count == 1)
        // Without the overlay the log brings it again; with it, it is known.
        let image = try rig.crashImage()
        try rig.stop()
        try FileManager.default.removeItem(atPath: "\(image)/data/local/customers.overlay")
        let next = try Rig(at: image)
        let other = try start(next)
        #expect(try next.wait { packages($0) == [17] })
        let changes = try next.run { $0.customers.figures.overlayChanges }
        try say(next, other, "alert off.", from: EventBank.phone(1))
        #expect(try next.wait { packages($0) == [] })
        #expect(try reason(next) == .notInPackage)
        #expect(try next.run { $0.metricsText() }.contains("martlet_package_words_total{outcome=\"disconnected\"} 1"))
        let last = try next.crashImage()
        try next.stop()
        let third = try Rig(at: last)
        #expect(try third.run(packages) == [])
        #expect(try third.run { $0.customers.figures.overlayChanges } == changes + 1)
        try third.stop()
    }
}
