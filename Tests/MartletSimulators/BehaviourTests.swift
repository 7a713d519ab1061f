import Testing

@testable import MartletSimulators

/// The behaviour is a value and a fate is a pure function of it, so nothing here needs an operator.
@Suite("What an operator does with a submit")
struct BehaviourTests {
    private func fields(_ text: String) throws -> [Loose.Entry] {
        guard case .map(let entries) = try Loose.json(Array(text.utf8)).kind else { return [] }
        return entries
    }

    private var lively: Behaviour {
        get throws {
            try Behaviour().changed(
                by: fields(
                    """
                    {"delayMs": 5, "jitterMs": 100, "throttlePercent": 10, "refusePercent": 5, "receiptAfterMs": 50, "receiptJitterMs": 20,
                     "receiptStatus": {"DELIVRD": 80, "UNDELIV": 15, "EXPIRED": 5}, "receiptBeforeAnswerPercent": 10,
                     "duplicateReceiptPercent": 10, "lostReceiptPercent": 10, "unknownReceiptPercent": 10, "answerTwicePercent": 10,
                     "lostAnswerPercent": 10}
                    """))
        }
    }

    @Test("The same seed and ordinal meet the same fate; another seed meets others")
    func reproducible() throws {
        let behaviour = try lively
        let first = (1...500).map { Fate.of(submit: $0, seed: 7, under: behaviour) }
        let again = (1...500).map { Fate.of(submit: $0, seed: 7, under: behaviour) }
        let other = (1...500).map { Fate.of(submit: $0, seed: 8, under: behaviour) }
        #expect(first == again)
        #expect(first != other)
    }

    @Test("Shares come out as told, over many submits")
    func shares() throws {
        let behaviour = try lively
        let fates = (1...20_000).map { Fate.of(submit: $0, seed: 3, under: behaviour) }
        func share(_ which: (Fate) -> Bool) -> Double { Double(fates.count(where: which)) / 200 }
        let throttled = share { $0.verdict == .refuse(status: Status.throttled) }
        let refused = share { $0.verdict == .refuse(status: 0x45) }
        let taken = fates.filter { $0.verdict == .take }
        #expect((9...11).contains(throttled))
        #expect((4...5.5).contains(refused))
        let told = taken.compactMap { $0.receipt }
        #expect((0.78...0.82).contains(Double(told.count { $0.state == .delivered }) / Double(told.count)))
        #expect((0.04...0.06).contains(Double(told.count { $0.state == .expired }) / Double(told.count)))
        #expect((0.08...0.12).contains(Double(told.count { $0.copies == 2 }) / Double(told.count)))
        #expect((0.08...0.12).contains(Double(told.count { $0.unknownId }) / Double(told.count)))
        #expect((0.08...0.12).contains(Double(told.count { $0.beforeAnswer }) / Double(told.count)))
        #expect((0.08...0.12).contains(Double(taken.count { $0.answers == 0 }) / Double(taken.count)))
        #expect(fates.allSatisfy { (5...105).contains($0.answerAfterMs) })
        #expect(told.allSatisfy { $0.beforeAnswer ? $0.afterMs == 0 : (50...70).contains($0.afterMs) })
    }

    @Test("Switching one mischief on does not move another")
    func independent() throws {
        let base = try Behaviour().changed(by: fields(#"{"throttlePercent": 20}"#))
        let more = try base.changed(by: fields(#"{"lostReceiptPercent": 50, "jitterMs": 90}"#))
        for ordinal in UInt64(1)...300 {
            #expect(
                Fate.of(submit: ordinal, seed: 1, under: base).verdict == Fate.of(submit: ordinal, seed: 1, under: more).verdict)
        }
    }

    @Test("A behaviour without mischief has the plain fate, and knows that it is plain")
    func plain() throws {
        #expect(Behaviour().isPlain)
        #expect(Fate.of(submit: 5, seed: 9, under: Behaviour()) == Fate.plain)
        #expect(try Behaviour().changed(by: fields(#"{"tps": 10, "receipts": false}"#)).isPlain)
        #expect(try !Behaviour().changed(by: fields(#"{"silent": true}"#)).isPlain)
        #expect(try !Behaviour().changed(by: fields(#"{"lostReceiptPercent": 0.5}"#)).isPlain)
    }

    @Test(
        "A bad field or value is refused by name and with its reason",
        arguments: [
            (#"{"dlayMs": 1}"#, "dlayMs", "no such field"), (#"{"delayMs": -1}"#, "delayMs", "0 to 600000"),
            (#"{"delayMs": 1.5}"#, "delayMs", "whole number"), (#"{"delayMs": true}"#, "delayMs", "not true or false"),
            (#"{"throttlePercent": 101}"#, "throttlePercent", "0 to 100"), (#"{"throttlePercent": "x"}"#, "throttlePercent", "not text"),
            (#"{"silent": 1}"#, "silent", "true or false"), (#"{"refuseStatus": 0}"#, "refuseStatus", "command_status"),
            (#"{"refuseStatus": "11"}"#, "refuseStatus", "command_status"), (#"{"refuseStatus": []}"#, "refuseStatus", "command_status"),
            (#"{"receiptStatus": "OK"}"#, "receiptStatus", "DELIVRD"), (#"{"receiptStatus": {"OK": 100}}"#, "receiptStatus", "OK is not"),
            (#"{"receiptStatus": {"DELIVRD": 90}}"#, "receiptStatus", "100 together"),
            (#"{"receiptStatus": {"DELIVRD": null}}"#, "receiptStatus.DELIVRD", "not nothing"),
            (#"{"receiptStatus": 5}"#, "receiptStatus", "a map"), (#"{"receiptIdForm": "octal"}"#, "receiptIdForm", "asIs, hex, upper"),
            (#"{"answerIdForm": {}}"#, "answerIdForm", "decimal, hex"), (#"{"preset": "nice"}"#, "preset", "calm"),
            (#"{"delayMs": [1]}"#, "delayMs", "not a list"), (#"{"tps": {}}"#, "tps", "not a map"),
        ])
    func refused(_ body: String, _ field: String, _ reason: String) throws {
        let fields = try fields(body)
        let error = #expect(throws: FieldError.self) { try Behaviour().changed(by: fields) }
        #expect(error?.field == field)
        #expect(error?.reason.contains(reason) == true)
    }

    @Test("A change that fails in its last field changes nothing, and fields not named stay")
    func partial() throws {
        let first = try Behaviour().changed(by: fields(#"{"delayMs": 40, "refuseStatus": "0x0000000B", "throttlePercent": 2.5}"#))
        #expect(first.delayMs == 40 && first.refuseStatus == 0x0B && first.throttlePercent == 2.5)
        let second = try first.changed(by: fields(#"{"receiptIdForm": "hex", "refuseStatus": 8}"#))
        #expect(second.delayMs == 40 && second.receiptIdForm == .hex && second.refuseStatus == 8)
        let later = try second.changed(by: fields(#"{"preset": "busy", "tps": 9}"#))
        #expect(later.delayMs == 300 && later.tps == 9 && later.receiptIdForm == .asIs)
    }

    @Test("Every field that is shown can be set to what is shown, and comes back the same")
    func roundTrip() throws {
        for preset in Behaviour.presets {
            let shown = JSONText(.map(preset.behaviour.fields.map { ($0.name, $0.value) })).bytes
            guard case .map(let entries) = try Loose.json(shown).kind else {
                Issue.record("not a map")
                return
            }
            #expect(try Behaviour().changed(by: entries) == preset.behaviour)
            #expect(preset.behaviour.presetName == preset.name)
        }
    }
}

@Suite("JSON as the admin API reads and writes it")
struct JSONTests {
    @Test("Each kind of value is read for what it is")
    func kinds() throws {
        let value = try Loose.json(Array(#"{"a": null, "b": true, "c": 12, "d": 1.5, "e": "x", "f": [1, {}]}"#.utf8))
        let expected: [Loose.Entry] = [
            .init(key: "a", value: Loose(.null)), .init(key: "b", value: Loose(.flag(true))), .init(key: "c", value: Loose(.integer(12))),
            .init(key: "d", value: Loose(.number(1.5))), .init(key: "e", value: Loose(.text("x"))),
            .init(key: "f", value: Loose(.list([Loose(.integer(1)), Loose(.map([]))]))),
        ]
        #expect(value == Loose(.map(expected)))
    }

    @Test("What is no JSON is refused", arguments: ["", "{", "{\"a\": }", "\u{1}", "[1,]x"])
    func broken(_ text: String) {
        #expect(throws: LooseError.notJSON) { try Loose.json(Array(text.utf8)) }
    }

    @Test("Quotes, control characters and letters beyond ASCII survive writing and reading")
    func escapes() throws {
        let text = "a\"b\\c\n\r\t\u{1}\u{1f} й 🎂"
        let bytes = JSONText(
            .map([("t", .text(text)), ("n", .null), ("w", .number(2)), ("f", .number(0.25)), ("l", .list([.flag(false)]))])
        ).bytes
        let back = try Loose.json(bytes)
        guard case .map(let entries) = back.kind else {
            Issue.record("not a map")
            return
        }
        #expect(entries.first { $0.key == "t" }?.value == Loose(.text(text)))
        #expect(entries.first { $0.key == "w" }?.value == Loose(.integer(2)))
        #expect(entries.first { $0.key == "f" }?.value == Loose(.number(0.25)))
    }
}
