import ArgumentParser
import FoundationEssentials
import Glibc
import Guard
import MartletNode

extension KeysCommand {
    struct Backup: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "backup",
            abstract: "Saves the data keys into a new directory and checks the copy; beside a running node and desk.",
            discussion: """
                Wrapped by the master key as they are, which is not among them. Keep it apart from the data, and briefly: who is erased is \
                erased in a backup when this copy is deleted, or when it is restored with the list of erasures. \
                Exit codes: 0 done and sound, 1 it failed, or something in it is damaged, 2 bad settings or a wrong key.
                """)

        @Argument(help: "A new directory.") var directory: String
        @OptionGroup var place: StoreCommand.Place

        func run() throws {
            umask(0o077)
            let (settings, master) = try AtRest.settings(place)
            let days = try KeysCommand.faults { () throws(KeyStoreFault) in
                try KeyStore.backUp(settings.node.keyDirectory, master: master, to: directory)
            }
            for damage in days.damage { print(damage) }
            var words = "\(days.keys) key(s) of class and day"
            var isSound = days.damage.isEmpty
            if let subjects = try KeysCommand.subjects(settings.node.subjectKeyDirectory, master) {
                let report = try KeysCommand.subjectFaults { () throws(SubjectKeyFault) in
                    try subjects.exportBackup(to: "\(directory)/subjects")
                }
                // Erased while it was being copied: a restore erases it before anything else.
                let findings = report.findings.filter { if case .unfinishedErasure = $0 { false } else { true } }
                for finding in findings { print("\(directory)/subjects: \(finding)") }
                isSound = isSound && findings.isEmpty
                words += ", \(report.keys) of customers, \(report.erased) erased"
            }
            guard isSound else { throw AtRest.failure("\(words); what is named above is not whole in the copy") }
            print("\(words); saved and checked")
        }
    }

    struct Restore: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore", abstract: "Brings back data keys that are missing or damaged; what is good here stays.",
            discussion: """
                Who stands on a list of erasures (that of the backup, that here, those given) is erased before the first key comes in. Node and \
                desk must be stopped. Exit codes: 0 done, 1 it failed, or keys could not be brought back, 2 bad settings or a wrong key, \
                3 a node or desk is running.
                """)

        @Argument(help: "Directory that martlet keys backup made.") var directory: String
        @OptionGroup var place: StoreCommand.Place
        @Option(help: "List of erasures that was kept outside (keys.erasures); may be given again.") var erased: [String] = []

        func run() throws {
            let (settings, master) = try AtRest.settings(place)
            let locks = try AtRest.hold(place.data, [.node, .desk])
            var numbers: [UInt32] = []
            for path in erased {
                let list = try KeysCommand.subjectFaults { () throws(SubjectKeyFault) in try SubjectErasureCopy.numbers(in: path) }
                if list.damaged > 0 { throw AtRest.failure("\(path): \(list.damaged) entries are damaged; name a whole copy of the list") }
                numbers += list.numbers
            }
            let days = try KeysCommand.faults { () throws(KeyStoreFault) in
                try KeyStore.restore(settings.node.keyDirectory, master: master, from: directory)
            }
            print("\(days) key(s) of class and day brought back")
            guard AtRest.exists("\(directory)/subjects/head") else { return print("the backup has no keys of customers") }
            let own = settings.node.subjectKeyDirectory
            let report = try KeysCommand.subjectFaults { () throws(SubjectKeyFault) in
                try SubjectKeys(directory: own, master: master, access: .owner(create: true))
                    .restore(from: "\(directory)/subjects", erased: numbers, time: Int64(Date().timeIntervalSince1970 * 1_000_000))
            }
            for finding in report.findings.findings { print("\(directory)/subjects: \(finding)") }
            print("\(report.restored) key(s) of customers brought back; \(report.keptErased) of erased ones left out")
            if erased.isEmpty { print("no list of erasures was given: who was erased behind the backup comes back with it") }
            guard report.findings.isSound else { throw ExitCode(1) }
            withExtendedLifetime(locks) {}
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Opens every data key with the master key and names what is damaged or missing.",
            discussion: "Beside a running node and desk; also a backup. Exit codes: 0 sound, 1 damage, 2 bad settings or a wrong key.")

        @Argument(help: "Directory of keys, such as a backup of them; without one, that of the data.") var directory: String?
        @OptionGroup var place: StoreCommand.Place

        func run() throws {
            let (settings, master) = try AtRest.settings(place)
            let directory = directory ?? settings.node.keyDirectory
            let keys = try KeysCommand.faults { () throws(KeyStoreFault) in
                try KeyStore(directory: directory, master: master, access: .reader)
            }
            for damage in keys.damage { print(damage) }
            var findings = keys.damage.count
            var words = "\(keys.keys(before: .max).count) key(s) of class and day"
            if let subjects = try KeysCommand.subjects("\(directory)/subjects", master) {
                let report = try KeysCommand.subjectFaults { () throws(SubjectKeyFault) in try subjects.verify() }
                for finding in report.findings { print(finding) }
                findings += report.findingCount
                words += ", \(report.keys) of customers, \(report.erased) erased"
            }
            guard findings == 0 else { throw AtRest.failure("\(words); \(findings) finding(s)") }
            print("sound: \(words), under master key \(master.idText)")
        }
    }

    struct Rewrap: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rewrap", abstract: "Brings a new master key in: every data key is wrapped by it, the keys themselves stay.",
            discussion: """
                Make the new one with martlet keys init, stop node and desk, run this, name the new file in keys.master, start. Interrupted, it is \
                run again with the same files and goes on. Backups of keys made before still need the old master key, and so do the \
                checkpoints of the audit made with it: keep the line of martlet audit key of before. Exit codes: 0 done, 1 it failed, 2 bad settings or a \
                wrong key, 3 a node or desk is running.
                """)

        @Argument(help: "File of the new master key.") var file: String
        @OptionGroup var place: StoreCommand.Place

        func run() throws {
            let (settings, old) = try AtRest.settings(place)
            let locks = try AtRest.hold(place.data, [.node, .desk])
            let new: MasterKey
            do throws(MasterKeyFault) {
                try MasterKey.requireOutside(keyFile: file, dataDirectory: place.data)
                new = try MasterKey.load(from: file, credentials: ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"])
            } catch {
                throw AtRest.failure("\(error)", ExitStatus.badSettings)
            }
            guard old.idText != new.idText else {
                throw AtRest.failure("\(file) is the master key in use; make another with martlet keys init", ExitStatus.badSettings)
            }
            try KeysCommand.faults { () throws(KeyStoreFault) in
                try KeyStore.rewrap(directory: settings.node.keyDirectory, from: old, to: new)
            }
            let own = settings.node.subjectKeyDirectory
            if AtRest.exists("\(own)/head") {
                try KeysCommand.subjectFaults { () throws(SubjectKeyFault) in
                    _ = try SubjectKeys(directory: own, master: new, previous: old, access: .owner(create: false)).rewrap()
                }
            }
            print("all data keys are wrapped by master key \(new.idText); name \(file) in keys.master and start")
            withExtendedLifetime(locks) {}
        }
    }

    /// Nil: there are no customers' keys.
    fileprivate static func subjects(_ directory: String, _ master: MasterKey) throws -> SubjectKeys? {
        guard AtRest.exists("\(directory)/head") else { return nil }
        return try subjectFaults { () throws(SubjectKeyFault) in try SubjectKeys(directory: directory, master: master, access: .reader) }
    }

    /// A fault as a line and an exit code.
    fileprivate static func faults<Value>(_ body: () throws(KeyStoreFault) -> Value) throws -> Value {
        do throws(KeyStoreFault) {
            return try body()
        } catch {
            if case .wrongMasterKey = error { throw AtRest.failure(error.description, ExitStatus.badSettings) }
            throw AtRest.failure(error.description)
        }
    }

    fileprivate static func subjectFaults<Value>(_ body: () throws(SubjectKeyFault) -> Value) throws -> Value {
        do throws(SubjectKeyFault) {
            return try body()
        } catch {
            switch error {
            case .wrongMasterKey: throw AtRest.failure(error.description, ExitStatus.badSettings)
            case .inUse: throw AtRest.failure(error.description, ExitStatus.dataInUse)
            default: throw AtRest.failure(error.description)
            }
        }
    }
}
