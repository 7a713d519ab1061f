/// Rows of a file as they were read: cells of many rows in one array of bytes, so that a row costs no memory of its own.
struct RowBlock: Sendable {
    struct Cell: Sendable {
        /// Place in the list of columns.
        var column: Int32
        var start: Int32
        var end: Int32
    }

    struct Row: Sendable {
        /// Counted from 1, where the row begins.
        var line: Int
        var cells: Range<Int>
        /// The row cannot be read at all.
        var fault: FieldFault?
    }

    private(set) var bytes: [UInt8] = []
    private(set) var cells: [Cell] = []
    private(set) var rows: [Row] = []
    private var first = 0

    /// Adds a cell to the row that is being read.
    mutating func append(_ text: some Sequence<UInt8>, column: Int) {
        let start = Int32(bytes.count)
        bytes.append(contentsOf: text)
        cells.append(Cell(column: Int32(column), start: start, end: Int32(bytes.count)))
    }

    /// Begins a cell whose bytes come with `extend`.
    mutating func begin(column: Int) {
        cells.append(Cell(column: Int32(column), start: Int32(bytes.count), end: Int32(bytes.count)))
    }

    mutating func extend(_ byte: UInt8) {
        bytes.append(byte)
        cells[cells.count - 1].end = Int32(bytes.count)
    }

    mutating func extend(_ text: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: text)
        cells[cells.count - 1].end = Int32(bytes.count)
    }

    /// Bytes of the cell that came last.
    var lastCount: Int { cells.last.map { Int($0.end - $0.start) } ?? 0 }

    /// Cells of the row that is being read.
    var pending: Int { cells.count - first }

    /// Ends the row; one with a fault keeps no cell.
    mutating func end(line: Int, fault: FieldFault? = nil) {
        if fault != nil { drop() }
        rows.append(Row(line: line, cells: first..<cells.count, fault: fault))
        first = cells.count
    }

    /// Takes back the cells of the row that is being read.
    mutating func drop() {
        guard first < cells.count else { return }
        bytes.removeLast(bytes.count - Int(cells[first].start))
        cells.removeLast(cells.count - first)
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        cells.removeAll(keepingCapacity: true)
        rows.removeAll(keepingCapacity: true)
        first = 0
    }
}
