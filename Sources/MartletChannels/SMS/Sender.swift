import SMPP

/// The sender id as an SMPP address: a name is alphanumeric (5/0), digits are international (1/1) from 7 on, fewer are a short
/// code (3/0). Settings may say otherwise for an operator.
enum Sender {
    /// 3GPP TS 23.040, 9.1.2.5: 11 characters of 7 bits fill the address of a short message.
    static let nameMaximum = 11
    static let digitsMaximum = 15

    /// Nil when it cannot stand in an address: empty, too long, or not plain ASCII.
    static func address(_ from: String, ton: UInt8?, npi: UInt8?) -> Address? {
        let digits = from.hasPrefix("+") ? from.dropFirst() : from[...]
        if !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
            guard digits.utf8.count <= digitsMaximum, let text = ShortText(digits) else { return nil }
            let long = text.count >= 7
            return Address(ton: ton ?? (long ? 1 : 3), npi: npi ?? (long ? 1 : 0), text: text)
        }
        guard !from.isEmpty, from.utf8.count <= nameMaximum, let text = ShortText(from) else { return nil }
        return Address(ton: ton ?? 5, npi: npi ?? 0, text: text)
    }
}
