import ArgumentParser
import FoundationEssentials
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
                let projector = Projector(
                    desk, settings.projector, keys: keys.days, logger: Logger(label: "martlet"), subjects: subjects,
                    folds: { [TrafficFold(), DecisionFold()] })
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
            discussion: "In small steps, safe to end and to repeat. Exit codes: 0 done, 1 the database refused or is away, 2 bad settings.")

        @OptionGroup var place: Place

        func run() async throws {
            try await StoreCommand.with(place) { store, _, settings in
                let report = try await HistoryRetention(StoreCommand.desk(store), rules: settings.retention).run()
                print(
                    "forgotten: \(report.texts) text(s), \(report.addresses) search entries, \(report.rows) message(s), "
                        + "\(report.months) month(s), \(report.counts) row(s) of the statistics"
                )
            }
        }
    }
}
