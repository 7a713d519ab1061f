import Glibc
public import Journal
public import MartletModel
import Synchronization

/// The node's own copy of all customers: the newest base file that is whole, and over it the changes since. Look-ups may come from any
/// thread and wait for no disk but that of the mapped file; appends and reloads wait for the disk and are not for a loop.
public final class LocalCustomers: Sendable {
    public struct Limits: Sendable {
        /// Of the overlay's file, and of the changes in it. Changes that forbid something (opt-out, erasure, dead address) have an
        /// eighth more, so that they find room when others are refused.
        public var overlayBytes = 128 << 20
        public var overlayChanges = 500_000

        public init() {}
    }

    /// What opening found.
    public struct Opening: Equatable, Sendable {
        /// Base files that are not used, each with the reason.
        public var refused: [LocalFault] = []
        /// Changes read from the overlay.
        public var changes = 0
        /// Bytes of an append that a crash cut off; nobody was told that it succeeded.
        public var tornBytes = 0
        /// Stretches of the overlay that do not check, stepped past; the file is kept aside.
        public var damagedStretches = 0
        /// Changes of a later version, or with a value that no version wrote.
        public var unreadable = 0
    }

    /// For metrics and readiness.
    public struct Figures: Equatable, Sendable {
        /// Of the base file; 0: there is none.
        public var version: UInt64 = 0
        public var customers = 0
        public var baseBytes = 0
        /// Wall microseconds; what the node had learnt by then is in the base file.
        public var madeAt: Int64 = 0
        public var overlayChanges = 0
        public var overlayBytes = 0
        public var overlayLimit = 0
        /// Changes that the overlay may hold.
        public var overlayChangesLimit = 0
        /// Number of the newest change.
        public var newest: UInt64 = 0
        /// Base files that were refused since the start.
        public var refused = 0

        public init() {}
    }

    private struct Snapshot: Sendable {
        var base: BaseFile?
        var tables: OverlayTables

        /// The customer whom the overlay names for an address: written anew, or with a device registered since.
        func owner(_ owner: OverlayTables.Owner, _ hash: UInt64, _ facts: SubjectFacts) -> FoundCustomer? {
            let device = facts.devices.first { $0.address == hash && $0.contact.number == owner.number }
            if let image = facts.image {
                // A device that the image knows by now has the image's number.
                let known = image.addresses.first { $0.hash == hash }
                guard let number = known?.number ?? device?.contact.number else { return nil }
                return FoundCustomer(image, number: number, facts, tables)
            }
            guard let device, let base, let entry = base.find(reference: device.reference), entry.subject == owner.subject else {
                return nil
            }
            return FoundCustomer(base, entry, number: owner.number, facts, tables)
        }
    }

    private let directory: LocalDirectory
    private let hashCheck: UInt64
    private let limits: Limits
    private let snapshot: Mutex<Snapshot>
    private let file: Mutex<OverlayFile>
    private let overlayBytes: Atomic<Int>
    /// Number of the newest change.
    private let newest: Atomic<UInt64>
    private let refusals: Atomic<Int>
    /// One reload at a time.
    private let reloading = Mutex<Bool>(false)

    /// Opens what is in the directory, which must be there. The newest base file that is whole is used; those that are not are named.
    /// - Parameter hashCheck: keyed hash of a constant, made with the key of all hashes that will be asked for.
    /// - Throws: when the overlay cannot be used: without it what customers forbade would be forgotten.
    public static func open(
        _ directory: String, hashCheck: UInt64, limits: Limits = Limits(), disk: Disk = .system
    ) throws(LocalFault) -> (customers: LocalCustomers, opening: Opening) {
        let place = LocalDirectory(directory, disk)
        var opening = Opening()
        var base: BaseFile?
        for version in try place.versions() {
            do throws(LocalFault) {
                base = try BaseFile(place.base(version), hashCheck: hashCheck, disk: disk)
                break
            } catch {
                opening.refused.append(error)
            }
        }
        let tables = OverlayTables()
        let folded = base?.header.folded ?? 0
        let used = base
        var changes = 0
        var found: OverlayFormat.Reading?
        let file = try OverlayFile.open(place, hashCheck: hashCheck, folded: folded, found: &found) { sequence, change in
            guard sequence > folded else { return }
            tables.apply(change, on: used)
            changes += 1
        }
        opening.changes = changes
        if let found {
            opening.tornBytes = found.torn
            opening.damagedStretches = found.damaged.count
            opening.unreadable = found.unreadable
        }
        return (
            LocalCustomers(place, hashCheck, limits, Snapshot(base: base, tables: tables), file, refused: opening.refused.count), opening
        )
    }

    private init(
        _ directory: LocalDirectory, _ hashCheck: UInt64, _ limits: Limits, _ snapshot: Snapshot, _ file: consuming OverlayFile,
        refused: Int
    ) {
        self.directory = directory
        self.hashCheck = hashCheck
        self.limits = limits
        overlayBytes = Atomic(file.end)
        newest = Atomic(file.next - 1)
        refusals = Atomic(refused)
        self.snapshot = Mutex(snapshot)
        self.file = Mutex(file)
    }

    private var current: Snapshot { snapshot.withLock { $0 } }

    public var figures: Figures {
        let now = current
        var figures = Figures()
        figures.version = now.base?.version ?? 0
        figures.customers = now.base?.customers ?? 0
        figures.baseBytes = now.base?.bytes ?? 0
        figures.madeAt = now.base?.header.madeAt ?? 0
        figures.overlayChanges = now.tables.changes
        figures.overlayBytes = overlayBytes.load(ordering: .relaxed)
        figures.overlayLimit = limits.overlayBytes
        figures.overlayChangesLimit = limits.overlayChanges
        figures.newest = newest.load(ordering: .relaxed)
        figures.refused = refusals.load(ordering: .relaxed)
        return figures
    }

    // MARK: Look-up

    /// The customer whose reference has this keyed hash.
    public func find(reference hash: UInt64) -> FoundCustomer? {
        let now = current
        let isPlain = now.tables.changes == 0
        if !isPlain, let subject = now.tables.references[hash], let facts = now.tables.subjects[subject], let image = facts.image,
            image.reference == hash
        {
            return FoundCustomer(image, number: nil, facts, now.tables)
        }
        guard let base = now.base, let entry = base.find(reference: hash) else { return nil }
        guard !isPlain else { return FoundCustomer(base, entry, number: nil, nil, now.tables) }
        let facts = now.tables.subjects[entry.subject]
        // Written anew it is found by the reference it has now, or by none.
        if let facts, facts.isErased || facts.image != nil { return nil }
        return FoundCustomer(base, entry, number: nil, facts, now.tables)
    }

    /// Customers that share an address.
    public struct Sharing {
        public var customers: [FoundCustomer] = []
        /// There are more than were asked for.
        public var hasMore = false
    }

    /// Customers with an address of this keyed hash, each once, at most `limit`.
    public func find(address hash: UInt64, limit: Int = 16) -> Sharing {
        let now = current
        let isPlain = now.tables.changes == 0
        var found = Sharing()
        func take(_ subject: SubjectNumber, _ customer: () -> FoundCustomer) -> Bool {
            if found.customers.contains(where: { $0.subject == subject }) { return true }
            guard found.customers.count < limit else {
                found.hasMore = true
                return false
            }
            found.customers.append(customer())
            return true
        }
        if !isPlain {
            for owner in now.tables.owners[hash] ?? [] {
                guard let facts = now.tables.subjects[owner.subject], let customer = now.owner(owner, hash, facts) else { continue }
                guard take(owner.subject, { customer }) else { return found }
            }
        }
        guard let base = now.base else { return found }
        base.find(address: hash) { entry, number in
            let facts = isPlain ? nil : now.tables.subjects[entry.subject]
            if let facts, facts.isErased || facts.image != nil { return true }
            return take(entry.subject) { FoundCustomer(base, entry, number: number, facts, now.tables) }
        }
        return found
    }

    /// Whose an address is.
    public enum Owner: Equatable, Sendable {
        case nobody
        case one(SubjectNumber)
        /// Several customers share it.
        case several
    }

    /// Whose the address of this keyed hash is; nothing of the customer is read. For every message: it allocates only where the overlay
    /// speaks of the address.
    public func owner(address hash: UInt64) -> Owner {
        let now = current
        let isPlain = now.tables.changes == 0
        var owner = Owner.nobody
        func take(_ subject: SubjectNumber) {
            if owner == .nobody { owner = .one(subject) } else if owner != .one(subject) { owner = .several }
        }
        if !isPlain, let owners = now.tables.owners[hash] {
            for one in owners {
                guard let facts = now.tables.subjects[one.subject], now.owner(one, hash, facts) != nil else { continue }
                take(one.subject)
            }
        }
        now.base?.find(address: hash) { entry, _ in
            if !isPlain, let facts = now.tables.subjects[entry.subject], facts.isErased || facts.image != nil { return true }
            take(entry.subject)
            return owner != .several
        }
        return owner
    }

    /// What was learnt of an address since the base file.
    public func state(address hash: UInt64) -> AddressState { current.tables.addresses[hash] ?? AddressState() }

    /// Whether a customer's newest word on a package is this one, or newer.
    public func knows(_ word: PackageWord, of subject: SubjectNumber) -> Bool {
        current.tables.subjects[subject]?.words.contains { $0.package == word.package && $0.at >= word.at } ?? false
    }

    // MARK: Change

    /// Makes changes durable, then visible to every look-up that begins from then on. Waits for one sync however many there are.
    /// - Returns: the number of the newest; the base file that says so in `folded` holds it.
    /// - Throws: `.full`, `.tooManyFacts`, `.record`, `.disk`; none of the changes counts then.
    @discardableResult
    public func append(_ changes: [CustomerChange]) throws(LocalFault) -> UInt64 {
        let result: Result<UInt64, LocalFault> = file.withLock { file in
            do throws(LocalFault) {
                return .success(try append(changes, &file))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func append(_ changes: [CustomerChange], _ file: inout OverlayFile) throws(LocalFault) -> UInt64 {
        guard !changes.isEmpty else { return file.next - 1 }
        let now = current
        let isUrgent = changes.allSatisfy(\.forbids)
        func bound(_ limit: Int) -> Int { isUrgent ? limit + limit / 8 : limit }
        guard now.tables.changes + changes.count <= bound(limits.overlayChanges) else {
            throw .full(limit: "\(limits.overlayChanges) changes")
        }
        for change in changes { if let obstacle = now.tables.obstacle(to: change) { throw obstacle } }
        try file.append(changes, limit: bound(limits.overlayBytes))
        overlayBytes.store(file.end, ordering: .relaxed)
        for change in changes { now.tables.apply(change, on: now.base) }
        newest.store(file.next - 1, ordering: .relaxed)
        return file.next - 1
    }

    // MARK: Reload

    /// Versions of the base files in a directory, newest first, whole or not.
    public static func versions(in directory: String, disk: Disk = .system) throws(LocalFault) -> [UInt64] {
        try LocalDirectory(directory, disk).versions()
    }

    /// Takes the newest base file into use, when there is a newer one and it is whole. Look-ups go on: those that began see the old file
    /// to their end. The file that was in use stays on disk, with the changes it lacks; older ones go.
    /// - Returns: whether another file is in use now.
    /// - Throws: why the newer file is refused; nothing has changed then.
    public func reload() throws(LocalFault) -> Bool {
        let isFirst = reloading.withLock { isReloading in
            defer { isReloading = true }
            return !isReloading
        }
        guard isFirst else { return false }
        defer { reloading.withLock { $0 = false } }
        let used = current.base?.version
        guard let newest = try directory.versions().first, newest > used ?? 0 else { return false }
        do throws(LocalFault) {
            let base = try BaseFile(directory.base(newest), hashCheck: hashCheck, disk: directory.disk)
            let result: Result<Void, LocalFault> = file.withLock { file in
                do throws(LocalFault) {
                    return .success(try swap(to: base, &file))
                } catch {
                    return .failure(error)
                }
            }
            try result.get()
        } catch {
            refusals.add(1, ordering: .relaxed)
            throw error
        }
        for version in try directory.versions() where version < used ?? newest { _ = directory.disk.unlink(directory.base(version)) }
        return true
    }

    /// The tables are folded anew on the new file; a reader has either the old pair or the new one.
    private func swap(to base: BaseFile, _ file: inout OverlayFile) throws(LocalFault) {
        let tables = OverlayTables()
        try file.changes { sequence, change in
            if sequence > base.header.folded { tables.apply(change, on: base) }
        }
        // Should the new file be lost, the one before is used again, with all that came since it was written.
        try file.rewrite(keeping: min(current.base?.header.folded ?? 0, base.header.folded))
        overlayBytes.store(file.end, ordering: .relaxed)
        // Freed outside the lock: a hundred thousand entries take their time.
        let old = snapshot.withLock { snapshot in
            let old = snapshot
            snapshot = Snapshot(base: base, tables: tables)
            return old
        }
        withExtendedLifetime(old) {}
    }
}
