import Crypto
import Testing

@testable import Guard

@Suite("Audit checkpoints")
struct AuditCheckpointTests {
    let signer: AuditCheckpointSigner
    let chain: AuditChain
    let entries: [ChainedAuditEntry]

    init() throws {
        signer = try AuditCheckpointSigner(master: masterKey())
        (chain, entries, _) = try auditChain(40)
    }

    /// The line of the moment when the chain had so many entries.
    func line(
        _ count: Int, of entries: [ChainedAuditEntry]? = nil, by signer: AuditCheckpointSigner? = nil, name: String = "desk.test"
    ) throws -> String {
        let head = count == 0 ? nil : AuditHead(sequence: UInt64(count), hash: (entries ?? self.entries)[count - 1].hash)
        return try (signer ?? self.signer).line(try AuditChain(name: name, head: head), time: Int64(count))
    }

    func check(_ entries: [ChainedAuditEntry], _ lines: [String], keys: [AuditCheckpointKey]? = nil) -> AuditReport {
        AuditChain.verify(entries, chain: "desk.test", checkpoints: lines, keys: keys ?? [signer.publicKey])
    }

    @Test("A line is what the page says, and reads back as what was signed")
    func form() throws {
        let text = try line(7)
        let words = text.split(separator: " ").map(String.init)
        #expect(
            words.dropLast() == [
                "martlet-audit-checkpoint", "v1", "desk.test", "7", "7", entries[6].hash.text, Hex.text(signer.publicKey.id),
            ])
        let key = try #require(AuditCheckpointKey(line: signer.publicKey.line))
        let read = try AuditCheckpoint(line: text + "\n", chain: "desk.test", keys: [key])
        #expect(read == AuditCheckpoint(chain: "desk.test", head: AuditHead(sequence: 7, hash: entries[6].hash), time: 7))
        // RFC 8032 over the bytes before the last space.
        let raw = try #require(Base64.bytes(signer.publicKey.line.split(separator: " ")[3]))
        let signature = try #require(Base64.bytes(words[7]))
        let signed = Array(words.dropLast().joined(separator: " ").utf8)
        #expect(try Curve25519.Signing.PublicKey(rawRepresentation: raw).isValidSignature(signature, for: signed))
    }

    @Test("The signing key is the same for the same master key and another for another; its line names it")
    func keys() throws {
        #expect(try AuditCheckpointSigner(master: masterKey()).publicKey.line == signer.publicKey.line)
        let other = try AuditCheckpointSigner(master: masterKey(9)).publicKey
        #expect(other.id != signer.publicKey.id)
        #expect(AuditCheckpointKey(line: other.line + "\n")?.id == other.id)
        let words = signer.publicKey.line.split(separator: " ").map(String.init)
        for bad in [
            "", "x", "martlet-audit-key v1 \(Hex.text(other.id)) \(words[3])", "martlet-audit-key v2 \(words[2]) \(words[3])",
            "martlet-audit-key v1 \(words[2]) AAAA",
        ] {
            #expect(AuditCheckpointKey(line: bad) == nil, "\(bad)")
        }
    }

    @Test("A line with any byte changed, cut short anywhere, or of another form is refused")
    func altered() throws {
        let text = Array(try line(7).utf8)
        for index in text.indices {
            for bit: UInt8 in [1, 4, 32] {
                var changed = text
                changed[index] ^= bit
                #expect(throws: AuditCheckpointFault.self, "byte \(index)") {
                    try AuditCheckpoint(line: String(decoding: changed, as: UTF8.self), chain: "desk.test", keys: [signer.publicKey])
                }
            }
            #expect(throws: AuditCheckpointFault.self) {
                try AuditCheckpoint(line: String(decoding: text[..<index], as: UTF8.self), chain: "desk.test", keys: [signer.publicKey])
            }
        }
        #expect(throws: AuditCheckpointFault.malformed(reason: "longer than 512 bytes")) {
            try AuditCheckpoint(line: String(repeating: "x", count: 513), chain: "desk.test", keys: [])
        }
    }

    @Test("A cut tail is named with what the checkpoints know; without them it cannot be seen")
    func cutTail() throws {
        let lines = try [0, 10, 20, 30, 40].map { try line($0) }
        let whole = check(entries, lines)
        #expect(whole.isSound && whole.confirmed == 40)
        for kept in 0..<40 {
            let report = check(Array(entries.prefix(kept)), lines)
            #expect(report.findings == [.cut(after: UInt64(kept), known: 40)], "\(kept)")
            #expect(report.confirmed == UInt64(kept / 10 * 10))
            #expect(check(Array(entries.prefix(kept)), []).isSound)
        }
    }

    @Test("What was written anew, hashes and all, is placed between two checkpoints")
    func rewritten() throws {
        let lines = try [10, 20, 30].map { try line($0) }
        for from in 1...30 {
            var forged = Array(entries.prefix(from - 1))
            var anew = try AuditChain(
                name: "desk.test", head: from == 1 ? nil : AuditHead(sequence: UInt64(from - 1), hash: entries[from - 2].hash))
            for number in from...40 {
                forged.append(try anew.append(time: 0, principal: "nobody", action: "a", object: "\(number)", outcome: "done"))
            }
            #expect(check(forged, []).isSound)
            let report = check(forged, lines)
            let fitting = UInt64((from - 1) / 10 * 10)
            #expect(report.findings.first == .contradicted(sequence: fitting + 10, lastFitting: fitting), "from \(from)")
            #expect(report.findingCount == UInt64(3 - (from - 1) / 10))
        }
    }

    @Test("Lines that are none of this chain are named by their number and the rest is used")
    func badLines() throws {
        let other = try AuditCheckpointSigner(master: masterKey(9))
        let lines = try [line(10), "nonsense", line(5), line(20, by: other), line(20, name: "desk.other"), line(30)]
        let report = check(Array(entries.prefix(25)), lines)
        #expect(
            report.findings == [
                .badCheckpoint(line: 2, .malformed(reason: "it does not start with `martlet-audit-checkpoint v1` and hold eight words")),
                .checkpointOrder(line: 3), .badCheckpoint(line: 4, .unknownKey(id: Hex.text(other.publicKey.id))),
                .badCheckpoint(line: 5, .otherChain("desk.other")), .cut(after: 25, known: 30),
            ])
        // After a change of the master key both public keys are given.
        let changed = try [line(10), line(20, by: other)]
        #expect(check(entries, changed, keys: [signer.publicKey, other.publicKey]).isSound)
        for fault: AuditCheckpointFault in [.malformed(reason: "r"), .unknownKey(id: "r"), .notAuthentic, .otherChain("r")] {
            #expect(fault.description.contains("r"))
        }
    }

    @Test("A check that begins at a head holds it against the checkpoints too, and passes those before it")
    func fromHead() throws {
        let lines = try [10, 20, 30].map { try line($0) }
        let head = AuditHead(sequence: 20, hash: entries[19].hash)
        let good = AuditChain.verify(entries[20...], chain: "desk.test", after: head, checkpoints: lines, keys: [signer.publicKey])
        #expect(good.isSound && good.confirmed == 30)
        let wrong = AuditHead(sequence: 20, hash: entries[5].hash)
        let report = AuditChain.verify(entries[20...], chain: "desk.test", after: wrong, checkpoints: lines, keys: [signer.publicKey])
        #expect(report.findings.first == .contradicted(sequence: 20, lastFitting: 0))
    }

    @Test("Two checkpoints of one entry may stand in a row; of a missing or altered one they are passed")
    func doubled() throws {
        let lines = try [10, 10, 10, 20].map { try line($0) }
        #expect(check(entries, lines).isSound)
        var altered = entries
        altered.remove(at: 9)
        #expect(check(altered, lines).findings == [.missing(from: 10, through: 10)])
        altered = entries
        altered[9].entry.object = "other"
        #expect(check(altered, lines).findings == [.altered(sequence: 10, stored: 10)])
    }
}
