import Crypto
import Testing

@testable import Guard

@Suite("HMAC with its key worked in")
struct PreparedHMACTests {
    @Test("The same codes as the library's HMAC, for keys shorter and longer than a block and messages over several blocks")
    func oracle() {
        for keyCount in [0, 1, 31, 32, 63, 64, 65, 200] {
            let key = (0..<keyCount).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 5) }
            let prepared = PreparedHMAC(key: Secret(key))
            for count in [0, 1, 9, 55, 56, 64, 300] {
                let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 11 &+ keyCount) }
                let code = message.withUnsafeBytes { prepared.code(of: $0) }
                let wanted = Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)).prefix(16))
                #expect(
                    withUnsafeBytes(of: (code.high.bigEndian, code.low.bigEndian)) { Array($0) } == wanted,
                    "key of \(keyCount), message of \(count)")
            }
        }
    }

    @Test("Test case 2 of RFC 4231")
    func vector() {
        let prepared = PreparedHMAC(key: Secret(Array("Jefe".utf8)))
        let code = Array("what do ya want for nothing?".utf8).withUnsafeBytes { prepared.code(of: $0) }
        #expect(code.high == 0x5BDC_C146_BF60_754E)
        #expect(code.low == 0x6A04_2426_0895_75C7)
    }
}
