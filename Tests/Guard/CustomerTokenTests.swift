import Testing

@testable import Guard

@Suite("Guard: tokens of customers") struct CustomerTokenTests {
    private let scratch = Scratch()

    @Test("A token names its customer until its time is over; every other text is unknown, and so is one of another installation")
    func reading() throws {
        func tokens(_ name: String) throws -> CustomerTokens {
            CustomerTokens(try KeyStore(directory: scratch.file(name), master: masterKey(), access: .owner(create: true)))
        }
        let own = try tokens("own")
        for subject in [0, 1, 255, 4_294_967_295] as [UInt32] {
            let text = own.make(subject: subject, end: 1000).reveal()
            #expect(text.utf8.count == 53 && text.hasPrefix("ct_01"))
            #expect(own.read(text, now: 999) == .subject(subject) && own.read(text, now: 1000) == .ended)
        }
        let text = own.make(subject: 7, end: 1000).reveal()
        for index in text.indices.dropFirst(3) {
            var other = text
            other.replaceSubrange(index...index, with: text[index] == "0" ? "1" : "0")
            #expect(own.read(other, now: 1) == .unknown, "\(other)")
        }
        for other in ["", "ct_", String(text.dropLast()), text + "0", "mk_" + text.dropFirst(3), "ct_" + String(repeating: "g", count: 50)]
        {
            #expect(own.read(other, now: 1) == .unknown, "\(other)")
        }
        #expect(try tokens("other").read(text, now: 1) == .unknown)
    }
}
