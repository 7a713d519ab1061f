import MartletModel
import SQL
import Synchronization
import Testing

@testable import MartletDesk

/// The node's file, in memory; it can be made to fail.
private final class FakeFile: Sendable {
    struct Broken: Error {}
    let state: Mutex<(sources: [KnownSource], isBroken: Bool, changes: Int)>

    init() {
        let names = ["core", "crm", "cards"]
        let sources = names.enumerated().map { index, name in
            KnownSource(
                number: SourceNumber(index + 1), name: name, scopes: ["send"], senders: [], classes: [], sender: nil,
                messageClass: "transactional", limits: SourceLimits(), keys: 1)
        }
        state = Mutex((sources, false, 0))
    }

    var catalogue: SourceCatalogue {
        SourceCatalogue(
            read: { self.state.withLock { $0.sources } },
            change: { number, change in
                try self.state.withLock { state in
                    if state.isBroken { throw Broken() }
                    state.changes += 1
                    for index in state.sources.indices where state.sources[index].number == number {
                        if let rate = change.rate { state.sources[index].limits.rate = rate }
                        if let sender = change.sender { state.sources[index].sender = sender.isEmpty ? nil : sender }
                        if let word = change.messageClass { state.sources[index].messageClass = word }
                    }
                }
            })
    }
}

@Suite("Desk: sources")
struct SourceTests {
    @Test("What people say is kept by the desk, what counts for sending goes to the node's file", arguments: SQLStore.Engine.allCases)
    func life(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let file = FakeFile()
            let sources = Sources(units, file.catalogue)
            let anna = ReferenceRig.caller()
            #expect(try await sources.list(try PageWish(), by: anna).items.map(\.version) == [0, 0, 0])
            let change = SourceChange(rate: 50, sender: "HARBOUR", messageClass: "service")
            let made = try await sources.put(2, SourceEntry.Wish(description: "Campaigns.", change: change), version: 0, by: anna)
            #expect(made.known.limits.rate == 50 && made.known.sender == "HARBOUR" && made.known.messageClass == "service")
            #expect(made.pending == nil && made.version == 2 && made.owner == "principal:anna" && made.description == "Campaigns.")
            let told = try await sources.put(2, SourceEntry.Wish(description: "Other words."), version: 2, by: anna)
            #expect(told.version == 3 && file.state.withLock { $0.changes } == 1)
            let page = try await sources.list(try PageWish(limit: 2), by: anna)
            #expect(page.items.map(\.known.name) == ["core", "crm"])
            #expect(try await sources.list(try PageWish(after: page.next, limit: 2), by: anna).items.map(\.known.name) == ["cards"])
            #expect(
                try await ReferenceRig.audit(desk) == [
                    "source.written source/2@1 done", "source.written source/2@2 delivered", "source.written source/2@3 done",
                ])
        }
    }

    @Test("What the node could not be told stays pending, adds up, and is brought later, once", arguments: SQLStore.Engine.allCases)
    func pending(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { _, units in
            let file = FakeFile()
            let sources = Sources(units, file.catalogue)
            let anna = ReferenceRig.caller()
            file.state.withLock { $0.isBroken = true }
            let wish = SourceEntry.Wish(description: "Core.", change: SourceChange(rate: 5, burst: 9))
            #expect(try await sources.put(1, wish, version: 0, by: anna).pending == SourceChange(rate: 5, burst: 9))
            let fault = await ReferenceRig.fault { try await sources.deliver() }
            #expect(fault?.description.contains("source core: the node's file of sources cannot be changed") == true)
            let more = SourceEntry.Wish(description: "Core.", change: SourceChange(rate: 7, dailyQuota: 100))
            _ = try await sources.put(1, more, version: 1, by: anna)
            #expect(try await sources.get(1, by: anna).pending == SourceChange(rate: 7, burst: 9, dailyQuota: 100))
            file.state.withLock { $0.isBroken = false }
            try await sources.deliver()
            try await sources.deliver()
            let entry = try await sources.get(1, by: anna)
            #expect(entry.pending == nil && entry.known.limits.rate == 7)
            #expect(file.state.withLock { $0.changes } == 1)
        }
    }

    @Test("What does not hold is named, and a unit meets its own sources alone", arguments: SQLStore.Engine.allCases)
    func wrong(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let sources = Sources(units, FakeFile().catalogue)
            let anna = ReferenceRig.caller()
            for code in ["retail", "corporate"] { _ = try await units.add(UnitTests.wish(code), by: anna) }
            func fault(_ number: SourceNumber, _ wish: SourceEntry.Wish, version: Int64 = 0, by caller: Caller) async -> [String]? {
                await ReferenceRig.fault { _ = try await sources.put(number, wish, version: version, by: caller) }?.paths
            }
            let bad = SourceChange(rate: -1, sender: "a name too long for this", messageClass: "x")
            #expect(
                await fault(1, SourceEntry.Wish(description: "Core.", change: bad), by: anna)
                    == ["rate range", "sender malformed", "messageClass unknown"])
            #expect(await fault(1, SourceEntry.Wish(description: ""), by: anna) == ["description required"])
            #expect(await fault(1, SourceEntry.Wish(description: "x", unit: 9), by: anna) == ["unit unknown"])
            #expect(await fault(9, SourceEntry.Wish(description: "x"), by: anna) == ["there is no source 9"])
            _ = try await sources.put(1, SourceEntry.Wish(description: "x", unit: 1), version: 0, by: anna)
            #expect(await fault(1, SourceEntry.Wish(description: "x", unit: 1), by: anna)?.first?.contains("version 1") == true)
            #expect(try await sources.list(try PageWish(), by: ReferenceRig.caller(2)).items.map(\.known.name) == ["crm", "cards"])
            #expect(
                await fault(1, SourceEntry.Wish(description: "x", unit: 2), version: 1, by: ReferenceRig.caller(2)) == [
                    "there is no source 1"
                ])
            #expect(await fault(2, SourceEntry.Wish(description: "x", unit: 2), by: ReferenceRig.caller(2)) == ["unit foreign"])
            try await ReferenceRig.tamper(desk, "UPDATE source SET unit = 2 WHERE number = 1")
            #expect(await ReferenceRig.fault { _ = try await sources.get(1, by: anna) } == .tampered(noun: "source", key: "core"))
        }
    }

    @Test("A file that cannot be read is said, with the reason")
    func unreadable() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let sources = Sources(units, SourceCatalogue(read: { throw FakeFile.Broken() }, change: { _, _ in }))
            let fault = await ReferenceRig.fault { _ = try await sources.list(try PageWish(), by: ReferenceRig.caller()) }
            #expect(fault?.description.contains("cannot be read") == true)
            #expect(
                await ReferenceRig.fault { _ = try await sources.get(1, by: ReferenceRig.caller(nil, "x", [])) }
                    == .forbidden(.readReference))
        }
    }
}
