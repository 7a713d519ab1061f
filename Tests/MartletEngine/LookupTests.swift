import MartletModel
import Testing

@testable import MartletEngine

@Suite("Hashes for look-up")
struct LookupTests {
    private let hash = LookupHash(key: (1, 2))

    private func key(_ key: String = "k", _ operation: Idempotency.Operation = .submit, line: UInt32 = 0, body: UInt64 = 1) -> Idempotency {
        Idempotency(operation: operation, key: key, line: line, bodyHigh: body, bodyLow: 3)
    }

    @Test("Key, source, operation, line and secret all count; a line outside a batch does not")
    func keys() {
        let all = [
            hash.key(key(), of: 1), hash.key(key(), of: 2), hash.key(key("K"), of: 1), hash.key(key("k", .batch), of: 1),
            hash.key(key("k", .batch, line: 1), of: 1), LookupHash(key: (1, 3)).key(key(), of: 1),
        ]
        #expect(Set(all).count == all.count)
        #expect(hash.key(key("k", .submit, line: 9), of: 1) == all[0])
        #expect(hash.body(key()) == hash.body(key("other", .batch)))
        #expect(hash.body(key()) != hash.body(key(body: 2)))
        #expect(hash.body(key()) != LookupHash(key: (2, 2)).body(key()))
    }

    @Test("A reference is found by its own source only; an acceptance says its hashes, and its record those of the key")
    func acceptance() {
        #expect(hash.reference("r", of: 1) != hash.reference("r", of: 2))
        let rig = Rig()
        var submission = Submission(
            source: 3, messageClass: .transactional, to: Rig.number, from: "Bank", text: "x", reference: "r", receivedAt: rig.now)
        let keys = LookupHash(key: rig.engine.configuration.hashKey)
        var emitted: [Turn.Emitted] = []
        rig.step {
            _ = $0.engine.accept(submission, random: 1, key: (5, 6), &$0.turn)
            emitted = $0.turn.records
        }
        #expect(emitted.first?.lookup.number == keys.number(Rig.number))
        #expect(emitted.first?.lookup.reference == keys.reference("r", of: 3))
        #expect(emitted.first?.record.header.keyHash == 5 && emitted.first?.record.header.bodyHash == 6)
        #expect(emitted.first?.record.header.id.partition == UInt8(keys.number(Rig.number) % 32))
        submission.reference = ""
        rig.step {
            _ = $0.engine.accept(submission, random: 2, &$0.turn)
            emitted = $0.turn.records
        }
        #expect(emitted.last?.lookup.reference == 0 && emitted.last?.record.header.keyHash == 0)
    }
}
