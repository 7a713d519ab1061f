import Glibc
import MartletModel
import NIOCore

/// One `POST /v1/messages:batch` or `/v1/events:batch`: lines come out of the bytes of its body, answers go in by number and come out in the order of
/// the lines. It knows neither sockets nor the core; what bounds it is asked by `HTTPConnection` before each line.
final class HTTPBatch {
    /// What stands next in the body.
    enum Next {
        /// One message or event, without its line end.
        case line(ByteBuffer)
        /// A line beyond the limit; what is left of it is passed over.
        case tooLong
        /// Nothing to answer: a blank line, or the rest of one that was too long.
        case blank
        /// No whole line has come.
        case waits
        /// The body is read to its end, or is given up for this reason.
        case end(HTTPProblem?)
    }

    enum Answer {
        /// Without parts: an event, of which nobody is told yet how many messages it becomes.
        case accepted(MessageID, parts: UInt8?)
        /// As its idempotency key was answered before.
        case repeated(MessageID, parts: UInt8?)
        /// A problem as it will be sent, with its line end.
        case text(ByteBuffer)

        /// What it takes to keep it, beyond its place.
        var heldBytes: Int {
            switch self {
            case .accepted, .repeated: 0
            case .text(let text): text.readableBytes
            }
        }
    }

    let source: AuthenticatedSource
    /// Each line is an event; else a message.
    let isOfEvents: Bool
    /// Of the whole request; every line's message carries it.
    let trace: TraceContext?
    /// HTTP/1.1 knows the chunked coding; before it, the end of the connection ends the answer.
    let isChunked: Bool
    /// Line n has the key (key, n).
    let idempotencyKey: String?
    /// Bytes.
    let lineLimit: Int
    private let bodyLimit: Int

    private var arrived = ByteBuffer()
    /// Bytes at the front of `arrived` that hold no line feed.
    private var scanned = 0
    private var isPassingOver = false
    private var bodyBytes = 0
    private var lines = 0
    private var hasAllInput = false
    private var cut: HTTPProblem?

    private var answers = CircularBuffer<Answer?>(initialCapacity: 16)
    /// Number of the line at the front of `answers`.
    private var first: UInt64 = 0
    /// Every line is taken; with no answer left it is whole.
    private var isTaken = false

    /// Answers in order that are not yet part of the connection's bytes.
    var text = ByteBuffer()
    var hasHead = false

    init(
        source: AuthenticatedSource, ofEvents: Bool = false, trace: TraceContext?, isChunked: Bool, idempotencyKey: String? = nil,
        lineLimit: Int, bodyLimit: Int
    ) {
        self.source = source
        isOfEvents = ofEvents
        self.trace = trace
        self.isChunked = isChunked
        self.idempotencyKey = idempotencyKey
        self.lineLimit = lineLimit
        self.bodyLimit = bodyLimit
    }

    // MARK: Body

    /// - Returns: false when the body is larger than the limit; then nothing of these bytes is taken.
    func take(_ bytes: ByteBuffer) -> Bool {
        bodyBytes += bytes.readableBytes
        guard bodyBytes <= bodyLimit else { return false }
        if arrived.readableBytes == 0 { arrived = bytes } else { arrived.writeImmutableBuffer(bytes) }
        return true
    }

    /// No more comes. With a problem the body is not whole: the lines that are go on, the rest is dropped, and the problem is
    /// the last line of the answer.
    func endInput(_ problem: HTTPProblem?) {
        guard !hasAllInput else { return }
        hasAllInput = true
        cut = problem
    }

    func next() -> Next {
        if let length = lineLength() {
            guard let line = arrived.readSlice(length: length) else { preconditionFailure("a line found is there") }
            arrived.moveReaderIndex(forwardBy: 1)
            scanned = 0
            if isPassingOver {
                isPassingOver = false
                return .blank
            }
            return taking(line)
        }
        if !hasAllInput {
            scanned = arrived.readableBytes
            if arrived.readableBytes > lineLimit || isPassingOver {
                let isNews = !isPassingOver
                isPassingOver = true
                clear()
                if isNews { return counted(.tooLong) }
            } else {
                arrived.discardReadBytes()
            }
            return .waits
        }
        // The last line need not have a line end; of a body that was cut, nobody knows whether it is whole.
        if arrived.readableBytes > 0, cut == nil, !isPassingOver {
            let line = arrived
            clear()
            return taking(line)
        }
        clear()
        return .end(cut)
    }

    private func lineLength() -> Int? {
        arrived.withUnsafeReadableBytes { bytes in
            guard bytes.count > scanned, let base = bytes.baseAddress,
                let found = memchr(base + scanned, 0x0A, bytes.count - scanned)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    private func taking(_ line: ByteBuffer) -> Next {
        let isBlank = line.withUnsafeReadableBytes { $0.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }
        if isBlank { return .blank }
        return counted(line.readableBytes > lineLimit ? .tooLong : .line(line))
    }

    private func counted(_ next: Next) -> Next {
        guard lines < HTTPLimit.batchLines else {
            clear()
            hasAllInput = true
            let problem = HTTPProblem(HTTPErrors.tooManyLines, detail: "At most \(HTTPLimit.batchLines) lines are taken.")
            cut = problem
            return .end(problem)
        }
        lines += 1
        return next
    }

    private func clear() {
        arrived = ByteBuffer()
        scanned = 0
    }

    // MARK: Answers

    /// - Returns: the number by which the answer finds its line: how many have one before it.
    func open() -> UInt64 {
        answers.append(nil)
        return first &+ UInt64(answers.count - 1)
    }

    /// - Returns: whether it stands at the front, so that there is something to write.
    func answer(_ number: UInt64, _ answer: Answer) -> Bool {
        precondition(number >= first && number &- first < UInt64(answers.count), "a line is answered once")
        let offset = Int(number &- first)
        let index = answers.index(answers.startIndex, offsetBy: offset)
        precondition(answers[index].isAwaited, "a line is answered once")
        answers[index] = answer
        return offset == 0
    }

    func popReady() -> Answer? {
        guard let front = answers.first, let ready = front else { return nil }
        answers.removeFirst()
        first &+= 1
        return ready
    }

    /// No line comes after those that were taken.
    func taken() { isTaken = true }

    /// Every line is taken and its answer written.
    var isWhole: Bool { isTaken && answers.isEmpty }
}

extension HTTPBatch.Answer? {
    fileprivate var isAwaited: Bool {
        if case .none = self { true } else { false }
    }
}
