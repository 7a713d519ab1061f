import Guard
import MartletStore
import SQL

/// Who may administer: a person or a program with a key.
public struct Principal: Sendable, Equatable {
    public var id: Int64
    public var version: Int64
    public var name: String
    public var rights: Set<Right>
    /// Nil: the whole bank.
    public var unit: Int64?
    /// Wall milliseconds.
    public var createdAt: Int64
    public var revokedAt: Int64?
    /// SHA-256 of the key.
    var keyHash: [UInt8]

    public static let maximumName = 64

    /// 1 to 64 letters, digits, dots, hyphens and underscores: it stands in paths and in the audit.
    public static func isName(_ name: String) -> Bool {
        (1...maximumName).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy { letter in
                ("a"..."z").contains(letter) || ("A"..."Z").contains(letter) || ("0"..."9").contains(letter)
                    || "-._".contains(Character(letter))
            }
    }

    /// Rights as they are stored: sorted, with blanks between, so that one set is one text.
    var rightsText: String { rights.map(\.rawValue).sorted().joined(separator: " ") }
}

/// The tag over a principal's row: a right given by a hand in the database is named and refused.
struct PrincipalTag: Sendable {
    private let mac: RowMAC

    init(rowKey: Secret) {
        mac = RowMAC(key: rowKey, table: "principal", columns: PrincipalStatements.tagged)
    }

    func tag(_ principal: Principal) -> [UInt8] {
        mac.tag([
            .integer(principal.id), .integer(principal.version), .text(principal.name), .bytes(principal.keyHash),
            .text(principal.rightsText), principal.unit.map { .integer($0) } ?? .null, .integer(principal.createdAt),
            principal.revokedAt.map { .integer($0) } ?? .null,
        ]).bytes
    }

    /// - Throws: `.tampered` where the row does not carry its tag, or holds what Martlet never writes.
    func principal(_ row: SQLRow) throws -> Principal {
        let name = try row.text("name")
        let words = try row.text("rights").split(separator: " ")
        let rights = words.compactMap { Right(rawValue: String($0)) }
        let principal = Principal(
            id: try row.integer("id"), version: try row.integer("version"), name: name, rights: Set(rights),
            unit: try row.optionalInteger("unit"), createdAt: try row.integer("created_at"),
            revokedAt: try row.optionalInteger("revoked_at"), keyHash: try row.bytes("key_hash"))
        // A right of a newer program is none here, and its row none that this one can judge.
        guard rights.count == words.count, RowMAC.Tag.fits(tag(principal), try row.bytes("mac")) else {
            throw DeskFault.tampered(noun: "principal", key: name)
        }
        return principal
    }
}

extension RowMAC.Tag {
    /// In the same time wherever they differ.
    fileprivate static func fits(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard one.count == other.count else { return false }
        var difference: UInt8 = 0
        for index in one.indices { difference |= one[index] ^ other[index] }
        return difference == 0
    }
}
