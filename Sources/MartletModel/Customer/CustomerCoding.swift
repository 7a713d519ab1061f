// Bytes of a customer record v1 (`docs/reference/customer-files.md` holds the same in tables). A section or an entry's field that a
// later version adds is passed over; a byte that no version wrote is a fault with its field's name.

/// Most entries of each list, and most bytes of a text. What the desk takes is less.
public enum CustomerLimits {
    public static let packages = 64
    public static let thresholds = 64
    public static let consents = 256
    public static let contacts = 64
    public static let attributes = 256
    public static let listed = 32
    public static let mutedEventTypes = 256
    public static let textBytes = 1024
    public static let addressBytes = 4096
    /// Of a whole record, clear or sealed.
    public static let recordBytes = 32_768
}

extension Customer {
    public static let recordVersion: UInt8 = 1

    private enum Section {
        static let packages: UInt8 = 1
        static let consents: UInt8 = 2
        static let preferences: UInt8 = 3
        static let contacts: UInt8 = 4
        static let attributes: UInt8 = 5
        static let heard: UInt8 = 6
        static let listed: UInt8 = 7
    }

    /// Adds the record's bytes to `bytes`; the subject is not among them. On a fault `bytes` holds a part of the record.
    public func write(to bytes: inout [UInt8]) throws(CustomerFault) {
        var out = FieldWriter(bytes)
        bytes = []
        defer { bytes = out.bytes }
        try write(to: &out)
    }

    func write(to out: inout FieldWriter) throws(CustomerFault) {
        let start = out.bytes.count
        out.byte(Customer.recordVersion)
        try out.inner { out throws(CustomerFault) in
            out.byte(status.rawValue)
            out.fixed(locale.code)
            out.varint(version)
            out.varint(unit)
            out.varint(segment)
            out.varint(tier)
            out.varint(zone)
        }
        try out.list(packages, Section.packages, "packages", CustomerLimits.packages) { one, out throws(CustomerFault) in
            try out.inner { out throws(CustomerFault) in try one.write(to: &out) }
        }
        try out.list(consents, Section.consents, "consents", CustomerLimits.consents) { one, out throws(CustomerFault) in
            one.write(to: &out)
        }
        if let preferences {
            try out.section(Section.preferences) { out throws(CustomerFault) in try preferences.write(to: &out) }
        }
        try out.list(contacts, Section.contacts, "contacts", CustomerLimits.contacts) { one, out throws(CustomerFault) in
            one.write(to: &out)
        }
        try out.list(attributes, Section.attributes, "attributes", CustomerLimits.attributes) { one, out throws(CustomerFault) in
            try one.write(to: &out)
        }
        if packagesHeardAt != 0 {
            try out.section(Section.heard) { out throws(CustomerFault) in out.fixed(packagesHeardAt) }
        }
        try out.list(listed, Section.listed, "suppression lists", CustomerLimits.listed) { one, out throws(CustomerFault) in
            try out.inner { out throws(CustomerFault) in one.write(to: &out) }
        }
        guard out.bytes.count - start <= CustomerLimits.recordBytes else {
            throw .tooLong(field: "customer", limit: CustomerLimits.recordBytes)
        }
    }

    /// - Throws: `CustomerFault` naming the field that no version wrote.
    public init(subject: SubjectNumber, reading bytes: UnsafeRawBufferPointer) throws(CustomerFault) {
        guard bytes.count <= CustomerLimits.recordBytes else { throw .tooLong(field: "customer", limit: CustomerLimits.recordBytes) }
        var input = FieldReader(bytes)
        let version = try input.byte("version")
        guard version == Customer.recordVersion else { throw .unknownVersion(version) }
        var head = try input.inner("head")
        guard let status = CustomerStatus(rawValue: try head.byte("status")) else { throw .badValue(field: "status") }
        guard let locale = CustomerLocale(reading: try head.fixed("locale")) else { throw .badValue(field: "locale") }
        var it = Customer(
            subject: subject, status: status, version: try head.number("customer version"), unit: try head.number("unit"),
            segment: try head.number("segment"), tier: try head.number("tier"), zone: try head.number("zone"), locale: locale)
        try eachSection(&input) { tag, part throws(CustomerFault) in
            switch tag {
            case Section.packages: it.packages = try PackageSubscription.list(&part)
            case Section.consents: it.consents = try Consent.list(&part)
            case Section.preferences: it.preferences = try Preferences(&part)
            case Section.contacts: it.contacts = try ContactPoint.list(&part)
            case Section.attributes: it.attributes = try CustomerAttribute.list(&part)
            case Section.heard: it.packagesHeardAt = try part.fixed("packages heard at")
            case Section.listed: it.listed = try SuppressionListing.list(&part)
            default: break
            }
        }
        self = it
    }
}

extension FieldWriter {
    /// A section with all entries; none when there is no entry.
    mutating func list<Entry>(
        _ entries: [Entry], _ tag: UInt8, _ field: StaticString, _ limit: Int,
        _ write: (Entry, inout FieldWriter) throws(CustomerFault) -> Void
    ) throws(CustomerFault) {
        guard !entries.isEmpty else { return }
        guard entries.count <= limit else { throw .tooMany(field: "\(field)", limit: limit) }
        try section(tag) { out throws(CustomerFault) in
            for one in entries { try write(one, &out) }
        }
    }
}

extension PackageSubscription {
    private enum Has {
        static let account: UInt8 = 1
        static let card: UInt8 = 2
        static let until: UInt8 = 4
        static let channels: UInt8 = 8
        static let thresholds: UInt8 = 16
        static let paused: UInt8 = 32
    }

    func write(to out: inout FieldWriter) throws(CustomerFault) {
        guard thresholds.count <= CustomerLimits.thresholds else {
            throw .tooMany(field: "thresholds", limit: CustomerLimits.thresholds)
        }
        out.varint(package)
        var flags: UInt8 = isPaused ? Has.paused : 0
        switch scope {
        case .account: flags |= Has.account
        case .card: flags |= Has.card
        case nil: break
        }
        if until != nil { flags |= Has.until }
        if channels != nil { flags |= Has.channels }
        if !thresholds.isEmpty { flags |= Has.thresholds }
        out.byte(flags)
        out.fixed(from)
        switch scope {
        case .account(let hash), .card(let hash): out.fixed(hash)
        case nil: break
        }
        if let until { out.fixed(until) }
        if let channels { out.fixed(channels.rawValue) }
        guard !thresholds.isEmpty else { return }
        out.varint(UInt(thresholds.count))
        for one in thresholds {
            out.varint(one.eventType)
            out.signed(one.amount)
            out.fixed(one.currency)
        }
    }

    /// As it stands in a customer's record.
    public func bytes() throws(CustomerFault) -> [UInt8] {
        var out = FieldWriter([])
        try write(to: &out)
        return out.bytes
    }

    /// What `bytes` wrote. Bytes behind what is known are passed over, as in a record.
    public init(reading bytes: UnsafeRawBufferPointer) throws(CustomerFault) {
        var input = FieldReader(bytes)
        try self.init(&input)
    }

    static func list(_ input: inout FieldReader) throws(CustomerFault) -> [PackageSubscription] {
        var found: [PackageSubscription] = []
        while !input.isAtEnd {
            guard found.count < CustomerLimits.packages else { throw .tooMany(field: "packages", limit: CustomerLimits.packages) }
            var entry = try input.inner("package")
            found.append(try PackageSubscription(&entry))
        }
        return found
    }

    private init(_ input: inout FieldReader) throws(CustomerFault) {
        let package: UInt16 = try input.number("package")
        let flags = try input.byte("package flags")
        // A flag of a later version may stand for a field before those known here: what is not known cannot be passed over.
        guard flags < 64, flags & 3 != 3 else { throw .badValue(field: "package flags") }
        self.init(package: package, from: try input.fixed("package from"), isPaused: flags & Has.paused != 0)
        if flags & Has.account != 0 { scope = .account(try input.fixed("package scope")) }
        if flags & Has.card != 0 { scope = .card(try input.fixed("package scope")) }
        if flags & Has.until != 0 { until = try input.fixed("package until") }
        if flags & Has.channels != 0 { channels = ChannelSet(rawValue: try input.fixed("package channels")) }
        guard flags & Has.thresholds != 0 else { return }
        let count = try input.varint("thresholds")
        guard count <= CustomerLimits.thresholds else { throw .tooMany(field: "thresholds", limit: CustomerLimits.thresholds) }
        for _ in 0..<count {
            thresholds.append(
                Threshold(
                    eventType: try input.number("threshold event type"), amount: try input.signed("threshold amount"),
                    currency: try input.fixed("threshold currency")))
        }
    }
}

extension Consent {
    func write(to out: inout FieldWriter) {
        out.varint(purpose)
        out.byte((channel?.rawValue ?? 0) << 4 | state.rawValue)
        out.fixed(at)
    }

    /// Nil: of a channel that this version does not know.
    init?(_ input: inout FieldReader) throws(CustomerFault) {
        let purpose: UInt16 = try input.number("consent purpose")
        let what = try input.byte("consent state")
        guard let state = State(rawValue: what & 15) else { throw .badValue(field: "consent state") }
        let at: FactTime = try input.fixed("consent time")
        let channel = ChannelKind(rawValue: what >> 4)
        guard channel != nil || what >> 4 == 0 else { return nil }
        self.init(purpose: purpose, channel: channel, state: state, at: at)
    }

    static func list(_ input: inout FieldReader) throws(CustomerFault) -> [Consent] {
        var found: [Consent] = []
        while !input.isAtEnd {
            guard found.count < CustomerLimits.consents else { throw .tooMany(field: "consents", limit: CustomerLimits.consents) }
            if let one = try Consent(&input) { found.append(one) }
        }
        return found
    }
}

extension Preferences {
    func write(to out: inout FieldWriter) throws(CustomerFault) {
        guard mutedEventTypes.count <= CustomerLimits.mutedEventTypes else {
            throw .tooMany(field: "muted event types", limit: CustomerLimits.mutedEventTypes)
        }
        out.fixed(at)
        out.fixed(channelsOff.rawValue)
        out.varint(UInt(mutedEventTypes.count))
        for one in mutedEventTypes { out.varint(one) }
        guard let quiet else { return out.byte(0) }
        guard quiet.from < 1440, quiet.until < 1440 else { throw .badValue(field: "quiet hours") }
        out.byte(1)
        out.fixed(quiet.from)
        out.fixed(quiet.until)
    }

    init(_ input: inout FieldReader) throws(CustomerFault) {
        self.init(at: try input.fixed("preferences time"), channelsOff: ChannelSet(rawValue: try input.fixed("channels off")))
        let count = try input.varint("muted event types")
        guard count <= CustomerLimits.mutedEventTypes else {
            throw .tooMany(field: "muted event types", limit: CustomerLimits.mutedEventTypes)
        }
        for _ in 0..<count { mutedEventTypes.append(try input.number("muted event type")) }
        switch try input.byte("quiet hours") {
        case 0: break
        case 1:
            let hours = QuietHours(from: try input.fixed("quiet hours"), until: try input.fixed("quiet hours"))
            guard hours.from < 1440, hours.until < 1440 else { throw .badValue(field: "quiet hours") }
            quiet = hours
        default: throw .badValue(field: "quiet hours")
        }
    }
}

extension ContactPoint {
    private static let verified: UInt8 = 16
    private static let forbidden: UInt8 = 32
    private static let dead: UInt8 = 64
    private static let optedOut: UInt8 = 128

    func write(to out: inout FieldWriter) {
        out.byte(number)
        out.byte(
            kind.code | (isVerified ? ContactPoint.verified : 0) | (isForbidden ? ContactPoint.forbidden : 0)
                | (isDead ? ContactPoint.dead : 0) | (isOptedOut ? ContactPoint.optedOut : 0))
        guard case .device(let app, let platform) = kind else { return }
        out.varint(app)
        out.byte(platform.rawValue)
    }

    init(_ input: inout FieldReader) throws(CustomerFault) {
        let number = try input.byte("contact number")
        let what = try input.byte("contact kind")
        let kind: Kind
        switch what & 15 {
        case 1: kind = .phone
        case 2: kind = .email
        case 3:
            let app: UInt16 = try input.number("device app")
            guard let platform = Platform(rawValue: try input.byte("device platform")) else {
                throw .badValue(field: "device platform")
            }
            kind = .device(app: app, platform: platform)
        default: throw .badValue(field: "contact kind")
        }
        self.init(
            number: number, kind: kind, isVerified: what & ContactPoint.verified != 0, isForbidden: what & ContactPoint.forbidden != 0,
            isDead: what & ContactPoint.dead != 0, isOptedOut: what & ContactPoint.optedOut != 0)
    }

    static func list(_ input: inout FieldReader) throws(CustomerFault) -> [ContactPoint] {
        var found: [ContactPoint] = []
        while !input.isAtEnd {
            guard found.count < CustomerLimits.contacts else { throw .tooMany(field: "contacts", limit: CustomerLimits.contacts) }
            let one = try ContactPoint(&input)
            guard !found.contains(where: { $0.number == one.number }) else { throw .badValue(field: "contact number") }
            found.append(one)
        }
        return found
    }
}

extension SuppressionListing {
    private static let ends: UInt8 = 1

    func write(to out: inout FieldWriter) {
        out.varint(list)
        out.fixed(since)
        out.byte(until == nil ? 0 : SuppressionListing.ends)
        if let until { out.fixed(until) }
    }

    static func list(_ input: inout FieldReader) throws(CustomerFault) -> [SuppressionListing] {
        var found: [SuppressionListing] = []
        while !input.isAtEnd {
            guard found.count < CustomerLimits.listed else {
                throw .tooMany(field: "suppression lists", limit: CustomerLimits.listed)
            }
            var entry = try input.inner("suppression list")
            var one = SuppressionListing(list: try entry.number("suppression list"), since: try entry.fixed("listed since"))
            let flags = try entry.byte("suppression list flags")
            guard flags <= ends else { throw .badValue(field: "suppression list flags") }
            if flags == ends { one.until = try entry.fixed("listed until") }
            guard !found.contains(where: { $0.list == one.list }) else { throw .badValue(field: "suppression list") }
            found.append(one)
        }
        return found
    }
}

extension CustomerAttribute {
    private enum Code {
        static let text: UInt8 = 1
        static let integer: UInt8 = 2
        static let decimal: UInt8 = 3
        static let date: UInt8 = 4
        static let boolean: UInt8 = 5
    }

    func write(to out: inout FieldWriter) throws(CustomerFault) {
        out.varint(attribute)
        try out.inner { out throws(CustomerFault) in
            switch value {
            case .text(let text):
                guard text.utf8.count <= CustomerLimits.textBytes else {
                    throw .tooLong(field: "attribute", limit: CustomerLimits.textBytes)
                }
                out.byte(Code.text)
                out.bytes.append(contentsOf: text.utf8)
            case .integer(let value):
                out.byte(Code.integer)
                out.signed(value)
            case .decimal(let unscaled, let scale):
                guard scale <= 18 else { throw .badValue(field: "attribute scale") }
                out.byte(Code.decimal)
                out.byte(scale)
                out.signed(unscaled)
            case .date(let days):
                out.byte(Code.date)
                out.signed(Int64(days))
            case .boolean(let value):
                out.byte(Code.boolean)
                out.byte(value ? 1 : 0)
            }
        }
    }

    /// Attributes of types that this version does not know are passed over.
    static func list(_ input: inout FieldReader) throws(CustomerFault) -> [CustomerAttribute] {
        var found: [CustomerAttribute] = []
        while !input.isAtEnd {
            guard found.count < CustomerLimits.attributes else { throw .tooMany(field: "attributes", limit: CustomerLimits.attributes) }
            let attribute: UInt16 = try input.number("attribute")
            var part = try input.inner("attribute")
            if let value = try Value(&part) { found.append(CustomerAttribute(attribute, value)) }
        }
        return found
    }
}

extension CustomerAttribute.Value {
    fileprivate init?(_ input: inout FieldReader) throws(CustomerFault) {
        switch try input.byte("attribute type") {
        case 1:
            guard input.rest.count <= CustomerLimits.textBytes else { throw .tooLong(field: "attribute", limit: CustomerLimits.textBytes) }
            self = .text(try input.asText("attribute"))
            return
        case 2: self = .integer(try input.signed("attribute"))
        case 3:
            let scale = try input.byte("attribute scale")
            guard scale <= 18 else { throw .badValue(field: "attribute scale") }
            self = .decimal(unscaled: try input.signed("attribute"), scale: scale)
        case 4:
            guard let days = Int32(exactly: try input.signed("attribute")) else { throw .badValue(field: "attribute") }
            self = .date(days)
        case 5:
            let value = try input.byte("attribute")
            guard value <= 1 else { throw .badValue(field: "attribute") }
            self = .boolean(value == 1)
        default: return nil
        }
        guard input.isAtEnd else { throw .badValue(field: "attribute") }
    }
}
