import Guard
import MartletModel

/// What a line says of a contact made elsewhere.
struct ContactDraft: Sendable {
    var referenceHash: UInt64
    /// Wall milliseconds.
    var at: Int64
    var kind: ContactKind
    /// 0: of no unit.
    var unit: UInt16
    var summary: String
}

/// What a column of a file of contacts is.
enum ContactColumn: String, Sendable, CaseIterable {
    case reference, at, kind, unit, summary
}

/// Reads rows as contacts made elsewhere. A field that is empty is as if it were not there.
struct ContactReader: RowReading {
    let columns: [ReadColumn<ContactColumn>]
    let titles: [String]
    let names: CustomerNames
    let hashes: CustomerHashes

    static func column(_ name: String, _ names: CustomerNames) -> ContactColumn? { ContactColumn(rawValue: name) }

    private static let required: [ContactColumn] = [.reference, .at, .kind, .summary]

    static func fault(_ columns: [ContactColumn]) -> String? {
        required.first { !columns.contains($0) }.map { "no column is `\($0.rawValue)`, which a contact has" }
    }

    func read(_ row: RowBlock.Row, of block: RowBlock, _ faults: inout [FieldFault]) -> ContactDraft? {
        guard let texts = texts(of: row, in: block, &faults) else { return nil }
        let before = faults.count
        for column in ContactReader.required where texts[column] == nil {
            faults.append(FieldFault(column.rawValue, "required", "a contact has it"))
        }
        guard faults.count == before else { return nil }
        return draft(texts, &faults)
    }

    private func draft(_ texts: [ContactColumn: String], _ faults: inout [FieldFault]) -> ContactDraft? {
        func checked<Value>(_ body: () throws(FieldFault) -> Value) -> Value? {
            do throws(FieldFault) {
                return try body()
            } catch {
                faults.append(error)
                return nil
            }
        }
        let reference = checked { () throws(FieldFault) in try CustomerText.reference(texts[.reference] ?? "") }
        let at = checked { () throws(FieldFault) in
            guard let at = CustomerText.milliseconds((texts[.at] ?? "").utf8), at >= 0 else {
                throw FieldFault("at", "malformed", CustomerText.momentForm)
            }
            return at
        }
        let kind = checked { () throws(FieldFault) in
            guard let kind = ContactKind(word: texts[.kind] ?? "") else {
                throw FieldFault("kind", "malformed", ContactKind.form)
            }
            return kind
        }
        let unit = checked { () throws(FieldFault) in
            guard let unit = texts[.unit] else { return 0 as UInt16 }
            return try CustomerText.number(unit[...], .unit, names, "unit")
        }
        let summary = texts[.summary] ?? ""
        if summary.utf8.count > Customers.summaryBytes {
            faults.append(FieldFault("summary", "length", "1 to \(Customers.summaryBytes) bytes"))
            return nil
        }
        guard let reference, let at, let kind, let unit else { return nil }
        return ContactDraft(referenceHash: hashes.reference(reference), at: at, kind: kind, unit: unit, summary: summary)
    }
}
