import ArgumentParser
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
                new = try AtRest.master(file: file, data: place.data)
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
}
