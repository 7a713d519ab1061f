import Glibc
import Journal
import MartletModel
import Synchronization
import Testing

@testable import MartletLocal

/// The overlay: durable change by change, torn only at its end, bounded, and seen at once.
@Suite struct OverlayTests {
    private static func withdrawal(_ subject: SubjectNumber, _ purpose: UInt16) -> CustomerChange {
        .consent(subject, Consent(purpose: purpose, channel: .sms, state: .withdrawn, at: 10))
    }

    private static func purposes(_ local: LocalCustomers, _ reference: UInt64) throws -> [UInt16] {
        try local.find(reference: reference)?.customer().consents.map(\.purpose) ?? []
    }

    /// One customer without consents, and its overlay with these changes after it was written.
    private static func rig(_ changes: [CustomerChange]) throws -> (LocalRig, Person) {
        let rig = try LocalRig()
        var dice = CustomerDice(1)
        var person = Person(1, reference: dice.next(), addresses: [dice.next()], &dice)
        person.customer.consents = []
        try rig.build(1, [person])
        let local = try rig.open()
        for change in changes { try local.append([change]) }
        return (rig, person)
    }

    @Test("An overlay cut at any byte has every change that lies whole before it, says what was cut, and goes on")
    func cut() throws {
        let (rig, person) = try Self.rig((1...4).map { Self.withdrawal(1, $0) })
        let good = try rig.bytes(rig.overlayPath)
        let frame = (good.count - OverlayFormat.header) / 4
        for count in OverlayFormat.header...good.count {
            try rig.write(Array(good.prefix(count)), rig.overlayPath)
            let whole = (count - OverlayFormat.header) / frame
            let (local, opening) = try LocalCustomers.open(rig.directory, hashCheck: LocalRig.check)
            #expect(opening.changes == whole && opening.tornBytes == count - OverlayFormat.header - whole * frame, "cut to \(count)")
            #expect(opening.damagedStretches == 0, "cut to \(count)")
            try local.append([Self.withdrawal(1, 9)])
            #expect(try Self.purposes(rig.open(), person.reference) == (1...4).prefix(whole).map { UInt16($0) } + [9], "cut to \(count)")
        }
        for count in 0..<OverlayFormat.header {
            try rig.write(Array(good.prefix(count)), rig.overlayPath)
            #expect(throws: LocalFault.unfinished(path: rig.overlayPath)) { try rig.open() }
        }
    }

    @Test("A flipped byte of an overlay is named, costs at most its own change, and the damaged file is kept aside")
    func flips() throws {
        let (rig, person) = try Self.rig((1...4).map { Self.withdrawal(1, $0) })
        let good = try rig.bytes(rig.overlayPath)
        let frame = (good.count - OverlayFormat.header) / 4
        for index in good.indices {
            var bad = good
            bad[index] ^= 1
            try rig.write(bad, rig.overlayPath)
            guard index >= OverlayFormat.header else {
                #expect(throws: LocalFault.damaged(path: rig.overlayPath, place: "header")) { try rig.open() }
                continue
            }
            let hit = (index - OverlayFormat.header) / frame
            let (local, opening) = try LocalCustomers.open(rig.directory, hashCheck: LocalRig.check)
            #expect(opening.changes == 3 && opening.unreadable == 0, "byte \(index)")
            #expect(hit == 3 ? opening.tornBytes == frame : opening.damagedStretches == 1, "byte \(index)")
            let left = (1...4).map { UInt16($0) }.filter { Int($0) != hit + 1 }
            #expect(try Self.purposes(local, person.reference) == left, "byte \(index)")
        }
        #expect(rig.names.contains { $0.hasPrefix("customers.overlay.damaged-") })
        // The header says whose it is.
        try rig.write(good, rig.overlayPath)
        #expect(throws: LocalFault.foreign(path: rig.overlayPath)) {
            try LocalCustomers.open(rig.directory, hashCheck: 1)
        }
    }

    @Test("A change that a later version wrote is kept aside, and stands in the way of nothing")
    func later() throws {
        let (rig, person) = try Self.rig((1...2).map { Self.withdrawal(1, $0) })
        var bytes = try rig.bytes(rig.overlayPath)
        let reading = try bytes.withUnsafeBytes {
            try OverlayFormat.read($0, hashCheck: LocalRig.check, path: rig.overlayPath) { _, _ in }
        }
        let start = bytes.count
        try OverlayFormat.frame(Self.withdrawal(1, 3), sequence: reading.next, epoch: reading.epoch, offset: 0, to: &bytes)
        let count = bytes.count - start - OverlayFormat.frameHead
        // A kind that this version does not know, under a checksum that holds.
        bytes[start + OverlayFormat.frameHead] = 250
        bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            let check = OverlayFormat.check(UnsafeRawPointer(base + start), count, reading.epoch, start)
            (base + start).storeBytes(of: check.littleEndian, toByteOffset: 4, as: UInt32.self)
        }
        try rig.write(bytes, rig.overlayPath)
        let (local, opening) = try LocalCustomers.open(rig.directory, hashCheck: LocalRig.check)
        #expect(opening.changes == 2 && opening.unreadable == 1 && opening.damagedStretches == 0)
        try local.append([Self.withdrawal(1, 4)])
        _ = try local.reload()
        #expect(try Self.purposes(local, person.reference) == [1, 2, 4])
        #expect(try Self.purposes(rig.open(), person.reference) == [1, 2, 4])
        let aside = try #require(rig.names.first { $0.hasPrefix("customers.overlay.damaged-") })
        #expect(try rig.bytes("\(rig.directory)/\(aside)") == bytes)
    }

    @Test("When the disk fails in the middle of an append its changes are not seen, the next append succeeds, and all it said holds")
    func appendFaults() throws {
        for number in 1... {
            let (rig, person) = try Self.rig([Self.withdrawal(1, 1)])
            let made = LocalRig.Counter()
            let armed = Mutex(false)
            var disk = Disk.system
            let failing = LocalRig.failing(at: number, made: made)
            disk.pwrite = { armed.withLock { $0 } ? failing.pwrite($0, $1, $2) : Disk.system.pwrite($0, $1, $2) }
            disk.fdatasync = { armed.withLock { $0 } ? failing.fdatasync($0) : Disk.system.fdatasync($0) }
            let local = try rig.open(disk: disk)
            armed.withLock { $0 = true }
            do {
                try local.append([Self.withdrawal(1, 2), Self.withdrawal(1, 3)])
                #expect(number > 2)
                break
            } catch {
                #expect(!"\(error)".isEmpty)
            }
            armed.withLock { $0 = false }
            #expect(try Self.purposes(local, person.reference) == [1])
            try local.append([Self.withdrawal(1, 4)])
            #expect(try Self.purposes(local, person.reference) == [1, 4])
            #expect(try Self.purposes(rig.open(), person.reference) == [1, 4])
        }
    }

    @Test("A full overlay refuses changes, and still takes what forbids; one customer has a bounded number of facts")
    func bounds() throws {
        let (rig, _) = try Self.rig([])
        var limits = LocalCustomers.Limits()
        limits.overlayChanges = 80
        let local = try rig.open(limits: limits)
        let given = (0..<80).map { CustomerChange.consent(1, Consent(purpose: UInt16($0), channel: nil, state: .given, at: 1)) }
        try local.append(given)
        #expect(throws: LocalFault.full(limit: "80 changes")) { try local.append([given[0]]) }
        try local.append((0..<10).map { .address(hash: $0, AddressFact(.optedOut, at: 1)) })
        #expect(throws: LocalFault.full(limit: "80 changes")) { try local.append([.erased(9)]) }
        #expect(local.figures.overlayChanges == 90)

        var small = LocalCustomers.Limits()
        small.overlayBytes = try rig.bytes(rig.overlayPath).count
        let narrow = try rig.open(limits: small)
        #expect(throws: LocalFault.full(limit: "\(small.overlayBytes) bytes")) { try narrow.append([given[0]]) }
        try narrow.append([.erased(9)])

        let wide = try rig.open()
        try wide.append((80..<256).map { .consent(1, Consent(purpose: UInt16($0), channel: nil, state: .given, at: 1)) })
        #expect(throws: LocalFault.tooManyFacts(subject: 1, limit: 256)) { try wide.append([Self.withdrawal(1, 999)]) }
        let device = { (number: UInt8) in
            CustomerChange.device(
                2,
                DeviceRegistration(
                    contact: ContactPoint(number: number, kind: .device(app: 1, platform: .ios)), reference: 1, address: UInt64(number),
                    at: 1,
                    sealed: []))
        }
        try wide.append((128..<160).map(device))
        #expect(throws: LocalFault.tooManyFacts(subject: 2, limit: 32)) { try wide.append([device(200)]) }
        try wide.append([device(130)])
        #expect(try wide.append([]) == wide.append([Self.withdrawal(3, 1)]) - 1)
    }

    @Test("When the newest base file is lost, the one before and the changes since give the same customers")
    func fallback() throws {
        let (rig, person) = try Self.rig((1...3).map { Self.withdrawal(1, $0) })
        let local = try rig.open()
        var now = person
        now.customer = try #require(local.find(reference: person.reference)).customer()
        try rig.build(2, folded: 3, [now])
        #expect(try local.reload())
        try local.append([Self.withdrawal(1, 4)])
        #expect(local.figures.overlayChanges == 1)
        #expect(try Self.purposes(rig.open(), person.reference) == [1, 2, 3, 4])
        var bytes = try rig.bytes(rig.basePath(2))
        bytes[260] ^= 1
        try rig.write(bytes, rig.basePath(2))
        let again = try rig.open()
        #expect(again.figures.version == 1 && again.figures.overlayChanges == 4 && again.figures.refused == 1)
        #expect(try Self.purposes(again, person.reference) == [1, 2, 3, 4])
        // Once another is in use the oldest goes, and so do the changes that both hold.
        try rig.build(3, folded: 4, [now])
        #expect(try again.reload())
        try rig.build(4, folded: 4, [now])
        #expect(try again.reload())
        #expect(rig.names.filter { $0.hasSuffix(".base") }.count == 2)
        #expect(try rig.bytes(rig.overlayPath).count == OverlayFormat.header)
        // Numbers of changes go on behind those that the base file holds, even when the overlay is lost.
        unlink(rig.overlayPath)
        #expect(try rig.open().append([Self.withdrawal(1, 5)]) == 5)
    }

    @Test("A base file is not taken into use while a change of the overlay cannot be read any more")
    func rot() throws {
        let (rig, person) = try Self.rig([Self.withdrawal(1, 1), Self.withdrawal(1, 2)])
        let local = try rig.open()
        for index in [OverlayFormat.header + 20, try rig.bytes(rig.overlayPath).count - 1] {
            let good = try rig.bytes(rig.overlayPath)
            var bad = good
            bad[index] ^= 1
            try rig.write(bad, rig.overlayPath)
            try rig.build(2, [person])
            #expect(throws: LocalFault.self) { try local.reload() }
            #expect(try Self.purposes(local, person.reference) == [1, 2])
            #expect(local.figures.version == 1)
            try rig.write(good, rig.overlayPath)
        }
        #expect(try local.reload())
        #expect(try Self.purposes(local, person.reference) == [1, 2])
    }

    @Test("Look-ups on other threads go on while changes and base files come: what was forbidden is never allowed again")
    func readers() async throws {
        let rig = try LocalRig()
        var dice = CustomerDice(5)
        let people = (1...50).map { (subject: SubjectNumber) -> Person in
            var person = Person(subject, reference: dice.next(), addresses: [dice.next()], &dice)
            person.customer.consents = []
            return person
        }
        try rig.build(1, people)
        let local = try rig.open()
        let isDone = Flag()
        let references = people.map(\.reference)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var seen = [Int](repeating: 0, count: references.count)
                    var rounds = 0
                    while !isDone.isSet || rounds == 0 {
                        for (index, reference) in references.enumerated() {
                            let count = try #require(local.find(reference: reference)).customer().consents.count
                            #expect(count >= seen[index])
                            seen[index] = count
                        }
                        rounds += 1
                        await Task.yield()
                    }
                    return rounds
                }
            }
            defer { isDone.set() }
            var now = people
            for version in UInt64(2)...6 {
                var newest: UInt64 = 0
                for index in now.indices {
                    let consent = Consent(purpose: UInt16(version), channel: .sms, state: .withdrawn, at: 1)
                    now[index].customer.learn(consent)
                    newest = try local.append([.consent(now[index].customer.subject, consent)])
                }
                try rig.build(version, folded: newest, now)
                #expect(try local.reload())
            }
            isDone.set()
            for try await rounds in group { #expect(rounds > 0) }
        }
        #expect(try local.find(reference: references[0])?.customer().consents.count == 5)
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { value.load(ordering: .acquiring) }
        func set() { value.store(true, ordering: .releasing) }
    }

    @Test("What an open refuses is thrown on, and details that are none are named with the customer")
    func details() throws {
        let (rig, person) = try Self.rig([])
        let local = try rig.open()
        let found = try #require(local.find(reference: person.reference))
        #expect(throws: LocalRig.Mistaken.self) { try found.details { _, _ in throw LocalRig.Mistaken() } }
        #expect(throws: LocalFault.record(subject: 1, .unknownVersion(9))) { try found.details { _, _ in [9] } }
        try local.append([.written(CustomerImage(subject: 2, reference: 5, addresses: [], clear: [9], sealed: []))])
        let other = try #require(local.find(reference: 5))
        #expect(throws: LocalFault.record(subject: 2, .unknownVersion(9))) { try other.customer() }
        #expect(try other.details { _, _ in [] } == CustomerDetails())
    }
}
