import MartletModel
import NIOCore

/// The body of `POST /v1/callbacks:replay`: `{"since": "2026-11-22T18:00:00Z"}`.
enum CallbackReplay {
    /// - Returns: wall milliseconds from which on ends are told again, or every error that the fields have.
    static func read(_ body: ByteBuffer) -> Result<Int64, CallbackReplayFault> {
        var since: Int64?
        var errors: [FieldError] = []
        let fault: JSONFault? = body.withUnsafeReadableBytes { bytes in
            do throws(JSONFault) {
                try JSONReader.read(bytes) { reader throws(JSONFault) in
                    var members = try reader.object()
                    while let key = try reader.key(in: &members) {
                        guard key == "since" else {
                            if errors.isEmpty {
                                errors.append(FieldError(path: "", code: HTTPErrors.unknownField, message: "may only hold since"))
                            }
                            try reader.skip()
                            continue
                        }
                        guard try reader.kind() == .string else {
                            try reader.skip()
                            errors.append(FieldError(path: "/since", code: HTTPErrors.wrongType, message: "must be a string"))
                            continue
                        }
                        since = moment(try reader.string().string.utf8)
                        if since == nil {
                            let message = "must be a moment of RFC 3339, such as 2026-11-22T18:04:09Z"
                            errors.append(FieldError(path: "/since", code: HTTPErrors.invalidTime, message: message))
                        }
                    }
                }
                return nil
            } catch {
                return error
            }
        }
        if let fault { return .failure(CallbackReplayFault(MessageReading.problem(fault, HTTPErrors.invalidMessage))) }
        if errors.isEmpty, since == nil { errors.append(FieldError(path: "/since", code: HTTPErrors.required, message: "is missing")) }
        guard errors.isEmpty, let since else {
            return .failure(CallbackReplayFault(HTTPProblem(HTTPErrors.invalidMessage, errors: errors)))
        }
        return .success(since / 1000)
    }

    /// The answer: how many ends are told again, and since when ends could be among them. Those before are given up and owed no more.
    /// - Parameters:
    ///   - since: as it was asked for; wall milliseconds, as `now`.
    static func document(_ count: Int, since: Int64, now: Int64) -> ByteBuffer {
        var json = JSONWriter(capacity: 80)
        json.object { json in
            json.member("count", count)
            json.member("since", timestamp(max(since, now - Notice.owedMilliseconds) * 1000))
        }
        return json.sink.bytes
    }
}

struct CallbackReplayFault: Error {
    let problem: HTTPProblem
    init(_ problem: HTTPProblem) { self.problem = problem }
}
