import ArgumentParser
import FoundationEssentials
import Glibc
import Guard
import Logging
import MartletDesk
import MartletNode
import MartletStore
import SQL

extension StoreCommand {
    struct Project: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "project",
            abstract: "Carries the journal's records into the history, up to its durable end; beside a running node or without one.",
            discussion: """
                For when no desk runs, and to repair: with --from-start every row that the journal still holds is written anew, nothing \
                is counted twice, and rows that are older than the journal stay. Safe to end at any moment and to repeat.
                Exit codes: 0 done, 1 the database refused or is away, 2 bad settings or a wrong key.
                """)

        @OptionGroup var place: Place
        @Flag(help: "Goes on until it is ended, as the desk does.") var follow = false
        @Flag(help: "Writes anew what the journal holds of the history.") var fromStart = false

        func run() async throws {
            LoggingSystem.bootstrap { JSONLogHandler(label: $0) }
            try await StoreCommand.with(place) { store, _, settings in
                let keys = try AtRest.keys(settings)
                // Without those of customers, what they sealed is not found by number.
                let subjects: SubjectKeys?
                do throws(SubjectKeyFault) {
                    subjects = try AtRest.subjects(settings.node.subjectKeyDirectory, keys.master)
                } catch {
                    throw AtRest.failure("\(error)", ExitStatus.badSettings)
                }
                let desk = StoreCommand.desk(store)
                // What customers said to the node moves with the cursor: it would never come again.
                let customers = subjects.map { desk.customers(CustomerVault(keys.days, $0)) }
                let projector = Projector(
                    desk, settings.projector, keys: keys.days, logger: Logger(label: "martlet"), subjects: subjects,
                    folds: { [TrafficFold(), DecisionFold()] },
                    preferences: { changes, session in
                        for change in changes {
                            if let (hash, fact) = change.fact { try customers?.learn(fact, kind: .phone, hash: hash, session) }
                        }
                    },
                    said: { words, session in for one in words { try customers?.learn(one, session) } })
                if fromStart { try await projector.repair() }
                if follow { return await projector.run() }
                try await projector.catchUp()
                let figures = projector.figures.read
                print("\(figures.records) record(s), \(figures.rows) row(s), \(figures.gaps) gap(s)")
            }
        }
    }

    /// As a part of Martlet that acts by itself sees the store.
    static func desk(_ store: SQLStore) -> Desk {
        Desk(store: store, now: { Int64(Date().timeIntervalSince1970 * 1_000_000) })
    }

    struct Retain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retain", abstract: "Forgets what the history has held for longer than `history.keep` and its like say.",
            discussion: """
                In small steps, safe to end and to repeat, up to what the history has of the journal and no further. When the clock is more than three days ahead of the last look of \
                retention, it is not believed, and nothing is forgotten.
                Exit codes: 0 done, 1 the database refused or is away, or the clock is not believed, 2 bad settings.
                """)

        @Flag(help: "The clock of this machine is right, however far ahead it is; the audit keeps who said so.") var clockIsRight = false

        @OptionGroup var place: Place

        func run() async throws {
            try await StoreCommand.with(place) { store, _, settings in
                let desk = StoreCommand.desk(store)
                if clockIsRight {
                    var caller = Caller.system("command-line")
                    caller.reason = "store retain --clock-is-right, by user \(getuid())"
                    try await RetentionClock.confirm(desk, by: caller)
                }
                try await RetentionClock().look(desk)
                let reach = HistoryReach(desk, journal: settings.node.journalDirectory)
                let report = try await HistoryRetention(desk, rules: settings.retention) { try await reach.moment() }.run()
                print(
                    "forgotten: \(report.texts) text(s), \(report.addresses) search entries, \(report.rows) message(s), "
                        + "\(report.months) month(s), \(report.counts) row(s) of the statistics"
                )
            }
        }
    }
}
