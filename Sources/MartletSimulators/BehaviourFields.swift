/// A field that cannot be taken, and why: what the admin API answers with 400 and the settings file with a line.
public struct FieldError: Error, Sendable, Equatable, CustomStringConvertible {
    public var field: String
    public var reason: String
    /// Line in the settings file; 0 when there is none.
    public var line: Int

    public init(field: String, reason: String, line: Int = 0) {
        self.field = field
        self.reason = reason
        self.line = line
    }

    public var description: String { "\(field): \(reason)" }
}

extension Behaviour {
    /// Most milliseconds any wait may take: ten minutes.
    static let waitMaximumMs = 600_000

    /// This behaviour with some fields changed; all of them or none. `preset` counts first, then the other fields.
    public func changed(by fields: [Loose.Entry]) throws(FieldError) -> Behaviour {
        var next = self
        for entry in fields where entry.key == "preset" {
            guard case .text(let name) = entry.value.kind, let preset = Self.presets.first(where: { $0.name == name }) else {
                let names = Self.presets.map { $0.name }.joined(separator: ", ")
                throw FieldError(field: "preset", reason: "must be one of \(names)", line: entry.line)
            }
            next = preset.behaviour
        }
        for entry in fields where entry.key != "preset" {
            do {
                try next.set(entry.key, entry.value)
            } catch {
                throw FieldError(field: error.field, reason: error.reason, line: entry.line)
            }
        }
        return next
    }

    /// One field more for one value; the table of what can be said.
    private mutating func set(_ field: String, _ value: Loose) throws(FieldError) {
        switch field {
        case "delayMs": delayMs = try Self.wait(field, value)
        case "jitterMs": jitterMs = try Self.wait(field, value)
        case "throttlePercent": throttlePercent = try Self.percent(field, value)
        case "refusePercent": refusePercent = try Self.percent(field, value)
        case "refuseStatus": refuseStatus = try Self.status(field, value)
        case "tps": tps = UInt32(try Self.integer(field, value, in: 0...1_000_000))
        case "silent": silent = try Self.flag(field, value)
        case "lostAnswerPercent": lostAnswerPercent = try Self.percent(field, value)
        case "answerTwicePercent": answerTwicePercent = try Self.percent(field, value)
        case "dropBindAfter": dropBindAfter = UInt32(try Self.integer(field, value, in: 0...1_000_000_000))
        case "disconnect": disconnect = try Self.flag(field, value)
        case "receipts": receipts = try Self.flag(field, value)
        case "receiptAfterMs": receiptAfterMs = try Self.wait(field, value)
        case "receiptJitterMs": receiptJitterMs = try Self.wait(field, value)
        case "receiptStatus": receiptStatus = try Self.mix(field, value)
        case "receiptBeforeAnswerPercent": receiptBeforeAnswerPercent = try Self.percent(field, value)
        case "duplicateReceiptPercent": duplicateReceiptPercent = try Self.percent(field, value)
        case "lostReceiptPercent": lostReceiptPercent = try Self.percent(field, value)
        case "unknownReceiptPercent": unknownReceiptPercent = try Self.percent(field, value)
        case "answerIdForm": answerIdForm = try Self.choice(field, value)
        case "receiptIdForm": receiptIdForm = try Self.choice(field, value)
        case "receiptTlvs": receiptTlvs = try Self.flag(field, value)
        case "offExpireMs": offExpireMs = try Self.wait(field, value)
        case "query": query = try Self.choice(field, value)
        case "cancel": cancel = try Self.choice(field, value)
        case "inquiryDelayMs": inquiryDelayMs = try Self.wait(field, value)
        case "exactIds": exactIds = try Self.flag(field, value)
        default:
            throw FieldError(field: field, reason: "no such field; there are \(Self.fieldNames.joined(separator: ", "))")
        }
    }

    /// All fields with their values now, as the admin API shows them.
    var fields: [(name: String, value: JSONText.Value)] {
        [
            ("delayMs", .integer(Int(delayMs))), ("jitterMs", .integer(Int(jitterMs))),
            ("throttlePercent", .number(throttlePercent)), ("refusePercent", .number(refusePercent)),
            ("refuseStatus", .integer(Int(refuseStatus))), ("tps", .integer(Int(tps))),
            ("silent", .flag(silent)), ("lostAnswerPercent", .number(lostAnswerPercent)),
            ("answerTwicePercent", .number(answerTwicePercent)), ("dropBindAfter", .integer(Int(dropBindAfter))),
            ("disconnect", .flag(disconnect)), ("receipts", .flag(receipts)),
            ("receiptAfterMs", .integer(Int(receiptAfterMs))), ("receiptJitterMs", .integer(Int(receiptJitterMs))),
            ("receiptStatus", .map(receiptStatus.shares.map { ("\($0.state.word)", .number($0.percent)) })),
            ("receiptBeforeAnswerPercent", .number(receiptBeforeAnswerPercent)),
            ("duplicateReceiptPercent", .number(duplicateReceiptPercent)), ("lostReceiptPercent", .number(lostReceiptPercent)),
            ("unknownReceiptPercent", .number(unknownReceiptPercent)), ("answerIdForm", .text(answerIdForm.rawValue)),
            ("receiptIdForm", .text(receiptIdForm.rawValue)), ("receiptTlvs", .flag(receiptTlvs)),
            ("offExpireMs", .integer(Int(offExpireMs))), ("query", .text(query.rawValue)), ("cancel", .text(cancel.rawValue)),
            ("inquiryDelayMs", .integer(Int(inquiryDelayMs))), ("exactIds", .flag(exactIds)),
        ]
    }

    static var fieldNames: [String] { Behaviour().fields.map { $0.name } }

    // MARK: One value each

    private static func wait(_ field: String, _ value: Loose) throws(FieldError) -> UInt32 {
        UInt32(try integer(field, value, in: 0...waitMaximumMs))
    }

    private static func integer(_ field: String, _ value: Loose, in range: ClosedRange<Int>) throws(FieldError) -> Int {
        guard case .integer(let number) = value.kind else {
            throw FieldError(field: field, reason: "must be a whole number, not \(value.word)")
        }
        guard range.contains(number) else {
            throw FieldError(field: field, reason: "must lie in \(range.lowerBound) to \(range.upperBound), is \(number)")
        }
        return number
    }

    private static func percent(_ field: String, _ value: Loose) throws(FieldError) -> Double {
        let number: Double
        switch value.kind {
        case .integer(let whole): number = Double(whole)
        case .number(let fraction): number = fraction
        default: throw FieldError(field: field, reason: "must be a number of percent, not \(value.word)")
        }
        guard number >= 0, number <= 100 else { throw FieldError(field: field, reason: "must lie in 0 to 100, is \(number)") }
        return number
    }

    private static func flag(_ field: String, _ value: Loose) throws(FieldError) -> Bool {
        guard case .flag(let flag) = value.kind else {
            throw FieldError(field: field, reason: "must be true or false, not \(value.word)")
        }
        return flag
    }

    /// A command_status: a number, or text such as "0x0000000B".
    private static func status(_ field: String, _ value: Loose) throws(FieldError) -> UInt32 {
        let reason = "must be a command_status from 1 to 0xFFFFFFFF, as a number or as text like \"0x0000000B\""
        switch value.kind {
        case .integer(let number):
            guard let status = UInt32(exactly: number), status > 0 else { throw FieldError(field: field, reason: reason) }
            return status
        case .text(let text):
            guard text.hasPrefix("0x"), let status = UInt32(text.dropFirst(2), radix: 16), status > 0 else {
                throw FieldError(field: field, reason: reason)
            }
            return status
        default:
            throw FieldError(field: field, reason: reason)
        }
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ field: String, _ value: Loose
    ) throws(FieldError) -> Choice where Choice.RawValue == String {
        if case .text(let text) = value.kind, let choice = Choice(rawValue: text) { return choice }
        let words = Choice.allCases.map { $0.rawValue }.joined(separator: ", ")
        throw FieldError(field: field, reason: "must be one of \(words)")
    }

    /// "DELIVRD", or {"DELIVRD": 90, "UNDELIV": 10}.
    private static func mix(_ field: String, _ value: Loose) throws(FieldError) -> ReceiptMix {
        let words = ReceiptState.allCases.map { "\($0.word)" }.joined(separator: ", ")
        switch value.kind {
        case .text(let text):
            guard let state = ReceiptState(word: text) else { throw FieldError(field: field, reason: "must be one of \(words)") }
            return ReceiptMix(state)
        case .map(let entries):
            var shares: [ReceiptMix.Share] = []
            for entry in entries {
                guard let state = ReceiptState(word: entry.key) else {
                    throw FieldError(field: field, reason: "\(entry.key) is not one of \(words)")
                }
                shares.append(ReceiptMix.Share(state: state, percent: try percent("\(field).\(entry.key)", entry.value)))
            }
            guard let mix = ReceiptMix(shares) else { throw FieldError(field: field, reason: "percentages must make 100 together") }
            return mix
        default:
            throw FieldError(field: field, reason: "must be one of \(words), or a map of them to percentages")
        }
    }
}
