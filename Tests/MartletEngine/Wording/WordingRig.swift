import Calendar
import Foundation
import MartletModel
import SMSText
import Testing

@testable import MartletEngine

/// A small bank whose texts are written anew by each test.
struct WordingRig {
    let rulebook: Rulebook
    let book: DecisionBook?
    let findings: [RulebookFinding]

    /// A rulebook of which nothing bad is to be said.
    static let sound: [String: String] = [
        "event-type/cards": #"{"number": 3}"#,
        "plan/both": #"{"steps": [{"channels": ["push"], "wait": 60}, {"channels": ["sms"]}]}"#,
        "matrix/bank": #"{"cells": [{"class": "transactional", "plan": "both"}, {"class": "otp", "plan": "both"}]}"#,
        "zones/bank":
            #"{"default": "Europe/Kyiv", "units": [{"unit": 9, "zone": "Europe/Warsaw", "locale": "uk"}, {"unit": 8, "locale": "en-GB"}]}"#,
        "event/paid": #"""
        {"number": 12, "type": "cards", "class": "transactional", "everyone": true, "deadline": 3600,
         "parameters": [{"name": "amount", "type": "money", "dataClass": "financial"}, {"name": "card", "type": "text", "dataClass": "identifier", "maximum": 19},
           {"name": "at", "type": "instant"}, {"name": "shop", "type": "text", "default": "", "maximum": 60},
           {"name": "refund", "type": "boolean", "dataClass": "financial", "default": false}],
         "templates": {"sms": "paid", "push": "paid"}}
        """#,
        "template/sms.paid": #"""
        {"channel": "sms", "sender": "HARBOUR", "standard": "en",
         "texts": {"en": "{{card | mask: card}}: {{amount | money: code}}, {{at | time}}, {{shop | fit: 6}}", "uk": "{{card | mask: card}}: {{amount | money}}, {{at | datetime}}"}}
        """#,
        "template/push.paid": #"""
        {"channel": "push", "form": "basic", "standard": "en",
         "texts": {"en": {"title": "Card payment", "preview": "Open the app.", "body": "{{amount | money: code}}"},
                   "uk": {"title": "Оплата", "preview": "Відкрийте застосунок.", "body": "{{amount | money}}"}}}
        """#,
    ]

    /// - Parameter changes: objects written otherwise, added, or (empty) left out.
    init(_ changes: [String: String] = [:], version: Int64 = 1, parts: Int = 10) throws {
        (rulebook, book, findings) = DecisionBook.compile(
            try WordingRig.source(changes, version: version), in: Rulebook.Surroundings(parts: parts), zoneFile: WordingRig.zoneFile)
    }

    static func source(_ changes: [String: String] = [:], version: Int64 = 1) throws -> RulebookSource {
        var texts = WordingRig.sound.merging(changes) { $1 }
        texts = texts.filter { !$0.value.isEmpty }
        let objects = try texts.map { name, text in
            let words = name.split(separator: "/").map(String.init)
            return RulebookObject(
                kind: try #require(RulebookKind(rawValue: words[0])), key: words[1], version: version,
                content: try JSONValue(reading: Array(text.utf8), maximumBytes: 200_000))
        }
        return RulebookSource(number: 7, at: 0, objects: objects)
    }

    @Sendable static func zoneFile(_ name: String) -> [UInt8]? {
        (try? Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/\(name)"))).map { Array($0) }
    }

    /// 2026-11-22T18:04:00Z, in Kyiv 20:04.
    static let values: [EventPayload.NamedValue] = [
        .init("amount", .money(Money(minor: 123_450, currency: 980))), .init("card", .text("4111111111111234")),
        .init("at", .instant(1_795_370_640_000_000, offset: 0)), .init("shop", .text("Corner Bakery")),
    ]

    func sms(
        _ locale: String = "", _ values: [EventPayload.NamedValue] = WordingRig.values, _ details: CustomerDetails = CustomerDetails(),
        zone: String = "Europe/Kyiv", limit: Int = 10, count: (String) throws(TextFault) -> Engine.TextCount = WordingRig.count
    ) throws -> Worded {
        let book = try #require(book, "\(findings)")
        return try book.wording.sms(
            event: 0, values, details, try #require(CustomerLocale(locale)),
            try Zone(tzif: try #require(WordingRig.zoneFile(zone))), count: count, limit: limit)
    }

    static func count(_ text: String) throws(TextFault) -> Engine.TextCount {
        let parts = SMSText.plan(text).parts
        return Engine.TextCount(parts: parts, submits: parts)
    }

    /// The sound event with some of its fields written otherwise.
    static func event(_ changes: String) throws -> String {
        let bytes = Array((sound["event/paid"] ?? "").utf8)
        guard case .object(var all) = try JSONValue(reading: bytes, maximumBytes: 10_000),
            case .object(let some) = try JSONValue(reading: Array(changes.utf8), maximumBytes: 10_000)
        else { return "" }
        all.merge(some) { $1 }
        return String(decoding: JSONValue.object(all).canonical, as: UTF8.self)
    }
}
