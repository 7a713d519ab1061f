public import MartletModel
import MartletStore
import SQL

/// An object of the rulebook: what it is, and which of its versions is the newest and which one holds.
public struct RulebookEntry: Equatable, Sendable {
    public var number: Int64
    /// Counts the changes of the row: a new version of the content is one.
    public var version: Int64
    public var kind: RulebookKind
    public var key: String
    public var name: String
    public var description: String
    /// Whose it is; nil: the whole bank's.
    public var unit: Int64?
    /// Who made it.
    public var owner: String
    /// Number of its newest content.
    public var newest: Int64
    /// Of the content in the newest release; nil: it is not in it.
    public var published: Int64?
    /// Wall milliseconds.
    public var createdAt: Int64
    public var changedAt: Int64
    /// Its use ended: who publishes everything takes it out.
    public var retiredAt: Int64?
    /// Of an override that is looked at alone.
    public var drift: OverrideDrift?

    /// Whether there is a content newer than what holds.
    public var hasDraft: Bool { newest != published && retiredAt == nil }

    /// What a person writes.
    public struct Wish: Equatable, Sendable, Codable {
        public var name: String
        public var description: String
        public var unit: Int64?
        public var content: JSONValue
        /// Why it is changed.
        public var note: String

        public init(name: String, description: String, unit: Int64? = nil, content: JSONValue, note: String) {
            self.name = name
            self.description = description
            self.unit = unit
            self.content = content
            self.note = note
        }

        func check(key: String) throws(DeskFault) {
            var checks = FieldChecks()
            if !RulebookObject.isKey(key) { checks.add("key", "malformed", "1 to 64 of a-z, 0-9, -, _ and .") }
            checks.words(name: name, description: description)
            checks.text("note", note, 1...500)
            if content["owner"] != nil { checks.add("content.owner", "immutable", "the owner is who made the object") }
            if content.canonical.count > RulebookObject.contentMaximum {
                checks.add("content", "too_long", "at most \(RulebookObject.contentMaximum) bytes")
            }
            try checks.finish()
        }
    }

    init(_ number: Int64, _ kind: RulebookKind, _ key: String, _ wish: Wish, owner: String, at: Int64) {
        (self.number, version, self.kind, self.key) = (number, 1, kind, key)
        (name, description, unit, self.owner, newest) = (wish.name, wish.description, wish.unit, owner, 1)
        (createdAt, changedAt) = (at, at)
    }

    init(_ row: SQLRow, _ seal: RulebookObjectSeal) throws {
        let (word, key) = (try row.text("kind"), try row.text("key"))
        try seal.check(row, "\(word)/\(key)")
        guard let kind = RulebookKind(rawValue: word) else {
            throw DeskFault.broken("the rulebook has \(word)/\(key), of a kind that this version does not know; install the newer one")
        }
        number = try row.integer("number")
        version = try row.integer("version")
        (self.kind, self.key) = (kind, key)
        name = try row.text("name")
        description = try row.text("description")
        unit = try row.optionalInteger("unit")
        owner = try row.text("owner")
        newest = try row.integer("newest")
        createdAt = try row.integer("created_at")
        changedAt = try row.integer("changed_at")
        retiredAt = try row.optionalInteger(RulebookStatements.retiredAt)
    }

    /// In the order of `RulebookStatements.objectColumns`.
    var values: [SQLValue] {
        [
            .integer(number), .integer(version), .text(kind.rawValue), .text(key), .text(name), .text(description), .number(unit),
            .text(owner), .integer(newest), .integer(createdAt), .integer(changedAt),
        ]
    }

    /// As findings, diffs and the audit name it.
    public var path: String { "\(kind.rawValue)/\(key)" }
}

/// One content of an object; never changed.
public struct RulebookVersion: Equatable, Sendable {
    /// What follows from the releases it is in.
    public enum State: String, Sendable { case draft, published, retired }

    public var number: Int64
    public var state = State.draft
    public var author: String
    /// Wall milliseconds.
    public var at: Int64
    public var note: String
    /// SHA-256 of the canonical content.
    public var hash: [UInt8]
    /// Nil: it was not asked for.
    public var content: JSONValue?
    /// Of a text; nil: it was not submitted.
    public var approval: TextApproval?

    init(_ number: Int64, _ wish: RulebookEntry.Wish, hash: [UInt8], author: String, at: Int64) {
        (self.number, self.author, self.at, note, self.hash, content) = (number, author, at, wish.note, hash, wish.content)
    }

    init(_ row: SQLRow, _ seal: RowSeal) throws {
        number = try row.integer("number")
        try seal.check(row, "\(try row.integer("object"))@\(number)")
        author = try row.text("author")
        at = try row.integer("at")
        note = try row.text("note")
        hash = try row.bytes("hash")
    }

    /// In the order of `RulebookStatements.versionColumns`.
    func values(of object: Int64) -> [SQLValue] {
        [.integer(object), .integer(number), .text(author), .integer(at), .text(note), .bytes(hash)]
    }
}

/// A published set of versions; never changed.
public struct RulebookRelease: Equatable, Sendable {
    public var number: Int64
    /// Wall milliseconds.
    public var at: Int64
    public var author: String
    /// Why it was published.
    public var note: String
    /// The release that it rolled back to.
    public var restores: Int64?
    /// SHA-256 of the document that the node gets.
    public var hash: [UInt8]

    init(number: Int64, at: Int64, author: String, note: String, restores: Int64?, hash: [UInt8]) {
        (self.number, self.at, self.author, self.note, self.restores, self.hash) = (number, at, author, note, restores, hash)
    }

    init(_ row: SQLRow, _ seal: RowSeal) throws {
        number = try row.integer("number")
        try seal.check(row, String(number))
        at = try row.integer("at")
        author = try row.text("author")
        note = try row.text("note")
        restores = try row.optionalInteger("restores")
        hash = try row.bytes("hash")
    }

    /// In the order of `RulebookStatements.releaseColumns`.
    var values: [SQLValue] { [.integer(number), .integer(at), .text(author), .text(note), .number(restores), .bytes(hash)] }
}
