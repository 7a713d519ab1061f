import Dispatch
import Synchronization
import Testing

@testable import Guard

/// Which name is looked up when: the order alone, with nothing that waits.
@Suite("Outbound: the order of look-ups")
struct OutboundLookupOrderTests {
    private typealias Order = OutboundLookupOrder

    private static func begun(_ starts: [Order.Start]?) -> [String]? { starts?.map(\.name) }

    /// Asks for names whose look-ups begin at once.
    private func begin(_ order: inout Order, _ names: String...) throws -> [Order.Start] {
        var all: [Order.Start] = []
        for name in names {
            let starts = order.ask(name)
            #expect(Self.begun(starts) == [name])
            all += try #require(starts)
        }
        return all
    }

    @Test("A name that is looked up, or waits for it, is not looked up a second time")
    func shared() throws {
        var order = Order()
        let first = try begin(&order, "a")
        #expect(order.ask("a") == [])
        _ = try begin(&order, "b", "c", "d")
        #expect(order.ask("e") == [] && order.ask("e") == [], "four are on their way")
        #expect(Self.begun(order.ended(first[0])) == ["e"])
        #expect(order.ask("a") == [], "b, c, d and e are on their way")
    }

    @Test("One that hangs has its thread and no other, and those who ask for it hear so at once; another thread stands in for it")
    func hanging() throws {
        var order = Order()
        let starts = try begin(&order, "a", "b", "c", "d")
        #expect(order.ask("e") == [])
        #expect(Self.begun(order.overran(starts[0])) == ["e"])
        #expect(order.ask("a") == nil)
        #expect(order.ended(starts[0]) == [])
        #expect(order.ask("a") == [], "its thread is back, and four others are on their way")
    }

    @Test("The time of a look-up that ended is not taken for that of the next one of the name")
    func oldTime() throws {
        var order = Order()
        let first = try begin(&order, "a")
        _ = order.ended(first[0])
        let second = try begin(&order, "a")
        #expect(order.overran(first[0]) == nil && order.ask("a") == [])
        #expect(order.overran(second[0]) == [] && order.ask("a") == nil)
    }

    @Test("However many hang, no more threads are held than there are; when they are back, others begin")
    func bound() throws {
        var order = Order()
        var held: [Order.Start] = []
        for number in 0..<Order.threads {
            let starts = try begin(&order, "n\(number)")
            held += starts
            #expect(order.overran(starts[0]) == [])
        }
        #expect(order.ask("good") == [], "no thread is left")
        #expect(Self.begun(order.ended(held[0])) == ["good"])
    }

    @Test("Names that hung last time hold a part of the threads at most, so that others go on; one that answers in time is as the others")
    func suspects() throws {
        var order = Order()
        let names = (0..<12).map { "n\($0)" }
        for name in names {
            let starts = try begin(&order, name)
            #expect(order.overran(starts[0]) == [] && order.ended(starts[0]) == [])
        }
        var held: [Order.Start] = []
        for name in names {
            let starts = order.ask(name) ?? []
            for start in starts { #expect(order.overran(start) == []) }
            held += starts
        }
        #expect(held.map(\.name) == Array(names.prefix(Order.suspectThreads)))
        let good = try begin(&order, "good", "fine", "well")[0]
        // A late answer clears nobody; it frees a place for the next.
        let following = order.ended(held[0])
        let next = try #require(following.first)
        #expect(next.name == "n8")
        #expect(order.ask("n0") == [], "it waits again, beside n9, n10 and n11")
        // An answer in time does: with one place free again the ninth goes, and the eighth needs none any more.
        #expect(Self.begun(order.ended(next)) == ["n9"])
        #expect(order.ask("n8") == [], "good, fine, well and n9 are on their way")
        #expect(Self.begun(order.ended(good)) == ["n8"])
    }

    @Test("What waits is bounded, and what nobody wants any more waits no longer")
    func waiting() throws {
        var order = Order()
        let starts = try begin(&order, "a", "b", "c", "d")
        for number in 0..<Order.waitingMaximum { #expect(order.ask("n\(number)") == []) }
        #expect(order.ask("one more") == nil && order.ask("n7") == [])
        order.leave("n0")
        #expect(Self.begun(order.ended(starts[0])) == ["n1"])
    }
}

/// Look-ups on real threads, with resolvers that hang until a test lets them go.
@Suite("Outbound: names that hang")
struct OutboundLookupTests {
    /// Names that begin with `hang` do, until they are let go.
    private final class Hanging: Sendable {
        private let door = DispatchSemaphore(value: 0)
        private let asked = Mutex<[String]>([])

        var resolver: OutboundResolver {
            OutboundResolver { name in
                self.asked.withLock { $0.append(name) }
                if name.hasPrefix("hang") {
                    self.door.wait()
                    self.door.signal()
                }
                return ["127.0.0.2"].compactMap { OutboundAddress($0) }
            }
        }

        func count(_ name: String) -> Int { asked.withLock { $0.count { $0 == name } } }
        func letGo() { door.signal() }
    }

    private func client(_ port: Int, _ hanging: Hanging, limit: Int64) throws -> OutboundClient {
        var options = OutboundClient.Options()
        options.connectTimeout = 300_000
        options.lookupTimeout = limit
        let entry = try #require(OutboundRules.Entry("127.0.0.2", ports: [port], plaintextReason: "a test"))
        return try OutboundClient(OutboundRules([entry]), options, resolver: hanging.resolver)
    }

    private func status(_ client: OutboundClient, _ host: String, _ port: Int) async -> Result<Int, OutboundFault> {
        do throws(OutboundFault) {
            return .success(try await client.send(OutboundRequest(.get, OutboundURL("http://\(host):\(port)/"), timeout: 300_000)).status)
        } catch {
            return .failure(error)
        }
    }

    @Test("Twenty requests for a name that hangs share one look-up, and another name goes on meanwhile; the late answer serves them all")
    func shared() async throws {
        let server = try OutboundListener("127.0.0.2")
        let hanging = Hanging()
        let client = try client(server.port, hanging, limit: 300_000)
        await withTaskGroup(of: Result<Int, OutboundFault>.self) { tasks in
            for _ in 0..<20 { tasks.addTask { await status(client, "hang.test", server.port) } }
            #expect(await status(client, "good.test", server.port) == .success(200))
            hanging.letGo()
            for await result in tasks { #expect(result == .success(200)) }
        }
        #expect(hanging.count("hang.test") == 1 && hanging.count("good.test") == 1)
        await client.stop()
        try await server.stop()
    }

    @Test("Many names that hang are given up in time, again and again at once, while others are looked up; their late answers are used")
    func overrun() async throws {
        let server = try OutboundListener("127.0.0.2")
        let hanging = Hanging()
        let client = try client(server.port, hanging, limit: 100)
        for name in (0..<12).map({ "hang\($0).test" }) { #expect(await status(client, name, server.port) == .failure(.unresolved)) }
        #expect(await status(client, "hang0.test", server.port) == .failure(.unresolved))
        #expect(hanging.count("hang0.test") == 1, "its first look-up still holds its thread: there is no second")
        #expect(hanging.count("hang11.test") == 1)
        // The bound is tight for a busy machine: a name that does not hang may need a second try.
        var good = await status(client, "good.test", server.port)
        for _ in 0..<100 where good != .success(200) { good = await status(client, "good.test", server.port) }
        #expect(good == .success(200))
        hanging.letGo()
        var late = await status(client, "hang0.test", server.port)
        for _ in 0..<10_000 where late != .success(200) {
            try await Task.sleep(for: .milliseconds(1))
            late = await status(client, "hang0.test", server.port)
        }
        #expect(late == .success(200) && hanging.count("hang0.test") == 1)
        await client.stop()
        try await server.stop()
    }

    @Test("A stop waits for no look-up that hangs; who waits for it hears of the stop")
    func stop() async throws {
        let hanging = Hanging()
        let client = try client(9, hanging, limit: 300_000)
        async let waiting = status(client, "hang.test", 9)
        while hanging.count("hang.test") == 0 { try await Task.sleep(for: .milliseconds(1)) }
        await client.stop()
        #expect(await waiting == .failure(.stopped))
        #expect(await status(client, "good.test", 9) == .failure(.stopped) && hanging.count("good.test") == 0)
        hanging.letGo()
    }

    @Test("A client whose file of authorities cannot be read leaves no thread behind")
    func failedStart() throws {
        let scratch = Scratch()
        var options = OutboundClient.Options()
        options.authority = scratch.file("none.pem")
        func threads() throws -> Int { try PrivateFile.names(in: "/proc/self/task", atMost: 100_000).count }
        let before = try threads()
        for _ in 0..<500 { #expect(throws: (any Error).self) { try OutboundClient(OutboundRules(), options) } }
        // Other tests start threads meanwhile, but not hundreds.
        #expect(try threads() < before + 250)
    }
}
