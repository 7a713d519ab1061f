public import SQL

/// A table whose rows carry a tag over all their other columns.
public struct TaggedTable: Sendable {
    public let name: String
    /// In the order of the tag, without it.
    public let columns: [String]
    /// Of the key, in its order.
    public let key: [String]
    /// Rows after a key, in its order: a parameter for each column of the key, then how many. The tag is the last column.
    public let page: StatementID
    /// What stands before every key.
    public let start: [SQLValue]

    /// - Parameter start: where the key is not of integers alone.
    init(_ name: String, _ columns: [String], key: [String], start: [SQLValue]? = nil) {
        self.name = name
        self.columns = columns
        self.key = key
        page = StatementID("check.\(name)")
        self.start = start ?? key.map { _ in .integer(.min) }
    }

    var statement: Statement {
        let list = (columns + ["mac"]).joined(separator: ", ")
        let order = key.joined(separator: ", ")
        let after = start.enumerated().map { place, value in
            if case .integer = value { "CAST(?\(place + 1) AS BIGINT)" } else { "?\(place + 1)" }
        }.joined(separator: ", ")
        return Statement(
            page, "SELECT \(list) FROM \(name) WHERE (\(order)) > (\(after)) ORDER BY \(order) LIMIT ?\(key.count + 1)")
    }
}

/// Every table with tags: what `martlet store check --rows` reads through.
public enum TaggedTables {
    public static let all = [
        TaggedTable("principal", PrincipalStatements.tagged, key: ["id"]),
        TaggedTable("unit", UnitStatements.columns, key: ["number"]),
        TaggedTable("source", SourceStatements.columns, key: ["number"]),
        TaggedTable("definition", DefinitionStatements.columns, key: ["kind", "number"], start: [.text(""), .integer(.min)]),
        TaggedTable("rulebook_object", RulebookStatements.objectColumns, key: ["number"]),
        TaggedTable("rulebook_version", RulebookStatements.versionColumns, key: ["object", "number"]),
        TaggedTable("rulebook_approval", RulebookStatements.approvalColumns, key: ["object", "version"]),
        TaggedTable("rulebook_release", RulebookStatements.releaseColumns, key: ["number"]),
        TaggedTable("rulebook_number", RulebookStatements.numberColumns, key: ["kind", "number"], start: [.text(""), .integer(.min)]),
        TaggedTable("image", ImageStatements.columns, key: ["number"]),
        TaggedTable("customer", CustomerStatements.columns.dropLast(), key: ["subject"]),
        TaggedTable("consent", ConsentStatements.columns.dropLast(), key: ["subject", "number"]),
        TaggedTable("customer_package", PackageStatements.columns.dropLast(), key: ["subject", "number"]),
        TaggedTable("contact", ContactStatements.columns.dropLast(), key: ["subject", "at", "number"]),
        TaggedTable("address_fact", CustomerStatements.factColumns, key: ["kind", "hash"]),
        TaggedTable(SetAsideStatements.table, SetAsideStatements.columns, key: ["subject", "number"]),
        TaggedTable("import_job", ImportStatements.jobColumns, key: ["id"], start: [.text("")]),
        TaggedTable("state", StateRow.columns, key: ["id"], start: [.bytes([])]),
    ]

    /// Those in which rows of earlier versions have no tag.
    public static let evidence: [EvidenceTable] = [.notifications, .messages, .inbound, .attempts, .receipts, .decisions]

    /// ?1...?4 kind, hash, subject and number after which, ?5 how many. The index of addresses, which has no tags of its own.
    public static let addresses = StatementID("check.addresses")

    /// ?1 and ?2 id and sequence after which, ?3 how many. Steps have their tags behind their records (`StepRow`).
    public static let steps = StatementID("check.step")

    /// ?1 and ?2 slot and part after which, ?3 how many. Where parts of search entries begin: no tags, but their order tells damage (`SearchPartStarts`).
    public static let parts = StatementID("check.lookup_part")

    static let statements =
        all.map(\.statement) + evidence.map(\.statement) + [
            Statement(
                steps,
                """
                SELECT id, sequence, record FROM step WHERE (id, sequence) > (?1, CAST(?2 AS BIGINT)) ORDER BY id, sequence LIMIT ?3
                """),
            Statement(
                parts,
                """
                SELECT slot, part, first_id FROM lookup_part WHERE (slot, part) > (CAST(?1 AS BIGINT), CAST(?2 AS BIGINT))
                ORDER BY slot, part LIMIT ?3
                """),
            Statement(
                addresses,
                """
                SELECT kind, hash, subject, number FROM customer_address
                WHERE (kind, hash, subject, number)
                    > (CAST(?1 AS BIGINT), CAST(?2 AS BIGINT), CAST(?3 AS BIGINT), CAST(?4 AS BIGINT))
                ORDER BY kind, hash, subject, number LIMIT ?5
                """),
        ]
}
