import ArgumentParser
import FoundationEssentials
import Glibc
import Guard
import MartletDesk
import MartletNode
import MartletStore
import SQL

extension StoreCommand {
    struct Reconcile: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reconcile", abstract: "Makes store, keys, node and history agree after one of them was restored; safe to repeat.",
            discussion: """
                Who was erased is erased again, no customer's number is given out twice, the node gets its customers anew, the history goes on where \
                the log is. The desk must be stopped. Exit codes: 0 done, 1 it failed, or keys or rows of customers are missing or damaged, 2 bad settings or \
                a wrong key, 3 a desk is running.
                """)

        @OptionGroup var place: StoreCommand.Place
        @Flag(help: "Takes customers out of the store whose keys are lost for good, so that an import makes them anew.")
        var giveUpLost = false

        func run() async throws {
            let (settings, master) = try AtRest.settings(place)
            let lock = try AtRest.hold(place.data, [.desk])
            let restoring = StoreRestoring(data: place.data)
            if let obstacle = restoring.obstacle, restoring.last()?.left != .reconcile { throw AtRest.failure(obstacle) }
            try await StoreCommand.reconcile(place, settings, master, givesUp: giveUpLost)
            withExtendedLifetime(lock) {}
        }
    }

    /// The end of a restore too, and noted as such.
    static func reconcile(
        _ place: StoreCommand.Place, _ settings: ServerSettings, _ master: MasterKey, givesUp: Bool
    ) async throws {
        try await StoreCommand.with(place) { store, _, _ in
            try await StoreSchema.ready(store, now: Int64(Date().timeIntervalSince1970 * 1000))
            let vault: CustomerVault
            do {
                vault = CustomerVault(
                    try AtRest.days(settings, master),
                    try await CustomerKeys.open(settings, master, store: store, givesUp: givesUp))
            } catch let fault as SubjectKeyFault {
                throw AtRest.failure("\(fault)", CustomerKeys.status(fault))
            } catch let fault as KeyStoreFault {
                throw AtRest.failure("\(fault)", ExitStatus.badSettings)
            }
            var caller = Caller.system("reconcile")
            caller.reason = "martlet store reconcile, by user \(getuid())"
            let report = try await StoreReconciling(
                StoreCommand.desk(store).customers(vault), journal: settings.node.journalDirectory, folder: "\(place.data)/desk"
            )
            .run(givesUp: givesUp, by: caller)
            let restoring = StoreRestoring(data: place.data)
            if var run = restoring.last(), run.left == .reconcile {
                run.left = .nothing
                try restoring.note(run)
            }
            print(
                "\(report.customers) customer(s) looked at: \(report.erasedAgain) erased again, \(report.keysErased) key(s) of erased ones destroyed"
            )
            switch report.history {
            case .follows: print("history: what it lacks of the log comes when the desk runs")
            case .otherLog: print("history: the log is another one, or not there; what it brings is added")
            case .movedBack: print("history: the log ends before what the history has of it; it goes on from there")
            }
            if report.givenUp > 0 { print("\(report.givenUp) customer(s) given up; import them again") }
            if !report.damaged.isEmpty {
                let some = report.damaged.prefix(100).map { String($0) }.joined(separator: ", ")
                print("set aside, for their rows are damaged: customer(s) \(some)\(report.damaged.count > 100 ? " and others" : "")")
            }
            guard report.lost == report.givenUp else {
                throw AtRest.failure("the keys of \(report.lost) customer(s) are missing: \(CustomerKeysCheck.remedy)")
            }
            guard report.damaged.isEmpty else {
                throw AtRest.failure(
                    "the rows of \(report.damaged.count) customer(s) are damaged, all others are done: restore them from a backup, or erase these customers"
                )
            }
        }
    }
}
