/// `data_coding` as one operator means it. The specification's number 0 is "the SMSC default alphabet" (SMPP 3.4, 5.2.19), which is GSM
/// 7-bit at most operators, and ISO 8859-1 or ASCII at some: there an `@` sent as code 0 arrives as nothing, and `_` as a section sign.
///
/// National tables go with the number of GSM 7-bit.
public struct AlphabetProfile: Sendable, Hashable {
    /// What number 0 means.
    public enum Zero: Sendable, Hashable, CaseIterable {
        case gsm7, latin1, ascii
    }

    /// How a flash message, shown at once and not kept (message class 0), is asked for.
    public enum Flash: Sendable, Hashable, CaseIterable {
        /// By the general data coding group (3GPP TS 23.038, 4): 0x10 GSM 7-bit, 0x14 8-bit data, 0x18 UCS-2.
        case general
        /// By the data coding / message class group: 0xF0 GSM 7-bit, 0xF4 8-bit data. It has no UCS-2, which stays 0x18.
        case messageClass
        /// By the TLV dest_addr_subunit = 1 beside an unchanged `data_coding` (SMPP 3.4, 5.3.2.1), for every alphabet.
        case destinationSubunit
    }

    public var zero: Zero
    public var flash: Flash
    /// Number of GSM 7-bit; nil: the operator has no number for it.
    public var gsm7: UInt8?
    public var ascii: UInt8?
    public var latin1: UInt8?
    public var cyrillic: UInt8?
    public var binary: UInt8?
    public var ucs2: UInt8?

    /// As the specification has it, save for what 0 means; the numbers can be changed afterwards.
    public init(zero: Zero = .gsm7, flash: Flash = .general) {
        self.zero = zero
        self.flash = flash
        gsm7 = zero == .gsm7 ? 0 : nil
        ascii = zero == .ascii ? 0 : 1
        latin1 = zero == .latin1 ? 0 : 3
        binary = 4
        cyrillic = 6
        ucs2 = 8
    }

    /// The specification's numbers, 0 GSM 7-bit.
    public static let standard = AlphabetProfile()

    /// The number to send a text with; nil when the operator has none for it, or none for a flash message in that alphabet.
    public func dataCoding(for alphabet: Alphabet, flash wanted: Bool = false) -> UInt8? {
        guard let plain = number(of: alphabet) else { return nil }
        guard wanted, flash != .destinationSubunit else { return plain }
        switch (alphabet.form, alphabet) {
        case (.septets, _): return flash == .general ? 0x10 : 0xF0
        case (_, .binary): return flash == .general ? 0x14 : 0xF4
        case (.utf16, _): return 0x18
        case (.ascii, _), (.octets, _): return nil
        }
    }

    /// Whether a flash message wants the TLV dest_addr_subunit = 1.
    public var flashWantsSubunit: Bool { flash == .destinationSubunit }

    private func number(of alphabet: Alphabet) -> UInt8? {
        switch alphabet {
        case .gsm7, .turkishShift, .turkishLocking, .spanishShift, .portugueseShift, .portugueseLocking: gsm7
        case .ascii: ascii
        case .latin1: latin1
        case .cyrillic: cyrillic
        case .binary: binary
        case .ucs2: ucs2
        }
    }

    /// What a number that the operator sent means: its own numbers first, then the specification's message classes and waiting
    /// indications. Nil: not known, treat as octets.
    public func alphabet(of dataCoding: UInt8) -> Alphabet? {
        if dataCoding == 0 {
            switch zero {
            case .gsm7: return .gsm7
            case .latin1: return .latin1
            case .ascii: return .ascii
            }
        }
        for alphabet in [Alphabet.gsm7, .ascii, .latin1, .binary, .cyrillic, .ucs2] where number(of: alphabet) == dataCoding {
            return alphabet
        }
        switch dataCoding {
        case 0x02, 0x04, 0x14...0x17, 0xF4...0xF7: return .binary
        default: break
        }
        switch SMSText.Coding(dataCoding: dataCoding) {
        case .gsm7: return .gsm7
        case .ascii: return .ascii
        case .latin1: return .latin1
        case .cyrillic: return .cyrillic
        case .ucs2: return .ucs2
        case nil: return nil
        }
    }

    /// Whether a number asks a phone to show the message at once (class 0).
    public static func isFlash(_ dataCoding: UInt8) -> Bool {
        switch dataCoding {
        case 0x10, 0x14, 0x18, 0xF0, 0xF4: true
        default: false
        }
    }

    /// Of `alphabets`, those that the operator has a number for.
    public func allowed(_ alphabets: [Alphabet]) -> [Alphabet] { alphabets.filter { number(of: $0) != nil } }

    /// The text of one inbound part, its header taken off, as the operator means its `data_coding`.
    public func decode(_ octets: some Collection<UInt8>, dataCoding: UInt8, header: UserDataHeader? = nil) -> String {
        SMSText.decode(octets, alphabet(of: dataCoding).flatMap(SMSText.Coding.init(_:)), header: header)
    }
}
