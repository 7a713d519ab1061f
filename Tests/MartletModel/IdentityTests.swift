import Testing

@testable import MartletModel

@Suite("Ids and phone numbers")
struct IdentityTests {
    @Test("An id is a UUID of version 7 and the RFC's variant, and says its time, partition and ordinal")
    func fields() {
        for random in [0, UInt64.max, 0x0123_4567_89AB_CDEF] {
            let id = MessageID(milliseconds: 1_790_000_000_123, partition: 31, random: random)
            #expect(id.milliseconds == 1_790_000_000_123)
            #expect(id.partition == 31)
            #expect(id.ordinal == 0)
            #expect(id.high >> 12 & 0xF == 7)
            #expect(id.low >> 62 == 0b10)
        }
        let known = MessageID(milliseconds: 0x0123_4567_89AB, partition: 0x1F, random: 0xF400_0000_0000_0001)
        #expect(known.text == "0123456789ab71fd8000000000000100")
        #expect("\(known)" == known.text)
    }

    @Test("A notification and its messages differ in the last byte only")
    func ordinals() {
        let id = MessageID(milliseconds: 1_790_000_000_123, partition: 3, random: 99)
        let member = id.with(ordinal: 7)
        #expect(member.ordinal == 7)
        #expect(member.notification == id)
        #expect(member.high == id.high && member.low ^ id.low == 7)
    }

    @Test("Ids of later milliseconds are larger, also as text")
    func order() {
        var before = MessageID(milliseconds: 1, partition: 31, random: .max)
        for n in Int64(2)..<200 {
            let id = MessageID(milliseconds: n, partition: PartitionNumber(n % 32), random: UInt64(n) &* 0x9E37_79B9_7F4A_7C15)
            #expect(before < id)
            #expect(before.text < id.text)
            before = id
        }
        let same = MessageID(high: 5, low: 1)
        #expect(same < MessageID(high: 5, low: 2))
        #expect(!(same < same))
    }

    @Test("An id reads back from its text in either case, and from nothing else")
    func text() {
        let id = MessageID(milliseconds: 1_790_000_000_123, partition: 12, random: 0xFEDC_BA98_7654_3210)
        #expect(MessageID(text: id.text) == id)
        #expect(MessageID(text: id.text.uppercased()) == id)
        let text = id.text
        for bad in [
            "", String(text.dropLast()), text + "0", "g" + text.dropFirst(), text.replacing(" ", with: ""), "é" + text.dropFirst(2),
        ] where bad != text {
            #expect(MessageID(text: bad) == nil)
        }
        var version = Array(text)
        version[12] = "4"
        #expect(MessageID(text: String(version)) == nil)
        var variant = Array(text)
        variant[16] = "c"
        #expect(MessageID(text: String(variant)) == nil)
    }

    @Test("A number is a plus and 7 to 15 digits, the first not 0", arguments: ["+1234567", "+447700900123", "+999999999999999"])
    func numbers(_ text: String) throws {
        let number = try PhoneNumber.parse(text.utf8)
        #expect(number.international == text)
        #expect(number.national == String(text.dropFirst()))
    }

    @Test(
        "What is wrong with a number is said",
        arguments: [
            ("", PhoneNumber.Fault.missingPlus), ("447700900123", .missingPlus), ("+", .tooShort), ("+123456", .tooShort),
            ("+1234567890123456", .tooLong), ("+0123456789", .leadingZero), ("+44 7700900123", .notADigit), ("+4477oo900123", .notADigit),
        ])
    func faults(_ text: String, _ fault: PhoneNumber.Fault) {
        #expect(throws: fault) { try PhoneNumber.parse(text.utf8) }
    }
}
