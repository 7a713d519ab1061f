import Crypto
import Testing

@testable import Guard

@Suite("Sealer")
struct SealerTests {
    let key = DataKey(id: 5, messageClass: 1, day: 1, symmetric: SymmetricKey(data: plainKey))
    let context = SealContext(high: 0x0192_a3b4_c5d6_7e8f, low: 0x8123_4567_89ab_cdef, kind: 9)

    func seal(_ sealer: inout Sealer, _ text: String) throws -> [UInt8] {
        var out = [UInt8](repeating: 0xEE, count: Sealer.sealedCount(text.utf8.count) + 3)
        let written = try Array(text.utf8).withUnsafeBytes { plain in
            try out.withUnsafeMutableBytes { try sealer.seal(plain, context: context, key: key, into: $0) }
        }
        #expect(out.suffix(3) == [0xEE, 0xEE, 0xEE])
        return Array(out.prefix(written))
    }

    func open(_ sealed: [UInt8], _ context: SealContext? = nil, _ key: DataKey? = nil) throws -> String {
        let bytes = try sealed.withUnsafeBytes { try Sealer.open($0, context: context ?? self.context, key: key ?? self.key) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("Sealing gives what another implementation of AES-256-GCM gives")
    func knownAnswers() throws {
        var sealer = Sealer(prefix: 0x0102_0304_0506_0708, counter: 7)
        #expect(
            hex(try seal(&sealer, "Hello, customer"))
                == "010203040506070800000007ce04ef41de2d032551bea7ff222ac0a8931735ec33adc0e3e9feb73fdff3bc")
        sealer = Sealer(prefix: 0x0102_0304_0506_0708, counter: 7)
        #expect(hex(try seal(&sealer, "")) == "010203040506070800000007051a9f13cc1aa365c35770eac825b398")
    }

    @Test("What was sealed opens, whatever its length")
    func roundTrip() throws {
        var sealer = Sealer()
        for count in [0, 1, 15, 16, 17, 200, 5000] {
            let text = String(repeating: "ż", count: count)
            let sealed = try seal(&sealer, text)
            #expect(sealed.count == Sealer.sealedCount(text.utf8.count))
            #expect(try open(sealed) == text)
        }
    }

    @Test("No nonce comes twice; when the counter is used up a fresh prefix is drawn")
    func nonces() throws {
        var sealer = Sealer(prefix: 42, counter: .max - 1)
        let nonces = try (0..<4).map { _ in Array(try seal(&sealer, "x").prefix(12)) }
        #expect(Set(nonces).count == 4)
        #expect(nonces[0].prefix(8) == nonces[1].prefix(8) && nonces[1].prefix(8) != nonces[2].prefix(8))
        #expect(
            nonces[1].suffix(4) == [255, 255, 255, 255] && nonces[2].suffix(4) == [0, 0, 0, 0] && nonces[3].suffix(4) == [0, 0, 0, 1])
        var other = Sealer()
        var another = Sealer()
        #expect(try seal(&other, "x").prefix(8) != seal(&another, "x").prefix(8))
    }

    @Test("A flipped bit in any byte of a sealed record keeps it closed")
    func flippedBits() throws {
        var sealer = Sealer()
        let good = try seal(&sealer, "a text of the customer")
        for place in good.indices {
            for bit in 0..<8 {
                var bad = good
                bad[place] ^= 1 << UInt8(bit)
                #expect(throws: SealFault.notAuthentic(keyID: 5), "byte \(place) bit \(bit)") { try open(bad) }
            }
        }
    }

    @Test("A record moved under another id, kind or key stays closed")
    func otherContext() throws {
        var sealer = Sealer()
        let sealed = try seal(&sealer, "text")
        for change in 0..<4 {
            var moved = context
            switch change {
            case 0: moved.high ^= 1
            case 1: moved.low ^= 1 << 63
            case 2: moved.kind += 1
            default: swap(&moved.high, &moved.low)
            }
            #expect(throws: SealFault.notAuthentic(keyID: 5)) { try open(sealed, moved) }
        }
        let other = DataKey(id: 6, messageClass: 1, day: 1, symmetric: SymmetricKey(size: .bits256))
        #expect(throws: SealFault.notAuthentic(keyID: 6)) { try open(sealed, nil, other) }
    }

    @Test("A sealed value cut anywhere is a fault, not a crash")
    func truncated() throws {
        var sealer = Sealer()
        let sealed = try seal(&sealer, "text")
        for count in 0..<sealed.count {
            let fault = #expect(throws: SealFault.self) { try open(Array(sealed.prefix(count))) }
            #expect(fault == (count < 28 ? .tooShort(bytes: count) : .notAuthentic(keyID: 5)))
        }
    }

    @Test("With the store, a record opens until its key is destroyed")
    func withStore() throws {
        let scratch = Scratch()
        let store = try KeyStore(directory: scratch.file("keys"), master: masterKey(), access: .owner(create: true))
        let key = try store.key(class: 3, day: 1)
        var sealer = Sealer()
        var out = [UInt8](repeating: 0, count: 33)
        _ = try Array("12345".utf8).withUnsafeBytes { plain in
            try out.withUnsafeMutableBytes { try sealer.seal(plain, context: context, key: key, into: $0) }
        }
        let keys = RecordKeys(days: store, subjects: nil)
        func opened() throws -> [UInt8] { try out.withUnsafeBytes { try keys.open($0, context: context, keyID: key.id) } }
        #expect(try opened() == Array("12345".utf8))
        try store.destroy(id: key.id)
        #expect(throws: SealFault.noSuchKey(keyID: key.id)) { try opened() }
    }

    @Test("Every fault has words of its own")
    func faultTexts() {
        let all: [SealFault] = [.tooShort(bytes: 3), .notAuthentic(keyID: 7), .noSuchKey(keyID: 7), .erased(subject: 7), .cipher]
        #expect(Set(all.map(\.description)).count == 5 && all[1].description.contains("00000007"))
    }
}
