import Glibc
import MartletModel
import Zip

/// Well-formed beginnings that no file of the repository holds: records of every kind, and a payload.
func writeSeeds(of name: String, to folder: String) -> Bool {
    var seeds: [[UInt8]] = []
    switch name {
    case "record":
        for body in recordBodies {
            let header = RecordHeader(
                kind: body.kind, partition: 3, messageClass: 3, source: 1, group: 2, parts: 2, id: MessageID(high: 7, low: 9),
                at: 1_790_000_000_000_000, deadline: 1_790_000_180_000, flags: [.possibleDuplicate])
            let record = Record(header: header, body: body)
            var octets = [UInt8](repeating: 0, count: record.clearByteCount + 16)
            octets.withUnsafeMutableBytes { room in
                if let start = room.baseAddress { record.write(to: start) }
            }
            seeds.append(octets)
        }
    case "payload":
        let number: [UInt8] = [0x7B, 0xD0, 0x5A, 0x3E, 0x68, 0, 0, 0]
        seeds = [
            [1] + number + [1, 65, 1, 66, 2, 0, 67, 68], [2] + number + [1, 65, 0, 2, 0, 67, 68, 6, 5, 0, 3, 1, 2, 1],
        ]
    case "zip":
        let entries = [
            Zip.Entry(name: "cap/week.json", bytes: Array("{}".utf8)), Zip.Entry(name: "a/b", bytes: [UInt8](repeating: 7, count: 300)),
        ]
        for some in [entries, [entries[0]], []] {
            do throws(ZipFault) { seeds.append(try Zip.write(some)) } catch { return false }
        }
    default: return false
    }
    for (number, seed) in seeds.enumerated() {
        guard let file = fopen("\(folder)/made-\(number)", "w") else { return false }
        defer { fclose(file) }
        guard fwrite(seed, 1, seed.count, file) == seed.count else { return false }
    }
    return true
}

private let recordBodies: [RecordBody] = [
    .told(.init(outcome: .heard, teller: "core")), .accepted(.init(receivedAt: 1_790_000_000_000_001)),
    .answered(.init(attempt: 1, part: 1, outcome: .accepted(providerID: "A-1"), handedAt: 5, connection: "harbour-1")),
    .answered(.init(attempt: 1, part: 0, outcome: .refused(status: 9), handedAt: 5, connection: "c")),
    .receipt(.init(part: 3, state: .undeliverable, error: 0x1234, providerID: "0001F")), .ended(.init(state: .expired, reason: .noReceipt)),
    .resumed(.init(why: .left)),
    .carried(
        .init(
            state: .unknown, attempts: 3, resends: 1, strikes: 2, answeredParts: 1, deliveredParts: 2, failedParts: 4, unknownParts: 8,
            partsReference: 0xBEEF, notBefore: 77, order: 1 << 40, providerKeys: [.init(hash: .max, part: 1), .init(hash: 7, part: 2)])),
    .orphan(.init(state: .delivered, error: 7, providerID: "99")), .mark(.init(what: .operated, text: "ops stopped harbour-1")),
]
