import ArgumentParser
import FoundationEssentials

/// How far the last restore of the store came: `DATA/desk/restore`, written before the first file comes and after the last step. So a second run knows what
/// a first that was killed left behind, and no desk works on half of it.
struct StoreRestoring {
    enum Left: String {
        /// SQLite's file may be missing. One that is there is that of the backup if it is the same byte for byte.
        case store
        /// The store is there; some of the small files may be missing.
        case files
        /// All files are there; keys, node and history do not agree with them yet.
        case reconcile
        case nothing
    }

    struct Run: Equatable {
        var left: Left
        /// The backup's directory.
        var from: String
        /// What the backup says of itself: two of the same words are one.
        var mark: String
    }

    let path: String
    private static let form = "martlet-store-restore v1"

    init(data: String) { path = "\(data)/desk/restore" }

    /// Nil: there was none. One that cannot be understood may have left anything.
    func last() -> Run? {
        guard AtRest.exists(path) else { return nil }
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n", maxSplits: 3, omittingEmptySubsequences: false)
        guard lines.count == 4, lines[0] == StoreRestoring.form, lines[1].hasPrefix("left "), lines[2].hasPrefix("from "),
            let left = Left(rawValue: String(lines[1].dropFirst(5)))
        else { return Run(left: .store, from: "a backup that is not known", mark: "") }
        return Run(left: left, from: String(lines[2].dropFirst(5)), mark: String(lines[3]))
    }

    func note(_ run: Run) throws(ExitCode) {
        try AtRest.write("\(StoreRestoring.form)\nleft \(run.left.rawValue)\nfrom \(run.from)\n\(run.mark)", to: path)
    }

    /// Why nobody may work on the store now; nil: one may.
    var obstacle: String? {
        guard let run = last(), run.left != .nothing else { return nil }
        return "a restore of the store from \(run.from) was cut short (\(path)); run martlet store restore \(run.from) again"
    }
}
