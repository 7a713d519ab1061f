import Testing

@testable import Guard

@Suite("Row authentication")
struct RowMACTests {
    let key = Secret(plainKey)
    var rows: RowMAC { RowMAC(key: key, table: "message", columns: ["id", "state", "text"]) }

    @Test("A tag is what the page says, as another implementation computes it")
    func knownAnswer() {
        // Computed with Python's hmac and hashlib from docs/reference/key-files.md.
        let tag = rows.tag([.integer(-2), .null, .text("ü")])
        #expect(Hex.text(tag.bytes) == "90337cb3b647d9c7f84907ba9ff118be")
        #expect(tag.short == Int64(bitPattern: 0x9033_7CB3_B647_D9C7))
        let other = RowMAC(key: key, table: "message", columns: ["a", "b"]).tag([.real(1.5), .bytes([0, 255])])
        #expect(Hex.text(other.bytes) == "714b5a990f0085684ac1b319b0b95650")
    }

    @Test("A changed value, type, order, table or list of columns gives another tag; rows that run together do too")
    func distinct() {
        let values: [[RowValue]] = [
            [.integer(1), .integer(2), .text("")], [.integer(2), .integer(1), .text("")], [.integer(1), .integer(2), .null],
            [.integer(1), .integer(2), .bytes([])], [.integer(1), .real(Double(bitPattern: 2)), .text("")],
            [.text("ab"), .text("c"), .text("")], [.text("a"), .text("bc"), .text("")], [.text("abc"), .text(""), .text("")],
            [.bytes([0, 0]), .bytes([0]), .null], [.bytes([0]), .bytes([0, 0]), .null], [.null, .null, .null],
        ]
        var seen: Set<[UInt8]> = []
        let makers = [
            rows, RowMAC(key: key, table: "messages", columns: ["id", "state", "text"]),
            RowMAC(key: key, table: "message", columns: ["state", "id", "text"]),
            RowMAC(key: key, table: "message", columns: ["id", "statet", "ext"]),
            RowMAC(key: Secret([1]), table: "message", columns: ["id", "state", "text"]),
        ]
        for maker in makers {
            for value in values { seen.insert(maker.tag(value).bytes) }
        }
        #expect(seen.count == values.count * makers.count)
    }

    @Test("A flipped bit anywhere in a row or in its tag is seen, with 8 bytes and with 16")
    func flips() {
        let tag = rows.tag([.integer(77), .text("sent"), .bytes(plainKey)])
        #expect(tag.matches(tag.short) && tag.matches(tag.bytes) && tag == rows.tag([.integer(77), .text("sent"), .bytes(plainKey)]))
        for bit in 0..<64 {
            #expect(!tag.matches(tag.short ^ 1 << Int64(bit)))
            #expect(rows.tag([.integer(77 ^ 1 << Int64(bit)), .text("sent"), .bytes(plainKey)]) != tag)
        }
        for bit in 0..<128 {
            var stored = tag.bytes
            stored[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!tag.matches(stored))
        }
        for bit in 0..<256 {
            var value = plainKey
            value[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(rows.tag([.integer(77), .text("sent"), .bytes(value)]) != tag)
        }
        #expect(!tag.matches(Array(tag.bytes.dropLast())) && !tag.matches([]))
    }
}
