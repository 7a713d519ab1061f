import SMSText
import Testing

@testable import MartletSimulators

@Suite("What an operator and its handsets make of octets", .timeLimit(.minutes(2)))
struct HandsetAlphabetTests {
    private func kept(_ submit: Submit, _ n: UInt64 = 1) -> MessageRing.Kept {
        MessageRing.Kept(n: n, atMicros: Int64(n), number: n, pdu: pdu(0x04, submit.body, sequence: 1), progress: .enroute)
    }

    private func seen(_ submit: Submit, _ alphabets: AlphabetProfile = .standard) throws -> SeenMessage {
        try #require(SeenMessage(kept(submit), form: .decimal, alphabets: alphabets))
    }

    @Test("data_coding is read as the operator means it")
    func profile() throws {
        #expect(try seen(Submit(text: [0x40, 0xE9])).text == "¡\u{FFFD}")
        #expect(try seen(Submit(text: [0x40, 0xE9]), AlphabetProfile(zero: .latin1)).text == "@é")
        var own = AlphabetProfile.standard
        own.gsm7 = 0x11
        #expect(try seen(Submit(dataCoding: 0x11, text: [0x00]), own).text == "@")
        #expect(SeenMessage.alphabet(0, AlphabetProfile(zero: .latin1)) == "Latin-1")
        #expect(try seen(Submit(dataCoding: 4, text: [0xDE]), own).text == "de")
    }

    @Test("A header that names national tables is obeyed, also over the cut between two parts")
    func national() throws {
        let one = try seen(Submit(esmClass: 0x40, text: [3, 0x25, 1, 1, 0x61, 0x1D]))
        #expect(one.text == "aş" && one.parts == 1)
        let words = [[UInt8]]([[3, 0x24, 1, 1], [3, 0x24, 1, 2], [3, 0x25, 1, 3], [3, 0x24, 1, 9]])
        let names = try words.map { header in
            let it = try seen(Submit(esmClass: 0x40, text: header + [0x61]))
            return SeenMessage.alphabet(it.dataCoding, header: it.header)
        }
        #expect(names == ["GSM 7-bit, Turkish", "GSM 7-bit, Spanish", "GSM 7-bit, Portuguese", "GSM 7-bit, table 9"])
        var phone = Handset(number: "1")
        for (index, piece) in [[UInt8]]([[0x61, 0x1B], [0x73]]).enumerated() {
            let submit = Submit(esmClass: 0x40, text: [8, 0, 3, 7, 2, UInt8(index + 1), 0x24, 1, 1] + piece)
            if let message = SeenMessage(kept(submit, UInt64(index + 1)), form: .decimal) { phone.show(message, from: "north") }
        }
        #expect(phone.bubbles.first?.text == "aş")
    }

    @Test("Flash and replacing are told, whichever way they are asked for")
    func wishes() async throws {
        try await world([SMSCSettings(name: "north", port: 0, alphabets: AlphabetProfile(zero: .latin1))]) { world, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit(Submit(dataCoding: 0x10, text: [0x61]))
            _ = try await client.submit(Submit(text: [0xE9], parameters: [0, 5, 0, 1, 1]))
            _ = try await client.submit(Submit())
            let all = try await http(world, "GET", "/sim/smsc/north/messages").json
            #expect((0..<3).map { all[$0]?["flash"]?.kind } == [.flag(true), .flag(true), .flag(false)])
            #expect(all[1]?["text"]?.text == "é" && all[1]?["alphabet"]?.text == "Latin-1")
            var replacing = pdu(0x04, Submit(text: []).body, sequence: 9)
            // replace_if_present_flag stands four octets from the end of a body without text.
            replacing[replacing.count - 4] = 1
            try await client.write(replacing)
            _ = await client.next(0x8000_0004)
            let last = try await http(world, "GET", "/sim/smsc/north/messages?since=3").json
            #expect(last[0]?["replaceIfPresent"]?.kind == .flag(true) && all[0]?["replaceIfPresent"]?.kind == .flag(false))
            let phones = try await http(world, "GET", "/sim/handsets").json
            #expect(phones[0]?["messages"]?[1]?["text"]?.text == "é")
        }
        #expect(throws: WireFault.self) {
            try pdu(0x04, Submit(parameters: [0, 5, 0, 2, 1, 1]).body, sequence: 1).withUnsafeBytes { _ = try SubmitView($0) }
        }
    }

    @Test("An intermediate notification comes where it is asked for, before the receipt of the end")
    func passing() async throws {
        try await world { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit(Submit(registered: 0x11))
            let first = await client.next(0x05)
            let second = await client.next(0x05)
            #expect(first?.text.contains("stat:ENROUTE err:000") == true)
            #expect(Array((first?.body ?? []).suffix(5)) == [0x04, 0x27, 0, 1, 1])
            #expect(second?.text.contains("stat:DELIVRD") == true)
        }
    }
}
