import Guard
import MartletModel
import MartletStore
import SQL

/// Lines that are written in one transaction, with how far the import is behind them.
struct ImportBatch: Sendable {
    /// What a customer's lines say, in their order; a file may name a customer more than once.
    struct Group: Sendable {
        var hash: UInt64
        var drafts: [(line: Int, draft: CustomerDraft)]
    }

    var groups: [Group] = []
    private var places: [UInt64: Int] = [:]
    var refused = 0
    /// Where the file goes on.
    var position = 0
    var line = 0
    var isLast = false

    mutating func append(_ draft: CustomerDraft, line: Int) {
        if let place = places[draft.referenceHash] {
            groups[place].drafts.append((line, draft))
            return
        }
        places[draft.referenceHash] = groups.count
        groups.append(Group(hash: draft.referenceHash, drafts: [(line, draft)]))
    }

    func shares(_ other: ImportBatch) -> Bool { groups.contains { other.places[$0.hash] != nil } }

    /// Hashes of all addresses that new contact points may have, by kind.
    var addresses: [AddressKind: [UInt64]] {
        var found: [AddressKind: [UInt64]] = [:]
        for group in groups {
            for (_, draft) in group.drafts {
                for (kind, hashes) in draft.addressHashes { found[kind, default: []].append(contentsOf: hashes) }
            }
        }
        return found
    }
}

/// What of a batch is in the store already.
struct KnownCustomers: Sendable {
    /// The newest number of a change when it was read: what is composed holds as long as this is still the newest.
    var change: Int64
    var rows: [UInt64: CustomerRow] = [:]
    /// Customers whose rows are damaged, by the reference that stands there.
    var damaged: [UInt64: SubjectNumber] = [:]
    var facts: [AddressKind: [UInt64: AddressState]] = [:]

    func isNew(_ hash: UInt64) -> Bool { rows[hash] == nil && damaged[hash] == nil }

    init(_ batch: ImportBatch, _ tags: CustomerTags, _ damage: DamageNotes, _ session: SQLSession) throws {
        change = try session.row(CustomerStatements.newestChange)?.integer("number") ?? 0
        let (width, hashes) = (CustomerStatements.references, batch.groups.map(\.hash))
        for start in stride(from: 0, to: hashes.count, by: width) {
            let values = (start..<start + width).map { SQLValue.hash(hashes[min($0, hashes.count - 1)]) }
            for found in try session.rows(CustomerStatements.byReferences, values) {
                if let row = try RowDamage.sound({ try CustomerRow(found, tags) }) {
                    if let reference = row.reference { rows[reference] = row }
                } else if let reference = try found.optionalInteger("reference") {
                    damaged[UInt64(bitPattern: reference)] = SubjectNumber(truncatingIfNeeded: try found.integer("subject"))
                }
            }
        }
        facts = try AddressFactRow.known(batch.addresses, tags, damage, session)
    }
}

/// A batch ready to be written.
struct ComposedBatch: Sendable {
    /// Each made by a task of its own.
    var parts: [CustomerRows] = []
    var faults: [(line: Int, fault: FieldFault)] = []
    /// Customers whose lines are refused because their rows or keys are damaged.
    var damaged: Set<SubjectNumber> = []
    var added = 0
    var changed = 0
    var same = 0
    /// Numbers of changes taken, from `first` on.
    var first: Int64 = 0
    var numbers = 0
}

/// Composes a batch over what is known: on as many tasks as there are parts, for sealing is most of the work.
struct BatchComposer: Sendable {
    let vault: CustomerVault
    let circumstances: WritingCircumstances

    /// - Parameters:
    ///   - change: the number before the first of this batch.
    ///   - keys: one for each new customer at least.
    func compose(
        _ batch: ImportBatch, _ known: KnownCustomers, keys: [SubjectKey], change: Int64, tasks: Int
    ) async throws -> ComposedBatch {
        let all = batch.groups
        let share = (all.count + tasks - 1) / max(1, tasks)
        var whole = ComposedBatch()
        whole.first = change + 1
        whole.numbers = all.count
        // Of each part, where its new customers' keys begin.
        var ranges: [(range: Range<Int>, firstKey: Int)] = []
        var key = 0
        for start in stride(from: 0, to: all.count, by: max(1, share)) {
            let range = start..<min(start + share, all.count)
            ranges.append((range, key))
            key += range.count { known.isNew(all[$0].hash) }
        }
        let parts = try await withThrowingTaskGroup(of: (Int, ComposedBatch).self) { group in
            for (index, part) in ranges.enumerated() {
                group.addTask {
                    (index, try compose(all[part.range], known, keys[part.firstKey...], change: change + Int64(part.range.lowerBound)))
                }
            }
            var parts: [Int: ComposedBatch] = [:]
            for try await (index, part) in group { parts[index] = part }
            return parts
        }
        for index in ranges.indices {
            guard let part = parts[index] else { continue }
            whole.parts.append(contentsOf: part.parts)
            whole.faults.append(contentsOf: part.faults)
            whole.damaged.formUnion(part.damaged)
            whole.added += part.added
            whole.changed += part.changed
            whole.same += part.same
        }
        return whole
    }

    /// One after the other; numbers of changes follow the places of the customers in the batch, those without a change are left out.
    func compose(
        _ groups: ArraySlice<ImportBatch.Group>, _ known: KnownCustomers, _ keys: ArraySlice<SubjectKey>, change: Int64
    ) throws -> ComposedBatch {
        var composed = ComposedBatch()
        var rows = CustomerRows()
        var keys = keys
        var sealer = Sealer()
        var circumstances = circumstances
        circumstances.facts = known.facts
        for (place, group) in groups.enumerated() {
            let before: OpenedCustomer?
            do {
                if let subject = known.damaged[group.hash] { throw DeskFault.tampered(noun: "customer", key: "\(subject)") }
                before = try known.rows[group.hash].map { row in try RowDamage.naming(row.subject) { try vault.opened(row) } }
            } catch {
                // This one is set aside, and no other waits for it.
                guard let subject = RowDamage.customer(error) else { throw error }
                composed.damaged.insert(subject)
                for (line, _) in group.drafts { composed.faults.append((line, .damaged("reference", subject))) }
                continue
            }
            // One who was erased since the keys were counted is new again, and has none yet.
            let key = try before.map { try vault.key($0.row.subject) } ?? keys.popFirst() ?? vault.subjects.make(1).first
            guard let key else { throw DeskFault.broken("no key was made") }
            var composer = CustomerComposer(before, reference: group.hash, circumstances)
            var taken = 0
            for (line, draft) in group.drafts {
                var next = composer
                do throws(FieldFault) {
                    try next.put(draft)
                    composer = next
                    taken += 1
                } catch {
                    composed.faults.append((line, error))
                }
            }
            guard taken > 0 else { continue }
            guard composer.isChanged else {
                composed.same += taken
                continue
            }
            do throws(FieldFault) {
                rows.append(try composer.composed(key, change: change + Int64(place) + 1, &sealer), vault.tags)
                if before == nil { composed.added += 1 } else { composed.changed += 1 }
                composed.same += taken - 1
            } catch {
                for (line, _) in group.drafts { composed.faults.append((line, error)) }
            }
        }
        rows.sort()
        composed.parts = [rows]
        return composed
    }
}
