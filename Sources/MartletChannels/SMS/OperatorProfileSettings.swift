public import MartletModel
import SMSText

/// An operator's profile as its words stand in the settings file; nil and empty: as the preset has it.
public struct OperatorProfileWords: Equatable, Sendable {
    public var preset: String
    public var dataCodingZero: String?
    public var alphabets: [String]?
    public var dataCodings: String
    public var flash: String?
    public var concatenation: String
    public var transliteration: [String]?
    public var intermediateReceipts: Bool
    public var replaceIfPresent: Bool
    public var receiptID: String
    public var query: Bool
    public var cancel: Bool

    public init(
        preset: String = "standard", dataCodingZero: String? = nil, alphabets: [String]? = nil, dataCodings: String = "",
        flash: String? = nil, concatenation: String = "udh8", transliteration: [String]? = nil, intermediateReceipts: Bool = false,
        replaceIfPresent: Bool = true, receiptID: String = "learn", query: Bool = true, cancel: Bool = true
    ) {
        self.preset = preset
        self.dataCodingZero = dataCodingZero
        self.alphabets = alphabets
        self.dataCodings = dataCodings
        self.flash = flash
        self.concatenation = concatenation
        self.transliteration = transliteration
        self.intermediateReceipts = intermediateReceipts
        self.replaceIfPresent = replaceIfPresent
        self.receiptID = receiptID
        self.query = query
        self.cancel = cancel
    }

    /// The profile, and all that is wrong with its words.
    public func read() -> (profile: OperatorProfile, faults: [SMPPSettingsFault]) {
        var faults: [SMPPSettingsFault] = []
        func fault(_ setting: String, _ reason: String) { faults.append(SMPPSettingsFault(setting: setting, reason: reason)) }
        func choose<Choice>(_ word: String, _ setting: String, _ words: [(String, Choice)], or fallback: Choice) -> Choice {
            if let found = words.first(where: { $0.0 == word }) { return found.1 }
            fault(setting, "'\(word)' is not one of \(words.map(\.0).joined(separator: ", "))")
            return fallback
        }
        let preset = choose(self.preset, "profile", OperatorProfile.Preset.allCases.map { ($0.rawValue, $0) }, or: .standard)
        let zero = dataCodingZero.map { choose($0, "dataCodingZero", Words.zero, or: .gsm7) } ?? preset.zero
        let form = flash.map { choose($0, "flash", Words.flash, or: .general) } ?? .general
        var numbers = AlphabetProfile(zero: zero, flash: form ?? .general)
        do {
            try Words.take(dataCodings, into: &numbers)
        } catch {
            faults.append(error)
        }
        var chosen = preset.alphabets
        if let alphabets {
            chosen = []
            for word in alphabets { chosen += choose(word, "alphabets", Words.alphabets, or: []) }
            if alphabets.isEmpty { fault("alphabets", "names none: leave it out for those of the profile") }
            if Set(chosen).count != chosen.count { fault("alphabets", "names an alphabet twice") }
        }
        for alphabet in chosen where numbers.dataCoding(for: alphabet) == nil {
            fault("alphabets", "\(alphabet.name) has no data_coding here: give it one in dataCodings, or take it out")
        }
        if let (one, other) = Words.clash(chosen, numbers) {
            fault("dataCodings", "\(one.name) and \(other.name) have the same number: a handset could not tell them apart")
        }
        var spellings = preset.transliteration
        if let transliteration {
            spellings = transliteration.flatMap { choose($0, "transliteration", Words.transliteration, or: []) }
        }
        if spellings.contains(.ukrainian), spellings.contains(.russian) {
            fault("transliteration", "ukrainian and russian are two tables for the same letters: choose one")
        }
        let concatenation = choose(concatenation, "concatenation", Words.concatenation, or: .udh8)
        let receiptID = choose(receiptID, "receiptId", OperatorProfile.ReceiptID.allCases.map { ($0.rawValue, $0) }, or: .learn)
        var inquiries: InquirySet = []
        if query { inquiries.insert(.query) }
        if cancel { inquiries.insert(.cancel) }
        let profile = OperatorProfile(
            numbers: numbers, hasFlash: form != nil, alphabets: chosen, concatenation: concatenation, transliteration: spellings,
            intermediateReceipts: intermediateReceipts, replacesPending: replaceIfPresent, receiptID: receiptID,
            inquiries: inquiries)
        return (profile, faults)
    }

    /// The words of the settings file.
    enum Words {
        static let zero: [(String, AlphabetProfile.Zero)] = [("gsm7", .gsm7), ("latin1", .latin1), ("ascii", .ascii)]
        /// `off`: nil.
        static let flash: [(String, AlphabetProfile.Flash?)] = [
            ("general", .general), ("messageClass", .messageClass), ("destinationSubunit", .destinationSubunit), ("off", nil),
        ]
        static let concatenation: [(String, Concatenation)] = [("udh8", .udh8), ("udh16", .udh16), ("sar", .sar), ("payload", .payload)]
        static let alphabets: [(String, [Alphabet])] = [
            ("gsm7", [.gsm7]), ("ascii", [.ascii]), ("latin1", [.latin1]), ("cyrillic", [.cyrillic]), ("ucs2", [.ucs2]),
            ("turkish", .turkish), ("spanish", .spanish), ("portuguese", .portuguese),
        ]
        static let transliteration: [(String, [Transliteration])] = Transliteration.allCases.map { ($0.rawValue, [$0]) }
        private static let numbered = ["gsm7", "ascii", "latin1", "cyrillic", "ucs2"]

        /// `gsm7=0x11 ucs2=8`; `latin1=none` for an alphabet that has no number.
        static func take(_ text: String, into numbers: inout AlphabetProfile) throws(SMPPSettingsFault) {
            for pair in text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "\n" }) {
                let halves = pair.split(separator: "=", omittingEmptySubsequences: false)
                guard halves.count == 2, numbered.contains(String(halves[0])) else {
                    let words = numbered.joined(separator: ", ")
                    throw SMPPSettingsFault(setting: "dataCodings", reason: "cannot read `\(pair)`: write gsm7=0x11, of \(words)")
                }
                let digits = halves[1]
                let isHex = digits.hasPrefix("0x") || digits.hasPrefix("0X")
                let number = isHex ? UInt8(digits.dropFirst(2), radix: 16) : UInt8(digits)
                guard number != nil || digits == "none" else {
                    throw SMPPSettingsFault(setting: "dataCodings", reason: "`\(digits)` is neither 0 to 255, 0x00 to 0xFF, nor none")
                }
                switch halves[0] {
                case "gsm7": numbers.gsm7 = number
                case "ascii": numbers.ascii = number
                case "latin1": numbers.latin1 = number
                case "cyrillic": numbers.cyrillic = number
                default: numbers.ucs2 = number
                }
            }
        }

        /// Two of the alphabets under one number. The national tables are GSM 7-bit's.
        static func clash(_ alphabets: [Alphabet], _ numbers: AlphabetProfile) -> (Alphabet, Alphabet)? {
            var seen: [(number: UInt8, alphabet: Alphabet)] = []
            for alphabet in alphabets {
                let base: Alphabet = alphabet.singleShift == 0 && alphabet.lockingShift == 0 ? alphabet : .gsm7
                guard let number = numbers.dataCoding(for: base) else { continue }
                if let other = seen.first(where: { $0.number == number && $0.alphabet != base }) { return (other.alphabet, base) }
                seen.append((number, base))
            }
            return nil
        }
    }
}

extension OperatorProfileWords {
    private static func setting(_ name: String, _ kind: Setting.Kind, default fallback: String, doc: String) -> Setting {
        Setting("connections[].\(name)", kind, default: fallback, reload: .live, doc: "\(doc) The same for all connections of a group.")
    }

    public static let profileSetting = setting(
        "profile", .choice(OperatorProfile.Preset.allCases.map(\.rawValue)), default: "standard",
        doc: "What the operator takes, by a short name; the settings below go over it. "
            + OperatorProfile.Preset.allCases.map { "`\($0.rawValue)`: \($0.doc)." }.joined(separator: " "))
    public static let alphabetsSetting = setting(
        "alphabets", .list(of: "alphabet"), default: "[]",
        doc: """
            Alphabets that may be used, the preferred ones first: gsm7, turkish, spanish, portuguese (GSM 7-bit with that country's tables), \
            ascii, latin1, cyrillic, ucs2. GSM 7-bit is taken when it is named and has every letter, else the one with the fewest parts, of \
            equals the one named first. Empty: those of the profile.
            """)
    public static let zeroSetting = setting(
        "dataCodingZero", .text(maximumBytes: 6), default: "",
        doc: "What data_coding 0 means to the operator: gsm7, latin1, ascii. Empty: as in the profile.")
    public static let dataCodingsSetting = setting(
        "dataCodings", .text(maximumBytes: 200), default: "",
        doc: """
            The operator's own numbers of data_coding where they are not those of SMPP 3.4: pairs with blanks between them, such as \
            `gsm7=0x11 latin1=none`. Of gsm7, ascii, latin1, cyrillic, ucs2.
            """)
    public static let flashSetting = setting(
        "flash", .text(maximumBytes: 20), default: "",
        doc: """
            How a message that is shown at once is asked for: general (data_coding 0x10, 0x18), messageClass (0xF0, UCS-2 0x18), \
            destinationSubunit (the parameter dest_addr_subunit), off (it goes like any other). Empty: general.
            """)
    public static let concatenationSetting = setting(
        "concatenation", .choice(Words.concatenation.map(\.0)), default: "udh8",
        doc: """
            How long texts are put together: by a user data header with an 8-bit (`udh8`) or 16-bit (`udh16`) reference, by the parameters \
            sar_* (`sar`), or in one submit with the parameter message_payload, which the operator cuts (`payload`).
            """)
    public static let transliterationSetting = setting(
        "transliteration", .list(of: "spelling"), default: "[]",
        doc: """
            Other spellings of a text that may be sent where they save a part, or where no alphabet has the text as it is: typographic, \
            lookAlikes, baseLetters, ukrainian or russian. Empty: as in the profile, which is none but for `gsm7`.
            """)
    public static let intermediateSetting = setting(
        "intermediateReceipts", .flag, default: "false",
        doc: "Ask for notifications on the way (registered_delivery 0x11); they stand in the story and change no state.")
    public static let replaceSetting = setting(
        "replaceIfPresent", .flag, default: "true",
        doc: """
            Pass replace_if_present_flag on where a message of one submit asks for it. Off where the operator refuses it: it is then sent as \
            another message.
            """)
    public static let receiptIDSetting = setting(
        "receiptId", .choice(OperatorProfile.ReceiptID.allCases.map(\.rawValue)), default: "learn",
        doc: """
            How a receipt's message id becomes the one of the answer. `learn`: found out from receipts, and kept over restarts. `asIs`: it is \
            the same. `hexToDecimal`: receipts are hexadecimal and answers decimal; `decimalToHex`: the other way round. Leading zeros and \
            case never matter.
            """)

    public static let querySetting = setting(
        "query", .flag, default: "true",
        doc: """
            Ask the operator (query_sm) about a message whose final receipt stays out, as the class table says. An operator that does not know \
            the command, or does not answer, is left alone for an hour. Off where the operator charges for it or forbids it.
            """)
    public static let cancelSetting = setting(
        "cancel", .flag, default: "true",
        doc: """
            Tell the operator to forget (cancel_sm) a one-time code past its deadline, and a message that its source cancels after the operator \
            took it.
            """)

    public static let all: [Setting] = [
        profileSetting, alphabetsSetting, zeroSetting, dataCodingsSetting, flashSetting, concatenationSetting, transliterationSetting,
        intermediateSetting, replaceSetting, receiptIDSetting, querySetting, cancelSetting,
    ]
}
