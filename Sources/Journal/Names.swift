/// The names in a journal's directory.
struct Names: Sendable {
    let directory: String

    var lock: String { "\(directory)/lock" }
    var quarantine: String { "\(directory)/quarantine" }
    /// Where the last durable batch ends, for other processes.
    var committed: String { "\(directory)/committed" }
    /// Finished segments that a reader lacks, by a second name. Beside the segments, as a link cannot leave its file system.
    var spill: String { "\(directory)/spill" }

    func segment(_ number: UInt32) -> String { "\(directory)/\(Self.digits(number)).log" }
    func index(_ number: UInt32) -> String { "\(directory)/\(Self.digits(number)).idx" }
    /// The sorted run of a segment.
    func run(_ number: UInt32) -> String { "\(directory)/\(Self.digits(number)).run" }
    func failed(_ number: UInt32) -> String { "\(directory)/\(Self.digits(number)).failed" }
    /// A segment being rebuilt after a failed write or sync.
    func rebuilt(_ number: UInt32) -> String { "\(directory)/\(Self.digits(number)).tmp" }
    func spare(_ id: Int) -> String { "\(directory)/spare-\(id)" }
    /// A file being zero-filled.
    func blank(_ id: Int) -> String { "\(directory)/spare-\(id).tmp" }

    static func digits(_ number: UInt32) -> String {
        let text = String(number)
        return String(repeating: "0", count: 10 - text.utf8.count) + text
    }

    /// What lies in the directory, by name.
    struct Survey {
        var segments: [UInt32] = []
        var spares: [Int] = []
        var failed: [UInt32] = []
        var indexes: [UInt32] = []
        var runs: [UInt32] = []
        /// Files whose making was cut short.
        var leftovers: [String] = []
    }

    static func survey(_ names: [String]) -> Survey {
        var survey = Survey()
        for name in names {
            if name.hasSuffix(".tmp") {
                survey.leftovers.append(name)
            } else if name.hasPrefix("spare-") {
                if let id = Int(name.dropFirst(6)), id >= 0 { survey.spares.append(id) }
            } else if let number = number(name, ".log") {
                survey.segments.append(number)
            } else if let number = number(name, ".failed") {
                survey.failed.append(number)
            } else if let number = number(name, ".idx") {
                survey.indexes.append(number)
            } else if let number = number(name, ".run") {
                survey.runs.append(number)
            }
        }
        survey.segments.sort()
        survey.spares.sort()
        survey.failed.sort()
        survey.indexes.sort()
        survey.runs.sort()
        return survey
    }

    private static func number(_ name: String, _ ending: String) -> UInt32? {
        guard name.hasSuffix(ending) else { return nil }
        let digits = name.dropLast(ending.utf8.count)
        guard digits.utf8.count == 10, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = UInt32(digits), value > 0 else {
            return nil
        }
        return value
    }
}
