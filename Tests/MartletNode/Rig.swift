import Dispatch
import Foundation
import Guard
import Journal
import Logging
import MartletEngine
import MartletModel
import NIOCore
import NIOPosix
import Synchronization

@testable import MartletNode

/// A way out that a test holds in its hands. Confined to the node's loop.
final class FakeConnection: Connection {
    let name: String
    let number: ConnectionNumber
    let group: GroupNumber
    let window: Int
    var isBound = true
    var handed: [Handover] = []
    var outstanding = 0
    var asked: [Inquiry] = []
    /// What it says to an inquiry; nil: it cannot be asked.
    var knows: ((Inquiry) -> InquiryAnswer.Result)?
    /// Answers at once when set.
    var answer: ((Handover) -> Outcome?)?
    weak var owner: (any ConnectionOwner)?
    let loop: any EventLoop

    init(
        _ name: String, number: ConnectionNumber = 1, group: GroupNumber = 1, window: Int = 10, owner: any ConnectionOwner,
        loop: any EventLoop
    ) {
        self.name = name
        self.number = number
        self.group = group
        self.window = window
        self.owner = owner
        self.loop = loop
    }

    var room: Int { isBound ? window - outstanding : 0 }
    var status: ConnectionStatus { ConnectionStatus(state: isBound ? .bound : .stopped, outstanding: outstanding, lastError: "", since: 0) }

    func hand(_ batch: [Handover]) {
        handed += batch
        outstanding += batch.reduce(0) { $0 + $1.partMask.nonzeroBitCount }
        guard answer != nil else { return }
        loop.assumeIsolated().execute { for handover in batch { self.settle(handover) } }
    }

    var inquiryRoom: Int? { isBound && knows != nil ? 2 : nil }

    func ask(_ batch: [Inquiry]) {
        asked += batch
        loop.assumeIsolated().execute {
            self.owner?.asked(batch.map { InquiryAnswer($0, self.knows?($0) ?? .silent) }, by: self)
        }
    }

    func settle(_ handover: Handover, _ outcome: Outcome? = nil) {
        for part in 0..<handover.parts where handover.partMask >> UInt16(part) & 1 == 1 {
            guard let outcome = outcome ?? answer?(handover) else { continue }
            outstanding -= 1
            let settled = Settled(
                slot: handover.slot, attempt: handover.attempt, part: part, outcome: outcome, handedAt: owner?.now().wall ?? 0)
            owner?.settled([settled], by: self)
        }
        owner?.roomChanged(self)
    }

    func hear(_ providerID: String, _ state: ReceiptState, durable: @escaping (Bool) -> Void = { _ in }) {
        owner?.heard([Heard(group: group, providerID: providerID, state: state, error: 0)], by: self, durable: durable)
    }

    func stop(then: @escaping () -> Void) {
        isBound = false
        for handover in handed where outstanding > 0 { settle(handover, .unknown) }
        then()
    }
}

/// A node on a loop of its own over a private directory.
final class Rig: Sendable {
    let directory: String
    let master: MasterKey
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let node: NIOLoopBound<Node>
    let opening: Opening
    let failures = Failures()
    var loop: any EventLoop { group.next() }

    static func options(_ directory: String) -> NodeOptions {
        var options = NodeOptions(dataDirectory: "\(directory)/data")
        options.journal.batchSize = 64 << 10
        options.journal.recordSize = 32 << 10
        options.journal.segmentSize = 512 << 10
        options.journal.spares = 1
        options.engine.routes = Routes([.init(prefix: "", group: 1)])
        return options
    }

    init(at directory: String? = nil, _ change: (inout NodeOptions) -> Void = { _ in }) throws {
        let place = directory ?? FileManager.default.temporaryDirectory.appending(path: "martlet-node-\(UUID().uuidString)").path
        self.directory = place
        try FileManager.default.createDirectory(atPath: "\(place)/data", withIntermediateDirectories: true)
        let keyFile = "\(place)/master.key"
        master = FileManager.default.fileExists(atPath: keyFile) ? try MasterKey.load(from: keyFile) : try MasterKey.create(at: keyFile)
        var options = Rig.options(place)
        change(&options)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        (node, opening) = try Node.open(
            options, master: master, loop: group.next(), logger: logger, background: DispatchQueue(label: "test"),
            storageFailed: { [failures] reason in failures.list.withLock { $0.append(reason) } })
        try run { $0.groupNames = [1: "harbour"] }
    }

    /// What the node said when it could store no more.
    final class Failures: Sendable { let list = Mutex<[String]>([]) }

    /// Runs on the node's loop.
    @discardableResult
    func run<Result: Sendable>(_ body: @escaping @Sendable (Node) throws -> Result) throws -> Result {
        let node = node
        return try loop.submit { try body(node.value) }.wait()
    }

    /// Asks on the loop until `condition` holds; false after a minute: a slow disk is no fault.
    func wait(_ condition: @escaping @Sendable (Node) -> Bool) throws -> Bool {
        for _ in 0..<6000 {
            if try run(condition) { return true }
            usleep(10_000)
        }
        return false
    }

    /// Adds a connection; answers everything when `answering`.
    func connect(window: Int = 10, answering: Bool = true) throws -> NIOLoopBound<FakeConnection> {
        let node = node
        let loop = self.loop
        return try loop.submit {
            let connection = FakeConnection("harbour-1", window: window, owner: node.value, loop: loop)
            if answering { connection.answer = { .accepted(providerID: "p\($0.id.text)") } }
            node.value.add(connection)
            return NIOLoopBound(connection, eventLoop: loop)
        }.wait()
    }

    func submit(
        _ text: String = "Hello", to: UInt64 = 447_700_900_123, messageClass: MessageClass = .transactional, validity: Int64? = nil,
        tells: Submission.Tells = [], trace: TraceContext? = nil
    ) throws -> Acceptance {
        let node = node
        let promise = loop.makePromise(of: Acceptance.self)
        loop.execute {
            let submission = Submission(
                source: 7, messageClass: messageClass, to: PhoneNumber(digits: to), from: "HARBOUR", text: text, reference: "r-1",
                validity: validity, tells: tells, trace: trace, receivedAt: node.value.now())
            node.value.submit(submission) { promise.succeed($0) }
        }
        return try promise.futureResult.wait()
    }

    func accepted(_ text: String = "Hello", to: UInt64 = 447_700_900_123, messageClass: MessageClass = .transactional) throws -> MessageID {
        guard case .accepted(let id, _) = try submit(text, to: to, messageClass: messageClass) else { throw Unexpected() }
        return id
    }

    struct Unexpected: Error {}

    func story(_ id: MessageID, source: SourceNumber = 7) throws -> Story? {
        let node = node
        let promise = loop.makePromise(of: Story?.self)
        loop.execute { node.value.story(of: id, source: source) { promise.completeWith($0.mapError { $0 as any Error }) } }
        return try promise.futureResult.wait()
    }

    /// What a crash at this moment would leave: the bytes on disk, in another directory. A copy from which a file went away meanwhile, as
    /// trims remove them, is of no one moment and is made anew.
    func crashImage() throws -> String {
        for left in (0..<100).reversed() {
            let image = FileManager.default.temporaryDirectory.appending(path: "martlet-node-\(UUID().uuidString)").path
            do {
                try FileManager.default.copyItem(atPath: directory, toPath: image)
                return image
            } catch  where left > 0 && (error as? CocoaError)?.code == .fileNoSuchFile {
                try? FileManager.default.removeItem(atPath: image)
            }
        }
        throw Unexpected()
    }

    /// Drains and closes, as a stop does.
    func stop() throws {
        let node = node
        let promise = loop.makePromise(of: Void.self)
        loop.execute { node.value.drain { promise.succeed() } }
        try promise.futureResult.wait()
        try run { $0.takeJournal() }.close()
    }
}

extension Node {
    func metricsText() -> String {
        var out = MetricText()
        write(to: &out)
        return out.text
    }
}
