import SMSText
import Testing

@Suite("Reading octets")
struct DecodeTests {
    @Test("GSM 7-bit: unknown extension codes fall back, a lone escape and high octets become U+FFFD")
    func gsm() {
        #expect(SMSText.decode([0x48, 0x00, 0x1B, 0x65], dataCoding: 0) == "H@€")
        #expect(SMSText.decode([0x1B, 0x41], dataCoding: 0) == "A")
        #expect(SMSText.decode([0x1B, 0x1B, 0x41], dataCoding: 0) == " A")
        #expect(SMSText.decode([0x41, 0x1B], dataCoding: 0) == "A\u{FFFD}")
        #expect(SMSText.decode([0x1B, 0x80], dataCoding: 0) == "\u{FFFD}\u{FFFD}")
        #expect(SMSText.decode([0xFF, 0x41], dataCoding: 0) == "\u{FFFD}A")
        #expect(SMSText.decode([] as [UInt8], dataCoding: 0) == "")
    }

    @Test("UCS-2: pairs are joined, half pairs and half units become U+FFFD")
    func ucs2() {
        #expect(SMSText.decode([0x04, 0x16, 0xD8, 0x3D, 0xDE, 0x00], dataCoding: 8) == "Ж😀")
        #expect(SMSText.decode([0xD8, 0x3D], dataCoding: 8) == "\u{FFFD}")
        #expect(SMSText.decode([0xD8, 0x3D, 0x00, 0x41], dataCoding: 8) == "\u{FFFD}A")
        #expect(SMSText.decode([0xDE, 0x00, 0x00, 0x41], dataCoding: 8) == "\u{FFFD}A")
        #expect(SMSText.decode([0xD8, 0x3D, 0xD8, 0x3D, 0xDE, 0x00], dataCoding: 8) == "\u{FFFD}😀")
        #expect(SMSText.decode([0x00, 0x41, 0x00], dataCoding: 8) == "A\u{FFFD}")
        #expect(SMSText.decode([0x00, 0x41, 0xD8, 0x3D, 0xDE], dataCoding: 8) == "A\u{FFFD}\u{FFFD}")
    }

    @Test("Latin-1 reads every octet, ASCII those below 0x80")
    func single() {
        #expect(SMSText.decode([0x41, 0xE9, 0xFF], dataCoding: 3) == "Aéÿ")
        #expect(SMSText.decode([0x41, 0xE9], dataCoding: 1) == "A\u{FFFD}")
    }

    @Test("Codings with a message class are read as their alphabet; codings that are not text give U+FFFD, one an octet")
    func codings() {
        for coding: UInt8 in [0x00, 0x10, 0x13, 0xF0, 0xF3] { #expect(SMSText.decode([0x00], dataCoding: coding) == "@") }
        for coding: UInt8 in [0x08, 0x18, 0x1B] { #expect(SMSText.decode([0x04, 0x16], dataCoding: coding) == "Ж") }
        for coding: UInt8 in [0x02, 0x04, 0x05, 0x0E, 0xF5] {
            #expect(SMSText.decode([0x41, 0x42], dataCoding: coding) == "\u{FFFD}\u{FFFD}")
        }
        #expect(SMSText.Coding(dataCoding: 4) == nil)
        #expect(SMSText.Coding(dataCoding: 1) == .ascii)
    }

    @Test("A collection that is not one run of memory is read too")
    func scattered() {
        #expect(SMSText.decode([0x43, 0x42, 0x41].reversed(), dataCoding: 0) == "ABC")
        let octets: [UInt8] = [0x04, 0x16]
        #expect(octets.withUnsafeBytes { SMSText.decode($0, dataCoding: 8) } == "Ж")
    }
}

@Suite("User data header")
struct UserDataHeaderTests {
    @Test("8-bit and 16-bit concatenation are read")
    func concatenation() throws {
        let eight = try #require(UserDataHeader.parse([5, 0, 3, 0x7C, 4, 2, 0x41]))
        #expect(eight.octets == 6)
        #expect(eight.concatenation?.kind == .udh8)
        #expect(eight.concatenation?.reference == 0x7C)
        #expect(eight.concatenation?.total == 4)
        #expect(eight.concatenation?.number == 2)
        let sixteen = try #require(UserDataHeader.parse([6, 8, 4, 0xBE, 0xEF, 3, 3]))
        #expect(sixteen.octets == 7)
        #expect(sixteen.concatenation?.kind == .udh16)
        #expect(sixteen.concatenation?.reference == 0xBEEF)
    }

    @Test("Unknown elements are skipped, before and behind")
    func unknown() {
        let header = UserDataHeader.parse([14, 5, 4, 0x0B, 0x84, 0, 0, 0, 3, 9, 2, 1, 0x24, 1, 1, 0x41])
        #expect(header?.octets == 15)
        #expect(header?.concatenation?.reference == 9)
        #expect(UserDataHeader.parse([0, 0x41])?.octets == 1)
        #expect(UserDataHeader.parse([2, 0x24, 0])?.concatenation == nil)
    }

    @Test("Of two concatenation elements the last sensible one counts")
    func twice() {
        #expect(UserDataHeader.parse([11, 0, 3, 1, 2, 1, 8, 4, 0, 9, 2, 2])?.concatenation?.kind == .udh16)
        #expect(UserDataHeader.parse([10, 0, 3, 1, 2, 1, 0, 3, 9, 0, 0])?.concatenation?.reference == 1)
    }

    @Test("A part number of 0, a total of 0, or a number over the total is ignored, as the specification says")
    func senseless() {
        for element: [UInt8] in [[0, 1], [1, 0], [2, 3]] {
            let header = UserDataHeader.parse([5, 0, 3, 7] + element)
            #expect(header != nil)
            #expect(header?.concatenation == nil)
        }
    }

    @Test("A malformed header is nil, never a crash")
    func malformed() {
        for part: [UInt8] in [
            [], [5], [5, 0, 3, 1, 2], [1, 0], [2, 0, 3], [5, 0, 4, 1, 2, 1], [4, 0, 2, 1, 1], [5, 8, 3, 1, 2, 1], [3, 0x24, 0, 0x25],
        ] {
            #expect(UserDataHeader.parse(part) == nil, "\(part)")
        }
    }

    @Test("No octets at all bring the parser down", arguments: 1...40)
    func random(seed: UInt64) {
        var state = seed
        for _ in 0..<500 {
            var part: [UInt8] = []
            for _ in 0..<Int(state >> 60) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                part.append(UInt8(truncatingIfNeeded: state >> 40) & 0x0F)
            }
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            if let header = UserDataHeader.parse(part) { #expect(header.octets <= part.count) }
        }
    }
}
