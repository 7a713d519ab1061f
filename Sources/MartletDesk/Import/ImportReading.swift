import Guard
import MartletModel

/// Reads rows of one kind of file, by columns that were named before.
protocol RowReading: Sendable {
    associatedtype Draft: Sendable

    /// What a column of this name is; nil: there is none.
    associatedtype Column: Sendable
    static func column(_ name: String, _ names: CustomerNames) -> Column?
    /// Whether the columns suffice; nil: they do.
    static func fault(_ columns: [Column]) -> String?

    var columns: [ReadColumn<Column>] { get }
    /// Their names in faults.
    var titles: [String] { get }
    init(columns: [ReadColumn<Column>], titles: [String], names: CustomerNames, hashes: CustomerHashes)

    /// - Returns: nil when anything does not hold; what, is added to `faults`.
    func read(_ row: RowBlock.Row, of block: RowBlock, _ faults: inout [FieldFault]) -> Draft?
}

extension RowReading where Column: Hashable {
    /// The texts of a row whose fields are looked at one by one; a field that is empty is as if it were not there.
    /// - Returns: nil when anything does not hold; what, is added to `faults`.
    func texts(of row: RowBlock.Row, in block: RowBlock, _ faults: inout [FieldFault]) -> [Column: String]? {
        if let fault = row.fault {
            faults.append(fault)
            return nil
        }
        let before = faults.count
        var texts: [Column: String] = [:]
        for cell in block.cells[row.cells] {
            let place = Int(cell.column)
            do throws(FieldFault) {
                let column: Column
                switch columns[place] {
                case .ignored: continue
                case .unknown: throw FieldFault(titles[place], "unknown", "no column has this name")
                case .known(let known): column = known
                }
                let text = block.trimmed(cell)
                if !text.isEmpty { texts[column] = try RowBlock.text(text, titles[place]) }
            } catch {
                faults.append(error)
            }
        }
        return faults.count == before ? texts : nil
    }
}

/// A column of a file.
enum ReadColumn<Column: Sendable>: Sendable {
    case known(Column)
    /// The list of names says that it is not read.
    case ignored
    case unknown
}

/// The file's rows as drafts.
struct ImportReading<Rows: RowReading> {
    private let file: ImportFile
    private let options: ImportOptions
    private let names: CustomerNames
    private let hashes: CustomerHashes
    private let map: ImportMap
    private var source: Source
    /// Of CSV: what its first line says.
    private var rows: Rows?
    private var block = RowBlock()

    private enum Source {
        case csv(CSVReader)
        case ndjson(NDJSONReader)
    }

    /// Where a stretch ends.
    struct End {
        var position = 0
        var line = 0
        var isLast = false
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
            rows = try ImportReading.headed(titles, map, names, hashes)
            source = .csv(CSVReader(separator: options.separator, width: titles.count, line: max(line + 1, reader.line)))
            if position > 0 { file.seek(to: position) }
        }
    }

    private static func headed(
        _ titles: [String], _ map: ImportMap, _ names: CustomerNames, _ hashes: CustomerHashes
    ) throws(ImportFault) -> Rows {
        if let twice = titles.enumerated().first(where: { titles[..<$0.offset].contains($0.element) }) {
            throw .header(reason: "column \(twice.offset + 1) has the name of one before")
        }
        let columns = titles.map { map.column($0, Rows.self, names) }
        if let unknown = columns.firstIndex(where: { if case .unknown = $0 { true } else { false } }) {
            // The name itself only where it cannot be a customer's: a file without a heading begins with one.
            let isWord =
                titles[unknown].utf8.count <= 40 && titles[unknown].utf8.allSatisfy { (97...122).contains($0) || $0 == 0x5F || $0 == 0x2E }
            let name = isWord ? " (`\(titles[unknown])`)" : ""
            throw .header(
                reason:
                    "column \(unknown + 1)\(name) is not known; name it in the list of names, or ignore it there, or define the attribute")
        }
        if let fault = Rows.fault(columns.compactMap { if case .known(let column) = $0 { column } else { nil } }) {
            throw .header(reason: fault)
        }
        return Rows(columns: columns, titles: titles, names: names, hashes: hashes)
    }

    /// The next lines, as many as the options say, each to `take`.
    mutating func next(
        _ faults: inout [(line: Int, fault: FieldFault)], _ take: (Rows.Draft, Int) -> Void
    ) throws(ImportFault) -> End {
        var end = End()
        block.removeAll()
        while block.rows.count < options.lines {
            let isThere: Bool
            switch source {
            case .csv(var reader):
                isThere = try reader.next(file, into: &block)
                source = .csv(reader)
                end.line = reader.line - 1
            case .ndjson(var reader):
                isThere = try reader.next(file, into: &block)
                source = .ndjson(reader)
                end.line = reader.line - 1
            }
            if !isThere {
                end.isLast = true
                break
            }
        }
        end.position = file.position
        let reader = rows ?? named()
        var problems: [FieldFault] = []
        for row in block.rows {
            problems.removeAll(keepingCapacity: true)
            if let draft = reader.read(row, of: block, &problems) { take(draft, row.line) }
            for problem in problems { faults.append((row.line, problem)) }
        }
        return end
    }

    /// Of NDJSON: the names that its objects had so far.
    private func named() -> Rows {
        guard case .ndjson(let reader) = source else { return Rows(columns: [], titles: [], names: names, hashes: hashes) }
        let titles = reader.names.map { name in name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? name : "name" }
        return Rows(columns: reader.names.map { map.column($0, Rows.self, names) }, titles: titles, names: names, hashes: hashes)
    }
}

extension RowBlock {
    /// The bytes of a cell, without blanks at both ends.
    func trimmed(_ cell: Cell) -> ArraySlice<UInt8> { RowBlock.trimmed(bytes[Int(cell.start)..<Int(cell.end)]) }

    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while bytes.first == 0x20 { bytes.removeFirst() }
        while bytes.last == 0x20 { bytes.removeLast() }
        return bytes
    }

    /// - Throws: it is not UTF-8.
    static func text(_ bytes: ArraySlice<UInt8>, _ title: String) throws(FieldFault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw FieldFault(title, "encoding", "it is not UTF-8") }
        return text
    }
}
