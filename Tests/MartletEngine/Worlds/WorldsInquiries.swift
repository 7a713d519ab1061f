import MartletModel

@testable import MartletEngine

/// The inquiries of a world: read back along the chain as the node does, put to the operator, answered by its manner.
extension WorldLoop {
    func askOperators() {
        guard running, engine.hasInquiries else { return }
        for item in engine.takeInquiries() {
            checker.check(log.read(item.newest) != nil, "an inquiry begins at \(item.newest), which is not durable")
            after(dice.between(Int64(50), 20_000)) { $0.put(item) }
        }
    }

    private func put(_ item: Engine.Asking) {
        var ids: [UInt8: String] = [:]
        var position = item.newest
        while position != 0, let bytes = log.read(position), let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }) {
            checker.check(record.header.id == item.id, "the chain of a message leads to another")
            if case .answered(let it) = record.body, case .accepted(let id) = it.outcome, ids[it.part] == nil { ids[it.part] = id }
            position = record.header.previous
        }
        guard let link = links.first(where: { $0.group == item.group && $0.bound }) else {
            return tell(item, item.parts, "") { _ in ("", .notAsked) }
        }
        let one = link.operatorOf
        for part in UInt8(0)..<16 where item.parts >> UInt16(part) & 1 == 1 {
            guard let id = ids[part] else {
                tell(item, 1 << UInt16(part), "") { _ in ("", .notFound) }
                continue
            }
            // It is there when it is asked, whatever becomes of its answer.
            whatever(dice.between(Int64(500), one.manner.slowest)) { $0.arrive(item, part, id, one, link) }
            after(answerTimeout) { $0.tell(item, 1 << UInt16(part), link.name) { _ in (id, .silent) } }
        }
    }

    private func arrive(_ item: Engine.Asking, _ part: UInt8, _ id: String, _ one: SimulatedOperator, _ link: Link) {
        let result: InquiryAnswer.Result
        let isOver = one.fates[id].map { steady >= $0.from } ?? false
        switch one.manner.answering {
        case .silent: return
        case .notKnown: result = .notKnown(status: 3)
        case .failing: result = .refused(status: item.what == .query ? 0x67 : 0x11)
        case .forgetful where item.what == .query: result = .state(.unknown, error: 0, endedAt: 0)
        case .lying where item.what == .query:
            result = .state(dice.pick(ReceiptState.allCases), error: 0, endedAt: 0)
        case .truthful, .lying, .forgetful:
            if item.what == .query {
                let over = isOver ? one.fates[id]?.state ?? .unknown : .enroute
                result = .state(one.forgotten.contains(id) ? .deleted : over, error: 0, endedAt: 0)
            } else if isOver, one.manner.answering != .lying {
                result = .refused(status: 0x11)
            } else {
                one.forgotten.insert(id)
                result = .cancelled
            }
        }
        let session = link.session
        after(dice.between(Int64(500), one.manner.answersAfter)) { loop in
            guard link.session == session else { return }
            loop.tell(item, 1 << UInt16(part), link.name) { _ in (id, result) }
        }
    }

    private func tell(
        _ item: Engine.Asking, _ parts: UInt16, _ connection: String, _ answer: (UInt8) -> (id: String, result: InquiryAnswer.Result)
    ) {
        turn.begin(instant)
        for part in UInt8(0)..<16 where parts >> UInt16(part) & 1 == 1 {
            let (id, result) = answer(part)
            engine.asked(
                [InquiryAnswer(slot: item.slot, what: item.what, part: part, providerID: id, result: result)], connection: connection, &turn
            )
        }
        append(nil, [])
    }
}
