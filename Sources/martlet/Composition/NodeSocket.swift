import Dispatch
import FoundationEssentials
import MartletDesk
import MartletModel
import MartletNode

/// The desk's way to the node: its control socket, which only the same user can open. Each question blocks a thread of its own queue.
struct NodeSocket: LocalNode {
    /// `DATA/control.sock`.
    let path: String
    private let queue = DispatchQueue(label: "martlet.desk.node")

    init(path: String) { self.path = path }

    struct Refused: Error, CustomStringConvertible {
        var description: String
    }

    func figures() async throws -> LocalNodeFigures {
        let rows = try await ask(ControlRequest(verb: "customers"))
        return LocalNodeFigures(
            version: UInt64(clamping: try number("version", rows)), newest: UInt64(clamping: try number("newest", rows)),
            changes: try number("changes", rows), changesLimit: try number("changesLimit", rows), bytes: try number("bytes", rows),
            bytesLimit: try number("bytesLimit", rows))
    }

    func apply(_ batch: [UInt8]) async throws -> UInt64 {
        let fields = ["changes": Data(batch).base64EncodedString()]
        return UInt64(clamping: try number("newest", try await ask(ControlRequest(verb: "customers-apply", fields: fields))))
    }

    /// Of days before these, by class, those that the node's log names no more. How many are gone.
    func forgetKeys(before days: [MessageClass: Int32]) async throws -> Int {
        let fields = Dictionary(uniqueKeysWithValues: days.map { ($0.word, String($1)) })
        return try number("destroyed", try await ask(ControlRequest(verb: "keys-forget", fields: fields)))
    }

    private func number(_ name: String, _ rows: [[String]]) throws -> Int {
        guard let row = rows.first(where: { $0.count == 2 && $0[0] == name }), let value = Int(row[1]) else {
            throw Refused(description: "the node's answer has no number '\(name)'; node and desk must be of one version")
        }
        return value
    }

    private func ask(_ request: ControlRequest) async throws -> [[String]] {
        let path = path
        return try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(
                    with: Result {
                        let answer = try ControlClient.ask(request, socket: path)
                        guard answer.ok else { throw Refused(description: answer.message) }
                        return answer.rows
                    })
            }
        }
    }
}
