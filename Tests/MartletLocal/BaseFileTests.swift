import Glibc
import Journal
import MartletModel
import Testing

@testable import MartletLocal

/// Base files: what is written is found, what is not whole is named and refused.
@Suite struct BaseFileTests {
    private static func people(_ count: Int, seed: UInt64 = 1) -> [Person] {
        var dice = CustomerDice(seed)
        return (0..<count).map { index in
            Person(SubjectNumber(index + 1), reference: dice.next(), addresses: [dice.next(), dice.next()], &dice)
        }
    }

    @Test("Every customer is found by reference and by each address, and what is not there is not", arguments: [0, 1, 4, 5, 3_000])
    func found(count: Int) throws {
        let rig = try LocalRig()
        let people = Self.people(count)
        let summary = try rig.build(3, people)
        #expect(
            summary == .init(path: rig.basePath(3), customers: count, addresses: count * 2, bytes: try rig.bytes(rig.basePath(3)).count))
        let local = try rig.open()
        for person in people {
            let found = try #require(local.find(reference: person.reference))
            #expect(try found.customer() == person.customer)
            #expect(try found.details(LocalRig.open) == person.details)
            for one in person.addresses {
                let sharing = local.find(address: one.hash)
                #expect(sharing.customers.map(\.subject) == [person.customer.subject] && sharing.customers.first?.number == one.number)
            }
            // Another hash in the same bucket.
            #expect(local.find(reference: person.reference ^ 1 << 26) == nil)
            #expect(local.find(address: person.reference).customers.isEmpty)
        }
        #expect(local.find(reference: 0) == nil && local.find(reference: .max) == nil)
    }

    @Test("Hashes that are not spread at all, and more than a buffer of bytes, come out whole")
    func uneven() throws {
        let rig = try LocalRig()
        var dice = CustomerDice(9)
        let people = (1...2_500).map { (subject: SubjectNumber) -> Person in
            var person = Person(subject, reference: dice.next() >> 12, addresses: [dice.next() >> 12], &dice)
            person.details.givenName = String(repeating: "ж", count: 300)
            return person
        }
        let summary = try rig.build(1, people)
        #expect(summary.bytes > 1 << 20)
        let local = try rig.open()
        for person in people {
            #expect(try local.find(reference: person.reference)?.details(LocalRig.open) == person.details)
            #expect(local.find(address: person.addresses[0].hash).customers.map(\.subject) == [person.customer.subject])
        }
    }

    @Test("Small values written over the end of a buffer stand in the file one behind the other, each block with its checksum")
    func section() throws {
        let rig = try LocalRig()
        let file = try LocalFile(.system, rig.path("section"), O_RDWR | O_CREAT | O_TRUNC)
        var section = SectionWriter(at: 64)
        try section.append(UInt8(7), to: file)
        for value in UInt32(0)..<300_000 { try section.append(value, to: file) }
        let place = try section.finish(in: file)
        #expect(place.lowerBound == 64 && place.count == 1_200_064)
        let bytes = Array(try rig.bytes(rig.path("section"))[place])
        #expect(bytes[0] == 7)
        let values = bytes.withUnsafeBytes { bytes in
            (0..<300_000).map { UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 1 + $0 * 4, as: UInt32.self)) }
        }
        #expect(values == Array(0..<300_000))
        #expect(section.checks.count == 19)
        let first = bytes.withUnsafeBytes {
            Checksum.of(UnsafeRawBufferPointer(rebasing: $0[..<BaseHeader.block]), seed: Checksum.seed(64))
        }
        #expect(section.checks.first == first)
    }

    @Test("Every fault says something of its own")
    func faults() {
        let faults: [LocalFault] = [
            .disk(path: "a", step: "open", code: ENOENT), .unfinished(path: "a"), .damaged(path: "a", place: "header"),
            .newer(path: "a", version: 2), .foreign(path: "a"), .duplicateReference(1, 2), .record(subject: 1, .unknownVersion(2)),
            .tooLarge(limit: "1"), .full(limit: "1"), .tooManyFacts(subject: 1, limit: 2),
        ]
        #expect(Set(faults.map(\.description)).count == faults.count)
    }

    @Test("Customers who share an address are all found, each once, as many as asked for; it is said when there are more")
    func shared() throws {
        let rig = try LocalRig()
        var dice = CustomerDice(1)
        let shared = dice.next()
        let people = (1...40).map { Person($0, reference: dice.next(), addresses: [shared, shared, dice.next()], &dice) }
        try rig.build(1, people)
        let local = try rig.open()
        let all = local.find(address: shared, limit: 40)
        #expect(Set(all.customers.map(\.subject)) == Set(1...40) && all.customers.count == 40 && !all.hasMore)
        let some = local.find(address: shared)
        #expect(some.customers.count == 16 && some.hasMore)
        // One overlay customer more.
        try local.append([.written(Person(50, reference: dice.next(), addresses: [shared], &dice).image())])
        #expect(local.find(address: shared, limit: 41).customers.count == 41)
        #expect(local.find(address: shared, limit: 40).hasMore)
    }

    @Test("Two customers with one reference are named, and the file before stays in use")
    func duplicates() throws {
        let rig = try LocalRig()
        var people = Self.people(9)
        try rig.build(1, people)
        people[7].reference = people[2].reference
        #expect(throws: LocalFault.duplicateReference(3, 8)) { try rig.build(2, people) }
        #expect(rig.names == [rig.basePath(1).split(separator: "/").last.map(String.init)])
        #expect(try rig.open().figures.version == 1)
    }

    @Test("Every flipped byte of a base file is named, and so is every length it is cut to")
    func flips() throws {
        let rig = try LocalRig()
        try rig.build(1, Self.people(6))
        let path = rig.basePath(1)
        let good = try rig.bytes(path)
        for index in good.indices {
            for mask in [UInt8(1), 128] {
                var bad = good
                bad[index] ^= mask
                try rig.write(bad, path)
                #expect(throws: LocalFault.self, "byte \(index)") { try BaseFile(path, hashCheck: LocalRig.check) }
            }
            try rig.write(Array(good.prefix(index)), path)
            #expect(throws: LocalFault.self, "cut to \(index)") { try BaseFile(path, hashCheck: LocalRig.check) }
        }
        try rig.write(good + [0], path)
        #expect(throws: LocalFault.damaged(path: path, place: "\(good.count + 1) bytes instead of \(good.count)")) {
            try BaseFile(path, hashCheck: LocalRig.check)
        }
    }

    @Test("An unfinished file, one of another key and one of a later format are told apart")
    func named() throws {
        let rig = try LocalRig()
        try rig.build(1, Self.people(3))
        let path = rig.basePath(1)
        #expect(throws: LocalFault.foreign(path: path)) { try BaseFile(path, hashCheck: 1) }
        var bytes = try rig.bytes(path)
        bytes[8] = 2
        let check = bytes.withUnsafeBytes { Checksum.of(UnsafeRawBufferPointer(rebasing: $0[..<(BaseHeader.size - 4)])) }
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: check.littleEndian, toByteOffset: BaseHeader.size - 4, as: UInt32.self) }
        try rig.write(bytes, path)
        #expect(throws: LocalFault.newer(path: path, version: 2)) { try BaseFile(path, hashCheck: LocalRig.check) }
        bytes.replaceSubrange(..<BaseHeader.size, with: repeatElement(0, count: BaseHeader.size))
        try rig.write(bytes, path)
        #expect(throws: LocalFault.unfinished(path: path)) { try BaseFile(path, hashCheck: LocalRig.check) }
        #expect(throws: LocalFault.disk(path: rig.path("no"), step: "open", code: ENOENT)) {
            try BaseFile(rig.path("no"), hashCheck: LocalRig.check)
        }
    }

    @Test("Whatever call of the disk fails while a base file is written, the one before is found and no half one has a name")
    func builderFaults() throws {
        let rig = try LocalRig()
        let people = Self.people(2_000)
        try rig.build(1, Self.people(5))
        var number = 1
        while true {
            let made = LocalRig.Counter()
            do {
                try rig.build(2, people, disk: LocalRig.failing(at: number, made: made))
                break
            } catch is LocalFault {
                // The name comes before the directory's sync alone; a file with it is whole.
                let local = try rig.open()
                #expect(local.figures.refused == 0, "call \(number)")
                #expect(local.find(reference: people[0].reference) != nil, "call \(number)")
            }
            number += 1
        }
        #expect(number > 8)
        #expect(try rig.open().figures.customers == 2_000)
    }

    @Test("A newer file that is damaged is refused by name while the one in use goes on, over a restart too")
    func refused() throws {
        let rig = try LocalRig()
        let people = Self.people(5)
        try rig.build(1, people)
        let local = try rig.open()
        #expect(try !local.reload())
        try rig.build(2, people)
        var bytes = try rig.bytes(rig.basePath(2))
        bytes[300] ^= 4
        try rig.write(bytes, rig.basePath(2))
        let fault = LocalFault.damaged(path: rig.basePath(2), place: "customers, bytes 256 to \(Self.heapEnd(bytes))")
        #expect(throws: fault) { try local.reload() }
        #expect(local.figures.version == 1 && local.figures.refused == 1)
        #expect(local.find(reference: people[0].reference) != nil)
        #expect(try rig.opening().refused == [fault])
        try rig.build(3, people)
        #expect(try local.reload())
        #expect(local.figures.version == 3)
        // The one that was in use is kept for the case that the new one is lost.
        #expect(rig.names.filter { $0.hasSuffix(".base") }.count == 3)
    }

    private static func heapEnd(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes {
            Int($0.loadUnaligned(fromByteOffset: 72, as: UInt64.self) + $0.loadUnaligned(fromByteOffset: 80, as: UInt64.self))
        }
    }

    @Test("What is too long for the file is refused with the customer's number")
    func tooLong() throws {
        let rig = try LocalRig()
        var builder = try BaseBuilder(rig.directory, .init(version: 1, folded: 0, hashCheck: 1, madeAt: 0))
        let long = [UInt8](repeating: 1, count: CustomerLimits.recordBytes + 1)
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        let many = (0...CustomerLimits.contacts).map { AddressHash(number: UInt8($0), hash: 1) }
        var faults: [LocalFault] = []
        long.withUnsafeBytes { long in
            do throws(LocalFault) { try builder.add(subject: 4, reference: 1, addresses: [], clear: long, sealed: none) } catch {
                faults.append(error)
            }
        }
        do throws(LocalFault) { try builder.add(subject: 5, reference: 1, addresses: many, clear: none, sealed: none) } catch {
            faults.append(error)
        }
        #expect(
            faults == [
                .record(subject: 4, .tooLong(field: "customer", limit: CustomerLimits.recordBytes)),
                .record(subject: 5, .tooMany(field: "addresses", limit: CustomerLimits.contacts)),
            ])
        #expect(faults.allSatisfy { !$0.description.isEmpty })
    }
}
