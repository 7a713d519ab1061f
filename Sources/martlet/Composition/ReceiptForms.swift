import Dispatch
import FoundationEssentials
import MartletNode
import SMPP

/// What was learnt of how operators' receipts name messages, kept over restarts: one `conversion group` a line in the data directory. It
/// saves the first receipts after a start from being read in the wrong way; without it they are learnt anew.
///
/// Asked and told on the hot loop; written elsewhere.
final class ReceiptForms {
    typealias Conversion = MessageIdentifier.Conversion

    private(set) var known: [String: Conversion]
    private let path: String
    private let background: DispatchQueue
    private let failed: @Sendable (String) -> Void

    /// A line that cannot be read is passed over: its group is learnt anew.
    init(path: String, background: DispatchQueue, failed: @escaping @Sendable (String) -> Void) {
        self.path = path
        self.background = background
        self.failed = failed
        known = ReceiptForms.read(path)
    }

    private static func read(_ path: String) -> [String: Conversion] {
        guard let data = FileManager.default.contents(atPath: path) else { return [:] }
        var known: [String: Conversion] = [:]
        for line in String(decoding: data.prefix(1 << 16), as: UTF8.self).split(separator: "\n") {
            let halves = line.split(separator: " ", maxSplits: 1)
            guard halves.count == 2, let conversion = Conversion(rawValue: String(halves[0])) else { continue }
            known[String(halves[1])] = conversion
        }
        return known
    }

    /// Nil: no longer sure, which is kept too.
    func keep(_ conversion: Conversion?, of group: String) {
        known[group] = conversion
        let text = known.sorted { $0.key < $1.key }.map { "\($0.value.rawValue) \($0.key)\n" }.joined()
        let (path, failed) = (path, failed)
        background.async {
            do {
                try DurableFile.write(Array(text.utf8), to: path)
            } catch {
                failed("\(error)")
            }
        }
    }
}
