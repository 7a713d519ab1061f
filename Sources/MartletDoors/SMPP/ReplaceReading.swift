import MartletModel
import SMPP
import SMSText

/// A replace_sm as what is to change, or the command_status that says what is wrong with it (SMPP 3.4, section 4.10).
enum ReplaceReading {
    struct Fault: Error {
        var status: CommandStatus
        /// For its text holds a card number.
        var isCard = false
    }

    /// - Returns: `isMasked`: a card number in the text was made unreadable.
    static func read(
        _ replace: Replace, _ account: SMPPAccount, cards: CardNumbers.Policy, now: Instant
    ) -> Result<(change: Replacement, isMasked: Bool), Fault> {
        guard replace.scheduleDeliveryTime.isEmpty else { return .failure(Fault(status: .invalidSchedule)) }
        var validity: Int64?
        if !replace.validityPeriod.isEmpty {
            guard let end = replace.validityPeriod.withBytes({ PDUTime($0) }) else { return .failure(Fault(status: .invalidExpiry)) }
            let seconds = end.seconds(from: now.wall / 1_000_000) - now.wall / 1_000_000
            guard seconds > 0 else { return .failure(Fault(status: .invalidExpiry)) }
            validity = min(seconds, MessageShape.validity.upperBound)
        }
        // The PDU has no data_coding: the text is in the account's default alphabet, whatever the first one was in.
        var text = replace.shortMessage.withUnsafeBytes { SMSText.decode($0, dataCoding: account.defaultCoding.dataCoding) }
        guard MessageShape.text(text) == nil else { return .failure(Fault(status: .invalidMessageLength)) }
        var isMasked = false
        switch CardNumbers.examine(text, cards) {
        case .clean: break
        case .masked(let masked): (text, isMasked) = (masked, true)
        case .refused: return .failure(Fault(status: .replaceFailed, isCard: true))
        }
        return .success((Replacement(text: text, validity: validity, tells: Submission.Tells(replace.registeredDelivery)), isMasked))
    }
}
