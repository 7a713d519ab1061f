import Foundation
import Journal
import MartletEngine
import MartletModel
import NIOCore
import Testing

@testable import MartletNode

extension Rig {
    func search(_ search: MessageSearch, source: SourceNumber = 7) throws -> SearchPage {
        for _ in 0..<6000 {
            let node = node
            let promise = loop.makePromise(of: SearchPage.self)
            loop.execute { node.value.search(search, source: source) { promise.completeWith($0.mapError { $0 as any Error }) } }
            do { return try promise.futureResult.wait() } catch SearchFault.busy { usleep(5000) }
        }
        throw Unexpected()
    }

    /// All pages of a search, by id.
    func all(_ search: MessageSearch, source: SourceNumber = 7) throws -> [MessageID] {
        var search = search
        var found: [MessageID] = []
        for _ in 0..<6000 {
            let page = try self.search(search, source: source)
            found += page.stories.map(\.id)
            guard let next = page.next else { return found }
            search.cursor = next
        }
        throw Unexpected()
    }

    func latest(_ number: UInt64, since: Int64 = 0) throws -> LatestMessage? {
        let node = node
        let promise = loop.makePromise(of: LatestMessage?.self)
        loop.execute {
            node.value.latest(to: PhoneNumber(digits: number), since: since) { promise.completeWith($0.mapError { $0 as any Error }) }
        }
        return try promise.futureResult.wait()
    }

    func accepted(reference: String, to: UInt64 = 447_700_900_123, source: SourceNumber = 7, text: String = "Hello") throws -> MessageID {
        let node = node
        let promise = loop.makePromise(of: Acceptance.self)
        loop.execute {
            let submission = Submission(
                source: source, messageClass: .transactional, to: PhoneNumber(digits: to), from: "HARBOUR", text: text,
                reference: reference, receivedAt: node.value.now())
            node.value.submit(submission) { promise.succeed($0) }
        }
        guard let id = try promise.futureResult.wait().accepted else { throw Unexpected() }
        return id
    }
}

@Suite("Search", .serialized)
struct SearchTests {
    static let number: UInt64 = 447_700_900_777

    @Test("A source finds its own by reference, by number or by both, recent first, as their states are now; another source finds nothing")
    func finds() throws {
        let rig = try Rig()
        let connection = try rig.connect()
        let first = try rig.accepted(reference: "order-1", to: SearchTests.number)
        let second = try rig.accepted(reference: "order-1")
        let third = try rig.accepted(reference: "", to: SearchTests.number)
        let foreign = try rig.accepted(reference: "order-1", to: SearchTests.number, source: 8)
        let to = PhoneNumber(digits: SearchTests.number)
        #expect(try rig.all(MessageSearch(reference: "order-1")) == [second, first])
        #expect(try rig.all(MessageSearch(to: to)) == [third, first])
        #expect(try rig.all(MessageSearch(reference: "order-1", to: to)) == [first])
        #expect(try rig.all(MessageSearch(reference: "order-1"), source: 8) == [foreign])
        #expect(try rig.all(MessageSearch(reference: "order-1"), source: 9).isEmpty)
        #expect(try rig.all(MessageSearch(to: to), source: 9).isEmpty)
        #expect(try rig.all(MessageSearch(reference: "order-2")).isEmpty)
        #expect(try rig.wait { $0.metricsText().contains("martlet_outcomes_total{outcome=\"accepted\"} 4") })
        try rig.run { _ in connection.value.hear("p\(first.text)", .delivered) }
        for _ in 0..<6000 where try rig.story(first)?.state != .delivered { usleep(10_000) }
        let story = try #require(try rig.search(MessageSearch(reference: "order-1", to: to)).stories.first)
        #expect(story.state == .delivered && story.to == to && story.reference == "order-1" && story.attempts.count == 1)
        try rig.stop()
    }

    @Test("Pages follow each other without gap or repetition, whatever is accepted between them; times bound them")
    func pages() throws {
        let rig = try Rig()
        var ids: [MessageID] = []
        var times: [Int64] = []
        for _ in 0..<25 {
            let id = try rig.accepted(reference: "r")
            ids.append(id)
            times.append(try #require(try rig.story(id)).createdAt)
        }
        var search = MessageSearch(reference: "r", limit: 10)
        let first = try rig.search(search)
        let between = try rig.accepted(reference: "r")
        search.cursor = first.next
        search.limit = 20
        let second = try rig.search(search)
        #expect((first.stories + second.stories).map(\.id) == ids.reversed())
        #expect(second.next == nil)
        #expect(try rig.all(MessageSearch(reference: "r", limit: 1)) == [between] + ids.reversed())
        let span = MessageSearch(reference: "r", from: times[5], until: times[20], limit: 4)
        #expect(try rig.all(span) == ids[5..<20].reversed())
        #expect(try rig.all(MessageSearch(reference: "r", until: times[0])).isEmpty)
        #expect(try rig.all(MessageSearch(reference: "r", from: times[24] + 60_000_000)).isEmpty)
        try rig.stop()
    }

    @Test("Finished segments are searched by their runs, also when those are made anew after a start")
    func segments() throws {
        let rig = try Rig()
        let text = String(repeating: "x", count: 1400)
        var ids: [MessageID] = []
        for number in 0..<900 {
            if number % 90 == 0 { ids.append(try rig.accepted(reference: "needle", to: SearchTests.number, text: text)) }
            _ = try rig.accepted(reference: "hay", text: text)
        }
        #expect(try rig.run { $0.takeJournal().segments.count } > 3)
        let wanted = Array(ids.reversed())
        #expect(try rig.all(MessageSearch(reference: "needle")) == wanted)
        #expect(try rig.all(MessageSearch(to: PhoneNumber(digits: SearchTests.number), limit: 3)) == wanted)
        #expect(try rig.all(MessageSearch(reference: "hay", limit: 100)).count == 900)
        let newest = try #require(try rig.latest(SearchTests.number))
        #expect(newest.id == wanted[0] && newest.source == 7)
        #expect(try rig.latest(SearchTests.number, since: newest.at) == newest)
        #expect(try rig.latest(SearchTests.number, since: newest.at + 1) == nil)
        #expect(try rig.latest(447_700_900_001) == nil)
        try rig.stop()

        let image = try rig.crashImage()
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(image)/data/journal") where name.hasSuffix(".run") {
            try FileManager.default.removeItem(atPath: "\(image)/data/journal/\(name)")
        }
        let next = try Rig(at: image)
        #expect(try next.all(MessageSearch(reference: "needle", limit: 4)) == wanted)
        #expect(try next.latest(SearchTests.number)?.id == wanted[0])
        try next.stop()
        // And with the runs that are there now.
        let third = try Rig(at: try next.crashImage())
        #expect(try third.all(MessageSearch(reference: "needle")) == wanted)

        // One that rots while it is open is told, not passed over.
        let place = "\(third.directory)/data/journal"
        for name in try FileManager.default.contentsOfDirectory(atPath: place) where name.hasSuffix(".run") {
            var bytes = try Data(contentsOf: URL(filePath: "\(place)/\(name)"))
            if bytes.count > 4096 { bytes[4100] ^= 1 }
            try bytes.write(to: URL(filePath: "\(place)/\(name)"))
        }
        #expect(throws: SearchFault.self) { try third.search(MessageSearch(reference: "needle")) }
        #expect(throws: SearchFault.self) { try third.latest(SearchTests.number) }
        try third.stop()
    }

    @Test("One walk looks at no more than its share; its cursors lead through all")
    func bounded() throws {
        let rig = try Rig()
        var ids: [MessageID] = []
        for number in 0..<40 {
            let id = try rig.accepted(reference: "r", to: number % 4 == 0 ? SearchTests.number : 447_700_900_123)
            if number % 4 == 0 { ids.append(id) }
        }
        _ = try rig.all(MessageSearch(reference: "r"))
        let search = MessageSearch(reference: "r", to: PhoneNumber(digits: SearchTests.number))
        for (entries, records) in [(3, 1000), (20_000, 3), (1, 1)] {
            var found: [MessageID] = []
            var cursor: SearchCursor?
            var walks = 0
            repeat {
                var asked = search
                asked.cursor = cursor
                var walk = try rig.run { [asked] in $0.walk(asked, 7) }
                walk.entriesLeft = entries
                walk.recordsLeft = records
                let page = try walk.run()
                found += page.hits.map(\.id)
                cursor = page.next
                walks += 1
            } while cursor != nil && walks < 200
            #expect(found == ids.reversed())
            #expect(walks > 10)
        }
        try rig.stop()
    }

    @Test("When its runs cannot be written the search goes on in memory, and the trouble is counted")
    func unwritable() throws {
        let rig = try Rig { options in
            let rename = options.disk.rename
            options.disk.rename = { from, to in to.hasSuffix(".run") ? -EIO : rename(from, to) }
        }
        let id = try rig.accepted(reference: "needle")
        let text = String(repeating: "x", count: 1400)
        for _ in 0..<700 { _ = try rig.accepted(reference: "hay", text: text) }
        #expect(try rig.all(MessageSearch(reference: "needle")) == [id])
        #expect(try rig.run { $0.metricsText().contains("martlet_journal_index_failures_total 0") } == false)
        try rig.stop()
    }

    @Test("More searches at once than are allowed are told to come later")
    func busy() throws {
        let rig = try Rig()
        _ = try rig.accepted(reference: "r")
        _ = try rig.all(MessageSearch(reference: "r"))
        let node = rig.node
        let promises = (0..<70).map { _ in rig.loop.makePromise(of: Bool.self) }
        let latest = rig.loop.makePromise(of: SearchFault?.self)
        rig.loop.execute {
            for promise in promises {
                node.value.search(MessageSearch(reference: "r"), source: 7) { result in
                    if case .failure(.busy) = result { promise.succeed(true) } else { promise.succeed(false) }
                }
            }
            node.value.latest(to: PhoneNumber(digits: 447_700_900_123), since: 0) { result in
                if case .failure(let fault) = result { latest.succeed(fault) } else { latest.succeed(nil) }
            }
        }
        #expect(try promises.map { try $0.futureResult.wait() }.count { $0 } == 6)
        #expect(try latest.futureResult.wait() == .busy)
        #expect(try rig.run { $0.searchesInFlight } == 0)
        try rig.stop()
    }

    @Test("A message that stays open is found after its first segment was trimmed, once, over a restart too")
    func carried() throws {
        let rig = try Rig { $0.keepMicroseconds = 1_000_000 }
        try rig.run { $0.start() }
        let held = try rig.accepted(reference: "held", to: SearchTests.number, text: "stays open")
        let other = try rig.accepted(reference: "held", to: SearchTests.number, text: "stays open")
        let connection = try rig.connect(window: 100, answering: false)
        try rig.run { _ in connection.value.answer = { $0.text == "stays open" ? .deferred(status: 8) : .refused(status: 1) } }
        let text = String(repeating: "x", count: 1400)
        for round in 0..<12 {
            for _ in 0..<60 { _ = try rig.submit(text) }
            if round % 4 == 3 { usleep(700_000) }
        }
        #expect(try rig.wait { $0.takeJournal().segments.first.map { $0.number > 1 } ?? false })
        let fresh = try rig.accepted(reference: "held")
        let found = try rig.all(MessageSearch(reference: "held", limit: 1))
        #expect(found.first == fresh && found.count == 3 && Set(found) == [held, other, fresh])
        #expect(try rig.all(MessageSearch(to: PhoneNumber(digits: SearchTests.number))).count == 2)
        let latest = try #require(try rig.latest(SearchTests.number))
        #expect(latest.id == held || latest.id == other)
        try rig.stop()
        let next = try Rig(at: try rig.crashImage())
        #expect(Set(try next.all(MessageSearch(reference: "held"))) == [held, other, fresh])
        try next.stop()
    }
}
