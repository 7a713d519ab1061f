import MartletModel
import NIOCore
import Testing

@testable import MartletDoors

/// Seeded damage: whatever bytes come, in whatever pieces, the door answers with known statuses or closes, and never crashes.
@Suite struct HTTPRobustnessTests {
    /// xorshift64*, so that a failing seed is the same everywhere.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return state &* 0x2545_F491_4F6C_DD1D
        }
    }

    @Test("Damaged requests end in a known status or a close, never in a crash", arguments: 1...400)
    func damaged(seed: UInt64) throws {
        var random = Seeded(state: seed &* 0x9E37_79B9_7F4A_7C15)
        let bench = try DoorBench(settings: HTTPSettings(maximumBody: 1024))
        let chunked = "POST /v1/messages HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"
        var bytes = Array((post() + chunked + get("/v1/messages/\(FakeIntake.id(1).text)/trace") + post()).utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(contentsOf: [13, 10], at: place)
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 40)], at: place)
            }
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...200, using: &random))
            rest = rest.dropFirst(piece.count)
            // The pipeline reports malformed bytes to its end too; what counts is what the peer sees.
            try? bench.send(ByteBuffer(bytes: piece))
            if Bool.random(using: &random) { bench.intake.releaseAll() }
        }
        bench.intake.releaseAll()
        let known: Set<Int> = [200, 202, 400, 401, 404, 405, 408, 413, 415, 417, 422, 431, 505]
        let answers = try bench.answers()
        #expect(answers.allSatisfy { known.contains($0.status) }, "seed \(seed): \(answers.map(\.status))")
        // Whatever state it is left in, time ends it.
        for _ in 0..<4 { bench.wait(61) }
        #expect(!bench.isOpen, "seed \(seed)")
        #expect(bench.door.counters.connectionsOpen == 0)
        try bench.end()
    }
}
