public import MartletModel

/// What an event says, read in place by the definition it is of: a value or none for each parameter, in the definition's order. There is
/// no tree in between, since a dictionary of the values would cost more than the decision. `EventDefinition.values` reads the same out of a
/// document, and the tests hold this to it.
public struct EventParameters {
    /// By place in the definition.
    public private(set) var values: [ParameterValue?]
    /// In the order of the body, then what is missing.
    public private(set) var faults: [Fault] = []
    /// Texts in which a card number was made unreadable.
    public private(set) var masked = 0
    private let faultsMaximum: Int

    public struct Fault: Equatable, Sendable {
        /// As the definition has it; where it has none, as the sender wrote it.
        public var name: String
        public var wrong: Wrong
    }

    public enum Wrong: Equatable, Sendable {
        case missing
        /// Another kind of JSON value than the type is written as.
        case kind(ParameterType)
        /// The kind is right, and it is none of the type.
        case form(ParameterType)
        case tooLong(bytes: Int)
        case controlCharacter
        case cardNumber
        /// Of money: the member `amount` is missing or no decimal number in quotes.
        case amount
        /// Of money: the member `currency` is missing or none that is known.
        case currency
        /// Of money: digits behind the point that its currency does not have.
        case fraction
        /// Of money: it has another member.
        case member
        /// The definition has no such parameter.
        case unknown
    }

    /// Of an event that says nothing.
    public init(of definition: EventDefinition, faultsMaximum: Int) {
        self.faultsMaximum = faultsMaximum
        values = [ParameterValue?](repeating: nil, count: definition.parameters.count)
        finish(definition, said: 0)
    }

    /// Reads the object that the reader stands before.
    /// - Parameters:
    ///   - cards: what is done about card numbers; parameters of class `identifier` are left alone, since templates mask those.
    ///   - faultsMaximum: faults kept; beyond it nothing is looked for but the end of the object.
    public init(
        _ reader: inout JSONReader, of definition: EventDefinition, cards: CardNumbers.Policy, faultsMaximum: Int
    ) throws(JSONFault) {
        precondition(definition.parameters.count <= EventDefinition.mostParameters, "a definition has at most 64 parameters")
        self.faultsMaximum = faultsMaximum
        values = [ParameterValue?](repeating: nil, count: definition.parameters.count)
        var said: UInt64 = 0
        var next = 0
        var members = try reader.object()
        while let key = try reader.key(in: &members) {
            guard let place = EventParameters.place(of: key, in: definition, likely: next) else {
                // The name becomes a text only where it is told back.
                if faults.count < faultsMaximum { note(key.string, .unknown) }
                try reader.skip()
                continue
            }
            next = place + 1
            // Null counts as absent.
            if try reader.isNull() { continue }
            said |= 1 << UInt64(place)
            values[place] = try value(&reader, definition.parameters[place], cards)
        }
        finish(definition, said: said)
    }

    /// What was not said is assumed, or missing.
    private mutating func finish(_ definition: EventDefinition, said: UInt64) {
        for (place, parameter) in definition.parameters.enumerated() where said >> UInt64(place) & 1 == 0 {
            values[place] = parameter.assumed
            if parameter.assumed == nil { note(parameter.name, .missing) }
        }
    }

    private mutating func note(_ name: String, _ wrong: Wrong) {
        if faults.count < faultsMaximum { faults.append(Fault(name: name, wrong: wrong)) }
    }

    /// Senders mostly write parameters in the order of the definition, so the one after the last is tried first.
    @inline(__always)
    private static func place(of key: JSONText, in definition: EventDefinition, likely: Int) -> Int? {
        if likely < definition.parameters.count, key.means(definition.parameters[likely].name) { return likely }
        return definition.parameters.firstIndex { key.means($0.name) }
    }

    // MARK: One value

    private mutating func value(
        _ reader: inout JSONReader, _ parameter: EventParameter, _ cards: CardNumbers.Policy
    ) throws(JSONFault) -> ParameterValue? {
        switch (parameter.type, try reader.kind()) {
        case (.text, .string):
            return text(try reader.string(), parameter, cards)
        case (.decimal, .string), (.date, .string), (.time, .string), (.instant, .string):
            let text = try reader.string()
            let value = text.raw.count <= EventParameters.longest ? parameter.read(text: text.string) : nil
            if value == nil { note(parameter.name, .form(parameter.type)) }
            return value
        case (.integer, .number), (.decimal, .number):
            let value = try integer(&reader).flatMap { parameter.read(integer: $0) }
            if value == nil { note(parameter.name, .form(parameter.type)) }
            return value
        case (.money, .object):
            return try money(&reader, parameter)
        case (.boolean, .boolean):
            return .boolean(try reader.boolean())
        default:
            try reader.skip()
            note(parameter.name, .kind(parameter.type))
            return nil
        }
    }

    /// Bytes of the longest number or time, each of its characters escaped.
    private static let longest = 32 * 6

    private mutating func text(_ written: JSONText, _ parameter: EventParameter, _ cards: CardNumbers.Policy) -> ParameterValue? {
        // No text is longer than it is written.
        if !written.hasEscapes, written.raw.count > parameter.maximumBytes {
            note(parameter.name, .tooLong(bytes: parameter.maximumBytes))
            return nil
        }
        let text = written.string
        guard text.utf8.count <= parameter.maximumBytes else {
            note(parameter.name, .tooLong(bytes: parameter.maximumBytes))
            return nil
        }
        // It may stand in a message, where these would do harm.
        guard MessageShape.text(text) != .controlCharacter else {
            note(parameter.name, .controlCharacter)
            return nil
        }
        guard parameter.dataClass != .identifier else { return .text(text) }
        switch CardNumbers.examine(text, cards) {
        case .clean: return .text(text)
        case .masked(let unreadable):
            masked += 1
            return .text(unreadable)
        case .refused:
            note(parameter.name, .cardNumber)
            return nil
        }
    }

    /// Nil for a number that is none of Int64's; the reader is behind it.
    private func integer(_ reader: inout JSONReader) throws(JSONFault) -> Int64? {
        do throws(JSONFault) {
            return try reader.integer()
        } catch {
            guard !error.isMalformed else { throw error }
            try reader.skip()
            return nil
        }
    }

    /// `{"amount": "125.50", "currency": "UAH"}`.
    private mutating func money(_ reader: inout JSONReader, _ parameter: EventParameter) throws(JSONFault) -> ParameterValue? {
        var amount: ExactDecimal?
        var currency: Currency?
        var hasOther = false
        var members = try reader.object()
        while let key = try reader.key(in: &members) {
            switch key {
            case "amount": amount = try shortText(&reader).flatMap { ExactDecimal($0) }
            case "currency": currency = try shortText(&reader).flatMap { Currency.of(code: $0) }
            default:
                hasOther = true
                try reader.skip()
            }
        }
        if hasOther { note(parameter.name, .member) }
        if amount == nil { note(parameter.name, .amount) }
        if currency == nil { note(parameter.name, .currency) }
        guard !hasOther, let amount, let currency else { return nil }
        guard let minor = amount.minor(digits: currency.digits) else {
            note(parameter.name, .fraction)
            return nil
        }
        return .money(Money(minor: minor, currency: currency.number))
    }

    /// Nil for another kind of value, and for a text that is longer than any amount.
    private func shortText(_ reader: inout JSONReader) throws(JSONFault) -> String? {
        guard try reader.kind() == .string else {
            try reader.skip()
            return nil
        }
        let text = try reader.string()
        return text.raw.count <= EventParameters.longest ? text.string : nil
    }
}
