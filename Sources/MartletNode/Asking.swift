import Dispatch
import Guard
import Journal
import MartletEngine
public import MartletModel
import NIOCore

private let asking = DispatchQueue(label: "martlet.inquiries")

/// Inquiries to providers: what the engine wants to know is looked up in the log away from the loop, since only the log has the providers'
/// ids, and put to the connections of the group that sent the message, as far as they have room beside their window.
extension Node {
    public func asked(_ batch: [InquiryAnswer], by connection: any Connection) {
        asked(batch, connection: connection.name)
        askAll()
    }

    private func asked(_ batch: [InquiryAnswer], connection: String) {
        guard !broken, !batch.isEmpty else { return }
        turn.begin(now())
        engine.asked(batch, connection: connection, &turn)
        if !turn.records.isEmpty, append() { kickLater() }
    }

    func askAll() {
        guard !broken, !stopping, !isBehind else { return }
        if engine.hasInquiries { read(askable(engine.takeInquiries())) }
        guard !inquiries.isEmpty else { return }
        for group in inquiries.keys.sorted() { ask(group) }
    }

    private func ask(_ group: GroupNumber) {
        guard let all = inquiries.removeValue(forKey: group) else { return }
        // A group that is left alone from now on is not asked what was read for it before.
        let rested = Inquiry.What.allCases.filter { engine.rests($0, group, now()) }
        var waiting = rested.isEmpty ? all : all.filter { !rested.contains($0.what) }
        if waiting.count < all.count {
            asked(all.filter { rested.contains($0.what) }.map { InquiryAnswer($0, .notAsked) }, connection: "")
        }
        var isBound = false
        var batches: [(connection: any Connection, batch: [Inquiry])] = []
        for number in byGroup[group] ?? [] {
            guard let connection = connections[number]?.connection, let room = connection.inquiryRoom else { continue }
            isBound = true
            let batch = Array(waiting.prefix(room))
            guard !batch.isEmpty else { continue }
            waiting.removeFirst(batch.count)
            batches.append((connection, batch))
        }
        if isBound, !waiting.isEmpty { inquiries[group] = waiting }
        for (connection, batch) in batches { connection.ask(batch) }
        // Nobody to be asked: their turn comes again.
        if !isBound { asked(waiting.map { InquiryAnswer($0, .notAsked) }, connection: "") }
    }

    /// Without those whose group nobody can ask now: what the log says of them is not needed. Their turn comes again.
    private func askable(_ list: [Engine.Asking]) -> [Engine.Asking] {
        var reached: [GroupNumber: Bool] = [:]
        var askable: [Engine.Asking] = []
        var others: [InquiryAnswer] = []
        for item in list {
            let isReached = reached[item.group] ?? (byGroup[item.group] ?? []).contains { connections[$0]?.connection.inquiryRoom != nil }
            reached[item.group] = isReached
            if isReached, !engine.rests(item.what, item.group, now()) {
                askable.append(item)
                continue
            }
            for part in UInt8(0)..<16 where item.parts >> UInt16(part) & 1 == 1 {
                others.append(InquiryAnswer(slot: item.slot, what: item.what, part: part, providerID: "", result: .notAsked))
            }
        }
        asked(others, connection: "")
        return askable
    }

    private func read(_ list: [Engine.Asking]) {
        guard !list.isEmpty else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let (journal, keys) = (parts.reader, parts.recordKeys)
        asking.async {
            var found: [(group: GroupNumber, inquiry: Inquiry)] = []
            var lost: [InquiryAnswer] = []
            for item in list { InquiryReading.read(item, journal, keys, &found, &lost) }
            loop.execute { [found, lost] in bound.value.found(found, lost) }
        }
    }

    private func found(_ found: [(group: GroupNumber, inquiry: Inquiry)], _ lost: [InquiryAnswer]) {
        guard !broken, !stopping else { return }
        asked(lost, connection: "")
        for item in found { inquiries[item.group, default: []].append(item.inquiry) }
        // No code waits behind bulk.
        for group in Set(found.map(\.group)) {
            guard let list = inquiries[group] else { continue }
            inquiries[group] = list.filter(\.isStrict) + list.filter { !$0.isStrict }
        }
        askAll()
    }
}

/// What an inquiry needs of the log.
enum InquiryReading {
    /// Records of one message that are gone through at most.
    private static let recordMaximum = 4096

    static func read(
        _ item: Engine.Asking, _ journal: Reader, _ keys: RecordKeys, _ found: inout [(group: GroupNumber, inquiry: Inquiry)],
        _ lost: inout [InquiryAnswer]
    ) {
        let payload = try? StoredRecord.payload(at: item.payloadAt, in: journal, keys)
        let ids = payload == nil ? [:] : providerIDs(item, journal)
        for part in UInt8(0)..<16 where item.parts >> UInt16(part) & 1 == 1 {
            if let payload, let id = ids[part] {
                let inquiry = Inquiry(
                    slot: item.slot, what: item.what, part: part, providerID: id.key, rawID: id.raw, isStrict: item.isStrict,
                    from: payload.from, to: payload.to)
                found.append((item.group, inquiry))
            } else {
                lost.append(InquiryAnswer(slot: item.slot, what: item.what, part: part, providerID: "", result: .notFound))
            }
        }
    }

    /// The newest id of each part, along the chain of the message's records. What was trimmed, or cannot be read, ends it: a part without
    /// an id is not asked about.
    private static func providerIDs(_ item: Engine.Asking, _ journal: Reader) -> [UInt8: (key: String, raw: String)] {
        var ids: [UInt8: (key: String, raw: String)] = [:]
        var position = item.newest
        var left = recordMaximum
        while position != 0, left > 0, ids.count < item.parts.nonzeroBitCount {
            guard let bytes = try? journal.read(at: position), let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }),
                record.header.id == item.id
            else { break }
            if case .answered(let it) = record.body, case .accepted(let id) = it.outcome, !id.isEmpty, ids[it.part] == nil,
                item.parts >> UInt16(it.part & 15) & 1 == 1
            {
                ids[it.part] = (id, it.rawID)
            }
            position = record.header.previous
            left -= 1
        }
        return ids
    }
}
