import Foundation
import Guard
import MartletEngine
import MartletModel
import SQL

@testable import MartletDesk

/// A small bank with customers and a rulebook, for what editors of texts do.
struct TextRig {
    let customers: CustomerRig
    let units: Units
    let rulebooks: Rulebooks
    let approval: Approval

    /// Whether texts have to be approved, as a settings file would say it.
    final class Approval: Sendable {
        private let file: String
        init(_ folder: String) { file = "\(folder)/approval" }
        var isNeeded: Bool { FileManager.default.fileExists(atPath: file) }
        func need() throws { try Data().write(to: URL(filePath: file)) }
    }

    var desk: Desk { units.desk }

    static let anna = CustomerRig.anna
    static let bert = Caller(name: "principal:bert", rights: Set(Right.allCases))

    static func with(_ engine: SQLStore.Engine, _ body: (TextRig) async throws -> Void) async throws {
        try await CustomerRig.with(engine) { customers in
            let units = Units(customers.customers.desk, rowKey: customers.keys.rowKey)
            let approval = Approval(customers.folder)
            let world = Rulebooks.World(
                folder: RulebookFolder("\(customers.folder)/local"),
                surroundings: { Rulebook.Surroundings(pictureHosts: ["img.bank.example"]) },
                texts: { (Texts(), ["harbour": 1]) },
                zoneFile: { name in (try? Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/\(name)"))).map { Array($0) } },
                needsApproval: { approval.isNeeded }, pictureAddress: { "https://img.bank.example" })
            let rig = TextRig(customers: customers, units: units, rulebooks: Rulebooks(units, world), approval: approval)
            for (kind, key, text) in objects { try await rig.save(kind, key, text) }
            try await body(rig)
        }
    }

    static let objects: [(RulebookKind, String, String)] = [
        (.eventType, "cards", "{}"), (.plan, "sms", #"{"steps": [{"channels": ["sms"]}]}"#),
        (.zones, "bank", #"{"default": "Europe/Kyiv", "units": [{"unit": 7, "zone": "Europe/Warsaw", "locale": "uk"}]}"#),
        (.partial, "thanks", #"{"texts": {"en": "Thank you.", "uk": "Дякуємо."}}"#),
        (
            .event, "paid",
            #"{"type": "cards", "class": "transactional", "everyone": true, "plan": "sms", "templates": {"sms": "paid"}, "parameters": [{"name": "amount", "type": "money"}, {"name": "at", "type": "instant"}]}"#
        ),
        (
            .template, "sms.paid",
            #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "{{customer.givenName | default: \"You\"}} paid {{amount | money: code}} at {{at | time}}. {{>thanks}}", "uk": "Сплачено {{amount | money: code}} о {{at | time}}. {{>thanks}}"}}"#
        ),
    ]

    static func wish(_ content: String, unit: Int64? = nil) throws -> RulebookEntry.Wish {
        RulebookEntry.Wish(
            name: "N", description: "D", unit: unit, content: try JSONValue(reading: Array(content.utf8), maximumBytes: 20_000), note: "why"
        )
    }

    @discardableResult
    func save(
        _ kind: RulebookKind, _ key: String, _ content: String, version: Int64? = nil, unit: Int64? = nil, by caller: Caller = TextRig.anna
    ) async throws -> RulebookEntry {
        try await rulebooks.save(kind, key, try TextRig.wish(content, unit: unit), version: version, by: caller).entry
    }

    func publish(base: Int64 = 0, without: [RulebookSelection.Name] = []) async throws -> RulebookPublished {
        try await rulebooks.publish(RulebookSelection(without: without), note: "x", base: base, by: TextRig.anna)
    }

    /// A small template: `{"channel": "sms", ...}` with this English text.
    static func sms(_ text: String) -> String {
        #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "\#(text)"}}"#
    }
}
