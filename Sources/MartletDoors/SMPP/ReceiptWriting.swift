import MartletModel
import SMPP

/// The deliver_sm that tells a client of an end.
enum ReceiptWriting {
    static func message(_ notice: Notice, _ form: SMPPAccount.Receipts) -> Message {
        // ASCII alone: what the text's alphabet was is not the receipt's to say.
        let text = notice.payload.text.utf8.filter { $0 >= 0x20 && $0 < 0x7F }
        let facts = ReceiptFacts(
            id: notice.id.text, submitted: notice.id.milliseconds / 1000, done: notice.endedAt / 1000,
            state: state(notice.state, notice.reason), error: notice.error, text: text)
        let receipt = ReceiptForm(text: form.showsText ? .first(20) : .none, hasParameters: form.hasParameters)
        // The way back: from the handset to the sender.
        let handset = Address(ton: 1, npi: 1, text: ShortText(digits: notice.payload.to.digits))
        var message = receipt.message(facts, source: handset, destination: address(notice.payload.from))
        if form.hasParameters, let reference = UInt16(notice.payload.reference) {
            message.parameters.append(Parameter(.userMessageReference, .integer(UInt32(reference))))
        }
        return message
    }

    /// message_state of a message as a client knows it.
    static func state(_ state: MessageState, _ reason: EndReason) -> DeliveryState {
        switch state {
        case .delivered: .delivered
        case .expired: .expired
        case .cancelled: .deleted
        case .failed: reason == .refused || reason == .cannotBeEncoded ? .rejected : .undeliverable
        case .suppressed: .rejected
        case .received: .accepted
        case .queued, .submitted, .sent, .unknown, .planned: .enroute
        }
    }

    static func address(_ sender: String) -> Address {
        let text = ShortText(sender) ?? ShortText()
        guard sender.utf8.allSatisfy({ (48...57).contains($0) }) else { return Address(ton: 5, npi: 0, text: text) }
        return sender.utf8.count >= 7 ? Address(ton: 1, npi: 1, text: text) : Address(ton: 3, npi: 0, text: text)
    }
}

extension SMPPAccount.Receipts {
    var hasParameters: Bool { self == .full || self == .parameters }
    var showsText: Bool { self == .full || self == .text }
}
