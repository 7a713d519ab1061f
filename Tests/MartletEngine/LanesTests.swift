import MartletModel
import Testing

@testable import MartletEngine

@Suite("Lanes")
struct LanesTests {
    private func add(
        _ lanes: inout GroupLanes, _ table: inout SlotTable, _ messageClass: MessageClass, source: SourceNumber = 1, parts: UInt8 = 1
    ) -> UInt32 {
        let number = table.insert(MessageID(high: 1, low: UInt64(table.count) + UInt64(table.bound) << 32))
        table.pointer(number).pointee.messageClass = messageClass
        table.pointer(number).pointee.source = source
        table.pointer(number).pointee.parts = parts
        lanes.push(number, table)
        return number
    }

    private func next(_ lanes: inout GroupLanes, _ table: borrowing SlotTable) -> (lane: Lane, number: UInt32)? {
        guard let one = lanes.choose() else { return nil }
        let number = lanes[one].next(table)
        lanes.charge(one, parts: table.pointer(number).pointee.missingParts.nonzeroBitCount)
        return (one.lane, number)
    }

    @Test("Security goes before codes, codes before all others")
    func strict() {
        var table = SlotTable()
        var lanes = GroupLanes()
        for one in [MessageClass.marketing, .transactional, .otp, .security, .otp, .employeeAlarm, .service] {
            _ = add(&lanes, &table, one)
        }
        var order: [Lane] = []
        while let (lane, _) = next(&lanes, table) { order.append(lane) }
        #expect(order.prefix(4) == [.security, .security, .otp, .otp])
        #expect(order.count == 7)
        #expect(lanes.count == 0)
    }

    @Test("Saturated, the lanes share 8 to 4 to 1 in parts, whatever the sizes of their messages")
    func weights() {
        var table = SlotTable()
        var lanes = GroupLanes()
        for n in 0..<3000 {
            _ = add(&lanes, &table, .transactional, parts: UInt8(1 + n % 3))
            _ = add(&lanes, &table, .service, parts: 1)
            _ = add(&lanes, &table, .marketing, parts: UInt8(1 + n % 5))
        }
        var parts: [Lane: Int] = [:]
        for _ in 0..<2000 {
            guard let (lane, number) = next(&lanes, table) else { break }
            parts[lane, default: 0] += Int(table.pointer(number).pointee.parts)
        }
        let all = Double(parts.values.reduce(0, +))
        for lane in [Lane.transactional, .service, .marketing] {
            let share = Double(parts[lane] ?? 0) / all
            #expect(abs(share - Double(lane.weight) / 13) < 0.01, "\(lane) has \(share)")
        }
    }

    @Test("Sources of one lane share it by parts, and ten messages of one pass the million of another")
    func fairShare() {
        var table = SlotTable()
        var lanes = GroupLanes()
        for _ in 0..<5000 { _ = add(&lanes, &table, .service, source: 1, parts: 5) }
        for _ in 0..<2000 { _ = add(&lanes, &table, .service, source: 2, parts: 1) }
        let late = (0..<10).map { _ in add(&lanes, &table, .service, source: 3) }
        var parts: [SourceNumber: Int] = [:]
        var lastLate = 0
        for step in 0..<1500 {
            guard let (_, number) = next(&lanes, table) else { break }
            parts[table.pointer(number).pointee.source, default: 0] += Int(table.pointer(number).pointee.parts)
            if late.contains(number) { lastLate = step }
        }
        let ratio = Double(parts[1] ?? 0) / Double(parts[2] ?? 1)
        #expect(abs(ratio - 1) < 0.05, "sources 1 and 2 sent \(parts)")
        #expect(lastLate < 40)
    }

    @Test("A lane that was held back does not take all until it has caught up")
    func held() {
        var table = SlotTable()
        var lanes = GroupLanes()
        for _ in 0..<4000 {
            _ = add(&lanes, &table, .transactional)
            _ = add(&lanes, &table, .marketing)
        }
        lanes.held = ClassSet(.marketing)
        for _ in 0..<2000 { #expect(next(&lanes, table)?.lane == .transactional) }
        lanes.held = []
        var marketing = 0
        for _ in 0..<900 where next(&lanes, table)?.lane == .marketing { marketing += 1 }
        #expect(abs(marketing - 100) <= 2)
    }

    @Test("A lane that was empty saved nothing up")
    func empty() {
        var table = SlotTable()
        var lanes = GroupLanes()
        for _ in 0..<2000 { _ = add(&lanes, &table, .transactional) }
        for _ in 0..<1000 { _ = next(&lanes, table) }
        for _ in 0..<500 { _ = add(&lanes, &table, .marketing) }
        var marketing = 0
        for _ in 0..<90 where next(&lanes, table)?.lane == .marketing { marketing += 1 }
        #expect(abs(marketing - 10) <= 1)
    }

    @Test("What is put back goes before what came back, and that before what had no turn")
    func places() {
        var table = SlotTable()
        var lanes = GroupLanes()
        let waiting = add(&lanes, &table, .service)
        let again = table.insert(MessageID(high: 2, low: 1))
        let first = table.insert(MessageID(high: 2, low: 2))
        for number in [again, first] { table.pointer(number).pointee.messageClass = .service }
        lanes.push(again, table, front: true)
        lanes.pushFirst(first, table)
        #expect([next(&lanes, table)?.number, next(&lanes, table)?.number, next(&lanes, table)?.number] == [first, again, waiting])
        lanes.pushFirst(first, table)
        #expect(next(&lanes, table)?.number == first)
        #expect(lanes.choose() == nil)
    }

    @Test("A lane whose payloads are being read gives nothing; the others go on")
    func loading() {
        var table = SlotTable()
        var lanes = GroupLanes()
        _ = add(&lanes, &table, .service)
        _ = add(&lanes, &table, .marketing)
        let number = lanes[.service].next(table)
        table.pointer(number).pointee.flags.insert(.loading)
        lanes[.service].pushLoading(number, table)
        _ = add(&lanes, &table, .service)
        #expect(next(&lanes, table)?.lane == .marketing)
        #expect(lanes.choose() == nil)
        lanes[.service].takeLoaded(table)
        #expect(lanes.choose() == nil)
        table.pointer(number).pointee.flags.remove(.loading)
        lanes[.service].takeLoaded(table)
        lanes[.service].takeLoaded(table)
        #expect(next(&lanes, table)?.number == number)
    }

    @Test("Whoever leaves a queue from its middle or an end leaves the order of the rest as it was")
    func remove() {
        var table = SlotTable()
        var lanes = GroupLanes()
        var kept: [UInt32] = []
        var gone: [UInt32] = []
        for n in 0..<100 {
            let number = add(&lanes, &table, .service, source: SourceNumber(1 + n % 2))
            if n % 3 == 0 { kept.append(number) } else { gone.append(number) }
        }
        let (again, first) = (add(&lanes, &table, .service), add(&lanes, &table, .service))
        for number in [again, first] { lanes.remove(number, table) }
        lanes.push(again, table, front: true)
        lanes.pushFirst(first, table)
        for number in gone.reversed() + [first] { lanes.remove(number, table) }
        #expect(lanes.count == kept.count + 1)
        var order: [SourceNumber: [UInt32]] = [:]
        #expect(next(&lanes, table)?.number == again)
        while let (_, number) = next(&lanes, table) { order[table.pointer(number).pointee.source, default: []].append(number) }
        for source in [SourceNumber(1), 2] { #expect(order[source] == kept.filter { table.pointer($0).pointee.source == source }) }
        #expect(table.pointer(kept[0]).pointee.flags == [])
    }

    @Test("The classes of one lane share it evenly, and one that is held leaves it to the others")
    func classesOfALane() {
        var table = SlotTable()
        var lanes = GroupLanes()
        for _ in 0..<300 { for one in [MessageClass.service, .actionRequired, .employeeInfo] { _ = add(&lanes, &table, one) } }
        func count(_ steps: Int) -> [MessageClass: Int] {
            var count: [MessageClass: Int] = [:]
            for _ in 0..<steps {
                if let (_, number) = next(&lanes, table) { count[table.pointer(number).pointee.messageClass, default: 0] += 1 }
            }
            return count
        }
        #expect(count(90) == [.service: 30, .actionRequired: 30, .employeeInfo: 30])
        lanes.held = ClassSet([.service, .otp])
        #expect(count(100) == [.actionRequired: 50, .employeeInfo: 50])
        lanes.held = []
        #expect(count(90).values.allSatisfy { abs($0 - 30) <= 1 })
        #expect(lanes.choose(without: ClassSet([.service, .actionRequired])) == .employeeInfo)
    }

    @Test("Pauses grow, end for most classes, and never for security")
    func pauses() {
        #expect(MessageClass.security.pause(after: 0) == 1_000)
        #expect(MessageClass.employeeAlarm.pause(after: 200) == 30_000)
        #expect([1, 2, 3].map { MessageClass.otp.pause(after: $0) } == [1_000, 3_000, 10_000])
        #expect(MessageClass.otp.pause(after: 4) == nil)
        #expect(MessageClass.transactional.pause(after: 7) == 7_200_000 && MessageClass.transactional.pause(after: 8) == nil)
        #expect(MessageClass.service.pause(after: 6) == nil && MessageClass.marketing.pause(after: 4) == nil)
    }
}
