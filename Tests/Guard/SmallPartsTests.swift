import Glibc
import Testing

@testable import Guard

@Suite("Keyed hash, API keys, secrets, randomness")
struct SmallPartsTests {
    @Test("A keyed hash is the HMAC-SHA256 that another implementation computes, cut to 64 and 128 bits")
    func keyedHashVectors() {
        let hash = KeyedHash(key: Secret(plainKey))
        #expect(hash.hash64(number: 447_700_900_123) == 0x4f6d_171c_d6eb_c5c7)
        #expect(hash.hash128(number: 447_700_900_123) == .init(high: 0x4f6d_171c_d6eb_c5c7, low: 0x181c_d501_b110_27d7))
        #expect(hash.hash64("customer-40".utf8) == 0x282a_6523_8974_c4c2)
        #expect(hash.hash128("customer-40".utf8) == .init(high: 0x282a_6523_8974_c4c2, low: 0x27e0_71b2_abf1_644c))
        #expect(hash.hash128([]) == .init(high: 0x4304_c22c_84a5_3755, low: 0xab08_ead8_d97a_8d42))
    }

    @Test("A hash does not depend on what was hashed before, nor on a copy of the hasher")
    func keyedHashState() {
        let hash = KeyedHash(key: Secret(plainKey))
        let copy = hash
        let first = hash.hash64(number: 1)
        #expect(hash.hash64(number: 2) != first && copy.hash64(number: 1) == first && hash.hash64(number: 1) == first)
        // Eight bytes of text are not the number they spell.
        #expect(hash.hash64([0, 0, 0, 0, 0, 0, 0, 1]) != first)
        #expect(KeyedHash(key: Secret([1])).hash64(number: 1) != first)
    }

    @Test("A generated key has 46 characters of base64url, and no two are alike")
    func generatedKeys() {
        let keys = (0..<50).map { _ in APIKey.generate().reveal() }
        #expect(Set(keys).count == 50)
        for key in keys {
            #expect(key.utf8.count == 46 && key.hasPrefix("mk_"))
            #expect(
                key.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 95 })
        }
    }

    @Test("A key's hash is its SHA-256, and goes through text unchanged")
    func keyHash() throws {
        let key = "mk_" + String(repeating: "A", count: 43)
        let hash = APIKey.hash(presented: key.utf8)
        #expect(hash.text == "99e486a4273ed468c603dc51c1ba2232199a90d1df4a5d0a099a9d41f215d54a")
        #expect("\(hash)" == "99e486a4")
        #expect(APIKey.hash(of: Secret(text: key)).matches(hash))
        #expect(APIKey.hash(presented: key.utf8.map { $0 }.reversed().reversed() as [UInt8]).matches(hash))
        #expect(APIKey.hash(presented: Array(key.utf8).lazy.map { $0 }).matches(hash))
        #expect(try #require(APIKey.Hash(text: hash.text)).matches(hash))
        for bad in ["", "99", hash.text.uppercased(), hash.text + "00", String(hash.text.dropLast()) + "g"] {
            #expect(APIKey.Hash(text: bad) == nil)
        }
    }

    @Test("Hashes match only when every bit does")
    func matching() {
        let hash = APIKey.hash(presented: [1, 2, 3])
        for word in 0..<4 {
            for bit in 0..<64 as Range<UInt64> {
                var words = hash.words
                switch word {
                case 0: words.0 ^= 1 << bit
                case 1: words.1 ^= 1 << bit
                case 2: words.2 ^= 1 << bit
                default: words.3 ^= 1 << bit
                }
                #expect(!APIKey.Hash(words: words).matches(hash))
            }
        }
    }

    @Test("A table of a thousand keys knows each, and no other")
    func table() {
        let keys = (0..<1000).map { _ in APIKey.generate() }
        var table = APIKeyTable(keys.enumerated().map { (APIKey.hash(of: $0.element), UInt32($0.offset)) })
        #expect(table.count == 1000)
        for (number, key) in keys.enumerated() { #expect(table.value(presenting: key.reveal().utf8) == UInt32(number)) }
        for _ in 0..<100 { #expect(table.value(presenting: APIKey.generate().reveal().utf8) == nil) }
        table.insert(APIKey.hash(of: keys[7]), 7777)
        #expect(table.value(of: APIKey.hash(of: keys[7])) == 7777 && table.count == 1000)
        table.remove(APIKey.hash(of: keys[7]))
        table.remove(APIKey.hash(of: keys[7]))
        #expect(table.value(of: APIKey.hash(of: keys[7])) == nil && table.count == 999)
    }

    @Test("An empty table, an empty key, an all-zero hash and an endless key find nothing")
    func tableEdges() {
        var table = APIKeyTable()
        #expect(table.value(presenting: []) == nil)
        #expect(table.value(of: APIKey.Hash(words: (0, 0, 0, 0))) == nil)
        table.insert(APIKey.hash(presented: Array(repeating: 65, count: 256)), 1)
        #expect(table.value(presenting: Array(repeating: 65, count: 256)) == 1)
        #expect(table.value(presenting: Array(repeating: 65, count: 257)) == nil)
        #expect(table.value(presenting: Array(repeating: 65, count: 100_000)) == nil)
        #expect(table.value(presenting: (0..<100_000).lazy.map { _ in 65 as UInt8 }) == nil)
        table.insert(APIKey.hash(presented: [9]), 0)
        #expect(table.value(presenting: [9]) == 0)
        table.insert(APIKey.hash(presented: [10]), .max)
        #expect(table.value(presenting: [10]) == .max)
    }

    @Test("A secret never shows its value, only its owner can ask for it")
    func secrets() {
        let secret = Secret(text: "hunter2!")
        var dumped = ""
        dump(["k": secret], to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), String(describing: [secret]), dumped] {
            #expect(!text.contains("hunter") && text.contains("secret"))
        }
        #expect(secret.reveal() == "hunter2!" && secret.count == 8)
        #expect(secret == Secret("hunter2!".utf8) && secret != Secret(text: "hunter3!"))
        #expect(Secret([]).count == 0 && Secret([]).reveal() == "")
    }

    @Test("A secret file gives its text without the line end; unfit files are refused by reason")
    func secretFiles() throws {
        let scratch = Scratch()
        #expect(try Secret.load(from: scratch.write("a", "pass word\n")).reveal() == "pass word")
        #expect(try Secret.load(from: scratch.write("b", "pass\r\n")).reveal() == "pass")
        #expect(try Secret.load(from: scratch.write("c", "pass\n\n")).reveal() == "pass\n")
        let empty = scratch.write("d", "\n")
        #expect(throws: PrivateFileFault.empty(path: empty)) { try Secret.load(from: empty) }
        let long = scratch.write("e", String(repeating: "x", count: 5000))
        #expect(throws: PrivateFileFault.tooLong(path: long, maximumBytes: 4096)) { try Secret.load(from: long) }
        let open = scratch.write("f", "x", mode: 0o644)
        #expect(throws: PrivateFileFault.openToOthers(path: open, mode: "644")) { try Secret.load(from: open) }
        #expect(throws: PrivateFileFault.missing(path: scratch.file("g"))) { try Secret.load(from: scratch.file("g")) }
        #expect(throws: PrivateFileFault.notAFile(path: scratch.path)) { try Secret.load(from: scratch.path) }
        mkfifo(scratch.file("pipe"), 0o600)
        #expect(throws: PrivateFileFault.notAFile(path: scratch.file("pipe"))) { try Secret.load(from: scratch.file("pipe")) }
        #expect(throws: PrivateFileFault.missing(path: "\(open)/below")) { try Secret.load(from: "\(open)/below") }
    }

    @Test("Random words do not repeat over refills, and every bit of them moves")
    func randomness() {
        var source = Randomness()
        var seen = Set<UInt64>()
        var ones: UInt64 = 0
        var zeros: UInt64 = 0
        for _ in 0..<2000 {
            let word = source.word()
            seen.insert(word)
            ones |= word
            zeros |= ~word
        }
        #expect(seen.count == 2000 && ones == .max && zeros == .max)
        #expect(Randomness.bytes(32) != Randomness.bytes(32) && Randomness.bytes(0).isEmpty)
    }

    @Test("Base64 is RFC 4648's, and each value has one text only")
    func base64() {
        for (plain, text) in [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ] {
            #expect(Base64.text(Array(plain.utf8)) == text)
            #expect(Base64.bytes(text) == Array(plain.utf8))
        }
        #expect(Base64.text([0xFB, 0xFF]) == "+/8=" && Base64.bytes("+/8=") == [0xFB, 0xFF])
        #expect(Base64.urlText([0xFB, 0xFF]) == Array("-_8".utf8))
        for bad in ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "====", "Z===", "Zm 9", "-_8=", "Zm9v\n"] {
            #expect(Base64.bytes(bad) == nil, "\(bad)")
        }
    }

    @Test("Hexadecimal is lower case only")
    func hexadecimal() {
        #expect(Hex.bytes("00ff10") == [0, 255, 16] && Hex.word("0badc0de") == 0x0bad_c0de && Hex.text(0xBAD as UInt32) == "00000bad")
        for bad in ["0", "0G", "FF", "zz"] { #expect(Hex.bytes(bad) == nil) }
        #expect(Hex.word("00") == nil)
    }
}
