import Crypto
import Glibc

/// Keys by class and day, brought back from a copy. Each file proves itself, so a copy that is damaged in places still gives what is good in it.
extension KeyStore {
    public struct RestoreReport: Sendable, Equatable {
        /// Keys that came back.
        public var keys = 0
        /// Files of the store itself that came back: `seed`, `check`.
        public var files: [String] = []
        /// Files of the backup that do not hold what was written. None of them was copied.
        public var damage: [KeyStoreFault] = []
        /// Names of keys' files that are good in neither place: what they sealed stays closed.
        public var lost: [String] = []
        public var isWhole: Bool { lost.isEmpty }
    }

    /// Numbers that a restore leaves out. What was made between the backup and the loss is lost, but rows elsewhere may name it: its numbers are
    /// never given to another key. 2^31 numbers last for 32,768 restores.
    static let numbersLeftOut: UInt32 = 65_536

    /// Brings back what is missing or damaged in `directory`, which need not exist; what is good there stays, and nothing damaged is copied.
    /// Repeated after a crash it goes on. Nobody may have the store open.
    /// - Throws: before anything is changed: `.otherInstallation` when nothing shows that the keys there are those of the backup,
    ///   `.wrongMasterKey`, `.incomplete` for a backup that was not finished, `.damaged` when the seed is good in neither place.
    public static func restore(
        _ directory: String, master: MasterKey, from backup: String
    ) throws(KeyStoreFault) -> RestoreReport {
        let theirs = try Look(backup, master)
        var report = RestoreReport()
        try theirs.requireFinished(&report)
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw .cannotWrite(path: directory, reason: String(cString: strerror(errno)))
        }
        try sync(Paths.parent(directory))
        let ours = try Look(directory, master)
        guard !ours.names.contains(rewrapName) else { throw .rewrapping(directory: directory) }
        try ours.requireKin(of: theirs, master)
        if ours.seed.value == nil, case .bad(let fault) = theirs.seed { throw fault }

        try bringKeys(ours, theirs, master, &report)
        if ours.seed.value == nil, let bytes = try bytes("\(backup)/seed") {
            try replace("\(directory)/seed", bytes)
            report.files.append("seed")
        }
        let next = Part { () throws(KeyStoreFault) in try readNext(directory, master) }.value
        // A store that was whole gave out no number that it does not know.
        if next == nil || report.keys > 0 {
            let behind = UInt64((theirs.keys + ours.keys).max() ?? 0) + 1
            let known = UInt32(clamping: max(UInt64(next ?? 1), UInt64(theirs.next), behind))
            guard known <= maximumID - numbersLeftOut else { throw .exhausted(directory: directory) }
            try writeNext(directory, known + numbersLeftOut, master)
        }
        try sync(directory)
        if ours.check.value == nil {
            // Its secret says nothing: that it opens is the proof.
            let line = try WrappedLine.make("\(checkWords) \(master.idText)", SymmetricKey(size: .bits256), master: master)
            try replaceDurably("\(directory)/check", line)
            report.files.append("check")
        }
        return report
    }

    private static func bringKeys(
        _ ours: Look, _ theirs: Look, _ master: MasterKey, _ report: inout RestoreReport
    ) throws(KeyStoreFault) {
        for id in theirs.keys {
            let (path, copy) = ("\(ours.directory)/\(KeyName.fileName(id))", "\(theirs.directory)/\(KeyName.fileName(id))")
            let isGood = Look.key(ours.directory, id, master).value != nil
            switch Look.key(theirs.directory, id, master) {
            case .absent: continue
            case .bad(let fault):
                report.damage.append(fault)
                if !isGood { report.lost.append(KeyName.fileName(id)) }
            case .good:
                guard !isGood, let bytes = try bytes(copy) else { continue }
                try replace(path, bytes)
                report.keys += 1
            }
        }
        let known = Set(theirs.keys)
        for id in ours.keys where !known.contains(id) {
            guard case .bad = Look.key(ours.directory, id, master) else { continue }
            let name = KeyName.fileName(id)
            if try !finishedErasing("\(ours.directory)/\(name)", owner: false) { report.lost.append(name) }
        }
    }

    /// A file of a store, as it was found.
    private enum Part<Value> {
        case good(Value)
        case absent
        case bad(KeyStoreFault)

        init(_ read: () throws(KeyStoreFault) -> Value?) {
            do throws(KeyStoreFault) {
                self = try read().map { .good($0) } ?? .absent
            } catch {
                self = .bad(error)
            }
        }

        var value: Value? { if case .good(let value) = self { value } else { nil } }
    }

    /// What opens of a directory of keys with a master key, and what does not.
    private struct Look {
        let directory: String
        let names: [String]
        let check: Part<Bool>
        let seed: Part<SymmetricKey>
        /// Numbers that files are named by, whatever they hold.
        let keys: [UInt32]
        /// The first number not given out; 1 when that cannot be read.
        private let readNext: Part<UInt32>
        var next: UInt32 { readNext.value ?? 1 }

        init(_ directory: String, _ master: MasterKey) throws(KeyStoreFault) {
            guard access(directory, F_OK) == 0 else { throw .missing(directory: directory) }
            self.directory = directory
            names = try KeyStore.listed(directory)
            keys = names.compactMap(KeyName.id(fileName:))
            check = Part { () throws(KeyStoreFault) in try KeyStore.readCheck(directory, master) }
            seed = Part { () throws(KeyStoreFault) in
                try KeyStore.read("\(directory)/seed", master) { $0.line == KeyStore.seedWords }?.secret
            }
            readNext = Part { () throws(KeyStoreFault) in try KeyStore.readNext(directory, master) }
        }

        static func key(_ directory: String, _ id: UInt32, _ master: MasterKey) -> Part<DataKey> {
            Part { () throws(KeyStoreFault) in try KeyStore.readKey(directory, id, master)?.key }
        }

        /// Of a backup: that it was written to its end, and is of this master key. A damaged `check` proves nothing, but then the seed does.
        func requireFinished(_ report: inout RestoreReport) throws(KeyStoreFault) {
            guard !names.contains(KeyStore.rewrapName) else { throw .rewrapping(directory: directory) }
            switch check {
            case .good: break
            case .absent: throw .incomplete(directory: directory, file: "check")
            case .bad(let fault):
                guard seed.value != nil else { throw fault }
                report.damage.append(.damaged(path: "\(directory)/check"))
            }
            switch seed {
            case .good: break
            case .absent: throw .incomplete(directory: directory, file: "seed")
            case .bad(let fault): report.damage.append(fault)
            }
            switch readNext {
            case .good: break
            case .absent: report.damage.append(.incomplete(directory: directory, file: "next"))
            case .bad(let fault): report.damage.append(fault)
            }
        }

        /// That what is good here is of one installation with the backup: the same seed, or a key that both have. Where nothing here opens, it
        /// may be another installation's, unless its `check` says that it is only damaged.
        func requireKin(of backup: Look, _ master: MasterKey) throws(KeyStoreFault) {
            let other = KeyStoreFault.otherInstallation(directory: directory, backup: backup.directory)
            var isKin = false
            if let own = seed.value, let theirs = backup.seed.value {
                guard own == theirs else { throw other }
                isKin = true
            }
            var holds = seed.value != nil
            for id in keys {
                guard let own = Look.key(directory, id, master).value else { continue }
                holds = true
                guard let theirs = Look.key(backup.directory, id, master).value else { continue }
                guard own.symmetric == theirs.symmetric else { throw other }
                isKin = true
            }
            if holds {
                guard isKin else { throw other }
            } else if check.value == nil {
                if case .bad(let fault) = check, case .wrongMasterKey = fault { throw fault }
                guard keys.isEmpty, !names.contains("seed") else { throw other }
            }
        }
    }
}
