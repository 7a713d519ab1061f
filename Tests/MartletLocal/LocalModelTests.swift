import MartletModel
import Testing

@testable import MartletLocal

/// The local copy against plain dictionaries that do the same the simple way: random additions, changes, erasures, facts, new base files
/// and restarts; after each step everything is looked up in both.
@Suite struct LocalModelTests {
    @Test("Whatever changes, is folded or restarted, every look-up finds what plain dictionaries hold", arguments: [UInt64](1...12))
    func model(seed: UInt64) throws {
        var world = try LocalWorld(seed: seed)
        for step in 0..<160 {
            try world.step()
            try world.compare("seed \(seed), step \(step)")
        }
        #expect(world.rebuilt > 0 && world.restarted > 0, "seed \(seed)")
    }
}

struct LocalWorld {
    private let rig: LocalRig
    private var local: LocalCustomers
    private var dice: CustomerDice
    private var version: UInt64 = 0
    private var newest: UInt64 = 0
    private(set) var rebuilt = 0
    private(set) var restarted = 0

    /// What the newest base file or the newest whole write says.
    private var people: [SubjectNumber: Person] = [:]
    private var facts: [SubjectNumber: [CustomerChange]] = [:]
    private var states: [UInt64: AddressState] = [:]
    private var references: Set<UInt64> = []
    /// Since the base file.
    private var written: Set<SubjectNumber> = []
    private static let hashes = (1...12).map { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }

    init(seed: UInt64) throws {
        rig = try LocalRig()
        local = try rig.open()
        dice = CustomerDice(seed)
    }

    mutating func step() throws {
        switch dice.below(20) {
        case 0...5: try write(SubjectNumber(dice.below(40) + 1))
        case 6: try erase()
        case 7...10: try tell { subject, dice in .consent(subject, dice.consent()) }
        case 11:
            if dice.flip() {
                try tell { subject, dice in .preferences(subject, dice.preferences()) }
            } else {
                try tell { subject, dice in .package(subject, dice.word()) }
            }
        case 12, 13: try register()
        case 14...16: try learn()
        case 17, 18: try rebuild()
        default: try restart()
        }
    }

    private mutating func append(_ change: CustomerChange) throws { newest = try local.append([change]) }

    private mutating func write(_ subject: SubjectNumber) throws {
        let keeps = dice.flip()
        let reference = keeps ? people[subject]?.reference ?? dice.next() : dice.next()
        let addresses = dice.list(3) { dice, _ in LocalWorld.hashes[dice.below(LocalWorld.hashes.count)] }
        let person = Person(subject, reference: reference, addresses: addresses, &dice)
        references.insert(reference)
        people[subject] = person
        written.insert(subject)
        try append(.written(person.image()))
    }

    private mutating func anyone() -> SubjectNumber? {
        let known = people.keys.sorted()
        return known.isEmpty ? nil : known[dice.below(known.count)]
    }

    private mutating func erase() throws {
        guard let subject = anyone() else { return }
        people[subject] = nil
        facts[subject] = nil
        written.remove(subject)
        try append(.erased(subject))
    }

    private mutating func tell(_ make: (SubjectNumber, inout CustomerDice) -> CustomerChange) throws {
        guard let subject = anyone() else { return }
        let change = make(subject, &dice)
        facts[subject, default: []].append(change)
        try append(change)
    }

    private mutating func register() throws {
        guard let subject = anyone(), let person = people[subject] else { return }
        let hash = LocalWorld.hashes[dice.below(LocalWorld.hashes.count)]
        let contact = dice.contact(UInt8(128 + dice.below(3)), device: true)
        var plain: [UInt8] = []
        try CustomerDetails(addresses: [.init(number: contact.number, value: .phone(hash))]).write(to: &plain)
        let device = DeviceRegistration(
            contact: contact, reference: person.reference, address: hash, at: UInt32(dice.below(100)), sealed: LocalRig.seal(subject, plain)
        )
        facts[subject, default: []].append(.device(subject, device))
        states[hash, default: AddressState()].learn(AddressFact(.alive, at: device.at))
        try append(.device(subject, device))
    }

    private mutating func learn() throws {
        let hash = LocalWorld.hashes[dice.below(LocalWorld.hashes.count)]
        let fact = AddressFact(AddressFact.What.allCases[dice.below(4)], at: UInt32(dice.below(100)))
        states[hash, default: AddressState()].learn(fact)
        try append(.address(hash: hash, fact))
    }

    /// What the desk would write: everybody as they are now, devices among their contact points.
    private mutating func rebuild() throws {
        var now: [Person] = []
        for subject in people.keys.sorted() {
            guard var person = expected(subject) else { continue }
            for index in person.customer.contacts.indices where person.customer.contacts[index].number >= 128 {
                let old = person.customer.contacts[index].number
                let free = (UInt8(1)...127).first { one in !person.customer.contacts.contains { $0.number == one } } ?? 127
                person.customer.contacts[index].number = free
                for at in person.addresses.indices where person.addresses[at].number == old { person.addresses[at].number = free }
                for at in person.details.addresses.indices where person.details.addresses[at].number == old {
                    person.details.addresses[at].number = free
                }
            }
            now.append(person)
        }
        version += 1
        try rig.build(version, folded: newest, now)
        people = Dictionary(uniqueKeysWithValues: now.map { ($0.customer.subject, $0) })
        (facts, states, written) = ([:], [:], [])
        if dice.flip() { try restart() } else { #expect(try local.reload()) }
        #expect(local.figures.version == version && local.figures.overlayChanges == 0)
        rebuilt += 1
    }

    private mutating func restart() throws {
        local = try rig.open()
        restarted += 1
    }

    private func expected(_ subject: SubjectNumber) -> Person? {
        guard var person = people[subject] else { return nil }
        var devices: [DeviceRegistration] = []
        var words: [UInt16: PackageWord] = [:]
        for change in facts[subject] ?? [] {
            switch change {
            case .consent(_, let consent): person.customer.learn(consent)
            case .preferences(_, let preferences): person.customer.learn(preferences)
            case .device(_, let device):
                if let index = devices.firstIndex(where: { $0.contact.number == device.contact.number }) {
                    devices[index] = device
                } else {
                    devices.append(device)
                }
            case .package(_, let word):
                if let known = words[word.package], known.at > word.at { continue }
                words[word.package] = word
            case .written, .erased, .address: break
            }
        }
        for word in words.values.sorted(by: { $0.at < $1.at }) { person.customer.learn(word) }
        let known = person.addresses
        // Only a whole write since the base file says which devices it knows already.
        for device in devices where !(written.contains(subject) && known.contains { $0.hash == device.address }) {
            person.customer.learn(device)
            person.addresses.removeAll { $0.number == device.contact.number }
            person.addresses.append(AddressHash(number: device.contact.number, hash: device.address))
            person.details.addresses.removeAll { $0.number == device.contact.number }
            person.details.addresses.append(.init(number: device.contact.number, value: .phone(device.address)))
        }
        for one in person.addresses {
            guard let state = states[one.hash], let index = person.customer.contacts.firstIndex(where: { $0.number == one.number }) else {
                continue
            }
            if state.life != nil { person.customer.contacts[index].isDead = state.isDead }
            if state.wish != nil { person.customer.contacts[index].isOptedOut = state.isOptedOut }
        }
        return person
    }

    func compare(_ place: String) throws {
        var held: [UInt64: SubjectNumber] = [:]
        var owners: [UInt64: Set<SubjectNumber>] = [:]
        for subject in people.keys {
            guard let person = expected(subject) else { continue }
            held[person.reference] = subject
            for one in person.addresses { owners[one.hash, default: []].insert(subject) }
        }
        for reference in references {
            let found = local.find(reference: reference)
            #expect(found?.subject == held[reference], "\(place)")
            guard let found, let person = expected(found.subject) else { continue }
            #expect(try found.customer() == person.customer, "\(place)")
            let details = try found.details(LocalRig.open)
            #expect(details.givenName == person.details.givenName, "\(place)")
            #expect(Set(details.addresses) == Set(person.details.addresses), "\(place)")
        }
        for hash in LocalWorld.hashes {
            let sharing = local.find(address: hash, limit: 100)
            #expect(Set(sharing.customers.map(\.subject)) == owners[hash] ?? [], "\(place)")
            #expect(!sharing.hasMore && sharing.customers.count == owners[hash]?.count ?? 0, "\(place)")
            for found in sharing.customers {
                let person = try #require(expected(found.subject))
                #expect(try found.customer() == person.customer, "\(place)")
                #expect(person.addresses.contains { $0.hash == hash && $0.number == found.number }, "\(place)")
            }
            #expect(local.state(address: hash) == states[hash] ?? AddressState(), "\(place)")
        }
    }
}
