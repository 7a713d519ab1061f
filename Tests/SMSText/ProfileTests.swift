import SMSText
import Testing

@Suite("data_coding as an operator means it")
struct ProfileTests {
    @Test("The specification's numbers, and national tables go with that of GSM 7-bit")
    func standard() {
        let numbers = Alphabet.allCases.map { AlphabetProfile.standard.dataCoding(for: $0) }
        #expect(numbers == Alphabet.allCases.map { $0.dataCoding })
        for alphabet in [Alphabet.gsm7, .ascii, .latin1, .binary, .cyrillic, .ucs2] {
            #expect(AlphabetProfile.standard.alphabet(of: alphabet.dataCoding) == alphabet)
        }
    }

    @Test("Where 0 means ISO 8859-1, GSM 7-bit has no number until it is given one")
    func zero() {
        var profile = AlphabetProfile(zero: .latin1)
        #expect(profile.dataCoding(for: .latin1) == 0)
        #expect(profile.dataCoding(for: .gsm7) == nil)
        #expect(profile.dataCoding(for: .turkishLocking, flash: true) == nil)
        #expect(profile.alphabet(of: 0) == .latin1)
        #expect(profile.alphabet(of: 3) == .latin1)
        #expect(profile.allowed([.gsm7, .latin1, .turkishShift, .ucs2]) == [.latin1, .ucs2])
        #expect(profile.decode([0xE9], dataCoding: 0) == "é")
        profile.gsm7 = 0x11
        #expect(profile.dataCoding(for: .gsm7) == 0x11)
        #expect(profile.alphabet(of: 0x11) == .gsm7)
        let ascii = AlphabetProfile(zero: .ascii)
        #expect(ascii.alphabet(of: 0) == .ascii)
        #expect(ascii.dataCoding(for: .ascii) == 0)
        #expect(ascii.decode([0x40], dataCoding: 0) == "@")
    }

    @Test("Flash is asked for in the operator's way; an alphabet without one has no number")
    func flash() {
        let general = AlphabetProfile(flash: .general)
        #expect(general.dataCoding(for: .gsm7, flash: true) == 0x10)
        #expect(general.dataCoding(for: .binary, flash: true) == 0x14)
        #expect(general.dataCoding(for: .ucs2, flash: true) == 0x18)
        #expect(general.dataCoding(for: .latin1, flash: true) == nil)
        #expect(general.dataCoding(for: .ascii, flash: true) == nil)
        #expect(!general.flashWantsSubunit)
        let group = AlphabetProfile(flash: .messageClass)
        #expect(group.dataCoding(for: .spanishShift, flash: true) == 0xF0)
        #expect(group.dataCoding(for: .binary, flash: true) == 0xF4)
        #expect(group.dataCoding(for: .ucs2, flash: true) == 0x18)
        let subunit = AlphabetProfile(flash: .destinationSubunit)
        #expect(subunit.dataCoding(for: .cyrillic, flash: true) == 6)
        #expect(subunit.flashWantsSubunit)
        for number: UInt8 in [0x10, 0x14, 0x18, 0xF0, 0xF4] { #expect(AlphabetProfile.isFlash(number)) }
        #expect(!AlphabetProfile.isFlash(0x11))
    }

    @Test("Message classes and waiting indications are read as their alphabet, what is unknown as octets")
    func inbound() {
        let profile = AlphabetProfile.standard
        for number: UInt8 in [0x11, 0xC8, 0xD0, 0xF1] { #expect(profile.alphabet(of: number) == .gsm7) }
        for number: UInt8 in [0x02, 0x15, 0xF5] { #expect(profile.alphabet(of: number) == .binary) }
        for number: UInt8 in [0x19, 0xE0] { #expect(profile.alphabet(of: number) == .ucs2) }
        #expect(profile.alphabet(of: 0x05) == nil)
        #expect(profile.alphabet(of: 0x24) == nil)
        #expect(profile.decode([1, 2], dataCoding: 4) == "\u{FFFD}\u{FFFD}")
        #expect(SMSText.Coding(.binary) == nil)
        // Its own numbers unset, the specification's reading still stands.
        var none = AlphabetProfile()
        none.ascii = nil
        none.latin1 = nil
        none.cyrillic = nil
        none.ucs2 = nil
        none.gsm7 = nil
        none.binary = nil
        #expect([1, 3, 4, 6, 8, 0x10].map(none.alphabet(of:)) == [.ascii, .latin1, .binary, .cyrillic, .ucs2, .gsm7])
    }
}
