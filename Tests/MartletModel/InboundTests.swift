import Testing

@testable import MartletModel

@Suite("Messages from handsets, as bytes")
struct InboundTests {
    @Test("A part reads back as it was written; cut anywhere it is truncated; another version is none of ours")
    func part() throws {
        let part = try #require(Inbound.Part(kind: .header16, reference: 0xBEEF, total: 3, number: 2))
        let inbound = Inbound(
            group: 7, from: "447700900123", to: "7070", octets: [0, 1, 0xFF], dataCoding: 8, singleShift: 1, lockingShift: 3, part: part)
        var bytes: [UInt8] = []
        inbound.appendPart(to: &bytes)
        #expect(try bytes.withUnsafeBytes { try Inbound(readingPart: $0) } == inbound)
        for count in 0..<bytes.count {
            #expect(throws: RecordFault.truncated) { try Array(bytes[..<count]).withUnsafeBytes { try Inbound(readingPart: $0) } }
        }
        bytes[0] = 9
        #expect(throws: RecordFault.unknownVersion(9)) { try bytes.withUnsafeBytes { try Inbound(readingPart: $0) } }
        #expect(
            Inbound.Part(kind: .sar, reference: 0, total: 2, number: 3) == nil
                && Inbound.Part(kind: .sar, reference: 0, total: 0, number: 0) == nil)
    }

    @Test("Its address is a number with or without the plus sign; names and short codes are none")
    func number() {
        func number(_ from: String) -> UInt64? { Inbound(group: 1, from: from, to: "7070", octets: [], dataCoding: 0).number?.digits }
        #expect(number("447700900123") == 447_700_900_123 && number("+447700900123") == 447_700_900_123)
        #expect(number("7070") == nil && number("Mum") == nil && number("") == nil && number("0447700900123") == nil)
    }

    @Test("Classes as bits")
    func classes() {
        let set = ClassSet([.marketing, .security])
        #expect(set.contains(.marketing) && set.contains(.security) && !set.contains(.otp) && set.rawValue == 0x102)
    }
}
