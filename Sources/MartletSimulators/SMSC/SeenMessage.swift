import SMPP
import SMSText

/// A kept message read for people: made only when somebody asks.
struct SeenMessage: Sendable, Equatable {
    var n: UInt64
    var atMicros: Int64
    var source: String
    var destination: String
    var dataCoding: UInt8
    var esmClass: UInt8
    var registeredDelivery: UInt8
    /// Part `part` of `parts`; 1 of 1 for a message of its own.
    var parts: Int
    var part: Int
    /// What the parts of one message share; 0 when there is one part.
    var reference: Int
    /// The text octets without the user data header.
    var body: [UInt8]
    /// Of the header; nil: there is none.
    var header: UserDataHeader?
    /// To be shown at once: by data_coding or dest_addr_subunit.
    var isFlash: Bool
    var replaceIfPresent: Bool
    /// What the operator means by data_coding.
    var alphabets: AlphabetProfile
    var messageId: String
    var progress: MessageRing.Progress

    /// nil only for octets that were never accepted as a submit.
    init?(_ kept: MessageRing.Kept, form: Behaviour.AnswerIdForm, alphabets: AlphabetProfile = .standard) {
        let read = kept.pdu.withUnsafeBytes { pdu -> (SubmitView, [UInt8])? in
            guard let view = try? SubmitView(pdu) else { return nil }
            return (view, Array(pdu[view.text]))
        }
        guard let (view, text) = read else { return nil }
        n = kept.n
        atMicros = kept.atMicros
        source = String(decoding: kept.pdu[view.source], as: UTF8.self)
        destination = String(decoding: kept.pdu[view.destination], as: UTF8.self)
        dataCoding = view.dataCoding
        esmClass = view.esmClass
        registeredDelivery = view.registeredDelivery
        messageId = MessageNumber(value: kept.number).text(form)
        progress = kept.progress
        self.alphabets = alphabets
        isFlash = AlphabetProfile.isFlash(view.dataCoding) || view.subunit == 1
        replaceIfPresent = view.replaceIfPresent == 1
        parts = 1
        part = 1
        reference = 0
        body = text
        if view.esmClass & 0x40 != 0, let header = UserDataHeader.parse(text) {
            self.header = header
            body = Array(text.dropFirst(header.octets))
            if let place = header.concatenation {
                parts = Int(place.total)
                part = Int(place.number)
                reference = Int(place.reference)
            }
        } else if view.sarTotal > 0, (1...view.sarTotal).contains(view.sarPart) {
            parts = Int(view.sarTotal)
            part = Int(view.sarPart)
            reference = Int(view.sarReference)
        }
    }

    var text: String { Self.text(body, dataCoding: dataCoding, header: header, alphabets) }

    /// Text where the coding is one; octets in hexadecimal where it is binary.
    static func text(
        _ octets: [UInt8], dataCoding: UInt8, header: UserDataHeader? = nil, _ alphabets: AlphabetProfile = .standard
    ) -> String {
        if let alphabet = alphabets.alphabet(of: dataCoding), alphabet != .binary {
            return alphabets.decode(octets, dataCoding: dataCoding, header: header)
        }
        let digits: [UInt8] = octets.flatMap { [Digits.hex($0 >> 4), Digits.hex($0 & 15)] }
        return String(decoding: digits, as: UTF8.self)
    }

    /// A word for people.
    static func alphabet(_ dataCoding: UInt8, header: UserDataHeader? = nil, _ alphabets: AlphabetProfile = .standard) -> String {
        switch alphabets.alphabet(of: dataCoding) {
        case .gsm7: header?.national ?? "GSM 7-bit"
        case .ascii: "ASCII"
        case .latin1: "Latin-1"
        case .cyrillic: "ISO 8859-5"
        case .ucs2: "UCS-2"
        default: "binary"
        }
    }

    var json: JSONText.Value {
        .map([
            ("n", .integer(Int(n))), ("at", .text(CivilTime(micros: atMicros).rfc3339)), ("atMicros", .integer(Int(atMicros))),
            ("source", .text(source)), ("destination", .text(destination)), ("text", .text(text)),
            ("dataCoding", .integer(Int(dataCoding))), ("esmClass", .integer(Int(esmClass))),
            ("registeredDelivery", .integer(Int(registeredDelivery))), ("parts", .integer(parts)), ("part", .integer(part)),
            ("reference", .integer(reference)), ("alphabet", .text(Self.alphabet(dataCoding, header: header, alphabets))),
            ("flash", .flag(isFlash)), ("replaceIfPresent", .flag(replaceIfPresent)), ("messageId", .text(messageId)),
            ("state", .text(progress.word)),
        ])
    }
}

extension UserDataHeader {
    /// A word for the national tables that it names; nil: none.
    fileprivate var national: String? {
        let language = lockingShift > 0 ? lockingShift : singleShift
        switch language {
        case 0: return nil
        case 1: return "GSM 7-bit, Turkish"
        case 2: return "GSM 7-bit, Spanish"
        case 3: return "GSM 7-bit, Portuguese"
        default: return "GSM 7-bit, table \(language)"
        }
    }
}
