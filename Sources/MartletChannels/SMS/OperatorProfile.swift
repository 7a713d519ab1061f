public import MartletModel
public import SMPP
public import SMSText

/// What one operator takes and how it speaks: all connections of a group have the same one.
public struct OperatorProfile: Equatable, Sendable {
    /// data_coding by alphabet, and what 0 means.
    public var numbers: AlphabetProfile
    /// False: nothing is shown at once; such a message goes like any other.
    public var hasFlash: Bool
    /// Which alphabets, how long texts are put together, how far a text is spelled otherwise. The core counts by it.
    public var rules: TextRules
    /// Intermediate notifications are asked for beside the receipt of the end.
    public var intermediateReceipts: Bool
    /// replace_if_present_flag is passed on where a message asks for it.
    public var replacesPending: Bool
    public var receiptID: ReceiptID
    /// What the operator may be asked about messages that it took.
    public var inquiries: InquirySet

    /// How a receipt's message id becomes the answer's.
    public enum ReceiptID: String, CaseIterable, Sendable {
        /// Found out from receipts.
        case learn
        case asIs
        case hexToDecimal
        case decimalToHex

        /// Nil: it is learnt.
        public var conversion: MessageIdentifier.Conversion? { MessageIdentifier.Conversion(rawValue: rawValue) }
    }

    public init(
        numbers: AlphabetProfile = .standard, hasFlash: Bool = true, alphabets: [Alphabet] = [.gsm7, .ucs2],
        concatenation: Concatenation = .udh8, transliteration: [Transliteration] = [], intermediateReceipts: Bool = false,
        replacesPending: Bool = true, receiptID: ReceiptID = .learn, inquiries: InquirySet = .all
    ) {
        self.numbers = numbers
        self.hasFlash = hasFlash
        rules = TextRules(
            options: TextOptions(alphabets: alphabets, concatenation: concatenation), profile: numbers, hasFlash: hasFlash,
            spellings: transliteration)
        self.intermediateReceipts = intermediateReceipts
        self.replacesPending = replacesPending
        self.receiptID = receiptID
        self.inquiries = inquiries
    }

    /// As SMPP 3.4 has it and nearly all operators do.
    public static let standard = OperatorProfile()

    /// registered_delivery of every submit: the end is always asked for, since it is what a message's state hangs on.
    var registeredDelivery: RegisteredDelivery { RegisteredDelivery(receipt: .always, intermediate: intermediateReceipts) }

    /// The setting in which two connections of one group differ first; nil: they agree.
    public func difference(from other: OperatorProfile) -> String? {
        if rules.options.alphabets != other.rules.options.alphabets { return "alphabets" }
        if numbers.zero != other.numbers.zero { return "dataCodingZero" }
        if hasFlash != other.hasFlash || numbers.flash != other.numbers.flash { return "flash" }
        if numbers != other.numbers { return "dataCodings" }
        if rules.options.concatenation != other.rules.options.concatenation { return "concatenation" }
        if rules != other.rules { return "transliteration" }
        if intermediateReceipts != other.intermediateReceipts { return "intermediateReceipts" }
        if replacesPending != other.replacesPending { return "replaceIfPresent" }
        if receiptID != other.receiptID { return "receiptId" }
        if inquiries == other.inquiries { return nil }
        return inquiries.contains(.query) == other.inquiries.contains(.query) ? "cancel" : "query"
    }
}

extension OperatorProfile {
    /// A profile by its short name; single settings go over it.
    public enum Preset: String, CaseIterable, Sendable {
        case standard, latin1, ascii, turkish, spanish, portuguese, cyrillic, gsm7

        /// One line for the manual.
        public var doc: String {
            switch self {
            case .standard: "GSM 7-bit as 0, UCS-2 as 8; what nearly all operators take"
            case .latin1: "0 is ISO 8859-1; else UCS-2"
            case .ascii: "0 is ASCII, turned into GSM 7-bit by the operator; else UCS-2"
            case .turkish: "as standard, with the Turkish tables"
            case .spanish: "as standard, with the Spanish table"
            case .portuguese: "as standard, with the Portuguese tables"
            case .cyrillic: "as standard, with ISO 8859-5 as 6"
            case .gsm7: "GSM 7-bit alone: whatever it lacks is spelled otherwise, Cyrillic in Latin as in Russian passports"
            }
        }

        var zero: AlphabetProfile.Zero {
            switch self {
            case .latin1: .latin1
            case .ascii: .ascii
            case .standard, .turkish, .spanish, .portuguese, .cyrillic, .gsm7: .gsm7
            }
        }

        var alphabets: [Alphabet] {
            switch self {
            case .standard: [.gsm7, .ucs2]
            case .latin1: [.latin1, .ucs2]
            case .ascii: [.ascii, .ucs2]
            case .turkish: [.gsm7] + .turkish + [.ucs2]
            case .spanish: [.gsm7] + .spanish + [.ucs2]
            case .portuguese: [.gsm7] + .portuguese + [.ucs2]
            case .cyrillic: [.gsm7, .cyrillic, .ucs2]
            case .gsm7: [.gsm7]
            }
        }

        var transliteration: [Transliteration] {
            self == .gsm7 ? [.typographic, .lookAlikes, .baseLetters, .russian] : []
        }
    }
}
