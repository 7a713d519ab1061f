import Guard
import MartletModel

/// The file's rows as batches of drafts.
struct ImportReading {
    private let file: ImportFile
    private let options: ImportOptions
    private let names: CustomerNames
    private let hashes: CustomerHashes
    private let map: ImportMap
    private var source: Source
    /// Of CSV: what its first line says.
    private var drafts: DraftReader?
    private var block = RowBlock()

    private enum Source {
        case csv(CSVReader)
        case ndjson(NDJSONReader)
    }

    /// - Parameters:
    ///   - position: byte to go on from; 0: from the beginning.
    ///   - line: lines read before.
    init(
        _ file: ImportFile, _ options: ImportOptions, _ names: CustomerNames, _ hashes: CustomerHashes, position: Int, line: Int
    ) throws(ImportFault) {
        self.file = file
        self.options = options
        self.names = names
        self.hashes = hashes
        map = try ImportMap(text: options.map)
        file.seek(to: 0)
        switch options.format {
        case .ndjson:
            source = .ndjson(NDJSONReader(line: line + 1))
            file.seek(to: position)
        case .csv:
            var reader = CSVReader(separator: options.separator, width: nil)
            var head = RowBlock()
            guard try reader.next(file, into: &head), let row = head.rows.first, row.fault == nil else {
                throw .header(reason: "the first line of the file does not name its columns")
            }
            let titles = head.cells[row.cells].map { String(decoding: head.bytes[Int($0.start)..<Int($0.end)], as: UTF8.self).trimmed }
            drafts = try ImportReading.drafts(titles, map, names, hashes)
            source = .csv(CSVReader(separator: options.separator, width: titles.count, line: max(line + 1, reader.line)))
            if position > 0 { file.seek(to: position) }
        }
    }

    private static func drafts(
        _ titles: [String], _ map: ImportMap, _ names: CustomerNames, _ hashes: CustomerHashes
    ) throws(ImportFault) -> DraftReader {
        if let twice = titles.enumerated().first(where: { titles[..<$0.offset].contains($0.element) }) {
            throw .header(reason: "column \(twice.offset + 1) has the name of one before")
        }
        let columns = titles.map { map.column($0, names) }
        if let unknown = columns.firstIndex(where: { $0 == nil }) {
            // The name itself only where it cannot be a customer's: a file without a heading begins with one.
            let isWord =
                titles[unknown].utf8.count <= 40 && titles[unknown].utf8.allSatisfy { (97...122).contains($0) || $0 == 0x5F || $0 == 0x2E }
            let name = isWord ? " (`\(titles[unknown])`)" : ""
            throw .header(
                reason:
                    "column \(unknown + 1)\(name) is not known; name it in the list of names, or ignore it there, or define the attribute")
        }
        guard columns.contains(where: { if case .reference? = $0 { true } else { false } }) else {
            throw .header(reason: "no column is `reference`, by which a customer is known")
        }
        return DraftReader(columns: columns, names: names, hashes: hashes, titles: titles)
    }

    /// The next lines, as many as the options say; `isLast` when the file has no more.
    mutating func next(_ faults: inout [(line: Int, fault: FieldFault)]) throws(ImportFault) -> ImportBatch {
        var batch = ImportBatch()
        block.removeAll()
        while block.rows.count < options.lines {
            let isThere: Bool
            switch source {
            case .csv(var reader):
                isThere = try reader.next(file, into: &block)
                source = .csv(reader)
                batch.line = reader.line - 1
            case .ndjson(var reader):
                isThere = try reader.next(file, into: &block)
                source = .ndjson(reader)
                batch.line = reader.line - 1
            }
            if !isThere {
                batch.isLast = true
                break
            }
        }
        batch.position = file.position
        let drafts = drafts ?? named()
        var problems: [FieldFault] = []
        for row in block.rows {
            problems.removeAll(keepingCapacity: true)
            if let draft = drafts.read(row, of: block, &problems) { batch.append(draft, line: row.line) }
            for problem in problems { faults.append((row.line, problem)) }
        }
        return batch
    }

    /// Of NDJSON: the names that its objects had so far.
    private func named() -> DraftReader {
        guard case .ndjson(let reader) = source else { return DraftReader(columns: [], names: names, hashes: hashes, titles: []) }
        let titles = reader.names.map { name in name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? name : "name" }
        return DraftReader(columns: reader.names.map { map.column($0, names) }, names: names, hashes: hashes, titles: titles)
    }
}
