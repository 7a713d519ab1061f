import Crypto
import Testing

@testable import Guard

/// A chain of `count` entries, some with details, some with a reason.
func auditChain(
    _ count: Int, name: String = "desk.test"
) throws -> (chain: AuditChain, entries: [ChainedAuditEntry], details: [AuditDetails?]) {
    var chain = try AuditChain(name: name)
    var entries: [ChainedAuditEntry] = []
    var details: [AuditDetails?] = []
    for number in 0..<count {
        let detail = number % 3 == 0 ? AuditDetails(Array("+44 7700 900\(100 + number % 900)".utf8)) : nil
        entries.append(
            try chain.append(
                time: 1_700_000_000_000_000 + Int64(number), principal: "user:\(number % 7)", action: "text.viewed",
                object: "message:\(number)",
                outcome: "done", reason: number % 2 == 0 ? "the customer asked" : nil, details: detail))
        details.append(detail)
    }
    return (chain, entries, details)
}

@Suite("Audit chain")
struct AuditTests {
    let signer: AuditCheckpointSigner
    init() throws { signer = try AuditCheckpointSigner(master: masterKey()) }

    func check(_ entries: [ChainedAuditEntry], _ checkpoints: [String] = []) -> AuditReport {
        AuditChain.verify(entries, chain: "desk.test", checkpoints: checkpoints, keys: [signer.publicKey])
    }

    @Test("An entry's hash is SHA-256 over the documented frame, as another implementation computes it")
    func knownAnswer() throws {
        // Computed with Python's hashlib from docs/reference/audit-format.md.
        let origin = AuditChain.origin("desk.test")
        #expect(origin.hash.text == "b86819d6bba5cba41a06cf92424096031a6f1810acea85e7c054419483e03d66")
        let details = AuditDetails(salt: plainKey, bytes: Array("+44 7700 900123".utf8))
        #expect(details.commitment?.text == "faf6327934b6f1dcde6c35cd462059173e835c1c09537e9483b664a49610f3df")
        let entry = AuditEntry(
            sequence: 1, time: -1, principal: "user:1", action: "text.viewed", object: "message:ü", outcome: "done", reason: "asked",
            details: details.commitment, previous: origin.hash)
        #expect(entry.hash.text == "9799389fd9dfdaa7ef31e33b84de9f269c4122cc192636439c1091004bab83af")
        var bare = entry
        (bare.reason, bare.details) = (nil, nil)
        #expect(bare.hash.text == "ca5825f00a375750b00bb391278c9b1f0aa30b2af462b13136945a024bed831b")
        #expect(AuditHash(text: entry.hash.text) == entry.hash && AuditHash(entry.hash.bytes) == entry.hash)
        #expect(AuditHash(text: "00") == nil && AuditHash([1, 2]) == nil && "\(entry.hash)" == entry.hash.text)
    }

    @Test("A whole chain verifies, from its beginning and from any of its heads")
    func whole() throws {
        let (chain, entries, _) = try auditChain(50)
        let report = check(entries)
        #expect(report.isSound && report.entries == 50 && report.head == chain.head && report.confirmed == 0)
        for start in [1, 20, 49] {
            let head = AuditHead(sequence: UInt64(start), hash: entries[start - 1].hash)
            let rest = AuditChain.verify(entries[start...], chain: "desk.test", after: head)
            #expect(rest.isSound && rest.head == chain.head && rest.entries == UInt64(50 - start))
            // From the wrong head it does not follow.
            let wrong = AuditHead(sequence: UInt64(start), hash: chain.head.hash)
            if start < 50 {
                #expect(
                    AuditChain.verify(entries[start...], chain: "desk.test", after: wrong).findings
                        == [.unlinked(sequence: UInt64(start + 1))])
            }
        }
        #expect(check([]).isSound && check([]).head == AuditChain.origin("desk.test"))
        // In the chain of another installation it does not fit.
        #expect(AuditChain.verify(entries, chain: "desk.other").findings == [.unlinked(sequence: 1)])
    }

    @Test("A chain goes on from a stored head, and back to it when the transaction failed")
    func goingOn() throws {
        var (chain, entries, _) = try auditChain(3)
        let head = chain.head
        _ = try chain.append(time: 0, principal: "p", action: "a", object: "o", outcome: "lost")
        chain.rewind(to: head)
        entries.append(try chain.append(time: 0, principal: "p", action: "a", object: "o", outcome: "done"))
        var other = try AuditChain(name: "desk.test", head: chain.head)
        entries.append(try other.append(time: 0, principal: "p", action: "a", object: "o", outcome: "done"))
        #expect(check(entries).isSound && other.head.sequence == 5)
    }

    @Test("What cannot be entered is refused by the field's name")
    func refusals() throws {
        for name in ["", "Desk", "a b", String(repeating: "a", count: 65)] {
            #expect(throws: AuditFault.badChainName(name)) { try AuditChain(name: name) }
        }
        var chain = try AuditChain(name: "desk")
        func append(_ p: String, _ a: String, _ o: String, _ out: String, _ r: String? = nil, _ d: AuditDetails? = nil) throws {
            _ = try chain.append(time: 0, principal: p, action: a, object: o, outcome: out, reason: r, details: d)
        }
        #expect(throws: AuditFault.empty(field: "principal")) { try append("", "a", "o", "x") }
        #expect(throws: AuditFault.empty(field: "reason")) { try append("p", "a", "o", "x", "") }
        let long = String(repeating: "x", count: 257)
        #expect(throws: AuditFault.tooLong(field: "action", bytes: 257, maximum: 256)) { try append("p", long, "o", "x") }
        #expect(throws: AuditFault.tooLong(field: "object", bytes: 257, maximum: 256)) { try append("p", "a", long, "x") }
        #expect(throws: AuditFault.badSalt(bytes: 2)) { try append("p", "a", "o", "x", nil, AuditDetails(salt: [1, 2], bytes: [])) }
        #expect(chain.head.sequence == 0)
        try append("p", "a", "o", "x", String(long.prefix(256)))
        chain.rewind(to: AuditHead(sequence: .max, hash: chain.head.hash))
        #expect(throws: AuditFault.full) { try append("p", "a", "o", "x") }
        let faults: [AuditFault] = [
            .badChainName("B"), .empty(field: "f"), .tooLong(field: "f", bytes: 2, maximum: 1), .badSalt(bytes: 2), .full,
        ]
        for fault in faults { #expect(fault.description.hasPrefix("audit: ")) }
    }

    @Test("Details verify while they are there, are named when altered, and their erasure leaves the chain sound")
    func details() throws {
        let (_, entries, details) = try auditChain(9)
        func findings(_ details: [AuditDetails?]) -> [AuditFinding] {
            var verifier = AuditVerifier(chain: "desk.test")
            for (entry, detail) in zip(entries, details) { verifier.take(entry, details: detail) }
            return verifier.finish().findings
        }
        #expect(findings(details) == [])
        #expect(findings(details.map { _ in nil }) == [])
        let one = try #require(details[3])
        var altered = details
        altered[3] = AuditDetails(salt: one.salt, bytes: one.bytes + [0])
        #expect(findings(altered) == [.detailsAltered(sequence: 4)])
        altered[3] = AuditDetails(salt: one.salt.reversed(), bytes: one.bytes)
        #expect(findings(altered) == [.detailsAltered(sequence: 4)])
        altered[3] = AuditDetails(salt: [], bytes: one.salt + one.bytes)
        #expect(findings(altered) == [.detailsAltered(sequence: 4)])
        altered = details
        altered[1] = one
        #expect(findings(altered) == [.detailsAltered(sequence: 2)])
        #expect(AuditDetails(one.bytes).commitment != one.commitment)
        #expect("\(one)" == "audit details of 15 bytes" && one.customMirror.children.count == 1)
    }

    @Test("A change of any field of an entry, or of its stored hash, is one finding with its number")
    func everyField() throws {
        let (_, entries, _) = try auditChain(8)
        let changes: [(inout ChainedAuditEntry) -> Void] = [
            { $0.entry.sequence += 1 }, { $0.entry.sequence -= 1 }, { $0.entry.sequence = .max }, { $0.entry.time += 1 },
            { $0.entry.principal += "x" }, { $0.entry.action = "none" }, { $0.entry.object = "" }, { $0.entry.outcome = "failed" },
            { $0.entry.reason = $0.entry.reason == nil ? "" : nil }, { $0.entry.details = $0.entry.previous },
            { $0.entry.details = nil }, { $0.entry.previous = $0.hash }, { $0.hash = $0.entry.previous },
            { ($0.entry.principal, $0.entry.action) = ($0.entry.principal + "t", "ext.viewed") },
        ]
        for (kind, change) in changes.enumerated() {
            for index in entries.indices {
                var altered = entries
                change(&altered[index])
                guard altered[index] != entries[index] else { continue }
                let expected = AuditFinding.altered(sequence: UInt64(index + 1), stored: altered[index].entry.sequence)
                #expect(check(altered).findings == [expected], "change \(kind) of entry \(index + 1)")
            }
        }
    }

    @Test("Deleted entries, inserted ones and swapped ones are named by their place")
    func places() throws {
        let (_, entries, _) = try auditChain(20)
        var altered = entries
        altered.removeSubrange(4..<7)
        #expect(check(altered).findings == [.missing(from: 5, through: 7)])
        altered = entries
        altered.swapAt(4, 5)
        #expect(
            check(altered).findings == [.missing(from: 5, through: 5), .outOfPlace(sequence: 5, after: 6)])
        altered = entries
        altered.insert(entries[2], at: 10)
        #expect(check(altered).findings == [.outOfPlace(sequence: 3, after: 10)])
        // A forged entry that follows on as it should: the true one after it stands in its place.
        let forged = AuditEntry(
            sequence: 11, time: 0, principal: "nobody", action: "a", object: "o", outcome: "done", previous: entries[9].hash)
        altered = entries
        altered.insert(ChainedAuditEntry(entry: forged, hash: forged.hash), at: 10)
        #expect(check(altered).findings == [.outOfPlace(sequence: 11, after: 11), .unlinked(sequence: 12)])
        // In the place of the true one.
        altered = entries
        altered[10] = ChainedAuditEntry(entry: forged, hash: forged.hash)
        #expect(check(altered).findings == [.unlinked(sequence: 12)])
        // Contents swapped, numbers left in order.
        altered = entries
        altered[4].entry.object = entries[5].entry.object
        altered[5].entry.object = entries[4].entry.object
        #expect(check(altered).findings == [.altered(sequence: 5, stored: 5), .altered(sequence: 6, stored: 6)])
        altered = Array(entries.dropFirst())
        #expect(check(altered).findings == [.missing(from: 1, through: 1)])
    }

    @Test("Random damage is always named, at the place where it was done")
    func random() throws {
        let (chain, entries, _) = try auditChain(60)
        let lines = try [signer.line(chain, time: 5)]
        var random = Seeded(state: 77)
        for round in 0..<600 {
            var altered = entries
            let at = Int.random(in: 0..<59, using: &random)
            switch round % 5 {
            case 0: altered[at].entry.time ^= 1 << Int64.random(in: 0..<63, using: &random)
            case 1:
                var bytes = altered[at].hash.bytes
                bytes[Int.random(in: 0..<32, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                altered[at].hash = try #require(AuditHash(bytes))
            case 2: altered.remove(at: at)
            case 3: altered.swapAt(at, at + 1)
            default: altered.removeLast(60 - at)
            }
            let report = check(altered, lines)
            #expect(!report.isSound, "round \(round) at \(at + 1)")
            let place = UInt64(at + 1)
            switch round % 5 {
            case 0, 1: #expect(report.findings.contains(.altered(sequence: place, stored: place)), "round \(round)")
            case 2: #expect(report.findings == [.missing(from: place, through: place)], "round \(round)")
            case 3:
                #expect(
                    Array(report.findings.prefix(2)) == [
                        .missing(from: place, through: place), .outOfPlace(sequence: place, after: place + 1),
                    ],
                    "round \(round)")
            default: #expect(report.findings == [.cut(after: place - 1, known: 60)], "round \(round)")
            }
        }
    }

    @Test("A million findings are counted and the first thousand kept: memory does not grow with the chain")
    func bounded() throws {
        let (_, entries, _) = try auditChain(1200)
        var altered = entries
        for index in altered.indices { altered[index].entry.time = 0 }
        let report = check(altered)
        #expect(report.findingCount == 1200 && report.findings.count == 1000)
    }

    @Test("Every finding says its place")
    func descriptions() {
        let findings: [AuditFinding] = [
            .altered(sequence: 77, stored: 77), .altered(sequence: 77, stored: 1), .unlinked(sequence: 77), .missing(from: 77, through: 77),
            .missing(from: 77, through: 78), .outOfPlace(sequence: 77, after: 80), .detailsAltered(sequence: 77),
            .contradicted(sequence: 77, lastFitting: 1), .cut(after: 77, known: 80), .badCheckpoint(line: 77, .notAuthentic),
            .checkpointOrder(line: 77),
        ]
        for finding in findings { #expect(finding.description.contains("77")) }
    }
}
