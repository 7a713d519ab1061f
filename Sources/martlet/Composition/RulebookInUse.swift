import Dispatch
import Logging
import MartletEngine
import MartletModel
import MartletNode
import NIOCore

/// The rulebook that this node goes by: the newest published one that it can use. Looked for each second and when the desk says so; confined
/// to the hot loop, while files are read elsewhere.
///
/// One that cannot be used changes nothing: what was in use stays, with an alarm. At a start an older file that can be used takes its place,
/// and without any the settings hold, so that the node starts alone whatever lies there.
final class RulebookInUse {
    private let shelf: RulebookShelf
    private let logger: Logger
    private let queue = DispatchQueue(label: "martlet.rulebook")
    private weak var server: Server?
    private var sight: RulebookShelf.Sight?
    private var isLooking = false
    /// Whoever asked while a look was under way hears of the next one.
    private var waiting: [(ControlAnswer) -> Void] = []
    private(set) var loaded: LoadedRulebook?
    private var refused: [RefusedRulebook] = []
    /// The last that was asked for beside the one in use, and the surroundings that it was compiled in.
    private var other: (number: UInt32, surroundings: Rulebook.Surroundings, book: DecisionBook?)?
    private var askedForOthers = 0

    static let interval = TimeAmount.seconds(1)
    /// Those that may wait for a look.
    private static let waitingMaximum = 100

    init(_ shelf: RulebookShelf, _ logger: Logger) {
        self.shelf = shelf
        self.logger = logger
    }

    /// - Parameter look: the first, made before anything is served.
    func begin(_ server: Server, _ look: RulebookShelf.Look?) {
        self.server = server
        server.node.otherRelease = { [weak self] number, then in
            if let self { self.find(number, then) } else { then(nil) }
        }
        if let look { take(look) }
        let bound = NIOLoopBound(self, eventLoop: server.loop)
        server.loop.scheduleRepeatedTask(initialDelay: RulebookInUse.interval, delay: RulebookInUse.interval) { _ in bound.value.look() }
    }

    static func groups(_ settings: ServerSettings) -> Set<String> { Set(settings.connections.map(\.group)) }

    /// What a rulebook is compiled against on this machine.
    static func surroundings(_ settings: ServerSettings) -> Rulebook.Surroundings {
        // What `Node.serve` can hand over.
        Rulebook.Surroundings(groups: groups(settings), parts: settings.node.engine.partsMaximum, served: ChannelSet(.sms))
    }

    /// What holds: the rulebook's routes, or the settings'.
    func routes(_ settings: ServerSettings, _ groups: [String: GroupNumber]) -> Routes {
        guard let routes = loaded?.rulebook.routes else { return Server.routes(settings, groups) }
        return Routes(routes.compactMap { route in groups[route.group].map { Routes.Route(prefix: route.prefix, group: $0) } })
    }

    /// What the rulebook would miss in other settings.
    func missingGroup(_ settings: ServerSettings) -> String? {
        let groups = RulebookInUse.groups(settings)
        guard let loaded, let route = loaded.rulebook.routes?.first(where: { !groups.contains($0.group) }) else { return nil }
        return "rulebook \(loaded.rulebook.number) sends numbers to group '\(route.group)', which would have no connection; "
            + "publish other routes first"
    }

    /// For status.
    var words: String {
        var words = loaded.map { "; rulebook \($0.rulebook.number)" } ?? ""
        if let newest = refused.first { words += "; rulebook \(newest.number) cannot be used: \(newest.reason)" }
        return words
    }

    func look(_ answer: ((ControlAnswer) -> Void)? = nil) {
        guard let server else { return answer?(.failed("the node is starting")) ?? () }
        if let answer {
            guard waiting.count < RulebookInUse.waitingMaximum else { return answer(.failed("too many ask; try later")) }
            waiting.append(answer)
        }
        guard !isLooking else { return }
        isLooking = true
        let asked = waiting
        waiting = []
        let (shelf, last, surroundings, loop) = (shelf, sight, RulebookInUse.surroundings(server.settings), server.loop)
        let bound = NIOLoopBound((self, asked), eventLoop: loop)
        queue.async {
            let look = shelf.look(in: surroundings, last: last)
            loop.execute {
                let (rulebook, asked) = bound.value
                rulebook.isLooking = false
                if let look { rulebook.take(look) }
                for answer in asked { answer(rulebook.answer) }
                if !rulebook.waiting.isEmpty { rulebook.look() }
            }
        }
    }

    // MARK: Releases before

    /// For who wants to know what another release would decide. One is kept; compiling one takes a second at the most, elsewhere.
    private func find(_ number: UInt32, _ then: @escaping (DecisionBook?) -> Void) {
        guard let server else { return then(nil) }
        let surroundings = RulebookInUse.surroundings(server.settings)
        if let other, other.number == number, other.surroundings == surroundings, other.book != nil { return then(other.book) }
        guard askedForOthers < RulebookInUse.waitingMaximum else { return then(nil) }
        askedForOthers += 1
        let (shelf, loop) = (shelf, server.loop)
        let bound = NIOLoopBound((self, then), eventLoop: loop)
        queue.async {
            let book = shelf.release(Int64(number), in: surroundings)?.book
            loop.execute {
                let (rulebook, then) = bound.value
                rulebook.askedForOthers -= 1
                rulebook.other = (number, surroundings, book)
                then(book)
            }
        }
    }

    private var answer: ControlAnswer {
        if let newest = refused.first { return .failed("rulebook \(newest.number) cannot be used: \(newest.reason)") }
        return .done(loaded.map { "rulebook \($0.rulebook.number) in use" } ?? "no rulebook is published; the settings hold")
    }

    private func take(_ look: RulebookShelf.Look) {
        sight = look.sight
        if let found = look.loaded, found.rulebook.number >= loaded?.rulebook.number ?? 0, found != loaded { use(found) }
        let inUse = loaded?.rulebook.number ?? 0
        let before = refused
        refused = look.refused.filter { $0.number > inUse }
        for one in refused where !before.contains(one) {
            logger.error(
                "a published rulebook cannot be used; what was in use stays",
                metadata: ["release": "\(one.number)", "reason": "\(one.reason)"])
        }
        server?.node.rulebook = (inUse, refused.first?.number ?? 0)
    }

    private func use(_ found: LoadedRulebook) {
        let isFirst = loaded == nil
        loaded = found
        for warning in found.warnings {
            logger.warning("rulebook: \(warning.message)", metadata: ["path": "\(warning.path)", "remedy": "\(warning.remedy)"])
        }
        guard let server else { return }
        server.node.use(routes: routes(server.settings, server.groups), book: found.book)
        let digest = RulebookFile.hex(Array(found.digest.prefix(8)))
        // When it began to hold stands in the journal, between the records that were decided by the one before and by this one.
        server.node.note("\(isFirst ? "rulebook" : "other rulebook") \(found.rulebook.number) (\(digest)) in use")
    }
}
