import MartletModel
import SMPP
import SMSText

/// A submit_sm, data_sm or the message of a submit_multi as a submission, or the command_status that says what is wrong with it.
enum SubmitReading {
    /// `isMasked`: a card number in the text was made unreadable.
    case submission(Submission, isMasked: Bool)
    case refused(CommandStatus)
    /// For its text holds a card number. SMPP has no status that says so; ESME_RSUBMITFAIL is the one that nobody sends again.
    case cardNumber

    /// - Parameter destination: of a submit_multi, one of its own; else the message's.
    static func read(
        _ view: MessageView, _ frame: Frame, to destination: UnsafeRawBufferPointer? = nil, _ account: SMPPAccount, _ source: Source,
        cards: CardNumbers.Policy, now: Instant
    ) -> SubmitReading {
        if let status = SubmitRules.refusal(of: view, in: frame) { return .refused(status) }
        guard let to = number(destination ?? frame[view.destination.text]) else { return .refused(.invalidDestination) }
        guard let from = sender(frame.text(view.source.text), source) else { return .refused(.invalidSource) }
        // Sent at once or not at all; a message for later would be promised and forgotten.
        guard view.scheduleDeliveryTime.isEmpty else { return .refused(.invalidSchedule) }
        var validity: Int64?
        if let end = PDUTime(frame[view.validityPeriod]) {
            let seconds = end.seconds(from: now.wall / 1_000_000) - now.wall / 1_000_000
            guard seconds > 0 else { return .refused(.invalidExpiry) }
            validity = min(seconds, MessageShape.validity.upperBound)
        }
        guard let (written, part) = text(view, frame, account) else { return .refused(.submitFailed) }
        var text = written
        guard text.utf8.count <= textMaximum, MessageShape.text(text) == nil else { return .refused(.invalidMessageLength) }
        var isMasked = false
        switch CardNumbers.examine(text, cards) {
        case .clean: break
        case .masked(let masked): (text, isMasked) = (masked, true)
        case .refused: return .cardNumber
        }
        return .submission(
            Submission(
                source: source.number, messageClass: source.defaultClass, to: to, from: from, text: text,
                userDataHeader: part?.header ?? [], partOctets: isMasked ? [] : part?.octets ?? [],
                partAlphabet: isMasked ? 0 : part?.alphabet.rawValue ?? 0, wishes: wishes(view, frame), reference: reference(view, frame),
                validity: validity, tells: Submission.Tells(view.registeredDelivery), receivedAt: now),
            isMasked: isMasked)
    }

    /// Octets of a part: 160 septets unpacked.
    private static let partMaximum = 160
    /// Bytes of UTF-8: more than the most parts hold in any alphabet.
    private static let textMaximum = 8192

    /// International, with or without the plus sign.
    private static func number(_ octets: UnsafeRawBufferPointer) -> PhoneNumber? {
        let digits = octets.first == UInt8(ascii: "+") ? UnsafeRawBufferPointer(rebasing: octets.dropFirst()) : octets
        return try? PhoneNumber.parse([UInt8(ascii: "+")] + digits)
    }

    private static func sender(_ text: String, _ source: Source) -> String? {
        if text.isEmpty { return source.defaultSender }
        let text = text.first == "+" ? String(text.dropFirst()) : text
        guard MessageShape.isSender(text), source.senders.isEmpty || source.senders.contains(text) else { return nil }
        return text
    }

    /// A part that its sender cut: the header before it, and its octets as they came.
    private struct OwnPart {
        var header: [UInt8]
        var octets: [UInt8]
        var alphabet: Alphabet
    }

    /// What the sender wishes: message class 0 by data_coding or by dest_addr_subunit 1 (SMPP 3.4, section 5.3.2.1), and
    /// replace_if_present_flag.
    private static func wishes(_ view: MessageView, _ frame: Frame) -> MessageWishes {
        var wishes: MessageWishes = []
        if AlphabetProfile.isFlash(view.dataCoding) { wishes.insert(.flash) }
        if !view.parameters.area.isEmpty, let subunit = view.parameters.first(.destinationSubunit, in: frame).map({ frame[$0] }),
            subunit.count == 1, subunit[0] == 1
        {
            wishes.insert(.flash)
        }
        if view.replaceIfPresent == 1 { wishes.insert(.replacesPending) }
        return wishes
    }

    /// The text, and the part that it is when the sender cut it itself. Nil: nothing that can be read as text.
    private static func text(_ view: MessageView, _ frame: Frame, _ account: SMPPAccount) -> (String, OwnPart?)? {
        var octets = frame[view.content]
        var header: [UInt8] = []
        if view.esmClass.hasUserDataHeader {
            guard let count = octets.first.map({ Int($0) + 1 }), count > 1, count < octets.count else { return nil }
            header = Array(octets[..<count])
            octets = UnsafeRawBufferPointer(rebasing: octets[count...])
        } else if let made = concatenation(view.parameters, frame) {
            header = made
        }
        let number = view.dataCoding == 0 ? account.defaultCoding.dataCoding : view.dataCoding
        guard let coding = SMSText.Coding(dataCoding: number) else { return nil }
        guard !header.isEmpty else { return (SMSText.decode(octets, coding), nil) }
        // The header may name national tables. The text is for people; what goes out are these octets, where the operator takes them.
        let text = SMSText.decode(octets, coding, header: UserDataHeader.parse(header))
        return (text, OwnPart(header: header, octets: octets.count > partMaximum ? [] : Array(octets), alphabet: coding.alphabet))
    }

    /// The header that the sar_ parameters stand for (SMPP 3.4, sections 5.3.2.22 to 24); `SubmitRules` has checked them.
    private static func concatenation(_ parameters: ParameterList, _ frame: Frame) -> [UInt8]? {
        guard !parameters.area.isEmpty, let reference = parameters.first(.sarReference, in: frame).map({ frame[$0] }),
            let total = parameters.first(.sarTotal, in: frame).map({ frame[$0][0] }), total > 1,
            let number = parameters.first(.sarNumber, in: frame).map({ frame[$0][0] })
        else { return nil }
        return [6, 8, 4, reference[0], reference[1], total, number]
    }

    /// user_message_reference, kept as the message's reference and given back in its receipt.
    private static func reference(_ view: MessageView, _ frame: Frame) -> String {
        guard !view.parameters.area.isEmpty, let value = view.parameters.first(.userMessageReference, in: frame).map({ frame[$0] }),
            value.count == 2
        else { return "" }
        return String(UInt16(value[0]) << 8 | UInt16(value[1]))
    }
}

extension Submission.Tells {
    init(_ registered: RegisteredDelivery) {
        switch registered.receipt {
        case .none: self = []
        case .always: self = [.delivered, .failed]
        case .failure: self = [.failed]
        case .success: self = [.delivered]
        }
    }
}

extension SMPPDoor {
    /// Reads one message and counts what the guard on card numbers did to it.
    func read(
        _ view: MessageView, _ frame: Frame, to destination: UnsafeRawBufferPointer? = nil, _ account: SMPPAccountBinds, _ source: Source,
        _ now: Instant
    ) -> SubmitReading {
        let reading = SubmitReading.read(view, frame, to: destination, account.settings, source, cards: cardNumbers, now: now)
        switch reading {
        case .submission(_, let isMasked): if isMasked { counters.cardsMasked += 1 }
        case .cardNumber: counters.cardsRefused += 1
        case .refused: break
        }
        return reading
    }
}

extension Submission {
    /// Parts that it counts as for an account's rate.
    var partsWanted: Int { userDataHeader.isEmpty ? SMSText.plan(text).parts : 1 }
}

extension SMPPAccount.DefaultCoding {
    var dataCoding: UInt8 {
        switch self {
        case .gsm7: 0
        case .ascii: 1
        case .latin1: 3
        }
    }
}

extension Refusal {
    /// What a client is told. What it should try again later is ESME_RTHROTTLED or ESME_RMSGQFUL, which every client knows so.
    var status: CommandStatus {
        switch self {
        case .tooManyParts: .invalidMessageLength
        case .noAlphabet: .rejectMessage
        case .noRoute: .invalidDestination
        case .full, .rateLimited, .quotaUsedUp: .throttled
        case .storage: .queueFull
        // This door gives no idempotency keys and no events.
        case .stopping, .keyReused, .keyInFlight, .noRulebook, .eventTooLarge: .systemError
        }
    }
}
