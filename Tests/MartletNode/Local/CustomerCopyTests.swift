import Foundation
import Guard
import Journal
import MartletEngine
import MartletLocal
import MartletModel
import NIOCore
import Synchronization
import Testing

@testable import MartletNode

/// An installation with customers, made as the desk makes them, and a node over it.
private struct Bank {
    static let anna: UInt64 = 447_700_900_123
    static let shared: UInt64 = 447_700_900_124
    static let nobody: UInt64 = 447_700_900_125

    let place: String
    let master: MasterKey
    let keys: KeyStore
    let subjects: SubjectKeys
    var data: String { "\(place)/data" }
    var local: String { "\(data)/local" }

    init() throws {
        place = FileManager.default.temporaryDirectory.appending(path: "martlet-bank-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: "\(place)/data/local", withIntermediateDirectories: true)
        master = try MasterKey.create(at: "\(place)/master.key")
        keys = try KeyStore(directory: "\(place)/data/keys", master: master, access: .owner(create: true))
        subjects = try SubjectKeys(directory: "\(place)/data/keys/subjects", master: master, access: .owner(create: true))
        _ = try subjects.make(3)
    }

    func hash(_ number: UInt64) -> UInt64 { KeyedHash(key: keys.phoneHashKey).hash64(number: number) }

    func image(_ subject: SubjectNumber, _ number: UInt64) throws -> CustomerImage {
        var clear: [UInt8] = []
        try Customer(subject: subject, contacts: [ContactPoint(number: 1, kind: .phone)]).write(to: &clear)
        return CustomerImage(
            subject: subject, reference: UInt64(subject) << 60, addresses: [AddressHash(number: 1, hash: hash(number))], clear: clear,
            sealed: [])
    }

    /// Anna is customer 1; 2 and 3 have one number.
    func writeBase(_ version: UInt64) throws {
        var builder = try BaseBuilder(local, .init(version: version, folded: 0, hashCheck: keys.localHashCheck, madeAt: 1))
        for (subject, number) in [(SubjectNumber(1), Bank.anna), (2, Bank.shared), (3, Bank.shared)] {
            let image = try image(subject, number)
            try image.clear.withUnsafeBytes {
                try builder.add(
                    subject: subject, reference: image.reference, addresses: image.addresses, clear: $0, sealed: .init(start: nil, count: 0)
                )
            }
        }
        _ = try builder.finish()
    }
}

@Suite("Customers in the node", .serialized) struct CustomerCopyTests {
    private func subject(_ rig: Rig, _ id: MessageID) throws -> UInt32? {
        try rig.run { node in
            guard let position = node.engine.last(of: id) else { throw Rig.Unexpected() }
            let bytes = try node.parts.reader.read(at: position)
            return RecordKeyID(rawValue: try bytes.withUnsafeBytes { try RecordHeader(reading: $0) }.keyID).subject
        }
    }

    private func hear(_ rig: Rig, _ connection: NIOLoopBound<FakeConnection>, _ text: String) throws -> Bool {
        let node = rig.node
        let loop = rig.loop
        for _ in 0..<6000 {
            let isTaken = try loop.flatSubmit {
                let promise = loop.makePromise(of: Bool.self)
                let item = Inbound(group: 1, from: String(Bank.anna), to: "7070", octets: Array(text.utf8), dataCoding: 0)
                node.value.received([item], by: connection.value) { promise.succeed($0) }
                return promise.futureResult
            }.wait()
            if isTaken { return true }
            usleep(10_000)
        }
        return false
    }

    @Test("A message to the one customer with a number is sealed with that customer's key, any other with the key of class and day")
    func sealing() throws {
        let bank = try Bank()
        try bank.writeBase(1)
        let rig = try Rig(at: bank.place)
        let (anna, shared, nobody) = (
            try rig.accepted("for Anna", to: Bank.anna), try rig.accepted(to: Bank.shared), try rig.accepted(to: Bank.nobody)
        )
        #expect(try subject(rig, anna) == 1)
        #expect(try subject(rig, shared) == nil)
        #expect(try subject(rig, nobody) == nil)
        let text = try rig.run { $0.metricsText() }
        #expect(text.contains("martlet_sealed_total{key=\"subject\"} 1") && text.contains("martlet_sealed_total{key=\"day\"} 2"))
        #expect(text.contains("martlet_customers 3") && text.contains("martlet_customers_alarm 0"))
        #expect(try rig.story(anna)?.to.digits == Bank.anna)
        try rig.stop()
    }

    @Test("Erasing a customer closes what the log has: what waits ends with that reason, what is told has no address, others go out")
    func erasure() throws {
        let bank = try Bank()
        try bank.writeBase(1)
        let rig = try Rig(at: bank.place)
        let (anna, nobody) = (try rig.accepted("for Anna", to: Bank.anna), try rig.accepted(to: Bank.nobody))
        try bank.subjects.erase([1], time: 1)
        let story = try #require(try rig.story(anna))
        #expect(story.to.digits == 0 && story.reference.isEmpty && story.state == .queued)
        // Its number is nobody's from now on.
        #expect(try subject(rig, rig.accepted(to: Bank.anna)) == nil)
        // Memory still has the text: only a start reads it back.
        let next = try Rig(at: try rig.crashImage())
        try rig.stop()
        try next.run { $0.start() }
        let connection = try next.connect()
        #expect(try next.wait { _ in connection.value.handed.count == 2 })
        #expect(try next.run { _ in connection.value.handed.map(\.id) }.first == nobody)
        let ended = try #require(try next.story(anna))
        #expect(ended.state == .cancelled && ended.reason == .customerErased && ended.from.isEmpty)
        try next.stop()
    }

    @Test("A node whose log needs keys of customers does not start without them")
    func needsKeys() throws {
        let bank = try Bank()
        try bank.writeBase(1)
        let rig = try Rig(at: bank.place)
        _ = try rig.accepted(to: Bank.anna)
        let image = try rig.crashImage()
        try rig.stop()
        try FileManager.default.removeItem(atPath: "\(image)/data/keys/subjects")
        #expect(throws: SubjectKeyFault.missing(directory: "\(image)/data/keys/subjects")) { try Rig(at: image) }
    }

    @Test("Customers and keys that come to be are used without a restart; a damaged base file is an alarm and the one before stays")
    func watching() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        #expect(try rig.run { $0.customers.figures.version == 0 && $0.customers.alarms.isEmpty })
        #expect(try subject(rig, rig.accepted(to: Bank.anna)) == nil)
        let data = "\(rig.directory)/data"
        let keys = try rig.run { $0.parts.keys }
        let subjects = try SubjectKeys(directory: "\(data)/keys/subjects", master: rig.master, access: .owner(create: true))
        _ = try subjects.make(1)
        let hash = KeyedHash(key: keys.phoneHashKey).hash64(number: Bank.anna)
        var clear: [UInt8] = []
        try Customer(subject: 1).write(to: &clear)
        func build(_ version: UInt64) throws {
            var builder = try BaseBuilder("\(data)/local", .init(version: version, folded: 0, hashCheck: keys.localHashCheck, madeAt: 1))
            try clear.withUnsafeBytes {
                try builder.add(
                    subject: 1, reference: 1, addresses: [AddressHash(number: 1, hash: hash)], clear: $0,
                    sealed: .init(start: nil, count: 0))
            }
            _ = try builder.finish()
        }
        try build(1)
        #expect(try rig.wait { $0.owners.areKnown && $0.customers.figures.version == 1 })
        #expect(try subject(rig, rig.accepted(to: Bank.anna)) == 1)
        try Data(repeating: 7, count: 5000).write(to: URL(filePath: "\(data)/local/customers-0000000009.base"))
        #expect(try rig.wait { !$0.customers.alarms.isEmpty })
        #expect(try rig.run { $0.customers.figures.customers } == 1)
        #expect(try rig.run { $0.metricsText() }.contains("martlet_customers_alarm 1"))
        try build(10)
        #expect(try rig.wait { $0.customers.figures.version == 10 && $0.customers.alarms.isEmpty })
        try rig.stop()
    }

    @Test("An opt-out is known to look-ups when it is durable, and again after a restart that finds no overlay")
    func optOut() throws {
        let bank = try Bank()
        try bank.writeBase(1)
        let rig = try Rig(at: bank.place)
        try rig.run {
            $0.start()
            $0.set(inbound: InboundRules(optOut: .init(["stop"]), optIn: .init(["start"]), fallback: 7))
        }
        let connection = try rig.connect()
        let hash = bank.hash(Bank.anna)
        #expect(try hear(rig, connection, "stop"))
        #expect(try rig.wait { $0.customers.customers?.state(address: hash).isOptedOut == true })
        let customer = try rig.run { try $0.customers.customers?.find(address: hash).customers.first?.customer() }
        #expect(customer?.contacts.first?.isOptedOut == true)
        let image = try rig.crashImage()
        try rig.stop()
        try FileManager.default.removeItem(atPath: "\(image)/data/local/customers.overlay")
        let next = try Rig(at: image)
        #expect(try next.wait { $0.customers.customers?.state(address: hash).isOptedOut == true })
        #expect(try next.wait { $0.customers.waitingFacts == (0, 0) })
        try next.stop()
    }

    @Test(
        "Changes of the desk are durable and seen when they are answered; what cannot be read, or finds no room, is refused with a reason")
    func changes() throws {
        let bank = try Bank()
        try bank.writeBase(1)
        let rig = try Rig(at: bank.place) { $0.local.overlayChanges = 2 }
        func apply(_ text: String) throws -> Result<UInt64, any Error> {
            let promise = rig.loop.makePromise(of: Result<UInt64, any Error>.self)
            try rig.run { $0.customers.apply(base64: text) { promise.succeed($0) } }
            return try promise.futureResult.wait()
        }
        func failure(_ text: String) throws -> String {
            guard case .failure(let error) = try apply(text) else { throw Rig.Unexpected() }
            return "\(error)"
        }
        var batch: [UInt8] = []
        #expect(try ChangeBatch.append(.written(bank.image(2, Bank.nobody)), to: &batch))
        #expect(try apply(Data(batch).base64EncodedString()).get() == 1)
        #expect(try subject(rig, rig.accepted(to: Bank.nobody)) == 2)
        #expect(try subject(rig, rig.accepted(to: Bank.shared)) == 3)
        #expect(try failure("no base64!") == "changes: not base64")
        #expect(try failure(Data([1, 2]).base64EncodedString()).contains("ends within change 0"))
        #expect(try apply(Data(batch).base64EncodedString()).get() == 2)
        #expect(try failure(Data(batch).base64EncodedString()).contains("full"))
        try rig.stop()
    }
}
