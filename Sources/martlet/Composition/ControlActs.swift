import MartletChannels
import MartletEngine
import MartletLocal
import MartletModel
import MartletNode
import NIOCore

/// Status, holds, drains, and acts on what waits.
extension Server {
    func status() -> ControlAnswer {
        var rows = [["source", "accepted", "ended", "open", "drift", "messages today", "parts today", "limits"]]
        for line in node.ledger {
            let drift = line.drift != 0 ? "\(line.drift)" : line.miscount != 0 ? "\(line.miscount) (count)" : "0"
            rows.append([
                line.name, String(line.accepted), String(line.ended), String(line.open), drift, String(line.messagesToday),
                String(line.partsToday), line.limits.words,
            ])
        }
        var message = "\(node.openMessages) messages open"
        message += rulebook.words
        let reasons = node.notReadyReasons
        if !reasons.isEmpty { message += "; takes no messages: \(reasons.joined(separator: ", "))" }
        for group in node.heldGroups {
            let words = node.held(group).classes.map(\.word).joined(separator: ", ")
            message += "; held on \(name(of: group)): \(words)"
        }
        let customers = node.customers.figures
        if customers.version > 0 {
            message += "; \(customers.customers) customers (base file \(customers.version), \(customers.overlayChanges) changes since)"
        }
        for alarm in node.customers.alarms { message += "; ALARM customers, \(alarm)" }
        return .done(message, rows)
    }

    private func name(of group: GroupNumber) -> String { group == 0 ? "all groups" : node.groupNames[group] ?? "group \(group)" }

    // MARK: Connections

    /// Holds a connection and waits until nothing of it is on the wire.
    func drain(_ request: ControlRequest, _ peer: ControlPeer, _ answer: @escaping (ControlAnswer) -> Void) {
        guard let name = request.name, let connection = connections[name] else { return answer(missing(request.name)) }
        guard let seconds = Int64(request.fields?["seconds"] ?? "20"), (0...3600).contains(seconds) else {
            return answer(.failed("--seconds: 0 to 3600"))
        }
        let unbinds = request.fields?["unbind"] == "true"
        node.note("drain connection \(name)\(unbinds ? " and unbind" : "")", by: peer.who)
        connection.hold()
        drained(connection, until: node.now().steady + seconds * 1_000_000, steps: 0, peer, answer) {
            guard unbinds else {
                return answer(.done("\(name) is drained and takes no new messages; `martlet connection release \(name)`"))
            }
            connection.stop {
                // Bound again it takes messages as before.
                connection.release()
                answer(.done("\(name) is drained and stopped"))
            }
        }
    }

    private func drained(
        _ connection: SMPPConnection, until end: Int64, steps: Int, _ peer: ControlPeer, _ answer: @escaping (ControlAnswer) -> Void,
        then: @escaping () -> Void
    ) {
        let open = connection.outstanding
        if open == 0 { return then() }
        if node.now().steady >= end {
            return answer(.failed("\(open) parts are not answered yet; \(connection.name) takes no new messages, ask again to wait on"))
        }
        if steps % 20 == 19 { answer(.progress("\(open) parts on the wire")) }
        loop.assumeIsolated().scheduleTask(in: .milliseconds(50)) {
            self.drained(connection, until: end, steps: steps + 1, peer, answer, then: then)
        }
    }

    func missing(_ name: String?) -> ControlAnswer {
        .failed("there is no connection '\(name ?? "")'; `martlet connection list` shows them")
    }

    // MARK: Classes

    func hold(_ request: ControlRequest, _ peer: ControlPeer, _ answer: @escaping (ControlAnswer) -> Void) {
        let (fields, held) = (request.fields ?? [:], request.verb == "hold-class")
        do {
            let classes = try classes(fields)
            guard fields["class"].map({ !$0.isEmpty }) ?? false else { throw Wrong("--class: name the classes, with commas") }
            let group = try group(fields, "group") ?? 0
            let everywhere = node.held(0).intersection(classes)
            if !held, group != 0, !everywhere.isEmpty {
                let words = everywhere.classes.map(\.word).joined(separator: ", ")
                throw Wrong("\(words): held on all groups; release it without --group")
            }
            let words = classes.classes.map(\.word).joined(separator: ", ")
            node.hold(classes, of: group, held, by: peer.who) { [self] durable in
                guard durable else { return answer(.failed("the journal could not record it; look at the log")) }
                answer(.done("\(words) \(held ? "held" : "released") on \(name(of: group))"))
            }
        } catch {
            answer(.failed("\(error)"))
        }
    }

    // MARK: What waits

    func queue(_ answer: @escaping (ControlAnswer) -> Void) {
        node.survey { [self] lines in
            var rows = [["group", "class", "source", "messages", "submits", "in a pause", "oldest", "held"]]
            let now = node.now().wallMilliseconds
            for (key, line) in lines.sorted(by: {
                ($0.key.group, $0.key.messageClass.rawValue, $0.key.source)
                    < ($1.key.group, $1.key.messageClass.rawValue, $1.key.source)
            }) {
                rows.append([
                    name(of: key.group), key.messageClass.word, node.name(of: key.source), String(line.messages), String(line.submits),
                    String(line.pausing), "\(max(0, now - line.oldest) / 1000) s", node.isHeld(key.messageClass, key.group) ? "held" : "",
                ])
            }
            answer(.done("\(lines.values.reduce(0) { $0 + $1.messages }) messages wait", rows))
        }
    }

    func purge(_ request: ControlRequest, _ peer: ControlPeer, _ answer: @escaping (ControlAnswer) -> Void) {
        let fields = request.fields ?? [:]
        do {
            let waiting = try waiting(fields, group: "group")
            guard fields["yes"] == "true" else {
                return node.count(waiting, suspects: false) { answer(.done("would end \($0.words); add --yes to do it")) }
            }
            node.purge(
                waiting, act: "purge\(words(fields))", by: peer.who,
                progress: { tally in
                    answer(.progress("\(tally.messages) ended"))
                    return peer.isOpen
                }, then: { tally, end in answer(Server.ended("ended \(tally.words)", end)) })
        } catch {
            answer(.failed("\(error)"))
        }
    }

    func move(_ request: ControlRequest, _ peer: ControlPeer, _ answer: @escaping (ControlAnswer) -> Void) {
        let fields = request.fields ?? [:]
        do {
            let waiting = try waiting(fields, group: "from")
            guard let target = try group(fields, "to") else { throw Wrong("--to: name a group") }
            guard waiting.group != nil, waiting.group != target else { throw Wrong("--from: name another group than --to") }
            guard connections.values.contains(where: { $0.group == target }) else { throw Wrong("--to: the group has no connection") }
            let suspects = fields["suspects"] == "true"
            guard fields["yes"] == "true" else {
                return node.count(waiting, suspects: suspects) { answer(.done("would move \($0.words); add --yes to do it")) }
            }
            node.move(
                waiting, to: target, suspects: suspects, act: "move\(words(fields))", by: peer.who,
                progress: { tally in
                    answer(.progress("\(tally.messages) moved"))
                    return peer.isOpen
                }, then: { tally, end in answer(Server.ended("moved \(tally.words)", end)) })
        } catch {
            answer(.failed("\(error)"))
        }
    }

    private static func ended(_ what: String, _ end: Node.ActEnd) -> ControlAnswer {
        switch end {
        case .done: .done(what)
        case .busy: .failed("another purge or move is under way; ask again when it is over")
        case .stopped: .failed("broken off: \(what)")
        case .storage: .failed("the journal failed: \(what)")
        }
    }

    // MARK: Words

    struct Wrong: Error, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    /// The filter in words, for the log; the words are names of ours.
    private func words(_ fields: [String: String]) -> String {
        ["from", "to", "group", "class", "source", "olderThan", "suspects"].compactMap { key in
            fields[key].map { $0.isEmpty || $0 == "false" ? "" : " \(key) \($0)" }
        }.joined()
    }

    private func waiting(_ fields: [String: String], group: String) throws(Wrong) -> Waiting {
        var waiting = Waiting(before: node.now().wallMilliseconds + 1)
        waiting.group = try self.group(fields, group)
        waiting.classes = try classes(fields)
        if let name = fields["source"], !name.isEmpty {
            let number = name == "command-line" ? commandLineSource : registry.source(named: name)?.number
            guard let number else { throw Wrong("--source: there is no source '\(name)'; `martlet source list` shows them") }
            waiting.source = number
        }
        if let age = fields["olderThan"], !age.isEmpty { waiting.before -= try Server.milliseconds(age) }
        return waiting
    }

    private func group(_ fields: [String: String], _ key: String) throws(Wrong) -> GroupNumber? {
        guard let name = fields[key], !name.isEmpty else { return nil }
        guard let number = groups[name] else {
            throw Wrong("--\(key): there is no group '\(name)'; there are \(groups.keys.sorted().joined(separator: ", "))")
        }
        return number
    }

    private func classes(_ fields: [String: String]) throws(Wrong) -> ClassSet {
        guard let text = fields["class"], !text.isEmpty else { return .all }
        var classes: ClassSet = []
        for word in text.split(separator: ",") {
            guard let one = MessageClass(word: word) else {
                throw Wrong("--class: '\(word)' is not one of \(MessageClass.allCases.map(\.word).joined(separator: ", "))")
            }
            classes.formUnion(ClassSet(one))
        }
        return classes
    }

    /// An age as settings write durations: `90s`, `10m`, `2h`, `1d`.
    static func milliseconds(_ age: String) throws(Wrong) -> Int64 {
        let units: [Character: Int64] = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let last = age.last, let unit = units[last], let count = Int64(age.dropLast()), (0...100_000_000).contains(count) else {
            throw Wrong("--older-than: a number with its unit, such as 90s, 10m, 2h or 1d")
        }
        return count * unit
    }
}

extension WaitingTally {
    var words: String {
        var words = "\(messages) messages, \(submits) submits"
        if mayHaveLeft > 0 { words += "; \(mayHaveLeft) stay, since a provider may have them" }
        if busy > 0 { words += "; \(busy) stay, since they were being read or written" }
        return words
    }
}
