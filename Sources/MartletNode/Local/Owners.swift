import Guard
import MartletEngine
import MartletLocal
import MartletModel

/// Whose number it is, and the key of that customer: what decides which key a record is sealed with. Confined to the loop: two hashes, a few
/// reads of mapped memory and no call that waits.
struct Owners: ~Copyable {
    private let phones: KeyedHash
    private let keys: RecordKeys
    private let copy: CustomerCopy
    private var customers: LocalCustomers?
    /// Keys used last; nil while no customer has one.
    private var cache: SubjectKeyCache?
    /// Nobody can be found, though there may be customers.
    private(set) var areUnusable = false

    init(_ keys: RecordKeys, _ copy: CustomerCopy) {
        phones = KeyedHash(key: keys.days.phoneHashKey)
        self.keys = keys
        self.copy = copy
        refresh()
    }

    /// Takes what was opened since; each second.
    mutating func refresh() {
        if customers == nil { customers = copy.customers }
        areUnusable = copy.isUnusable
        if cache == nil, let subjects = keys.subjects { cache = SubjectKeyCache(subjects) }
    }

    var areKnown: Bool { customers != nil && cache != nil }

    /// As the desk hashes it.
    func hash(_ number: PhoneNumber) -> UInt64 { phones.hash64(number: number.digits) }

    /// Nil when that cannot be said now.
    func owner(of number: PhoneNumber) -> Inbound.Owner? {
        guard let customers, !areUnusable else { return nil }
        switch customers.owner(address: hash(number)) {
        case .nobody: return .nobody
        case .one(let subject): return .one(subject)
        case .several: return .several
        }
    }

    /// Nil when nobody or more than one has the number, or its owner has no key (any more).
    mutating func key(of number: PhoneNumber) -> SubjectKey? {
        guard let customers, cache != nil, case .one(let subject) = customers.owner(address: hash(number)) else { return nil }
        return cache?.key(subject).key
    }

    /// Customers who have the number, at most 16; nil: no copy of them is open.
    func sharing(_ number: PhoneNumber) -> LocalCustomers.Sharing? { customers?.find(address: hash(number)) }

    /// The customer whose reference has this hash.
    func find(reference hash: UInt64) -> FoundCustomer? { customers?.find(reference: hash) }

    /// What is personal of a customer; nil when the key was destroyed.
    mutating func details(of found: FoundCustomer) throws -> CustomerDetails? {
        let lookup = cache?.key(found.subject) ?? .unknown
        if case .erased = lookup { return nil }
        return try found.details { subject, sealed in
            guard let key = lookup.key else { throw SealFault.noSuchKey(keyID: RecordKeyID(subject: subject).rawValue) }
            return try Sealer.open(sealed, context: .details(of: subject), key: key)
        }
    }

    /// Nil when that customer has no key (any more).
    mutating func key(of subject: SubjectNumber) -> SubjectKey? { cache?.key(subject).key }
}

extension Node {
    /// The key of the customer whom an event is about, else of the one whose number stands in what is to be sealed.
    func owner(of emitted: borrowing Turn.Emitted, _ range: Range<Int>) -> SubjectKey? {
        guard owners.areKnown else { return nil }
        let record = emitted.record
        if record.header.kind == .decided { return emitted.subject == 0 ? nil : owners.key(of: emitted.subject) }
        let number: PhoneNumber? = turn.payloads.withUnsafeBytes { payloads in
            let bytes = UnsafeRawBufferPointer(rebasing: payloads[range])
            if case .inbound(let it) = record.body, it.number != 0 { return (try? Inbound(readingPart: bytes))?.number }
            return Payload.number(in: bytes)
        }
        guard let number, number.digits != 0 else { return nil }
        return owners.key(of: number)
    }

    /// Whether a ready text is for nobody who may be written to: a number that several have is held back where all of them are. What cannot be read holds nothing back;
    /// it is an alarm.
    func holdsBack(_ submission: borrowing Submission) -> Bool {
        guard let sharing = owners.sharing(submission.to), !sharing.customers.isEmpty, !sharing.hasMore else { return false }
        for found in sharing.customers {
            do throws(LocalFault) {
                guard engine.holdsBack(submission.messageClass, try found.customer(), contact: found.number, at: turn.now.wall) else {
                    return false
                }
            } catch {
                unreadable(error)
                return false
            }
        }
        return true
    }

    /// Whom a ready text counts for, where its class has caps. Where the copy of the customers cannot be asked, its number alone.
    func party(of submission: borrowing Submission) -> Engine.TextParty {
        guard engine.hasCaps(of: submission.messageClass) else { return .nobody }
        if let subject = owners.key(of: submission.to)?.number { return .customer(subject) }
        guard let sharing = owners.sharing(submission.to), sharing.customers.count > 1, !sharing.hasMore else { return .number }
        return .customers(sharing.customers.map(\.subject))
    }

    /// Twice a second: what the desk writes is in use within two.
    func watchCustomers() {
        owners.refresh()
        parts.copy.watch()
    }

    /// What a customer said of its number stands in the record under the hash by which customers are found, too: so the local copy and the
    /// history learn of it, after a restart as well.
    func noteFact(_ index: Int) {
        if case .preference(var it) = turn.records[index].record.body, let handset = turn.records[index].handset {
            it.address = owners.hash(handset)
            turn.records[index].record.body = .preference(it)
        }
        guard let fact = CustomerCopy.Fact(turn.records[index].record) else { return }
        open.facts.append(fact)
    }
}

extension CustomerCopy.Fact {
    /// Nil when a customer said nothing with it, as in a copy forward of what was said before.
    init?(_ record: Record) {
        let at = record.header.at
        if case .preference(let it) = record.body, it.address != 0 {
            what = .address(it.address)
            change = .address(
                hash: it.address, AddressFact(it.unwanted.isEmpty ? .optedIn : .optedOut, at: FactTime(clamping: at / 1_000_000)))
        } else if case .subscribed(let it) = record.body {
            what = .package(it.subject, it.package)
            change = .package(it.subject, PackageWord(it.package, isWanted: it.isWanted, at: at))
        } else {
            return nil
        }
    }
}
