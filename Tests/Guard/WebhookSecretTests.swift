import Testing

@testable import Guard

@Suite("Webhook secrets")
struct WebhookSecretTests {
    @Test("A signature is that of the reference libraries for their own example")
    func golden() throws {
        let secret = try #require(WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signature = secret.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array("{\"test\": 2432232314}".utf8))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        #expect("\(secret)".contains("MfKQ") == false)
    }

    @Test("A secret has 24 to 64 bytes behind its mark")
    func bounds() {
        func text(_ count: Int) -> String { "whsec_" + Base64.text([UInt8](repeating: 7, count: count)) }
        #expect(WebhookSecret(text(24)) != nil && WebhookSecret(text(64)) != nil)
        #expect(WebhookSecret(text(23)) == nil && WebhookSecret(text(65)) == nil)
        #expect(WebhookSecret(String(text(32).dropFirst(6))) == nil && WebhookSecret("whsec_!!!!") == nil)
    }

    @Test("A file holds one or several, the newest first; what is wrong is told by its line and not repeated")
    func files() throws {
        let scratch = Scratch()
        let (a, b) = ("whsec_" + Base64.text([UInt8](0..<32)), "whsec_" + Base64.text([UInt8](32..<64)))
        #expect(try WebhookSecret.load(from: scratch.write("one", "\(a)\n")) == [WebhookSecret(a)].compactMap { $0 })
        #expect(
            try WebhookSecret.load(from: scratch.write("two", "\(b)\r\n\n\(a)\n"))
                == [WebhookSecret(b), WebhookSecret(a)].compactMap { $0 })
        #expect(throws: WebhookSecret.Fault.notASecret(line: 2)) { try WebhookSecret.load(from: scratch.write("bad", "\(a)\nhunter2\n")) }
        let many = scratch.write("many", String(repeating: "\(a)\n", count: 5))
        #expect(throws: WebhookSecret.Fault.tooMany(maximum: 4)) { try WebhookSecret.load(from: many) }
        let open = scratch.write("open", a, mode: 0o644)
        #expect(throws: WebhookSecret.Fault.self) { try WebhookSecret.load(from: open) }
        let blank = scratch.write("blank", "\n\n\n")
        #expect(throws: WebhookSecret.Fault.self) { try WebhookSecret.load(from: blank) }
        for fault in [WebhookSecret.Fault.notASecret(line: 2), .tooMany(maximum: 4), .file(.missing(path: "/x"))] {
            #expect(!fault.description.isEmpty && !fault.description.contains("hunter2"))
        }
    }
}
