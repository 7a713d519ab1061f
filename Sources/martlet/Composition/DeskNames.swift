import MartletDesk
import MartletModel
import MartletNode
import Synchronization

/// What the bank calls its sources, operators, units and definitions, as the desk last read it: names are asked for with every row, and must
/// not wait for a database.
final class DeskNames: Sendable {
    private struct Known: Sendable {
        var history = HistoryNames()
        var customers = CustomerNames.numbers
    }

    private let data: String
    private let known = Mutex(Known())

    init(data: String) { self.data = data }

    var history: HistoryNames { known.withLock { $0.history } }

    /// Asks for what was read last.
    var customers: CustomerNames {
        CustomerNames(
            number: { [self] noun, name in known.withLock { $0.customers }.number(noun, name) },
            attribute: { [self] name in known.withLock { $0.customers }.attribute(name) })
    }

    /// Reads them anew every few seconds, until the task is cancelled.
    /// - Throws: what hindered it; whoever runs it tells, waits, and runs it again.
    func run(_ units: Units) async throws {
        while true {
            let customers = try await Definitions(units).names(by: DeskNames.caller(nil))
            let history = try await readHistory(units)
            known.withLock { $0 = Known(history: history, customers: customers) }
            try await Task.sleep(for: .seconds(5))
        }
    }

    private func readHistory(_ units: Units) async throws -> HistoryNames {
        var names = HistoryNames(sources: [commandLineSource: "command-line"])
        for entry in try SourceFile.load(data).sources { names.sources[entry.number] = entry.name }
        for (name, number) in try NumberFile.numbers(of: [], in: "\(data)/groups") { names.groups[number] = name }
        let sources = Sources(units, DeskReference.sources(data))
        var after: Cursor?
        repeat {
            let page = try await units.list(try PageWish(after: after, limit: PageWish.most), by: DeskNames.caller(nil))
            for unit in page.items { names.units[unit.number] = try await own(unit.number, sources) }
            after = page.next
        } while after != nil
        return names
    }

    /// Sources of the unit and of those below it. What belongs to the bank as a whole is no unit's.
    private func own(_ unit: Int64, _ sources: Sources) async throws -> Set<SourceNumber> {
        var found: Set<SourceNumber> = []
        var after: Cursor?
        repeat {
            let page = try await sources.list(try PageWish(after: after, limit: PageWish.most), by: DeskNames.caller(unit))
            for entry in page.items where entry.unit != nil { found.insert(entry.known.number) }
            after = page.next
        } while after != nil
        return found
    }

    private static func caller(_ unit: Int64?) -> Caller { Caller(name: "system:names", rights: [.readReference], unit: unit) }
}
