extension SQLStore {
    /// What SQLite finds wrong in its own file: every page, the order of every tree, each index against its table, types and what must not be
    /// null. Names tables, pages and rows by number, no content. Reads the whole file; others go on meanwhile.
    ///
    /// PostgreSQL has programs of its own for that; there nothing is found here.
    /// - Returns: at most `maximum` findings; none: sound.
    /// - Throws: `SQLFault` when the file cannot be asked at all, `.corrupt` among them.
    public func integrity(maximum: Int = 100) async throws -> [String] {
        guard engine == .sqlite else { return [] }
        let check = Statement("integrity", "PRAGMA integrity_check(\(maximum))")
        return try await read(limit: .seconds(86_400)) { session in
            try session.look(check).flatMap { try $0.text("integrity_check").split(separator: "\n").map(String.init) }.filter { $0 != "ok" }
        }
    }
}
