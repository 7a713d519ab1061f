import NIOCore
import SMPP
import SMSText

/// What a subscriber wrote to the bank, for the handsets page.
struct Written: Sendable, Equatable {
    var n: UInt64
    var atMicros: Int64
    var from: String
    var to: String
    var text: String
}

/// The newest that subscribers wrote, numbered from 1.
struct WrittenRing {
    static let keep = 200
    private var kept: [Written] = []
    private(set) var newest: UInt64 = 0

    mutating func append(from: String, to: String, _ text: String, atMicros: Int64) {
        newest += 1
        kept.append(Written(n: newest, atMicros: atMicros, from: from, to: to, text: text))
        if kept.count > WrittenRing.keep { kept.removeFirst() }
    }

    func messages(after n: UInt64) -> [Written] { kept.filter { $0.n > n } }
}

extension SMSCCore {
    /// A subscriber writes to the bank: deliver_sm to a bind that receives, a long text in parts. They wait for a bind like receipts.
    /// - Returns: the parts; nil when an address does not fit its field or the text has too many.
    func write(from handset: String, to: String, _ text: String) -> Int? {
        guard let source = ShortText(handset), let destination = ShortText(to), source.count <= 20, destination.count <= 20 else {
            return nil
        }
        let plan = SMSText.plan(text)
        var fields = MessageFields()
        fields.source = Address(ton: 1, npi: 1, text: source)
        fields.destination = Address(ton: 3, npi: 0, text: destination)
        fields.dataCoding = plan.dataCoding
        fields.esmClass = plan.hasHeader ? .userDataHeader : EsmClass()
        written &+= 1
        var pdus: [ByteBuffer] = []
        var isFine = true
        do throws(TextFault) {
            try SMSText.forEachPart(text, plan: plan, reference: written) { _, octets in
                var pdu = ByteBuffer()
                isFine = pdu.writeMessage(.deliver, fields, sequence: 0, shortMessage: octets) == nil && isFine
                pdus.append(pdu)
            }
        } catch {
            return nil
        }
        guard isFine else { return nil }
        for pdu in pdus { pdu.withUnsafeReadableBytes { keepForBind($0) } }
        // The page names phones by their digits, as submits do.
        let phone = handset.hasPrefix("+") ? String(handset.dropFirst()) : handset
        writings.append(from: phone, to: to, text, atMicros: Moment.now().micros)
        hasRoom()
        return pdus.count
    }
}
