/// What an operator lets a text be: its settings, told to the planner.
public struct TextOptions: Sendable, Hashable {
    /// Alphabets that may be used. When `gsm7` is among them and has every letter it is taken; else, of those that have every
    /// letter, the one that needs the fewest parts, and of equals the one named first. `binary` is no text and is passed over.
    public var alphabets: [Alphabet]
    public var concatenation: Concatenation

    public init(alphabets: [Alphabet] = [.gsm7, .ucs2], concatenation: Concatenation = .udh8) {
        self.alphabets = alphabets
        self.concatenation = concatenation
    }

    /// GSM 7-bit or UCS-2, 8-bit references.
    public static let standard = TextOptions()
}

/// What a text will cost on the air, known before anything is encoded.
public struct TextPlan: Sendable, Hashable {
    public let alphabet: Alphabet
    /// Messages on the air, which is what a handset shows as one and an operator bills: 1, or as many as the cutting rules need.
    /// Over `SMSText.partsMax` the text can be planned but not encoded. With `.payload` the operator cuts by its own rules: where
    /// it cuts escapes or clusters its count may be lower by one than this.
    public let parts: Int
    /// Units of the whole text, headers not counted: septets (extension characters count 2), octets or UTF-16 units.
    public let units: Int
    /// The first letter that is in no default GSM 7-bit table and so forces another alphabet; nil when there is none.
    public let firstForcing: Unicode.Scalar?
    public let concatenation: Concatenation

    /// Messages to submit: the parts, or 1 when the text goes as one `message_payload`.
    public var submits: Int { needsPayload ? 1 : parts }
    /// Whether each submit starts with a user data header (set the UDHI bit in SMPP's `esm_class`).
    public var hasHeader: Bool { headerOctets > 0 }
    /// Octets of that header, its length octet included; 0: none.
    public var headerOctets: Int {
        parts > 1 && concatenation.headerOctets > 0
            ? concatenation.headerOctets + alphabet.languageOctets : alphabet.messageHeaderOctets
    }
    /// Whether each part wants the TLVs sar_msg_ref_num, sar_total_segments (`parts`) and sar_segment_seqnum (from 1).
    public var needsSegmentTLVs: Bool { parts > 1 && concatenation == .sar }
    /// Whether the octets belong in the TLV message_payload instead of short_message.
    public var needsPayload: Bool { parts > 1 && concatenation == .payload }
    /// The SMPP `data_coding` of every part, as the specification has it.
    public var dataCoding: UInt8 { alphabet.dataCoding }
    /// Units one part of this plan can hold on the air.
    public var unitsPerPart: Int { parts > 1 ? concatenation.unitsMax(of: alphabet) : alphabet.unitsMax }
}

/// Why a text could not be planned or encoded. No case says anything about the text itself.
public enum TextFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The total is one octet in the header: at most 255 parts.
    case tooManyParts(Int)
    /// Submits are numbered from 0 to `submits - 1`.
    case noSuchPart(Int, of: Int)
    /// The plan was not made from this text.
    case planOfAnotherText
    /// None of the allowed alphabets has every letter of the text.
    case noAlphabet

    public var description: String {
        switch self {
        case .tooManyParts(let parts): "text needs \(parts) parts, at most \(SMSText.partsMax) can be numbered"
        case .noSuchPart(let part, let parts): "no part \(part) in a text of \(parts) parts (numbered from 0)"
        case .planOfAnotherText: "the plan was made from another text"
        case .noAlphabet: "no alphabet that is allowed has every letter of the text"
        }
    }
}
