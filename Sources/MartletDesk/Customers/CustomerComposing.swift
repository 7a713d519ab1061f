import Guard
import MartletModel

/// A customer as it is to be written, and what changes beside the row.
struct ComposedCustomer: Sendable {
    var row: CustomerRow
    /// Nil: new.
    var basedOn: UInt32?
    var consents: [ConsentRow] = []
    var packages: [PackageRow] = []
    var added: [CustomerAddress] = []
    var dropped: [CustomerAddress] = []
}

/// When and by whom customers are written.
struct WritingCircumstances: Sendable {
    /// Wall milliseconds.
    var now: Int64
    /// Who enters it, as it stands with consents.
    var source: String
    /// By which way packages are connected and disconnected.
    var way = PackageWay.api
    var facts: [AddressKind: [UInt64: AddressState]] = [:]

    /// Days since 1970, in UTC.
    var today: UInt16 { UInt16(clamping: now / 86_400_000) }
    /// From when a package holds that comes without a first day.
    var firstDay: UInt16 { PackageSubscription.firstDay(at: now * 1000) }
}

/// Puts drafts to what is known of a customer. Pure but for the sealing.
struct CustomerComposer {
    private var customer: Customer
    private var details: CustomerDetails
    private var addresses: [CustomerAddress]
    private let before: OpenedCustomer?
    private let reference: UInt64
    private var said: [ConsentStatement] = []
    private let circumstances: WritingCircumstances

    /// A file says it, and not a person or a system in its own words.
    var isOfFile: Bool { circumstances.way == .file }

    /// - Parameter known: nil: a new customer.
    init(_ known: OpenedCustomer?, reference: UInt64, _ circumstances: WritingCircumstances) {
        before = known
        customer = known?.customer ?? Customer(subject: 0)
        details = known?.details ?? CustomerDetails()
        addresses = known?.row.addresses ?? []
        self.reference = reference
        self.circumstances = circumstances
    }

    /// - Throws: the field of the draft that does not fit what is there, by the name it has in files.
    mutating func put(_ draft: CustomerDraft) throws(FieldFault) {
        if !draft.reference.isEmpty { details.reference = draft.reference }
        customer.status = draft.status ?? customer.status
        draft.unit.apply(to: &customer.unit, cleared: 0)
        draft.segment.apply(to: &customer.segment, cleared: 0)
        draft.tier.apply(to: &customer.tier, cleared: 0)
        draft.zone.apply(to: &customer.zone, cleared: 0)
        draft.locale.apply(to: &customer.locale, cleared: .none)
        draft.givenName.apply(to: &details.givenName, cleared: "")
        draft.familyName.apply(to: &details.familyName, cleared: "")
        put(draft.preferences)
        for (kind, list) in draft.addresses {
            switch list {
            case .nothing: break
            case .clear: try put([], kind)
            case .set(let list): try put(list, kind)
            }
        }
        for (kind, list) in draft.allPackages {
            switch list {
            case .nothing: break
            case .clear: try put([], kind)
            case .set(let list): try put(list, kind)
            }
        }
        for attribute in draft.attributes { put(attribute) }
        for consent in draft.consents {
            // What is said in the future would hold against everything that is said until then. A day may be one of another time zone.
            guard consent.at <= circumstances.now + 86_400_000 else { throw FieldFault("consents", "range", "it is said in the future") }
            try say(consent)
        }
    }

    /// From now on, whatever time the draft has: what the customer sets later anywhere must hold against it.
    private mutating func put(_ preferences: CustomerDraft.Say<Preferences>) {
        switch preferences {
        case .nothing: break
        case .clear: customer.preferences = nil
        case .set(var new):
            new.at = customer.preferences?.at ?? 0
            if new == customer.preferences { return }
            new.at = FactTime(clamping: circumstances.now / 1000)
            customer.preferences = new
        }
    }

    /// Enters it where it holds against what was said before; with `always`, as evidence in any case.
    mutating func say(_ statement: ConsentStatement, always: Bool = false) throws(FieldFault) {
        let new = statement.consent
        let known = customer.consents.first { $0.purpose == new.purpose && $0.channel == new.channel }
        let holds = known.map { $0 != new && new.holds(against: $0) } ?? true
        guard holds || always else { return }
        guard said.count < ConsentRow.maximum else { throw FieldFault("consents", "too_many", "at most \(ConsentRow.maximum) at once") }
        if known == nil, customer.consents.count >= CustomerLimits.consents {
            throw FieldFault("consents", "too_many", "a customer has at most \(CustomerLimits.consents)")
        }
        said.append(statement)
        customer.learn(new)
    }

    /// What the sending side learnt.
    mutating func learn(_ device: DeviceRegistration, _ address: CustomerDetails.Address) {
        customer.learn(device)
        details.addresses.removeAll { $0.number == address.number }
        details.addresses.append(address)
        addresses.removeAll { $0.number == address.number }
        addresses.append(CustomerAddress(number: address.number, kind: .device, hash: device.address))
    }

    mutating func learn(_ preferences: Preferences) { customer.learn(preferences) }

    /// A package more than there is room for is not connected: the node did not know of the others.
    mutating func learn(_ word: PackageWord) {
        customer.learn(word)
        forgetScopes()
    }

    /// Tails of accounts and cards for which nothing is connected any more.
    private mutating func forgetScopes() {
        let used = Set(customer.packages.compactMap(\.scope))
        details.scopes.removeAll { !used.contains($0.scope) }
    }

    /// From today on, or with another last day.
    mutating func list(_ entry: ListEntry) throws(FieldFault) {
        if let place = customer.listed.firstIndex(where: { $0.list == entry.list }) {
            customer.listed[place].until = entry.until
            return
        }
        guard customer.listed.count < CustomerLimits.listed else {
            throw FieldFault("list", "too_many", "a customer stands on at most \(CustomerLimits.listed) lists")
        }
        customer.listed.append(SuppressionListing(list: entry.list, since: circumstances.today, until: entry.until))
    }

    mutating func unlist(_ list: UInt16) { customer.listed.removeAll { $0.list == list } }

    /// Every contact point with this address.
    mutating func learn(_ state: AddressState, kind: AddressKind, hash: UInt64) {
        for one in addresses where one.kind == kind && one.hash == hash {
            guard let index = customer.contacts.firstIndex(where: { $0.number == one.number }) else { continue }
            customer.contacts[index].learn(state)
        }
    }

    /// The addresses of this kind are then these, in this order; who was there already keeps its number and what is known of it.
    private mutating func put(_ list: [CustomerDraft.Address], _ kind: AddressKind) throws(FieldFault) {
        var contacts: [ContactPoint] = []
        var kept: Set<UInt8> = []
        for address in list {
            let same = addresses.first { $0.kind == kind && $0.hash == address.hash && details.address($0.number) == address.value }
            if let same {
                // Twice in the list.
                guard kept.insert(same.number).inserted else { continue }
                guard var contact = customer.contacts.first(where: { $0.number == same.number }) else { continue }
                contact.isVerified = contact.isVerified || address.isVerified
                contact.isForbidden = address.isForbidden
                contacts.append(contact)
                continue
            }
            let taken = Set(customer.contacts.map(\.number)).union(kept)
            guard let number = (1...127).first(where: { !taken.contains(UInt8($0)) }).map({ UInt8($0) }) else {
                throw FieldFault(CustomerComposer.column(kind), "too_many", "a customer has at most \(CustomerLimits.contacts) addresses")
            }
            kept.insert(number)
            var contact = ContactPoint(
                number: number, kind: address.kind, isVerified: address.isVerified, isForbidden: address.isForbidden)
            if let state = circumstances.facts[kind]?[address.hash] { contact.learn(state) }
            contacts.append(contact)
            details.addresses.append(.init(number: number, value: address.value))
            addresses.append(CustomerAddress(number: number, kind: kind, hash: address.hash))
        }
        let place = customer.contacts.firstIndex { AddressKind($0.kind) == kind } ?? customer.contacts.count
        let gone = Set(customer.contacts.filter { AddressKind($0.kind) == kind && !kept.contains($0.number) }.map(\.number))
        customer.contacts.removeAll { AddressKind($0.kind) == kind }
        customer.contacts.insert(contentsOf: contacts, at: min(place, customer.contacts.count))
        if !gone.isEmpty {
            details.addresses.removeAll { gone.contains($0.number) }
            addresses.removeAll { gone.contains($0.number) }
        }
        guard customer.contacts.count <= CustomerLimits.contacts else {
            throw FieldFault(CustomerComposer.column(kind), "too_many", "a customer has at most \(CustomerLimits.contacts) addresses")
        }
    }

    private static func column(_ kind: AddressKind) -> String {
        switch kind {
        case .phone: "phone"
        case .email: "email"
        case .device: "devices"
        }
    }

    /// The packages for this kind of scope are then these.
    private mutating func put(_ list: [CustomerDraft.Package], _ kind: PackageScopeKind) throws(FieldFault) {
        var made: [PackageSubscription] = []
        for wish in list {
            var new = wish.terms
            if let shown = wish.shownTail { new.scope = try scope(shown.kind, shown.tail, wish.path) }
            var known = customer.packages.first { PackagePlace($0) == PackagePlace(new) }
            // What is over begins anew when the customer connects it.
            if case .ofTerms(let today) = wish.speaks, known?.isOver(on: today) ?? false { known = nil }
            if new.from == 0 { new.from = known?.from ?? circumstances.firstDay }
            if let known {
                switch wish.speaks {
                case .ofAll: break
                case .ofDays: (new.channels, new.thresholds, new.isPaused) = (known.channels, known.thresholds, known.isPaused)
                case .ofTerms: (new.from, new.until) = (known.from, known.until)
                }
            }
            guard !made.contains(where: { PackagePlace($0) == PackagePlace(new) }) else {
                throw FieldFault(wish.path, "repeated", "package \(new.package) stands there twice")
            }
            made.append(new)
            if let scope = new.scope, let tail = wish.tail, details.tail(scope) == nil { details.scopes.append(.init(scope, tail: tail)) }
        }
        customer.packages = PackageScopeKind.allCases.flatMap { one in
            one == kind ? made : customer.packages.filter { PackageScopeKind($0.scope) == one }
        }
        forgetScopes()
        guard customer.packages.count <= CustomerLimits.packages else {
            throw FieldFault(list.first?.path ?? "packages", "too_many", "a customer has at most \(CustomerLimits.packages) packages")
        }
    }

    /// The customer's account or card whose number ends so.
    private func scope(_ kind: PackageScopeKind, _ tail: String, _ path: String) throws(FieldFault) -> PackageSubscription.Scope {
        let known = details.scopes.filter { PackageScopeKind($0.scope) == kind && $0.tail == tail }
        guard let one = known.first else {
            throw FieldFault(path, "unknown", "nothing that the customer connected has it; write the whole number")
        }
        guard known.count == 1 else { throw FieldFault(path, "ambiguous", "more than one ends so; write the whole number") }
        return one.scope
    }

    private mutating func put(_ attribute: CustomerDraft.Attribute) {
        func put(_ list: inout [CustomerAttribute], _ value: CustomerAttribute.Value?) {
            let index = list.firstIndex { $0.attribute == attribute.number }
            switch (index, value) {
            case (let index?, let value?): list[index].value = value
            case (nil, let value?): list.append(CustomerAttribute(attribute.number, value))
            case (let index?, nil): list.remove(at: index)
            case (nil, nil): break
            }
        }
        // In one place only, also where its definition became personal, or no longer is.
        put(&customer.attributes, attribute.isPersonal ? nil : attribute.value)
        put(&details.attributes, attribute.isPersonal ? attribute.value : nil)
    }

    /// Whether anything is other than before.
    var isChanged: Bool {
        guard let before else { return true }
        return !said.isEmpty || customer != before.customer || details != before.details || addresses != before.row.addresses
    }

    /// The row as it is to be written, sealed.
    /// - Parameter change: the number of this change.
    /// - Throws: a field that has no room, by the name of `CustomerFault`.
    func composed(_ key: SubjectKey, change: Int64, _ sealer: inout Sealer) throws(FieldFault) -> ComposedCustomer {
        var customer = customer
        let version = (before?.row.version ?? 0) &+ 1
        customer.subject = key.number
        customer.version = version
        var clear: [UInt8] = []
        var plain: [UInt8] = []
        var packages: [PackageRow] = []
        clear.reserveCapacity(96)
        plain.reserveCapacity(128)
        do throws(CustomerFault) {
            try customer.write(to: &clear)
            try details.write(to: &plain)
            let differences = PackageRow.differences(from: before?.customer.packages ?? [], to: customer.packages)
            for (place, one) in differences.enumerated() {
                packages.append(
                    try PackageRow(one.act, one.terms, of: key.number, number: ConsentRow.number(change, place), circumstances))
            }
        } catch {
            throw FieldFault("customer", "too_long", "\(error)")
        }
        do throws(SealFault) {
            let row = CustomerRow(
                subject: key.number, version: version, unit: customer.unit, reference: reference, addresses: addresses, clear: clear,
                sealed: try sealer.seal(plain, context: .details(of: key.number), key: key),
                createdAt: before?.row.createdAt ?? circumstances.now, changedAt: circumstances.now, change: change)
            var composed = ComposedCustomer(row: row, basedOn: before?.row.version, packages: packages)
            if let before {
                composed.added = addresses.filter { !before.row.addresses.contains($0) }
                composed.dropped = before.row.addresses.filter { !addresses.contains($0) }
            } else {
                composed.added = addresses
            }
            for (place, statement) in said.enumerated() {
                let number = ConsentRow.number(change, place)
                let proof =
                    statement.proof.isEmpty
                    ? nil : try sealer.seal(Array(statement.proof.utf8), context: .consent(number, of: key.number), key: key)
                composed.consents.append(
                    ConsentRow(
                        statement, of: key.number, number: number, enteredAt: circumstances.now, source: circumstances.source,
                        sealed: proof))
            }
            return composed
        } catch {
            throw FieldFault("customer", "sealing", "\(error)")
        }
    }
}

extension ContactPoint {
    /// What was learnt of its address.
    mutating func learn(_ state: AddressState) {
        if state.life != nil { isDead = state.isDead }
        if state.wish != nil { isOptedOut = state.isOptedOut }
    }
}
