/// What a file is about. Raw values are stored: never change one.
public enum ImportKind: String, Sendable, CaseIterable {
    case customers
    /// What the bank had to do with customers elsewhere.
    case contacts
    /// Who stands on which suppression list.
    case lists
}

/// What an import reads, and how.
public struct ImportOptions: Equatable, Sendable {
    public enum Format: String, Sendable, CaseIterable { case csv, ndjson }

    public var kind = ImportKind.customers
    public var format = Format.csv
    /// Between the fields of CSV, one byte of ASCII.
    public var separator: UInt8 = UInt8(ascii: ",")
    /// Names of columns that are other than ours, as `ImportMap` reads them.
    public var map = ""
    /// Lines that may be refused before the import stops.
    public var errorsMaximum = 1000
    /// Lines to a transaction.
    public var lines = 32_768
    /// Tasks that seal.
    public var tasks = 2
    public init() {}

    /// Longest list of names in bytes.
    static let mapBytes = 64 << 10

    /// From what people write.
    /// - Parameter separator: a character, or `tab`.
    /// - Throws: `.invalid` with every field that does not hold.
    public init(
        kind: String = ImportKind.customers.rawValue, format: String, separator: String = ",", map: String = "", errorsMaximum: Int = 1000
    ) throws(DeskFault) {
        var faults: [FieldFault] = []
        let known = (kind: ImportKind(rawValue: kind), format: Format(rawValue: format))
        if known.kind == nil { faults.append(FieldFault("kind", "unknown", "customers, contacts or lists")) }
        if known.format == nil { faults.append(FieldFault("format", "unknown", "csv or ndjson")) }
        let sign = separator == "tab" ? "\t" : separator
        let byte = sign.utf8.first ?? 0
        if sign.utf8.count != 1 || byte == 0x22 || byte != 9 && !(0x20..<0x7F).contains(byte) {
            faults.append(FieldFault("separator", "malformed", "one character of ASCII other than a quote, or `tab`"))
        }
        if map.utf8.count > ImportOptions.mapBytes {
            faults.append(FieldFault("map", "too_long", "at most \(ImportOptions.mapBytes) bytes"))
        }
        do throws(ImportFault) {
            _ = try ImportMap(text: map)
        } catch {
            faults.append(FieldFault("map", "malformed", error.description))
        }
        if errorsMaximum < 0 { faults.append(FieldFault("maxErrors", "range", "0 or more")) }
        guard faults.isEmpty, let kind = known.kind, let format = known.format else { throw .invalid(faults) }
        (self.kind, self.format, self.separator, self.map, self.errorsMaximum) = (kind, format, byte, map, errorsMaximum)
    }

    /// What tells one reading of a file from another.
    var reading: String {
        // A file of customers has the identity that it had before there were other kinds.
        "\(format.rawValue) \(separator) \(map)" + (kind == .customers ? "" : " \(kind.rawValue)")
    }
}
