import Foundation
import Logging
import MartletLocal
import MartletModel
import MartletStore
import SQL
import Synchronization
import Testing

@testable import MartletDesk

/// As hashes are.
private func spread(_ number: UInt64) -> UInt64 { number &* 0x9E37_79B9_7F4A_7C15 }

@Suite("Desk: the node's local copy") struct CustomerFeedTests {
    /// A store's customers, in memory.
    final class People: CustomerImages {
        private struct Held {
            var images: [SubjectNumber: CustomerImage] = [:]
            var changes: [(change: Int64, CustomerChange)] = []
            var urgent: [(change: Int64, subject: SubjectNumber)] = []
        }

        private let held = Mutex(Held())
        /// Customers whose rows are damaged, and those who were set aside.
        private let aside = Mutex<(damaged: Set<SubjectNumber>, kept: [SubjectNumber])>(([], []))

        var setAside: [SubjectNumber] { aside.withLock { $0.kept } }
        func damage(_ subject: SubjectNumber) { aside.withLock { _ = $0.damaged.insert(subject) } }
        func setAside(_ subjects: [SubjectNumber]) { aside.withLock { $0.kept += subjects } }

        func images(after: SubjectNumber, limit: Int) -> CustomerImagePage {
            let all = held.withLock { $0.images.values.filter { $0.subject > after }.sorted { $0.subject < $1.subject }.prefix(limit) }
            let damaged = aside.withLock { $0.damaged }
            return CustomerImagePage(
                images: all.filter { !damaged.contains($0.subject) }, damaged: all.map(\.subject).filter(damaged.contains),
                next: all.count == limit ? all.last?.subject : nil)
        }

        func changes(after: Int64, limit: Int) -> CustomerChangePage {
            let all = held.withLock { Array($0.changes.filter { $0.change > after }.prefix(limit)) }
            let damaged = aside.withLock { $0.damaged }
            var page = CustomerChangePage(through: all.last?.change ?? after, isFull: all.count == limit)
            for (number, change) in all {
                guard case .written(let image) = change, damaged.contains(image.subject) else {
                    page.changes.append((number, change))
                    continue
                }
                page.changes.append((number, .erased(image.subject)))
                page.damaged.append(image.subject)
            }
            return page
        }

        func newestChange() -> Int64 { held.withLock { $0.changes.last?.change ?? 0 } }

        func urgent(after: Int64, limit: Int) -> CustomerChangePage {
            held.withLock { held in
                let urgent = held.urgent.filter { $0.change > after }.prefix(limit)
                var page = CustomerChangePage(through: urgent.last?.change ?? after, isFull: urgent.count == limit)
                page.changes = urgent.map { ($0.change, held.images[$0.subject].map { .written($0) } ?? .erased($0.subject)) }
                return page
            }
        }

        func dropUrgent(upTo change: Int64, limit: Int) -> Int {
            held.withLock { held in
                let count = min(limit, held.urgent.count { $0.change <= change })
                held.urgent.removeFirst(count)
                return count
            }
        }

        var urgentCount: Int { held.withLock { $0.urgent.count } }

        /// - Parameter byFile: as an import does.
        func write(_ subject: SubjectNumber, phone: UInt64, byFile: Bool = false) throws {
            var clear: [UInt8] = []
            try Customer(subject: subject, contacts: [ContactPoint(number: 1, kind: .phone)]).write(to: &clear)
            let image = CustomerImage(
                subject: subject, reference: spread(UInt64(subject)), addresses: [AddressHash(number: 1, hash: spread(phone))],
                clear: clear,
                sealed: [])
            held.withLock { held in
                held.images[subject] = image
                let next = (held.changes.last?.change ?? 0) + 1
                held.changes.removeAll { if case .written(let old) = $0.1 { old.subject == subject } else { false } }
                held.changes.append((next, .written(image)))
                if !byFile { held.urgent.append((next, subject)) }
            }
        }

        func erase(_ subject: SubjectNumber) {
            held.withLock { held in
                held.images[subject] = nil
                let next = (held.changes.last?.change ?? 0) + 1
                held.changes.removeAll { if case .written(let old) = $0.1 { old.subject == subject } else { false } }
                held.changes.append((next, .erased(subject)))
                held.urgent.append((next, subject))
            }
        }
    }

    /// A node with the real local copy, reached without a socket.
    final class FakeNode: LocalNode {
        let customers: LocalCustomers
        private let state = Mutex<(isAway: Bool, batches: [[CustomerChange]])>((false, []))

        init(_ directory: String, limits: LocalCustomers.Limits = .init()) throws {
            customers = try LocalCustomers.open(directory, hashCheck: 9, limits: limits).customers
        }

        struct Away: Error {}

        func set(away: Bool) { state.withLock { $0.isAway = away } }
        var batches: [[CustomerChange]] { state.withLock { $0.batches } }

        func figures() throws -> LocalNodeFigures {
            if state.withLock({ $0.isAway }) { throw Away() }
            // The real one looks twice a second.
            _ = try customers.reload()
            let it = customers.figures
            return LocalNodeFigures(
                version: it.version, newest: it.newest, changes: it.overlayChanges, changesLimit: it.overlayChangesLimit,
                bytes: it.overlayBytes, bytesLimit: it.overlayLimit)
        }

        func apply(_ batch: [UInt8]) throws -> UInt64 {
            if state.withLock({ $0.isAway }) { throw Away() }
            let changes = try ChangeBatch.changes(batch)
            state.withLock { $0.batches.append(changes) }
            return try customers.append(changes)
        }
    }

    struct Place {
        let people = People()
        let directory: String
        let store: SQLStore
        let isProjected = Flag(true)

        final class Flag: Sendable {
            private let value: Mutex<Bool>
            init(_ value: Bool) { self.value = Mutex(value) }
            var isSet: Bool {
                get { value.withLock { $0 } }
                set { value.withLock { $0 = newValue } }
            }
        }

        init() async throws {
            directory = FileManager.default.temporaryDirectory.appending(path: "martlet-feed-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            var options = SQLStore.Options()
            // In memory there is one connection.
            options.readers = 1
            store = SQLStore(.sqlite(file: ""), statements: try StoreStatements.all(), options: options)
            try await StoreSchema.migrator().migrate(store, now: 1)
        }

        func feed(
            _ node: FakeNode, _ figures: CustomerFeedFigures = CustomerFeedFigures(),
            _ change: (inout CustomerFeed.Options) -> Void = { _ in }
        ) -> CustomerFeed {
            var options = CustomerFeed.Options()
            options.baseRest = .zero
            options.restFactor = 0
            options.page = 2
            change(&options)
            let flag = isProjected
            return CustomerFeed(
                store: store, directory: directory, hashCheck: 9, images: people, node: node, options: options, figures: figures,
                isProjected: { _ in flag.isSet }, now: { 1_795_400_000_000_000 },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func end() async throws {
            await store.close()
            try FileManager.default.removeItem(atPath: directory)
        }
    }

    @Test("The first customers come by a base file, the next ones as changes; none comes twice, and an erased one goes")
    func follows() async throws {
        let place = try await Place()
        let node = try FakeNode(place.directory)
        let feed = place.feed(node)
        #expect(try await feed.writeBase() == nil)
        for subject in SubjectNumber(1)...5 { try place.people.write(subject, phone: UInt64(subject) * 100) }
        #expect(try await feed.push() == 0)
        #expect(try await feed.writeBase()?.customers == 5)
        #expect(node.customers.owner(address: spread(500)) == .one(5))
        #expect(try await feed.writeBase() == nil)
        try place.people.write(6, phone: 100)
        place.people.erase(2)
        #expect(try await feed.push() == 2)
        #expect(node.customers.owner(address: spread(100)) == .several)
        #expect(node.customers.owner(address: spread(200)) == .nobody)
        #expect(node.batches.map(\.count) == [1, 1] && node.batches.first == [.erased(2)])
        #expect(try await feed.push() == 0)
        #expect(try await feed.place() == CustomerFeed.Place(change: 7, overlay: 2))
        try await place.end()
    }

    @Test("While the node is away nothing is lost, and what it had heard may come again")
    func away() async throws {
        let place = try await Place()
        let node = try FakeNode(place.directory)
        let feed = place.feed(node)
        try place.people.write(1, phone: 100)
        _ = try await feed.writeBase()
        try place.people.write(2, phone: 200)
        node.set(away: true)
        await #expect(throws: FakeNode.Away.self) { try await feed.push() }
        await #expect(throws: FakeNode.Away.self) { try await feed.writeBase() }
        node.set(away: false)
        // The answer to this one was lost: the desk does not know that the node has it.
        var batch: [UInt8] = []
        for (_, change) in place.people.changes(after: 1, limit: 9).changes { #expect(try ChangeBatch.append(change, to: &batch)) }
        _ = try node.apply(batch)
        #expect(try await feed.push() == 1)
        #expect(node.customers.owner(address: spread(200)) == .one(2))
        try await place.end()
    }

    @Test("A base file waits until the store has what the node learnt itself, and then takes its place")
    func projected() async throws {
        let place = try await Place()
        let node = try FakeNode(place.directory)
        let feed = place.feed(node)
        try place.people.write(1, phone: 100)
        _ = try await feed.writeBase()
        let fact = AddressFact(.optedOut, at: 7)
        try node.customers.append([.address(hash: spread(100), fact)])
        await feed.wantBase()
        place.isProjected.isSet = false
        #expect(try await feed.writeBase() == nil)
        #expect(node.customers.state(address: spread(100)).isOptedOut)
        place.isProjected.isSet = true
        #expect(try await feed.writeBase()?.customers == 1)
        #expect(node.customers.figures.version == 2 && node.customers.figures.overlayChanges == 0)
        try await place.end()
    }

    @Test("A base file is written when the overlay is half full, when it was lost, and for more changes than are worth sending")
    func needs() async throws {
        let place = try await Place()
        var limits = LocalCustomers.Limits()
        limits.overlayChanges = 4
        let node = try FakeNode(place.directory, limits: limits)
        let feed = place.feed(node) {
            $0.window = 3
            $0.backlogMaximum = 5
        }
        try place.people.write(1, phone: 100)
        _ = try await feed.writeBase()
        for subject in SubjectNumber(2)...4 { try place.people.write(subject, phone: 100) }
        #expect(try await feed.push() == 3)
        #expect(try await feed.writeBase()?.customers == 4)
        // Its directory was lost, but for what the desk writes now.
        for name in try FileManager.default.contentsOfDirectory(atPath: place.directory) {
            try FileManager.default.removeItem(atPath: "\(place.directory)/\(name)")
        }
        let other = try FakeNode(place.directory, limits: limits)
        let next = place.feed(other) {
            $0.window = 3
            $0.backlogMaximum = 5
        }
        #expect(try await next.writeBase()?.customers == 4)
        #expect(try await next.writeBase() == nil)
        for subject in SubjectNumber(5)...12 { try place.people.write(subject, phone: UInt64(subject), byFile: true) }
        #expect(try await next.push() == 0 && other.batches.isEmpty)
        #expect(try await next.writeBase()?.customers == 12)
        #expect(try await next.push() == 0)
        #expect(other.customers.owner(address: spread(12)) == .one(12))
        try await place.end()
    }

    @Test("What no file wrote comes to the node while a file's rows wait for a base file, each once, and is forgotten behind it")
    func urgent() async throws {
        let place = try await Place()
        let node = try FakeNode(place.directory)
        let feed = place.feed(node) {
            $0.window = 3
            $0.backlogMaximum = 5
        }
        for subject in SubjectNumber(1)...4 { try place.people.write(subject, phone: 100 + UInt64(subject)) }
        _ = try await feed.writeBase()
        for subject in SubjectNumber(5)...12 { try place.people.write(subject, phone: 100 + UInt64(subject), byFile: true) }
        // Behind all of the file: a withdrawal and an erasure, and one more row of the file for whom the withdrawal is of.
        try place.people.write(1, phone: 900)
        place.people.erase(2)
        try place.people.write(13, phone: 113, byFile: true)
        #expect(try await feed.push() == 2)
        #expect(node.customers.owner(address: spread(900)) == .one(1))
        #expect(node.customers.owner(address: spread(102)) == .nobody)
        #expect(node.customers.owner(address: spread(105)) == .nobody)
        #expect(node.batches.flatMap(\.self).count == 2 && node.batches.first == [.erased(2)])
        #expect(try await feed.push() == 0)
        try place.people.write(3, phone: 903)
        #expect(try await feed.push() == 1 && node.customers.owner(address: spread(903)) == .one(3))
        // The store hears how far the node is; until the base file these are known as urgent, should the desk begin anew.
        while try await feed.save() {}
        #expect(place.people.urgentCount == 3)
        #expect(try await place.feed(node) { $0.window = 3 }.place()?.change == 4)
        #expect(try await feed.writeBase()?.customers == 12)
        #expect(node.customers.owner(address: spread(105)) == .one(5) && node.customers.owner(address: spread(900)) == .one(1))
        #expect(try await feed.push() == 0)
        while try await feed.save() {}
        #expect(place.people.urgentCount == 0)
        try await place.end()
    }

    @Test("A file's rows fill one half of the overlay at most; the other is for what no file wrote")
    func halfFull() async throws {
        let place = try await Place()
        var limits = LocalCustomers.Limits()
        limits.overlayChanges = 8
        let node = try FakeNode(place.directory, limits: limits)
        let feed = place.feed(node)
        try place.people.write(1, phone: 101)
        _ = try await feed.writeBase()
        for subject in SubjectNumber(2)...6 { try place.people.write(subject, phone: 100 + UInt64(subject), byFile: true) }
        #expect(try await feed.push() == 5)
        for subject in SubjectNumber(7)...9 { try place.people.write(subject, phone: 100 + UInt64(subject), byFile: true) }
        #expect(try await feed.push() == 0)
        try place.people.write(1, phone: 901)
        #expect(try await feed.push() == 1 && node.customers.owner(address: spread(901)) == .one(1))
        #expect(node.customers.owner(address: spread(107)) == .nobody)
        #expect(try await feed.writeBase()?.customers == 9)
        #expect(node.customers.owner(address: spread(107)) == .one(7))
        try await place.end()
    }

    @Test("A customer whose row is damaged is left out of the base file, and goes from the node as a change; all others come")
    func damaged() async throws {
        let place = try await Place()
        let node = try FakeNode(place.directory)
        let feed = place.feed(node)
        // A page is two customers: the whole second one is damaged.
        for subject in SubjectNumber(1)...6 { try place.people.write(subject, phone: UInt64(subject) * 100) }
        for subject in [SubjectNumber(3), 4] { place.people.damage(subject) }
        #expect(try await feed.writeBase()?.customers == 4)
        #expect(place.people.setAside == [3, 4])
        #expect(node.customers.owner(address: spread(300)) == .nobody && node.customers.owner(address: spread(600)) == .one(6))
        try place.people.write(5, phone: 500)
        place.people.damage(5)
        try place.people.write(6, phone: 700)
        #expect(try await feed.push() == 2)
        #expect(place.people.setAside == [3, 4, 5])
        #expect(node.customers.owner(address: spread(500)) == .nobody && node.customers.owner(address: spread(700)) == .one(6))
        #expect(try await feed.push() == 0)
        try await place.end()
    }

    @Test("Running, it brings customers and changes by itself until it is cancelled")
    func runs() async throws {
        let place = try await Place()
        let node = try FakeNode(place.directory)
        let figures = CustomerFeedFigures()
        let feed = place.feed(node, figures) {
            $0.pushEvery = .milliseconds(5)
            $0.baseEvery = .milliseconds(5)
        }
        let running = Task { await feed.run() }
        try place.people.write(1, phone: 100)
        while node.customers.owner(address: spread(100)) != .one(1) { try await Task.sleep(for: .milliseconds(5)) }
        node.set(away: true)
        place.people.erase(1)
        try await Task.sleep(for: .milliseconds(20))
        #expect(node.customers.owner(address: spread(100)) == .one(1))
        while figures.samples[0].value != 1 { try await Task.sleep(for: .milliseconds(5)) }
        node.set(away: false)
        while node.customers.owner(address: spread(100)) != .nobody { try await Task.sleep(for: .milliseconds(5)) }
        while figures.samples[0].value != 0 { try await Task.sleep(for: .milliseconds(5)) }
        running.cancel()
        await running.value
        try await place.end()
    }
}
