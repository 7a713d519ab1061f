import MartletModel
import Synchronization

/// A table in 64 parts, each behind a lock of its own that is held for one look into it: a reader waits for a writer at most as long as a
/// 64th of the table takes to grow.
struct SharedTable<Key: Hashable & BinaryInteger & Sendable, Value: Sendable>: Sendable {
    private final class Shard: Sendable {
        let values = Mutex<[Key: Value]>([:])
    }

    private let shards = (0..<64).map { _ in Shard() }

    private func shard(_ key: Key) -> Shard { shards[Int(truncatingIfNeeded: UInt64(truncatingIfNeeded: key) & 63)] }

    subscript(key: Key) -> Value? { shard(key).values.withLock { $0[key] } }

    func set(_ value: Value?, _ key: Key) { shard(key).values.withLock { $0[key] = value } }

    var count: Int { shards.reduce(0) { $0 + $1.values.withLock { $0.count } } }
}

/// What is known of one customer beside or in place of the base file.
struct SubjectFacts: Sendable {
    var isErased = false
    var image: CustomerImage?
    var consents: [Consent] = []
    var preferences: Preferences?
    /// Words on packages, each package's newest, in the order of their times.
    var words: [PackageWord] = []
    var devices: [DeviceRegistration] = []
    /// What was learnt of addresses that the base file knows, by contact point.
    var contacts: [ContactState] = []

    struct ContactState: Sendable {
        var number: UInt8
        var state: AddressState
    }

    static let devicesMaximum = 32
    static let consentsMaximum = 256
    static let wordsMaximum = 64

    /// The newest of a package holds; beyond the maximum the oldest goes, which the store has by then.
    mutating func learn(_ word: PackageWord) {
        if let known = words.first(where: { $0.package == word.package }), known.at > word.at { return }
        words.removeAll { $0.package == word.package }
        words.insert(word, at: words.firstIndex { $0.at > word.at } ?? words.count)
        if words.count > SubjectFacts.wordsMaximum { words.removeFirst() }
    }
}

/// The changes since the base file, folded. One writes, many read; a change is seen by every look-up that begins after it.
///
/// What is written first is the customer itself, then where to find it: a reader between the two sees the customer as before.
final class OverlayTables: Sendable {
    struct Owner: Equatable, Sendable {
        var subject: SubjectNumber
        var number: UInt8
    }

    let subjects = SharedTable<SubjectNumber, SubjectFacts>()
    let references = SharedTable<UInt64, SubjectNumber>()
    let owners = SharedTable<UInt64, [Owner]>()
    let addresses = SharedTable<UInt64, AddressState>()
    private let changed = Atomic<Int>(0)

    /// Customers of the base file that hear of one address fact; who shares an address with more is told of it when the next base is written.
    static let ownersMaximum = 256

    /// Changes folded in.
    var changes: Int { changed.load(ordering: .acquiring) }

    /// Nil when the change can be kept.
    func obstacle(to change: CustomerChange) -> LocalFault? {
        switch change {
        case .written, .erased, .preferences, .package, .address: return nil
        case .consent(let subject, let consent):
            guard let facts = subjects[subject], facts.consents.count >= SubjectFacts.consentsMaximum,
                !facts.consents.contains(where: { $0.purpose == consent.purpose && $0.channel == consent.channel })
            else { return nil }
            return .tooManyFacts(subject: subject, limit: SubjectFacts.consentsMaximum)
        case .device(let subject, let device):
            guard let facts = subjects[subject], facts.devices.count >= SubjectFacts.devicesMaximum,
                !facts.devices.contains(where: { $0.contact.number == device.contact.number })
            else { return nil }
            return .tooManyFacts(subject: subject, limit: SubjectFacts.devicesMaximum)
        }
    }

    /// - Parameter base: the file that the changes come on top of.
    func apply(_ change: CustomerChange, on base: BaseFile?) {
        switch change {
        case .written(let image): write(image)
        case .erased(let subject): erase(subject)
        case .consent(let subject, let consent):
            learn(subject) { facts in
                var known = Customer(subject: subject, consents: facts.consents)
                known.learn(consent)
                facts.consents = known.consents
            }
        case .preferences(let subject, let preferences):
            learn(subject) { facts in
                var known = Customer(subject: subject, preferences: facts.preferences)
                known.learn(preferences)
                facts.preferences = known.preferences
            }
        case .device(let subject, let device): register(device, of: subject, base)
        case .package(let subject, let word): learn(subject) { $0.learn(word) }
        case .address(let hash, let fact): learn(hash, fact, base)
        }
        changed.add(1, ordering: .releasing)
    }

    private func write(_ image: CustomerImage) {
        let subject = image.subject
        let before = subjects[subject]
        var facts = before ?? SubjectFacts()
        facts.isErased = false
        facts.image = image
        // The image says itself which address has which number.
        facts.contacts = []
        subjects.set(facts, subject)
        references.set(subject, image.reference)
        for one in image.addresses { own(one.hash, Owner(subject: subject, number: one.number)) }
        guard let old = before?.image else { return }
        if old.reference != image.reference, references[old.reference] == subject { references.set(nil, old.reference) }
        for one in old.addresses where !image.addresses.contains(one) { disown(one.hash, Owner(subject: subject, number: one.number)) }
    }

    private func erase(_ subject: SubjectNumber) {
        let before = subjects[subject]
        subjects.set(SubjectFacts(isErased: true), subject)
        guard let before else { return }
        if let image = before.image {
            if references[image.reference] == subject { references.set(nil, image.reference) }
            for one in image.addresses { disown(one.hash, Owner(subject: subject, number: one.number)) }
        }
        for device in before.devices { disown(device.address, Owner(subject: subject, number: device.contact.number)) }
    }

    private func register(_ device: DeviceRegistration, of subject: SubjectNumber, _ base: BaseFile?) {
        var replaced: DeviceRegistration?
        let isTaken = learn(subject) { facts in
            if let index = facts.devices.firstIndex(where: { $0.contact.number == device.contact.number }) {
                replaced = facts.devices[index]
                facts.devices[index] = device
            } else {
                facts.devices.append(device)
            }
        }
        guard isTaken else { return }
        let owner = Owner(subject: subject, number: device.contact.number)
        if let replaced, replaced.address != device.address { disown(replaced.address, owner) }
        own(device.address, owner)
        learn(device.address, AddressFact(.alive, at: device.at), base)
    }

    private func learn(_ hash: UInt64, _ fact: AddressFact, _ base: BaseFile?) {
        var state = addresses[hash] ?? AddressState()
        state.learn(fact)
        addresses.set(state, hash)
        guard let base else { return }
        var told = 0
        base.find(address: hash) { entry, number in
            learn(entry.subject) { facts in
                guard facts.image == nil else { return }
                if let index = facts.contacts.firstIndex(where: { $0.number == number }) {
                    facts.contacts[index].state.learn(fact)
                } else {
                    facts.contacts.append(SubjectFacts.ContactState(number: number, state: state))
                }
            }
            told += 1
            return told < OverlayTables.ownersMaximum
        }
    }

    /// False, and nothing changed, when the customer was erased.
    @discardableResult
    private func learn(_ subject: SubjectNumber, _ change: (inout SubjectFacts) -> Void) -> Bool {
        var facts = subjects[subject] ?? SubjectFacts()
        guard !facts.isErased else { return false }
        change(&facts)
        subjects.set(facts, subject)
        return true
    }

    private func own(_ hash: UInt64, _ owner: Owner) {
        let known = owners[hash] ?? []
        if !known.contains(owner) { owners.set(known + [owner], hash) }
    }

    private func disown(_ hash: UInt64, _ owner: Owner) {
        guard let left = owners[hash]?.filter({ $0 != owner }) else { return }
        owners.set(left.isEmpty ? nil : left, hash)
    }
}
