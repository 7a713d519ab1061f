import Guard
import MartletModel

/// What the rulebook calls things that customers refer to by number.
public struct CustomerNames: Sendable {
    public enum Noun: String, Sendable, CaseIterable { case unit, segment, tier, zone, package, purpose, list }

    /// Something the bank defined about its customers.
    public struct Attribute: Sendable {
        public enum Form: Sendable { case text, integer, decimal, date, boolean }

        public var number: UInt16
        public var form: Form
        /// Sealed with the customer's details, and out of what a decision reads.
        public var isPersonal: Bool

        public init(number: UInt16, form: Form, isPersonal: Bool) {
            self.number = number
            self.form = form
            self.isPersonal = isPersonal
        }
    }

    /// The number of a name; nil: there is none. Digits are never asked for: they are the number.
    public var number: @Sendable (Noun, String) -> UInt16?
    public var attribute: @Sendable (String) -> Attribute?

    public init(
        number: @escaping @Sendable (Noun, String) -> UInt16?, attribute: @escaping @Sendable (String) -> Attribute?
    ) {
        self.number = number
        self.attribute = attribute
    }

    /// Numbers only, and the attributes that every installation has.
    public static let numbers = CustomerNames(number: { _, _ in nil }, attribute: { builtIn[$0] })

    public static let builtIn: [String: Attribute] = [
        "loyalty_tier": Attribute(number: CustomerAttribute.loyaltyTier, form: .integer, isPersonal: false),
        "loyalty_points": Attribute(number: CustomerAttribute.loyaltyPoints, form: .integer, isPersonal: false),
    ]
}

/// Fields of customers as texts: one reading for files and requests. Faults name the field and never hold its value.
enum CustomerText {
    static let statuses = "active, blocked, deceased or closed"
    static let localeForm = "a language and perhaps a country, as pl-PL or uk"
    static let channels = "sms, push, email, messenger, voice or pass"
    static let dateForm = "a date as 2026-11-23"
    static let momentForm = "a date as 2026-11-23 or a time with its zone as 2026-11-23T10:00:00Z"

    static func reference(_ text: String) throws(FieldFault) -> String {
        let text = text.trimmed
        guard (1...CustomerDraft.referenceBytes).contains(text.utf8.count), !text.utf8.contains(where: { $0 < 0x20 }) else {
            throw FieldFault("reference", "length", "1 to \(CustomerDraft.referenceBytes) bytes without control characters")
        }
        return text
    }

    static func name(_ text: String, _ path: String) throws(FieldFault) -> String {
        let text = text.trimmed
        guard text.utf8.count <= 256, !text.utf8.contains(where: { $0 < 0x20 }) else {
            throw FieldFault(path, "length", "at most 256 bytes without control characters")
        }
        return text
    }

    static func phone(
        _ text: some Sequence<UInt8>, _ hashes: CustomerHashes, _ path: String
    ) throws(FieldFault) -> CustomerDraft.Address {
        do throws(PhoneNumber.Fault) {
            let number = try PhoneNumber.written(text)
            return CustomerDraft.Address(kind: .phone, value: .phone(number.digits), hash: hashes.phone(number.digits))
        } catch {
            let reason =
                switch error {
                case .missingPlus: "write + or 00 and the country code first"
                case .notADigit: "digits, blanks, hyphens, dots, slashes and brackets only"
                case .tooShort, .tooLong: "7 to 15 digits (E.164)"
                case .leadingZero: "no country code begins with 0"
                }
            throw FieldFault(path, "malformed", reason)
        }
    }

    static func mail(
        _ text: some Collection<UInt8>, _ hashes: CustomerHashes, _ path: String
    ) throws(FieldFault) -> CustomerDraft.Address {
        do throws(MailAddress.Fault) {
            let address = try MailAddress.written(text)
            return CustomerDraft.Address(kind: .email, value: .text(address.text), hash: hashes.mail(address.folded))
        } catch {
            let reason =
                switch error {
                case .missingAt: "it has no @"
                case .localPart: "what stands before the @ is no name of a mailbox"
                case .domain: "what stands behind the @ is no domain; write others than ASCII as xn--"
                case .tooLong: "at most 254 bytes"
                }
            throw FieldFault(path, "malformed", reason)
        }
    }

    /// A package for one account or card.
    /// - Parameter text: its number, or what is shown of one that the customer has.
    static func package(
        _ terms: PackageSubscription, _ kind: PackageScopeKind, _ text: String, _ hashes: CustomerHashes, _ path: String
    ) throws(FieldFault) -> CustomerDraft.Package {
        var package = CustomerDraft.Package(terms: terms, path: path)
        let masked = CustomerView.PackageView.masked
        if text.hasPrefix(masked) {
            package.shownTail = (kind, String(text.dropFirst(masked.count)))
            return package
        }
        let counted = CustomerHashes.scopeText(text)
        guard !counted.isEmpty, text.utf8.count <= CustomerDraft.scopeBytes else {
            throw FieldFault(path, "length", "a number of 1 to \(CustomerDraft.scopeBytes) bytes with letters or digits")
        }
        package.terms.scope = kind == .card ? .card(hashes.card(text)) : .account(hashes.account(text))
        package.tail = String(counted.suffix(min(4, counted.count / 2)))
        return package
    }

    static func device(
        _ token: String, app: UInt16?, platform: String?, _ hashes: CustomerHashes, _ path: String
    ) throws(FieldFault) -> CustomerDraft.Address {
        guard let app else { throw FieldFault("\(path).app", "required", "the number of the app") }
        guard let platform = platform.flatMap({ ContactPoint.Platform(word: $0) }) else {
            throw FieldFault("\(path).platform", "unknown", "ios, android, huawei or web")
        }
        guard (1...CustomerLimits.addressBytes).contains(token.utf8.count) else {
            throw FieldFault("\(path).value", "length", "1 to \(CustomerLimits.addressBytes) bytes")
        }
        return CustomerDraft.Address(kind: .device(app: app, platform: platform), value: .text(token), hash: hashes.token(token))
    }

    static func number(
        _ text: Substring, _ noun: CustomerNames.Noun, _ names: CustomerNames, _ path: String
    ) throws(FieldFault) -> UInt16 {
        if text.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt16(text) { return number }
        guard let number = names.number(noun, String(text)) else {
            throw FieldFault(path, "unknown", "no \(noun.rawValue) has this name or number")
        }
        return number
    }

    /// - Parameter value: empty: taken away.
    static func attribute(
        _ name: String, _ value: String, _ names: CustomerNames, _ path: String
    ) throws(FieldFault) -> CustomerDraft.Attribute {
        guard let definition = names.attribute(name) else { throw FieldFault(path, "unknown", "no attribute is defined with this name") }
        return try attribute(definition, value.trimmed, path)
    }

    static func attribute(
        _ definition: CustomerNames.Attribute, _ text: String, _ path: String
    ) throws(FieldFault) -> CustomerDraft.Attribute {
        var attribute = CustomerDraft.Attribute(number: definition.number, isPersonal: definition.isPersonal, value: nil)
        guard !text.isEmpty else { return attribute }
        switch definition.form {
        case .text:
            guard text.utf8.count <= CustomerLimits.textBytes else {
                throw FieldFault(path, "length", "at most \(CustomerLimits.textBytes) bytes")
            }
            attribute.value = .text(text)
        case .integer:
            guard let value = Int64(text) else { throw FieldFault(path, "malformed", "a whole number") }
            attribute.value = .integer(value)
        case .decimal:
            guard let value = decimal(text) else { throw FieldFault(path, "malformed", "a number with at most 18 digits behind the point") }
            attribute.value = value
        case .date:
            guard let day = day(text.utf8) else { throw FieldFault(path, "malformed", dateForm) }
            attribute.value = .date(day)
        case .boolean:
            guard let value = Bool(text) else { throw FieldFault(path, "malformed", "true or false") }
            attribute.value = .boolean(value)
        }
        return attribute
    }

    private static func decimal(_ text: String) -> CustomerAttribute.Value? {
        let halves = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count < 2 || (1...18).contains(halves[1].utf8.count), let whole = halves.first, !whole.isEmpty else { return nil }
        let digits = halves.count < 2 ? String(whole) : "\(whole)\(halves[1])"
        guard halves.count < 2 || halves[1].utf8.allSatisfy({ (48...57).contains($0) }), let unscaled = Int64(digits) else { return nil }
        return .decimal(unscaled: unscaled, scale: halves.count < 2 ? 0 : UInt8(halves[1].utf8.count))
    }

    /// Days since 1970 of `2026-11-23`.
    static func day(_ text: some Collection<UInt8>) -> Int32? {
        guard text.count == 10, let moment = moment(Array(text) + "T00:00:00Z".utf8) else { return nil }
        return Int32(exactly: moment.quotientAndRemainder(dividingBy: 86_400_000_000).quotient)
    }

    /// Wall milliseconds of a date, at its beginning in UTC, or of a time with its zone.
    static func milliseconds(_ text: some Collection<UInt8>) -> Int64? {
        if let day = day(text) { return Int64(day) * 86_400_000 }
        return moment(text).map { $0 / 1000 }
    }
}
