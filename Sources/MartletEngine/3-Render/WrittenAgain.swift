import MartletModel
import SMSText

/// What came of writing a recorded text once more, from what its record says.
public enum WrittenAgain: Equatable, Sendable {
    /// Nothing was told.
    case none
    /// Byte for byte, by the same version of the same template, in the same language.
    case same
    case other
    case unknown(Why)

    /// Why a text cannot be written from what its record holds.
    public enum Why: UInt8, CaseIterable, Sendable {
        /// It has the customer's name in it, which no record of a decision holds.
        case name
        /// It was written from a secret, which was not kept.
        case secret
        /// Over that channel no text is kept.
        case channel

        public var word: String {
            switch self {
            case .name: "name"
            case .secret: "secret"
            case .channel: "channel"
            }
        }

        /// For a person, behind a number.
        public var words: String {
            switch self {
            case .name: "have the customer's name in them, which no record holds"
            case .secret: "were written from a secret, which was not kept"
            case .channel: "went over a channel of which no text is kept"
            }
        }
    }
}

extension DecisionBook {
    /// Writes a text once more that this release wrote, and compares it with the one that its record holds.
    public func write(again it: RecordedDecision) -> WrittenAgain {
        guard it.made.outcome == .told else { return .none }
        guard it.made.channel == .sms else { return .unknown(.channel) }
        guard let known = it.wording, let customer = it.facts.customer, let place = decider.place(of: it.facts.event.event) else {
            return .other
        }
        let definition = rules.events[place]
        let isSecretGone = definition.parameters.contains { parameter in
            parameter.dataClass == .secret && !it.values.contains { $0.name == parameter.name }
        }
        if isSecretGone { return .unknown(.secret) }
        let locale = locale(of: customer)
        if wording.namesCustomer(event: place, locale) { return .unknown(.name) }
        // A value that was shortened is shortened to the length that went out: how its operator counted is in no record.
        let octets = it.text.utf8.count
        guard
            let worded = try? wording.sms(
                event: place, Engine.values(it.values, definition), CustomerDetails(), locale, decider.zone(of: customer),
                count: { text throws(TextFault) in
                    let parts = text.utf8.count <= octets ? 1 : 2
                    return Engine.TextCount(parts: parts, submits: parts)
                }, limit: 1)
        else { return .other }
        let isSame =
            worded.text.utf8.elementsEqual(it.text.utf8) && worded.template == known.template && worded.version == known.version
            && worded.override == known.override && worded.locale == known.locale && (worded.sender ?? it.sender) == it.sender
        return isSame ? .same : .other
    }
}
