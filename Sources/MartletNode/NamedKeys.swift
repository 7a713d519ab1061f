import Dispatch
public import Guard
import MartletModel
import NIOCore

/// Which keys of class and day the records of the log name, by segment. A key that none names any more seals nothing that is left here. Confined
/// to the loop.
struct NamedKeys: Sendable {
    private var segments: [UInt32: Set<UInt32>] = [:]
    /// What was noted last, so that the next record of the same class and day costs a comparison.
    private var newest: UInt32 = 0
    private var last: [UInt32] = Array(repeating: 0, count: 16)

    /// - Parameter keyID: of a record's header: a subject's, or none, is passed over.
    mutating func note(_ keyID: UInt32, in segment: UInt32) {
        guard keyID != 0, RecordKeyID(rawValue: keyID).subject == nil else { return }
        let place = Int(keyID & 15)
        if segment == newest, last[place] == keyID { return }
        if segment != newest {
            newest = segment
            for index in last.indices { last[index] = 0 }
        }
        last[place] = keyID
        segments[segment, default: []].insert(keyID)
    }

    /// The segments before this one are gone.
    mutating func trim(before segment: UInt32) {
        for gone in segments.keys where gone < segment { segments[gone] = nil }
    }

    func contains(_ keyID: UInt32) -> Bool { segments.values.contains { $0.contains(keyID) } }
}

extension Node {
    /// Keys that one call destroys at most: each costs two syncs of the disk.
    private static let forgottenAtOnce = 1000

    /// Destroys keys of class and day whose time is over: of days before that of their class, and named by no record of the log. Today's, yesterday's
    /// and those of classes without a day stay. The work is done away from the loop.
    /// - Parameters:
    ///   - days: by the class's raw value, days since 1970-01-01 UTC: the desk says when the history has forgotten what they sealed.
    ///   - then: on the loop; how many are gone. More than a thousand wait for the next call.
    public func forgetKeys(before days: [UInt8: Int32], then: @escaping (Result<Int, KeyStoreFault>) -> Void) {
        let yesterday = DataKey.day(ofMicroseconds: now().wall) - 1
        // New records get today's key, and a copy forward is of a record that is here: what nothing names now is never named again.
        let due = parts.keys.keys(before: days.mapValues { min($0, yesterday) }).filter { !namedKeys.contains($0) }.prefix(
            Node.forgottenAtOnce)
        let (store, loop) = (parts.keys, self.loop)
        let bound = NIOLoopBound(then, eventLoop: loop)
        parts.background.async {
            let result = Result { () throws(KeyStoreFault) in
                for id in due { try store.destroy(id: id) }
                return due.count
            }
            loop.execute { bound.value(result) }
        }
    }
}
