import ArgumentParser
import FoundationEssentials
import Guard
import MartletNode

extension KeysCommand {
    struct Restore: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore", abstract: "Brings back data keys that are missing or damaged; what is good here stays.",
            discussion: """
                Who stands on a list of erasures (that of the backup, that here, those given) is erased before the first key comes in. What is \
                damaged in the backup is named and never copied. Node and desk must be stopped. Exit codes: 0 done, 1 it failed, or keys could not \
                be brought back, 2 bad settings or a wrong key, 3 a node or desk is running.
                """)

        @Argument(help: "Directory that martlet keys backup made.") var directory: String
        @OptionGroup var place: StoreCommand.Place
        @Option(help: "List of erasures that was kept outside (keys.erasures); may be given again.") var erased: [String] = []

        func run() throws {
            let (settings, master) = try AtRest.settings(place)
            let locks = try AtRest.hold(place.data, [.node, .desk])
            let (copy, own) = ("\(directory)/subjects", settings.node.subjectKeyDirectory)
            let numbers = try listed()
            let isSaved = AtRest.exists("\(copy)/head")
            guard erased.isEmpty || isSaved || AtRest.exists("\(own)/head") else {
                throw AtRest.failure(
                    "--erased: neither \(directory) nor \(own) has keys of customers, so nobody of the list can be erased here; name a backup that "
                        + "has them, or leave the list out")
            }
            let isWhole = try days(settings.node.keyDirectory, master)
            let findings: SubjectKeyReport
            if isSaved {
                findings = try subjects(own, copy, numbers, master)
            } else {
                print("the backup has no keys of customers")
                findings = try erase(own, numbers, master)
            }
            for finding in findings.findings { print("\(own), \(copy): \(finding)") }
            if erased.isEmpty, isSaved { print("no list of erasures was given: who was erased behind the backup comes back with it") }
            guard isWhole, findings.isSound else { throw ExitCode(1) }
            withExtendedLifetime(locks) {}
        }

        /// Numbers on the lists that were given. An entry that a power cut ended half-way was never acknowledged; any other damage may hide somebody.
        private func listed() throws -> [UInt32] {
            var numbers: [UInt32] = []
            for path in erased {
                let list = try KeysCommand.subjectFaults { () throws(SubjectKeyFault) in try SubjectErasureCopy.content(of: path) }
                guard list.damaged == 0 else {
                    throw AtRest.failure("\(path): \(list.damaged) entries are damaged; name a whole copy of the list")
                }
                if list.isCutShort {
                    print("\(path): its last entry was cut short and never acknowledged; the \(list.numbers.count) before it are heeded")
                }
                numbers += list.numbers
            }
            return numbers
        }

        /// False: some are good in neither place.
        private func days(_ own: String, _ master: MasterKey) throws -> Bool {
            let report = try KeysCommand.faults { () throws(KeyStoreFault) in
                try KeyStore.restore(own, master: master, from: directory)
            }
            for fault in report.damage { print("in the backup, and not copied: \(fault)") }
            for file in report.files { print("\(own)/\(file) brought back") }
            for name in report.lost { print("\(name) is good neither in \(own) nor in the backup: what it sealed stays closed") }
            print("\(report.keys) key(s) of class and day brought back")
            return report.isWhole
        }

        private func subjects(_ own: String, _ copy: String, _ numbers: [UInt32], _ master: MasterKey) throws -> SubjectKeyReport {
            let report = try KeysCommand.subjectFaults { () throws(SubjectKeyFault) in
                if try SubjectKeys.mendHead(own, master: master, from: copy) { print("\(own)/head brought back") }
                return try SubjectKeys(directory: own, master: master, access: .owner(create: true))
                    .restore(from: copy, erased: numbers, time: KeysCommand.now)
            }
            print("\(report.restored) key(s) of customers brought back; \(report.keptErased) of erased ones left out")
            return report.findings
        }

        /// The keys that are here, held against the lists alone.
        private func erase(_ own: String, _ numbers: [UInt32], _ master: MasterKey) throws -> SubjectKeyReport {
            guard !numbers.isEmpty else { return SubjectKeyReport() }
            let (erased, findings) = try KeysCommand.subjectFaults { () throws(SubjectKeyFault) in
                try SubjectKeys(directory: own, master: master, access: .owner(create: false)).erase(listed: numbers, time: KeysCommand.now)
            }
            print("\(erased) key(s) of customers on the list destroyed in \(own)")
            return findings
        }
    }

    /// Microseconds since 1970, UTC.
    fileprivate static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }
}
