import Guard
import MartletModel

/// What a column of a file is.
enum ImportColumn: Sendable {
    case reference, status, givenName, familyName, phone, email, locale, unit, segment, tier, zone, consents
    case packages(PackageScopeKind)
    case attribute(CustomerNames.Attribute)

    static let named: [String: ImportColumn] = [
        "reference": .reference, "status": .status, "given_name": .givenName, "family_name": .familyName, "phone": .phone, "email": .email,
        "locale": .locale, "unit": .unit, "segment": .segment, "tier": .tier, "zone": .zone, "consents": .consents,
        "packages": .packages(.all), "package_account": .packages(.account), "package_card": .packages(.card),
    ]

    /// Attributes are `attribute.NAME`, or the name alone for those that every installation has.
    init?(_ name: String, _ names: CustomerNames) {
        if let known = ImportColumn.named[name] {
            self = known
            return
        }
        let own = name.hasPrefix("attribute.") ? String(name.dropFirst("attribute.".count)) : name
        guard name.hasPrefix("attribute.") || CustomerNames.builtIn[name] != nil, let attribute = names.attribute(own) else { return nil }
        self = .attribute(attribute)
    }
}

/// Reads rows as drafts of customers.
struct DraftReader: RowReading {
    let columns: [ReadColumn<ImportColumn>]
    let titles: [String]
    let names: CustomerNames
    let hashes: CustomerHashes

    static func column(_ name: String, _ names: CustomerNames) -> ImportColumn? { ImportColumn(name, names) }

    static func fault(_ columns: [ImportColumn]) -> String? {
        let isNamed = columns.contains { if case .reference = $0 { true } else { false } }
        return isNamed ? nil : "no column is `reference`, by which a customer is known"
    }

    func read(_ row: RowBlock.Row, of block: RowBlock, _ faults: inout [FieldFault]) -> CustomerDraft? {
        if let fault = row.fault {
            faults.append(fault)
            return nil
        }
        let before = faults.count
        var draft = CustomerDraft()
        for cell in block.cells[row.cells] {
            let place = Int(cell.column)
            do throws(FieldFault) {
                let text = block.trimmed(cell)
                let column: ImportColumn
                switch columns[place] {
                case .ignored: continue
                case .unknown: throw FieldFault(titles[place], "unknown", "no column has this name")
                case .known(let known): column = known
                }
                // Empty: as it stands. A hyphen: taken away.
                if text.isEmpty { continue }
                try read(text, text.count == 1 && text.first == UInt8(ascii: "-"), column, titles[place], &draft)
            } catch {
                faults.append(error)
            }
        }
        if draft.reference.isEmpty, faults.count == before {
            faults.append(FieldFault("reference", "required", "what the bank's systems name the customer"))
        }
        return faults.count == before ? draft : nil
    }

    private func read(
        _ bytes: ArraySlice<UInt8>, _ isCleared: Bool, _ column: ImportColumn, _ title: String, _ draft: inout CustomerDraft
    ) throws(FieldFault) {
        func number(_ noun: CustomerNames.Noun) throws(FieldFault) -> CustomerDraft.Say<UInt16> {
            isCleared ? .clear : .set(try CustomerText.number(Substring(try RowBlock.text(bytes, title)), noun, names, title))
        }
        switch column {
        case .reference:
            draft.reference = try CustomerText.reference(try RowBlock.text(bytes, title))
            draft.referenceHash = hashes.reference(draft.reference)
        case .status:
            guard let status = CustomerStatus(word: try RowBlock.text(bytes, title)) else {
                throw FieldFault(title, "unknown", CustomerText.statuses)
            }
            draft.status = status
        case .givenName: draft.givenName = isCleared ? .clear : .set(try CustomerText.name(try RowBlock.text(bytes, title), title))
        case .familyName: draft.familyName = isCleared ? .clear : .set(try CustomerText.name(try RowBlock.text(bytes, title), title))
        case .phone:
            draft.phones =
                isCleared ? .clear : .set(try list(bytes) { part throws(FieldFault) in try CustomerText.phone(part, hashes, title) })
        case .email:
            draft.mails =
                isCleared ? .clear : .set(try list(bytes) { part throws(FieldFault) in try CustomerText.mail(part, hashes, title) })
        case .locale:
            guard !isCleared else { return draft.locale = .clear }
            guard let locale = CustomerLocale(try RowBlock.text(bytes, title)) else {
                throw FieldFault(title, "malformed", CustomerText.localeForm)
            }
            draft.locale = .set(locale)
        case .unit: draft.unit = try number(.unit)
        case .segment: draft.segment = try number(.segment)
        case .tier: draft.tier = try number(.tier)
        case .zone: draft.zone = try number(.zone)
        case .packages(let kind):
            let packages: CustomerDraft.Say<[CustomerDraft.Package]> =
                isCleared ? .clear : .set(try list(bytes) { part throws(FieldFault) in try package(part, kind, title) })
            switch kind {
            case .all: draft.packages = packages
            case .account: draft.accountPackages = packages
            case .card: draft.cardPackages = packages
            }
        case .consents: draft.consents = try list(bytes) { part throws(FieldFault) in try consent(part, title) }
        case .attribute(let definition):
            draft.attributes.append(try CustomerText.attribute(definition, isCleared ? "" : try RowBlock.text(bytes, title), title))
        }
    }

    /// Items with `|` between.
    private func list<Item>(
        _ bytes: ArraySlice<UInt8>, _ item: (ArraySlice<UInt8>) throws(FieldFault) -> Item
    ) throws(FieldFault) -> [Item] {
        var items: [Item] = []
        for part in bytes.split(separator: UInt8(ascii: "|")) {
            let part = RowBlock.trimmed(part)
            if !part.isEmpty { items.append(try item(part)) }
        }
        return items
    }

    /// `PACKAGE [FROM [UNTIL]]`, `PACKAGE NUMBER [FROM [UNTIL]]` for one account or card. Of a package that the customer has, the rest stays.
    private func package(
        _ bytes: ArraySlice<UInt8>, _ kind: PackageScopeKind, _ title: String
    ) throws(FieldFault) -> CustomerDraft.Package {
        let words = bytes.split(separator: 0x20)
        // Where the first day stands.
        let days = kind == .all ? 1 : 2
        guard let first = words.first, words.count >= days, words.count <= days + 2 else {
            let (noun, number) = kind == .all ? ("", "") : (kind == .card ? " its card," : " its account,", " 0123456789")
            throw FieldFault(
                title, "malformed", "a package,\(noun) perhaps its first day, perhaps its last: `7\(number) 2026-01-01 2026-12-31`")
        }
        var subscription = PackageSubscription(
            package: try CustomerText.number(Substring(try RowBlock.text(first, title)), .package, names, title), from: 0)
        func day(_ index: Int) throws(FieldFault) -> UInt16? {
            guard index < words.count else { return nil }
            guard let day = CustomerText.day(words[index]), let small = UInt16(exactly: day), small > 0 else {
                throw FieldFault(title, "malformed", CustomerText.dateForm)
            }
            return small
        }
        subscription.from = try day(days) ?? 0
        subscription.until = try day(days + 1)
        guard kind != .all else { return CustomerDraft.Package(terms: subscription, speaks: .ofDays, path: title) }
        var package = try CustomerText.package(subscription, kind, try RowBlock.text(words[1], title), hashes, title)
        package.speaks = .ofDays
        return package
    }

    /// `PURPOSE CHANNEL STATE AT [TEXT]`.
    private func consent(_ bytes: ArraySlice<UInt8>, _ title: String) throws(FieldFault) -> ConsentStatement {
        let words = bytes.split(separator: 0x20)
        guard words.count == 4 || words.count == 5 else {
            throw FieldFault(
                title, "malformed", "purpose, channel, state, when, perhaps the version of the text: `1 sms given 2026-01-31 v3`")
        }
        let channel = try RowBlock.text(words[1], title)
        let kind = ChannelKind(word: channel)
        guard kind != nil || channel == "all" else { throw FieldFault(title, "unknown", "all, \(CustomerText.channels)") }
        guard let state = Consent.State(word: try RowBlock.text(words[2], title)) else {
            throw FieldFault(title, "unknown", "given, withdrawn or pending")
        }
        guard let at = CustomerText.milliseconds(words[3]), at >= 0 else { throw FieldFault(title, "malformed", CustomerText.momentForm) }
        guard words.count < 5 || words[4].count <= Customers.textVersionBytes else {
            throw FieldFault(title, "length", "a version of a text has at most \(Customers.textVersionBytes) bytes")
        }
        return ConsentStatement(
            purpose: try CustomerText.number(Substring(try RowBlock.text(words[0], title)), .purpose, names, title), channel: kind,
            state: state,
            at: at, way: .file, textVersion: words.count < 5 ? "" : try RowBlock.text(words[4], title))
    }
}
