import MartletStore
import SQL

/// A part of the bank that has customers, sources and rules of its own. Whoever belongs to it sees what is its own, what is of units below
/// it, and what is of the whole bank.
public struct Unit: Equatable, Sendable, Codable {
    /// 1...65,535, given once.
    public var number: Int64
    public var version: Int64
    /// What files and programs call it.
    public var code: String
    public var name: String
    public var description: String
    /// The unit that it is a part of; nil: of the bank itself.
    public var parent: Int64?
    /// IANA time zone of its customers who have none of their own: `Europe/Warsaw`.
    public var zone: String
    /// Language and country likewise: `pl-PL`.
    public var locale: String
    /// Who made it.
    public var owner: String
    /// Wall milliseconds.
    public var createdAt: Int64
    public var changedAt: Int64

    /// What a person writes.
    public struct Wish: Equatable, Sendable, Codable {
        public var code: String
        public var name: String
        public var description: String
        public var parent: Int64?
        public var zone: String
        public var locale: String

        public init(code: String, name: String, description: String, parent: Int64? = nil, zone: String, locale: String) {
            self.code = code
            self.name = name
            self.description = description
            self.parent = parent
            self.zone = zone
            self.locale = locale
        }

        func check() throws(DeskFault) {
            var checks = FieldChecks()
            checks.code("code", code)
            checks.words(name: name, description: description)
            if !Wish.isZone(zone) { checks.add("zone", "malformed", "a time zone of the IANA list, such as Europe/Warsaw or UTC") }
            if !Wish.isLocale(locale) { checks.add("locale", "malformed", "language and country, such as pl-PL") }
            try checks.finish()
        }

        /// Its form; whether the machine knows the zone is asked where local time is made.
        private static func isZone(_ text: String) -> Bool {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            return text.utf8.count <= 64 && parts.count <= 3
                && parts.allSatisfy { part in
                    part.utf8.first.map { (65...90).contains($0 & 0xDF) } ?? false
                        && part.utf8.allSatisfy { (65...90).contains($0 & 0xDF) || (48...57).contains($0) || "_+-".utf8.contains($0) }
                }
        }

        /// ISO 639-1 and ISO 3166-1 letters.
        private static func isLocale(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return bytes.count == 5 && bytes[2] == UInt8(ascii: "-") && bytes[..<2].allSatisfy { (97...122).contains($0) }
                && bytes[3...].allSatisfy { (65...90).contains($0) }
        }
    }

    init(_ number: Int64, _ wish: Wish, owner: String, at: Int64) {
        self.number = number
        version = 1
        (code, name, description, parent) = (wish.code, wish.name, wish.description, wish.parent)
        (zone, locale, self.owner) = (wish.zone, wish.locale, owner)
        (createdAt, changedAt) = (at, at)
    }

    mutating func take(_ wish: Wish, at: Int64) {
        (code, name, description, parent) = (wish.code, wish.name, wish.description, wish.parent)
        (zone, locale, changedAt) = (wish.zone, wish.locale, at)
        version += 1
    }

    init(_ row: SQLRow, _ seal: RowSeal) throws {
        number = try row.integer("number")
        try seal.check(row, String(number))
        version = try row.integer("version")
        code = try row.text("code")
        name = try row.text("name")
        description = try row.text("description")
        parent = try row.optionalInteger("parent")
        zone = try row.text("zone")
        locale = try row.text("locale")
        owner = try row.text("owner")
        createdAt = try row.integer("created_at")
        changedAt = try row.integer("changed_at")
    }

    /// In the order of `UnitStatements.columns`.
    var values: [SQLValue] {
        [
            .integer(number), .integer(version), .text(code), .text(name), .text(description), .number(parent), .text(zone), .text(locale),
            .text(owner), .integer(createdAt), .integer(changedAt),
        ]
    }
}
