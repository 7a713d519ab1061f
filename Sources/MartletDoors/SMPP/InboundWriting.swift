import MartletModel
import SMPP
import SMSText

/// The deliver_sm that brings a client a message from a handset. Long texts go whole in message_payload (SMPP 3.4, section 5.3.2.32):
/// Martlet has put the parts together already.
enum InboundWriting {
    static func message(_ notice: Notice) -> Message {
        let payload = notice.payload
        var fields = MessageFields()
        fields.source = ReceiptWriting.address(payload.reference)
        fields.destination = ReceiptWriting.address(payload.from)
        let plan = SMSText.plan(payload.text, concatenation: .payload)
        fields.dataCoding = plan.dataCoding
        var octets: [UInt8] = []
        do throws(TextFault) {
            try SMSText.encode(payload.text, plan: plan, reference: 0, part: 0, into: &octets)
        } catch {
            // More parts than any message has; it cannot have come in.
            octets = []
        }
        // The field's own bound (section 5.2.21).
        guard octets.count > 254 else { return Message(fields: fields, shortMessage: octets) }
        return Message(fields: fields, parameters: [Parameter(.messagePayload, .octets(octets))])
    }
}
