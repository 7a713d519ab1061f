import MartletModel
import SMPP
import SMSText

/// A replace_sm as what is to change, or the command_status that says what is wrong with it (SMPP 3.4, section 4.10).
enum ReplaceReading {
    struct Fault: Error { var status: CommandStatus }

    static func read(_ replace: Replace, _ account: SMPPAccount, now: Instant) -> Result<Replacement, Fault> {
        guard replace.scheduleDeliveryTime.isEmpty else { return .failure(Fault(status: .invalidSchedule)) }
        var validity: Int64?
        if !replace.validityPeriod.isEmpty {
            guard let end = replace.validityPeriod.withBytes({ PDUTime($0) }) else { return .failure(Fault(status: .invalidExpiry)) }
            let seconds = end.seconds(from: now.wall / 1_000_000) - now.wall / 1_000_000
            guard seconds > 0 else { return .failure(Fault(status: .invalidExpiry)) }
            validity = min(seconds, MessageShape.validity.upperBound)
        }
        // The PDU has no data_coding: the text is in the account's default alphabet, whatever the first one was in.
        let text = replace.shortMessage.withUnsafeBytes { SMSText.decode($0, dataCoding: account.defaultCoding.dataCoding) }
        guard MessageShape.text(text) == nil else { return .failure(Fault(status: .invalidMessageLength)) }
        return .success(Replacement(text: text, validity: validity, tells: Submission.Tells(replace.registeredDelivery)))
    }
}
