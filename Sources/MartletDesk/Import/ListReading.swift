import Guard
import MartletModel

/// What a line says of somebody and a suppression list.
struct ListingDraft: Sendable {
    /// By whom the bank's file names the customer.
    enum Whom: Hashable, Sendable {
        /// Keyed hash of the reference.
        case reference(UInt64)
        /// Everybody who has the address; its keyed hash.
        case address(AddressKind, UInt64)
    }

    var whom: Whom
    /// Of the column that names the customer, for faults.
    var column: String
    var entry: ListEntry
    /// Taken off the list.
    var isOff: Bool
}

/// What a column of a file of lists is.
enum ListColumn: String, Sendable, CaseIterable {
    case list, reference, phone, email, until, state
}

/// Reads rows as entries of suppression lists. A field that is empty is as if it were not there.
struct ListReader: RowReading {
    let columns: [ReadColumn<ListColumn>]
    let titles: [String]
    let names: CustomerNames
    let hashes: CustomerHashes

    static func column(_ name: String, _ names: CustomerNames) -> ListColumn? { ListColumn(rawValue: name) }

    private static let whom: [ListColumn] = [.reference, .phone, .email]

    static func fault(_ columns: [ListColumn]) -> String? {
        if !columns.contains(.list) { return "no column is `list`, which an entry has" }
        return whom.contains(where: { columns.contains($0) })
            ? nil : "no column is `reference`, `phone` or `email`, one of which an entry has"
    }

    func read(_ row: RowBlock.Row, of block: RowBlock, _ faults: inout [FieldFault]) -> ListingDraft? {
        guard let texts = texts(of: row, in: block, &faults) else { return nil }
        return draft(texts, &faults)
    }

    private func draft(_ texts: [ListColumn: String], _ faults: inout [FieldFault]) -> ListingDraft? {
        func checked<Value>(_ body: () throws(FieldFault) -> Value) -> Value? {
            do throws(FieldFault) {
                return try body()
            } catch {
                faults.append(error)
                return nil
            }
        }
        let list = checked { () throws(FieldFault) in
            guard let text = texts[.list] else { throw FieldFault("list", "required", "an entry has it") }
            let number = try CustomerText.number(text[...], .list, names, "list")
            guard number > 0 else { throw FieldFault("list", "range", "the number of a list, 1 to 65535") }
            return number
        }
        let whom = checked { () throws(FieldFault) in try self.whom(texts) }
        let until = checked { () throws(FieldFault) -> UInt16? in
            guard let text = texts[.until] else { return nil }
            guard let day = CustomerText.day(text.utf8).flatMap({ UInt16(exactly: $0) }) else {
                throw FieldFault("until", "malformed", CustomerText.dateForm)
            }
            return day
        }
        let isOff = checked { () throws(FieldFault) in
            switch texts[.state] ?? "on" {
            case "on": false
            case "off": true
            default: throw FieldFault("state", "unknown", "on or off")
            }
        }
        guard let list, let whom, let until, let isOff else { return nil }
        return ListingDraft(whom: whom.whom, column: whom.column, entry: ListEntry(list: list, until: until), isOff: isOff)
    }

    private func whom(_ texts: [ListColumn: String]) throws(FieldFault) -> (whom: ListingDraft.Whom, column: String) {
        let named = ListReader.whom.filter { texts[$0] != nil }
        guard named.count == 1, let column = named.first, let text = texts[column] else {
            throw FieldFault("reference", "required", "one of reference, phone and email")
        }
        switch column {
        case .phone: return (.address(.phone, try CustomerText.phone(text.utf8, hashes, "phone").hash), "phone")
        case .email: return (.address(.email, try CustomerText.mail(Array(text.utf8), hashes, "email").hash), "email")
        case .reference, .list, .until, .state: return (.reference(hashes.reference(try CustomerText.reference(text))), "reference")
        }
    }
}
